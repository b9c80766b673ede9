"""Colours and type. Blue is buying and support, orange is selling and resistance: told apart by every eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BUY, SELL = "B", "A"


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one picture."""

    ground: str          # around the panels
    panel: str
    grid: str
    text: str
    faint: str           # second-rank text
    price: str
    quote: str           # between bid and ask
    buy: str
    sell: str
    vwap: str
    alarm: str           # what must not be missed
    on_alarm: str        # text upon it

    def side(self, side: str) -> str:
        """The colour of a side; neutral where there is none."""
        return {BUY: self.buy, SELL: self.sell}.get(side, self.faint)


THEMES = {
    "dark": Theme(
        ground="#0d1117", panel="#11161e", grid="#232b36", text="#e3e8ef", faint="#8b96a5", price="#e8ecf2",
        quote="#5c6b80", buy="#3d9df2", sell="#f0902e", vwap="#d6b3f5", alarm="#f2d024", on_alarm="#14171c",
    ),
    "light": Theme(
        ground="#ffffff", panel="#fbfcfd", grid="#e3e7ec", text="#171c24", faint="#626c7a", price="#1d2530",
        quote="#a9b4c2", buy="#0a66b8", sell="#c75a00", vwap="#7b3fb0", alarm="#f5c400", on_alarm="#14171c",
    ),
}


def settings(theme: Theme) -> dict[str, Any]:
    """matplotlib's settings: nothing of the user's own, and nothing that differs between two runs."""
    return {
        "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9.0, "axes.unicode_minus": True,
        "figure.facecolor": theme.ground, "savefig.facecolor": theme.ground, "axes.facecolor": theme.panel,
        "axes.edgecolor": theme.grid, "axes.labelcolor": theme.faint, "text.color": theme.text,
        "xtick.color": theme.faint, "ytick.color": theme.faint, "axes.grid": True, "axes.axisbelow": True,
        "grid.color": theme.grid, "grid.linewidth": 0.6, "axes.linewidth": 0.8, "lines.solid_capstyle": "butt",
        "lines.solid_joinstyle": "miter", "xtick.major.size": 3.0, "ytick.major.size": 3.0, "hatch.linewidth": 0.7,
        "svg.hashsalt": "qmo", "svg.fonttype": "path", "path.simplify": False,
    }
