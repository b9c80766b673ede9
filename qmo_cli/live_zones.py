"""The live iceberg zones of one reading, arranged so that each packet asks cheaply."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .times import SECOND
from .views import IcebergView, ZoneView

LIVE = frozenset({"created", "defended", "flipped"})


def supports(zone: ZoneView) -> bool:
    """Whether a zone holds price from below; a flipped one does what its other side would.

    (``side`` stays that of the orders it was built from.)
    """
    return (zone.side == "B") != (zone.state == "flipped")


class LiveZones:
    """Zones that stand, ascending by centre.

    Weights are those of the moment the newest zone was seen. All decay alike from there, so that which side
    outweighs the other does not depend on when one asks.
    """

    def __init__(self, zones: Sequence[ZoneView]) -> None:
        live = [zone for zone in zones if zone.state in LIVE]
        self.zones = sorted(live, key=lambda zone: (zone.low + zone.high, zone.id))
        self.centres = [(zone.low + zone.high) / 2 for zone in self.zones]
        newest = max((int(zone.last_seen) for zone in self.zones), default=0)
        self.weights = [_weight(zone, newest) for zone in self.zones]
        self._margin = max((zone.high - zone.low for zone in live), default=0.0)  # no zone reaches farther

    def within(self, price: float, reach: float) -> tuple[float, float]:
        """Weight of the zones that support and of those that resist no farther from the price than ``reach``."""
        below = above = 0.0
        first = bisect_left(self.centres, price - reach - self._margin)
        last = bisect_right(self.centres, price + reach + self._margin)
        for zone, weight in zip(self.zones[first:last], self.weights[first:last], strict=True):
            if zone.low - reach <= price <= zone.high + reach:
                if supports(zone):
                    below += weight
                else:
                    above += weight
        return below, above

    def around(self, price: float) -> tuple[ZoneView | None, ZoneView | None]:
        """The nearest zone below (or at) the price and the nearest above, by centre."""
        place = bisect_right(self.centres, price)
        below = self.zones[place - 1] if place else None
        return below, self.zones[place] if place < len(self.zones) else None


def _weight(zone: ZoneView, at: int) -> float:
    age = (at - int(zone.last_seen)) / SECOND
    halvings = age / zone.half_life if zone.half_life > 0 else 0.0
    return float(zone.weight * zone.confidence * 2.0 ** -min(halvings, 1000.0))


NO_ZONES = LiveZones(())


class ZoneMemo:
    """The zones of the latest reading; arranged anew only when the engine gave another list."""

    __slots__ = ("arranged", "listed")

    def __init__(self) -> None:
        self.listed: list[ZoneView] | None = None
        self.arranged = NO_ZONES

    def of(self, reading: IcebergView | None) -> LiveZones:
        """The live zones of this reading."""
        listed = None if reading is None else reading.zones
        if listed is not self.listed:
            self.listed = listed
            self.arranged = LiveZones(listed) if listed else NO_ZONES
        return self.arranged
