"""Order flow: published vectors, hand arithmetic, and an independent account of every number on random tapes."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.orderflow.engine import Orderflow
from qmo_cli.engines.orderflow.flow import Minutes, Window, flow_score, less_absorbed
from qmo_cli.engines.orderflow.reading import OrderflowReading
from qmo_cli.engines.orderflow.series import bias, weighted_mid
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet
from qmo_cli.views import AbsorptionView

from . import engine_oracles as oracle
from .engine_oracles import MINUTE, SECOND, Trade, in_ticks, price, records_of, run, tape
from .handmade import market
from .reference_records import decode
from .support import SHARED, START, bbo, blocks, mapping, mbp1, mbp10, ohlcv, read_dbn, trade

slow = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
OTHER = {"B": "A", "A": "B", "N": "N"}


def flow_run(trades: list[Trade], every: str = "1s") -> list[Packet]:
    return run(records_of(trades), every, ("orderflow",))


def last(packets: list[Packet]) -> Any:
    """The last reading of order flow."""
    return packets[-1].slots["orderflow"]


def busy_minutes(number: int, size: int = 10) -> list[Trade]:
    """One trade in each minute."""
    return [Trade(START + minute * MINUTE, "B" if minute % 2 else "A", 20_000, size) for minute in range(number)]


# ---- the score


def test_the_published_vector() -> None:
    assert flow_score(240, 400, 450, 1500, 100, 90.0) == 0.8402


def test_the_score_is_clipped_before_heat_weighs_it() -> None:
    """2x = 2 (.6 x 900/1000 + .4 x 4000/4500) = 1.79, clipped to 1; heat 80 leaves .4 of it."""
    assert flow_score(900, 900, 4000, 4000, 100, 80.0) == 0.9
    assert flow_score(-900, 900, -4000, 4000, 100, 80.0) == 0.1


def test_flow_of_unknown_rarity_counts_half() -> None:
    assert flow_score(240, 400, 450, 1500, 100, None) == pytest.approx(0.5 + 0.5 * 2 * 0.378 * 0.5)


@pytest.mark.parametrize(("score", "word"), [
    (0.55, "BUY"), (0.549999, "NEUTRAL"), (0.45, "SELL"), (0.450001, "NEUTRAL"), (1.0, "BUY"), (0.0, "SELL")])
def test_bias_begins_five_hundredths_from_the_middle(score: float, word: str) -> None:
    assert bias(score) == word


# ---- every number on random tapes


def check(packet: Packet, trades: list[Trade]) -> None:
    """Compare a packet's reading with the definitions."""
    known = oracle.before(trades, packet.ts)
    reading = packet.slots["orderflow"]
    short, long = oracle.within(trades, packet.ts, 60), oracle.within(trades, packet.ts, 300)
    assert (reading.delta, reading.volume, reading.volume_n) == (
        oracle.delta(short), oracle.volume(short), oracle.volume(one for one in short if one.side == "N"))
    assert (reading.delta_long, reading.volume_long) == (oracle.delta(long), oracle.volume(long))
    volumes, deltas = oracle.minutes(known, packet.ts)
    rare = oracle.heat(abs(reading.delta), deltas)
    assert reading.heat == (None if rare is None else pytest.approx(rare, abs=1e-6))
    assert ("orderflow.heat" in packet.missing) == (rare is None)
    assert reading.score == pytest.approx(oracle.flow_score(known, packet.ts), abs=1e-6)
    sided = sum(one.size for one in short if one.side != "N")
    assert reading.active == (sided > 0 and sided >= 0.5 * oracle.usual_volume(volumes))
    check_levels(reading, oracle.anchored(known))
    check_places(reading, oracle.anchored(known), packet.ts)


def check_levels(reading: Any, since: list[Trade]) -> None:
    assert reading.cvd == oracle.delta(since)
    assert reading.anchor == f"open of trade date {oracle.trade_date(since[-1].ts).date()}"
    average, deviation = oracle.vwap(since)
    assert reading.vwap == pytest.approx(average, abs=1e-6)
    assert reading.vwap_sd == pytest.approx(deviation, abs=1e-6)
    assert reading.vwap_bands == pytest.approx([average + width * deviation for width in (-2, -1, 1, 2)], abs=4e-6)
    low, poc, high = oracle.value_area(oracle.at_price(since))
    assert (reading.val, reading.poc, reading.vah) == (price(low), price(poc), price(high))


