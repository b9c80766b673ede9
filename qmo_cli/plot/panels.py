"""The panels: price with its quote, volume at price beside it, delta and cumulative delta below."""

from __future__ import annotations

from typing import Any

import numpy as np

from .canvas import Canvas, round_numbers
from .columns import Floats, grouped, held, line, steps, sums
from .shapes import rectangles
from .timescale import STEPS
from .views import FlowView

SILENT = 60.0  # s: an older price is no price any more
DAY_NAMES = {60: "min", 3600: "h", 86_400: "d"}


def silent(sheet: Canvas) -> float:
    """How long nothing must come for a line to break: a minute, or longer where rows are sparser."""
    x = sheet.scale.at(np.asarray(sheet.series.states.ts) / 1e9)
    usual = float(np.median(np.diff(x))) if len(x) > 2 else 0.0
    return max(SILENT, 3 * usual, 3 * sheet.seconds_per_pixel())


def draw_price(sheet: Canvas) -> None:
    """Trades as a path that touches every extreme."""
    x, y = steps(sheet.columns, silent(sheet))
    sheet.price.plot(x, y, color=sheet.theme.price, linewidth=0.9, zorder=5)


def draw_quote(sheet: Canvas) -> None:
    """The band from bid to ask: in each column of pixels from the lowest bid to the highest ask."""
    states = sheet.series.states
    x = sheet.scale.at(np.asarray(states.ts) / 1e9)
    bid, ask = np.asarray(states.bid), np.asarray(states.ask)
    starts = grouped(x, 0.0, sheet.scale.length, round(sheet.pixels_wide()))
    at, bids = held(x[starts], np.fmin.reduceat(bid, starts), silent(sheet))
    _, asks = held(x[starts], np.fmax.reduceat(ask, starts), silent(sheet))
    sheet.price.fill_between(at, bids, asks, step="post", color=sheet.theme.quote, alpha=0.45, linewidth=0, zorder=4)


def draw_vwap(sheet: Canvas) -> None:
    """The VWAP of the trade date so far, as the packets gave it."""
    x, y = state_line(sheet, np.asarray(sheet.series.states.vwap))
    sheet.price.plot(x, y, color=sheet.theme.vwap, linewidth=1.3, linestyle=(0, (5, 2)), zorder=4.5)


def state_line(sheet: Canvas, values: Floats) -> tuple[Floats, Floats]:
    """A number of the packets over time."""
    x = sheet.scale.at(np.asarray(sheet.series.states.ts) / 1e9)
    x, y = held(x, values, silent(sheet))
    return line(x, y, 0.0, sheet.scale.length, round(sheet.pixels_wide()))


def draw_profile(sheet: Canvas) -> None:
    """Volume at price of the trade date, bought and sold; the value area stands out."""
    profile, theme, panel = sheet.series.profile, sheet.theme, sheet.profile
    note(sheet, panel, f"volume {profile.trade_date}" if profile.volumes else "no volume at price")
    panel.set_xticks([])
    prices, volumes, height = binned(sheet)
    if not len(prices):
        return
    inside = in_value_area(prices, sheet.series.flow)
    right = np.cumsum(volumes, axis=1)
    for kind, colour in enumerate((theme.buy, theme.sell, theme.faint)):
        for area, alpha in ((inside, 0.85), (~inside, 0.4)):
            begin, low = (right - volumes)[area, kind], prices[area] - height / 2
            rectangles(panel, begin, low, right[area, kind], low + height, facecolors=colour, alpha=alpha, linewidths=0)
    panel.set_xlim(0, 1.04 * float(right.max()))


def binned(sheet: Canvas) -> tuple[Floats, Floats, float]:
    """Prices, volumes by kind, and the height of a row: as many ticks as make two pixels."""
    volumes = sheet.series.profile.volumes
    if not volumes:
        return np.zeros(0), np.zeros((0, 3)), 0.0
    places = sorted(volumes)
    tick = sheet.tick or min(np.diff([place / 1e9 for place in places]), default=1.0)
    height = tick * max(1.0, np.ceil(2 * sheet.unit * sheet.price_per_pixel() / tick))
    rows = np.round(np.array(places) / 1e9 / height).astype(np.int64)
    starts = np.flatnonzero(np.r_[True, np.diff(rows) > 0])
    total = np.add.reduceat(np.array([volumes[place] for place in places], np.float64), starts, axis=0)
    shown = np.abs(rows[starts] * height - (sheet.low + sheet.high) / 2) <= (sheet.high - sheet.low) / 2
    return rows[starts][shown] * height, total[shown], height


