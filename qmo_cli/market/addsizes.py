# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The sizes of the orders added last at each side and price, as words: what the null of synthetic icebergs is made of.

A word holds five sizes of 11 bits, the newest lowest; 0 where there are fewer. Above them an order's word has a bit for
each shift under which it was like an order that died before it, and one for a third tranche.
"""

from __future__ import annotations

from array import array

import cython

SHIFTS = cython.declare(cython.int, 5)
SIZES = cython.declare(cython.longlong, (1 << 55) - 1)
THIRD = cython.declare(cython.longlong, 1 << 61)  # two orders came before it, by their own sizes
BITS = cython.declare(cython.int, 11)             # of a size in a word of sizes; larger ones count as the largest
LARGEST = cython.declare(cython.longlong, 2047)
GOLDEN = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
ALIKE = cython.declare(cython.longlong, 5)        # sizes are alike within a fifth of the larger one


@cython.final
@cython.cclass
class AddSizes:
    """The sizes of the last ``SHIFTS`` orders added at each side and price, as one word: the newest lowest.

    A hash table with open addressing; a word of 0 is a free row.
    """

    def __init__(self, bits: int = 8) -> None:
        self.count = 0
        self.allocate(bits)

    @cython.cfunc
    def allocate(self, bits: cython.int) -> object:
        self.bits = bits
        self.mask = (1 << bits) - 1
        self.keys = array("q", bytes(8 << bits))
        self.words = array("q", bytes(8 << bits))
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def row(self, key: cython.longlong) -> cython.Py_ssize_t:
        """The row of a side and price, or the free one where it would stand."""
        row: cython.Py_ssize_t
        if cython.compiled:
            row = cython.cast(cython.Py_ssize_t, (cython.cast(cython.ulonglong, key) * GOLDEN) >> (64 - self.bits))
        else:
            row = ((key * GOLDEN) & MASK64) >> (64 - self.bits)
        while self.words[row] != 0 and self.keys[row] != key:
            row = (row + 1) & self.mask
        return row

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def place(self, side: cython.int, price: cython.longlong) -> cython.Py_ssize_t:
        """The row of a side and price, which is taken by the caller's next ``push``."""
        key: cython.longlong = 2 * price + (side & 1)  # A is odd, B even
        row: cython.Py_ssize_t = self.row(key)
        if self.words[row] == 0:
            if 2 * self.count > self.mask:
                self.grow()
                row = self.row(key)
            self.keys[row] = key
        return row

    @cython.cfunc
    @cython.exceptval(check=False)
    def push(self, row: cython.Py_ssize_t, size: cython.longlong) -> cython.void:
        """Note a new order."""
        self.count += self.words[row] == 0
        self.words[row] = ((self.words[row] << BITS) | max(1, min(size, LARGEST))) & SIZES

    @cython.cfunc
    def grow(self) -> object:
        """Twice the room."""
        keys, words = self.keys, self.words
        source: cython.Py_ssize_t
        old: cython.Py_ssize_t = self.mask + 1
        self.allocate(self.bits + 1)
        for source in range(old):
            if words[source] != 0:
                row: cython.Py_ssize_t = self.row(keys[source])
                self.keys[row] = keys[source]
                self.words[row] = words[source]
        return None


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def shifted(own: cython.longlong, word: cython.longlong, shift: cython.int) -> cython.longlong:
    """An order's size under a shift; its own where fewer orders came before it."""
    if shift == 0:
        return own
    size: cython.longlong = (word >> (BITS * (shift - 1))) & LARGEST
    return size or own


@cython.ccall
@cython.exceptval(check=False)
def alike(here: cython.longlong, there: cython.longlong) -> cython.bint:
    """Whether these may be sizes of two tranches of one iceberg."""
    return here >= 2 and there >= 2 and abs(here - there) * ALIKE <= max(here, there)


@cython.ccall
@cython.exceptval(check=False)
def turned(word: cython.longlong) -> cython.longlong:
    """The sizes moved on by one place: the newest becomes the oldest."""
    newest: cython.longlong = word & LARGEST
    rest: cython.longlong = word >> BITS
    place: cython.int = 0
    while rest >> place:
        place += BITS
    return rest | (newest << place)


@cython.ccall
def sizes_of(own: cython.longlong, word: cython.longlong) -> list:
    """An order's sizes under the shifts 1 to 5."""
    return [shifted(own, word, shift) for shift in range(1, SHIFTS + 1)]


@cython.ccall
@cython.exceptval(check=False)
def fits(
    size: cython.longlong, word: cython.longlong, filled: cython.longlong, filled_word: cython.longlong,
) -> cython.longlong:
    """Bit k: under shift k the new order's size is like that of the dead one. Bit 6: it may be a smaller, last tranche.

    Alike: two contracts or more, and no farther apart than a fifth of the larger size. Smaller counts where the dead
    order was a third tranche or later by its own size: nothing is detected by it, so that no shift is asked for it.
    """
    found: cython.longlong = 0
    shift: cython.int
    for shift in range(SHIFTS + 1):
        here: cython.longlong = shifted(size, word, shift)
        there: cython.longlong = shifted(filled, filled_word, shift)
        if alike(here, there):
            found |= 1 << shift
    if size < filled and not found & 1 and filled_word & THIRD:
        found |= 64
    return found
