"""VPIN against hand arithmetic, and against exact fractions contract by contract."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.orderflow.vpin import Vpin
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Second
from qmo_cli.pipeline import Engines


def row(second: int, buy: int, sell: int) -> Second:
    return Second(second, 1.0, 1.0, 1.0, 1.0, buy, sell, 5, 1)


def by_fractions(seconds: list[tuple[int, int]], size: int, number: int) -> float | None:
    """The definition, every contract of a second being bought to the same share."""
    shares = [Fraction(buy, buy + sell) for buy, sell in seconds for _ in range(buy + sell)]
    full = [shares[start : start + size] for start in range(0, len(shares) - size + 1, size)]
    if len(full) < number:
        return None
    return float(sum(abs(2 * sum(bucket) - size) for bucket in full[-number:]) / (number * size))


def test_two_buckets_by_hand() -> None:
    vpin = Vpin(10, 2)
    vpin.add([row(1, 8, 0), row(2, 3, 9)])  # 8 + 2 x 1/4 bought of 10: |2 x 8.5 - 10| = 7; 10 x 1/4 = 2.5 of 10: 5
    vpin.advance(4)
    assert list(vpin.buckets) == [7.0, 5.0]
    assert vpin.value == 0.6


def test_it_is_unknown_until_all_its_buckets_are_full() -> None:
    vpin = Vpin(10, 2)
    vpin.add([row(1, 19, 0)])
    vpin.advance(9)
    assert (len(vpin.buckets), vpin.value) == (1, None)


def test_a_second_counts_only_once_nothing_can_come_late_for_it() -> None:
    vpin = Vpin(5, 1)
    vpin.add([row(10, 5, 0)])
    vpin.advance(11)
    assert vpin.value is None
    vpin.add([row(10, 0, 5)])
    vpin.advance(12)
    assert vpin.value == 0.0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seconds=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40),
       size=st.integers(1, 40), number=st.integers(1, 6))
def test_it_is_what_the_definition_says(seconds: list[tuple[int, int]], size: int, number: int) -> None:
    vpin = Vpin(size, number)
    for second, (buy, sell) in enumerate(seconds):
        vpin.add([row(second, buy, sell)])
        vpin.advance(None)
    vpin.advance(len(seconds) + 2)
    expected = by_fractions(seconds, size, number)
    assert vpin.value == (None if expected is None else pytest.approx(expected, abs=1e-6))


@pytest.mark.parametrize("name", ["vpin_bucket", "vpin_buckets"])
def test_an_impossible_bucket_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}=0"):
        Engines(("orderflow",), {"orderflow": {name: 0}})
