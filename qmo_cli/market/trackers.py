# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What runs across events: sweeps through several levels."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.market.text import digits, side_name
from qmo_cli.packets import Sweep

NANO = cython.declare(cython.double, 1e9)
BUY = cython.declare(cython.int, 66)


@cython.final
@cython.cclass
class SweepTracker:
    """Prints of one side, not broken by the other side, that lie within ``window`` ns of each other.

    The first has the worst price of all, and each price that is better than those before is one more of ``levels``;
    ``farthest`` is the last of these. A print that comes too late for the first ones, or behind them, ends the run if
    it went through enough levels, else it lets go of them. Too late is more than the window after by the exchange's
    clock, or by that of arrival: so it does not matter when anyone asks whether a run is over. ``prints``: (price,
    ts_event, time of arrival, size, aggressor).
    """

    def __init__(self, window: int, levels: int) -> None:
        self.window = window
        self.least = levels
        self.side = 0
        self.prints, self.aggressors = Rows(5), Rows(1)
        self.levels = self.farthest = 0
        self.sweeps: list = []

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def trade(
        self, ts: cython.longlong, now: cython.longlong, side: cython.int, price: cython.longlong,
        size: cython.longlong, aggressor: cython.longlong,
    ) -> cython.int:
        """A print by the exchange's clock, and the newest time of arrival."""
        prints: Rows = self.prints
        if prints.stop and (side != self.side or (self.levels >= self.least and (
                self.is_too_late(0, ts, now) or self.is_better(prints.cells[0], price)))):
            self.end()
        self.side = side
        if prints.stop and self.is_too_late(0, ts, now):
            self.let_go(ts, now)
        if prints.stop and self.is_better(prints.cells[0], price):
            prints.stop = 0
        self.advance(price, prints.stop == 0)
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
    def is_better(self, price: cython.longlong, other: cython.longlong) -> cython.bint:
        """Whether an aggressor of the run's side who pays one price goes farther than one who pays the other."""
        return price > other if self.side == BUY else price < other

    @cython.cfunc
    @cython.exceptval(check=False)
    def advance(self, price: cython.longlong, first: cython.bint) -> cython.void:
        """Count a level, if the price is the first or goes farther than all before."""
        if first:
            self.levels = 0
        if first or self.is_better(price, self.farthest):
            self.levels += 1
            self.farthest = price

    @cython.cfunc
    @cython.exceptval(check=False)
    def let_go(self, ts: cython.longlong, now: cython.longlong) -> cython.void:
        """Drop the oldest prints, those that a print now comes too late for, up to the worst of the others."""
        prints: Rows = self.prints
        row: cython.Py_ssize_t
        first: cython.Py_ssize_t = 0
        while first < prints.stop and self.is_too_late(first, ts, now):
            first += 5
        for row in range(first, prints.stop, 5):
            if self.is_better(prints.cells[first], prints.cells[row]):
                first = row
        prints.drop(first)
        for row in range(0, prints.stop, 5):
            self.advance(prints.cells[row], row == 0)

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
                digits(cells[1]), side_name(self.side), cells[0] / NANO, self.farthest / NANO, self.levels, size,
                self.aggressors.stop,
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
