"""Where the last daily close stands in the month before it: what a reversal would turn around."""

from __future__ import annotations

from collections import deque
from math import isfinite

from ...rounding import to_six
from ..ranges import next_atr

DAYS = 20


class Trend:
    """t = clip((C - SMA20) / (2 ATR(14)), -1, 1) of closed daily bars.

    >>> trend = Trend()
    >>> for day in range(20):
    ...     trend.add(2000.0 + day, 1990.0 + day, 1995.0 + day)
    >>> trend.value                      # 9.5 above the mean, and a day goes 10 from top to bottom
    0.475
    """

    def __init__(self) -> None:
        self.closes: deque[float] = deque(maxlen=DAYS)
        self.ranges: list[float] = []
        self.atr: float | None = None
        self.fault = ""                  # what is wrong with the newest bar

    def add(self, high: float, low: float, close: float) -> None:
        """A day that has ended; one that cannot be right counts for nothing, and nothing is said until the next."""
        self.fault = fault(high, low, close)
        if self.fault:
            return
        if self.closes:
            self.atr = next_atr(self.atr, self.ranges, max(high, self.closes[-1]) - min(low, self.closes[-1]))
        self.closes.append(close)

    def move(self, gap: float | None) -> None:
        """The series rolled: stored prices shift by the gap; None: nobody knows by how much, so they are forgotten."""
        if gap is None:
            self.closes, self.ranges, self.atr = deque(maxlen=DAYS), [], None
        else:
            self.closes = deque((close + gap for close in self.closes), maxlen=DAYS)

    @property
    def why_not(self) -> str:
        """Why there is no value; empty when there is one."""
        if self.fault:
            return self.fault
        if len(self.closes) < DAYS:
            return f"{len(self.closes)} of {DAYS} closed daily bars"
        return "" if self.atr else "the daily bars have no range"

    @property
    def value(self) -> float | None:
        """From -1, far below the mean, to 1, far above it."""
        if self.why_not or not self.atr:
            return None
        away = self.closes[-1] - sum(self.closes) / DAYS
        found: float = to_six(max(-1.0, min(1.0, away / (2 * self.atr))))
        return found


def fault(high: float, low: float, close: float) -> str:
    """What is wrong with a bar; empty when nothing is.

    >>> fault(2000.0, 2001.0, 2000.5)
    'the last daily bar has its high below its low'
    """
    if not all(map(isfinite, (high, low, close))):
        return "the last daily bar has a price that is not a number"
    return "the last daily bar has its high below its low" if high < low else ""
