"""The sheet that a picture is drawn on: its size in pixels, its panels, and where in them things go."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .columns import Columns, squeezed
from .options import Format, PlotOptions
from .series import Series
from .theme import THEMES, Theme
from .timescale import TimeScale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100                         # of a picture of 1600 x 900; smaller ones get smaller type, down to a limit
TYPE_LIMITS = (0.74, 2.5)
LEAD = 0.04                       # of the span of trading: how much is shown of the quotes before it
USUAL_AREA = 1600 * 900
LEFT, RIGHT, BOTTOM, TITLE, ROW, GAP = 62, 104, 42, 50, 19, 7  # margins in hundredths of an inch
FEWEST, MOST_STEPS = 3, 30         # numbers on an axis: what is wanted, and when to stop trying
EDGE = 6                          # room after the last frame, likewise
NO_DATE: dict[Format, dict[str, Any]] = {  # of the file's making: the same input makes the same bytes
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None},
}


class Drawn(NamedTuple):
    """How many things of a kind were drawn, how many there were, and in which states the drawn ones were."""

    drawn: int
    total: int
    states: frozenset[str] = frozenset()


@dataclass(slots=True)
class Canvas:
    """A figure with its panels. ``unit``: pixels in a hundredth of an inch; ``low`` and ``high``: prices shown."""

    figure: Figure
    series: Series
    options: PlotOptions
    theme: Theme
    scale: TimeScale
    columns: Columns
    unit: float
    width: int
    height: int
    low: float
    high: float
    price: Axes
    profile: Axes
    delta: Axes
    cvd: Axes

    @property
    def tick(self) -> float:
        """The price step, as far as it is known."""
        return self.series.tick or 0.0

    def pixels_wide(self) -> float:
        """Width of the price panel."""
        return float(self.price.get_position().width * self.width)

    def price_per_pixel(self) -> float:
        """Points of price in one pixel."""
        return (self.high - self.low) / float(self.price.get_position().height * self.height)

    def seconds_per_pixel(self) -> float:
        """Seconds of the axis in one pixel."""
        return float(self.scale.length / (self.pixels_wide() - EDGE * self.unit))

    def bytes(self) -> bytes:
        """The picture's file."""
        kind, file = self.options.kind(), BytesIO()
        self.figure.savefig(file, format=kind, dpi=self.figure.dpi, metadata=NO_DATE[kind])
        return file.getvalue()


def unit_of(width: int, height: int) -> float:
    """How large type and lines are, by the picture's area."""
    small, large = TYPE_LIMITS
    return min(max(sqrt(width * height / USUAL_AREA), small), large)


def legend_rows(width: int, unit: float) -> int:
    """Rows of the legend: what does not fit beside one another goes below."""
    return 1 if width / unit > 1250 else 2


