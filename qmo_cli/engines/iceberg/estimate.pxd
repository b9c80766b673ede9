cimport cython

from qmo_cli.engines.iceberg.curve cimport Pool, conditional


@cython.final
cdef class Case:
    cdef readonly int bucket
    cdef readonly str session
    cdef readonly tuple pools
    cdef public long long total
    cdef object count(self, long long censored)


@cython.final
cdef class Sizes:
    cdef readonly dict pools
    cdef readonly dict resting
    cpdef object grow(self, str key, long long peak, str session, long long total)
    cdef tuple pools_of(self, object bucket, str session)
    cpdef object estimate(self, long long peak, str session, long long filled)


cpdef int bucket_of(long long peak) except? -1


cdef object estimate_of(Pool pool, long long filled)
