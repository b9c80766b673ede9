cimport cython

from qmo_cli.engines.iceberg.chain cimport Chain, Link, Told, Tranche


@cython.final
cdef class Search:
    cdef int shift
    cdef str series
    cdef long long memory
    cdef readonly dict tranches
    cpdef Told take(self, list links, long long ts)
    cdef Tranche step(self, Link link, long long ts, long long size, long long there)
    cdef Told tell(self, Tranche tranche, str side)
    cdef Told count(self, Tranche tranche)
    cdef object forget(self, long long oldest)


@cython.final
cdef class Chains:
    cdef long long window
    cdef Search real
    cdef list null
    cdef readonly dict live
    cdef readonly list filled
    cdef readonly list found
    cdef readonly list chance
    cpdef Told take(self, list links, long long ts)
    cdef object count(self, list times, long long ts)
    cpdef Told end(self, object end, long long ts)
    cpdef list advance(self, long long now)
    cdef Told close(self, Chain chain, long long ts, object kind, long long filled)
    cpdef tuple counts(self, long long now)
    cpdef object rate(self, long long now)


cpdef object rate_of(long long number, double by_chance)


cdef Py_ssize_t number_after(list times, long long since) except? -1


cdef bint is_better(Tranche one, Tranche other) noexcept


cdef bint are_alike(long long size, long long there) noexcept
