# cython: language_level=3, auto_pickle=False
"""Five pillars become one score: a weighted mean of those that have something to say, with two boosts.

Scores run from 0 (strong sell) over 0.5 (neutral) to 1 (strong buy). Totals, weights and shares are compared as
integers of 1e-6, so that 0.75 is never 0.7500000001.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import cython
from msgspec import Struct

from qmo_cli.errors import ConfigurationError, UsageError
from qmo_cli.live_zones import ZoneMemo
from qmo_cli.packets import Health, Market, Opinion, Reading
from qmo_cli.rounding import nearest, to_six
from qmo_cli.tray import Packet
from qmo_cli.views import (
    AbsorptionView,
    AstroView,
    BarsView,
    CycleView,
    GannView,
    IcebergView,
    LiquidityView,
    MentorView,
    OrderflowView,
    reason,
)

Kind = Literal["BUY", "SELL", "HOLD"]

MICRO = 1_000_000
NEUTRAL = 500_000
BUY_ABOVE, SELL_BELOW = 750_000, 250_000
FULL_BOOST = 250_000          # distance of the base from neutral at which a boost counts in full
ZONE_BOOST, GANN_BOOST = 150_000, 100_000
MIN_COVERAGE, MIN_ACTIVE = 500_000, 350_000
CONFLUENCE_ABOVE = 2          # families of Gann levels
REACH_TICKS, REACH_ATR = 20, 0.5

PILLARS = ("qmo", "imo", "gann", "astro", "cycle")
PHASES: dict[str, dict[str, float]] = {
    "default": dict(zip(PILLARS, (0.25, 0.25, 0.20, 0.15, 0.15), strict=True)),
    "orderflow": dict(zip(PILLARS, (0.40, 0.40, 0.10, 0.05, 0.05), strict=True)),
    "classical": dict(zip(PILLARS, (0.10, 0.10, 0.35, 0.25, 0.20), strict=True)),
}
PARTS: tuple[tuple[str, type[Opinion]], ...] = (
    ("orderflow", OrderflowView), ("liquidity", LiquidityView), ("iceberg", IcebergView),
    ("absorption", AbsorptionView), ("gann", GannView), ("astro", AstroView), ("cycle", CycleView),
)
_NULLABLE = frozenset({*PILLARS, "base", "total"})
_NOTHING_KNOWN = "no pillar is known"
_PRICE_ONLY = ("ohlcv", "quote", "bbo")  # leading schemas without aggressors

View = tuple[float | None, bool]  # score, active
UNKNOWN: View = (None, False)


class Boosts(Struct, frozen=True, gc=False):
    """What was added to the base: upward for a buy, downward for a sell, 0 where a boost does not apply."""

    iceberg_zones: float
    gann_confluence: float


NO_BOOSTS = Boosts(0.0, 0.0)


class Score(Reading, frozen=True, gc=False):
    """The consensus of the pillars."""

    qmo: float | None                    # order flow and liquidity
    imo: float | None                    # icebergs and absorption
    gann: float | None
    astro: float | None
    cycle: float | None
    base: float | None                   # weighted mean of the active pillars; 0.5 when none is active
    total: float | None                  # base and boosts, within [0, 1]
    signal: Kind
    phase: str                           # name of the set of weights
    weights: dict[str, float]
    boosts: Boosts
    coverage: float                      # weight of the known pillars
    active_weight: float                 # weight of the active ones
    contributions: dict[str, float]      # known pillar -> w (s - 0.5) if active, else 0
    price_only: bool                     # the source gives no order flow and no book
    reasons: list[str]                   # why a total beyond the cuts is no signal
    missing: dict[str, str]              # pillar or part of one -> why it is null


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """Which set of weights to use, and the user's own sets."""

    phase: str = field(default="default", metadata={"help": "Set of pillar weights."})
    phases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def weights(self) -> dict[str, float]:
        """Weights of the phase, by pillar. Raises UsageError or ConfigurationError."""
        sets = {**PHASES, **self.phases}
        if self.phase not in sets:
            raise UsageError(f"there is no phase {self.phase!r}; choose one of {', '.join(sorted(sets))}")
        return _checked(self.phase, sets[self.phase])


