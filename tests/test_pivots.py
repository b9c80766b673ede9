"""Pivots: the published vector, hand arithmetic, and an oracle that looks at all bars anew for each one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.engines.pivots import Pivot, Pivots, ZigZag

VECTOR = [100, 103, 106, 110, 107, 104, 100, 98, 101, 104, 108, 112, 115, 111, 108]

Bar = tuple[int, int, int]  # high, low, close
Found = list[tuple[int, str, int, int]]


def five_percent(ticks: int) -> float:
    return Fraction(ticks, 20)  # type: ignore[return-value]


def facts(pivots: list[Pivot]) -> Found:
    return [(one.index, one.side, one.confirmed, one.ticks) for one in pivots]


def zigzag(bars: list[Bar], reversal: int) -> Found:
    walker = ZigZag()
    return facts([pivot for bar in bars for pivot in walker.add(*bar, lambda _: reversal)])


def test_the_published_vector() -> None:
    walker, found = ZigZag(), []
    for close in VECTOR:
        found += walker.add(close, close, close, five_percent)
    assert [(one.index, one.side, one.confirmed) for one in found] == [
        (0, "L", 2), (3, "H", 5), (7, "L", 9), (12, "H", 14)]
    assert [one.ticks for one in found] == [100, 110, 98, 115]


def test_a_pivot_is_invisible_before_its_confirmation() -> None:
    walker = ZigZag()
    seen = [[one.index for one in walker.add(close, close, close, five_percent)] for close in VECTOR]
    assert [index for index, found in enumerate(seen) if found] == [2, 5, 9, 14]


def test_a_close_exactly_at_the_reversal_confirms() -> None:
    assert zigzag([(100, 100, 100), (104, 104, 104)], 5) == []
    assert zigzag([(100, 100, 100), (105, 105, 105)], 5) == [(0, "L", 1, 100)]


def test_extremes_are_highs_and_lows_and_confirmations_closes() -> None:
    bars = [(100, 95, 98), (112, 99, 103), (110, 100, 109), (108, 90, 104)]
    # 109 is fourteen above the low of 95; 104 is only eight below the high of 112, whatever the low of that bar is
    assert zigzag(bars, 10) == [(0, "L", 2, 95)]
    # 102 is ten below it; and it is twelve above the low of 90, where the way up starts
    assert zigzag([*bars, (103, 100, 102)], 10) == [(0, "L", 2, 95), (1, "H", 4, 112), (3, "L", 4, 90)]


def test_one_bar_can_make_a_high_and_confirm_it() -> None:
    bars = [(100, 100, 100), (110, 110, 110), (130, 109, 115)]
    assert zigzag(bars, 10) == [(0, "L", 1, 100), (2, "H", 2, 130)]


def test_a_first_bar_that_goes_far_both_ways_leaves_open_which_end_came_first() -> None:
    assert zigzag([(110, 90, 100)], 10) == []
    assert zigzag([(110, 90, 100), (106, 101, 105)], 10) == [(0, "L", 1, 90)]


def test_of_equal_extremes_the_first_counts() -> None:
    assert zigzag([(100, 100, 100), (110, 110, 110), (110, 108, 109), (105, 100, 100)], 10)[-1] == (1, "H", 3, 110)


# ---- an oracle


def oracle(bars: list[Bar], reversal: int) -> Found:
    """Pivot after pivot: from the last one, the first close that has come back far enough from the best since."""
    found: Found = []
    first = 0
    while True:
        following = [one for side in "HL" if (one := next_pivot(bars, reversal, found, side, first))]
        if not following:
            return found
        if len({one[0] for one in following}) < len(following) and len({one[2] for one in following}) == 1:
            first = following[0][2] + 1  # both ends of one bar: nobody knows which came first
            continue
        found.append(min(following, key=lambda one: (one[2], one[0])))


def next_pivot(bars: list[Bar], reversal: int, found: Found, side: str, first: int) -> tuple[int, str, int, int] | None:
    if found and found[-1][1] == side:
        return None
    sign, place = (1, 0) if side == "H" else (-1, 1)
    start, earliest = (found[-1][0], found[-1][2]) if found else (0, first)
    # of the last pivot's own bar only the close is known to come after it
    prices = {index: bars[index][2 if found and index == start else place] for index in range(start, len(bars))}
    for now in range(earliest, len(bars)):
        best = max(range(start, now + 1), key=lambda index: (sign * prices[index], -index))
        if sign * (prices[best] - bars[now][2]) >= reversal:
            return best, side, now, prices[best]
    return None


@st.composite
def bar_lists(draw: st.DrawFn) -> list[Bar]:
    close, bars = 1000, []
    for _ in range(draw(st.integers(1, 60))):
        close += draw(st.integers(-8, 8))
        bars.append((close + draw(st.integers(0, 9)), close - draw(st.integers(0, 9)), close))
    return bars


@given(bar_lists(), st.integers(1, 25))
def test_pivots_are_those_of_the_oracle(bars: list[Bar], reversal: int) -> None:
    assert zigzag(bars, reversal) == oracle(bars, reversal)


@given(bar_lists(), st.integers(1, 25))
def test_a_mirrored_chart_has_the_mirrored_pivots(bars: list[Bar], reversal: int) -> None:
    mirrored = [(-low, -high, -close) for high, low, close in bars]
    turned = [(index, "L" if side == "H" else "H", confirmed, -ticks)
              for index, side, confirmed, ticks in zigzag(bars, reversal)]
    assert zigzag(mirrored, reversal) == turned


@given(bar_lists(), st.integers(1, 25), st.data())
def test_bars_that_come_later_change_no_pivot(bars: list[Bar], reversal: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(bars)))
    assert zigzag(bars[:count], reversal) == [one for one in zigzag(bars, reversal) if one[2] < count]


@given(bar_lists(), st.integers(1, 25))
def test_highs_and_lows_take_turns(bars: list[Bar], reversal: int) -> None:
    sides = [side for _, side, _, _ in zigzag(bars, reversal)]
    assert all(one != other for one, other in pairwise(sides))


# ---- by the average true range


def test_nothing_is_confirmed_before_there_are_fourteen_true_ranges() -> None:
    pivots = Pivots()
    falls = [pivots.add(2000 - 10 * index, 2000 - 10 * index, 2000 - 10 * index) for index in range(14)]
    assert not any(falls)
    assert (pivots.atr, len(pivots.ranges)) == (None, 13)
    # the fourteenth range is there: ATR 10, and the first high is 140 ticks away
    assert facts(pivots.add(1860, 1860, 1860)) == [(0, "H", 14, 2000)]
    assert pivots.atr == 10


def test_a_reversal_is_three_times_wilders_average() -> None:
    pivots = Pivots()
    for index in range(15):
        pivots.add(2000 + 10 * (index % 2), 2000 + 10 * (index % 2), 2000 + 10 * (index % 2))
    assert pivots.atr == 10
    # 2000 -> 2031: ATR (13 x 10 + 31)/14 = 11.5, three of them 34.5: not yet; 2036: ATR 11.04, 33.1
    assert pivots.add(2031, 2031, 2031) == []
    assert facts(pivots.add(2036, 2036, 2036)) == [(0, "L", 16, 2000)]


def test_where_nothing_moves_there_are_no_pivots() -> None:
    pivots = Pivots()
    assert not any(pivots.add(2000, 2000, 2000) for _ in range(100))
    assert pivots.atr == 0
    assert facts(pivots.add(2001, 2001, 2001))[0][1] == "L"


def test_a_pivot_knows_when_its_bar_began() -> None:
    walker = ZigZag()
    found = [one for index, close in enumerate(VECTOR)
             for one in walker.add(close, close, close, five_percent, start=900 * index)]
    assert [one.start for one in found] == [0, 2700, 6300, 10800]