def in_value_area(prices: Floats, flow: FlowView | None) -> Any:
    """Which prices lie in the value area; all, where it is not known."""
    low, high = (flow.val, flow.vah) if flow else (None, None)
    if low is None or high is None:
        return np.ones(len(prices), bool)
    return (prices >= low - 1e-9) & (prices <= high + 1e-9)


def draw_delta(sheet: Canvas) -> None:
    """Contracts bought less sold by aggressors, summed over round spans of time; their volume, if nobody says who."""
    trades, panel = sheet.series.trades, sheet.delta
    bought, sold, none = (np.asarray(each, np.float64) for each in (trades.buy, trades.sell, trades.none))
    sided = bool(bought.any() or sold.any())
    if not sided and not none.any():
        panel.set_yticks([])
        note(sheet, panel, "no delta: no volume is known")
        return
    order, span = np.argsort(trades.second, kind="stable"), bar_span(sheet)
    values = bought - sold if sided else none
    begins, heights = sums(np.asarray(trades.second, np.float64)[order], values[order], span)
    draw_bars(sheet, begins, heights, span, [colour_of(sheet, height, sided) for height in heights])
    what = "delta" if sided else "no delta; volume without aggressor side"
    note(sheet, panel, f"{what} per {words(span)}, contracts")


def colour_of(sheet: Canvas, delta: float, sided: bool) -> str:
    """Who was more aggressive."""
    if not sided:
        return sheet.theme.faint
    return sheet.theme.buy if delta >= 0 else sheet.theme.sell


def draw_bars(sheet: Canvas, begins: Floats, heights: Floats, span: float, colours: list[str]) -> None:
    """Bars from zero, each over its span of time."""
    panel, x = sheet.delta, sheet.scale.at(begins)
    width = np.minimum(sheet.scale.at(begins + span), sheet.scale.length) - x
    rectangles(panel, x + 0.08 * width, np.minimum(heights, 0), x + 0.92 * width, np.maximum(heights, 0),
               facecolors=colours, linewidths=0, zorder=3)
    low, high = min(float(heights.min()), 0.0), max(float(heights.max()), 0.0)
    room = (high - low) or 1.0
    panel.set_ylim(low - 0.08 * room, high + 0.35 * room)
    round_numbers(sheet, panel, 4)
    panel.axhline(0, color=sheet.theme.faint, linewidth=0.7, zorder=4)


def bar_span(sheet: Canvas) -> int:
    """The shortest round span whose bar is wide enough to be seen, and no shorter than the source's own bars."""
    least = max(5 * sheet.unit * sheet.seconds_per_pixel(), *sheet.series.trades.length)
    return next((step for step in STEPS if step >= least), STEPS[-1])


def words(seconds: int) -> str:
    """A span in words.

    >>> words(30), words(300), words(7200)
    ('30 s', '5 min', '2 h')
    """
    for unit, name in reversed(DAY_NAMES.items()):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds} s"


def draw_cvd(sheet: Canvas) -> None:
    """Cumulative delta of the trade date, as the packets gave it."""
    values, panel, flow = np.asarray(sheet.series.states.cvd), sheet.cvd, sheet.series.flow
    if np.isnan(values).all():
        panel.set_yticks([])
        note(sheet, panel, "no CVD: no reading of engine orderflow")
        return
    x, y = state_line(sheet, values)
    panel.plot(x, y, color=sheet.theme.price, linewidth=1.0, zorder=3)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = max(0.12 * (high - low), 1.0)
    panel.set_ylim(low - room, high + 2.2 * room)
    round_numbers(sheet, panel, 4)
    if low - room < 0 < high + room:
        panel.axhline(0, color=sheet.theme.faint, linewidth=0.7, zorder=2)
    since = f" since {flow.anchor}" if flow and flow.anchor else ""
    note(sheet, panel, f"CVD{since}: {values[~np.isnan(values)][-1]:+.0f} contracts")


def note(sheet: Canvas, panel: Any, text: str) -> None:
    """A panel's name in its upper left corner."""
    panel.annotate(
        text, (0, 1), (4, -4), xycoords="axes fraction", textcoords="offset points", ha="left", va="top",
        fontsize=7.5, color=sheet.theme.faint, zorder=9,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": sheet.theme.panel, "edgecolor": "none", "alpha": 0.75},
    )
