cimport cython


@cython.final
cdef class SecondBar:
    cdef long long second
    cdef long long open
    cdef long long high
    cdef long long low
    cdef long long close
    cdef long long buy
    cdef long long sell
    cdef long long none
    cdef long long trades
    cdef void begin(self, long long second, long long price) noexcept
    cdef void add(self, int side, long long price, long long size) noexcept
    cdef object row(self)
