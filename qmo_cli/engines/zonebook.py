# cython: language_level=3, auto_pickle=False
"""The zones of one contract, in the order of event time.

Trades meet the zones by whole seconds, so that a zone's life does not depend on the frames in which things arrive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from hashlib import blake2b
from math import inf
from operator import attrgetter

import cython
from cython.cimports.libc.math import exp2, log2

from qmo_cli.engines.zones import Distances, LiveZone
from qmo_cli.packets import Second
from qmo_cli.sessions import CLOSED, session_name

MOST_CERTAIN = 0.99
SESSION_FADE = 0.7  # what a zone keeps of its weight at a change of session
EPSILON = cython.declare(cython.double, 1e-9)                   # as in zones
NANO = cython.declare(cython.double, 1e9)                       # ns
SECOND = cython.declare(cython.longlong, 1_000_000_000)
MINUTE = cython.declare(cython.longlong, 60_000_000_000)        # ns; sessions begin and end on whole minutes


@cython.final
@cython.cclass
class Standing:
    """The zones around a price that hold, ascending, with weights as of one moment: all decay alike."""

    def __init__(self, zones: Iterable[LiveZone], at: int, half_life: float, price: float, reach: float) -> None:
        zone: LiveZone
        self.price, self.reach = price, reach
        low: cython.double = price - 2 * reach
        high: cython.double = price + 2 * reach
        rows: list = []
        for zone in zones:
            if zone.low <= high and zone.high >= low and zone.state != "broken":
                weight: cython.double = zone.good() * zone.weight_at(at, half_life) * zone.confidence
                rows.append((zone.low, zone.high, weight))
        self.rows = sorted(rows)
        self.lows = [row[0] for row in self.rows]
        self.widest = max([row[1] - row[0] for row in self.rows], default=0.0)

    @cython.ccall
    @cython.exceptval(check=False)
    def serves(self, price: cython.double, reach: cython.double) -> cython.bint:
        """Whether all zones in reach of this price are among them."""
        return reach == self.reach and abs(price - self.price) <= reach

    @cython.ccall
    def pull(self, price: cython.double) -> tuple:
        """(B, A): weight x confidence x prox of the zones that hold the price up, and down.

        prox = max(0, 1 - distance / reach); a broken zone holds nothing until it has flipped.
        """
        reach: cython.double = self.reach
        up: cython.double = 0.0
        down: cython.double = 0.0
        low: cython.double
        high: cython.double
        weight: cython.double
        first: cython.Py_ssize_t = bisect_left(self.lows, price - reach - self.widest)
        last: cython.Py_ssize_t = bisect_right(self.lows, price + reach)
        for low, high, weight in self.rows[first:last]:
            distance: cython.double = low - price if price < low else price - high if price > high else 0.0
            if distance >= reach:
                continue
            if weight > 0:
                up += weight * (1 - distance / reach)
            else:
                down -= weight * (1 - distance / reach)
        return up, down


@cython.final
@cython.cclass
class ZoneBook:
    """All zones of one contract, and how far its event time has come. Times are ns, ``half_life`` s.

    All weights halve in the same time, so that the zones' order by weight holds between two pieces of evidence. They
    are ranked by log2(weight) + last_seen / half-life, from which the weight at any time follows: ``ranks``, lightest
    first. Evidence joins a zone seen no longer than ``memory`` ago; a zone that has decayed to ``least`` contracts has
    expired, the lightest does at ``expires``. ``changed``: something that shows has changed since this was last set
    False. ``minute``: whose session is known. ``low`` and ``high`` are what traded in ``second`` and has not met the
    zones yet; no zone changes while trades stay above ``floor`` and below ``ceiling``.
    """

    def __init__(self, series: str, half_life: float, memory: int, far: Distances, least: float = 0.5) -> None:
        self.series, self.half_life, self.memory, self.far, self.least = series, half_life, memory, far, least
        self.zones: list[LiveZone] = []
        self.ranks: list[tuple[float, str, LiveZone]] = []
        self.standing: Standing | None = None     # around the newest price
        self.newest = 0                           # newest evidence
        self.changed = True
        self.session, self.minute = "", -1
        self.second = -1
        self.low, self.high, self.floor, self.ceiling = inf, -inf, -inf, inf
        self.expires = inf

    @cython.ccall
    def measure(self, since: cython.longlong, far: Distances) -> object:
        """From this time on these distances count."""
        zone: LiveZone
        self.advance(since)
        self.far = far
        for zone in self.zones:
            zone.watch(far)
        self.fence()
        return None

    @cython.ccall
    def add(
        self, side: str, price: cython.double, ts: cython.longlong, weight: cython.double, confidence: cython.double,
        order_id: str,
    ) -> LiveZone:
        """Put evidence of some weight into the nearest zone of its side in reach, or a new one."""
        if not self.zones:
            self.session = session_name(ts)
        zone: LiveZone = self.place(side, price, ts)
        now: cython.longlong = max(ts, zone.last_seen)
        zone.weight = zone.weight_at(now, self.half_life) + weight
        zone.last_seen = now
        zone.low, zone.high = min(zone.low, price), max(zone.high, price)
        zone.renew(now)
        if order_id not in zone.orders:
            zone.orders.add(order_id)
            zone.confidence = min(MOST_CERTAIN, 1 - (1 - zone.confidence) * (1 - confidence))
        zone.watch(self.far)
        self.floor, self.ceiling = max(self.floor, zone.falls), min(self.ceiling, zone.rises)
        self.rank(zone)
        self.newest = max(self.newest, now)
        self.change(zone)
        return zone

    @cython.cfunc
    def place(self, side: str, price: cython.double, ts: cython.longlong) -> LiveZone:
        """The zone that evidence joins, taken out of the ranks; a new one where there is none."""
        zone: LiveZone
        found: LiveZone = None
        width: cython.double = self.far.width + EPSILON
        for zone in self.zones:
            near: cython.bint = zone.high - width <= price <= zone.low + width and ts - zone.last_seen <= self.memory
            if near and zone.side == side and (found is None or self.is_nearer(zone, found, price)):
                found = zone
        if found is not None:
            del self.ranks[bisect_left(self.ranks, (found.rank, found.id))]
            return found
        zone = LiveZone(zone_id(self.series, side, price, ts), side, price, price, ts, ts, ts)
        self.zones.append(zone)
        return zone

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def is_nearer(self, zone: LiveZone, other: LiveZone, price: cython.double) -> cython.bint:
        """Whether a zone is nearer to the price than another, or as near and older."""
        here: cython.double = zone.distance(price)
        there: cython.double = other.distance(price)
        return here < there or (here == there and zone.first_seen < other.first_seen)

    @cython.cfunc
    def rank(self, zone: LiveZone) -> object:
        zone.rank = log2(zone.weight) + zone.last_seen / NANO / self.half_life
        insort(self.ranks, (zone.rank, zone.id, zone))
        self.foresee()
        return None

    @cython.cfunc
    def foresee(self) -> object:
        left: cython.double = self.ranks[0][0] - log2(self.least) if self.ranks else inf
        self.expires = left * self.half_life * NANO
        return None

    @cython.cfunc
    def change(self, zone: LiveZone) -> object:
        """Something shows of this zone that did not."""
        self.changed, self.standing = True, None
        zone.shown = None
        return None

    @cython.ccall
    def trade(self, row: Second) -> object:
        """Trades of a second, or of a part of it; they meet the zones when the second is over."""
        second: cython.longlong = row.second
        low: cython.double = row.low
        high: cython.double = row.high
        if second > self.second:
            self.test()
            self.second, self.low, self.high = second, low, high
        else:
            self.low, self.high = min(self.low, low), max(self.high, high)
        return None

    @cython.ccall
    def test(self) -> object:
        """Let the trades of the second meet the zones."""
        zone: LiveZone
        low: cython.double = self.low
        high: cython.double = self.high
        start: cython.longlong = self.second * SECOND
        self.low, self.high = inf, -inf
        if low > self.floor and high < self.ceiling:
            return None
        for zone in self.zones:
            if zone.since <= start and (low <= zone.falls or high >= zone.rises):
                if zone.meet(low, high, self.far):
                    self.change(zone)
                zone.watch(self.far)
        self.fence()
        return None

    @cython.ccall
    def advance(self, now: cython.longlong) -> list:
        """Let time pass until ``now``: seconds end, sessions change, zones expire. Gives the expired ones back."""
        if self.high >= self.low and (self.second + 1) * SECOND <= now:
            self.test()
        if not self.zones:
            return []
        if now // MINUTE != self.minute:
            self.minute = now // MINUTE
            self.come_to_session(session_name(now))
        return self.expire(now) if now >= self.expires else []

    @cython.cfunc
    def come_to_session(self, here: str) -> object:
        if here != self.session and here != CLOSED:
            self.session = here
            self.fade()
        return None

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def usual(self, now: cython.longlong, unknown: cython.double, enough: cython.longlong) -> cython.double:
        """H0: the median zone's weight, at least one contract; ``unknown`` until there are ``enough`` zones."""
        number: cython.Py_ssize_t = len(self.ranks)
        if number < enough:
            return unknown
        age: cython.double = now / NANO / self.half_life
        low: cython.double = self.ranks[(number - 1) // 2][0]
        high: cython.double = self.ranks[number // 2][0]
        return max(1.0, (exp2(low - age) + exp2(high - age)) / 2)

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def heaviest(self, now: cython.longlong) -> cython.double:
        """Weight of the heaviest zone; 0 without zones."""
        if not self.ranks:
            return 0.0
        most: cython.double = self.ranks[-1][0]
        return exp2(most - now / NANO / self.half_life)

    @cython.ccall
    def most(self, number: cython.Py_ssize_t) -> list:
        """The heaviest zones, by price."""
        heaviest: list = self.ranks[max(0, len(self.ranks) - number):]
        return sorted([row[2] for row in heaviest], key=attrgetter("low", "id"))

    @cython.ccall
    def pull(self, price: cython.double, reach: cython.double, now: cython.longlong) -> tuple:
        """(B, A) at a time: the weights of the zones in reach that hold the price up, and down."""
        standing: Standing = self.standing
        if standing is None or not standing.serves(price, reach):
            standing = self.standing = Standing(self.zones, self.newest, self.half_life, price, reach)
        up: cython.double
        down: cython.double
        up, down = standing.pull(price)
        left: cython.double = exp2((self.newest - now) / NANO / self.half_life)
        return up * left, down * left

    @cython.cfunc
    def fade(self) -> object:
        """Another session: take weight off all zones at once."""
        zone: LiveZone
        self.ranks = []
        for zone in self.zones:
            zone.weight *= SESSION_FADE
            self.rank(zone)
            self.change(zone)
        return None

    @cython.cfunc
    def expire(self, now: cython.longlong) -> list:
        zone: LiveZone
        gone: list = []
        while now >= self.expires:
            _, _, zone = self.ranks.pop(0)
            zone.state = "expired"
            self.zones.remove(zone)
            self.change(zone)
            self.foresee()
            gone.append(zone)
        self.fence()
        return gone

    @cython.cfunc
    def fence(self) -> object:
        zone: LiveZone
        self.floor, self.ceiling = -inf, inf
        for zone in self.zones:
            self.floor, self.ceiling = max(self.floor, zone.falls), min(self.ceiling, zone.rises)
        return None


def zone_id(series: str, side: str, price: float, ts: int) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    return blake2b(f"{series} {side} {price!r} {ts}".encode(), digest_size=8).hexdigest()
