"""Icebergs: peaks from hand-made refreshes, the steps of a life, patterns, and the score's definition."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.iceberg.engine import IcebergReading
from qmo_cli.engines.iceberg.lives import candidates
from qmo_cli.engines.zonebook import Standing
from qmo_cli.engines.zones import LiveZone
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .cuts import record_cuts
from .engine_oracles import as_records, iceberg_events, mirrored, run
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .support import SHARED, START, mapping, read_dbn

SECOND = 10**9
HALF_HOUR = 1800 * SECOND
NAMES = ("bars", "iceberg")

slow = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Story(Script):
    """Events around the iceberg with id 7, which buys at 2000.0."""

    def begin(self, shown: int) -> Story:
        self.raw(mapping("GCJ6", "GCJ6")).event(cleared())
        self.event(added(7, "B", 2000.0, shown))
        return self

    def hit(self, size: int, after: int, *, before: int = 0, order: int = 7, price: float = 2000.0) -> Story:
        """A seller takes ``size`` of it; then it shows ``after``, or is gone (having shown ``before``)."""
        rest = modified(order, "B", price, after) if after else cancelled(order, "B", price, before)
        self.event(traded("A", price, size, 900), filled(order, "B", price, size), rest)
        return self


def story(shown: int) -> Story:
    return Story().begin(shown)


def read(script: Script, every: str = "1s", **settings: Any) -> list[Packet]:
    """Packets with bars and icebergs."""
    return run(script.records, every, NAMES, **settings)


def last(packets: list[Packet]) -> IcebergReading:
    reading: IcebergReading = packets[-1].slots["iceberg"]
    return reading


def told(packets: list[Packet]) -> list[Any]:
    """All lines of icebergs' lives."""
    return [event for packet in packets for event in packet.slots["iceberg"].events]


def kinds(packets: list[Packet]) -> list[str]:
    return [event.kind for event in told(packets)]


# ---- the peak


@pytest.mark.parametrize(("common", "largest", "fitting"), [
    (10, 10, [10]), (10, 4, [5, 10]), (12, 1, [1, 2, 3, 4, 6, 12]), (7, 8, []), (0, 3, []), (30, 11, [15, 30])])
def test_peaks_are_the_divisors_not_below_any_display(common: int, largest: int, fitting: list[int]) -> None:
    assert candidates(common, largest) == fitting


def test_a_full_peak_that_is_shown_again_is_exact_at_the_first_refresh() -> None:
    event, = told(read(story(10).hit(10, 10)))
    assert (event.peak, event.peak_exact, event.revealed, event.hidden_filled) == (10, True, 10, 0)


def test_a_first_display_smaller_than_the_peak_does_not_mislead() -> None:
    """It showed 4 of its peak of 10 when it entered: revealed 10 - (4 - 4) = 10, and 10 was displayed."""
    event, = told(read(story(4).hit(4, 10)))
    assert (event.peak, event.peak_exact) == (10, True)


def test_a_sweep_through_two_peaks_leaves_two_candidates_until_one_more_refresh() -> None:
    """Peak 6, shown 4 of it: 10 traded leave 6 hidden tranches' worth: f - d + n = 10 - 4 + 6 = 12 of peak 6 or 12."""
    first, second = told(read(story(4).hit(10, 6).hit(6, 6)))
    assert (first.peak, first.peak_exact) == (6, False)
    assert (second.peak, second.peak_exact) == (6, True)


def test_a_last_tranche_that_is_smaller_fits_no_peak_and_changes_none() -> None:
    packets = read(story(10).hit(10, 10).hit(10, 3))
    assert [(event.peak, event.peak_exact) for event in told(packets)] == [(10, True), (10, True)]
    assert last(packets).icebergs[0].misfits == 1


def test_a_smaller_last_tranche_after_a_partly_filled_first_display_is_not_taken_for_the_peak() -> None:
    """Ten shown, nine filled, the last one filled with five to come: 10 was displayed, so 5 cannot be the peak."""
    event, = told(read(story(10).hit(9, 1).hit(1, 5)))
    assert (event.peak, event.peak_exact, event.revealed) == (None, False, 5)


def test_size_taken_in_one_hit_proves_hidden_size_but_no_peak() -> None:
    packets = read(story(5).hit(12, 0, before=5))
    detected, executed = told(packets)
    assert (detected.kind, detected.evidence, detected.hidden_filled, detected.peak) == ("detected", "removal", 7, None)
    assert (executed.kind, executed.evidence) == ("executed", None)
    assert last(packets).icebergs == []


