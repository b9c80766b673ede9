"""One series as arrays: a few numbers for each second, whatever the length of the frames and of the input."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from math import nan
from typing import NamedTuple

from ..packets import BarInput, Inputs, Market, Second, fixed
from ..sessions import session
from ..times import SECOND
from ..tray import Packet
from .marks import Episodes, Flag, Largest, flags, grabs, stop_runs, sweeps
from .views import FlowView
from .zones import Lives

TRUSTED = ("real-time", "replay")


def numbers() -> array[float]:
    """An empty column of floats; not known is NaN, which draws nothing."""
    return array("d")


def integers() -> array[int]:
    """An empty column of integers."""
    return array("q")


@dataclass(slots=True)
class Trades:
    """What traded: one row for each second with trades, or for each bar where the source has only bars."""

    second: array[int] = field(default_factory=integers)   # s since 1970, its begin
    length: array[int] = field(default_factory=integers)   # s
    open: array[float] = field(default_factory=numbers)
    high: array[float] = field(default_factory=numbers)
    low: array[float] = field(default_factory=numbers)
    close: array[float] = field(default_factory=numbers)
    buy: array[int] = field(default_factory=integers)      # contracts
    sell: array[int] = field(default_factory=integers)
    none: array[int] = field(default_factory=integers)
    count: int = 0                                         # trades
    bars: int = 0                                          # bars that came ready-made

    def add(self, row: Second) -> None:
        """One second's trades; a second that two frames share is one row."""
        self.count += row.trades
        if not self.second or self.second[-1] != row.second:
            self._append(row.second, 1, (row.open, row.high, row.low, row.close), (row.buy, row.sell, row.none))
            return
        self.high[-1], self.low[-1] = max(self.high[-1], row.high), min(self.low[-1], row.low)
        self.close[-1] = row.close
        self.buy[-1] += row.buy
        self.sell[-1] += row.sell
        self.none[-1] += row.none

    def add_bar(self, bar: BarInput) -> None:
        """One ready-made bar: its volume has no aggressor side."""
        self.bars += 1
        self._append(int(bar.ts) // SECOND, bar.interval, (bar.open, bar.high, bar.low, bar.close), (0, 0, bar.volume))

    def _append(
        self, second: int, length: int, prices: tuple[float, float, float, float], volumes: tuple[int, int, int],
    ) -> None:
        self.second.append(second)
        self.length.append(length)
        for column, price in zip((self.open, self.high, self.low, self.close), prices, strict=True):
            column.append(price)
        for volume, contracts in zip((self.buy, self.sell, self.none), volumes, strict=True):
            volume.append(contracts)


@dataclass(slots=True)
class States:
    """How things stood at frames' ends: one row for each second, the last of its frames, with the quote's extremes."""

    ts: array[int] = field(default_factory=integers)       # ns, the frame's end
    price: array[float] = field(default_factory=numbers)
    bid: array[float] = field(default_factory=numbers)     # lowest
    ask: array[float] = field(default_factory=numbers)     # highest
    cvd: array[float] = field(default_factory=numbers)     # contracts
    vwap: array[float] = field(default_factory=numbers)

    def add(self, ts: int, market: Market, flow: FlowView | None) -> None:
        """The end of one frame."""
        bid, ask = known(market.bid), known(market.ask)
        if self.ts and (ts - 1) // SECOND == (self.ts[-1] - 1) // SECOND:
            bid, ask = lesser(bid, self.bid.pop()), -lesser(-ask, -self.ask.pop())
            for column in (self.ts, self.price, self.cvd, self.vwap):
                column.pop()
        self.ts.append(ts)
        self.price.append(known(market.price))
        self.bid.append(bid)
        self.ask.append(ask)
        self.cvd.append(known(flow.cvd if flow else None))
        self.vwap.append(known(flow.vwap if flow else None))


def known(value: float | None) -> float:
    """The value, or NaN where there is none."""
    return nan if value is None else value


def lesser(one: float, other: float) -> float:
    """The lesser of two numbers that may be NaN.

    >>> lesser(2.0, nan), lesser(nan, 1.0), lesser(1.0, 2.0)
    (2.0, 1.0, 1.0)
    """
    return other if one != one or other < one else one  # noqa: PLR0124  NaN alone differs from itself


@dataclass(slots=True)
class Profile:
    """Volume at price of one contract and trade date, as the order flow engine counts it."""

    volumes: dict[int, list[int]] = field(default_factory=dict)  # price in 1e-9 -> bought, sold, neither
    trade_date: str = ""
    day_end: int = 0                     # s since 1970
    instrument_id: int = -1

    def add(self, packet: Packet, inputs: Inputs) -> None:
        """What traded in a frame."""
        if packet.instrument_id != self.instrument_id:
            self.volumes, self.instrument_id = {}, packet.instrument_id
        if inputs.trades is None or not inputs.trades.seconds:
            return
        if inputs.trades.seconds[0].second >= self.day_end:
            here = session(inputs.trades.seconds[0].second * SECOND)
            self.volumes, self.trade_date, self.day_end = {}, here.trade_date, here.day_end // SECOND
        for level in inputs.trades.profile:
            row = self.volumes.setdefault(fixed(level.price), [0, 0, 0])
            row[0] += level.buy
            row[1] += level.sell
            row[2] += level.none


class Quality(NamedTuple):
    """A span of time whose data was of one quality. Times in ns."""

    since: int
    until: int
    name: str


@dataclass(slots=True)
class Series:
    """Everything of one series that a picture can show."""

    name: str
    since: int = 0                       # ns; rows begin there, what still stands from before is known too
    symbols: dict[str, None] = field(default_factory=dict)  # raw symbols, in the order in which they came
    frames: int = 0
    first: int = 0                       # ns, end of the first frame shown
    last: int = 0
    source: str = ""
    access: str = ""
    book: str | None = None
    tick: float | None = None
    trades: Trades = field(default_factory=Trades)
    states: States = field(default_factory=States)
    profile: Profile = field(default_factory=Profile)
    flow: FlowView | None = None         # the last reading
    icebergs: Lives = field(default_factory=lambda: Lives("iceberg"))
    absorption: Lives = field(default_factory=lambda: Lives("absorption"))
    sweeps: Largest = field(default_factory=Largest)
    stops: Largest = field(default_factory=Largest)
    grabs: Largest = field(default_factory=Largest)
    episodes: Episodes = field(default_factory=Episodes)
    flags: list[Flag] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)

    def add(self, packet: Packet) -> None:
        """One more frame; of those before ``since`` only what they leave standing."""
        inputs = packet.inputs
        self.profile.add(packet, inputs)
        self.icebergs.take(packet)
        self.absorption.take(packet)
        self.episodes.take(packet)
        if packet.ts > self.since:
            self._show(packet, inputs)

    def _show(self, packet: Packet, inputs: Inputs) -> None:
        market = packet.market
        self.flow = packet.read("orderflow", FlowView)
        self._head(packet, market)
        self.states.add(packet.ts, market, self.flow)
        self._trade(inputs)
        for kept, marks in (
            (self.sweeps, sweeps(inputs)), (self.stops, stop_runs(inputs)), (self.grabs, grabs(packet)),
        ):
            for mark in marks:
                kept.add(mark)
        self.flags += flags(packet)

    def _head(self, packet: Packet, market: Market) -> None:
        health = packet.health
        self.frames += 1
        self.first, self.last = self.first or packet.ts, packet.ts
        self.source, self.access, self.book, self.tick = market.source, health.access, health.book, market.tick
        if packet.symbol is not None:
            self.symbols[packet.symbol] = None
        last = self.qualities[-1] if self.qualities else Quality(packet.ts, packet.ts, market.quality)
        if last.name == market.quality:
            self.qualities[-1:] = [last._replace(until=packet.ts)]
        else:
            self.qualities.append(Quality(last.until, packet.ts, market.quality))

    def quality(self) -> str:
        """The quality of most of the time."""
        spans = dict.fromkeys((one.name for one in self.qualities), 0)
        for one in self.qualities:
            spans[one.name] += one.until - one.since
        return max(spans, key=lambda name: spans[name])

    def doubts(self) -> list[Quality]:
        """Spans whose quality is bad, and not that of most of the time anyway."""
        usual = self.quality()
        return [one for one in self.qualities if one.name not in TRUSTED and one.name != usual]

    def _trade(self, inputs: Inputs) -> None:
        if inputs.trades is not None:
            for row in inputs.trades.seconds:
                self.trades.add(row)
            return
        for bar in inputs.bars or ():
            self.trades.add_bar(bar)
