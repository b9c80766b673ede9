cimport cython

from qmo_cli.engines.absorption.seconds cimport OneSecond, Strike, begins_beyond


@cython.final
cdef class Level:
    cdef readonly tuple key
    cdef readonly bint bid
    cdef readonly double price
    cdef readonly long long second
    cdef readonly long long flow
    cdef readonly long long before
    cdef readonly str first
    cdef readonly str last
    cdef readonly long long after
    cdef readonly long long largest
    cdef readonly long long absorbed
    cdef readonly long long hidden
    cdef readonly long long last_second
    cdef readonly list parts
    cdef public bint holds
    cdef public object told
    cdef public double weight
    cdef readonly long long ended
    cdef public bint broken
    cdef public str name
    cdef public object shown
    cdef public long long shown_at
    cdef object take(self, long long second, Strike strike)
    cpdef double replenish(self) noexcept
    cpdef bint is_passed(self, double low, double high) noexcept
    cpdef long long within(self, long long first) except? -1


@cython.final
cdef class Levels:
    cdef readonly long long window
    cdef readonly long long quiet
    cdef readonly dict open
    cdef readonly list ended
    cdef long long due
    cpdef object pass_time(self, long long second)
    cdef long long latest(self, Level level) noexcept
    cpdef list take(self, long long second, OneSecond one, long long flow)
    cdef Level meet(self, tuple key, list strikes, long long second, long long flow)
    cdef object end(self, Level level, long long at, object how)
    cpdef list take_ended(self)