# ---- a life


def test_an_iceberg_is_detected_reloaded_and_executed() -> None:
    packets = read(story(5).hit(5, 5).hit(2, 3).hit(3, 5).hit(5, 0, before=5))
    assert kinds(packets) == ["detected", "reloaded", "executed"]
    assert [event.total_filled for event in told(packets)] == [5, 10, 15]
    assert [event.hidden_traded for event in told(packets)] == [0, 5, 10]
    assert [event.filled for event in told(packets)] == [5, 3, 5]
    assert {event.order_id for event in told(packets)} == {"7"}


def test_a_known_iceberg_that_goes_without_a_fill_is_cancelled() -> None:
    assert kinds(read(story(5).hit(5, 5).event(cancelled(7, "B", 2000.0, 5)))) == ["detected", "cancelled"]


def test_a_known_iceberg_taken_beyond_its_display_is_reloaded_and_executed_at_once() -> None:
    assert kinds(read(story(5).hit(5, 5).hit(9, 0, before=5))) == ["detected", "reloaded", "executed"]


def test_what_becomes_of_icebergs_over_a_cleared_book_is_unknown() -> None:
    packets = read(story(5).hit(5, 5).event(cleared()))
    assert kinds(packets) == ["detected", "unknown"]
    assert last(packets).icebergs == []


def test_an_event_is_told_in_the_packet_of_its_frame() -> None:
    packets = read(story(5).wait(SECOND).hit(5, 5).wait(3 * SECOND).hit(5, 5).wait(3 * SECOND).hit(1, 4))
    assert [[event.kind for event in packet.slots["iceberg"].events] for packet in packets] == [
        [], ["detected"], ["reloaded"], []]


def test_an_ordinary_partial_fill_and_a_change_of_size_are_no_icebergs() -> None:
    packets = read(story(5).hit(2, 3).event(modified(7, "B", 2000.0, 9)).hit(9, 0, before=9))
    assert kinds(packets) == []
    assert (last(packets).score, last(packets).active, last(packets).zones) == (0.5, False, [])


def test_an_order_refreshed_nineteen_times_exactly_traded_nineteen_hidden_contracts_and_none_unseen() -> None:
    script = story(1)
    for _ in range(19):
        script.hit(1, 1)
    events = told(read(script.hit(1, 0, before=1)))
    assert (len(events), events[-1].kind, events[-1].hidden_traded) == (20, "executed", 19)
    assert {event.hidden_filled for event in events} == {0}


# ---- patterns


def test_three_reloads_within_a_minute_are_a_wall() -> None:
    def pattern(*gaps: int) -> str:
        script = story(5)
        for gap in gaps:
            script.wait(gap * SECOND).hit(5, 5)
        return last(read(script)).icebergs[0].pattern

    assert pattern(0, 30, 29) == "wall"
    assert pattern(0, 30, 31) == "native"
    assert pattern(0, 90, 30, 29) == "wall"
    assert pattern(0, 1) == "native"


def test_an_iceberg_that_moves_is_pegged() -> None:
    packets = read(story(5).hit(5, 5).event(modified(7, "B", 1999.9, 5)))
    assert (last(packets).icebergs[0].pattern, last(packets).icebergs[0].price) == ("pegged", 1999.9)


# ---- weight, strength and score


def flat(number: int) -> Story:
    """An iceberg with a peak of one, of which ``number`` contracts traded after the first."""
    script = story(1)
    for _ in range(number + 1):
        script.hit(1, 1)
    return script


def test_only_what_was_hidden_at_placement_and_traded_weighs() -> None:
    """Ten shown, ten filled, ten shown again: nothing hidden has traded yet. The next four have."""
    assert last(read(story(10).hit(10, 10))).zones == []
    zone, = last(read(story(10).hit(10, 10).hit(4, 6))).zones
    assert (zone.side, zone.low, zone.high, zone.state) == ("B", 2000.0, 2000.0, "created")
    assert (zone.weight, zone.orders) == (4.0, 1)


def test_a_zone_as_heavy_as_usual_has_strength_6_32() -> None:
    zone, = last(read(flat(30))).zones
    assert zone.weight == pytest.approx(30.0, abs=1e-3)
    assert zone.strength == pytest.approx(6.32, abs=5e-3)
    assert zone.strength == pytest.approx(10 * (1 - math.exp(-1)), abs=1e-3)


