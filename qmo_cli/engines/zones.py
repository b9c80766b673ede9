"""Price zones built from evidence: they decay, and price tests them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp2, inf
from typing import Literal

from msgspec import Struct

from ..times import SECOND
from .base import to_six

State = Literal["created", "defended", "broken", "flipped", "expired"]
EPSILON = 1e-9    # DBN's price step: floats of equal prices are never that far apart


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


@dataclass(frozen=True, slots=True)
class Distances:
    """How far is far, in points."""

    width: float                         # a zone spans no more than this
    leave: float                         # price has left
    through: float                       # price has broken through
    tick: float


@dataclass(slots=True, eq=False)
class LiveZone:
    """A zone as it grows. Distances are points; ``weight`` is as of ``last_seen``."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    first_seen: int
    last_seen: int
    since: int                           # ns: created, or renewed after a break; earlier trades do not count
    weight: float = 0.0
    rank: float = 0.0                    # log2(weight) + last_seen / half-life
    confidence: float = 0.0
    strength: float = 0.0
    state: State = "created"
    turned: bool = False                 # broken once, or an odd number of times: it works for the other side
    defended: int = 0
    away: bool = False                   # price has left by the retest distance, on the zone's good side
    inside: bool = False                 # and come back since
    falls: float = -inf                  # a trade at or below this price may change the zone
    rises: float = inf                   # and at or above this one
    orders: set[str] = field(default_factory=set)
    shown: Zone | None = None            # as the wire last had it, while that still holds

    @property
    def good(self) -> int:
        """+1 where the zone is to hold price above it (it supports), -1 below; a break turns it round."""
        return 1 if (self.side == "B") != self.turned else -1

    def weight_at(self, now: int, half_life: float) -> float:
        """The weight left at a time in ns."""
        return self.weight * exp2((self.last_seen - now) / SECOND / half_life)

    def distance(self, price: float) -> float:
        """Points from the price to the zone; 0 inside."""
        return max(self.low - price, price - self.high, 0.0)

    def public(self, half_life: float) -> Zone:
        """The zone as the wire has it."""
        if self.shown is None:
            self.shown = Zone(
                self.id, self.side, self.low, self.high, self.state, to_six(self.weight), str(self.first_seen),
                str(self.last_seen), half_life, to_six(self.confidence), to_six(self.strength), len(self.orders),
                self.defended,
            )
        return self.shown

    def renew(self, ts: int) -> None:
        """Orders of its side rest here again: whatever had broken it is over."""
        if self.turned or self.state == "broken":
            self.state, self.turned, self.away, self.inside, self.since = "created", False, False, False, ts

    def meet(self, low: float, high: float, far: Distances) -> bool:
        """One second of trades: has price left the zone, come back, been held, broken through? True if it shows."""
        before = (self.state, self.defended)
        nearest, farthest, front, rear = self._facing(low, high)
        if nearest <= rear - far.through + EPSILON:
            self.state, self.turned, self.away, self.inside = "broken", not self.turned, False, False
        elif farthest >= front + far.leave - EPSILON:
            if self.inside:
                self.defended += 1
                self.state = "flipped" if self.turned else "defended"
            self.away, self.inside = True, False
        elif self.away and nearest <= front + far.tick + EPSILON:
            self.inside = True
        return before != (self.state, self.defended)

    def watch(self, far: Distances) -> None:
        """Work out which prices would change the zone; what trades between them need not meet it."""
        _, _, front, rear = self._facing(0.0, 0.0)
        waiting = self.away and not self.inside
        near = (front + far.tick if waiting else rear - far.through) + EPSILON
        leave = inf if waiting else front + far.leave - EPSILON
        self.falls, self.rises = (near, leave) if self.good > 0 else (-leave, -near)

    def _facing(self, low: float, high: float) -> tuple[float, float, float, float]:
        """Lowest and highest trade, front and rear of the zone, mirrored where it holds price below it."""
        if self.good > 0:
            return low, high, self.high, self.low
        return -high, -low, -self.low, -self.high
