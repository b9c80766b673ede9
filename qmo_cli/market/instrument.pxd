cimport cython

from qmo_cli.market.bookseconds cimport BookSeconds
from qmo_cli.market.event cimport Event
from qmo_cli.market.frame cimport Frame
from qmo_cli.market.hits cimport Hits
from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.levels cimport LevelWatch
from qmo_cli.market.message cimport Message
from qmo_cli.market.orderbook cimport OrderBook
from qmo_cli.market.rows cimport Rows
from qmo_cli.market.second cimport SecondBar
from qmo_cli.market.trackers cimport SweepTracker


@cython.final
cdef class Instrument(OrderBook):
    cdef readonly long long instrument_id
    cdef public object tick
    cdef public object point_value
    cdef public object label
    cdef public object quality
    cdef public object source
    cdef public long long reach
    cdef int publisher_id
    cdef Frame frame
    cdef SweepTracker sweeps
    cdef LevelWatch watch
    cdef readonly int trade_rank
    cdef readonly int quote_rank
    cdef long long closed_end
    cdef list owed
    cdef public list facts
    cdef list later
    cdef long long last_time
    cdef long long covered
    cdef long long traded_until
    cdef long long bar_interval
    cdef long long last_price
    cdef long long last_ts
    cdef bint last_is_bar
    cdef long long quote_ts
    cdef long long late
    cdef long long dropped
    cdef object take_order(self, Message message)
    cdef object trade(self, Message message, long long aggressor)
    cdef object take_levels(self, Message message, Py_ssize_t at, Py_ssize_t levels)
    cdef object take_last(self, Message message)
    cdef object take_bar(self, Message message)
    cdef object begin_event(self, Message message)
    cdef object end_book_second(self)
    cdef object end_event(self)
    cdef object adopt_book(self)
    cdef object reckon_flow(self)
    cdef object forget_book(self)
    cdef object compare_levels(self, Ladder ladder, int side)
    cdef void reckon_moves(self) noexcept
    cdef object restart(self)
    cdef bint book_shown(self)
    cdef bint take_rank(self, int rank, bint trades, bint quotes)
