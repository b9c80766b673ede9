cimport cython

from qmo_cli.rounding cimport nearest


@cython.final
cdef class Memory:
    cdef readonly str kind
    cdef readonly long long since
    cdef readonly str id
    cdef long long inside
    cdef object symbol
    cpdef str update(self, long long ts, object symbol, object score, bint trading)
    cdef object stand(self, long long ts, long long total)
    cdef object open(self, long long ts, str kind)
    cdef object close(self)
