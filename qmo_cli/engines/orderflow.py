"""Order flow: who was aggressive, how unusual that is, and where it traded.

All windows are event time in whole seconds, so that no number depends on the frame's length.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar, Literal

from msgspec import Struct

from ..market.profile import Profile
from ..packets import (
    DepthInput, Market, Missing, Packet, Print, Reading, ScoredReading, Second, TradesInput, fixed, ticks,
)
from ..sessions import session
from ..times import SECOND

WINDOW = 60        # s: W
LONG_WINDOW = 300  # s: L
MINUTE = 60        # s
DAY_MINUTES = 23 * 60
MINUTES_FOR_VOLUME = 20
MINUTES_FOR_HEAT = 30
UNKNOWN_VOLUME = 100   # contracts a minute, until enough minutes are known
UNKNOWN_HEAT = 0.5     # weight of the flow, until its rarity is known
NANO = 1e9


class Imbalance(Struct, frozen=True, gc=False, array_like=True):
    """One side outweighs the other across one tick of the profile."""

    price: float
    side: Literal["B", "A"]              # the aggressor that outweighs


class Stack(Struct, frozen=True, gc=False, array_like=True):
    """Imbalances of one side on consecutive ticks."""

    low: float
    high: float
    side: Literal["B", "A"]


class Cluster(Struct, frozen=True, gc=False, array_like=True):
    """Adjacent prices that traded unusually much."""

    low: float
    high: float
    volume: int


class OrderflowReading(ScoredReading, frozen=True):
    """Numbers of the last 60 s (delta), the last 300 s, and the trade date so far (cvd, vwap, profile)."""

    delta: int                           # contracts bought - sold by aggressors, last 60 s
    volume: int                          # all contracts, last 60 s
    delta_long: int                      # last 300 s
    volume_long: int
    volume_n: int                        # without an aggressor side, last 60 s
    cvd: int                             # delta since the anchor
    anchor: str                          # what cvd, vwap and profile count from
    bias: Literal["BUY", "SELL", "NEUTRAL"]
    heat: float | None                   # 0-100: how rare |delta| is among the minutes of the last 23 h
    vwap: float
    vwap_sd: float                       # standard deviation of volume around it, points
    vwap_bands: list[float]              # vwap - 2 sd, - 1 sd, + 1 sd, + 2 sd
    poc: float | None                    # price of most volume
    vah: float | None                    # value area: 70 % of the volume
    val: float | None
    weighted_mid: float | None           # (ask x bid size + bid x ask size) / (bid size + ask size)
    large: list[Print]                   # prints of this frame that stand out
    imbalances: list[Imbalance]          # of the profile, as of the last whole minute, as the next two
    stacked: list[Stack]
    clusters: list[Cluster]


@dataclass(slots=True)
class Window:
    """Sums over the last ``length`` seconds."""

    length: int
    rows: deque[Second] = field(default_factory=deque)
    buy: int = 0
    sell: int = 0
    none: int = 0

    def add(self, row: Second) -> None:
        """Count one second."""
        self.rows.append(row)
        self.buy, self.sell, self.none = self.buy + row.buy, self.sell + row.sell, self.none + row.none

    def expire(self, now: int) -> None:
        """Drop the seconds that are ``length`` or more before the second ``now``."""
        while self.rows and self.rows[0].second <= now - self.length:
            row = self.rows.popleft()
            self.buy, self.sell, self.none = self.buy - row.buy, self.sell - row.sell, self.none - row.none

    @property
    def delta(self) -> int:
        return self.buy - self.sell

    @property
    def volume(self) -> int:
        return self.buy + self.sell + self.none


@dataclass(slots=True)
class Minutes:
    """Volume and |delta| of every closed minute that traded in the last 23 h, in order of time and of size."""

    minute: int = -1
    delta: int = 0
    volume: int = 0
    rows: deque[tuple[int, int, int]] = field(default_factory=deque)
    volumes: list[int] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)

    def add(self, row: Second) -> None:
        """Count one second in its minute."""
        self.close_before(row.second // MINUTE)
        self.minute = row.second // MINUTE
        self.delta += row.buy - row.sell
        self.volume += row.buy + row.sell + row.none

    def close_before(self, minute: int) -> bool:
        """Close the open minute if it is before this one, and forget what is older than 23 h."""
        if self.minute < 0 or self.minute >= minute:
            return False
        self.rows.append((self.minute, self.volume, abs(self.delta)))
        insort(self.volumes, self.volume)
        insort(self.deltas, abs(self.delta))
        self.minute, self.delta, self.volume = -1, 0, 0
        while self.rows and self.rows[0][0] < minute - DAY_MINUTES:
            _, volume, delta = self.rows.popleft()
            del self.volumes[bisect_left(self.volumes, volume)]
            del self.deltas[bisect_left(self.deltas, delta)]
        return True

    def usual_volume(self) -> float:
        """V0: the median minute's volume."""
        number = len(self.volumes)
        if number < MINUTES_FOR_VOLUME:
            return UNKNOWN_VOLUME
        return (self.volumes[(number - 1) // 2] + self.volumes[number // 2]) / 2

    def heat(self, delta: int) -> float | None:
        """Mid-rank percentile of |delta| among the closed minutes; None while there are too few."""
        if len(self.deltas) < MINUTES_FOR_HEAT:
            return None
        low, high = bisect_left(self.deltas, delta), bisect_right(self.deltas, delta)
        return round(50 * (low + high) / len(self.deltas), 6)


def flow_score(delta: int, volume: int, delta_long: int, volume_long: int, usual: float, heat: float | None) -> float:
    """.5 + .5 clip(2x, -1, 1) heat / 100, x = .6 delta/(V + V0) + .4 delta_long/(V_long + 5 V0).

    >>> flow_score(240, 400, 450, 1500, 100, 90.0)
    0.8402
    """
    lean = 0.6 * delta / (volume + usual) + 0.4 * delta_long / (volume_long + 5 * usual)
    weight = UNKNOWN_HEAT if heat is None else heat / 100
    return round(0.5 + 0.5 * max(-1.0, min(1.0, 2 * lean)) * weight, 6)


@dataclass(slots=True)
class Anchored:
    """Sums since the trade date opened, exact in integers: VWAP and its deviation lose nothing to rounding."""

    profile: Profile = field(default_factory=Profile)
    cvd: int = 0
    volume: int = 0
    price_volume: int = 0                # sum of price x volume, 1e-9
    square_volume: int = 0               # sum of price^2 x volume, 1e-18

    def add(self, trades: TradesInput, tick: float | None) -> None:
        """Count a frame's volume at price."""
        self.cvd += trades.buy - trades.sell
        for row in trades.profile:
            size = row.buy + row.sell + row.none
            price = fixed(row.price)
            self.volume += size
            self.price_volume += price * size
            self.square_volume += price * price * size
            if tick is not None:
                self.profile.add(ticks(row.price, tick), row.buy, row.sell, row.none)

    def vwap(self) -> tuple[float, float]:
        """Volume-weighted average price and the standard deviation of volume around it, in points."""
        spread = self.square_volume * self.volume - self.price_volume**2
        return self.price_volume / self.volume / NANO, sqrt(spread) / self.volume / NANO


@dataclass(slots=True)
class Orderflow:
    """Delta, CVD, VWAP, volume profile and their unusual places, from trades with an aggressor side."""

    name: ClassVar[str] = "orderflow"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
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

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    day_end: int = field(default=0, init=False)
    anchor: str = field(default="", init=False)
    short: Window = field(default_factory=lambda: Window(WINDOW), init=False)
    long: Window = field(default_factory=lambda: Window(LONG_WINDOW), init=False)
    minutes: Minutes = field(default_factory=Minutes, init=False)
    since: Anchored = field(default_factory=Anchored, init=False)
    places: tuple[list[Imbalance], list[Stack], list[Cluster]] = field(default_factory=lambda: ([], [], []), init=False)
    levels: tuple[float | None, float | None, float | None] = field(default=(None, None, None), init=False)
    average: tuple[float, float, list[float]] | None = field(default=None, init=False)

    def update(self, packet: Packet) -> OrderflowReading | Missing:
        trades = packet.inputs.trades
        if trades is None:
            return Missing(f"needs trades, input is {packet.health.access}")
        market = packet.market
        if trades.seconds:
            self._take(packet, trades, market.tick)
        if self.since.volume == 0:
            return Missing("no trade yet")
        now = (packet.ts - 1) // SECOND
        self.short.expire(now)
        self.long.expire(now)
        self._end_minute(packet.ts // SECOND // MINUTE, market.tick)
        return self._reading(market, trades, packet.inputs.depth)

    def _take(self, packet: Packet, trades: TradesInput, tick: float | None) -> None:
        first = trades.seconds[0].second * SECOND
        if first >= self.day_end:
            self._new_day(first)
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet.instrument_id)
        self._end_minute(trades.seconds[0].second // MINUTE, tick)
        for row in trades.seconds:
            self.short.add(row)
            self.long.add(row)
            self.minutes.add(row)
        self.since.add(trades, tick)
        if tick is not None:
            low, poc, high = self.since.profile.value_area(self.value_area)
            self.levels = round(poc * tick, 9), round(high * tick, 9), round(low * tick, 9)
        vwap, deviation = self.since.vwap()
        bands = [round(vwap + width * deviation, 6) for width in (-2, -1, 1, 2)]
        self.average = round(vwap, 6), round(deviation, 6), bands

    def _new_day(self, ts: int) -> None:
        here = session(ts)
        self.day_end, self.anchor = here.day_end, f"open of trade date {here.trade_date}"
        self._forget_levels()

    def _new_contract(self, instrument_id: int) -> None:
        """Another contract trades at another level; its flow is comparable, its prices are not."""
        self.instrument_id = instrument_id
        self._forget_levels()

    def _forget_levels(self) -> None:
        self.since = Anchored()
        self.places, self.levels = ([], [], []), (None, None, None)

    def _end_minute(self, minute: int, tick: float | None) -> None:
        """At the end of a minute that traded, look for imbalances, stacks and clusters: they change slowly."""
        if self.minutes.close_before(minute) and tick is not None and self.since.volume:
            self._find_places(tick)

    def _find_places(self, tick: float) -> None:
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
        least = float(self.large_minimum)
        if not trades.prints or max(print_.size for print_ in trades.prints) < least:
            return []
        levels = [*depth.bids, *depth.asks] if depth else []
        if levels:
            least = max(least, self.large_multiple * sum(level.size for level in levels) / len(levels))
        return [print_ for print_ in trades.prints if print_.size >= least]

    def _reading(self, market: Market, trades: TradesInput, depth: DepthInput | None) -> OrderflowReading:
        short, long = self.short, self.long
        usual = self.minutes.usual_volume()
        heat = self.minutes.heat(abs(short.delta))
        score = flow_score(short.delta, short.volume, long.delta, long.volume, usual, heat)
        middle = weighted_mid(market)
        self._explain(heat, market, middle)
        assert self.average is not None
        vwap, deviation, bands = self.average
        poc, vah, val = self.levels
        return OrderflowReading(
            score, short.volume > 0 and short.volume >= self.enough * usual,
            short.delta, short.volume, long.delta, long.volume, short.none, self.since.cvd, self.anchor, bias(score),
            heat, vwap, deviation, bands, poc, vah, val, middle, self._large(trades, depth), *self.places,
        )

    def _explain(self, heat: float | None, market: Market, middle: float | None) -> None:
        reasons: dict[str, str] = {}
        if heat is None:
            reasons["heat"] = f"{len(self.minutes.deltas)} of {MINUTES_FOR_HEAT} minutes"
        if self.levels[0] is None:
            words = "needs the contract's tick" if market.tick is None else "no trade since the contract changed"
            reasons |= dict.fromkeys(("poc", "vah", "val"), words)
        if middle is None:
            reasons["weighted_mid"] = "needs a bid and an ask"
        self.reasons = reasons


def bias(score: float) -> Literal["BUY", "SELL", "NEUTRAL"]:
    """BUY from .55, SELL to .45."""
    return "BUY" if score >= 0.55 else "SELL" if score <= 0.45 else "NEUTRAL"


def weighted_mid(market: Market) -> float | None:
    """(ask x bid size + bid x ask size) / (bid size + ask size)."""
    if market.bid is None or market.ask is None or not market.bid_size or not market.ask_size:
        return None
    weighted: Any = market.ask * market.bid_size + market.bid * market.ask_size
    return round(weighted / (market.bid_size + market.ask_size), 6)


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
