# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What one instrument did within one frame, summed up for the packet's ``inputs``."""

from __future__ import annotations

import cython

from qmo_cli.market.bookseconds import BookSeconds
from qmo_cli.market.event import Event
from qmo_cli.market.hits import Hits
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.message import Message
from qmo_cli.market.refills import Refills
from qmo_cli.market.rows import Rows
from qmo_cli.market.second import SecondBar
from qmo_cli.market.text import digits, side_name, text_of
from qmo_cli.packets import (
    BookFlow,
    DepthInput,
    OrdersInput,
    PriceLevelVolume,
    Print,
    StopFact,
    TradesInput,
)

NANO = cython.declare(cython.double, 1e9)
BUY = cython.declare(cython.int, 66)   # 'B'
SELL = cython.declare(cython.int, 65)  # 'A'
# Iceberg facts, sweeps and stops kept of a frame: a life, or a window that ends with the frame, must have no hole
FACTS = cython.declare(cython.Py_ssize_t, 4096)
CAP = cython.declare(cython.Py_ssize_t, 64)  # rows of a list before it is cut and counts what it dropped
HITS = cython.declare(cython.Py_ssize_t, 65_536)  # levels hit that are kept of a frame: one row for a level and second

# Columns of a price that traded
PRICE = cython.declare(cython.int, 0)
BOUGHT, SOLD, UNSIDED = cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3)


