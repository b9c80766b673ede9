"""The time that the exchange is open: what volatility is scaled to a year by."""

from __future__ import annotations

from functools import lru_cache

from qmo_cli.sessions import session
from qmo_cli.times import SECOND, UNITS

YEAR = 365 * UNITS["d"]


def open_seconds(start: int, end: int) -> int:
    """Seconds of [start, end), ns, in which CME gold trades on Globex, holidays and early closes left out.

    >>> open_seconds(1769522400 * SECOND, (1769522400 + 86_400) * SECOND) / 3600   # 2026-01-27 14:00Z, one day
    23.0
    """
    total, now = 0, start
    while now < end:
        part = session(now)
        total += max(0, min(end, part.closes) - max(start, part.opened))
        now = part.reopens
    return total // SECOND


@lru_cache(maxsize=16)
def year_before(day_start: int) -> int:
    """Open seconds of the 365 days before a trade date that began then, ns."""
    return open_seconds(day_start - YEAR, day_start)
