"""What an order would pay beyond the touch, and what stands before it, by the displayed book.

``levels`` are those of one side, best first, as packets have them: asks for a buy, bids for a sale.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..packets import Level, Side, fixed


def expected_slippage(levels: Sequence[Level], size: int, tick: float) -> float | None:
    """Volume-weighted price of taking ``size`` contracts, less the touch, in ticks; never negative.

    None where less is displayed than wanted: what stands behind is not known. The book may change before the order
    arrives, and hidden orders may fill it better: this is what is displayed, nothing more.

    >>> expected_slippage([Level(2000.0, 3, 1), Level(2000.1, 1, 1)], 4, 0.1)
    0.25
    """
    if size <= 0:
        raise ValueError(f"{size} contracts cannot be taken")
    left, paid, touch = size, 0, fixed(levels[0].price) if levels else 0
    for level in levels:
        taken = min(left, level.size)
        paid += taken * abs(fixed(level.price) - touch)
        left -= taken
        if left == 0:
            return float(Fraction(paid, size * fixed(tick)))
    return None


def queue_ahead(levels: Sequence[Level], side: Side, price: float) -> int | None:
    """Contracts displayed ahead of a new limit order of ``side`` at this price, on its own side; 0: it would be first.

    None where the price lies behind all the levels that are displayed, or none is.

    >>> queue_ahead([Level(2000.0, 3, 1), Level(1999.9, 8, 2)], "B", 1999.9)
    11
    """
    sign, wanted = 1 if side == "B" else -1, fixed(price)
    if not levels or sign * wanted < sign * fixed(levels[-1].price):
        return None
    return sum(level.size for level in levels if sign * fixed(level.price) >= sign * wanted)
