# cython: language_level=3, auto_pickle=False
"""What happens to the liquidity of one series, and what is said of it after each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cython

from qmo_cli.engines.bars import Bars, BarsReading
from qmo_cli.engines.liquidity.book import BookFlow, Recent
from qmo_cli.engines.liquidity.events import events_of, stop_runs
from qmo_cli.engines.liquidity.grabs import Grab, Grabs
from qmo_cli.engines.liquidity.reading import LiquidityReading
from qmo_cli.engines.liquidity.words import AbsorptionLook, Facts, Story, expectation
from qmo_cli.engines.orderflow.flow import Window
from qmo_cli.live_zones import LiveZones, ZoneMemo
from qmo_cli.packets import DepthInput, Health, Inputs, Market, Missing
from qmo_cli.rounding import to_six
from qmo_cli.tray import Packet
from qmo_cli.views import OrderflowView, ZoneView, reason

if TYPE_CHECKING:
    from qmo_cli.engines.liquidity.engine import Liquidity

SECOND = cython.declare(cython.longlong, 1_000_000_000)
WINDOW = cython.declare(cython.longlong, 60)      # s
SMALL_SWEEP = cython.declare(cython.longlong, 3)  # levels
NO_SIDES = "no trade with an aggressor side yet"
LEAVES = (  # that are null together
    ("sweep_balance", "swept_up", "swept_down"), ("failed_break",), ("imbalance",),
    ("stacked_bid", "pulled_bid", "stacked_ask", "pulled_ask"), ("stops",), ("narrative",), ("expectation",),
)


@cython.final
@cython.cclass
class Series:
    """Sweeps, stop runs, grabs, book and story of one series.

    ``blocked``: why no bar can be looked at. ``second``: the newest that a sweep counts in. ``sided``: whether an
    aggressor side was seen. ``failed`` is G as of the last bar, ``grab`` what it is of. ``looked_zones``,
    ``looked_price`` and ``near``: where an iceberg zone was last looked for, and which; ``absorbed_zones`` and
    ``absorbed`` likewise. ``made_of``: what the reasons were made of.
    """

    def __init__(self, engine: Liquidity) -> None:
        self.engine: Liquidity = engine
        self.own_bars = bool(engine.period)
        self.own = Bars(engine.period) if engine.period else Bars()
        self.near_ticks = engine.near_ticks
        self.reasons: dict[str, str] = {}
        self.access = ""
        self.sweeps, self.runs = Recent(), Recent()
        self.story, self.zones = Story(), ZoneMemo()
        self.looked_zones: object = None
        self.looked_price: float | None = None
        self.near: ZoneView | None = None
        self.absorbed_zones: object = None
        self.absorbed: ZoneView | None = None
        self.sided = self.traded = False
        self.begin_contract(-1)

    @cython.ccall
    def advance(self, packet: Packet) -> object:
        """Take in a frame; the reading of its end."""
        inputs: Inputs = packet.read("inputs", Inputs)
        health: Health = packet.read("health", Health)
        trades, depth, orders = inputs.trades, inputs.depth, inputs.orders
        if packet.instrument_id != self.instrument_id:
            self.begin_contract(packet.instrument_id)
        access: str = health.access
        if access != self.access:
            self.access, self.book = access, BookFlow()
        grabs: list = self.look_for_grabs(packet)
        sweeps: list = [] if trades is None else trades.sweeps
        runs: list = [] if orders is None else orders.stops
        if runs:
            runs = stop_runs(runs)
        self.take(sweeps, runs, depth, (packet.ts - 1) // SECOND)
        if trades is None:
            return Missing(f"needs trades, input is {self.access}")
        if trades.trades:
            self.traded, self.sided = True, self.sided or trades.buy + trades.sell > 0
        if not self.traded:
            return Missing("no trade yet")
        events: list = events_of(packet, sweeps, runs, grabs) if sweeps or runs or grabs else []
        return self.reading(packet, depth, events, orders is not None)

    @cython.cfunc
    def begin_contract(self, instrument_id: cython.longlong) -> object:
        """Another contract has another price level and another book."""
        self.instrument_id, self.tick, self.book = instrument_id, None, BookFlow()
        self.begin_grabs()
        self.swept, self.second, self.traded, self.sided = Window(WINDOW), 0, False, False
        self.sweeps.forget()
        self.runs.forget()
        return None

    @cython.cfunc
    def begin_grabs(self) -> object:
        self.grabs = Grabs(self.engine.reversal, self.engine.swings, self.engine.grab_bars)
        self.weigh()
        return None

    @cython.cfunc
    def weigh(self) -> object:
        """How much the last grab counts: that changes with every bar."""
        self.failed: float | None = self.grabs.weight() if self.grabs.known else None
        self.grab: Grab | None = self.grabs.last if self.failed else None
        self.made_of: tuple[object, ...] = ()
        return None

    # --- what is taken in

    @cython.cfunc
    def bars(self, packet: Packet) -> object:
        """The bars whose swings count."""
        if not self.own_bars and "bars" in packet.slots:
            return packet.read("bars", BarsReading)
        made = self.own.update(packet)
        return None if isinstance(made, Missing) else made

    @cython.cfunc
    def look_for_grabs(self, packet: Packet) -> list:
        market: Market = packet.read("market", Market)
        bars: Any = self.bars(packet)
        tick = market.tick
        if tick != self.tick:
            self.tick = tick
            self.begin_grabs()
        if tick is None or bars is None:
            self.blocked = "needs the contract's tick" if tick is None else reason(packet, "bars")
            return []
        self.blocked = ""
        closed: list = bars.closed
        if not closed:
            return []
        found: list = [grab for bar in closed for grab in self.grabs.add(bar, tick)]
        self.weigh()
        return found

    @cython.cfunc
    def take(self, sweeps: list, runs: list, depth: DepthInput, now: cython.longlong) -> object:
        """Put what the frame brought into the windows, which end with the second ``now``."""
        for sweep in sweeps:
            self.second = max(self.second, int(sweep.ts_event) // SECOND)
            bought: cython.bint = sweep.side == "B"
            self.swept.add(self.second, sweep.levels if bought else 0, 0 if bought else sweep.levels, 0)
        self.swept.expire(now)
        self.sweeps.take(sweeps, now)
        self.runs.take(runs, now)
        if depth is not None:
            self.book.take(depth.book, now)
        return None

    # --- what is said

    @cython.cfunc
    def reading(self, packet: Packet, depth: DepthInput, events: list, by_order: cython.bint) -> object:
        up = down = balance = lopsided = None
        if self.sided:
            up, down, balance = self.swept.buy, self.swept.sell, sweep_balance(self.swept.buy, self.swept.sell)
        failed, grab = self.failed, self.grab
        added_bid = removed_bid = added_ask = removed_ask = None
        if depth is not None:
            lopsided = self.book.imbalance.mean(packet.ts // SECOND)
            if depth.added_bid is not None:
                added_bid, removed_bid, added_ask, removed_ask = self.book.moves()
        score: cython.double = liquidity_score(balance, failed, lopsided)
        flow = packet.read("orderflow", OrderflowView)
        absorption = packet.read("absorption", AbsorptionLook)
        story = self.story.tell(self.facts(packet, flow, absorption))
        expected = expectation(
            score, failed, grab, None if flow is None else flow.score, None if absorption is None else absorption.score)
        if (
            balance is None or failed is None or lopsided is None or added_bid is None or story is None
            or expected is None or not by_order or self.reasons
        ):
            known: tuple = (balance, failed, lopsided, added_bid, True if by_order else None, story, expected)
            self.explain(packet, depth, known)
        return LiquidityReading(
            score, bool(balance) or bool(failed), balance, failed, lopsided, up, down, self.sweeps.shown,
            self.sweeps.dropped, self.runs.shown if by_order else None, grab, added_bid, removed_bid, added_ask,
            removed_ask, story, expected, events,
        )

    @cython.cfunc
    def facts(self, packet: Packet, flow: OrderflowView, absorption: AbsorptionLook) -> object:
        known: cython.bint = flow is not None
        return Facts(
            packet.price, flow.delta if known else None, flow.volume if known else None,
            self.swept.buy if self.sided else None, self.swept.sell if self.sided else None, self.sweeps.newest,
            self.grab, 0 if self.grab is None else self.grabs.bars_since(),
            None if absorption is None or not absorption.activity else self.absorbed_in(absorption.zones),
            self.nearest(packet),
        )

    @cython.cfunc
    def absorbed_in(self, zones: list) -> object:
        """The zone in which something was absorbed last; looked for again when the zones have changed."""
        if zones is not self.absorbed_zones:
            self.absorbed_zones = zones
            self.absorbed = max(zones, key=last_seen, default=None)
        return self.absorbed

    @cython.cfunc
    def nearest(self, packet: Packet) -> object:
        """The nearest live iceberg zone in reach; looked for again when zones or price have changed."""
        price = packet.price
        zones: LiveZones = self.zones.of(packet)
        if price is None or self.tick is None or not zones.zones:
            return None
        if zones is self.looked_zones and price == self.looked_price:
            return self.near
        self.looked_zones, self.looked_price, self.near = zones, price, None
        tick: cython.double = self.tick
        here: cython.double = price
        least: cython.double = (self.near_ticks + 0.001) * tick  # zone edges are whole ticks: no float slips
        for zone in zones.around(here):
            if zone is None:
                continue
            low: cython.double = zone.low
            high: cython.double = zone.high
            gap: cython.double = max(0.0, low - here, here - high)
            if gap < least:
                self.near, least = zone, gap
        return self.near

    @cython.cfunc
    def explain(self, packet: Packet, depth: DepthInput, known: tuple) -> object:
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
            return None
        self.made_of = made_of
        no_move, no_level = no_book(packet, depth)
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
        return None


def no_book(packet: Packet, depth: DepthInput | None) -> tuple[str, str]:
    """Why pulls and stacks, and the imbalance, are not known."""
    if depth is None:
        return (packet.missing.get("inputs.depth", "needs mbp-10 or mbo"),) * 2
    no_move = packet.missing.get("inputs.depth.added_bid", "needs mbp-10 or mbo")
    return no_move, "no order displayed yet" if len(depth.mlofi) > 1 else no_move


def last_seen(zone: ZoneView) -> tuple[int, str]:
    """When evidence of a zone was last seen; of equals the id decides."""
    return int(zone.last_seen), zone.id


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
