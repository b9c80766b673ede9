"""Entry, stop and size. Expected values are the original description's, or hand arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.errors import UsageError
from qmo_cli.instruments import SPECS, Spec
from qmo_cli.signals.margin import margin_rate
from qmo_cli.signals.sizing import (
    Levels,
    SignalOptions,
    Size,
    Sizer,
    Trade,
    entry_of,
    ladder,
    position_of,
    stop_of,
)

NANO = 10**9
UNKNOWN_MARGIN = "2026-01-27"  # a trade date whose margin is not known


def trade(direction: Any = "BUY", price: float = 2567.5, **changes: Any) -> Trade:
    known = {"far_side": 2567.7 if direction == "BUY" else 2567.3, "distance": 10.0, "trade_date": UNKNOWN_MARGIN}
    return Trade(direction, price, **{**known, **changes})


def sized(one: Trade | None = None, root: str = "GC", **options: Any) -> Size:
    return Sizer(SignalOptions(**options)).size(one or trade(), ladder(SPECS[root]))


def prices(at: Levels) -> tuple[float, ...]:
    return tuple(each / NANO for each in (at.limit, at.stop, at.target, at.first))


def test_the_worst_fill_sizes_four_micro_contracts_with_a_loss_of_420() -> None:
    found = sized()  # (2568.00 - 2557.50) x 10 = 105 each
    assert (found.spec.root, found.contracts, found.max_loss) == ("MGC", 4, 420 * NANO)


def test_risk_from_price_reproduces_the_original() -> None:
    found = sized(risk_from="price", margin=0.10)
    assert (found.spec.root, found.contracts, found.max_loss) == ("MGC", 5, 500 * NANO)
    assert found.capital == 12_837_500_000_000  # 5 x 2567.50 x 10 x .10


def test_the_first_rung_of_which_one_fits_is_taken() -> None:
    assert [(sized(risk=risk).spec.root, sized(risk=risk).contracts) for risk in (1050.0, 1049.0, 104.0, 10.0)] == [
        ("GC", 1), ("MGC", 9), ("1OZ", 9), ("1OZ", 0)]


def test_when_nothing_fits_the_reason_says_what_one_would_risk() -> None:
    assert sized(risk=10.0).why == "one 1OZ would risk 10.5, more than a trade may"


def test_the_index_ladder_ends_in_its_micro() -> None:
    found = sized(trade(price=4810.25, far_side=4810.5), "ES")  # 10.5 x 50 = 525, 10.5 x 5 = 52.50
    assert (found.spec.root, found.contracts, found.max_loss) == ("MES", 9, 472_500_000_000)


def test_a_smaller_sister_is_priced_in_its_own_tick() -> None:
    found = sized(trade(price=2567.4), risk=50.0)  # 1OZ trades in quarters: 2567.90 and 2557.40 become
    assert found.spec.root == "1OZ"
    assert prices(found.at)[:2] == (2567.75, 2557.25)


def test_costs_count_as_risk() -> None:
    found = sized(costs=2.5)
    assert (found.contracts, found.max_loss) == (4, 430 * NANO)
    assert sized(costs=20.1).contracts == 3  # 125.10 each


def test_margin_may_take_no_more_than_half_the_account() -> None:
    found = sized(trade(trade_date="2026-02-10"), account=10_000.0)  # 2567.50 x 10 x .09 = 2310.75 each
    assert (found.contracts, found.capital, found.rate_since) == (2, 4_621_500_000_000, "2026-02-06")


def test_an_account_too_small_for_the_margin_gets_nothing_and_the_reason() -> None:
    found = sized(trade(trade_date="2026-02-10"), account=400.0)
    assert (found.contracts, found.why) == (0, "the margin of one 1OZ is more than the account allows")


@pytest.mark.parametrize(("root", "date", "rate"), [
    ("GC", "2026-01-12", None), ("GC", "2026-01-13", 0.05), ("GC", "2026-01-20", None), ("MGC", "2026-02-05", None),
    ("GC", "2026-02-06", 0.09), ("1OZ", "2026-03-01", 0.09), ("ES", "2026-03-01", None), (None, "2026-03-01", None),
])
def test_margin_is_known_only_for_the_dates_on_record(root: str | None, date: str, rate: float | None) -> None:
    assert margin_rate(root, date)[0] == rate


def test_an_unknown_margin_leaves_the_capital_unknown_and_sizes_by_risk() -> None:
    found = sized()
    assert (found.contracts, found.capital, found.rate) == (4, None, None)
    assert found.rate_unknown == "the gold margin of 2026-01-27 is not known; give it as an option"


def test_a_share_of_a_negative_price_is_no_margin() -> None:
    found = sized(trade(price=-37.63, distance=2.0, far_side=None), "CL", margin=0.1, limit_offset=0.1)
    assert found.capital is None
    assert found.rate_unknown is not None


@pytest.mark.parametrize(("direction", "price", "expected"), [
    ("BUY", 2567.5, (2568.0, 2557.5, 2587.5, 2572.5)),
    ("SELL", 2567.5, (2567.0, 2577.5, 2547.5, 2562.5)),
    ("BUY", 2567.45, (2567.9, 2557.4, 2587.4, 2572.4)),    # a mid off the grid
    ("SELL", 2567.45, (2567.0, 2577.5, 2547.5, 2562.5)),
])
def test_limits_round_to_safety_stops_away_from_entry_targets_toward_it(
    direction: str, price: float, expected: tuple[float, ...],
) -> None:
    assert prices(Sizer(SignalOptions()).levels(trade(direction, price), 10**8)) == expected


def test_a_market_order_is_sized_from_the_far_side_when_that_is_worse() -> None:
    found = sized(trade(far_side=2569.0), entry="market")  # (2569 - 2557.50) x 10 = 115
    assert (found.contracts, found.max_loss) == (4, 460 * NANO)
    assert sized(entry="market").max_loss == 420 * NANO


def test_entry_and_position_show_the_levels() -> None:
    one, options = trade(), SignalOptions()
    found = sized(one)
    entry, position = entry_of(one, found, options, 1.25), position_of(found, options, doubt=False)
    assert (entry.price, entry.limit_price, entry.stop, entry.target) == (2567.5, 2568.0, 2557.5, 2587.5)
    assert (entry.risk_reward, entry.risk_reward_ratio, entry.stop_atr) == ("1:2", 2.0, 1.25)
    assert (position.contract, position.contracts, position.max_loss) == ("MGC", 4, 420.0)
    assert (position.first_target, position.trail_distance, position.costs_included) == (2572.5, 10.0, False)


def test_a_market_entry_has_no_limit_price() -> None:
    options = SignalOptions(entry="market")
    assert entry_of(trade(), sized(entry="market"), options, None).limit_price is None


def test_doubt_takes_the_size_and_leaves_the_levels() -> None:
    position = position_of(sized(), SignalOptions(), doubt=True)
    assert (position.contract, position.contracts, position.max_loss, position.capital_required) == (None, 0, 0.0, 0.0)
    assert position.first_target == 2572.5


@pytest.mark.parametrize("text", ["", "atr:", "ten", "-1", "0", "atr:0", "nan", "inf", "atr:inf", "ATR:1"])
def test_a_stop_that_makes_no_sense_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is not a stop"):
        stop_of(text)


@pytest.mark.parametrize(("name", "value"), [
    ("risk", 0.0), ("risk", -1.0), ("account", float("nan")), ("tick", 0.0), ("margin", -0.1), ("costs", -1.0),
    ("limit_offset", float("inf")), ("entry", "stop"), ("risk_from", "mid"), ("stop", "wide"),
])
def test_options_that_make_no_sense_are_usage_errors(name: str, value: Any) -> None:
    with pytest.raises(UsageError):
        SignalOptions(**{name: value})


def test_a_contract_without_a_tick_cannot_be_sized() -> None:
    with pytest.raises(ValueError, match="XY cannot be sized"):
        ladder(Spec("XY", None, 1.0, None, ("XY",), "", "option"))


@given(
    st.sampled_from(["BUY", "SELL"]), st.integers(1, 10**6).map(lambda n: n / 200), st.integers(2, 1000),
    st.sampled_from(list(SPECS.values())), st.booleans(), st.sampled_from(["limit", "market"]),
)
def test_a_stop_is_never_inside_and_a_loss_never_above_the_risk(
    direction: Any, price: float, stop_ticks: int, spec: Spec, from_price: bool, entry: Any,
) -> None:
    assert spec.tick is not None
    options = SignalOptions(risk_from="price" if from_price else "limit", entry=entry, margin=0.1)
    one = trade(direction, price, distance=stop_ticks * spec.tick, far_side=price)
    found = Sizer(options).size(one, ladder(spec))
    at, sign = found.at, one.sign
    assert sign * (at.price - at.stop) >= round(one.distance * NANO)
    assert sign * at.limit <= sign * at.price + round(0.5 * NANO)
    assert sign * (at.target - at.price) <= round(2 * one.distance * NANO)
    assert sign * at.worst >= sign * at.price
    assert found.max_loss <= 500 * NANO
    assert found.capital is None or found.capital <= 50_000 * NANO
    assert found.contracts > 0 or found.why


@given(st.integers(1000, 10**5).map(lambda n: n / 4), st.integers(8, 400).map(lambda n: n / 4))
def test_buying_and_selling_on_the_grid_risk_the_same(price: float, distance: float) -> None:
    up, down_ = (sized(trade(side, price, distance=distance, far_side=None), "ES") for side in ("BUY", "SELL"))
    assert (up.contracts, up.max_loss, up.spec.root) == (down_.contracts, down_.max_loss, down_.spec.root)
