cimport cython

from qmo_cli.market.rows cimport Rows
from qmo_cli.market.text cimport digits, side_name


@cython.final
cdef class SweepTracker:
    cdef long long window
    cdef Py_ssize_t least
    cdef int side
    cdef long long start
    cdef long long first
    cdef long long last
    cdef long long size
    cdef Rows prices
    cdef Rows aggressors
    cdef list sweeps
    cdef int trade(self, long long ts, int side, long long price, long long size, long long aggressor) except? -1
    cdef object end(self)
    cdef object expire(self, long long now)


cdef int remember(Rows values, long long value) except? -1
