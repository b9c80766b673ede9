# cython: language_level=3, auto_pickle=False
"""The trades of the last five minutes, and the extremes of the quarter of an hour, second by second."""

from __future__ import annotations

from collections import deque

import cython

from qmo_cli.blocks import PRICE_SCALE
from qmo_cli.market.rows import Rows
from qmo_cli.packets import Second
from qmo_cli.rounding import nearest

Place = tuple[int, int, int]   # second, value, delta of the window that ended with that second
NOTHING = -1
TREND_UP, TREND_DOWN, BALANCE, EXHAUSTION_UP, EXHAUSTION_DOWN, TRAPPED_UP, TRAPPED_DOWN = 1, 2, 4, 8, 16, 32, 64
_SCALE = cython.declare(cython.double, float(PRICE_SCALE))
_PARTS = cython.declare(cython.longlong, 20)  # the heaviest seconds hold one part in so many of the volume


@cython.final
@cython.cclass
class Peak:
    """The highest value of a window, and when it was: of equals the latest."""

    def __init__(self) -> None:
        self.places: deque[Place] = deque()

    @cython.cfunc
    def add(self, second: cython.longlong, value: cython.longlong, flow: cython.longlong) -> object:
        """Another value, later than all before it."""
        while self.places and self.places[-1][1] <= value:
            self.places.pop()
        self.places.append((second, value, flow))
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def expire(self, last: cython.longlong) -> cython.bint:
        """Forget what was in this second or before; whether there was anything."""
        found: cython.bint = False
        while self.places and self.places[0][0] <= last:
            self.places.popleft()
            found = True
        return found


