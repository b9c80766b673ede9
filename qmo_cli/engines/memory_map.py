"""Where the remembered zones of one contract lie on the price scale."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from .memory_place import EPSILON, Remembered

LAST = "\uffff"                          # sorts behind every id


class ZoneMap:
    """Zones by their edges, both kept ascending, so that nothing is searched where a packet asks for a few."""

    def __init__(self) -> None:
        self.zones: dict[str, Remembered] = {}
        self.lows: list[tuple[float, str]] = []
        self.highs: list[tuple[float, str]] = []
        self.widest = 0.0

    def add(self, zone: Remembered) -> None:
        """Put a zone in; it must not move while it is there."""
        self.zones[zone.id] = zone
        insort(self.lows, (zone.low, zone.id))
        insort(self.highs, (zone.high, zone.id))
        self.widest = max(self.widest, zone.high - zone.low)

    def remove(self, zone: Remembered) -> None:
        """Take a zone out."""
        del self.zones[zone.id]
        del self.lows[bisect_left(self.lows, (zone.low, zone.id))]
        del self.highs[bisect_left(self.highs, (zone.high, zone.id))]

    def near(self, price: float, reach: float, most: int) -> list[Remembered]:
        """The zones nearest to the price, none farther than ``reach``: nearest first, then lowest."""
        over = bisect_right(self.lows, (price + EPSILON, LAST))
        under = bisect_left(self.highs, (price - EPSILON, ""))
        names = [name for _, name in self.lows[over:over + most]]
        names += [name for _, name in self.highs[max(0, under - most):under]]
        inside = bisect_left(self.lows, (price - self.widest - 2 * EPSILON, ""))
        zones = [self.zones[name] for name in names]
        zones += [zone for _, name in self.lows[inside:over] if (zone := self.zones[name]).high >= price - EPSILON]
        ranked = sorted((round(max(zone.low - price, price - zone.high, 0.0), 9), zone.low, zone.id, zone)
                        for zone in zones)
        return [row[3] for row in ranked[:most] if row[0] <= reach + EPSILON]

    def count(self, low: float, high: float) -> int:
        """How many zones have a price within these."""
        begun = bisect_right(self.lows, (high + EPSILON, LAST))
        return begun - bisect_left(self.highs, (low - EPSILON, ""))
