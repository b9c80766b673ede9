"""Events, frames and schemas that meet in time: records written by hand, answers worked out by hand."""

from __future__ import annotations

from typing import Any

from qmo_cli.blocks import SECOND

from .reference_scripts import MS, Frame, bought, frames, offered, only
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .streams import clock, gap
from .support import START, bbo, mbo, mbp1, mbp10, ohlcv, trade

BOOK = [(1999.9, 3, 1)], [(2000.0, 5, 2)]


def ends(found: list[Frame]) -> list[tuple[int, int]]:
    """Frame ends in ms from the start, and instruments."""
    return [((frame["ts"] - START) // MS, frame["instrument_id"]) for frame in found]


def at(ms: int, **rest: Any) -> dict[str, Any]:
    return {"ts_event": START + ms * MS, "ts_recv": START + ms * MS, **rest}


# Late trades, prints


def test_a_late_trade_counts_in_the_newest_second_that_has_traded() -> None:
    records = [trade("B", 2000.0, 1, **at(1100)), trade("A", 1999.0, 2, **at(900)), trade("B", 2001.0, 3, **at(1200))]
    second = START // SECOND + 1
    assert frames(records)[0]["inputs"]["trades"]["seconds"] == [[second, 2000.0, 2001.0, 1999.0, 2001.0, 4, 2, 0, 3]]


def test_a_late_trade_does_not_go_back_to_a_second_of_an_earlier_frame() -> None:
    records = [trade("B", 2000.0, 1, **at(1090)), trade("B", 2000.0, 1, **at(1110)), trade("A", 1999.0, 2, **at(990))]
    rows = [frame["inputs"]["trades"]["seconds"] for frame in frames(records, "50ms")]
    second = START // SECOND + 1
    assert [[(row[0], row[8]) for row in each] for each in rows] == [[(second, 1)], [(second, 2)]]


def test_prints_of_one_size_stand_in_the_order_of_exchange_time() -> None:
    records = [trade("B", 2000.0, 5, **at(300)), trade("B", 2001.0, 5, **at(200)), trade("B", 2002.0, 6, **at(400))]
    assert [one["price"] for one in frames(records)[0]["inputs"]["trades"]["prints"]] == [2002.0, 2001.0, 2000.0]


def test_only_what_prints_after_the_hit_goes_through_a_level() -> None:
    script = Script().event(cleared()).event(added(1, "A", 2000.0, 1)).event(added(2, "A", 2000.2, 1))
    script.event(traded("B", 2000.2, 1, 7), filled(2, "A", 2000.2, 1), cancelled(2, "A", 2000.2, 1))
    script.event(traded("B", 2000.0, 1, 8), filled(1, "A", 2000.0, 1), cancelled(1, "A", 2000.0, 1))
    depth = only(script)["inputs"]["depth"]
    assert [(hit["price"], hit["through"]) for hit in depth["hits"]] == [(2000.2, False), (2000.0, False)]
    script.event(traded("N", 2000.1, 1))
    assert [hit["through"] for hit in only(script)["inputs"]["depth"]["hits"]] == [False, True]


def test_a_level_that_is_hit_again_after_something_printed_beyond_it_begins_a_new_row() -> None:
    script = Script().event(cleared()).event(added(1, "A", 2000.0, 9)).event(added(2, "A", 2000.1, 9))
    for price, size in ((2000.0, 2), (2000.0, 3), (2000.1, 1), (2000.0, 4)):
        script.event(traded("B", price, size, 7))
    hits = only(script)["inputs"]["depth"]["hits"]
    assert [(hit["price"], hit["traded"], hit["beyond"], hit["through"]) for hit in hits] == [
        (2000.0, 5, False, True), (2000.1, 1, False, False), (2000.0, 4, True, False)]


def test_hits_and_flow_are_told_by_whole_seconds_whatever_the_frame() -> None:
    script = Script().event(cleared()).event(added(1, "A", 2000.0, 20)).event(added(3, "B", 1999.9, 5))
    for size in (1, 2, 3):
        script.event(traded("B", 2000.0, size, 7), filled(1, "A", 2000.0, size), modified(1, "A", 2000.0, 20 - size))
        script.event(modified(1, "A", 2000.0, 20)).wait(SECOND)
    depth = frames(script.records, "1m")[0]["inputs"]["depth"]
    start = START // SECOND
    assert [(hit["second"] - start, hit["traded"], hit["replenished"]) for hit in depth["hits"]] == [
        (0, 1, 0), (1, 2, 0), (2, 3, 0)]
    # the first offer of 20 and the first bid of 5; then each offer taken comes back
    assert [(second - start, ofi[0]) for second, ofi in depth["flows"]] == [(0, -15)]
    assert [frame["inputs"]["depth"]["ofi"] for frame in frames(script.records)] == [-15, 0, 0]


def test_a_sweep_that_may_go_on_comes_out_with_the_last_frame() -> None:
    script = Script().event(cleared()).event(*[added(1 + rank, "A", 2000.0 + rank / 10, 1) for rank in range(3)])
    for rank in range(3):
        price = 2000.0 + rank / 10
        script.event(
            traded("B", price, 1, 7), filled(1 + rank, "A", price, 1), cancelled(1 + rank, "A", price, 1))
    assert [sweep["levels"] for sweep in only(script)["inputs"]["trades"]["sweeps"]] == [3]


# The book told anew


def test_orders_that_an_event_puts_back_after_clearing_the_book_are_no_flow() -> None:
    script = offered(5).event(cleared(), added(1, "A", 2000.0, 5), added(2, "B", 1999.9, 4))
    depth = only(script)["inputs"]["depth"]
    # the flow is that of the two orders before: a first bid of 1 and a first offer of 5
    assert (depth["ofi"], depth["added_bid"], depth["added_ask"], depth["removed_ask"]) == (1 - 5, 1, 5, 0)
    script.event(added(3, "B", 1999.9, 2))
    assert only(script)["inputs"]["depth"]["ofi"] == 1 - 5 + 2


def test_what_trades_take_from_a_level_is_no_more_than_it_displayed() -> None:
    bids, asks = BOOK
    records = [
        mbp10("A", "A", 2000.0, 5, bids, asks, **at(0)),
        mbp10("T", "B", 2000.0, 12, bids, asks, **at(1)),
        mbp10("C", "A", 2000.0, 5, bids, [(2000.0, 2, 1)], **at(1)),
    ]
    depth = frames(records)[0]["inputs"]["depth"]
    assert (depth["added_ask"], depth["removed_ask"]) == (2, 0)  # five went by trading, two came


def test_a_level_that_goes_out_of_sight_is_neither_pulled_nor_replenished() -> None:
    bids, _ = BOOK
    ladder = [(2000.0 + rank / 10, 5, 1) for rank in range(11)]
    records = [
        mbp10("A", "A", 2000.1, 5, bids, ladder[1:], **at(0)),
        mbp10("T", "B", 2001.0, 4, bids, ladder[1:], **at(1)),  # the worst level is traded, and a better one comes
        mbp10("A", "A", 2000.0, 5, bids, ladder[:10], **at(1)),
    ]
    depth = frames(records)[0]["inputs"]["depth"]
    assert (depth["added_ask"], depth["removed_ask"]) == (5, 0)


def test_the_levels_of_a_trade_are_those_before_it() -> None:
    bids, asks = BOOK
    records = [
        mbp10("A", "A", 2000.0, 5, bids, asks, **at(0)),
        mbp10("A", "A", 2000.0, 4, bids, [(2000.0, 9, 3)], **at(1)),  # in the trade's event, ahead of it
        mbp10("T", "B", 2000.0, 2, bids, [(2000.0, 9, 3)], **at(1)),
        mbp10("M", "A", 2000.0, 2, bids, [(2000.0, 7, 3)], **at(1)),
    ]
    hit = frames(records)[0]["inputs"]["depth"]["hits"][0]
    assert (hit["before"], hit["after"], hit["replenished"]) == (9, 7, 0)


# Events that do not end, clocks, interruptions


def test_a_snapshot_that_ends_by_time_is_not_unterminated() -> None:
    script = Script().snapshot(added(1, "B", 1999.0, 2)).wait(2 * SECOND).snapshot(added(2, "B", 1998.0, 2))
    assert [frame["health"]["flags"] for frame in frames(script.records)] == [["bad_ts_recv", "snapshot"]] * 2


def test_the_end_of_a_snapshot_may_be_a_record_of_another_schema() -> None:
    script = Script().snapshot(added(1, "B", 1999.0, 2)).raw(trade("B", 2000.0, 1, **at(2)))
    script.snapshot(added(2, "B", 1998.0, 2))
    assert only(script)["health"]["resting"] == 2


def test_a_record_of_another_instrument_ends_an_event_that_has_lasted_a_second() -> None:
    edge = START + SECOND
    records = [
        mbo("R", ts_event=edge - 10 * MS, ts_recv=edge - 10 * MS),
        mbo("A", "B", 1999.0, 1, 5, ts_event=edge - 5 * MS, ts_recv=edge - 5 * MS, flags=0),
        mbo("R", ts_event=edge + 10 * MS, ts_recv=edge + 10 * MS, instrument=2),
        mbo("R", ts_event=edge + 996 * MS, ts_recv=edge + 996 * MS, instrument=2),
        mbo("A", "B", 1998.0, 1, 6, ts_event=edge + 10 * MS, ts_recv=edge + 10 * MS),
    ]
    found = frames(records)
    assert ends(found) == [(1000, 1), (2000, 1), (2000, 2)]
    assert [(frame["closed"], frame["health"]["flags"], frame["health"]["resting"]) for frame in found] == [
        (True, ["unterminated"], 1), (False, [], 2), (False, [], 0)]


def test_what_belongs_to_an_event_that_goes_on_is_not_late() -> None:
    edge = START + SECOND
    records = [
        mbo("R", ts_event=edge - 10 * MS, ts_recv=edge - 10 * MS, flags=0),
        mbo("R", ts_event=edge + 10 * MS, ts_recv=edge + 10 * MS, instrument=2),
        mbo("A", "B", 1998.0, 1, 6, ts_event=edge - 10 * MS, ts_recv=edge - 5 * MS),
        mbo("A", "B", 1998.0, 1, 7, ts_event=edge - 10 * MS, ts_recv=edge - 4 * MS),
    ]
    found = frames(records)
    assert ends(found) == [(1000, 1), (2000, 1), (2000, 2)]
    assert [frame["health"]["late"] for frame in found] == [0, 1, 0]


def test_a_clock_covers_only_a_frame_that_it_ends() -> None:
    two = offered(5).event(cleared(), instrument=2)
    assert ends(frames([*two.records, clock(START + 1500 * MS)])) == [(1000, 1), (1000, 2)]
    late = [*two.records, mbo("R", ts_event=START + 2 * SECOND, ts_recv=START + 2 * SECOND, instrument=2)]
    found = frames([*late, clock(START + 2100 * MS)])  # the record of 2 has ended that frame for both
    assert ends(found) == [(1000, 1), (1000, 2), (3000, 2)]
    found = frames([*late, clock(START + 3 * SECOND)])
    assert ends(found) == [(1000, 1), (1000, 2), (3000, 1), (3000, 2)]


def test_a_clock_covers_the_frames_behind_an_event_that_goes_on() -> None:
    script = offered(5).event(traded("B", 2000.0, 5, 77), last=False).raw(clock(START + 120 * MS))
    script.wait(120 * MS).event(filled(1, "A", 2000.0, 5), cancelled(1, "A", 2000.0, 5))
    found = frames(script.records, "50ms")
    assert ends(found) == [(50, 1), (100, 1)]
    assert [frame["market"]["volume"] for frame in found] == [5, 0]
    assert [frame["market"]["ask"] for frame in found] == [None, None]


def test_an_interruption_ends_events_and_frames() -> None:
    script = bought(offered(5), 2, modified(1, "A", 2000.0, 3)).event(traded("B", 2000.0, 1, 78), last=False)
    script.raw(gap(START + 500 * MS)).wait(600 * MS).event(added(7, "A", 2001.0, 1))
    found = frames(script.records)
    assert ends(found) == [(500, 1), (1000, 1)]
    assert [(frame["closed"], frame["market"]["volume"]) for frame in found] == [(True, 3), (False, 0)]
    assert found[0]["health"]["flags"] == ["unterminated"]


# Frames by trade and by count


def test_a_frame_by_trade_ends_with_the_event_that_trades() -> None:
    script = bought(bought(offered(5), 2, modified(1, "A", 2000.0, 3)), 1, modified(1, "A", 2000.0, 2))
    found = frames(script.event(added(7, "A", 2001.0, 1)).records, "trade")
    assert [(frame["closed"], frame["market"]["volume"]) for frame in found] == [(True, 2), (True, 1), (False, 0)]
    assert [frame["ts"] - START for frame in found] == [3 * MS + 100_000, 4 * MS + 100_000, 5 * MS + 100_000]


def test_a_frame_by_count_ends_with_the_event_that_reaches_it() -> None:
    script = bought(offered(5), 2, modified(1, "A", 2000.0, 3)).event(added(7, "A", 2001.0, 1))
    script.raw(trade("B", 2000.0, 1, **at(9)))  # of a poorer schema: it does not count
    found = frames(script.records, "4")
    assert [(frame["closed"], frame["market"]["volume"]) for frame in found] == [(True, 2), (False, 0)]
    assert found[1]["health"]["dropped"] == 1


def test_frames_by_count_that_end_together_come_by_instrument() -> None:
    script = Script().snapshot(added(1, "B", 1999.0, 2), instrument=2).snapshot(added(2, "B", 1999.0, 2), instrument=1)
    found = frames([*script.records, clock(script.now)], "1")
    assert [(frame["instrument_id"], frame["closed"]) for frame in found] == [(1, True), (2, True)]


# Several schemas


def test_what_a_poorer_schema_told_reaches_to_its_newest_trade() -> None:
    bids, asks = BOOK
    records = [
        trade("B", 2000.0, 2, **at(20)), trade("B", 2000.0, 3, **at(10)),
        mbp10("T", "B", 2000.0, 4, bids, asks, **at(15)), mbp10("T", "A", 1999.9, 1, bids, asks, **at(21)),
    ]
    assert frames(records)[0]["market"]["volume"] == 2 + 3 + 1


def test_trades_that_a_poorer_schema_told_are_not_counted_again() -> None:
    bids, asks = BOOK
    records = [
        trade("B", 2000.0, 2, **at(0)), trade("B", 2000.0, 3, **at(10)),
        mbp10("T", "B", 2000.0, 3, bids, asks, **at(10)), mbp10("T", "A", 1999.9, 1, bids, asks, **at(20)),
        trade("A", 1999.9, 1, **at(20)),
    ]
    frame = frames(records)[0]
    assert (frame["market"]["volume"], frame["inputs"]["trades"]["trades"], frame["health"]["dropped"]) == (6, 3, 2)


def test_a_frame_without_a_bar_has_no_volume_where_bars_lead() -> None:
    records = [
        ohlcv((2000.0, 2001.0, 1999.0, 2000.5), 12, ts_event=START),
        bbo((2000.0, 1, 1), (2000.1, 1, 1), **at(2000)),
    ]
    assert [frame["market"]["volume"] for frame in frames(records)] == [12, None]
    assert [frame["market"]["volume"] for frame in frames([records[0], clock(START + 3 * SECOND)])] == [12, None]


def test_coarser_bars_do_not_count_the_volume_again() -> None:
    records = [
        ohlcv((2000.0, 2002.0, 1999.0, 2000.0), 40, ts_event=START - 60 * SECOND, interval="1m"),
        ohlcv((2001.0, 2001.0, 2000.0, 2000.5), 12, ts_event=START - SECOND),
        ohlcv((2000.0, 2002.0, 1999.0, 2000.0), 40, ts_event=START - 60 * SECOND, interval="1m"),
    ]
    frame = frames(records)[0]
    assert (frame["market"]["volume"], frame["market"]["high"], frame["price"]) == (12, 2001.0, 2000.5)
    assert len(frame["inputs"]["bars"]) == 3


def test_a_richer_book_that_takes_over_does_not_flow() -> None:
    bids, asks = BOOK
    records = [
        mbp1("A", "A", 2000.0, 5, bids[0], asks[0], **at(0)),
        mbp1("A", "A", 2000.0, 1, bids[0], (2000.0, 6, 2), **at(1)),
        mbp10("A", "A", 2000.0, 7, bids, [(2000.0, 7, 2), (2000.1, 9, 1)], **at(2)),
    ]
    depth = frames(records)[0]["inputs"]["depth"]
    assert (depth["mlofi"], depth["added_ask"]) == ([0] * 10, 0)


def test_a_price_older_than_a_minute_gives_way_to_the_middle_of_the_quote() -> None:
    script = bought(offered(5), 2, modified(1, "A", 2000.0, 3)).event(modified(9, "B", 1999.0, 1))
    script.wait(58 * SECOND).event(modified(9, "B", 1999.0, 2)).wait(2 * SECOND).event(modified(9, "B", 1999.0, 3))
    found = frames(script.records)
    assert [(frame["price"], frame["market"]["price_basis"]) for frame in found] == [
        (2000.0, "trade"), (2000.0, "trade"), (1999.5, "mid")]
