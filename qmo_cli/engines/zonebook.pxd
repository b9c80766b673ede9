cimport cython

from qmo_cli.engines.zones cimport Distances, LiveZone
from qmo_cli.sessions cimport session_name


@cython.final
cdef class Standing:
    cdef double price
    cdef double reach
    cdef double widest
    cdef list rows
    cdef list lows
    cpdef bint serves(self, double price, double reach) noexcept
    cpdef tuple pull(self, double price)


@cython.final
cdef class ZoneBook:
    cdef readonly str series
    cdef double half_life
    cdef long long memory
    cdef Distances far
    cdef double least
    cdef readonly list zones
    cdef readonly list ranks
    cdef Standing standing
    cdef long long newest
    cdef public bint changed
    cdef str session
    cdef long long minute
    cdef long long second
    cdef double low
    cdef double high
    cdef double floor
    cdef double ceiling
    cdef readonly double expires
    cpdef object measure(self, long long since, Distances far)
    cpdef LiveZone add(self, str side, double price, long long ts, double weight, double confidence, str order_id)
    cdef LiveZone place(self, str side, double price, long long ts)
    cdef bint is_nearer(self, LiveZone zone, LiveZone other, double price) except? -1
    cdef object rank(self, LiveZone zone)
    cdef object foresee(self)
    cdef object change(self, LiveZone zone)
    cpdef object trade(self, object row)
    cpdef object test(self)
    cpdef list advance(self, long long now)
    cpdef double usual(self, long long now, double unknown, long long enough) except? -1
    cpdef double heaviest(self, long long now) except? -1
    cpdef list most(self, Py_ssize_t number)
    cpdef tuple pull(self, double price, double reach, long long now)
    cdef object come_to_session(self, str here)
    cdef object fade(self)
    cdef list expire(self, long long now)
    cdef object fence(self)
