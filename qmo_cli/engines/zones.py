"""Price zones built from evidence: clustered, decaying, tested by price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from ..packets import Second
from ..times import SECOND

State = Literal["created", "defended", "broken", "flipped", "expired"]
EPSILON = 1e-9   # half of DBN's price step: floats of equal prices are never further apart


class Zone(Struct, frozen=True):
    """Evidence of one side close together in price and time. ``weight`` halves every ``half_life``."""

    id: str                              # blake2b of series, side, first price and time
    side: Literal["B", "A"]              # of the resting orders
    low: float
    high: float
    state: State
    weight: float                        # contracts, as of last_seen
    first_seen: str                      # ns
    last_seen: str                       # ns, newest evidence
    half_life: float                     # s
    confidence: float                    # 1 - prod(1 - c) over its evidence
    strength: float                      # 0-10: 10 (1 - e^(-weight / H0)), as of last_seen
    orders: int                          # icebergs behind it
    defended: int                        # times that price came back and left again on the same side


@dataclass(slots=True)
class LiveZone:
    """A zone as it grows. Distances are points; ``weight`` is as of ``last_seen``."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    first_seen: int
    last_seen: int
    weight: float = 0.0
    confidence: float = 0.0
    strength: float = 0.0
    state: State = "created"
    defended: int = 0
    away: bool = False                   # price has left by the retest distance, on the zone's good side
    inside: bool = False                 # and come back since
    orders: set[str] = field(default_factory=set)

    @property
    def good(self) -> int:
        """+1 where the zone is to hold price above it (it supports), -1 below; a break turns it round."""
        side = 1 if self.side == "B" else -1
        return -side if self.state in ("broken", "flipped") else side

    def weight_at(self, now: int, half_life: float) -> float:
        """The weight left at a time in ns."""
        return self.weight * float(2.0 ** ((self.last_seen - now) / SECOND / half_life))

    def distance(self, price: float) -> float:
        """Points from the price to the zone; 0 inside."""
        return max(self.low - price, price - self.high, 0.0)

    def span_with(self, price: float) -> float:
        """Points from lowest to highest price, were this one part of the zone."""
        return max(self.high, price) - min(self.low, price)

    def public(self, half_life: float) -> Zone:
        """The zone as the wire has it."""
        return Zone(
            self.id, self.side, self.low, self.high, self.state, round(self.weight, 6), str(self.first_seen),
            str(self.last_seen), half_life, round(self.confidence, 6), round(self.strength, 6), len(self.orders),
            self.defended,
        )


@dataclass(slots=True)
class Distances:
    """How far is far, in points."""

    width: float                         # a zone spans no more than this
    leave: float                         # price has left
    through: float                       # price has broken through
    tick: float


@dataclass(slots=True)
class ZoneBook:
    """All zones of one series."""

    series: str
    half_life: float                     # s
    memory: int                          # ns: evidence joins a zone seen no longer ago
    least: float = 1.0                   # contracts: a zone below it has expired
    zones: list[LiveZone] = field(default_factory=list)

    def add(
        self, side: Literal["B", "A"], price: float, ts: int, weight: float, confidence: float, order_id: str,
        width: float,
    ) -> LiveZone:
        """Put evidence into the nearest zone of its side in reach, or a new one."""
        near = [
            zone for zone in self.zones
            if zone.side == side and zone.span_with(price) <= width + EPSILON and ts - zone.last_seen <= self.memory
        ]
        zone = min(near, key=lambda zone: (zone.distance(price), zone.first_seen)) if near else None
        if zone is None:
            zone = LiveZone(zone_id(self.series, side, price, ts), side, price, price, ts, ts)
            self.zones.append(zone)
        zone.weight = zone.weight_at(ts, self.half_life) + weight
        zone.last_seen = max(zone.last_seen, ts)
        zone.low, zone.high = min(zone.low, price), max(zone.high, price)
        if zone.state == "broken":
            zone.state, zone.away, zone.inside = "created", False, False
        if order_id not in zone.orders:
            zone.orders.add(order_id)
            zone.confidence = min(0.99, 1 - (1 - zone.confidence) * (1 - confidence))
        return zone

    def test(self, rows: Iterable[Second], far: Distances) -> bool:
        """Let price test every zone, second by second; True if one changed."""
        changed = False
        for row in rows:
            for zone in self.zones:
                if _test(zone, row, far):
                    changed = True
        return changed

    def fade(self, factor: float) -> None:
        """Take weight off all zones at once."""
        for zone in self.zones:
            zone.weight *= factor

    def expire(self, now: int) -> list[LiveZone]:
        """Drop the zones that have decayed away, and give them back."""
        gone = [zone for zone in self.zones if zone.weight_at(now, self.half_life) < self.least]
        if gone:
            self.zones = [zone for zone in self.zones if zone not in gone]
            for zone in gone:
                zone.state = "expired"
        return gone


def _test(zone: LiveZone, row: Second, far: Distances) -> bool:
    """One second of trades against one zone: has price left it, come back, been held, broken through?"""
    if zone.good > 0:
        nearest, farthest, front, rear = row.low, row.high, zone.high, zone.low
    else:
        nearest, farthest, front, rear = -row.high, -row.low, -zone.low, -zone.high
    before = (zone.state, zone.defended)
    if nearest <= rear - far.through + EPSILON:
        zone.state, zone.away, zone.inside = "broken", False, False
    elif farthest >= front + far.leave - EPSILON:
        if zone.inside:
            zone.defended += 1
            zone.state = "flipped" if zone.state in ("broken", "flipped") else "defended"
        zone.away, zone.inside = True, False
    elif zone.away and nearest <= front + far.tick + EPSILON:
        zone.inside = True
    return before != (zone.state, zone.defended)


def zone_id(series: str, side: str, price: float, ts: int) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    return blake2b(f"{series} {side} {price!r} {ts}".encode(), digest_size=8).hexdigest()
