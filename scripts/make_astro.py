#!/usr/bin/env python3
"""Make the tables of engine astro: ``qmo_cli/engines/astro/events.csv`` and ``strength.csv``.

Positions are ephem's (libastro: VSOP87, Moon within 1", planets within 3" of JPL DE421 up to Neptune): apparent
geocentric ecliptic longitudes of date. ``ephem.Ecliptic(body)`` would be astrometric, ``hlon`` heliocentric. Longitudes
are sampled at each midnight; where an angle is passed, or a motion turns, the moment is found to 0.01 s and told to
the second. Sampled four times a day the same events are found.

How sure a time is depends on how fast the angle changes: seconds for the Moon, a minute for the Sun and the inner
planets, hours where two of the slowest meet (in 1993 Uranus passed Neptune at 34" a day).

Eclipses are told at greatest eclipse: the least distance of the shadow's axis from the centre of the Earth (solar, all
kinds) or of the Moon from it (lunar, those that the umbra reaches; its radius after Danjon).

Run it after an update of ephem, it takes a minute: ``python scripts/make_astro.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import ephem

from qmo_cli.engines.astro.almanac import ASPECTS, BODIES, DAY, DECIMALS, END, FIRST, Almanac

HERE = Path(__file__).resolve().parent.parent / "qmo_cli" / "engines" / "astro"
MARGIN = timedelta(days=10)
SAMPLED = 21 * 3600                  # s, the time of day of the table of strengths
EPOCH = float(ephem.Date("1970/1/1"))
PRECISE = 1e-7                       # days
HALF_HOUR = 1 / 48                   # days: what a motion is measured over, either side
AU, EARTH, SUN, MOON = 149_597_870.7, 6378.1366, 695_700.0, 1737.4  # km, radii
DANJON = 0.99834 * 1.01              # the Earth's mean radius, and a hundredth more for its air
QUARTER = 0.25                       # days: greatest eclipse is nearer to new or full moon

Curve = Callable[[float], float]
Row = tuple[float, str]              # ephem's day, and the rest of the line
Vector = tuple[float, float, float]
SKY = {name: getattr(ephem, name)() for name in (*BODIES, "Moon")}


def longitude(name: str, day: float) -> float:
    """Apparent geocentric ecliptic longitude of date, in degrees."""
    body = SKY[name]
    body.compute(day, epoch=day)
    place = ephem.Ecliptic(ephem.Equatorial(body.g_ra, body.g_dec, epoch=day), epoch=day)
    return math.degrees(place.lon)


def wrapped(angle: float) -> float:
    """The angle within -180 to 180 degrees."""
    return (angle + 180) % 360 - 180


def apart(one: str, other: str, angle: float) -> Curve:
    """How far the longitude of one body is from that of another plus an angle."""
    return lambda day: wrapped(longitude(one, day) - longitude(other, day) - angle)


def motion(name: str) -> Curve:
    """Degrees in an hour around a moment."""
    return lambda day: wrapped(longitude(name, day + HALF_HOUR) - longitude(name, day - HALF_HOUR))


def root(curve: Curve, low: float, high: float) -> float:
    """Where a curve that changes its sign is 0: the false position, the end that stays halved (Illinois)."""
    at_low, at_high, before, middle = curve(low), curve(high), high, low
    while abs(middle - before) > PRECISE:
        before, middle = middle, (low * at_high - high * at_low) / (at_high - at_low)
        value = curve(middle)
        if value * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low /= 2
        high, at_high = middle, value
        if value == 0:
            break
    return middle


def least(curve: Curve, low: float, high: float) -> float:
    """Where a curve with one valley is lowest, by the golden section."""
    golden = (3 - math.sqrt(5)) / 2
    while high - low > PRECISE:
        one, other = low + golden * (high - low), high - golden * (high - low)
        if curve(one) < curve(other):
            high = other
        else:
            low = one
    return (low + high) / 2


class Sky:
    """Longitudes of the bodies at each midnight from one day to another, or more often, unwrapped."""

    def __init__(self, first: date, last: date, per_day: int = 1) -> None:
        start = EPOCH + (first - date(1970, 1, 1)).days
        self.days = [start + step / per_day for step in range((last - first).days * per_day + 1)]
        self.degrees = {name: self._unwrapped(name) for name in SKY}

    def _unwrapped(self, name: str) -> list[float]:
        found = [longitude(name, self.days[0])]
        for day in self.days[1:]:
            found.append(found[-1] + wrapped(longitude(name, day) - found[-1]))
        return found

    def rows(self) -> list[Row]:
        """Everything that happens, by time."""
        return sorted([*self.lunations(), *self.aspects(), *self.stations(), *self.ingresses()])

    def passages(self, one: str, other: str, angle: float) -> Iterator[float]:
        """When one body is this far ahead of another."""
        turns = [
            (ahead - behind - angle) // 360
            for ahead, behind in zip(self.degrees[one], self.degrees[other], strict=True)]
        for place, (before, after) in enumerate(pairwise(turns)):
            if before != after:
                yield root(apart(one, other, angle), self.days[place], self.days[place + 1])

    def aspects(self) -> Iterator[Row]:
        """Two bodies at an aspect, the Moon not counted."""
        for one, other in combinations(BODIES, 2):
            for name in ASPECTS:
                for angle in {float(name), -float(name) % 360}:
                    yield from ((day, f"aspect,{name},{one},{other}") for day in self.passages(one, other, angle))

    def stations(self) -> Iterator[Row]:
        """A planet stands still, and goes on the other way."""
        for name in BODIES[1:]:
            moves = [after - before for before, after in pairwise(self.degrees[name])]
            for place, (before, after) in enumerate(pairwise(moves)):
                if before * after < 0:
                    day = root(motion(name), self.days[place], self.days[place + 2])
                    yield day, f"station,{'direct' if after > 0 else 'retrograde'},{name}"

    def ingresses(self) -> Iterator[Row]:
        """The Sun enters a cardinal sign."""
        quarters = [degrees // 90 for degrees in self.degrees["Sun"]]
        for place, (before, after) in enumerate(pairwise(quarters)):
            if before != after:
                angle = 90 * after % 360
                day = root(lambda day, angle=angle: wrapped(longitude("Sun", day) - angle),  # type: ignore[misc]
                           self.days[place], self.days[place + 1])
                yield day, f"ingress,{angle:.0f},Sun"

    def lunations(self) -> Iterator[Row]:
        """New and full moons, and what they eclipse."""
        for day in self.passages("Moon", "Sun", 0):
            yield day, "new_moon,,Sun,Moon"
            yield from eclipse(day, from_axis, lambda when: reach_of_shade(when) + EARTH, "solar_eclipse,,Sun,Moon")
        for day in self.passages("Moon", "Sun", 180):
            yield day, "full_moon,,Sun,Moon"
            yield from eclipse(day, from_shadow, lambda when: umbra(when) + MOON, "lunar_eclipse,,Sun,Moon")


def eclipse(day: float, distance: Curve, reach: Curve, line: str) -> Iterator[Row]:
    """An eclipse near a new or full moon, if there is one."""
    greatest = least(distance, day - QUARTER, day + QUARTER)
    if distance(greatest) < reach(greatest):
        yield greatest, line


def place(name: str, day: float) -> Vector:
    """Where a body appears from the centre of the Earth, in km."""
    body = SKY[name]
    body.compute(day, epoch=day)
    across, along = math.cos(body.g_dec), body.earth_distance * AU
    return across * math.cos(body.g_ra) * along, across * math.sin(body.g_ra) * along, math.sin(body.g_dec) * along


def shadow(of: Vector, sun: Vector, point: Vector) -> tuple[float, float]:
    """How far along the axis of the shadow of a body in sunlight a point lies, and how far beside it, in km."""
    length = math.dist(of, sun)
    axis = [(here - there) / length for here, there in zip(of, sun, strict=True)]
    offset = [there - here for there, here in zip(point, of, strict=True)]
    along = sum(one * other for one, other in zip(axis, offset, strict=True))
    return along, math.dist(offset, [along * part for part in axis])


CENTRE = (0.0, 0.0, 0.0)


def from_axis(day: float) -> float:
    """From the centre of the Earth to the axis of the Moon's shadow, in km."""
    return shadow(place("Moon", day), place("Sun", day), CENTRE)[1]


