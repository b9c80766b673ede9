# cython: language_level=3, auto_pickle=False
"""Order flow: who was aggressive, how unusual that is, and where it traded.

All windows are event time in whole seconds, so that no number depends on the frame's length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from qmo_cli.engines.orderflow.reading import OrderflowReading
from qmo_cli.engines.orderflow.series import Series
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Missing, Reading
from qmo_cli.tray import Packet


@dataclass(slots=True)
class Orderflow:
    """Delta, CVD, VWAP, volume profile and their unusual places, from trades with an aggressor side."""

    name: ClassVar[str] = "orderflow"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "absorption"})
    reading: ClassVar[type[Reading]] = OrderflowReading

    value_area: float = field(default=0.70, metadata={"help": "Share of the volume inside the value area."})
    enough: float = field(default=0.5, metadata={
        "help": "Flow speaks when 60 s hold this share of a usual minute's volume."})
    imbalance_ratio: float = field(default=4.0, metadata={"help": "Volume against volume that makes an imbalance."})
    imbalance_minimum: int = field(default=10, metadata={"help": "Contracts below which there is no imbalance."})
    stack: int = field(default=3, metadata={"help": "Consecutive imbalances that make a stack."})
    cluster_width: float = field(default=3.0, metadata={"help": "Robust deviations above the median of a cluster."})
    large_minimum: int = field(default=20, metadata={"help": "Contracts below which no print is large."})
    large_multiple: float = field(default=3.0, metadata={
        "help": "A large print is this many times the average displayed level, where depth is known."})

    vpin_bucket: int = field(default=3000, metadata={
        "help": "Contracts of a VPIN bucket; a fiftieth of a usual day's volume is customary."})
    vpin_buckets: int = field(default=50, metadata={"help": "Buckets that VPIN looks back on."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    series: Series = field(init=False)

    def __post_init__(self) -> None:
        for name in ("vpin_bucket", "vpin_buckets"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"orderflow.{name}={getattr(self, name)}: 1 or more expected")
        self.series = Series(self)

    def update(self, packet: Packet) -> OrderflowReading | Missing:
        series: Series = self.series
        reading = series.advance(packet)
        self.reasons = series.reasons
        return reading
