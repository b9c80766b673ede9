"""Bars that end when they are full: of trades, volume, money, range, or one-sided flow.

The grain is the whole second (or the ready-made bar), so that no bar depends on the frame's length: a bar ends with the
second in which it is full, and holds all of that second. The next one begins with the next second that trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from qmo_cli.engines.rolls import Contract
from qmo_cli.packets import BarInput, Market, Second
from qmo_cli.rounding import nearest
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

from .bar import Bar
from .pieces import Forming, Pieces, second_of
from .timebars import shifted

LENGTHS = 20        # bars, span of the mean length of imbalance bars
MEMORY = 10         # times the size in trades, span of their mean trade
CLAMP = 4.0         # times the size that the expected length of an imbalance bar may be, or a part of it
MOST_LEAN = 0.5     # share of the expected volume that the threshold never exceeds


@dataclass(slots=True)
class Whole:
    """One second, or one ready-made bar."""

    end: int                # s
    trades: int = 0
    volume: int = 0         # contracts
    net: int = 0            # bought - sold by aggressors
    close: float = 0.0

    def add(self, row: Second | BarInput) -> None:
        """A part of it."""
        self.close = row.close
        if isinstance(row, BarInput):
            self.volume += row.volume
            return
        self.trades += row.trades
        self.volume += row.buy + row.sell + row.none
        self.net += row.buy - row.sell


class Rule(Protocol):
    """When a bar is full."""

    sided: bool     # whether it needs trades: ready-made bars tell neither their number nor their sides

    def lacks(self, market: Market) -> str:
        """What of the contract must be known and is not; "" if nothing."""
        ...

    def is_full(self, bar: Forming, second: Whole) -> bool:
        """Whether the bar is full with this second, which is already in it. Asked once for each second."""
        ...


@dataclass(slots=True)
class Count:
    """Full with a number of trades (tick bars) or contracts (volume bars)."""

    size: float
    sided: bool     # trades

    def lacks(self, market: Market) -> str:
        return ""

    def is_full(self, bar: Forming, second: Whole) -> bool:
        return (bar.trades if self.sided else bar.volume) >= self.size


@dataclass(slots=True)
class Money:
    """Full with an amount of money: price x contracts x point value, each second's volume at its last price."""

    size: float
    sided: bool = False
    point_value: float = 0.0
    start: int = -1
    money: float = 0.0

    def lacks(self, market: Market) -> str:
        self.point_value = market.point_value or 0.0
        return "" if self.point_value else "the contract's point value"

    def is_full(self, bar: Forming, second: Whole) -> bool:
        if bar.start != self.start:
            self.start, self.money = bar.start, 0.0
        self.money += abs(second.close) * second.volume * self.point_value
        return self.money >= self.size


@dataclass(slots=True)
class Range:
    """Full when high and low are so many ticks apart."""

    size: float
    sided: bool = False
    tick: float = 0.0

    def lacks(self, market: Market) -> str:
        self.tick = market.tick or 0.0
        return "" if self.tick else "the contract's tick"

    def is_full(self, bar: Forming, second: Whole) -> bool:
        ticks: int = nearest(bar.high / self.tick) - nearest(bar.low / self.tick)
        return ticks >= self.size


@dataclass(slots=True)
class Imbalance:
    """Full when net aggressor volume exceeds what was expected of it: volume imbalance bars, guarded (Lopez de Prado,
    Advances in Financial Machine Learning, 2018, ch. 2).

    His rule: |sum b v| >= E[T] |E[b v]|, b the side and v the size of each trade, T trades in a bar. In even flow that
    has no scale of its own: a threshold that is hit at once lowers E[T] and with it the next one, until each trade is
    a bar, and one that is hit late raises it without bound. Here:

    - anchor: E[T] = sqrt(size x mean length of the bars so far), so that no length feeds itself;
    - clamp: size/4 <= E[T] <= 4 size;
    - floor: the threshold is at least sqrt(E[T] D), what even flow gathers by chance in E[T] trades; D, its variance
      per trade, is E[net^2] / E[trades] of the seconds;
    - cap: and at most half of E[T] E[v], so that a one-sided market ends its bars; the cap goes before the floor.

    E[v], E[b v] and D are exponential means over trades of span 10 x size, so that chance leaves less of E[b v] than
    the floor, and the mean length is one over bars of span 20. The threshold is set when a bar begins. Nothing is known
    before the first bar: it ends with ``size`` trades. Contracts without a side count as 0 in the sum.
    """

    size: float
    sided: bool = True
    start: int = -1
    net: int = 0
    usual: float = 0.0          # E[v]
    lean: float = 0.0           # E[b v]
    spread: float = 0.0         # D; before the first bar has ended the sum of net^2
    length: float = 0.0         # mean T; 0 before the first bar has ended
    threshold: float = 0.0

    def lacks(self, market: Market) -> str:
        return ""

    def is_full(self, bar: Forming, second: Whole) -> bool:
        if bar.start != self.start:
            self.start, self.net, self.threshold = bar.start, 0, self.next_threshold()
        self.net += second.net
        if self.length == 0.0:
            return self._first(bar, second)
        self._learn(second)
        full = abs(self.net) >= self.threshold
        if full:
            self.length += 2 / (LENGTHS + 1) * (bar.trades - self.length)
        return full

    def _first(self, bar: Forming, second: Whole) -> bool:
        self.spread += second.net ** 2
        full = bar.trades >= self.size
        if full:
            self.length, self.usual, self.lean = bar.trades, bar.volume / bar.trades, self.net / bar.trades
            self.spread /= bar.trades
        return full

    def _learn(self, second: Whole) -> None:
        if second.trades:
            share = 1 - (1 - 2 / (MEMORY * self.size + 1)) ** second.trades
            self.usual += share * (second.volume / second.trades - self.usual)
            self.lean += share * (second.net / second.trades - self.lean)
            self.spread += share * (second.net ** 2 / second.trades - self.spread)

    def next_threshold(self) -> float:
        """Contracts of net volume that end a bar which begins now."""
        expected = sqrt(self.size * self.length)
        expected = min(max(expected, self.size / CLAMP), self.size * CLAMP)
        least, most = sqrt(expected * self.spread), MOST_LEAN * expected * self.usual
        return min(most, max(least, expected * abs(self.lean)))


