"""What happened lately: the marks of the market and the messages of the feed, and the zones that stand."""

from __future__ import annotations

from ..board.frame import Frame
from . import numbers
from .look import Look
from .text import Line, Span, line

LETTERS = {"signal": "SIG", "sweep": "SWP", "iceberg": "ICE", "stop_run": "STP", "grab": "GRB"}
SIDES = {"B": "buy", "A": "sell"}


def events(frame: Frame, look: Look) -> list[Line]:
    """Marks and messages, the newest first."""
    found: list[tuple[int, Line]] = []
    for mark in frame.marks:
        arrow = {"B": look.glyphs.rise, "A": look.glyphs.fall}.get(mark.side, look.glyphs.flat)
        style = SIDES.get(mark.side, "")
        strong = f"bold {style}".strip() if mark.kind == "signal" else style
        what = Span(f"{arrow} {LETTERS.get(mark.kind, mark.kind[:3].upper())} ", strong)
        when, text = Span(f"{numbers.clock(mark.ts)} ", "dim"), mark.text.removeprefix("iceberg ")
        found.append((int(mark.ts), line(when, what, Span(text, strong))))
    for notice in frame.system:
        when = Span(f"{numbers.clock(notice.ts)} ", "dim")
        found.append((int(notice.ts), line(when, Span(f"* {notice.kind.upper()} ", "bold"), Span(notice.detail))))
    return [row for _, row in sorted(found, key=lambda pair: -pair[0])]


def zones(frame: Frame, most: int, look: Look) -> list[Line]:
    """So many of the zones that stand, those nearest the price, the highest first, with the price among them."""
    if most < 1 or not frame.zones:
        return []
    market = frame.market
    now, tick = (market.price, market.tick) if market else (None, None)
    rows = [(zone.high, line(
        Span(f"{zone.side} ", f"bold {SIDES[zone.side]}"), Span(reach(zone.low, zone.high, tick).ljust(16)),
        Span(f" {zone.kind[:10]:<10} {zone.state:<10}"),
        Span("" if zone.strength is None else f"{zone.strength:4.1f}", "dim"))) for zone in frame.zones[:most]]
    if now is not None:
        rows.append((now, line(Span(f"{look.glyphs.at} {numbers.price(now, tick)}", "bold"))))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def reach(low: float, high: float, tick: float | None) -> str:
    """The prices of a zone."""
    first, last = numbers.price(low, tick), numbers.price(high, tick)
    return first if first == last else f"{first}-{last}"
