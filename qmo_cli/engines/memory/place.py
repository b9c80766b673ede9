# cython: language_level=3, auto_pickle=False
"""A band of prices under watch: price leaves it, comes back, and is held or breaks through."""

from __future__ import annotations

from math import inf
from typing import Any, Literal, NamedTuple

import cython

from qmo_cli.engines.memory.log import Retest, ZoneSeen
from qmo_cli.rounding import to_six

SECOND = cython.declare(cython.longlong, 1_000_000_000)
EPSILON = cython.declare(cython.double, 1e-9)  # DBN's price step: floats of equal prices are never that far apart

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


@cython.cclass
class Place:
    """A band that is to hold price above it (``side`` B) or below; a break turns it round.

    ``born`` in ns. ``armed``: price has left it by the retest distance, on its good side. ``stamp`` marks its newest
    triggers. ``shown``: as the wire last had it, while that holds, and the minute in which that was.
    """

    def __init__(self, id: str, side: Any, low: float, high: float, born: int) -> None:  # noqa: A002
        self.id, self.low, self.high, self.born = id, low, high, born
        self.side: Literal["B", "A"] = side
        self.turned = self.armed = False
        self.retest: Retest | None = None
        self.stamp = 0
        self.shown: Any = None
        self.shown_at = -1

    @cython.ccall
    @cython.exceptval(check=False)
    def sign(self) -> cython.int:
        """+1 where it supports, -1 where it resists."""
        return 1 if (self.side == "B") != self.turned else -1

    @cython.ccall
    @cython.exceptval(check=False)
    def front(self) -> cython.double:
        """The edge that price meets first, mirrored where the band resists."""
        return self.high if self.sign() > 0 else -self.low

    @cython.ccall
    @cython.exceptval(check=False)
    def rear(self) -> cython.double:
        """The edge beyond which it is broken, mirrored likewise."""
        return self.low if self.sign() > 0 else -self.high

    @cython.ccall
    def steps(self, low: cython.double, high: cython.double, far: Far) -> tuple:
        """What the prices of one second do to it. Where they do two things at once, the break counts."""
        sign: cython.int = self.sign()
        near: cython.double = low if sign > 0 else -high
        away: cython.double = high if sign > 0 else -low
        if self.retest is not None:
            return self.decided(self.retest, near, away)
        tick: cython.double = far.tick
        broken: cython.bint = near <= self.rear() - cython.cast(cython.double, far.through) + EPSILON
        if self.armed and near <= self.front() + tick + EPSILON and away >= self.rear() - tick - EPSILON:
            return ("touch", "break") if broken else ("touch",)
        if broken:
            return ("broken",)
        leave: cython.double = far.leave
        return ("arm",) if not self.armed and away >= self.front() + leave - EPSILON else ()

    @cython.cfunc
    def decided(self, retest: Retest, near: cython.double, away: cython.double) -> tuple:
        break_at: cython.double = retest.break_at
        hold_at: cython.double = retest.hold_at
        if near <= self.sign() * break_at + EPSILON:
            return ("break",)
        return ("hold",) if away >= self.sign() * hold_at - EPSILON else ()

    @cython.ccall
    def triggers(self, far: Far) -> tuple:
        """Prices at or below, and at or above which something happens to it."""
        sign: cython.int = self.sign()
        falls: cython.double
        rises: cython.double = inf
        if self.retest is not None:
            falls, rises = self.retest.break_at, self.retest.hold_at
            falls, rises = sign * falls, sign * rises
        elif self.armed:
            falls = self.front() + cython.cast(cython.double, far.tick)
        else:
            falls = self.rear() - cython.cast(cython.double, far.through)
            rises = self.front() + cython.cast(cython.double, far.leave)
        falls, rises = falls + EPSILON, rises - EPSILON
        return (falls, rises) if sign > 0 else (-rises, -falls)

    def met(self, traded: Traded, far: Far, *, echo: bool, control: bool) -> Retest:
        """The retest that begins with these prices.

        A random walk that enters at x holds with probability (x - b) / (h - b), b and h being where it breaks and
        holds (the gambler's ruin). From the price of a zone without width, 10 away against 4 through: 4 / 14. Entry
        is the second's open if that is inside, else the outermost price that counts as inside.
        """
        sign, hold_at, break_at = self.sign(), self.front() + far.leave, self.rear() - far.through
        entry = min(max(sign * traded.open, self.rear() - far.tick), self.front() + far.tick)
        null = (entry - break_at) / (hold_at - break_at)
        return Retest(
            self.id, traded.second, sign > 0, round(sign * entry, 9), round(sign * hold_at, 9),
            round(sign * break_at, 9), to_six(null), echo, control,
        )

    @cython.ccall
    @cython.exceptval(check=False)
    def overlaps(self, other: Place, tick: cython.double) -> cython.bint:
        """Whether the bands share a price, or neighbour each other."""
        return self.low <= other.high + tick + EPSILON and other.low <= self.high + tick + EPSILON

    @cython.ccall
    def rest(self) -> object:
        """Nobody watched for a while: what was going on is not known to have gone on."""
        self.armed, self.retest = False, None
        return None


@cython.final
@cython.cclass
class Control(Place):
    """A pseudo-zone: where nobody was seen to hide anything, as far from the price as its zone, mirrored.

    ``since``: the second in which it was made. ``pending``: price has met neither it nor its zone.
    """

    def __init__(self, id: str, side: Any, low: float, high: float, born: int, since: int) -> None:  # noqa: A002
        Place.__init__(self, id, side, low, high, born)
        self.armed = self.pending = True
        self.since = since


@cython.final
@cython.cclass
class Remembered(Place):
    """A zone that is remembered: ``seen`` as last learned, ``broken_at`` the second of the last break."""

    def __init__(self, seen: ZoneSeen) -> None:
        Place.__init__(self, seen.id, seen.side, seen.low, seen.high, seen.first_seen)
        self.seen = seen
        self.last_seen = seen.last_seen
        self.state: State = "created"
        self.holds = self.breaks = 0
        self.broken_at = -1

    @cython.ccall
    def learn(self, seen: ZoneSeen) -> object:
        """New evidence; orders of its side that rest again end what broke it."""
        self.seen, self.last_seen, self.low, self.high = seen, seen.last_seen, seen.low, seen.high
        if (self.turned or self.state == "broken") and self.last_seen // SECOND > self.broken_at:
            self.state, self.turned = "created", False
            self.rest()
        return None

    @cython.ccall
    def held(self, above: cython.bint) -> object:
        """Price left again on the side from which it came."""
        self.turned = above != (self.side == "B")
        self.state = "flipped" if self.turned else "defended"
        self.armed, self.retest = True, None
        return None

    @cython.ccall
    def gave_way(self, above: cython.bint, second: cython.longlong) -> object:
        """Price went through."""
        self.turned = above == (self.side == "B")
        self.state, self.broken_at = "broken", second
        self.rest()
        return None
