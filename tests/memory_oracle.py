"""Independent answers for retests: the definition searched for in a list of seconds, one zone at a time.

Prices are whole ticks. Nothing here comes from the engine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple


class Bar(NamedTuple):
    """What traded in one second."""

    second: int
    open: int
    low: int
    high: int
    close: int


class Deed(NamedTuple):
    """What happened to a zone: (hold | break, touched, decided), (broken, second, second) or (open, touched, -1)."""

    kind: str
    touched: int
    decided: int


class Seen(NamedTuple):
    """A second in the eyes of a zone that supports; of one that resists, upside down."""

    second: int
    low: int
    high: int


def deeds(side: str, low: int, high: int, bars: Sequence[Bar], leave: int = 10, through: int = 4) -> list[Deed]:
    """All that price does to one zone, in order."""
    supports, rest, found = side == "B", list(bars), list[Deed]()
    while True:
        seen = [Seen(bar.second, *((bar.low, bar.high) if supports else (-bar.high, -bar.low))) for bar in rest]
        top, bottom = (high, low) if supports else (-low, -high)
        more, used, broken = visits(seen, top, bottom, leave, through)
        found += more
        if not broken:
            return found
        supports, rest = not supports, rest[used:]


def visits(seen: list[Seen], top: int, bottom: int, leave: int, through: int) -> tuple[list[Deed], int, bool]:
    """Retests until the zone breaks; how many seconds that took, and whether it broke."""
    found: list[Deed] = []
    gone = next((at for at, one in enumerate(seen) if one.low <= bottom - through or one.high >= top + leave), None)
    while gone is not None:
        if seen[gone].low <= bottom - through:
            return [*found, Deed("broken", seen[gone].second, seen[gone].second)], gone + 1, True
        back = next((at for at, one in enumerate(seen) if at > gone and one.low <= top + 1
                     and (one.high >= bottom - 1 or one.low <= bottom - through)), None)
        if back is None:
            return found, len(seen), False
        touched = seen[back]
        if touched.high < bottom - 1:
            return [*found, Deed("broken", touched.second, touched.second)], back + 1, True
        end = next((at for at, one in enumerate(seen) if (at >= back and one.low <= bottom - through)
                    or (at > back and one.high >= top + leave)), None)
        if end is None:
            return [*found, Deed("open", touched.second, -1)], len(seen), False
        broke = seen[end].low <= bottom - through
        found.append(Deed("break" if broke else "hold", touched.second, seen[end].second))
        if broke:
            return found, end + 1, True
        gone = end
    return found, len(seen), False


def walk(seed: int, seconds: int, start: int = 20_000, first: int = 0) -> list[Bar]:
    """A fair walk of one tick a second."""
    dice, price, bars = random.Random(seed), start, list[Bar]()
    for second in range(first, first + seconds):
        price += dice.choice((-1, 1))
        bars.append(Bar(second, price, price, price, price))
    return bars
