# cython: language_level=3, auto_pickle=False
"""Bars from trades, or from ready-made bars, with their average true range."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from qmo_cli.engines.bars.bar import Bar, BarsReading
from qmo_cli.engines.bars.filled import FilledBars
from qmo_cli.engines.bars.timebars import TimeBars
from qmo_cli.engines.ranges import AverageRange
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Missing, Reading
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

TIME = "time"
KINDS = (TIME, "tick", "volume", "dollar", "range", "imbalance")


@dataclass(slots=True)
class Bars:
    """Bars by time, aligned to the epoch or to the trade date, or by what trades. A bar closes when its end has passed,
    and where nothing traded there is no bar.
    """

    name: ClassVar[str] = "bars"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
    reading: ClassVar[type[Reading]] = BarsReading

    period: str = field(default="15m", metadata={
        "help": "Length of a time bar: whole seconds (5m, 4h, 24h), or 1d for the CME trade date, 17:00 Chicago."})
    kind: str = field(default=TIME, metadata={
        "help": "What ends a bar: time, tick, volume, dollar, range or imbalance; all but time with the second in "
                "which the bar is full."})
    size: float = field(default=0.0, metadata={
        "help": "What fills a bar: trades (tick), contracts (volume), money (dollar), ticks (range), or the trades "
                "expected in one (imbalance)."})
    atr_period: str = field(default="15m", metadata={
        "help": "Length of the bars of atr, which zones, score and signal measure by whatever bars are chosen."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    maker: TimeBars | FilledBars = field(init=False)
    label: str = field(init=False)
    count: int = field(default=0, init=False)
    range: AverageRange = field(default_factory=AverageRange, init=False)
    scale: TimeBars = field(init=False)              # the same as maker where the lengths are the same
    scale_range: AverageRange = field(init=False)
    atr: float | None = field(default=None, init=False)
    atr_since: str | None = field(default=None, init=False)
    why: str = field(default="", init=False)         # why there are no bars, as the reasons have it
    kept: BarsReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigurationError(f"bars.kind {self.kind!r} is none of {', '.join(KINDS)}")
        if (self.kind == TIME) != (self.size == 0) or not 0 <= self.size < float("inf"):
            raise ConfigurationError(f"bars.size {self.size:g}: all kinds but time need a size above 0, and time none")
        self.scale, self.scale_range = TimeBars(self.atr_period), AverageRange()
        if self.kind != TIME:
            self.maker, self.label = FilledBars(self.kind, self.size), f"{self.kind} bar of {self.size:g}"
            return
        self.maker, self.label = TimeBars(self.period), f"bar of {self.period}"
        if self.maker.seconds == self.scale.seconds:
            self.scale, self.scale_range = self.maker, self.range

    def update(self, packet: Packet) -> BarsReading | Missing:
        maker, rescaled = self.maker, False
        closed = maker.read(packet)
        if maker.moved != 0.0:
            self._move(maker.moved)
        if closed:
            self._count(closed)
        if self.scale is not maker:
            rescaled = self._rescale(packet)
        if maker.why_not and (self.scale is maker or self.scale.why_not):
            return Missing(maker.why_not)
        kept: BarsReading = self.kept
        if kept is not None and not maker.changed and not rescaled and not kept.closed and maker.why_not == self.why:
            return kept
        return self._reading(closed, rescaled)

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

    def _reading(self, closed: list[Bar], rescaled: bool) -> BarsReading:
        kept, maker = self.kept, self.maker
        forming = maker.forming
        if kept is None or closed or rescaled or maker.why_not != self.why:
            self._explain()
            bar_atr = None if self.range.atr is None else round(self.range.atr, 6)
        else:
            bar_atr = kept.bar_atr
        pieces = maker.pieces
        self.kept = BarsReading(
            self.kind, maker.seconds or None, self.size or None, self.count, maker.last,
            None if forming is None else forming.bar(), closed, bar_atr, self.atr, self.atr_since, pieces.rejected,
            pieces.reason)
        return self.kept

    def _explain(self) -> None:
        self.reasons, self.why = {}, self.maker.why_not
        if self.maker.last is None:
            self.reasons["bar"] = self.why or f"no {self.label} has closed yet"
        if self.range.atr is None:
            self.reasons["bar_atr"] = self.why or f"{self.range.why_not} of a {self.label}"
        if self.atr is None:
            self.reasons["atr"] = self.scale.why_not or f"{self.scale_range.why_not} of a bar of {self.atr_period}"
