"""What happened at one moment, put into a few words: signals, sweeps, icebergs found, stop runs, grabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import msgspec
from msgspec import Raw, Struct

from ..packets import Inputs
from ..plot.marks import Mark, grabs, stop_runs, sweeps
from ..rounding import number
from ..signals import Signal
from ..tray import Packet
from .frame import ShownMark

LEAST_SWEPT = 4     # levels of price: smaller sweeps come by the hundred
LEAST_STOPPED = 5   # contracts; the same

Side = Literal["B", "A", "N"]


class Found(Struct, frozen=True, gc=False):
    """Of the iceberg engine's events what a mark needs."""

    kind: str
    ts_event: str
    order_id: str | None = None
    side: Literal["B", "A"] | None = None
    price: float | None = None
    source: str | None = None
    hidden_traded: int | None = None


class Events(Struct, frozen=True):
    """A reading's events, undecoded in a pipe."""

    events: Raw = Raw(b"[]")


def marks(packet: Packet, inputs: Inputs | None, signal: Signal | None, tick: float | None) -> Iterator[ShownMark]:
    """The marks of one packet, in no order."""
    if signal is not None and signal.change is not None:
        yield of_signal(signal)
    if inputs is None:
        return
    for mark in sweeps(inputs):
        if tick is None or abs(mark.end - mark.start) > (LEAST_SWEPT - 1.5) * tick:
            yield _moved("sweep", "swept", mark)
    for mark in stop_runs(inputs):
        if mark.size >= LEAST_STOPPED:
            yield _moved("stop_run", "stops", mark)
    for mark in grabs(packet):
        yield _moved("grab", "grab", mark)
    yield from found(packet)


def of_signal(signal: Signal) -> ShownMark:
    """An episode that opened, turned or closed."""
    decision, entry = signal.signal, signal.entry
    side: Side = {"BUY": "B", "SELL": "A"}.get(decision.type, "N")  # type: ignore[assignment]
    words: list[str] = [decision.type if decision.type != "HOLD" else "signal closed"]
    if decision.type != "HOLD" and decision.confidence is not None:
        words.append(f"{decision.confidence:.2f}")
    if entry is not None:
        words.append(f"stop {number(entry.stop)}, target {number(entry.target)}")
    name = decision.id or f"end-{signal.ts}"
    return ShownMark(signal.ts, "signal", side, signal.current_price, " ".join(words), name)


def _moved(kind: Literal["sweep", "stop_run", "grab"], word: str, mark: Mark) -> ShownMark:
    """Something that took liquidity from one price to another."""
    arrow = {"B": "up", "A": "down"}.get(mark.side, "")
    size = f"{mark.size} " if mark.size else ""
    way = f"{number(mark.start)} to {number(mark.end)}" if mark.start != mark.end else f"at {number(mark.end)}"
    text = " ".join(filter(None, (size + word, arrow, way)))
    return ShownMark(str(mark.ts), kind, cast("Side", mark.side), mark.end, text, f"{kind}-{mark.side}-{mark.ts}")


def found(packet: Packet) -> Iterator[ShownMark]:
    """Icebergs that were found in this packet."""
    reading = packet.read("iceberg", Events)
    events = getattr(reading, "events", None) or ()
    if type(events) is Raw:
        events = msgspec.json.decode(events, type=list[Found])
    for event in events:
        if event.kind == "detected" and event.price is not None:
            side, words = event.side or "N", {"B": "bid", "A": "ask"}.get(event.side or "", "")
            text = f"iceberg {words} at {number(event.price)} ({event.source})"
            yield ShownMark(event.ts_event, "iceberg", side, event.price, text, f"iceberg-{event.order_id}")
