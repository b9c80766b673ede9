"""When the simulated market trades, and how lively each hour of Chicago's day is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
HOUR = 3_600_000_000_000       # ns
DAY = 24 * HOUR
OPENS, CLOSES = 17, 16         # o'clock in Chicago; the break between them, and the weekend, are silent
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
# Records of an hour as against the mean of the day, from midnight in Chicago: Asia is slow, London livelier, New York
# busiest from 7:20 on and around settlement, the afternoon slow.
LIVELY = (
    0.45, 0.60, 0.95, 1.05, 0.85, 0.80, 1.00, 1.90, 2.30, 2.10, 1.55, 1.25,
    1.35, 0.75, 0.50, 0.40, 0.00, 0.60, 0.70, 0.75, 0.85, 0.75, 0.55, 0.45,
)


def hour_of(ts: int) -> int:
    """The beginning of the hour of a time; hours begin everywhere at once in the time zones that matter here."""
    return ts // HOUR * HOUR


def weight(hour: int) -> float:
    """How lively the market is in the hour that begins then; 0 when it is closed."""
    local = datetime.fromtimestamp(hour // 1_000_000_000, CHICAGO)
    day, clock = local.weekday(), local.hour
    closed = day == SATURDAY or (day == FRIDAY and clock >= CLOSES) or (day == SUNDAY and clock < OPENS)
    return 0.0 if closed else LIVELY[clock]


def opening(ts: int) -> bool:
    """Whether the market opens at this very hour."""
    return weight(hour_of(ts)) > 0 and weight(hour_of(ts) - HOUR) == 0


def mean_weight(start: int, seconds: float, *, of_open_time: bool) -> float:
    """Mean over a span of event time, in whole hours from its first one and at most a week; 1 when all is closed.

    ``of_open_time``: the seconds are those of the open market alone.
    """
    left, at, found = min(max(1, -(-seconds // 3600)), 7 * 24), hour_of(start), []
    while left > 0:
        lively = weight(at)
        found += [lively] if lively else []
        left -= 1 if lively or not of_open_time else 0
        at += HOUR
    return sum(found) / len(found) if found else 1.0
