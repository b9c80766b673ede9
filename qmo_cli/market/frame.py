# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What one instrument did within one frame, summed up for the packet's ``inputs``."""

from __future__ import annotations

from operator import itemgetter

import cython

from qmo_cli.market.event import Event
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.message import Message
from qmo_cli.market.trackers import Refills, text_of
from qmo_cli.packets import DepthInput, Hit, OrdersInput, PriceLevelVolume, Print, Second, StopFact, TradesInput

NANO = cython.declare(cython.double, 1e9)
BUY = cython.declare(cython.int, 66)   # 'B'
SELL = cython.declare(cython.int, 65)  # 'A'
FACTS = cython.declare(cython.Py_ssize_t, 4096)  # iceberg facts kept of a frame: a life with a hole would mislead
CAP = cython.declare(cython.Py_ssize_t, 64)  # rows of a list before it is cut and counts what it dropped
SIDES: dict[int, str] = {66: "B", 65: "A", 78: "N"}


def print_of(row: tuple[int, ...]) -> Print:
    less, ts_event, side, first, last, levels = row
    return Print(str(ts_event), SIDES[side], first / 1e9, last / 1e9, -less, levels)


@cython.cclass
class SecondBar:
    """The trades of one epoch second; prices in 1e-9."""

    def __init__(self) -> None:
        self.second = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, second: cython.longlong, price: cython.longlong) -> cython.void:
        self.second = second
        self.open = self.high = self.low = price
        self.buy = self.sell = self.none = self.trades = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def add(self, side: cython.int, price: cython.longlong, size: cython.longlong) -> cython.void:
        self.close = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.trades += 1
        if side == BUY:
            self.buy += size
        elif side == SELL:
            self.sell += size
        else:
            self.none += size

    @cython.cfunc
    def row(self) -> object:
        return Second(
            self.second, self.open / NANO, self.high / NANO, self.low / NANO, self.close / NANO,
            self.buy, self.sell, self.none, self.trades,
        )


@cython.cclass
class Frame:
    """The sums of one frame. ``end`` is 0 while no frame is open."""

    def __init__(self) -> None:
        self.bar = SecondBar()
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
        if end:
            self.seconds, self.prints, self.bars, self.stops = [], [], [], []
            self.profile, self.hits = {}, {}
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget_moves(self) -> cython.void:
        """Begin the sums of pulls and stacks anew."""
        self.added_bid = self.removed_bid = self.added_ask = self.removed_ask = 0

    @cython.cfunc
    def trade(
        self, second: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
    ) -> object:
        """Count one trade summary in the second of its event; one that comes late, in the second then open."""
        if price != self.close:
            self.pass_by(price)
        self.reprice(price, price, price, price)
        self.trades += 1
        if self.bar.trades == 0 or second > self.bar.second:
            self.end_second()
            self.bar.begin(max(second, self.bar.second), price)
        self.bar.add(side, price, size)
        row = self.profile.get(price)
        if row is None:
            row = self.profile[price] = [0, 0, 0]
        if side == BUY:
            self.buy += size
            row[0] += size
        elif side == SELL:
            self.sell += size
            row[1] += size
        else:
            self.none += size
            row[2] += size
        return None

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
    def hit(
        self, resting: cython.int, price: cython.longlong, size: cython.longlong, displayed: cython.longlong,
    ) -> object:
        """An aggressor traded into a resting level."""
        row: list
        row = self.hits.get((price, resting))
        if row is None:
            self.hits[(price, resting)] = [displayed, size, False]
        else:
            row[1] += size
        return None

    @cython.cfunc
    def pass_by(self, price: cython.longlong) -> object:
        """The levels that this price lies beyond were traded through."""
        row: list
        for key, row in self.hits.items():
            if price > key[0] if key[1] == SELL else price < key[0]:
                row[2] = True
        return None

    @cython.cfunc
    def take_prints(self, event: Event) -> object:
        """The event's prints; a second aggressor id in one event is a stop that the first one triggered."""
        cells = event.prints.cells
        row: cython.Py_ssize_t
        first: cython.longlong = 0
        for row in range(0, event.prints.stop, 6):
            aggressor: cython.longlong = cells[row]
            if not event.covered:
                self.prints.append((
                    -cells[row + 4], event.ts_event, cells[row + 1], cells[row + 2], cells[row + 3], cells[row + 5],
                ))
            if first == 0:
                first = aggressor
            elif aggressor != 0 and aggressor != first:
                self.stops.append(StopFact(
                    str(event.ts_event), SIDES[cells[row + 1]], cells[row + 2] / NANO, cells[row + 4],
                    text_of(aggressor),
                ))
        return None

    @cython.cfunc
    def trades_input(self, most: cython.Py_ssize_t) -> object:
        """The L1 slot, with the largest prints only."""
        self.end_second()
        prints: list = self.prints
        if len(prints) > 1:
            prints = sorted(prints, key=itemgetter(0, 1))
        prints = prints[:most]
        return TradesInput(
            self.buy, self.sell, self.none, self.trades, self.seconds, self.profile_rows(),
            [print_of(row) for row in prints], len(self.prints) - len(prints),
        )

    @cython.cfunc
    def profile_rows(self) -> list:
        rows: list = []
        row: list
        for price in sorted(self.profile):
            row = self.profile[price]
            rows.append(PriceLevelVolume(price / NANO, row[0], row[1], row[2]))
        return rows

    @cython.cfunc
    def depth_input(
        self, bids: Ladder, asks: Ladder, sweeps: list, levels: cython.Py_ssize_t, near: cython.bint,
    ) -> object:
        """The L2 slot; the ladders stand as at the frame's end, ``levels`` ranks of them are seen by the source.

        ``near`` tells whether the reach of pulls and stacks is known; one level alone cannot tell a pulled level
        from one that is out of sight.
        """
        ofi: list = [bids.mlofi[rank] - asks.mlofi[rank] for rank in range(levels)]
        bids.restart()
        asks.restart()
        hits: list = self.hit_rows(bids, asks) if self.hits else []
        moved: cython.bint = near and levels > 1
        return DepthInput(
            bids.top(), asks.top(), hits[:CAP], max(0, len(hits) - CAP),
            sweeps[:CAP], max(0, len(sweeps) - CAP),
            self.added_bid if moved else None, self.removed_bid if moved else None,
            self.added_ask if moved else None, self.removed_ask if moved else None,
            ofi[0], ofi,
        )

    @cython.cfunc
    def hit_rows(self, bids: Ladder, asks: Ladder) -> list:
        rows: list = []
        row: list
        for key, row in self.hits.items():
            price: cython.longlong = key[0]
            ladder: Ladder = asks if key[1] == SELL else bids
            before: cython.longlong = row[0]
            after: cython.longlong = ladder.displayed(price)
            traded: cython.longlong = row[1]
            rows.append(Hit(
                SIDES[key[1]], price / NANO, before, after, traded, row[2], traded - (before - after),
            ))
        return rows

    @cython.cfunc
    def orders_input(self, icebergs: list, refills: Refills) -> object:
        """The L3 slot."""
        links, dropped = refills.take()
        return OrdersInput(
            icebergs[:FACTS], max(0, len(icebergs) - FACTS), links, dropped,
            self.stops[:CAP], max(0, len(self.stops) - CAP), self.implied,
        )
