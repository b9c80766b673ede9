# cython: language_level=3, auto_pickle=False
"""The story in words, made of nothing but numbers that stand in the packet, and what it leads one to expect."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import cython
from msgspec import Struct, field

from qmo_cli.engines.liquidity.grabs import Grab
from qmo_cli.packets import OPTIONAL, Opinion, Sweep
from qmo_cli.rounding import nearest, number
from qmo_cli.views import ZoneView

MICRO = cython.declare(cython.double, 1e6)
OPPOSED = cython.declare(cython.longlong, 100_000)  # 1e-6 from neutral
FAILED = cython.declare(cython.longlong, 500_000)   # 1e-6: |G|
Direction = Literal["up", "down"]


class Expectation(Struct, frozen=True, gc=False):
    """What the facts lead one to expect. It is a rule, not a forecast: nobody has measured how often it comes true."""

    type: Literal["reversal", "continuation", "balance"]
    direction: Annotated[Direction | None, OPTIONAL]  # null: balance
    facts: list[str]


class AbsorptionLook(Opinion, frozen=True):
    """What the story needs of absorption."""

    activity: bool | None = None
    zones: list[ZoneView] = field(default_factory=list)


class Facts(Struct, gc=False):
    """What the story may mention; None where it is not known."""

    price: float | None = None
    delta: int | None = None             # 60 s
    volume: int | None = None
    swept_up: int | None = None          # levels, 60 s
    swept_down: int | None = None
    newest: Sweep | None = None
    grab: Grab | None = None
    bars: int = 0                        # since the grab's
    absorbed: ZoneView | None = None     # the zone of absorption seen last
    near: ZoneView | None = None         # the nearest iceberg zone in reach


@cython.final
@cython.cclass
class Story:
    """The narrative, one or two sentences: what traded, and where. Put into words again only where its facts change."""

    def __init__(self) -> None:
        self.swept_up: int | None = None
        self.swept_down: int | None = None
        self.newest: Sweep | None = None
        self.sweeps: str | None = None
        self.grab: Grab | None = None
        self.absorbed: ZoneView | None = None
        self.near: ZoneView | None = None
        self.bars = self.where = 0
        self.second: str | None = None

    @cython.ccall
    def tell(self, facts: Facts) -> object:
        """The story of these facts; None where nothing is known."""
        up, down, newest = facts.swept_up, facts.swept_down, facts.newest
        if newest is not self.newest or up != self.swept_up or down != self.swept_down:
            self.swept_up, self.swept_down, self.newest, self.sweeps = up, down, newest, _sweeps(facts)
        grab, absorbed, near = facts.grab, facts.absorbed, facts.near
        bars: cython.longlong = facts.bars
        where: cython.int = 0 if near is None else _where(facts)
        if (
            grab is not self.grab or near is not self.near or bars != self.bars or where != self.where
            or (absorbed is not self.absorbed and absorbed != self.absorbed)
        ):
            self.grab, self.near, self.absorbed, self.bars, self.where = grab, near, absorbed, bars, where
            self.second = _sentence(_grab(facts), _absorbed(facts), _near(facts))
        first = _sentence(_aggression(facts), self.sweeps)
        return f"{first} {self.second}" if first and self.second else first or self.second


def narrative(facts: Facts) -> str | None:
    """The story of some facts, told for the first time."""
    return Story().tell(facts)


def _sentence(*clauses: str | None) -> str | None:
    """The clauses that there are, as one sentence."""
    said = "; ".join([clause for clause in clauses if clause is not None])
    return f"{said[0].upper()}{said[1:]}." if said else None


@cython.cfunc
@cython.exceptval(-9, check=True)
def _where(facts: Facts) -> cython.int:
    """-1 where the near zone is below the price, 1 above, 0 around it or not there."""
    zone, price = facts.near, facts.price
    return 0 if zone is None or price is None else (zone.low > price) - (zone.high < price)


@cython.cfunc
def _aggression(facts: Facts) -> Any:
    if facts.delta is None or facts.volume is None:
        return None
    if facts.volume == 0:
        return "nothing traded in the last 60 s"
    who = "buyers were" if facts.delta > 0 else "sellers were" if facts.delta < 0 else "neither side was"
    return f"{who} the more aggressive over 60 s, delta {facts.delta:+d} of {facts.volume}"


def _sweeps(facts: Facts) -> str | None:
    up, down, newest = facts.swept_up, facts.swept_down, facts.newest
    if not up and not down:
        return None
    parts = [f"{levels} levels {where}" for levels, where in ((up, "up"), (down, "down")) if levels]
    last = "" if newest is None else f", the last from {number(newest.start)} to {number(newest.end)}"
    return f"swept {' and '.join(parts)}{last}"


def _grab(facts: Facts) -> str | None:
    grab = facts.grab
    if grab is None:
        return None
    beyond, back, swing = ("above", "below", "high") if grab.side == "B" else ("below", "above", "low")
    ago = "the last bar" if facts.bars == 0 else f"{facts.bars} bar{'s' if facts.bars > 1 else ''} ago price"
    return f"{ago} traded {beyond} the swing {swing} {number(grab.price)} and closed back {back} it"


def _absorbed(facts: Facts) -> str | None:
    zone = facts.absorbed
    if zone is None:
        return None
    return f"{'selling' if zone.side == 'B' else 'buying'} was absorbed at {_span(zone)}"


def _near(facts: Facts) -> str | None:
    zone, where = facts.near, _where(facts)
    if zone is None or facts.price is None:
        return None
    named = f"an iceberg zone of {'bids' if zone.side == 'B' else 'asks'} at {_span(zone)}"
    return f"{named} is {'below' if where < 0 else 'above'}" if where else f"price is inside {named}"


def _span(zone: ZoneView) -> str:
    return number(zone.low) if zone.low == zone.high else f"{number(zone.low)} to {number(zone.high)}"


@cython.ccall
def expectation(score: cython.double, failed: Any, grab: Grab, flow: Any, absorption: Any) -> Any:
    """Reversal after a failed break (|G| >= .5) or where absorption and order flow oppose each other by .1 each;
    continuation where the score is .1 from neutral on the side of order flow; else balance. None: order flow is not
    known, and no break failed.
    """
    if grab is not None and failed is not None and nearest(abs(failed) * MICRO) >= FAILED:
        where = "above" if grab.side == "B" else "below"
        facts = [f"a break {where} {number(grab.price)} failed, weight {number(abs(failed))}"]
        return Expectation("reversal", "up" if failed > 0 else "down", facts)
    if flow is None:
        return None
    flowing: cython.longlong = _lean(flow)
    absorbing: cython.longlong = 0 if absorption is None else _lean(absorption)
    speaking: cython.longlong = _lean(score)
    if min(abs(flowing), abs(absorbing)) >= OPPOSED and (flowing > 0) != (absorbing > 0):
        facts = [f"absorption {number(absorption)} against order flow {number(flow)}"]
        return Expectation("reversal", _direction(absorbing), facts)
    facts = [f"liquidity {number(score)}", f"order flow {number(flow)}"]
    if abs(speaking) >= OPPOSED and speaking * flowing > 0:
        return Expectation("continuation", _direction(speaking), facts)
    return Expectation("balance", None, facts)


@cython.cfunc
@cython.exceptval(check=False)
def _lean(score: cython.double) -> cython.longlong:
    """How far a score is from neutral, 1e-6."""
    return nearest((score - 0.5) * MICRO)


@cython.cfunc
def _direction(lean: cython.longlong) -> Any:
    return "up" if lean > 0 else "down"
