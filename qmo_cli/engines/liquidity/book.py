# cython: language_level=3, auto_pickle=False
"""What is kept of the last seconds: how lopsided the displayed book is, what was stacked and pulled, what was swept."""

from __future__ import annotations

from collections import deque
from typing import Any

import cython

from qmo_cli.engines.orderflow.flow import Window
from qmo_cli.market.rows import Rows
from qmo_cli.packets import BookSecond
from qmo_cli.rounding import to_six

WINDOW = cython.declare(cython.longlong, 60)  # s, of sweeps, pulls and stacks
SHOWN = 8    # sweeps and stop runs of the window that a packet shows
SECOND = cython.declare(cython.longlong, 1_000_000_000)
MEAN = cython.declare(cython.longlong, 10)    # s, of the imbalance


@cython.final
@cython.cclass
class MeanImbalance:
    """I = (bids - asks)/(bids + asks) over ten levels: its mean over the last ten ends of whole seconds.

    A second that nothing touched ends as the one before it. Ends at which no book was known, or an empty one, do not
    count. ``rows``: (second, bids, asks at its end), those from ``first`` on count; ``found`` is the mean last
    ``asked`` for.
    """

    def __init__(self) -> None:
        self.rows = Rows(3)
        self.first = 0
        self.asked = -1
        self.found: float | None = None

    @cython.ccall
    def add(self, row: BookSecond) -> object:
        """A second, or another part of the newest one."""
        rows: Rows = self.rows
        second: cython.longlong = row.second
        place: cython.Py_ssize_t = rows.stop - 3
        if place < self.first or rows.cells[place] != second:
            place = rows.add()
        rows.cells[place] = second
        rows.cells[place + 1] = row.bids
        rows.cells[place + 2] = row.asks
        self.asked = -1
        return None

    @cython.ccall
    def mean(self, now: cython.longlong) -> object:
        """As of the start of the second ``now``, whose own end is still to come."""
        if now != self.asked:
            self.asked, self.found = now, self.work_out(now)
        return self.found

    @cython.cfunc
    def work_out(self, now: cython.longlong) -> object:
        rows: Rows = self.rows
        oldest: cython.longlong = now - MEAN
        self.forget(oldest)
        total: cython.double = 0.0
        ends: cython.longlong = 0
        until: cython.longlong = now
        place: cython.Py_ssize_t = rows.stop - 3
        while place >= self.first:
            held: cython.longlong = until - max(rows.cells[place], oldest)
            resting: cython.longlong = rows.cells[place + 1] + rows.cells[place + 2]
            if held > 0:
                until -= held
                if resting != 0:
                    lean: cython.double = rows.cells[place + 1] - rows.cells[place + 2]
                    total += held * (lean / resting)
                    ends += held
            place -= 3
        return to_six(total / ends) if ends else None

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget(self, oldest: cython.longlong) -> cython.void:
        """Drop what had ended before this second, but how it began."""
        rows: Rows = self.rows
        while self.first + 3 < rows.stop and rows.cells[self.first + 3] <= oldest:
            self.first += 3
        if 2 * self.first > rows.stop:
            rows.drop(self.first)
            self.first = 0


@cython.final
@cython.cclass
class BookFlow:
    """What rests, came and went in the displayed book; ``Window``'s columns are (added, removed, nothing)."""

    def __init__(self) -> None:
        self.imbalance = MeanImbalance()
        self.bids, self.asks = Window(WINDOW), Window(WINDOW)

    @cython.ccall
    def take(self, rows: list, now: cython.longlong) -> object:
        """Count a frame's seconds; the windows end with the second ``now``."""
        for row in rows:
            self.imbalance.add(row)
            added_bid, removed_bid, added_ask, removed_ask = (
                row.added_bid, row.removed_bid, row.added_ask, row.removed_ask)
            if added_bid is not None and removed_bid is not None:
                self.bids.add(row.second, added_bid, removed_bid, 0)
            if added_ask is not None and removed_ask is not None:
                self.asks.add(row.second, added_ask, removed_ask, 0)
        self.bids.expire(now)
        self.asks.expire(now)
        return None

    @cython.ccall
    def moves(self) -> tuple:
        """Stacked and pulled bids, stacked and pulled asks, in the last 60 s."""
        return self.bids.buy, self.bids.sell, self.asks.buy, self.asks.sell


@cython.final
@cython.cclass
class Recent:
    """Facts of the last 60 s, oldest first. ``shown`` are the newest of them, ``dropped`` how many that leaves out."""

    def __init__(self) -> None:
        self.kept: deque[Any] = deque()
        self.forget()

    @cython.cfunc
    def forget(self) -> object:
        self.kept.clear()
        self.newest: Any = None
        self.shown: list[Any] = []
        self.dropped, self.oldest = 0, 0
        return None

    @cython.cfunc
    def take(self, fresh: list, now: cython.longlong) -> object:
        """Add what is fresh, and forget what is older than the window that ends with the second ``now``."""
        oldest: cython.longlong = (now - WINDOW + 1) * SECOND
        if not fresh and (not self.kept or self.oldest >= oldest):
            return None
        self.kept.extend(fresh)
        while self.kept and int(self.kept[0].ts_event) < oldest:
            self.kept.popleft()
        self.oldest = int(self.kept[0].ts_event) if self.kept else 0
        self.newest = self.kept[-1] if self.kept else None
        self.shown, self.dropped = list(self.kept)[-SHOWN:], max(0, len(self.kept) - SHOWN)
        return None
