"""Time bars from trades, or from ready-made bars, with their average true range."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from msgspec import Struct

from ..errors import ConfigurationError
from ..packets import OPTIONAL, BarInput, Missing, OptionalInt, Packet, Reading, Second
from ..times import SECOND, duration

ATR_BARS = 14  # Wilder's n


class Bar(Struct, frozen=True, gc=False):
    """One bar; it covers [start, start + interval)."""

    start: str                           # ns
    interval: int                        # s
    open: float
    high: float
    low: float
    close: float
    volume: int                          # contracts
    buy: OptionalInt                     # by aggressors; null in bars made from bars
    sell: OptionalInt
    trades: OptionalInt


class BarsReading(Reading, frozen=True):
    """The last closed bar, the open one, and ATR(14) by Wilder: ((n - 1) ATR' + TR) / n, seeded with a mean."""

    period: int                          # s
    count: int                           # bars closed since the input or the contract began
    bar: Bar | None                      # last closed
    forming: Annotated[Bar | None, OPTIONAL]  # still open: no engine may count it; null when nothing traded in it
    closed: list[Bar]                    # that closed with this packet, oldest first
    atr: float | None                    # points


@dataclass(slots=True)
class Forming:
    """The bar under construction."""

    index: int                           # start / period
    open: float
    high: float
    low: float
    close: float
    volume: int = 0
    buy: int | None = 0
    sell: int | None = 0
    trades: int | None = 0

    def take(self, high: float, low: float, close: float, volume: int) -> None:
        """Add what traded later."""
        self.high, self.low, self.close = max(self.high, high), min(self.low, low), close
        self.volume += volume

    def bar(self, period: int) -> Bar:
        """The bar as the wire has it."""
        return Bar(
            str(self.index * period * SECOND), period, self.open, self.high, self.low, self.close, self.volume,
            self.buy, self.sell, self.trades,
        )


@dataclass(slots=True)
class Bars:
    """Time bars aligned to the epoch. A bar closes when its end has passed; where nothing traded there is no bar."""

    name: ClassVar[str] = "bars"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
    reading: ClassVar[type[Reading]] = BarsReading

    period: str = field(default="15m", metadata={"help": "Length of a bar: 1s or more, in whole seconds."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    seconds: int = field(default=0, init=False)
    instrument_id: int = field(default=-1, init=False)
    count: int = field(default=0, init=False)
    forming: Forming | None = field(default=None, init=False)
    last: Bar | None = field(default=None, init=False)
    atr: float | None = field(default=None, init=False)
    ranges: list[float] = field(default_factory=list, init=False)
    kept: BarsReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.seconds, rest = divmod(duration(self.period), SECOND)
        if rest or not self.seconds:
            raise ConfigurationError(f"bars.period {self.period!r}: bars are made of whole seconds")

    def update(self, packet: Packet) -> BarsReading | Missing:
        inputs = packet.inputs
        if inputs.trades is None and inputs.bars is None and self.kept is None:
            return Missing(f"needs trades or ohlcv, input is {packet.health.access}")
        if packet.instrument_id != self.instrument_id:
            self._restart(packet.instrument_id)
        closed: list[Bar] = []
        rows: list[Second] | list[BarInput] = inputs.trades.seconds if inputs.trades else inputs.bars or []
        for row in rows:
            self._take(row, closed)
        if packet.closed:
            self._close_before(packet.ts // SECOND // self.seconds, closed)
        return self._reading(closed, bool(rows))

    def _restart(self, instrument_id: int) -> None:
        """Another contract has another price level: no bar or range spans a roll."""
        self.instrument_id = instrument_id
        self.count, self.forming, self.last, self.atr, self.ranges, self.kept = 0, None, None, None, [], None

    def _take(self, row: Second | BarInput, closed: list[Bar]) -> None:
        by_trades = isinstance(row, Second)
        second = row.second if isinstance(row, Second) else int(row.ts) // SECOND
        index = second // self.seconds
        self._close_before(index, closed)
        bar = self.forming
        if bar is None:
            none = 0 if by_trades else None
            bar = self.forming = Forming(index, row.open, row.high, row.low, row.close, 0, none, none, none)
        if isinstance(row, Second):
            bar.take(row.high, row.low, row.close, row.buy + row.sell + row.none)
            if bar.buy is not None and bar.sell is not None and bar.trades is not None:
                bar.buy, bar.sell, bar.trades = bar.buy + row.buy, bar.sell + row.sell, bar.trades + row.trades
        else:
            bar.take(row.high, row.low, row.close, row.volume)

    def _close_before(self, index: int, closed: list[Bar]) -> None:
        """Close the open bar if it lies wholly before the bar with this index."""
        if self.forming is None or self.forming.index >= index:
            return
        bar = self.forming.bar(self.seconds)
        self.forming = None
        self.count += 1
        if self.last is not None:
            self._range(max(bar.high, self.last.close) - min(bar.low, self.last.close))
        self.last = bar
        closed.append(bar)

    def _range(self, true_range: float) -> None:
        if self.atr is not None:
            self.atr = ((ATR_BARS - 1) * self.atr + true_range) / ATR_BARS
            return
        self.ranges.append(true_range)
        if len(self.ranges) == ATR_BARS:
            self.atr = sum(self.ranges) / ATR_BARS

    def _reading(self, closed: list[Bar], traded: bool) -> BarsReading:
        if self.kept is not None and not closed and not traded and not self.kept.closed:
            return self.kept
        self.reasons = {}
        if self.last is None:
            self.reasons["bar"] = f"no bar of {self.period} has closed yet"
        if self.atr is None:
            self.reasons["atr"] = f"{len(self.ranges)} of {ATR_BARS} true ranges of {self.period} bars"
        self.kept = BarsReading(
            self.seconds, self.count, self.last, self.forming.bar(self.seconds) if self.forming else None, closed,
            None if self.atr is None else round(self.atr, 6),
        )
        return self.kept
