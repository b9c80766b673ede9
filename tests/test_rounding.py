"""Rounding against exact decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.rounding import nearest, to_six


@given(st.integers(-10**12, 10**12), st.integers(1, 10**6))
def test_the_nearest_whole_number_is_that_of_exact_arithmetic(one: int, other: int) -> None:
    value = one / other
    assert nearest(value) == int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))


@given(st.integers(-10**9, 10**9))
def test_halves_go_away_from_zero_so_that_a_mirrored_value_is_rounded_to_its_mirror(whole: int) -> None:
    half = whole + 0.5
    assert nearest(-half) == -nearest(half)


@given(st.floats(-10**6, 10**6))
def test_six_decimals_are_those_of_exact_arithmetic(value: float) -> None:
    """But for the last place, where the product with a million is itself rounded."""
    exact = (Decimal(value) * 10**6).quantize(Decimal(1), ROUND_HALF_UP) / 10**6
    assert to_six(value) == pytest.approx(float(exact), abs=1.1e-6)
    assert round(to_six(value), 6) == to_six(value) == -to_six(-value)


def test_a_zero_has_no_sign() -> None:
    assert str(to_six(-1e-9)) == "0.0"
