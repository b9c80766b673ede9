"""Average true range, as Wilder smooths it."""

from __future__ import annotations

from .rolls import moved

ATR_BARS = 14  # Wilder's n


def next_atr(atr: float | None, ranges: list[float], true_range: float) -> float | None:
    """ATR = ((n - 1) ATR' + TR) / n, from the mean of the first n on; None before. ``ranges`` gathers those first ones.

    >>> ranges = [2.0] * 13
    >>> next_atr(next_atr(None, ranges, 2.0), ranges, 16.0)
    3.0
    """
    if atr is not None:
        return ((ATR_BARS - 1) * atr + true_range) / ATR_BARS
    ranges.append(true_range)
    return sum(ranges) / ATR_BARS if len(ranges) == ATR_BARS else None


class AverageRange:
    """ATR(14) bar by bar; None before there are 14 true ranges.

    >>> average = AverageRange()
    >>> [average.add(high, high - 2.0, high - 1.0) for high in [100.0] * 15][-2:]
    [None, 2.0]
    """

    def __init__(self) -> None:
        self.close: float | None = None
        self.ranges: list[float] = []
        self.atr: float | None = None

    def add(self, high: float, low: float, close: float) -> float | None:
        """The average as of this bar. A true range reaches to the close before it."""
        if self.close is not None:
            self.atr = next_atr(self.atr, self.ranges, max(high, self.close) - min(low, self.close))
        self.close = close
        return self.atr

    def move(self, gap: float | None) -> None:
        """Another contract trades, whose prices lie this far away; None: nobody knows how far."""
        if gap is None:
            self.close, self.ranges, self.atr = None, [], None
        elif self.close is not None:
            self.close = moved(self.close, gap)

    @property
    def why_not(self) -> str:
        """Why there is none yet."""
        return f"{len(self.ranges)} of {ATR_BARS} true ranges"
