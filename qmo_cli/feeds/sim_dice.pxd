cdef class Dice:
    cdef object source
    cdef unsigned int[::1] numbers
    cdef Py_ssize_t used
    cdef Py_ssize_t left
    cdef long long below(self, long long count) noexcept
    cdef long long draw(self, long long[::1] values) noexcept
    cdef object restock(self)
