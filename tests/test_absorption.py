"""Absorption: hand arithmetic, brute force on random markets, and what it makes of poor and real data."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.absorption.usual import HOUR, Impact, Quantile, UsualSizes
from qmo_cli.errors import ConfigurationError
from qmo_cli.score import Scorer
from qmo_cli.signals import Signaler
from qmo_cli.tray import Packet

from . import absorption_oracle as oracle
from .absorption_oracle import Measures, Strike
from .engine_oracles import SECOND, price, run
from .scripts import Script, added, cleared, filled, modified, traded
from .streams import clock
from .support import SHARED, START, mapping, mbp1, mbp10, read_dbn, trade

slow = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NAMES = ("bars", "absorption")
MEASURES = Measures()
SET = {"absorption": {"quantile": MEASURES.quantile, "fewest": MEASURES.fewest}}


def seconds_of(strikes: list[Strike], start: int = 0, extra: int = 4) -> list[bytes]:
    """The market with a clock at each second, and some after it."""
    records = oracle.records_of(strikes)
    last = max(strike.second for strike in strikes) + extra
    head, body = records[:2], records[2:]
    stamped = [(int.from_bytes(record[8:16], "little"), index, record) for index, record in enumerate(body)]
    clocks = [(second * SECOND, -1, clock(second * SECOND)) for second in range(START // SECOND + 1, last)]
    # a record arrives a little after its exchange time: none does across a second here but those the clock sorts
    merged = sorted([(ts + oracle.DELAY if index >= 0 else ts, index, record)
                     for ts, index, record in [*stamped, *clocks]], key=lambda row: row[:2])
    return [*head, *[record for _, _, record in merged]]


def absorption_run(strikes: list[Strike], every: str = "1s", **changes: Any) -> list[Packet]:
    return run(seconds_of(strikes), every, NAMES, absorption={**SET["absorption"], **changes})


def readings(packets: list[Packet]) -> list[Any]:
    return [packet.slots["absorption"] for packet in packets if packet.slots["absorption"] is not None]


def lines(packets: list[Packet], kind: str = "detected") -> list[Any]:
    """Events of a kind, in order."""
    return [event for reading in readings(packets) for event in reading.events if event.kind == kind]


def ordinary(number: int = 20, size: int = 5) -> list[Strike]:
    """Levels that are hit once and give way: every second a buyer one tick higher."""
    return [Strike(START + index * SECOND + 1_000_000, "B", 20_000 + index, size, 10, 5) for index in range(number + 1)]


def after(strikes: list[Strike], *hits: tuple[int, str, int, int, int, int]) -> list[Strike]:
    """More of them: (ms later, side, ticks, size, before, after)."""
    found, now = list(strikes), strikes[-1].ts
    for ms, *rest in hits:
        now += ms * 1_000_000
        found.append(Strike(now, *rest))
    return found


WALL = [(2000, "A", 20_020, 12, 10, 9), (1000, "A", 20_020, 8, 9, 7)]


# ---- by hand


def test_a_level_that_takes_unusual_volume_and_refills_is_told_with_its_components() -> None:
    """12 and 8 sold into a bid of 10 that shows 7 at last: 20 - (10 - 7) = 17 of 20 came back; at most 10 shown."""
    packets = absorption_run(after(ordinary(), *WALL))
    found = lines(packets)
    assert len(found) == 1
    event, level = found[0], found[0].level
    assert (event.schema, event.ended_by, event.threshold, event.threshold_of) == ("absorption-event", None, 5, "hour")
    # told as soon as the first hit was enough: 12 - (10 - 9) = 11 of 12
    assert (level.side, level.price, level.absorbed, level.before, level.after) == ("B", 2002.0, 12, 10, 9)
    assert (level.replenish, level.multiple) == (pytest.approx(11 / 12, abs=1e-6), 1.2)
    reading = readings(packets)[-1]
    now = reading.current[0]
    assert (now.absorbed, now.replenish, now.multiple, now.price_change) == (20, 0.85, 2.0, 0.0)
    assert (reading.activity, reading.activity_level, reading.count) == (True, "low", 1)
    assert (reading.absorbed_sell, reading.absorbed_buy) == (20, 0)


def test_the_score_of_one_zone_of_bids_by_hand() -> None:
    """Weight 11, faded for a second, and 6 more: 16.97. The price is the middle of a crossed book, 10 of 20 ticks away.

    A0 is 5, so that with w = 16.97 x .5 x .99, faded for 3 s, the score is .5 + .5 w / (w + 5).
    """
    packets = absorption_run(after(ordinary(), *WALL))
    reading, packet = readings(packets)[-1], packets[-1]
    last_hit = int(reading.zones[0].last_seen)
    assert reading.zones[0].weight == pytest.approx(11 * 2 ** -(1 / 300) + 6, abs=1e-5)
    assert packet.price == 2001.0
    weight = reading.zones[0].weight * 2 ** -((packet.ts - last_hit) / SECOND / 300) * 0.99 * 0.5
    assert reading.score == pytest.approx(0.5 + 0.5 * weight / (weight + 5), abs=1e-5)
    assert reading.active is True


def test_absorbed_buying_weighs_on_the_price() -> None:
    packets = absorption_run(oracle.mirrored(after(ordinary(), *WALL)))
    assert readings(packets)[-1].score < 0.5
    assert (readings(packets)[-1].absorbed_buy, readings(packets)[-1].absorbed_sell) == (20, 0)


def test_a_level_that_is_printed_through_has_absorbed_nothing() -> None:
    packets = absorption_run(after(ordinary(), *WALL, (1000, "A", 20_019, 1, 10, 9)))
    assert [event.ended_by for event in lines(packets, "ended")] == ["through"]
    assert (readings(packets)[-1].absorbed_sell, readings(packets)[-1].current) == (0, [])


def test_a_level_that_gives_way_in_the_second_of_its_hit_is_never_told() -> None:
    packets = absorption_run(after(ordinary(), WALL[0], (5, "A", 20_019, 1, 10, 9)))
    assert lines(packets) == []


def test_a_level_that_is_only_drained_does_not_qualify() -> None:
    packets = absorption_run(after(ordinary(), (2000, "A", 20_020, 12, 20, 8)))
    assert lines(packets) == []


def test_a_price_that_runs_away_from_the_level_does_not_qualify() -> None:
    packets = absorption_run(after(ordinary(), WALL[0], (5, "B", 20_022, 1, 10, 9)))
    assert lines(packets) == []
    packets = absorption_run(after(ordinary(), WALL[0], (5, "B", 20_021, 1, 10, 9)))
    assert [event.level.price_change for event in lines(packets)] == [0.1]


def test_an_event_ends_after_ten_quiet_seconds() -> None:
    packets = absorption_run(after(ordinary(), *WALL, (20_000, "B", 20_021, 1, 10, 9)))
    assert [event.ended_by for event in lines(packets, "ended")] == ["quiet"]


def test_an_event_lasts_no_longer_than_its_window() -> None:
    hits = [(5_000, "A", 20_020, 3, 10, 10)] * 8
    packets = absorption_run(after(ordinary(), WALL[0], *hits))
    ended = lines(packets, "ended")
    assert [(event.ended_by, event.level.absorbed) for event in ended] == [("window", 12 + 5 * 3)]


def test_a_level_is_news_again_after_a_print_through_or_five_minutes() -> None:
    again = (12_000, "A", 20_020, 12, 10, 9)
    assert len(lines(absorption_run(after(ordinary(), WALL[0], again)))) == 1
    through = [(1000, "A", 20_019, 1, 10, 9), (1000, "A", 20_020, 12, 10, 9)]
    assert len(lines(absorption_run(after(ordinary(), WALL[0], *through)))) == 2
    later = (301_000, "A", 20_020, 12, 10, 9)
    assert len(lines(absorption_run(after(ordinary(), WALL[0], later)))) == 2


def test_a_level_that_is_no_news_still_takes_volume_out_of_the_flow() -> None:
    again = (12_000, "A", 20_020, 13, 10, 9)
    assert readings(absorption_run(after(ordinary(), WALL[0], again)))[-1].absorbed_sell == 12 + 13


def test_three_zones_in_a_quarter_of_an_hour_are_high_activity() -> None:
    walls = [(20_000, "A", 20_040 + 10 * index, 30, 10, 9) for index in range(3)]
    levels = [readings(absorption_run(after(ordinary(), *walls[:number])))[-1].activity_level for number in (1, 2, 3)]
    assert levels == ["low", "medium", "high"]


def test_the_hidden_share_is_what_traded_beyond_the_first_display() -> None:
    """An order shows 5; 12 are taken from it and it shows 5 again: 7 traded that had been hidden, of 12."""
    script = Script().raw(mapping("GCJ6", "GCJ6")).event(cleared())
    for index in range(21):
        order_id, at = 50 + index, price(20_000 + index)
        script.event(added(order_id, "A", at, 10)).event(
            traded("B", at, 1, 9), filled(order_id, "A", at, 1), modified(order_id, "A", at, 9)).wait(SECOND)
    script.event(added(1, "B", price(20_020), 5))
    script.event(
        traded("A", price(20_020), 12, 9), filled(1, "B", price(20_020), 12), modified(1, "B", price(20_020), 5))
    for _ in range(3):
        script.wait(SECOND).raw(clock(script.now // SECOND * SECOND))
    packets = run(script.records, "1s", NAMES, absorption=SET["absorption"])
    assert [event.level.hidden_share for event in lines(packets)] == [pytest.approx(7 / 12, abs=1e-6)]


# ---- what the stages after it make of it


def test_the_reading_is_a_part_of_imo_and_of_the_rationale() -> None:
    packets = run(seconds_of(after(ordinary(), *WALL)), "1s", absorption=SET["absorption"])
    packet = packets[-1]
    Scorer().update(packet)
    signal = Signaler().update(packet)
    iceberg, absorption = packet.slots["iceberg"], packet.slots["absorption"]
    assert (iceberg.active, absorption.active) == (True, True)  # 12 were taken from an order that showed 10
    assert packet.slots["score"].imo == pytest.approx((iceberg.score + absorption.score) / 2, abs=1e-6)
    zones, spoken = signal.signal.rationale_by.iceberg_activity.rsplit("; ", 1)
    assert zones.startswith("Iceberg zones live: 1")
    assert spoken == "Absorption low, 12 sold into bids at 2002"
    assert signal.market_context.absorption_activity == "low"
    assert "signal.rationale_by.iceberg_activity" not in packet.missing
    assert packet.slots["orderflow"].absorbed_sell == 20


def test_what_is_not_known_yet_is_said_downstream_too() -> None:
    packet = run(seconds_of(ordinary(5)), "1s")[-1]
    Scorer().update(packet)
    signal = Signaler().update(packet)
    why = "5 of 200 levels hit: what is unusual is not known yet"
    assert packet.missing["absorption"] == why
    assert packet.missing["orderflow.absorbed_buy"] == why
    assert packet.slots["score"].missing["absorption"] == why
    assert signal.market_context.absorption_activity is None
    assert signal.missing["market_context.absorption_activity"] == why


def test_a_piped_packet_gives_the_same_score_and_signal() -> None:
    packets = run(seconds_of(after(ordinary(), *WALL)), "1s", absorption=SET["absorption"])
    piped = [Packet.decode(packet.encode()) for packet in packets]
    here, there = Scorer(), Scorer()
    speaks, listens = Signaler(), Signaler()
    for one, other in zip(packets, piped, strict=True):
        here.update(one)
        there.update(other)
        assert one.slots["score"] == other.slots["score"]
        assert speaks.update(one) == listens.update(other)


# ---- brute force


@given(st.binary(min_size=300, max_size=800))
@slow
def test_every_number_follows_its_definition(data: bytes) -> None:
    strikes = oracle.tape(data)
    packets = [packet for packet in absorption_run(strikes) if packet.closed]
    told: list[Any] = []
    every = max(1, len(packets) // 6)
    for index, packet in enumerate(packets):
        reading = packet.slots["absorption"]
        told += [] if reading is None else [event for event in reading.events if event.kind == "detected"]
        if index % every and index < len(packets) - 1:
            continue
        wanted = oracle.answer(strikes, packet.ts // SECOND, MEASURES)
        if wanted.threshold is None:
            assert reading is None
            assert packet.missing["absorption"].startswith(f"{wanted.samples} of {MEASURES.fewest} levels hit")
            continue
        assert (reading.threshold, reading.samples) == (max(1, wanted.threshold), wanted.samples)
        assert (reading.absorbed_buy, reading.absorbed_sell) == (wanted.absorbed["A"], wanted.absorbed["B"])
        found = sorted((one.level.side, one.level.price, one.level.absorbed, one.level.replenish) for one in told)
        assert found == sorted((side, price(ticks), absorbed, pytest.approx(back, abs=1e-6))
                               for (side, ticks), absorbed, back in wanted.detected)


@given(st.binary(min_size=300, max_size=800), st.sampled_from(["50ms", "5s", "7s"]))
@slow
def test_no_number_depends_on_the_length_of_the_frame(data: bytes, every: str) -> None:
    strikes = oracle.tape(data)

    def numbers(packets: list[Packet]) -> dict[int, Any]:
        return {packet.ts: {name: getattr(packet.slots["absorption"], name, None)
                            for name in ("score", "active", "threshold", "zones", "current", "last", "absorbed_buy",
                                         "absorbed_sell", "activity", "activity_level", "count", "samples")}
                for packet in packets if packet.closed}

    one, other = numbers(absorption_run(strikes)), numbers(absorption_run(strikes, every))
    common = one.keys() & other.keys()
    assert common
    assert {ts: one[ts] for ts in common} == {ts: other[ts] for ts in common}


@given(st.binary(min_size=300, max_size=800))
@slow
def test_a_mirrored_market_gives_the_mirrored_score(data: bytes) -> None:
    strikes = oracle.tape(data)
    for one, other in zip(absorption_run(strikes), absorption_run(oracle.mirrored(strikes)), strict=True):
        here, there = one.slots["absorption"], other.slots["absorption"]
        assert (here is None) == (there is None)
        if here is not None:
            assert there.score == pytest.approx(1 - here.score, abs=2e-6)
            assert (there.absorbed_buy, there.absorbed_sell) == (here.absorbed_sell, here.absorbed_buy)
            assert (there.count, there.active) == (here.count, here.active)


def test_the_random_markets_have_what_they_are_for() -> None:
    """Of a few long ones: levels are told, end in each of the three ways, and some are printed through when told."""
    ends: set[str] = set()
    for seed in range(6):
        data = bytes(np.random.default_rng(seed).integers(0, 256, 1500, dtype=np.uint8))
        ends |= {event.ended_by for event in lines(absorption_run(oracle.tape(data)), "ended")}
    assert ends == {"through", "quiet", "window"}


# ---- what is usual


@given(st.lists(st.integers(0, 60), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
@settings(deadline=None)
def test_a_running_quantile_is_that_of_numpy(values: list[int], share: float) -> None:
    running = Quantile(share)
    for index, value in enumerate(values):
        running.change(value, 1)
        if index >= 40:
            running.change(values[index - 40], -1)
        held = values[max(0, index - 39):index + 1]
        assert running.value == np.quantile(held, share, method="inverted_cdf")


def test_a_quantile_of_nothing_is_nothing() -> None:
    running = Quantile(0.99)
    running.change(7, 1)
    running.change(7, -1)
    assert (running.number, running.value, running.below, running.counts) == (0, 0, 0, {})


def test_the_hour_of_the_day_counts_once_it_has_enough_and_else_the_session() -> None:
    usual, start = UsualSizes(0.99, 200), START // SECOND // HOUR * HOUR
    usual.come_to(start)
    for size in range(1, 200):
        usual.add(size)
    assert usual.threshold() == (None, "session", 199)
    usual.add(200)
    assert usual.threshold() == (198, "hour", 200)
    usual.come_to(start + HOUR)
    assert usual.threshold() == (198, "session", 200)
    usual.come_to(start + 23 * HOUR)
    assert usual.threshold() == (None, "session", 0)
    usual.come_to(start + 24 * HOUR)
    assert usual.threshold() == (198, "hour", 200)
    usual.come_to(start + 20 * 24 * HOUR)
    assert usual.threshold() == (None, "session", 0)


def test_memory_of_what_is_usual_does_not_grow_with_the_days() -> None:
    usual = UsualSizes(0.99, 200)
    for hour in range(24 * 60):
        usual.come_to(hour * HOUR)
        usual.add(hour % 50)
    assert len(usual.recent) + len(usual.older) <= 24 * 21
    assert sum(quantile.number for quantile in usual.by_hour) <= 24 * 21


@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(-9, 9)), min_size=40, max_size=200))
@settings(deadline=None)
def test_efficiency_is_that_of_a_regression_by_numpy(rows: list[tuple[int, int]]) -> None:
    impact, close = Impact(), 20_000
    impact.add(0, 1, close)
    for index, (bought, change) in enumerate(rows, 1):
        close += change
        impact.add(30 * index, bought, close)
    impact.add(30 * (len(rows) + 1), 0, close)
    flow, moved = (np.array(column, dtype=float) for column in zip(*rows[-120:], strict=True))
    found = impact.efficiency(-100, 1)
    if not flow.any():
        assert found is None
        return
    slope = np.linalg.lstsq(flow[:, None], moved, rcond=None)[0][0]
    sigma = np.sqrt(((moved - slope * flow) ** 2).sum() / (len(flow) - 1))
    if sigma < 1e-9:
        return
    assert found == pytest.approx((slope * 100 - 1) / sigma, rel=1e-6, abs=1e-9)


def test_an_interval_without_trades_tells_no_change() -> None:
    impact = Impact()
    for interval in range(0, 200, 2):
        impact.add(30 * interval, 5, 20_000 + interval)
    assert (len(impact.rows), impact.efficiency(5, 0)) == (0, None)


# ---- poor and real data


def test_one_level_alone_is_not_enough() -> None:
    touch = ((2000.0, 5, 1), (2000.1, 5, 1))
    record = mbp1("T", "B", 2000.1, 2, *touch, ts_event=START, ts_recv=START)
    packet = run([mapping("GCJ6", "GCJ6"), record], "1s", NAMES)[-1]
    assert packet.slots["absorption"] is None
    assert packet.missing["absorption"] == "needs mbp-10 or mbo, input is mbp-1"


def test_trades_alone_are_not_enough() -> None:
    packet = run([mapping("GCJ6", "GCJ6"), trade("B", 2000.0, 5, ts_event=START, ts_recv=START)], "1s", NAMES)[-1]
    assert packet.missing["absorption"] == "needs mbp-10 or mbo, input is trades"


def test_ten_levels_show_absorption_without_a_hidden_share() -> None:
    records, now = [mapping("GCJ6", "GCJ6")], START
    bids, asks = [(1999.9, 10, 2)], [(2000.1, 10, 2)]
    sizes = [2] * 25 + [30]
    for index, size in enumerate(sizes):
        now += SECOND if index >= 25 else 20 * SECOND
        left = bids if size == 30 else [(1999.9, 10 - size, 2)]  # nothing comes back but of the thirty
        for action, side, shown in (("T", "A", bids), ("M", "B", left)):
            records.append(mbp10(action, side, 1999.9, size, shown, asks, ts_event=now, ts_recv=now))
    packets = run([*records, clock(now + 3 * SECOND)], "1s", NAMES, absorption=SET["absorption"])
    found = lines(packets)
    assert [(event.level.absorbed, event.level.replenish, event.level.hidden_share) for event in found] == [
        (2 + 30, 1.0, None)]
    assert readings(packets)[-1].zones[0].confidence == 0.9


def test_another_contract_begins_anew() -> None:
    packets = run([*seconds_of(after(ordinary(), *WALL)), mapping("GCJ6", "GCM6", instrument=2)], "1s", NAMES,
                  absorption=SET["absorption"])
    assert packets[-1].slots["absorption"] is not None
    script = Script(instrument=2, now=packets[-1].ts + SECOND).event(cleared()).event(added(1, "B", 2100.0, 5))
    rolled = run([*seconds_of(after(ordinary(), *WALL)), mapping("GCJ6", "GCM6", instrument=2), *script.records],
                 "1s", NAMES, absorption=SET["absorption"])
    assert rolled[-1].missing["absorption"] == "0 of 12 levels hit: what is unusual is not known yet"


@pytest.mark.parametrize("wrong", [{"half_life": 0.0}, {"half_life": inf}, {"quantile": 0.0}, {"fewest": 0}])
def test_parameters_without_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"absorption.{next(iter(wrong))}"):
        run([], "1s", ("absorption",), absorption=wrong)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real market data beside the repository")
def test_every_absorption_told_of_the_real_christmas_file_is_true_in_its_records() -> None:
    from .reference_records import Record, decode

    path = SHARED / "data/mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    raw = read_dbn(path)
    number = int.from_bytes(raw[-1][4:8], "little")
    packets = run([mapping("ESH4", "ESH4", instrument=number), *raw], "1s", NAMES)
    found = lines(packets)
    assert len(found) >= 5
    records: list[Record] = [record for record in map(decode, raw) if record is not None and record.schema == "mbo"]
    for event in found:
        level = event.level
        first, last, at = int(level.ts_first), int(level.ts_last), round(level.price * 1e9)
        prints = [one for one in records if one.action == "T" and first <= one.ts_event <= last]
        taker = {"B": "A", "A": "B"}[level.side]
        assert sum(one.size for one in prints if one.price == at and one.side == taker) == level.absorbed
        assert not [one for one in prints if (one.price < at if level.side == "B" else one.price > at)]
        book = displayed(records, level.side, at, (first, last))
        assert book == (level.before, level.after)


def displayed(records: list[Any], side: str, at: int, when: tuple[int, int]) -> tuple[int, int]:
    """What a level displayed before the first time and after the last, from a book of orders alone."""
    orders: dict[int, tuple[str, int, int]] = {}
    before = 0
    for record in records:
        if record.ts_event > when[1] and not record.snapshot:
            break
        if record.ts_event < when[0]:
            before = -1
        elif before == -1:
            before = sum(size for one, price, size in orders.values() if (one, price) == (side, at))
        if record.action in ("A", "M"):
            orders[record.order_id] = (record.side, record.price, record.size)
        elif record.action == "C" and record.order_id in orders:
            one, price, size = orders.pop(record.order_id)
            if record.size < size:
                orders[record.order_id] = (one, price, size - record.size)
        elif record.action == "R":
            orders.clear()
    return before, sum(size for one, price, size in orders.values() if (one, price) == (side, at))
