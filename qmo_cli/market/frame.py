# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What one instrument did within one frame, summed up for the packet's ``inputs``."""

from __future__ import annotations

from operator import itemgetter

import cython

from qmo_cli.market.bookseconds import BookSeconds
from qmo_cli.market.event import Event
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.message import Message
from qmo_cli.market.refills import Refills
from qmo_cli.market.rows import Rows
from qmo_cli.market.second import SecondBar
from qmo_cli.market.text import digits, side_name, text_of
from qmo_cli.packets import (
    BookFlow,
    DepthInput,
    Hit,
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

# Columns of a price that traded, of a level that was hit, and of a print
PRICE = cython.declare(cython.int, 0)
BOUGHT, SOLD, UNSIDED = cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3)
RESTING, DISPLAYED, TAKEN, LEFT, LARGEST, STRUCK, STRUCK_LAST, HIT_SECOND, BEYOND, THROUGH = (
    cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3),
    cython.declare(cython.int, 4), cython.declare(cython.int, 5), cython.declare(cython.int, 6),
    cython.declare(cython.int, 7), cython.declare(cython.int, 8), cython.declare(cython.int, 9),
    cython.declare(cython.int, 10),
)
HIT_WIDTH = cython.declare(cython.Py_ssize_t, 11)


@cython.final
@cython.cclass
class Frame:
    """The sums of one frame. ``end`` is 0 while no frame is open.

    ``profile``: (price, bought, sold, without a side). ``hits``: (price, resting side, displayed when first hit, size
    taken, displayed after the last hit, most displayed, times of the first and last hit, second, whether something
    had printed beyond it before and has since); those from ``live`` on are of the second that trades now, ``struck``
    names those of the open event. ``flows`` are the imbalances of the seconds before ``flow_second``. ``prints``:
    (ts_event, side, first price, last price, size, levels).
    """

    def __init__(self) -> None:
        self.bar, self.book = SecondBar(), BookSeconds()
        self.profile, self.hits, self.struck, self.prints = Rows(4), Rows(11), Rows(1), Rows(6)
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
        self.profile.stop = self.hits.stop = self.struck.stop = self.prints.stop = self.live = 0
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
            self.live = self.hits.stop
        elif price != self.bar.close:
            self.pass_levels(price)
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
    @cython.exceptval(check=False)
    def pass_levels(self, price: cython.longlong) -> cython.void:
        """Something prints at another price: note the levels hit in this second that it is beyond."""
        cells = self.hits.cells
        row: cython.Py_ssize_t
        for row in range(self.live, self.hits.stop, HIT_WIDTH):
            if is_beyond(price, cells[row + RESTING], cells[row]):
                cells[row + THROUGH] = 1

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
    @cython.exceptval(-1, check=True)
    def hit(
        self, ts_event: cython.longlong, resting: cython.int, price: cython.longlong, size: cython.longlong,
        displayed: cython.longlong,
    ) -> cython.int:
        """An aggressor traded into a resting level. Call it after ``trade``."""
        hits: Rows = self.hits
        row: cython.Py_ssize_t = self.hit_row(price, resting)
        if row < 0:
            row = hits.add()
            hits.cells[row] = price
            hits.cells[row + RESTING] = resting
            hits.cells[row + DISPLAYED] = displayed
            hits.cells[row + TAKEN] = hits.cells[row + LEFT] = hits.cells[row + LARGEST] = 0
            hits.cells[row + STRUCK] = ts_event
            hits.cells[row + HIT_SECOND] = self.bar.second
            hits.cells[row + BEYOND] = is_beyond(self.bar.high if resting == SELL else self.bar.low, resting, price)
            hits.cells[row + THROUGH] = 0
        hits.cells[row + TAKEN] += size
        hits.cells[row + STRUCK_LAST] = ts_event
        hits.cells[row + LARGEST] = max(hits.cells[row + LARGEST], displayed)
        if self.struck.find(row) < 0:
            struck: cython.Py_ssize_t = self.struck.add()
            self.struck.cells[struck] = row
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def hit_row(self, price: cython.longlong, resting: cython.int) -> cython.Py_ssize_t:
        """The row of a level that was hit in this second and not printed through since, or -1."""
        cells = self.hits.cells
        row: cython.Py_ssize_t = self.hits.stop - HIT_WIDTH
        while row >= self.live:
            if cells[row] == price and cells[row + RESTING] == resting and not cells[row + THROUGH]:
                return row
            row -= HIT_WIDTH
        return -1

    @cython.cfunc
    @cython.exceptval(check=False)
    def end_hits(self, bids: Ladder, asks: Ladder) -> cython.void:
        """The event is complete: note what the levels display that it hit."""
        cells = self.hits.cells
        place: cython.Py_ssize_t
        for place in range(self.struck.stop):
            row: cython.Py_ssize_t = self.struck.cells[place]
            sold: cython.bint = cells[row + RESTING] == SELL
            left: cython.longlong = asks.displayed(cells[row]) if sold else bids.displayed(cells[row])
            cells[row + LEFT] = left
            cells[row + LARGEST] = max(cells[row + LARGEST], left)
        self.struck.stop = 0

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
        rows: list = self.print_rows()
        return TradesInput(
            self.buy, self.sell, self.none, self.trades, self.seconds, self.profile_rows(),
            [self.print_at(row) for row in rows[:most]], max(0, len(rows) - most),
            sweeps[-FACTS:], max(0, len(sweeps) - FACTS),
        )

    @cython.cfunc
    def print_rows(self) -> list:
        """Offsets of the prints, the largest first, of equals the oldest."""
        if self.prints.stop <= 6:
            return [0] if self.prints.stop else []
        cells = self.prints.cells
        ranked: list = [(-cells[row + 4], cells[row], row) for row in range(0, self.prints.stop, 6)]
        ranked.sort(key=itemgetter(0, 1))
        return [rank[2] for rank in ranked]

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
        hits: list = self.hit_rows() if self.hits.stop else []
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
    def hit_rows(self) -> list:
        """The levels hit, in the order in which they were."""
        cells = self.hits.cells
        return [
            Hit(
                cells[row + HIT_SECOND], side_name(cells[row + RESTING]), cells[row] / NANO,
                digits(cells[row + STRUCK]), digits(cells[row + STRUCK_LAST]), cells[row + DISPLAYED],
                cells[row + LEFT], cells[row + LARGEST], cells[row + TAKEN], cells[row + BEYOND] != 0,
                cells[row + THROUGH] != 0, cells[row + TAKEN] - (cells[row + DISPLAYED] - cells[row + LEFT]),
            )
            for row in range(0, self.hits.stop, HIT_WIDTH)
        ]

    @cython.cfunc
    def orders_input(self, icebergs: list, refills: Refills) -> object:
        """The L3 slot."""
        return OrdersInput(
            icebergs[:FACTS], max(0, len(icebergs) - FACTS), refills.link_rows(), refills.dropped,
            refills.end_rows(), refills.ends_dropped, self.stops[-FACTS:], max(0, len(self.stops) - FACTS),
            self.implied,
        )


@cython.cfunc
@cython.exceptval(check=False)
def is_beyond(price: cython.longlong, resting: cython.int, level: cython.longlong) -> cython.bint:
    """Whether a print is beyond a resting level: it gave way."""
    return price > level if resting == SELL else price < level
