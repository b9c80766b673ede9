"""Going on exactly where a connection was lost: nothing lost, nothing twice, against a vendor that replays."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.blocks import F_LAST, F_SNAPSHOT, MBO, SECOND, TRADES, UNDEF_TIME
from qmo_cli.feeds.live.cursor import Cursor, seen

from .support import START, bbo, mbo, trade

MS = 1_000_000
law = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def order(ts_event: int, *, instrument: int = 1, ts_recv: int | None = None, flags: int = F_LAST) -> bytes:
    """A record of the stream of orders; those of one instant are alike."""
    arrived = ts_event if ts_recv is None else ts_recv
    return mbo("A", "B", 2000.0, 1, 7, ts_event=ts_event, ts_recv=arrived, flags=flags, instrument=instrument)


def print_of(ts_event: int, instrument: int = 1) -> bytes:
    return trade("B", 2000.0, 1, ts_event=ts_event, ts_recv=ts_event, instrument=instrument)


def snapshot(ts: int, count: int, instrument: int = 1) -> list[bytes]:
    """Resting orders as of a time, older than it."""
    flags = [F_SNAPSHOT | 8] * (count - 1) + [F_SNAPSHOT | 8 | F_LAST]
    return [
        order(ts - 3_600 * SECOND + number % 3, instrument=instrument, ts_recv=ts, flags=flag)
        for number, flag in enumerate(flags)
    ]


def time_of(record: bytes) -> int:
    return int.from_bytes(record[8:16], "little")


def is_snapshot(record: bytes) -> bool:
    return record[1] == MBO and bool(record[36] & F_SNAPSHOT)


@dataclass
class Vendor:
    """Replays, in the original order, each type from its own start; snapshots of the stream by when they were taken."""

    records: list[bytes]

    def replay(self, cursor: Cursor) -> list[bytes]:
        starts = {rtype: cursor.start(rtype) or 0 for rtype in (MBO, TRADES)}
        return [
            record for record in self.records
            if (int.from_bytes(record[40:48], "little") if is_snapshot(record) else time_of(record))
            >= starts[record[1]]
        ]


def resumed(records: list[bytes], cuts: list[int]) -> list[bytes]:
    """What is delivered of a stream whose connection is lost after so many records of the whole, again and again."""
    vendor, cursor, delivered = Vendor(records), Cursor(), list[bytes]()
    for cut in [*cuts, len(records)]:
        skip = cursor.skipping()
        for record in vendor.replay(cursor):
            if len(delivered) == cut:
                break
            one = seen(record)
            if not skip.known(one):
                delivered.append(record)
                cursor.advance([one])
    return delivered


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Records of two types and instruments: equal instants, some out of order by less than a second, silences."""
    now, records = START, list[bytes]()
    steps = st.sampled_from([0, 0, 0, 1, 30 * MS, 400 * MS, SECOND, 5 * SECOND])
    behind = st.sampled_from([0, 0, 0, 1, 20 * MS, 990 * MS])
    for _ in range(draw(st.integers(1, 60))):
        now += draw(steps)
        instrument, late = draw(st.integers(1, 2)), draw(behind)
        make = print_of if draw(st.booleans()) else order
        records.append(make(now - late, instrument=instrument))
    return records


@law
@given(st.data())
def test_wherever_connections_are_lost_each_record_comes_once_and_in_order(data: st.DataObject) -> None:
    records = data.draw(streams())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
    by_type = {rtype: [one for one in records if one[1] == rtype] for rtype in (MBO, TRADES)}
    found = resumed(records, cuts)
    assert {rtype: [one for one in found if one[1] == rtype] for rtype in by_type} == by_type


@law
@given(st.integers(1, 5), st.lists(st.integers(0, 60), max_size=4).map(sorted), st.integers(1, 2))
def test_snapshots_within_the_stream_are_gone_on_with_where_they_were_torn(
    size: int, cuts: list[int], instruments: int,
) -> None:
    records = [order(START + number * 300 * MS) for number in range(10)]
    for number in range(instruments):
        records += snapshot(START + 4 * SECOND + number, size, instrument=1 + number)
    records += [order(START + 4 * SECOND + 500 * MS + number * 300 * MS) for number in range(10)]
    assert resumed(records, [cut for cut in cuts if cut <= len(records)]) == records


def test_what_a_snapshot_holds_does_not_come_again_where_the_connection_breaks_just_after_it() -> None:
    held = [order(START - 400 * MS), order(START - 1)]
    later = [order(START - 50, ts_recv=START + 50), order(START + 100 * MS)]  # on its way when the snapshot was taken
    cursor = Cursor()
    cursor.advance(map(seen, snapshot(START, 3)))
    assert cursor.start(MBO) == START - SECOND
    skip = cursor.skipping()
    assert [skip.known(seen(one)) for one in [*held, *later]] == [True, True, False, False]


def test_what_follows_a_snapshot_is_not_in_it_even_where_it_is_older_by_its_time() -> None:
    cursor = Cursor()
    cursor.advance(map(seen, [*snapshot(START, 3), order(START - 300 * MS)]))
    skip = cursor.skipping()
    assert [skip.known(seen(order(START - ago * MS))) for ago in (301, 300, 299, 1)] == [True, True, False, False]


def test_a_snapshot_that_was_not_whole_gives_no_place_to_go_on_from() -> None:
    cursor = Cursor()
    cursor.advance(map(seen, snapshot(START, 3)[:2]))
    assert cursor.start(MBO) is None
    assert not cursor.skipping().known(seen(snapshot(START + SECOND, 1)[0])), "that of a new connection"


def test_a_record_more_than_a_second_behind_the_place_is_one_that_was_delivered() -> None:
    cursor = Cursor()
    cursor.advance(map(seen, [order(START), order(START + 10 * SECOND)]))
    assert cursor.skipping().known(seen(order(START + 8 * SECOND)))


def test_a_sampled_quote_is_known_by_the_time_that_the_vendor_files_it_by() -> None:
    touch = bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=START, ts_recv=START + 60 * SECOND)
    assert seen(touch).ts_event == START + 60 * SECOND
    nothing_traded = bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=UNDEF_TIME, ts_recv=START)
    assert seen(nothing_traded).ts_event == START


def test_a_type_of_which_nothing_came_is_asked_for_from_where_the_others_have_come_to() -> None:
    cursor = Cursor()
    cursor.advance([seen(order(START))])
    assert cursor.start(TRADES) is None
    assert cursor.latest == START - SECOND


def test_memory_stays_small_over_a_day_in_which_one_type_is_silent() -> None:
    cursor = Cursor()
    cursor.advance([seen(print_of(START))])
    for second in range(0, 86_400, 40):
        cursor.advance(seen(order(START + second * SECOND + part * 400 * MS)) for part in range(3))
    assert len(cursor.seconds) <= 6
    assert len(cursor.skipping().seen) <= 12


def test_a_new_beginning_knows_nothing() -> None:
    cursor = Cursor()
    cursor.advance(map(seen, [*snapshot(START, 2), order(START + 1)]))
    cursor.clear()
    assert cursor == Cursor()