def rule_of(kind: str, size: float) -> Rule:
    """The rule of a kind of bar."""
    if kind in ("tick", "volume"):
        return Count(size, kind == "tick")
    return Money(size) if kind == "dollar" else Range(size) if kind == "range" else Imbalance(size)


class FilledBars:
    """Closed bars of one kind. To be used as TimeBars is."""

    def __init__(self, kind: str, size: float) -> None:
        self.kind, self.rule = kind, rule_of(kind, size)
        self.pieces, self.contract = Pieces(), Contract()
        self.seconds, self.why_not, self.changed = 0, "needs trades or ohlcv", False
        self.moved: float | None = 0.0
        self.done = 0
        self.forming: Forming | None = None
        self.last: Bar | None = None
        self.whole: Whole | None = None     # the second that is not over
        self.closed: list[Bar] = []

    def read(self, packet: Packet) -> list[Bar]:
        """The bars that close with this packet, oldest first."""
        rejected = self.pieces.rejected
        rows = self.pieces.of(packet)
        self.moved, self.closed = self.contract.follow(packet), []
        self.why_not = self._why_not(packet)
        if self.why_not:
            rows = []
        elif self.rule.sided:
            rows = [row for row in rows if isinstance(row, Second)]
        if self.moved != 0.0:
            self._follow(self.moved, rows)
        for row in rows:
            self._add(row)
        if packet.closed:
            self._pass_time((packet.ts - 1 if self.pieces.ready else packet.ts) // SECOND)
        self.changed = bool(rows or self.closed) or self.moved != 0.0 or self.pieces.rejected != rejected
        return self.closed

    def _why_not(self, packet: Packet) -> str:
        if not self.pieces.seen:
            return f"needs trades or ohlcv, input is {packet.health.access}"
        if self.rule.sided and self.pieces.ready:
            return f"{self.kind} bars need trades, input is {packet.health.access}"
        lacks = self.rule.lacks(packet.market)
        return f"{self.kind} bars need {lacks}" if lacks else ""

    def _follow(self, gap: float | None, rows: list[Second | BarInput]) -> None:
        """Another contract trades: as TimeBars does it."""
        if rows:
            self._pass_time(second_of(rows[0]))
        if gap is None:
            self.forming, self.last, self.whole, self.closed = None, None, None, []
            return
        if self.forming is not None:
            self.forming.move(gap)
        self.last = None if self.last is None else shifted(self.last, gap)
        self.closed = [shifted(bar, gap) for bar in self.closed]

    def _add(self, row: Second | BarInput) -> None:
        sided = isinstance(row, Second)
        second = second_of(row) if isinstance(row, BarInput) else max(row.second, self.done)
        self._pass_time(second)
        end = second + (row.interval if isinstance(row, BarInput) else 1)
        if self.forming is None:
            self.forming = Forming(second, end, row.open, sided)
        if self.whole is None:
            self.whole = Whole(end)
        self.whole.add(row)
        self.forming.reach(end)
        (self.forming.take_second if sided else self.forming.take_bar)(row)

    def _pass_time(self, second: int) -> None:
        """All before this second is over: a bar that is full by then closes."""
        self.done = max(self.done, second)
        whole, forming = self.whole, self.forming
        if whole is None or forming is None or whole.end > second:
            return
        self.whole = None
        if self.rule.is_full(forming, whole):
            self.last = forming.bar()
            self.forming = None
            self.closed.append(self.last)
