"""The table of holidays: against the library that it is made from, CME's own calendar for 2026, and real prices."""

from __future__ import annotations

import csv
import gzip
import runpy
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from subprocess import run
from zoneinfo import ZoneInfo

import pandas_market_calendars as calendars
import pytest

from qmo_cli.holidays import close_of, covered, is_trade_date, regular_close, specials
from qmo_cli.instruments import first_notice

from .conftest import ROOT
from .support import SHARED

CHICAGO = ZoneInfo("America/Chicago")
# CME's calendar for metals, 2026: Chicago times of early closes, and the trade dates of the half-sessions.
EARLY_2026 = {
    "2026-01-19": ("13:30", "2026-01-20"), "2026-02-16": ("13:30", "2026-02-17"),
    "2026-05-25": ("13:30", "2026-05-26"), "2026-06-19": ("12:00", "2026-06-22"),
    "2026-07-03": ("12:00", "2026-07-06"), "2026-09-07": ("13:30", "2026-09-08"),
    "2026-11-26": ("13:30", "2026-11-27"), "2026-11-27": ("13:45", "2026-11-27"),
    "2026-12-24": ("12:45", "2026-12-24"),
}
CLOSED_2026 = {"2026-01-01", "2026-04-03", "2026-12-25"}
# Where published schedules and the library disagree, 2018 to 2026: what the table says, with its source.
PUBLISHED = {
    **dict.fromkeys(("2018-12-05", "2025-01-09"), "16:00 business"),  # days of mourning: metals as usual
    **dict.fromkeys(("2018-12-24", "2019-12-24", "2020-12-24", "2024-12-24", "2025-12-24"), "12:45 business"),
    **dict.fromkeys(("2022-09-05", "2023-09-04", "2024-09-02", "2025-09-01"), "13:30 holiday"),  # Labor Day
    "2025-07-04": "12:00 holiday",                                   # a Friday
}


@cache
def library() -> tuple[dict[date, time], set[date]]:
    """Closes by day and the trade dates, as the library has them."""
    hours = calendars.get_calendar("CMEGlobex_GC").schedule("2010-01-01", "2035-12-31", tz="America/Chicago")
    dates = calendars.get_calendar("CME_TradeDate").schedule("2010-01-01", "2035-12-31")
    return {day.date(): row.market_close.time() for day, row in hours.iterrows()}, {d.date() for d in dates.index}


def days(first: int, last: int) -> Iterator[date]:
    """Every day of these years."""
    day = date(first, 1, 1)
    while day.year <= last:
        yield day
        day += timedelta(1)


def told(closes: time | None, business: bool) -> str:
    """A day in words."""
    return f"{closes:%H:%M} {'business' if business else 'holiday'}" if closes else "closed"


def test_the_shipped_table_is_what_the_script_makes_of_the_installed_library() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "make_calendar.py"))["rows"]
    assert (ROOT / "qmo_cli" / "holidays.csv").read_text().splitlines() == list(made())


def test_the_early_closes_and_closed_days_of_2026_are_cmes() -> None:
    found = {str(day): special for day, special in specials().items() if day.year == 2026}
    assert {day for day, special in found.items() if special.closes is None} == CLOSED_2026
    assert {day: (f"{special.closes:%H:%M}", str(special.trade_date)) for day, special in found.items()
            if special.closes} == EARLY_2026


def test_the_table_differs_from_the_library_only_where_published_schedules_do() -> None:
    closes, dates = library()
    differing = {}
    for day in days(2018, 2026):
        if day.weekday() < 5:
            ours, theirs = told(close_of(day), is_trade_date(day)), told(closes.get(day), day in dates)
            if ours != theirs:
                differing[str(day)] = ours
    assert differing == PUBLISHED


def test_trade_dates_are_the_librarys_but_for_the_days_of_mourning() -> None:
    _, dates = library()
    ours = {day for day in days(2010, 2035) if is_trade_date(day)}
    assert ours ^ dates == {date(2018, 12, 5), date(2025, 1, 9)}


def test_half_sessions_closed_a_quarter_past_noon_until_2014() -> None:
    """Notices of 2013-07-04 (12:15 Chicago) and 2014-01-20 (13:15 New York)."""
    assert close_of(date(2013, 7, 4)) == close_of(date(2014, 1, 20)) == time(12, 15)
    assert close_of(date(2015, 1, 19)) == time(12)


def test_the_market_closed_a_quarter_past_four_until_the_daily_break_was_lengthened() -> None:
    assert (regular_close(date(2015, 9, 18)), regular_close(date(2015, 9, 21))) == (time(16, 15), time(16))


def test_outside_the_table_every_weekday_is_a_regular_trade_date() -> None:
    christmas = date(2037, 12, 25)
    assert (covered(christmas), close_of(christmas), is_trade_date(christmas)) == (False, time(16), True)
    assert close_of(date(2037, 12, 26)) is None


def test_every_half_session_is_booked_on_the_next_trade_date() -> None:
    for day, special in specials().items():
        if special.trade_date:
            assert is_trade_date(special.trade_date)
            assert special.trade_date >= day
            assert not any(is_trade_date(day + timedelta(n)) for n in range((special.trade_date - day).days))


def test_first_notice_falls_on_the_last_trade_date_before_the_delivery_month() -> None:
    for first in (date(year, month, 1) for year in range(2010, 2036) for month in range(1, 13)):
        if first > date(2010, 1, 1):
            wanted = next(day for n in range(1, 8) if is_trade_date(day := first - timedelta(n)))
            assert first_notice(first.year, first.month) == wanted


def test_the_calendar_needs_no_pandas() -> None:
    program = "import sys, qmo_cli.sessions as s; s.session(1); sys.exit('pandas' in sys.modules)"
    assert run([sys.executable, "-c", program], check=False).returncode == 0


def hourly() -> dict[date, str]:
    """Last hour of each Chicago day in which spot gold traded. The file's clock is seven hours ahead of New York's."""
    found: dict[date, str] = {}
    with gzip.open(SHARED / "data" / "gold" / "xauusd-hourly-x100.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            hour = datetime.fromisoformat(row["Date"]) - timedelta(hours=7)
            local = hour.replace(tzinfo=ZoneInfo("America/New_York")).astimezone(CHICAGO)
            found[(local + timedelta(hours=7)).date()] = f"{local:%H}:00"
    return found


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared market data")
def test_spot_gold_stopped_in_the_hour_of_the_early_close_from_2016_to_2021() -> None:
    """Its broker follows CME's holidays. Left out: 2016-05-30, when its quotes ended two hours before."""
    last = hourly()
    wrong = []
    for day, special in specials().items():
        if special.closes and day in last and 2016 <= day.year <= 2021 and day != date(2016, 5, 30):
            hour = f"{(datetime.combine(day, special.closes) - timedelta(minutes=1)):%H}:00"
            if last[day] != hour:
                wrong.append((str(day), special.closes, last[day]))
    assert wrong == []


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared market data")
def test_spot_gold_did_not_trade_on_closed_days() -> None:
    """But for the morning of one Good Friday, when payrolls came out and banks quoted without the exchange."""
    last = hourly()
    assert [str(day) for day, special in specials().items() if special.closes is None and day in last] == ["2015-04-03"]
