"""Average true range, as Wilder smooths it."""

from __future__ import annotations

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
