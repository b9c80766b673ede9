"""What engine cycle says at every bar's close, worked out for all bars at once; a test holds the two together."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engines.cycle.counts import ANCHORS, COUNTS
from .looks import Bits, Flag, Look
from .series import Series, Swings, Whole


def cycle_flags(look: Look) -> list[Flag]:
    """Counts of 21, 45 and 90 bars."""
    series, swings = look.series, look.swings
    bars = np.arange(len(series))
    count = np.searchsorted(swings.confirmed, bars, side="right")
    known = (count >= ANCHORS) & (swings.atr > 0)
    return [Flag(f"cycle {number}", known, *_due(series, swings, count, known, number)) for number in COUNTS]


def _due(series: Series, swings: Swings, count: Whole, known: Bits, number: int) -> tuple[Bits, Whole]:
    """Whether the count is due, and against which move: of several pivots the closest, then the newest."""
    bars = np.arange(len(series))
    nearest = np.full(len(series), 2)    # offset, without its sign
    anchor = np.zeros(len(series), dtype=np.int64)
    for rank in range(1, ANCHORS + 1):
        place = np.where(known, count - rank, 0)
        offset = np.abs(bars - _of(swings.index, place) - number)
        closer = known & (offset < nearest)
        nearest = np.where(closer, offset, nearest)
        anchor = np.where(closer, _of(swings.ticks, place), anchor)
    fired = nearest <= 1
    move = series.close - anchor
    with np.errstate(invalid="ignore"):
        far = np.abs(move) >= swings.atr
    return fired, np.where(fired & far, -np.sign(move), 0)


def _of(values: Whole, place: Whole) -> Any:
    """Values at places; where there are no values, zeros."""
    return values[place] if len(values) else np.zeros_like(place)
