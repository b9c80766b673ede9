"""Events written by hand with answers worked out by hand, and real files: what reference and router must say."""

from __future__ import annotations

import pytest

from qmo_cli.blocks import SECOND
from qmo_cli.errors import BadData

from .reference import ReferenceReader
from .reference_scripts import MS, bought, frames, offered, only
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .streams import clock
from .support import SHARED, START, mbo, mbp1, mbp10, ohlcv, read_dbn, tbbo, trade

real_data = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real market data beside the repository")


# Trades and depth


def test_the_sums_of_trades_keep_volume_without_a_side_apart() -> None:
    records = [
        trade("B", 2000.0, 3, ts_event=START, ts_recv=START + 5),
        trade("B", 2000.1, 2, ts_event=START, ts_recv=START + 5),
        trade("A", 2000.0, 4, ts_event=START + 9, ts_recv=START + 14),
        trade("N", 1999.9, 7, ts_event=START + 9, ts_recv=START + 14),
    ]
    found = frames(records)[0]["inputs"]["trades"]
    assert (found["buy"], found["sell"], found["none"], found["trades"]) == (5, 4, 7, 4)
    assert found["seconds"] == [[START // SECOND, 2000.0, 2000.1, 1999.9, 1999.9, 5, 4, 7, 4]]
    assert found["profile"] == [[1999.9, 0, 0, 7], [2000.0, 3, 4, 0], [2000.1, 2, 0, 0]]
    assert [(one["side"], one["price"], one["last"], one["size"], one["levels"]) for one in found["prints"]] == [
        ("N", 1999.9, 1999.9, 7, 1), ("B", 2000.0, 2000.1, 5, 2), ("A", 2000.0, 2000.0, 4, 1)]


def test_a_replenished_level_shows_what_came_back() -> None:
    # 5 displayed, 12 traded, 3 displayed at the end: 10 came back
    script = offered(5).event(traded("B", 2000.0, 12, 77), filled(1, "A", 2000.0, 12), modified(1, "A", 2000.0, 3))
    hit_at = str(START + 3 * MS)
    assert only(script)["inputs"]["depth"]["hits"] == [{
        "second": START // SECOND, "side": "A", "price": 2000.0, "ts_event": hit_at, "ts_last": hit_at, "before": 5,
        "after": 3, "largest": 5, "traded": 12, "beyond": False, "through": False, "replenished": 10}]


def ladder() -> Script:
    """Offers of one lot at 2000.0, 2000.1 and 2000.2, and a bid at 1999.9."""
    script = Script().event(cleared()).event(added(9, "B", 1999.9, 1))
    for rank in range(3):
        script.event(added(1 + rank, "A", 2000.0 + rank / 10, 1))
    return script


def lift(script: Script, rank: int, aggressor: int) -> Script:
    price = 2000.0 + rank / 10
    return script.event(
        traded("B", price, 1, aggressor), filled(1 + rank, "A", price, 1), cancelled(1 + rank, "A", price, 1))


def test_three_levels_within_the_window_are_a_sweep() -> None:
    script = ladder()
    for rank in range(3):
        lift(script, rank, 70 + rank % 2)
    inputs = only(script)["inputs"]
    assert inputs["trades"]["sweeps"] == [{
        "ts_event": str(START + 5 * MS), "side": "B", "start": 2000.0, "end": 2000.2, "levels": 3, "size": 3,
        "aggressors": 2}]
    assert [hit["through"] for hit in inputs["depth"]["hits"]] == [True, True, False]


def test_levels_too_far_apart_in_time_are_no_sweep() -> None:
    script = ladder()
    for rank in range(3):
        lift(script, rank, 70).wait(25 * MS)
    assert only(script)["inputs"]["trades"]["sweeps"] == []


def test_size_that_leaves_without_trading_is_pulled_and_fills_are_not() -> None:
    script = offered(5).event(added(2, "A", 2000.5, 4)).event(added(3, "A", 2000.6, 4))  # 2000.6 is 6 ticks away
    script.event(cancelled(2, "A", 2000.5, 3)).event(cancelled(3, "A", 2000.6, 4))
    bought(script, 2, modified(1, "A", 2000.0, 3))
    depth = only(script)["inputs"]["depth"]
    # the first offer met an empty side: any price is near
    assert (depth["added_ask"], depth["removed_ask"]) == (5 + 4, 3)


def test_order_flow_imbalance_follows_the_published_formula() -> None:
    # bid 1999.9 x 1 and ask 2000.0 x 1; a bid of 3 joins (+3), the ask is taken and 2000.1 x 1 is next (+1)
    script = ladder()
    before = only(script)["inputs"]["depth"]["ofi"]
    script.event(added(20, "B", 1999.9, 3))
    lift(script, 0, 70)
    assert only(script)["inputs"]["depth"]["ofi"] - before == 4
    assert before == 1 - 1  # the first bid (+1) and the first offer (-1); offers behind it are not at the touch


# Events and frames


def test_an_event_belongs_to_the_frame_of_its_first_record_and_takes_effect_when_complete() -> None:
    edge = START + SECOND
    head = offered(5).records
    tail = [
        mbo("T", "B", 2000.0, 5, 77, ts_event=edge - 10, ts_recv=edge - 5, flags=0),
        mbo("F", "A", 2000.0, 5, 1, ts_event=edge - 10, ts_recv=edge - 5, flags=0),
        mbo("C", "A", 2000.0, 5, 1, ts_event=edge - 10, ts_recv=edge + 5),
    ]
    found = frames(head + tail)
    assert [(frame["ts"], frame["closed"]) for frame in found] == [(edge, True)]
    assert found[0]["inputs"]["trades"]["buy"] == 5
    assert found[0]["market"]["ask"] is None
    unfinished = frames(head + tail[:2])
    assert [(frame["ts"], frame["closed"], frame["health"]["flags"]) for frame in unfinished] == [
        (edge, False, ["unterminated"])]


def test_an_event_left_open_for_more_than_a_second_is_ended_and_marked() -> None:
    script = offered(5).event(traded("B", 2000.0, 5, 77), last=False)
    script.wait(2 * SECOND).event(modified(9, "B", 1990.0, 2))
    found = frames(script.records)
    assert [(frame["ts"], frame["health"]["flags"]) for frame in found] == [
        (START + SECOND, ["unterminated"]), (START + 3 * SECOND, [])]
    assert found[0]["inputs"]["trades"]["buy"] == 5


@pytest.mark.parametrize("ended_by", ["record", "clock"])
def test_a_snapshot_without_a_last_flag_ends_at_the_next_record_or_a_clock(ended_by: str) -> None:
    script = Script().snapshot(added(1, "B", 1999.0, 2), added(2, "A", 2001.0, 3))
    script.wait(SECOND)
    if ended_by == "record":
        script.event(modified(1, "B", 1999.0, 1))
    else:
        script.raw(clock(START + SECOND))
    first = frames(script.records)[0]
    assert (first["market"]["bid_size"], first["health"]["resting"], first["closed"]) == (2, 2, True)
    assert first["health"]["flags"] == ["bad_ts_recv", "snapshot"]


def test_a_clock_covers_one_silent_frame() -> None:
    script = offered(5).raw(clock(START + 4 * SECOND + 5)).raw(clock(START + 5 * SECOND))
    found = frames(script.records)
    assert [(frame["ts"] - START) // SECOND for frame in found] == [1, 4, 5]
    assert all(frame["closed"] for frame in found)


def test_a_late_record_goes_into_the_open_frame_and_is_counted() -> None:
    script = offered(5).wait(SECOND).event(added(2, "A", 2001.0, 1)).event(added(3, "A", 2002.0, 1), late=900 * MS)
    found = frames(script.records)
    assert [frame["health"]["late"] for frame in found] == [0, 1]
    assert found[1]["health"]["resting"] == 4


def test_a_record_more_than_a_second_behind_is_bad_data() -> None:
    script = offered(5).wait(SECOND).event(added(2, "A", 2001.0, 1))
    script.event(added(3, "A", 2002.0, 1), late=SECOND + 2 * MS)
    with pytest.raises(BadData):
        frames(script.records)


def test_a_book_without_a_snapshot_is_partial_until_five_clean_minutes_have_passed() -> None:
    script = Script().event(added(1, "A", 2000.0, 5)).event(cancelled(8, "B", 1990.0, 1))
    for _ in range(2):
        script.wait(301 * SECOND).event(modified(1, "A", 2000.0, 4)).event(modified(1, "A", 2000.0, 5))
    found = frames(script.records)
    assert [(frame["health"]["book"], frame["inputs"]["depth"] is None, frame["market"]["ask"]) for frame in found] == [
        ("partial", True, None), ("partial", True, None), ("complete", False, 2000.0)]


def test_frames_of_several_instruments_come_by_end_and_then_by_id() -> None:
    script = Script()
    for instrument in (3, 2):
        script.event(cleared(), instrument=instrument).wait(SECOND)
        script.event(added(1, "B", 1999.0, 1), instrument=instrument)
    assert [((frame["ts"] - START) // SECOND, frame["instrument_id"]) for frame in frames(script.records)] == [
        (1, 3), (2, 2), (2, 3), (3, 2)]


def test_the_quote_of_a_tbbo_record_is_the_one_before_the_trade() -> None:
    record = tbbo("B", 2000.1, 2, (2000.0, 4, 2), (2000.1, 6, 3), ts_event=START, ts_recv=START + 5)
    frame = frames([record], schema="tbbo")[0]
    assert (frame["market"]["bid"], frame["market"]["ask"], frame["market"]["price"]) == (2000.0, 2000.1, 2000.1)
    assert frame["health"]["access"] == "tbbo"
    assert frame["inputs"]["depth"] is None


def test_ten_levels_show_replenishment_too() -> None:
    times = {"ts_event": START, "ts_recv": START + 5}
    bids = [(1999.9, 3, 1)]
    records = [
        mbp10("A", "A", 2000.0, 5, bids, [(2000.0, 5, 2)], **times),
        mbp10("T", "B", 2000.0, 4, bids, [(2000.0, 5, 2)], ts_event=START + 9, ts_recv=START + 14),
        mbp10("M", "A", 2000.0, 4, bids, [(2000.0, 4, 2)], ts_event=START + 9, ts_recv=START + 14),
    ]
    depth = frames(records)[0]["inputs"]["depth"]
    assert depth["hits"] == [{
        "second": START // SECOND, "side": "A", "price": 2000.0, "ts_event": str(START + 9),
        "ts_last": str(START + 9), "before": 5, "after": 4, "largest": 5, "traded": 4, "beyond": False,
        "through": False, "replenished": 3}]
    assert (depth["added_ask"], depth["removed_ask"], depth["ofi"]) == (3, 0, 1)


def test_one_deep_quotes_cannot_tell_what_was_added() -> None:
    records = [
        mbp1("A", "B", 1999.9, 1, (1999.9, 1, 1), (2000.0, 5, 2), ts_event=START, ts_recv=START),
        mbp1("C", "B", 1999.9, 1, (1999.8, 7, 3), (2000.0, 5, 2), ts_event=START + 1, ts_recv=START + 1),
    ]
    depth = frames(records)[0]["inputs"]["depth"]
    assert (depth["added_bid"], depth["removed_bid"]) == (None, None)


def test_a_bar_belongs_to_the_frame_after_its_end() -> None:
    frame = frames([ohlcv((2000.0, 2001.0, 1999.0, 2000.5), 12, ts_event=START)])[0]
    assert frame["ts"] == START + 2 * SECOND
    assert frame["inputs"]["bars"] == [{
        "ts": str(START), "interval": 1, "open": 2000.0, "high": 2001.0, "low": 1999.0, "close": 2000.5, "volume": 12}]
    assert (frame["price"], frame["market"]["price_basis"]) == (2000.5, "bar")


def test_trades_beside_orders_are_not_counted_twice() -> None:
    script = bought(offered(5), 2, modified(1, "A", 2000.0, 3))
    script.raw(trade("B", 2000.0, 2, ts_event=script.now, ts_recv=script.now))
    frame = only(script)
    assert (frame["market"]["volume"], frame["health"]["dropped"], frame["health"]["access"]) == (2, 1, "mbo")


# Real files


@real_data
def test_the_real_christmas_file_gives_the_published_book() -> None:
    reader = ReferenceReader(60 * SECOND, lambda _: 250_000_000)
    for record in read_dbn(SHARED / "data/mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"):
        reader.read(record)
    found = reader.finish()
    market, health = found[-1]["market"], found[-1]["health"]
    assert (reader.events, reader.snapshots) == (47_022, 1)
    assert (health["unknown"], health["resting"], market["bid"], market["ask"]) == (0, 11_217, 4810.0, 4810.25)
    assert health["remainder"] <= health["filled"] / 10_000
    rows = [row for frame in found for row in frame["inputs"]["orders"]["icebergs"]]
    assert sum(row["revealed"] for row in rows) == 477
    assert {row["seen_added"] for row in rows} == {True}


@real_data
def test_the_real_snapshot_file_gives_a_complete_uncrossed_book() -> None:
    reader = ReferenceReader(SECOND, lambda _: 250_000_000)
    for record in read_dbn(SHARED / "data/mbo/esm4-glbx-mdp3-20240508-snapshot.mbo.dbn.zst"):
        reader.read(record)
    health = reader.finish()[-1]["health"]
    assert (reader.snapshots, health["book"], health["unknown"], health["crossed"]) == (1, "complete", 0, False)
