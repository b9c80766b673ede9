cimport cython


@cython.final
cdef class Strike:
    cdef readonly long long before
    cdef readonly long long after
    cdef readonly long long largest
    cdef readonly long long traded
    cdef readonly str first
    cdef readonly str last
    cdef readonly bint beyond
    cdef readonly bint through
    cdef readonly long long hidden
    cdef object join(self, Strike later)


@cython.final
cdef class OneSecond:
    cdef readonly long long second
    cdef readonly double low
    cdef readonly double high
    cdef readonly double close
    cdef readonly long long bought
    cdef dict strikes
    cdef object join(self, object row, dict strikes)
    cdef object add(self, tuple key, list found)


@cython.final
cdef class Seconds:
    cdef readonly dict open
    cdef readonly long long newest
    cpdef object take(self, list rows, list hits, list facts)
    cpdef list over(self, long long last)


cdef dict strikes_of(list hits, list facts)


cdef object hide(dict found, object fact, long long hidden)


cpdef bint begins_beyond(list strikes) except? -1


cpdef bint is_beyond(tuple key, double low, double high) except? -1
