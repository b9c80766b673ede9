"""Which price stands in which row of a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..board.frame import Candle
from . import numbers

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80)  # ticks to a row, and ten times as many

SLACK = 1e-6        # of a row: prices are not exact


class Scale(NamedTuple):
    """Rows of a chart: ``top`` is the price in the middle of the first, ``step`` the distance from row to row."""

    top: float
    step: float
    rows: int
    tick: float | None

    def half(self, price: float) -> int:
        """The half row in which a price lies, counted from the top."""
        return math.floor((self.top - price) / self.step * 2 + 1 + SLACK)

    def row(self, price: float) -> int:
        """The row in which a price lies; outside the chart where it is out of range."""
        return self.half(price) // 2

    def price(self, row: int) -> str:
        """The price in the middle of a row."""
        return numbers.price(round(self.top - row * self.step, 9), self.tick)

    def between(self, low: float, high: float) -> range:
        """The rows that show prices from one to the other."""
        return range(max(self.row(high), 0), min(self.row(low) + 1, self.rows))


def scale_of(low: float, high: float, rows: int, tick: float | None) -> Scale:
    """The finest scale of round steps that shows these prices."""
    unit = tick or 10.0 ** math.floor(math.log10(max(high - low, 1e-6) / max(rows, 1)))
    bottom, top = round(low / unit, 6), round(high / unit, 6)
    for size in (number * power for power in (1, 10, 100, 1000, 10_000, 100_000) for number in STEPS):
        first, last = nearest(top / size) * size, nearest(bottom / size) * size
        used = round((first - last) / size) + 1
        if used <= rows:
            above = (rows - used) // 2
            return Scale((first + above * size) * unit, size * unit, rows, tick)
    return Scale(high, (high - low) / rows, rows, tick)


def nearest(value: float) -> int:
    """The nearest whole number; the lower one in the middle between two, as a row holds its upper edge.

    >>> nearest(2.5), nearest(2.6), nearest(-0.5)
    (2, 3, -1)
    """
    return math.ceil(value - 0.5 - SLACK)


def extent(candles: Sequence[Candle], price: float | None) -> tuple[float, float] | None:
    """The lowest and the highest price to be shown; None without any."""
    prices = [value for candle in candles for value in (candle.low, candle.high) if value is not None]
    prices += [] if price is None else [price]
    return (min(prices), max(prices)) if prices else None
