# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The levels that aggressors hit in one frame, each within one second and until something printed beyond it."""

from __future__ import annotations

import cython

from qmo_cli.market.ladder import Ladder
from qmo_cli.market.rows import Rows
from qmo_cli.market.second import SecondBar
from qmo_cli.market.text import digits, side_name
from qmo_cli.packets import Hit

NANO = cython.declare(cython.double, 1e9)
SELL = cython.declare(cython.int, 65)  # 'A'

# Columns
RESTING, DISPLAYED, TAKEN, LEFT, LARGEST, STRUCK, STRUCK_LAST, HIT_SECOND, BEYOND, THROUGH = (
    cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3),
    cython.declare(cython.int, 4), cython.declare(cython.int, 5), cython.declare(cython.int, 6),
    cython.declare(cython.int, 7), cython.declare(cython.int, 8), cython.declare(cython.int, 9),
    cython.declare(cython.int, 10),
)
HIT_WIDTH = cython.declare(cython.Py_ssize_t, 11)


@cython.final
@cython.cclass
class Hits:
    """``rows``: (price, resting side, displayed when first hit, size taken, displayed after the last hit, most
    displayed, times of the first and last hit, second, whether something had printed beyond it before and has since).

    Those from ``live`` on are of the second that trades now; ``struck`` names those of the open event.
    """

    def __init__(self) -> None:
        self.rows, self.struck = Rows(11), Rows(1)
        self.restart()

    @cython.cfunc
    @cython.exceptval(check=False)
    def restart(self) -> cython.void:
        """Another frame begins."""
        self.rows.stop = self.struck.stop = self.live = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin_second(self) -> cython.void:
        """Another second trades: it hits levels anew."""
        self.live = self.rows.stop

    @cython.cfunc
    @cython.exceptval(check=False)
    def pass_by(self, price: cython.longlong) -> cython.void:
        """Something prints at another price: note the levels hit in this second that it is beyond."""
        cells = self.rows.cells
        row: cython.Py_ssize_t
        for row in range(self.live, self.rows.stop, HIT_WIDTH):
            if is_beyond(price, cells[row + RESTING], cells[row]):
                cells[row + THROUGH] = 1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def add(
        self, bar: SecondBar, ts_event: cython.longlong, resting: cython.int, price: cython.longlong,
        size: cython.longlong, displayed: cython.longlong,
    ) -> cython.int:
        """An aggressor traded into a resting level. ``bar`` holds the second's trades, this one too."""
        rows: Rows = self.rows
        row: cython.Py_ssize_t = self.find(price, resting)
        if row < 0:
            row = rows.add()
            rows.cells[row] = price
            rows.cells[row + RESTING] = resting
            rows.cells[row + DISPLAYED] = displayed
            rows.cells[row + TAKEN] = rows.cells[row + LEFT] = rows.cells[row + LARGEST] = 0
            rows.cells[row + STRUCK] = ts_event
            rows.cells[row + HIT_SECOND] = bar.second
            rows.cells[row + BEYOND] = is_beyond(bar.high if resting == SELL else bar.low, resting, price)
            rows.cells[row + THROUGH] = 0
        rows.cells[row + TAKEN] += size
        rows.cells[row + STRUCK_LAST] = ts_event
        rows.cells[row + LARGEST] = max(rows.cells[row + LARGEST], displayed)
        if self.struck.find(row) < 0:
            struck: cython.Py_ssize_t = self.struck.add()
            self.struck.cells[struck] = row
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def find(self, price: cython.longlong, resting: cython.int) -> cython.Py_ssize_t:
        """The row of a level that was hit in this second and not printed through since, or -1."""
        cells = self.rows.cells
        row: cython.Py_ssize_t = self.rows.stop - HIT_WIDTH
        while row >= self.live:
            if cells[row] == price and cells[row + RESTING] == resting and not cells[row + THROUGH]:
                return row
            row -= HIT_WIDTH
        return -1

    @cython.cfunc
    @cython.exceptval(check=False)
    def end_event(self, bids: Ladder, asks: Ladder) -> cython.void:
        """The event is complete: note what the levels display that it hit."""
        cells = self.rows.cells
        place: cython.Py_ssize_t
        for place in range(self.struck.stop):
            row: cython.Py_ssize_t = self.struck.cells[place]
            sold: cython.bint = cells[row + RESTING] == SELL
            left: cython.longlong = asks.displayed(cells[row]) if sold else bids.displayed(cells[row])
            cells[row + LEFT] = left
            cells[row + LARGEST] = max(cells[row + LARGEST], left)
        self.struck.stop = 0

    @cython.cfunc
    def told(self) -> list:
        """The levels hit, in the order in which they were."""
        cells = self.rows.cells
        return [
            Hit(
                cells[row + HIT_SECOND], side_name(cells[row + RESTING]), cells[row] / NANO,
                digits(cells[row + STRUCK]), digits(cells[row + STRUCK_LAST]), cells[row + DISPLAYED],
                cells[row + LEFT], cells[row + LARGEST], cells[row + TAKEN], cells[row + BEYOND] != 0,
                cells[row + THROUGH] != 0, cells[row + TAKEN] - (cells[row + DISPLAYED] - cells[row + LEFT]),
            )
            for row in range(0, self.rows.stop, HIT_WIDTH)
        ]

@cython.cfunc
@cython.exceptval(check=False)
def is_beyond(price: cython.longlong, resting: cython.int, level: cython.longlong) -> cython.bint:
    """Whether a print is beyond a resting level: it gave way."""
    return price > level if resting == SELL else price < level
