"""Price zones built from evidence: clustered, decaying, tested by price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp2, inf
from typing import Literal

from msgspec import Struct

from ..packets import Second
from ..times import SECOND

State = Literal["created", "defended", "broken", "flipped", "expired"]
Pull = tuple[float, float, float]  # low, high, weight x confidence: positive where it holds the price up
EPSILON = 1e-9   # half of DBN's price step: floats of equal prices are never further apart


class Zone(Struct, frozen=True, gc=False):
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


@dataclass(slots=True, eq=False)
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
    shown: Zone | None = None            # as the wire has it, until something changes

    @property
    def good(self) -> int:
        """+1 where the zone is to hold price above it (it supports), -1 below; a break turns it round."""
        side = 1 if self.side == "B" else -1
        return -side if self.state in ("broken", "flipped") else side

    def weight_at(self, now: int, half_life: float) -> float:
        """The weight left at a time in ns."""
        return self.weight * exp2((self.last_seen - now) / SECOND / half_life)

    def learn(self, price: float, ts: int, weight: float, half_life: float) -> None:
        """Take in evidence; a broken zone that shows new evidence begins anew."""
        self.shown = None
        self.weight = self.weight_at(ts, half_life) + weight
        self.last_seen = max(self.last_seen, ts)
        self.low, self.high = min(self.low, price), max(self.high, price)
        if self.state == "broken":
            self.state, self.away, self.inside = "created", False, False

    def distance(self, price: float) -> float:
        """Points from the price to the zone; 0 inside."""
        return max(self.low - price, price - self.high, 0.0)

    def span_with(self, price: float) -> float:
        """Points from lowest to highest price, were this one part of the zone."""
        return max(self.high, price) - min(self.low, price)

    def public(self, half_life: float) -> Zone:
        """The zone as the wire has it."""
        if self.shown is None:
            self.shown = Zone(
                self.id, self.side, self.low, self.high, self.state, round(self.weight, 6), str(self.first_seen),
                str(self.last_seen), half_life, round(self.confidence, 6), round(self.strength, 6), len(self.orders),
                self.defended,
            )
        return self.shown


@dataclass(frozen=True, slots=True)
class Distances:
    """How far is far, in points."""

    width: float                         # a zone spans no more than this
    leave: float                         # price has left
    through: float                       # price has broken through
    tick: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The zones by weight, lightest first, and their weights, all as of the newest evidence."""

    zones: list[LiveZone]
    as_of: int                           # ns
    lightest: float
    median: float
    heaviest: float