def check_places(reading: Any, since: list[Trade], ts: int) -> None:
    """Imbalances, stacks and clusters are as of the last whole minute."""
    settled = oracle.before(since, ts // MINUTE * MINUTE)
    places = oracle.imbalances(settled)
    assert {(in_ticks(one.price), one.side) for one in reading.imbalances} == places
    assert {(in_ticks(one.low), in_ticks(one.high), one.side) for one in reading.stacked} == oracle.stacks(places)
    assert {(in_ticks(one.low), in_ticks(one.high), one.volume) for one in reading.clusters} == oracle.clusters(
        oracle.at_price(settled))


@given(st.binary(min_size=200, max_size=1600), st.sampled_from(["50ms", "1s", "1m", "5m"]))
@slow
def test_every_number_follows_its_definition(data: bytes, every: str) -> None:
    trades = tape(data)
    packets = [packet for packet in flow_run(trades, every) if packet.closed]
    for packet in packets[::max(1, len(packets) // 12)]:
        check(packet, trades)


@given(st.binary(min_size=200, max_size=1500), st.sampled_from(["50ms", "1m", "1h"]))
@slow
def test_no_number_depends_on_the_length_of_the_frame(data: bytes, every: str) -> None:
    def numbers(packets: list[Packet]) -> dict[int, dict[str, Any]]:
        return {packet.ts: {name: getattr(packet.slots["orderflow"], name)
                            for name in Orderflow.reading.__struct_fields__ if name != "large"}
                for packet in packets if packet.closed}

    trades = tape(data)
    second, other = numbers(flow_run(trades)), numbers(flow_run(trades, every))
    for ts in second.keys() & other.keys():
        assert second[ts] == other[ts]


@given(st.binary(min_size=200, max_size=1500))
@slow
def test_a_mirrored_tape_gives_the_mirrored_score(data: bytes) -> None:
    trades = tape(data)
    mirrored = [one._replace(side=OTHER[one.side], ticks=40_000 - one.ticks) for one in trades]
    for one, other in zip(flow_run(trades), flow_run(mirrored), strict=True):
        here, there = one.slots["orderflow"], other.slots["orderflow"]
        assert there.score == pytest.approx(1 - here.score, abs=2e-6)
        assert (there.delta, there.cvd, there.heat, there.active) == (-here.delta, -here.cvd, here.heat, here.active)
        assert there.vwap == pytest.approx(4000 - here.vwap, abs=2e-6)
        assert {(in_ticks(place.price), place.side) for place in there.imbalances} == {
            (40_000 - in_ticks(place.price), OTHER[place.side]) for place in here.imbalances}


def test_a_frame_that_begins_and_ends_within_minutes_still_finds_the_places_of_a_minute_that_ended_in_it() -> None:
    trades = [Trade(START + second * SECOND, "B", 20_000, 30) for second in range(10, 400, 20)]
    assert last(flow_run(trades, "90s")).imbalances
    assert last(flow_run(trades, "7")).imbalances  # seven records: no frame begins in another minute than it ends in


# ---- windows


def second(at: int, buy: int = 0, sell: int = 0, none: int = 0) -> tuple[int, int, int, int]:
    return at, buy, sell, none


def test_a_window_of_sixty_seconds_drops_the_sixty_first() -> None:
    window = Window(60)
    window.add(*second(100, buy=5))
    window.expire(159)
    assert window.buy == 5
    window.expire(160)
    assert (window.buy, len(window)) == (0, 0)


def test_a_window_holds_no_more_than_its_length_however_long_it_runs() -> None:
    window = Window(60)
    for at in range(10_000):
        window.add(*second(at, buy=2, sell=1, none=3))
        window.expire(at)
    assert len(window) == 60
    assert (window.buy, window.sell, window.none) == (120, 60, 180)


def test_usual_volume_is_the_median_minute_once_twenty_have_closed() -> None:
    minutes = Minutes()
    for minute in range(19):
        minutes.add(*second(60 * minute, buy=minute + 1))
    minutes.close_before(19)
    assert minutes.usual == 100
    minutes.add(*second(60 * 19, buy=1000))
    minutes.close_before(20)
    assert minutes.usual == 10.5  # of 1 ... 19 and 1000


def test_heat_is_the_mid_rank_among_thirty_minutes() -> None:
    """|delta| 0 ... 29: 15 has 15 below it and itself, so 15.5 of 30."""
    minutes = Minutes()
    for minute in range(30):
        minutes.add(*second(60 * minute, buy=minute))
    assert minutes.heat(15) is None
    minutes.close_before(30)
    assert minutes.heat(15) == pytest.approx(100 * 15.5 / 30, abs=1e-6)
    assert (minutes.heat(1000), minutes.heat(0)) == (100.0, pytest.approx(100 * 0.5 / 30, abs=1e-6))


def test_a_second_that_comes_late_neither_reopens_nor_splits_a_minute() -> None:
    minutes = Minutes()
    minutes.add(*second(60, buy=5))
    minutes.close_before(2)
    minutes.add(*second(119, buy=3))   # its minute has closed
    minutes.add(*second(125, buy=4))
    minutes.add(*second(118, buy=1))
    minutes.close_before(3)
    assert minutes.volumes == [5, 8]


def test_after_a_weekend_the_minutes_of_friday_are_forgotten_before_anything_trades() -> None:
    friday = busy_minutes(40)
    monday = START + 3 * 86_400 * SECOND
    quote = bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=monday, ts_recv=monday)
    packets = run([*records_of(friday), quote], "1s", ("orderflow",))
    assert last(packets[:-1]).heat is not None
    assert last(packets).heat is None
    assert packets[-1].missing["orderflow.heat"] == "0 of 30 minutes"
    assert (last(packets).delta, last(packets).volume, last(packets).active) == (0, 0, False)


def test_memory_does_not_grow_with_the_days() -> None:
    engine = Minutes()
    for minute in range(5 * 1440):
        engine.add(*second(60 * minute, buy=minute % 7))
    assert len(engine.rows) == len(engine.volumes) == len(engine.deltas) == 23 * 60


def test_the_frame_that_the_input_breaks_off_closes_no_minute() -> None:
    packets = flow_run(busy_minutes(31), "1m")
    assert packets[-1].closed is False
    assert packets[-1].missing.get("orderflow.heat") is None
    assert flow_run(busy_minutes(30), "1m")[-1].missing["orderflow.heat"] == "29 of 30 minutes"


# ---- what counts from an anchor


def test_vwap_and_its_deviation_by_hand() -> None:
    """10 at 2000.0 and 30 at 2000.4: mean 2000.3, deviation sqrt((10 x .09 + 30 x .01) / 40) = .173205."""
    reading = last(flow_run([Trade(START, "B", 20_000, 10), Trade(START + 1, "A", 20_004, 30)]))
    assert (reading.vwap, reading.vwap_sd) == (2000.3, 0.173205)
    assert reading.vwap_bands == [1999.95359, 2000.126795, 2000.473205, 2000.64641]


def test_deviation_stays_exact_over_many_trades_at_high_prices() -> None:
    """A rolling sum of squares of floats gives nonsense here: half at 30,000.0 and half at 30,000.1 deviate by .05."""
    trades = [Trade(START + index, "B", 300_000 + index % 2, 99) for index in range(20_000)]
    assert last(flow_run(trades, "1m")).vwap_sd == pytest.approx(0.05, abs=1e-9)


def test_the_trade_date_changes_at_five_in_the_afternoon_in_chicago() -> None:
    evening = START + 8 * 3600 * SECOND  # 23:00 UTC, 17:00 in Chicago
    trades = [Trade(START, "B", 20_000, 5), Trade(evening - 1, "B", 20_000, 5), Trade(evening, "A", 20_000, 3)]
    packets = flow_run(trades)
    assert [packet.slots["orderflow"].cvd for packet in packets] == [5, 10, -3]
    assert [packet.slots["orderflow"].anchor[-10:] for packet in packets] == ["2026-03-02", "2026-03-02", "2026-03-03"]


def test_after_a_roll_no_level_of_the_old_contract_is_left_but_the_flow_is() -> None:
    old = records_of([Trade(START, "B", 20_000, 10)])
    ts = START + 10 * SECOND
    touch = ((2100.0, 5, 1), (2100.1, 5, 1))
    quote = mbp1("A", "B", 2100.0, 1, *touch, ts_event=ts, ts_recv=ts, instrument=2)
    new = mbp1("T", "A", 2100.0, 4, *touch, ts_event=ts + SECOND, ts_recv=ts + SECOND, instrument=2)
    packets = run([*old, mapping("GCJ6", "GCM6", instrument=2), quote, new], "1s", ("orderflow",))
    assert [packet.instrument_id for packet in packets] == [1, 2, 2]
    assert packets[1].slots["orderflow"] is None
    assert packets[1].missing["orderflow"] == "no trade yet"
    reading = last(packets)
    assert (reading.poc, reading.vwap, reading.cvd) == (2100.0, 2100.0, -4)
    assert (reading.delta, reading.volume) == (6, 14)


# ---- the rest of the reading


def test_weighted_mid_leans_towards_the_smaller_side() -> None:
    """(2567.7 x 30 + 2567.3 x 10) / 40."""
    assert weighted_mid(market(bid_size=30, ask_size=10)) == pytest.approx(2567.6)
    assert weighted_mid(market(bid=None, bid_size=None)) is None


def test_a_large_print_has_twenty_contracts_and_three_times_the_average_level() -> None:
    bids = [(2000.0 - 0.1 * rank, 10, 1) for rank in range(10)]
    asks = [(2000.1 + 0.1 * rank, 10, 1) for rank in range(10)]

    def large(*sizes: int) -> list[int]:
        records = [mbp10("A", "B", 2000.0, 1, bids, asks, ts_event=START, ts_recv=START)]
        records += [mbp10("T", "B", 2000.1, size, bids, asks, ts_event=START + index, ts_recv=START + index)
                    for index, size in enumerate(sizes, 1)]
        packets = run([mapping("GCJ6", "GCJ6"), *records], "1s", ("orderflow",))
        return [one.size for one in last(packets).large]

    assert sorted(large(29, 30, 31)) == [30, 31]


def test_without_depth_twenty_contracts_are_large() -> None:
    trades = [Trade(START + index, "B", 20_000, size) for index, size in enumerate((19, 20))]
    assert [one.size for one in last(flow_run(trades)).large] == [20]


def test_trades_without_a_side_show_volume_but_do_not_speak() -> None:
    reading = last(flow_run([Trade(START + index * SECOND, "N", 20_000, 500) for index in range(30)]))
    assert (reading.delta, reading.volume, reading.volume_n, reading.score) == (0, 15_000, 15_000, 0.5)
    assert reading.active is False
    assert reading.poc == 2000.0


def test_trades_of_no_size_are_no_trade() -> None:
    packets = flow_run([Trade(START, "B", 20_000, 0)])
    assert packets[-1].slots["orderflow"] is None
    assert packets[-1].missing["orderflow"] == "no trade yet"
    assert last(flow_run([Trade(START, "B", 20_000, 0), Trade(START + MINUTE, "B", 20_001, 2)])).vwap == 2000.1


def test_bars_alone_are_not_order_flow() -> None:
    packets = run([mapping("GCJ6", "GCJ6"), ohlcv((2000.0, 2001.0, 1999.0, 2000.0), 10, ts_event=START)])
    assert packets[-1].slots["orderflow"] is None
    assert packets[-1].missing["orderflow"] == "needs trades, input is ohlcv"


def test_without_the_contracts_tick_levels_are_null_and_say_why() -> None:
    packets = run([trade("B", 2000.0, 5, ts_event=START, ts_recv=START)], "1s", ("orderflow",))
    reading = last(packets)
    assert (reading.poc, reading.vah, reading.val) == (None, None, None)
    assert packets[-1].missing["orderflow.poc"] == "needs the contract's tick"
    assert reading.vwap == 2000.0


def test_the_score_of_a_real_minute_can_be_followed_by_hand() -> None:
    """31 minutes of 10 bought and one of 200: V0 10, heat 100, x = .6 x 200/210 + .4 x 240/290 -> clipped."""
    trades = [Trade(START + minute * MINUTE, "B", 20_000, 10) for minute in range(31)]
    trades.append(Trade(START + 31 * MINUTE, "B", 20_000, 200))
    reading = last(flow_run(trades))
    lean = 0.6 * 200 / 210 + 0.4 * 240 / (240 + 50)
    assert 2 * lean > 1
    assert (reading.heat, reading.score, reading.bias) == (100.0, 1.0, "BUY")
    assert math.isclose(reading.volume_long, 240)


# ---- what was absorbed


def test_absorbed_volume_is_taken_out_of_the_side_that_the_score_leans_to() -> None:
    """Of 320 bought and 80 sold: a quarter of the buying leaves .3402 x .75; the selling does not matter."""
    assert less_absorbed(0.8402, 320, 80, 80, 0) == 0.75515
    assert less_absorbed(0.8402, 320, 80, 0, 80) == 0.8402
    assert less_absorbed(0.1598, 80, 320, 0, 80) == 0.24485
    assert less_absorbed(0.8402, 320, 80, 320, 0) == 0.5
    assert less_absorbed(0.8402, 0, 80, 0, 80) == 0.8402


@pytest.mark.parametrize("piped", [False, True])
def test_order_flow_reads_what_was_absorbed_from_the_packet(piped: bool) -> None:
    """300 bought, 100 sold, V0 100, heat unknown: x = .6 x 200/500 + .4 x 200/900; 150 of 300 absorbed halve it."""
    trades = [Trade(START, "B", 20_000, 300), Trade(START + 1, "A", 20_000, 100)]
    router = Router(RouteOptions())
    packets = [packet for block in blocks(records_of(trades)) for packet in router.read(block)]
    packet = [*packets, *router.finish()][0]
    packet.slots["absorption"] = AbsorptionView(0.4, True, "low", 1, 150, 0)
    if piped:
        packet = Packet.decode(packet.encode())
    reading = Orderflow().update(packet)
    assert isinstance(reading, OrderflowReading)
    lean = 2 * (0.6 * 200 / 500 + 0.4 * 200 / 900)
    assert reading.score == pytest.approx(0.5 + 0.5 * lean * 0.5 * (1 - 150 / 300), abs=1e-6)
    assert (reading.absorbed_buy, reading.absorbed_sell) == (150, 0)


def test_without_absorption_nothing_is_taken_out_and_the_reason_stands_there() -> None:
    packet = flow_run([Trade(START, "B", 20_000, 300)])[-1]
    assert (last([packet]).absorbed_buy, last([packet]).absorbed_sell) == (None, None)
    assert packet.missing["orderflow.absorbed_buy"] == "needs engine absorption"
    packet = run(records_of([Trade(START, "B", 20_000, 300)]))[-1]
    assert packet.missing["orderflow.absorbed_sell"] == packet.missing["absorption"]


# ---- the book


def naive_ofi(books: list[tuple[Any, Any]]) -> int:
    """Cont, Kukanov, Stoikov 2014 as printed, over best quotes ((bid, size), (ask, size)) one after another."""
    total = 0
    for ((old_bid, old_bids), (old_ask, old_asks)), ((bid, bids), (ask, asks)) in pairwise(books):
        total += (bid >= old_bid) * bids - (bid <= old_bid) * old_bids
        total += -(ask <= old_ask) * asks + (ask >= old_ask) * old_asks
    return total


quotes = st.lists(st.tuples(st.integers(0, 25_000), st.integers(-2, 2), st.integers(1, 3), st.integers(1, 30),
                            st.integers(1, 30)), min_size=5, max_size=60)


@given(quotes, st.sampled_from(["1s", "50ms", "5s"]))
@slow
def test_order_flow_imbalance_of_sixty_seconds_is_that_of_a_naive_book(rows: list[tuple[int, ...]], every: str) -> None:
    now, middle, books, records = START, 20_000, [], [mapping("GCJ6", "GCJ6")]
    for wait, step, width, bids, asks in rows:
        now, middle = now + (wait + 1) * 1_000_000, middle + step
        bid, ask = (price(middle), bids, 1), (price(middle + width), asks, 1)
        books.append((now, ((middle, bids), (middle + width, asks))))
        records.append(mbp1("A", "B", bid[0], bids, bid, ask, ts_event=now, ts_recv=now))
    records.append(mbp1("T", "B", ask[0], 1, bid, ask, ts_event=now + 1, ts_recv=now + 1))
    found = last(run(records, every, ("orderflow",)))
    end = run(records, every, ("orderflow",))[-1].ts
    first = ((end - 1) // SECOND - 59) * SECOND
    inside = [index for index, (ts, _) in enumerate(books) if ts >= first and index]
    wanted = naive_ofi([book for _, book in books[inside[0] - 1:]]) if inside else 0
    assert found.ofi == wanted
    assert found.mlofi == [wanted]


def test_without_a_book_there_is_no_imbalance_of_it() -> None:
    packet = flow_run([Trade(START, "B", 20_000, 5)])[-1]
    assert (last([packet]).ofi, last([packet]).mlofi) == (None, None)
    assert packet.missing["orderflow.ofi"] == "needs mbp-1 or richer, input is trades"


def test_imbalance_of_the_book_leaves_the_window_after_sixty_seconds() -> None:
    touch = (2000.0, 5, 1), (2000.1, 5, 1)
    more = (2000.0, 8, 1), (2000.1, 5, 1)
    at = [START, START + SECOND, START + 2 * SECOND, START + 61 * SECOND, START + 62 * SECOND]
    records = [mapping("GCJ6", "GCJ6"), mbp1("T", "B", 2000.1, 1, *touch, ts_event=at[0], ts_recv=at[0])]
    records += [mbp1("A", "B", 2000.0, 3, *more, ts_event=ts, ts_recv=ts) for ts in at[1:]]
    found = {packet.ts - START: packet.slots["orderflow"].ofi for packet in run(records, "1s", ("orderflow",))}
    assert [found[ts * SECOND] for ts in (2, 3, 62, 63)] == [3, 3, 0, 0]


# ---- real trades


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real market data beside the repository")
def test_numbers_of_a_real_session_are_those_of_pandas() -> None:
    raw = read_dbn(SHARED / "data/mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst")
    number = int.from_bytes(raw[-1][4:8], "little")
    packets = run([mapping("ESH4", "ESH4", instrument=number), *raw], "1m", ("orderflow",))
    records = [record for record in map(decode, raw) if record is not None and record.action == "T"]
    table = pd.DataFrame(
        [(one.time, one.side, (one.price or 0) // 250_000_000, one.size) for one in records],
        columns=["ts", "side", "ticks", "size"])
    spoken = [packet for packet in packets if packet.closed and packet.slots["orderflow"] is not None]
    assert len(spoken) > 40
    for packet in spoken[::7]:
        compare(packet, table[table.ts < packet.ts])


def compare(packet: Packet, table: pd.DataFrame) -> None:
    """CVD, delta, VWAP and bands, value area and imbalances of a packet, by pandas."""
    reading = packet.slots["orderflow"]
    signed = table["size"] * table.side.map({"B": 1, "A": -1, "N": 0})
    assert reading.cvd == signed.sum()
    assert reading.delta == signed[table.ts >= packet.ts - 60 * SECOND].sum()
    mean = (table.ticks * table["size"]).sum() / table["size"].sum()
    deviation = math.sqrt((table["size"] * (table.ticks - mean) ** 2).sum() / table["size"].sum())
    assert reading.vwap == pytest.approx(mean / 4, abs=1e-6)
    assert reading.vwap_bands == pytest.approx([(mean + width * deviation) / 4 for width in (-2, -1, 1, 2)], abs=4e-6)
    volumes = table.groupby("ticks")["size"].sum()
    low, poc, high = oracle.value_area(Counter(volumes.to_dict()))
    assert (reading.val, reading.poc, reading.vah) == (low / 4, poc / 4, high / 4)
    bought = table[table.side == "B"].groupby("ticks")["size"].sum()
    sold = table[table.side == "A"].groupby("ticks")["size"].sum()
    wanted = {(tick / 4, "B") for tick, size in bought.items() if size >= max(10, 4 * max(1, sold.get(tick - 1, 0)))}
    wanted |= {(tick / 4, "A") for tick, size in sold.items() if size >= max(10, 4 * max(1, bought.get(tick + 1, 0)))}
    assert {(one.price, one.side) for one in reading.imbalances} == wanted
