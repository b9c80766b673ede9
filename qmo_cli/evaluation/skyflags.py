"""What engine astro says at every bar's close: whether a reversal window is open, and against which trend.

The sky does not depend on prices: on shuffled bars the windows lie where they lie, only what prices do is shuffled.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..engines.astro.almanac import almanac, covered
from ..engines.astro.trend import DAYS
from ..times import SECOND
from .looks import Bits, Flag, Look
from .series import Series, Whole

DAY = 86_400 * SECOND
DAILY = 20 * 3600 * SECOND  # bars at least this long are days


def astro_flags(look: Look) -> list[Flag]:
    """Reversal windows."""
    series = look.series
    length = int(np.median(np.diff(series.start)))
    known, fired = windows((series.start + length).tobytes())
    side = -trends(series, daily=length >= DAILY)
    return [Flag("astro window", known, known & fired, np.where(fired, side, 0))]


@lru_cache(maxsize=4)
def windows(times: bytes) -> tuple[Bits, Bits]:
    """Whether the tables speak of each time (int64 ns, back to back), and whether a window is open then."""
    seconds = (np.frombuffer(times, dtype=np.int64) // SECOND).tolist()
    known = [covered(second) for second in seconds]
    opened = [inside and almanac().is_open(second) for second, inside in zip(seconds, known, strict=True)]
    return np.array(known), np.array(opened)


def trends(series: Series, *, daily: bool) -> Any:
    """The side of its mean of 20 days on which the last closed day lies, as of every bar: +1, -1; 0 where not known.

    Days are bars where bars are days, else those of UTC.
    """
    if daily:
        return sides(series.close)
    day, first = np.unique(series.start // DAY, return_index=True)
    before = np.concatenate(([0], sides(series.close[np.concatenate((first[1:], [len(series)])) - 1])[:-1]))
    return before[np.searchsorted(day, series.start // DAY)]


def sides(close: Whole) -> Any:
    """The side of its mean of 20 days on which each close lies."""
    sums = np.cumsum(np.concatenate(([0], close)))
    found = np.zeros(len(close), dtype=np.int64)
    found[DAYS - 1:] = np.sign(DAYS * close[DAYS - 1:] - (sums[DAYS:] - sums[:-DAYS]))
    return found
