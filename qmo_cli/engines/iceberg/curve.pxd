cimport cython

from qmo_cli.market.rows cimport Rows
from qmo_cli.rounding cimport to_six


@cython.final
cdef class Pool:
    cdef readonly long long cases
    cdef Rows rows
    cpdef object count(self, long long total, long long ended, long long censored)
    cdef Py_ssize_t after(self, long long total) noexcept


@cython.final
cdef class Walk:
    cdef Rows rows
    cdef Py_ssize_t place
    cdef long long at_risk
    cdef readonly long long total
    cdef readonly double left
    cdef readonly double before
    cpdef bint step(self) noexcept


cdef class Nearest:
    cdef double least
    cdef readonly long long total
    cdef object offer(self, double distance, long long total, bint also_equal)


cpdef tuple conditional(Pool pool, long long filled)
