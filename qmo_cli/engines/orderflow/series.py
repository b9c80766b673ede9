# cython: language_level=3, auto_pickle=False
"""The order flow of one series, as it stands after each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cython

from qmo_cli.engines.orderflow.flow import (
    MINUTES_FOR_HEAT,
    Anchored,
    BookWindow,
    Minutes,
    Window,
    flow_score,
    less_absorbed,
)
from qmo_cli.engines.orderflow.reading import Cluster, Imbalance, OrderflowReading, Stack
from qmo_cli.engines.orderflow.vpin import Vpin
from qmo_cli.market.profile import Profile
from qmo_cli.packets import DepthInput, Health, Inputs, Market, Missing, TradesInput
from qmo_cli.rounding import to_six
from qmo_cli.sessions import session
from qmo_cli.tray import Packet
from qmo_cli.views import AbsorptionView, reason

if TYPE_CHECKING:
    from qmo_cli.engines.orderflow.engine import Orderflow

SECOND = cython.declare(cython.longlong, 1_000_000_000)
MINUTE = cython.declare(cython.longlong, 60)  # s
WINDOW = 60        # s: W
LONG_WINDOW = 300  # s: L
RANKS = 10         # of the book that are told where the source shows them
MILLION = cython.declare(cython.double, 1e6)


@cython.final
@cython.cclass
class Series:
    """The windows, minutes and sums of one series, and its contract's places.

    ``day_end`` in s; ``reasoned``: what the reasons were made of. ``imbalances``, ``stacked`` and ``clusters`` are as
    of the last whole minute; ``area``: low, POC and high in ticks, ``poc``, ``vah`` and ``val`` its prices.
    """

    def __init__(self, engine: Orderflow) -> None:
        self.engine: Orderflow = engine
        self.enough = engine.enough
        self.large_minimum, self.large_multiple = engine.large_minimum, engine.large_multiple
        self.instrument_id, self.day_end, self.anchor, self.access = -1, 0, "", ""
        self.reasons: dict[str, str] = {}
        self.reasoned: tuple[object, ...] = ()
        self.short, self.long, self.book = Window(WINDOW), Window(LONG_WINDOW), BookWindow(WINDOW)
        self.minutes, self.vpin = Minutes(), Vpin(engine.vpin_bucket, engine.vpin_buckets)
        self.vwap = self.deviation = 0.0
        self.bands: list[float] = []
        self.forget_levels()

    @cython.ccall
    def advance(self, packet: Packet) -> object:
        """Take in a frame; the reading of its end."""
        inputs: Inputs = packet.read("inputs", Inputs)
        trades, depth = inputs.trades, inputs.depth
        if trades is None:
            health: Health = packet.read("health", Health)
            return Missing(f"needs trades, input is {health.access}")
        market: Market = packet.read("market", Market)
        if packet.instrument_id != self.instrument_id:
            self.begin_contract(packet.instrument_id)
        self.look_at_book(packet, depth)
        rows: list = trades.seconds
        if rows:
            self.take(trades, rows, market.tick)
            self.vpin.add(rows)
        self.pass_time(packet, market.tick)
        if self.since.volume == 0:
            return Missing("no trade yet")
        return self.reading(packet, market, trades, depth)

    # --- what is taken in

    @cython.cfunc
    def look_at_book(self, packet: Packet, depth: DepthInput) -> object:
        """What flows in the book; another view of it begins anew, for it shows other levels."""
        access: str = ""
        if depth is not None:
            health: Health = packet.read("health", Health)
            access = health.access
        if access != self.access:
            self.access, self.book = access, BookWindow(WINDOW)
        if depth is None:
            return None
        flows: list = depth.flows
        if flows:
            self.book.add(flows)
        self.book.expire((packet.ts - 1) // SECOND)
        return None

    @cython.cfunc
    def pass_time(self, packet: Packet, tick: Any) -> object:
        """Windows, minutes and buckets move on to the frame's end."""
        now: cython.longlong = packet.ts
        self.vpin.advance(now // SECOND if packet.closed else None)
        self.short.expire((now - 1) // SECOND)
        self.long.expire((now - 1) // SECOND)
        minute: cython.longlong = now // SECOND // MINUTE
        if not packet.closed:
            self.minutes.forget(minute)
        elif self.minutes.close_before(minute):
            self.find_places(tick)
        return None

    @cython.cfunc
    def take(self, trades: TradesInput, rows: list, tick: Any) -> object:
        """A frame with trades."""
        first: cython.longlong = rows[0].second
        if first >= self.day_end:
            self.begin_day(first)
        if self.minutes.close_before(first // MINUTE):
            self.find_places(tick)
        closed: cython.bint = False
        for row in rows:
            second: cython.longlong = row.second
            buy: cython.longlong = row.buy
            sell: cython.longlong = row.sell
            none: cython.longlong = row.none
            self.short.add(second, buy, sell, none)
            self.long.add(second, buy, sell, none)
            closed = self.minutes.add(second, buy, sell, none) or closed
        self.since.add(trades, tick)
        if closed:  # within this frame, whose trades at a price cannot be told apart by minute
            self.find_places(tick)
        if self.since.volume:
            self.find_levels(tick)
        return None

    @cython.cfunc
    def begin_day(self, second: cython.longlong) -> object:
        here = session(second * SECOND)
        self.day_end, self.anchor = here.day_end // SECOND, f"open of trade date {here.trade_date}"
        self.forget_levels()
        return None

    @cython.cfunc
    def begin_contract(self, instrument_id: cython.longlong) -> object:
        """Another contract trades at another level; its flow is comparable, its prices are not."""
        self.instrument_id, self.access = instrument_id, ""
        self.forget_levels()
        return None

    @cython.cfunc
    def forget_levels(self) -> object:
        self.since = Anchored()
        self.imbalances: list[Imbalance] = []
        self.stacked: list[Stack] = []
        self.clusters: list[Cluster] = []
        self.area: tuple[int, int, int] | None = None
        self.poc: float | None = None
        self.vah: float | None = None
        self.val: float | None = None
        return None

    @cython.cfunc
    def find_levels(self, tick: Any) -> object:
        """Value area, VWAP and its bands, after every trade."""
        mean: cython.longlong
        deviation: cython.longlong
        profile: Profile = self.since.profile
        mean, deviation = self.since.vwap()
        self.vwap, self.deviation = mean / MILLION, deviation / MILLION
        self.bands = [
            (mean - 2 * deviation) / MILLION, (mean - deviation) / MILLION, (mean + deviation) / MILLION,
            (mean + 2 * deviation) / MILLION,
        ]
        if tick is not None and profile.volume == self.since.volume:
            area = profile.value_area(self.engine.value_area)
            if area != self.area:
                low, poc, high = self.area = area
                self.poc, self.vah, self.val = round(poc * tick, 9), round(high * tick, 9), round(low * tick, 9)
        return None

    @cython.cfunc
    def find_places(self, tick: Any) -> object:
        """Imbalances, stacks and clusters: looked for at the end of every minute that traded, they change slowly."""
        profile: Profile = self.since.profile
        if tick is None or profile.volume == 0:
            return None
        engine = self.engine
        found: list = profile.imbalances(engine.imbalance_ratio, engine.imbalance_minimum)
        self.imbalances = [Imbalance(round(place * tick, 9), "B" if side > 0 else "A") for place, side in found]
        self.stacked = [
            Stack(round(low * tick, 9), round(high * tick, 9), "B" if side > 0 else "A")
            for low, high, side in stacks(found, engine.stack)]
        self.clusters = [
            Cluster(round(low * tick, 9), round(high * tick, 9), volume)
            for low, high, volume in profile.clusters(engine.cluster_width)]
        return None

    # --- what is said

    @cython.cfunc
    def large(self, prints: list, depth: DepthInput) -> list:
        """Prints that stand out; the packet has the largest first."""
        large: list = []
        for one in prints:
            size: cython.longlong = one.size
            if size < self.large_minimum:
                break
            large.append(one)
        levels: list = [*depth.bids, *depth.asks] if large and depth is not None else []
        if levels:
            average = sum([level.size for level in levels]) / len(levels)
            large = [one for one in large if one.size >= self.large_multiple * average]
        return large

    @cython.cfunc
    def reading(self, packet: Packet, market: Market, trades: TradesInput, depth: DepthInput) -> object:
        short: Window = self.short
        long: Window = self.long
        usual: cython.double = self.minutes.usual
        delta: cython.longlong = short.buy - short.sell
        sided: cython.longlong = short.buy + short.sell
        volume: cython.longlong = sided + short.none
        delta_long: cython.longlong = long.buy - long.sell
        volume_long: cython.longlong = long.buy + long.sell + long.none
        heat = self.minutes.heat(abs(delta))
        score: cython.double = flow_score(delta, volume, delta_long, volume_long, usual, heat)
        absorbed = packet.read("absorption", AbsorptionView)
        absorbed_buy = absorbed_sell = None
        if absorbed is not None:
            absorbed_buy, absorbed_sell = absorbed.absorbed_buy, absorbed.absorbed_sell
        if absorbed_buy is not None and absorbed_sell is not None:
            score = less_absorbed(score, short.buy, short.sell, absorbed_buy, absorbed_sell)
        middle = weighted_mid(market)
        mlofi = None if depth is None else self.book.sums(1 if self.access == "mbp-1" else RANKS)
        known: cython.bint = (
            heat is not None and middle is not None and self.area is not None and self.vpin.value is not None)
        if not known or absorbed is None or depth is None or self.reasons:
            self.explain(packet, heat is None, middle is None, absorbed is None, depth is None)
        prints: list = trades.prints
        return OrderflowReading(
            score, sided > 0 and sided >= self.enough * usual, delta, volume, delta_long, volume_long, short.none,
            self.since.cvd, self.anchor, bias(score), heat, self.vwap, self.deviation, self.bands, self.poc, self.vah,
            self.val, None if mlofi is None else mlofi[0], mlofi, self.vpin.value, absorbed_buy, absorbed_sell, middle,
            self.large(prints, depth) if prints else [], self.imbalances, self.stacked, self.clusters,
        )

    @cython.cfunc
    def explain(
        self, packet: Packet, cold: cython.bint, unquoted: cython.bint, unabsorbed: cython.bint, bookless: cython.bint,
    ) -> object:
        why = reason(packet, "absorption") if unabsorbed else ""
        book = packet.missing.get("inputs.depth", "needs depth") if bookless else ""
        minutes = len(self.minutes.deltas) if cold else -1
        buckets = len(self.vpin.buckets) if self.vpin.value is None else -1
        made_of = minutes, self.area is None, unquoted, why, book, buckets
        if made_of == self.reasoned:
            return None
        reasons: dict[str, str] = {}
        if cold:
            reasons["heat"] = f"{minutes} of {MINUTES_FOR_HEAT} minutes"
        if self.area is None:
            reasons |= dict.fromkeys(("poc", "vah", "val"), "needs the contract's tick")
        if unquoted:
            reasons["weighted_mid"] = "needs a bid and an ask"
        if buckets >= 0:
            reasons["vpin"] = f"{buckets} of {self.vpin.number} buckets of {self.vpin.size} contracts"
        if book:
            reasons |= dict.fromkeys(("ofi", "mlofi"), book)
        if why:
            reasons |= dict.fromkeys(("absorbed_buy", "absorbed_sell"), why)
        self.reasons, self.reasoned = reasons, made_of
        return None


@cython.ccall
def bias(score: cython.double) -> str:
    """BUY from .55, SELL to .45."""
    return "BUY" if score >= 0.55 else "SELL" if score <= 0.45 else "NEUTRAL"


@cython.ccall
def weighted_mid(market: Market) -> object:
    """(ask x bid size + bid x ask size) / (bid size + ask size)."""
    bid, ask, bid_size, ask_size = market.bid, market.ask, market.bid_size, market.ask_size
    if bid is None or ask is None or bid_size is None or ask_size is None or bid_size + ask_size == 0:
        return None
    below: cython.double = bid
    above: cython.double = ask
    bids: cython.double = bid_size
    asks: cython.double = ask_size
    return to_six((above * bids + below * asks) / (bids + asks))


def stacks(found: list[tuple[int, int]], least: int) -> list[tuple[int, int, int]]:
    """(low, high, side) of ``least`` or more imbalances of one side on consecutive ticks."""
    runs: list[tuple[int, int, int]] = []
    for side in (1, -1):
        places = [place for place, its_side in found if its_side == side]
        start = 0
        for index in range(1, len(places) + 1):
            if index == len(places) or places[index] != places[index - 1] + 1:
                if index - start >= least:
                    runs.append((places[start], places[index - 1], side))
                start = index
    return sorted(runs)
