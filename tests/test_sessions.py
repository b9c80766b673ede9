"""Sessions and trade dates; expected times are from CME's published hours (17:00 to 16:00 Chicago) by hand.

Whole years are compared with pandas_market_calendars, minute by minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pandas_market_calendars as calendars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.sessions import Session, next_trade_day_start, session, session_name, trade_date, trade_day_start

SECOND = 10**9
MINUTE = 60 * SECOND


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.parametrize(("when", "name"), [
    ("2026-01-27T15:30:45Z", "new york"),            # the original's example: 09:30:45 in Chicago
    ("2026-01-27T23:00:00Z", "asia"),                # 17:00, the first moment of the day
    ("2026-01-27T07:59:59Z", "asia"),                # 01:59:59
    ("2026-01-27T08:00:00Z", "london"),              # 02:00
    ("2026-01-27T13:19:59Z", "london"),              # 07:19:59
    ("2026-01-27T13:20:00Z", "new york"),            # 07:20
    ("2026-01-27T18:30:00Z", "new york afternoon"),  # 12:30
    ("2026-01-27T21:59:59Z", "new york afternoon"),  # 15:59:59
    ("2026-01-27T22:00:00Z", "closed"),              # 16:00
    ("2026-01-31T05:00:00Z", "closed"),              # Friday, 23:00
    ("2026-02-01T22:59:59Z", "closed"),              # Sunday, 16:59:59
    ("2026-02-01T23:00:00Z", "asia"),                # Sunday, 17:00
    ("2026-07-01T12:20:00Z", "new york"),            # 07:20 in summer
])
def test_sessions_are_named_by_chicago_time(when: str, name: str) -> None:
    assert session_name(ns(when)) == name


@pytest.mark.parametrize(("when", "date"), [
    ("2026-01-27T22:59:59Z", "2026-01-27"),
    ("2026-01-27T23:00:00Z", "2026-01-28"),
    ("2026-01-30T22:30:00Z", "2026-01-30"),  # Friday, after the close
    ("2026-01-31T12:00:00Z", "2026-01-30"),  # Saturday
    ("2026-02-01T22:59:59Z", "2026-01-30"),  # Sunday, before the open
    ("2026-02-01T23:00:00Z", "2026-02-02"),  # Sunday, the open: Monday's date
    ("2026-07-01T21:59:59Z", "2026-07-01"),  # summer: the day turns at 22:00 UTC
    ("2026-07-01T22:00:00Z", "2026-07-02"),
])
def test_the_trade_date_changes_at_five_in_the_afternoon(when: str, date: str) -> None:
    assert trade_date(ns(when)) == date


@pytest.mark.parametrize(("when", "start", "end"), [
    # clocks go forward on Sunday 2026-03-08 at 02:00: Friday's day ends an hour earlier by UTC
    ("2026-03-06T12:00:00Z", "2026-03-05T23:00:00Z", "2026-03-08T22:00:00Z"),
    ("2026-03-09T12:00:00Z", "2026-03-08T22:00:00Z", "2026-03-09T22:00:00Z"),
    # and back on Sunday 2026-11-01
    ("2026-10-30T12:00:00Z", "2026-10-29T22:00:00Z", "2026-11-01T23:00:00Z"),
    ("2026-11-02T12:00:00Z", "2026-11-01T23:00:00Z", "2026-11-02T23:00:00Z"),
])
def test_a_change_of_the_clocks_moves_the_trade_day_by_utc(when: str, start: str, end: str) -> None:
    assert (trade_day_start(ns(when)), next_trade_day_start(ns(when))) == (ns(start), ns(end))


@given(st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001  (made UTC below)
def test_trade_days_follow_each_other_without_gap_or_overlap(when: datetime) -> None:
    ts = int(when.replace(tzinfo=UTC).timestamp()) * SECOND
    start, end = trade_day_start(ts), next_trade_day_start(ts)
    assert start <= ts < end
    assert trade_day_start(end) == end
    assert next_trade_day_start(start - 1) == start
    assert trade_date(start) == trade_date(end - 1) < trade_date(end)
    # the longest: Good Friday's week, or a holiday on a Friday or Monday, an hour longer where the clocks go back
    assert timedelta(hours=23) <= timedelta(seconds=(end - start) // SECOND) <= timedelta(hours=97)


def test_minutes_count_down_to_settlement_and_close() -> None:
    ts = ns("2026-01-27T15:30:45Z")  # 09:30:45 in Chicago; settlement 12:30, close 16:00
    assert session(ts).minutes_to_settlement(ts) == 179
    assert session(ts).minutes_to_close(ts) == 389


def test_there_is_nothing_to_count_down_to_once_it_has_passed() -> None:
    ts = ns("2026-01-27T22:30:00Z")
    assert session(ts).minutes_to_settlement(ts) is None
    assert session(ts).minutes_to_close(ts) is None


# ---- holidays: CME's calendar for 2026


def at(text: str) -> Session:
    """The session at this Chicago time."""
    found: Session = session(pd.Timestamp(text, tz="America/Chicago").value)
    return found


@pytest.mark.parametrize(("close", "date"), [
    ("2026-01-19 13:30", "2026-01-20"), ("2026-02-16 13:30", "2026-02-17"), ("2026-05-25 13:30", "2026-05-26"),
    ("2026-06-19 12:00", "2026-06-22"), ("2026-07-03 12:00", "2026-07-06"), ("2026-09-07 13:30", "2026-09-08"),
    ("2026-11-26 13:30", "2026-11-27"), ("2026-11-27 13:45", "2026-11-27"), ("2026-12-24 12:45", "2026-12-24"),
])
def test_an_early_close_ends_the_session_and_the_half_session_belongs_to_the_next_business_day(
    close: str, date: str,
) -> None:
    before = (pd.Timestamp(close) - pd.Timedelta("1s")).isoformat()
    assert (at(before).open, at(before).early, at(before).trade_date) == (True, True, date)
    assert (at(close).open, at(close).name, at(close).trade_date) == (False, "closed", date)
    assert at(before).closes == at(close).closes == pd.Timestamp(close, tz="America/Chicago").value
    assert at(before).minutes_to_close(at(before).closes - 90 * SECOND) == 1


@pytest.mark.parametrize(("day", "date", "opens"), [
    ("2026-01-01", "2025-12-31", "2026-01-01 17:00"),  # Thursday: opens in the evening for Friday
    ("2026-04-03", "2026-04-02", "2026-04-05 17:00"),  # Good Friday
    ("2026-12-25", "2026-12-24", "2026-12-27 17:00"),  # a Friday
])
def test_a_closed_day_belongs_to_the_date_before_it(day: str, date: str, opens: str) -> None:
    for clock in ("00:00", "09:30", "16:59:59"):
        here = at(f"{day} {clock}")
        assert (here.open, here.trade_date) == (False, date)
        assert here.reopens == here.day_end == pd.Timestamp(opens, tz="America/Chicago").value
    assert at(opens).open
    assert at(opens).trade_date > day


def test_thanksgiving_and_the_day_after_are_one_trade_day_in_two_parts() -> None:
    thursday, between, friday = at("2026-11-26 09:00"), at("2026-11-26 15:00"), at("2026-11-27 09:00")
    assert {one.trade_date for one in (thursday, between, friday)} == {"2026-11-27"}
    for one in (thursday, between, friday):
        assert one.day_start == pd.Timestamp("2026-11-25 17:00", tz="America/Chicago").value
        assert one.day_end == pd.Timestamp("2026-11-29 17:00", tz="America/Chicago").value
        assert one.settles == pd.Timestamp("2026-11-27 12:30", tz="America/Chicago").value
    assert [one.open for one in (thursday, between, friday)] == [True, False, True]
    assert thursday.opened == thursday.day_start
    assert thursday.reopens == friday.opened == pd.Timestamp("2026-11-26 17:00", tz="America/Chicago").value


def test_the_half_session_of_a_monday_holiday_begins_on_sunday_with_tuesdays_date() -> None:
    sunday = at("2026-01-18 17:00")
    assert (sunday.open, sunday.name, sunday.trade_date) == (True, "asia", "2026-01-20")
    assert at("2026-01-18 16:59:59").trade_date == "2026-01-16"
    assert at("2026-01-19 17:00").trade_date == "2026-01-20"


def test_a_year_that_the_table_does_not_cover_has_regular_hours_and_says_so() -> None:
    here = at("2037-12-25 09:00")
    assert (here.open, here.early, here.covered) == (True, False, False)
    assert at("2035-12-24 09:00").covered
    assert not at("2035-12-31 18:00").covered  # the first evening of 2036


@pytest.mark.parametrize(("when", "first", "last"), [
    ("2026-01-27 17:00", True, False), ("2026-01-27 17:14:59", True, False), ("2026-01-27 17:15", False, False),
    ("2026-01-27 01:44:59", False, False), ("2026-01-27 01:45", False, True), ("2026-01-27 02:00", True, False),
    ("2026-01-27 07:20", True, False), ("2026-01-27 12:15", False, True), ("2026-01-27 15:45", False, True),
    ("2026-01-27 16:00", False, False),
    ("2026-11-27 13:30", False, True),  # closes at 13:45
    ("2026-06-19 11:44:59", False, False), ("2026-06-19 11:45", False, True),  # at 12:00, before New York is over
])
def test_the_first_and_last_fifteen_minutes_are_those_of_the_named_session(when: str, first: bool, last: bool) -> None:
    ts = pd.Timestamp(when, tz="America/Chicago").value
    assert (session(ts).first_15(ts), session(ts).last_15(ts)) == (first, last)


@pytest.mark.parametrize(("when", "minutes"), [("2026-03-06 15:59", 1), ("2026-10-30 15:00", 60)])
def test_the_close_before_a_change_of_the_clocks_is_at_four(when: str, minutes: int) -> None:
    ts = pd.Timestamp(when, tz="America/Chicago").value
    assert session(ts).minutes_to_close(ts) == minutes


# ---- whole years against the library


def nanoseconds(times: pd.Series) -> np.ndarray:
    """Times as ns since 1970."""
    return times.dt.as_unit("ns").astype("int64").to_numpy().copy()


def schedule(year: int) -> pd.DataFrame:
    """When the market opens and closes, in ns, and the trade date, from the December before to the January after.

    Christmas Eve closes at 12:45, which the library does not know in the years compared here, but for 2026.
    """
    span = f"{year - 1}-12-15", f"{year + 1}-01-15"
    hours = calendars.get_calendar("CMEGlobex_GC").schedule(*span)
    dates = calendars.get_calendar("CME_TradeDate").schedule(*span).index
    booked = dates[dates.searchsorted(hours.index)].strftime("%Y-%m-%d")
    closes = nanoseconds(hours.market_close)
    for place in np.flatnonzero((hours.index.month == 12) & (hours.index.day == 24)):
        closes[place] = pd.Timestamp(f"{hours.index[place]:%Y-%m-%d} 12:45", tz="America/Chicago").value
    return pd.DataFrame({"opens": nanoseconds(hours.market_open), "closes": closes, "booked": booked})


@pytest.mark.parametrize(("year", "every"), [(2016, 15), (2020, 15), (2021, 15), (2026, 1)])
def test_every_minute_of_a_year_is_as_the_library_has_it(year: int, every: int) -> None:
    table = schedule(year)
    minutes = np.arange(ns(f"{year}-01-01T00:00Z"), ns(f"{year + 1}-01-01T00:00Z"), every * MINUTE)
    parts = table.iloc[table.opens.searchsorted(minutes, side="right") - 1]
    found = [session(ts) for ts in minutes.tolist()]
    assert [one.trade_date for one in found] == parts.booked.to_list()
    assert [one.open for one in found] == (minutes < parts.closes.to_numpy()).tolist()
    assert [one.closes for one in found] == parts.closes.to_list()
    assert [one.opened for one in found] == parts.opens.to_list()
    dates = [one.trade_date for one in found]
    assert dates == sorted(dates)


@given(st.datetimes(datetime(2009, 12, 1), datetime(2036, 2, 1)))  # noqa: DTZ001  (made UTC below)
def test_every_moment_lies_within_its_session_its_part_and_its_trade_day(when: datetime) -> None:
    ts = int(when.replace(tzinfo=UTC).timestamp()) * SECOND
    here = session(ts)
    assert here.starts <= ts < here.ends
    assert here.day_start <= here.opened <= here.starts
    assert here.opened < here.closes < here.reopens <= here.day_end
    assert here.open == (ts < here.closes) == (here.name != "closed")
    for edge in (here.starts, here.ends):  # the neighbours are other sessions, and know where they meet
        before, after = session(edge - 1), session(edge)
        assert (before.name, before.opened) != (after.name, after.opened)
        assert before.ends == after.starts == edge
