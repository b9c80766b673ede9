# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""A growing table of 64-bit integers: what one event or frame gathers before anyone makes objects of it."""

from __future__ import annotations

from array import array

import cython


@cython.final
@cython.cclass
class Rows:
    """Rows of ``width`` cells, back to back; a row is named by the offset of its first cell."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.room = 16 * width
        self.stop = 0
        self.cells = array("q", bytes(8 * 16 * width))

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def add(self) -> cython.Py_ssize_t:
        """Offset of a new row; its cells hold whatever they held before."""
        if self.stop == self.room:
            self.grow()
        self.stop += self.width
        return self.stop - self.width

    @cython.cfunc
    def grow(self) -> object:
        old = self.cells
        cell: cython.Py_ssize_t
        self.cells = array("q", bytes(16 * self.room))
        for cell in range(self.room):
            self.cells[cell] = old[cell]
        self.room *= 2
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def drop(self, start: cython.Py_ssize_t) -> cython.void:
        """Drop the rows before the one at this offset."""
        cell: cython.Py_ssize_t
        for cell in range(start, self.stop):
            self.cells[cell - start] = self.cells[cell]
        self.stop -= start

    @cython.cfunc
    @cython.exceptval(check=False)
    def find(self, value: cython.longlong) -> cython.Py_ssize_t:
        """Offset of the first row whose first cell has this value, or -1."""
        row: cython.Py_ssize_t = 0
        while row < self.stop:
            if self.cells[row] == value:
                return row
            row += self.width
        return -1

    @cython.cfunc
    @cython.exceptval(check=False)
    def find_last(self, value: cython.longlong) -> cython.Py_ssize_t:
        """Offset of the last row whose first cell has this value, or -1."""
        row: cython.Py_ssize_t = self.stop - self.width
        while row >= 0 and self.cells[row] != value:
            row -= self.width
        return row if row >= 0 else -1

    @cython.cfunc
    @cython.exceptval(check=False)
    def sort(self) -> cython.void:
        """Put the rows in ascending order of their first cells, those with equal ones as they stood."""
        row: cython.Py_ssize_t
        cell: cython.Py_ssize_t
        column: cython.Py_ssize_t
        for row in range(self.width, self.stop, self.width):
            cell = row
            while cell > 0 and self.cells[cell - self.width] > self.cells[cell]:
                for column in range(cell, cell + self.width):
                    self.cells[column], self.cells[column - self.width] = (
                        self.cells[column - self.width], self.cells[column])
                cell -= self.width

    @cython.cfunc
    @cython.exceptval(check=False)
    def find_pair(self, first: cython.longlong, second: cython.longlong) -> cython.Py_ssize_t:
        """Offset of the first row whose first two cells have these values, or -1."""
        row: cython.Py_ssize_t = 0
        while row < self.stop:
            if self.cells[row] == first and self.cells[row + 1] == second:
                return row
            row += self.width
        return -1
