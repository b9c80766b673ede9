"""How many alerts go out and when: the token bucket, quiet hours, and what is summed up."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.alerts.alert import Alert, Parcel
from qmo_cli.alerts.limits import Bucket, Quiet, bucket, local_zone, quiet, zone_of
from qmo_cli.alerts.outbox import BUSY, DOWN, HELD_ROOM, LIMIT, QUIET, ROOM, Outbox
from qmo_cli.alerts.wanted import Wanted
from qmo_cli.errors import UsageError
from qmo_cli.times import SECOND

from .alerting import NOW, alert

CHICAGO, LONDON = ZoneInfo("America/Chicago"), ZoneInfo("Europe/London")


def ns(text: str, zone: ZoneInfo = CHICAGO, fold: int = 0) -> int:
    """ns of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()) * SECOND


def numbers(parcel: Parcel | None) -> list[str]:
    return [] if parcel is None else [item.id for item in parcel.alerts]


def box(limit: str = "2/60s", hours: str | None = None, urgent: str = "") -> Outbox:
    return Outbox(bucket(limit), None if hours is None else quiet(hours, CHICAGO), Wanted.of([urgent], "--urgent"))


def filled(outbox: Outbox, *alerts: Alert) -> Outbox:
    for item in alerts:
        outbox.offer(item)
    return outbox


@given(st.lists(st.floats(0, 500), min_size=1, max_size=80), st.integers(1, 5), st.integers(10, 100))
def test_no_span_holds_more_messages_than_the_bucket_and_its_refill(
    moments: list[float], size: int, period: int,
) -> None:
    tokens = Bucket(size, period)
    taken = [now for now in sorted(moments) if tokens.take(now)]
    for place, begin in enumerate(taken):
        for count, end in enumerate(taken[place:], 1):
            assert count <= size + (end - begin) * size / period + 1e-6


def test_a_bucket_says_when_the_next_token_comes() -> None:
    tokens = Bucket(6, 600)
    assert [tokens.take(0) for _ in range(7)] == [True] * 6 + [False]
    assert tokens.wait(0) == 100.0
    assert not tokens.take(99.9)
    assert tokens.take(100.0)


def test_a_clock_that_goes_back_refills_nothing() -> None:
    tokens = Bucket(1, 10)
    assert tokens.take(100)
    assert not tokens.take(50)
    assert not tokens.take(55)
    assert tokens.take(60)


@pytest.mark.parametrize("text", ["6", "0/10m", "-1/10m", "6/", "six/10m", "6/10", "6/0s", "٣/10m"])
def test_a_limit_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        bucket(text)


@pytest.mark.parametrize(("hours", "time", "within"), [
    ("22:00-07:00", "2026-10-05T21:59", False), ("22:00-07:00", "2026-10-05T22:00", True),
    ("22:00-07:00", "2026-10-06T00:00", True), ("22:00-07:00", "2026-10-06T06:59", True),
    ("22:00-07:00", "2026-10-06T07:00", False), ("12:00-13:30", "2026-10-05T13:29", True),
    ("12:00-13:30", "2026-10-05T13:30", False), ("00:00-24:00", "", False), ("9:00-09:01", "2026-10-05T09:00", True),
])
def test_quiet_hours_begin_and_end_by_the_clock_on_the_wall(hours: str, time: str, within: bool) -> None:
    if not time:
        with pytest.raises(UsageError):
            quiet(hours, CHICAGO)
        return
    assert quiet(hours, CHICAGO)(ns(time)) is within


def test_quiet_hours_follow_the_clocks_when_they_are_changed() -> None:
    # Chicago goes from 02:00 to 03:00 on 2026-03-08, and from 02:00 back to 01:00 on 2026-11-01
    night = quiet("01:30-02:30", CHICAGO)
    spring = ns("2026-03-08T01:59")
    assert night(spring)
    assert not night(spring + 60 * SECOND)      # 03:00: the rest of these hours does not exist
    first, second = ns("2026-11-01T01:45", fold=0), ns("2026-11-01T01:45", fold=1)
    assert second - first == 3600 * SECOND
    assert night(first)
    assert night(second)
    assert not night(ns("2026-11-01T01:15", fold=1))
    assert quiet("22:00-07:00", LONDON)(ns("2026-10-25T01:30", LONDON, fold=1))


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 10_000))
def test_quiet_hours_last_as_long_as_they_say(begin: int, end: int, day: int) -> None:
    hours = Quiet(begin, end, ZoneInfo("UTC"))
    minutes = sum(hours((day * 1440 + minute) * 60 * SECOND) for minute in range(1440))
    assert minutes == (end - begin) % 1440


@pytest.mark.parametrize("text", ["22-7", "22:00", "24:00-07:00", "22:00-22:00", "22:60-07:00", ""])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--quiet-hours"):
        quiet(text, CHICAGO)


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    assert zone_of("America/Chicago") == CHICAGO
    for name in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(UsageError, match="--timezone"):
            zone_of(name)


