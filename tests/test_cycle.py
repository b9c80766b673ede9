"""Cycle: published vectors, hand arithmetic, an oracle, and the spectrum against Fourier's."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.cycle import spectrum as spectral
from qmo_cli.engines.cycle.counts import COUNTS, Counts, cycle_score, due, turn
from qmo_cli.engines.cycle.spectrum import detrended, goertzel, powers, resampled, spectrum
from qmo_cli.engines.pivots import Pivot
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .engine_oracles import run
from .support import START, mapping, ohlcv, trade
from .test_gann import MINUTE, zigzag_closes

LOW = Pivot("L", 100, 108, 500, 0)


def flagged(pivot: Pivot, count: int, tolerance: int = 1) -> list[int]:
    """Bars on which the count from a pivot is due, from its confirmation on."""
    return [index for index in range(pivot.confirmed, 300) if due([pivot], index, count, tolerance)]


# ---- vectors


def test_a_pivot_at_100_confirmed_at_108_flags_around_its_counts() -> None:
    assert [flagged(LOW, count) for count in COUNTS] == [[120, 121, 122], [144, 145, 146], [189, 190, 191]]


def test_a_pivot_confirmed_too_late_does_not_flag() -> None:
    assert flagged(Pivot("L", 100, 125, 500, 0), 21) == []


def test_45_bars_from_a_low_with_the_price_above_scores_a_third() -> None:
    assert cycle_score([turn(530, LOW.ticks, 10.0) * 0.75]) == 0.333333


def test_powers_of_the_published_wave() -> None:
    wave = [2 * sin(2 * pi * n / 45) + 0.5 * cos(2 * pi * n / 90) for n in range(360)]
    assert goertzel(wave, 45) == pytest.approx(4.0, abs=5e-4)
    assert goertzel(wave, 90) == pytest.approx(0.25, abs=5e-4)
    assert goertzel(wave, 21) == pytest.approx(0.0004, abs=5e-5)


# ---- by hand


@pytest.mark.parametrize(("close", "anchor", "atr", "direction"), [
    (510, 500, 10.0, -1), (490, 500, 10.0, 1), (509, 500, 10.0, 0), (491, 500, 10.0, 0), (500, 500, 0.0, 0),
])
def test_a_turn_is_against_a_move_of_an_atr_at_least(close: int, anchor: int, atr: float, direction: int) -> None:
    assert turn(close, anchor, atr) == direction


def test_a_bar_off_the_count_weighs_half() -> None:
    counts = counted(110, price=600)
    assert counts.due[21] is not None
    assert counts.due[21].offset == 1
    assert counts.score == pytest.approx(0.5 - 0.5 * 0.5 * 0.5 / 2.25, abs=1e-6)


def test_all_three_counts_at_once_are_a_whole() -> None:
    assert cycle_score([-0.5, -0.75, -1.0]) == 0.0
    assert cycle_score([1.0, 1.0, 1.0]) == 1.0


def test_of_several_pivots_the_closest_counts_and_of_equals_the_newest() -> None:
    pivots = [Pivot("L", 99, 105, 1, 0), Pivot("H", 100, 106, 2, 0), Pivot("L", 101, 107, 3, 0)]
    assert [one.pivot.ticks for index in (120, 121, 122) if (one := due(pivots, index, 21))] == [1, 2, 3]
    later = due([Pivot("L", 99, 105, 1, 0), Pivot("L", 101, 107, 3, 0)], 121, 21)
    assert later is not None
    assert (later.pivot.ticks, later.offset) == (3, -1)


def counted(index: int, price: int) -> Counts:
    """Counts whose one pivot, a low of 500, lies 22 bars before this bar, which closes there."""
    counts = Counts(3.0)
    counts.pivots.zigzag.index = index - 1
    counts.pivots.atr, counts.pivots.close = 10.0, price
    counts.found = [Pivot("L", index - 22, index - 10, 500, 0)]
    counts.add(price, price, price)
    return counts


# ---- an oracle


@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 40), st.integers(0, 40)), min_size=120, max_size=240),
       st.sampled_from([1.0, 2.0, 3.0]))
@settings(max_examples=25, deadline=None)
def test_counts_are_what_looking_at_every_pivot_finds(steps: list[tuple[int, int, int]], k: float) -> None:
    counts, close, pivots = Counts(k), 20_000, []
    for index, (step, up, down) in enumerate(steps):
        close += step
        before = list(counts.found)
        counts.add(close + up, close - down, close, index)
        pivots += [one for one in counts.found if one not in before]
        last, total = pivots[-4:], 0.0
        for number, weight in ((21, 0.5), (45, 0.75), (90, 1.0)):
            offsets = [(abs(index - one.index - number), -place, one.ticks) for place, one in enumerate(last)
                       if abs(index - one.index - number) <= 1]
            assert (counts.due[number] is not None) == bool(offsets)
            if offsets:
                off, _, anchor = min(offsets)
                move = close - anchor
                if abs(move) >= (counts.pivots.atr or 0) and move:
                    total -= (1 if move > 0 else -1) * weight * (1 - off / 2)
        assert counts.score == pytest.approx(0.5 + 0.5 * max(-1, min(1, total / 2.25)), abs=1e-6)


# ---- the spectrum


def test_the_powers_of_rows_are_goertzels() -> None:
    wave = [sin(n / 3) + 0.1 * n % 7 for n in range(200)]
    assert powers(np.array([wave]))[0] == pytest.approx([goertzel(wave, period) for period in COUNTS])


def test_a_straight_line_has_no_power_once_it_is_taken_away() -> None:
    assert np.abs(detrended(np.array([[3.0 + 0.5 * n for n in range(100)]]))).max() < 1e-10


def test_a_strong_cycle_is_told_from_wandering_and_wandering_is_not() -> None:
    wander = np.cumsum(np.random.PCG64(5).random_raw(360) % np.uint64(9)).astype(float) - 4.0 * np.arange(360)
    assert spectrum(list(wander + [60 * sin(2 * pi * n / 45) for n in range(360)])).p_value <= 0.01
    assert spectrum(list(wander)).p_value > 0.05


def test_chance_is_hard_to_beat_on_series_made_by_chance() -> None:
    """Of wanderings made apart from the code about one in twenty is as strong as that, and not one in five."""
    values = [spectrum(list(np.cumsum(np.random.RandomState(seed).normal(size=360)))).p_value for seed in range(40)]
    assert sum(value <= 0.05 for value in values) <= 6
    assert 0.3 < sum(values) / len(values) < 0.7


def test_the_spectrum_of_the_same_bars_is_the_same_and_knows_no_price_level() -> None:
    closes = [2000 + sin(n / 9) + n % 5 for n in range(360)]
    assert spectrum(closes) == spectrum(closes)
    assert spectrum([close + 500 for close in closes]).powers == pytest.approx(spectrum(closes).powers)


def test_resampled_series_are_made_of_blocks_of_the_changes() -> None:
    rows = resampled(np.arange(1.0, 101.0))
    assert rows.shape == (spectral.DRAWS, 100)
    steps = np.diff(rows, axis=1, prepend=0)
    assert set(np.unique(steps)) <= set(np.arange(1.0, 101.0))
    follow = np.diff(steps[0][: spectral.BLOCK])
    assert all(step in (1, -99) for step in follow)


# ---- the engine


def cycle_run(closes: list[int], every: str = "1s", **parameters: Any) -> list[Packet]:
    bars = [ohlcv((price / 10,) * 4, 5, ts_event=START + minute * MINUTE, interval="1m")
            for minute, price in enumerate(closes)]
    return run([mapping("GCJ6", "GCJ6"), *bars], every, ("bars", "cycle"), bars={"period": "1m"},
               cycle={"bar": "1m", **parameters})


def test_a_count_of_21_shows_its_anchor_and_offset() -> None:
    packets = [packet for packet in cycle_run(zigzag_closes(9)) if packet.slots["cycle"].is_21]
    assert len(packets) > 3
    for packet in packets:
        reading: Any = packet.slots["cycle"]
        start = (int(reading.anchor_21.ts) - START) // MINUTE
        assert packet.slots["bars"].count - 1 - start - 21 == reading.anchor_21.offset
        assert reading.anchor_21.price == zigzag_closes(9)[start] / 10
        assert reading.active is True


def test_without_a_count_the_score_is_neutral_and_nothing_is_active() -> None:
    quiet = [packet.slots["cycle"] for packet in cycle_run(zigzag_closes(9))
             if packet.slots["cycle"].is_21 is False]
    assert any(not (reading.is_45 or reading.is_90) for reading in quiet)
    for reading in quiet:
        if not (reading.is_45 or reading.is_90):
            assert (reading.score, reading.active) == (0.5, False)


def test_until_there_are_four_swings_it_says_how_many() -> None:
    packets = cycle_run(zigzag_closes(3))
    assert packets[-1].slots["cycle"].score is None
    assert packets[-1].missing["cycle.is_45"] == "3 of 4 pivots confirmed"  # the first bar, 9 and 19
    assert packets[3].missing["cycle.score"] == "3 of 14 true ranges"


def test_the_reading_changes_only_when_a_bar_closes() -> None:
    trades = [trade("B", 2000.0 + second % 3, 1, ts_event=START + second * 10**9, ts_recv=None)
              for second in range(180)]
    packets = run([mapping("GCJ6", "GCJ6"), *trades], "1s", ("cycle",), cycle={"bar": "1m"})
    assert len({id(packet.slots["cycle"]) for packet in packets}) <= 4


def test_the_spectrum_is_told_only_where_it_is_asked_for() -> None:
    closes = zigzag_closes(14)
    assert cycle_run(closes)[-1].slots["cycle"].spectrum is None
    packets = cycle_run(closes, spectrum="true", spectrum_bars=100)
    found: Any = packets[-1].slots["cycle"].spectrum
    assert found.bars == 100
    assert 0 < found.p_value <= 1
    early = next(packet for packet in packets if packet.slots["cycle"].score is not None)
    assert early.slots["cycle"].spectrum is None
    assert early.missing["cycle.spectrum"].endswith("of 100 bars")


def test_a_roll_moves_what_is_counted_from() -> None:
    counts = Counts(3.0, remember=5)
    for index, close in enumerate(zigzag_closes(6)):
        counts.add(close, close, close, index)
    before = list(counts.found)
    counts.shift(300)
    assert [one.ticks - other.ticks for one, other in zip(counts.found, before, strict=True)] == [300] * 4
    assert list(counts.closes) == [close + 300 for close in zigzag_closes(6)[-5:]]
    # what follows confirms the same pivots, 300 ticks higher
    plain = Counts(3.0)
    for index, close in enumerate(zigzag_closes(9)):
        plain.add(close, close, close, index)
    for index, close in enumerate(zigzag_closes(9)[60:], 60):
        counts.add(close + 300, close + 300, close + 300, index)
    assert [one.moved(300) for one in plain.found] == counts.found
    assert plain.score == counts.score


@pytest.mark.parametrize("wrong", [{"k": 0}, {"tolerance": -1}, {"spectrum_bars": 89}])
def test_a_parameter_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="cycle"):
        Engines(("cycle",), {"cycle": wrong})