@dataclass(slots=True)
class ZoneBook:
    """All zones of one series.

    All weights halve in the same time, so that between two pieces of evidence their order stays: the heaviest, the
    lightest and the median zone are found once a change, not once a packet, and one factor ages them all. Likewise
    the prices at which something can happen to a zone, and the zones around the price.
    """

    series: str
    half_life: float                     # s
    memory: int                          # ns: evidence joins a zone seen no longer ago
    least: float = 1.0                   # contracts: a zone below it has expired
    zones: list[LiveZone] = field(default_factory=list)
    ranking: Ranking | None = field(default=None, init=False)               # None: to be found anew
    triggers: tuple[float, float] | None = field(default=None, init=False)  # a fall to, a rise to
    far: Distances | None = field(default=None, init=False)                 # what the triggers were made with
    nearby: tuple[float, float, list[Pull]] | None = field(default=None, init=False)  # price, reach, zones

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
        zone.learn(price, ts, weight, self.half_life)
        if order_id not in zone.orders:
            zone.orders.add(order_id)
            zone.confidence = min(0.99, 1 - (1 - zone.confidence) * (1 - confidence))
        self._changed()
        return zone

    def _changed(self) -> None:
        self.ranking = self.triggers = self.nearby = None

    def ranked(self) -> Ranking:
        """The zones by weight; there must be one."""
        if self.ranking is None:
            as_of = max(zone.last_seen for zone in self.zones)
            rows = sorted((zone.weight_at(as_of, self.half_life), zone.id, zone) for zone in self.zones)
            weights = [weight for weight, _, _ in rows]
            middle = (weights[(len(rows) - 1) // 2] + weights[len(rows) // 2]) / 2
            self.ranking = Ranking([zone for _, _, zone in rows], as_of, weights[0], middle, weights[-1])
        return self.ranking

    def age(self, now: int) -> float:
        """What is left at a time in ns of a weight as of the newest evidence; there must be a zone."""
        return exp2((self.ranked().as_of - now) / SECOND / self.half_life)

    def most(self, number: int) -> list[LiveZone]:
        """The heaviest zones, by price."""
        zones = self.ranked().zones[-number:] if self.zones else []
        return sorted(zones, key=lambda zone: (zone.low, zone.id))

    def pull(self, price: float, reach: float) -> tuple[float, float]:
        """(B, A): weight x prox x confidence of the zones that hold the price up, and down, as of the newest evidence.

        prox = max(0, 1 - distance / reach); a broken zone holds nothing until it has flipped.
        """
        up = down = 0.0
        for low, high, push in self._near(price, reach):
            distance = low - price if price < low else price - high if price > high else 0.0
            if distance >= reach:
                continue
            if push > 0:
                up += push * (1 - distance / reach)
            else:
                down -= push * (1 - distance / reach)
        return up, down

    def _near(self, price: float, reach: float) -> list[Pull]:
        """Zones nearer than ``reach`` points and some beyond, so that they serve for later prices nearby as well."""
        kept = self.nearby
        if kept is None or reach != kept[1] or abs(price - kept[0]) > reach:
            as_of = self.ranked().as_of
            kept = self.nearby = price, reach, [
                (zone.low, zone.high, zone.good * zone.weight_at(as_of, self.half_life) * zone.confidence)
                for zone in self.zones if zone.state != "broken" and zone.distance(price) <= 2 * reach
            ]
        return kept[2]

    def test(self, rows: Iterable[Second], far: Distances) -> bool:
        """Let price test every zone, second by second; True if one changed."""
        changed = False
        for row in rows:
            if self.triggers is None or far != self.far:
                self._set_triggers(far)
            assert self.triggers is not None
            if row.low <= self.triggers[0] or row.high >= self.triggers[1]:
                tested = [_test(zone, row, far) for zone in self.zones]
                changed, self.triggers, self.nearby = changed or any(tested), None, None
        return changed

    def _set_triggers(self, far: Distances) -> None:
        pairs = [_triggers(zone, far) for zone in self.zones]
        self.far = far
        self.triggers = max((pair[0] for pair in pairs), default=-inf), min((pair[1] for pair in pairs), default=inf)

    def fade(self, factor: float) -> None:
        """Take weight off all zones at once."""
        for zone in self.zones:
            zone.weight *= factor
            zone.shown = None
        self._changed()

    def expire(self, now: int) -> list[LiveZone]:
        """Drop the zones that have decayed away, and give them back."""
        if not self.zones or self.ranked().lightest * self.age(now) >= self.least:
            return []
        gone = [zone for zone in self.zones if zone.weight_at(now, self.half_life) < self.least]
        self.zones = [zone for zone in self.zones if zone not in gone]
        for zone in gone:
            zone.state = "expired"
        self._changed()
        return gone


def _triggers(zone: LiveZone, far: Distances) -> tuple[float, float]:
    """(a fall to this price, a rise to this price) is the least that can change the zone."""
    sign = zone.good
    front, rear = (zone.high, zone.low) if sign > 0 else (-zone.low, -zone.high)
    near = rear - far.through if zone.state != "broken" or zone.away or zone.inside else -inf
    if zone.away and not zone.inside:
        near, leave = max(near, front + far.tick), inf
    else:
        leave = front + far.leave
    near, leave = near + EPSILON, leave - EPSILON
    return (near, leave) if sign > 0 else (-leave, -near)


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
    if before == (zone.state, zone.defended):
        return False
    zone.shown = None
    return True


def zone_id(series: str, side: str, price: float, ts: int) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    return blake2b(f"{series} {side} {price!r} {ts}".encode(), digest_size=8).hexdigest()
