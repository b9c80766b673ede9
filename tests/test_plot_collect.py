"""What a picture is made of: every number in the arrays is one of the packets'."""

from __future__ import annotations

import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterator
from math import isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.blocks import MBO
from qmo_cli.errors import BadData, UsageError
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.packets import fixed
from qmo_cli.plot import Collection, Series
from qmo_cli.plot.marks import MOST_MARKS, Largest, Mark
from qmo_cli.plot.zones import MOST_ENDED, Lives
from qmo_cli.tray import Packet

from .laws import Setup, packets
from .plotting import (
    SECOND,
    START,
    Json,
    collected,
    decoded,
    line,
    place_of_sweeps,
    signal,
    simulated,
    stop,
    sweep,
    walk,
    zone,
)
from .samples import SHARED
from .support import read_dbn

ES = SHARED / "data" / "mbo" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
DAY = 86_400


def wire(every: str = "1s") -> tuple[list[Json], Series]:
    """Lines of a simulated market as they stand there, and what is collected from them."""
    given = [json.loads(one) for one in simulated(every=every)]
    return given, collected(given)


def values(column: array[float]) -> list[float | None]:
    """A column with None where nothing is known."""
    return [None if isnan(value) else value for value in column]


def zoned(second: int, *zones: Json, slot: str = "iceberg", **more: Any) -> Packet:
    """A packet with these zones."""
    slots: Json = {slot: {"zones": list(zones), **more}}
    return decoded(line(second, **slots))


# ---- rows


def test_each_frame_of_a_second_is_a_row_with_the_packets_numbers() -> None:
    given, series = wire()
    states = series.states
    assert list(states.ts) == [int(one["ts"]) for one in given]
    for column, path in ((states.price, "price"), (states.bid, "bid"), (states.ask, "ask")):
        assert values(column) == [one["market"][path] for one in given]
    for column, name in ((states.cvd, "cvd"), (states.vwap, "vwap")):
        assert values(column) == [(one["orderflow"] or {}).get(name) for one in given]


def test_each_second_that_traded_is_a_row_with_the_packets_numbers() -> None:
    given, series = wire()
    rows: dict[int, list[list[Any]]] = {}
    for one in given:
        for row in one["inputs"]["trades"]["seconds"]:
            rows.setdefault(row[0], []).append(row)
    trades = series.trades
    assert list(trades.second) == list(rows)
    assert len(rows) > 100
    whole = list(rows.values())
    assert list(trades.open) == [parts[0][1] for parts in whole]
    assert list(trades.high) == [max(part[2] for part in parts) for parts in whole]
    assert list(trades.low) == [min(part[3] for part in parts) for parts in whole]
    assert list(trades.close) == [parts[-1][4] for parts in whole]
    for column, place in ((trades.buy, 5), (trades.sell, 6), (trades.none, 7)):
        assert list(column) == [sum(part[place] for part in parts) for parts in whole]
    assert trades.count == sum(one["inputs"]["trades"]["trades"] for one in given)


@pytest.mark.parametrize("every", ["250ms", "10s", "trade"])
def test_trades_do_not_depend_on_the_length_of_frames(every: str) -> None:
    assert wire(every)[1].trades == wire()[1].trades


