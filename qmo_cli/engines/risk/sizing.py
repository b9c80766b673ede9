"""Smaller trades when prices swing more than usual."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from ...rounding import to_six

LEAST = 20     # ATRs before "usual" means something


@dataclass(slots=True)
class Usual:
    """The ATRs of the bars that closed lately, as many as ``bars``."""

    bars: int
    seen: deque[float] = field(init=False)
    count: int = -1                      # of bars, when the newest ATR was taken
    factor: float = 1.0

    def __post_init__(self) -> None:
        self.seen = deque(maxlen=self.bars)

    def take(self, count: int, atr: float) -> None:
        """The ATR after another bar: factor = min(1, median / ATR); 1 until there are 20 of them."""
        if count == self.count:
            return
        self.count = count
        self.seen.append(atr)
        if len(self.seen) >= min(LEAST, self.bars):
            self.factor = to_six(min(1.0, median(self.seen) / atr)) if atr > 0 else 1.0
