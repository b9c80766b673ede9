"""Calendars in iCalendar files (RFC 5545): times with their zones, rules of recurrence, exceptions to them."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from ...errors import ConfigurationError
from .schedule import AllDay, Impact, Recurring, Schedule, Scheduled, nanoseconds

logger = logging.getLogger(__name__)

BEGIN_EVENT = re.compile(r"BEGIN:VEVENT\s*", re.IGNORECASE)
READ = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SUMMARY", "STATUS", "CATEGORIES",
        "PRIORITY", "UID")
ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "SUMMARY", "STATUS", "PRIORITY", "UID")
ODD = (ValueError, TypeError, KeyError, AttributeError, OverflowError)  # what the libraries raise of odd values
TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
MOST_TIMES = 100_000               # of a rule that counts
IMPACTS: tuple[Impact, ...] = ("high", "medium", "low")
UNTITLED = "untitled event"


def read_ics(path: str, text: str, zone: str) -> Schedule:
    """The schedule in the text of an iCalendar file. Raises ConfigurationError naming the line."""
    from icalendar import Calendar

    lines = text.splitlines()
    check_nesting(path, lines)
    try:
        calendars: Any = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigurationError(f"{path}{line_with(lines, str(error))}: not an iCalendar file: {error}") from error
    numbers = (number for number, line in enumerate(lines, 1) if BEGIN_EVENT.fullmatch(line))
    events = []
    for calendar in calendars:
        home = zone or str(calendar.get("X-WR-TIMEZONE", ""))
        events += [Event(path, next(numbers, 0), event, home) for event in calendar.walk("VEVENT")]
    return schedule_of(events)


def check_nesting(path: str, lines: list[str]) -> None:
    """Raise ConfigurationError where a component does not end, or ends without a beginning: something is missing."""
    opened: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        word, _, name = line.strip().upper().partition(":")
        if word == "BEGIN":
            opened.append((number, name))
        elif word == "END" and (not opened or opened.pop()[1] != name):
            raise ConfigurationError(f"{path}, line {number}: {line.strip()} without its BEGIN")
    for number, name in opened:
        raise ConfigurationError(f"{path}, line {number}: BEGIN:{name} has no end: the file is not whole")


def line_with(lines: list[str], words: str) -> str:
    """Where the line stands that an error of the parser quotes."""
    found = [number for number, line in enumerate(lines, 1) if line.strip() and line.strip() in words]
    return f", line {found[0]}" if found else ""


def schedule_of(events: list[Event]) -> Schedule:
    """The schedule of all events; those that move or cancel one time of another take its place."""
    moved: defaultdict[str, list[datetime]] = defaultdict(list)
    for event in events:
        event.check()
        with event.named():
            if event.replaces is not None:
                moved[event.uid].append(event.replaces)
    schedule = Schedule([])
    for event in events:
        if event.cancelled:
            logger.info("%s is cancelled", event.place)
            continue
        with event.named():
            event.add_to(schedule, moved[event.uid] if event.replaces is None else [])
    return schedule


@dataclass(slots=True)
class Event:
    """One VEVENT and where it stands."""

    path: str
    line: int
    given: Any
    zone: str

    @property
    def place(self) -> str:
        """The event, for a message."""
        return f"{self.path}, line {self.line}: event {self.headline!r}"

    def wrong(self, why: str) -> ConfigurationError:
        """The error for this event."""
        return ConfigurationError(f"{self.place}: {why}")

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let an error of the libraries say where it happened."""
        try:
            yield
        except ODD as error:
            raise self.wrong(f"it cannot be read: {error}") from error

    def check(self) -> None:
        """Raise ConfigurationError for what cannot be read, or would be read wrongly."""
        for name, why in self.given.errors:
            if name is None or str(name).upper() in READ:
                raise self.wrong(f"{name or 'a line'}: {why}")
        for name in ONCE:
            if isinstance(self.given.get(name), list):
                raise self.wrong(f"{name} stands there more than once")
        if "DTSTART" not in self.given:
            raise self.wrong("DTSTART is missing")
        if "EXRULE" in self.given:
            raise self.wrong("EXRULE is not read; write EXDATE")
        if "RECURRENCE-ID" in self.given and "RANGE" in self.given["RECURRENCE-ID"].params:
            raise self.wrong("RECURRENCE-ID with RANGE is not read; write each time, or a rule of its own")

    @property
    def headline(self) -> str:
        return str(self.given.get("SUMMARY", "")).strip() or UNTITLED

    @property
    def uid(self) -> str:
        return str(self.given.get("UID", f"line {self.line}"))

    @property
    def cancelled(self) -> bool:
        return str(self.given.get("STATUS", "")).upper() == "CANCELLED"

    @property
    def impact(self) -> Impact | None:
        """From a category of that name, else from PRIORITY: 1 to 4 high, 5 medium, 6 to 9 low."""
        words = {str(word).strip().lower() for given in listed(self.given, "CATEGORIES") for word in given.cats}
        for impact in IMPACTS:
            if impact in words or f"{impact} impact" in words:
                return impact
        priority = int(self.given.get("PRIORITY", 0))
        return None if not priority else "high" if priority < 5 else "medium" if priority == 5 else "low"

    @property
    def start(self) -> date | datetime:
        """A day, or a time with a zone."""
        start: date | datetime = self.timed(self.given["DTSTART"])
        return start

    @property
    def replaces(self) -> datetime | None:
        """Which time of another event this one stands for."""
        return self.as_time(self.timed(self.given["RECURRENCE-ID"])) if "RECURRENCE-ID" in self.given else None

    def timed(self, value: Any, params: Any = None) -> Any:
        """A day as it is; a time with its zone, the calendar's where it names none."""
        when = value.dt[0] if isinstance(value.dt, tuple) else value.dt
        if not isinstance(when, datetime) or when.tzinfo is not None:
            return when
        name = (value.params if params is None else params).get("TZID")
        if name:
            raise self.wrong(f"time zone {name!r} is not known")
        return when.replace(tzinfo=self.home())

    def home(self) -> tzinfo:
        """The zone of times that name none. Raises ConfigurationError where nobody tells it."""
        if not self.zone:
            raise self.wrong("its time names no zone; write TZID or a Z, or set news.zone")
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise self.wrong(f"time zone {self.zone!r} is not known") from error

    def as_time(self, when: date | datetime) -> datetime:
        """A day in an event that has a time means that time of the day; in one of days, its midnight."""
        if isinstance(when, datetime):
            return when
        start = self.start
        clock = start.timetz() if isinstance(start, datetime) else time()
        return datetime.combine(when, clock)

    def times(self, name: str) -> Iterator[datetime]:
        """The times of RDATE or EXDATE."""
        for given in listed(self.given, name):
            for value in given.dts:
                yield self.as_time(self.timed(value, given.params))

    def add_to(self, schedule: Schedule, moved: list[datetime]) -> None:
        """Put the event into the schedule, without the times that others stand for."""
        start = self.start
        rules = [self.rule(given) for given in listed(self.given, "RRULE")]
        again = bool(rules) or "RDATE" in self.given
        if not isinstance(start, datetime):
            schedule.all_day.append(
                AllDay(self.headline, start, self.days(start), self.all_times(rules, moved) if again else None))
        elif again:
            schedule.recurring.append(
                Recurring(self.all_times(rules, moved), self.headline, self.impact, self.last(rules)))
        else:
            schedule.single.append(Scheduled(nanoseconds(start), self.headline, self.impact))

    def all_times(self, rules: list[rrule], moved: list[datetime]) -> rruleset:
        """Rules and single times without the exceptions. Raises ConfigurationError where nothing is left."""
        found = rruleset(cache=True)
        for one in rules:
            found.rrule(one)
        for when in (self.as_time(self.start), *self.times("RDATE")):
            found.rdate(when)
        for when in (*self.times("EXDATE"), *moved):
            found.exdate(when)
        if next(iter(found), None) is None:
            raise self.wrong("its rule and exceptions leave no time at all")
        return found

    def rule(self, given: Any) -> rrule:
        """The rule, by the clock of the event's own zone: 08:30 stays 08:30 in summer and winter."""
        often = str(given.get("FREQ", [""])[0]).upper()
        if not often or given.get("INTERVAL", [1])[0] < 1:
            raise self.wrong("RRULE: FREQ is missing, or INTERVAL is not 1 or more")
        if often in TOO_OFTEN:
            raise self.wrong(f"RRULE: an event each {often.lower()[:-2]} is no event")
        if "COUNT" in given and given["COUNT"][0] > MOST_TIMES:
            raise self.wrong(f"RRULE: COUNT is above {MOST_TIMES}")
        text = ";".join(
            part for part in given.to_ical().decode().split(";") if not part.upper().startswith("UNTIL="))
        try:
            found: rrule = rrulestr(text, dtstart=self.as_time(self.start))
        except (ValueError, TypeError) as error:
            raise self.wrong(f"RRULE: {error}") from error
        return found.replace(until=self.until(given["UNTIL"][0])) if "UNTIL" in given else found

    def until(self, when: date | datetime) -> datetime:
        """The end of a rule; a day is meant whole, a time without a zone by the event's own."""
        start = self.as_time(self.start)
        if not isinstance(when, datetime):
            return datetime.combine(when, time(23, 59, 59), start.tzinfo)
        if start.tzinfo is None:
            return when.replace(tzinfo=None)
        return when if when.tzinfo is not None else when.replace(tzinfo=start.tzinfo)

    def last(self, rules: list[rrule]) -> int | None:
        """ns of the last time, None where the rules go on for ever."""
        ends = [self.as_time(self.start), *self.times("RDATE")]
        for given, one in zip(listed(self.given, "RRULE"), rules, strict=True):
            if "UNTIL" not in given and "COUNT" not in given:
                return None
            ends += [self.until(given["UNTIL"][0])] if "UNTIL" in given else list(one)[-1:]
        return max(map(nanoseconds, ends))

    def days(self, start: date) -> int:
        """How many days an event without a time has."""
        if "DTEND" in self.given:
            end = self.timed(self.given["DTEND"])
            return max(1, (end - start).days) if not isinstance(end, datetime) else 1
        length: timedelta = self.given["DURATION"].dt if "DURATION" in self.given else timedelta(1)
        return max(1, length.days)


def listed(event: Any, name: str) -> list[Any]:
    """The property as often as it stands there."""
    value = event.get(name)
    return [] if value is None else value if isinstance(value, list) else [value]
