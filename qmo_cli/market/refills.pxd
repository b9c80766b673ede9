cimport cython

from qmo_cli.market.rows cimport Rows
from qmo_cli.market.text cimport digits, side_name, text_of


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


@cython.final
cdef class Refills:
    cdef long long window
    cdef Rows dead
    cdef Rows links
    cdef Rows ends
    cdef Rows near
    cdef AddSizes sizes
    cdef dict waiting
    cdef long long serial
    cdef long long word
    cdef long long dropped
    cdef long long ends_dropped
    cdef long long open
    cdef int died(
        self, long long ts, int side, long long price, long long order_id, long long size, long long word,
        long long serial) except? -1
    cdef object forget(self, long long oldest)
    cdef object release(self, long long serial)
    cdef long long added(
        self, long long ts, int side, long long price, long long order_id, long long size, long long word) except? -1
    cdef long long inherited(self, long long ts, int side, long long price, long long size, long long word) noexcept
    cdef int link(self, Py_ssize_t row, long long ts, long long order_id, long long size, long long word) except? -1
    cdef object wait(self)
    cdef object tell(self, long long serial)
    cdef int tell_near(self) except? -1
    cdef bint room(self) noexcept
    cdef int ended(self, long long ts, long long order_id, int kind, long long filled) except? -1
    cdef object restart(self)
    cdef list link_rows(self)
    cdef list end_rows(self)


cdef long long shifted(long long own, long long word, int shift) noexcept
cdef bint alike(long long here, long long there) noexcept
cdef long long turned(long long word) noexcept
cdef list sizes_of(long long own, long long word)
cdef long long fits(long long size, long long word, long long filled, long long filled_word) noexcept
