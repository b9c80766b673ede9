"""Markers: sweeps, stop runs and grabs at their prices, signals beside the price, notices of the stream on top."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .canvas import Canvas, Drawn
from .marks import Episode, Flag, Largest, Mark
from .shapes import rectangles
from .theme import BUY, SELL

DIRECTION = {"BUY": BUY, "SELL": SELL}
STRIP = 0.022  # of the price panel's height


@dataclass(slots=True)
class Room:
    """Where along the time axis there is still room for words, in pixels."""

    least: float
    taken: list[float] = field(default_factory=list)

    def take(self, x: float) -> bool:
        """Claim a place; False where other words stand too close."""
        if any(abs(x - other) < self.least for other in self.taken):
            return False
        self.taken.append(x)
        return True


def draw_marks(sheet: Canvas, kept: Largest, shape: str, size: float) -> Drawn:
    """Draw the largest events of a kind, as many as can be told apart; how many were drawn, and how many were."""
    most = max(10, round(sheet.pixels_wide() / (20 * sheet.unit)))
    marks = sorted(sorted(kept.marks(), key=lambda mark: -mark.size)[:most])
    for side in sorted({mark.side for mark in marks}):
        draw_side(sheet, [mark for mark in marks if mark.side == side], shaped(shape, side), size)
    return Drawn(len(marks), kept.count)


def draw_side(sheet: Canvas, marks: list[Mark], shape: str, size: float) -> None:
    """Strokes through the prices that were taken, and markers where they ended."""
    x, colour = [sheet.scale.place(mark.ts) for mark in marks], sheet.theme.side(marks[0].side)
    ends = [mark.end for mark in marks]
    sheet.price.vlines(x, [mark.start for mark in marks], ends, color=colour, linewidth=1.6, zorder=6)
    edge: dict[str, Any] = {"linewidths": 1.4} if shape == "x" else {
        "edgecolors": sheet.theme.panel, "linewidths": 0.6}
    sheet.price.scatter(x, ends, size * size, color=colour, marker=shape, zorder=6.5, **edge)


def shaped(shape: str, side: str) -> str:
    """The marker; a triangle points where the aggressor pushed."""
    if shape != "triangle":
        return shape
    return "^" if side == BUY else "v"


def draw_signals(sheet: Canvas) -> Drawn:
    """All episodes as a strip at the foot; openings as arrows with type and confidence, where there is room."""
    series = sheet.series
    episodes = [one for one in series.episodes.all() if (one.until or series.last) > series.since]
    draw_strip(sheet, episodes)
    arrows, room = Room(16 * sheet.unit), Room(58 * sheet.unit)
    for one in episodes:
        x = sheet.scale.place(one.since)
        if one.since > series.since and one.price is not None and arrows.take(x / sheet.seconds_per_pixel()):
            draw_signal(sheet, one, x, one.price, words=room.take(x / sheet.seconds_per_pixel()))
    return Drawn(len(arrows.taken), len(episodes))


def draw_strip(sheet: Canvas, episodes: list[Episode]) -> None:
    """When there was a signal, and which way: no episode is narrower than a pixel."""
    if not episodes:
        return
    left = np.array([max(sheet.scale.place(one.since), 0.0) for one in episodes])
    right = np.array([sheet.scale.place(one.until or sheet.series.last) for one in episodes])
    low = np.full(len(episodes), sheet.low)
    rectangles(
        sheet.price, left, low, np.maximum(right, left + sheet.seconds_per_pixel()),
        low + STRIP * (sheet.high - sheet.low), linewidths=0, zorder=6,
        facecolors=[sheet.theme.side(DIRECTION[one.type]) for one in episodes],
    )


def draw_signal(sheet: Canvas, one: Episode, x: float, price: float, *, words: bool) -> None:
    """An arrow below the price for a buy, above it for a sell."""
    colour = sheet.theme.side(DIRECTION[one.type])
    sign = -1 if one.type == "BUY" else 1
    sheet.price.annotate(
        "", (x, price), (0, sign * 22), textcoords="offset points", annotation_clip=True, zorder=8,
        arrowprops={"arrowstyle": "-|>,head_width=0.42,head_length=0.7", "color": colour, "linewidth": 2.0,
                    "shrinkA": 0, "shrinkB": 3},
    )
    if not words:
        return
    sure = "" if one.confidence is None else f" {one.confidence:.2f}"
    sheet.price.annotate(
        f"{one.type}{sure}", (x, price), (0, sign * 24), textcoords="offset points", ha=aligned(sheet, x),
        va="top" if sign < 0 else "bottom", fontsize=7.5, fontweight="bold", color=colour, zorder=8.5,
        bbox={"boxstyle": "round,pad=0.2", "facecolor": sheet.theme.panel, "edgecolor": colour, "linewidth": 0.8},
    )


def aligned(sheet: Canvas, x: float) -> str:
    """How words stand to their place: beside it where the panel's edge is near."""
    edge = 34 * sheet.unit * sheet.seconds_per_pixel()
    return "left" if x < edge else "right" if x > sheet.scale.length - edge else "center"


def draw_flags(sheet: Canvas) -> None:
    """Gaps, rolls and the like: a line through all panels, and its name on top; doubtful spans are named likewise."""
    room, pixel = Room(64 * sheet.unit), sheet.seconds_per_pixel()
    lines = sorted({round(sheet.scale.place(flag.ts) / pixel) * pixel for flag in sheet.series.flags})
    for panel in (sheet.price, sheet.delta, sheet.cvd) if lines else ():
        panel.vlines(lines, 0, 1, transform=panel.get_xaxis_transform(), color=sheet.theme.alarm, linewidth=0.9,
                     linestyle=(0, (4, 2)), zorder=6)
    for flag in sorted(sheet.series.flags, key=lambda flag: flag.gap is None):  # a roll's gap before its bare notice
        name(sheet, room, sheet.scale.place(flag.ts), flag_words(flag))
    for one in sheet.series.doubts():
        name(sheet, room, max(sheet.scale.place(one.since), 0.0), one.name)


def flag_words(flag: Flag) -> str:
    """A notice in a word or two."""
    return flag.kind if flag.gap is None else f"{flag.kind} {flag.gap:+g}"


def name(sheet: Canvas, room: Room, x: float, text: str) -> None:
    """A word on top of the price panel, if there is room for it."""
    if not room.take(x / sheet.seconds_per_pixel()):
        return
    anchor: dict[str, Any] = {"ha": "left", "va": "top"}
    sheet.price.annotate(
        text, (x, 1.0), (3, -15), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=7.5,
        fontweight="bold", color=sheet.theme.on_alarm, zorder=9, annotation_clip=True, **anchor,
        bbox={"boxstyle": "square,pad=0.2", "facecolor": sheet.theme.alarm, "edgecolor": "none"},
    )
