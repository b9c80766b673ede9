from qmo_cli.rounding cimport to_six
from qmo_cli.tray cimport Packet


cdef class Tranche:
    cdef public str order_id
    cdef public long long ts
    cdef public double price
    cdef public long long size
    cdef public long long low
    cdef public long long high
    cdef public int length
    cdef public double evidence
    cdef public Tranche parent
    cdef public bint last
    cdef public bint joined
    cdef public long long filled
    cdef public object near


cdef bint are_alike(long long size, long long there) noexcept
