"""Retests: hand-made prices, a brute-force oracle, and fair walks. Distances: 10 ticks away, 4 through; tick 0.1."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import fsum, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.memory.book import MemoryBook
from qmo_cli.engines.memory.log import Body, Broken, Outcome, Pair, Retest, ZoneSeen
from qmo_cli.engines.memory.place import Far
from qmo_cli.engines.memory.record import Record, Tally, record_of

from .memory_oracle import Bar, Deed, deeds, walk

SECOND = 10**9
DAY = 86_400 * SECOND
FAR = Far(tick=0.1, leave=1.0, through=0.4)
ZONE = 20_000  # ticks


def price(ticks: int) -> float:
    return round(ticks * 0.1, 1)


class Watch:
    """A book of zones, what it told, and the prices that trade second by second. Prices in ticks."""

    def __init__(self, patience: int = DAY, days: int = 7 * DAY) -> None:
        self.told: list[Body] = []
        self.book = MemoryBook(days, patience, self.tell)
        self.book.measure(FAR)
        self.now = 0

    def tell(self, body: Body, second: int) -> None:
        self.told.append(body)

    def zone(self, side: str = "B", low: int = ZONE, high: int = ZONE, name: str = "z", seen: int = 0) -> Watch:
        self.book.take(ZoneSeen(name, side, price(low), price(high), 30.0, 1, seen, seen))  # type: ignore[arg-type]
        return self

    def bars(self, bars: Iterable[Bar]) -> Watch:
        for bar in bars:
            self.book.trade(bar.second, *map(price, bar[1:]))
            self.now = bar.second + 1
        self.book.finish(self.now)
        return self

    def trade(self, *ticks: int | tuple[int, int]) -> Watch:
        """One second for each price, or for each range of prices, that goes from the first to the second."""
        for one in ticks:
            first, last = one if isinstance(one, tuple) else (one, one)
            self.bars([Bar(self.now, first, min(first, last), max(first, last), last)])
        return self

    def results(self, name: str = "z") -> list[str]:
        """How the retests of a zone ended."""
        return [body.result for body in self.told
                if isinstance(body, Outcome) and body.retest.zone == name and not body.retest.control]

    def begun(self, *, control: bool = False) -> list[Retest]:
        return [body for body in self.told if isinstance(body, Retest) and body.control == control]

    def deeds(self, name: str) -> list[Deed]:
        """As the oracle has them."""
        found = []
        for body in self.told:
            if isinstance(body, Outcome) and body.retest.zone == name and not body.retest.control:
                found.append(Deed(body.result, body.retest.second, body.second))
            elif isinstance(body, Broken) and body.zone == name:
                found.append(Deed("broken", body.second, body.second))
        going_on = self.book.zones[name].retest
        return [*found, Deed("open", going_on.second, -1)] if going_on else found

    def state(self, name: str = "z") -> str:
        return self.book.zones[name].state


def left(side: str = "B", **changes: int) -> Watch:
    """A zone that price has left by ten ticks."""
    away = ZONE + 10 if side == "B" else ZONE - 10
    return Watch(**changes).zone(side).trade(ZONE, away)


# ---- by hand


def test_price_that_leaves_returns_and_leaves_again_is_a_hold() -> None:
    watch = left().trade(ZONE + 5, ZONE + 1, ZONE + 9, ZONE + 10)
    assert (watch.results(), watch.state()) == (["hold"], "defended")
    assert watch.begun()[0].second == 3


def test_price_that_returns_and_goes_four_ticks_through_is_a_break() -> None:
    watch = left().trade(ZONE, ZONE - 3)
    assert watch.results() == []
    assert (watch.trade(ZONE - 4).results(), watch.state()) == (["break"], "broken")


def test_nine_ticks_are_not_away_and_two_ticks_short_are_not_back() -> None:
    assert Watch().zone().trade(ZONE, ZONE + 9, ZONE).begun() == []
    assert left().trade(ZONE + 2, ZONE + 12).begun() == []


def test_a_zone_of_sellers_is_the_same_upside_down() -> None:
    assert left("A").trade(ZONE - 1, ZONE - 10).results() == ["hold"]
    assert left("A").trade(ZONE - 1, ZONE + 4).results() == ["break"]
    assert left("A").trade(ZONE - 1).begun()[0].above is False


def test_a_broken_zone_that_holds_from_the_other_side_has_flipped() -> None:
    watch = left().trade(ZONE, ZONE - 4, ZONE - 10, ZONE - 1, ZONE - 10)
    assert (watch.results(), watch.state()) == (["break", "hold"], "flipped")
    assert [retest.above for retest in watch.begun()] == [True, False]


def test_a_zone_that_price_never_left_is_broken_without_a_retest() -> None:
    watch = Watch().zone().trade(ZONE, ZONE - 4)
    assert (watch.begun(), watch.state()) == ([], "broken")


def test_a_price_that_jumps_across_broke_it_without_a_retest() -> None:
    """Nothing printed inside: the market opened below it."""
    watch = left().trade(ZONE - 8)
    assert (watch.begun(), watch.state()) == ([], "broken")


def test_a_second_that_falls_through_the_whole_zone_is_a_retest_and_its_break() -> None:
    watch = left().trade((ZONE + 10, ZONE - 4))
    assert watch.results() == ["break"]
    assert watch.begun()[0].second == 2


def test_a_second_that_touches_and_was_away_first_decides_nothing() -> None:
    watch = left().trade((ZONE + 10, ZONE))
    assert (watch.results(), len(watch.begun())) == ([], 1)


def test_a_second_in_parts_is_one_second() -> None:
    watch = left()
    for part in (ZONE + 8, ZONE, ZONE + 3):
        watch.book.trade(watch.now, *[price(part)] * 4)
    assert watch.begun() == []  # it is not over
    watch.book.finish(watch.now + 1)
    retest, = watch.begun()
    assert (retest.entry, retest.second) == (price(ZONE + 1), 2)


def test_a_retest_that_nothing_decides_expires_and_counts_neither_way() -> None:
    watch = left(patience=600 * SECOND).trade(ZONE)
    watch.book.pass_time(601 * SECOND)
    assert watch.results() == []
    watch.book.pass_time(602 * SECOND)
    assert watch.results() == ["expired"]
    record = watch.book.record()
    assert (record.decided, record.expired) == (0, 1)
    assert watch.trade(ZONE + 10, ZONE).begun()[1].second == 4  # and the zone can be tested again


def test_an_open_retest_is_censored_when_nobody_watches() -> None:
    watch = left().trade(ZONE)
    watch.book.rest()
    assert watch.trade(ZONE - 2, ZONE + 10).results() == []
    assert watch.trade(ZONE).trade(ZONE + 10).results() == ["hold"]


def test_new_evidence_ends_what_broke_a_zone() -> None:
    watch = left().trade(ZONE, ZONE - 4)
    assert watch.state() == "broken"
    assert watch.zone(seen=2 * SECOND).state() == "broken"    # older than the break
    assert watch.zone(seen=9 * SECOND).state() == "created"


def test_new_evidence_that_widens_a_zone_does_not_move_the_goal_of_a_retest() -> None:
    watch = left().trade(ZONE)
    watch.zone(high=ZONE + 3, seen=SECOND)
    assert watch.trade(ZONE + 10).results() == ["hold"]


def test_a_zone_is_forgotten_after_its_days_and_takes_its_results_along() -> None:
    watch = left(days=DAY).trade(ZONE, ZONE + 10)
    watch.book.pass_time(DAY)
    assert (len(watch.book.zones), watch.book.record().holds) == (1, 1)
    watch.book.pass_time(DAY + 10 * SECOND)
    assert (len(watch.book.zones), watch.book.record()) == (0, Record())
    assert watch.trade(ZONE + 12, ZONE, ZONE - 10).begun() == watch.begun()[:1]


def test_two_ends_of_one_retest_count_once() -> None:
    watch = left().trade(ZONE, ZONE + 10)
    ended = next(body for body in watch.told if isinstance(body, Outcome))
    watch.book.take(Outcome(ended.retest, ended.second + 500, "expired"))
    assert (watch.book.record().decided, watch.book.record().expired, watch.book.zones["z"].holds) == (1, 0, 1)


def test_a_renewed_zone_is_kept_but_its_old_results_are_forgotten() -> None:
    watch = left(days=DAY).trade(ZONE, ZONE + 10).zone(seen=DAY)
    zone = watch.book.zones["z"]
    assert zone.holds == 1
    watch.book.pass_time(DAY + 10 * SECOND)
    assert (zone.holds, list(watch.book.zones)) == (0, ["z"])


def test_one_visit_to_zones_that_overlap_counts_once() -> None:
    watch = Watch().zone(name="one").zone(name="two", high=ZONE + 1).zone(name="far", low=ZONE - 30, high=ZONE - 30)
    watch.trade(ZONE, ZONE + 12, ZONE, ZONE + 12)
    assert (watch.results("one"), watch.results("two"), watch.results("far")) == (["hold"], ["hold"], [])
    assert sorted((retest.zone, retest.echo) for retest in watch.begun()) == [("one", False), ("two", True)]
    assert watch.book.record().decided == 1


# ---- the random walk beside it


@pytest.mark.parametrize(("width", "entry", "null"), [
    (0, 0, Fraction(4, 14)),    # 28.6 %: at the price of a zone without width
    (0, 1, Fraction(5, 14)),    # a tick before it
    (3, 4, Fraction(8, 17)),    # a tick before the edge of one three ticks wide
])
def test_the_null_is_the_gamblers_ruin(width: int, entry: int, null: Fraction) -> None:
    watch = Watch().zone(high=ZONE + width).trade(ZONE, ZONE + width + 10, ZONE + entry)
    retest, = watch.begun()
    assert retest.null == pytest.approx(float(null), abs=1e-6)
    assert (retest.entry, retest.hold_at, retest.break_at) == (
        price(ZONE + entry), price(ZONE + width + 10), price(ZONE - 4))


def test_a_second_that_opens_outside_enters_at_the_outermost_price_inside() -> None:
    assert left().trade((ZONE + 6, ZONE)).begun()[0].entry == price(ZONE + 1)


def fair(seed: int, *, width: int = 0, hours: int = 60) -> Record:
    """Zones planted where nobody hides anything, every 400 s at the price of the moment, on a fair walk."""
    watch, at = Watch(days=3600 * SECOND), ZONE
    for number, start in enumerate(range(0, hours * 3600, 400)):
        bars = walk(seed * 10_000 + number, 400, at, start)
        watch.zone("BA"[number % 2], at, at + width, str(number), start * SECOND).bars(bars)
        watch.book.pass_time((start + 400) * SECOND)
        at = bars[-1].close
    outcomes = [body for body in watch.told if isinstance(body, Outcome)]
    return record_of(outcomes, [body for body in watch.told if isinstance(body, Pair)])


@pytest.mark.parametrize("width", [0, 3])
def test_on_fair_walks_zones_hold_as_often_as_the_null_says(width: int) -> None:
    record = fair(7, width=width)
    assert record.decided > 500
    assert record.expected / record.decided == pytest.approx((5 + width) / (14 + width), abs=1e-3)
    assert record.excess is not None
    assert abs(record.excess) < 3


def test_on_fair_walks_pseudo_zones_do_as_zones_do() -> None:
    record = fair(3)
    assert min(record.controls, record.decided) > 300
    assert record.phi is not None
    assert abs(record.phi) < 3 / sqrt(record.controls + record.decided)
    share = record.control_holds / record.controls
    assert abs(share - 5 / 14) < 3 * sqrt(5 / 14 * 9 / 14 / record.controls)


def test_on_fair_walks_a_zone_is_met_before_its_pseudo_zone_half_of_the_time() -> None:
    record = fair(5)
    assert record.pairs > 300
    assert abs(record.zone_first / record.pairs - 0.5) < 3 * 0.5 / sqrt(record.pairs)


def test_zones_that_do_hold_stand_out_from_the_walk_and_from_pseudo_zones() -> None:
    held = Retest("z", 0, True, 0.0, 1.0, -0.4, 5 / 14, False, False)
    control = Retest("z", 0, True, 0.0, 1.0, -0.4, 5 / 14, False, True)
    outcomes = [Outcome(held, at, "hold" if at % 4 else "break") for at in range(100)]
    outcomes += [Outcome(control, at, "break" if at % 3 else "hold") for at in range(100)]
    record = record_of(outcomes, [])
    assert record.excess == pytest.approx((75 - 100 * 5 / 14) / sqrt(100 * 5 / 14 * 9 / 14))
    # the table 75 25 / 34 66 by hand: (75 x 66 - 25 x 34) / sqrt(100 x 100 x 109 x 91)
    assert record.phi == pytest.approx(4100 / sqrt(100 * 100 * 109 * 91))


def test_results_that_were_forgotten_leave_nothing_behind_in_the_sums() -> None:
    """Of 300 results with nulls that floats cannot add exactly, the last 50 count: the sums are those of fsum."""
    rng, tally = Random(4), Tally()
    outcomes = [
        Outcome(
            Retest("z", at, True, 0.0, 1.0, -0.4, round(rng.random(), 6), rng.random() < 0.1, rng.random() < 0.3), at,
            rng.choice(("hold", "break", "expired")))
        for at in range(300)
    ]
    for outcome in outcomes:
        tally.count(outcome, 1)
    for outcome in outcomes[:250]:
        tally.count(outcome, -1)
    nulls = [
        one.retest.null for one in outcomes[250:]
        if not one.retest.echo and not one.retest.control and one.result != "expired"
    ]
    record = tally.record()
    assert (record.expected, record.variance) == (fsum(nulls), fsum(null * (1 - null) for null in nulls))
    assert record.decided == len(nulls)
    assert record == record_of(outcomes[250:], [])


# ---- pseudo-zones


def test_a_pseudo_zone_is_as_far_from_the_price_on_the_other_side() -> None:
    watch = Watch().zone(high=ZONE + 2).trade(ZONE, (ZONE + 5, ZONE + 13))
    control = watch.book.controls["z"]
    assert (control.side, control.low, control.high) == ("A", price(ZONE + 24), price(ZONE + 26))
    watch.trade(ZONE + 23, ZONE + 14)
    assert [body.result for body in watch.told if isinstance(body, Outcome)] == ["hold"]
    assert (watch.book.record().control_holds, watch.book.record().decided) == (1, 0)
    assert [body.zone_first for body in watch.told if isinstance(body, Pair)] == [False]


def test_where_another_zone_is_no_pseudo_zone_can_stand() -> None:
    watch = Watch().zone().zone("A", ZONE + 20, ZONE + 20, "other").trade(ZONE, ZONE + 10)
    assert "z" not in watch.book.controls


def test_the_first_to_be_met_of_a_pair_is_told_once() -> None:
    watch = left().trade(ZONE, ZONE + 10, ZONE + 20)
    assert [body.zone_first for body in watch.told if isinstance(body, Pair)] == [True]


def test_a_second_that_meets_both_of_a_pair_meets_neither_first() -> None:
    watch = left().trade((ZONE, ZONE + 21))
    assert [body for body in watch.told if isinstance(body, Pair)] == []


# ---- the oracle

steps = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5), st.integers(0, 5)), min_size=50, max_size=400)
bands = st.lists(st.tuples(st.sampled_from("BA"), st.integers(-25, 25), st.integers(0, 3)), min_size=1, max_size=12)


def path(moves: list[tuple[int, int, int]]) -> list[Bar]:
    """Seconds of prices that jump and spread; now and then one is missing."""
    bars, at, second = list[Bar](), ZONE, 0
    for step, down, up in moves:
        second += 1 + (step == 9)
        at += step if abs(step) > 6 else step // 3
        bars.append(Bar(second, at, at - down, at + up, at + (up - down) // 2))
    return bars


@given(steps, bands)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_every_zone_lives_as_a_search_through_all_seconds_says(
    moves: list[tuple[int, int, int]], placed: list[tuple[str, int, int]],
) -> None:
    bars, watch = path(moves), Watch()
    for number, (side, low, width) in enumerate(placed):
        watch.zone(side, ZONE + low, ZONE + low + width, str(number))
    watch.bars(bars)
    for number, (side, low, width) in enumerate(placed):
        assert watch.deeds(str(number)) == deeds(side, ZONE + low, ZONE + low + width, bars)


@given(steps, bands)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_state_that_is_read_from_the_events_is_the_state_that_was_lived(
    moves: list[tuple[int, int, int]], placed: list[tuple[str, int, int]],
) -> None:
    lived, read = Watch(), Watch()
    for number, (side, low, width) in enumerate(placed):
        for watch in (lived, read):
            watch.zone(side, ZONE + low, ZONE + low + width, str(number))
    for body in lived.bars(path(moves)).told:
        read.book.take(body)
    assert read.book.record() == lived.book.record()
    for name, zone in lived.book.zones.items():
        same = read.book.zones[name]
        assert (same.state, same.turned, same.holds, same.breaks) == (zone.state, zone.turned, zone.holds, zone.breaks)


@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 6)), max_size=60), st.integers(-70, 70),
       st.integers(0, 40), st.integers(1, 9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_nearest_zones_are_those_of_a_search_through_all(
    placed: list[tuple[int, int]], at: int, reach: int, most: int,
) -> None:
    watch = Watch()
    for number, (low, width) in enumerate(placed):
        watch.zone("B", ZONE + low, ZONE + low + width, f"{number:03}")
    far = sorted((max(low - at, at - low - width, 0), low) for low, width in placed)
    wanted = [row for row in far if row[0] <= reach]
    found = watch.book.map.near(price(ZONE + at), reach / 10, most)
    distances = [round(10 * max(zone.low - price(ZONE + at), price(ZONE + at) - zone.high, 0)) for zone in found]
    assert distances == [row[0] for row in wanted[:most]]
    assert watch.book.map.count(price(ZONE + at - reach), price(ZONE + at + reach)) == len(wanted)


def test_void_triggers_do_not_pile_up() -> None:
    watch = Watch()
    for number in range(10):
        watch.zone(low=ZONE + 40 * number, high=ZONE + 40 * number, name=str(number))
    for bars in range(200):
        watch.bars(walk(bars, 50, ZONE, 50 * bars))
    assert max(len(watch.book.falls), len(watch.book.rises)) < 64 + 4 * 20 + 2
