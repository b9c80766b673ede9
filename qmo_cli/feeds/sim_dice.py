# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulator's only source of chance: whole numbers drawn from a seed, the same on every Python."""

from __future__ import annotations

from array import array
from random import Random

import cython

STOCK = 16_384  # 32-bit numbers fetched at once


def table(*parts: tuple[int, int]) -> array[int]:
    """A table to draw from, of (times, value) pairs."""
    return array("q", [value for times, value in parts for _ in range(times)])


ADD_LOTS = table((72, 1), (12, 2), (5, 3), (3, 4), (4, 5), (1, 6), (1, 8), (1, 10), (1, 15))
TRADE_LOTS = table((66, 1), (16, 2), (6, 3), (4, 4), (4, 5), (2, 8), (2, 12))
DEPTHS = table((57, 0), (9, 1), (7, 2), (5, 3), (4, 4), (4, 6), (3, 8), (3, 11), (3, 16), (3, 25), (2, 40))
PEAKS = table((55, 1), (15, 2), (7, 3), (7, 4), (6, 5), (4, 10), (3, 15), (2, 20), (1, 30))
MULTIPLES = table((20, 2), (20, 4), (20, 6), (15, 10), (15, 18), (7, 30), (3, 50))  # total of an iceberg / peak, about
BURSTS = table((90, 20), (50, 50), (30, 100), (3, 500))  # events within microseconds of each other


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