def canvas(series: Series, options: PlotOptions) -> Canvas:
    """An empty sheet for a series, its panels in place and its axes set."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = options.pixels()
    unit = unit_of(width, height)
    dpi = round(DPI * unit)
    figure = Figure(figsize=((width + 1e-3) / dpi, (height + 1e-3) / dpi), dpi=dpi)
    FigureCanvasAgg(figure)  # measures words, whatever the format of the file
    scale = time_scale(series)
    panels = place_panels(figure, width, height, dpi / DPI)
    columns = price_columns(series, scale, round(panels[0].get_position().width * width))
    low, high = price_range(series, columns)
    sheet = Canvas(figure, series, options, THEMES[options.theme], scale, columns, dpi / DPI, width, height,
                   low, high, *panels)
    set_axes(sheet)
    return sheet


def time_scale(series: Series) -> TimeScale:
    """From the first frame or trade to the last; but if nobody chose the begin, little of what is before trading."""
    ends, seconds = np.asarray(series.states.ts) / 1e9, np.asarray(series.trades.second, np.float64)
    last = float(ends[-1])
    first = float(min(ends[0], *seconds[:1])) if len(seconds) else float(ends[0])
    if len(seconds) and not series.since:
        opening = float(seconds.min())
        first = max(first, opening - LEAD * (last - opening))
    return TimeScale.over(np.r_[ends, seconds], first, last, max(series.trades.length, default=1))


def price_columns(series: Series, scale: TimeScale, count: int) -> Columns:
    """What traded, in columns of pixels; where nothing did, the price that the packets give."""
    trades = series.trades
    if not trades.second:
        price = np.asarray(series.states.price)
        x = scale.at(np.asarray(series.states.ts) / 1e9)
        return squeezed(x, (price, price, price, price), 0.0, scale.length, count)
    order = np.argsort(trades.second, kind="stable")
    x = scale.at(np.asarray(trades.second)[order] + np.asarray(trades.length)[order] / 2)
    opens, highs, lows, closes = (np.asarray(c)[order] for c in (trades.open, trades.high, trades.low, trades.close))
    return squeezed(x, (opens, highs, lows, closes), 0.0, scale.length, count)


def price_range(series: Series, columns: Columns) -> tuple[float, float]:
    """The prices to show: all that traded, some room, and below it room for the strip of signals."""
    low, high = float(np.nanmin(columns.low)), float(np.nanmax(columns.high))
    least = 12 * (series.tick or abs(high) * 1e-5 or 1.0)
    missing = max(0.0, least - (high - low)) / 2
    low, high = low - missing, high + missing
    return low - 0.10 * (high - low), high + 0.08 * (high - low)


def place_panels(figure: Figure, width: int, height: int, unit: float) -> tuple[Axes, Axes, Axes, Axes]:
    """Price, with the profile beside it; below both delta, and CVD."""
    left, right, bottom, gap = LEFT * unit, RIGHT * unit, BOTTOM * unit, GAP * unit
    top = (TITLE + ROW * legend_rows(width, unit)) * unit
    inside_x, inside_y = width - left - right, height - top - bottom - 2 * gap
    profile = max(0.11 * inside_x, 70 * unit)
    wide, heights = inside_x - profile - gap, (0.72 * inside_y, 0.13 * inside_y, 0.15 * inside_y)
    base = (bottom + heights[2] + heights[1] + 2 * gap, bottom + heights[2] + gap, bottom)

    def panel(x: float, y: float, across: float, up: float, **shared: Any) -> Axes:
        return figure.add_axes((x / width, y / height, across / width, up / height), **shared)

    price = panel(left, base[0], wide, heights[0])
    beside = panel(left + wide + gap, base[0], profile, heights[0], sharey=price)
    return (price, beside, panel(left, base[1], wide, heights[1], sharex=price),
            panel(left, base[2], wide, heights[2], sharex=price))


def set_axes(sheet: Canvas) -> None:
    """Ranges, round times below the lowest panel, prices to the left of the highest."""
    places, words = sheet.scale.ticks(round(sheet.pixels_wide() / (85 * sheet.unit)), sheet.options.zone())
    sheet.price.set_xlim(0.0, sheet.scale.length + EDGE * sheet.unit * sheet.seconds_per_pixel())
    sheet.price.set_ylim(sheet.low, sheet.high)
    sheet.cvd.set_xticks(places, words)
    for panel in (sheet.price, sheet.delta, sheet.profile):
        panel.tick_params(labelbottom=False, length=0)
    sheet.profile.tick_params(labelleft=False)
    sheet.profile.grid(visible=False)
    round_numbers(sheet, sheet.price, round((sheet.price.get_position().height * sheet.height) / (60 * sheet.unit)))


def round_numbers(sheet: Canvas, panel: Axes, most: int) -> None:
    """Whole steps on a panel's axis, none so close to its edge that the next panel's would touch it."""
    from matplotlib.ticker import MaxNLocator

    low, high = panel.get_ylim()
    edge = 6 * sheet.unit * (high - low) / (float(panel.get_position().height) * sheet.height)
    places: list[float] = []
    while len(places) < FEWEST and most < MOST_STEPS:
        steps = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        places = [step for step in steps if low + edge < step < high - edge]
        most += 1
    panel.set_yticks(places)
    panel.ticklabel_format(axis="y", useOffset=False, style="plain")