def test_a_single_hidden_contract_makes_a_zone_that_lives_for_a_half_life() -> None:
    def zones(later: int) -> int:
        script = flat(1).wait(later).event(traded("B", 2000.5, 1, 5)).wait(2 * SECOND).event(traded("B", 2000.5, 1, 5))
        return len(read(script)[-2].slots["iceberg"].zones)

    assert zones(HALF_HOUR - 10 * SECOND) == 1
    assert zones(HALF_HOUR + 10 * SECOND) == 0


def test_strength_halves_its_weight_in_half_an_hour() -> None:
    script = flat(40).wait(HALF_HOUR).event(traded("B", 2000.5, 1, 5))
    assert last(read(script)).strength == pytest.approx(10 * (1 - math.exp(-20 / 30)), abs=1e-2)
    assert last(read(script)).zones[0].weight == pytest.approx(40, abs=1e-2)  # as of last_seen


def test_the_published_vector_of_the_score() -> None:
    """B 40, A 10, H0 30 -> .5 + .5 x 30/80 = .6875: with full confidence at no distance."""
    zones = [
        LiveZone("b", "B", 2000.0, 2000.2, START, START, START, weight=40.0, confidence=1.0),
        LiveZone("a", "A", 1999.9, 2000.1, START, START, START, weight=10.0, confidence=1.0),
    ]
    up, down = Standing(zones, START, 1800.0, 2000.1, 2.0).pull(2000.1)
    assert (up, down) == (40.0, 10.0)
    assert 0.5 + 0.5 * (up - down) / (up + down + 30) == 0.6875


def test_the_score_of_one_zone_by_hand() -> None:
    """30 contracts bought at 2000.0, price a point away, half of the reach of 20 ticks: 30 x .5 x .99 = 14.85."""
    script = flat(30).event(traded("B", 2001.0, 1, 5))
    reading = last(read(script))
    assert reading.score == pytest.approx(0.5 + 0.5 * 14.85 / 44.85, abs=1e-4)
    assert (reading.active, reading.confidence) == (True, 0.99)
    assert last(read(flat(30).event(traded("B", 2002.0, 1, 5)))).score == 0.5
    assert last(read(flat(30).event(traded("B", 2002.0, 1, 5)))).active is False
    assert last(read(flat(30).event(traded("B", 2002.0, 1, 5)), iceberg={"reach_ticks": "40"})).active is True


def zone_at(ticks: int, side: str, weight: float, age: int, **more: Any) -> LiveZone:
    seen = START - age * SECOND
    at = ticks / 10
    return LiveZone(f"{side}{ticks}", side, at, at, seen, seen, seen, weight=weight, confidence=0.99, **more)  # type: ignore[arg-type]


def test_zones_pull_by_side_distance_age_and_state() -> None:
    zones = [
        zone_at(19_990, "B", 40, 1800),                                 # a point below: 20 left, prox .5
        zone_at(20_005, "A", 16, 0),                                    # half a point above: prox .75
        zone_at(20_001, "A", 99, 0, state="broken", turned=True),       # does not count
        zone_at(20_010, "A", 8, 0, state="flipped", turned=True),       # supports: prox .5
        zone_at(20_020, "A", 77, 0),                                    # out of reach
        zone_at(20_000, "B", 6, 0, state="defended"),
    ]
    for around in (1998.0, 2000.0, 2001.9):
        standing = Standing(zones, START, 1800.0, around, 2.0)
        assert standing.pull(2000.0) == pytest.approx((0.99 * (10 + 4 + 6), 0.99 * 12))


def test_from_five_zones_on_the_median_zone_is_usual() -> None:
    def reading(places: int) -> Any:
        script = Script().raw(mapping("GCJ6", "GCJ6")).event(cleared())
        for place in range(places):
            at = 2000.0 - place  # ten ticks apart
            script.event(added(50 + place, "B", at, 1))
            for _ in range(11):
                script.event(traded("A", at, 1, 900), filled(50 + place, "B", at, 1), modified(50 + place, "B", at, 1))
        return last(read(script))

    assert reading(4).strength == pytest.approx(10 * (1 - math.exp(-10 / 30)), abs=1e-3)
    assert reading(5).strength == pytest.approx(10 * (1 - math.exp(-1)), abs=1e-3)


# ---- where there is nothing to say


