"""What the engine mentor says."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ...packets import OPTIONAL, OptionalStr, Reading


class MentorZone(Struct, frozen=True, gc=False):
    """A remembered zone near the price."""

    id: str
    side: Literal["B", "A"]              # of the orders that rested there
    low: float
    high: float
    state: str                           # created, defended, broken, flipped
    place: Literal["above", "below", "here"]  # seen from the price
    retests: int                         # decided
    holds: int


class MentorReading(Reading, frozen=True):
    """What surrounds a decision. It explains and may veto; it has no score, and adds nothing to one.

    Every note says what some slot of the packet says; of a slot that is not there no note is made.
    """

    pattern: Literal["trend", "balance", "exhaustion", "trapped", "none"] | None  # of the last 300 s
    direction: Annotated[Literal["up", "down"] | None, OPTIONAL]  # of the pattern, where it has one
    patterns: list[str] | None           # all that hold, the pattern first
    session: str | None                  # in words
    zones: list[MentorZone] | None       # the nearest above, here and below, within 20 ticks or .5 ATR
    blackout: bool | None                # of scheduled news
    allowed: bool | None                 # by the capital protection
    notes: list[str]
    veto: OptionalStr                    # why there is to be no trade; null: nothing speaks against one