@cython.final
@cython.cclass
class Frame:
    """The sums of one frame. ``end`` is 0 while no frame is open.

    ``profile``: (price, bought, sold, without a side). ``flows`` are the imbalances of the seconds before
    ``flow_second``. ``prints``: (ts_event, side, first price, last price, size, levels).
    """

    def __init__(self) -> None:
        self.bar, self.book = SecondBar(), BookSeconds()
        self.profile, self.hits, self.prints, self.largest = Rows(4), Hits(), Rows(6), Rows(1)
        self.flow_second = 0
        self.flows: list = []
        self.restart(0)

    @cython.cfunc
    def restart(self, end: cython.longlong) -> object:
        """Empty, ready for the frame that ends there."""
        self.end = end
        self.records = 0
        self.buy = self.sell = self.none = self.trades = 0
        self.open = self.high = self.low = self.close = 0
        self.forget_moves()
        self.implied = 0
        self.priced = False
        self.bar.trades = 0
        self.book.restart()
        self.hits.restart()
        self.profile.stop = self.prints.stop = 0
        if end:
            self.seconds, self.bars, self.stops, self.flows = [], [], [], []
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget_moves(self) -> cython.void:
        """Begin the sums of pulls and stacks anew."""
        self.book.forget()
        self.added_bid = self.removed_bid = self.added_ask = self.removed_ask = 0

    @cython.cfunc
    def trade(
        self, second: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
    ) -> object:
        """Count one trade summary in the second of its event; one that comes late, in the second then open."""
        self.trades += 1
        if self.bar.trades == 0 or second > self.bar.second:
            self.end_second()
            self.bar.begin(max(second, self.bar.second), price)
            self.hits.begin_second()
        elif price != self.bar.close:
            self.hits.pass_by(price)
        self.bar.add(side, price, size)
        self.reprice(price, price, price, price)
        column: cython.int = BOUGHT if side == BUY else SOLD if side == SELL else UNSIDED
        if column == BOUGHT:
            self.buy += size
        elif column == SOLD:
            self.sell += size
        else:
            self.none += size
        row: cython.Py_ssize_t = self.price_row(price)  # first of all: it may put larger cells in their place
        self.profile.cells[row + column] += size
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def price_row(self, price: cython.longlong) -> cython.Py_ssize_t:
        """The price's row in the profile; the newest prices are near the end."""
        profile: Rows = self.profile
        row: cython.Py_ssize_t = profile.find_last(price)
        if row < 0:
            row = profile.add()
            profile.cells[row] = price
            profile.cells[row + BOUGHT] = profile.cells[row + SOLD] = profile.cells[row + UNSIDED] = 0
        return row

    @cython.cfunc
    @cython.exceptval(check=False)
    def reprice(
        self, first: cython.longlong, high: cython.longlong, low: cython.longlong, last: cython.longlong,
    ) -> cython.void:
        """Take a trade's price, or a bar's, into the frame's open, high, low and close."""
        if not self.priced:
            self.open, self.high, self.low = first, high, low
            self.priced = True
        self.high = max(self.high, high)
        self.low = min(self.low, low)
        self.close = last

    @cython.cfunc
    def bar_ended(self, bar: object, message: Message, counts: cython.bint) -> object:
        """A ready-made bar; it ``counts`` as the frame's price and volume where no trades tell them."""
        self.bars.append(bar)
        if counts:
            self.reprice(message.open, message.high, message.low, message.price)
            self.none += message.size
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget_bars(self) -> cython.void:
        """From here on trades or finer bars tell what coarser bars told so far."""
        self.none = 0
        self.priced = False

    @cython.cfunc
    def end_second(self) -> object:
        if self.bar.trades:
            self.seconds.append(self.bar.row())
            self.bar.trades = 0
        return None

    @cython.cfunc
    def end_flow(self, second: cython.longlong, bids: Ladder, asks: Ladder, levels: cython.Py_ssize_t) -> object:
        """A new second begins for the book: keep the imbalance of the one before, unless nothing flowed."""
        rank: cython.Py_ssize_t
        for rank in range(levels):
            if bids.mlofi[rank] != asks.mlofi[rank]:
                self.flows.append(BookFlow(
                    self.flow_second, [bids.mlofi[rank] - asks.mlofi[rank] for rank in range(levels)]))
                break
        bids.restart()
        asks.restart()
        self.flow_second = second
        return None

    @cython.cfunc
    def take_prints(self, event: Event) -> object:
        """The event's prints; a second aggressor id in one event is a stop that the first one triggered."""
        prints: Rows = self.prints
        first: cython.longlong = 0
        row: cython.Py_ssize_t
        column: cython.Py_ssize_t
        for row in range(0, event.prints.stop, 6):
            aggressor: cython.longlong = event.prints.cells[row]
            if not event.covered:
                place: cython.Py_ssize_t = prints.add()
                prints.cells[place] = event.ts_event
                for column in range(1, 6):
                    prints.cells[place + column] = event.prints.cells[row + column]
            if first == 0:
                first = aggressor
            elif aggressor != 0 and aggressor != first:
                self.add_stop(event, row)
        return None

    @cython.cfunc
    def add_stop(self, event: Event, row: cython.Py_ssize_t) -> object:
        prints: Rows = event.prints
        self.stops.append(StopFact(
            digits(event.ts_event), side_name(prints.cells[row + 1]), prints.cells[row + 2] / NANO,
            prints.cells[row + 4], text_of(prints.cells[row]),
        ))
        return None

    @cython.cfunc
    def end_book_second(self, bids: Ladder, asks: Ladder) -> object:
        """What came and went since the last row, and what rests now."""
        self.book.end(self.added_bid, self.removed_bid, self.added_ask, self.removed_ask, bids, asks)
        return None

    @cython.cfunc
    def trades_input(self, most: cython.Py_ssize_t, sweeps: list) -> object:
        """The L1 slot, with the largest prints only."""
        self.end_second()
        return TradesInput(
            self.buy, self.sell, self.none, self.trades, self.seconds, self.profile_rows(),
            self.largest_prints(most), max(0, self.prints.stop // 6 - most),
            sweeps[-FACTS:], max(0, len(sweeps) - FACTS),
        )

    @cython.cfunc
    def largest_prints(self, most: cython.Py_ssize_t) -> list:
        """The largest prints, by size; of equals the oldest first."""
        largest: Rows = self.largest
        row: cython.Py_ssize_t
        place: cython.Py_ssize_t
        largest.stop = 0
        for row in range(0, self.prints.stop, 6):
            if largest.stop < most:
                place = largest.add()
            elif most > 0 and self.is_larger(row, largest.cells[most - 1]):
                place = most - 1
            else:
                continue
            while place > 0 and self.is_larger(row, largest.cells[place - 1]):
                largest.cells[place] = largest.cells[place - 1]
                place -= 1
            largest.cells[place] = row
        return [self.print_at(largest.cells[place]) for place in range(largest.stop)]

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_larger(self, row: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.bint:
        """Whether a print is larger than another, or as large and older."""
        cells = self.prints.cells
        return cells[row + 4] > cells[other + 4] or (
            cells[row + 4] == cells[other + 4] and cells[row] < cells[other])

    @cython.cfunc
    def print_at(self, row: cython.Py_ssize_t) -> object:
        cells = self.prints.cells
        return Print(
            digits(cells[row]), side_name(cells[row + 1]), cells[row + 2] / NANO, cells[row + 3] / NANO,
            cells[row + 4], cells[row + 5],
        )

    @cython.cfunc
    def profile_rows(self) -> list:
        """The profile as the wire has it, ascending by price."""
        cells = self.profile.cells
        self.profile.sort()
        return [
            PriceLevelVolume(cells[row] / NANO, cells[row + 1], cells[row + 2], cells[row + 3])
            for row in range(0, self.profile.stop, 4)
        ]

    @cython.cfunc
    def depth_input(
        self, bids: Ladder, asks: Ladder, levels: cython.Py_ssize_t, near: cython.bint,
    ) -> object:
        """The L2 slot; the ladders stand as at the frame's end, ``levels`` ranks of them are seen by the source.

        ``near`` tells whether the reach of pulls and stacks is known; one level alone cannot tell a pulled level
        from one that is out of sight.
        """
        self.end_flow(self.flow_second, bids, asks, levels)
        flows: list = self.flows
        ofi: list = [0] * levels
        if flows:
            ofi = flows[0].ofi if len(flows) == 1 else [
                sum(rank) for rank in zip(*[flow.ofi for flow in flows], strict=True)]
        hits: list = self.hits.told()
        moved: cython.bint = near and levels > 1
        if levels > 1:
            self.end_book_second(bids, asks)
        return DepthInput(
            bids.top(), asks.top(), hits[:HITS], max(0, len(hits) - HITS),
            self.added_bid if moved else None, self.removed_bid if moved else None,
            self.added_ask if moved else None, self.removed_ask if moved else None,
            ofi[0], ofi, flows, self.book.told(near) if levels > 1 else [],
        )

    @cython.cfunc
    def orders_input(self, icebergs: list, refills: Refills) -> object:
        """The L3 slot."""
        return OrdersInput(
            icebergs[:FACTS], max(0, len(icebergs) - FACTS), refills.link_rows(), refills.dropped,
            refills.end_rows(), refills.ends_dropped, self.stops[-FACTS:], max(0, len(self.stops) - FACTS),
            self.implied,
        )
