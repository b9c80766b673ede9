"""The decision: what to do, where to get in and out, how much, and why."""

from __future__ import annotations

from ..board.frame import Frame
from ..rounding import number
from ..signals import Signal
from . import numbers
from .look import Look
from .text import Line, Span, clip, line, wrapped

SIDES = {"BUY": "buy", "SELL": "sell"}
QUIET = ("active", "hold")       # states that need no alarm


def verdict(frame: Frame, width: int, look: Look) -> list[Line]:
    """The decision in one to three short lines."""
    signal = frame.signal
    if signal is None:
        return wrapped(f"no signal: {frame.missing.get('signal', 'none in this input')}", width, "bold")
    found = [decision(signal, width, look)]
    if signal.entry is not None:
        found += [trade(frame, signal), size(signal)]
    return found


def decision(signal: Signal, width: int, look: Look) -> Line:
    """Type, confidence, status, and since when: what there is room for."""
    said, status = signal.signal, signal.status.replace("_", " ").upper()
    parts = [badge(signal, look)]
    if status != said.type:
        parts.append(Span(f" {status}", "bold" if signal.status in QUIET else "alarm"))
    if said.price_only:
        parts.append(Span(" price only", "bold"))
    if said.confidence is not None:
        parts.append(Span(f" confidence {numbers.share(said.confidence)}"))
    if said.since is not None:
        parts.append(Span(f" since {said.since[11:19]}", "dim"))
    while len(parts) > 1 and sum(len(part.text) for part in parts) > width:
        parts.pop()
    return line(*parts)


def badge(signal: Signal, look: Look) -> Span:
    """The word; in inverse video where it is meant to be acted upon, or nothing is to be done."""
    kind = signal.signal.type
    arrow = {"BUY": f"{look.glyphs.rise} ", "SELL": f"{look.glyphs.fall} "}.get(kind, "")
    style = f"bold {SIDES[kind]}" if kind in SIDES else "bold"
    if signal.status not in QUIET:
        return Span(f"({arrow}{kind})", style)
    return Span(f" {arrow}{kind} " if look.escapes else f"[{arrow}{kind}]", f"{style} inverse")


def trade(frame: Frame, signal: Signal) -> Line:
    """The levels of a trade."""
    entry, tick = signal.entry, frame.market.tick if frame.market else None
    assert entry is not None
    at = entry.price if entry.limit_price is None else entry.limit_price
    named = ((entry.type, at), ("stop", entry.stop), ("target", entry.target))
    return line(*(part for name, value in named for part in (
        Span(f"{name} "), Span(f"{numbers.price(value, tick)} ", "bold"))))


def size(signal: Signal) -> Line:
    """How much, and what it may cost."""
    position = signal.position
    if position is None or position.contract is None:
        return line(Span("0 contracts", "bold"))
    costs = "" if position.costs_included else "+costs"
    return line(Span(f"{position.contracts} {position.contract}", "bold"), Span(
        f", risk {number(position.max_loss)}{costs}, first {number(position.first_target)}"))


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
