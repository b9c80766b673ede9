"""The five pillars. Expected values are worked out by hand from the published weights."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.errors import ConfigurationError, UsageError
from qmo_cli.packets import Opinion
from qmo_cli.score import PHASES, PILLARS, Score, ScoreOptions, Scorer
from qmo_cli.tray import Packet
from qmo_cli.views import GannView, IcebergView
from tests.handmade import NEW_YORK, SECOND, market, opinion, opinions, packet, scored, unexplained, zone

ORIGINAL = {
    "orderflow": 0.82, "liquidity": 0.75, "iceberg": 0.85, "absorption": 0.78, "gann": 0.88, "astro": 0.65,
    "cycle": 0.72,
}
NEEDS = {"gann": "needs engine gann", "astro": "needs engine astro", "cycle": "needs engine cycle"}


def score(one: Packet, options: ScoreOptions | None = None) -> Score:
    result = scored(one, Scorer(options)).slots["score"]
    assert isinstance(result, Score)
    return result


def original(*, zones: bool = False, confluence: int | None = None) -> Packet:
    slots = opinions(**ORIGINAL)
    if zones:
        slots["iceberg"] = IcebergView(score=0.85, active=True, zones=[zone("B", 2566.0)])
    slots["gann"] = GannView(score=0.88, active=True, confluence=confluence)
    return packet(**slots)


def test_the_original_readings_give_the_worked_example() -> None:
    plain, boosted, both = score(original()), score(original(zones=True)), score(original(zones=True, confluence=3))
    assert (plain.qmo, plain.imo, plain.total) == (0.785, 0.815, 0.7815)
    assert boosted.total == 0.9315
    assert both.total == 1.0
    assert plain.signal == boosted.signal == both.signal == "BUY"


def test_contributions_are_weight_times_distance_from_neutral() -> None:
    # .25 x .285, .25 x .315, .20 x .38, .15 x .15, .15 x .22
    assert score(original()).contributions == {
        "qmo": 0.07125, "imo": 0.07875, "gann": 0.076, "astro": 0.0225, "cycle": 0.033}


def test_a_missing_pillar_is_not_counted_as_zero() -> None:
    found = score(packet(**opinions(orderflow=0.9, iceberg=0.8)))
    assert (found.base, found.coverage, found.active_weight) == (0.85, 0.5, 0.5)
    assert found.missing == {
        "liquidity": "needs engine liquidity", "absorption": "needs engine absorption", **NEEDS}


def test_known_but_silent_is_not_the_same_as_unknown() -> None:
    found = score(packet(orderflow=Opinion(0.9, active=True), iceberg=opinion("iceberg", 0.5, active=False)))
    assert (found.imo, found.base, found.coverage, found.active_weight) == (0.5, 0.9, 0.5, 0.25)
    assert found.signal == "HOLD"
    assert found.reasons == ["active weight 0.25 is below 0.35"]


def test_within_a_pillar_active_parts_speak_alone() -> None:
    found = score(packet(orderflow=Opinion(0.9, active=True), liquidity=Opinion(0.5, active=False)))
    assert found.qmo == 0.9


def test_when_no_part_is_active_the_known_ones_are_averaged_and_the_base_is_neutral() -> None:
    found = score(packet(orderflow=Opinion(0.6, active=False), liquidity=Opinion(0.5, active=False)))
    assert (found.qmo, found.base, found.total, found.active_weight) == (0.55, 0.5, 0.5, 0.0)


def test_with_no_pillar_at_all_the_total_is_null_with_a_reason() -> None:
    one = packet()
    found = score(one)
    assert (found.total, found.base, found.signal) == (None, None, "HOLD")
    assert one.missing["score.total"] == "no pillar is known"


def test_an_engines_own_reason_is_passed_on() -> None:
    one = packet(orderflow=None, missing={"orderflow": "3 of 20 minutes"})
    assert score(one).missing["orderflow"] == "3 of 20 minutes"
    assert one.missing["score.qmo"] == "orderflow: 3 of 20 minutes; liquidity: needs engine liquidity"


def test_every_null_leaf_of_the_score_has_a_reason_in_the_packet() -> None:
    one = packet(**opinions(orderflow=0.9, gann=None))
    assert unexplained(score(one), {key.removeprefix("score."): why for key, why in one.missing.items()}) == []


@pytest.mark.parametrize(("both", "signal"), [(0.75, "HOLD"), (0.750001, "BUY"), (0.25, "HOLD"), (0.249999, "SELL")])
def test_the_cuts_are_exclusive_to_a_millionth(both: float, signal: str) -> None:
    assert score(packet(**opinions(orderflow=both, iceberg=both))).signal == signal


@pytest.mark.parametrize(("zones", "boost"), [
    ([zone("B", 2566.0)], 0.15),
    ([zone("B", 2566.0), zone("A", 2568.0, weight=39.0)], 0.15),
    ([zone("B", 2566.0), zone("A", 2568.0, weight=41.0)], 0.0),     # the other side outweighs
    ([zone("B", 2566.0), zone("A", 2568.0)], 0.0),                  # a draw supports nobody
    ([zone("A", 2568.0)], 0.0),
    ([zone("B", 2563.2)], 0.15),                                    # 4.0 = half an ATR of 8 below the price
    ([zone("B", 2563.1)], 0.0),
    ([zone("B", 2566.0, state="broken")], 0.0),
    ([zone("B", 2566.0, state="expired")], 0.0),
    ([zone("B", 2566.0, state="flipped")], 0.0),                    # a flipped zone holds from the other side
    ([zone("A", 2566.0, state="flipped")], 0.15),
    # half-lives count from last_seen: 40 seen an hour ago weigh 10 now
    ([zone("B", 2566.0, last_seen=str(NEW_YORK - 3600 * SECOND)), zone("A", 2568.0, weight=11.0)], 0.0),
    ([zone("B", 2566.0, last_seen=str(NEW_YORK - 3600 * SECOND)), zone("A", 2568.0, weight=9.0)], 0.15),
])
def test_iceberg_zones_boost_when_the_supporting_side_outweighs_the_other_near_the_price(
    zones: list[Any], boost: float,
) -> None:
    found = score(packet(orderflow=Opinion(0.9, active=True), iceberg=IcebergView(score=0.9, active=True, zones=zones)))
    assert found.boosts.iceberg_zones == boost


@pytest.mark.parametrize(("low", "boost"), [(2565.2, 0.15), (2565.1, 0.0)])  # edges 2.0 = 20 ticks and 2.1 below
def test_without_an_atr_a_zone_reaches_twenty_ticks(low: float, boost: float) -> None:
    view = IcebergView(score=0.9, active=True, zones=[zone("B", low)])
    assert score(packet(atr=None, orderflow=Opinion(0.9, active=True), iceberg=view)).boosts.iceberg_zones == boost


def test_without_tick_and_atr_no_zone_is_near() -> None:
    view = IcebergView(score=0.9, active=True, zones=[zone("B", 2567.4)])
    one = packet(at=market(tick=None), atr=None, orderflow=Opinion(0.9, active=True), iceberg=view)
    assert score(one).boosts.iceberg_zones == 0.0


def test_a_boost_is_scaled_by_how_far_the_base_already_is() -> None:
    view = IcebergView(score=0.6, active=True, zones=[zone("B", 2566.0)])
    found = score(packet(orderflow=Opinion(0.6, active=True), iceberg=view))
    assert (found.boosts.iceberg_zones, found.total) == (0.06, 0.66)  # .15 x .1/.25


def test_boosts_push_a_sell_down() -> None:
    view = IcebergView(score=0.2, active=True, zones=[zone("A", 2568.0)])
    found = score(packet(orderflow=Opinion(0.2, active=True), iceberg=view))
    assert (found.boosts.iceberg_zones, found.total, found.signal) == (-0.15, 0.05, "SELL")


@pytest.mark.parametrize(("gann", "confluence", "boost"), [
    (0.88, 3, 0.1), (0.88, 2, 0.0), (0.88, None, 0.0), (0.5, 3, 0.0), (0.4, 3, 0.0),
])
def test_gann_boosts_only_with_three_families_that_point_the_same_way(
    gann: float, confluence: int | None, boost: float,
) -> None:
    slots = {**opinions(orderflow=1.0, iceberg=1.0), "gann": GannView(score=gann, active=False, confluence=confluence)}
    assert score(packet(**slots)).boosts.gann_confluence == boost


def test_little_coverage_is_no_signal() -> None:
    found = score(packet(**opinions(orderflow=0.9, gann=0.9)))
    assert (found.total, found.signal, found.reasons) == (0.9, "HOLD", ["coverage 0.45 is below 0.5"])


def test_an_active_weight_of_exactly_the_minimum_is_enough() -> None:
    mine = {"qmo": 0.35, "imo": 0.65, "gann": 0.0, "astro": 0.0, "cycle": 0.0}
    slots = {"orderflow": opinion("orderflow", 0.9), "iceberg": opinion("iceberg", 0.5, active=False)}
    assert score(packet(**slots), ScoreOptions("mine", {"mine": mine})).signal == "BUY"


def test_technical_pillars_alone_are_no_signal_while_order_flow_is_silent() -> None:
    slots = {**opinions(gann=0.9, astro=0.9, cycle=0.9), "orderflow": Opinion(0.5, active=False)}
    found = score(packet(**slots))
    assert found.signal == "HOLD"
    assert found.reasons == ["neither order flow nor icebergs have anything to say now"]


@pytest.mark.parametrize("access", ["ohlcv-1m", "quote"])
def test_a_price_only_source_may_decide_without_order_flow_and_is_labelled(access: str) -> None:
    found = score(packet(access=access, **opinions(gann=0.9, astro=0.9, cycle=0.9)))
    assert (found.signal, found.price_only, found.coverage) == ("BUY", True, 0.5)


def test_a_source_that_could_know_order_flow_is_not_price_only() -> None:
    found = score(packet(**opinions(gann=0.9, astro=0.9, cycle=0.9)))
    assert (found.signal, found.price_only) == ("HOLD", False)


def test_phases_change_the_weights() -> None:
    one = packet(**opinions(orderflow=1.0, iceberg=1.0, gann=0.0))
    assert score(one, ScoreOptions("orderflow")).base == pytest.approx(0.8 / 0.9, abs=1e-6)
    assert all(sum(weights.values()) == pytest.approx(1) for weights in PHASES.values())


def test_a_users_own_weights_can_silence_a_pillar() -> None:
    mine = {"qmo": 1.0, "imo": 0.0, "gann": 0.0, "astro": 0.0, "cycle": 0.0}
    found = score(packet(**opinions(orderflow=0.9, iceberg=0.1)), ScoreOptions("mine", {"mine": mine}))
    assert (found.total, found.signal) == (0.9, "BUY")


@pytest.mark.parametrize("weights", [
    {"qmo": 1.0}, dict.fromkeys(PILLARS, 0.3), {**dict.fromkeys(PILLARS, 0.5), "qmo": -1.0},
    {**dict.fromkeys(PILLARS, 0.25), "qmo": float("nan")},
])
def test_weights_that_cannot_be_are_a_configuration_error(weights: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="mine"):
        Scorer(ScoreOptions("mine", {"mine": weights}))


def test_an_unknown_phase_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="classical, default, orderflow"):
        Scorer(ScoreOptions("lunar"))


def test_a_slot_off_the_wire_scores_like_the_reading_itself() -> None:
    here, there = original(zones=True, confluence=3), original(zones=True, confluence=3)
    there.slots = {
        name: msgspec.Raw(msgspec.json.encode(value)) for name, value in there.slots.items() if name != "inputs"}
    assert score(here) == score(there)


readings = st.one_of(
    st.none(), st.builds(Opinion, st.integers(0, 10**6).map(lambda n: n / 10**6), st.booleans()))
slots_of = st.fixed_dictionaries({}, optional=dict.fromkeys(("liquidity", "absorption", "astro", "cycle"), readings))
flows = st.one_of(st.none(), st.builds(Opinion, st.integers(0, 10**6).map(lambda n: n / 10**6), st.booleans()))
zone_lists = st.lists(
    st.builds(zone, st.sampled_from("BA"), st.integers(25600, 25750).map(lambda n: n / 10),
              weight=st.integers(1, 100).map(float)), max_size=5)


@st.composite
def packets(draw: st.DrawFn) -> dict[str, Any]:
    slots = draw(slots_of)
    slots["orderflow"] = draw(flows)
    ice = draw(flows)
    slots["iceberg"] = None if ice is None else IcebergView(ice.score, ice.active, draw(zone_lists))
    gann = draw(flows)
    slots["gann"] = None if gann is None else GannView(gann.score, gann.active, confluence=draw(st.integers(0, 6)))
    return slots


def mirrored(slots: dict[str, Any]) -> dict[str, Any]:
    """The same market upside down: 1 - score, bids for asks."""
    swap = {"B": "A", "A": "B"}
    result = {}
    for name, value in slots.items():
        if value is None:
            result[name] = None
            continue
        turned = msgspec.structs.replace(value, score=round(1 - value.score, 6))
        if isinstance(turned, IcebergView):
            sides = [msgspec.structs.replace(each, side=swap[each.side]) for each in turned.zones]
            turned = msgspec.structs.replace(turned, zones=sides)
        result[name] = turned
    return result


@given(packets())
def test_the_score_is_within_bounds_and_every_null_is_explained(slots: dict[str, Any]) -> None:
    one = packet(**slots)
    found = score(one)
    assert found.total is None or 0 <= found.total <= 1
    assert 0 <= found.active_weight <= found.coverage <= 1
    reasons = {key.removeprefix("score."): why for key, why in one.missing.items() if key.startswith("score.")}
    assert unexplained(found, reasons) == []
    assert all(getattr(found, name) is None for name in reasons)
    assert set(found.contributions) == {name for name in PILLARS if getattr(found, name) is not None}


@given(packets())
def test_buy_and_sell_are_mirror_images(slots: dict[str, Any]) -> None:
    one, other = score(packet(**slots)), score(packet(**mirrored(slots)))
    if one.total is None or other.total is None:
        assert one.total is other.total
        return
    assert other.total == pytest.approx(1 - one.total, abs=3e-6)
    if abs(abs(one.total - 0.5) - 0.25) > 1e-5:  # a millionth may tip a total on the cut
        assert other.signal == {"BUY": "SELL", "SELL": "BUY", "HOLD": "HOLD"}[one.signal]


@given(packets(), st.sampled_from(["liquidity", "absorption", "astro", "cycle"]))
def test_a_null_reading_counts_like_one_that_never_ran(slots: dict[str, Any], name: str) -> None:
    absent = {key: value for key, value in slots.items() if key != name}
    one, other = score(packet(**{**slots, name: None})), score(packet(**absent))
    assert (one.total, one.coverage, one.contributions) == (other.total, other.coverage, other.contributions)
