# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Orders that may be the next tranche of one that was just filled: the evidence for synthetic icebergs, and its null.

Whoever judges such links needs to know how often chance makes them, so each order also carries the sizes of ``SHIFTS``
orders added before it at its side and price: shift k gives it the k-th of them. A chain must not lend its tranches
their own size, or it would pass for chance. So an order that may be a refill by its own size takes over what the order
before it carries, moved on by one place: sizes from before the chain began. And from a third tranche on they are not
noted for others.

Three tranches make a chain, so links wait until some order follows the order they lead to, under the same shift; most
never are told. With a link that is told come all sizes of both orders.
"""

from __future__ import annotations

from array import array

import cython

from qmo_cli.market.rows import Rows
from qmo_cli.market.text import digits, side_name, text_of
from qmo_cli.packets import RefillEnd, RefillLink

SOONEST = cython.declare(cython.longlong, 200_000)  # ns: nobody can hear of a fill and answer it in less
NANO = cython.declare(cython.double, 1e9)
CAP = cython.declare(cython.Py_ssize_t, 4096)     # rows kept of one frame: a chain with a hole would mislead
LATE = cython.declare(cython.longlong, 2_000_000_000)  # ns of memory past the window, for adds that come late
CANDIDATES = cython.declare(cython.int, 8)        # links of one add: one large trade fills many orders of one size
SHIFTS = cython.declare(cython.int, 5)
BITS = cython.declare(cython.int, 11)             # of a size in a word of sizes; larger ones count as the largest
LARGEST = cython.declare(cython.longlong, 2047)
SIZES = cython.declare(cython.longlong, (1 << 55) - 1)  # a word's sizes; above them a bit for each shift, and
THIRD = cython.declare(cython.longlong, 1 << 61)  # one for an order that two came before, by their own sizes
ALIKE = cython.declare(cython.longlong, 5)        # sizes are alike within a fifth of the larger one
GOLDEN = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)

# What becomes of a linked order
EXECUTED, CANCELLED, NATIVE, UNKNOWN = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3),
)
ENDS = ("executed", "cancelled", "native", "unknown")

# Columns of an order that was filled completely; a link has the first six too, then the add's time, id, size and word
PRICE, SIDE, DIED, ID, SIZE, WORD, SERIAL = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3), cython.declare(cython.int, 4), cython.declare(cython.int, 5),
    cython.declare(cython.int, 6),
)
DEAD = cython.declare(cython.Py_ssize_t, 7)       # columns


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


@cython.final
@cython.cclass
class Refills:
    """Links new orders to the orders of their side and price that died by a complete fill within ``window`` ns.

    ``dead`` is kept in order of death; ``links`` and ``ends`` hold the first of a frame, as integers until it ends.
    ``waiting`` has the links that are not told, by the serial of the order they lead to; ``near`` those of one add.
    ``open`` counts the orders that rest and whose end is to be told.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.dead, self.links, self.ends, self.near = Rows(7), Rows(10), Rows(5), Rows(10)
        self.sizes = AddSizes()
        self.waiting: dict[int, list[int]] = {}
        self.serial = self.word = 0
        self.dropped = self.ends_dropped = self.open = 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def died(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong, word: cython.longlong, serial: cython.longlong,
    ) -> cython.int:
        """An order was filled completely: ``size`` in all."""
        dead: Rows = self.dead
        column: cython.Py_ssize_t
        if dead.stop == dead.room:
            self.forget(ts - self.window - LATE)
        row: cython.Py_ssize_t = dead.add()
        while row > 0 and dead.cells[row - DEAD + DIED] > ts:  # it comes late: its place is farther up
            for column in range(row, row + DEAD):
                dead.cells[column] = dead.cells[column - DEAD]
            row -= DEAD
        dead.cells[row + PRICE] = price
        dead.cells[row + SIDE] = side
        dead.cells[row + DIED] = ts
        dead.cells[row + ID] = order_id
        dead.cells[row + SIZE] = size
        dead.cells[row + WORD] = word
        dead.cells[row + SERIAL] = serial
        return 0

    @cython.cfunc
    def forget(self, oldest: cython.longlong) -> object:
        """Drop the orders that died before; nothing that is still to come can refill them."""
        row: cython.Py_ssize_t = 0
        while row < self.dead.stop and self.dead.cells[row + DIED] < oldest:
            self.release(self.dead.cells[row + SERIAL])
            row += DEAD
        self.dead.drop(row)
        return None

    @cython.cfunc
    def release(self, serial: cython.longlong) -> object:
        """Nothing can follow an order any more: its links will never be told."""
        if serial:
            self.waiting.pop(serial, None)
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def added(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong, word: cython.longlong,
    ) -> cython.longlong:
        """Link a new order to those that it may refill, the latest first; gives what ``fits`` found, taken together.

        Bit 7: its end is to be told; bit 8: ``serial`` is that of its links, which wait; bit 9: by its own size it is a
        third tranche or a later one. ``word`` becomes what the order carries.
        """
        dead: Rows = self.dead
        found: cython.longlong = 0
        deep: cython.longlong = 0
        left: cython.int = CANDIDATES
        self.near.stop = 0
        self.word = word = self.inherited(ts, side, price, size, word)
        row: cython.Py_ssize_t = dead.stop
        while row > 0 and left and ts - dead.cells[row - DEAD + DIED] <= self.window:
            row -= DEAD
            if (dead.cells[row + PRICE] == price and dead.cells[row + SIDE] == side
                    and ts - dead.cells[row + DIED] >= SOONEST):
                fitting: cython.longlong = fits(size, word, dead.cells[row + SIZE], dead.cells[row + WORD])
                if fitting:
                    found |= fitting
                    left -= 1
                    fitting &= (dead.cells[row + WORD] >> 55) | 64
                    deep |= fitting
                    if fitting:
                        self.tell(dead.cells[row + SERIAL])
                    self.link(row, ts, order_id, size, word)
        if found == 0:
            return 0
        if deep:
            self.tell_near()
            return found | (128 if found & 65 else 0) | (512 if deep & 1 else 0)
        self.wait()
        return found | 256

    @cython.cfunc
    @cython.exceptval(check=False)
    def inherited(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
        word: cython.longlong,
    ) -> cython.longlong:
        """The sizes that a new order carries: those of the latest order it may refill, moved on, or those given."""
        cells = self.dead.cells
        row: cython.Py_ssize_t = self.dead.stop
        while row > 0 and ts - cells[row - DEAD + DIED] <= self.window:
            row -= DEAD
            if (cells[row + PRICE] == price and cells[row + SIDE] == side and ts - cells[row + DIED] >= SOONEST
                    and alike(size, cells[row + SIZE])):
                return turned(cells[row + WORD] & SIZES)
        return word

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def link(
        self, row: cython.Py_ssize_t, ts: cython.longlong, order_id: cython.longlong, size: cython.longlong,
        word: cython.longlong,
    ) -> cython.int:
        """Note that the new order may refill the dead one of this row."""
        column: cython.Py_ssize_t
        link: cython.Py_ssize_t = self.near.add()
        for column in range(6):
            self.near.cells[link + column] = self.dead.cells[row + column]
        self.near.cells[link + 6] = ts
        self.near.cells[link + 7] = order_id
        self.near.cells[link + 8] = size
        self.near.cells[link + 9] = word
        return 0

    @cython.cfunc
    def wait(self) -> object:
        """The links of this add are kept until another order follows it."""
        self.serial += 1
        self.waiting[self.serial] = [self.near.cells[cell] for cell in range(self.near.stop)]
        return None

    @cython.cfunc
    def tell(self, serial: cython.longlong) -> object:
        """Tell the links that waited for an order to follow the one they lead to."""
        cells = self.waiting.pop(serial, None) if serial else None
        place: cython.Py_ssize_t
        column: cython.Py_ssize_t
        if cells is not None:
            for place in range(0, len(cells), 10):
                if self.room():
                    row: cython.Py_ssize_t = self.links.add()
                    for column in range(10):
                        self.links.cells[row + column] = cells[place + column]
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def tell_near(self) -> cython.int:
        """Tell the links of this add."""
        place: cython.Py_ssize_t
        column: cython.Py_ssize_t
        for place in range(0, self.near.stop, 10):
            if self.room():
                row: cython.Py_ssize_t = self.links.add()
                for column in range(10):
                    self.links.cells[row + column] = self.near.cells[place + column]
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def room(self) -> cython.bint:
        """Whether the frame has room for one more link."""
        if self.links.stop >= 10 * CAP:
            self.dropped += 1
            return False
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def ended(
        self, ts: cython.longlong, order_id: cython.longlong, kind: cython.int, filled: cython.longlong,
    ) -> cython.int:
        """A linked order rests no more, or is none any more."""
        self.open -= 1
        if self.ends.stop >= 5 * CAP:
            self.ends_dropped += 1
            return 0
        row: cython.Py_ssize_t = self.ends.add()
        self.ends.cells[row] = ts
        self.ends.cells[row + 1] = order_id
        self.ends.cells[row + 2] = kind
        self.ends.cells[row + 3] = filled
        self.ends.cells[row + 4] = self.links.stop // 10
        return 0

    @cython.cfunc
    def restart(self) -> object:
        """The frame was told: the next one begins with nothing."""
        self.links.stop = self.ends.stop = 0
        self.dropped = self.ends_dropped = 0
        return None

    @cython.cfunc
    def link_rows(self) -> list:
        """The frame's links as the wire has them."""
        cells = self.links.cells
        return [
            RefillLink(
                digits(cells[row + 6]), side_name(cells[row + SIDE]), cells[row + PRICE] / NANO, cells[row + 8],
                text_of(cells[row + 7]), text_of(cells[row + ID]), cells[row + SIZE],
                cells[row + 6] - cells[row + DIED], sizes_of(cells[row + 8], cells[row + 9]),
                sizes_of(cells[row + SIZE], cells[row + WORD]),
            )
            for row in range(0, self.links.stop, 10)
        ]

    @cython.cfunc
    def end_rows(self) -> list:
        """The frame's ends as the wire has them."""
        cells = self.ends.cells
        return [
            RefillEnd(digits(cells[row]), ENDS[cells[row + 2]], text_of(cells[row + 1]), cells[row + 3], cells[row + 4])
            for row in range(0, self.ends.stop, 5)
        ]


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def shifted(own: cython.longlong, word: cython.longlong, shift: cython.int) -> cython.longlong:
    """An order's size under a shift; its own where fewer orders came before it."""
    if shift == 0:
        return own
    size: cython.longlong = (word >> (BITS * (shift - 1))) & LARGEST
    return size or own


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def alike(here: cython.longlong, there: cython.longlong) -> cython.bint:
    """Whether these may be sizes of two tranches of one iceberg."""
    return here >= 2 and there >= 2 and abs(here - there) * ALIKE <= max(here, there)


@cython.cfunc
@cython.exceptval(check=False)
def turned(word: cython.longlong) -> cython.longlong:
    """The sizes moved on by one place: the newest becomes the oldest."""
    newest: cython.longlong = word & LARGEST
    rest: cython.longlong = word >> BITS
    place: cython.int = 0
    while rest >> place:
        place += BITS
    return rest | (newest << place)


@cython.cfunc
def sizes_of(own: cython.longlong, word: cython.longlong) -> list:
    """An order's sizes under the shifts 1 to 5."""
    return [shifted(own, word, shift) for shift in range(1, SHIFTS + 1)]


@cython.cfunc
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
