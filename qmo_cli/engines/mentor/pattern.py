"""The pattern of order flow over five minutes: trend, balance, exhaustion, trapped, or none.

Over the window, share = delta / volume (contracts without a side count in the volume only), the move is last less first
price, the range high less low; ATR is that of 15-minute bars.

- trend: |share| >= .2 and a move >= .5 ATR the same way.
- balance: |share| < .1 and a range < .5 ATR.
- exhaustion: the window's high (low) is beyond that of the rest of the 15 minutes, and |delta| is below half of that of
  the five minutes which ended with the extreme before, the latest of equals.
- trapped: the seconds of most volume, those that together hold 5 % of it, lie within 3 ticks of the high (low), and
  price is .25 ATR or more back from it later. Seconds are the grain, so that the frame's length does not matter.

Several may hold; ``pattern`` is the first of them in this order.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from ...packets import fixed
from .tape import (
    BALANCE,
    EXHAUSTION_DOWN,
    EXHAUSTION_UP,
    TRAPPED_DOWN,
    TRAPPED_UP,
    TREND_DOWN,
    TREND_UP,
    Tape,
)

Name = Literal["trend", "balance", "exhaustion", "trapped", "none"]
Direction = Literal["up", "down"]
WINDOW, EXTREME = 300, 900         # s
WHOLE = WINDOW + EXTREME           # s that must have been seen: the last extreme has a window of its own
NEAR = 3                           # ticks


class Pattern(NamedTuple):
    """One pattern that holds, and the side of the price it is about."""

    name: Name
    direction: Direction | None    # of the trend; up for what happens at a high


def measured(atr: float, tick: float | None) -> tuple[int, int]:
    """ATR and the reach of an extreme in 1e-9; the second is negative where the tick is not known."""
    return fixed(atr), -1 if tick is None else NEAR * fixed(tick)


def patterns(tape: Tape, scale: int, near: int, whole: bool) -> list[Pattern]:
    """All that hold, where something traded in the window; ``whole``: 20 minutes were seen."""
    return FOUND[tape.look(scale, near, whole)]


_ALL = (
    (TREND_UP, Pattern("trend", "up")), (TREND_DOWN, Pattern("trend", "down")), (BALANCE, Pattern("balance", None)),
    (EXHAUSTION_UP, Pattern("exhaustion", "up")), (EXHAUSTION_DOWN, Pattern("exhaustion", "down")),
    (TRAPPED_UP, Pattern("trapped", "up")), (TRAPPED_DOWN, Pattern("trapped", "down")),
)
FOUND = [[pattern for bit, pattern in _ALL if bits & bit] for bits in range(2 * TRAPPED_DOWN)]
