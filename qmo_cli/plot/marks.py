"""What happened at one moment: sweeps, stop runs, grabs, signals, and notices of the stream itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from itertools import groupby
from typing import NamedTuple

from ..packets import Inputs, Notice
from ..tray import Packet
from .views import LiquidityEventView, LiquidityView, SignalView, listed

MOST_MARKS = 400         # of one kind: more cannot be told apart in a picture
SILENT = ("clock", "end")  # notices that tell a reader of the picture nothing


class Mark(NamedTuple):
    """One event. ``side`` is the aggressor's, ``start`` and ``end`` its first and last price."""

    ts: int                              # ns
    side: str
    start: float
    end: float
    size: int                            # contracts; 0 where nobody says


class Episode(NamedTuple):
    """A signal from its opening to its close; ``until`` is None while it is open."""

    since: int                           # ns
    until: int | None
    type: str                            # BUY or SELL
    price: float | None
    confidence: float | None
    stop: float | None
    target: float | None


class Flag(NamedTuple):
    """A notice about the stream."""

    ts: int                              # ns
    kind: str
    gap: float | None                    # of a roll, points


@dataclass(slots=True)
class Largest:
    """The largest marks of one kind, and how many there were in all; of equal ones the first."""

    count: int = 0
    heap: list[tuple[int, int, Mark]] = field(default_factory=list)

    def add(self, mark: Mark) -> None:
        """Take one more."""
        self.count += 1
        entry = (mark.size, -self.count, mark)
        if len(self.heap) < MOST_MARKS:
            heappush(self.heap, entry)
        else:
            heappushpop(self.heap, entry)

    def marks(self) -> list[Mark]:
        """Those that were kept, in the order of time."""
        return sorted(mark for _, _, mark in self.heap)


def sweeps(inputs: Inputs) -> Iterator[Mark]:
    """Sweeps of a frame: they stand with the trades, or with the depth, as the route that wrote the packet has it."""
    for sweep in getattr(inputs.trades, "sweeps", None) or getattr(inputs.depth, "sweeps", None) or ():
        yield Mark(int(sweep.ts_event), sweep.side, sweep.start, sweep.end, sweep.size)


def stop_runs(inputs: Inputs) -> Iterator[Mark]:
    """Stops of a frame, those of one side that one exchange event set off as one run."""
    stops = inputs.orders.stops if inputs.orders else ()
    for (ts, side), run in groupby(stops, key=lambda stop: (stop.ts_event, stop.side)):
        parts = list(run)
        yield Mark(int(ts), side, parts[0].price, parts[-1].price, sum(part.size for part in parts))


def grabs(packet: Packet) -> Iterator[Mark]:
    """Liquidity grabs, where an engine finds them."""
    reading = packet.read("liquidity", LiquidityView)
    for event in listed(getattr(reading, "events", None), LiquidityEventView):
        price = getattr(event, "price", None)
        if getattr(event, "kind", None) != "grab" or price is None:
            continue
        ts = getattr(event, "ts_event", None) or packet.ts
        end = getattr(event, "end", None)
        yield Mark(int(ts), getattr(event, "side", None) or "N", price, price if end is None else end, 0)


def flags(packet: Packet) -> Iterator[Flag]:
    """Notices of a packet that a reader of the picture should see."""
    notices: list[Notice] = packet.read("system", list[Notice]) or []
    for notice in notices:
        if notice.kind not in SILENT:
            yield Flag(int(notice.ts_event) if notice.ts_event else packet.ts, notice.kind, notice.gap)


@dataclass(slots=True)
class Episodes:
    """The signals of one series, as they open and close."""

    closed: list[Episode] = field(default_factory=list)
    open: Episode | None = None
    known: bool = False                  # whether any packet had a signal

    def take(self, packet: Packet) -> None:
        """Learn from a packet's slot signal."""
        signal = packet.read("signal", SignalView)
        if signal is None:
            return
        self.known = True
        if signal.change is None:
            return
        if self.open is not None:
            self.closed.append(self.open._replace(until=packet.ts))
            self.open = None
        if signal.change in ("opened", "reversed"):
            entry = signal.entry
            self.open = Episode(
                packet.ts, None, signal.signal.type, signal.current_price, signal.signal.confidence,
                None if entry is None else entry.stop, None if entry is None else entry.target,
            )

    def all(self) -> list[Episode]:
        """Every episode, the open one last."""
        return [*self.closed, *([self.open] if self.open else [])]
