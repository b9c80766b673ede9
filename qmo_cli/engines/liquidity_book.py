# cython: language_level=3, auto_pickle=False
"""The displayed book over time, by whole seconds: how lopsided it is, what was stacked onto it and pulled from it."""

from __future__ import annotations

from collections import deque

from qmo_cli.engines.flow import Window
from qmo_cli.packets import BookSecond
from qmo_cli.rounding import to_six

WINDOW = 60  # s, of pulls and stacks
MEAN = 10    # s, of the imbalance


class MeanImbalance:
    """I = (bids - asks)/(bids + asks) over ten levels: its mean over the last ten ends of whole seconds.

    A second that nothing touched ends as the one before it. Ends at which no book was known, or an empty one, do not
    count.
    """

    def __init__(self) -> None:
        self.changes: deque[tuple[int, float | None]] = deque()  # second, imbalance at its end
        self.asked = -1                  # the second of the last mean
        self.found: float | None = None  # and that mean

    def add(self, row: BookSecond) -> None:
        """A second, or another part of the newest one."""
        resting = row.bids + row.asks
        self.asked = -1
        if self.changes and self.changes[-1][0] == row.second:
            self.changes.pop()
        self.changes.append((row.second, (row.bids - row.asks) / resting if resting else None))

    def mean(self, now: int) -> float | None:
        """As of the start of the second ``now``, whose own end is still to come."""
        if now != self.asked:
            self.asked, self.found = now, self._mean(now)
        return self.found

    def _mean(self, now: int) -> float | None:
        changes, first = self.changes, now - MEAN
        while len(changes) > 1 and changes[1][0] <= first:
            changes.popleft()
        total, ends, until = 0.0, 0, now
        for second, imbalance in reversed(changes):
            held = until - max(second, first)
            if held > 0:
                until -= held
                if imbalance is not None:
                    total += held * imbalance
                    ends += held
        return to_six(total / ends) if ends else None


class BookFlow:
    """What rests, came and went in the displayed book; ``Window``'s columns are (added, removed, nothing)."""

    def __init__(self) -> None:
        self.imbalance = MeanImbalance()
        self.bids, self.asks = Window(WINDOW), Window(WINDOW)

    def take(self, rows: list[BookSecond], now: int) -> None:
        """Count a frame's seconds; the windows end with the second ``now``."""
        for row in rows:
            self.imbalance.add(row)
            added_bid, removed_bid, added_ask, removed_ask = (
                row.added_bid, row.removed_bid, row.added_ask, row.removed_ask)
            if added_bid is not None and removed_bid is not None:
                self.bids.add(row.second, added_bid, removed_bid, 0)
            if added_ask is not None and removed_ask is not None:
                self.asks.add(row.second, added_ask, removed_ask, 0)

        self.bids.expire(now)
        self.asks.expire(now)

    def moves(self) -> tuple[int, int, int, int]:
        """Stacked and pulled bids, stacked and pulled asks, in the last 60 s."""
        return self.bids.buy, self.bids.sell, self.asks.buy, self.asks.sell
