# cython: language_level=3, auto_pickle=False
"""What a BUY or SELL amounts to: entry and size, the vetoes that turn it into HOLD, the doubts that take its size."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from msgspec import structs

from qmo_cli.instruments import Spec, root_of, spec_of
from qmo_cli.rounding import number, to_six
from qmo_cli.signals.context import Scene
from qmo_cli.signals.guards import near_close, protection, queue, slippage, surroundings
from qmo_cli.signals.near import NearZone
from qmo_cli.signals.sizing import (
    MIN_STOP_TICKS,
    Entry,
    Position,
    SignalOptions,
    Size,
    Sizer,
    Trade,
    entry_of,
    ladder,
    position_of,
    stop_of,
)
from qmo_cli.tray import Packet

MAX_PRICE_AGE = 60                       # s
EARLY = -1                               # s; an event that outlasts its frame is a little younger than the packet
DOUBTFUL = frozenset({"cached", "delayed", "stale", "warmup", "doubtful"})  # qualities that get no size


@dataclass(slots=True)
class Plan:
    """What a BUY or SELL amounts to. Vetoes turn it into HOLD, doubts take its size."""

    entry: Entry | None = None
    position: Position | None = None
    opposing: NearZone | None = None
    sized: Size | None = None
    vetoes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warming: bool = False                # the ATR that it needs is not there yet
    unwalked: str = "no size"            # why the expected slippage is not known, where it is not


NO_PLAN = Plan()


class Deal(NamedTuple):
    """A trade worked out: what follows from the trade and the ATR alone."""

    sized: Size
    stop_atr: float | None
    entry: Entry
    position: Position
    nothing: Position                    # the same of size 0


class Planner:
    """Plans trades by the trader's options. Price comes back to where it was: deals worked out before are kept."""

    def __init__(self, options: SignalOptions) -> None:
        self.options = options
        self._sizer = Sizer(options)
        self._deal = lru_cache(maxsize=4096)(self._work_out)
        self._in_atr, self._stop = stop_of(options.stop)

    def plan(self, scene: Scene, kind: Literal["BUY", "SELL"]) -> Plan:
        """Entry and size of a BUY or SELL."""
        plan, packet, spec = Plan(), scene.packet, scene.spec
        price = packet.price
        plan.vetoes += surroundings(packet)
        distance = self._distance(scene, plan)
        if price is None:
            plan.vetoes.append(f"no price: {scene.why('price', 'none came yet')}")
        if spec.tick is None or spec.point_value is None:
            plan.vetoes.append("the tick or the point value of this instrument is not known; give both as options")
        elif distance is not None and distance < MIN_STOP_TICKS * spec.tick:
            plan.vetoes.append(f"a stop of {number(distance)} is less than {MIN_STOP_TICKS} ticks")
        if plan.vetoes or price is None or distance is None:
            return plan
        far_side = None
        if self.options.entry == "market":
            far_side = scene.market.ask if kind == "BUY" else scene.market.bid
        forbidden, risk = protection(packet)
        plan.doubts += forbidden
        account, factor = (None, 1.0) if risk is None else (risk.balance, risk.size_factor)
        self._fill(plan, scene, Trade(kind, price, far_side, distance, scene.session.trade_date, account, factor))
        return plan

    def _distance(self, scene: Scene, plan: Plan) -> float | None:
        """The stop's distance in points; vetoes when it needs an ATR that is not there."""
        if not self._in_atr:
            return self._stop
        if not scene.atr:
            plan.warming = True
            plan.vetoes.append(f"a stop in ATR needs bars.atr: {scene.atr_reason()}")
            return None
        return round(self._stop * scene.atr, 9)

    def _fill(self, plan: Plan, scene: Scene, trade: Trade) -> None:
        deal = self._deal(trade, scene.spec, scene.atr or None)
        if deal is None:
            plan.vetoes.append("stop, entry and targets do not lie in order; the stop is too close for this entry")
            return
        sized = plan.sized = deal.sized
        plan.doubts += self._doubts(scene, trade, sized)
        self._noise(plan, scene, deal.stop_atr)
        plan.entry = deal.entry
        plan.position = deal.nothing if plan.doubts else self._walked(plan, scene, trade, deal)
        plan.opposing = scene.opposing(1 if trade.direction == "BUY" else -1, deal.entry.target)
        if sized.rate_unknown:
            plan.notes.append(f"sized by risk only: {sized.rate_unknown}")

    def _walked(self, plan: Plan, scene: Scene, trade: Trade, deal: Deal) -> Position:
        """The position, with what the displayed book would cost; too much of it is a veto."""
        ticks, plan.unwalked = slippage(scene.packet, trade, deal.sized, scene.spec.root)
        if ticks is None:
            return deal.position
        if ticks > self.options.max_slippage:
            plan.vetoes.append(f"the displayed book would cost {number(ticks)} ticks, more than "
                               f"{number(self.options.max_slippage)}")
        ahead = None if self.options.entry == "market" else queue(scene.packet, trade, deal.sized, scene.spec.root)
        return structs.replace(deal.position, expected_slippage=ticks, queue_ahead=ahead)

    def _work_out(self, trade: Trade, spec: Spec, atr: float | None) -> Deal | None:
        """The deal; None where stop, entry and targets do not lie in order."""
        sized = self._sizer.size(trade, ladder(spec))
        if not sized.at.sound(trade.sign):
            return None
        stop_atr = None if atr is None else to_six(abs(sized.at.price - sized.at.stop) / 10**9 / atr)
        return Deal(
            sized, stop_atr, entry_of(trade, sized, self.options, stop_atr),
            position_of(sized, self.options, doubt=False), position_of(sized, self.options, doubt=True),
        )

    def _noise(self, plan: Plan, scene: Scene, stop_atr: float | None) -> None:
        """A stop nearer than one ATR is hit by noise alone, unless the user chose it."""
        if self.options.stop is not None:
            return
        if stop_atr is None:
            plan.warming = True
            plan.doubts.append(f"whether the stop is inside the noise is not known: {scene.atr_reason()}")
        elif stop_atr < 1:
            plan.vetoes.append(f"stop_inside_noise: the stop is {number(stop_atr)} ATR away")

    def _doubts(self, scene: Scene, trade: Trade, sized: Size) -> list[str]:
        """Everything that takes the size away."""
        doubts: list[str] = []
        market, age = scene.market, scene.price_age
        doubts += near_close(scene.session, scene.packet.ts, self.options.close_guard)
        if market.quality in DOUBTFUL:
            doubts.append(f"no size on {market.quality} prices")
        if age is None or not EARLY <= age <= MAX_PRICE_AGE:
            doubts.append("the age of the price is not known" if age is None else f"the price is {number(age)} s old")
        if market.spread is not None and market.spread < 0:
            doubts.append("the book is crossed")
        if self.options.entry == "market" and trade.far_side is None:
            doubts.append("a market order needs the other side of the quote")
        if sized.why:
            doubts.append(sized.why)
        return doubts


