cdef class Touches:
    cdef Py_ssize_t room
    cdef Py_ssize_t count
    cdef long long[::1] sides
    cdef long long[::1] prices
    cdef long long[::1] sizes
    cdef object add(self, int side, long long price, long long size)
    cdef object grow(self)


cdef class Refills:
    cdef long long window
    cdef list dead
    cdef object died(self, long long ts, int side, long long price, long long order_id, long long size)
    cdef list links(self, long long ts, int side, long long price, long long order_id, long long size)


cdef class SweepTracker:
    cdef long long window
    cdef Py_ssize_t least
    cdef int side
    cdef long long start
    cdef long long first
    cdef long long last
    cdef long long size
    cdef set prices
    cdef set aggressors
    cdef object trade(self, long long ts, int side, long long price, long long size, long long aggressor, list sweeps)
    cdef object end(self, list sweeps)
    cdef object expire(self, long long now, list sweeps)


cdef class Event:
    cdef bint open
    cdef bint snapshot
    cdef bint auction
    cdef bint has_trade
    cdef long long time
    cdef long long ts_event
    cdef long long traded
    cdef long long passive
    cdef Touches touches
    cdef dict prints
    cdef dict fills
    cdef dict taken
    cdef void begin(self, long long time, long long ts_event, bint snapshot) noexcept
    cdef object trade(self, int side, long long price, long long size, long long aggressor)
    cdef bint is_aggressor(self, long long order_id)
    cdef object fill(self, long long order_id, long long size)
    cdef object take(self, int resting, long long price, long long size)
    cdef long long take_fill(self, long long order_id) except? -1
    cdef object end_prints(self, list prints, list stops)
