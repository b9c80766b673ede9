"""A band of prices under watch: price leaves it, comes back, and is held or breaks through."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Literal, NamedTuple

from ...rounding import to_six
from .log import Retest, ZoneSeen

EPSILON = 1e-9  # DBN's price step: floats of equal prices are never that far apart

State = Literal["created", "defended", "broken", "flipped"]
Step = Literal["arm", "touch", "hold", "break", "broken"]


class Far(NamedTuple):
    """How far is far, in points."""

    tick: float
    leave: float                         # price has left
    through: float                       # price has broken through


class Traded(NamedTuple):
    """What traded in one second."""

    second: int
    open: float
    low: float
    high: float
    close: float


@dataclass(slots=True, eq=False)
class Place:
    """A band that is to hold price above it (``side`` B) or below; a break turns it round.

    ``armed``: price has left it by the retest distance, on its good side. ``stamp`` marks its newest triggers.
    """

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    born: int                            # ns
    turned: bool = False
    armed: bool = False
    retest: Retest | None = None
    stamp: int = 0
    shown: Any = None                    # as the wire last had it, while that holds
    shown_at: int = -1                   # and the minute in which that was

    @property
    def sign(self) -> int:
        """+1 where it supports, -1 where it resists."""
        return 1 if (self.side == "B") != self.turned else -1

    @property
    def front(self) -> float:
        """The edge that price meets first, mirrored where the band resists."""
        return self.high if self.sign > 0 else -self.low

    @property
    def rear(self) -> float:
        """The edge beyond which it is broken, mirrored likewise."""
        return self.low if self.sign > 0 else -self.high

    def steps(self, low: float, high: float, far: Far) -> tuple[Step, ...]:
        """What the prices of one second do to it. Where they do two things at once, the break counts."""
        near, away = (low, high) if self.sign > 0 else (-high, -low)
        if self.retest is not None:
            return self._decided(self.retest, near, away)
        broken = near <= self.rear - far.through + EPSILON
        if self.armed and near <= self.front + far.tick + EPSILON and away >= self.rear - far.tick - EPSILON:
            return ("touch", "break") if broken else ("touch",)
        if broken:
            return ("broken",)
        return ("arm",) if not self.armed and away >= self.front + far.leave - EPSILON else ()

    def _decided(self, retest: Retest, near: float, away: float) -> tuple[Step, ...]:
        if near <= self.sign * retest.break_at + EPSILON:
            return ("break",)
        return ("hold",) if away >= self.sign * retest.hold_at - EPSILON else ()

    def triggers(self, far: Far) -> tuple[float, float]:
        """Prices at or below, and at or above which something happens to it."""
        if self.retest is not None:
            falls, rises = self.sign * self.retest.break_at, self.sign * self.retest.hold_at
        elif self.armed:
            falls, rises = self.front + far.tick, inf
        else:
            falls, rises = self.rear - far.through, self.front + far.leave
        falls, rises = falls + EPSILON, rises - EPSILON
        return (falls, rises) if self.sign > 0 else (-rises, -falls)

    def met(self, traded: Traded, far: Far, *, echo: bool, control: bool) -> Retest:
        """The retest that begins with these prices.

        A random walk that enters at x holds with probability (x - b) / (h - b), b and h being where it breaks and
        holds (the gambler's ruin). From the price of a zone without width, 10 away against 4 through: 4 / 14. Entry
        is the second's open if that is inside, else the outermost price that counts as inside.
        """
        sign, hold_at, break_at = self.sign, self.front + far.leave, self.rear - far.through
        entry = min(max(sign * traded.open, self.rear - far.tick), self.front + far.tick)
        null = (entry - break_at) / (hold_at - break_at)
        entry, hold_at, break_at = (round(sign * price, 9) for price in (entry, hold_at, break_at))
        return Retest(self.id, traded.second, sign > 0, entry, hold_at, break_at, to_six(null), echo, control)

    def overlaps(self, other: Place, tick: float) -> bool:
        """Whether the bands share a price, or neighbour each other."""
        return self.low <= other.high + tick + EPSILON and other.low <= self.high + tick + EPSILON

    def rest(self) -> None:
        """Nobody watched for a while: what was going on is not known to have gone on."""
        self.armed, self.retest = False, None


@dataclass(slots=True, eq=False)
class Control(Place):
    """A pseudo-zone: where nobody was seen to hide anything, as far from the price as its zone, mirrored.

    ``since``: the second in which it was made. ``pending``: price has met neither it nor its zone.
    """

    since: int = 0
    pending: bool = True


@dataclass(slots=True, eq=False)
class Remembered(Place):
    """A zone that is remembered."""

    seen: ZoneSeen | None = None         # as last learned
    state: State = "created"
    holds: int = 0
    breaks: int = 0
    broken_at: int = -1                  # second of the last break

    @classmethod
    def of(cls, seen: ZoneSeen) -> Remembered:
        """A zone seen for the first time."""
        return cls(seen.id, seen.side, seen.low, seen.high, seen.first_seen, seen=seen)

    def learn(self, seen: ZoneSeen) -> None:
        """New evidence; orders of its side that rest again end what broke it."""
        self.seen, self.low, self.high = seen, seen.low, seen.high
        if (self.turned or self.state == "broken") and seen.last_seen // 10**9 > self.broken_at:
            self.state, self.turned = "created", False
            self.rest()

    def held(self, above: bool) -> None:
        """Price left again on the side from which it came."""
        self.turned = above != (self.side == "B")
        self.state = "flipped" if self.turned else "defended"
        self.armed, self.retest = True, None

    def gave_way(self, above: bool, second: int) -> None:
        """Price went through."""
        self.turned = above == (self.side == "B")
        self.state, self.broken_at = "broken", second
        self.rest()