def specification(packet: Packet, options: SignalOptions) -> Spec:
    """What is known of the contract: the user's word, else the packet's (a definition record), else the table's."""
    name, market = packet.symbol or packet.series, packet.market
    known = spec_of(name)
    root = known.root if known else root_of(name) or name
    tick, value = market.tick, market.point_value
    if known is not None:
        tick, value = known.tick if tick is None else tick, known.point_value if value is None else value
    if known is None or (known.tick, known.point_value) != (tick, value):
        known = Spec(root, tick, value, None, (root,), "", "definition")
    return known.with_options(options.tick, options.point_value)


def plan_gaps(
    scene: Scene, plan: Plan, entry: Entry | None, position: Position | None, opposing: NearZone | None,
) -> None:
    """Reasons of what a plan leaves null go into the scene's ``lost``."""
    lost = scene.lost
    if opposing is not None:
        scene.zone_units("market_context.opposing_zone", opposing)
    if entry is not None and entry.stop_atr is None:
        lost["entry.stop_atr"] = scene.atr_reason()
    if position is None or plan.sized is None:
        return
    if position.contract is None:
        lost["position.contract"] = "; ".join(plan.doubts)
    if position.expected_slippage is None:
        lost["position.expected_slippage"] = plan.unwalked
    unknown = plan.sized.rate_unknown or "the margin is not known"
    if position.margin_rate is None:
        lost["position.margin_rate"] = unknown
    if position.capital_required is None:
        lost["position.capital_required"] = unknown
