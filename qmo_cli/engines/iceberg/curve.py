# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Kaplan and Meier's curve of the totals of icebergs, walked along without making objects of its points."""

from __future__ import annotations

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.rounding import to_six

TAIL = cython.declare(cython.double, 0.1)
SLIP = cython.declare(cython.double, 1e-12)  # what floats may be off

# Columns of a total
ENDED, CENSORED = cython.declare(cython.int, 1), cython.declare(cython.int, 2)


@cython.final
@cython.cclass
class Pool:
    """The cases of one bucket. ``rows``: (total, ended there, censored there), ascending; ``cases``: those over."""

    def __init__(self) -> None:
        self.cases = 0
        self.rows = Rows(3)

    @cython.ccall
    def count(self, total: cython.longlong, ended: cython.longlong, censored: cython.longlong) -> object:
        """So many more cases, or fewer, ended or were censored at this total."""
        rows: Rows = self.rows
        row: cython.Py_ssize_t = self.after(total) - 3
        if row < 0 or rows.cells[row] != total:
            row = rows.add()
            rows.cells[row], rows.cells[row + ENDED], rows.cells[row + CENSORED] = total, 0, 0
            rows.sort()
            row = self.after(total) - 3
        rows.cells[row + ENDED] += ended
        rows.cells[row + CENSORED] += censored
        return None

    def end(self, total: int, *, executed: bool) -> None:
        """One that was censored here, for it rested, is over."""
        self.count(total, executed, -executed)
        self.cases += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def after(self, total: cython.longlong) -> cython.Py_ssize_t:
        """Offset of the first row with a larger total."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.rows.stop // 3
        while low < high:
            middle: cython.Py_ssize_t = (low + high) // 2
            if self.rows.cells[3 * middle] <= total:
                low = middle + 1
            else:
                high = middle
        return 3 * low


@cython.final
@cython.cclass
class Walk:
    """Goes to each total above ``beyond`` at which some case ended or was censored: ``left`` = S there, ``before`` = S
    before it, given V > ``beyond``.
    """

    def __init__(self, pool: Pool, beyond: cython.longlong) -> None:
        rows: Rows = pool.rows
        self.rows, self.place = rows, pool.after(beyond)
        self.total, self.at_risk = beyond, 0
        self.left = self.before = 1.0
        row: cython.Py_ssize_t
        for row in range(self.place, rows.stop, 3):
            self.at_risk += rows.cells[row + ENDED] + rows.cells[row + CENSORED]

    @cython.ccall
    @cython.exceptval(check=False)
    def step(self) -> cython.bint:
        """On to the next total; False where there is none."""
        rows: Rows = self.rows
        while self.place < rows.stop:
            row: cython.Py_ssize_t = self.place
            ended: cython.double = rows.cells[row + ENDED]
            number: cython.longlong = rows.cells[row + ENDED] + rows.cells[row + CENSORED]
            self.place = row + 3
            if number > 0:
                self.total, self.before = rows.cells[row], self.left
                self.left *= 1 - ended / self.at_risk
                self.at_risk -= number
                return True
        return False


@cython.cclass
class Nearest:
    """Of the totals offered, in ascending order, the one with the least distance to 12 decimals."""

    def __init__(self) -> None:
        self.least = 2.0
        self.total = 0

    @cython.cfunc
    def offer(self, distance: cython.double, total: cython.longlong, also_equal: cython.bint) -> object:
        """Take a total that is nearer, or one that is as near where those count."""
        nearer: cython.bint = distance < self.least
        if abs(distance - self.least) <= 2 * SLIP:
            here, there = round(distance, 12), round(self.least, 12)
            nearer = here < there or (also_equal and here == there)
        if nearer:
            self.least, self.total = distance, total
        return None


@cython.ccall
def conditional(pool: Pool, filled: cython.longlong) -> tuple:
    """(mean, median, low, high) of the total, given that it is more than what is filled; None: not known.

    ``low`` and ``high`` are the totals beyond which, below the one and above the other, the share comes nearest to a
    tenth; of equally near ones the wider.

    >>> pool = Pool()
    >>> for total, number in ((2, 15), (3, 45), (9, 28), (12, 12)):  # 15 % are below 3, 12 % above 9
    ...     pool.count(total, number, 0)
    >>> conditional(pool, 0)
    (5.61, 3, 3, 9)
    """
    walk: Walk = Walk(pool, filled)
    low: Nearest = Nearest()
    high: Nearest = Nearest()
    mean: cython.double = filled
    here: cython.longlong = filled
    median: object = None
    while walk.step():
        mean += walk.before * (walk.total - here)
        here = walk.total
        if median is None and walk.left <= 0.5 + SLIP:
            median = here
        if walk.left < walk.before:
            low.offer(abs(1 - walk.before - TAIL), here, False)
            high.offer(abs(walk.left - TAIL), here, True)
    if here == filled:
        return None, None, None, None
    return (
        to_six(mean), median, low.total if walk.left <= 1 - TAIL + SLIP else None,
        high.total if walk.left <= TAIL + SLIP else None,
    )
