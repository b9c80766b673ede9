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
from .tape import Tape

Name = Literal["trend", "balance", "exhaustion", "trapped", "none"]
Direction = Literal["up", "down"]
WINDOW, EXTREME = 300, 900         # s
WHOLE = WINDOW + EXTREME           # s that must have been seen: the last extreme has a window of its own
NEAR = 3                           # ticks


class Pattern(NamedTuple):
    """One pattern that holds, and the side of the price it is about."""

    name: Name
    direction: Direction | None    # of the trend; up for what happens at a high


def patterns(tape: Tape, atr: float, tick: float | None, whole: bool) -> list[Pattern]:
    """All that hold, where something traded in the window. ATR and tick in points; ``whole``: 20 minutes were seen."""
    scale, delta, volume = fixed(atr), tape.delta, tape.volume
    first, high, low, last = tape.prices()
    found = []
    if 5 * abs(delta) >= volume and 2 * (last - first if delta > 0 else first - last) >= scale:
        found.append(Pattern("trend", "up" if delta > 0 else "down"))
    if 10 * abs(delta) < volume and 2 * (high - low) < scale:
        found.append(Pattern("balance", None))
    if whole:
        found += exhausted(tape, high, low)
    if tick is not None and 4 * max(high - last, last - low) >= scale:
        found += trapped(tape, scale, NEAR * fixed(tick))
    return found


def exhausted(tape: Tape, high: int, low: int) -> list[Pattern]:
    """New extremes that less than half the flow of the last ones made."""
    top, bottom = tape.extremes()
    found = []
    if top is not None and high > top[1] and 2 * abs(tape.delta) < abs(top[2]):
        found.append(Pattern("exhaustion", "up"))
    if bottom is not None and low < -bottom[1] and 2 * abs(tape.delta) < abs(bottom[2]):
        found.append(Pattern("exhaustion", "down"))
    return found


def trapped(tape: Tape, scale: int, near: int) -> list[Pattern]:
    """Whether the heaviest trading was at an extreme that price has left."""
    _, high, low, last = tape.prices()
    bottom, top = tape.heaviest_of_all()
    if bottom < high - near and top > low + near:
        return []
    second, lowest, highest = tape.heavy()
    if second >= tape.latest:
        return []
    found = []
    if lowest >= high - near and 4 * (high - last) >= scale:
        found.append(Pattern("trapped", "up"))
    if highest <= low + near and 4 * (last - low) >= scale:
        found.append(Pattern("trapped", "down"))
    return found
