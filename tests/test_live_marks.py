"""Clock marks of silence, by hand: frames of 50 ms, a grace of 10 ms, one second believed without a sign of life."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.blocks import SECOND
from qmo_cli.feeds.live.marks import IDLE, Marks

from .support import START

MS = 1_000_000
FRAME = 50 * MS


def after(ts: int = START, now: float = 100.0) -> Marks:
    """Marks when a record of ``ts`` came at ``now``."""
    marks = Marks(FRAME)
    marks.record(ts, now)
    return marks


def test_a_frame_is_over_ten_milliseconds_after_its_end() -> None:
    marks = after(START + 20 * MS)
    assert marks.due(100.0399) is None   # 20 + 39.9 - 10 = 49.9 ms
    assert marks.due(100.0401) == START + FRAME


def test_a_frame_is_marked_once() -> None:
    marks = after()
    assert [marks.due(100.0 + wait) for wait in (0.061, 0.062, 0.109, 0.111)] == [
        START + FRAME, None, None, START + 2 * FRAME]


def test_of_several_frames_that_are_over_the_last_one_is_marked() -> None:
    assert after().due(100.333) == START + 300 * MS   # 323 ms have passed


def test_marks_stand_at_the_ends_of_frames_whatever_the_time_of_the_record() -> None:
    marks = after(START + 1)
    mark = marks.due(100.5)
    assert mark is not None
    assert (mark % FRAME, mark - START) == (0, 450 * MS)


def test_silence_is_believed_for_one_second() -> None:
    marks = after()
    assert marks.due(102.0) == START + SECOND
    assert [marks.due(now) for now in (103.0, 200.0, 5000.0)] == [None, None, None]
    assert marks.wait(5000.0) == IDLE


def test_a_heartbeat_proves_silence_up_to_when_it_came_and_no_further() -> None:
    marks = after()
    assert marks.due(102.0) == START + SECOND
    marks.heard(105.0)
    assert marks.due(109.0) == START + 4_950 * MS     # 5 s less the grace, at the end of a frame
    assert marks.due(120.0) is None


def test_where_our_clock_runs_fast_the_gateways_own_time_counts() -> None:
    marks = after()
    marks.heard(3_700.0, START + 3_590 * SECOND)      # by ours an hour has passed
    assert marks.due(3_701.0) == START + 3_590 * SECOND


@pytest.mark.parametrize("at", [0, START - 1, START + 99 * SECOND, 2**64 - 1])
def test_a_time_of_the_gateway_that_cannot_be_or_is_ahead_of_ours_does_not_count(at: int) -> None:
    marks = after()
    marks.heard(105.0, at)
    assert marks.proven == START + 5 * SECOND - 10 * MS


def test_what_is_settled_is_a_second_behind_the_newest() -> None:
    marks = after()
    assert (marks.settled, Marks(FRAME).settled) == (START - SECOND, 0)
    marks.heard(105.0)
    marks.due(105.0)
    assert marks.settled == START + 3_950 * MS


def test_nothing_is_marked_while_what_comes_is_of_the_past() -> None:
    marks = after()
    marks.catching_up = True
    assert marks.due(100.5) is None
    assert marks.wait(100.5) == IDLE
    marks.catching_up = False
    assert marks.due(100.5) == START + 450 * MS


def test_before_the_first_record_there_is_no_time() -> None:
    marks = Marks(FRAME)
    marks.heard(100.0)
    assert (marks.due(500.0), marks.wait(500.0), marks.proven) == (None, IDLE, 0)


def test_no_mark_stands_at_or_before_the_newest_record() -> None:
    marks = after(START + FRAME)
    assert marks.due(100.05) is None                  # START + 50 + 50 - 10 = 90 ms: the frame that ends at 50
    marks.record(START + 200 * MS, 100.06)
    assert marks.due(100.07) is None


def test_a_record_behind_a_mark_does_not_move_time_ahead_of_the_records() -> None:
    marks = after()
    assert marks.due(100.5) == START + 450 * MS
    marks.record(START + 300 * MS, 100.6)             # it took 0.3 s longer than the one before
    assert marks.base == START + 300 * MS
    assert marks.due(100.7) is None                   # 300 + 100 - 10 = 390 ms
    assert marks.due(100.82) == START + 500 * MS      # 300 + 220 - 10 = 510 ms


def test_a_record_older_than_the_newest_changes_nothing() -> None:
    marks = after()
    marks.record(START - 20 * MS, 100.04)
    assert (marks.base, marks.arrived) == (START, 100.0)


@pytest.mark.parametrize(("now", "wait"), [(100.0, 0.06), (100.05, 0.01), (100.061, 0.0)])
def test_the_next_look_is_when_a_mark_can_be_due(now: float, wait: float) -> None:
    assert after().wait(now) == pytest.approx(wait, abs=1e-6)


def test_of_long_frames_the_end_is_waited_for_in_short_looks() -> None:
    marks = Marks(3_600 * SECOND)
    marks.record(START + SECOND, 100.0)
    assert marks.wait(100.0) == IDLE


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.sampled_from(["record", "late", "heard", "wait"]), st.integers(0, 3_000)), max_size=60))
def test_marks_rise_never_run_ahead_of_the_clock_and_a_wait_of_nothing_gives_one(steps: list[tuple[str, int]]) -> None:
    marks, now, newest, given = after(), 100.0, START, START
    for step, ms in steps:
        now += ms / 1000
        true = START + round((now - 100.0) * SECOND)
        if step in ("record", "late"):
            ts = max(newest, true - (ms * MS if step == "late" else 0))
            marks.record(ts, now)
            newest = max(newest, ts)
        elif step == "heard":
            marks.heard(now)
        waited = marks.wait(now)
        mark = marks.due(now)
        assert (waited == 0.0) <= (mark is not None), "a look that need not wait is not in vain"
        if mark is not None:
            assert max(newest, given) < mark <= true - 10 * MS
            assert mark % FRAME == 0
            given = mark
