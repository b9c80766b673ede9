"""What Gann's rules say of closed bars of one series: levels, breakouts and counts, prices in whole ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...rounding import to_six
from ...times import UNITS
from ..pivots import Pivot, Pivots
from .formulas import COUNTS
from .levels import LOOKED_BACK, SQUARED, SWING, TIME, Level, Levels, Near, fan, standing

DAY = UNITS["d"]
WHOLE = 4  # families from which on more of them add nothing to the score


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters of the study."""

    unit: float                          # ticks: the price unit of the Square of Nine and of price-time squaring
    k: float = 3.0                       # ATR(14) of a reversal
    tolerance_atr: float = 0.15
    tolerance_ticks: float = 2.0
    hold: int = 3                        # bars
    days: bool = False                   # time is counted in days, not in bars


class Break(NamedTuple):
    """A close beyond a level."""

    level: Level
    direction: int
    bar: int                             # its index


class View(NamedTuple):
    """How a price stands to the levels."""

    near: Near
    families: int                        # bits, time included
    direction: int                       # +1 up, -1 down, 0: nothing to say
    within: bool                         # whether the nearest level is within the tolerance
    score: float

    @property
    def confluence(self) -> int:
        """How many families agree."""
        return self.families.bit_count()


class Study:
    """Levels as of the last closed bar.

    The nearest level is support while the last close lies above it, resistance while it lies below, and the price is
    within the tolerance. A breakout is a close beyond a level that was one of these at the close before, by more than
    the tolerance; it counts from that close on for ``hold`` bars.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.pivots = Pivots(rules.k)
        self.found: list[Pivot] = []          # the newest, oldest first
        self.fixed: list[Level] = []          # levels that stand until the next pivot
        self.levels: Levels | None = None
        self.tolerance = rules.tolerance_ticks  # max(0.15 ATR, 2 ticks), in ticks
        self.close = 0
        self.broken: Break | None = None
        self.timely = False                   # whether a count of time is due

    def add(self, high: int, low: int, close: int, start: int = 0) -> None:
        """Another closed bar."""
        fresh = self.pivots.add(high, low, close, start)
        self._look_for_break(close)
        self.close = close
        if fresh:
            self.found = [*self.found, *fresh][-LOOKED_BACK:]
            self.fixed = standing(self.found, self.rules.unit) if len(self.found) >= SWING else []
        self._set_levels(start)

    def _set_levels(self, start: int) -> None:
        if self.why_not:
            self.levels = None
            return
        index = self.pivots.index
        self.tolerance = max(self.rules.tolerance_atr * (self.pivots.atr or 0.0), self.rules.tolerance_ticks)
        self.levels = Levels([*self.fixed, *fan(self.found, index)])
        self.timely = self._timely(index, start)

    def shift(self, gap: int) -> None:
        """A roll: all that was seen moves by the gap, in ticks."""
        self.pivots.shift(gap)
        self.found = [pivot.moved(gap) for pivot in self.found]
        self.close += gap
        if self.broken:
            level = self.broken.level
            self.broken = self.broken._replace(level=level._replace(ticks=level.ticks + gap))
        if len(self.found) >= SWING:
            self.fixed = standing(self.found, self.rules.unit)  # the Square of Nine is drawn anew around moved pivots
        if self.levels is not None:
            self.levels = Levels([*self.fixed, *fan(self.found, self.pivots.index)])

    @property
    def why_not(self) -> str:
        """Why there are no levels; empty where there are."""
        return self.pivots.why_not(len(self.found), SWING)

    @property
    def tested(self) -> Level | None:
        """The level that the last close stands at."""
        view = self.view(self.close)
        return view.near.level if view is not None and view.within else None

    def view(self, ticks: int) -> View | None:
        """How a price stands to the levels; None without levels."""
        if self.levels is None:
            return None
        near = self.levels.near(ticks, self.tolerance)
        within = near.distance <= self.tolerance
        families = near.families | self.timely << TIME
        direction = self.broken.direction if self.broken else sign(self.close - near.level.ticks) if within else 0
        nearness = max(0.0, 1 - near.distance / self.tolerance)
        return View(near, families, direction, within, gann_score(direction, nearness, families.bit_count()))

    def _look_for_break(self, close: int) -> None:
        if self.broken and self.pivots.index - self.broken.bar >= self.rules.hold:
            self.broken = None
        level = self.tested
        if level is None:
            return
        side, beyond = sign(self.close - level.ticks), close - level.ticks
        if abs(beyond) > self.tolerance and sign(beyond) == -side:
            self.broken = Break(level, sign(beyond), self.pivots.index)

    def _timely(self, index: int, start: int) -> bool:
        """Whether 45, 90 or 144 bars or days have passed since a pivot, or as many as the swing has units of price."""
        end = self.found[-1]
        squared = abs(end.ticks - self.found[-2].ticks) / self.rules.unit
        return abs(self._since(end, index, start) - squared) <= 1 or any(
            abs(self._since(pivot, index, start) - count) <= 1 for pivot in self.found[-SQUARED:] for count in COUNTS)

    def _since(self, pivot: Pivot, index: int, start: int) -> int:
        return (start - pivot.start) // DAY if self.rules.days else index - pivot.index


def gann_score(direction: int, nearness: float, confluence: int) -> float:
    """.5 + .5 d w min(c, 4)/4.

    >>> gann_score(-1, 1 - 0.7 / 3, 3)
    0.2125
    """
    score: float = to_six(0.5 + 0.5 * direction * nearness * min(confluence, WHOLE) / WHOLE)
    return score


def sign(value: int) -> int:
    """-1, 0 or +1."""
    return (value > 0) - (value < 0)

