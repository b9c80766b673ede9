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


cdef int _where(object facts) except? -9


cdef object _aggression(object facts)


cpdef object expectation(double score, object failed, object grab, object flow, object absorption)


cdef long long _lean(double score) noexcept


cdef object _direction(long long lean)
