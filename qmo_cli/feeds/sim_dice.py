# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulator's only source of chance: whole numbers drawn from a seed, the same on every Python."""

from __future__ import annotations

from array import array
from math import exp
from random import Random
from statistics import NormalDist

import cython

STOCK = 16_384  # 32-bit numbers fetched at once


def table(*parts: tuple[int, int]) -> array[int]:
    """A table to draw from, of (times, value) pairs."""
    return array("q", [value for times, value in parts for _ in range(times)])


ADD_LOTS = table((72, 1), (12, 2), (5, 3), (3, 4), (4, 5), (1, 6), (1, 8), (1, 10), (1, 15))
TRADE_LOTS = table((74, 1), (14, 2), (4, 3), (3, 4), (3, 5), (2, 8), (1, 12))
DEPTHS = table((107, 0), (9, 1), (7, 2), (5, 3), (4, 4), (4, 6), (3, 8), (3, 11), (3, 16), (3, 25), (2, 40))
PEAKS = table((55, 1), (15, 2), (7, 3), (7, 4), (6, 5), (4, 10), (3, 15), (2, 20), (1, 30))
CLIPS = table((10, 1), (28, 2), (20, 3), (8, 4), (20, 5), (10, 10), (4, 20))
MULTIPLES = table((20, 3), (20, 6), (20, 10), (15, 16), (12, 25), (8, 40), (4, 70), (1, 110))  # total / peak
TRANCHES = table((25, 3), (25, 5), (20, 8), (15, 12), (10, 20), (4, 40), (1, 90))              # total / clip
EQUALS = table((50, 2), (20, 3), (25, 5), (5, 10))   # lots of independent orders that are alike
BURSTS = table((90, 20), (50, 50), (30, 100), (3, 330))  # events within microseconds of each other


def latencies(median: float, low: float, high: float, spread: float) -> array[int]:
    """Quantiles of a lognormal time, ns, from ms: its median, its bounds, its standard deviation in logarithms."""
    parts = [NormalDist().inv_cdf((part + 0.5) / 256) for part in range(256)]
    return array("q", [round(1000 * min(high, max(low, median * exp(spread * part)))) * 1000 for part in parts])


REFILLS = latencies(5, 0.5, 300, 1.3)


@cython.cclass
class Dice:
    """Uniform integers from a Mersenne Twister, in bulk: one call per number would cost most of the time."""

    def __init__(self, seed: int) -> None:
        self.source = Random(seed)  # noqa: S311
        self.numbers = array("I")
        self.used = 0
        self.left = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def below(self, count: cython.longlong) -> cython.longlong:
        """A number from 0 to ``count - 1``; ``count`` at most 2^31."""
        if self.left == 0:
            self.restock()
        number: cython.longlong = self.numbers[self.used]
        self.used += 1
        self.left -= 1
        return (number * count) >> 32

    @cython.cfunc
    @cython.exceptval(check=False)
    def draw(self, values: cython.longlong[::1]) -> cython.longlong:
        """One of the values of a table."""
        return values[self.below(len(values))]

    @cython.cfunc
    def restock(self) -> object:
        """Fetch the next numbers."""
        self.numbers = array("I", self.source.randbytes(4 * STOCK))
        self.used = 0
        self.left = STOCK
        return None
