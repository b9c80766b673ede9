cimport cython


@cython.final
cdef class Profile:
    cdef readonly long long low
    cdef readonly long long high
    cdef readonly long long volume
    cdef long long base
    cdef Py_ssize_t room
    cdef long long[::1] buy
    cdef long long[::1] sell
    cdef long long[::1] total
    cdef object allocate(self, long long base, Py_ssize_t room)
    cdef object grow(self)
    cdef long long at(self, long long tick) noexcept
