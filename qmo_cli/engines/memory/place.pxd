cimport cython

from qmo_cli.rounding cimport to_six


cdef class Place:
    cdef readonly str id
    cdef readonly str side
    cdef readonly double low
    cdef readonly double high
    cdef readonly long long born
    cdef readonly bint turned
    cdef public bint armed
    cdef public object retest
    cdef public long long stamp
    cdef public object shown
    cdef public long long shown_at
    cpdef int sign(self) noexcept
    cpdef double front(self) noexcept
    cpdef double rear(self) noexcept
    cpdef tuple steps(self, double low, double high, object far)
    cdef tuple decided(self, object retest, double near, double away)
    cpdef tuple triggers(self, object far)
    cpdef bint overlaps(self, Place other, double tick) noexcept
    cpdef object rest(self)


@cython.final
cdef class Control(Place):
    cdef readonly long long since
    cdef public bint pending


@cython.final
cdef class Remembered(Place):
    cdef readonly object seen
    cdef readonly long long last_seen
    cdef readonly str state
    cdef public long long holds
    cdef public long long breaks
    cdef readonly long long broken_at
    cpdef object learn(self, object seen)
    cpdef object held(self, bint above)
    cpdef object gave_way(self, bint above, long long second)
