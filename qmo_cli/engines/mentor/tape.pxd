cimport cython

from qmo_cli.market.rows cimport Rows
from qmo_cli.rounding cimport nearest


@cython.final
cdef class Peak:
    cdef readonly object places
    cdef object add(self, long long second, long long value, long long flow)
    cdef bint expire(self, long long last) except? -1


@cython.final
cdef class Tape:
    cdef readonly long long length
    cdef readonly long long reach
    cdef readonly long long delta
    cdef readonly long long volume
    cdef readonly long long began
    cdef readonly long long latest
    cdef readonly bint changed
    cdef Rows rows
    cdef Py_ssize_t first
    cdef object heaviest
    cdef Peak high
    cdef Peak low
    cdef Peak older_high
    cdef Peak older_low
    cpdef object add(self, object row)
    cpdef object expire(self, long long now)
    cdef object begin(self, long long second)
    cdef object weigh(self, Py_ssize_t row)
    cdef object leave(self, Py_ssize_t row)
    cpdef long long look(self, long long scale, long long near, bint whole) except? -1
    cdef long long exhausted(self, long long high, long long low, long long twice) except? -1
    cdef long long trapped(self, long long high, long long low, long long scale, long long near) except? -1
    cpdef tuple heavy(self)
    cdef long long threshold(self) except? -1
    cpdef bint read(self) except? -1
