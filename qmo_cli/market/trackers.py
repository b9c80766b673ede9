# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What runs across events: sweeps through several levels."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.market.text import digits, side_name
from qmo_cli.packets import Sweep

NANO = cython.declare(cython.double, 1e9)


@cython.final
@cython.cclass
class SweepTracker:
    """Prints of one side that follow each other within ``window`` ns, until the other side prints."""

    def __init__(self, window: int, levels: int) -> None:
        self.window = window
        self.least = levels
        self.side = self.start = 0
        self.prices, self.aggressors = Rows(1), Rows(1)
        self.sweeps: list = []

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def trade(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
        aggressor: cython.longlong,
    ) -> cython.int:
        if self.side and (side != self.side or ts - self.start > self.window):
            self.end()
        if self.side == 0:
            self.side = side
            self.start = ts
            self.first = price
            self.size = 0
            self.prices.stop = self.aggressors.stop = 0
        self.last = price
        self.size += size
        remember(self.prices, price)
        remember(self.aggressors, aggressor)
        return 0

    @cython.cfunc
    def end(self) -> object:
        """Close the run of prints, and keep it if it went through enough levels."""
        if self.side and self.prices.stop >= self.least:
            self.sweeps.append(Sweep(
                digits(self.start), side_name(self.side), self.first / NANO, self.last / NANO, self.prices.stop,
                self.size, self.aggressors.stop,
            ))
        self.side = 0
        return None

    @cython.cfunc
    def expire(self, now: cython.longlong) -> object:
        """Close the run of prints if nothing at or after ``now`` can belong to it."""
        if self.side and now - self.start > self.window:
            self.end()
        return None


@cython.cfunc
@cython.exceptval(-1, check=True)
def remember(values: Rows, value: cython.longlong) -> cython.int:
    """Add a value to a set of few."""
    if values.find(value) < 0:
        row: cython.Py_ssize_t = values.add()
        values.cells[row] = value
    return 0
