"""Liquidity grabs: price trades beyond a confirmed swing, and the bar closes back inside."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ...packets import ticks
from ...rounding import to_six
from ...times import SECOND
from ..bars import Bar
from ..pivots import Pivot, Pivots
from ..ranges import ATR_BARS

HALVING = 3  # bars in which a failed break loses half its weight


class Grab(Struct, frozen=True, gc=False):
    """A bar that broke through a swing and failed. ``side`` are those who broke out: B above a high, A below a low."""

    ts: str                              # ns, the bar's end: when it was known
    side: Literal["B", "A"]
    price: float                         # of the swing
    swing: str                           # ns, start of the bar that made the swing
    extreme: float                       # how far the bar traded
    close: float                         # where it closed, back inside


class Grabs:
    """Looks at closed bars of one contract for breaks of its swings that fail.

    A swing counts from the bar after its confirmation until a bar trades beyond it, whatever comes of that (a bar that
    closes on it to the tick has decided nothing). Of several that one bar breaks through, the farthest is the grab.
    The weight of the last grab is +-1 against its side and halves every three bars; after ``memory`` bars it is 0. A
    bar that fails on both sides says nothing.
    """

    def __init__(self, multiple: float, swings: int, memory: int) -> None:
        self.pivots = Pivots(multiple)
        self.most, self.memory = swings, memory
        self.swings: list[Pivot] = []
        self.last: Grab | None = None
        self.index = 0              # of the last grab's bar

    @property
    def known(self) -> bool:
        """Whether there could be swings yet."""
        return self.pivots.atr is not None

    @property
    def why_not(self) -> str:
        """Why there cannot."""
        return f"{len(self.pivots.ranges)} of {ATR_BARS} true ranges"

    def add(self, bar: Bar, tick: float) -> list[Grab]:
        """The grabs that this closed bar is."""
        high, low, close = ticks(bar.high, tick), ticks(bar.low, tick), ticks(bar.close, tick)
        start = int(bar.start)
        failed = self._meet(high, low, close)
        self.swings = [*self.swings, *self.pivots.add(high, low, close, start)][-self.most:]
        grabs = [_grab(pivot, bar, tick) for pivot in failed]
        if grabs:
            self.last, self.index = grabs[0] if len(grabs) == 1 else None, self.pivots.index
        return grabs

    def _meet(self, high: int, low: int, close: int) -> list[Pivot]:
        """The farthest swing of each side that the bar broke and fell back from; all it broke are used up."""
        above = [one for one in self.swings if one.side == "H" and high > one.ticks != close]
        below = [one for one in self.swings if one.side == "L" and low < one.ticks != close]
        if not above and not below:
            return []
        self.swings = [one for one in self.swings if one not in above and one not in below]
        failed_above = [one for one in above if close < one.ticks]
        failed_below = [one for one in below if close > one.ticks]
        return [
            *([max(failed_above, key=_ticks)] if failed_above else []),
            *([min(failed_below, key=_ticks)] if failed_below else []),
        ]

    def bars_since(self) -> int:
        """Bars closed since the last grab's."""
        return self.pivots.index - self.index

    def weight(self) -> float:
        """G: +1 after a failed break down, -1 after one up, less every bar."""
        if self.last is None or self.bars_since() > self.memory:
            return 0.0
        weight: float = to_six(0.5 ** (self.bars_since() / HALVING))
        return weight if self.last.side == "A" else -weight


def _ticks(pivot: Pivot) -> int:
    return pivot.ticks


def _grab(pivot: Pivot, bar: Bar, tick: float) -> Grab:
    up = pivot.side == "H"
    return Grab(
        str(int(bar.start) + bar.interval * SECOND), "B" if up else "A", round(pivot.ticks * tick, 9),
        str(pivot.start), bar.high if up else bar.low, bar.close,
    )
