"""What the mentor reads of other engines' slots, under the engines' own names."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class SessionHere(Struct, frozen=True):
    """Session: where in the trade day this is."""

    name: str                            # asia, london, new york, new york afternoon, closed
    trade_date: str
    open: bool
    first_15: bool                       # within 15 minutes of the session's beginning
    last_15: bool                        # and of its end
    early_close: bool | None = None


class ZoneRemembered(Struct, frozen=True):
    """Memory: a zone and how it fared."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    state: str
    retests: int
    holds: int


class MemoryHere(Struct, frozen=True):
    """Memory: the zones in reach of the price, nearest first."""

    zones: list[ZoneRemembered] | None = None


class EventHere(Struct, frozen=True):
    """News: a scheduled event."""

    headline: str
    ts_event: str
    minutes: int = 0


class BlackoutHere(Struct, frozen=True):
    """News: the blackout that lasts."""

    headline: str
    ts_event: str
    until: str


class HeadlineHere(Struct, frozen=True):
    """News: a headline."""

    ts_event: str
    headline: str
    source: str | None = None


class AroundHere(Struct, frozen=True):
    """News: what price did after events of the kind."""

    kind: str
    n: int
    size_after: float
    up: int


class NewsHere(Struct, frozen=True):
    """News: what is scheduled, and what came."""

    next: EventHere | None = None
    blackout: bool | None = None
    during: BlackoutHere | None = None
    all_day: list[str] = []
    latest: list[HeadlineHere] = []
    correlation: AroundHere | None = None
