cimport cython

from qmo_cli.rounding cimport to_six


@cython.final
cdef class Distances:
    cdef readonly double width
    cdef readonly double leave
    cdef readonly double through
    cdef readonly double tick


@cython.final
cdef class LiveZone:
    cdef readonly str id
    cdef readonly str side
    cdef public double low
    cdef public double high
    cdef readonly long long first_seen
    cdef public long long last_seen
    cdef public long long since
    cdef public double weight
    cdef public double rank
    cdef public double confidence
    cdef public double strength
    cdef public str state
    cdef public bint turned
    cdef readonly long long defended
    cdef public bint away
    cdef public bint inside
    cdef readonly double falls
    cdef readonly double rises
    cdef readonly set orders
    cdef public object shown
    cpdef int good(self) noexcept
    cpdef double weight_at(self, long long now, double half_life) noexcept
    cpdef double distance(self, double price) noexcept
    cpdef object public(self, double half_life)
    cpdef object renew(self, long long ts)
    cpdef bint meet(self, double low, double high, Distances far) except? -1
    cpdef object watch(self, Distances far)
    cdef double front(self) noexcept
    cdef double rear(self) noexcept
