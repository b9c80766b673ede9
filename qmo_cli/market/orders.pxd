cimport cython


@cython.final
cdef class OrderTable:
    cdef int bits
    cdef Py_ssize_t mask
    cdef Py_ssize_t count
    cdef long long[::1] id
    cdef long long[::1] price
    cdef long long[::1] size
    cdef long long[::1] first
    cdef long long[::1] filled
    cdef long long[::1] word
    cdef long long[::1] serial
    cdef signed char[::1] side
    cdef signed char[::1] seen_added
    cdef signed char[::1] iceberg
    cdef object allocate(self, int bits)
    cdef Py_ssize_t home(self, long long order_id) noexcept
    cdef Py_ssize_t find(self, long long order_id) noexcept
    cdef Py_ssize_t insert(self, long long order_id, int side, long long price, long long size) except? -2
    cdef void remove(self, Py_ssize_t row) noexcept
    cdef void move(self, Py_ssize_t row, Py_ssize_t to) noexcept
    cdef object grow(self)
    cdef object clear(self)
