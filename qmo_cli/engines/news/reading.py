"""What the engine news says."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ...packets import OPTIONAL, OptionalFloat, OptionalStr, Reading

OptionalImpact = Annotated[Literal["low", "medium", "high"] | None, OPTIONAL]  # null: nobody told it


class EventAhead(Struct, frozen=True, gc=False):
    """A scheduled event."""

    headline: str
    ts_event: str                        # ns
    impact: OptionalImpact
    minutes: int                         # whole minutes until then


class Blackout(Struct, frozen=True, gc=False):
    """The minutes around a scheduled event in which its outcome is all that counts."""

    headline: str                        # of the nearest event
    ts_event: str                        # ns
    impact: OptionalImpact
    since: str                           # ns
    until: str                           # ns; windows that overlap are one


class Headline(Struct, frozen=True, gc=False):
    """A headline that came in the stream."""

    ts_event: str                        # ns
    headline: str
    source: OptionalStr
    impact: OptionalImpact
    sentiment: OptionalFloat             # -1 bad for the price ... 1 good for it


class Around(Struct, frozen=True, gc=False):
    """What happened in the 15 minutes before and after past events of one kind in this input: means over n events."""

    kind: str
    n: int
    move_before: float                   # points, from 15 minutes before to the event
    move_after: float                    # points, from the event to 15 minutes after
    size_after: float                    # points, of that without its sign
    size_after_atr: OptionalFloat        # the same in ATR as it is now
    up: int                              # of the n events, after how many price was higher
    delta_before: float                  # contracts bought - sold by aggressors
    delta_after: float


class NewsReading(Reading, frozen=True):
    """Scheduled events of note (parameter impact), headlines, and what events of the kind did before.

    Without a calendar nothing scheduled is known: blackout is null then, not false.
    """

    next: EventAhead | None
    minutes_to_news: int | None          # whole minutes to the next event of note
    blackout: bool | None                # within its minutes before and after
    during: Annotated[Blackout | None, OPTIONAL]  # the blackout that lasts
    all_day: list[str]                   # events of this trade date that have no time, and so no blackout
    latest: list[Headline]               # of the last hours, newest first
    dropped: int                         # of them, how many are not shown
    correlation: Around | None           # for the kind of the event of the blackout, else of the next
