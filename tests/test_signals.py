"""The trade decision: its memory, its vetoes and its doubts."""

from __future__ import annotations

import pytest

from qmo_cli.errors import BadData
from qmo_cli.signals import Signaler
from qmo_cli.signals.decision import episode_id
from qmo_cli.views import LiquidityView
from tests.handmade import (
    CLOSED,
    NEW_YORK,
    SECOND,
    at,
    market,
    opinion,
    opinions,
    orderflow,
    packet,
    scored,
    signal,
)


def types(totals: list[float | None], step: float = 1.0) -> list[str]:
    """Decisions on totals that follow each other by ``step`` seconds."""
    signaler = Signaler()
    times = [NEW_YORK + round(place * step * SECOND) for place in range(len(totals))]
    return [signaler.update(at(total, ts)).signal.type for total, ts in zip(totals, times, strict=True)]


# Memory


def test_an_episode_closes_after_ten_seconds_on_the_inner_side() -> None:
    assert types([0.9] + [0.59] * 11) == ["BUY"] * 11 + ["HOLD"]


def test_a_total_of_six_tenths_is_not_inside() -> None:
    assert types([0.9] + [0.6] * 15) == ["BUY"] * 16


def test_coming_back_starts_the_ten_seconds_anew() -> None:
    assert types([0.9, *[0.55] * 8, 0.65, *[0.55] * 9]) == ["BUY"] * 19


def test_the_opposite_side_closes_at_once() -> None:
    assert types([0.9, 0.39, 0.7]) == ["BUY", "HOLD", "HOLD"]
    assert types([0.1, 0.61, 0.3]) == ["SELL", "HOLD", "HOLD"]


def test_an_opposite_signal_reverses_in_the_same_packet() -> None:
    signaler = Signaler()
    first, second = (signaler.update(at(total, NEW_YORK + place)) for place, total in enumerate((0.9, 0.1)))
    assert (first.signal.type, first.change) == ("BUY", "opened")
    assert (second.signal.type, second.change) == ("SELL", "reversed")
    assert first.signal.id != second.signal.id


def test_an_unknown_score_ends_an_episode() -> None:
    assert types([0.9, None, 0.7]) == ["BUY", "HOLD", "HOLD"]


def test_an_episode_keeps_its_name_and_time_and_says_when_it_changes() -> None:
    signaler = Signaler()
    lines = [signaler.update(at(total, NEW_YORK + place * SECOND)) for place, total in enumerate([0.5, 0.9, 0.7, 0.3])]
    assert [line.change for line in lines] == [None, "opened", None, "closed"]
    assert [line.signal.since for line in lines] == [None, "2026-01-27T15:30:46Z", "2026-01-27T15:30:46Z", None]
    assert lines[1].signal.id == lines[2].signal.id == episode_id("GCG6", "BUY", NEW_YORK + SECOND)


def test_another_contract_is_another_episode() -> None:
    signaler = Signaler()
    before, after = signaler.update(at(0.9)), signaler.update(at(0.7, NEW_YORK + SECOND, symbol="GCJ6"))
    assert (before.signal.type, after.signal.type, after.change) == ("BUY", "HOLD", "closed")


def test_series_do_not_share_their_memory() -> None:
    signaler = Signaler()
    signaler.update(at(0.9))
    assert signaler.update(at(0.7, NEW_YORK + SECOND, series="SI.v.0", symbol="SIH6")).signal.type == "HOLD"


# What a decision amounts to


def test_the_original_example_comes_out() -> None:
    found = signal(at(0.83), risk_from="price", margin=0.1)
    assert (found.status, found.current_price, found.timestamp) == ("active", 2567.5, "2026-01-27T15:30:45Z")
    assert (found.signal.type, found.signal.confidence) == ("BUY", 0.83)
    assert found.entry is not None
    assert found.position is not None
    assert (found.entry.limit_price, found.entry.target, found.entry.stop) == (2568.0, 2587.5, 2557.5)
    assert (found.position.contracts, found.position.capital_required, found.position.max_loss) == (5, 12837.5, 500.0)
    assert found.market_context.session == "new york"


