cimport cython

from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.rows cimport Rows


@cython.final
cdef class BookSeconds:
    cdef Rows rows
    cdef bint touched
    cdef long long until
    cdef long long told_added_bid
    cdef long long told_removed_bid
    cdef long long told_added_ask
    cdef long long told_removed_ask
    cdef void restart(self) noexcept
    cdef void forget(self) noexcept
    cdef void begin(self, long long now) noexcept
    cdef int end(
        self, long long added_bid, long long removed_bid, long long added_ask, long long removed_ask, Ladder bids,
        Ladder asks,
    ) except? -1
    cdef list told(self, bint near)


cdef long long resting(Ladder ladder) noexcept