@cython.final
@cython.cclass
class Tape:
    """The seconds of the last ``length`` s that traded, and the extremes of those before them, ``reach`` s back.

    Prices are integers of 1e-9. ``delta`` and ``volume`` are those of the window; ``began`` is the first second of
    all. A second that comes late counts in the newest one.
    """

    def __init__(self, length: int, reach: int) -> None:
        self.length, self.reach = length, reach
        self.delta = self.volume = 0
        self.began = self.latest = NOTHING
        self.changed = True
        self.rows = Rows(8)     # second, open, high, low, close, delta, volume, delta of the window up to it
        self.first = 0          # offset of the oldest row within the window
        self.high, self.low = Peak(), Peak()
        self.heaviest: deque[tuple[int, int, int, int]] = deque()  # second, volume, low, high: as in a peak
        self.older_high, self.older_low = Peak(), Peak()

    @cython.ccall
    def add(self, row: Second) -> object:
        """Count one second, or a part of it."""
        rows: Rows = self.rows
        at: cython.Py_ssize_t = rows.stop - 8
        second: cython.longlong = row.second
        buy: cython.longlong = row.buy
        sell: cython.longlong = row.sell
        none: cython.longlong = row.none
        high: cython.longlong = nearest(row.high * _SCALE)
        low: cython.longlong = nearest(row.low * _SCALE)
        if second > self.latest or rows.stop == self.first:
            second = max(second, self.latest)
            self.expire(second)
            self.begin(second)
            at = rows.stop - 8
            rows.cells[at + 1] = nearest(row.open * _SCALE)
            rows.cells[at + 2] = high
            rows.cells[at + 3] = low
        rows.cells[at + 2] = max(rows.cells[at + 2], high)
        rows.cells[at + 3] = min(rows.cells[at + 3], low)
        rows.cells[at + 4] = nearest(row.close * _SCALE)
        rows.cells[at + 5] += buy - sell
        rows.cells[at + 6] += buy + sell + none
        self.delta += buy - sell
        self.volume += buy + sell + none
        rows.cells[at + 7] = self.delta
        self.high.add(self.latest, high, 0)
        self.low.add(self.latest, -low, 0)
        self.weigh(at)
        self.changed = True
        return None

    @cython.cfunc
    def weigh(self, row: cython.Py_ssize_t) -> object:
        """Let the newest second stand among the heaviest."""
        cells = self.rows.cells
        volume: cython.longlong = cells[row + 6]
        while self.heaviest and self.heaviest[-1][1] <= volume:
            self.heaviest.pop()
        self.heaviest.append((cells[row], volume, cells[row + 3], cells[row + 2]))
        return None

    @cython.cfunc
    def begin(self, second: cython.longlong) -> object:
        rows: Rows = self.rows
        at: cython.Py_ssize_t = rows.add()
        rows.cells[at] = second
        rows.cells[at + 5] = 0
        rows.cells[at + 6] = 0
        self.latest = second
        if self.began == NOTHING:
            self.began = second
        return None

    @cython.ccall
    def expire(self, now: cython.longlong) -> object:
        """Let the window end with the second ``now``."""
        rows: Rows = self.rows
        first: cython.Py_ssize_t = self.first
        last: cython.longlong = now - self.length
        while first < rows.stop and rows.cells[first] <= last:
            self.leave(first)
            first += 8
            self.changed = True
        if 2 * first > rows.stop:
            rows.drop(first)
            first = 0
        self.first = first
        self.high.expire(last)
        self.low.expire(last)
        while self.heaviest and self.heaviest[0][0] <= last:
            self.heaviest.popleft()
        if self.older_high.expire(now - self.reach):
            self.changed = True
        if self.older_low.expire(now - self.reach):
            self.changed = True
        return None

    @cython.cfunc
    def leave(self, row: cython.Py_ssize_t) -> object:
        """A second leaves the window: from now on it is one of those before."""
        cells = self.rows.cells
        self.delta -= cells[row + 5]
        self.volume -= cells[row + 6]
        self.older_high.add(cells[row], cells[row + 2], cells[row + 7])
        self.older_low.add(cells[row], -cells[row + 3], cells[row + 7])
        return None

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def read(self) -> cython.bint:
        """Whether anything has changed since this was asked the last time."""
        changed: cython.bint = self.changed
        self.changed = False
        return changed

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def look(self, scale: cython.longlong, near: cython.longlong, whole: cython.bint) -> cython.longlong:
        """The patterns that hold, one bit for each: see :mod:`qmo_cli.engines.mentor.pattern`. Something has traded.

        ``scale`` is ATR and ``near`` the reach of an extreme in 1e-9; a negative one is not known. ``whole``: the
        extremes of the quarter of an hour, and the five minutes before the oldest of them, have been seen.
        """
        rows: Rows = self.rows
        delta: cython.longlong = self.delta
        size: cython.longlong = abs(delta)
        high: cython.longlong = self.high.places[0][1]
        low: cython.longlong = -cython.cast(cython.longlong, self.low.places[0][1])
        last: cython.longlong = rows.cells[rows.stop - 4]
        move: cython.longlong = last - rows.cells[self.first + 1]
        found: cython.longlong = 0
        if 5 * size >= self.volume and 2 * (move if delta > 0 else -move) >= scale:
            found |= TREND_UP if delta > 0 else TREND_DOWN
        if 10 * size < self.volume and 2 * (high - low) < scale:
            found |= BALANCE
        if whole:
            found |= self.exhausted(high, -low, 2 * size)
        if near >= 0 and 4 * max(high - last, last - low) >= scale:
            found |= self.trapped(high, low, scale, near)
        return found

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def exhausted(
        self, high: cython.longlong, low: cython.longlong, twice: cython.longlong,
    ) -> cython.longlong:
        """New extremes that less than half the flow of the last ones made; ``low`` is negated."""
        found: cython.longlong = 0
        if self.older_high.places:
            top: tuple = self.older_high.places[0]
            bottom: tuple = self.older_low.places[0]
            if high > top[1] and twice < abs(top[2]):
                found |= EXHAUSTION_UP
            if low > bottom[1] and twice < abs(bottom[2]):
                found |= EXHAUSTION_DOWN
        return found

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def trapped(
        self, high: cython.longlong, low: cython.longlong, scale: cython.longlong, near: cython.longlong,
    ) -> cython.longlong:
        """Whether the heaviest trading was at an extreme that price has left."""
        rows: Rows = self.rows
        last: cython.longlong = rows.cells[rows.stop - 4]
        found: cython.longlong = 0
        _, _, bottom, top = self.heaviest[0]
        if bottom < high - near and top > low + near:
            return 0
        second, lowest, highest = self.heavy()
        if second >= self.latest:
            return 0
        if lowest >= high - near and 4 * (high - last) >= scale:
            found |= TRAPPED_UP
        if highest <= low + near and 4 * (last - low) >= scale:
            found |= TRAPPED_DOWN
        return found

    @cython.ccall
    def heavy(self) -> tuple:
        """(last second, lowest low, highest high) of the heaviest seconds, which hold a twentieth of the volume.

        All seconds count whose volume is at least that of the lightest of them.
        """
        rows: Rows = self.rows
        least: cython.longlong = self.threshold()
        low: cython.longlong = 0
        high: cython.longlong = 0
        last: cython.longlong = NOTHING
        at: cython.Py_ssize_t
        for at in range(self.first, rows.stop, 8):
            if rows.cells[at + 6] < least:
                continue
            if last == NOTHING:
                low, high = rows.cells[at + 3], rows.cells[at + 2]
            low, high = min(low, rows.cells[at + 3]), max(high, rows.cells[at + 2])
            last = rows.cells[at]
        return last, low, high

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def threshold(self) -> cython.longlong:
        """Volume of the lightest of the heaviest seconds: sizes are taken from the largest down, seldom many."""
        rows: Rows = self.rows
        held: cython.longlong = 0
        above: cython.longlong = self.volume + 1
        at: cython.Py_ssize_t
        while _PARTS * held < self.volume:
            largest: cython.longlong = 0
            seconds: cython.longlong = 0
            for at in range(self.first, rows.stop, 8):
                volume: cython.longlong = rows.cells[at + 6]
                if volume == largest:
                    seconds += 1
                elif largest < volume < above:
                    largest, seconds = volume, 1
            held += largest * seconds
            above = largest
        return above
