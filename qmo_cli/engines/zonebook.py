"""The zones of one contract, in the order of event time.

Trades meet the zones by whole seconds, so that a zone's life does not depend on the frames in which things arrive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp2, inf, log2
from operator import attrgetter
from typing import Literal

from ..packets import Second
from ..sessions import CLOSED, session_name
from ..times import SECOND
from .zones import EPSILON, Distances, LiveZone

MOST_CERTAIN = 0.99
SESSION_FADE = 0.7  # what a zone keeps of its weight at a change of session


class Standing:
    """The zones around a price that hold, ascending, with weights as of one moment: all decay alike."""

    __slots__ = ("lows", "price", "reach", "rows", "widest")

    def __init__(self, zones: Iterable[LiveZone], at: int, half_life: float, price: float, reach: float) -> None:
        self.price, self.reach = price, reach
        low, high = price - 2 * reach, price + 2 * reach
        self.rows = sorted([
            (zone.low, zone.high, zone.good * zone.weight_at(at, half_life) * zone.confidence)
            for zone in zones if zone.low <= high and zone.high >= low and zone.state != "broken"
        ])
        self.lows = [row[0] for row in self.rows]
        self.widest = max([high - low for low, high, _ in self.rows], default=0.0)

    def serves(self, price: float, reach: float) -> bool:
        """Whether all zones in reach of this price are among them."""
        return reach == self.reach and abs(price - self.price) <= reach

    def pull(self, price: float) -> tuple[float, float]:
        """(B, A): weight x confidence x prox of the zones that hold the price up, and down.

        prox = max(0, 1 - distance / reach); a broken zone holds nothing until it has flipped.
        """
        up, down, reach = 0.0, 0.0, self.reach
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
    """All zones of one contract, and how far its event time has come.

    All weights halve in the same time, so that the zones' order by weight holds between two pieces of evidence. They
    are ranked by log2(weight) + last_seen / half-life, from which the weight at any time follows.
    """

    series: str
    half_life: float                     # s
    memory: int                          # ns: evidence joins a zone seen no longer ago
    far: Distances
    least: float = 0.5                   # contracts: a zone that has decayed to this has expired
    zones: list[LiveZone] = field(default_factory=list)
    ranks: list[tuple[float, str, LiveZone]] = field(default_factory=list)  # lightest first
    standing: Standing | None = None     # around the newest price
    newest: int = 0                      # ns: newest evidence
    changed: bool = True                 # something that shows has changed since this was last set False
    session: str = ""
    second: int = -1                     # whose trades have not met the zones yet, and their range
    low: float = inf
    high: float = -inf
    floor: float = -inf                  # no zone changes while trades stay above this price
    ceiling: float = inf                 # and below this one
    expires: float = inf                 # ns: when the lightest zone does

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
        """Put evidence of some weight into the nearest zone of its side in reach, or a new one."""
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
        self._rank(zone)
        self.newest = max(self.newest, now)
        self._change(zone)
        return zone

    def _place(self, side: Literal["B", "A"], price: float, ts: int) -> LiveZone:
        width = self.far.width + EPSILON
        near = [
            zone for zone in self.zones
            if zone.side == side and zone.high - width <= price <= zone.low + width
            and ts - zone.last_seen <= self.memory
        ]
        if near:
            zone = min(near, key=lambda zone: (zone.distance(price), zone.first_seen))
            del self.ranks[bisect_left(self.ranks, (zone.rank, zone.id))]
            return zone
        zone = LiveZone(zone_id(self.series, side, price, ts), side, price, price, ts, ts, ts)
        self.zones.append(zone)
        return zone

    def _rank(self, zone: LiveZone) -> None:
        zone.rank = log2(zone.weight) + zone.last_seen / SECOND / self.half_life
        insort(self.ranks, (zone.rank, zone.id, zone))
        self._foresee()

    def _foresee(self) -> None:
        left = self.ranks[0][0] - log2(self.least) if self.ranks else inf
        self.expires = left * self.half_life * SECOND

    def _change(self, zone: LiveZone | None = None) -> None:
        """Something shows that did not; of this zone or of all."""
        self.changed, self.standing = True, None
        for one in self.zones if zone is None else (zone,):
            one.shown = None

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
                    self._change(zone)
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
        number = len(self.ranks)
        if number < enough:
            return unknown
        age = now / SECOND / self.half_life
        lower, upper = exp2(self.ranks[(number - 1) // 2][0] - age), exp2(self.ranks[number // 2][0] - age)
        return max(1.0, (lower + upper) / 2)

    def heaviest(self, now: int) -> float:
        """Weight of the heaviest zone; 0 without zones."""
        return exp2(self.ranks[-1][0] - now / SECOND / self.half_life) if self.ranks else 0.0

    def most(self, number: int) -> list[LiveZone]:
        """The heaviest zones, by price."""
        heaviest = self.ranks[max(0, len(self.ranks) - number):]
        return sorted([zone for _, _, zone in heaviest], key=attrgetter("low", "id"))

    def pull(self, price: float, reach: float, now: int) -> tuple[float, float]:
        """(B, A) at a time: the weights of the zones in reach that hold the price up, and down."""
        standing = self.standing
        if standing is None or not standing.serves(price, reach):
            standing = self.standing = Standing(self.zones, self.newest, self.half_life, price, reach)
        up, down = standing.pull(price)
        left = exp2((self.newest - now) / SECOND / self.half_life)
        return up * left, down * left

    def _fade(self) -> None:
        """Another session: take weight off all zones at once."""
        self.ranks = []
        for zone in self.zones:
            zone.weight *= SESSION_FADE
            self._rank(zone)
        self._change()

    def _expire(self, now: int) -> list[LiveZone]:
        gone = []
        while now >= self.expires:
            _, _, zone = self.ranks.pop(0)
            zone.state = "expired"
            self.zones.remove(zone)
            self._change(zone)
            self._foresee()
            gone.append(zone)
        self._fence()
        return gone

    def _fence(self) -> None:
        self.floor = max((zone.falls for zone in self.zones), default=-inf)
        self.ceiling = min((zone.rises for zone in self.zones), default=inf)


def zone_id(series: str, side: str, price: float, ts: int) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    return blake2b(f"{series} {side} {price!r} {ts}".encode(), digest_size=8).hexdigest()