def test_the_zone_of_this_machine_follows_tz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert local_zone() == ZoneInfo("Asia/Tokyo")


def test_alerts_within_the_limit_go_out_one_by_one_in_order() -> None:
    outbox = filled(box("3/60s"), alert(1), alert(2), alert(3))
    assert [numbers(outbox.take(NOW, 0)) for _ in range(4)] == [["1"], ["2"], ["3"], []]
    assert outbox.fates == []


def test_what_is_beyond_the_limit_comes_in_one_summary_when_a_token_is_there() -> None:
    outbox = filled(box("2/60s"), *(alert(number) for number in range(1, 6)))
    assert [numbers(outbox.take(NOW, 0)) for _ in range(3)] == [["1"], ["2"], []]
    assert [(fate.alert.id, fate.reason) for fate in outbox.fates] == [("3", LIMIT), ("4", LIMIT), ("5", LIMIT)]
    assert outbox.wait(NOW, 0) == 30.0
    outbox.offer(alert(6))
    assert outbox.take(NOW, 29.9) is None
    summary = outbox.take(NOW, 30.0)
    assert summary is not None
    assert (numbers(summary), summary.held, summary.count, summary.reasons) == (["3", "4", "5", "6"], True, 4, (LIMIT,))
    assert outbox.wait(NOW, 30.0) is None


def test_at_the_end_the_rest_goes_out_in_one_summary_whatever_the_limit() -> None:
    outbox = filled(box("1/60s"), alert(1), alert(2), alert(3))
    assert numbers(outbox.take(NOW, 0, last=True)) == ["1"]
    assert numbers(outbox.take(NOW, 0, last=True)) == ["2", "3"]
    assert outbox.take(NOW, 0, last=True) is None


def test_quiet_hours_hold_all_but_what_is_urgent_and_end_with_a_summary() -> None:
    outbox = filled(box("5/60s", "22:00-07:00", "data,decision:closed"), alert(1), alert(2, kind="closed"), alert(3))
    night, morning = ns("2026-10-05T23:00"), ns("2026-10-06T07:00")
    assert numbers(outbox.take(night, 0)) == ["2"]
    assert outbox.take(night, 1) is None
    assert [(fate.alert.id, fate.reason) for fate in outbox.fates] == [("1", QUIET), ("3", QUIET)]
    assert outbox.wait(night, 1) == 30.0        # the clock on the wall may be set: it is looked at again
    assert outbox.take(night, 2, last=True) is None
    assert numbers(outbox.take(morning, 3)) == ["1", "3"]


def test_an_urgent_alert_in_quiet_hours_waits_for_a_token() -> None:
    outbox = filled(box("1/60s", "22:00-07:00", "data"), alert(1, topic="data"), alert(2, topic="data"))
    night = ns("2026-10-05T23:00")
    assert numbers(outbox.take(night, 0)) == ["1"]
    assert outbox.take(night, 0) is None
    assert outbox.wait(night, 45) == 15.0
    assert numbers(outbox.take(night, 60)) == ["2"]


def test_what_is_too_much_to_wait_is_held_oldest_first_and_counted() -> None:
    outbox = filled(box(), *(alert(number) for number in range(ROOM + HELD_ROOM + 7)))
    assert [fate.reason for fate in outbox.fates] == [BUSY] * (HELD_ROOM + 7)
    assert [item.id for item in outbox.dropped] == [str(number) for number in range(7)]
    assert outbox.waiting[0].id == str(HELD_ROOM + 7)
    summary = outbox.take(NOW, 0)
    assert summary is not None
    assert (summary.count, summary.left_out, summary.alerts[0].id) == (HELD_ROOM + 7, 7, "7")
    assert numbers(outbox.take(NOW, 0)) == [str(HELD_ROOM + 7)]


def test_a_held_decision_outlasts_events() -> None:
    outbox = box()
    outbox.hold([alert(0), *(alert(number, topic="iceberg") for number in range(1, HELD_ROOM + 9))], LIMIT)
    assert outbox.held[0].topic == "decision"
    assert (len(outbox.held), outbox.left_out, outbox.dropped[0].id) == (HELD_ROOM, 9, "1")


def test_what_waits_behind_a_failure_is_summed_up() -> None:
    outbox = filled(box(), alert(1), alert(2))
    outbox.hold_waiting(DOWN)
    assert numbers(outbox.take(NOW, 0)) == ["1", "2"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=120))
def test_nothing_is_lost_and_each_alert_goes_out_once_and_in_order(steps: list[tuple[bool, int]]) -> None:
    outbox, offered, out, now = box("2/30s"), 0, [], 0.0
    for offer, wait in steps:
        now += wait
        if offer:
            outbox.offer(alert(offered))
            offered += 1
        elif (parcel := outbox.take(NOW, now)) is not None:
            out += [int(item.id) for item in parcel.alerts]
    while (parcel := outbox.take(NOW, now, last=True)) is not None:
        out += [int(item.id) for item in parcel.alerts]
    assert out == list(range(offered))
