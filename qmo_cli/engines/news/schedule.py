"""A calendar of scheduled events: read once, checked, and told in the order of time as far as somebody asks.

A file that cannot be understood as a whole is refused, with its name and the line: an event that is left out without
a word is a blackout that does not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...errors import BadData, ConfigurationError
from ...times import SECOND, UNITS

if TYPE_CHECKING:
    from dateutil.rrule import rruleset

Impact = Literal["low", "medium", "high"]
DAY = UNITS["d"]
LEAD = 7 * DAY                     # ns: a calendar speaks for the week before its first event
RANK: dict[str | None, int] = {"low": 0, "medium": 1, "high": 2, None: 2}  # of unknown impact: it may be high


class Scheduled(NamedTuple):
    """One event at one time."""

    ts: int                        # ns
    headline: str
    impact: Impact | None


@dataclass(frozen=True, slots=True)
class Recurring:
    """An event that comes again and again. ``ends`` is the ns of its last time, None where there is none."""

    times: rruleset                # with a time zone
    headline: str
    impact: Impact | None
    ends: int | None

    def after(self, since: int) -> Iterator[Scheduled]:
        """Its times from ``since`` (ns) on."""
        for when in self.times:
            ts = nanoseconds(when)
            if ts >= since:
                yield Scheduled(ts, self.headline, self.impact)


@dataclass(frozen=True, slots=True)
class AllDay:
    """An event that has days and no time."""

    headline: str
    first: date
    days: int                      # how many
    times: rruleset | None = None  # of midnights, where it comes again

    def covers(self, day: date) -> bool:
        """Whether it is on that day."""
        earliest = day - timedelta(self.days - 1)
        if self.times is None:
            return earliest <= self.first <= day
        return bool(self.times.between(midnight(earliest), midnight(day), inc=True))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that a calendar says. It speaks from ``begins`` to ``ends`` (ns); None: it has no end."""

    single: list[Scheduled]
    recurring: list[Recurring] = field(default_factory=list)
    all_day: list[AllDay] = field(default_factory=list)

    def after(self, since: int, least: int = 0) -> Iterator[Scheduled]:
        """Events from ``since`` (ns) on whose impact ranks this high, in the order of time, each once."""
        single = sorted((event for event in self.single if event.ts >= since), key=_place)
        streams = [one.after(since) for one in self.recurring if RANK[one.impact] >= least]
        before: Scheduled | None = None
        for event in merge((event for event in single if RANK[event.impact] >= least), *streams, key=_place):
            if before is None or event[:2] != before[:2]:
                yield event
            before = event

    def on(self, day: date) -> list[str]:
        """Headlines of the events without a time on a day."""
        return sorted({event.headline for event in self.all_day if event.covers(day)})

    @property
    def begins(self) -> int:
        """A week before the first event."""
        firsts = [event.ts for event in self.single] + [_start(event.first) for event in self.all_day]
        firsts += [nanoseconds(next(iter(event.times))) for event in self.recurring]
        return min(firsts) - LEAD

    @property
    def ends(self) -> int | None:
        """When the last event begins; a day without a time, when it is over."""
        if None in [event.ends for event in self.recurring] or any(day.times is not None for day in self.all_day):
            return None
        lasts = [event.ts for event in self.single] + [event.ends for event in self.recurring if event.ends]
        lasts += [_start(event.first + timedelta(event.days + 1)) for event in self.all_day]
        return max(lasts)


def _place(event: Scheduled) -> tuple[int, str]:
    return event.ts, event.headline


def midnight(day: date) -> datetime:
    """The day as a time without a zone, as rules of days have it."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a day has no zone


def _start(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY


def nanoseconds(when: datetime) -> int:
    """ns since 1970 of a time with a zone."""
    return int(when.timestamp()) * SECOND + when.microsecond * 1000


def read_schedule(path: str, zone: str = "") -> Schedule:
    """The calendar in a file: iCalendar, or lines of JSON that are ``news`` records.

    ``zone`` is the time zone of events that name none. Raises ConfigurationError naming the file and the line.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigurationError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    text = _text(path, data)
    start = text.lstrip()
    if start[:15].upper() == "BEGIN:VCALENDAR":
        from .ics import read_ics

        schedule = read_ics(path, text, zone)
    elif start.startswith("{"):
        schedule = Schedule(list(_read_lines(path, text.split("\n"))))
    else:
        raise ConfigurationError(
            f"{path}, line 1: neither iCalendar (BEGIN:VCALENDAR) nor lines of JSON with news records")
    if not (schedule.single or schedule.recurring or schedule.all_day):
        raise ConfigurationError(f"{path}: no event in this calendar")
    return schedule


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}, line {line}: this is not UTF-8") from error


def _read_lines(path: str, lines: Iterable[str]) -> Iterator[Scheduled]:
    from ...feeds.lines import read_line
    from ...records import News

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = read_line(line.encode(), None)
        except BadData as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from error
        if type(record) is not News:
            schema = record.__struct_config__.tag
            raise ConfigurationError(f"{path}, line {number}: a {schema} record; a calendar holds news records")
        if record.ts_event is None:
            raise ConfigurationError(f"{path}, line {number}: field ts_event: null; an event needs its time")
        yield Scheduled(int(record.ts_event), record.headline, record.impact)
