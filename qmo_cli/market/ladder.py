# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The displayed book: a ladder of price levels for each side."""

from __future__ import annotations

from array import array

import cython

from qmo_cli.packets import Level

TOP = cython.declare(cython.Py_ssize_t, 10)
NEAR = cython.declare(cython.Py_ssize_t, 24)   # levels searched one by one before a binary search pays
UNTOUCHED = cython.declare(cython.Py_ssize_t, 1_000_000_000)
NANO = cython.declare(cython.double, 1e9)


@cython.final
@cython.cclass
class Ladder:
    """The price levels of one side, the best one last, so that a change near the touch moves little.

    ``keys`` ascend: the price (1e-9) for bids, its negative for asks; so the best is the largest on both sides.
    The levels as of the last ``settle`` are kept for whatever compares before and after.
    """

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.depth = 0
        self.allocate(256)
        self.was_depth = 0
        self.was_keys = array("q", bytes(8 * 10))
        self.was_sizes = array("q", bytes(8 * 10))
        self.mlofi = array("q", bytes(8 * 10))
        self.touched = UNTOUCHED   # lowest and highest rank changed since the last settle
        self.touched_last = -1
        self.shifted = False       # whether a level came or went since then

    @cython.cfunc
    def allocate(self, room: cython.Py_ssize_t) -> object:
        self.room = room
        self.keys = array("q", bytes(8 * room))
        self.sizes = array("q", bytes(8 * room))
        self.counts = array("q", bytes(8 * room))
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def place(self, key: cython.longlong) -> cython.Py_ssize_t:
        """Index of the first level whose key is not below this one."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.depth
        index: cython.Py_ssize_t = self.depth
        floor: cython.Py_ssize_t = self.depth - NEAR
        while index > 0 and self.keys[index - 1] >= key:
            index -= 1
            if index < floor:
                high = index
                while low < high:
                    index = (low + high) >> 1
                    if self.keys[index] < key:
                        low = index + 1
                    else:
                        high = index
                return low
        return index

    @cython.cfunc
    @cython.exceptval(check=False)
    def displayed(self, price: cython.longlong) -> cython.longlong:
        """Size displayed at a price, 0 where there is none."""
        key: cython.longlong = price * self.sign
        index: cython.Py_ssize_t = self.place(key)
        if index < self.depth and self.keys[index] == key:
            return self.sizes[index]
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def change(self, price: cython.longlong, size: cython.longlong, count: cython.longlong) -> cython.int:
        """Add size and orders (or take them, if negative) at a price."""
        key: cython.longlong = price * self.sign
        index: cython.Py_ssize_t = self.place(key)
        rank: cython.Py_ssize_t = self.depth - 1 - index
        if index < self.depth and self.keys[index] == key:
            self.sizes[index] += size
            self.counts[index] += count
            if self.counts[index] <= 0:
                self.delete(index)
        elif count > 0:
            rank += 1
            self.create(index, key, size, count)
        else:
            return 0
        self.touched = min(self.touched, rank)
        self.touched_last = max(self.touched_last, rank)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def create(
        self, index: cython.Py_ssize_t, key: cython.longlong, size: cython.longlong, count: cython.longlong,
    ) -> cython.int:
        if self.depth == self.room:
            self.grow()
        level: cython.Py_ssize_t = self.depth
        while level > index:
            self.keys[level] = self.keys[level - 1]
            self.sizes[level] = self.sizes[level - 1]
            self.counts[level] = self.counts[level - 1]
            level -= 1
        self.keys[index] = key
        self.sizes[index] = size
        self.counts[index] = count
        self.depth += 1
        self.shifted = True
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def delete(self, index: cython.Py_ssize_t) -> cython.void:
        level: cython.Py_ssize_t
        self.depth -= 1
        for level in range(index, self.depth):
            self.keys[level] = self.keys[level + 1]
            self.sizes[level] = self.sizes[level + 1]
            self.counts[level] = self.counts[level + 1]
        self.shifted = True

    @cython.cfunc
    def grow(self) -> object:
        keys, sizes, counts = self.keys, self.sizes, self.counts
        level: cython.Py_ssize_t
        self.allocate(2 * self.room)
        for level in range(self.depth):
            self.keys[level] = keys[level]
            self.sizes[level] = sizes[level]
            self.counts[level] = counts[level]
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def clear(self) -> cython.void:
        self.depth = 0
        self.touched = 0
        self.touched_last = TOP - 1
        self.shifted = True

    @cython.cfunc
    @cython.exceptval(check=False)
    def settle(self) -> cython.void:
        """An exchange event is complete: add its order flow imbalance, rank by rank, and remember the levels.

        Cont, Kukanov, Stoikov 2014: a level that is no worse than before brings its size, one that is no better
        takes the size of before; a level that is not there has size 0 at the worst price of all.
        """
        rank: cython.Py_ssize_t
        last: cython.Py_ssize_t = TOP if self.shifted else min(self.touched_last + 1, TOP)
        for rank in range(self.touched, last):
            here: cython.bint = rank < self.depth
            there: cython.bint = rank < self.was_depth
            level: cython.Py_ssize_t = self.depth - 1 - rank
            if here and (not there or self.keys[level] >= self.was_keys[rank]):
                self.mlofi[rank] += self.sizes[level]
            if there and (not here or self.keys[level] <= self.was_keys[rank]):
                self.mlofi[rank] -= self.was_sizes[rank]
            if here:
                self.was_keys[rank] = self.keys[level]
                self.was_sizes[rank] = self.sizes[level]
        self.mark_settled()

    @cython.cfunc
    @cython.exceptval(check=False)
    def mark_settled(self) -> cython.void:
        """What was is what is: nothing has changed since."""
        self.was_depth = min(self.depth, TOP)
        self.touched = UNTOUCHED
        self.touched_last = -1
        self.shifted = False

    @cython.cfunc
    @cython.exceptval(check=False)
    def restart(self) -> cython.void:
        """Forget the imbalance summed up so far."""
        rank: cython.Py_ssize_t
        for rank in range(TOP):
            self.mlofi[rank] = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def adopt(self) -> cython.void:
        """Take the levels as they stand for what was before: nothing flowed, the book was only told anew."""
        rank: cython.Py_ssize_t
        for rank in range(min(self.depth, TOP)):
            self.was_keys[rank] = self.keys[self.depth - 1 - rank]
            self.was_sizes[rank] = self.sizes[self.depth - 1 - rank]
        self.mark_settled()

    @cython.cfunc
    @cython.exceptval(check=False)
    def best(self) -> cython.longlong:
        """Price of the best level; there must be one."""
        return self.keys[self.depth - 1] * self.sign

    @cython.cfunc
    @cython.exceptval(check=False)
    def best_size(self) -> cython.longlong:
        return self.sizes[self.depth - 1]

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def push(self, price: cython.longlong, size: cython.longlong, count: cython.longlong) -> cython.int:
        """A level better than all that are there."""
        return self.create(self.depth, price * self.sign, size, count)

    @cython.cfunc
    @cython.exceptval(check=False)
    def was(self, price: cython.longlong) -> cython.longlong:
        """Size displayed at a price before the event, among the ten levels remembered."""
        rank: cython.Py_ssize_t
        for rank in range(self.was_depth):
            if self.was_keys[rank] == price * self.sign:
                return self.was_sizes[rank]
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def horizon(self) -> cython.longlong:
        """The worst key in sight both before and now; full ladders of ten hide what lies beyond."""
        worst: cython.longlong = -0x7FFFFFFFFFFFFFFF
        if self.depth >= TOP:
            worst = self.keys[self.depth - TOP]
        if self.was_depth >= TOP:
            worst = max(worst, self.was_keys[TOP - 1])
        return worst

    @cython.cfunc
    def top(self) -> list:
        """The best ten levels as the wire has them, best first."""
        levels: list = []
        level: cython.Py_ssize_t = self.depth - 1
        while level >= 0 and len(levels) < TOP:
            levels.append(Level(self.keys[level] * self.sign / NANO, self.sizes[level], self.counts[level]))
            level -= 1
        return levels
