# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What runs across events: refills of orders that were filled, and sweeps through several levels."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.packets import RefillLink, Sweep

NANO = cython.declare(cython.double, 1e9)
CAP = cython.declare(cython.Py_ssize_t, 64)   # links kept of one frame
LATE = cython.declare(cython.longlong, 2_000_000_000)  # ns of memory past the window, for adds that come late
SIDES: dict[int, str] = {66: "B", 65: "A", 78: "N"}
UNSIGNED = 0xFFFFFFFFFFFFFFFF

# Columns of an order that was filled completely, and of a link to it
PRICE, SIDE, DIED, ID, SIZE = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3), cython.declare(cython.int, 4),
)


def text_of(order_id: int) -> str:
    """An order id as the wire has it: an unsigned 64-bit integer in decimal."""
    return str(order_id & UNSIGNED)


@cython.cclass
class Refills:
    """Links every new order to the orders of its side and price that died by a complete fill within ``window`` ns."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.dead = Rows(5)
        self.links: list = []
        self.dropped = 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def died(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> cython.int:
        row: cython.Py_ssize_t = self.dead.add()
        self.dead.cells[row + PRICE] = price
        self.dead.cells[row + SIDE] = side
        self.dead.cells[row + DIED] = ts
        self.dead.cells[row + ID] = order_id
        self.dead.cells[row + SIZE] = size
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def added(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> cython.int:
        dead: Rows = self.dead
        delay: cython.longlong
        row: cython.Py_ssize_t = 0
        while row < dead.stop and ts - dead.cells[row + DIED] > self.window + LATE:
            row += dead.width
        if row:
            dead.drop(row)
        for row in range(0, dead.stop, 5):
            if dead.cells[row + PRICE] != price or dead.cells[row + SIDE] != side:
                continue
            delay = ts - dead.cells[row + DIED]
            if delay < 0 or delay > self.window:
                continue
            if cython.cast(cython.Py_ssize_t, len(self.links)) >= CAP:
                self.dropped += 1
                continue
            self.links.append(RefillLink(
                str(ts), SIDES[side], price / NANO, size, text_of(order_id), text_of(dead.cells[row + ID]),
                dead.cells[row + SIZE], delay,
            ))
        return 0


@cython.cclass
class SweepTracker:
    """Prints of one side that follow each other within ``window`` ns, until the other side prints."""

    def __init__(self, window: int, levels: int) -> None:
        self.window = window
        self.least = levels
        self.side = 0
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
                str(self.start), SIDES[self.side], self.first / NANO, self.last / NANO, self.prices.stop, self.size,
                self.aggressors.stop,
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
