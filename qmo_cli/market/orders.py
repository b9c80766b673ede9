# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Every resting order of one instrument, by id."""

from __future__ import annotations

from array import array

import cython

GOLDEN = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class OrderTable:
    """A hash table with open addressing, one array a column; a row number holds until the next change.

    ``id`` is the exchange's, as a signed 64-bit integer. ``side`` is 66 (B) or 65 (A), 0 where the row is free.
    ``price`` is in 1e-9; ``size`` is what is displayed now, ``first`` what was displayed at entry and by its owner's
    own changes since, ``filled`` what was filled since entry, all in contracts. ``word`` is what refills know of it,
    ``serial`` names its links that wait to be told (0: none).
    ``seen_added`` tells an order whose A was in the input, ``iceberg`` one that has shown evidence of hidden size (bit
    0) or may be the next tranche of another (bit 1).
    """

    def __init__(self, bits: int = 12) -> None:
        self.count = 0
        self.allocate(bits)

    @cython.cfunc
    def allocate(self, bits: cython.int) -> object:
        rows: cython.Py_ssize_t = 1 << bits
        self.bits = bits
        self.mask = rows - 1
        self.id = array("q", bytes(8 * rows))
        self.price = array("q", bytes(8 * rows))
        self.size = array("q", bytes(8 * rows))
        self.first = array("q", bytes(8 * rows))
        self.filled = array("q", bytes(8 * rows))
        self.word = array("q", bytes(8 * rows))
        self.serial = array("q", bytes(8 * rows))
        self.side = array("b", bytes(rows))
        self.seen_added = array("b", bytes(rows))
        self.iceberg = array("b", bytes(rows))
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def home(self, order_id: cython.longlong) -> cython.Py_ssize_t:
        """The row where an id would like to be."""
        if cython.compiled:
            key: cython.ulonglong = cython.cast(cython.ulonglong, order_id)
            return cython.cast(cython.Py_ssize_t, (key * GOLDEN) >> (64 - self.bits))
        return ((order_id * GOLDEN) & MASK64) >> (64 - self.bits)

    @cython.cfunc
    @cython.exceptval(check=False)
    def find(self, order_id: cython.longlong) -> cython.Py_ssize_t:
        """The order's row, or -1."""
        row: cython.Py_ssize_t = self.home(order_id)
        while self.side[row] != 0:
            if self.id[row] == order_id:
                return row
            row = (row + 1) & self.mask
        return -1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def insert(
        self, order_id: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Row of a new order; its id must not be in the table."""
        if 2 * self.count > self.mask:
            self.grow()
        row: cython.Py_ssize_t = self.home(order_id)
        while self.side[row] != 0:
            row = (row + 1) & self.mask
        self.count += 1
        self.id[row] = order_id
        self.side[row] = side
        self.price[row] = price
        self.size[row] = size
        self.first[row] = size
        self.filled[row] = 0
        self.word[row] = 0
        self.serial[row] = 0
        self.seen_added[row] = 1
        self.iceberg[row] = 0
        return row

    @cython.cfunc
    @cython.exceptval(check=False)
    def remove(self, row: cython.Py_ssize_t) -> cython.void:
        """Free a row, and move later rows of its chain up so that no search breaks off early."""
        hole: cython.Py_ssize_t = row
        row = (row + 1) & self.mask
        while self.side[row] != 0:
            if ((row - self.home(self.id[row])) & self.mask) >= ((row - hole) & self.mask):
                self.move(row, hole)
                hole = row
            row = (row + 1) & self.mask
        self.side[hole] = 0
        self.count -= 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def move(self, row: cython.Py_ssize_t, to: cython.Py_ssize_t) -> cython.void:
        self.id[to] = self.id[row]
        self.side[to] = self.side[row]
        self.price[to] = self.price[row]
        self.size[to] = self.size[row]
        self.first[to] = self.first[row]
        self.filled[to] = self.filled[row]
        self.word[to] = self.word[row]
        self.serial[to] = self.serial[row]
        self.seen_added[to] = self.seen_added[row]
        self.iceberg[to] = self.iceberg[row]

    @cython.cfunc
    def grow(self) -> object:
        """Twice the room."""
        old: OrderTable = OrderTable.__new__(OrderTable)
        old.mask, old.id, old.side, old.price, old.size = self.mask, self.id, self.side, self.price, self.size
        old.first, old.filled, old.word, old.serial = self.first, self.filled, self.word, self.serial
        old.seen_added, old.iceberg = self.seen_added, self.iceberg
        self.allocate(self.bits + 1)
        self.count = 0
        source: cython.Py_ssize_t
        for source in range(old.mask + 1):
            if old.side[source] != 0:
                row: cython.Py_ssize_t = self.insert(
                    old.id[source], old.side[source], old.price[source], old.size[source],
                )
                self.first[row] = old.first[source]
                self.filled[row] = old.filled[source]
                self.word[row] = old.word[source]
                self.serial[row] = old.serial[source]
                self.seen_added[row] = old.seen_added[source]
                self.iceberg[row] = old.iceberg[source]
        return None

    @cython.cfunc
    def clear(self) -> object:
        self.count = 0
        self.allocate(self.bits)
        return None
