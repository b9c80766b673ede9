# cython: language_level=3, auto_pickle=False
"""Where the remembered zones of one contract lie on the price scale."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

import cython

from qmo_cli.engines.memory.place import EPSILON, Remembered
from qmo_cli.rounding import nearest

LAST = "\uffff"                          # sorts behind every id
NANO = cython.declare(cython.double, 1e9)


@cython.final
@cython.cclass
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

    @cython.ccall
    def near(self, price: cython.double, reach: cython.double, most: cython.Py_ssize_t) -> list:
        """The zones nearest to the price, none farther than ``reach``: nearest first, then lowest."""
        over: cython.Py_ssize_t = bisect_right(self.lows, (price + EPSILON, LAST))
        under: cython.Py_ssize_t = bisect_left(self.highs, (price - EPSILON, ""))
        names = [name for _, name in self.lows[over:over + most]]
        names += [name for _, name in self.highs[max(0, under - most):under]]
        inside: cython.Py_ssize_t = bisect_left(self.lows, (price - self.widest - 2 * EPSILON, ""))
        zones = [self.zones[name] for name in names]
        zones += [zone for _, name in self.lows[inside:over] if (zone := self.zones[name]).high >= price - EPSILON]
        ranked: list = []
        low: cython.double
        high: cython.double
        for zone in zones:
            low, high = zone.low, zone.high
            distance: cython.double = max(low - price, price - high, 0.0)
            ranked.append((nearest(distance * NANO), low, zone.id, zone))  # whole steps of price: floats slip
        ranked.sort()
        return [row[3] for row in ranked[:most] if row[0] / 1e9 <= reach + EPSILON]

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def count(self, low: cython.double, high: cython.double) -> cython.Py_ssize_t:
        """How many zones have a price within these."""
        begun: cython.Py_ssize_t = bisect_right(self.lows, (high + EPSILON, LAST))
        ended: cython.Py_ssize_t = bisect_left(self.highs, (low - EPSILON, ""))
        return begun - ended
