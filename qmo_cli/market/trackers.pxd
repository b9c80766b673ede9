cimport cython

from qmo_cli.market.rows cimport Rows
from qmo_cli.market.text cimport digits, side_name


@cython.final
cdef class SweepTracker:
    cdef long long window
    cdef Py_ssize_t least
    cdef int side
    cdef Rows prints
    cdef Py_ssize_t levels
    cdef long long farthest
    cdef Rows aggressors
    cdef list sweeps
    cdef int trade(
        self, long long ts, long long now, int side, long long price, long long size, long long aggressor,
    ) except? -1
    cdef bint is_too_late(self, Py_ssize_t row, long long ts, long long now) noexcept
    cdef bint is_better(self, long long price, long long other) noexcept
    cdef void advance(self, long long price, bint first) noexcept
    cdef void let_go(self, long long ts, long long now) noexcept
    cdef object end(self)
    cdef object expire(self, long long now)


cdef int remember(Rows values, long long value) except? -1
