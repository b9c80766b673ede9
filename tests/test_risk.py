"""Capital protection: each guard by hand, and the account against a naive reckoning in fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.risk.reading import GUARDS
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.sessions import trade_date

from .risking import NAMED, account, at, fill, guard, kill, last, packets, quoted, readings, traded
from .support import mapping

HOUR = 3600


# --- nothing set


def test_without_guards_and_records_a_trade_is_allowed_and_nothing_is_invented() -> None:
    reading = last([traded(0, 2000.0)])
    assert (reading.allowed, reading.reasons, reading.size_factor) == (True, [], 1.0)
    assert (reading.balance, reading.position, reading.realised, reading.open) == (None, None, None, None)
    assert [found.name for found in reading.guards] == ["kill"]
    assert reading.guards_off == [name for name in GUARDS if name != "kill"]


def test_an_unchanged_account_gives_the_same_object() -> None:
    records = [NAMED, account(0, 5e4), *[traded(second, 2000.0 + second) for second in range(20)]]
    found = readings(records)
    assert all(reading is found[0] for reading in found)


def test_an_open_position_at_an_unchanged_price_gives_the_same_object() -> None:
    records = [NAMED, fill(0, "B", 1, 2000.0), *[traded(second, 2001.0) for second in range(1, 9)]]
    found = readings(records, daily_loss=500)
    assert all(reading is found[1] for reading in found[1:])
    assert found[1].open == 100.0


# --- money


def test_a_position_is_closed_first_in_first_out_with_its_fees() -> None:
    # GC: $100 a point. Bought 2 at 2000 and 1 at 2010; sold 2 at 2005: 2 x 5 x 100 - fees 3 x 2.5 = 992.5; the third
    # stands at 2010 against 2006: -400
    reading = last([
        account(0, 100_000.0), fill(1, "B", 2, 2000.0, fees=2.5), fill(2, "B", 1, 2010.0, fees=2.5),
        fill(3, "A", 2, 2005.0, fees=2.5), traded(4, 2006.0)])
    assert (reading.realised, reading.open, reading.position) == (992.5, -400.0, 1)
    assert (reading.balance, reading.trades, reading.losses) == (100_992.5, 1, 0)


def test_a_fill_through_nothing_ends_one_trade_and_begins_another() -> None:
    # long 1 from 2000, sold 3 at 1999 for 3.00: the first trade lost 100 + 1.00, two are short from 1999
    reading = last([fill(1, "B", 1, 2000.0), fill(2, "A", 3, 1999.0, fees=3.0), traded(3, 1998.5)])
    assert (reading.position, reading.trades, reading.losses) == (-2, 2, 1)
    assert (reading.realised, reading.open) == (-103.0, 100.0)


def test_money_is_exact_where_floats_are_not() -> None:
    # 0.1 + 0.2 ten thousand times over: 10000 round turns of one tick of MGC ($1 a tick), 0.30 fees each
    records: list[bytes] = []
    for turn in range(500):
        records += [fill(turn / 100, "B", 20, 2000.1, fees=0.1, symbol="MGCJ6"),
                    fill(turn / 100 + 0.005, "A", 20, 2000.2, fees=0.2, symbol="MGCJ6")]
    assert last([*records, traded(10, 2000.0)]).realised == 500 * 20 - 500 * 0.3


def test_a_sisters_fill_has_its_own_point_value() -> None:
    assert last([fill(1, "B", 3, 2000.0, symbol="MGC"), traded(2, 2001.0)]).open == 30.0
    assert last([fill(1, "B", 3, 2000.0, symbol="1OZJ6"), traded(2, 2001.0)]).open == 3.0


@pytest.mark.parametrize(("symbol", "realised"), [("XQZ", None), ("SIJ6", 5000.0)])
def test_a_contract_that_is_not_known_has_no_result(symbol: str, realised: float | None) -> None:
    reading = last(
        [account(0, 1e5), fill(1, "B", 1, 20.0, symbol=symbol), fill(2, "A", 1, 21.0, symbol=symbol),
         traded(3, 2000.0)], daily_loss=500)
    assert reading.realised == realised
    assert reading.allowed == (realised is not None)


def test_another_metals_open_position_cannot_be_valued_by_golds_price() -> None:
    reading = last([fill(1, "B", 1, 20.0, symbol="SIJ6"), traded(2, 2000.0)], daily_loss=500)
    assert (reading.open, reading.allowed) == (None, False)
    assert guard(reading, "daily_loss").reason == (
        "daily_loss cannot be told: the price is not that of the position's contract")


def test_a_position_in_a_contract_that_was_left_cannot_be_valued_by_the_new_ones_price() -> None:
    new = [mapping("GC.v.0", "GCM6", instrument=2), traded(3, 2030.0, 2), traded(4, 2030.0, 2)]
    reading = last([fill(1, "B", 1, 2000.0), traded(2, 2001.0), *new], daily_loss=500)
    assert (reading.open, reading.allowed) == (None, False)


def test_an_account_record_overrides_the_balance_and_fills_it_knows_of_do_not_count_twice() -> None:
    records = [account(0, 1e5), fill(1, "B", 1, 2000.0), fill(3, "A", 1, 2001.0), account(5, 90_000.0)]
    late = fill(4, "B", 1, 2000.0, fees=7.0)
    assert last([*records, late, traded(6, 2000.0)]).balance == 90_000.0
    assert last([*records, fill(7, "B", 1, 2000.0, fees=7.0), traded(8, 2000.0)]).balance == 89_993.0


def test_an_older_account_record_changes_nothing() -> None:
    assert last([account(5, 9e4), traded(5.1, 2000.0), account(2, 1e5), traded(6, 2000.0)]).balance == 9e4


# --- guards


def test_the_daily_loss_counts_open_profit_and_stays_hit_until_the_trade_date_ends() -> None:
    records = [account(0, 1e5), fill(1, "B", 1, 2000.0), traded(2, 1995.0), traded(3, 2001.0)]
    assert last([*records[:2], traded(2, 1995.1)], daily_loss=500).allowed
    found = readings([NAMED, *records], daily_loss=500)
    assert [reading.allowed for reading in found[-2:]] == [False, False]
    assert guard(found[-1], "daily_loss").value == 100.0
    assert guard(found[-1], "daily_loss").reason == "the trade date's result was down to -500, the limit is -500"
    # 15:00 UTC on 2 March is 09:00 in Chicago: 17:00 is eight hours later
    closed = [fill(4, "A", 1, 2001.0), traded(8 * HOUR - 2, 2001.0), traded(8 * HOUR - 1, 2001.0)]
    found = readings([NAMED, *records, *closed], daily_loss=500)  # the last frame ends as the next trade date begins
    assert [reading.allowed for reading in found[-2:]] == [False, True]


def test_the_day_is_reset_at_five_in_chicago_on_both_sides_of_the_clock_change() -> None:
    # 2 March 15:00 UTC is 09:00 CST. On Monday 9 March Chicago is at UTC-5: the date ends at 22:00 UTC, not 23:00.
    monday = 7 * 24 * HOUR
    lost = [fill(monday, "B", 1, 2000.0), fill(monday + 1, "A", 1, 1990.0)]
    for end, allowed in ((7 * HOUR - 1, False), (7 * HOUR, True)):
        assert last([*lost, traded(monday + end - 1, 2000.0)], daily_loss=500).allowed is (allowed)


def test_the_end_of_day_drawdown_forgets_a_peak_within_the_day() -> None:
    # 100000; open profit 2000 at 2020, then 500 at 2005
    records = [account(0, 1e5), fill(1, "B", 1, 2000.0), traded(2, 2020.0), traded(4, 2005.0)]
    assert guard(last(records, drawdown=1000), "drawdown").value == 0.0
    found = last(records, drawdown=1000, drawdown_kind="intraday")
    assert (found.drawdown, found.allowed) == (1500.0, False)
    assert found.reasons == ["the account is 1500 below its peak, the limit is 1000"]


def test_the_end_of_day_drawdown_trails_what_the_account_was_worth_when_the_date_ended() -> None:
    records = [account(0, 1e5), fill(1, "B", 1, 2000.0), traded(8 * HOUR - 2, 2020.0), traded(8 * HOUR + 5, 2011.0)]
    assert last(records, drawdown=1000).drawdown == 900.0
    assert last([*records, traded(8 * HOUR + 9, 2010.0)], drawdown=1000).allowed is False


def test_a_drawdown_without_a_balance_is_not_known() -> None:
    reading = last([fill(1, "B", 1, 2000.0), traded(2, 2000.0)], drawdown=1000)
    assert (reading.allowed, reading.drawdown) == (False, None)
    assert reading.reasons == ["drawdown cannot be told: no account record has told the balance"]


def test_trades_of_the_trade_date_are_counted_when_they_begin() -> None:
    one = [fill(1, "B", 1, 2000.0), fill(2, "B", 1, 2000.0), fill(3, "A", 2, 2000.0)]
    assert last([*one, traded(4, 2000.0)], trades=2).allowed
    assert last([*one, fill(4, "A", 1, 2000.0), traded(5, 2000.0)], trades=2).reasons == [
        "2 trades in the trade date, the limit is 2"]


def test_losses_one_after_another_make_a_pause_and_a_gain_starts_anew() -> None:
    lost = [fill(1, "B", 1, 2000.0), fill(2, "A", 1, 1999.9), fill(3, "A", 1, 2000.0), fill(4, "B", 1, 2000.1)]
    setting: dict[str, Any] = {"losses": 2, "pause_minutes": 10}
    reading = last([*lost, traded(5, 2000.0)], **setting)
    assert reading.reasons == ["2 losses one after another; pause until 2026-03-02T15:10:04Z"]
    assert last([*lost, traded(603, 2000.0)], **setting).allowed  # the frame ends at 604 s
    assert not last([*lost, traded(602, 2000.0)], **setting).allowed
    gain = [fill(2.2, "B", 1, 2000.0), fill(2.4, "A", 1, 2000.1)]
    assert last([*lost[:2], *gain, *lost[2:], traded(5, 2000.0)], **setting).allowed


@pytest.mark.parametrize(("bid", "ask", "allowed"), [(2000.0, 2000.2, True), (2000.0, 2000.3, False),
                                                     (2000.1, 2000.0, False)])
def test_the_spread_guard_counts_ticks_and_takes_no_crossed_quote(bid: float, ask: float, allowed: bool) -> None:
    assert last([quoted(0, bid, ask)], spread_ticks=2).allowed is allowed


def test_a_spread_that_is_not_known_is_not_allowed() -> None:
    reading = last([traded(0, 2000.0)], spread_ticks=2)
    assert reading.reasons == ["spread cannot be told: there is no quote of both sides"]


def test_the_volatility_guard_wants_an_atr_and_a_low_one() -> None:
    calm = [traded(second, 2000.0 + second % 2) for second in range(20)]
    assert last(calm[:5], atr_points=1.5).reasons[0].startswith("volatility cannot be told: ")
    assert last(calm, atr_points=1.0).allowed
    assert last(calm, atr_points=0.9).reasons == ["ATR is 1 points, the limit is 0.9"]


def test_an_old_price_is_stale_by_the_records_alone() -> None:
    silent = [traded(0, 2000.0), traded(1, 2000.0), account(30, 1e5)]
    assert last(silent[:2], stale_seconds=10).allowed
    reading = last(silent, stale_seconds=10)
    assert (reading.allowed, guard(reading, "stale").value) == (False, 30.0)


def test_an_old_price_values_no_open_position() -> None:
    reading = last([fill(0, "B", 1, 2000.0), traded(1, 2000.0), account(200, 1e5, position=1)], daily_loss=500)
    assert (reading.open, reading.reasons) == (None, ["daily_loss cannot be told: the price is 200 s old"])


def test_the_kill_switch_holds_over_days_until_somebody_resumes() -> None:
    stop = [kill(1, detail="hands off"), traded(2, 2000.0), traded(30 * HOUR, 2000.0)]
    assert last(stop).reasons == ["the kill switch is on: hands off"]
    assert last([*stop, kill(31 * HOUR, active=False), traded(32 * HOUR, 2000.0)]).allowed


def test_an_order_to_resume_that_is_older_than_the_stop_does_not_release_it() -> None:
    assert last([kill(5), traded(6, 2000.0), kill(4, active=False), traded(7, 2000.0)]).killed


@pytest.mark.parametrize("setting", [{"daily_loss": 1}, {"drawdown": 1}, {"trades": 1}, {"losses": 1}])
def test_guards_of_the_account_allow_nothing_before_the_first_record_of_it(setting: dict[str, float]) -> None:
    reading = last([traded(0, 2000.0)], **setting)
    assert (reading.allowed, guard(reading, GUARDS[GUARDS.index(reading.guards[1].name)]).value) == (False, None)
    assert "no fill or account record has come" in reading.reasons[0]


def test_an_account_that_disagrees_with_its_fills_closes_the_guards_until_the_fill_comes() -> None:
    records = [fill(1, "B", 1, 2000.0), account(5, 1e5, position=0), traded(6, 2000.0)]
    assert last(records, trades=9).reasons == [
        "trades cannot be told: the account holds 0 contracts, its fills make 1"]
    assert last([*records, fill(4, "A", 1, 2000.0), traded(7, 2000.0)], trades=9).allowed


def test_a_flat_account_is_believed_the_second_time_and_the_date_stays_in_doubt() -> None:
    records = [fill(1, "B", 1, 2000.0), account(5, 1e5, position=0), account(9, 1e5, position=0), traded(10, 2000.0)]
    reading = last(records, trades=9)
    assert (reading.position, reading.allowed) == (0, False)
    assert last([*records, traded(9 * HOUR, 2000.0)], trades=9).allowed


def test_an_account_in_another_currency_cannot_be_added_up() -> None:
    reading = last([account(0, 1e5, currency="EUR"), fill(1, "B", 1, 2000.0), traded(2, 2000.0)], daily_loss=500)
    assert reading.reasons == ["daily_loss cannot be told: GCJ6 is in USD, the account in EUR"]


def test_a_fill_of_nothing_closes_the_date() -> None:
    assert not last([fill(1, "B", 0, 2000.0), traded(2, 2000.0)], daily_loss=500).allowed


def test_risk_shrinks_when_atr_is_above_its_usual() -> None:
    # 40 bars of range 1, then of 3: Wilder's ATR rises, its median over 100 bars stays near 1
    calm = [traded(second, 2000.0 + second % 2) for second in range(40)]
    wild = [traded(40 + second, 2000.0 + 3 * (second % 2)) for second in range(6)]
    assert last(calm, usual_bars=100).size_factor == 1.0
    factor = last([*calm, *wild], usual_bars=100).size_factor
    atr = 1.0
    for _ in range(4):  # the bar at 40 s goes from 2001 to 2000 as the calm ones do; that at 45 s is still open
        atr = (13 * atr + 3) / 14
    assert factor == pytest.approx(min(1, 1 / atr), abs=1e-6)
    assert last([*calm, *wild]).size_factor == 1.0


@pytest.mark.parametrize("setting", [
    {"daily_loss": -1.0}, {"trades": -1}, {"atr_points": float("nan")}, {"drawdown_kind": "weekly"}])
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Engines(("risk",), {"risk": setting})


def test_a_loss_in_one_contract_counts_for_a_series_that_comes_later() -> None:
    records = [
        mapping("GC.v.0", "GCJ6"), traded(0, 2000.0), fill(1, "B", 1, 2000.0, symbol="GCJ6"),
        fill(2, "A", 1, 1990.0, symbol="GCJ6"), kill(3), mapping("MGC.v.0", "MGCJ6", instrument=2),
        traded(4, 2000.0, 2)]
    found = readings(records, daily_loss=500)[-1]
    assert (found.realised, found.killed, found.allowed) == (-1000.0, True, False)


# --- against a naive reckoning

VALUES = {"GCJ6": 100, "MGCJ6": 10}
Events = list[tuple[str, int, Any]]


def fraction(value: float) -> Fraction:
    return Fraction(str(value))


def naive(events: Events, until: int, price: float) -> dict[str, Any]:
    """The account lot by lot and contract by contract, in fractions, from the start."""
    lots: dict[str, list[tuple[int, Fraction]]] = {}
    turn: dict[str, Fraction] = {}
    today = trade_date(until)
    realised, trades, losses, balance = Fraction(0), 0, 0, None
    for kind, ts, what in events:
        if kind == "account":
            balance = fraction(what)
        if kind != "fill":
            continue
        symbol, side, size, paid, fees = what
        sign, rest, day = (1 if side == "B" else -1), fraction(fees), trade_date(ts)
        open_lots = lots.setdefault(symbol, [])
        gained = -rest
        for _ in range(size):
            share = fraction(fees) / size
            if open_lots and open_lots[0][0] != sign:
                way, entry = open_lots.pop(0)
                profit = way * (fraction(paid) - entry) * VALUES[symbol]
                gained += profit
                turn[symbol] += profit - share
                if not open_lots and day == today:
                    losses = losses + 1 if turn[symbol] < 0 else 0 if turn[symbol] > 0 else losses
            else:
                if not open_lots:
                    turn[symbol] = Fraction(0)
                    trades += day == today
                open_lots.append((sign, fraction(paid)))
                turn[symbol] -= share
        realised += gained if day == today else 0
        balance = None if balance is None else balance + gained
    profit = sum((way * (fraction(price) - entry) * VALUES[symbol]
                  for symbol, held in lots.items() for way, entry in held), Fraction(0))
    return {"realised": realised, "open": profit, "trades": trades, "losses": losses, "balance": balance,
            "position": sum(way for held in lots.values() for way, _ in held)}


# Friday 6 March and 30 October 2026, 20:00 UTC: before the clocks change in Chicago
STARTS = (0, 4 * 24 * HOUR + 5 * HOUR, 242 * 24 * HOUR + 5 * HOUR)
DUE = st.sampled_from([1, 2, 30, 1500, 9000, 40_000])


@st.composite
def histories(draw: st.DrawFn) -> tuple[Events, list[bytes]]:
    """A market with a price each second that counts, and what the trader did in it."""
    now, events, records = float(draw(st.sampled_from(STARTS))), Events(), [NAMED]
    prices = st.sampled_from([2000.0 + tick / 10 for tick in range(-60, 61, 3)])
    for _ in range(draw(st.integers(1, 25))):
        now += draw(DUE)
        kind = draw(st.sampled_from(["fill", "fill", "fill", "account", "kill", "none"]))
        if kind == "fill":
            what = (draw(st.sampled_from(sorted(VALUES))), draw(st.sampled_from("BA")), draw(st.integers(1, 3)),
                    draw(prices), draw(st.sampled_from([0.0, 1.2, 2.01])))
            records.append(fill(now, what[1], what[2], what[3], symbol=what[0], fees=what[4]))
            events.append(("fill", at(now), what))
        elif kind == "account":
            balance = draw(st.sampled_from([1e5, 99_999.99, 12.34]))
            records.append(account(now, balance))
            events.append(("account", at(now), balance))
        elif kind == "kill":
            active = draw(st.booleans())
            records.append(kill(now, active=active))
            events.append(("kill", at(now), active))
        price = draw(prices)
        records.append(traded(now + 0.5, price))
        events.append(("price", at(now + 0.5), price))
    return events, records


thorough = settings(max_examples=50, deadline=None, derandomize=True, database=None)


@thorough
@given(history=histories(), limit=st.sampled_from([100.0, 750.0]), most=st.integers(1, 4))
def test_the_account_is_what_a_naive_reckoning_says_and_no_breach_is_allowed(
    history: tuple[Events, list[bytes]], limit: float, most: int,
) -> None:
    events, records = history
    engines = Engines(("bars", "risk"), {"risk": {"daily_loss": limit, "trades": most, "losses": 2}})
    hit = ""
    for packet in packets(records):
        engines.update(packet)
        reading, so_far = packet.slots["risk"], [event for event in events if event[1] < packet.ts]
        own = [event for event in so_far if event[0] in ("fill", "account")]
        stopped = [event[2] for event in so_far if event[0] == "kill"][-1:] == [True]
        assert reading.killed is stopped
        if not own:
            assert (reading.realised, reading.allowed) == (None, False)
            continue
        wanted = naive(so_far, packet.ts, packet.price or 0.0)
        for name, value in wanted.items():
            found = getattr(reading, name)
            assert (None if found is None else fraction(found)) == value, (name, packet.ts)
        hit = trade_date(packet.ts) if wanted["realised"] + wanted["open"] <= -limit else hit
        if stopped or hit == trade_date(packet.ts) or wanted["trades"] >= most:
            assert not reading.allowed
        assert reading.allowed == (not reading.reasons) == all(found.ok for found in reading.guards)
        assert all(found.ok == (found.reason is None) for found in reading.guards)


DOUBTS: tuple[dict[str, Any], ...] = (
    {"daily_loss": 1e9}, {"drawdown": 1e9}, {"trades": 10**6}, {"losses": 10**6}, {"spread_ticks": 1e9},
    {"atr_points": 1e9}, {"stale_seconds": 1e9}, {"drawdown": 1e9, "drawdown_kind": "intraday"},
)


@thorough
@given(history=histories(), setting=st.sampled_from(DOUBTS))
def test_nothing_is_allowed_while_the_value_of_a_guard_that_is_set_is_not_known(
    history: tuple[Events, list[bytes]], setting: dict[str, Any],
) -> None:
    for reading in readings(history[1], **setting):
        unknown = [found for found in reading.guards if found.limit is not None and found.value is None]
        assert not (reading.allowed and unknown)
        assert reading.allowed or unknown or reading.killed
