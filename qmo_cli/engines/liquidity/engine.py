# cython: language_level=3, auto_pickle=False
"""Liquidity: sweeps, stop runs and grabs, what was stacked and pulled, how lopsided the book is, and the story of it.

All windows are event time in whole seconds, or closed bars, so that no number depends on the frame's length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from qmo_cli.engines.liquidity.reading import LiquidityReading
from qmo_cli.engines.liquidity.series import Series
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Missing, Reading
from qmo_cli.tray import Packet


@dataclass(slots=True)
class Liquidity:
    """Sweeps, stop runs, liquidity grabs, pulled and stacked size, book imbalance, and the story that they make."""

    name: ClassVar[str] = "liquidity"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "depth", "orders", "bars", "iceberg", "orderflow"})
    reading: ClassVar[type[Reading]] = LiquidityReading

    period: str = field(default="", metadata={
        "help": "Length of the bars whose swings count; empty: those of engine bars, or 15m without it."})
    reversal: float = field(default=3.0, metadata={"help": "ATR(14) that a close must come back to confirm a swing."})
    swings: int = field(default=10, metadata={"help": "Newest swings that can be grabbed."})
    grab_bars: int = field(default=6, metadata={"help": "Bars for which a grab counts."})
    near_ticks: float = field(default=20.0, metadata={"help": "An iceberg zone this near the price is told of."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    series: Series = field(init=False)

    def __post_init__(self) -> None:
        if not self.reversal > 0 or self.swings < 1 or self.grab_bars < 0:
            raise ConfigurationError("liquidity: reversal above 0, swings from 1 and grab_bars from 0 expected")
        self.series = Series(self)

    def update(self, packet: Packet) -> LiquidityReading | Missing:
        series: Series = self.series
        reading = series.advance(packet)
        self.reasons = series.reasons
        return reading
