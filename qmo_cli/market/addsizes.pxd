cimport cython


@cython.final
cdef class AddSizes:
    cdef int bits
    cdef Py_ssize_t mask
    cdef Py_ssize_t count
    cdef long long[::1] keys
    cdef long long[::1] words
    cdef object allocate(self, int bits)
    cdef Py_ssize_t row(self, long long key) noexcept
    cdef Py_ssize_t place(self, int side, long long price) except? -1
    cdef void push(self, Py_ssize_t row, long long size) noexcept
    cdef object grow(self)


cdef long long shifted(long long own, long long word, int shift) noexcept
cpdef bint alike(long long here, long long there) noexcept
cpdef long long turned(long long word) noexcept
cpdef list sizes_of(long long own, long long word)
cpdef long long fits(long long size, long long word, long long filled, long long filled_word) noexcept
