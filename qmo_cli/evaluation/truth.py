"""What a simulated market really held: the lines of its truth file."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from ..packets import Side

Outcome = Literal["executed", "cancelled", "open"]


class Truth(Struct, frozen=True, gc=False, tag_field="kind"):
    """One line of a truth file. Times are ns since 1970 as text, sizes contracts."""


class Native(Truth, frozen=True, gc=False, tag="native"):
    """An iceberg that the exchange managed: one order id from its entry to its end."""

    id: str
    side: Side
    price: float                         # at entry
    start: str
    end: str | None
    outcome: Outcome
    peak: int
    total: int                           # what its owner wanted to trade
    filled: int
    hidden_traded: int                   # fills beyond its first display
    refreshes: int
    first_evidence: str | None           # first event that gives it away; null: none did
    evidence: Literal["refresh", "removal"] | None
    repriced: int


class Tranche(Struct, frozen=True, gc=False):
    """One of the orders a synthetic iceberg consists of."""

    order_id: str
    ts_event: str
    price: float
    size: int
    filled_ts: str | None                # when it had traded completely; null: it never did


class Synthetic(Truth, frozen=True, gc=False, tag="synthetic"):
    """An iceberg that its owner's software managed: a chain of orders."""

    id: str
    side: Side
    price: float
    start: str
    end: str | None
    outcome: Outcome
    pattern: Literal["fixed_clip", "jittered", "pegged"]
    clip: int
    total: int
    filled: int
    tranches: list[Tranche]


class Absorption(Truth, frozen=True, gc=False, tag="absorption"):
    """A price at which aggressive volume was met."""

    side: Side                           # of the resting interest
    price: float
    start: str
    end: str
    volume: int                          # aggressor volume into it
    held: bool


class Sweep(Truth, frozen=True, gc=False, tag="sweep"):
    """Aggressors through several levels at once."""

    side: Side                           # the aggressors'
    start: str
    end: str
    first: float = msgspec.field(name="from")
    last: float = msgspec.field(name="to")
    levels: int = 0
    size: int = 0
    aggressors: int = 0


class StopCascade(Truth, frozen=True, gc=False, tag="stop_cascade"):
    """Stop orders set off inside one event."""

    side: Side
    ts_event: str
    price: float
    size: int
    stops: int                           # aggressor ids after the first


class Decoy(Truth, frozen=True, gc=False, tag="decoy"):
    """Something that looks like hidden size, and is none."""

    decoy: str
    ts_event: str
    order_id: str | None
    side: Side | None
    price: float | None


Line = Native | Synthetic | Absorption | Sweep | StopCascade | Decoy
LINES = {f"truth-{kind.__struct_config__.tag}": kind for kind in (
    Native, Synthetic, Absorption, Sweep, StopCascade, Decoy,
)}
decode = msgspec.json.Decoder(Line).decode
