"""Candles with the zones at their prices, in characters: two heights to a row, one candle to a column."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from ..board.frame import Candle, Frame, History, ShownMark
from ..times import SECOND
from . import numbers
from .labels import Label, labels
from .look import Look
from .scale import Scale, extent, scale_of
from .text import EMPTY, Line, Span, fitting, joined, line

LABEL = 20          # columns for what stands at a price
NARROW = 34         # columns without it, below which there is no room for it
TALL = 7            # rows from which on the last one shows times
EVERY = 12          # columns between two times, at least
SHOWN_MARKS = {"signal": "S", "sweep": "s", "grab": "g"}
SIDES = {"B": "buy", "A": "sell"}
BLANK = Span(" ")


@dataclass(frozen=True, slots=True)
class Columns:
    """How the columns of a chart are used: ``candles``, then prices, then labels."""

    candles: int
    prices: int
    labels: int


def columns_of(width: int, reach: tuple[float, float], tick: float | None) -> Columns:
    """The columns of a chart that shows these prices."""
    prices = max(len(numbers.price(value, tick)) for value in reach) + 3
    beside = LABEL if width >= NARROW + LABEL else 0
    return Columns(max(width - prices - beside, 1), prices, beside)


def room_for_candles(frame: Frame, history: History | None, width: int) -> int:
    """How many candles there is room for."""
    market = frame.market
    reach = extent(history.candles if history else (), market.price if market else None)
    return columns_of(width, reach or (0.0, 0.0), market.tick if market else None).candles


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of candles."""

    candles: Sequence[Candle]
    step: int                           # s, of a candle
    scale: Scale
    columns: Columns
    labels: list[Label]
    marks: Sequence[ShownMark]
    now: float | None
    look: Look

    def lines(self) -> list[Line]:
        """All rows, with prices and what stands at them on the right."""
        picture: list[dict[int, Span]] = [{} for _ in range(self.scale.rows)]
        ends = [self.draw(place, candle, picture) for place, candle in enumerate(self.candles)]
        for mark in self.marks:
            if mark.kind in SHOWN_MARKS:
                self.put(mark, picture, ends)
        through: list[list[Label]] = [[] for _ in picture]
        said: list[list[Label]] = [[] for _ in picture]
        for label in self.labels:
            rows = self.scale.between(label.low, label.high)
            for row in rows:
                through[row].append(label)
            if rows:
                said[min(max(self.scale.row(label.at), rows[0]), rows[-1])].append(label)
        return [self.line(row, *parts) for row, parts in enumerate(zip(picture, through, said, strict=True))]

    def draw(self, place: int, candle: Candle, picture: list[dict[int, Span]]) -> tuple[int, int] | None:
        """Set a candle's cells in its column; the first and the last row of them."""
        if candle.open is None or candle.close is None or candle.high is None or candle.low is None:
            return None
        half, rising = self.scale.half, candle.close >= candle.open
        high, low = half(candle.high), half(candle.low)
        upper, lower = sorted((half(candle.open), half(candle.close)))
        glyphs, style = (self.look.glyphs.rising, "buy") if rising else (self.look.glyphs.falling, "sell")
        parts = f"{'|' * (upper - high)}{'#' * (lower - upper + 1)}{'|' * (low - lower)}"
        parts = f"{' ' * (high % 2)}{parts} "
        top, bottom = high // 2, low // 2
        for row in range(top, bottom + 1):
            picture[row][place] = Span(glyphs[parts[2 * (row - top):2 * (row - top) + 2]], style)
        return top, bottom

    def put(self, mark: ShownMark, picture: list[dict[int, Span]], ends: Sequence[tuple[int, int] | None]) -> None:
        """Set a mark's letter over or under its candle: over it what went down, under it what went up."""
        second = int(mark.ts) // SECOND
        place = bisect_right(self.candles, second, key=attrgetter("time")) - 1
        drawn = ends[place] if place >= 0 and second < self.candles[place].time + self.step else None
        if drawn is None:
            return
        up, row = (1, drawn[1] + 1) if mark.side == "B" else (-1, drawn[0] - 1)
        while 0 <= row < len(picture) and place in picture[row]:
            row += up
        if 0 <= row < len(picture):
            picture[row][place] = Span(self.glyph(mark), f"bold {SIDES.get(mark.side, '')}".strip())

    def glyph(self, mark: ShownMark) -> str:
        """An arrow for a signal, x for its end, letters for what else there is."""
        if mark.kind != "signal":
            return SHOWN_MARKS[mark.kind]
        return {"B": self.look.glyphs.rise, "A": self.look.glyphs.fall}.get(mark.side, "x")

    def times(self) -> Line:
        """The times of candles, under their columns."""
        text = " " * (self.columns.candles - len(self.candles))
        for place, candle in enumerate(self.candles):
            column = self.columns.candles - len(self.candles) + place
            due = not text.strip() or column >= len(text) + EVERY - 5
            if due and column >= len(text) and column + 5 <= self.columns.candles:
                text = text.ljust(column) + numbers.clock(candle.time * SECOND)[:5]
        return line(Span(text, "dim"))

    def line(self, row: int, cells: dict[int, Span], through: list[Label], said: list[Label]) -> Line:
        """One row: candles, lines of what stands there between them, the price, and the label."""
        spans = [BLANK] * len(self.candles)
        for label in reversed(through):
            if label.glyph != " ":
                begin = bisect_right(self.candles, label.since - self.step, key=attrgetter("time"))
                spans[begin:] = [Span(label.glyph, label.line)] * (len(spans) - begin)
        for place, cell in cells.items():
            spans[place] = cell
        blank = Span(" " * (self.columns.candles - len(self.candles)))
        return line(blank, *joined(spans), *self.axis(row), *self.beside(said))

    def axis(self, row: int) -> Line:
        """The price of a row; that of now in inverse."""
        edge, room = Span(self.look.glyphs.edge, "dim"), self.columns.prices - 3
        if self.now is not None and self.scale.row(self.now) == row:
            text = numbers.price(self.now, self.scale.tick).rjust(room)
            return line(edge, Span(f"{self.look.glyphs.at}{text}", "bold inverse"), " ")
        return line(edge, Span(f" {self.scale.price(row).rjust(room)} ", "dim"))

    def beside(self, said: list[Label]) -> Line:
        """The label of a row, and how many more there are."""
        if not (said and self.columns.labels):
            return EMPTY
        more = f" +{len(said) - 1}" if len(said) > 1 else ""
        text = fitting(said[0].text.split(" "), self.columns.labels - len(more))
        return line(Span(text, said[0].style), Span(more, "dim"))


def chart(frame: Frame, history: History | None, width: int, rows: int, look: Look) -> list[Line]:
    """The last candles that there is room for, with what stands at their prices."""
    market, candles = frame.market, history.candles if history else []
    now, tick = (market.price, market.tick) if market else (None, None)
    shown = candles[-room_for_candles(frame, history, width):]
    reach = extent(shown, now)
    if history is None or reach is None:
        nothing = line(Span("nothing traded yet", "dim"))
        return [nothing if row == rows // 2 else EMPTY for row in range(rows)]
    timed = rows >= TALL
    columns = columns_of(width, reach, tick)
    scale = scale_of(*reach, rows - timed, tick)
    drawn = Chart(shown, history.step, scale, columns, labels(frame, look), history.marks, now, look)
    return [*drawn.lines(), *([drawn.times()] if timed else [])]
