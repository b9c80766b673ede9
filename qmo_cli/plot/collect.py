"""From packets to one series that is worth drawing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isnan

from ..errors import BadData, UsageError
from ..times import iso
from ..tray import Packet
from .series import Series

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Collection:
    """The series of an input. Only frames that begin at or after ``since`` and end by ``until`` are shown.

    ``wanted``: series or raw symbols; none is all.
    """

    since: int | None = None             # ns
    until: int | None = None
    wanted: frozenset[str] = frozenset()
    series: dict[str, Series] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)   # of all series that came
    first: int = 0                       # ns, of all frames that came
    last: int = 0

    def read(self, batches: Iterable[list[Packet]]) -> None:
        """Take all packets, up to the first that is too late: they come in the order of time."""
        for batch in batches:
            for packet in batch:
                if not self.take(packet):
                    return

    def take(self, packet: Packet) -> bool:
        """Take one packet; False where it, and so all that follow, are too late."""
        self.first, self.last = self.first or packet.ts, packet.ts
        if self.until is not None and packet.ts > self.until:
            return False
        self.names[packet.series] = None
        if self.wanted and not self.wanted & {packet.series, packet.symbol}:
            return True
        series = self.series.get(packet.series)
        if series is None:
            series = self.series[packet.series] = Series(packet.series, self.since or 0)
        series.add(packet)
        return True

    def choose(self) -> Series:
        """The series with the most trades, of those that have a price.

        Raises BadData where the input holds nothing to draw, UsageError where the options leave nothing of it.
        """
        shown = [series for series in self.series.values() if series.frames]
        if not shown:
            raise self._nothing()
        priced = [series for series in shown if not all(map(isnan, series.states.price)) or series.trades.second]
        if not priced:
            raise BadData(f"nothing to plot: no price in {shown[0].frames} frames of {shown[0].name}")
        chosen = min(priced, key=lambda series: (-series.trades.count, series.name))
        others = [series.name for series in shown if series is not chosen]
        if others:
            logger.warning("drawing %s, the series with most trades; --symbol takes another: %s",
                           chosen.name, ", ".join(sorted(others)))
        return chosen

    def _nothing(self) -> BadData | UsageError:
        if not self.first and self.wanted:
            return UsageError(f"nothing to plot: the input holds nothing of {' or '.join(sorted(self.wanted))}")
        if not self.first:
            return BadData("nothing to plot: the input holds no packet and no market record")
        if self.wanted and not self.series:
            return UsageError(f"nothing to plot: no {' or '.join(sorted(self.wanted))}; there are "
                              f"{', '.join(sorted(self.names)) or 'none in that time'}")
        return UsageError(f"nothing to plot in that time: the input has frames from {iso(self.first)} "
                          f"to {iso(self.last)}")