def test_without_orders_the_reading_is_missing() -> None:
    from .engine_oracles import Trade, records_of

    packets = run(records_of([Trade(START, "B", 20_000, 1)]), "1s", NAMES)
    assert packets[-1].slots["iceberg"] is None
    assert packets[-1].missing["iceberg"] == "needs mbo, input is trades"


def test_without_the_contracts_tick_the_reading_is_missing() -> None:
    script = Script().event(cleared()).event(added(1, "B", 2000.0, 1))
    packets = read(script)
    assert (packets[-1].slots["iceberg"], packets[-1].missing["iceberg"]) == (None, "needs the contract's tick")


def test_a_roll_leaves_zones_and_icebergs_behind() -> None:
    script = flat(30)
    script.raw(mapping("GCJ6", "GCM6", instrument=2)).event(cleared(), instrument=2)
    script.event(added(3, "B", 2000.0, 1), instrument=2).wait(SECOND)
    before, after = (packet.slots["iceberg"] for packet in (read(script)[0], read(script)[-1]))
    assert len(before.zones) == 1
    assert (after.zones, after.icebergs, after.active, after.score) == ([], [], False, 0.5)


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf"])
def test_a_half_life_that_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="half_life"):
        Engines(NAMES, {"iceberg": {"half_life": value}})


def test_lists_are_capped_and_count_what_they_leave_out() -> None:
    packets = read(flat(30), iceberg={"most_icebergs": "0", "most_zones": "0"})
    assert (last(packets).zones, last(packets).zones_dropped) == ([], 1)


# ---- laws


def numbers(packets: list[Packet]) -> dict[int, dict[str, Any]]:
    """Everything but what belongs to one frame, by time."""
    return {packet.ts: {name: getattr(packet.slots["iceberg"], name)
                        for name in IcebergReading.__struct_fields__ if name != "events"}
            for packet in packets if packet.closed}


@given(st.binary(min_size=400, max_size=2500), st.sampled_from(["50ms", "1m", "15m"]))
@slow
def test_no_number_depends_on_the_length_of_the_frame(data: bytes, every: str) -> None:
    records = as_records(iceberg_events(data))
    second, other = numbers(run(records, "1s", NAMES)), numbers(run(records, every, NAMES))
    for ts in second.keys() & other.keys():
        assert other[ts] == second[ts]


@given(st.data(), st.binary(min_size=400, max_size=2500))
@slow
def test_cuts_and_replays_change_nothing(draws: st.DataObject, data: bytes) -> None:
    records = as_records(iceberg_events(data))
    once = [packet.encode() for packet in run(records, "1s", NAMES)]
    assert [packet.encode() for packet in run(records, "1s", NAMES, draws.draw(record_cuts(len(records))))] == once


