"""Liquidity: published vectors, hand arithmetic, what each source lets it know, and the words it finds."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.engines.bars import Bar
from qmo_cli.engines.liquidity.book import MeanImbalance
from qmo_cli.engines.liquidity.engine import Liquidity
from qmo_cli.engines.liquidity.events import StopRun, stop_runs
from qmo_cli.engines.liquidity.grabs import Grab, Grabs
from qmo_cli.engines.liquidity.series import liquidity_score, sweep_balance
from qmo_cli.engines.liquidity.words import AbsorptionLook, Facts, expectation, narrative
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import BookSecond, StopFact, Sweep
from qmo_cli.tray import Packet
from qmo_cli.views import OrderflowView

from .engine_oracles import MINUTE, SECOND, Trade, records_of, run
from .handmade import packet, zone
from .support import START, bbo, mapping, mbp1, mbp10, ohlcv, trade

MS = 1_000_000
T0 = START // SECOND


def last(packets: list[Packet]) -> Any:
    return packets[-1].slots["liquidity"]


def alone(records: list[bytes], every: str = "1s", **settings: Any) -> list[Packet]:
    return run([mapping("GCJ6", "GCJ6"), *records], every, ("liquidity",), **settings)


def swept(side: str, at: int, *ticks: int, gap: int = MS) -> list[Trade]:
    """Prints of one side at these prices, a gap apart."""
    return [Trade(at + index * gap, side, price, 2) for index, price in enumerate(ticks)]


# ---- the score


def test_the_published_vector() -> None:
    assert liquidity_score(0.5, 1.0, 0.2) == 0.795


def test_the_score_is_mirrored_and_clipped() -> None:
    assert liquidity_score(-0.5, -1.0, -0.2) == 0.205
    assert liquidity_score(1.0, 1.0, 1.0) == 1.0
    assert liquidity_score(None, None, None) == 0.5


def test_one_small_sweep_is_half_a_balance() -> None:
    assert sweep_balance(3, 0) == 0.5
    assert sweep_balance(0, 9) == -0.75
    assert sweep_balance(4, 4) == 0.0


# ---- sweeps on trades alone


def test_three_prints_up_within_fifty_milliseconds_are_a_sweep() -> None:
    packets = run(records_of(swept("B", START, 20_000, 20_001, 20_002)), "1s", ("liquidity",))
    reading = last(packets)
    assert (reading.swept_up, reading.swept_down, reading.sweep_balance) == (3, 0, 0.5)
    assert reading.sweeps == [Sweep(str(START), "B", 2000.0, 2000.2, 3, 6, 3)]
    assert (reading.score, reading.active) == (0.625, True)


@pytest.mark.parametrize(("ticks", "levels"), [
    ((20_000, 20_001), 0),                        # two levels
    ((20_000, 20_000, 20_001), 0),
    ((20_002, 20_001, 20_000), 0),                # a buyer who pays less and less goes through nothing
    ((20_000, 20_002, 20_001, 20_003), 3),        # a straggler between is no level
    ((20_001, 20_000, 20_001, 20_002), 3),        # the first is left behind
    ((20_000, 20_001, 20_002, 20_003, 20_004), 5),
])
def test_levels_are_prices_that_go_farther(ticks: tuple[int, ...], levels: int) -> None:
    up = last(run(records_of(swept("B", START, *ticks)), "1s", ("liquidity",)))
    assert (up.swept_up, up.swept_down) == (levels, 0)
    down = last(run(records_of(swept("A", START, *(40_000 - price for price in ticks))), "1s", ("liquidity",)))
    assert (down.swept_up, down.swept_down) == (0, levels)


def test_three_levels_within_the_window_are_found_wherever_it_begins() -> None:
    # 0, 40, 60, 80 ms: the first two and the last two are no sweep, the last three are
    trades = swept("B", START, 20_000) + swept("B", START + 40 * MS, 20_001, 20_002, 20_003, gap=20 * MS)
    assert last(run(records_of(trades), "1s", ("liquidity",))).sweeps == [
        Sweep(str(START + 40 * MS), "B", 2000.1, 2000.3, 3, 6, 3)]


def test_the_window_is_fifty_milliseconds_to_the_nanosecond() -> None:
    for gap, levels in ((25 * MS, 3), (25 * MS + 1, 0)):
        trades = swept("B", START, 20_000, 20_001, 20_002, gap=gap)
        assert last(run(records_of(trades), "1s", ("liquidity",))).swept_up == levels


def test_a_print_of_the_other_side_breaks_a_sweep() -> None:
    trades = [*swept("B", START, 20_000, 20_001), Trade(START + 2 * MS, "A", 20_000, 1),
              *swept("B", START + 3 * MS, 20_002, 20_003)]
    assert last(run(records_of(trades), "1s", ("liquidity",))).swept_up == 0


def test_a_sweep_counts_for_sixty_seconds() -> None:
    trades = swept("B", START, 20_000, 20_001, 20_002) + [
        Trade(START + second * SECOND, "B", 20_002, 1) for second in (58, 59, 60)]
    packets = run(records_of(trades), "1s", ("liquidity",))
    assert [one.slots["liquidity"].swept_up for one in packets] == [3, 3, 3, 0]
    assert last(packets).sweeps == []


def test_sweeps_both_ways_are_weighed_against_each_other() -> None:
    trades = swept("B", START, *range(20_000, 20_005)) + swept("A", START + SECOND, 20_004, 20_003, 20_002)
    reading = last(run(records_of(trades), "1s", ("liquidity",)))
    assert (reading.swept_up, reading.swept_down, reading.sweep_balance) == (5, 3, round(2 / 11, 6))


def test_a_packet_shows_the_newest_sweeps_and_counts_the_others() -> None:
    trades = [one for turn in range(11)
              for one in swept("BA"[turn % 2], START + turn * SECOND, *[20_000, 20_001, 20_002][::1 - 2 * (turn % 2)])]
    reading = last(run(records_of(trades), "1s", ("liquidity",)))
    assert (len(reading.sweeps), reading.sweeps_dropped) == (8, 3)
    assert int(reading.sweeps[-1].ts_event) == START + 10 * SECOND


# ---- stop runs


def test_stops_of_one_event_and_side_are_one_run() -> None:
    def stop(ts: int, side: Any, price: float, size: int) -> StopFact:
        return StopFact(str(ts), side, price, size, "1")

    found = stop_runs([
        stop(1, "B", 2000.1, 3), stop(1, "B", 2000.2, 4), stop(1, "A", 2000.0, 1), stop(2, "B", 2001, 5)])
    assert found == [StopRun("1", "B", 2000.1, 7, 2), StopRun("1", "A", 2000.0, 1, 1), StopRun("2", "B", 2001, 5, 1)]


# ---- grabs


def bar(number: int, high: int, low: int, close: int) -> Bar:
    """A minute bar of ticks of 0.1."""
    start = str(START + number * MINUTE)
    return Bar(start, 60, close / 10, high / 10, low / 10, close / 10, 10, 5, 5, 4)


def with_a_high_at(ticks: int) -> Grabs:
    """Bars of ten ticks, and a confirmed high at bar 14, confirmed by bar 15."""
    grabs = Grabs(3.0, 10, 6)
    for number in range(14):
        close = 20_000 + 10 * (number % 2)
        assert grabs.add(bar(number, close, close, close), 0.1) == []
    grabs.add(bar(14, ticks, 20_000, ticks), 0.1)
    grabs.add(bar(15, ticks, 20_000, 20_000), 0.1)
    assert [(one.side, one.ticks, one.confirmed) for one in grabs.swings][-1] == ("H", ticks, 15)
    return grabs


def test_a_bar_that_trades_above_a_swing_high_and_closes_below_it_is_a_grab() -> None:
    grabs = with_a_high_at(20_100)
    found = grabs.add(bar(16, 20_101, 20_000, 20_099), 0.1)
    assert found == [Grab(str(START + 17 * MINUTE), "B", 2010.0, str(START + 14 * MINUTE), 2010.1, 2009.9)]
    assert grabs.weight() == -1.0


@pytest.mark.parametrize(("high", "close", "left"), [
    (20_100, 20_099, True),      # touched, not traded beyond
    (20_105, 20_101, False),     # a break that held: the swing is used up
    (20_105, 20_100, True),      # closed on it to the tick: nothing decided
])
def test_what_is_no_grab(high: int, close: int, left: bool) -> None:
    grabs = with_a_high_at(20_100)
    assert grabs.add(bar(16, high, 20_000, close), 0.1) == []
    assert (20_100 in [one.ticks for one in grabs.swings]) is left
    assert grabs.weight() == 0.0


def test_a_swing_is_grabbed_once() -> None:
    grabs = with_a_high_at(20_100)
    assert len(grabs.add(bar(16, 20_101, 20_000, 20_050), 0.1)) == 1
    assert grabs.add(bar(17, 20_102, 20_000, 20_050), 0.1) == []


def test_the_bar_that_confirms_a_swing_cannot_grab_it() -> None:
    """Bar 15 of the fixture trades at the high and closes far below; only then is the high known."""
    assert with_a_high_at(20_100).last is None


def test_a_failed_break_halves_every_three_bars_and_is_forgotten_after_six() -> None:
    grabs = with_a_high_at(20_100)
    grabs.add(bar(16, 20_101, 20_000, 20_050), 0.1)
    weights = []
    for number in range(17, 25):
        grabs.add(bar(number, 20_051, 20_050, 20_050), 0.1)
        weights.append(grabs.weight())
    assert weights == [-0.793701, -0.629961, -0.5, -0.39685, -0.31498, -0.25, 0.0, 0.0]


def test_a_bar_that_fails_on_both_sides_says_nothing() -> None:
    grabs = with_a_high_at(20_100)
    lows = [one.ticks for one in grabs.swings if one.side == "L"]
    found = grabs.add(bar(16, 20_101, min(lows) - 1, 20_050), 0.1)
    assert {one.side for one in found} == {"B", "A"}
    assert (grabs.weight(), grabs.last) == (0.0, None)


def test_a_grab_below_a_low_speaks_for_buyers_through_the_whole_chain() -> None:
    """Fifteen minute bars, a fall to 1990, back above: the low is confirmed; then 1989.5, and a close at 1995."""
    path = [20_000 + 10 * (minute % 2) for minute in range(15)] + [19_900, 20_000, 20_000]
    trades = [Trade(START + minute * MINUTE, "N", ticks, 5) for minute, ticks in enumerate(path)]
    at = START + len(path) * MINUTE
    trades += [Trade(at, "N", 19_895, 1), Trade(at + SECOND, "N", 19_950, 1), Trade(at + MINUTE, "N", 19_950, 1)]
    packets = run(records_of(trades), "1m", ("liquidity",), liquidity={"period": "1m"})
    events = [event for one in packets for event in one.slots["liquidity"].events]
    assert [(one.kind, one.side, one.price, one.end, one.close) for one in events] == [
        ("grab", "A", 1990.0, 1989.5, 1995.0)]
    grabbed = packets[-2].slots["liquidity"]
    assert (grabbed.failed_break, grabbed.score, grabbed.active) == (1.0, 0.65, True)
    assert grabbed.expectation.type == "reversal"
    assert grabbed.expectation.direction == "up"
    assert grabbed.narrative == "The last bar traded below the swing low 1990 and closed back above it."


def test_its_own_bars_say_what_those_of_the_engine_bars_say() -> None:
    # waves of forty minutes whose crests differ by less than a bar's range
    trades = [Trade(START + index * 7 * SECOND, "BA"[index % 2],
                    20_000 + round(120 * math.sin(index / 55)) + index * index % 37, 3) for index in range(2500)]
    records = records_of(trades)
    own = run(records, "1m", ("liquidity",), liquidity={"period": "1m", "reversal": 1.0})
    slot = run(records, "1m", ("bars", "liquidity"), bars={"period": "1m"}, liquidity={"reversal": 1.0})
    readings = [[one.slots["liquidity"] for one in way] for way in (own, slot)]
    values = [[(one.failed_break, one.grab) for one in way] for way in readings]
    assert values[0] == values[1]
    assert any(grab is not None for _, grab in values[0])


# ---- the mean imbalance


def row(second: int, bids: int, asks: int) -> BookSecond:
    return BookSecond(T0 + second, 0, 0, 0, 0, bids, asks)


def test_the_imbalance_is_the_mean_of_the_last_ten_seconds_ends() -> None:
    mean = MeanImbalance()
    mean.add(row(0, 30, 10))                       # .5 at the ends of seconds 0 to 6
    mean.add(row(7, 10, 30))                       # -.5 at those of 7 to 9
    assert mean.mean(T0 + 10) == 0.2               # (7 x .5 - 3 x .5)/10
    assert mean.mean(T0 + 12) == 0.0               # seconds 2 to 11: five and five
    assert mean.mean(T0 + 30) == -0.5


def test_a_second_that_is_not_over_does_not_count_and_ends_as_its_last_part() -> None:
    mean = MeanImbalance()
    mean.add(row(0, 30, 10))
    assert mean.mean(T0) is None
    assert mean.mean(T0 + 1) == 0.5
    mean.add(row(1, 10, 30))
    assert mean.mean(T0 + 1) == 0.5
    mean.add(row(1, 40, 0))
    assert mean.mean(T0 + 2) == 0.75


def test_an_empty_book_has_no_imbalance() -> None:
    mean = MeanImbalance()
    mean.add(row(0, 30, 10))
    mean.add(row(1, 0, 0))
    assert mean.mean(T0 + 2) == 0.5
    assert mean.mean(T0 + 30) is None


@given(st.dictionaries(st.integers(0, 40), st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1),
       st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_the_mean_is_that_of_every_second_written_out(
    rows: dict[int, tuple[int, int]], asked: list[int],
) -> None:
    mean, told = MeanImbalance(), 0
    ends: list[float | None] = []
    for second in range(60):
        bids, asks = rows.get(second, (0, 0))
        imbalance = (bids - asks) / (bids + asks) if bids + asks else None
        ends.append(imbalance if second in rows else ends[-1] if ends else None)
    for now in sorted(asked):
        while told < now:
            if told in rows:
                mean.add(row(told, *rows[told]))
            told += 1
        known = [one for one in ends[max(0, now - 10):now] if one is not None]
        wanted = sum(known) / len(known) if known else None
        assert mean.mean(T0 + now) == (None if wanted is None else pytest.approx(wanted, abs=1e-6))


# ---- what the source lets it know


QUOTE = ((2000.0, 5, 1), (2000.1, 5, 1))
BIDS = [(2000.0 - rank / 10, 3, 1) for rank in range(10)]
ASKS = [(2000.1 + rank / 10, 1, 1) for rank in range(10)]
BOOK = ("imbalance", "stacked_bid", "pulled_bid", "stacked_ask", "pulled_ask", "stops")


def reasons(one: Packet) -> dict[str, str]:
    return {path.removeprefix("liquidity."): why for path, why in one.missing.items() if path.startswith("liquidity.")}


def test_trades_alone_give_sweeps_but_no_depth() -> None:
    one = run(records_of(swept("B", START, 20_000, 20_001, 20_002)), "1s", ("liquidity",))[-1]
    assert one.slots["liquidity"].swept_up == 3
    assert all(getattr(one.slots["liquidity"], name) is None for name in BOOK)
    assert reasons(one)["imbalance"] == "needs mbp-1 or richer, input is trades"
    assert reasons(one)["stops"] == "needs mbo, input is trades"
    assert reasons(one)["failed_break"] == "0 of 14 true ranges"
    assert reasons(one)["expectation"] == "needs engine orderflow"


def test_one_level_cannot_tell_how_lopsided_ten_are() -> None:
    one = alone([mbp1("T", "B", 2000.1, 2, *QUOTE, ts_event=START, ts_recv=START)])[-1]
    assert reasons(one)["imbalance"] == reasons(one)["pulled_bid"] == "needs mbp-10 or mbo, input is mbp-1"


def test_ten_levels_give_all_but_stop_runs() -> None:
    records = [mbp10("T", "B", 2000.1, 1, BIDS, ASKS, ts_event=START, ts_recv=START),
               mbp10("A", "B", 1999.9, 4, [BIDS[0], (1999.9, 7, 2), *BIDS[2:]], ASKS, ts_event=START + 1,
                     ts_recv=START + 1),
               mbp10("N", "N", 0, 0, BIDS, ASKS, ts_event=START + SECOND, ts_recv=START + SECOND)]
    first, second = alone(records)
    assert first.slots["liquidity"].imbalance == round((34 - 10) / 44, 6)
    assert (first.slots["liquidity"].stacked_bid, first.slots["liquidity"].pulled_bid) == (4, 0)
    assert (second.slots["liquidity"].stacked_bid, second.slots["liquidity"].pulled_bid) == (4, 4)
    assert second.slots["liquidity"].imbalance == round(((34 - 10) / 44 + (30 - 10) / 40) / 2, 6)
    assert second.slots["liquidity"].stops is None


def test_without_the_tick_pulls_and_swings_are_not_known() -> None:
    record = mbp10("T", "B", 2000.1, 1, BIDS, ASKS, ts_event=START, ts_recv=START)
    one = run([record], "1s", ("liquidity",))[-1]
    assert one.slots["liquidity"].imbalance == 0.5
    assert reasons(one)["pulled_ask"] == reasons(one)["failed_break"] == "needs the contract's tick"


def test_trades_without_sides_have_no_sweeps() -> None:
    one = alone([trade("N", 2000.0 + index / 10, 2, ts_event=START + index, ts_recv=None) for index in range(3)])[-1]
    assert (one.slots["liquidity"].swept_up, one.slots["liquidity"].sweep_balance) == (None, None)
    assert reasons(one)["sweep_balance"] == "no trade with an aggressor side yet"
    assert (one.slots["liquidity"].score, one.slots["liquidity"].active) == (0.5, False)
    assert "narrative" in reasons(one)


def test_bars_alone_are_no_liquidity() -> None:
    """A score here would say that order flow is known, and a price-only decision could not be labelled so."""
    one = alone([ohlcv((2000.0, 2001.0, 1999.0, 2000.0), 10, ts_event=START)])[-1]
    assert one.slots["liquidity"] is None
    assert one.missing["liquidity"] == "needs trades, input is ohlcv"


def test_before_the_first_trade_there_is_no_reading() -> None:
    one = alone([mbp1("A", "B", 2000.0, 5, *QUOTE, ts_event=START, ts_recv=START)])[-1]
    assert one.missing["liquidity"] == "no trade yet"
    quotes = alone([bbo(*QUOTE, ts_event=START, ts_recv=START)])[-1]
    assert quotes.missing["liquidity"] == "needs trades, input is bbo"


def test_after_a_roll_nothing_of_the_old_contract_is_left() -> None:
    old = records_of([*swept("B", START, 20_000, 20_001, 20_002), Trade(START + SECOND, "B", 20_002, 1)])
    new = trade("A", 2100.0, 4, ts_event=START + 5 * SECOND, ts_recv=None, instrument=2)
    packets = run([*old, mapping("GCJ6", "GCM6", instrument=2), new], "1s", ("liquidity",))
    assert packets[0].slots["liquidity"].swept_up == 3
    assert (last(packets).swept_up, last(packets).sweeps, last(packets).active) == (0, [], False)


@pytest.mark.parametrize("settings", [{"reversal": 0}, {"swings": 0}, {"grab_bars": -1}])
def test_parameters_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Liquidity(**settings)


# ---- words


def test_the_story_names_aggressor_sweep_grab_absorption_and_zone() -> None:
    facts = Facts(
        price=2567.5, delta=-240, volume=400, swept_up=0, swept_down=7,
        newest=Sweep("1", "A", 2568.0, 2567.4, 7, 31, 2),
        grab=Grab("1", "A", 2567.0, "0", 2566.5, 2567.5), bars=2, absorbed=zone("B", 2566.5), near=zone("B", 2567.0))
    assert narrative(facts) == (
        "Sellers were the more aggressive over 60 s, delta -240 of 400; swept 7 levels down, the last from 2568 to "
        "2567.4. 2 bars ago price traded below the swing low 2567 and closed back above it; selling was absorbed at "
        "2566.5 to 2566.8; an iceberg zone of bids at 2567 to 2567.3 is below.")


def test_the_story_mentions_nothing_that_is_not_known() -> None:
    assert narrative(Facts()) is None
    assert narrative(Facts(delta=0, volume=0)) == "Nothing traded in the last 60 s."
    assert narrative(Facts(delta=0, volume=10)) == "Neither side was the more aggressive over 60 s, delta +0 of 10."
    assert narrative(Facts(price=2567.1, near=zone("A", 2567.0))) == (
        "Price is inside an iceberg zone of asks at 2567 to 2567.3.")


def test_of_the_facts_of_other_engines_only_those_in_the_packet_are_told() -> None:
    trades = run(records_of([Trade(START, "B", 25_675, 2)]), "1s", ("orderflow", "liquidity"))
    assert last(trades).narrative == "Buyers were the more aggressive over 60 s, delta +2 of 2."


def test_absorption_that_speaks_is_told_and_old_zones_are_not() -> None:
    engine, inputs = Liquidity(), run(records_of([Trade(START, "A", 25_675, 2)]), "1s", ())[0].inputs
    for activity, told in ((True, True), (False, False)):
        look = AbsorptionLook(score=0.7, active=True, activity=activity, zones=[zone("B", 2566.5), zone("A", 2569.0)])
        flow = OrderflowView(score=0.3, active=True, delta=-240, volume=400)
        one = packet(orderflow=flow, absorption=look, bars=None, missing={"bars": "no trade"})
        one.slots["inputs"] = inputs
        reading: Any = engine.update(one)
        assert ("was absorbed" in reading.narrative) is told
        assert (reading.expectation.type, reading.expectation.direction) == ("reversal", "up")
        assert reading.expectation.facts == ["absorption 0.7 against order flow 0.3"]


GRAB = Grab("1", "B", 2570.0, "0", 2570.5, 2569.5)


@pytest.mark.parametrize(("score", "failed", "flow", "absorption", "type_", "direction"), [
    (0.5, -0.5, 0.5, None, "reversal", "down"),
    (0.5, -0.499999, 0.5, None, "balance", None),
    (0.5, None, 0.6, 0.4, "reversal", "down"),
    (0.5, None, 0.6, 0.400001, "balance", None),
    (0.5, None, 0.4, 0.3, "balance", None),            # they agree
    (0.6, None, 0.55, None, "continuation", "up"),     # 0.6 - 0.5 is less than 0.1 in floats
    (0.4, None, 0.45, None, "continuation", "down"),
    (0.599999, None, 0.9, None, "balance", None),
    (0.7, None, 0.4, None, "balance", None),           # order flow is on the other side
    (0.7, None, 0.5, None, "balance", None),
])
def test_what_to_expect(
    score: float, failed: float | None, flow: float, absorption: float | None, type_: str, direction: str | None,
) -> None:
    found = expectation(score, failed, GRAB if failed else None, flow, absorption)
    assert found is not None
    assert (found.type, found.direction) == (type_, direction)
    assert found.facts


def test_without_order_flow_only_a_failed_break_leads_anywhere() -> None:
    assert expectation(0.9, None, None, None, 0.9) is None
    assert expectation(0.9, -1.0, GRAB, None, None) is not None
