from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_tape cimport Tape


cdef class Exchange:
    cdef Tape tape
    cdef Book book
    cdef long long lowest
    cdef Py_ssize_t newest_trade
    cdef list touched
    cdef void report(self, long long action, RestingOrder order, long long size, long long flags) noexcept
    cdef object clear(self)
    cdef RestingOrder place(self, long long order_id, long long side, long long tick, long long shown, long long flags)
    cdef object place_iceberg(self, long long order_id, long long side, long long tick, long long shown, long long peak, long long total)
    cdef object cancel(self, RestingOrder order)
    cdef object reduce(self, RestingOrder order, long long lots)
    cdef object amend(self, RestingOrder order, long long tick, long long size)
    cdef Py_ssize_t print_trade(self, long long order_id, long long side, long long tick, long long lots) noexcept
    cdef void imply(self, long long lots) noexcept
    cdef long long match(self, long long order_id, long long side, long long lots, long long limit) except? -1
    cdef long long match_level(self, long long order_id, long long side, long long reported, long long lots) except? -1
    cdef object fill(self, RestingOrder order, long long lots)
    cdef object settle(self)
