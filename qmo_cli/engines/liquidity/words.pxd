cimport cython

from qmo_cli.rounding cimport nearest


@cython.final
cdef class Story:
    cdef object swept_up
    cdef object swept_down
    cdef object newest
    cdef object sweeps
    cdef object grab
    cdef object absorbed
    cdef object near
    cdef long long bars
    cdef int where
    cdef object second
    cpdef object tell(self, object facts)
