# cython: language_level=3, auto_pickle=False
"""Time bars from trades, or from ready-made bars, with their average true range."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import cython
from msgspec import Struct

from qmo_cli.engines.ranges import ATR_BARS, next_atr
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import OPTIONAL, BarInput, Missing, OptionalInt, Reading, Second
from qmo_cli.times import SECOND, duration
from qmo_cli.tray import Packet


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


@cython.final
@cython.cclass
class Forming:
    """The bar under construction: ``index`` is start / period. ``sided`` unless it is made of bars, which do not tell
    who was aggressive.
    """

    def __init__(self, index: int, period: int, open_: float, sided: bool) -> None:
        self.index, self.period, self.sided = index, period, sided
        self.open = self.high = self.low = self.close = open_
        self.volume = self.buy = self.sell = self.trades = 0

    @cython.ccall
    def take_second(self, row: Second) -> object:
        """Add a second of trades."""
        self.take(row.high, row.low, row.close)
        buy: cython.longlong = row.buy
        sell: cython.longlong = row.sell
        none: cython.longlong = row.none
        self.buy += buy
        self.sell += sell
        self.volume += buy + sell + none
        self.trades += row.trades
        return None

    @cython.ccall
    def take_bar(self, row: BarInput) -> object:
        """Add a shorter bar."""
        self.take(row.high, row.low, row.close)
        self.volume += row.volume
        return None

    @cython.cfunc
    def take(self, high: cython.double, low: cython.double, close: cython.double) -> object:
        self.high, self.low, self.close = max(self.high, high), min(self.low, low), close
        return None

    @cython.ccall
    def bar(self) -> object:
        """The bar as the wire has it."""
        return Bar(
            str(self.index * self.period * SECOND), self.period, self.open, self.high, self.low, self.close,
            self.volume, self.buy if self.sided else None, self.sell if self.sided else None,
            self.trades if self.sided else None,
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
    grain: int = field(default=0, init=False)        # s: the shortest ready-made bar seen
    earliest: int = field(default=0, init=False)     # index of the first bar that is not closed for good
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
        trades, bars = inputs.trades, inputs.bars
        if trades is None and bars is None and self.kept is None and self.grain == 0:
            return Missing(f"needs trades or ohlcv, input is {packet.health.access}")
        if packet.instrument_id != self.instrument_id:
            self._restart(packet.instrument_id)
        closed: list[Bar] = []
        rows: list[Second] | list[BarInput] = trades.seconds if trades is not None else self._finest(bars or [])
        if trades is None and self.grain and self.seconds % self.grain:
            return Missing(f"bars of {self.period} cannot be made of bars of {self.grain} s")
        for row in rows:
            self._take(row, closed)
        if packet.closed:
            # A ready-made bar comes at its end, thus in the frame that begins there: the frame before must not close.
            over: cython.longlong = packet.ts if trades is not None else packet.ts - 1
            self._close_before(over // SECOND // self.seconds, closed)
        return self._reading(closed, bool(rows))

    def _restart(self, instrument_id: int) -> None:
        """Another contract has another price level: no bar or range spans a roll."""
        self.instrument_id = instrument_id
        self.count, self.forming, self.last, self.atr, self.ranges, self.kept = 0, None, None, None, [], None

    def _finest(self, rows: list[BarInput]) -> list[BarInput]:
        """Of ready-made bars in several lengths only the shortest: the others tell of the same trades."""
        if rows:
            shortest = min([row.interval for row in rows])
            self.grain = min(self.grain, shortest) if self.grain else shortest
        return [row for row in rows if row.interval == self.grain]

    def _take(self, row: Second | BarInput, closed: list[Bar]) -> None:
        """Add a row to its bar; one that comes after its bar has closed counts in the next."""
        second = row.second if isinstance(row, Second) else int(row.ts) // SECOND
        index = max(second // self.seconds, self.earliest)
        self._close_before(index, closed)
        bar: Forming = self.forming
        if bar is None:
            bar = self.forming = Forming(index, self.seconds, row.open, isinstance(row, Second))
        if isinstance(row, Second):
            bar.take_second(row)
        else:
            bar.take_bar(row)

    def _close_before(self, index: int, closed: list[Bar]) -> None:
        """Close the open bar if it lies wholly before the bar with this index."""
        self.earliest = max(self.earliest, index)
        forming: Forming = self.forming
        if forming is None or forming.index >= index:
            return
        bar = forming.bar()
        self.forming = None
        self.count += 1
        if self.last is not None:
            true_range = max(bar.high, self.last.close) - min(bar.low, self.last.close)
            self.atr = next_atr(self.atr, self.ranges, true_range)
        self.last = bar
        closed.append(bar)

    def _reading(self, closed: list[Bar], traded: bool) -> BarsReading:
        kept = self.kept
        if kept is not None and not closed and not traded and not kept.closed:
            return kept
        if kept is None or closed:
            self._explain()
            atr = None if self.atr is None else round(self.atr, 6)
        else:
            atr = kept.atr
        forming = None if self.forming is None else self.forming.bar()
        self.kept = BarsReading(self.seconds, self.count, self.last, forming, closed, atr)
        return self.kept

    def _explain(self) -> None:
        self.reasons = {}
        if self.last is None:
            self.reasons["bar"] = f"no bar of {self.period} has closed yet"
        if self.atr is None:
            self.reasons["atr"] = f"{len(self.ranges)} of {ATR_BARS} true ranges of {self.period} bars"
