"""Levels of all families in whole ticks, sorted, so that those near a price are found at once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...rounding import nearest
from ..pivots import Pivot
from .formulas import EXTENSIONS, FAN, PARTS, STEP, STEPS, fan_line, fan_unit, part, square_of_nine

FAMILIES = ("extensions", "parts", "square_of_nine", "pivots", "fan", "time")
EXTENSION, PART, SQUARE, PRIOR, LINE, TIME = range(6)
SQUARED = 4     # newest pivots that the Square of Nine starts from
LOOKED_BACK = 10  # newest pivots; without the two of the swing they are the prior ones
SWING = 2       # pivots
OLD_ENOUGH = 5  # bars from a pivot to its fan


class Level(NamedTuple):
    """One level; of several at the same distance the first family counts, then the lower price."""

    ticks: int
    family: int
    name: str


class Near(NamedTuple):
    """What is near a price: families with a level within the tolerance, as bits, and the nearest level of all."""

    families: int
    level: Level
    distance: int  # ticks


def standing(pivots: Sequence[Pivot], unit: float) -> list[Level]:
    """The levels that stand until the next pivot. ``pivots`` are the newest, oldest first; ``unit`` is the Square of
    Nine's price unit in ticks.
    """
    origin, end = pivots[-2].ticks, pivots[-1].ticks
    levels = [Level(nearest(part(origin, end, percent, 100)), EXTENSION, f"{percent} %") for percent in EXTENSIONS]
    levels += [Level(nearest(part(origin, end, up, down)), PART, f"{up}/{down}") for up, down in PARTS]
    levels += [level for pivot in pivots[-SQUARED:] for level in squares(pivot.ticks, unit)]
    return levels + [Level(pivot.ticks, PRIOR, pivot.side) for pivot in pivots[-LOOKED_BACK:-SWING]]


def squares(ticks: int, unit: float) -> Iterator[Level]:
    """The Square of Nine around a pivot, in steps of a quarter turn."""
    for step in (*range(-STEPS, 0), *range(1, STEPS + 1)):
        price = square_of_nine(ticks / unit, step * STEP)
        if price is not None:
            yield Level(nearest(price * unit), SQUARE, f"{step * STEP:+d} deg")


def fan(pivots: Sequence[Pivot], index: int) -> list[Level]:
    """The fan of the last pivot as it stands at the bar with this index."""
    origin, end = pivots[-2], pivots[-1]
    bars, unit = index - end.index, fan_unit(origin.ticks, end.ticks, end.index - origin.index)
    if unit is None or bars < OLD_ENOUGH:
        return []
    return [
        Level(nearest(fan_line(end.ticks, unit, sign * up / down, bars)), LINE, f"{sign * up:+d}/{down}")
        for up, down in FAN for sign in (-1, 1)
    ]


class Levels:
    """The levels as of one bar's close.

    >>> levels = Levels([Level(100, PART, "1/2"), Level(103, PRIOR, "H"), Level(110, LINE, "+1/1")])
    >>> near = levels.near(101, 2.0)
    >>> near.level.name, near.distance, [FAMILIES[bit] for bit in range(6) if near.families >> bit & 1]
    ('1/2', 1, ['parts', 'pivots'])
    """

    def __init__(self, levels: list[Level]) -> None:
        self.levels = sorted(levels)
        self.ticks = [level.ticks for level in self.levels]

    def near(self, ticks: int, tolerance: float) -> Near:
        """What is near a price; the tolerance in ticks."""
        families = 0
        for place in range(bisect_left(self.ticks, ticks - tolerance), bisect_right(self.ticks, ticks + tolerance)):
            families |= 1 << self.levels[place].family
        level = min(self._neighbours(ticks), key=lambda one: (abs(one.ticks - ticks), one.family, one.ticks))
        return Near(families, level, abs(level.ticks - ticks))

    def _neighbours(self, ticks: int) -> Iterator[Level]:
        """The first levels at the next price up, and at the next price down."""
        place = bisect_left(self.ticks, ticks)
        if place < len(self.ticks):
            yield self.levels[place]
        if place:
            yield self.levels[bisect_left(self.ticks, self.ticks[place - 1])]
