# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""One exchange event: the records of one instrument that happened at once."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows

NONE = cython.declare(cython.int, 78)  # 'N'

# Columns of a print: what one aggressor took in this event
AGGRESSOR, SIDE, FIRST, LAST, SIZE, LEVELS = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3), cython.declare(cython.int, 4), cython.declare(cython.int, 5),
)


@cython.final
@cython.cclass
class Event:
    """The trades, passive fills and touched levels of the event that is open.

    ``fills``: (order id, size at its price not yet accounted for by a C or M, size elsewhere). ``touches``: (price,
    side, size), the displayed size that came (+) or went (-) without trading. ``taken``: (price, resting side, size)
    that left by trading, where the book is told by levels. ``prints``: by aggressor and side. ``levels``: (print,
    price), the distinct prices of each.
    """

    def __init__(self) -> None:
        self.open = self.auction = self.covered = False
        self.fills, self.touches, self.taken = Rows(3), Rows(3), Rows(3)
        self.prints, self.levels = Rows(6), Rows(2)

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, time: cython.longlong, ts_event: cython.longlong, snapshot: cython.bint) -> cython.void:
        self.open = True
        self.time = time
        self.ts_event = ts_event
        self.snapshot = snapshot
        self.auction = self.covered = False
        self.traded = self.unsided = self.passive = self.unexplained = 0
        self.fills.stop = self.touches.stop = self.taken.stop = self.prints.stop = self.levels.stop = 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def trade(
        self, side: cython.int, price: cython.longlong, size: cython.longlong, aggressor: cython.longlong,
    ) -> cython.int:
        """A trade summary: put together with the others of its aggressor."""
        if side == NONE:
            self.auction = True
            self.unsided += size
        else:
            self.traded += size
        row: cython.Py_ssize_t = self.prints.find_pair(aggressor, side)
        if row < 0:
            row = self.prints.add()
            self.prints.cells[row + AGGRESSOR] = aggressor
            self.prints.cells[row + SIDE] = side
            self.prints.cells[row + FIRST] = price
            self.prints.cells[row + SIZE] = self.prints.cells[row + LEVELS] = 0
        self.prints.cells[row + LAST] = price
        self.prints.cells[row + SIZE] += size
        if self.levels.find_pair(row, price) < 0:
            self.prints.cells[row + LEVELS] += 1
            level: cython.Py_ssize_t = self.levels.add()
            self.levels.cells[level] = row
            self.levels.cells[level + 1] = price
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_aggressor(self, order_id: cython.longlong) -> cython.bint:
        return order_id != 0 and self.prints.find(order_id) >= 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def fill(self, order_id: cython.longlong, size: cython.longlong, away: cython.bint) -> cython.int:
        """A passive fill; one order can have several. ``away``: not at the price where the order rests."""
        self.passive += size
        row: cython.Py_ssize_t = self.fills.find(order_id)
        if row < 0:
            row = self.fills.add()
            self.fills.cells[row] = order_id
            self.fills.cells[row + 1] = self.fills.cells[row + 2] = 0
        if away:
            self.fills.cells[row + 2] += size
            self.unexplained += size
        else:
            self.fills.cells[row + 1] += size
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def filled_away(self, order_id: cython.longlong) -> cython.longlong:
        """What the order was filled in this event at other prices than its own."""
        row: cython.Py_ssize_t = self.fills.find(order_id)
        return 0 if row < 0 else self.fills.cells[row + 2]

    @cython.cfunc
    @cython.exceptval(check=False)
    def take_fill(self, order_id: cython.longlong) -> cython.longlong:
        """What the order was filled in this event at its price; the C or M that asks accounts for all it was filled."""
        row: cython.Py_ssize_t = self.fills.find(order_id)
        if row < 0:
            return 0
        filled: cython.longlong = self.fills.cells[row + 1]
        self.fills.cells[row + 1] = self.fills.cells[row + 2] = 0
        return filled

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_uncross(self) -> cython.bint:
        """Whether an auction ended here: then both sides are filled, twice what traded."""
        return self.auction and self.passive > self.traded + self.unsided

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def touch(self, side: cython.int, price: cython.longlong, size: cython.longlong) -> cython.int:
        """Displayed size came or went at a price without trading."""
        return add_at(self.touches, price, side, size)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def take(self, resting: cython.int, price: cython.longlong, size: cython.longlong) -> cython.int:
        """Size left a displayed level by trading."""
        return add_at(self.taken, price, resting, size)


@cython.cfunc
@cython.exceptval(-1, check=True)
def add_at(rows: Rows, price: cython.longlong, side: cython.int, size: cython.longlong) -> cython.int:
    row: cython.Py_ssize_t = rows.find_pair(price, side)
    if row < 0:
        row = rows.add()
        rows.cells[row] = price
        rows.cells[row + 1] = side
        rows.cells[row + 2] = 0
    rows.cells[row + 2] += size
    return 0
