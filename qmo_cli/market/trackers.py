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
    """Prints of one side, not broken by the other side, that lie within ``window`` ns of each other.

    A print that comes too late for the first ones ends the run if these went through enough levels, else it lets
    go of them. Too late is more than the window after them by the exchange's clock, or by that of arrival: so it does
    not matter when anyone asks whether a run is over. ``prints``: (price, ts_event, time of arrival, size, aggressor);
    ``levels``: their distinct prices.
    """

    def __init__(self, window: int, levels: int) -> None:
        self.window = window
        self.least = levels
        self.side = 0
        self.prints, self.aggressors = Rows(5), Rows(1)
        self.levels = 0
        self.sweeps: list = []

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def trade(
        self, ts: cython.longlong, now: cython.longlong, side: cython.int, price: cython.longlong,
        size: cython.longlong, aggressor: cython.longlong,
    ) -> cython.int:
        """A print by the exchange's clock, and the newest time of arrival."""
        prints: Rows = self.prints
        if prints.stop and (side != self.side or (self.levels >= self.least and self.is_too_late(0, ts, now))):
            self.end()
        if prints.stop and self.is_too_late(0, ts, now):
            self.let_go(ts, now)
        self.side = side
        if prints.find(price) < 0:
            self.levels += 1
        row: cython.Py_ssize_t = prints.add()
        prints.cells[row] = price
        prints.cells[row + 1] = ts
        prints.cells[row + 2] = now
        prints.cells[row + 3] = size
        prints.cells[row + 4] = aggressor
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_too_late(self, row: cython.Py_ssize_t, ts: cython.longlong, now: cython.longlong) -> cython.bint:
        """Whether a print now cannot be in one sweep with that of the row."""
        return ts - self.prints.cells[row + 1] > self.window or now - self.prints.cells[row + 2] > self.window

    @cython.cfunc
    @cython.exceptval(check=False)
    def let_go(self, ts: cython.longlong, now: cython.longlong) -> cython.void:
        """Drop the oldest prints, those that a print now comes too late for."""
        prints: Rows = self.prints
        row: cython.Py_ssize_t = 0
        while row < prints.stop and self.is_too_late(row, ts, now):
            row += 5
        prints.drop(row)
        self.levels = 0
        for row in range(0, prints.stop, 5):
            self.levels += prints.find(prints.cells[row]) == row

    @cython.cfunc
    def end(self) -> object:
        """Close the run of prints, and keep it if it went through enough levels."""
        prints: Rows = self.prints
        cells = prints.cells
        row: cython.Py_ssize_t
        size: cython.longlong = 0
        if prints.stop and self.levels >= self.least:
            self.aggressors.stop = 0
            for row in range(0, prints.stop, 5):
                size += cells[row + 3]
                remember(self.aggressors, cells[row + 4])
            self.sweeps.append(Sweep(
                digits(cells[1]), side_name(self.side), cells[0] / NANO, cells[prints.stop - 5] / NANO, self.levels,
                size, self.aggressors.stop,
            ))
        prints.stop = self.levels = 0
        return None

    @cython.cfunc
    def expire(self, now: cython.longlong) -> object:
        """Close a sweep if nothing that arrives at or after ``now`` can belong to it."""
        if self.levels >= self.least and now - self.prints.cells[2] > self.window:
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
