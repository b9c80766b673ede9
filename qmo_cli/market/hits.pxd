cimport cython

from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.rows cimport Rows
from qmo_cli.market.second cimport SecondBar
from qmo_cli.market.text cimport digits, side_name


@cython.final
cdef class Hits:
    cdef Rows rows
    cdef Rows struck
    cdef Py_ssize_t live
    cdef void restart(self) noexcept
    cdef void begin_second(self) noexcept
    cdef void pass_by(self, long long price) noexcept
    cdef int add(
        self, SecondBar bar, long long ts_event, int resting, long long price, long long size, long long displayed,
    ) except? -1
    cdef Py_ssize_t find(self, long long price, int resting) noexcept
    cdef void end_event(self, Ladder bids, Ladder asks) noexcept
    cdef list told(self)


cdef bint is_beyond(long long price, int resting, long long level) noexcept
