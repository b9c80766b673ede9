# cython: language_level=3, auto_pickle=False
"""VPIN: how one-sided trading has been, by volume and not by the clock.

Volume with an aggressor side fills buckets of V contracts, one after another; VPIN = sum over the last n buckets of
|bought - sold| / (n V) (Easley, Lopez de Prado and O'Hara 2012, there with estimated sides, here with true ones).
"""

from __future__ import annotations

from collections import deque
from typing import Any

import cython

from qmo_cli.rounding import to_six

LATE = cython.declare(cython.longlong, 1)  # s that a record may come late: a second counts once this has passed too


@cython.final
@cython.cclass
class Vpin:
    """The buckets of one series. A second that two buckets share is split evenly: its trades have no order here.

    ``size`` is V, ``number`` n. ``pending``: second -> bought, sold, that may still grow; ``newest``: second that
    traded; ``buckets``: |bought - sold| of the full ones, oldest first; ``bought`` and ``filled``: of the open one.
    ``value`` is null until n buckets are full.
    """

    def __init__(self, size: cython.longlong, number: cython.longlong) -> None:
        self.size, self.number = size, number
        self.pending: dict[int, tuple[int, int]] = {}
        self.newest = 0
        self.buckets: deque[float] = deque()
        self.bought = self.filled = 0.0
        self.value: float | None = None

    @cython.ccall
    def add(self, rows: list) -> object:
        """Count a frame's seconds, or the parts of them that lie in it."""
        for row in rows:
            second = row.second
            standing = self.pending.get(second)
            if standing is None:
                self.pending[second] = row.buy, row.sell
            else:
                self.pending[second] = standing[0] + row.buy, standing[1] + row.sell
        self.newest = max(self.newest, rows[-1].second)
        return None

    @cython.ccall
    def advance(self, now: Any) -> object:
        """The second ``now`` begins, or the input goes on; those that are over for good fill buckets."""
        last: cython.longlong = (self.newest + 1 if now is None else now) - 1 - LATE
        if not self.pending:
            return None
        for second in sorted([second for second in self.pending if second <= last]):
            bought, sold = self.pending.pop(second)
            self.fill(bought, sold)
        return None

    @cython.cfunc
    def fill(self, bought: cython.longlong, sold: cython.longlong) -> object:
        """Pour one second into the open bucket, and into new ones as often as it overflows."""
        left: cython.double = bought + sold
        share: cython.double = bought / left if left else 0.0
        while left:
            part: cython.double = min(left, self.size - self.filled)
            self.bought += part * share
            self.filled += part
            left -= part
            if self.filled >= self.size:
                self.close()
        return None

    @cython.cfunc
    def close(self) -> object:
        self.buckets.append(abs(2 * self.bought - self.size))
        self.bought = self.filled = 0.0
        if len(self.buckets) > self.number:
            self.buckets.popleft()
        if len(self.buckets) == self.number:
            self.value = to_six(sum(self.buckets) / (self.number * self.size))
        return None
