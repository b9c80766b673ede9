# cython: language_level=3, auto_pickle=False
"""Bars from trades, or from ready-made bars, with their average true range."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from qmo_cli.engines.bars.bar import Bar, BarsReading
from qmo_cli.engines.bars.timebars import TimeBars
from qmo_cli.engines.ranges import AverageRange
from qmo_cli.packets import Missing, Reading
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

TIME = "time"


@dataclass(slots=True)
class Bars:
    """Time bars aligned to the epoch, or of a trade date. A bar closes when its end has passed; where nothing traded
    there is no bar.
    """

    name: ClassVar[str] = "bars"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
    reading: ClassVar[type[Reading]] = BarsReading

    period: str = field(default="15m", metadata={
        "help": "Length of a time bar: whole seconds (5m, 4h, 24h), or 1d for the CME trade date, 17:00 Chicago."})
    atr_period: str = field(default="15m", metadata={
        "help": "Length of the bars of atr, which zones, score and signal measure by whatever bars are chosen."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    maker: TimeBars = field(init=False)
    count: int = field(default=0, init=False)
    range: AverageRange = field(default_factory=AverageRange, init=False)
    scale: TimeBars = field(init=False)              # the same as maker where the lengths are the same
    scale_range: AverageRange = field(init=False)
    atr: float | None = field(default=None, init=False)
    atr_since: str | None = field(default=None, init=False)
    kept: BarsReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.maker = self.scale = TimeBars(self.period)
        self.scale_range = self.range
        scale = TimeBars(self.atr_period)
        if scale.seconds != self.maker.seconds:
            self.scale, self.scale_range = scale, AverageRange()

    def update(self, packet: Packet) -> BarsReading | Missing:
        maker: TimeBars = self.maker
        closed = maker.read(packet)
        rescaled = False
        if maker.moved != 0.0:
            self._move(maker.moved)
        if closed:
            self._count(closed)
        if self.scale is not maker:
            rescaled = self._rescale(packet)
        if maker.why_not:
            return Missing(maker.why_not)
        kept: BarsReading = self.kept
        if kept is not None and not maker.changed and not rescaled and not kept.closed:
            return kept
        return self._reading(maker, closed, rescaled)

    def _move(self, gap: float | None) -> None:
        self.range.move(gap)
        self.kept = None
        if gap is None:
            self.count = 0
        if gap is None and self.scale is self.maker:
            self.atr = self.atr_since = None

    def _count(self, closed: list[Bar]) -> None:
        self.count += len(closed)
        for bar in closed:
            self.range.add(bar.high, bar.low, bar.close)
        if self.scale is self.maker:
            self._measure(closed[-1])

    def _rescale(self, packet: Packet) -> bool:
        """Follow the bars of atr_period; True: atr is another now."""
        before = self.atr
        closed = self.scale.read(packet)
        if self.scale.moved != 0.0:
            self.scale_range.move(self.scale.moved)
        if self.scale.moved is None:
            self.atr = self.atr_since = None
        for bar in closed:
            self.scale_range.add(bar.high, bar.low, bar.close)
            self._measure(bar)
        return bool(self.atr != before)

    def _measure(self, bar: Bar) -> None:
        atr = self.scale_range.atr
        if atr is not None:
            self.atr, self.atr_since = round(atr, 6), str(int(bar.start) + bar.interval * SECOND)

    def _reading(self, maker: TimeBars, closed: list[Bar], rescaled: bool) -> BarsReading:
        kept, forming = self.kept, maker.forming
        if kept is None or closed or rescaled:
            self._explain(maker)
            bar_atr = None if self.range.atr is None else round(self.range.atr, 6)
        else:
            bar_atr = kept.bar_atr
        pieces = maker.pieces
        self.kept = BarsReading(
            TIME, maker.seconds or None, None, self.count, maker.last, None if forming is None else forming.bar(),
            closed, bar_atr, self.atr, self.atr_since, pieces.rejected, pieces.reason)
        return self.kept

    def _explain(self, maker: TimeBars) -> None:
        self.reasons = {}
        if maker.last is None:
            self.reasons["bar"] = f"no bar of {self.period} has closed yet"
        if self.range.atr is None:
            self.reasons["bar_atr"] = f"{self.range.why_not} of {self.period} bars"
        if self.atr is None:
            why = f"{self.scale_range.why_not} of {self.atr_period} bars"
            self.reasons["atr"] = self.scale.why_not or why
