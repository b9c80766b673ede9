cdef class Tape:
    cdef long long head
    cdef object store
    cdef unsigned long long[::1] words
    cdef Py_ssize_t count
    cdef long long sequence
    cdef long long ts_event
    cdef long long ts_recv
    cdef long long ts_in_delta
    cdef long long flags
    cdef void stamp(self, long long ts_event, long long delay) noexcept
    cdef Py_ssize_t write(self, long long action, long long side, long long order_id, long long price, long long size, long long flags) noexcept
    cdef void enlarge(self, Py_ssize_t record, long long lots) noexcept
    cdef void end(self) noexcept
    cdef void lose(self, Py_ssize_t count) noexcept
    cdef bytes cut(self)
