cimport cython

from qmo_cli.times cimport iso


@cython.final
cdef class Packet:
    cdef public long long ts
    cdef public str series
    cdef public object symbol
    cdef public long long instrument_id
    cdef public bint closed
    cdef public object price
    cdef public dict slots
    cdef public dict values
    cdef public dict missing
    cpdef object read(self, str name, object kind)
