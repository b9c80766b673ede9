"""News: how far the next scheduled event is, whether its blackout lasts, and which headlines came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import ClassVar

from ...errors import ConfigurationError
from ...packets import ContextFact, Inputs, Missing, NewsFact, Reading, Second
from ...rounding import to_six
from ...sessions import session
from ...times import SECOND, UNITS, iso
from ...tray import Packet
from ...views import BarsView
from .around import MINUTES, SPAN, Past, Watch, kind_of
from .reading import Around, Blackout, EventAhead, Headline, NewsReading
from .schedule import LEAD, RANK, Schedule, Scheduled, read_schedule

MINUTE, HOUR = UNITS["m"], UNITS["h"]
LONGEST = 24 * 60      # minutes of a blackout before or after
CHAIN = 100            # windows that are looked through for one that overlaps the one before
NEVER = 2**63 - 1
NO_CALENDAR = "no calendar was given"


@dataclass(slots=True)
class News:
    """Scheduled events from a calendar with their blackouts, and the headlines of the stream."""

    name: ClassVar[str] = "news"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "bars"})
    reading: ClassVar[type[Reading]] = NewsReading

    calendar: str = field(default="", metadata={
        "help": "File of scheduled events: iCalendar, or lines of JSON that are news records."})
    zone: str = field(default="", metadata={"help": "Time zone of iCalendar's times that name none."})
    before: int = field(default=5, metadata={"help": "Minutes of blackout before an event."})
    after: int = field(default=15, metadata={"help": "Minutes of blackout after it."})
    impact: str = field(default="high", metadata={
        "help": "Least impact of an event of note: low, medium or high; an event of unknown impact is always of note."})
    hours: int = field(default=4, metadata={"help": "Headlines are shown for so many hours."})
    most: int = field(default=5, metadata={"help": "Headlines shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    schedule: Schedule | None = field(default=None, init=False)
    speaks: tuple[int, int] = field(default=(0, 0), init=False)     # ns: from when to when the calendar tells anything
    stream: Iterator[Scheduled] | None = field(default=None, init=False)
    coming: deque[Scheduled] = field(default_factory=deque, init=False)  # whose blackout is not over, as far as drawn
    unwatched: deque[Scheduled] = field(default_factory=deque, init=False)
    watches: list[Watch] = field(default_factory=list, init=False)
    past: dict[str, Past] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    rows: list[Second] = field(default_factory=list, init=False)    # the last ones that traded
    heard: list[Headline] = field(default_factory=list, init=False)  # of the last hours, oldest first
    atr: float | None = field(default=None, init=False)
    kept: NewsReading | None = field(default=None, init=False)
    lasts: int = field(default=-1, init=False)                      # ns up to which the reading stays what it is

    def __post_init__(self) -> None:
        for name, most in (("before", LONGEST), ("after", LONGEST), ("hours", 24 * 365), ("most", 1000)):
            if not 0 <= getattr(self, name) <= most:
                raise ConfigurationError(f"news.{name}={getattr(self, name)}: 0 to {most} expected")
        if self.impact not in RANK:
            raise ConfigurationError(f"news.impact={self.impact}: low, medium or high expected")
        if self.calendar:
            self.schedule = read_schedule(self.calendar, self.zone)
            self.speaks = span(self.schedule, self.after * MINUTE)

    def sibling(self) -> News:
        """The same for another series, with the calendar that was read at the start."""
        other = replace(self, calendar="")
        other.calendar, other.schedule, other.speaks = self.calendar, self.schedule, self.speaks
        return other

    def close(self) -> None:
        """Nothing is kept."""

    def update(self, packet: Packet) -> NewsReading | Missing:
        inputs: Inputs = packet.read("inputs", Inputs)
        changed = inputs.context is not None and self._hear(inputs.context)
        now = packet.ts
        if self.schedule is not None:
            changed = self._follow(packet, now, inputs) or changed
        kept = self.kept
        if kept is not None and not changed and now <= self.lasts:
            return kept
        return self._reading(packet)

    # --- headlines

    def _hear(self, facts: Iterable[ContextFact]) -> bool:
        """Keep the headlines among the facts, each once, in the order of time."""
        new = [
            Headline(fact.ts_event, fact.headline, fact.source, fact.impact, fact.sentiment)
            for fact in facts if type(fact) is NewsFact
        ]
        known = {(one.ts_event, one.headline) for one in self.heard}
        new = [one for one in dict.fromkeys(new) if (one.ts_event, one.headline) not in known]
        self.heard = sorted([*self.heard, *new], key=_time)
        return bool(new)

    # --- events

    def _follow(self, packet: Packet, now: int, inputs: Inputs) -> bool:
        """Let time pass for the calendar and for what is watched; whether the past has changed by it."""
        rows = [] if inputs.trades is None else inputs.trades.seconds
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.watches, self.rows = packet.instrument_id, [], []
        if now > self.lasts:
            self._draw(now)
            self._watch(now)
        found = self._look(now, rows, closed=packet.closed) if self.watches else False
        if rows:
            self.rows = rows
        if self.kept is not None and self.kept.correlation is not None:
            found = found or atr_of(packet) != self.atr
        return found

    def _draw(self, now: int) -> None:
        """Take from the calendar what may count soon, and drop what is over."""
        if self.stream is None:
            assert self.schedule is not None
            self.stream = self.schedule.after(now - self.after * MINUTE, RANK[self.impact])
        self._draw_to(now + max(self.before, MINUTES) * MINUTE)
        while self.coming and self.coming[0].ts + self.after * MINUTE <= now:
            self.coming.popleft()

    def _draw_to(self, ts: int) -> None:
        """Draw events until one is later than this time: the next one ahead is always there, if there is one."""
        while not self.coming or self.coming[-1].ts <= ts:
            event = next(self.stream or iter(()), None)
            if event is None:
                return
            self.coming.append(event)
            self.unwatched.append(event)

    def _watch(self, now: int) -> None:
        """Begin to watch what price does around the events that come within 15 minutes."""
        while self.unwatched and watched_from(self.unwatched[0]) < now:
            event = self.unwatched.popleft()
            price = self.rows[-1].close if self.rows else None
            self.watches.append(Watch(event.ts // SECOND, kind_of(event.headline), price))

    def _look(self, now: int, rows: list[Second], *, closed: bool) -> bool:
        """Let the watches see what traded; those that are over count in the past of their kind."""
        found = False
        for watch in self.watches:
            watch.take(rows)
            if closed and watch.over(now):
                found = self.past.setdefault(watch.kind, Past()).add(watch) or found
        if closed:
            self.watches = [watch for watch in self.watches if not watch.over(now)]
        return found

    # --- the reading

    def _reading(self, packet: Packet) -> NewsReading:
        now = packet.ts
        while self.heard and int(self.heard[0].ts_event) + self.hours * HOUR <= now:
            self.heard = self.heard[1:]
        latest = self.heard[::-1][:self.most]
        self.lasts = int(self.heard[0].ts_event) + self.hours * HOUR - 1 if self.heard else NEVER
        dropped = len(self.heard) - len(latest)
        if self.schedule is None:
            self.reasons = dict.fromkeys(("next", "minutes_to_news", "blackout", "correlation"), NO_CALENDAR)
            self.kept = NewsReading(None, None, None, None, [], latest, dropped, None)
        else:
            self.kept = self._scheduled(self.schedule, packet, latest, dropped)
        return self.kept

    def _scheduled(
        self, schedule: Schedule, packet: Packet, latest: list[Headline], dropped: int,
    ) -> NewsReading:
        self.reasons, now = {}, packet.ts
        ahead = next((event for event in self.coming if event.ts > now), None)
        during = self._during(now)
        silent = self._silence(now)
        if ahead is None:
            self.reasons |= dict.fromkeys(("next", "minutes_to_news"), "no event of note is ahead in the calendar")
        if silent and during is None:
            self.reasons["blackout"] = silent
        event = during or ahead
        correlation = self._around(event, packet)
        here = session(now)
        self._limit(now, ahead, here.day_end)
        minutes = None if ahead is None else (ahead.ts - now) // MINUTE
        return NewsReading(
            None if ahead is None else EventAhead(ahead.headline, str(ahead.ts), ahead.impact, minutes or 0), minutes,
            True if during is not None else None if silent else False, self._blackout(during, now),
            schedule.on(date.fromisoformat(here.trade_date)) if schedule.all_day else [], latest, dropped, correlation)

    def _during(self, now: int) -> Scheduled | None:
        """The nearest event in whose blackout this is; of two equally near the earlier."""
        before = self.before * MINUTE
        active = [event for event in self.coming if event.ts - before <= now]
        return min(active, key=lambda event: abs(event.ts - now)) if active else None

    def _silence(self, now: int) -> str:
        """Why the calendar says nothing of this time, if so."""
        begins, ends = self.speaks
        if now < begins:
            return f"the calendar's first event, at {iso(begins + LEAD)}, is more than a week ahead"
        return f"the calendar ended at {iso(ends)}: what came after is not in it" if now >= ends else ""

    def _blackout(self, event: Scheduled | None, now: int) -> Blackout | None:
        """The blackout, from the first window that reaches this time to the last that hangs together with it."""
        if event is None:
            return None
        before, after = self.before * MINUTE, self.after * MINUTE
        since = min(one.ts for one in self.coming if one.ts - before <= now) - before
        until = now
        for _ in range(CHAIN):
            self._draw_to(until + before)
            reached = max((one.ts + after for one in self.coming if one.ts - before <= until), default=until)
            if reached == until:
                break
            until = reached
        return Blackout(event.headline, str(event.ts), event.impact, str(since), str(until))

    def _limit(self, now: int, ahead: Scheduled | None, day_end: int) -> None:
        """How long the reading stays what it is, if nothing happens."""
        before, after = self.before * MINUTE, self.after * MINUTE
        turns = [self.speaks[0], self.speaks[1], day_end]
        for event in self.coming:
            turns += (event.ts - before, event.ts, event.ts + after)
        turns += [watched_from(event) + 1 for event in self.unwatched]
        if ahead is not None:
            turns.append(ahead.ts - (ahead.ts - now) // MINUTE * MINUTE + 1)
        self.lasts = min([self.lasts, *(turn - 1 for turn in turns if turn > now)])

    def _around(self, event: Scheduled | None, packet: Packet) -> Around | None:
        if event is None:
            self.reasons["correlation"] = "no event of note is ahead in the calendar"
            return None
        kind = kind_of(event.headline)
        past = self.past.get(kind)
        if past is None or not past.n:
            self.reasons["correlation"] = (
                f"no event of the kind {kind!r} has been seen with trades {MINUTES} minutes before and after")
            return None
        n, self.atr = past.n, atr_of(packet)
        size = sum(map(abs, past.move_after)) / n
        return Around(
            kind, n, to_six(sum(past.move_before) / n), to_six(sum(past.move_after) / n), to_six(size),
            to_six(size / self.atr) if self.atr else None, past.up, to_six(past.delta_before / n),
            to_six(past.delta_after / n))


def atr_of(packet: Packet) -> float | None:
    """ATR of the bars, in points."""
    bars = packet.read("bars", BarsView)
    return None if bars is None else bars.atr


def _time(headline: Headline) -> int:
    return int(headline.ts_event)


def watched_from(event: Scheduled) -> int:
    """ns: the second in which the 15 minutes before an event begin."""
    return (event.ts // SECOND - SPAN) * SECOND


def span(schedule: Schedule, after: int) -> tuple[int, int]:
    """From when to when (ns) a calendar tells anything."""
    ends = schedule.ends
    return schedule.begins, NEVER if ends is None else ends + after
