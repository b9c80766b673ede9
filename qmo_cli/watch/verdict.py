"""The decision: what to do, where to get in and out, how much, and why."""

from __future__ import annotations

from ..board.frame import Frame
from ..rounding import number
from ..signals import Signal
from . import numbers
from .look import Look
from .text import Line, Span, clip, line, wrapped

SIDE = {"BUY": "buy", "SELL": "sell"}


def verdict(frame: Frame, look: Look) -> list[Line]:
    """The decision in one to three short lines."""
    signal = frame.signal
    if signal is None:
        return [line(Span("no signal", "bold"), Span(f": {frame.missing.get('signal', 'none in this input')}", "dim"))]
    found = [decision(signal, look)]
    if signal.entry is not None:
        found += [trade(frame, signal), size(signal)]
    return found


def decision(signal: Signal, look: Look) -> Line:
    """Type, confidence and status."""
    said, status = signal.signal, signal.status.replace("_", " ").upper()
    arrow = {"BUY": f"{look.glyphs.rise} ", "SELL": f"{look.glyphs.fall} "}.get(said.type, "")
    style = f"bold {SIDE.get(said.type, '')}".strip()
    badge = f" {arrow}{said.type} " if look.escapes else f"[{arrow}{said.type}]"
    shown = Span(badge, f"{style} inverse" if said.type in SIDE else f"{style} inverse")
    sure = "" if said.confidence is None else f" confidence {numbers.share(said.confidence)}"
    since = "" if said.since is None else f" since {said.since[11:19]}"
    state = "" if status == said.type else f" {status}"
    loud = "alarm" if signal.status in ("stale", "halted", "blocked") else "bold"
    only = " price only" if said.price_only else ""
    return line(shown, Span(sure), Span(state, loud) if state else "", Span(since + only, "dim"))


def trade(frame: Frame, signal: Signal) -> Line:
    """The levels of a trade."""
    entry, tick = signal.entry, frame.market.tick if frame.market else None
    assert entry is not None
    at = entry.price if entry.limit_price is None else entry.limit_price
    return line(
        Span(f"{entry.type} "), Span(numbers.price(at, tick), "bold"),
        Span("  stop "), Span(numbers.price(entry.stop, tick), "bold"),
        Span("  target "), Span(numbers.price(entry.target, tick), "bold"))


def size(signal: Signal) -> Line:
    """How much, and what it may cost."""
    position = signal.position
    if position is None:
        return line(Span("no position", "dim"))
    if position.contract is None or position.contracts == 0:
        return line(Span("0 contracts: too much risk for the account", "bold"))
    costs = "" if position.costs_included else " before costs"
    return line(Span(f"{position.contracts} {position.contract}", "bold"),
                Span(f", first target {number(position.first_target)}, may lose {number(position.max_loss)}{costs}"))


def against(frame: Frame, width: int, room: int, look: Look) -> list[Line]:
    """What speaks against a trade, in so many rows."""
    said = frame.signal.reasons if frame.signal else []
    return fitted([wrapped(text, width, "bold", lead="! ") for text in said], width, room, look)


def rationale(frame: Frame, width: int, room: int, look: Look) -> list[Line]:
    """What the engines saw, in so many rows."""
    said = frame.signal.signal.rationale if frame.signal else []
    return fitted([wrapped(text, width, lead="- ") for text in said], width, room, look)


def fitted(said: list[list[Line]], width: int, room: int, look: Look) -> list[Line]:
    """Sentences in so many rows: a row for each, what is left for the first; where one is cut it shows."""
    spare, found = max(room - len(said), 0), []
    for rows in said[:room]:
        kept = rows[:1 + spare]
        spare -= len(kept) - 1
        if len(kept) < len(rows):
            kept[-1] = (*clip(kept[-1], width - 1), Span(look.glyphs.more, "dim"))
        found += kept
    return found
