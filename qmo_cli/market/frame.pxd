cimport cython

from qmo_cli.market.bookseconds cimport BookSeconds
from qmo_cli.market.hits cimport Hits
from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.event cimport Event
from qmo_cli.market.message cimport Message
from qmo_cli.market.refills cimport Refills
from qmo_cli.market.rows cimport Rows
from qmo_cli.market.second cimport SecondBar
from qmo_cli.market.text cimport digits, side_name, text_of


@cython.final
cdef class Frame:
    cdef long long end
    cdef long long records
    cdef bint priced
    cdef long long buy
    cdef long long sell
    cdef long long none
    cdef long long trades
    cdef long long open
    cdef long long high
    cdef long long low
    cdef long long close
    cdef long long added_bid
    cdef long long removed_bid
    cdef long long added_ask
    cdef long long removed_ask
    cdef long long implied
    cdef SecondBar bar
    cdef BookSeconds book
    cdef list seconds
    cdef list bars
    cdef list stops
    cdef Rows profile
    cdef Hits hits
    cdef list flows
    cdef long long flow_second
    cdef Rows prints
    cdef Rows largest
    cdef object restart(self, long long end)
    cdef void forget_moves(self) noexcept
    cdef object trade(self, long long second, int side, long long price, long long size)
    cdef void reprice(self, long long first, long long high, long long low, long long last) noexcept
    cdef object bar_ended(self, object bar, Message message, bint counts)
    cdef void forget_bars(self) noexcept
    cdef object end_second(self)
    cdef object end_flow(self, long long second, Ladder bids, Ladder asks, Py_ssize_t levels)
    cdef Py_ssize_t price_row(self, long long price) except? -1
    cdef object take_prints(self, Event event)
    cdef object add_stop(self, Event event, Py_ssize_t row)
    cdef list largest_prints(self, Py_ssize_t most)
    cdef bint is_larger(self, Py_ssize_t row, Py_ssize_t other) noexcept
    cdef object print_at(self, Py_ssize_t row)
    cdef object end_book_second(self, Ladder bids, Ladder asks)
    cdef object trades_input(self, Py_ssize_t most, list sweeps)
    cdef list profile_rows(self)
    cdef object depth_input(self, Ladder bids, Ladder asks, Py_ssize_t levels, bint near)
    cdef object orders_input(self, list icebergs, Refills refills)
