"""One series as a picture: price with quote and zones, what happened to it, volume at price, delta and CVD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import bands, events, labels, panels
from .canvas import Canvas, Drawn, canvas
from .options import PlotOptions
from .series import Series
from .theme import THEMES, settings

if TYPE_CHECKING:
    from .labels import Entry


def picture(series: Series, options: PlotOptions) -> bytes:
    """The bytes of a picture's file: of the same series and options always the same."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(settings(THEMES[options.theme]))
        sheet = canvas(series, options)
        fill(sheet)
        return sheet.bytes()


def fill(sheet: Canvas) -> None:
    """Draw everything, and name in the legend what was drawn."""
    panels.draw_quote(sheet)
    panels.draw_vwap(sheet)
    panels.draw_price(sheet)
    counts = {
        "iceberg": bands.draw_zones(sheet, sheet.series.icebergs),
        "absorption": bands.draw_zones(sheet, sheet.series.absorption),
        "sweep": events.draw_marks(sheet, sheet.series.sweeps, "triangle", 5.5),
        "stop run": events.draw_marks(sheet, sheet.series.stops, "x", 4.5),
        "grab": events.draw_marks(sheet, sheet.series.grabs, "*", 9.0),
    }
    bands.draw_weights(sheet)
    counts["signal"] = events.draw_signals(sheet)
    bands.draw_silences(sheet)
    bands.draw_doubts(sheet)
    events.draw_flags(sheet)
    panels.draw_profile(sheet)
    panels.draw_delta(sheet)
    panels.draw_cvd(sheet)
    labels.draw_title(sheet)
    labels.draw_tags(sheet)
    labels.draw_legend(sheet, entries(sheet, counts))


def entries(sheet: Canvas, counts: dict[str, Drawn]) -> list[Entry]:
    """What the legend says: only of what is in the picture."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    theme = sheet.theme

    def mark(shape: str, colour: str = theme.text, **rest: Any) -> Line2D:
        return Line2D([], [], linestyle="none", marker=shape, markersize=6, color=colour, **rest)

    trades = sheet.series.trades
    found: list[Entry] = [(Line2D([], [], color=theme.price, linewidth=1.2), "trades" if trades.count else "price")]
    if not np.isnan(sheet.series.states.bid).all():
        found.append((Patch(color=theme.quote, alpha=0.6, linewidth=0), "bid to ask"))
    if any(trades.buy) or any(trades.sell):
        found += [(Patch(color=theme.buy, linewidth=0), "buys, supports"),
                  (Patch(color=theme.sell, linewidth=0), "sells, resists")]
    if sheet.series.flow is not None:
        found.append((Line2D([], [], color=theme.vwap, linestyle=(0, (4, 1.5))), "VWAP"))
    for slot, look in (("iceberg", {"facecolor": theme.faint, "alpha": 0.6, "linewidth": 0}),
                       ("absorption", {"facecolor": "none", "edgecolor": theme.faint, "hatch": bands.HATCH})):
        if counts[slot].total:
            found.append((Patch(**look), counted(f"{slot} zone", counts[slot])))
    states = counts["iceberg"].states | counts["absorption"].states
    if "broken" in states:
        found.append((Patch(facecolor="none", edgecolor=theme.faint, linestyle=(0, (2, 2)), linewidth=0.8), "broken"))
    if "flipped" in states:
        found.append((Patch(facecolor="none", edgecolor=theme.faint, linewidth=1.6), "flipped"))
    shapes = {"sweep": mark("^"), "stop run": mark("x"), "grab": mark("*"),
              "signal": mark("$\\uparrow$")}
    found += [(shape, counted(name, counts[name])) for name, shape in shapes.items() if counts[name].total]
    return found


def counted(name: str, count: tuple[int, int] | Drawn) -> str:
    """A kind with how many of it there are, and how many of them are drawn.

    >>> counted("sweep", (60, 186)), counted("sweep", (10, 10))
    ('60 of 186 sweeps', '10 sweeps')
    """
    drawn, all_of_it = count[:2]
    many = name if all_of_it == 1 else f"{name}s"
    return f"{all_of_it} {many}" if drawn == all_of_it else f"{drawn} of {all_of_it} {many}"
