"""How many messages may go out, and when: pure functions of the times they are given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ..errors import UsageError
from ..times import SECOND, duration

DAY = 1440  # minutes


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``size`` messages at once at the most, refilled evenly over ``period`` (s).

    >>> bucket = Bucket(2, 60)
    >>> [bucket.take(now) for now in (0, 1, 2, 31, 32)]
    [True, True, False, True, False]
    """

    size: int
    period: float
    _tokens: float = field(init=False)
    _since: float | None = None

    def __post_init__(self) -> None:
        self._tokens = self.size

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        self._fill(now)
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """s until there is one."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) * self.period / self.size)

    def _fill(self, now: float) -> None:
        """A clock that went back refills nothing."""
        if self._since is not None and now > self._since:
            self._tokens = min(self.size, self._tokens + (now - self._since) * self.size / self.period)
        self._since = now


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the local day in which nobody is to be woken, from ``begin`` to before ``end`` (minutes).

    What the clocks on the wall show decides, also on the days when they are changed.
    """

    begin: int
    end: int
    zone: ZoneInfo

    def __call__(self, now: int) -> bool:
        """Whether a time (ns since 1970) is within them."""
        local = datetime.fromtimestamp(now // SECOND, UTC).astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return (minute - self.begin) % DAY < (self.end - self.begin) % DAY


def bucket(text: str) -> Bucket:
    """The limit that N/TIME describes, such as 6/10m. Raises UsageError."""
    number, _, period = text.partition("/")
    if not number.isascii() or not number.isdigit() or not int(number) or not period:
        raise UsageError(f"--limit {text}: write so many messages in such a time, as 6/10m")
    nanoseconds = duration(period)
    if not nanoseconds:
        raise UsageError(f"--limit {text}: the time must be more than 0")
    return Bucket(int(number), nanoseconds / SECOND)


def quiet(text: str, zone: ZoneInfo) -> Quiet:
    """The hours that HH:MM-HH:MM describes. Raises UsageError."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)", text.strip(), re.ASCII)
    if not match:
        raise UsageError(f"--quiet-hours {text}: write two times of day, as 22:00-07:00")
    first, first_minute, last, last_minute = map(int, match.groups())
    begin, end = first * 60 + first_minute, last * 60 + last_minute
    if begin == end:
        raise UsageError(f"--quiet-hours {text}: this begins when it ends")
    return Quiet(begin, end, zone)


def zone_of(name: str | None) -> ZoneInfo:
    """A time zone by its name; without one that of this machine. Raises UsageError."""
    if name is None:
        return local_zone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"--timezone {name}: there is no such time zone; write one as America/Chicago") from error


def local_zone() -> ZoneInfo:
    """The zone of this machine by TZ or its zone file; UTC where neither says."""
    import os

    for name in (os.environ.get("TZ", "").lstrip(":"), zone_link()):
        if name:
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                continue
    return ZoneInfo("UTC")


def zone_link() -> str:
    """The zone that /etc/localtime points to."""
    import os

    return os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
