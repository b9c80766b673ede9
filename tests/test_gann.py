"""Gann: published vectors, hand arithmetic, and an oracle that looks at every line of every family."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.gann.formulas import fan_line, fan_unit, part, square_of_nine
from qmo_cli.engines.gann.levels import FAMILIES, Level, Levels, standing
from qmo_cli.engines.gann.study import Rules, Study, gann_score
from qmo_cli.engines.pivots import Pivot
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .engine_oracles import run
from .support import START, mapping, ohlcv, trade

MINUTE = 60 * 10**9
UNIT = 10.0  # ticks in a dollar of gold


# ---- vectors


@pytest.mark.parametrize(("price", "degrees", "level"), [
    (1576, -12.5 * 180, 739.78), (1576, -13.875 * 180, 666.87),
    (105, 90, 115.497), (105, 180, 126.494), (105, 270, 137.991), (105, 360, 149.988),
    (105, -90, 95.003), (105, -180, 85.506), (105, -270, 76.509), (105, -360, 68.012),
    (1, 360, 9), (9, 360, 25), (25, 360, 49), (49, 360, 81),
])
def test_the_square_of_nine(price: float, degrees: float, level: float) -> None:
    assert square_of_nine(price, degrees) == pytest.approx(level, abs=0.005 if level > 500 else 0.0005)


def test_the_square_of_nine_ends_at_its_centre() -> None:
    assert square_of_nine(4, -360) is None
    assert square_of_nine(0, 90) is None
    assert square_of_nine(-1, 90) is None


@pytest.mark.parametrize(("origin", "end", "up", "down", "level"), [
    (200, 100, 1, 8, 187.5), (200, 100, 2, 8, 175), (200, 100, 3, 8, 162.5),
    (1614.4, 1975.2, 50, 100, 1794.8), (1614.4, 1975.2, 100, 100, 1975.2), (1614.4, 1975.2, 150, 100, 2155.6),
    (1614.4, 1975.2, 200, 100, 2336.0),
])
def test_parts_of_a_swing(origin: float, end: float, up: int, down: int, level: float) -> None:
    assert part(origin, end, up, down) == pytest.approx(level, abs=1e-9)


def test_a_range_from_100_to_200_is_retraced_by_eighths() -> None:
    levels = {level.name: level.ticks / 10 for level in standing([pivot("L", 0, 1000), pivot("H", 9, 2000)], UNIT)}
    assert (levels["7/8"], levels["6/8"], levels["5/8"], levels["1/3"]) == (187.5, 175.0, 162.5, 133.3)


@pytest.mark.parametrize(("origin", "end", "wanted"), [
    (16144, 19752, {"100 %": 1975.2, "150 %": 2155.6, "200 %": 2336.0}),
    (20854, 18235, {"100 %": 1823.5, "150 %": 1692.6, "200 %": 1561.6}),
])
def test_the_three_levels_of_a_swing_on_ticks(origin: int, end: int, wanted: dict[str, float]) -> None:
    levels = standing([pivot("L", 0, origin), pivot("H", 9, end)], UNIT)
    assert {level.name: level.ticks / 10 for level in levels if level.name in wanted} == wanted


def test_a_price_that_rises_into_a_level_of_confluence_three_scores_02125() -> None:
    """P 2154.9, L 2155.6, tolerance 3.0."""
    found = [Level(21556, 0, "150 %"), Level(21540, 1, "1/2"), Level(21570, 3, "H"), Level(21600, 4, "+1/1")]
    study = studied(close=21500, levels=found, tolerance=30.0)
    view = study.view(21549)
    assert view is not None
    assert (view.near.level.name, view.near.distance, view.confluence, view.direction) == ("150 %", 7, 3, -1)
    assert view.score == 0.2125


@pytest.mark.parametrize(("direction", "nearness", "families", "score"), [
    (1, 1.0, 4, 1.0), (1, 1.0, 6, 1.0), (-1, 1.0, 4, 0.0), (0, 1.0, 6, 0.5), (1, 0.0, 6, 0.5), (1, 0.5, 2, 0.625),
])
def test_the_score_by_hand(direction: int, nearness: float, families: int, score: float) -> None:
    assert gann_score(direction, nearness, families) == score


def test_the_fan_rises_by_its_unit_a_bar() -> None:
    unit = fan_unit(1800.0, 1860.0, 12)
    assert unit == 5.0
    assert [fan_line(1860.0, unit, multiple, 10) for multiple in (1 / 8, -1 / 2, 8)] == [1866.25, 1835.0, 2260.0]
    assert fan_unit(1800.0, 1860.0, 0) is None


# ---- by hand


def pivot(side: Any, index: int, ticks: int) -> Pivot:
    return Pivot(side, index, index + 5, ticks, index * MINUTE)


def studied(close: int, levels: list[Level], tolerance: float) -> Study:
    """A study as of a bar that closed there."""
    study = Study(Rules(UNIT))
    study.close, study.levels, study.tolerance = close, Levels(levels), tolerance
    return study


def test_a_family_counts_once_however_many_of_its_lines_are_near() -> None:
    lines = [Level(ticks, 2, "90") for ticks in range(995, 1006)]
    view = studied(990, lines, 5.0).view(1000)
    assert view is not None
    assert (view.confluence, view.families) == (1, 0b100)


def test_a_level_exactly_at_the_tolerance_is_met_and_one_beyond_it_is_not() -> None:
    study = studied(990, [Level(1000, 0, "100 %")], 5.0)
    at, beyond = study.view(1005), study.view(1006)
    assert at is not None
    assert beyond is not None
    assert (at.within, at.confluence, at.score) == (True, 1, 0.5)
    assert (beyond.within, beyond.confluence, beyond.direction) == (False, 0, 0)


def test_a_level_below_the_last_close_is_support_and_one_above_it_resistance() -> None:
    for close, direction in ((1010, 1), (990, -1), (1000, 0)):
        view = studied(close, [Level(1000, 0, "100 %")], 5.0).view(1001)
        assert view is not None
        assert view.direction == direction


def test_of_two_levels_as_near_the_first_family_counts_then_the_lower() -> None:
    near = Levels([Level(998, 3, "L"), Level(1002, 1, "1/2"), Level(998, 1, "3/8")]).near(1000, 1.0)
    assert (near.level.name, near.distance, near.families) == ("3/8", 2, 0)


def test_a_close_beyond_a_level_that_price_stood_at_is_a_breakout_for_three_bars() -> None:
    study = bars_of_study([])
    study.found = [pivot("L", 0, 900), pivot("H", 5, 1000)]
    study.close, study.levels, study.tolerance = 998, Levels([Level(1000, 0, "100 %")]), 2.0
    study.pivots.zigzag.index = 20
    held = []
    for close in (1010, 1012, 1014, 1016):
        study.add(close, close, close)
        held.append(study.broken.direction if study.broken else 0)
        study.levels = Levels([Level(5000, 0, "100 %")])
    assert held == [1, 1, 1, 0]


@pytest.mark.parametrize(("before", "after", "direction"), [
    (998, 1003, 1), (998, 1002, 0), (1002, 997, -1), (1002, 1009, 0), (997, 1010, 0), (1000, 1010, 0),
])
def test_what_is_a_breakout(before: int, after: int, direction: int) -> None:
    """The level is 1000, the tolerance 2: too near, the same side, not at the level before, on it before."""
    study = studied(before, [Level(1000, 0, "100 %")], 2.0)
    study.add(after, after, after)
    assert (study.broken.direction if study.broken else 0) == direction


def bars_of_study(closes: list[int], rules: Rules | None = None) -> Study:
    study = Study(rules or Rules(UNIT))
    for index, close in enumerate(closes):
        study.add(close, close, close, index * MINUTE)
    return study


def zigzag_closes(legs: int, size: int = 20, length: int = 10) -> list[int]:
    """Closes that go up and down in straight legs."""
    closes, close = [], 20_000
    for leg in range(legs):
        for _ in range(length):
            close += size if leg % 2 == 0 else -size
            closes.append(close)
    return closes


def test_counts_of_time_are_due_a_bar_before_and_after() -> None:
    study = bars_of_study(zigzag_closes(4))
    anchor = study.found[-1]
    far = Rules(unit=0.001)  # price-time squaring is far away
    study.rules = far
    study.found = [anchor.moved(-100), anchor]
    due = [index - anchor.index for index in range(anchor.index, anchor.index + 160)
           if study._timely(index, index * MINUTE)]
    assert due == [44, 45, 46, 89, 90, 91, 143, 144, 145]


def test_time_may_be_counted_in_days() -> None:
    study = bars_of_study(zigzag_closes(4), Rules(unit=0.001, days=True))
    anchor = study.found[-1]
    study.found = [anchor.moved(-100), anchor]
    day = 86_400 * 10**9
    assert [days for days in range(160) if study._timely(999, anchor.start + days * day)] == [
        44, 45, 46, 89, 90, 91, 143, 144, 145]


def test_price_and_time_are_squared_when_as_many_bars_have_passed_as_the_swing_has_dollars() -> None:
    study = bars_of_study(zigzag_closes(4))
    end = study.found[-1]
    study.found = [end.moved(-300), end]  # thirty dollars
    assert [bars for bars in range(40) if study._timely(end.index + bars, 0)] == [29, 30, 31]


# ---- an oracle: all lines of all families, one by one


def naive(study: Study, ticks: int) -> tuple[set[str], int]:
    """Families with a line within the tolerance of a price, and the distance of the nearest line."""
    a, b = study.found[-2], study.found[-1]
    lines: list[tuple[str, float]] = [("extensions", a.ticks + (b.ticks - a.ticks) * share) for share in (1, 1.5, 2)]
    lines += [("parts", a.ticks + (b.ticks - a.ticks) * share) for share in
              (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1 / 3, 2 / 3)]
    for one in study.found[-4:]:
        for step in range(-8, 9):
            root = sqrt(one.ticks / study.rules.unit) + step * 0.5
            if step and root > 0:
                lines.append(("square_of_nine", root * root * study.rules.unit))
    lines += [("pivots", one.ticks) for one in study.found[:-2]]
    since, length = study.pivots.index - b.index, b.index - a.index
    if since >= 5 and length:
        for multiple in (1 / 8, 1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4, 8):
            for sign in (1, -1):
                lines.append(("fan", b.ticks + sign * multiple * abs(b.ticks - a.ticks) / length * since))
    on_ticks = [(family, int(line + 0.5) if line >= 0 else -int(0.5 - line)) for family, line in lines]
    families = {family for family, line in on_ticks if abs(line - ticks) <= study.tolerance}
    elapsed = [study.pivots.index - one.index for one in study.found[-4:]]
    squared = abs(b.ticks - a.ticks) / study.rules.unit
    if abs(since - squared) <= 1 or any(abs(bars - count) <= 1 for bars in elapsed for count in (45, 90, 144)):
        families.add("time")
    return families, min(abs(line - ticks) for _, line in on_ticks)


@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 40), st.integers(0, 40)), min_size=60, max_size=160),
       st.integers(-200, 200), st.sampled_from([1.0, 2.0, 3.0]))
@settings(max_examples=30, deadline=None)
def test_confluence_is_what_looking_at_every_line_finds(
    steps: list[tuple[int, int, int]], aside: int, k: float,
) -> None:
    study, close = Study(Rules(UNIT, k=k)), 20_000
    for index, (step, up, down) in enumerate(steps):
        close += step
        study.add(close + up, close - down, close, index * MINUTE)
    view = study.view(close + aside)
    if view is None:
        assert study.why_not
        return
    families, distance = naive(study, close + aside)
    assert {name for bit, name in enumerate(FAMILIES) if view.families >> bit & 1} == families
    assert view.near.distance == distance
    assert view.confluence == len(families)


def test_what_follows_changes_nothing_that_was_said() -> None:
    closes = zigzag_closes(8)
    whole = Study(Rules(UNIT))
    seen = []
    for index, close in enumerate(closes):
        whole.add(close, close, close, index * MINUTE)
        seen.append(whole.view(close))
    for count in (40, 60, 79):
        assert bars_of_study(closes[:count]).view(closes[count - 1]) == seen[count - 1]


@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 40), st.integers(0, 40)), min_size=40, max_size=120),
       st.integers(-500, 500), st.data())
@settings(max_examples=25, deadline=None)
def test_after_a_roll_all_is_as_if_the_new_contract_had_always_traded(
    steps: list[tuple[int, int, int]], gap: int, data: st.DataObject,
) -> None:
    rolled, whole, close = Study(Rules(UNIT, k=1.0)), Study(Rules(UNIT, k=1.0)), 20_000
    at = data.draw(st.integers(0, len(steps) - 5))  # a breakout of a level that was elsewhere holds three bars
    for index, (step, up, down) in enumerate(steps):
        if index == at:
            rolled.shift(gap)
        close += step
        old = 0 if index >= at else gap  # what is still to come
        rolled.add(close + gap - old + up, close + gap - old - down, close + gap - old, index)
        whole.add(close + gap + up, close + gap - down, close + gap, index)
    assert rolled.found == whole.found
    assert rolled.view(close + gap) == whole.view(close + gap)


# ---- the engine


def minutes(closes: list[float], first: int = 0, instrument: int = 1) -> list[bytes]:
    return [ohlcv((close, close + 0.2, close - 0.2, close), 5, ts_event=START + (first + minute) * MINUTE,
                  interval="1m", instrument=instrument) for minute, close in enumerate(closes)]


def gann_run(records: list[bytes], every: str = "1s", **parameters: Any) -> list[Packet]:
    return run([mapping("GCJ6", "GCJ6"), *records], every, ("gann",), gann={"bar": "1m", **parameters})


def prices(legs: int, last: float = 0.0) -> list[float]:
    return [round(ticks / 10 + last, 1) for ticks in zigzag_closes(legs)]


def test_the_reading_has_the_swing_its_levels_and_the_nearest() -> None:
    reading: Any = gann_run(minutes([*prices(4), 2002.0, 2004.0, 2006.0, 2008.0, 2008.0]))[-1].slots["gann"]
    # legs of ten bars of two dollars, a fifth of a dollar of shadow: from 2020.2 to 1999.8
    assert (reading.swing.origin, reading.swing.end) == (2020.2, 1999.8)
    assert (reading.level_100, reading.level_150, reading.level_200) == (1999.8, 1989.6, 1979.4)
    assert reading.tolerance == pytest.approx(0.15 * 2.2, abs=0.01)
    assert reading.nearest.ticks == round((2008.0 - reading.nearest.price) / 0.1)
    assert reading.confluence == len(reading.families)
    assert reading.active is (abs(2008.0 - reading.nearest.price) <= reading.tolerance or reading.broken is not None)


def test_the_line_names_the_levels_as_numbers() -> None:
    packet = gann_run(minutes(prices(5)))[-1]
    assert b'"100":' in packet.encode()
    assert b'"150":' in packet.encode()
    assert b"level_" not in packet.encode()


def test_until_there_are_two_swings_everything_is_null_and_says_why() -> None:
    packets = gann_run(minutes([2000.0 + 2 * minute for minute in range(18)]))
    first, last = packets[1], packets[-1]
    assert first.slots["gann"].signal == "insufficient_data"
    assert (first.slots["gann"].score, first.slots["gann"].active) == (None, False)
    assert first.missing["gann.score"] == "1 of 14 true ranges"  # two bars have closed
    assert first.missing["gann.100"] == "1 of 14 true ranges"
    assert last.missing["gann.confluence"] == "1 of 2 pivots confirmed"
    assert b"NaN" not in last.encode()


def test_where_nothing_moves_atr_is_0_and_nothing_is_said() -> None:
    flat = [ohlcv((2000.0,) * 4, 5, ts_event=START + minute * MINUTE, interval="1m") for minute in range(30)]
    assert gann_run(flat)[-1].missing["gann.score"] == "ATR is 0: nothing moved"


def test_a_reading_that_nothing_changed_is_the_same_object() -> None:
    def at(second: int) -> bytes:
        return trade("B", 2004.0, 1, ts_event=START + 51 * MINUTE + second * 10**9, ts_recv=None)

    packets = run([mapping("GCJ6", "GCJ6"), *as_trades(prices(5)), *(at(second) for second in range(30, 40))],
                  "1s", ("gann",), gann={"bar": "1m"})
    last = [packet.slots["gann"] for packet in packets[-9:]]
    assert last[0].score is not None
    assert all(reading is last[0] for reading in last)


def as_trades(closes: list[float]) -> list[bytes]:
    return [trade("B", close, 1, ts_event=START + (minute + 1) * MINUTE - 1, ts_recv=None)
            for minute, close in enumerate(closes)]


def test_frames_of_any_length_say_the_same_at_the_same_time() -> None:
    records = [mapping("GCJ6", "GCJ6"), *as_trades(prices(6))]
    said = [{packet.ts: packet.slots["gann"] for packet in run(records, every, ("gann",), gann={"bar": "1m"})}
            for every in ("1s", "10s", "1m")]
    for one, other in pairwise(said):
        common = set(one) & set(other)
        assert sum(one[ts].score is not None for ts in common) > 10
        assert [one[ts] for ts in common] == [other[ts] for ts in common]


def test_with_bars_in_the_packet_it_reads_them_and_says_the_same() -> None:
    records = [mapping("GCJ6", "GCJ6"), *as_trades(prices(6))]
    alone = run(records, "10s", ("gann",), gann={"bar": "1m"})
    together = run(records, "10s", ("bars", "gann"), bars={"period": "1m"}, gann={"bar": "1m"})
    others = run(records, "10s", ("bars", "gann"), bars={"period": "5m"}, gann={"bar": "1m"})
    assert [packet.slots["gann"] for packet in alone] == [packet.slots["gann"] for packet in together]
    assert [packet.slots["gann"] for packet in alone] == [packet.slots["gann"] for packet in others]


def test_a_roll_moves_swings_and_levels_by_the_gap() -> None:
    old, more = as_trades(prices(5)), [2018.0, 2016.0, 2014.0]
    last = prices(5)[-1]
    rolled = [mapping("GCJ6", "GCM6", instrument=2, ts_event=START + 50 * MINUTE)]
    new = [trade("B", price, 1, ts_event=START + (50 + minute) * MINUTE + 1, ts_recv=None, instrument=2)
           for minute, price in enumerate([last + 30.0, *(price + 30.0 for price in more)])]
    before, after = (run([mapping("GCJ6", "GCJ6"), *records], "1s", ("gann",), gann={"bar": "1m"})[-1].slots["gann"]
                     for records in (old, [*old, *rolled, *new]))
    assert before.score is not None
    assert after.score is not None
    assert after.swing.origin - before.swing.origin == pytest.approx(30.0)
    assert after.swing.end - before.swing.end == pytest.approx(30.0)
    assert after.level_150 - before.level_150 == pytest.approx(30.0)


def test_without_a_tick_or_trades_it_says_so() -> None:
    unknown = run([mapping("ZZZ", "ZZZ"), *as_trades(prices(2))], "1m", ("gann",))
    assert unknown[-1].slots["gann"] is None
    assert unknown[-1].missing["gann"] == "needs the contract's tick"
    engines = Engines(("gann",))
    packet = run([mapping("GCJ6", "GCJ6"), *as_trades([2000.0])], names=())[0]
    packet.slots["bars"] = None
    packet.missing["bars"] = "bars of another kind"
    engines.update(packet)
    assert packet.slots["gann"] is not None  # it makes its own


@pytest.mark.parametrize("wrong", [
    {"k": 0}, {"so9_unit": -1}, {"tolerance_atr": 0}, {"tolerance_ticks": 0}, {"hold": -1}, {"time": "moons"},
])
def test_a_parameter_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="gann"):
        Engines(("gann",), {"gann": wrong})


def test_bars_that_cannot_be_made_are_told_of() -> None:
    engines = Engines(("gann",), {"gann": {"bar": "7s"}})
    packets = run([mapping("GCJ6", "GCJ6"), *minutes(prices(1))], names=())
    for packet in packets:
        engines.update(packet)
    told = packets[-1].missing.get("gann") or packets[-1].missing["gann.score"]
    assert told == "bars of 7s cannot be made of bars of 60 s"


def test_before_the_first_bar_has_closed_it_says_so() -> None:
    packets = gann_run(minutes(prices(1)), every="1s", bar="1h")
    assert packets[-1].missing["gann.score"] == "no bar of 1h has closed yet"
