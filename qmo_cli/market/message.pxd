cimport cython


@cython.final
cdef class Message:
    cdef const unsigned char[::1] data
    cdef Py_ssize_t bytes
    cdef int rtype
    cdef int action
    cdef int side
    cdef int flags
    cdef int publisher_id
    cdef long long instrument_id
    cdef long long ts_event
    cdef long long time
    cdef long long order_id
    cdef long long price
    cdef long long size
    cdef long long open
    cdef long long high
    cdef long long low
    cdef long long interval
    cdef long long bid_price
    cdef long long ask_price
    cdef long long bid_size
    cdef long long ask_size
    cdef long long bid_count
    cdef long long ask_count
    cdef void load(self, Py_ssize_t at) noexcept
    cdef bint in_snapshot(self) noexcept
    cdef void load_mbo(self, Py_ssize_t at) noexcept
    cdef void load_trade(self, Py_ssize_t at) noexcept
    cdef void load_bar(self, Py_ssize_t at) noexcept
    cdef void load_pair(self, Py_ssize_t at) noexcept
