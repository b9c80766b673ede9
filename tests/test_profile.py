"""Volume profile: point of control, value area, imbalances and clusters against plain implementations."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.orderflow.series import stacks
from qmo_cli.market.profile import Profile, median

from . import engine_oracles as oracle
from .engine_oracles import Trade, tape

steady = settings(max_examples=50, deadline=None)
SIDES = {"B": 1, "A": -1}


def profile_of(trades: list[Trade]) -> Profile:
    """The profile of these trades."""
    profile = Profile()
    for one in trades:
        profile.add(one.ticks, *(one.size if one.side == side else 0 for side in "BAN"))
    return profile


def of_volumes(*volumes: int, low: int = 100) -> Profile:
    """A profile with these volumes at adjacent prices."""
    return profile_of([Trade(0, "B", low + index, size) for index, size in enumerate(volumes) if size])


# ---- by hand


def test_value_area_of_a_textbook_profile() -> None:
    """Volumes 1 2 4 9 10 6 3 1: 36 in all, 25.2 wanted. From 10: above 6 + 3 = 9, below 9 + 4 = 13, so 23;
    then above 9 against below 2 + 1 = 3, so 32."""
    assert of_volumes(1, 2, 4, 9, 10, 6, 3, 1).value_area(0.7) == (102, 104, 106)


def test_value_area_stops_as_soon_as_it_holds_its_share() -> None:
    assert of_volumes(1, 1, 7, 1).value_area(0.7) == (102, 102, 102)


def test_at_the_edge_of_the_profile_one_row_is_a_pair() -> None:
    assert of_volumes(5, 1, 1, 1, 1, 1).value_area(0.7) == (100, 100, 102)
    assert of_volumes(3, 5).value_area(0.7) == (100, 101, 101)


def test_of_equal_pairs_the_upper_one_is_taken() -> None:
    assert of_volumes(1, 1, 4, 1, 1).value_area(0.7) == (102, 102, 104)


def test_of_equal_volumes_the_point_of_control_is_nearest_the_centre_then_lower() -> None:
    assert of_volumes(9, 1, 9, 1, 1).poc() == 102
    assert of_volumes(9, 1, 1, 9).poc() == 100


def test_an_imbalance_compares_diagonally() -> None:
    """Bought 40 at 101 against sold 10 at 100: 4 to 1. Sold 30 at 100 against bought 40 at 101: none."""
    profile = Profile()
    profile.add(100, 0, 10, 0)
    profile.add(101, 40, 0, 0)
    assert profile.imbalances(4.0, 10) == [(101, 1)]
    profile.add(100, 0, 1, 0)
    assert profile.imbalances(4.0, 10) == []


def test_an_empty_other_side_counts_as_one_contract() -> None:
    profile = Profile()
    profile.add(100, 0, 12, 0)
    assert profile.imbalances(4.0, 10) == [(100, -1)]
    assert profile.imbalances(12.0, 10) == [(100, -1)]
    assert profile.imbalances(13.0, 10) == []
    assert profile.imbalances(4.0, 13) == []


def test_volume_without_a_side_makes_no_imbalance() -> None:
    profile = Profile()
    profile.add(100, 0, 0, 500)
    assert profile.imbalances(4.0, 10) == []
    assert profile.poc() == 100


def test_three_imbalances_in_a_row_are_a_stack_and_two_are_not() -> None:
    found = [(100, 1), (101, 1), (102, 1), (104, 1), (105, 1), (105, -1), (106, -1), (107, -1), (108, -1)]
    assert stacks(found, 3) == [(100, 102, 1), (105, 108, -1)]


def test_a_cluster_needs_two_adjacent_heavy_prices() -> None:
    """Volumes around 4: median 4, MAD 1, so the limit is 8.4478."""
    assert of_volumes(3, 4, 5, 9, 20, 3, 4, 5, 30, 5, 4, 3).clusters(3.0) == [(103, 104, 29)]
    assert of_volumes(3, 4, 5, 8, 20, 3, 4, 5, 30, 5, 4, 3).clusters(3.0) == []


def test_an_empty_profile_has_no_places() -> None:
    profile = Profile()
    assert (profile.volume, profile.imbalances(4.0, 10), profile.clusters(3.0)) == (0, [], [])


def test_a_cleared_profile_is_empty() -> None:
    profile = of_volumes(1, 2, 3)
    profile.clear()
    profile.add(-7, 1, 0, 0)
    assert (profile.low, profile.high, profile.volume, profile.poc()) == (-7, -7, 1, -7)


def test_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() -> None:
    assert (median([1, 5, 9]), median([1, 5, 9, 20])) == (5, 7.0)


# ---- against the definitions


@given(
    st.binary(min_size=1, max_size=900),
    st.sampled_from([Fraction(7, 10), Fraction(68, 100), Fraction(1, 3), Fraction(1)]))
@steady
def test_value_area_follows_its_definition(data: bytes, share: Fraction) -> None:
    trades = tape(data)
    assert profile_of(trades).value_area(float(share)) == oracle.value_area(oracle.at_price(trades), share)


@given(st.binary(min_size=1, max_size=1500), st.integers(2, 5), st.integers(1, 20))
@steady
def test_imbalances_stacks_and_clusters_follow_their_definitions(data: bytes, ratio: int, least: int) -> None:
    trades, profile = tape(data), profile_of(tape(data))
    found = profile.imbalances(float(ratio), least)
    places = oracle.imbalances(trades, ratio, least)
    assert {(tick, "B" if side > 0 else "A") for tick, side in found} == places
    assert {(low, high, "B" if side > 0 else "A") for low, high, side in stacks(found, 3)} == oracle.stacks(places)
    assert set(profile.clusters(3.0)) == oracle.clusters(oracle.at_price(trades))


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(1, 50)), min_size=1, max_size=60))
@steady
def test_prices_far_apart_and_below_zero_lose_nothing(rows: list[tuple[int, int]]) -> None:
    trades = [Trade(0, "N", ticks, size) for ticks, size in rows]
    volumes, profile = oracle.at_price(trades), profile_of(trades)
    assert (profile.low, profile.high, profile.volume) == (min(volumes), max(volumes), Counter(volumes).total())
    assert profile.poc() == oracle.point_of_control(volumes)


@given(st.binary(min_size=1, max_size=600))
@steady
def test_the_order_of_trades_does_not_matter(data: bytes) -> None:
    trades = tape(data)
    one, other = profile_of(trades), profile_of(trades[::-1])
    assert one.value_area(0.7) == other.value_area(0.7)
    assert one.imbalances(4.0, 10) == other.imbalances(4.0, 10)


@pytest.mark.parametrize("step", [1, 1000])
def test_a_profile_that_grows_far_keeps_what_it_has(step: int) -> None:
    profile = Profile()
    for index in range(300):
        profile.add(20_000 + step * (index if index % 2 else -index), 1, 0, 0)
    assert profile.volume == 300
    assert sum(side for _, side in profile.imbalances(1.0, 1)) == 300