def reach_of_shade(day: float) -> float:
    """Radius of the Moon's half-shadow beside the centre of the Earth, in km."""
    moon, sun = place("Moon", day), place("Sun", day)
    return MOON + shadow(moon, sun, CENTRE)[0] * (SUN + MOON) / math.dist(moon, sun)


def from_shadow(day: float) -> float:
    """From the Moon to the axis of the Earth's shadow, in km."""
    return shadow(CENTRE, place("Sun", day), place("Moon", day))[1]


def umbra(day: float) -> float:
    """Radius of the Earth's full shadow where the Moon is, in km."""
    sun = place("Sun", day)
    return EARTH * DANJON - shadow(CENTRE, sun, place("Moon", day))[0] * (SUN - EARTH) / math.dist(sun, CENTRE)


def lines(first: date, last: date) -> list[str]:
    """The table's lines from one day up to another, which is left out."""
    start, end = first.isoformat(), last.isoformat()
    found = (f"{told(day)},{rest}" for day, rest in Sky(first - timedelta(2), last + timedelta(2)).rows())
    return [line for line in sorted(found) if start <= line < end]


def told(day: float) -> str:
    """ephem's day as ISO time, to the second."""
    return datetime.fromtimestamp(round((day - EPOCH) * DAY), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def strengths(table: Sequence[str]) -> list[str]:
    """Strength of all days of the range, sorted."""
    almanac = Almanac(table)
    return [f"{value:.{DECIMALS}f}" for value in sorted(
        almanac.strength(day + SAMPLED) for day in range(FIRST, END, DAY))]


def main() -> None:
    first, end = (datetime.fromtimestamp(second, UTC).date() for second in (FIRST, END))
    table = lines(first - MARGIN, end + MARGIN)
    (HERE / "events.csv").write_text("\n".join(["time,kind,how,bodies", *table, ""]))
    (HERE / "strength.csv").write_text("\n".join(["strength", *strengths(table), ""]))


if __name__ == "__main__":
    main()
