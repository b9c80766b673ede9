"""The zones of one contract, in the order of event time.

Trades meet the zones by whole seconds, so that a zone's life does not depend on the frames in which things arrive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp2, inf
from statistics import median
from typing import Literal

from ..packets import Second
from ..sessions import CLOSED, session_name
from ..times import SECOND
from .zones import EPSILON, Distances, LiveZone

MOST_CERTAIN = 0.99
SESSION_FADE = 0.7  # what a zone keeps of its weight at a change of session


def weights_at(zones: Sequence[LiveZone], now: int, half_life: float) -> list[float]:
    """What is left of the zones' weights at a time in ns."""
    span = SECOND * half_life
    return [zone.weight * exp2((zone.last_seen - now) / span) for zone in zones]


class Standing:
    """Zones that hold, ascending, with weights as of one moment: all decay alike, so their ratios stay."""

    __slots__ = ("at", "heaviest", "lows", "middle", "rows", "widest")

    def __init__(self, zones: Sequence[LiveZone], half_life: float) -> None:
        self.at = max((zone.last_seen for zone in zones), default=0)
        weights = weights_at(zones, self.at, half_life)
        self.heaviest = max(weights, default=0.0)
        self.middle = median(weights) if weights else 0.0
        self.rows = sorted(
            (zone.low, zone.high, zone.good * weight * zone.confidence)
            for zone, weight in zip(zones, weights, strict=True) if zone.state != "broken"
        )
        self.lows = [low for low, _, _ in self.rows]
        self.widest = max((high - low for low, high, _ in self.rows), default=0.0)

    def pull(self, price: float, reach: float) -> tuple[float, float]:
        """(B, A): weight x confidence x prox of the zones that hold the price up, and down, as of ``at``."""
        up = down = 0.0
        first = bisect_left(self.lows, price - reach - self.widest)
        last = bisect_right(self.lows, price + reach)
        for low, high, weight in self.rows[first:last]:
            distance = low - price if price < low else price - high if price > high else 0.0
            if distance >= reach:
                continue
            if weight > 0:
                up += weight * (1 - distance / reach)
            else:
                down -= weight * (1 - distance / reach)
        return up, down


@dataclass(slots=True)
class ZoneBook:
    """All zones of one contract, and how far its event time has come."""

    series: str
    half_life: float                     # s
    memory: int                          # ns: evidence joins a zone seen no longer ago
    far: Distances
    least: float = 0.5                   # contracts: a zone that has decayed to this has expired
    zones: list[LiveZone] = field(default_factory=list)
    changed: bool = True                 # something that shows has changed since this was last set False
    session: str = ""
    second: int = -1                     # whose trades have not met the zones yet, and their range
    low: float = inf
    high: float = -inf
    floor: float = -inf                  # no zone changes while trades stay above this price
    ceiling: float = inf                 # and below this one
    expires: float = inf                 # ns: no zone expires before

    def measure(self, since: int, far: Distances) -> None:
        """From this time on these distances count."""
        self.advance(since)
        self.far = far
        for zone in self.zones:
            zone.watch(far)
        self._fence()

    def add(
        self, side: Literal["B", "A"], price: float, ts: int, weight: float, confidence: float, order_id: str,
    ) -> LiveZone:
        """Put evidence into the nearest zone of its side in reach, or a new one."""
        if not self.zones:
            self.session = session_name(ts)
        zone = self._place(side, price, ts)
        now = max(ts, zone.last_seen)
        zone.weight = zone.weight_at(now, self.half_life) + weight
        zone.last_seen = now
        zone.low, zone.high = min(zone.low, price), max(zone.high, price)
        zone.renew(now)
        if order_id not in zone.orders:
            zone.orders.add(order_id)
            zone.confidence = min(MOST_CERTAIN, 1 - (1 - zone.confidence) * (1 - confidence))
        zone.watch(self.far)
        self.floor, self.ceiling = max(self.floor, zone.falls), min(self.ceiling, zone.rises)
        self.expires = min(self.expires, zone.ends(self.half_life, self.least))
        zone.shown, self.changed = None, True
        return zone

    def _place(self, side: Literal["B", "A"], price: float, ts: int) -> LiveZone:
        width = self.far.width + EPSILON
        near = [
            zone for zone in self.zones
            if zone.side == side and zone.span_with(price) <= width and ts - zone.last_seen <= self.memory
        ]
        if near:
            return min(near, key=lambda zone: (zone.distance(price), zone.first_seen))
        zone = LiveZone(zone_id(self.series, side, price, ts), side, price, price, ts, ts, ts)
        self.zones.append(zone)
        return zone

    def trade(self, row: Second) -> None:
        """Trades of a second, or of a part of it; they meet the zones when the second is over."""
        if row.second > self.second:
            self.test()
            self.second, self.low, self.high = row.second, row.low, row.high
        else:
            self.low, self.high = min(self.low, row.low), max(self.high, row.high)

    def test(self) -> None:
        """Let the trades of the second meet the zones."""
        low, high, start = self.low, self.high, self.second * SECOND
        self.low, self.high = inf, -inf
        if low > self.floor and high < self.ceiling:
            return
        for zone in self.zones:
            if zone.since <= start and (low <= zone.falls or high >= zone.rises):
                if zone.meet(low, high, self.far):
                    zone.shown, self.changed = None, True
                zone.watch(self.far)
        self._fence()

    def advance(self, now: int) -> list[LiveZone]:
        """Let time pass until ``now``: seconds end, sessions change, zones expire. Gives the expired ones back."""
        if self.high >= self.low and (self.second + 1) * SECOND <= now:
            self.test()
        if not self.zones:
            return []
        here = session_name(now)
        if here not in (self.session, CLOSED):
            self.session = here
            self._fade()
        return self._expire(now) if now >= self.expires else []

    def usual(self, now: int, unknown: float, enough: int) -> float:
        """H0: the median zone's weight, at least one contract; ``unknown`` until there are ``enough`` zones."""
        if len(self.zones) < enough:
            return unknown
        return max(1.0, median(weights_at(self.zones, now, self.half_life)))

    def _fade(self) -> None:
        """Another session: take weight off all zones at once."""
        for zone in self.zones:
            zone.weight *= SESSION_FADE
            zone.shown = None
        self.expires, self.changed = -inf, True

    def _expire(self, now: int) -> list[LiveZone]:
        gone = [zone for zone in self.zones if zone.ends(self.half_life, self.least) <= now]
        for zone in gone:
            zone.state = "expired"
        if gone:
            self.zones = [zone for zone in self.zones if zone.state != "expired"]
            self.changed = True
            self._fence()
        self.expires = min((zone.ends(self.half_life, self.least) for zone in self.zones), default=inf)
        return gone

    def _fence(self) -> None:
        self.floor = max((zone.falls for zone in self.zones), default=-inf)
        self.ceiling = min((zone.rises for zone in self.zones), default=inf)


def zone_id(series: str, side: str, price: float, ts: int) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    return blake2b(f"{series} {side} {price!r} {ts}".encode(), digest_size=8).hexdigest()
