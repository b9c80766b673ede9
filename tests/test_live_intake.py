"""What one connection brings, sorted: whole events, what symbols mean, what the gateway says, what is too late."""

from __future__ import annotations

import databento_dbn as vendor
import pytest

from qmo_cli.blocks import F_LAST, F_SNAPSHOT, MAPPING, MBO, SECOND, TRADES
from qmo_cli.feeds.live.cursor import Cursor, seen
from qmo_cli.feeds.live.intake import Intake, Names, Said
from qmo_cli.feeds.live.request import Lost, Refused

from .support import START, mapping, mbo, split, trade

MS = 1_000_000


def order(at: int, *, last: bool = True, instrument: int = 1, flags: int = 0) -> bytes:
    """A record ``at`` ms after the start."""
    ts = START + at * MS
    return mbo("A", "B", 2000.0, 1, at, ts_event=ts, ts_recv=ts, flags=flags | F_LAST * last, instrument=instrument)


def said(code: int, words: str) -> bytes:
    return bytes(vendor.SystemMsg(START, words, vendor.SystemCode.from_int(code)))


def error(code: int, words: str) -> bytes:
    return bytes(vendor.ErrorMsg(START, words, True, vendor.ErrorCode.from_int(code)))


def intake(names: Names | None = None, replays: int = 0, newest: int = 0, cursor: Cursor | None = None) -> Intake:
    cursor = cursor or Cursor()
    return Intake(cursor, {} if names is None else names, replays, cursor.skipping(), newest)


def take(one: Intake, *records: bytes) -> list[Said]:
    return list(one.take(b"".join(records)))


def ready(one: Intake, *, all_of_it: bool = False) -> list[bytes]:
    return split(one.ready(all_of_it=all_of_it))


def test_an_event_goes_on_once_its_last_record_is_there() -> None:
    one, event = intake(), [order(0, last=False), order(1, last=False), order(2)]
    assert take(one, event[0]) == []
    assert ready(one) == []
    assert one.oldest == seen(event[0])
    take(one, event[1])
    assert ready(one) == []
    assert one.cursor.positions == {}, "what was not delivered is asked for again"
    take(one, event[2])
    assert ready(one) == event
    assert one.cursor.positions == {MBO: START + 2 * MS}
    assert not one._held
    assert ready(one) == []


def test_what_comes_within_an_event_of_another_instrument_waits_for_it_and_keeps_its_place() -> None:
    one = intake()
    records = [order(0, last=False), order(1, instrument=2), trade("B", 2000.0, 1, ts_event=START, ts_recv=START),
               order(2, last=False, instrument=2), order(3), order(4, instrument=2), order(5, last=False)]
    take(one, *records)
    assert ready(one) == records[:6]
    assert one.oldest == seen(records[6])


def test_a_snapshot_goes_on_as_a_whole() -> None:
    one = intake()
    parts = [order(0, flags=F_SNAPSHOT, last=last) for last in (False, False, True)]
    take(one, *parts[:2])
    assert ready(one) == []
    take(one, parts[2])
    assert ready(one) == parts


def test_what_is_left_of_an_event_that_does_not_end_can_be_had_and_is_not_had_again() -> None:
    one = intake()
    take(one, order(0, last=False))
    assert ready(one, all_of_it=True) == [order(0, last=False)]
    take(one, order(1))
    assert ready(one) == [order(1)]


def test_what_was_delivered_before_is_left_out_even_where_it_is_too_late_by_now() -> None:
    cursor = Cursor()
    cursor.advance(map(seen, [order(0), order(1500)]))
    one = intake(cursor=cursor, newest=START + 5 * SECOND)
    take(one, order(1500), order(4500))
    assert ready(one) == [order(4500)]
    assert list(one.left_out()) == []
    assert one.fresh


def test_records_more_than_a_second_behind_are_counted_told_once_and_not_asked_for_again() -> None:
    one = intake(newest=START + 3 * SECOND)
    take(one, order(1999), order(1500), order(2000), order(2001))
    assert ready(one) == [order(2000), order(2001)]
    [told] = one.left_out()
    assert (told.kind, told.count) == ("skipped", 2)
    assert list(one.left_out()) == []
    assert one.cursor.skipping().known(seen(order(1999)))


def test_lateness_is_judged_by_clock_marks_too_but_the_time_reached_is_that_of_records() -> None:
    one = intake()
    take(one, order(0))
    one.newest = START + 5 * SECOND    # a mark
    take(one, order(3999), order(4000))
    assert ready(one) == [order(0), order(4000)]
    assert (one.late, one.reached) == (1, START + 4 * SECOND)


