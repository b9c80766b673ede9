"""An alert, what becomes of it, and the line that says so."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ..packets import OPTIONAL, OptionalFloat, OptionalStr

State = Literal["delivered", "failed", "held", "suppressed", "dry-run"]
SUMMARY = "summary"


class Alert(Struct, frozen=True, gc=False):
    """Something worth telling: once for each ``key``, which is made of where it is from, its id and its kind."""

    key: str
    topic: str                           # decision, data, system, or the engine whose event it is
    kind: str                            # what happened: opened, closed, stale, ...
    id: str                              # of the episode or event
    realm: str                           # live, simulated, replay
    series: str
    symbol: str | None
    ts: int                              # ns, of the data
    type: str | None                     # BUY, SELL, HOLD; None where it is no decision
    price: float | None
    quality: str
    label: str                           # what the text must begin with, such as SIMULATED; "": nothing
    words: str                           # the text without it
    line: str                            # as it came; of a packet its signal or event
    why: str = ""                        # why it is not to be told; "": it is


class AlertLine(Struct, frozen=True, gc=False):
    """What became of one message to one target."""

    schema: Literal["alert"]
    v: int
    ts: str                              # ns, of the data; of a summary that of the newest
    at: str                              # ISO 8601, when this was written
    id: str                              # of the episode or event; of a summary the newest one's
    topic: str
    kind: str                            # summary: several alerts that were held back
    series: str
    count: int                           # alerts in the message
    target: OptionalStr                  # exec, webhook, notify; null: suppressed for all
    state: State
    attempts: int
    text: str
    error: OptionalStr                   # why not, or why not yet


class AlertBody(Struct, frozen=True, gc=False):
    """What a webhook is sent."""

    text: str
    content: str                         # the same, under the name that Discord looks for
    title: str
    kind: str
    topic: str
    id: str
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    timestamp: str
    type: OptionalStr
    price: OptionalFloat
    quality: str
    count: int


LINES: dict[str, type[Struct]] = {"alert": AlertLine}


class Parcel(Struct, frozen=True, gc=False):
    """What goes out as one message: one alert, or those that were held back."""

    alerts: tuple[Alert, ...]            # oldest first
    held: bool = False                   # a summary
    left_out: int = 0                    # alerts that are in it as a number only
    reasons: tuple[str, ...] = ()        # why they were held back

    @property
    def newest(self) -> Alert:
        """The last of its alerts."""
        return self.alerts[-1]

    @property
    def count(self) -> int:
        """How many alerts it stands for."""
        return len(self.alerts) + self.left_out

    @property
    def kind(self) -> str:
        """Of the message."""
        return SUMMARY if self.held else self.newest.kind


class Outcome(Struct, frozen=True, gc=False):
    """How one attempt went. ``error`` is "" where it went well."""

    error: str = ""
    final: bool = False                  # trying again does not help
    after: float | None = None           # s, for which the receiver asks to be left alone


class Message(Struct, frozen=True, gc=False):
    """A parcel in words, as of when it is sent."""

    parcel: Parcel
    title: str
    text: str
