# cython: language_level=3, auto_pickle=False
"""One signal for each scored packet: the decision, its plan and its reasons."""

from __future__ import annotations

from typing import Annotated, Literal

import cython
from msgspec import Struct

from qmo_cli.errors import BadData
from qmo_cli.instruments import Spec
from qmo_cli.packets import OPTIONAL, WIRE_VERSION, Market, OptionalStr
from qmo_cli.rounding import number, to_six
from qmo_cli.score import Kind, Score
from qmo_cli.sessions import session
from qmo_cli.signals.context import MarketContext, Scene
from qmo_cli.signals.decision import Memory
from qmo_cli.signals.plan import MAX_PRICE_AGE, NO_PLAN, Plan, Planner, plan_gaps, specification
from qmo_cli.signals.rationale import RationaleBy, rationale
from qmo_cli.signals.sizing import Entry, Position, SignalOptions
from qmo_cli.times import SECOND, iso
from qmo_cli.tray import Packet

WARMUP = "warmup"           # quality of history that is put ahead of a live stream
Status = Literal["active", "hold", "blocked", "warming_up", "stale", "closed", "halted"]
Change = Literal["opened", "closed", "reversed"]


class Decision(Struct, frozen=True, gc=False):
    """Which way, how sure, since when, and why."""

    type: Kind
    confidence: float | None             # agreement of the pillars, not a probability
    score: float | None                  # the total
    probability: float | None
    since: OptionalStr                   # when the episode opened; null on HOLD
    id: OptionalStr                      # of the episode; null on HOLD
    price_only: bool                     # decided without order flow or book
    rationale: list[str]
    rationale_by: RationaleBy


class Signal(Struct, frozen=True, gc=False, tag_field="schema", tag="signal"):
    """What to do now, for one packet."""

    v: int
    ts: str                              # ns, the frame's end
    series: str
    closed: bool                         # False: the input ended inside this frame
    status: Status
    timestamp: str
    symbol: str | None
    current_price: float | None
    price_basis: str | None
    signal: Decision
    entry: Annotated[Entry | None, OPTIONAL]        # null on HOLD
    position: Annotated[Position | None, OPTIONAL]  # null on HOLD
    market_context: MarketContext
    reasons: list[str]                   # why not, or why not more; never empty on HOLD
    valid_until: OptionalStr             # null on HOLD
    invalidation: OptionalStr            # null on HOLD
    change: Annotated[Change | None, OPTIONAL]      # what happened to the episode in this packet
    missing: dict[str, str]


@cython.final
@cython.cclass
class Series:
    """What the signaler knows of one series; ``last_id`` is that of the episode last shown."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.scene = Scene()
        self.last_id: str | None = None
        self.facts: tuple[object, ...] | None = None
        self.spec: Spec | None = None


class Signaler:
    """Turns scored packets into signals, one for each; it remembers each series' open episode."""

    def __init__(self, options: SignalOptions | None = None) -> None:
        self.options = options or SignalOptions()
        self._planner = Planner(self.options)
        self._series: dict[str, Series] = {}

    def update(self, packet: Packet) -> Signal:
        """The signal of one packet. Raises BadData when it was not scored."""
        score = packet.read("score", Score)
        if score is None:
            raise BadData("this packet has no score; put `qmo score` before `qmo signal`")
        state: Series = self._series.get(packet.series)
        if state is None:
            state = self._series[packet.series] = Series()
        now = session(packet.ts)
        market = packet.read("market", Market)
        state.scene.look(packet, market, now, self._spec(state, packet, market))
        trading = now.open and state.scene.health.trading is not False
        kind = state.memory.update(packet.ts, packet.symbol, score, trading)
        plan = NO_PLAN if kind == "HOLD" else self._planner.plan(state.scene, kind)
        shown: Kind = "HOLD" if plan.vetoes or market.quality == WARMUP else kind
        return self._signal(state, packet, score, shown, plan)

    def _spec(self, state: Series, packet: Packet, market: Market) -> Spec:
        facts = (packet.symbol, market.tick, market.point_value)
        if state.spec is None or facts != state.facts:
            state.facts, state.spec = facts, specification(packet, self.options)
        return state.spec

    def _signal(self, state: Series, packet: Packet, score: Score, shown: Kind, plan: Plan) -> Signal:
        scene: Scene = state.scene
        held: cython.bint = shown == "HOLD"
        lost = scene.lost
        entry, position = (None, None) if held else (plan.entry, plan.position)
        context = scene.context(None if held else plan.opposing)
        if plan is not NO_PLAN:
            plan_gaps(scene, plan, entry, position, context.opposing_zone)
        _head_gaps(scene, score)
        return Signal(
            WIRE_VERSION, str(packet.ts), packet.series, packet.closed,
            _status(scene, state.memory.kind, plan, position), iso(packet.ts), packet.symbol, packet.price,
            scene.market.price_basis, _decision(state, score, shown), entry, position, context,
            _reasons(scene, score, state.memory.kind, plan), None if entry is None else _valid_until(scene),
            None if entry is None else _invalidation(shown, entry),
            _change(state, None if held else state.memory.id), lost,
        )


