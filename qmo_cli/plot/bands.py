"""Zones as bands over their lives, and spans of time that the reader must not trust or that hold nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .canvas import Canvas, Drawn
from .panels import words
from .shapes import rectangles
from .theme import BUY, SELL
from .zones import Life, Lives, Stage

MOST = {"iceberg": 150, "absorption": 80}   # heaviest zones drawn
MOST_WEIGHTS = 5
HATCH = "//////"
FAINTEST, STRONGEST = 0.14, 0.55

Colour = tuple[float, float, float, float]


class Box(NamedTuple):
    """A zone's stage as a rectangle."""

    left: float
    low: float
    right: float
    high: float
    state: str
    side: str                            # it works for
    alpha: float


def draw_zones(sheet: Canvas, lives: Lives) -> Drawn:
    """Draw the heaviest zones of one engine, the lighter below the heavier."""
    found = lives.all(sheet.series.last, max(sheet.series.since, sheet.series.first))
    shown = [life for life in found if any(overlaps(sheet, stage) for stage in life.stages)]
    drawn = shown[:MOST[lives.slot]]
    boxes = [box for life in reversed(drawn) for box in life_boxes(sheet, life, drawn[0].weight)]
    draw_boxes(sheet, boxes, hatched=lives.slot == "absorption")
    return Drawn(len(drawn), len(shown) + lives.dropped, frozenset(box.state for box in boxes))


def overlaps(sheet: Canvas, stage: Stage) -> bool:
    """Whether a zone is at prices that are shown."""
    return stage.low <= sheet.high and stage.high >= sheet.low


def life_boxes(sheet: Canvas, life: Life, heaviest: float) -> Iterator[Box]:
    """One zone, stage after stage. The heavier, the more solid."""
    share = (life.weight / heaviest) ** 0.5 if heaviest > 0 else 1.0
    alpha = FAINTEST + (STRONGEST - FAINTEST) * share
    half = max(sheet.tick / 2, 1.5 * sheet.unit * sheet.price_per_pixel())
    ends = [*life.stages, life.stages[-1]._replace(since=life.until)]
    for stage, after in pairwise(ends):
        left, right = max(sheet.scale.place(stage.since), 0.0), sheet.scale.place(after.since)
        if right > left:
            side = role(life.side, stage.state)
            yield Box(left, stage.low - half, right, stage.high + half, stage.state, side, alpha)


def role(side: str, state: str) -> str:
    """The side a zone works for: a flipped one does what its other side would."""
    if state != "flipped":
        return side
    return SELL if side == BUY else BUY


def draw_boxes(sheet: Canvas, boxes: list[Box], *, hatched: bool) -> None:
    """Filled while a zone stands, an outline once it is broken, framed where it has flipped."""
    broken = [box for box in boxes if box.state == "broken"]
    standing = [box for box in boxes if box.state != "broken"]
    draw_alike(sheet, broken, hatched=False, linestyle=(0, (3, 3)))
    draw_alike(sheet, standing, hatched=hatched, linestyle="-")


def draw_alike(sheet: Canvas, boxes: list[Box], *, hatched: bool, linestyle: Any) -> None:
    """Rectangles whose lines are of one kind."""
    if not boxes:
        return
    left, low, right, high = np.array([box[:4] for box in boxes]).T
    faces, edges, widths = zip(*(look(sheet, box, hatched) for box in boxes), strict=True)
    rectangles(sheet.price, left, low, right, high, facecolors=faces, edgecolors=edges, linewidths=widths,
               linestyles=[linestyle], hatch=HATCH if hatched else None, zorder=2)


def look(sheet: Canvas, box: Box, hatched: bool) -> tuple[Colour, Colour, float]:
    """Face, edge and width of the edge."""
    from matplotlib.colors import to_rgba

    colour = sheet.theme.side(box.side)
    if box.state == "broken":
        return (0.0, 0.0, 0.0, 0.0), to_rgba(colour, 0.2 + box.alpha / 2), 0.7
    face = to_rgba(colour, box.alpha / 4 if hatched else box.alpha)
    flipped = box.state == "flipped"
    return face, to_rgba(colour, 1.0 if flipped else min(1.0, box.alpha + 0.15)), 1.3 if flipped else 0.6


def draw_weights(sheet: Canvas) -> None:
    """Contracts behind the heaviest iceberg zones that stand at the end, where there is room."""
    standing = [life for life in sheet.series.icebergs.standing.values() if life.stages[-1].state != "broken"]
    taken: list[float] = []
    for life in sorted(standing, key=lambda life: (-life.latest, life.id))[:MOST_WEIGHTS]:
        middle = (life.stages[-1].low + life.stages[-1].high) / 2
        near = any(abs(middle - other) < 13 * sheet.unit * sheet.price_per_pixel() for other in taken)
        if near or not sheet.low < middle < sheet.high:
            continue
        taken.append(middle)
        sheet.price.annotate(
            f"iceberg {life.latest:.0f}", (sheet.scale.length, middle), (-4, 0), textcoords="offset points", ha="right",
            va="center", fontsize=7.5, color=sheet.theme.text, zorder=7,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": sheet.theme.panel, "edgecolor": "none", "alpha": 0.6},
        )


def draw_silences(sheet: Canvas) -> None:
    """Where the time axis leaves out hours without a record."""
    for gap in sheet.scale.silences:
        left, right = sheet.scale.at(np.array(gap))
        for panel in (sheet.price, sheet.delta, sheet.cvd):
            panel.axvspan(left, right, facecolor=sheet.theme.ground, edgecolor=sheet.theme.grid, hatch="xxx", zorder=6)
        sheet.price.text(
            (left + right) / 2, (sheet.low + sheet.high) / 2, f"{duration(gap.until - gap.since)} without a record",
            rotation=90, ha="center", va="center", fontsize=7.5, color=sheet.theme.faint, zorder=7,
            bbox={"boxstyle": "square,pad=0.2", "facecolor": sheet.theme.ground, "edgecolor": "none"},
        )


def duration(seconds: float) -> str:
    """A silence in words: hours and minutes.

    >>> duration(81_800), duration(1800)
    ('22 h 43 min', '30 min')
    """
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours and minutes else words(hours * 3600 + minutes * 60)


def draw_doubts(sheet: Canvas) -> None:
    """Spans whose data is worse than it is elsewhere in the picture: doubtful, stale, delayed."""
    doubts = sheet.series.doubts()
    if not doubts:
        return
    left, right = sheet.scale.at(np.array([(one.since / 1e9, one.until / 1e9) for one in doubts]).T)
    right = np.maximum(right, left + sheet.seconds_per_pixel())
    for panel in (sheet.price, sheet.delta, sheet.cvd):
        rectangles(panel, left, np.zeros(len(left)), right, np.ones(len(left)), facecolors=sheet.theme.alarm,
                   alpha=0.16, linewidths=0, zorder=1, transform=panel.get_xaxis_transform())
