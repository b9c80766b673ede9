# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The displayed book second by second, whatever the frame's length: what came and went near the touch, and how much
rests on each side at the second's end.
"""

from __future__ import annotations

import cython

from qmo_cli.market.ladder import Ladder
from qmo_cli.market.rows import Rows
from qmo_cli.packets import BookSecond

SECOND = cython.declare(cython.longlong, 1_000_000_000)
TOP = cython.declare(cython.Py_ssize_t, 10)


@cython.final
@cython.cclass
class BookSeconds:
    """The seconds of one frame in which an event touched the book.

    An event belongs to the second in which its first record came, as it belongs to a frame; ``until`` is that second's
    end. ``rows``: (second, added bid, removed bid, added ask, removed ask, bids, asks). ``told`` are the frame's sums
    that earlier rows hold already.
    """

    def __init__(self) -> None:
        self.rows = Rows(7)
        self.until = 0
        self.restart()

    @cython.cfunc
    @cython.exceptval(check=False)
    def restart(self) -> cython.void:
        """Another frame begins."""
        self.touched = False
        self.forget()

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget(self) -> cython.void:
        """Another book: what was told of the one before does not go with it."""
        self.rows.stop = 0
        self.told_added_bid = self.told_removed_bid = self.told_added_ask = self.told_removed_ask = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, now: cython.longlong) -> cython.void:
        """The second that holds this time begins, ns."""
        self.until = (now // SECOND + 1) * SECOND

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def end(
        self, added_bid: cython.longlong, removed_bid: cython.longlong, added_ask: cython.longlong,
        removed_ask: cython.longlong, bids: Ladder, asks: Ladder,
    ) -> cython.int:
        """The second is over, or the frame within it: keep what happened since the last row, if anything did."""
        if not self.touched:
            return 0
        self.touched = False
        row: cython.Py_ssize_t = self.rows.add()
        cells = self.rows.cells
        cells[row] = self.until // SECOND - 1
        cells[row + 1] = added_bid - self.told_added_bid
        cells[row + 2] = removed_bid - self.told_removed_bid
        cells[row + 3] = added_ask - self.told_added_ask
        cells[row + 4] = removed_ask - self.told_removed_ask
        cells[row + 5] = resting(bids)
        cells[row + 6] = resting(asks)
        self.told_added_bid, self.told_removed_bid = added_bid, removed_bid
        self.told_added_ask, self.told_removed_ask = added_ask, removed_ask
        return 0

    @cython.cfunc
    def told(self, near: cython.bint) -> list:
        """The rows as the wire has them; ``near`` tells whether the reach of pulls and stacks is known."""
        cells = self.rows.cells
        return [
            BookSecond(cells[row], cells[row + 1], cells[row + 2], cells[row + 3], cells[row + 4], cells[row + 5],
                       cells[row + 6])
            if near else BookSecond(cells[row], None, None, None, None, cells[row + 5], cells[row + 6])
            for row in range(0, self.rows.stop, 7)
        ]


@cython.cfunc
@cython.exceptval(check=False)
def resting(ladder: Ladder) -> cython.longlong:
    """Size displayed at the best ten levels."""
    size: cython.longlong = 0
    level: cython.Py_ssize_t
    for level in range(max(0, ladder.depth - TOP), ladder.depth):
        size += ladder.sizes[level]
    return size
