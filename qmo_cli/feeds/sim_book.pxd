cdef class RestingOrder:
    cdef long long order_id
    cdef long long side
    cdef long long tick
    cdef long long shown
    cdef long long hidden
    cdef long long peak
    cdef long long since
    cdef long long kind
    cdef object plan
    cdef long long before
    cdef long long taken
    cdef long long pieces
    cdef Py_ssize_t place
    cdef RestingOrder ahead
    cdef RestingOrder behind


cdef class Level:
    cdef RestingOrder first
    cdef RestingOrder last
    cdef long long lots
    cdef long long orders
    cdef long long icebergs
    cdef long long traded
    cdef void join(self, RestingOrder order) noexcept
    cdef void leave(self, RestingOrder order) noexcept


cdef class Book:
    cdef list levels
    cdef list live
    cdef list spare
    cdef long long best_bid
    cdef long long best_ask
    cdef long long bids
    cdef long long asks
    cdef Level level(self, Py_ssize_t tick)
    cdef long long touch(self, long long side) noexcept
    cdef long long resting(self, long long side) noexcept
    cdef bint thin(self, long long side) noexcept
    cdef RestingOrder add(self, long long order_id, long long side, long long tick, long long shown)
    cdef object put(self, RestingOrder order, long long tick)
    cdef object remove(self, RestingOrder order)
    cdef object recycle(self, RestingOrder order)
    cdef object move(self, RestingOrder order, long long tick, long long shown)
    cdef void shrink(self, RestingOrder order, long long lots) noexcept
    cdef void enter(self, RestingOrder order, long long tick) noexcept
    cdef void exit(self, RestingOrder order) noexcept
    cdef long long next_price(self, long long tick, long long step) noexcept