def _checked(phase: str, weights: Mapping[str, float]) -> dict[str, float]:
    if set(weights) != set(PILLARS):
        raise ConfigurationError(f"phase {phase!r} must give a weight to each of {', '.join(PILLARS)} and no other")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()):
        raise ConfigurationError(f"phase {phase!r}: weights are numbers from 0 to 1")
    if round(sum(weights.values()) * MICRO) != MICRO:
        raise ConfigurationError(f"phase {phase!r}: the weights add up to {sum(weights.values()):g}, not to 1")
    return {pillar: float(weights[pillar]) for pillar in PILLARS}


class _Gaps(Struct, frozen=True):
    """The null leaves of a score and why, kept while they stay the same."""

    parts: tuple[str | None, ...]        # reason of each part; None: known
    score: dict[str, str]                # the score's own map
    packet: dict[str, str]               # the packet's


class Scorer:
    """Puts the slot ``score`` into packets. It has no memory but of what would be worked out again."""

    def __init__(self, options: ScoreOptions | None = None) -> None:
        options = options or ScoreOptions()
        self.phase = options.phase
        self.weights = options.weights()
        self._micro = tuple(round(self.weights[pillar] * MICRO) for pillar in PILLARS)
        self._zones: dict[str, ZoneMemo] = {}
        self._gaps: dict[str, _Gaps] = {}

    def update(self, packet: Packet) -> None:
        """Score one packet; the reasons of null leaves go into its ``missing`` map."""
        views, reasons = _parts(packet)
        pillars = (_pair(views[0], views[1]), _pair(views[2], views[3]), views[4], views[5], views[6])
        base, known, active, contributions = _mean(self._micro, pillars)
        zone_boost = gann_boost = 0
        if base is not None and base != NEUTRAL:
            zone_boost, gann_boost = self._boosts(packet, base, pillars[2][0])
        total = None if base is None else min(MICRO, max(0, base + zone_boost + gann_boost))
        price_only = _price_only(packet, pillars)
        gate = _gate(packet, total, known, active, pillars[0][1] or pillars[1][1] or price_only)
        gaps = self._missing(packet.series, reasons, pillars, total)
        packet.slots["score"] = Score(
            pillars[0][0], pillars[1][0], pillars[2][0], pillars[3][0], pillars[4][0],
            None if base is None else base / MICRO, None if total is None else total / MICRO,
            "HOLD" if gate else side_of(total), self.phase, self.weights,
            NO_BOOSTS if zone_boost == 0 == gann_boost else Boosts(zone_boost / MICRO, gann_boost / MICRO),
            known / MICRO, active / MICRO, contributions, price_only, gate, gaps.score,
        )
        packet.missing.update(gaps.packet)

    def _boosts(self, packet: Packet, base: cython.longlong, gann: float | None) -> tuple[int, int]:
        """Boosts in 1e-6, away from neutral, scaled by min(1, |base - 0.5| / 0.25)."""
        up: cython.bint = base > NEUTRAL
        share: cython.longlong = min(FULL_BOOST, abs(base - NEUTRAL)) * (1 if up else -1)
        zones: cython.bint = self._supported(packet, up)
        confluence: cython.bint = gann is not None and (gann - 0.5) * share > 0 and _confluence(packet)
        return (
            nearest(ZONE_BOOST * share / FULL_BOOST) if zones else 0,
            nearest(GANN_BOOST * share / FULL_BOOST) if confluence else 0,
        )

    def _supported(self, packet: Packet, up: bool) -> bool:
        """Whether, within reach of the price, the supporting side's zones outweigh the other side's."""
        if packet.price is None:
            return False
        memo: ZoneMemo = self._zones.get(packet.series)
        if memo is None:
            memo = self._zones[packet.series] = ZoneMemo()
        support: cython.double
        resistance: cython.double
        support, resistance = memo.of(packet).within(packet.price, _reach(packet))
        return support > resistance if up else resistance > support

    def _missing(
        self, series: str, reasons: tuple[str | None, ...], pillars: tuple[View, ...], total: int | None,
    ) -> _Gaps:
        gaps = self._gaps.get(series)
        if gaps is None or gaps.parts != reasons:
            gaps = self._gaps[series] = _gaps(reasons, pillars, total)
        return gaps


