# cython: language_level=3, auto_pickle=False
"""Liquidity: sweeps, stop runs and grabs, what was stacked and pulled, how lopsided the book is, and the story of it.

All windows are event time in whole seconds, or closed bars, so that no number depends on the frame's length.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cython

from qmo_cli.engines.bars import Bars, BarsReading
from qmo_cli.engines.liquidity.book import BookFlow, MeanImbalance
from qmo_cli.engines.liquidity.events import LiquidityEvent, StopRun, events_of, stop_runs
from qmo_cli.engines.liquidity.grabs import Grab, Grabs
from qmo_cli.engines.liquidity.reading import LiquidityReading
from qmo_cli.engines.liquidity.words import AbsorptionLook, Facts, Story, expectation
from qmo_cli.engines.orderflow.flow import Window
from qmo_cli.engines.rolls import STAY, Contract
from qmo_cli.errors import ConfigurationError
from qmo_cli.live_zones import LiveZones, ZoneMemo
from qmo_cli.packets import DepthInput, Health, Inputs, Market, Missing, Reading, Sweep
from qmo_cli.rounding import to_six
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet
from qmo_cli.views import OrderflowView, ZoneView, reason

WINDOW = 60     # s
SHOWN = 8       # sweeps and stop runs of the window that a packet shows
SMALL_SWEEP = 3  # levels
NO_SIDES = "no trade with an aggressor side yet"
Moves = tuple[int | None, int | None, int | None, int | None]
NO_MOVES: Moves = (None, None, None, None)
LEAVES = (  # that are null together
    ("sweep_balance", "swept_up", "swept_down"), ("failed_break",), ("imbalance",),
    ("stacked_bid", "pulled_bid", "stacked_ask", "pulled_ask"), ("stops",), ("narrative",), ("expectation",),
)


@dataclass(slots=True)
class Liquidity:
    """Sweeps, stop runs, liquidity grabs, pulled and stacked size, book imbalance, and the story that they make."""

    name: ClassVar[str] = "liquidity"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "depth", "orders", "bars", "iceberg", "orderflow"})
    reading: ClassVar[type[Reading]] = LiquidityReading

    period: str = field(default="", metadata={
        "help": "Length of the bars whose swings count; empty: those of engine bars, or 15m without it."})
    reversal: float = field(default=3.0, metadata={"help": "ATR(14) that a close must come back to confirm a swing."})
    swings: int = field(default=10, metadata={"help": "Newest swings that can be grabbed."})
    grab_bars: int = field(default=6, metadata={"help": "Bars for which a grab counts."})
    near_ticks: float = field(default=20.0, metadata={"help": "An iceberg zone this near the price is told of."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    access: str = field(default="", init=False)
    tick: float | None = field(default=None, init=False)
    contract: Contract = field(default_factory=Contract, init=False)
    own: Bars = field(init=False)
    grabs: Grabs = field(init=False)
    blocked: str = field(default="", init=False)    # why no bar can be looked at
    book: BookFlow = field(default_factory=BookFlow, init=False)
    swept: Window = field(default_factory=lambda: Window(WINDOW), init=False)
    second: int = field(default=0, init=False)      # newest that a sweep counts in
    recent: deque[Sweep] = field(default_factory=deque, init=False)
    runs: deque[StopRun] = field(default_factory=deque, init=False)
    sided: bool = field(default=False, init=False)  # whether an aggressor side was seen
    traded: bool = field(default=False, init=False)
    story: Story = field(default_factory=Story, init=False)
    zones: ZoneMemo = field(default_factory=ZoneMemo, init=False)
    looked: tuple[object, float | None, ZoneView | None] = field(default=(None, None, None), init=False)
    absorbed: tuple[object, ZoneView | None] = field(default=(None, None), init=False)  # zones, the one seen last
    made_of: tuple[object, ...] = field(default=(), init=False)  # what the reasons were made of
    failed: float | None = field(default=None, init=False)       # G, as of the last bar
    grab: Grab | None = field(default=None, init=False)          # what it is of
    shown: tuple[list[Sweep], int] = field(default=([], 0), init=False)
    stops: list[StopRun] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if not self.reversal > 0 or self.swings < 1 or self.grab_bars < 0:
            raise ConfigurationError("liquidity: reversal above 0, swings from 1 and grab_bars from 0 expected")
        self.own = Bars(self.period) if self.period else Bars()
        self._new_contract(-1)

    def update(self, packet: Packet) -> LiquidityReading | Missing:
        inputs: Inputs = packet.read("inputs", Inputs)
        health: Health = packet.read("health", Health)
        trades, depth, orders = inputs.trades, inputs.depth, inputs.orders
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet.instrument_id)
        if health.access != self.access:
            self.access, self.book = health.access, BookFlow()
        grabs = self._look_for_grabs(packet)
        sweeps = [] if trades is None else trades.sweeps
        runs = stop_runs(orders.stops) if orders is not None and orders.stops else []
        now: cython.longlong = packet.ts
        self._take(sweeps, runs, depth, (now - 1) // SECOND)
        if trades is None:
            return Missing(f"needs trades, input is {self.access}")
        if trades.trades:
            self.traded, self.sided = True, self.sided or trades.buy + trades.sell > 0
        if not self.traded:
            return Missing("no trade yet")
        happened = bool(sweeps or runs or grabs)
        events = events_of(packet, sweeps, runs, grabs) if happened else []
        return self._reading(packet, depth, events, by_order=orders is not None)

    def _new_contract(self, instrument_id: int) -> None:
        """Another contract has another price level and another book."""
        self.instrument_id, self.tick, self.book = instrument_id, None, BookFlow()
        self._new_grabs()
        self.swept, self.second, self.traded, self.sided = Window(WINDOW), 0, False, False
        self.recent.clear()
        self.runs.clear()
        self.shown, self.stops = ([], 0), []

    def _new_grabs(self) -> None:
        self.grabs = Grabs(self.reversal, self.swings, self.grab_bars)
        self._weigh()

    def _weigh(self) -> None:
        """How much the last grab counts: that changes with every bar."""
        self.failed = self.grabs.weight() if self.grabs.known else None
        self.grab = self.grabs.last if self.failed else None
        self.made_of = ()

    # --- what is taken in

    def _bars(self, packet: Packet) -> BarsReading | None:
        """The bars whose swings count."""
        if not self.period and "bars" in packet.slots:
            found: BarsReading | None = packet.read("bars", BarsReading)
            return found
        made = self.own.update(packet)
        return None if isinstance(made, Missing) else made

    def _look_for_grabs(self, packet: Packet) -> list[Grab]:
        market: Market = packet.read("market", Market)
        bars, tick = self._bars(packet), market.tick
        if self.contract.follow(packet) != STAY or tick != self.tick:  # bars go on over a roll, swings begin anew
            self.tick = tick
            self._new_grabs()
        if tick is None or bars is None:
            self.blocked = "needs the contract's tick" if tick is None else reason(packet, "bars")
            return []
        self.blocked = ""
        if not bars.closed:
            return []
        found = [grab for bar in bars.closed for grab in self.grabs.add(bar, tick)]
        self._weigh()
        return found

    def _take(
        self, sweeps: list[Sweep], runs: list[StopRun], depth: DepthInput | None, now: cython.longlong,
    ) -> None:
        """Put what the frame brought into the windows, which end with the second ``now``."""
        swept: Window = self.swept
        for sweep in sweeps:
            self.second = max(self.second, int(sweep.ts_event) // SECOND)
            bought: cython.bint = sweep.side == "B"
            swept.add(self.second, sweep.levels if bought else 0, 0 if bought else sweep.levels, 0)
        swept.expire(now)
        if (sweeps or self.recent) and keep(self.recent, sweeps, now):
            self.shown = newest(self.recent)
        if (runs or self.runs) and keep(self.runs, runs, now):
            self.stops = newest(self.runs)[0]
        if depth is not None:
            book: BookFlow = self.book
            book.take(depth.book, now)

    # --- what is said

    def _reading(
        self, packet: Packet, depth: DepthInput | None, events: list[LiquidityEvent], *, by_order: bool,
    ) -> LiquidityReading:
        swept: Window = self.swept
        book: BookFlow = self.book
        mean: MeanImbalance = book.imbalance
        now: cython.longlong = packet.ts
        up, down = (swept.buy, swept.sell) if self.sided else (None, None)
        balance = None if up is None else sweep_balance(swept.buy, swept.sell)
        failed, grab = self.failed, self.grab
        lopsided = None if depth is None else mean.mean(now // SECOND)
        moves: Moves = NO_MOVES if depth is None or depth.added_bid is None else book.moves()
        score = liquidity_score(balance, failed, lopsided)
        flow: OrderflowView | None = packet.read("orderflow", OrderflowView)
        absorption: AbsorptionLook | None = packet.read("absorption", AbsorptionLook)
        told: Story = self.story
        story = told.tell(self._facts(packet, flow, absorption))
        expected = expectation(
            score, failed, grab, None if flow is None else flow.score, None if absorption is None else absorption.score)
        if (
            balance is None or failed is None or lopsided is None or moves[0] is None or story is None
            or expected is None or not by_order or self.reasons
        ):
            self._explain(packet, depth, (balance, failed, lopsided, moves[0], by_order or None, story, expected))
        shown, dropped = self.shown
        added_bid, removed_bid, added_ask, removed_ask = moves
        return LiquidityReading(
            score, bool(balance) or bool(failed), balance, failed, lopsided, up, down, shown, dropped,
            self.stops if by_order else None, grab, added_bid, removed_bid, added_ask, removed_ask, story, expected,
            events,
        )

    def _facts(self, packet: Packet, flow: OrderflowView | None, absorption: AbsorptionLook | None) -> Facts:
        swept: Window = self.swept
        sided: cython.bint = self.sided
        return Facts(
            packet.price, None if flow is None else flow.delta, None if flow is None else flow.volume,
            swept.buy if sided else None, swept.sell if sided else None, self.recent[-1] if self.recent else None,
            self.grab, 0 if self.grab is None else self.grabs.bars_since(),
            None if absorption is None or not absorption.activity else self._absorbed(absorption.zones),
            self._near(packet),
        )

    def _absorbed(self, zones: list[ZoneView]) -> ZoneView | None:
        """The zone in which something was absorbed last; looked for again when the zones have changed."""
        if zones is not self.absorbed[0]:
            self.absorbed = zones, max(zones, key=lambda zone: (int(zone.last_seen), zone.id), default=None)
        return self.absorbed[1]

    def _near(self, packet: Packet) -> ZoneView | None:
        """The nearest live iceberg zone in reach; looked for again when zones or price have changed."""
        memo: ZoneMemo = self.zones
        price, best = packet.price, None
        zones: LiveZones = memo.of(packet)
        if price is None or self.tick is None or not zones.zones:
            return None
        if zones is self.looked[0] and price == self.looked[1]:
            return self.looked[2]
        least = (self.near_ticks + 0.001) * self.tick  # zone edges are whole ticks: no float slips
        for zone in zones.around(price):
            gap = least + 1 if zone is None else max(0.0, zone.low - price, price - zone.high)
            if gap < least:
                best, least = zone, gap
        self.looked = zones, price, best
        return best

    def _explain(self, packet: Packet, depth: DepthInput | None, known: tuple[object, ...]) -> None:
        """Reasons of what is null; worked out again when that, or what they are made of, changes."""
        nulls: cython.int = 0
        for value in known:
            nulls = 2 * nulls + (value is None)
        missing = packet.missing
        made_of = (
            nulls, self.blocked, self.access, depth is None, "orderflow" in packet.slots, missing.get("orderflow"),
            missing.get("inputs.depth"), missing.get("inputs.orders"), missing.get("inputs.depth.added_bid"),
        )
        if made_of == self.made_of:
            return
        self.made_of = made_of
        no_move, no_level = self._no_book(packet, depth)
        why = (
            NO_SIDES, self.blocked or self.grabs.why_not, no_level, no_move,
            packet.missing.get("inputs.orders", "needs mbo"),
            f"nothing swept or grabbed, no zone near; order flow: {reason(packet, 'orderflow')}",
            reason(packet, "orderflow"),
        )
        self.reasons = {
            leaf: words for value, words, leaves in zip(known, why, LEAVES, strict=True) if value is None
            for leaf in leaves
        }

    def _no_book(self, packet: Packet, depth: DepthInput | None) -> tuple[str, str]:
        """Why pulls and stacks, and the imbalance, are not known."""
        if depth is None:
            return (packet.missing.get("inputs.depth", "needs mbp-10 or mbo"),) * 2
        no_move = packet.missing.get("inputs.depth.added_bid", "needs mbp-10 or mbo")
        return no_move, "no order displayed yet" if len(depth.mlofi) > 1 else no_move


@cython.ccall
@cython.exceptval(-9, check=True)
def sweep_balance(up: cython.longlong, down: cython.longlong) -> cython.double:
    """S = (up - down)/(up + down + 3), levels: one sweep of three levels alone gives .5.

    >>> sweep_balance(3, 0), sweep_balance(4, 12)
    (0.5, -0.421053)
    """
    lean: cython.double = up - down
    return to_six(lean / (up + down + SMALL_SWEEP))


@cython.ccall
@cython.exceptval(-9, check=True)
def liquidity_score(balance: Any, failed: Any, lopsided: Any) -> cython.double:
    """.5 + .5 clip(.5 S + .3 G + .2 I, -1, 1); what is not known adds nothing.

    >>> liquidity_score(0.5, 1.0, 0.2), liquidity_score(-0.5, None, None)
    (0.795, 0.375)
    """
    lean: cython.double = 0.5 * (balance or 0.0) + 0.3 * (failed or 0.0) + 0.2 * (lopsided or 0.0)
    return to_six(0.5 + 0.5 * max(-1.0, min(1.0, lean)))


def keep(kept: deque[Any], fresh: list[Any], now: cython.longlong) -> bool:
    """Add what is fresh, and forget what is older than the window that ends with the second ``now``; True: it changed.
    """
    changed = len(fresh) > 0
    kept.extend(fresh)
    oldest: cython.longlong = (now - WINDOW + 1) * SECOND
    while kept and int(kept[0].ts_event) < oldest:
        kept.popleft()
        changed = True
    return changed


def newest(kept: deque[Any]) -> tuple[list[Any], int]:
    """The last few, and how many are left out."""
    return list(kept)[-SHOWN:], max(0, len(kept) - SHOWN)
