# cython: language_level=3, auto_pickle=False
"""Where the remembered zones of one contract lie on the price scale."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

import cython

from qmo_cli.engines.memory.place import Remembered
from qmo_cli.rounding import nearest

LAST = "\uffff"                          # sorts behind every id
EPSILON = cython.declare(cython.double, 1e-9)  # as in place
NANO = cython.declare(cython.double, 1e9)


@cython.final
@cython.cclass
class ZoneMap:
    """Zones by their edges, both kept ascending, so that nothing is searched where a packet asks for a few."""

    def __init__(self) -> None:
        self.zones: dict[str, Remembered] = {}
        self.lows: list[tuple[float, str, Remembered]] = []
        self.highs: list[tuple[float, str, Remembered]] = []
        self.widest = 0.0

    def add(self, zone: Remembered) -> None:
        """Put a zone in; it must not move while it is there."""
        self.zones[zone.id] = zone
        insort(self.lows, (zone.low, zone.id, zone))
        insort(self.highs, (zone.high, zone.id, zone))
        self.widest = max(self.widest, zone.high - zone.low)

    def remove(self, zone: Remembered) -> None:
        """Take a zone out."""
        del self.zones[zone.id]
        del self.lows[bisect_left(self.lows, (zone.low, zone.id))]
        del self.highs[bisect_left(self.highs, (zone.high, zone.id))]

    @cython.ccall
    def near(self, price: cython.double, reach: cython.double, most: cython.Py_ssize_t) -> list:
        """The zones nearest to the price, none farther than ``reach``: nearest first, then lowest."""
        zone: Remembered
        over: cython.Py_ssize_t = bisect_right(self.lows, (price + EPSILON, LAST))
        under: cython.Py_ssize_t = bisect_left(self.highs, (price - EPSILON, ""))
        inside: cython.Py_ssize_t = bisect_left(self.lows, (price - self.widest - 2 * EPSILON, ""))
        rows: list = self.lows[over:over + most] + self.highs[max(0, under - most):under]
        for row in self.lows[inside:over]:
            zone = row[2]
            if zone.high >= price - EPSILON:
                rows.append(row)
        ranked: list = []
        for row in rows:
            zone = row[2]
            distance: cython.double = max(zone.low - price, price - zone.high, 0.0)
            steps: cython.longlong = nearest(distance * NANO)  # whole steps of price: floats slip
            if steps / NANO <= reach + EPSILON:
                ranked.append((steps, zone.low, zone.id, zone))
        ranked.sort()
        return [row[3] for row in ranked[:most]]

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def count(self, low: cython.double, high: cython.double) -> cython.Py_ssize_t:
        """How many zones have a price within these."""
        begun: cython.Py_ssize_t = bisect_right(self.lows, (high + EPSILON, LAST))
        ended: cython.Py_ssize_t = bisect_left(self.highs, (low - EPSILON, ""))
        return begun - ended
