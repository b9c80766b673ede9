"""Sessions and trade dates; expected times are from CME's published hours (17:00 to 16:00 Chicago) by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.sessions import next_trade_day_start, session, session_name, trade_date, trade_day_start

SECOND = 10**9


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
    assert timedelta(hours=23) <= timedelta(seconds=(end - start) // SECOND) <= timedelta(hours=73)


def test_minutes_count_down_to_settlement_and_close() -> None:
    ts = ns("2026-01-27T15:30:45Z")  # 09:30:45 in Chicago; settlement 12:30, close 16:00
    assert session(ts).minutes_to_settlement(ts) == 179
    assert session(ts).minutes_to_close(ts) == 389


def test_there_is_nothing_to_count_down_to_once_it_has_passed() -> None:
    ts = ns("2026-01-27T22:30:00Z")
    assert session(ts).minutes_to_settlement(ts) is None
    assert session(ts).minutes_to_close(ts) is None
