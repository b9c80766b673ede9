"""The sky's tables: published times, another library, a second account of strength, and the script that makes them."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import cache
from math import atan2, degrees
from typing import Any

import astronomy
import ephem
import numpy as np
import pytest

from qmo_cli.engines.astro.almanac import DAY, END, FIRST, Almanac, Event, almanac, parsed
from qmo_cli.times import SECOND, iso, moment

from .conftest import ROOT

HOUR = 3600
CLOSE = 21 * HOUR                # the time of day of the table of strengths
J2000 = 946_728_000              # s since 1970
INNER, MIDDLE, OUTER = ("Mercury", "Venus", "Mars"), ("Jupiter", "Saturn"), ("Uranus", "Neptune", "Pluto")


def at(text: str) -> int:
    """Seconds since 1970."""
    return moment(text, 0) // SECOND


@cache
def events() -> list[Event]:
    """All of the range."""
    return almanac().between(FIRST, END - 1)


def named(name: str, kind: str, text: str) -> Event:
    """The event of this name nearest to a time."""
    found = [line for line in almanac().lines if f",{kind}," in line]
    alike = (event for event in map(parsed, found) if event.name == name)
    return min(alike, key=lambda event: abs(event.second - at(text)))


# ---- published times


@pytest.mark.parametrize(("name", "kind", "time"), [
    ("lunar eclipse", "lunar_eclipse", "2025-03-14T06:59Z"),  # total, total, total, partial
    ("lunar eclipse", "lunar_eclipse", "2025-09-07T18:12Z"),
    ("lunar eclipse", "lunar_eclipse", "2026-03-03T11:33Z"),
    ("lunar eclipse", "lunar_eclipse", "2026-08-28T04:13Z"),
    ("March equinox", "ingress", "2026-03-20T14:46Z"),
    ("June solstice", "ingress", "2026-06-21T08:24Z"),
    ("September equinox", "ingress", "2026-09-23T00:05Z"),
    ("December solstice", "ingress", "2026-12-21T20:50Z"),
    ("Mercury direct", "station", "2024-12-15T20:57Z"),
    ("Mercury retrograde", "station", "2026-02-26T06:48Z"),
    ("Mercury direct", "station", "2026-11-13T15:54Z"),
    ("Venus retrograde", "station", "2026-10-03T07:15Z"),
    ("Venus direct", "station", "2026-11-14T00:27Z"),
])
def test_an_event_is_within_three_minutes_of_its_published_time(name: str, kind: str, time: str) -> None:
    assert abs(named(name, kind, time).second - at(time)) <= 180


@pytest.mark.parametrize("time", ["2024-04-08T18:18:29Z", "2026-02-17T12:13:06Z", "2026-08-12T17:47:06Z"])
def test_a_solar_eclipse_published_in_dynamical_time_is_told_in_utc(time: str) -> None:
    found = named("solar eclipse", "solar_eclipse", time)
    ahead = ephem.delta_t(ephem.Date(time[:19].replace("T", " ")))
    assert 65 < ahead < 80
    assert abs(found.second - (at(time) - ahead)) <= 3


def test_mercury_turned_direct_in_2024_at_246_40_degrees() -> None:
    found = named("Mercury direct", "station", "2024-12-15T20:57Z")
    assert script().longitude("Mercury", script().EPOCH + found.second / DAY) == pytest.approx(246.40, abs=0.005)


def test_the_range_has_as_many_events_as_it_should() -> None:
    assert len(events()) == 14_248
    assert Counter(event.kind for event in events()) == {
        "aspect": 11_212, "station": 1093, "new_moon": 742, "full_moon": 742, "ingress": 240, "solar_eclipse": 133,
        "lunar_eclipse": 86}


# ---- strength


@pytest.mark.parametrize(("day", "strength", "confidence"), [
    ("2026-11-13", 3.762, 0.990), ("2026-08-12", 4.552, 0.997), ("2026-11-22", 0.123, 0.145),
])
def test_strength_and_confidence_are_as_published(day: str, strength: float, confidence: float) -> None:
    found = almanac().strength(at(f"{day}T21:00Z"))
    assert found == pytest.approx(strength, abs=0.0005)
    assert almanac().confidence(found) == pytest.approx(confidence, abs=0.0005)


WEIGHTS: dict[str, tuple[float, float]] = {  # by the table's words, on its own
    "new_moon": (1, 1.5), "full_moon": (1, 1.5), "lunar_eclipse": (2, 5), "solar_eclipse": (2, 5), "ingress": (1, 1.5),
    **{f"station {name}": (2, 3) for name in INNER}, **{f"station {name}": (1, 3) for name in MIDDLE},
    **{f"station {name}": (0.5, 3) for name in OUTER},
    "aspect 0": (1, 1.5), "aspect 60": (0.5, 1.5), "aspect 90": (1, 1.5), "aspect 120": (0.5, 1.5),
    "aspect 180": (1, 1.5),
}


@cache
def weights(line: str) -> tuple[float, float, float]:
    """Time in s, weight and half-width in s of a line of the table."""
    time, kind, how, *bodies = line.split(",")
    key = {"station": f"station {bodies[0]}", "aspect": f"aspect {how}"}.get(kind, kind)
    weight, days = WEIGHTS[key]
    slow = kind == "aspect" and all(body in MIDDLE + OUTER for body in bodies)
    return at(time), weight * (2 if slow else 1), days * DAY


def strengths(lines: list[str], seconds: np.ndarray) -> np.ndarray:
    """Strength at each of these seconds, all events against all that lie within five days."""
    total = np.zeros(len(seconds))
    for time, weight, width in map(weights, lines):
        low, high = np.searchsorted(seconds, [time - width, time + width])
        total[low:high] += weight * (1 - np.abs(seconds[low:high] - time) / width)
    return total


@cache
def daily() -> np.ndarray:
    """Strength of all days of the range at 21:00 UTC."""
    return strengths(list(almanac().lines), np.arange(FIRST + CLOSE, END, DAY))


def test_the_table_of_strengths_is_that_of_all_days_at_nine_in_the_evening() -> None:
    assert len(almanac().strengths) == len(daily()) == 21_915
    assert np.abs(np.sort(daily()) - almanac().strengths).max() <= 0.00005001


def test_percentiles_are_as_published_up_to_the_days_they_were_taken_of() -> None:
    published = [0.844, 1.656, 2.206, 2.717, 3.739]
    ranks = [0.5, 0.8, 0.9, 0.95, 0.99]
    assert np.quantile(almanac().strengths, ranks) == pytest.approx(published, abs=0.0013)
    # to the digit they are those of 60 years of 365 days, of events within the range alone
    inside = [line for line in almanac().lines if "1990" <= line < "2050"]
    days = strengths(inside, FIRST + CLOSE + DAY * np.arange(60 * 365))
    assert [round(float(value), 3) for value in np.quantile(days, ranks)] == published


def test_there_are_about_31_windows_a_year_of_2_3_days_when_one_looks_once_a_day() -> None:
    opened = np.array([almanac().confidence(value) >= 0.8 for value in daily()])
    windows = int((opened[1:] & ~opened[:-1]).sum())
    assert windows / 60 == pytest.approx(31.3, abs=0.05)
    assert opened.sum() / windows == pytest.approx(2.33, abs=0.005)


def test_strength_between_the_days_is_that_of_a_second_account() -> None:
    seconds = np.arange(FIRST, END, 1_000_003)
    found = [almanac().strength(int(second)) for second in seconds]
    assert found == pytest.approx(strengths(list(almanac().lines), seconds), abs=1e-9)


def test_confidence_is_the_share_of_days_with_less() -> None:
    few = Almanac([], [0.0, 0.0, 1.0, 2.5])
    assert [few.confidence(value) for value in (0.0, 0.00004, 0.5, 1.0, 1.1, 2.5, 9.0)] == [
        0, 0, 0.5, 0.5, 0.75, 0.75, 1]


# ---- windows


def line(hours: float, rest: str) -> str:
    """A line of a table, this long after 2026-01-01."""
    return f"{iso(round(at('2026-01-01T00:00Z') + hours * HOUR) * SECOND)},{rest}"


def test_a_window_begins_and_ends_where_strength_passes_the_eighth_decile() -> None:
    """A new moon alone, and days of which four in five have 0.5 or less: it has more for 18 hours either side."""
    lonely = Almanac([line(0, "new_moon,,Sun,Moon")], [0.1, 0.2, 0.3, 0.5, 0.9])
    noon = at("2026-01-01T00:00Z")
    start, end = lonely.window(noon + 5)
    assert start == pytest.approx(noon - 18 * HOUR, abs=16)  # strength is rounded to the table's four decimals
    assert end == pytest.approx(noon + 18 * HOUR, abs=16)
    assert [lonely.is_open(second) for second in (start - 1, start, end - 1, end)] == [False, True, True, False]


def test_windows_that_touch_are_one() -> None:
    twice = Almanac([line(0, "new_moon,,Sun,Moon"), line(30, "ingress,0,Sun")], [0.1, 0.2, 0.3, 0.5, 0.9])
    noon = at("2026-01-01T00:00Z")
    assert twice.window(noon) == twice.window(noon + 15 * HOUR) == twice.window(noon + 30 * HOUR)


@pytest.mark.parametrize("day", ["2026-11-13", "2026-08-12", "1999-08-11", "2010-06-26", "2049-12-31", "1990-01-26"])
def test_a_window_is_what_a_look_at_every_minute_finds(day: str) -> None:
    table, second = almanac(), at(f"{day}T21:00Z")
    if not table.is_open(second):
        second = next(one for one in range(second, FIRST, -HOUR) if table.is_open(one))
    seconds = np.arange(max(FIRST, second // 60 * 60 - 12 * DAY), min(END, second + 12 * DAY), 60)
    first, last = (iso((second + days * DAY) * SECOND) for days in (-20, 20))
    near = [text for text in table.lines if first < text < last]
    opened = np.array([table.confidence(value) >= 0.8 for value in strengths(near, seconds)])
    here = int(np.searchsorted(seconds, second))
    before, after = np.flatnonzero(~opened[:here]), np.flatnonzero(~opened[here:])
    start, end = table.window(second)
    assert 0 <= start - (seconds[before[-1]] if len(before) else FIRST) <= 60
    assert 0 <= (seconds[here + after[0]] if len(after) else END) - end < 60


def test_the_events_to_come_are_those_that_do_not_count_yet() -> None:
    table, second = almanac(), at("2026-11-22T21:00Z")
    assert [event.name for event in table.active(second)] == ["Sun trine Neptune"]
    assert [(event.name, iso(event.second * SECOND)) for event in table.coming(second)] == [
        ("full moon", "2026-11-24T14:53:29Z"), ("Sun sextile Pluto", "2026-11-25T17:23:46Z"),
        ("Sun opposite Uranus", "2026-11-25T22:40:32Z")]


def test_the_last_moment_of_the_range_has_all_its_events() -> None:
    assert len(almanac().coming(END - 1)) == 3
    assert almanac().lines[0] < "1989-12-28"
    assert almanac().lines[-1] > "2050-01-06"


def test_lines_are_sorted_and_each_is_there_once() -> None:
    lines = list(almanac().lines)
    assert lines == sorted(set(lines))


# ---- another library: astronomy-engine keeps within one minute of arc


def longitude(name: str, second: float) -> float:
    """Apparent geocentric ecliptic longitude of date, in degrees."""
    time = astronomy.Time((second - J2000) / DAY)
    vector = astronomy.GeoVector(getattr(astronomy.Body, name), time, True)
    found = astronomy.RotateVector(astronomy.Rotation_EQJ_ECT(time), vector)
    return degrees(atan2(found.y, found.x))


def wrapped(angle: float) -> float:
    return (angle + 180) % 360 - 180


MOONS = {"new_moon": 0.0, "full_moon": 180.0}
SAMPLE = [text for text in almanac().lines if ",station," not in text and "eclipse" not in text][::40]


def test_bodies_are_at_the_angle_that_an_event_tells() -> None:
    for text in SAMPLE:
        _, kind, how, *bodies = text.split(",")
        angle = MOONS[kind] if kind in MOONS else float(how)
        first, second, *_ = [*(longitude(body, parsed(text).second) for body in bodies), 0.0]
        apart = wrapped(first - second)
        assert min(abs(wrapped(apart - angle)), abs(wrapped(apart + angle))) < 30 / 3600, text


def test_moons_and_seasons_are_within_a_minute() -> None:
    for text in [text for text in almanac().lines if ",ingress," in text or "_moon," in text][::60]:
        _, kind, how, *_ = text.split(",")
        event, now = parsed(text), astronomy.Time((parsed(text).second - J2000) / DAY - 1)
        find = astronomy.SearchSunLongitude if kind == "ingress" else astronomy.SearchMoonPhase
        found = find(MOONS[kind] if kind in MOONS else float(how), now, 3)
        assert abs(found.ut * DAY + J2000 - event.second) < 60, text


MINUTES = {**dict.fromkeys(INNER, 10), **dict.fromkeys(MIDDLE, 20), **dict.fromkeys(OUTER, 60)}


@pytest.mark.parametrize("name", MINUTES)
def test_a_planet_turns_when_its_station_says_so(name: str) -> None:
    def motion(second: float) -> float:
        return wrapped(longitude(name, second + HOUR / 2) - longitude(name, second - HOUR / 2))

    stations = [text for text in almanac().lines if ",station," in text and text.endswith(f",{name}")]
    for text in stations[::9]:
        sign, margin = (1 if ",direct," in text else -1), 60 * MINUTES[name]
        second = parsed(text).second
        assert sign * motion(second - margin) < 0 < sign * motion(second + margin), text


def decade(first: Any, following: Callable[[Any], Any]) -> list[Any]:
    """The eclipses of the forties."""
    found = [first(astronomy.Time((at("2040-01-01T00:00Z") - J2000) / DAY))]
    while found[-1].peak.ut * DAY + J2000 < END:
        found.append(following(found[-1].peak))
    return found[:-1]


def test_eclipses_are_the_same_but_for_one_that_just_misses_the_umbra() -> None:
    """On 2042-09-29 the Moon passes 20 km outside the umbra, if its radius is Danjon's: so it is no umbral eclipse."""
    solar = decade(astronomy.SearchGlobalSolarEclipse, astronomy.NextGlobalSolarEclipse)
    lunar = decade(astronomy.SearchLunarEclipse, astronomy.NextLunarEclipse)
    theirs = sorted([*solar, *(one for one in lunar if one.kind != astronomy.EclipseKind.Penumbral)],
                    key=lambda one: one.peak.ut)
    times = [one.peak.ut * DAY + J2000 for one in theirs]
    times = [time for time in times if not iso(int(time) * SECOND).startswith("2042-09-29")]
    mine = [event for event in events() if event.second >= at("2040-01-01T00:00Z") and "eclipse" in event.kind]
    assert len(times) == len(theirs) - 1
    assert [event.second for event in mine] == pytest.approx(times, abs=30)


# ---- the script


@cache
def script() -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make_astro", ROOT / "scripts" / "make_astro.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_year_made_anew_is_that_of_the_table() -> None:
    made = script().lines(date(2026, 1, 1), date(2027, 1, 1))
    there = [text for text in almanac().lines if text.startswith("2026")]
    assert [text[20:] for text in made] == [text[20:] for text in there]
    for one, other in zip(made, there, strict=True):  # another machine's last bit may move a second
        assert abs(parsed(one).second - parsed(other).second) <= 1


def test_a_second_look_four_times_a_day_finds_no_other_event() -> None:
    first, last = date(2027, 1, 1), date(2027, 4, 1)
    fine = script().Sky(first, last, per_day=4)
    found = [text for text in (f"{script().told(day)},{rest}" for day, rest in fine.rows())
             if "2027-01-01" <= text < "2027-03-31"]
    there = [text for text in almanac().lines if "2027-01-01" <= text < "2027-03-31"]
    assert sorted(text[20:] for text in found) == sorted(text[20:] for text in there)
