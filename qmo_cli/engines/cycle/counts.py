"""Counts of 21, 45 and 90 bars from confirmed pivots, prices in whole ticks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ...rounding import to_six
from ..pivots import Pivot, Pivots

COUNTS = (21, 45, 90)
WEIGHTS = {21: 0.5, 45: 0.75, 90: 1.0}
ALL = sum(WEIGHTS.values())
ANCHORS = 4      # newest pivots that are counted from


class Due(NamedTuple):
    """A count that has come: from which pivot, and how many bars after (+) or before (-) the exact one."""

    pivot: Pivot
    offset: int


def due(pivots: Sequence[Pivot], index: int, count: int, tolerance: int = 1) -> Due | None:
    """The pivot whose count is due at the bar with this index, the closest, then the newest; None: none is.

    >>> low = Pivot("L", 100, 108, 500, 0)
    >>> [index for index in range(108, 200) if due([low], index, 21)]
    [120, 121, 122]
    """
    found = [Due(pivot, index - pivot.index - count) for pivot in reversed(pivots)]
    near = [one for one in found if abs(one.offset) <= tolerance]
    return min(near, key=lambda one: abs(one.offset), default=None)


def turn(close: int, anchor: int, atr: float) -> int:
    """The direction of the turn that a count calls for: against the move since its anchor, if that is an ATR at least.

    >>> turn(520, 500, 10.0), turn(480, 500, 10.0), turn(505, 500, 10.0)
    (-1, 1, 0)
    """
    move = close - anchor
    return 0 if abs(move) < atr or move == 0 else -1 if move > 0 else 1


class Counts:
    """The counts as of the last closed bar. The bar of a pivot's extreme is 0; a pivot counts from its confirmation."""

    def __init__(self, k: float, tolerance: int = 1, remember: int = 0) -> None:
        self.pivots = Pivots(k)
        self.tolerance = tolerance
        self.found: list[Pivot] = []             # the newest, oldest first
        self.close = 0
        self.closes: deque[int] = deque(maxlen=remember)
        self.due: dict[int, Due | None] = {}
        self.score = 0.5

    def add(self, high: int, low: int, close: int, start: int = 0) -> None:
        """Another closed bar."""
        self.found = [*self.found, *self.pivots.add(high, low, close, start)][-ANCHORS:]
        self.close = close
        self.closes.append(close)
        self.due = {count: due(self.found, self.pivots.index, count, self.tolerance) for count in COUNTS}
        self.score = cycle_score(self._pulls())

    def shift(self, gap: int) -> None:
        """A roll: all that was seen moves by the gap, in ticks."""
        self.pivots.shift(gap)
        self.found = [pivot.moved(gap) for pivot in self.found]
        self.close += gap
        self.closes = deque((close + gap for close in self.closes), self.closes.maxlen)
        self.due = {
            count: None if one is None else Due(one.pivot.moved(gap), one.offset) for count, one in self.due.items()}

    @property
    def why_not(self) -> str:
        """Why nothing can be counted; empty where it can."""
        return self.pivots.why_not(len(self.found), ANCHORS)

    def _pulls(self) -> list[float]:
        """d wN w of every count that is due; w falls to 0 one bar beyond the tolerance."""
        atr = self.pivots.atr or 0.0
        return [
            turn(self.close, one.pivot.ticks, atr) * WEIGHTS[count] * (1 - abs(one.offset) / (self.tolerance + 1))
            for count, one in self.due.items() if one is not None
        ]


def cycle_score(pulls: Sequence[float]) -> float:
    """.5 + .5 clip(sum/2.25, -1, 1).

    >>> cycle_score([-0.75]), cycle_score([0.5, 0.75, 1.0]), cycle_score([])
    (0.333333, 1.0, 0.5)
    """
    score: float = to_six(0.5 + 0.5 * max(-1.0, min(1.0, sum(pulls) / ALL)))
    return score

