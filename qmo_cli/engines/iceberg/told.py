"""What the iceberg engine tells of single icebergs: the lines of their lives, and those that rest now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Literal

from msgspec import Struct

from ...packets import OPTIONAL, Inputs, OptionalFloat, OptionalInt, OptionalStr, OrdersInput, RefillLink, ScoredReading
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


def facts_of(inputs: Inputs) -> list[tuple[int, Any]]:
    """All facts of a frame with their times, in the order of time; those of one kind as they came.

    A fact that comes late counts at the time that others of its kind have come to. Of equals the native ones are first.
    """
    orders, levels = inputs.orders, inputs.levels
    if orders is None:
        return [] if levels is None else [(int(fact.ts_event), fact) for fact in levels.facts]
    facts: list[tuple[int, Any]] = [(int(fact.ts_event), fact) for fact in orders.icebergs]
    if not orders.links and not orders.ends:
        return facts
    chains = list(refills_of(orders))
    return [(ts, fact) for _, ts, fact in merge(in_time(facts), in_time(chains), key=itemgetter(0))]


def in_time(facts: list[tuple[int, Any]]) -> Iterator[tuple[int, int, Any]]:
    """Facts with the latest time so far."""
    newest = 0
    for ts, fact in facts:
        newest = max(newest, ts)
        yield newest, ts, fact


def refills_of(orders: OrdersInput) -> Iterator[tuple[int, Any]]:
    """The links of each add together, and between them the ends, in the order in which they came."""
    ends, place = orders.ends, 0
    told = 0
    for links in adds_of(orders.links):
        while place < len(ends) and ends[place].after <= told:
            yield int(ends[place].ts_event), ends[place]
            place += 1
        yield int(links[0].ts_event), links
        told += len(links)
    for end in ends[place:]:
        yield int(end.ts_event), end


def adds_of(links: Sequence[RefillLink]) -> Iterator[list[RefillLink]]:
    """The links of each add together; they come one after another."""
    for _, group in groupby(links, key=attrgetter("order_id")):
        yield list(group)
