# cython: language_level=3, auto_pickle=False
"""Sums of order flow over windows, minutes and the trade date. Time is whole seconds of event time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from math import sqrt
from typing import Any

import cython

from qmo_cli.blocks import PRICE_SCALE
from qmo_cli.errors import BadData
from qmo_cli.market.profile import Profile
from qmo_cli.market.rows import Rows
from qmo_cli.packets import TradesInput
from qmo_cli.rounding import nearest, to_six

MINUTE = 60        # s
DAY_MINUTES = 23 * 60
MINUTES_FOR_VOLUME = 20
MINUTES_FOR_HEAT = 30
UNKNOWN_VOLUME = 100.0  # contracts a minute, until enough minutes are known
UNKNOWN_HEAT = 0.5      # weight of the flow, until its rarity is known
MICRO = 1000            # 1e-9 in 1e-6


@cython.final
@cython.cclass
class Window:
    """Sums of bought, sold and unsided contracts over the last ``length`` seconds."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.buy = self.sell = self.none = 0
        self.rows = Rows(4)     # second, buy, sell, none, oldest first
        self.first = 0          # offset of the oldest row that counts

    @cython.ccall
    def add(
        self, second: cython.longlong, buy: cython.longlong, sell: cython.longlong, none: cython.longlong,
    ) -> object:
        """Count one second, or a part of it."""
        rows: Rows = self.rows
        row: cython.Py_ssize_t = rows.add()
        rows.cells[row] = second
        rows.cells[row + 1] = buy
        rows.cells[row + 2] = sell
        rows.cells[row + 3] = none
        self.buy += buy
        self.sell += sell
        self.none += none
        return None

    @cython.ccall
    def expire(self, now: cython.longlong) -> object:
        """Drop the seconds that are ``length`` or more before the second ``now``."""
        rows: Rows = self.rows
        first: cython.Py_ssize_t = self.first
        last: cython.longlong = now - self.length
        while first < rows.stop and rows.cells[first] <= last:
            self.buy -= rows.cells[first + 1]
            self.sell -= rows.cells[first + 2]
            self.none -= rows.cells[first + 3]
            first += 4
        if 2 * first > rows.stop:
            rows.drop(first)
            first = 0
        self.first = first
        return None

    def __len__(self) -> int:
        return (self.rows.stop - self.first) // 4


@cython.final
@cython.cclass
class BookWindow:
    """Order flow imbalance of the last ``length`` seconds, rank by rank."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.rows = Rows(11)    # second and ten ranks, oldest first
        self.totals = Rows(10)
        self.totals.add()
        self.first = 0          # offset of the oldest row that counts
        for rank in range(10):
            self.totals.cells[rank] = 0

    @cython.ccall
    def add(self, flows: list) -> object:
        """Count a frame's seconds, or parts of them."""
        rows: Rows = self.rows
        rank: cython.Py_ssize_t
        for flow in flows:
            ofi: list = flow.ofi
            row: cython.Py_ssize_t = rows.add()
            rows.cells[row] = flow.second
            for rank in range(10):
                value: cython.longlong = ofi[rank] if rank < len(ofi) else 0
                rows.cells[row + 1 + rank] = value
                self.totals.cells[rank] += value
        return None

    @cython.ccall
    def expire(self, now: cython.longlong) -> object:
        """Drop the seconds that are ``length`` or more before the second ``now``."""
        rows: Rows = self.rows
        rank: cython.Py_ssize_t
        first: cython.Py_ssize_t = self.first
        last: cython.longlong = now - self.length
        while first < rows.stop and rows.cells[first] <= last:
            for rank in range(10):
                self.totals.cells[rank] -= rows.cells[first + 1 + rank]
            first += 11
        if 2 * first > rows.stop:
            rows.drop(first)
            first = 0
        self.first = first
        return None

    @cython.ccall
    def sums(self, ranks: cython.Py_ssize_t) -> list:
        """The sums of the first ranks, the touch first."""
        return [self.totals.cells[rank] for rank in range(ranks)]


