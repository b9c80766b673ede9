"""What the picture reads of the slots that engines and signal fill; what is not there is left out of it.

In one process a slot holds the engine's reading itself, in a pipe it is decoded into these.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

NOTHING = Raw(b"[]")


class ZoneView(Struct, frozen=True, gc=False):
    """Evidence at one place of the price scale: of icebergs, or of absorption."""

    id: str
    side: str                            # of the resting orders
    low: float
    high: float
    state: str                           # created, defended, broken, flipped
    weight: float                        # contracts, as of last_seen
    first_seen: str                      # ns
    last_seen: str                       # ns


class ZonesView(Struct, frozen=True):
    """A reading with zones. They change seldom, so in a pipe they stay undecoded until they do."""

    zones: Raw = NOTHING


class FlowView(Struct, frozen=True):
    """Order flow: the running numbers and levels of the trade date."""

    cvd: int | None = None               # contracts
    anchor: str | None = None
    vwap: float | None = None
    poc: float | None = None
    vah: float | None = None
    val: float | None = None


class LiquidityEventView(Struct, frozen=True, gc=False):
    """Something that took liquidity. Sweeps and stop runs are read from the inputs; grabs only stand here."""

    kind: str | None = None
    side: str | None = None
    price: float | None = None           # of the swing that was broken
    end: float | None = None             # how far price went beyond it
    ts_event: str | None = None          # ns


class LiquidityView(Struct, frozen=True):
    """Liquidity: its events, undecoded."""

    events: Raw = NOTHING


class DecisionView(Struct, frozen=True):
    """Which way, and how sure."""

    type: str
    confidence: float | None = None


class EntryView(Struct, frozen=True):
    """Where the plan would get in and out."""

    price: float | None = None
    stop: float | None = None
    target: float | None = None


class SignalView(Struct, frozen=True):
    """The signal's decision and whether an episode opened or closed with it."""

    signal: DecisionView
    change: str | None = None
    current_price: float | None = None
    entry: EntryView | None = None


def listed(value: Any, kind: Any) -> list[Any]:
    """The members of a list, decoded where they come from a pipe."""
    if type(value) is Raw:
        decoded: list[Any] = msgspec.json.decode(value, type=list[kind])
        return decoded
    return value or []
