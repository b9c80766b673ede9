from qmo_cli.market.event cimport Event
from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.message cimport Message
from qmo_cli.market.native cimport NativeDetector
from qmo_cli.market.orders cimport OrderTable
from qmo_cli.market.refills cimport AddSizes, Refills


cdef class OrderBook:
    cdef OrderTable orders
    cdef Ladder bids
    cdef Ladder asks
    cdef NativeDetector native
    cdef Event event
    cdef Refills refills
    cdef bint complete
    cdef bint doubtful
    cdef bint told
    cdef long long unknown
    cdef long long strangers
    cdef long long changes
    cdef long long watched
    cdef long long filled
    cdef long long remainder
    cdef int flags
    cdef object change(self, Message message)
    cdef object note_flags(self, Message message)
    cdef object add(self, Message message)
    cdef int link(self, Message message, Py_ssize_t row) except? -1
    cdef int unlink(self, Py_ssize_t row, long long ts, int kind) except? -1
    cdef object lose(self, long long ts)
    cdef Py_ssize_t put(self, Message message, bint seen_added) except? -2
    cdef object take_off(self, Py_ssize_t row)
    cdef Ladder ladder(self, int side)
    cdef void meet_stranger(self) noexcept
    cdef object modify(self, Message message)
    cdef object cancel(self, Message message)
    cdef object cancel_stranger(self, Message message)
    cdef object clear(self, Message message)
    cdef object fill(self, Message message)
    cdef object reconcile(self)
    cdef object probe(self, long long now)
