"""Bars as arrays, their swings, and the same bars put together anew by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines.pivots import LEAST, Pivot, Pivots
from ..engines.ranges import ATR_BARS

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """Bars, prices in ticks."""

    start: Whole                         # ns
    open: Whole
    high: Whole
    low: Whole
    close: Whole
    tick: float

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True, slots=True)
class Swings:
    """What the rules start from: ATR(14) of every bar (nan before there is one), and the pivots."""

    atr: Floats                          # ticks
    index: Whole                         # of each pivot's extreme
    confirmed: Whole
    ticks: Whole

    @property
    def lag(self) -> Whole:
        """Bars from each extreme to its confirmation."""
        return self.confirmed - self.index


def series_of(start: list[int], prices: list[tuple[float, float, float, float]], tick: float) -> Series:
    """Bars from prices, which are rounded to ticks."""
    one, two, three, four = np.floor(np.asarray(prices, dtype=np.float64) / tick + 0.5).astype(np.int64).T
    return Series(np.asarray(start, dtype=np.int64), one, two, three, four, tick)


# --- swings


class _Leg(NamedTuple):
    """The leg that runs: its direction, and its extreme so far."""

    direction: int
    ticks: int
    bar: int                             # its index


def swings(series: Series, multiple: float) -> Swings:
    """The pivots of engines gann and cycle (:class:`Pivots`), found faster.

    Until the first is confirmed the engines' own code looks for it; from there on the legs take turns.
    """
    high, low, close = series.high.tolist(), series.low.tolist(), series.close.tolist()
    first = Pivots(multiple)
    found: list[Pivot] = []
    atrs: list[float] = []
    while not found and len(atrs) < len(series):
        place = len(atrs)
        found = first.add(high[place], low[place], close[place])
        atrs.append(float("nan") if first.atr is None else first.atr)
    places = [(one.index, one.confirmed, one.ticks) for one in found]
    if found:
        leg = first.zigzag.legs[0]
        assert leg.extreme is not None
        _walk(high, low, close, multiple, atrs, places, _Leg(leg.direction, leg.extreme.ticks, leg.extreme.index))
    index, confirmed, ticks = np.asarray(places, dtype=np.int64).reshape(-1, 3).T
    return Swings(np.asarray(atrs), index, confirmed, ticks)


def _walk(
    high: list[int], low: list[int], close: list[int], multiple: float, atrs: list[float],
    places: list[tuple[int, int, int]], leg: _Leg,
) -> None:
    """Go on from a leg, bar by bar; what is found is added to ``atrs`` and ``places``."""
    atr, before = atrs[-1], close[len(atrs) - 1]
    direction, extreme, index = leg
    for place in range(len(atrs), len(close)):
        now = close[place]
        atr = ((ATR_BARS - 1) * atr + (max(high[place], before) - min(low[place], before))) / ATR_BARS
        atrs.append(atr)
        before = now
        far = high[place] if direction > 0 else low[place]
        if (far - extreme) * direction > 0:
            extreme, index = far, place
        least = max(LEAST, multiple * atr)
        while (extreme - now) * direction >= least:
            places.append((index, place, extreme))
            direction, extreme, index = _turn(high, low, close, index, place, -direction)


def _turn(high: list[int], low: list[int], close: list[int], since: int, until: int, direction: int) -> _Leg:
    """The leg that began at an extreme; of the extreme's own bar only the close is known to come after it."""
    side = [close[since], *(high if direction > 0 else low)[since + 1:until + 1]]
    far = max(side) if direction > 0 else min(side)
    return _Leg(direction, far, since + side.index(far))


# --- chance


class Chance:
    """The same bars in another order: each keeps its shape, and where it opens from the close before it.

    Blocks of bars stay together, cut at an offset that changes, so that quiet and wild times stay what they are; where
    they begin and end, and so all the move of the whole series, stays too. The same numbers come every time.
    """

    def __init__(self, series: Series, block: int, seed: int) -> None:
        before = series.close[:-1, np.newaxis].astype(np.float64)
        bars = np.stack((series.open, series.high, series.low, series.close), axis=1)[1:]
        self.series, self.block, self.shapes = series, block, bars / before
        self.dice = np.random.PCG64(seed)  # whose raw numbers are promised to stay the same

    def draw(self) -> Series:
        """Another order."""
        shapes = self.shapes[self._order(len(self.shapes))]
        first = float(self.series.close[0])
        closes = first * np.cumprod(shapes[:, 3])
        before = np.concatenate(([first], closes[:-1]))
        bars = np.floor(shapes * before[:, np.newaxis] + 0.5).astype(np.int64)
        one = self.series
        head = np.array([[one.open[0], one.high[0], one.low[0], one.close[0]]])
        opens, highs, lows, closes = np.concatenate((head, bars)).T
        return Series(one.start, opens, highs, lows, closes, one.tick)

    def _order(self, count: int) -> Any:
        """Places 0 to count - 1 in blocks, cut at a chance offset, in a chance order."""
        offset = int(self.dice.random_raw() % self.block)
        cuts = np.unique(np.concatenate(([0], np.arange(offset, count, self.block), [count])))
        lengths = np.diff(cuts)
        chosen = np.argsort(self.dice.random_raw(len(lengths)), kind="stable")
        within = np.arange(count) - np.repeat(np.concatenate(([0], np.cumsum(lengths[chosen])[:-1])), lengths[chosen])
        return np.repeat(cuts[:-1][chosen], lengths[chosen]) + within
