from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_tape cimport Tape
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Exchange:
    cdef Tape tape
    cdef Book book
    cdef long long lowest
    cdef Truth truth
    cdef Py_ssize_t newest_trade
    cdef long long trades
    cdef long long traded
    cdef long long prices
    cdef long long trade_tick
    cdef list touched
    cdef list owned
    cdef void report(self, long long action, RestingOrder order, long long size, long long flags) noexcept
    cdef object clear(self)
    cdef RestingOrder place(self, long long order_id, long long side, long long tick, long long shown, long long flags)
    cdef RestingOrder place_iceberg(self, long long order_id, long long side, long long tick, long long shown, long long peak, long long total)
    cdef object cancel(self, RestingOrder order)
    cdef object reduce(self, RestingOrder order, long long lots)
    cdef object amend(self, RestingOrder order, long long tick, long long size)
    cdef Py_ssize_t print_trade(self, long long order_id, long long side, long long tick, long long lots) noexcept
    cdef void imply(self, long long lots) noexcept
    cdef long long match(self, long long order_id, long long side, long long lots, long long limit) except? -1
    cdef long long match_level(self, long long order_id, long long side, long long reported, long long lots) except? -1
    cdef long long fill_level(self, Py_ssize_t trade, long long resting, long long tick, long long lots) except? -1
    cdef long long cross(self, RestingOrder order, long long tick) except? -1
    cdef object fill(self, RestingOrder order, long long lots)
    cdef object settle(self)
    cdef object release(self, RestingOrder order)
    cdef object begin(self)
