cimport cython

from qmo_cli.rounding cimport to_six
from qmo_cli.tray cimport Packet


@cython.final
cdef class Link:
    cdef readonly str order_id
    cdef readonly str filled_id
    cdef readonly str side
    cdef readonly double price
    cdef readonly long long filled
    cdef readonly long long delay
    cdef readonly list shifted
    cdef readonly list sizes
    cdef readonly list theirs
    cdef double evidence(self, long long size, long long there) except? -1e300


@cython.final
cdef class Tranche:
    cdef readonly str order_id
    cdef readonly long long ts
    cdef readonly double price
    cdef readonly long long size
    cdef public long long low
    cdef public long long high
    cdef readonly int length
    cdef readonly double evidence
    cdef readonly Tranche parent
    cdef public bint last
    cdef public bint joined
    cdef public long long filled
    cdef public Chain near
    cdef object follow(self, Tranche parent, double more)
    cdef list path(self)


@cython.final
cdef class Chain:
    cdef readonly str id
    cdef readonly str side
    cdef readonly Tranche tail
    cdef readonly long long first_seen
    cdef public str key
    cdef readonly int length
    cdef public long long total
    cdef readonly long long first
    cdef public long long filled
    cdef public long long weighed
    cdef readonly bint moved
    cdef readonly bint alike
    cdef readonly object recent
    cdef public long long died
    cdef public bint over
    cdef public object estimate
    cdef public object shown
    cdef list follow(self, Tranche tail)
    cpdef object public(self)


@cython.final
cdef class Told:
    cdef readonly Chain chain
    cdef readonly long long ts
    cdef readonly object kind
    cdef readonly object joined
    cdef readonly bint fresh
    cpdef object event(self, Packet packet, object fdr)
