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


def mean_weight(start: int, length: float, *, open_time: bool) -> float:
    """Mean over a span of so many ns, at least an hour and at most a week; 1 when all of it is closed.

    ``open_time``: the length is that of the open market alone.
    """
    left, at, total, passed = min(max(length, HOUR), 7 * DAY), start, 0.0, 0.0
    while left > 0:
        end = hour_of(at) + HOUR
        lively = weight(hour_of(at))
        part = min(left, end - at)
        if lively > 0:
            total += lively * part
            passed += part
        if lively > 0 or not open_time:
            left -= part
        at = end
    return total / passed if passed else 1.0
