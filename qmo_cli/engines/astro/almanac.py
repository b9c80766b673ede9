"""Events of the sky from 1990 to 2049 and how busy any moment of these years is: two tables, read when first asked.

``events.csv`` holds geocentric events by apparent ecliptic longitude of date, sorted by time; ten days on either side
belong to it, so that the first and the last day of the range are whole. ``strength.csv`` holds the strength of every
day of the range at 21:00 UTC, sorted. ``scripts/make_astro.py`` makes both. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, cast

from ...times import SECOND, iso

Kind = Literal["new_moon", "full_moon", "lunar_eclipse", "solar_eclipse", "station", "aspect", "ingress"]

MINUTE, DAY = 60, 86_400
FIRST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2050, 1, 1, tzinfo=UTC).timestamp())  # the first moment after the range
YEARS = "1990-2049"
REACH = 5 * DAY          # no event counts farther away
NEXT = 3                 # events to come that are told
WINDOW = 0.8             # confidence from which a reversal window is open
DECIMALS = 4             # of the table of strengths

ASPECTS = {"0": "conjunct", "60": "sextile", "90": "square", "120": "trine", "180": "opposite"}
HARD = ("0", "90", "180")
SEASONS = {"0": "March equinox", "90": "June solstice", "180": "September equinox", "270": "December solstice"}
BODIES = ("Sun", "Mercury", "Venus", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto")  # of aspects
SLOW = frozenset(BODIES[4:])  # Jupiter and slower
STATIONS = dict.fromkeys(BODIES[1:4], 2.0) | dict.fromkeys(BODIES[4:6], 1.0) | dict.fromkeys(BODIES[6:], 0.5)


class Event(NamedTuple):
    """Something that happens in the sky. It counts for ``weight`` when it is exact, for less within ``reach`` of it."""

    second: int
    time: str                # the same in ISO 8601
    kind: Kind
    name: str                # as a person says it
    bodies: tuple[str, ...]
    weight: float
    reach: int               # s

    def share(self, second: int) -> float:
        """weight max(0, 1 - |dt| / reach)

        >>> moon = parsed("2026-11-09T07:02:09Z,new_moon,,Sun,Moon")
        >>> moon.share(moon.second - 32_400)
        0.75
        """
        return self.weight * max(0.0, 1 - abs(second - self.second) / self.reach)


def weight_of(kind: Kind, how: str, bodies: Sequence[str]) -> tuple[float, float]:
    """Weight of an event, and days within which it counts.

    >>> weight_of("aspect", "120", ("Saturn", "Pluto")), weight_of("station", "direct", ("Mercury",))
    ((1.0, 1.5), (2.0, 3.0))
    """
    if kind == "station":
        return STATIONS[bodies[0]], 3.0
    if kind == "aspect":
        return (1.0 if how in HARD else 0.5) * (2 if SLOW.issuperset(bodies) else 1), 1.5
    return (2.0, 5.0) if kind in ("lunar_eclipse", "solar_eclipse") else (1.0, 1.5)


def name_of(kind: Kind, how: str, bodies: Sequence[str]) -> str:
    """What a person calls an event.

    >>> name_of("aspect", "120", ("Venus", "Uranus")), name_of("station", "direct", ("Venus",))
    ('Venus trine Uranus', 'Venus direct')
    """
    if kind == "aspect":
        return f"{bodies[0]} {ASPECTS[how]} {bodies[1]}"
    if kind == "station":
        return f"{bodies[0]} {how}"
    return SEASONS[how] if kind == "ingress" else kind.replace("_", " ")


@lru_cache(maxsize=512)
def parsed(line: str) -> Event:
    """The event of a line of the table.

    >>> parsed("2026-11-13T15:53:42Z,station,direct,Mercury").name
    'Mercury direct'
    """
    time, kind, how, *bodies = line.split(",")
    sort = cast(Kind, kind)
    weight, days = weight_of(sort, how, bodies)
    second = int(datetime.fromisoformat(time).timestamp())
    return Event(second, time, sort, name_of(sort, how, bodies), tuple(bodies), weight, int(days * DAY))


class Almanac:
    """The two tables. Lines are looked for by their time, which sorts as text, and parsed where they are needed."""

    def __init__(self, lines: Sequence[str], strengths: Sequence[float] = ()) -> None:
        self.lines, self.strengths = lines, strengths
        self.day = -1                # since 1970, that ``near`` is of
        self.near: list[Event] = []

    def between(self, first: int, last: int) -> list[Event]:
        """The events from one second to another, both included, in order."""
        start, end = bisect_left(self.lines, iso(first * SECOND)), bisect_left(self.lines, iso((last + 1) * SECOND))
        return [parsed(line) for line in self.lines[start:end]]

    def active(self, second: int) -> list[Event]:
        """The events that count now, in order."""
        return [event for event in self._around(second // DAY) if abs(second - event.second) < event.reach]

    def coming(self, second: int) -> list[Event]:
        """The next events that do not count yet, in order."""
        return [event for event in self._around(second // DAY) if event.second - second >= event.reach][:NEXT]

    def _around(self, day: int) -> list[Event]:
        """The events that count on a day, and as many after them as ``coming`` wants; kept for the day."""
        if day != self.day:
            self.day, self.near = day, self._look_around(day * DAY, (day + 1) * DAY)
        return self.near

    def _look_around(self, start: int, end: int) -> list[Event]:
        found: list[Event] = []
        quiet = 0                    # of them that do not count before the day's end
        for place in range(bisect_left(self.lines, iso((start - REACH) * SECOND)), len(self.lines)):
            event = parsed(self.lines[place])
            if event.second > end + REACH and quiet >= NEXT:
                break
            found.append(event)
            quiet += event.second - event.reach >= end
        return found

    def strength(self, second: int) -> float:
        """S = sum of w max(0, 1 - |dt| / h): weights of the events around, less the farther they are."""
        return strength_of(self.active(second), second)

    def confidence(self, strength: float) -> float:
        """Share of the days of 1990-2049 on which less was up: how rare such a sky is. It is no chance of anything."""
        return bisect_left(self.strengths, round(strength, DECIMALS)) / len(self.strengths)

    def is_open(self, second: int) -> bool:
        """Whether a reversal window is open."""
        return self.confidence(self.strength(second)) >= WINDOW

    def window(self, second: int) -> tuple[int, int]:
        """The open window around a second: its first second, and the first that is not in it any more."""
        return self._edge(second, -1), self._edge(second, 1) + 1

    def _edge(self, second: int, way: Literal[-1, 1]) -> int:
        """The last second, going one way, at which the window is still open. Between corners strength is a line."""
        for corner in self._corners(second, way):
            if not self.is_open(corner):
                return bisected(self, second, corner)
            second = corner
        return second

    def _corners(self, second: int, way: Literal[-1, 1]) -> Iterator[int]:
        """Where the line that strength follows bends, going one way to the end of the range, and each day's step."""
        edge = FIRST if way < 0 else END - 1
        while second != edge:
            step = max(edge, second - DAY) if way < 0 else min(edge, second + DAY)
            low, high = min(second, step), max(second, step)
            bends = {
                bend for event in self.between(low - REACH, high + REACH)
                for bend in (event.second - event.reach, event.second, event.second + event.reach) if low < bend < high
            }
            yield from sorted(bends, reverse=way < 0)
            yield step
            second = step


def bisected(almanac: Almanac, inside: int, outside: int) -> int:
    """The second nearest to ``outside`` at which the window is open, where it closes once on the way."""
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        if almanac.is_open(middle):
            inside = middle
        else:
            outside = middle
    return inside


def strength_of(events: Iterable[Event], second: int) -> float:
    """Their shares in all."""
    return sum((event.share(second) for event in events), 0.0)


def covered(second: int) -> bool:
    """Whether the tables speak of this moment."""
    return FIRST <= second < END


@lru_cache(maxsize=1)
def almanac() -> Almanac:
    """The tables that come with the program, read once."""
    here = Path(__file__)
    lines = here.with_name("events.csv").read_text().splitlines()[1:]
    strengths = here.with_name("strength.csv").read_text().split()[1:]
    return Almanac(lines, list(map(float, strengths)))
