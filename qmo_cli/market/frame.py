# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What one instrument did within one frame, summed up for the packet's ``inputs``."""

from __future__ import annotations

import cython

from qmo_cli.market.book import Ladder
from qmo_cli.packets import DepthInput, Hit, OrdersInput, PriceLevelVolume, Second, TradesInput

NANO = cython.declare(cython.double, 1e9)
SECOND = cython.declare(cython.longlong, 1_000_000_000)
BUY = cython.declare(cython.int, 66)   # 'B'
SELL = cython.declare(cython.int, 65)  # 'A'
CAP = cython.declare(cython.Py_ssize_t, 64)  # rows of a list before it is cut and counts what it dropped
SIDES: dict[int, str] = {66: "B", 65: "A", 78: "N"}


def by_size(print_: object) -> int:
    return -print_.size  # type: ignore[attr-defined, no-any-return]


@cython.cclass
class SecondBar:
    """The trades of one epoch second; prices in 1e-9."""

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
        self.flags = 0
        self.buy = self.sell = self.none = self.trades = 0
        self.open = self.high = self.low = self.close = 0
        self.added_bid = self.removed_bid = self.added_ask = self.removed_ask = 0
        self.implied = 0
        self.bar.trades = 0
        if end:
            self.seconds, self.prints, self.bars, self.sweeps = [], [], [], []
            self.icebergs, self.links, self.stops = [], [], []
            self.profile, self.hits = {}, {}
        return None

    @cython.cfunc
    def trade(
        self, second: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
    ) -> object:
        """Count one trade summary in the second of its event."""
        if self.trades == 0:
            self.open = self.high = self.low = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.trades += 1
        if self.bar.trades == 0 or self.bar.second != second:
            self.end_second()
            self.bar.begin(second, price)
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
    def end_second(self) -> object:
        if self.bar.trades:
            self.seconds.append(self.bar.row())
            self.bar.trades = 0
        return None

    @cython.cfunc
    def hit(
        self, resting: cython.int, price: cython.longlong, size: cython.longlong, displayed: cython.longlong,
    ) -> object:
        """An aggressor traded into a resting level; levels it has passed by were traded through."""
        beyond: cython.longlong = 1 if resting == SELL else -1
        key: tuple[int, int] = (price, resting)
        row: list
        for other, row in self.hits.items():
            if other[1] == resting and (price - cython.cast(cython.longlong, other[0])) * beyond > 0:
                row[2] = True
        row = self.hits.get(key)
        if row is None:
            self.hits[key] = [displayed, size, False]
        else:
            row[1] += size
        return None

    @cython.cfunc
    def trades_input(self, most: cython.Py_ssize_t) -> object:
        """The L1 slot, with the largest prints only."""
        self.end_second()
        prints: list = self.prints
        dropped: cython.Py_ssize_t = max(0, len(prints) - most)
        if dropped:
            prints = sorted(prints, key=by_size)[:most]
        return TradesInput(
            self.buy, self.sell, self.none, self.trades, self.seconds, self.profile_rows(), prints, dropped,
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
    def depth_input(self, bids: Ladder, asks: Ladder, levels: cython.Py_ssize_t, near: cython.bint) -> object:
        """The L2 slot; the ladders stand as at the frame's end, ``levels`` ranks of them are seen by the source.

        ``near`` tells whether the reach of pulls and stacks is known; one level alone cannot tell a pulled level
        from one that is out of sight.
        """
        rank: cython.Py_ssize_t
        ofi: list = [bids.mlofi[rank] - asks.mlofi[rank] for rank in range(levels)]
        bids.restart()
        asks.restart()
        hits: list = self.hit_rows(bids, asks) if self.hits else []
        moved: cython.bint = near and levels > 1
        return DepthInput(
            bids.top(), asks.top(), hits[:CAP], max(0, len(hits) - CAP),
            self.sweeps[:CAP], max(0, len(self.sweeps) - CAP),
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
    def orders_input(self) -> object:
        """The L3 slot."""
        return OrdersInput(
            self.icebergs[:CAP], max(0, len(self.icebergs) - CAP), self.links[:CAP], max(0, len(self.links) - CAP),
            self.stops[:CAP], max(0, len(self.stops) - CAP), self.implied,
        )
