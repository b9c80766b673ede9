"""The engine memory: what it learns, when, what it says, and what it keeps between runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qmo_cli.engines.base import Engine, Keeper
from qmo_cli.engines.memory.engine import Memory
from qmo_cli.engines.memory.log import Body, Broken, Outcome, Pair, Retest, Row, ZoneSeen, row_of
from qmo_cli.engines.memory.reading import MemoryEvent, MemoryReading
from qmo_cli.engines.memory.store import Store
from qmo_cli.errors import BadData, ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .laws_streams import simulated
from .scripts import Script, added, cleared, filled, modified, traded
from .support import START, blocks, mapping

SECOND = 10**9
MINUTE = 60 * SECOND
NAMES = ("bars", "iceberg", "memory")
SIMULATED = {"minutes": 60, "rate": 20, "icebergs": 0.004, "synthetics": 0.004, "seed": 1}


class Market(Script):
    """An iceberg that buys at 2000.0 or sells there, and the prices that trade afterwards, one a second."""

    def __init__(self, side: str = "B", now: int = START, name: str = "GCJ6") -> None:
        super().__init__(now=now)
        self.raw(mapping("GC.v.0", name)).event(cleared())
        self.event(added(7, side, 2000.0, 5))
        other = "A" if side == "B" else "B"
        for _ in range(3):
            self.event(traded(other, 2000.0, 5, 900), filled(7, side, 2000.0, 5), modified(7, side, 2000.0, 5))

    def until(self, seconds: int) -> Market:
        """Wait until so many seconds after the start."""
        self.now = START + seconds * SECOND
        return self

    def trade(self, *prices: float) -> Market:
        for price in prices:
            self.event(traded("B", price, 1, 901))
            self.now += SECOND - self.step
        return self


def run(
    records: Sequence[bytes], every: str = "1s", names: Iterable[str] = NAMES, **settings: Any,
) -> list[Packet]:
    """Packets with readings; the engines are closed."""
    router, engines = Router(RouteOptions(every=every)), Engines(tuple(names), {"memory": settings})
    found = [packet for block in blocks(records) for packet in router.read(block)] + router.finish()
    for packet in found:
        engines.update(packet)
    engines.close()
    return found


def reading(packet: Packet) -> MemoryReading:
    found: MemoryReading = packet.slots["memory"]
    return found


def events(packets: list[Packet]) -> list[MemoryEvent]:
    return [event for packet in packets for event in reading(packet).events]


def lines(packets: list[Packet]) -> list[bytes]:
    return [packet.encode() for packet in packets]


def log(path: object) -> list[Any]:
    store = Store(str(path))
    found = list(store.events())
    store.close()
    return found


def stored(ts: int) -> list[Row]:
    """What another run may have left of a zone at this time, and later."""
    second = ts // SECOND
    retest = Retest("another", second + 60, True, 2000.1, 2001.0, 1999.6, 0.357143, False, False)
    bodies: list[Body] = [
        ZoneSeen("another", "B", 2000.0, 2000.3, 30.0, 2, ts, ts), Outcome(retest, second + 90, "break"),
        Broken("another", second + 200, False), Pair("another", second + 3, second + 60, True),
    ]
    return [row_of(body, ts + place * MINUTE) for place, body in enumerate(bodies)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "memory.db")


# ---- what it learns and says


def test_a_zone_is_learned_when_the_minute_of_its_evidence_is_over() -> None:
    packets = run(Market().until(58).trade(2000.5, 2000.5, 2000.5).records)
    assert [(packet.ts // SECOND % 60, reading(packet).remembered) for packet in packets[-3:]] == [
        (59, 0), (0, 1), (1, 1)]
    zone, = reading(packets[-1]).zones or []
    iceberg, = packets[-1].slots["iceberg"].zones
    assert (zone.id, zone.side, zone.low, zone.high, zone.orders) == (iceberg.id, "B", 2000.0, 2000.0, 1)
    assert (zone.weight, zone.last_seen, zone.first_seen) == (iceberg.weight, iceberg.last_seen, iceberg.first_seen)


def test_a_retest_is_told_as_it_begins_and_as_it_ends() -> None:
    packets = run(Market().until(61).trade(2001.0, 2000.1, 2000.5, 2001.0, 2001.0).records)
    begun, ended = events(packets)
    assert (begun.kind, begun.entry, begun.hold_at, begun.break_at, begun.above) == (
        "retest", 2000.1, 2001.0, 1999.6, True)
    assert begun.null == pytest.approx(5 / 14, abs=1e-6)
    assert (ended.kind, ended.seconds, begun.seconds) == ("hold", 2, None)
    assert int(begun.ts_event) == START + 62 * SECOND
    last = reading(packets[-1])
    zone, = last.zones or []
    assert (zone.state, zone.retests, zone.holds, zone.breaks) == ("defended", 1, 1, 0)
    assert last.hold_rate == 1.0
    assert last.null_rate == pytest.approx(5 / 14, abs=1e-6)
    assert (last.retests.decided, last.retests.open) == (1, 0)


def test_an_open_retest_is_counted_as_open_and_in_no_rate() -> None:
    packet = run(Market("A").until(61).trade(1999.0, 1999.9, 1999.5).records)[-1]
    last = reading(packet)
    assert (last.retests.open, last.retests.decided, last.hold_rate) == (1, 0, None)
    assert [zone.tested for zone in last.zones or []] == [True]
    assert packet.missing["memory.hold_rate"] == "no retest has been decided yet"


def test_few_retests_are_compared_with_nothing_and_the_reason_says_how_many_there_are() -> None:
    packet = run(Market().until(61).trade(2001.0, 2000.1, 2001.0, 2001.0).records)[-1]
    assert (reading(packet).excess, reading(packet).correlation) == (None, None)
    assert packet.missing["memory.excess"] == "30 decided retests needed, there are 1"
    assert packet.missing["memory.correlation"] == (
        "30 decided retests of zones and of pseudo-zones needed, there are 1 and 0")


def test_the_iceberg_engine_forgets_a_zone_and_memory_does_not() -> None:
    packets = run(Market().until(61).trade(2000.5).until(4 * 3600).trade(2000.5, 2000.5).records)
    assert packets[-1].slots["iceberg"].zones == []
    assert [zone.age for zone in reading(packets[-1]).zones or []] == [4 * 60]


def test_after_its_days_memory_forgets_too() -> None:
    packets = run(Market().until(61).trade(2000.5).until(4 * 3600).trade(2000.5, 2000.5).records, days=0.1)
    assert reading(packets[-1]).remembered == 0


def test_only_zones_in_reach_show_and_the_others_are_counted() -> None:
    market = Market().until(61)
    near, far = run(market.trade(2009.9, 2010.1).records, reach_ticks=100.0)[-2:]
    assert (len(reading(near).zones or []), reading(near).dropped) == (1, 0)
    assert (reading(far).zones, reading(far).dropped, reading(far).remembered) == ([], 0, 1)
    hidden = run(market.records, most_zones=0)[-2]
    assert (reading(hidden).zones, reading(hidden).dropped) == ([], 1)


def test_it_has_no_score_and_changes_none() -> None:
    assert not {"score", "active"} & set(MemoryReading.__struct_fields__)


@pytest.mark.parametrize(("names", "words"), [
    (("memory",), "needs engine iceberg"), (("iceberg", "memory"), "needs engine iceberg: needs l3, access is l1")])
def test_without_icebergs_it_says_what_it_needs(names: tuple[str, ...], words: str) -> None:
    router, engines = Router(RouteOptions(access="l1")), Engines(names)
    packet = [*router.read(*blocks(Market().trade(2000.5).records)), *router.finish()][-1]
    engines.update(packet)
    assert packet.slots["memory"] is None
    assert packet.missing["memory"].startswith(words)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_days_and_minutes_are_above_nothing(value: float) -> None:
    for name in ("days", "retest_minutes"):
        with pytest.raises(ConfigurationError, match=f"memory.{name}"):
            Memory(**{name: value})  # type: ignore[arg-type]


def test_two_contracts_have_memories_of_their_own_and_the_first_is_not_forgotten() -> None:
    first = Market().until(61).trade(2000.5, 2000.5)
    other = mapping("GC.v.0", "GCM6", instrument=2)
    there = Script(instrument=2, now=first.now).event(cleared()).event(traded("B", 2000.5, 1, 5)).records
    back = Script(now=first.now + 2 * MINUTE).event(cleared()).event(traded("B", 2000.5, 1, 6)).records
    packets = run([*first.records, other, *there, mapping("GC.v.0", "GCJ6", instrument=1), *back])
    counts = [(packet.symbol, reading(packet).remembered) for packet in packets]
    assert counts[-3:] == [("GCJ6", 1), ("GCM6", 0), ("GCJ6", 1)]


# ---- the frame's length


def test_what_is_said_does_not_depend_on_the_length_of_the_frame() -> None:
    case = simulated(**SIMULATED)
    one, five, twenty = ({packet.ts: packet for packet in run(case.records, every)} for every in ("1s", "5s", "20s"))
    common = sorted(one.keys() & five.keys() & twenty.keys())
    assert len(common) > 60
    assert reading(one[common[-1]]).retests.decided
    for ts in common:
        said = [replace(reading(packets[ts]), events=[]) for packets in (one, five, twenty)]
        assert said[0] == said[1] == said[2]
    told = [events(run(case.records, every)) for every in ("1s", "5s", "50ms")]
    assert told[0] == told[1] == told[2]
    assert len(told[0]) > 3


# ---- between runs


def test_a_keeper_has_a_sibling_on_the_same_store(path: str) -> None:
    engine = Memory(path=path, days=3.0)
    other = engine.sibling()
    assert isinstance(engine, Engine)
    assert isinstance(engine, Keeper)
    assert (other.store is engine.store, other.days, other.path) == (True, 3.0, path)
    assert other.books is not engine.books
    engine.close()
    other.close()


def test_a_store_that_is_empty_says_nothing_else_than_none(path: str) -> None:
    case = simulated(**SIMULATED)
    assert lines(run(case.records, path=path)) == lines(run(case.records))
    assert {event.kind for event in log(path)} >= {"zone", "iceberg", "retest", "outcome", "broken", "pair"}


def test_the_same_run_again_prints_the_same_and_adds_nothing(path: str) -> None:
    case = simulated(**SIMULATED)
    first, once = lines(run(case.records, path=path)), log(path)
    assert lines(run(case.records, path=path)) == first
    assert log(path) == once


def test_other_frames_leave_the_same_zones_and_results(path: str, tmp_path: Path) -> None:
    case, other = simulated(**SIMULATED), tmp_path / "other.db"
    run(case.records, path=path)
    run(case.records, "50ms", path=str(other))
    assert sorted(log(other)) == sorted(log(path))


def test_a_replay_does_not_see_what_the_store_knows_of_its_future(path: str) -> None:
    case = simulated(**SIMULATED)
    fresh = lines(run(case.records))
    store = Store(path, write=True)
    for row in stored(run(case.records)[0].ts):
        store.add("GCZ6", row)
    store.close()
    assert case_symbol(case.records) == "GCZ6"
    assert lines(run(case.records, path=path)) == fresh


def case_symbol(records: Sequence[bytes]) -> str | None:
    return run(records[:200], names=())[0].symbol


def test_what_was_known_before_the_first_event_is_remembered(path: str) -> None:
    run(Market().until(61).trade(2001.0, 2000.1, 2001.0, 2001.0).records, path=path)
    monday = Script(instrument=5, now=START + 26 * 3600 * SECOND)
    monday.raw(mapping("GC.v.0", "GCJ6", instrument=5)).event(cleared()).event(added(8, "B", 2000.4, 1))
    monday.event(added(9, "A", 2000.6, 1)).wait(SECOND)
    monday.event(traded("B", 2000.6, 1, 77), filled(9, "A", 2000.6, 1)).wait(SECOND).event(added(10, "A", 2000.7, 1))
    packets = run(monday.records, path=path)
    for packet in packets:  # also before anything has traded
        zone, = reading(packet).zones or []
        assert (zone.state, zone.holds, zone.age) == ("defended", 1, 26 * 60)
        assert reading(packet).retests.decided == 1
    assert run(monday.records, days=1.0, path=path)[-1].slots["memory"].remembered == 0
    assert run(monday.records)[-1].slots["memory"].remembered == 0


def test_before_the_first_event_the_past_ends_with_the_packet_whatever_the_frames(path: str) -> None:
    """A zone that the store has from second 10 of a silent quarter of a minute shows from there on."""
    market = Market(now=START + 3600 * SECOND)
    store = Store(path, write=True)
    for row in stored(START + 10 * SECOND)[:1]:
        store.add("GCJ6", row)
    store.close()
    quiet = Script(now=START).raw(mapping("GC.v.0", "GCJ6")).event(cleared())
    for one in range(15):
        quiet.event(added(50 + one, "B", 1999.0, 1)).event(added(70 + one, "A", 2001.0, 1)).wait(SECOND)
    seen = {}
    for every in ("1s", "5s"):
        packets = run([*quiet.records, *market.records[2:]], every, path=path)
        seen[every] = {packet.ts: reading(packet).remembered for packet in packets if packet.ts % (5 * SECOND) == 0}
    assert {(ts - START) // SECOND: count for ts, count in seen["5s"].items()} == {5: 0, 10: 0, 15: 1, 3605: 1}
    assert seen["1s"].items() >= {key: seen["5s"][key] for key in [*seen["5s"]][:3]}.items()


def test_a_second_series_sees_the_store_as_it_was_at_the_start(path: str) -> None:
    case = Market().until(61).trade(2000.5, 2000.5)
    late = Script(instrument=9, now=case.now + MINUTE).raw(mapping("GCJ6", "GCJ6", instrument=9)).event(cleared())
    late.event(traded("B", 2000.5, 1, 5)).wait(SECOND).event(traded("B", 2000.5, 1, 6))
    fresh = run([*case.records, *late.records])
    assert fresh[-1].series == "GCJ6"
    assert lines(run([*case.records, *late.records], path=path)) == lines(fresh)
    assert reading(fresh[-1]).remembered == 0


def test_a_contract_that_nobody_names_is_remembered_but_not_stored(path: str) -> None:
    market = Market().until(61).trade(2000.5, 2000.5)
    packets = run([mapping("GC.v.0", ""), *market.records[1:]], path=path)
    assert (packets[-1].symbol, reading(packets[-1]).remembered) == (None, 1)
    assert log(path) == []


def test_what_waits_is_written_when_the_engines_are_closed_and_at_least_every_few_seconds(path: str) -> None:
    packets = run(Market().until(61).trade(2000.5, 2001.0, 2000.1).until(90).trade(2000.4, 2000.3).records, names=())
    engines = Engines(NAMES, {"memory": {"path": path}})
    counts = []
    for packet in packets:
        engines.update(packet)
        counts.append(len(log(path)))
    assert counts[-1] > counts[0]
    engines.close()
    assert len(log(path)) >= counts[-1]
    assert {event.kind for event in log(path)} == {"iceberg", "zone", "retest", "pair"}


def test_a_damaged_event_in_the_store_is_bad_data(path: str) -> None:
    store = Store(path, write=True)
    store.add("GCJ6", Row(1, "zone", "z", b"{}"))
    store.close()
    with pytest.raises(BadData, match="damaged event"):
        run(Market().records, path=path, days=30000.0)


def test_the_path_does_not_show_in_any_packet(path: str) -> None:
    packets = run(Market().until(61).trade(2001.0, 2000.1, 2001.0).records, path=path)
    assert all(b"memory.db" not in line for line in lines(packets))
    assert json.loads(lines(packets)[-1])["memory"]["remembered"] == 1

