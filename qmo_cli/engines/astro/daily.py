"""Closed bars of CME trade dates, put together from hours: every trade date begins on a whole one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...packets import Missing, Notice
from ...sessions import next_trade_day_start
from ...tray import Packet
from ..bars import Bar, Bars

STAY = 0.0
ROLL = "roll"


@dataclass(slots=True)
class Day:
    """A trade date that goes on until ``end``, ns."""

    end: int
    high: float
    low: float
    close: float

    def take(self, high: float, low: float, close: float) -> None:
        """Add an hour."""
        self.high, self.low, self.close = max(self.high, high), min(self.low, low), close

    def move(self, gap: float) -> None:
        """The same in the prices of another contract."""
        self.high, self.low, self.close = self.high + gap, self.low + gap, self.close + gap


@dataclass(slots=True)
class DailyBars:
    """Trade dates as they end; ``read`` each packet once.

    ``why_not`` says why the input makes no such bars, "" when it does. ``moved``: points by which prices stored so far
    move before what ``read`` gave is added, because the series rolled; None: forget them, no gap is known.
    """

    hours: Bars = field(default_factory=lambda: Bars("1h"))
    day: Day | None = None
    instrument_id: int = -1
    waits: bool = False          # another contract is on and has not traded yet
    moved: float | None = STAY
    why_not: str = ""

    def read(self, packet: Packet) -> list[Day]:
        """The days that end with this packet."""
        closed: list[Day] = []
        if packet.instrument_id != self.instrument_id:
            self._change(packet.instrument_id, closed)
        self.moved = self._gap(packet) if self.waits else STAY
        if self.moved != STAY:
            self._follow(self.moved, closed)
        made = self.hours.update(packet)
        self.why_not = made.reason if isinstance(made, Missing) else ""
        if isinstance(made, Missing):
            return closed
        for hour in made.closed:
            self._add(hour, closed)
        if made.forming is not None:
            self._pass_time(int(made.forming.start), closed)
        if packet.closed:
            # A ready-made bar comes at its end, thus in the frame that begins there: the one before must not close.
            self._pass_time(packet.ts if packet.inputs.trades is not None else packet.ts - 1, closed)
        return closed

    def _change(self, instrument_id: int, closed: list[Day]) -> None:
        """Another contract: what traded of the hour in the old one belongs to the day."""
        self.waits, self.instrument_id = self.instrument_id != -1, instrument_id
        if self.hours.forming is not None:
            self._add(self.hours.forming.bar(), closed)

    def _gap(self, packet: Packet) -> float | None:
        if packet.market.open is None:
            return STAY
        self.waits = False
        notices: list[Notice] = packet.read("system", list[Notice]) or []
        return next((notice.gap for notice in notices if notice.kind == ROLL and notice.gap is not None), None)

    def _follow(self, gap: float | None, closed: list[Day]) -> None:
        if gap is None:
            self.day = None
            closed.clear()
            return
        for day in (*closed, *(() if self.day is None else (self.day,))):
            day.move(gap)

    def _add(self, hour: Bar, closed: list[Day]) -> None:
        start = int(hour.start)
        self._pass_time(start, closed)
        if self.day is None:
            self.day = Day(next_trade_day_start(start), hour.high, hour.low, hour.close)
        self.day.take(hour.high, hour.low, hour.close)

    def _pass_time(self, ts: int, closed: list[Day]) -> None:
        """All before this time is over."""
        if self.day is not None and self.day.end <= ts:
            closed.append(self.day)
            self.day = None
