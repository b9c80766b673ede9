"""What a signal says: sentences from readings, a reason for every null, and no size in doubt."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.score import Scorer
from qmo_cli.signals import Signaler, SignalOptions
from qmo_cli.tray import Packet
from qmo_cli.views import AstroView, CycleView, GannView, IcebergView
from tests.handmade import (
    NEW_YORK,
    SECOND,
    at,
    health,
    market,
    needless,
    opinions,
    orderflow,
    packet,
    scored,
    signal,
    unexplained,
    zone,
)

from .scenes import options_of, scenes, scores


def full(total: float = 0.9) -> Packet:
    """A packet in which every engine speaks."""
    zones = [zone("B", 2555.0, state="defended"), zone("A", 2570.0), zone("A", 2580.0), zone("A", 2595.0)]
    return scored(packet(
        orderflow=orderflow(total), iceberg=IcebergView(score=total, active=True, zones=zones),
        gann=GannView(score=total, active=True, signal="breakout_up", confluence=3),
        astro=AstroView(score=0.5, active=True, reversal_window=True),
        cycle=CycleView(score=0.5, active=True, is_21=False, is_45=True, is_90=False),
    ))


def test_the_rationale_is_one_sentence_per_kind_of_evidence() -> None:
    found = signal(full()).signal
    assert found.rationale == [
        ("Iceberg zones live: 4; below the price a zone of bids at 2555 to 2555.3, defended; "
         "above the price a zone of asks at 2570 to 2570.3, created"),
        "Orderflow BUY: delta +240, CVD +1240, heat 90 of 100",
        "Gann: breakout up, 3 families of levels",
        "Timing: astro reversal window open, at the 45-bar count",
    ]
    assert list(msgspec.structs.astuple(found.rationale_by)) == found.rationale


@pytest.mark.parametrize(("low", "where"), [(2567.3, "at"), (2567.0, "below"), (2568.0, "above")])
def test_a_zone_is_named_by_where_it_lies(low: float, where: str) -> None:
    one = at(0.6, iceberg=IcebergView(score=0.6, active=True, zones=[zone("B", low)]))
    assert f"; {where} the price a zone of bids" in signal(one).signal.rationale[0]


def test_entering_a_zone_changes_the_sentence_about_it() -> None:
    signaler, reading = Signaler(), IcebergView(score=0.6, active=True, zones=[zone("B", 2567.0)])
    before, after = (signaler.update(at(0.6, at=market(price), iceberg=reading)) for price in (2567.5, 2567.2))
    assert "below the price" in before.signal.rationale[0]
    assert "at the price" in after.signal.rationale[0]


def test_every_number_in_the_rationale_is_in_the_packet() -> None:
    one = full()
    held = msgspec.json.encode({name: value for name, value in one.slots.items() if name != "score"}).decode()
    known = {abs(float(number)) for number in re.findall(r"-?\d+(?:\.\d+)?", held)} | {4.0}  # and a count of zones
    for sentence in signal(one).signal.rationale:
        assert {abs(float(number)) for number in re.findall(r"\d+(?:\.\d+)?", sentence)} <= known


def test_the_context_measures_zones_in_ticks_and_atr() -> None:
    found = signal(full()).market_context
    assert found.zone_below is not None
    assert found.zone_above is not None
    assert (found.zone_below.low, found.zone_below.ticks, found.zone_below.atr) == (2555.0, 122, 1.525)  # 12.2 points
    assert (found.zone_above.low, found.zone_above.ticks, found.zone_above.atr) == (2570.0, 25, 0.3125)
    assert (found.iceberg_zones, found.orderflow_bias, found.vwap_band) == (4, "BUY", 0.6)  # (2567.5 - 2566)/2.5
    assert (found.minutes_to_close, found.minutes_to_settlement, found.days_to_first_notice) == (389, 179, 3)


@pytest.mark.parametrize(("total", "low"), [(0.9, 2570.0), (0.1, 2555.0)])
def test_the_first_zone_in_the_way_of_the_target_is_shown(total: float, low: float) -> None:
    found = signal(full(total), stop="10").market_context
    assert found.opposing_zone is not None
    assert found.opposing_zone.low == low


def test_a_zone_behind_the_price_is_not_in_the_way() -> None:
    behind = IcebergView(score=0.9, active=True, zones=[zone("A", 2560.0)])
    assert signal(at(0.9, iceberg=behind)).market_context.opposing_zone is None


def test_a_flipped_zone_is_in_the_way_of_the_other_side() -> None:
    flipped = [zone("B", 2570.0, state="flipped"), zone("A", 2572.0, state="flipped")]
    found = signal(at(0.9, iceberg=IcebergView(score=0.9, active=True, zones=flipped))).market_context
    assert found.opposing_zone is not None
    assert found.opposing_zone.low == 2570.0


@pytest.mark.parametrize(("slots", "sentence", "why"), [
    ({"cycle": CycleView(score=0.5, active=False, is_21=False, is_45=False, is_90=False)},
     "Timing: no bar count due", None),
    ({"astro": AstroView(score=0.5, active=False, reversal_window=False)}, "Timing: no astro reversal window", None),
    ({"astro": None, "cycle": None}, None, "astro: no table; cycle: 2 of 4 pivots"),
    ({}, None, "needs engine astro or cycle"),
])
def test_timing_says_what_it_knows_or_why_it_does_not(
    slots: dict[str, Any], sentence: str | None, why: str | None,
) -> None:
    found = signal(at(0.6, missing={"astro": "no table", "cycle": "2 of 4 pivots"}, **slots))
    assert found.signal.rationale_by.timing == sentence
    assert found.missing.get("signal.rationale_by.timing") == why


def test_no_zone_in_the_way_is_null_without_a_reason() -> None:
    assert signal(at(0.9)).market_context.opposing_zone is None


def test_what_no_engine_gives_yet_is_null_with_the_engine_it_needs() -> None:
    found = signal(at(0.9))
    assert found.missing["market_context.prior_day_high"] == "needs engine session"
    assert found.missing["market_context.minutes_to_news"] == "needs engine news"
    assert found.missing["signal.probability"] == "no calibration file was given"


def test_a_signal_off_the_wire_is_the_signal_of_the_packet_itself() -> None:
    here, there = full(), full()
    there.slots = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in there.slots.items()}
    assert msgspec.json.encode(signal(here)) == msgspec.json.encode(signal(there))


def test_a_line_begins_with_its_schema_and_version() -> None:
    assert msgspec.json.encode(signal(at(0.6))).startswith(b'{"schema":"signal","v":1,')


@given(scenes(), options_of)
def test_every_null_of_a_signal_has_a_reason_and_every_reason_a_null(one: Packet, options: SignalOptions) -> None:
    found = Signaler(options).update(scored(one))
    assert unexplained(found, found.missing) == []
    assert needless(found, found.missing) == []
    assert b"NaN" not in msgspec.json.encode(found)


@given(scenes(), options_of)
def test_there_is_no_size_when_anything_is_in_doubt(one: Packet, options: SignalOptions) -> None:
    found, quote = Signaler(options).update(scored(one)), one.market
    if found.position is None or not found.position.contracts:
        assert found.reasons
        assert found.status != "active"
        return
    assert found.status == "active"
    assert one.ts == NEW_YORK
    assert quote.quality in {"real-time", "replay", "simulated"}
    assert quote.price_ts is not None
    assert NEW_YORK - int(quote.price_ts) <= 60 * SECOND
    assert quote.spread is None or quote.spread >= 0
    assert options.stop is not None or found.entry is None or (found.entry.stop_atr or 0) >= 1
    assert found.position.max_loss <= options.risk


@given(scenes(), options_of)
def test_a_hold_has_reasons_and_nothing_to_trade(one: Packet, options: SignalOptions) -> None:
    found = Signaler(options).update(scored(one))
    empty = (found.entry, found.position, found.valid_until, found.invalidation, found.signal.id)
    if found.signal.type == "HOLD":
        assert found.reasons
        assert empty == (None,) * 5
    else:
        assert None not in empty


@given(st.lists(st.tuples(scores, st.integers(1, 8)), min_size=40, max_size=80))
def test_later_packets_do_not_change_what_was_said(walk: list[tuple[float | None, int]]) -> None:
    scorer = Scorer()
    packets, ts = [], NEW_YORK
    for total, seconds in walk:
        ts += seconds * SECOND
        one = packet(ts=ts, at=market(price_ts=str(ts)), **opinions(orderflow=total, iceberg=total))
        packets.append(scored(one, scorer))
    whole, half = Signaler(), Signaler()
    said = [whole.update(one) for one in packets]
    assert [half.update(one) for one in packets[: len(packets) // 2]] == said[: len(packets) // 2]
    shown = [line.signal.id for line in said]
    assert [line.change is not None for line in said] == [a != b for a, b in zip([None, *shown], shown, strict=False)]


def test_health_names_the_schema_that_leads() -> None:
    assert signal(at(0.6)).market_context.access == health().access == "mbo"
