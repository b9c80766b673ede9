cimport cython


@cython.final
cdef class Rows:
    cdef Py_ssize_t width
    cdef Py_ssize_t room
    cdef Py_ssize_t stop
    cdef long long[::1] cells
    cdef Py_ssize_t add(self) except? -1
    cdef object grow(self)
    cdef void drop(self, Py_ssize_t start) noexcept
    cdef Py_ssize_t find(self, long long value) noexcept
    cdef Py_ssize_t find_last(self, long long value) noexcept
    cdef void sort(self) noexcept
    cdef Py_ssize_t find_pair(self, long long first, long long second) noexcept
