"""Delta and CVD, a candle to a column, under the candles that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from ..board.frame import Candle, Frame
from . import numbers
from .look import Look
from .text import Line, Span, fitting, line


def sparkline(values: Sequence[float | None], look: Look) -> str:
    """Levels between the least and the greatest; blanks where there is no value.

    >>> sparkline([1, 2, None, 8], Look())
    '▁▂ █'
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, levels = min(known), look.glyphs.levels
    size = (max(known) - low) or 1.0
    return "".join(
        " " if value is None else levels[round((value - low) / size * (len(levels) - 1))] for value in values)


def delta_of(candle: Candle) -> int | None:
    """Bought less sold by aggressors; None where nothing with a side traded."""
    return candle.buy - candle.sell if candle.buy or candle.sell else None


def arrows(values: Sequence[int | None], look: Look) -> list[Span]:
    """Which side was the stronger in each candle; large where it is more than half of the strongest."""
    signs = look.glyphs.deltas
    most = max((abs(value) for value in values if value is not None), default=0)
    spans = []
    for value in values:
        if not value:
            spans.append(Span(" " if value is None else signs[2], "dim"))
        else:
            strong = 2 if 2 * abs(value) > most else 1
            spans.append(Span(signs[2 + (strong if value > 0 else -strong)], "buy" if value > 0 else "sell"))
    return spans


def flow(frame: Frame, candles: Sequence[Candle], columns: int, width: int, look: Look) -> list[Line]:
    """Two lines: delta and CVD of the candles shown, each with its newest number on the right."""
    shown = candles[-columns:]
    blank, now = " " * (columns - len(shown)), frame.flow
    deltas = arrows([delta_of(candle) for candle in shown], look)
    total = sparkline([candle.cvd for candle in shown], look)
    if now is None:
        why = frame.missing.get("orderflow", "no order flow in this input")
        return [line(blank, *deltas, " ", Span(why, "dim")), line(blank, Span(total, "dim"))]
    minute, cvd = now.delta, now.cvd
    sums = [words for words in ("CVD", numbers.signed(cvd), bias(frame), heat(frame)) if words]
    recent = ["delta", numbers.signed(minute), "of 60 s"]
    room = width - columns - 1
    return [
        line(blank, *deltas, " ", Span(fitting(recent, room), side(minute))),
        line(blank, Span(total, "dim"), " ", Span(fitting(sums, room), side(cvd))),
    ]


def side(value: float | None) -> str:
    """The style of a signed number."""
    return "" if not value else "buy" if value > 0 else "sell"


def bias(frame: Frame) -> str:
    """Which way the order flow leans."""
    return "" if frame.flow is None or frame.flow.bias is None else frame.flow.bias


def heat(frame: Frame) -> str:
    """How hot the order flow is."""
    return "" if frame.flow is None or frame.flow.heat is None else f"heat {frame.flow.heat:.0f}"
