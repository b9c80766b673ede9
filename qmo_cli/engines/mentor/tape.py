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
    def prices(self) -> tuple:
        """(open, high, low, close) of the window, where something traded in it."""
        rows: Rows = self.rows
        return (rows.cells[self.first + 1], self.high.places[0][1], -self.low.places[0][1],
                rows.cells[rows.stop - 4])

    @cython.ccall
    def extremes(self) -> tuple:
        """(highest, lowest) place of the seconds before the window, None where none traded; lows are negated."""
        return (self.older_high.places[0] if self.older_high.places else None,
                self.older_low.places[0] if self.older_low.places else None)

    @cython.ccall
    def heaviest_of_all(self) -> tuple:
        """(low, high) of the second of most volume, of equals the latest."""
        _, _, low, high = self.heaviest[0]
        return low, high

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

    def threshold(self) -> int:
        """Volume of the lightest of the heaviest seconds."""
        rows: Rows = self.rows
        volumes = sorted([rows.cells[at + 6] for at in range(self.first, rows.stop, 8)], reverse=True)
        held = 0
        for volume in volumes:
            held += volume
            if _PARTS * held >= self.volume:
                return volume
        return 0
