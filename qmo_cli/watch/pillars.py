"""The five pillars and their sum, as bars from the middle: to the left selling, to the right buying."""

from __future__ import annotations

from ..board.frame import Frame
from ..score import BUY_ABOVE, MICRO, PILLARS, SELL_BELOW, Score
from . import numbers
from .look import Look
from .text import Line, Span, line

BARS = range(13, 42, 2)      # cells of a bar: odd numbers
NAME = 6
NARROW = 62                  # columns below which names are letters
REST = 23                    # columns of a line that are no bar


def pillars(frame: Frame, width: int, look: Look) -> list[Line]:
    """A line for each pillar, and one for the total."""
    score = frame.score
    if score is None:
        return [line(Span(f"score: {frame.missing.get('score', 'none in this input')}", "dim"))]
    cells = max((cells for cells in BARS if cells <= width - REST), default=BARS[0])
    return [*(pillar(name, score, width, cells, look) for name in PILLARS), total(score, cells, look)]


def pillar(name: str, score: Score, width: int, cells: int, look: Look) -> Line:
    """One pillar: its score as a bar and a number, its weight and what it adds, or why it is not known."""
    value: float | None = getattr(score, name)
    weight = f"w{numbers.weight(score.weights[name])}"
    if value is None:
        why = score.missing.get(name, "not known")
        room = width - NAME - len(weight) - 1
        text = why if len(why) <= room else why[:room - 1] + look.glyphs.more
        return line(Span(name.ljust(NAME)), Span(f"{weight} "), Span(text, "dim"))
    pull = score.contributions.get(name)
    adds = "silent" if not pull else f"{pull:+.3f}"
    return line(name.ljust(NAME), *bar(value, cells, look), f" {numbers.share(value)} ", Span(f"{weight} ", "dim"),
                Span(adds, "dim" if not pull else "buy" if pull > 0 else "sell"))


def total(score: Score, cells: int, look: Look) -> Line:
    """The sum, with the cuts beyond which it is a signal."""
    value = score.total
    if value is None:
        return line(Span("total".ljust(NAME), "bold"), Span(score.missing.get("total", "not known"), "dim"))
    cuts = f" S<{numbers.weight(SELL_BELOW / MICRO)} B>{numbers.weight(BUY_ABOVE / MICRO)}"
    return line(Span("total".ljust(NAME), "bold"), *bar(value, cells, look), Span(f" {numbers.share(value)}", "bold"),
                Span(cuts, "dim"))


def bar(value: float, cells: int, look: Look) -> Line:
    """A bar from the middle of the scale (0.5) to a score.

    >>> "".join(span.text for span in bar(0.75, 13, Look()))
    '······│███···'
    """
    glyphs, half = look.glyphs, cells // 2
    length = min(max(round(abs(value - 0.5) * 2 * half), 0), half)
    style = "buy" if value > 0.5 else "sell"
    filled, rest = Span(glyphs.full * length, style), Span(glyphs.empty * (half - length), "dim")
    whole, middle = Span(glyphs.empty * half, "dim"), Span(glyphs.middle, "dim")
    return line(whole, middle, filled, rest) if value > 0.5 else line(rest, filled, middle, whole)


def compact(frame: Frame, width: int) -> Line:
    """All pillars in one line; by their first letters where it is narrow."""
    score = frame.score
    if score is None:
        return line(Span(f"score: {frame.missing.get('score', 'none in this input')}", "dim"))
    narrow, spans = width < NARROW, []
    gap = " " if narrow else "  "
    for name in PILLARS:
        value: float | None = getattr(score, name)
        style = "dim" if value is None or value == 0.5 else "buy" if value > 0.5 else "sell"
        spans += [Span(name[0] if narrow else f"{name} "), Span(numbers.share(value), style), Span(gap)]
    return line(*spans, Span("=" if narrow else "total "), Span(numbers.share(score.total), "bold"))
