"""What speaks against a trade: the mentor, the news, the close, capital protection, and a thin book."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.packets import Level
from qmo_cli.signals.slippage import expected_slippage
from qmo_cli.tray import Packet
from qmo_cli.views import (
    DisplayedView,
    InputsView,
    MentorView,
    NewsView,
    RiskView,
    SessionView,
)
from tests.handmade import CLOSED, NEW_YORK, SECOND, at, market, opinions, packet, scored, signal

MINUTE = 60 * SECOND


def book(*sizes: int, touch: float = 2567.7, step: float = 0.1) -> list[Level]:
    """Asks from the touch up."""
    return [Level(round(touch + place * step, 1), size, 1) for place, size in enumerate(sizes)]


def displayed(asks: list[Level], bids: list[Level] | None = None) -> InputsView:
    return InputsView(DisplayedView(bids or book(9, touch=2567.3, step=-0.1), asks))


# ---- mentor and news


def test_a_veto_keeps_the_score_from_becoming_a_signal_and_is_the_reason() -> None:
    one = at(0.9, mentor=MentorView("5 minutes to nonfarm payrolls"))
    assert one.slots["score"].signal == "HOLD"
    assert one.slots["score"].total == 0.9
    assert signal(one).reasons == ["mentor: 5 minutes to nonfarm payrolls"]


def test_a_veto_adds_nothing_to_a_score_that_is_no_signal_anyway() -> None:
    assert at(0.6, mentor=MentorView("blackout")).slots["score"].reasons == []


def test_a_veto_hides_an_open_episode_and_its_end_brings_the_same_episode_back() -> None:
    from qmo_cli.signals import Signaler

    signaler = Signaler()
    lines = [
        signaler.update(at(0.7 if place else 0.9, NEW_YORK + place * SECOND, mentor=MentorView(veto)))
        for place, veto in enumerate([None, "blackout", None])
    ]
    assert [line.signal.type for line in lines] == ["BUY", "HOLD", "BUY"]
    assert [line.change for line in lines] == ["opened", "closed", "opened"]
    assert (lines[1].status, lines[1].reasons) == ("blocked", ["mentor: blackout"])
    assert lines[0].signal.id == lines[2].signal.id


def test_a_mentor_without_a_veto_changes_nothing() -> None:
    assert signal(at(0.9, mentor=MentorView(None, ["quiet"]))).status == "active"


def test_without_a_mentor_a_blackout_blocks_by_itself() -> None:
    found = signal(at(0.9, news=NewsView(3, blackout=True)))
    assert (found.signal.type, found.reasons) == ("HOLD", ["news: a scheduled event is near"])
    assert found.market_context.minutes_to_news == 3


def test_with_a_mentor_it_is_the_mentor_who_judges_the_news() -> None:
    assert signal(at(0.9, news=NewsView(3, blackout=True), mentor=MentorView())).status == "active"


# ---- the close


def test_the_last_minutes_before_the_close_get_no_size() -> None:
    late, early = (signal(at(0.9, CLOSED - minutes * MINUTE)) for minutes in (4, 5))
    assert (late.status, late.reasons[0]) == ("blocked", "the market closes in 4 minutes")
    assert early.status == "active"


def test_the_guard_of_the_close_can_be_set_and_be_off() -> None:
    assert signal(at(0.9, CLOSED - SECOND), close_guard=0.0).status == "active"
    assert signal(at(0.9, CLOSED - 20 * MINUTE), close_guard=30.0).status == "blocked"


# ---- capital protection


def size(one: Packet, **options: float) -> int:
    position = signal(one, **options).position
    assert position is not None
    return position.contracts


def test_without_the_engine_the_default_account_stands() -> None:
    assert size(at(0.9)) == 4


def test_a_guard_that_fires_takes_the_size_and_says_so() -> None:
    found = signal(at(0.9, risk=RiskView(allowed=False, reasons=["daily loss 600 of 500"])))
    assert (found.status, found.reasons[0]) == ("blocked", "capital protection: daily loss 600 of 500")
    assert found.position is not None
    assert (found.position.contracts, found.missing["position.contract"]) == (0, found.reasons[0])


def test_protection_that_does_not_say_why_still_protects() -> None:
    assert size(at(0.9, risk=RiskView())) == 0


def test_protection_that_cannot_be_evaluated_protects() -> None:
    found = signal(at(0.9, risk=None, missing={"risk": "the state cannot be read"}))
    assert (found.status, found.reasons[0]) == ("blocked", "capital protection: the state cannot be read")


def test_the_balance_that_is_known_limits_the_margin() -> None:
    # Margin of one MGC at 9 %: 2567.5 x 10 x .09 = 2310.75; half of 9,300 pays for two.
    known = at(0.9, risk=RiskView(allowed=True, balance=9300.0))
    assert size(known, margin=0.09) == 2
    assert size(at(0.9, risk=RiskView(allowed=True)), margin=0.09) == 4


def test_an_account_in_debt_gets_nothing() -> None:
    assert size(at(0.9, risk=RiskView(allowed=True, balance=-1.0)), margin=0.09) == 0


def test_a_share_of_the_risk_gives_a_share_of_the_size() -> None:
    # 500 x .5 = 250 against 105 of one MGC.
    assert size(at(0.9, risk=RiskView(allowed=True, size_factor=0.5))) == 2


# ---- the displayed book


def test_an_order_within_the_touch_slips_nothing() -> None:
    assert expected_slippage(book(5, 5), 5, 0.1) == 0.0


def test_what_the_touch_does_not_hold_is_paid_level_by_level() -> None:
    # 2 at the touch, 3 one tick on, 1 two ticks on: (0 x 2 + 1 x 3 + 2 x 1) / 6
    assert expected_slippage(book(2, 3, 9), 6, 0.1) == pytest.approx(5 / 6, abs=1e-6)


def test_a_book_too_thin_has_no_answer() -> None:
    assert expected_slippage(book(2, 3), 6, 0.1) is None
    assert expected_slippage([], 1, 0.1) is None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=10), st.integers(1, 40))
def test_slippage_is_the_mean_of_the_lots_one_by_one(sizes: list[int], size: int) -> None:
    lots = [ticks for ticks, held in enumerate(sizes) for _ in range(held)]
    expected = None if size > len(lots) else pytest.approx(sum(lots[:size]) / size, abs=1e-6)
    assert expected_slippage(book(*sizes), size, 0.1) == expected


def test_a_position_in_the_contract_on_display_says_what_it_would_slip() -> None:
    found = signal(at(0.9, inputs=displayed(book(1, 9))), risk=2500.0)
    assert found.position is not None
    assert (found.position.contract, found.position.contracts, found.position.expected_slippage) == ("GC", 2, 0.5)


def test_a_limit_that_crosses_the_spread_has_no_queue_and_one_that_rests_has() -> None:
    def ahead(bids: list[Level], **options: Any) -> int | None:
        found = signal(at(0.9, inputs=displayed(book(9), bids)), risk=2500.0, **options)
        assert found.position is not None
        return found.position.queue_ahead

    below = book(4, 7, touch=2567.3, step=-0.1)
    assert ahead(below) == 0  # the limit is 2568, above all bids
    assert ahead(below, entry="market") is None
    # 2567.8: 4 contracts bid at 2567.9, and 7 at the limit itself
    assert ahead(book(4, 7, touch=2567.9, step=-0.1), limit_offset=0.3) == 11


def test_a_book_that_would_cost_too_much_is_a_hold() -> None:
    thin = book(1, 0, 0, 0, 0, 0, 0, 9)  # the second contract seven ticks away: 3.5 on average
    found = signal(at(0.9, inputs=displayed(thin)), risk=2500.0)
    assert (found.status, found.signal.type, found.position) == ("blocked", "HOLD", None)
    assert found.reasons[0] == "the displayed book would cost 3.5 ticks, more than 3"
    assert signal(at(0.9, inputs=displayed(thin)), risk=2500.0, max_slippage=4.0).status == "active"


def test_a_sell_walks_the_bids() -> None:
    inputs = displayed(book(99), book(1, 9, touch=2567.3, step=-0.1))
    found = signal(at(0.1, inputs=inputs), risk=2500.0)
    assert found.position is not None
    assert found.position.expected_slippage == 0.5


@pytest.mark.parametrize(("asks", "options", "why"), [
    (book(9), {}, "the displayed depth is of GC, not of MGC"),
    (book(1), {"risk": 2500.0}, "the displayed levels hold less than 2 contracts"),
    (None, {}, "no displayed depth"),
])
def test_slippage_that_is_not_known_says_why(asks: list[Level] | None, options: dict[str, float], why: str) -> None:
    found = signal(at(0.9, inputs=None if asks is None else displayed(asks)), **options)
    assert found.position is not None
    assert (found.position.expected_slippage, found.missing["position.expected_slippage"]) == (None, why)


# ---- context


def test_the_days_and_the_nights_highs_come_from_the_session_engine() -> None:
    day = SessionView(2580.0, 2551.5, None, 2560.0)
    found = signal(at(0.9, session=day, missing={"session.overnight_high": "the night is not over"}))
    context = found.market_context
    assert (context.prior_day_high, context.prior_day_low, context.overnight_low) == (2580.0, 2551.5, 2560.0)
    assert found.missing["market_context.overnight_high"] == "the night is not over"


def test_slots_off_the_wire_guard_like_the_readings_themselves() -> None:
    slots = {
        "risk": RiskView(allowed=True, balance=9300.0), "mentor": MentorView(None, ["quiet"]),
        "news": NewsView(30, blackout=False), "session": SessionView(1.0, 2.0, 3.0, 4.0),
        "inputs": displayed(book(1, 9)), **opinions(orderflow=0.9, iceberg=0.9),
    }
    whole = scored(packet(at=market(), **slots))
    encode = msgspec.json.encode
    wire = scored(packet(at=market(), **{name: msgspec.Raw(encode(value)) for name, value in slots.items()}))
    assert encode(signal(whole)) == encode(signal(wire))
