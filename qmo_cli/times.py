# cython: language_level=3, auto_pickle=False
"""Times and durations as text: ISO with zone, nanoseconds, or 1s, 50ms, 15m."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

import cython

from qmo_cli.errors import UsageError

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
SECOND = UNITS["s"]


@lru_cache(maxsize=64)
def _minute(minute: int) -> str:
    """ISO 8601 in UTC down to the minute, with its last colon."""
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


@cython.ccall
def iso(ts: cython.longlong) -> str:
    """ISO 8601 in UTC of ns since 1970, with as many groups of three decimals as it needs.

    >>> iso(1703545200000000000), iso(1703545200050000000)
    ('2023-12-25T23:00:00Z', '2023-12-25T23:00:00.050Z')
    """
    second: cython.longlong = ts // 1_000_000_000
    rest: cython.longlong = ts % 1_000_000_000
    start: str = _minute(second // 60)
    second %= 60
    if rest == 0:
        return f"{start}{second:02d}Z"
    if rest % 1_000_000 == 0:
        return f"{start}{second:02d}.{rest // 1_000_000:03d}Z"
    if rest % 1000 == 0:
        return f"{start}{second:02d}.{rest // 1000:06d}Z"
    return f"{start}{second:02d}.{rest:09d}Z"


def duration(text: str) -> int:
    """Nanoseconds of a duration such as 50ms, 1s, 15m, 1.5h or 30d.

    >>> duration("50ms"), duration("1.5h")
    (50000000, 5400000000000)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)", text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a duration; write a number and a unit, such as 50ms, 1s, 15m or 1h")
    whole, _, fraction = match[1].partition(".")
    unit = UNITS[match[2]]
    return int(whole) * unit + int(fraction or 0) * unit // int(10 ** len(fraction))


def moment(text: str, now: int) -> int:
    """Nanoseconds since 1970 of an ISO time (UTC unless it has a zone), of ns, or of -1h before ``now``.

    >>> moment("2023-12-25T23:00Z", 0), moment("-1s", 5_000_000_000)
    (1703545200000000000, 4000000000)
    """
    if re.fullmatch(r"\d{12,}", text):
        return int(text)
    if text.startswith("-"):
        return now - duration(text[1:])
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time; write 2023-12-25T22:00Z, nanoseconds since 1970, or -1h") from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    whole = when.replace(microsecond=0)
    return int(whole.timestamp()) * SECOND + when.microsecond * 1000
