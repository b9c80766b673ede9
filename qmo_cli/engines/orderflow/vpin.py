"""VPIN: how one-sided trading has been, by volume and not by the clock.

Volume with an aggressor side fills buckets of V contracts, one after another; VPIN = sum over the last n buckets of
|bought - sold| / (n V) (Easley, Lopez de Prado and O'Hara 2012, there with estimated sides, here with true ones).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ...packets import Second
from ...rounding import to_six

LATE = 1  # s that a record may come late: a second counts once this has passed too


@dataclass(slots=True)
class Vpin:
    """The buckets of one series. A second that two buckets share is split evenly: its trades have no order here."""

    size: int                            # V, contracts
    number: int                          # n
    pending: dict[int, tuple[int, int]] = field(default_factory=dict)  # second -> bought, sold; may still grow
    newest: int = 0                      # s, the newest that traded
    buckets: deque[float] = field(default_factory=deque)  # |bought - sold| of the full ones, oldest first
    bought: float = 0.0                  # in the open bucket
    filled: float = 0.0
    value: float | None = None           # null until n buckets are full

    def add(self, rows: list[Second]) -> None:
        """Count a frame's seconds, or the parts of them that lie in it."""
        for row in rows:
            bought, sold = self.pending.get(row.second, (0, 0))
            self.pending[row.second] = bought + row.buy, sold + row.sell
        self.newest = max(self.newest, rows[-1].second)

    def advance(self, now: int | None) -> None:
        """The second ``now`` begins, or the input goes on; those that are over for good fill buckets."""
        last = (self.newest + 1 if now is None else now) - 1 - LATE
        if not self.pending or min(self.pending) > last:
            return
        for second in sorted(second for second in self.pending if second <= last):
            self._fill(*self.pending.pop(second))

    def _fill(self, bought: int, sold: int) -> None:
        """Pour one second into the open bucket, and into new ones as often as it overflows."""
        left: float = bought + sold
        share = bought / left if left else 0.0
        while left:
            part = min(left, self.size - self.filled)
            self.bought += part * share
            self.filled += part
            left -= part
            if self.filled >= self.size:
                self._close()

    def _close(self) -> None:
        self.buckets.append(abs(2 * self.bought - self.size))
        self.bought = self.filled = 0.0
        if len(self.buckets) > self.number:
            self.buckets.popleft()
        if len(self.buckets) == self.number:
            self.value = to_six(sum(self.buckets) / (self.number * self.size))