def _decision(state: Series, score: Score, shown: Kind) -> Decision:
    sentences, by = rationale(state.scene)
    memory: Memory = state.memory
    held: cython.bint = shown == "HOLD"
    return Decision(
        shown, confidence(score.total, shown), score.total, None, None if held else iso(memory.since),
        None if held else memory.id, score.price_only, sentences, by,
    )


def confidence(total: float | None, kind: Kind) -> float | None:
    """Agreement in the direction of the decision: total for BUY, 1 - total for SELL, the larger for HOLD.

    >>> confidence(0.1, "SELL"), confidence(0.4, "HOLD")
    (0.9, 0.6)
    """
    if total is None:
        return None
    return total if kind == "BUY" else to_six(1 - total if kind == "SELL" else max(total, 1 - total))


def _status(scene: Scene, decided: Kind, plan: Plan, position: Position | None) -> Status:
    quality = scene.market.quality
    if not scene.session.open:
        return "closed"
    if scene.health.trading is False:
        return "halted"
    if quality == "stale":
        return "stale"
    if quality == WARMUP or plan.warming:
        return "warming_up"
    if decided == "HOLD":
        return "hold"
    return "active" if position is not None and position.contracts else "blocked"


def _reasons(scene: Scene, score: Score, decided: Kind, plan: Plan) -> list[str]:
    if scene.market.quality == WARMUP:
        return ["this is history ahead of the live stream: no signal is given on it"]
    if decided != "HOLD":
        return plan.vetoes + plan.doubts + plan.notes
    if not scene.session.open:
        return ["the market is closed"]
    if scene.health.trading is False:
        return ["the exchange has halted trading"]
    if score.total is None:
        return [f"no score: {scene.why('score.total', 'no pillar is known')}"]
    if score.reasons:
        return list(score.reasons)
    if not score.active_weight:
        return ["no pillar has anything to say now"]
    return [f"score {number(score.total)} is neither above 0.75 (BUY) nor below 0.25 (SELL)"]


def _valid_until(scene: Scene) -> str:
    """As long as the price it stands on may be used, and not beyond the close."""
    since = scene.packet.ts if scene.market.price_ts is None else int(scene.market.price_ts)
    return iso(min(since + MAX_PRICE_AGE * SECOND, scene.session.closes))


def _invalidation(kind: Kind, entry: Entry) -> str:
    if kind == "BUY":
        return f"score below 0.6 for 10 s, or 0.4 and below; price at {number(entry.stop)}"
    return f"score above 0.4 for 10 s, or 0.6 and above; price at {number(entry.stop)}"


def _change(state: Series, shown: str | None) -> Change | None:
    """Whether an episode opened or closed on what is shown."""
    before, state.last_id = state.last_id, shown
    if before == shown:
        return None
    if before is None:
        return "opened"
    return "closed" if shown is None else "reversed"


def _head_gaps(scene: Scene, score: Score) -> None:
    lost, packet = scene.lost, scene.packet
    if score.total is None:
        lost["signal.score"] = lost["signal.confidence"] = scene.why("score.total", "no pillar is known")
    if packet.symbol is None:
        lost["symbol"] = scene.why("symbol", "the raw symbol is not known")
    if packet.price is None:
        lost["current_price"] = scene.why("price", "no price yet")
    if scene.market.price_basis is None:
        lost["price_basis"] = scene.why("market.price_basis", "no price yet")
