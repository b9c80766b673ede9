"""Calendars: what iCalendar and lines of JSON mean, by hand, and what is refused, with file and line."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.engines.news.schedule import Schedule, Scheduled, read_schedule
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.times import iso

from .test_laws import few

DAY = 86_400 * 10**9


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a desk//EN", *parts, "END:VCALENDAR", ""])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calendar.ics"


def read(file: Path, text: str, zone: str = "") -> Schedule:
    file.write_text(text)
    return read_schedule(str(file), zone)


def times(schedule: Schedule, most: int = 50) -> list[str]:
    return [iso(one.ts) for one in islice(schedule.after(0), most)]


# ---- times


@pytest.mark.parametrize(("start", "expected"), [
    ("DTSTART:20260312T123000Z", "2026-03-12T12:30:00Z"),
    ("DTSTART;TZID=America/New_York:20260305T083000", "2026-03-05T13:30:00Z"),    # standard time: UTC - 5
    ("DTSTART;TZID=America/New_York:20260312T083000", "2026-03-12T12:30:00Z"),    # from 8 March on UTC - 4
    ("DTSTART;TZID=Eastern Standard Time:20260312T083000", "2026-03-12T12:30:00Z"),  # as Outlook writes it
    ("DTSTART;TZID=Europe/Zurich:20260312T133000", "2026-03-12T12:30:00Z"),
])
def test_the_time_of_an_event_follows_its_zone(start: str, expected: str, file: Path) -> None:
    assert times(read(file, calendar(event("SUMMARY:CPI", start)))) == [expected]


def test_a_zone_that_the_calendar_defines_itself_counts(file: Path) -> None:
    zone = ("BEGIN:VTIMEZONE\nTZID:Desk\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0200\n"
            "TZOFFSETTO:+0200\nEND:STANDARD\nEND:VTIMEZONE")
    found = read(file, calendar(zone, event("SUMMARY:CPI", "DTSTART;TZID=Desk:20260312T143000")))
    assert times(found) == ["2026-03-12T12:30:00Z"]


def test_a_time_without_a_zone_takes_the_one_that_was_set_before_that_of_the_calendar(file: Path) -> None:
    text = calendar("X-WR-TIMEZONE:Europe/Zurich", event("SUMMARY:CPI", "DTSTART:20260312T083000"))
    assert times(read(file, text)) == ["2026-03-12T07:30:00Z"]
    assert times(read(file, text, "America/New_York")) == ["2026-03-12T12:30:00Z"]


# ---- what comes again


def test_the_first_fridays_of_2026_at_half_past_eight_in_new_york(file: Path) -> None:
    text = calendar(event(
        "SUMMARY:Nonfarm Payrolls", "DTSTART;TZID=America/New_York:20260102T083000",
        "RRULE:FREQ=MONTHLY;BYDAY=1FR;COUNT=12"))
    assert times(read(file, text)) == [
        "2026-01-02T13:30:00Z", "2026-02-06T13:30:00Z", "2026-03-06T13:30:00Z", "2026-04-03T12:30:00Z",
        "2026-05-01T12:30:00Z", "2026-06-05T12:30:00Z", "2026-07-03T12:30:00Z", "2026-08-07T12:30:00Z",
        "2026-09-04T12:30:00Z", "2026-10-02T12:30:00Z", "2026-11-06T13:30:00Z", "2026-12-04T13:30:00Z",
    ]


WEEKLY = ("UID:claims", "SUMMARY:Jobless Claims", "DTSTART;TZID=America/New_York:20260305T083000")


@pytest.mark.parametrize(("until", "last"), [
    ("20260319T123000Z", 19), ("20260319T122959Z", 12), ("20260319", 19), ("20260319T083000", 19)])
def test_the_end_of_a_rule_may_be_a_time_of_any_form(until: str, last: int, file: Path) -> None:
    found = times(read(file, calendar(event(*WEEKLY, f"RRULE:FREQ=WEEKLY;UNTIL={until}"))))
    assert [int(time[8:10]) for time in found] == [day for day in (5, 12, 19) if day <= last]


def test_exceptions_and_times_of_their_own_are_heeded(file: Path) -> None:
    text = calendar(
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=America/New_York:20260312T083000",
              "EXDATE;VALUE=DATE:20260319", "RDATE;TZID=America/New_York:20260320T100000"),
        event("UID:claims", "SUMMARY:Jobless Claims (moved)", "RECURRENCE-ID;TZID=America/New_York:20260326T083000",
              "DTSTART;TZID=America/New_York:20260327T083000"),
        event("UID:claims", "SUMMARY:x", "STATUS:CANCELLED", "RECURRENCE-ID:20260402T123000Z",
              "DTSTART:20260402T123000Z"))
    assert times(read(file, text)) == ["2026-03-05T13:30:00Z", "2026-03-20T14:00:00Z", "2026-03-27T12:30:00Z"]


def test_a_rule_without_an_end_goes_on_as_far_as_somebody_asks(file: Path) -> None:
    schedule = read(file, calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY")))
    ts = int(datetime(2036, 3, 1, tzinfo=UTC).timestamp()) * 10**9
    assert iso(next(schedule.after(ts)).ts) == "2036-03-06T13:30:00Z"
    assert schedule.ends is None


def test_what_repeats_below_the_impact_asked_for_is_not_searched_for_ever(file: Path) -> None:
    schedule = read(file, calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY", "PRIORITY:9")))
    assert list(schedule.after(0, least=2)) == []


def test_a_cancelled_event_is_none(file: Path) -> None:
    text = calendar(event("SUMMARY:CPI", "STATUS:CANCELLED", "DTSTART:20260312T123000Z"),
                    event("SUMMARY:GDP", "DTSTART:20260313T123000Z"))
    assert times(read(file, text)) == ["2026-03-13T12:30:00Z"]


# ---- days


def test_events_of_whole_days_have_days_and_no_times(file: Path) -> None:
    schedule = read(file, calendar(
        event("SUMMARY:Jackson Hole", "DTSTART;VALUE=DATE:20260820", "DTEND;VALUE=DATE:20260823"),
        event("SUMMARY:Labor Day", "DTSTART;VALUE=DATE:20250901", "RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO"),
        event("SUMMARY:Summit", "DTSTART;VALUE=DATE:20260907")))
    assert times(schedule) == []
    assert [day for day in range(17, 26) if schedule.on(date(2026, 8, day))] == [20, 21, 22]
    assert schedule.on(date(2026, 9, 7)) == ["Labor Day", "Summit"]
    assert schedule.on(date(2026, 9, 8)) == []


def test_a_calendar_speaks_from_a_week_before_its_first_event_to_the_end_of_its_last(file: Path) -> None:
    schedule = read(file, calendar(
        event("SUMMARY:CPI", "DTSTART:20260312T123000Z"),
        event("SUMMARY:Claims", "DTSTART:20260313T123000Z", "RRULE:FREQ=DAILY;COUNT=3")))
    assert (iso(schedule.begins), iso(schedule.ends or 0)) == ("2026-03-05T12:30:00Z", "2026-03-15T12:30:00Z")
    schedule = read(file, calendar(event("SUMMARY:Summit", "DTSTART;VALUE=DATE:20260310")))
    assert (iso(schedule.begins), iso(schedule.ends or 0)) == ("2026-03-03T00:00:00Z", "2026-03-12T00:00:00Z")


# ---- impact and title


@pytest.mark.parametrize(("line", "impact"), [
    ("CATEGORIES:USD,High", "high"), ("CATEGORIES:medium impact", "medium"), ("CATEGORIES:USD\nCATEGORIES:Low", "low"),
    ("CATEGORIES:USD\nPRIORITY:1", "high"), ("PRIORITY:4", "high"), ("PRIORITY:5", "medium"), ("PRIORITY:9", "low"),
    ("PRIORITY:0", None), ("CATEGORIES:USD", None), ("LOCATION:Washington", None),
])
def test_impact_comes_from_a_category_or_from_the_priority(line: str, impact: str | None, file: Path) -> None:
    found = read(file, calendar(event("SUMMARY:CPI", "DTSTART:20260312T123000Z", line)))
    assert [one.impact for one in found.after(0)] == [impact]


def test_a_title_may_be_folded_and_escaped_and_may_be_missing(file: Path) -> None:
    found = read(file, calendar(
        event("SUMMARY:CPI\\, core an", " d headline", "DTSTART:20260312T123000Z"), event("DTSTART:20260313T123000Z")))
    assert [one.headline for one in found.after(0)] == ["CPI, core and headline", "untitled event"]


# ---- lines of JSON

LINE = '{"schema":"news","ts_event":"1773318600000000000","headline":"CPI","impact":"high"}'


def test_lines_of_news_records_are_a_calendar(file: Path) -> None:
    later = LINE.replace("17733186", "17734050").replace("CPI", "GDP").replace('"high"', "null")
    found = read(file, f"{later}\n\n{LINE}\n{LINE}\n")
    assert list(found.after(0)) == [
        Scheduled(1_773_318_600 * 10**9, "CPI", "high"), Scheduled(1_773_405_000 * 10**9, "GDP", None)]
    assert next(found.after(1_773_318_600 * 10**9 + 1)).headline == "GDP"


# ---- what is refused

GOOD = event("SUMMARY:GDP", "DTSTART:20260313T123000Z")


@pytest.mark.parametrize(("text", "words"), [
    ("", "line 1: neither iCalendar"), ("time,event\n", "line 1: neither iCalendar"),
    (calendar(), "no event in this calendar"),
    (LINE + "\n{}\n", "line 2: field schema: it is missing"),
    (LINE + "\nnonsense\n", "line 2: not a JSON object"),
    (LINE + '\n{"schema":"kill","ts_event":"1"}\n', "line 2: a kill record; a calendar holds news records"),
    (LINE.replace('"1773318600000000000"', "null"), "line 1: field ts_event: null; an event needs its time"),
    (LINE.replace('"high"', '"huge"'), "line 1: field impact: "),
    (calendar(GOOD, event("SUMMARY:CPI", "DTSTART:2026-13-99")), "line 8: event 'CPI': DTSTART: "),
    (calendar(GOOD, event("SUMMARY:CPI")), "line 8: event 'CPI': DTSTART is missing"),
    (calendar(event("SUMMARY:CPI", "DTSTART:20260312T083000")), "line 4: event 'CPI': its time names no zone; "),
    (calendar(event("SUMMARY:CPI", "DTSTART;TZID=Mars/Olympus:20260312T083000")), "time zone 'Mars/Olympus' is not"),
    (calendar("X-WR-TIMEZONE:Mars/Olympus", event("SUMMARY:CPI", "DTSTART:20260312T083000")), "'Mars/Olympus' is not"),
    (calendar(event(*WEEKLY, "RRULE:FREQ=SOMETIMES")), "RRULE: "),
    (calendar(event(*WEEKLY, "RRULE:FREQ=MONTHLY;BYDAY=9XX")), "RRULE: "),
    (calendar(event(*WEEKLY, "RRULE:FREQ=MINUTELY")), "RRULE: an event each minute is no event"),
    (calendar(event(*WEEKLY, "RRULE:FREQ=DAILY;COUNT=1000000")), "RRULE: COUNT is above 100000"),
    (calendar(event(*WEEKLY, "RRULE:FREQ=DAILY;COUNT=1", "EXDATE;TZID=America/New_York:20260305T083000")),
     "leave no time at all"),
    (calendar(event(*WEEKLY, "EXRULE:FREQ=DAILY")), "EXRULE is not read"),
    (calendar(event(*WEEKLY, "RRULE:COUNT=3")), "RRULE: FREQ is missing"),
    (calendar(event(*WEEKLY, "RRULE:FREQ=DAILY;INTERVAL=0")), "INTERVAL is not 1 or more"),
    (calendar(event(*WEEKLY, "DTSTART:20260312T123000Z")), "DTSTART stands there more than once"),
    (calendar(event(*WEEKLY, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260305T133000Z")), "RECURRENCE-ID with RANGE"),
    (calendar(GOOD).replace("END:VCALENDAR\n", ""), "line 1: BEGIN:VCALENDAR has no end"),
    (calendar(GOOD).replace("BEGIN:VEVENT\n", ""), "line 6: END:VEVENT without its BEGIN"),
    (calendar("what is this", GOOD), "line 4: not an iCalendar file"),
    (calendar(event("SUMMARY:CPI", "DTSTART:20260312T123000Z", "what is this")), "line 4: event 'CPI': "),
])
def test_a_calendar_that_cannot_be_understood_is_refused_with_the_line(text: str, words: str, file: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(file, text)
    assert str(caught.value).startswith(str(file))
    assert words in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        read_schedule(str(file))
    file.write_bytes(b"BEGIN:VCALENDAR\n\xff\n")
    with pytest.raises(ConfigurationError, match="line 2: this is not UTF-8"):
        read_schedule(str(file))


def test_a_wrong_calendar_shows_before_any_data(file: Path) -> None:
    file.write_text("x")
    with pytest.raises(ConfigurationError, match="neither iCalendar"):
        Engines(["news"], {"news": {"calendar": str(file)}})


ODD_LINES = (
    "RRULE:COUNT=3", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=DAILY;COUNT=0", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU",
    "DURATION:P1D", "DURATION:XX", "EXDATE:20260305", "RDATE;VALUE=PERIOD:20260310T083000Z/PT1H", "CATEGORIES:",
    "RECURRENCE-ID:20260310", "PRIORITY:x", "DTEND:20260311T090000Z", "DTEND;VALUE=DATE:20260311", "BEGIN:VALARM",
    "END:VALARM", "RRULE:", "DTSTART:083000", "DTSTART;VALUE=DATE:20260310", "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z",
    "DTSTART;TZID=:20260310T083000", "DTSTART:20260310T083000,20260311T083000", "EXDATE:abc", "UID:1", "END:VEVENT",
    "RRULE:FREQ=DAILY;BYHOUR=99", "RRULE:FREQ=MONTHLY;BYMONTHDAY=0", "RRULE:FREQ=YEARLY;UNTIL=abc", "\x00", "=;:",
)


@few
@given(odd=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(ODD_LINES)), min_size=1, max_size=3),
       dropped=st.integers(0, 30))
def test_a_calendar_with_odd_lines_is_read_or_refused_and_nothing_else(
    odd: list[tuple[int, str]], dropped: int, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=9"), GOOD).splitlines()
    for place, text in odd:
        lines.insert(place, text)
    del lines[dropped:dropped + 1]
    file = tmp_path_factory.mktemp("odd") / "calendar.ics"
    with suppress(ConfigurationError):
        schedule = read(file, "\n".join(lines))
        assert list(islice(schedule.after(0), 30)) or schedule.all_day


# ---- order, whatever the calendar


@few
@given(seconds=st.lists(st.integers(0, 10**6), max_size=12), weekly=st.lists(st.integers(0, 10**6), max_size=3),
       since=st.integers(0, 3 * 10**6))
def test_events_come_in_the_order_of_time_each_once(seconds: list[int], weekly: list[int], since: int) -> None:
    """The oracle lists all times of all rules and sorts them."""
    from tempfile import TemporaryDirectory

    start = 1_772_000_000
    if not seconds and not weekly:
        return
    parts = [event("SUMMARY:one", f"DTSTART:{stamp(start + one)}") for one in seconds]
    parts += [event("SUMMARY:week", f"DTSTART:{stamp(start + one)}", "RRULE:FREQ=WEEKLY;COUNT=4") for one in weekly]
    expected = {(start + one, "one") for one in seconds}
    expected |= {(start + one + week * 7 * 86_400, "week") for one in weekly for week in range(4)}
    with TemporaryDirectory() as folder:
        schedule = read(Path(folder, "c.ics"), calendar(*parts))
    found = [(one.ts // 10**9, one.headline) for one in schedule.after((start + since) * 10**9)]
    assert found == sorted(one for one in expected if one[0] >= start + since)


def stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
