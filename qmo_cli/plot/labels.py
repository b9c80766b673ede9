"""Words around the panels: title, source and quality, levels at the right edge, legend."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from .canvas import LEFT, RIGHT, TITLE, Canvas
from .series import TRUSTED

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Entry = tuple["Artist", str]
TAG_HEIGHT = 15  # hundredths of an inch from one tag to the next


def draw_title(sheet: Canvas) -> None:
    """What, when, from where, how good."""
    u, theme, series = sheet.unit, sheet.theme, sheet.series
    title = " → ".join(series.symbols) or series.name
    if series.symbols and series.name not in series.symbols:
        title += f" ({series.name})"
    x, y = 14 * u / sheet.width, 1 - 8 * u / sheet.height
    sheet.figure.text(x, y, f"{title}   {span(sheet)}", fontsize=12.5, fontweight="bold", va="top")
    sheet.figure.text(x, 1 - 31 * u / sheet.height, facts(sheet), fontsize=8.2, color=theme.faint, va="top")
    draw_warning(sheet)


def span(sheet: Canvas) -> str:
    """From when to when, in the zone of the axis."""
    begin, end = (datetime.fromtimestamp(place, sheet.options.zone()) for place in sheet.scale.knots[[0, -1]])
    zone = end.tzname() or sheet.options.timezone
    clock = "%H:%M:%S" if (begin.second or end.second) else "%H:%M"
    last = end.strftime(clock) if begin.date() == end.date() else end.strftime(f"%Y-%m-%d {clock}")
    return f"{begin.strftime(f'%Y-%m-%d {clock}')} to {last} {zone}"


def facts(sheet: Canvas) -> str:
    """Source, quality, access, and how much there was of it."""
    series = sheet.series
    qualities = ", ".join(dict.fromkeys(one.name for one in series.qualities))
    access = f"{series.access}, book {series.book}" if series.book else series.access
    return "   ·   ".join((
        f"source {series.source}", f"quality {qualities}", access, f"{series.frames:,} frames",
        f"{series.trades.bars:,} bars" if series.trades.bars else f"{series.trades.count:,} trades",
    ))


def draw_warning(sheet: Canvas) -> None:
    """What must not be missed: a badge in the corner, and words across the price where all of it is meant."""
    theme, series, usual = sheet.theme, sheet.series, sheet.series.quality()
    parts = " · ".join(dict.fromkeys(one.name.upper() for one in series.doubts()))
    whole = "" if usual in TRUSTED else f"{usual.upper()} DATA"
    words = " · ".join(filter(None, (whole, f"{parts} IN PART" if parts else "")))
    if words:
        sheet.figure.text(
            1 - 12 * sheet.unit / sheet.width, 1 - 12 * sheet.unit / sheet.height, words, ha="right", va="top",
            fontsize=11, fontweight="bold", color=theme.on_alarm,
            bbox={"boxstyle": "square,pad=0.35", "facecolor": theme.alarm, "edgecolor": "none"},
        )
    if whole:
        sheet.price.text(
            0.5, 0.5, usual.upper(), transform=sheet.price.transAxes, ha="center", va="center", fontsize=44,
            fontweight="bold", color=theme.text, alpha=0.13, zorder=6.9,
        )


def draw_tags(sheet: Canvas) -> None:
    """Levels as lines through the profile and words at the right edge, moved apart where they would overlap."""
    tags = sorted((price, name, colour) for name, price, colour in levels(sheet) if sheet.low < price < sheet.high)
    places = apart([price for price, _, _ in tags], TAG_HEIGHT * sheet.unit * sheet.price_per_pixel())
    for (price, name, colour), place in zip(tags, places, strict=True):
        dashes: Any = "-" if name == "last" else (0, (3, 2))
        sheet.profile.axhline(price, color=colour, linewidth=1.0, linestyle=dashes, zorder=4)
        sheet.profile.annotate(
            f"{name} {shown(sheet, price)}", (1.0, price), (1.0, place), xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"), annotation_clip=False, ha="left", va="center", fontsize=8,
            color=colour, fontweight="bold" if name == "last" else "normal",
        ).set_x(1.06)


def levels(sheet: Canvas) -> list[tuple[str, float, str]]:
    """Name, price and colour of the levels that are known."""
    flow, theme = sheet.series.flow, sheet.theme
    last = float(sheet.columns.close[-1])
    found = [("last", last, theme.price)]
    if flow is not None:
        found += [(name, price, colour) for name, price, colour in (
            ("POC", flow.poc, theme.text), ("VAH", flow.vah, theme.faint), ("VAL", flow.val, theme.faint),
            ("VWAP", flow.vwap, theme.vwap),
        ) if price is not None]
    return found


def shown(sheet: Canvas, price: float) -> str:
    """A price with as many decimals as its tick has.

    A VWAP is no whole number of ticks, but two more digits would tell a trader nothing.
    """
    decimals = 2
    if sheet.tick:
        text = f"{sheet.tick:.9f}".rstrip("0")
        decimals = max(len(text) - text.index(".") - 1, 1)
    return f"{price:.{decimals}f}"


def apart(wanted: list[float], least: float) -> list[float]:
    """Ascending places at least so far apart, each group of crowded ones around its middle.

    >>> apart([1.0, 5.0, 5.5], 2.0)
    [1.0, 4.25, 6.25]
    """
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and begin(groups[-1], least) < begin(groups[-2], least) + len(groups[-2]) * least:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [begin(group, least) + index * least for group in groups for index in range(len(group))]


def begin(group: list[float], least: float) -> float:
    """Where a group's lowest goes when its middle stays."""
    return sum(group) / len(group) - (len(group) - 1) * least / 2


def draw_legend(sheet: Canvas, entries: list[Entry]) -> None:
    """Above the price, in as few rows as it fits into."""
    room, agg = sheet.width - (LEFT / 2 + RIGHT / 6) * sheet.unit, cast("Any", sheet.figure.canvas)
    for rows in range(1, len(entries) + 1):
        columns = -(-len(entries) // rows)
        legend = sheet.figure.legend(
            *zip(*ordered(entries, columns), strict=True), loc="upper left", ncols=columns, frameon=False, fontsize=8,
            bbox_to_anchor=(14 * sheet.unit / sheet.width, 1 - (TITLE - 3) * sheet.unit / sheet.height),
            handlelength=1.5, columnspacing=1.4, handletextpad=0.5, borderpad=0, borderaxespad=0, labelspacing=0.45,
            labelcolor=sheet.theme.faint,
        )
        if legend.get_window_extent(agg.get_renderer()).width <= room:
            return
        legend.remove()


def ordered(entries: list[Entry], columns: int) -> list[Entry]:
    """Entries so that they read row by row: the legend itself fills column by column."""
    return [entry for column in range(columns) for entry in entries[column::columns]]