def _mean(weights: tuple[int, ...], pillars: tuple[View, ...]) -> tuple[int | None, int, int, dict[str, float]]:
    """Base, weight known and weight active, all in 1e-6, and each pillar's contribution."""
    known: cython.longlong = 0
    active: cython.longlong = 0
    pull: cython.double = 0.0
    place: cython.Py_ssize_t
    contributions: dict[str, float] = {}
    for place in range(len(pillars)):
        score, speaks = pillars[place]
        if score is None:
            continue
        weight: cython.longlong = weights[place]
        known += weight
        pulled: cython.double = 0.0
        if speaks:
            active += weight
            pulled = weight * (cython.cast(cython.double, score) - 0.5)
            pull += pulled
        contributions[PILLARS[place]] = to_six(pulled / 1e6)
    if not known:
        return None, 0, 0, contributions
    return (NEUTRAL + nearest(pull / active * 1e6) if active else NEUTRAL), known, active, contributions


def side_of(total: int | None) -> Kind:
    """The decision a total in 1e-6 stands for.

    >>> side_of(750_000), side_of(750_001), side_of(249_999), side_of(None)
    ('HOLD', 'BUY', 'SELL', 'HOLD')
    """
    if total is None:
        return "HOLD"
    return "BUY" if total > BUY_ABOVE else "SELL" if total < SELL_BELOW else "HOLD"


def _parts(packet: Packet) -> tuple[list[View], tuple[str | None, ...]]:
    views: list[View] = []
    reasons: list[str | None] = []
    for name, kind in PARTS:
        reading = packet.read(name, kind)
        score = None if reading is None else reading.score
        if score is None:
            views.append(UNKNOWN)
            reasons.append(reason(packet, name))
        else:
            views.append((score, reading.active is True))
            reasons.append(None)
    return views, tuple(reasons)


def _pair(one: View, other: View) -> View:
    """Mean of the parts that are known, of the active ones only when at least one is active."""
    if one[0] is None:
        return other
    if other[0] is None or (one[1] and not other[1]):
        return one
    if other[1] and not one[1]:
        return other
    return to_six((one[0] + other[0]) / 2), one[1]


def _confluence(packet: Packet) -> bool:
    gann = packet.read("gann", GannView)
    return gann is not None and gann.confluence is not None and gann.confluence > CONFLUENCE_ABOVE


def _reach(packet: Packet) -> float:
    """How far a zone supports the price: 20 ticks or half an ATR, whichever is more; -inf when both are unknown."""
    bars = packet.read("bars", BarsView)
    atr = None if bars is None else bars.atr
    market: Market = packet.read("market", Market)
    tick = market.tick
    return max(
        -math.inf if tick is None else REACH_TICKS * tick + tick / 1000,  # zone edges are whole ticks: no float slips
        -math.inf if atr is None else REACH_ATR * atr,
    )


def _price_only(packet: Packet, pillars: tuple[View, ...]) -> bool:
    if pillars[0][0] is not None or pillars[1][0] is not None:
        return False
    health = packet.read("health", Health)
    return health is not None and health.access.startswith(_PRICE_ONLY)


def _gate(packet: Packet, total: int | None, known: int, active: int, speaks: bool) -> list[str]:
    """Why a total beyond the cuts may not become a signal."""
    if total is None or SELL_BELOW <= total <= BUY_ABOVE:
        return []
    reasons = []
    if known < MIN_COVERAGE:
        reasons.append(f"coverage {known / MICRO:g} is below {MIN_COVERAGE / MICRO:g}")
    if active < MIN_ACTIVE:
        reasons.append(f"active weight {active / MICRO:g} is below {MIN_ACTIVE / MICRO:g}")
    if not speaks:
        reasons.append("neither order flow nor icebergs have anything to say now")
    mentor = packet.read("mentor", MentorView)
    if mentor is not None and mentor.veto is not None:
        reasons.append(f"mentor: {mentor.veto}")
    return reasons


def _gaps(reasons: tuple[str | None, ...], pillars: tuple[View, ...], total: int | None) -> _Gaps:
    names = [name for name, _ in PARTS]
    missing = {name: why for name, why in zip(names, reasons, strict=True) if why is not None}
    if pillars[0][0] is None:
        missing["qmo"] = f"orderflow: {reasons[0]}; liquidity: {reasons[1]}"
    if pillars[1][0] is None:
        missing["imo"] = f"iceberg: {reasons[2]}; absorption: {reasons[3]}"
    if total is None:
        missing["base"] = missing["total"] = _NOTHING_KNOWN
    packet = {f"score.{name}": why for name, why in missing.items() if name in _NULLABLE}
    return _Gaps(reasons, missing, packet)
