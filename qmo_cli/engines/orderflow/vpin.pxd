cimport cython

from qmo_cli.rounding cimport to_six


@cython.final
cdef class Vpin:
    cdef readonly long long size
    cdef readonly long long number
    cdef dict pending
    cdef long long newest
    cdef readonly object buckets
    cdef double bought
    cdef double filled
    cdef readonly object value
    cpdef object add(self, list rows)
    cpdef object advance(self, object now)
    cdef object fill(self, long long bought, long long sold)
    cdef object close(self)
