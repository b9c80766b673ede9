"""Sweeps, stop cascades and absorption: how many of those that were planted were seen.

Markets have such things of their own accord too, so that only recall can be measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Struct

from ..packets import OPTIONAL, Side
from .markets import Market
from .measures import share
from .truth import Absorption, StopCascade, Sweep

SLACK = 50_000_000           # ns by which a sweep may be told earlier or later: the sweep window
WAIT = 30_000_000_000        # ns that an absorption may last beyond the planted one: its window
NEAR = 3                     # ticks between where absorption was planted and where it was told


class Episodes(Struct, frozen=True, gc=False):
    """One kind of episode on all markets."""

    schema: Literal["evaluation-episodes"]
    kind: str                            # sweep, stop_cascade or absorption
    planted: int
    seen: int                            # planted ones that were told of
    recall: Annotated[float | None, OPTIONAL]  # null: none was planted
    told: int                            # in all, those that nobody planted too


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that was told of: when, by which side, where."""

    ts: int                              # ns
    side: Side
    price: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What would count as having seen one planted episode."""

    start: int                           # ns
    end: int
    side: Side
    price: float
    reach: float                         # points


@dataclass(slots=True)
class Count:
    """Episodes of one kind so far."""

    planted: int = 0
    seen: int = 0
    told: int = 0

    def public(self, kind: str) -> Episodes:
        """The row that is printed."""
        return Episodes("evaluation-episodes", kind, self.planted, self.seen, share(self.seen, self.planted), self.told)


def count_episodes(market: Market, counts: dict[str, Count]) -> None:
    """Add one market's episodes to the counts, by kind."""
    for kind, (wanted, sightings) in pairs(market).items():
        count = counts.setdefault(kind, Count())
        count.planted += len(wanted)
        count.seen += sum(1 for one in wanted if is_seen(one, sightings))
        count.told += len(sightings)


def pairs(market: Market) -> dict[str, tuple[list[Wanted], list[Sighting]]]:
    """What was planted in a market, and what was told of it, by kind."""
    tick = market.tick
    return {
        "sweep": (
            [Wanted(int(one.start) - SLACK, int(one.end) + SLACK, one.side, one.first, float("inf"))
             for one in market.of(Sweep)],
            [Sighting(int(one.ts_event), one.side, one.start) for one in market.sweeps],
        ),
        "stop_cascade": (
            [Wanted(int(one.ts_event), int(one.ts_event), one.side, one.price, float("inf"))
             for one in market.of(StopCascade)],
            [Sighting(int(one.ts_event), one.side, one.price) for one in market.stops],
        ),
        "absorption": (
            [Wanted(int(one.start), int(one.end) + WAIT, one.side, one.price, (NEAR + 0.5) * tick)
             for one in market.of(Absorption) if one.held],
            [Sighting(int(one.ts_event), one.level.side, one.level.price) for one in market.absorbed],
        ),
    }


def is_seen(wanted: Wanted, sightings: Sequence[Sighting]) -> bool:
    """Whether one of the sightings, in order of time, is of this episode."""
    first = bisect_left(sightings, wanted.start, key=lambda one: one.ts)
    last = bisect_left(sightings, wanted.end + 1, key=lambda one: one.ts)
    return any(
        one.side == wanted.side and abs(one.price - wanted.price) <= wanted.reach for one in sightings[first:last]
    )