def test_a_strong_sell_shows_strong_confidence() -> None:
    found = signal(at(0.1))
    assert (found.signal.type, found.signal.score, found.signal.confidence) == ("SELL", 0.1, 0.9)


def test_hold_has_no_entry_and_says_why() -> None:
    found = signal(at(0.6))
    assert (found.status, found.entry, found.position, found.valid_until) == ("hold", None, None, None)
    assert found.reasons == ["score 0.6 is neither above 0.75 (BUY) nor below 0.25 (SELL)"]


def test_hold_passes_on_what_kept_the_score_back() -> None:
    assert signal(at(0.9, iceberg=None, missing={"iceberg": "needs mbo"})).reasons == [
        "coverage 0.25 is below 0.5", "active weight 0.25 is below 0.35"]


def test_silence_is_given_as_the_reason() -> None:
    silent = {name: opinion(name, 0.5, active=False) for name in ("orderflow", "iceberg")}
    assert signal(scored(packet(**silent))).reasons == ["no pillar has anything to say now"]


def test_a_stop_inside_the_noise_is_a_hold() -> None:
    found = signal(at(0.9, atr=12.5))
    assert (found.signal.type, found.status, found.entry) == ("HOLD", "blocked", None)
    assert found.reasons[0] == "stop_inside_noise: the stop is 0.8 ATR away"


def test_a_stop_of_one_atr_is_outside_the_noise() -> None:
    assert signal(at(0.9, atr=10.0)).status == "active"


def test_a_stop_the_user_chose_may_lie_inside_the_noise() -> None:
    found = signal(at(0.9, atr=12.5), stop="10")
    assert found.entry is not None
    assert (found.status, found.entry.stop_atr) == ("active", 0.8)


def test_a_stop_in_atr_scales_the_targets() -> None:
    found = signal(at(0.9, atr=8.0), stop="atr:1.5")
    assert found.entry is not None
    assert found.position is not None
    assert (found.entry.stop, found.entry.target, found.position.first_target) == (2555.5, 2591.5, 2573.5)


def test_a_stop_in_atr_waits_for_the_atr() -> None:
    found = signal(at(0.9, atr=None), stop="atr:1.5")
    assert (found.status, found.signal.type, found.position) == ("warming_up", "HOLD", None)
    assert found.reasons == ["a stop in ATR needs bars.atr: 3 of 14 bars"]


def test_without_an_atr_the_default_stop_gets_no_size() -> None:
    found = signal(at(0.9, atr=None))
    assert found.position is not None
    assert (found.status, found.signal.type, found.position.contracts) == ("warming_up", "BUY", 0)


@pytest.mark.parametrize("quality", ["cached", "delayed", "stale", "doubtful"])
def test_prices_that_are_not_of_now_get_no_size(quality: str) -> None:
    found = signal(at(0.9, at=market(quality=quality)))
    assert found.position is not None
    assert (found.position.contracts, found.position.contract, found.position.max_loss) == (0, None, 0.0)
    assert f"no size on {quality} prices" in found.reasons
    assert found.status == ("stale" if quality == "stale" else "blocked")


@pytest.mark.parametrize("quality", ["simulated", "replay"])
def test_simulated_and_replayed_data_are_labelled(quality: str) -> None:
    found = signal(at(0.9, at=market(quality=quality)))
    assert (found.status, found.market_context.quality) == ("active", quality)


def test_an_old_price_gets_no_size() -> None:
    found = signal(at(0.9, at=market(price_ts=str(NEW_YORK - 61 * SECOND))))
    assert found.position is not None
    assert (found.position.contracts, found.reasons[0]) == (0, "the price is 61 s old")


