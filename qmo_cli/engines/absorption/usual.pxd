cimport cython


@cython.final
cdef class Quantile:
    cdef readonly double share
    cdef readonly long long number
    cdef readonly long long value
    cdef readonly dict counts
    cdef readonly long long below
    cpdef object change(self, long long value, long long count)
    cdef long long count_of(self, long long value) except? -1
    cdef object settle(self)


@cython.final
cdef class UsualSizes:
    cdef readonly long long fewest
    cdef readonly list by_hour
    cdef readonly Quantile session
    cdef readonly object recent
    cdef readonly object older
    cdef readonly long long of_day
    cdef readonly long long hour_end
    cdef tuple told
    cpdef object come_to(self, long long second)
    cpdef object add(self, long long size)
    cpdef tuple threshold(self)


@cython.final
cdef class Impact:
    cdef readonly object rows
    cdef readonly object flow_square
    cdef readonly object product
    cdef readonly object change_square
    cdef readonly long long interval
    cdef readonly long long bought
    cdef readonly long long close
    cdef readonly object before
    cpdef object add(self, long long second, long long bought, long long close)
    cpdef object end(self)
    cdef object count(self, object bought, object change, int sign)
    cdef object forget(self, long long interval)
    cpdef object efficiency(self, object bought, object change)
