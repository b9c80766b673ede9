# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What runs across events: refills of orders that were filled, and sweeps through several levels."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.market.text import digits, side_name, text_of
from qmo_cli.packets import RefillLink, Sweep

NANO = cython.declare(cython.double, 1e9)
CAP = cython.declare(cython.Py_ssize_t, 32)       # links kept of one frame
LATE = cython.declare(cython.longlong, 2_000_000_000)  # ns of memory past the window, for adds that come late

# Columns of an order that was filled completely, and of a link to it
PRICE, SIDE, DIED, ID, SIZE = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3), cython.declare(cython.int, 4),
)


@cython.final
@cython.cclass
class Refills:
    """Links every new order to the orders of its side and price that died by a complete fill within ``window`` ns.

    ``dead`` is kept in order of death and ``links`` hold the first of a frame, as integers until it ends.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.dead, self.links = Rows(5), Rows(8)
        self.dropped = 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def died(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> cython.int:
        dead: Rows = self.dead
        column: cython.Py_ssize_t
        if dead.stop == dead.room:
            self.forget(ts - self.window - LATE)
        row: cython.Py_ssize_t = dead.add()
        while row > 0 and dead.cells[row - 5 + DIED] > ts:  # it comes late: its place is farther up
            for column in range(row, row + 5):
                dead.cells[column] = dead.cells[column - 5]
            row -= 5
        dead.cells[row + PRICE] = price
        dead.cells[row + SIDE] = side
        dead.cells[row + DIED] = ts
        dead.cells[row + ID] = order_id
        dead.cells[row + SIZE] = size
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget(self, oldest: cython.longlong) -> cython.void:
        """Drop the orders that died before; nothing that is still to come can refill them."""
        row: cython.Py_ssize_t = 0
        while row < self.dead.stop and self.dead.cells[row + DIED] < oldest:
            row += 5
        self.dead.drop(row)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def added(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> cython.int:
        dead: Rows = self.dead
        first: cython.Py_ssize_t = dead.stop
        found: cython.bint = False
        row: cython.Py_ssize_t
        while first > 0 and ts - dead.cells[first - 5 + DIED] <= self.window:
            first -= 5
            found = found or dead.cells[first + PRICE] == price
        if found:
            for row in range(first, dead.stop, 5):
                if dead.cells[row + PRICE] == price and dead.cells[row + SIDE] == side and dead.cells[row + DIED] <= ts:
                    self.link(row, ts, order_id, size)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def link(
        self, row: cython.Py_ssize_t, ts: cython.longlong, order_id: cython.longlong, size: cython.longlong,
    ) -> cython.int:
        column: cython.Py_ssize_t
        if self.links.stop >= 8 * CAP:
            self.dropped += 1
            return 0
        link: cython.Py_ssize_t = self.links.add()
        for column in range(5):
            self.links.cells[link + column] = self.dead.cells[row + column]
        self.links.cells[link + 5] = ts
        self.links.cells[link + 6] = order_id
        self.links.cells[link + 7] = size
        return 0

    @cython.cfunc
    def take(self) -> tuple:
        """The frame's links and how many were dropped; the next frame begins with none."""
        cells = self.links.cells
        links: list = [
            RefillLink(
                digits(cells[row + 5]), side_name(cells[row + SIDE]), cells[row + PRICE] / NANO, cells[row + 7],
                text_of(cells[row + 6]), text_of(cells[row + ID]), cells[row + SIZE],
                cells[row + 5] - cells[row + DIED],
            )
            for row in range(0, self.links.stop, 8)
        ]
        dropped: int = self.dropped
        self.links.stop = self.dropped = 0
        return links, dropped


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
