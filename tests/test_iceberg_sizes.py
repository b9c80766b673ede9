"""How large icebergs become: Kaplan-Meier against a textbook's table and against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.engines.iceberg.curve import Pool, Walk, conditional
from qmo_cli.engines.iceberg.estimate import LEAST, POOLED_BELOW, Sizes, bucket_of

# Remission times of 21 leukaemia patients under 6-MP (Freireich et al. 1963; Klein & Moeschberger, table 4.1)
EVENTS = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PUBLISHED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}

cases = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=LEAST, max_size=60)


def sizes_of(totals: list[tuple[int, bool]], peak: int = 1, session: str = "rth") -> Sizes:
    """Icebergs that ended with these totals, executed or not."""
    sizes = Sizes()
    for number, (total, executed) in enumerate(totals):
        sizes.grow(str(number), peak, session, total)
        sizes.end(str(number), executed=executed)
    return sizes


def exact(totals: list[tuple[int, bool]], beyond: int) -> dict[int, Fraction]:
    """S at every contract from ``beyond`` to the largest total, one contract after another, in fractions."""
    left, curve = Fraction(1), {beyond: Fraction(1)}
    for total in range(beyond + 1, max(one for one, _ in totals) + 1):
        at_risk = sum(one >= total for one, _ in totals)
        ended = sum(one == total and executed for one, executed in totals)
        left *= 1 - Fraction(ended, at_risk)
        curve[total] = left
    return curve


def test_the_curve_of_a_published_table() -> None:
    pool, curve = Pool(), {}
    for total in EVENTS:
        pool.count(total, 1, 0)
    for total in CENSORED:
        pool.count(total, 0, 1)
    walk = Walk(pool, 0)
    while walk.step():
        curve[walk.total] = walk.left
    assert {total: round(curve[total], 3) for total in PUBLISHED} == PUBLISHED


def test_totals_at_which_no_case_is_left_are_no_points_of_the_curve() -> None:
    """One that was censored at 3 went on to 8; 2 of 4 end at 5."""
    pool = Pool()
    for total, ended, censored in ((3, 0, 1), (5, 2, 0), (3, 0, -1), (8, 0, 1), (9, 0, 1)):
        pool.count(total, ended, censored)
    walk, points = Walk(pool, 0), []
    while walk.step():
        points.append((walk.total, walk.before, walk.left))
    assert points == [(5, 1.0, 0.5), (8, 0.5, 0.5), (9, 0.5, 0.5)]


def test_of_two_totals_as_near_to_a_tenth_the_band_takes_the_wider() -> None:
    """5 % are below 2 and 15 % below 3; 15 % above 7 and 5 % above 8: floats differ in the last places."""
    pool = Pool()
    for total, ended in ((1, 1), (2, 2), (3, 3), (7, 11), (8, 2), (9, 1)):
        pool.count(total, ended, 0)
    assert conditional(pool, 0)[2:] == (2, 8)


def test_the_published_median_and_what_the_table_leaves_open() -> None:
    """The median remission of that table is 23; fewer than 10 % never shows, so there is no upper end.

    None ends before week 6 and 14.3 % before week 7, which is nearer to 10 %.
    """
    found = sizes_of([(one, True) for one in EVENTS] + [(one, False) for one in CENSORED]).estimate(1, "rth", 0)
    assert (found.median, found.low, found.high, found.cases) == (23, 7, None, 21)


@given(cases, st.integers(0, 45))
def test_mean_and_quantiles_agree_with_fractions(totals: list[tuple[int, bool]], filled: int) -> None:
    found = sizes_of(totals).estimate(1, "rth", filled)
    if filled >= max(one for one, _ in totals):
        assert (found.mean, found.median, found.low, found.high) == (None, None, None, None)
        return
    curve = exact(totals, filled)
    mean = filled + sum(curve[total] for total in range(filled, max(curve)))
    assert found.mean == pytest.approx(float(mean), abs=1e-6)
    assert found.median == next((total for total in sorted(curve) if 2 * curve[total] <= 1), None)
    assert (found.low, found.high) == ends(curve)


def ends(curve: dict[int, Fraction]) -> tuple[int | None, int | None]:
    """The totals below and above which the share comes nearest to a tenth; the wider of two."""
    tenth, least = Fraction(1, 10), min(curve.values())
    steps = [total for total in sorted(curve)[1:] if curve[total] < curve[total - 1]]
    low = min(steps, key=lambda total: abs(1 - curve[total - 1] - tenth)) if least <= 1 - tenth else None
    high = min(reversed(steps), key=lambda total: abs(curve[total] - tenth)) if least <= tenth else None
    return low, high


def test_the_band_leaves_out_about_a_tenth_on_either_side() -> None:
    """100 cases: 12 at 1, 30 at 2, 30 at 5, 20 at 9 and 8 at 20: 12 % are below 2 (none below 1), 8 % above 9."""
    numbers = {1: 12, 2: 30, 5: 30, 9: 20, 20: 8}
    found = sizes_of([(total, True) for total, number in numbers.items() for _ in range(number)]).estimate(1, "rth", 0)
    assert (found.low, found.high) == (2, 9)


def test_below_ten_cases_nothing_is_said_but_how_many_there_are() -> None:
    found = sizes_of([(5, True)] * (LEAST - 1)).estimate(1, "rth", 1)
    assert (found.mean, found.median, found.low, found.high, found.cases) == (None, None, None, None, LEAST - 1)


def test_icebergs_that_rest_count_as_at_least_that_large() -> None:
    """Ten ended at 5; ten more rest with 8 filled: half of all are larger than 5, and nobody knows how large."""
    sizes = sizes_of([(5, True)] * 10)
    for number in range(10):
        sizes.grow(f"resting {number}", 1, "rth", 3)
        sizes.grow(f"resting {number}", 1, "rth", 8)
    found = sizes.estimate(1, "rth", 1)
    assert (found.mean, found.low, found.median, found.high, found.cases) == (6.5, 5, 5, None, 10)


def test_a_bucket_with_thirty_cases_speaks_for_itself_and_smaller_ones_are_pooled() -> None:
    """First by peak over all sessions, then by session over all peaks, then all."""
    sizes = Sizes()

    def end(number: int, peak: int, session: str, total: int) -> None:
        for _ in range(number):
            key = str(len(sizes.pools) * 1000 + sum(pool.cases for pool in sizes.pools.values()))
            sizes.grow(key, peak, session, total)
            sizes.end(key, executed=True)

    end(POOLED_BELOW - 1, 1, "day", 10)
    assert sizes.estimate(1, "day", 1).cases == 29
    end(1, 1, "night", 20)
    assert (sizes.estimate(1, "day", 1).cases, sizes.estimate(1, "night", 1).cases) == (30, 30)  # the peak
    end(1, 1, "day", 10)
    assert (sizes.estimate(1, "day", 1).cases, sizes.estimate(1, "day", 1).high) == (30, 10)     # peak and session
    assert sizes.estimate(1, "night", 1).cases == 31
    end(5, 20, "day", 90)
    assert sizes.estimate(20, "day", 1).cases == 35     # the session
    assert sizes.estimate(20, "night", 1).cases == 36   # all


@pytest.mark.parametrize(("peak", "bucket"), [(1, 0), (2, 1), (3, 2), (5, 2), (6, 3), (12, 3), (13, 4), (500, 4)])
def test_peaks_fall_into_five_buckets(peak: int, bucket: int) -> None:
    assert bucket_of(peak) == bucket
