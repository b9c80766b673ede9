"""What stands at a price beside the candles: the levels of a trade, zones, and the prices that traders watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..board.frame import Frame, ShownZone
from ..times import SECOND
from . import numbers
from .look import Look

SHORT = {"iceberg": "ice", "absorption": "abs", "memory": "mem"}
ORDER = {"iceberg": 0, "absorption": 1, "memory": 2}
SIDES = {"B": "buy", "A": "sell"}
TRADE, ZONE, FLOW, DAY = range(4)        # the first is shown where several stand at one price


class Label(NamedTuple):
    """Something that stands at a price: what is drawn through the row, and what is said beside it."""

    low: float
    high: float
    at: float                        # where it is said
    text: str
    style: str
    rank: tuple[float, ...]          # the lowest comes first
    glyph: str = " "                 # of the line through the row
    line: str = ""                   # and its style
    since: int = 0                   # s since 1970, where the line begins


def labels(frame: Frame, look: Look) -> list[Label]:
    """All that stands at a price, in the order in which it matters."""
    tick = frame.market.tick if frame.market else None
    found = [*trade(frame, tick, look), *(zone(one, tick, look) for one in frame.zones), *levels(frame, tick)]
    return sorted(found, key=lambda label: label.rank)


def trade(frame: Frame, tick: float | None, look: Look) -> Iterator[Label]:
    """Entry, stop and target."""
    entry = frame.signal.entry if frame.signal else None
    if entry is None:
        return
    for name, value in ((entry.type, entry.limit_price), ("stop", entry.stop), ("target", entry.target)):
        if value is not None:
            text = f"{name} {numbers.price(value, tick)}"
            yield Label(value, value, value, text, "bold", (TRADE,), look.glyphs.trade, "bold")


def zone(shown: ShownZone, tick: float | None, look: Look) -> Label:
    """A zone: its side, kind, the price at which it is met, and strength."""
    met = shown.low if shown.side == "A" else shown.high
    at = numbers.price(met, tick)
    strength = "" if shown.strength is None else f" {shown.strength:.0f}"
    style = SIDES[shown.side]
    return Label(
        shown.low, shown.high, met, f"{shown.side} {SHORT[shown.kind]} {at}{strength}", style,
        (ZONE, ORDER[shown.kind], -shown.weight), look.glyphs.zone, f"faint {style}", int(shown.first_seen) // SECOND)


def levels(frame: Frame, tick: float | None) -> Iterator[Label]:
    """VWAP, the price of most volume, and the highs and lows of the night and the day before."""
    flow, day = frame.flow, frame.session
    known = [] if flow is None else [("VWAP", flow.vwap), ("POC", flow.poc)]
    known += [] if day is None else [
        ("prior high", day.prior_day_high), ("prior low", day.prior_day_low), ("night high", day.overnight_high),
        ("night low", day.overnight_low)]
    for place, (name, value) in enumerate(known):
        if value is not None:
            at = numbers.price(value if tick is None else round(value / tick) * tick, tick)
            yield Label(value, value, value, f"{name} {at}", "dim", (FLOW if place < 2 else DAY, place))
