"""Closed bars of one length in whole ticks, for engines that count them: checked, and moved to one contract's scale.

They come from the slot of engine bars where that holds bars of this length, else they are made here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Generic, Protocol, TypeVar

from ..packets import Market, Missing, Notice, ticks
from ..rounding import nearest
from ..tray import Packet
from ..views import reason
from .bars import Bar, Bars, BarsReading
from .rolls import gap_of

NO_TICK = "needs the contract's tick"
GAP_UNKNOWN = "a roll: the new contract has not traded yet, so the gap is not known"


class Study(Protocol):
    """What is worked out from closed bars, prices in ticks."""

    def add(self, high: int, low: int, close: int, start: int = 0) -> None: ...

    def shift(self, gap: int) -> None: ...


Kind = TypeVar("Kind", bound=Study)


class ClosedBars(Generic[Kind]):
    """Gives a study every good closed bar once, oldest first, and moves what it knows when the series rolls.

    ``blocked`` says why there are no bars at all, ``why_not`` why nothing may be said of those there are. A study is
    worth nothing on another price step, or where a roll's gap cannot be known: then a new one begins.
    """

    def __init__(self, period: str, begin: Callable[[float], Kind]) -> None:
        self.own, self.begin = Bars(period), begin
        self.study = begin(1.0)
        self.tick: float | None = None
        self.instrument_id = -1
        self.rolled = 0                    # ns, when a roll came whose gap is not known; 0: none
        self.start = -1                    # ns, of the newest good bar
        self.blocked = ""
        self.doubt = ""                    # what is wrong with the newest bar
        self.none = ""                     # why none has closed yet

    def take(self, packet: Packet) -> bool:
        """Bring the study up to date; True where anything changed."""
        closed = self._closed(packet)
        market: Market = packet.read("market", Market)
        if market.tick != self.tick:
            self._settle(market.tick)
        if self.rolled or packet.instrument_id != self.instrument_id:
            self._roll(packet)
        elif not closed:
            return False
        for bar in closed:
            self._give(bar)
        return True

    @property
    def why_not(self) -> str:
        """Why nothing may be said now; empty where nothing is against it."""
        return GAP_UNKNOWN if self.rolled else self.doubt or (self.none if self.start < 0 else "")

    def _closed(self, packet: Packet) -> list[Bar]:
        slot: BarsReading | None = packet.read("bars", BarsReading) if "bars" in packet.slots else None
        if slot is not None and slot.period == self.own.seconds:
            self.blocked, self.none = "", "" if slot.bar is not None else packet.missing.get("bars.bar", "")
            return slot.closed
        made = self.own.update(packet)
        if isinstance(made, Missing):
            self.blocked = reason(packet, "bars") if "bars" in packet.slots else made.reason
            return []
        self.blocked, self.none = "", "" if made.bar is not None else self.own.reasons.get("bar", "")
        return made.closed

    def _settle(self, tick: float | None) -> None:
        """Another price step; while it is not known, what was seen is kept."""
        if tick is None:
            self.blocked = self.blocked or NO_TICK
        else:
            self.tick, self.study = tick, self.begin(tick)

    def _roll(self, packet: Packet) -> None:
        first = self.instrument_id == -1
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.rolled = packet.instrument_id, packet.ts
        gap = gap_of(packet.read("system", list[Notice]) or [])
        if gap is not None and self.tick is not None and not first:
            self.study.shift(nearest(gap / self.tick))
        if first or gap is not None:
            self.rolled = 0

    def _give(self, bar: Bar) -> None:
        if self.tick is None:
            return
        if self.rolled and int(bar.start) >= self.rolled:  # the new contract trades, and nobody told the gap
            self.rolled, self.study = 0, self.begin(self.tick)
        self.doubt = fault(bar, self.start)
        if not self.doubt:
            self.start = int(bar.start)
            self.study.add(
                ticks(bar.high, self.tick), ticks(bar.low, self.tick), ticks(bar.close, self.tick), self.start)


def fault(bar: Bar, before: int) -> str:
    """What is wrong with a bar that follows one that began at ``before`` ns; empty when nothing is.

    >>> fault(Bar("60000000000", 60, 10.0, 9.0, 11.0, 10.0, 5, None, None, None), 0)
    'the last bar has its high below its low'
    """
    prices = bar.open, bar.high, bar.low, bar.close
    if not all(map(isfinite, prices)):
        return "the last bar has a price that is not a number"
    if bar.high < bar.low:
        return "the last bar has its high below its low"
    if min(prices) < bar.low or max(prices) > bar.high:
        return "the last bar opens or closes outside its range"
    if int(bar.start) > before:
        return ""
    return "the last bar came twice" if int(bar.start) == before else "the last bar is older than the one before"
