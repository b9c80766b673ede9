# cython: language_level=3, auto_pickle=False
"""Price zones built from evidence: they decay, and price tests them."""

from __future__ import annotations

from math import inf
from typing import Literal

import cython
from cython.cimports.libc.math import exp2
from msgspec import Struct

from qmo_cli.rounding import to_six

State = Literal["created", "defended", "broken", "flipped", "expired"]
EPSILON = cython.declare(cython.double, 1e-9)  # DBN's price step: floats of equal prices are never that far apart
SECOND = cython.declare(cython.double, 1e9)    # ns


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


@cython.final
@cython.cclass
class Distances:
    """How far is far, in points."""

    def __init__(self, width: float, leave: float, through: float, tick: float) -> None:
        self.width = width          # a zone spans no more than this
        self.leave = leave          # price has left
        self.through = through      # price has broken through
        self.tick = tick


@cython.final
@cython.cclass
class LiveZone:
    """A zone as it grows. Distances are points, times ns; ``weight`` is as of ``last_seen``.

    ``since``: created, or renewed after a break; earlier trades do not count. ``rank`` is log2(weight) + last_seen /
    half-life. ``turned``: broken once, or an odd number of times, so that it works for the other side. ``away``: price
    has left by the retest distance, on the zone's good side; ``inside``: and has come back since. A trade at or below
    ``falls`` or at or above ``rises`` may change the zone. ``shown`` is the zone as the wire last had it, while that
    holds.
    """

    def __init__(
        self, id: str, side: str, low: float, high: float, first_seen: int, last_seen: int, since: int,  # noqa: A002
        weight: float = 0.0, confidence: float = 0.0, state: str = "created", turned: bool = False,
    ) -> None:
        self.id, self.side, self.low, self.high = id, side, low, high
        self.first_seen, self.last_seen, self.since = first_seen, last_seen, since
        self.weight, self.confidence, self.state, self.turned = weight, confidence, state, turned
        self.rank = self.strength = 0.0
        self.defended = 0
        self.away = self.inside = False
        self.falls, self.rises = -inf, inf
        self.orders: set[str] = set()
        self.shown: Zone | None = None

    @cython.ccall
    @cython.exceptval(check=False)
    def good(self) -> cython.int:
        """+1 where the zone is to hold price above it (it supports), -1 below; a break turns it round."""
        return 1 if (self.side == "B") != self.turned else -1

    @cython.ccall
    @cython.exceptval(check=False)
    def weight_at(self, now: cython.longlong, half_life: cython.double) -> cython.double:
        """The weight left at a time in ns."""
        return self.weight * exp2((self.last_seen - now) / SECOND / half_life)

    @cython.ccall
    @cython.exceptval(check=False)
    def distance(self, price: cython.double) -> cython.double:
        """Points from the price to the zone; 0 inside."""
        return max(self.low - price, price - self.high, 0.0)

    @cython.ccall
    def public(self, half_life: cython.double) -> object:
        """The zone as the wire has it."""
        if self.shown is None:
            self.shown = Zone(
                self.id, self.side, self.low, self.high, self.state, to_six(self.weight), str(self.first_seen),  # type: ignore[arg-type]
                str(self.last_seen), half_life, to_six(self.confidence), to_six(self.strength), len(self.orders),
                self.defended,
            )
        return self.shown

    @cython.ccall
    def renew(self, ts: cython.longlong) -> object:
        """Orders of its side rest here again: whatever had broken it is over."""
        if self.turned or self.state == "broken":
            self.state, self.turned, self.away, self.inside, self.since = "created", False, False, False, ts
        return None

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def meet(self, low: cython.double, high: cython.double, far: Distances) -> cython.bint:
        """One second of trades: has price left the zone, come back, been held, broken through? True if it shows."""
        nearest: cython.double = low if self.good() > 0 else -high
        farthest: cython.double = high if self.good() > 0 else -low
        if nearest <= self.rear() - far.through + EPSILON:
            shows: cython.bint = self.state != "broken"
            self.state, self.turned, self.away, self.inside = "broken", not self.turned, False, False
            return shows
        if farthest >= self.front() + far.leave - EPSILON:
            held: cython.bint = self.inside
            if held:
                self.defended += 1
                self.state = "flipped" if self.turned else "defended"
            self.away, self.inside = True, False
            return held
        if self.away and nearest <= self.front() + far.tick + EPSILON:
            self.inside = True
        return False

    @cython.ccall
    def watch(self, far: Distances) -> object:
        """Work out which prices would change the zone; what trades between them need not meet it."""
        waiting: cython.bint = self.away and not self.inside
        near: cython.double = (self.front() + far.tick if waiting else self.rear() - far.through) + EPSILON
        leave: cython.double = inf if waiting else self.front() + far.leave - EPSILON
        if self.good() > 0:
            self.falls, self.rises = near, leave
        else:
            self.falls, self.rises = -leave, -near
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def front(self) -> cython.double:
        """The edge that price meets first, mirrored where the zone holds price below it."""
        return self.high if self.good() > 0 else -self.low

    @cython.cfunc
    @cython.exceptval(check=False)
    def rear(self) -> cython.double:
        """The edge beyond which the zone is broken, mirrored likewise."""
        return self.low if self.good() > 0 else -self.high
