"""What an order would pay by the displayed book, against taking the contracts one by one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.packets import Level
from qmo_cli.signals.slippage import expected_slippage, queue_ahead


def naive_slippage(levels: Sequence[Level], size: int, tick: Fraction) -> Fraction | None:
    """Contract by contract."""
    each = [Fraction(str(level.price)) for level in levels for _ in range(level.size)]
    return None if len(each) < size else sum((abs(one - each[0]) for one in each[:size]), Fraction(0)) / size / tick


@given(sizes=st.lists(st.integers(1, 9), max_size=10), gaps=st.lists(st.integers(1, 4), min_size=10, max_size=10),
       size=st.integers(1, 60), sign=st.sampled_from([-1, 1]))
def test_the_slippage_is_that_of_taking_the_displayed_contracts_one_by_one(
    sizes: list[int], gaps: list[int], size: int, sign: int,
) -> None:
    levels = [Level(round(2000 + sign * 0.1 * sum(gaps[:rank]), 1), each, 1) for rank, each in enumerate(sizes)]
    found, wanted = expected_slippage(levels, size, 0.1), naive_slippage(levels, size, Fraction(1, 10))
    assert found == (None if wanted is None else float(wanted))


def test_slippage_of_a_book_by_hand() -> None:
    # 5 at the touch, 3 one tick away, 2 four ticks away: (3 x 1 + 2 x 4) / 10
    asks = [Level(2000.0, 5, 2), Level(2000.1, 3, 1), Level(2000.4, 2, 1)]
    assert [expected_slippage(asks, size, 0.1) for size in (5, 6, 10, 11)] == [0.0, 1 / 6, 1.1, None]
    assert expected_slippage([], 1, 0.1) is None
    with pytest.raises(ValueError, match="0 contracts"):
        expected_slippage(asks, 0, 0.1)


def test_the_queue_ahead_is_what_is_displayed_up_to_the_price() -> None:
    bids = [Level(2000.0, 5, 2), Level(1999.9, 3, 1)]
    assert [queue_ahead(bids, "B", price) for price in (2000.1, 2000.0, 1999.9, 1999.8)] == [0, 5, 8, None]
    asks = [Level(2000.1, 4, 1)]
    assert [queue_ahead(asks, "A", price) for price in (2000.0, 2000.1, 2000.2)] == [0, 4, None]
    assert queue_ahead([], "A", 2000.0) is None
