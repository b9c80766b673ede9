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
from .text import EMPTY, Line, Span, line

LABEL = 17          # columns for what stands at a price
NARROW = 34         # columns without it, below which there is no room for it
TALL = 7            # rows from which on the last one shows times
EVERY = 12          # columns between two times, at least
SHOWN_MARKS = {"signal": "S", "sweep": "s", "grab": "g"}
SIDES = {"B": "buy", "A": "sell"}


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
        picture = [self.column(candle) for candle in self.candles]
        for mark in self.marks:
            self.put(mark, picture)
        return [self.line(row, picture) for row in range(self.scale.rows)]

    def put(self, mark: ShownMark, picture: list[list[Span]]) -> None:
        """Set a mark's letter over or under its candle: over it what went down, under it what went up."""
        second = int(mark.ts) // SECOND
        place = bisect_right(self.candles, second, key=attrgetter("time")) - 1
        if mark.kind not in SHOWN_MARKS or place < 0 or second >= self.candles[place].time + self.step:
            return
        column = picture[place]
        drawn = [row for row, span in enumerate(column) if span.text != " "]
        if drawn:
            row = drawn[-1] + 1 if mark.side == "B" else drawn[0] - 1
            if 0 <= row < len(column):
                column[row] = Span(self.glyph(mark), f"bold {SIDES.get(mark.side, '')}".strip())

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

    def column(self, candle: Candle) -> list[Span]:
        """The candle's part of every row."""
        rows = range(self.scale.rows)
        if candle.open is None or candle.close is None or candle.high is None or candle.low is None:
            return [Span(" ") for _ in rows]
        rising = candle.close >= candle.open
        wick = self.scale.half(candle.high), self.scale.half(candle.low)
        body = sorted((self.scale.half(candle.open), self.scale.half(candle.close)))
        glyphs = self.look.glyphs.rising if rising else self.look.glyphs.falling
        style = "buy" if rising else "sell"

        def part(half: int) -> str:
            return "#" if body[0] <= half <= body[1] else "|" if wick[0] <= half <= wick[1] else " "

        return [Span(glyphs[part(2 * row) + part(2 * row + 1)], style) for row in rows]

    def line(self, row: int, picture: list[list[Span]]) -> Line:
        """One row: candles, lines of what stands there between them, the price, and the label."""
        here = [label for label in self.labels if self.scale.covers(row, label.low, label.high)]
        blank = Span(" " * (self.columns.candles - len(picture)))
        pairs = zip(picture, self.candles, strict=True)
        return line(blank, *(self.cell(column[row], candle, here) for column, candle in pairs),
                    *self.axis(row), *self.beside(here))

    def cell(self, drawn: Span, candle: Candle, here: list[Label]) -> Span:
        """What stands in one cell: the candle, else the line of the first label that had begun by then."""
        if drawn.text != " ":
            return drawn
        begun = (label for label in here if candle.time + self.step > label.since)
        first = next(begun, None)
        return drawn if first is None else Span(first.glyph, first.line)

    def axis(self, row: int) -> Line:
        """The price of a row; that of now in inverse."""
        edge, room = Span(self.look.glyphs.edge, "dim"), self.columns.prices - 3
        if self.now is not None and self.scale.row(self.now) == row:
            text = numbers.price(self.now, self.scale.tick).rjust(room)
            return line(edge, Span(f"{self.look.glyphs.at}{text}", "bold inverse"), " ")
        return line(edge, Span(f" {self.scale.price(row).rjust(room)} ", "dim"))

    def beside(self, here: list[Label]) -> Line:
        """The label of a row, and how many more there are."""
        if not (here and self.columns.labels):
            return EMPTY
        more = f" +{len(here) - 1}" if len(here) > 1 else ""
        return line(Span(here[0].text[:self.columns.labels - len(more)], here[0].style), Span(more, "dim"))


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
