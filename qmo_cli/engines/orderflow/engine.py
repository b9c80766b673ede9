# cython: language_level=3, auto_pickle=False
"""Order flow: who was aggressive, how unusual that is, and where it traded.

All windows are event time in whole seconds, so that no number depends on the frame's length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import cython

from qmo_cli.engines.orderflow.flow import (
    MINUTE,
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
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import DepthInput, Health, Market, Missing, Print, Reading, TradesInput
from qmo_cli.rounding import to_six
from qmo_cli.sessions import session
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet
from qmo_cli.views import AbsorptionView, reason

WINDOW = 60        # s: W
LONG_WINDOW = 300  # s: L
RANKS = 10         # of the book that are told where the source shows them
MILLION = 1e6
NO_LEVELS: tuple[None, None, None] = (None, None, None)


@dataclass(slots=True)
class Orderflow:
    """Delta, CVD, VWAP, volume profile and their unusual places, from trades with an aggressor side."""

    name: ClassVar[str] = "orderflow"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "absorption"})
    reading: ClassVar[type[Reading]] = OrderflowReading

    value_area: float = field(default=0.70, metadata={"help": "Share of the volume inside the value area."})
    enough: float = field(default=0.5, metadata={
        "help": "Flow speaks when 60 s hold this share of a usual minute's volume."})
    imbalance_ratio: float = field(default=4.0, metadata={"help": "Volume against volume that makes an imbalance."})
    imbalance_minimum: int = field(default=10, metadata={"help": "Contracts below which there is no imbalance."})
    stack: int = field(default=3, metadata={"help": "Consecutive imbalances that make a stack."})
    cluster_width: float = field(default=3.0, metadata={"help": "Robust deviations above the median of a cluster."})
    large_minimum: int = field(default=20, metadata={"help": "Contracts below which no print is large."})
    large_multiple: float = field(default=3.0, metadata={
        "help": "A large print is this many times the average displayed level, where depth is known."})

    vpin_bucket: int = field(default=3000, metadata={
        "help": "Contracts of a VPIN bucket; a fiftieth of a usual day's volume is customary."})
    vpin_buckets: int = field(default=50, metadata={"help": "Buckets that VPIN looks back on."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    day_end: int = field(default=0, init=False)  # s
    anchor: str = field(default="", init=False)
    access: str = field(default="", init=False)
    reasoned: tuple[object, ...] = field(default=(), init=False)  # what the reasons were made of
    short: Window = field(default_factory=lambda: Window(WINDOW), init=False)
    book: BookWindow = field(default_factory=lambda: BookWindow(WINDOW), init=False)
    long: Window = field(default_factory=lambda: Window(LONG_WINDOW), init=False)
    minutes: Minutes = field(default_factory=Minutes, init=False)
    since: Anchored = field(default_factory=Anchored, init=False)
    places: tuple[list[Imbalance], list[Stack], list[Cluster]] = field(default_factory=lambda: ([], [], []), init=False)
    area: tuple[int, int, int] | None = field(default=None, init=False)  # low, POC, high in ticks
    levels: tuple[float | None, float | None, float | None] = field(default=NO_LEVELS, init=False)
    average: tuple[float, float, list[float]] = field(default=(0.0, 0.0, []), init=False)
    vpin: Vpin = field(init=False)

    def __post_init__(self) -> None:
        for name in ("vpin_bucket", "vpin_buckets"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"orderflow.{name}={getattr(self, name)}: 1 or more expected")
        self.vpin = Vpin(self.vpin_bucket, self.vpin_buckets)

    def update(self, packet: Packet) -> OrderflowReading | Missing:
        inputs = packet.inputs
        trades = inputs.trades
        if trades is None:
            return Missing(f"needs trades, input is {packet.health.access}")
        market = packet.market
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet.instrument_id)
        self._look_at_book(packet, inputs.depth)
        if trades.seconds:
            self._take(trades, market.tick)
            self.vpin.add(trades.seconds)
        now: cython.longlong = packet.ts
        self.vpin.advance(now // SECOND if packet.closed else None)
        self._pass_time(now, market.tick, packet.closed)
        if self.since.volume == 0:
            return Missing("no trade yet")
        return self._reading(packet, market, trades, inputs.depth)

    def _look_at_book(self, packet: Packet, depth: DepthInput | None) -> None:
        """What flows in the book; another view of it begins anew, for it shows other levels."""
        access = ""
        if depth is not None:
            health: Health = packet.read("health", Health)
            access = health.access
        if access != self.access:
            self.access, self.book = access, BookWindow(WINDOW)
        if depth is None:
            return
        book: BookWindow = self.book
        if depth.flows:
            book.add(depth.flows)
        now: cython.longlong = packet.ts
        book.expire((now - 1) // SECOND)

    def _pass_time(self, now: cython.longlong, tick: float | None, closed: bool) -> None:
        """Windows and minutes move on to the frame's end."""
        minutes: Minutes = self.minutes
        short: Window = self.short
        long: Window = self.long
        short.expire((now - 1) // SECOND)
        long.expire((now - 1) // SECOND)
        minute: cython.longlong = now // SECOND // MINUTE
        if not closed:
            minutes.forget(minute)
        elif minutes.close_before(minute):
            self._find_places(tick)

    def _take(self, trades: TradesInput, tick: float | None) -> None:
        short: Window = self.short
        long: Window = self.long
        minutes: Minutes = self.minutes
        first: cython.longlong = trades.seconds[0].second
        if first >= self.day_end:
            self._new_day(first)
        since: Anchored = self.since
        if minutes.close_before(first // MINUTE):
            self._find_places(tick)
        closed: cython.bint = False
        for row in trades.seconds:
            second, buy, sell, none = row.second, row.buy, row.sell, row.none
            short.add(second, buy, sell, none)
            long.add(second, buy, sell, none)
            closed = minutes.add(second, buy, sell, none) or closed
        since.add(trades, tick)
        if closed:  # within this frame, whose trades at a price cannot be told apart by minute
            self._find_places(tick)
        if since.volume:
            self._find_levels(tick)

    def _find_levels(self, tick: float | None) -> None:
        """Value area, VWAP and its bands, after every trade."""
        since: Anchored = self.since
        mean: cython.longlong
        deviation: cython.longlong
        mean, deviation = since.vwap()
        self.average = mean / MILLION, deviation / MILLION, [
            (mean - 2 * deviation) / MILLION, (mean - deviation) / MILLION, (mean + deviation) / MILLION,
            (mean + 2 * deviation) / MILLION,
        ]
        if tick is not None and since.profile.volume == since.volume:
            area = since.profile.value_area(self.value_area)
            if area != self.area:
                low, poc, high = self.area = area
                self.levels = round(poc * tick, 9), round(high * tick, 9), round(low * tick, 9)

    def _new_day(self, second: int) -> None:
        here = session(second * SECOND)
        self.day_end, self.anchor = here.day_end // SECOND, f"open of trade date {here.trade_date}"
        self._forget_levels()

    def _new_contract(self, instrument_id: int) -> None:
        """Another contract trades at another level; its flow is comparable, its prices are not."""
        self.instrument_id, self.access = instrument_id, ""
        self._forget_levels()

    def _forget_levels(self) -> None:
        self.since = Anchored()
        self.places, self.area, self.levels = ([], [], []), None, NO_LEVELS

    def _find_places(self, tick: float | None) -> None:
        """Imbalances, stacks and clusters: looked for at the end of every minute that traded, they change slowly."""
        if tick is None or self.since.profile.volume == 0:
            return
        profile = self.since.profile
        found = profile.imbalances(self.imbalance_ratio, self.imbalance_minimum)
        self.places = (
            [Imbalance(round(place * tick, 9), "B" if side > 0 else "A") for place, side in found],
            [Stack(round(low * tick, 9), round(high * tick, 9), "B" if side > 0 else "A")
             for low, high, side in stacks(found, self.stack)],
            [Cluster(round(low * tick, 9), round(high * tick, 9), volume)
             for low, high, volume in profile.clusters(self.cluster_width)],
        )

    def _large(self, trades: TradesInput, depth: DepthInput | None) -> list[Print]:
        least: cython.longlong = self.large_minimum
        large = [one for one in trades.prints if one.size >= least]
        levels = [*depth.bids, *depth.asks] if large and depth is not None else []
        if levels:
            average = sum([level.size for level in levels]) / len(levels)
            large = [one for one in large if one.size >= self.large_multiple * average]
        return large

    def _reading(
        self, packet: Packet, market: Market, trades: TradesInput, depth: DepthInput | None,
    ) -> OrderflowReading:
        short: Window = self.short
        long: Window = self.long
        minutes: Minutes = self.minutes
        since: Anchored = self.since
        delta: cython.longlong = short.buy - short.sell
        sided: cython.longlong = short.buy + short.sell
        volume: cython.longlong = sided + short.none
        delta_long: cython.longlong = long.buy - long.sell
        volume_long: cython.longlong = long.buy + long.sell + long.none
        heat = minutes.heat(abs(delta))
        score: cython.double = flow_score(delta, volume, delta_long, volume_long, minutes.usual, heat)
        absorbed = packet.read("absorption", AbsorptionView)
        absorbed_buy = absorbed_sell = None
        if absorbed is not None:
            absorbed_buy, absorbed_sell = absorbed.absorbed_buy, absorbed.absorbed_sell
        if absorbed_buy is not None and absorbed_sell is not None:
            score = less_absorbed(score, short.buy, short.sell, absorbed_buy, absorbed_sell)
        middle = weighted_mid(market)
        book: BookWindow = self.book
        mlofi = None if depth is None else book.sums(1 if self.access == "mbp-1" else RANKS)
        known = heat is not None and middle is not None and self.area is not None and self.vpin.value is not None
        if not known or absorbed is None or depth is None or self.reasons:
            self._explain(packet, heat, middle, absorbed is None, depth is None)
        mean, deviation, bands = self.average
        poc, high, low = self.levels
        imbalances, stacked, clusters = self.places
        return OrderflowReading(
            score, sided > 0 and sided >= self.enough * minutes.usual, delta, volume, delta_long, volume_long,
            short.none, since.cvd, self.anchor, bias(score), heat, mean, deviation, bands, poc, high, low,
            None if mlofi is None else mlofi[0], mlofi, self.vpin.value, absorbed_buy, absorbed_sell, middle,
            self._large(trades, depth) if trades.prints else [], imbalances, stacked, clusters,
        )

    def _explain(
        self, packet: Packet, heat: float | None, middle: float | None, unabsorbed: bool, bookless: bool,
    ) -> None:
        why = reason(packet, "absorption") if unabsorbed else ""
        book = packet.missing.get("inputs.depth", "needs depth") if bookless else ""
        minutes = len(self.minutes.deltas) if heat is None else -1
        buckets = len(self.vpin.buckets) if self.vpin.value is None else -1
        made_of = minutes, self.area is None, middle is None, why, book, buckets
        if made_of == self.reasoned:
            return
        reasons: dict[str, str] = {}
        if heat is None:
            reasons["heat"] = f"{minutes} of {MINUTES_FOR_HEAT} minutes"
        if self.area is None:
            reasons |= dict.fromkeys(("poc", "vah", "val"), "needs the contract's tick")
        if middle is None:
            reasons["weighted_mid"] = "needs a bid and an ask"
        if buckets >= 0:
            reasons["vpin"] = f"{buckets} of {self.vpin_buckets} buckets of {self.vpin_bucket} contracts"
        if book:
            reasons |= dict.fromkeys(("ofi", "mlofi"), book)
        if why:
            reasons |= dict.fromkeys(("absorbed_buy", "absorbed_sell"), why)
        self.reasons, self.reasoned = reasons, made_of


def bias(score: float) -> Literal["BUY", "SELL", "NEUTRAL"]:
    """BUY from .55, SELL to .45."""
    return "BUY" if score >= 0.55 else "SELL" if score <= 0.45 else "NEUTRAL"


def weighted_mid(market: Market) -> float | None:
    """(ask x bid size + bid x ask size) / (bid size + ask size)."""
    bid, ask, bid_size, ask_size = market.bid, market.ask, market.bid_size, market.ask_size
    if bid is None or ask is None or bid_size is None or ask_size is None or bid_size + ask_size == 0:
        return None
    return to_six((ask * bid_size + bid * ask_size) / (bid_size + ask_size))


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