@given(st.binary(min_size=400, max_size=2500))
@slow
def test_what_comes_later_does_not_change_what_was_said(data: bytes) -> None:
    records = as_records(iceberg_events(data))
    whole = {packet.ts: packet.encode() for packet in run(records, "1s", NAMES)}
    part = [packet for packet in run(records[:len(records) * 2 // 3], "1s", NAMES) if packet.closed]
    assert [packet.encode() for packet in part] == [whole[packet.ts] for packet in part]


@given(st.binary(min_size=400, max_size=2500))
@slow
def test_a_mirrored_market_gives_the_mirrored_score(data: bytes) -> None:
    events = iceberg_events(data)
    packets, others = (run(as_records(one), "1s", NAMES) for one in (events, mirrored(events)))
    for packet, other in zip(packets, others, strict=True):
        here, there = packet.slots["iceberg"], other.slots["iceberg"]
        assert there.score == pytest.approx(1 - here.score, abs=3e-6)
        assert (there.active, there.strength) == (here.active, pytest.approx(here.strength, abs=2e-6))
        assert sorted((zone.state, zone.weight, zone.defended, zone.orders) for zone in there.zones) == sorted(
            (zone.state, zone.weight, zone.defended, zone.orders) for zone in here.zones)


@given(st.binary(min_size=400, max_size=2500))
@slow
def test_the_list_of_zones_is_the_same_object_while_they_are_unchanged(data: bytes) -> None:
    packets = run(as_records(iceberg_events(data)), "1s", NAMES)
    readings = [packet.slots["iceberg"] for packet in packets]
    for one, two in itertools.pairwise(readings):
        if not two.events and msgspec.to_builtins(one.zones) == msgspec.to_builtins(two.zones):
            assert two.zones is one.zones


@given(st.binary(min_size=400, max_size=2500))
@slow
def test_the_peak_that_was_planted_is_never_excluded_by_a_full_tranche(data: bytes) -> None:
    """Where every refresh showed a full peak, the peak found is the planted one or a smaller candidate of it."""
    events = iceberg_events(data)
    shown: dict[str, list[int]] = {}
    for event in told(run(as_records(events), "1s", NAMES)):
        if event.kind in ("detected", "reloaded") and event.evidence == "refresh":
            shown.setdefault(event.order_id, []).append(event.shown)
            if event.peak is not None:
                assert event.peak >= max(shown[event.order_id][0], 1) or len(shown[event.order_id]) > 1
                assert event.peak_exact or event.peak * 2 <= event.revealed or len(shown[event.order_id]) > 1


# ---- real data


@pytest.fixture(scope="module")
def christmas() -> list[Packet]:
    """The first hours of a real S&P contract's day by order."""
    path = SHARED / "data" / "mbo" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    if not path.exists():
        pytest.skip("the real files are not here")
    return run([mapping("ESH4", "ESH4", instrument=17_077), *read_dbn(path)], "1s", NAMES)


def test_a_real_file_has_the_icebergs_that_were_counted_in_it(christmas: list[Packet]) -> None:
    """Counted by others: 13 icebergs, refreshes that revealed 477 contracts and traded 168 beyond the display."""
    events = [event for event in told(christmas) if event.source == "native"]
    evidence = [event for event in events if event.kind in ("detected", "reloaded")]
    assert sum(event.revealed for event in evidence) == 477
    assert sum(event.hidden_filled for event in evidence if event.evidence == "refresh") == 168
    refreshes: dict[str, list[Any]] = {}
    for event in evidence:
        refreshes.setdefault(event.order_id, []).append(event)
    assert (len(refreshes), max(map(len, refreshes.values()))) == (13, 19)


def test_real_peaks_are_exact_at_the_first_refresh_in_eleven_of_twelve(christmas: list[Packet]) -> None:
    first: dict[str, Any] = {}
    for event in told(christmas):
        if event.evidence == "refresh":
            first.setdefault(event.order_id, event)
    assert (sum(event.peak_exact for event in first.values()), len(first)) == (11, 12)


def test_every_real_refresh_obeys_the_algebra_and_fits_its_peak(christmas: list[Packet]) -> None:
    facts = [fact for packet in christmas for fact in packet.inputs.orders.icebergs]  # type: ignore[union-attr]
    refreshes = [fact for fact in facts if fact.kind == "refresh"]
    assert (len(refreshes), sum(fact.kind == "removal" for fact in facts)) == (83, 2)
    assert [fact for fact in refreshes if fact.revealed != fact.after - (fact.before - fact.filled)] == []
    resting = [iceberg for packet in christmas for iceberg in packet.slots["iceberg"].icebergs]
    assert {iceberg.misfits for iceberg in resting} == {0}
    assert (christmas[-1].health.filled, christmas[-1].health.remainder) == (9848, 0)


@pytest.mark.parametrize(("order_id", "first", "last"), [
    ("6412777277360", (5, 10, 10), "cancelled"),   # 5 shown and filled, then 10
    ("6412777276269", (1, 26, 26), "cancelled"),   # 1 left of its first peak when it came to rest, then 26
    ("6412777276014", (46, 1, 31), None),          # 46 taken of 16 shown: one peak of 31 passed, 1 left of the next
])
def test_real_icebergs_are_what_their_records_say(
    christmas: list[Packet], order_id: str, first: tuple[int, int, int], last: str | None,
) -> None:
    events = [event for event in told(christmas) if event.order_id == order_id and event.source == "native"]
    assert (events[0].filled, events[0].shown, events[0].revealed) == first
    assert last is None or events[-1].kind == last


@pytest.mark.parametrize(("name", "series", "instrument"), [
    ("esm4-glbx-mdp3-20240508-snapshot", "ESM4", 5_602), ("esh4-glbx-mdp3-20231224", "ESH4", 17_077)])
def test_a_real_snapshot_raises_no_alarm(name: str, series: str, instrument: int) -> None:
    path = SHARED / "data" / "mbo" / f"{name}.mbo.dbn.zst"
    if not path.exists():
        pytest.skip("the real files are not here")
    packets = run([mapping(series, series, instrument=instrument), *read_dbn(path)], "1s", NAMES)
    assert packets
    assert all(not packet.slots["iceberg"].events for packet in packets if packet.slots["iceberg"])
