"""Confirmed swings of price, found without looking ahead: the pivots that engines of classical analysis share.

A causal ZigZag: the extreme of a leg is extended by highs and lows, and it is confirmed by a close that has come back
far enough from it. Prices are whole ticks. A pivot is invisible before its confirmation, which lags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from .ranges import ATR_BARS, next_atr

REVERSAL = 3.0      # ATR
LEAST = 1.0         # tick: no reversal is shorter, even where nothing moves
NO_BAR = -1

Reversal = Callable[[int], float]  # ticks that a close must come back from an extreme at this price


@dataclass(frozen=True, slots=True)
class Pivot:
    """A confirmed swing: the bars of the extreme and of its confirmation, counted from 0, and its price in ticks."""

    side: Literal["H", "L"]
    index: int
    confirmed: int
    ticks: int
    start: int      # ns, of the extreme's bar

    def moved(self, gap: int) -> Pivot:
        """The same on the price scale of another contract."""
        return replace(self, ticks=self.ticks + gap)


@dataclass(frozen=True, slots=True)
class _Place:
    """A price, and the bar that it was seen in."""

    ticks: int
    index: int
    start: int


class Leg:
    """The running extreme of one direction (+1 up, -1 down), and how far price has come the other way since.

    Within a bar only its close is known to come after its high and low.
    """

    def __init__(self, direction: int) -> None:
        self.direction = direction
        self.extreme: _Place | None = None
        self.since: list[tuple[_Place, _Place, _Place]] = []  # high, low and close of the bars after the extreme

    def add(self, high: _Place, low: _Place, close: _Place) -> None:
        """Another bar: it extends the extreme, or it comes after it."""
        place = high if self.direction > 0 else low
        if self.extreme is None or (place.ticks - self.extreme.ticks) * self.direction > 0:
            self.extreme, self.since = place, [(close, close, close)]
        else:
            self.since.append((high, low, close))

    def is_over(self, close: int, reversal: Reversal) -> bool:
        """Whether a close has come back far enough."""
        extreme = self.extreme
        return extreme is not None and (extreme.ticks - close) * self.direction >= max(LEAST, reversal(extreme.ticks))

    def shift(self, gap: int) -> None:
        """Move all prices, so that they stand on the scale of another contract."""
        self.extreme = None if self.extreme is None else _moved(self.extreme, gap)
        self.since = [(_moved(high, gap), _moved(low, gap), _moved(close, gap)) for high, low, close in self.since]

    def next(self) -> Leg:
        """The leg the other way, that began at the extreme."""
        leg = Leg(-self.direction)
        for bar in self.since:
            leg.add(*bar)
        return leg


def _moved(place: _Place, gap: int) -> _Place:
    return replace(place, ticks=place.ticks + gap)


class ZigZag:
    """Pivots from bars, one bar at a time.

    ``add`` gives the pivots that the bar's close confirms, oldest first: mostly none, seldom more than one. Until the
    first is confirmed both directions are followed.

    >>> zigzag = ZigZag()
    >>> closes = [100, 103, 106, 110, 107, 104, 100, 98, 101, 104, 108, 112, 115, 111, 108]
    >>> found = [pivot for close in closes for pivot in zigzag.add(close, close, close, lambda ticks: ticks * 5 / 100)]
    >>> [(pivot.index, pivot.side, pivot.confirmed) for pivot in found]
    [(0, 'L', 2), (3, 'H', 5), (7, 'L', 9), (12, 'H', 14)]
    """

    def __init__(self) -> None:
        self.index = NO_BAR            # of the newest bar
        self.legs = [Leg(1), Leg(-1)]  # both directions at first, then the one

    def add(self, high: int, low: int, close: int, reversal: Reversal, start: int = 0) -> list[Pivot]:
        """The pivots that this bar confirms. ``start`` is the bar's, in ns."""
        self.index += 1
        places = [_Place(ticks, self.index, start) for ticks in (high, low, close)]
        for leg in self.legs:
            leg.add(*places)
        found = []
        while over := [leg for leg in self.legs if leg.is_over(close, reversal)]:
            leg = min(over, key=_begin)
            if len(over) > 1 and _begin(over[0]) == _begin(over[1]):
                break  # both ends of one bar: nobody knows which came first
            found.append(self._confirm(leg))
            self.legs = [leg.next()]
        return found

    def _confirm(self, leg: Leg) -> Pivot:
        assert leg.extreme is not None
        side: Literal["H", "L"] = "H" if leg.direction > 0 else "L"
        return Pivot(side, leg.extreme.index, self.index, leg.extreme.ticks, leg.extreme.start)


def _begin(leg: Leg) -> int:
    assert leg.extreme is not None
    return leg.extreme.index


class Pivots:
    """ZigZag with a reversal of ``multiple`` x ATR(14), Wilder's, as of the bar that closes.

    None is confirmed before there are 14 true ranges.
    """

    def __init__(self, multiple: float = REVERSAL) -> None:
        self.multiple = multiple
        self.zigzag = ZigZag()
        self.close: int | None = None
        self.ranges: list[float] = []
        self.atr: float | None = None  # ticks

    @property
    def index(self) -> int:
        """Of the newest bar; -1 before the first."""
        return self.zigzag.index

    def add(self, high: int, low: int, close: int, start: int = 0) -> list[Pivot]:
        """The pivots that a closed bar confirms, prices in whole ticks."""
        if self.close is not None:
            self.atr = next_atr(self.atr, self.ranges, max(high, self.close) - min(low, self.close))
        self.close = close
        return self.zigzag.add(high, low, close, self._reversal, start)

    def why_not(self, found: int, wanted: int) -> str:
        """Why nothing can be made of the pivots found so far; empty where as many as wanted are confirmed."""
        if self.atr is None:
            return f"{len(self.ranges)} of {ATR_BARS} true ranges"
        if self.atr == 0:
            return "ATR is 0: nothing moved"
        return "" if found >= wanted else f"{found} of {wanted} pivots confirmed"

    def _reversal(self, ticks: int) -> float:
        return float("inf") if self.atr is None else self.multiple * self.atr

    def shift(self, gap: int) -> None:
        """A roll: what was seen moves to the price scale of the new contract, ``gap`` ticks away."""
        self.close = None if self.close is None else self.close + gap
        for leg in self.zigzag.legs:
            leg.shift(gap)