@pytest.mark.parametrize("behind", [0, 5])
def test_a_halt_is_never_too_late_and_moves_no_time(behind: int) -> None:
    one, ts = intake(newest=START), START - behind * SECOND
    halt = bytes(vendor.StatusMsg(1, 1, ts, ts, is_trading=vendor.TriState.from_str("N")))
    take(one, halt)
    assert ready(one) == [halt]
    assert (one.late, one.newest, one.reached) == (0, START, 0)


def test_a_mapping_goes_on_ahead_of_its_records_and_not_when_it_is_known() -> None:
    names: Names = {}
    one, named = intake(names), mapping("GC.v.0", "GCJ6", instrument=1, ts_event=START)
    take(one, named, order(0))
    assert [record[1] for record in ready(one)] == [MAPPING, MBO]
    assert names == {1: ("GC.v.0", "GCJ6")}
    again = intake(names)
    take(again, named, order(1))
    assert ready(again) == [order(1)]


def test_a_continuous_series_that_means_another_contract_has_moved_said_once_however_often_it_is_said() -> None:
    names: Names = {1: ("GC.v.0", "GCJ6")}
    one, named = intake(names), mapping("GC.v.0", "GCM6", instrument=2, ts_event=START)
    take(one, named, named, order(0, instrument=2))
    assert one.moved == [("GC.v.0", 1, 2)]
    assert names == {1: ("GC.v.0", "GCJ6")}


def test_a_contract_that_is_only_named_better_has_not_moved() -> None:
    names: Names = {1: ("GC.v.0", None)}
    one = intake(names)
    take(one, mapping("GC.v.0", "GCJ6", instrument=1, ts_event=START))
    assert (one.moved, names) == ([], {1: ("GC.v.0", "GCJ6")})
    assert len(ready(one)) == 1


@pytest.mark.parametrize("series", ["GC.FUT", "gc.opt", "GCJ6"])
def test_a_family_or_a_contract_may_have_several_ids(series: str) -> None:
    one = intake({1: (series, "GCJ6")})
    take(one, mapping(series, "GCM6", instrument=2, ts_event=START))
    assert (one.moved, one.names[2]) == ([], (series, "GCM6"))


def test_what_the_gateway_says_of_itself_is_no_news_but_a_slow_reader_is() -> None:
    one = intake()
    assert take(one, said(1, "Subscription request 1 succeeded"), said(4, "End of interval")) == []
    assert not one.heard
    assert take(one, said(0, "Heartbeat")) == []
    assert one.heard
    assert one.beaten == START
    assert take(one, said(2, "Slow reader")) == [Said("vendor", "Slow reader")]
    assert not one.heard


def test_errors_that_do_not_end_a_session_are_told_and_the_others_are_refusals() -> None:
    one = intake()
    assert take(one, error(4, "Unknown symbol XX"), error(7, "Skipped 3 records")) == [
        Said("error", "Unknown symbol XX"), Said("gap", "the vendor left out records: Skipped 3 records")]
    for code in (1, 2, 3, 5, 6, 8):
        with pytest.raises(Refused, match="no more") as refused:
            take(intake(), error(code, "no more"))
        assert refused.value.code == code


def test_what_came_ahead_of_a_refusal_is_not_lost() -> None:
    one = intake()
    with pytest.raises(Refused):
        take(one, order(0), error(6, "Internal error"))
    assert ready(one) == [order(0)]


@pytest.mark.parametrize("data", [b"\x00" * 56, order(0)[:-1], order(0)[:38] + b"?" + order(0)[39:]])
def test_bytes_that_are_no_sound_records_end_the_connection(data: bytes) -> None:
    one = intake()
    with pytest.raises(Lost):
        take(one, order(0), data)


def test_records_that_nobody_reads_are_passed_over() -> None:
    one = intake()
    unknown = bytes([14, 20]) + order(0)[2:]
    assert take(one, unknown, order(1)) == []
    assert ready(one) == [order(1)]


def test_a_stream_from_now_on_is_of_now() -> None:
    assert intake(replays=0).caught_up


def test_a_replay_has_come_to_now_when_the_gateway_says_so_of_each_subscription() -> None:
    one = intake(replays=2)
    take(one, order(0), said(3, "Finished mbo replay"))
    assert not one.caught_up
    take(one, said(3, "Finished trades replay"))
    assert one.caught_up


def test_a_heartbeat_ahead_of_a_replay_is_not_its_end_but_two_without_a_record_between_are() -> None:
    one = intake(replays=1)
    take(one, said(0, "Heartbeat"), order(0), said(0, "Heartbeat"))
    assert not one.caught_up
    take(one, said(0, "Heartbeat"))
    assert one.caught_up


def test_types_are_gone_on_with_each_from_its_own_place() -> None:
    one = intake()
    take(one, order(0), trade("B", 2000.0, 1, ts_event=START + 5, ts_recv=START + 5))
    ready(one)
    assert one.cursor.positions == {MBO: START, TRADES: START + 5}
