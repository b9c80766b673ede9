"""What the iceberg engine tells of single icebergs: the lines of their lives, and those that rest now."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ...packets import OPTIONAL, OptionalFloat, OptionalInt, OptionalStr, ScoredReading
from ...times import SECOND
from ..zones import Zone
from .estimate import SizeEstimate

WALL_RELOADS = 3         # within this time make a wall
WALL_SPAN = 60 * SECOND

Pattern = Literal["native", "one_hit", "fixed_clip", "jittered", "pegged", "wall"]
Kind = Literal["detected", "reloaded", "executed", "cancelled", "unknown"]
Source = Literal["native", "synthetic", "mbp-10", "tbbo"]
Evidence = Literal["refresh", "removal", "refill", "depth", "unconfirmed"]


class IcebergEvent(Struct, frozen=True, gc=False):
    """One step in an iceberg's life; a line of its own with ``--events``.

    A synthetic one is ``detected`` when its third tranche appears and ``reloaded`` at each further one; ``executed``
    is told once three seconds have passed without another. What is known by price level only has no order.
    """

    schema: Literal["iceberg-event"]
    kind: Kind
    ts_event: str                        # ns
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    order_id: OptionalStr                # synthetic: the newest tranche's; null where only a level is known
    side: Literal["B", "A"]              # of the resting order
    price: float
    source: Source
    evidence: Annotated[Evidence | None, OPTIONAL]  # null where the event proves nothing new
    shown: int                           # displayed after the event
    filled: int                          # filled in the event; synthetic: of the tranche before
    revealed: int                        # newly shown, not traded
    hidden_filled: int                   # traded beyond the display of the moment
    hidden_traded: int                   # traded beyond the first display or tranche, in all
    total_filled: int                    # since the order entered
    peak: OptionalInt                    # what it shows at a time; null where the evidence leaves no candidate
    peak_exact: bool                     # only one peak fits all evidence
    pattern: Pattern
    chain: OptionalStr                   # of a synthetic one: blake2b of series, side and first order
    members: list[str]                   # ids of the orders that joined it by this event
    fdr: OptionalFloat                   # false discovery rate of synthetic ones; null: native, or too few so far
    confidence: float                    # native .99, synthetic 1 - fdr (0 while unknown), mbp-10 .9 or .5, tbbo .3
    estimate: Annotated[SizeEstimate | None, OPTIONAL]  # of its total; null once it has ended, and for levels


class Iceberg(Struct, frozen=True, gc=False):
    """An iceberg that rests now."""

    order_id: OptionalStr
    side: Literal["B", "A"]
    price: float
    source: Source
    chain: OptionalStr
    shown: int
    total_filled: int
    hidden_traded: int
    reloads: int
    peak: OptionalInt
    peak_exact: bool
    misfits: int                         # refreshes that fit no peak
    pattern: Pattern
    first_seen: str                      # ns, first evidence
    last_seen: str                       # ns, newest evidence
    estimate: Annotated[SizeEstimate | None, OPTIONAL]  # of its total, as of its newest event; null for levels


class IcebergReading(ScoredReading, frozen=True):
    """Zones of hidden size and the icebergs behind them.

    score = .5 + .5 (B - A) / (B + A + H0): B and A sum weight x prox x confidence over supporting and resisting
    zones in reach, prox = max(0, 1 - distance / D), H0 the median zone's weight (30 contracts until 5 are known).
    """

    fdr: float | None                    # false discovery rate of synthetic ones: chance / chains; null below 10 chains
    chains: OptionalInt                  # synthetic ones detected in the window; null below L3
    chance: float | None                 # how many of them chance makes, from sizes shifted by 1 to 5
    links_dropped: OptionalInt           # possible refills that packets had no room for, since the start
    strength: float                      # 0-10: 10 (1 - e^(-h / H0)), h the heaviest zone's weight now
    confidence: float                    # 1 - prod(1 - c) over the zones
    zones: list[Zone]                    # by price; the heaviest, if there are too many
    zones_dropped: int
    icebergs: list[Iceberg]              # resting now, oldest first
    icebergs_dropped: int
    events: list[IcebergEvent]           # of this frame
