"""Sums of order flow over windows, minutes and the trade date. Time is whole seconds of event time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass, field
from math import sqrt

from ..blocks import PRICE_SCALE
from ..errors import BadData
from ..market.profile import Profile
from ..packets import Second, TradesInput
from .base import to_six

MINUTE = 60        # s
DAY_MINUTES = 23 * 60
MINUTES_FOR_VOLUME = 20
MINUTES_FOR_HEAT = 30
UNKNOWN_VOLUME = 100   # contracts a minute, until enough minutes are known
UNKNOWN_HEAT = 0.5     # weight of the flow, until its rarity is known
MICRO = 1000           # 1e-9 in 1e-6


@dataclass(slots=True)
class Window:
    """Sums over the last ``length`` seconds."""

    length: int
    rows: deque[Second] = field(default_factory=deque)
    buy: int = 0
    sell: int = 0
    none: int = 0

    def add(self, row: Second) -> None:
        """Count one second."""
        self.rows.append(row)
        self.buy += row.buy
        self.sell += row.sell
        self.none += row.none

    def expire(self, now: int) -> None:
        """Drop the seconds that are ``length`` or more before the second ``now``."""
        rows, last = self.rows, now - self.length
        while rows and rows[0].second <= last:
            row = rows.popleft()
            self.buy -= row.buy
            self.sell -= row.sell
            self.none -= row.none


@dataclass(slots=True)
class Minutes:
    """Volume and |delta| of every closed minute that traded in the last 23 h, in order of time and of size."""

    minute: int = -1                     # the open one; -1: nothing has traded since the last one closed
    earliest: int = 0                    # all before it are closed for good: what comes late counts in it
    delta: int = 0
    volume: int = 0
    rows: deque[tuple[int, int, int]] = field(default_factory=deque)
    volumes: list[int] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)

    def add(self, row: Second) -> bool:
        """Count one second in its minute; True if that closed another one."""
        minute = max(row.second // MINUTE, self.earliest)
        closed = self.close_before(minute)
        self.minute = max(self.minute, minute)
        self.delta += row.buy - row.sell
        self.volume += row.buy + row.sell + row.none
        return closed

    def close_before(self, minute: int) -> bool:
        """Close the open minute if it is before this one, and forget what is too old. True if one closed."""
        self.earliest = max(self.earliest, minute)
        closed = 0 <= self.minute < minute
        if closed:
            self.rows.append((self.minute, self.volume, abs(self.delta)))
            insort(self.volumes, self.volume)
            insort(self.deltas, abs(self.delta))
            self.minute, self.delta, self.volume = -1, 0, 0
        self.forget(minute)
        return closed

    def forget(self, minute: int) -> None:
        """Drop the minutes that are more than 23 h before this one."""
        while self.rows and self.rows[0][0] < minute - DAY_MINUTES:
            _, volume, delta = self.rows.popleft()
            del self.volumes[bisect_left(self.volumes, volume)]
            del self.deltas[bisect_left(self.deltas, delta)]

    def usual_volume(self) -> float:
        """V0: the median minute's volume."""
        number = len(self.volumes)
        if number < MINUTES_FOR_VOLUME:
            return UNKNOWN_VOLUME
        return max(1.0, (self.volumes[(number - 1) // 2] + self.volumes[number // 2]) / 2)

    def heat(self, delta: int) -> float | None:
        """Mid-rank percentile of |delta| among the closed minutes; None while there are too few."""
        number = len(self.deltas)
        if number < MINUTES_FOR_HEAT:
            return None
        low = bisect_left(self.deltas, delta)
        return to_six(50 * (low + bisect_right(self.deltas, delta, low)) / number)


def flow_score(delta: int, volume: int, delta_long: int, volume_long: int, usual: float, heat: float | None) -> float:
    """.5 + .5 clip(2x, -1, 1) heat / 100, x = .6 delta/(V + V0) + .4 delta_long/(V_long + 5 V0).

    >>> flow_score(240, 400, 450, 1500, 100, 90.0)
    0.8402
    """
    lean = 1.2 * delta / (volume + usual) + 0.8 * delta_long / (volume_long + 5 * usual)
    weight = UNKNOWN_HEAT if heat is None else heat / 100
    return to_six(0.5 + 0.5 * max(-1.0, min(1.0, lean)) * weight)


@dataclass(slots=True)
class Anchored:
    """Sums since the trade date opened, exact in integers: VWAP and its deviation lose nothing to rounding."""

    profile: Profile = field(default_factory=Profile)
    cvd: int = 0
    volume: int = 0
    price_volume: int = 0                # sum of price x volume, 1e-9
    square_volume: int = 0               # sum of price^2 x volume, 1e-18

    def add(self, trades: TradesInput, tick: float | None) -> None:
        """Count a frame's volume at price."""
        self.cvd += trades.buy - trades.sell
        for row in trades.profile:
            buy, sell, none = row.buy, row.sell, row.none
            size, price = buy + sell + none, round(row.price * PRICE_SCALE)
            amount = price * size
            self.volume += size
            self.price_volume += amount
            self.square_volume += price * amount
            if tick is not None:
                self._place(row.price, tick, buy, sell, none)

    def _place(self, price: float, tick: float, buy: int, sell: int, none: int) -> None:
        try:
            self.profile.add(round(price / tick), buy, sell, none)
        except OverflowError as error:
            raise BadData(
                f"a trade at {price:g} is more than a million ticks of {tick:g} away from the others: "
                "a bad price, or a wrong --tick") from error

    def vwap(self) -> tuple[int, int]:
        """Volume-weighted average price and the standard deviation of volume around it, in 1e-6."""
        volume = self.volume
        spread = self.square_volume * volume - self.price_volume**2
        return (
            (2 * self.price_volume + volume * MICRO) // (2 * volume * MICRO),
            round(sqrt(spread) / volume / MICRO),
        )