def test_frames_shorter_than_a_second_make_one_row_with_the_widest_quote() -> None:
    given, series = wire("250ms")
    groups: dict[int, list[Json]] = {}
    for one in given:
        groups.setdefault((int(one["ts"]) - 1) // SECOND, []).append(one)
    states = series.states
    assert max(map(len, groups.values())) == 4
    assert list(states.ts) == [int(group[-1]["ts"]) for group in groups.values()]
    assert list(states.bid) == [min(one["market"]["bid"] for one in group) for group in groups.values()]
    assert list(states.ask) == [max(one["market"]["ask"] for one in group) for group in groups.values()]
    assert list(states.price) == [group[-1]["price"] for group in groups.values()]


def test_a_side_of_the_book_that_is_empty_for_a_moment_leaves_what_the_rest_of_the_second_knows() -> None:
    first, second = line(1), line(1)
    first["ts"] = str(START + SECOND // 2)
    second["market"]["bid"] = None
    states = collected([first, second]).states
    assert (list(states.bid), list(states.ask)) == ([2499.9], [2500.1])


def test_one_process_collects_what_the_wire_gives() -> None:
    collection = Collection()
    blocks = simulate(SimOptions(seed=9, minutes=3.0, rate=30.0, icebergs=0.05))
    collection.read([[packet] for packet in packets(blocks, Setup())])
    here, there = collection.choose(), wire()[1]
    assert values(here.states.vwap) == values(there.states.vwap)
    for name in ("trades", "profile", "sweeps", "stops", "grabs", "episodes", "flags", "qualities"):
        assert getattr(here, name) == getattr(there, name), name
    for name in ("icebergs", "absorption"):
        ours, theirs = getattr(here, name), getattr(there, name)
        assert (ours.standing, ours.ended) == (theirs.standing, theirs.ended)
    assert there.icebergs.standing


def test_a_bar_is_a_row_without_sides() -> None:
    one = line(60, inputs={"trades": None})
    one["inputs"]["bars"] = [{"ts": str(START), "interval": 60, "open": 1.0, "high": 4.0, "low": 0.5, "close": 2.0,
                              "volume": 70}]
    trades = collected([one]).trades
    assert (list(trades.second), list(trades.length), trades.bars) == ([START // SECOND], [60], 1)
    assert (trades.open[0], trades.high[0], trades.low[0], trades.close[0]) == (1.0, 4.0, 0.5, 2.0)
    assert (trades.buy[0], trades.sell[0], trades.none[0], trades.count) == (0, 0, 70, 0)


@pytest.mark.skipif(not ES.exists(), reason="needs the real market data beside the repository")
def test_a_real_session_is_collected_whole() -> None:
    """Against the vendor's decoder: every trade of the file, its volume by side, highest and lowest price."""
    collection = Collection()
    collection.read([[packet] for packet in packets(open_source([str(ES)]), Setup())])
    trades = collection.choose().trades
    size, sides, prices = 0, Counter[str](), []
    for record in read_dbn(ES):
        if record[1] == MBO and record[38:39] == b"T":
            contracts = int.from_bytes(record[32:36], "little")
            sides[record[39:40].decode()] += contracts
            prices.append(int.from_bytes(record[24:32], "little", signed=True) / 1e9)
            size += 1
    assert trades.count == size > 2000
    assert (sum(trades.buy), sum(trades.sell), sum(trades.none)) == (sides["B"], sides["A"], sides["N"])
    assert (max(trades.high), min(trades.low), trades.close[-1]) == (max(prices), min(prices), prices[-1])


# ---- volume at price


def test_the_profile_is_the_sum_of_the_packets() -> None:
    given, series = wire()
    volumes: dict[int, list[int]] = {}
    for one in given:
        for price, buy, sell, none in one["inputs"]["trades"]["profile"]:
            row = volumes.setdefault(fixed(price), [0, 0, 0])
            row[:] = [row[0] + buy, row[1] + sell, row[2] + none]
    assert series.profile.volumes == volumes


def test_the_profile_is_the_one_whose_point_of_control_the_packets_name() -> None:
    _, series = wire()
    assert series.flow is not None
    assert series.flow.poc is not None
    most = max(sum(row) for row in series.profile.volumes.values())
    assert sum(series.profile.volumes[fixed(series.flow.poc)]) == most


def test_a_new_trade_date_begins_a_new_profile() -> None:
    series = collected([line(1, 2500.0, trades=5), line(DAY, 2501.0, trades=-7)])
    assert series.profile.volumes == {fixed(2501.0): [0, 7, 0]}
    assert series.profile.trade_date == "2026-01-28"


def test_another_contract_begins_a_new_profile() -> None:
    series = collected([line(1, 2500.0, trades=5), line(2, 2503.0, trades=2, instrument_id=9, symbol="GCJ6")])
    assert series.profile.volumes == {fixed(2503.0): [2, 0, 0]}
    assert list(series.symbols) == ["GCG6", "GCJ6"]


# ---- zones


def test_a_zone_lives_from_its_first_evidence_until_it_is_no_longer_told() -> None:
    lives = Lives("iceberg")
    for second, zones in ((5, [zone("a", "B", 1.0, 1.2, "created", 8.0, 3, 5)]), (9, [])):
        lives.take(zoned(second, *zones))
    (life,) = lives.all(START + 20 * SECOND, 0)
    assert (life.first_seen, life.until) == (START + 3 * SECOND, START + 9 * SECOND)


def test_a_zone_that_stands_does_so_until_now() -> None:
    lives = Lives("iceberg")
    lives.take(zoned(5, zone("a", "B", 1.0, 1.2, "created", 8.0, 3, 5)))
    assert [life.until for life in lives.all(START + 20 * SECOND, 0)] == [START + 20 * SECOND]


def test_a_zone_has_a_stage_for_each_state_and_each_width() -> None:
    lives = Lives("absorption")
    told = [("created", 1.2), ("created", 1.2), ("created", 1.3), ("broken", 1.3), ("flipped", 1.3)]
    for second, (state, high) in enumerate(told, 5):
        lives.take(zoned(second, zone("a", "B", 1.0, high, state, 8.0, 3, 5), slot="absorption", count=second))
    stages = lives.standing["a"].stages
    assert [(stage.since - START) // SECOND for stage in stages] == [3, 7, 8, 9]
    assert [stage[1:] for stage in stages] == [
        ("created", 1.0, 1.2), ("created", 1.0, 1.3), ("broken", 1.0, 1.3), ("flipped", 1.0, 1.3)]


def test_a_zone_counts_with_the_most_it_ever_weighed() -> None:
    lives = Lives("iceberg")
    for second, weight in ((5, 8.0), (6, 30.0), (900, 12.0)):
        lives.take(zoned(second, zone("a", "B", 1.0, 1.2, "created", weight, 3, second)))
    assert (lives.standing["a"].weight, lives.standing["a"].latest) == (30.0, 12.0)


def test_a_zone_that_comes_back_into_the_list_goes_on() -> None:
    lives = Lives("iceberg")
    one = zone("a", "B", 1.0, 1.2, "created", 8.0, 3, 5)
    for second, zones in ((5, [one]), (6, []), (7, [one])):
        lives.take(zoned(second, *zones))
    assert list(lives.standing) == ["a"]
    assert not lives.ended
    assert len(lives.standing["a"].stages) == 1


def test_zones_that_ended_before_the_picture_begins_are_not_in_it() -> None:
    lives = Lives("iceberg")
    for second, zones in ((5, [zone("a", "B", 1.0, 1.2, "created", 8.0, 3, 5)]), (9, [])):
        lives.take(zoned(second, *zones))
    assert lives.all(START + 20 * SECOND, START + 9 * SECOND) == []


def test_of_very_many_ended_zones_the_heaviest_are_remembered_and_the_rest_counted() -> None:
    lives, number = Lives("iceberg"), 2 * MOST_ENDED + 1
    weights = [(index * 7919) % 100_003 + 1.0 for index in range(number)]
    lives.take(zoned(1, *(zone(str(index), "B", 1.0, 1.2, "created", weight, 1, 1)
                          for index, weight in enumerate(weights))))
    lives.take(zoned(2))
    assert sorted(life.weight for life in lives.ended.values()) == sorted(weights)[-MOST_ENDED:]
    assert lives.dropped == number - MOST_ENDED


def test_a_packet_without_the_engine_has_no_zones() -> None:
    series = collected([line(1), line(2, iceberg=None, absorption=None, liquidity=None, orderflow=None)])
    assert (series.icebergs.standing, series.absorption.standing, series.grabs.count, series.flow) == ({}, {}, 0, None)


# ---- events


def test_a_sweep_stands_at_its_prices_and_time() -> None:
    one = line(2, inputs={place_of_sweeps(): {"sweeps": [sweep(1.5, "B", 2500.0, 2500.4, 33)]}})
    assert collected([one]).sweeps.marks() == [Mark(START + 3 * SECOND // 2, "B", 2500.0, 2500.4, 33)]


def test_stops_of_one_exchange_event_and_side_are_one_run() -> None:
    stops = [stop(1.5, "A", 2500.0, 3), stop(1.5, "A", 2499.8, 4), stop(1.5, "B", 2500.1, 1), stop(1.7, "A", 2499.5, 2)]
    runs = collected([line(2, inputs={"orders": {"stops": stops}})]).stops
    assert [(mark.side, mark.start, mark.end, mark.size) for mark in runs.marks()] == [
        ("A", 2500.0, 2499.8, 7), ("B", 2500.1, 2500.1, 1), ("A", 2499.5, 2499.5, 2)]
    assert runs.count == 3


def test_a_grab_is_read_where_an_engine_tells_it_and_other_events_are_not() -> None:
    events = [{"kind": "grab", "side": "A", "price": 2504.0, "end": 2503.2, "ts_event": str(START), "bars": 3},
              {"kind": "sweep", "side": "A", "price": 2503.0, "ts_event": str(START)}]
    grabs = collected([line(1, liquidity={"score": 0.4, "events": events})]).grabs
    assert grabs.marks() == [Mark(START, "A", 2504.0, 2503.2, 0)]


@given(st.lists(st.integers(1, 60), max_size=3 * MOST_MARKS))
def test_the_largest_events_are_kept_and_of_equal_ones_the_first(sizes: list[int]) -> None:
    kept = Largest()
    for index, size in enumerate(sizes):
        kept.add(Mark(index, "B", 1.0, 1.0, size))
    ranked = sorted(range(len(sizes)), key=lambda index: (-sizes[index], index))[:MOST_MARKS]
    assert [mark.ts for mark in kept.marks()] == sorted(ranked)
    assert kept.count == len(sizes)


def test_episodes_open_close_and_turn() -> None:
    told = [("HOLD", None), ("BUY", "opened"), ("BUY", None), ("SELL", "reversed"), ("HOLD", "closed"),
            ("BUY", "opened")]
    given = [line(second, signal=signal(*what, 2500.0 + second)) for second, what in enumerate(told, 1)]
    episodes = collected(given).episodes.all()
    assert [(one.type, (one.since - START) // SECOND, one.until and (one.until - START) // SECOND, one.price)
            for one in episodes] == [("BUY", 2, 4, 2502.0), ("SELL", 4, 5, 2504.0), ("BUY", 6, None, 2506.0)]


def test_notices_are_flags_but_clocks_and_ends_are_not() -> None:
    kinds = ["clock", "gap", "roll", "end"]
    notices = [{"kind": kind, "ts_event": None, "detail": "", "count": None, "gap": 3.5 if kind == "roll" else None}
               for kind in kinds]
    flags = collected([line(4, system=notices)]).flags
    assert [tuple(flag) for flag in flags] == [(START + 4 * SECOND, "gap", None), (START + 4 * SECOND, "roll", 3.5)]


def test_spans_of_quality_meet() -> None:
    told = ["replay", "replay", "doubtful", "doubtful", "replay"]
    series = collected([line(second, market={"quality": name}) for second, name in enumerate(told, 1)])
    assert [((one.since - START) // SECOND, (one.until - START) // SECOND, one.name) for one in series.qualities] == [
        (1, 2, "replay"), (2, 4, "doubtful"), (4, 5, "replay")]
    assert [one.name for one in series.doubts()] == ["doubtful"]


def test_what_is_usual_is_no_doubt_but_a_worse_part_is() -> None:
    told = ["delayed"] * 5 + ["stale"] + ["delayed"]
    series = collected([line(second, market={"quality": name}) for second, name in enumerate(told, 1)])
    assert series.quality() == "delayed"
    assert [one.name for one in series.doubts()] == ["stale"]


# ---- which part of the input


def test_rows_begin_after_from_but_what_stands_from_before_is_known() -> None:
    given = [line(second, trades=second) for second in (1, 2, 3)]
    given[0]["iceberg"] = {"zones": [zone("a", "B", 1.0, 1.2, "created", 8.0, 1, 1)]}
    given[0]["signal"] = signal("BUY", "opened", 2500.0)
    for later in given[1:]:
        later["iceberg"], later["signal"] = given[0]["iceberg"], signal("BUY", None, 2500.0)
    series = collected(given, since=START + SECOND)
    assert [(ts - START) // SECOND for ts in series.states.ts] == [2, 3]
    assert list(series.trades.buy) == [2, 3]
    assert series.profile.volumes == {fixed(2500.0): [6, 0, 0]}
    assert [life.first_seen for life in series.icebergs.all(series.last, series.since)] == [START + SECOND]
    assert [one.since for one in series.episodes.all()] == [START + SECOND]


def test_reading_ends_with_the_first_frame_after_until() -> None:
    left: Iterator[list[Packet]] = iter([[decoded(one)] for one in walk(10)])
    collection = Collection(until=START + 4 * SECOND)
    collection.read(left)
    assert collection.choose().frames == 4
    assert len(list(left)) == 5


def two_series() -> list[Json]:
    """Two markets; the second trades more often."""
    quiet = [line(second, 10.0, trades=100, series="SI.v.0", symbol="SIH6") for second in (1, 2)]
    busy = [line(second, 2500.0, trades=1) for second in (1, 2, 3)]
    return [*quiet, *busy]


def test_of_several_series_the_one_with_most_trades_is_taken_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "qmo_cli"):
        assert collected(two_series()).name == "GC.v.0"
    assert caplog.messages == ["drawing GC.v.0, the series with most trades; --symbol takes another: SI.v.0"]


@pytest.mark.parametrize("name", ["SI.v.0", "SIH6"])
def test_a_series_can_be_asked_for_by_either_name(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert collected(two_series(), wanted=frozenset({name})).name == "SI.v.0"
    assert caplog.messages == []


def test_between_series_that_traded_alike_the_name_decides() -> None:
    given = [line(1, trades=1, series=name) for name in ("B", "A", "C")]
    assert collected(given).name == "A"


# ---- nothing to draw


def test_no_packet_is_nothing_to_plot() -> None:
    with pytest.raises(BadData, match="the input holds no packet"):
        Collection().choose()


def test_packets_without_any_price_are_nothing_to_plot() -> None:
    with pytest.raises(BadData, match="no price in 2 frames of GC"):
        collected([line(1, None), line(2, None)])


def test_a_series_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no PL\.v\.0; there are GC\.v\.0, SI\.v\.0"):
        collected(two_series(), wanted=frozenset({"PL.v.0"}))


def test_a_time_outside_the_input_is_told_the_input_s() -> None:
    with pytest.raises(UsageError, match="frames from 2026-01-27T15:30:01Z to 2026-01-27T15:30:03Z"):
        collected(walk(3), since=START + DAY * SECOND)
