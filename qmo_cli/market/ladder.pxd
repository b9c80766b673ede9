cimport cython


@cython.final
cdef class Ladder:
    cdef long long sign
    cdef Py_ssize_t depth
    cdef Py_ssize_t room
    cdef long long[::1] keys
    cdef long long[::1] sizes
    cdef long long[::1] counts
    cdef Py_ssize_t was_depth
    cdef long long[::1] was_keys
    cdef long long[::1] was_sizes
    cdef long long[::1] mlofi
    cdef Py_ssize_t touched
    cdef Py_ssize_t touched_last
    cdef bint shifted
    cdef object allocate(self, Py_ssize_t room)
    cdef Py_ssize_t place(self, long long key) noexcept
    cdef long long displayed(self, long long price) noexcept
    cdef int change(self, long long price, long long size, long long count) except? -1
    cdef int create(self, Py_ssize_t index, long long key, long long size, long long count) except? -1
    cdef void delete(self, Py_ssize_t index) noexcept
    cdef object grow(self)
    cdef void clear(self) noexcept
    cdef void settle(self) noexcept
    cdef void mark_settled(self) noexcept
    cdef void restart(self) noexcept
    cdef void adopt(self) noexcept
    cdef long long best(self) noexcept
    cdef long long best_size(self) noexcept
    cdef int push(self, long long price, long long size, long long count) except? -1
    cdef long long was(self, long long price) noexcept
    cdef long long horizon(self) noexcept
    cdef list top(self)