@pytest.mark.parametrize(("early", "contracts"), [(SECOND // 10, 4), (2 * SECOND, 0)])
def test_a_price_may_be_a_little_younger_than_its_frame_but_not_of_the_future(early: int, contracts: int) -> None:
    found = signal(at(0.9, at=market(price_ts=str(NEW_YORK + early))))
    assert found.position is not None
    assert found.position.contracts == contracts


def test_a_crossed_book_gets_no_size() -> None:
    found = signal(at(0.9, at=market(bid=2567.8, spread=-0.1)))
    assert found.position is not None
    assert (found.position.contracts, found.reasons[0]) == (0, "the book is crossed")


def test_a_market_order_needs_a_quote() -> None:
    found = signal(at(0.9, at=market(ask=None, spread=None)), entry="market")
    assert found.position is not None
    assert found.position.contracts == 0


def test_an_unknown_instrument_is_held_until_its_tick_is_given() -> None:
    unknown = {"at": market(tick=None, point_value=None), "symbol": "XYZ6", "series": "XY.v.0"}
    assert signal(at(0.9, **unknown)).status == "blocked"
    found = signal(at(0.9, **unknown), tick=0.5, point_value=20.0)
    assert found.position is not None
    assert (found.position.contract, found.position.contracts) == ("XY", 2)  # (2568 - 2557.50) x 20 = 210


def test_a_definition_that_differs_from_the_table_has_no_smaller_sisters() -> None:
    found = signal(at(0.9, at=market(point_value=40.0)))  # 10.5 x 40 = 420
    assert found.position is not None
    assert (found.position.contract, found.position.contracts, found.position.max_loss) == ("GC", 1, 420.0)


def test_a_stop_too_close_for_its_entry_is_a_hold() -> None:
    assert signal(at(0.9), stop="0.1").reasons == ["a stop of 0.1 is less than 2 ticks"]
    assert signal(at(0.9), stop="0.8").signal.type == "HOLD"  # its first target 2567.90 lies below the limit 2568.00


def test_without_a_price_there_is_nothing_to_enter() -> None:
    found = signal(at(0.9, at=market(None, bid=None, ask=None, spread=None), missing={"price": "no trade yet"}))
    assert (found.signal.type, found.status, found.reasons) == ("HOLD", "blocked", ["no price: no trade yet"])


def test_a_closed_market_opens_nothing_and_ends_what_is_open() -> None:
    signaler = Signaler()
    before, after = signaler.update(at(0.9, CLOSED - 301 * SECOND)), signaler.update(at(0.9, CLOSED))
    assert (before.status, after.status, after.signal.type) == ("active", "closed", "HOLD")
    assert (after.change, after.reasons) == ("closed", ["the market is closed"])


def test_a_signal_is_valid_while_its_price_is_and_not_beyond_the_close() -> None:
    assert signal(at(0.9)).valid_until == "2026-01-27T15:31:45Z"
    assert signal(at(0.9, CLOSED - 5 * SECOND)).valid_until == "2026-01-27T22:00:00Z"


def test_an_unknown_margin_is_said_and_a_known_one_is_dated() -> None:
    assert signal(at(0.9)).reasons == [
        "sized by risk only: the gold margin of 2026-01-27 is not known; give it as an option"]
    later = 1_770_737_445 * SECOND  # 2026-02-10T15:30:45Z
    found = signal(at(0.9, later))
    assert found.position is not None
    assert (found.position.margin_rate, found.position.margin_since, found.reasons) == (0.09, "2026-02-06", [])
    assert found.position.capital_required == 9243.0  # 4 x 2567.50 x 10 x .09


def test_price_only_decisions_are_labelled_and_delayed_ones_get_no_size() -> None:
    one = packet(access="quote", at=market(quality="delayed"), **opinions(gann=0.9, astro=0.9, cycle=0.9))
    found = signal(scored(one))
    assert found.position is not None
    assert (found.signal.type, found.signal.price_only, found.position.contracts) == ("BUY", True, 0)


def test_a_packet_without_a_score_names_the_missing_stage() -> None:
    with pytest.raises(BadData, match="qmo score"):
        signal(packet())


def test_the_story_of_liquidity_is_the_last_sentence() -> None:
    story = "Buyers were the more aggressive over 60 s, delta +9 of 12."
    one = packet(orderflow=orderflow(0.9), liquidity=LiquidityView(score=0.9, active=True, narrative=story))
    assert signal(scored(one)).signal.rationale[-1] == story
    assert signal(scored(packet(orderflow=orderflow(0.9)))).signal.rationale[-1].startswith("Orderflow")
