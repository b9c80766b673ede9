"""What the engine absorption says."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from qmo_cli.engines.absorption.levels import End
from qmo_cli.engines.zones import Zone
from qmo_cli.packets import OPTIONAL, OptionalFloat, ScoredReading

ActivityLevel = Literal["low", "medium", "high"]


class Absorption(Struct, frozen=True, gc=False):
    """What one level took, from the first hit on. Published tests found no standing edge in this alone."""

    id: str                              # side, price and first hit
    side: Literal["B", "A"]              # of the resting orders: B took what sellers sold
    price: float
    ts_first: str                        # ns, first hit
    ts_last: str                         # ns, last hit
    absorbed: int                        # contracts
    before: int                          # displayed before the first hit
    after: int                           # displayed after the last hit
    replenish: float                     # (absorbed - (before - after)) / absorbed
    multiple: OptionalFloat              # absorbed / largest displayed; null where nothing was displayed
    efficiency: OptionalFloat            # (lambda |net flow| - |price change|) / sigma; null before 30 half-minutes
    hidden_share: OptionalFloat          # of absorbed, what was hidden when its order was placed; null below L3
    price_change: float                  # points, last trade - price


class AbsorptionEvent(Struct, frozen=True, gc=False):
    """A level began to absorb, or one that did is over; a line of its own with ``--events``."""

    schema: Literal["absorption-event"]
    kind: Literal["detected", "ended"]
    ts_event: str                        # ns, the newest hit it is known from
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    ended_by: Annotated[End | None, OPTIONAL]  # through: the price gave way; null while it goes on
    threshold: int                       # contracts that made it unusual
    threshold_of: Literal["hour", "session"]
    level: Absorption


class AbsorptionReading(ScoredReading, frozen=True):
    """Levels that absorb and the zones they leave. Everything is as of the last second that is over for good.

    score = .5 + .5 (B - A) / (B + A + A0): B and A sum weight x prox x confidence over supporting and resisting zones
    in reach, prox = max(0, 1 - distance / D), A0 the threshold. weight = absorbed x clip(replenish, 0, 1), halving
    every 5 minutes. It is active while such a zone is no older than 15 minutes: what is left later says nothing.
    """

    activity: bool                       # an event in the last 5 minutes
    activity_level: ActivityLevel        # zones of the last 15 minutes: low 0-1, medium 2, high from 3
    count: int                           # zones that have not decayed
    threshold: int                       # contracts: p99 of what a level takes in one go
    threshold_of: Literal["hour", "session"]  # of this hour of the day, or of the last 23 h
    samples: int                         # levels it stands on
    absorbed_buy: int                    # contracts bought by aggressors in the last 60 s and absorbed by asks
    absorbed_sell: int                   # and sold, absorbed by bids; what was printed through since does not count
    current: list[Absorption]            # levels that absorb now, the heaviest first, up to 8
    last: Annotated[Absorption | None, OPTIONAL]  # the newest event as it was detected; null: none yet
    zones: list[Zone]                    # by price; the heaviest, if there are too many
    zones_dropped: int
    events: list[AbsorptionEvent]        # told in this frame