@cython.final
@cython.cclass
class Minutes:
    """Volume and |delta| of every closed minute that traded in the last 23 h, in order of time and of size."""

    def __init__(self) -> None:
        self.minute = -1              # the open one; -1: nothing has traded since the last one closed
        self.earliest = 0             # all before it are closed for good: what comes late counts in it
        self.delta = self.volume = 0
        self.rows: deque[tuple[int, int, int]] = deque()
        self.volumes: list[int] = []
        self.deltas: list[int] = []
        self.usual = UNKNOWN_VOLUME   # V0: the median minute's volume, once enough have closed

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def add(
        self, second: cython.longlong, buy: cython.longlong, sell: cython.longlong, none: cython.longlong,
    ) -> cython.bint:
        """Count one second in its minute; True if that closed another one."""
        minute: cython.longlong = max(second // MINUTE, self.earliest)
        closed: cython.bint = self.close_before(minute)
        self.minute = max(self.minute, minute)
        self.delta += buy - sell
        self.volume += buy + sell + none
        return closed

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def close_before(self, minute: cython.longlong) -> cython.bint:
        """Close the open minute if it is before this one, and forget what is too old. True if one closed."""
        closed: cython.bint = 0 <= self.minute < minute
        self.earliest = max(self.earliest, minute)
        if closed:
            self.rows.append((self.minute, self.volume, abs(self.delta)))
            insort(self.volumes, self.volume)
            insort(self.deltas, abs(self.delta))
            self.usual = usual_volume(self.volumes)
            self.minute, self.delta, self.volume = -1, 0, 0
        self.forget(minute)
        return closed

    @cython.ccall
    def forget(self, minute: cython.longlong) -> object:
        """Drop the minutes that are more than 23 h before this one."""
        while self.rows and self.rows[0][0] < minute - DAY_MINUTES:
            _, volume, delta = self.rows.popleft()
            del self.volumes[bisect_left(self.volumes, volume)]
            del self.deltas[bisect_left(self.deltas, delta)]
            self.usual = usual_volume(self.volumes)
        return None

    @cython.ccall
    def heat(self, delta: cython.longlong) -> object:
        """Mid-rank percentile of |delta| among the closed minutes; None while there are too few."""
        number: cython.Py_ssize_t = len(self.deltas)
        if number < MINUTES_FOR_HEAT:
            return None
        low: cython.Py_ssize_t = bisect_left(self.deltas, delta)
        high: cython.Py_ssize_t = bisect_right(self.deltas, delta, low)
        return to_six(50.0 * (low + high) / number)


def usual_volume(volumes: list[int]) -> float:
    """V0: the median of minute volumes in order, at least one contract; 100 while there are too few.

    >>> usual_volume([]), usual_volume([*range(1, 20), 1000])
    (100.0, 10.5)
    """
    number = len(volumes)
    if number < MINUTES_FOR_VOLUME:
        return UNKNOWN_VOLUME
    return max(1.0, (volumes[(number - 1) // 2] + volumes[number // 2]) / 2)


@cython.ccall
@cython.exceptval(-1, check=True)
def flow_score(
    delta: cython.longlong, volume: cython.longlong, delta_long: cython.longlong, volume_long: cython.longlong,
    usual: cython.double, heat: Any,
) -> cython.double:
    """.5 + .5 clip(2x, -1, 1) heat / 100, x = .6 delta/(V + V0) + .4 delta_long/(V_long + 5 V0).

    >>> flow_score(240, 400, 450, 1500, 100, 90.0)
    0.8402
    """
    lean: cython.double = 1.2 * delta / (volume + usual) + 0.8 * delta_long / (volume_long + 5 * usual)
    weight: cython.double = UNKNOWN_HEAT if heat is None else heat / 100
    return to_six(0.5 + 0.5 * max(-1.0, min(1.0, lean)) * weight)


@cython.ccall
@cython.exceptval(-1, check=True)
def less_absorbed(
    score: cython.double, bought: cython.longlong, sold: cython.longlong, absorbed_buy: cython.longlong,
    absorbed_sell: cython.longlong,
) -> cython.double:
    """The score without what was absorbed of the side it leans to: .5 + (score - .5) (1 - absorbed / side's volume).

    Of 320 bought 80 were absorbed, a quarter, so that three quarters of the deviation stay:

    >>> less_absorbed(0.8402, 320, 80, 80, 0)
    0.75515
    """
    side: cython.longlong = bought if score > 0.5 else sold
    absorbed: cython.longlong = absorbed_buy if score > 0.5 else absorbed_sell
    if side == 0 or absorbed == 0:
        return score
    share: cython.double = min(1.0, cython.cast(cython.double, absorbed) / side)
    return to_six(0.5 + (score - 0.5) * (1 - share))


@cython.final
@cython.cclass
class Anchored:
    """Sums since the trade date opened, exact in integers: VWAP and its deviation lose nothing to rounding."""

    def __init__(self) -> None:
        self.profile = Profile()
        self.cvd = self.volume = 0
        self.price_volume = 0                # sum of price x volume, 1e-9
        self.square_volume = 0               # sum of price^2 x volume, 1e-18: Python's integers, 64 bits are too few

    @cython.ccall
    def add(self, trades: TradesInput, tick: object) -> object:
        """Count a frame's volume at price."""
        size: Any    # Python's integers, as the sums: price x price x volume has more than 64 bits
        price: Any
        self.cvd += trades.buy - trades.sell
        for row in trades.profile:
            buy, sell, none = row.buy, row.sell, row.none
            size = buy + sell + none
            price = nearest(row.price * PRICE_SCALE)
            amount = price * size
            self.volume += size
            self.price_volume += amount
            self.square_volume += price * amount
            if tick is not None:
                self.place(row.price, tick, buy, sell, none)
        return None

    @cython.cfunc
    def place(
        self, price: cython.double, tick: cython.double, buy: cython.longlong, sell: cython.longlong,
        none: cython.longlong,
    ) -> object:
        try:
            self.profile.add(nearest(price / tick), buy, sell, none)
        except OverflowError as error:
            raise BadData(
                f"a trade at {price:g} is more than a million ticks of {tick:g} away from the others: "
                "a bad price, or a wrong --tick") from error
        return None

    @cython.ccall
    def vwap(self) -> tuple:
        """Volume-weighted average price and the standard deviation of volume around it, in 1e-6."""
        volume = self.volume
        spread = self.square_volume * volume - self.price_volume**2
        return (
            (2 * self.price_volume + volume * MICRO) // (2 * volume * MICRO),
            round(sqrt(spread) / volume / MICRO),
        )
