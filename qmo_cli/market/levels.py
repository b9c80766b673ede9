# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What a source without order ids gives away of hidden size: price levels that traded more than they lost.

Per event, side and price: estimate = traded - (depth before - depth after). With depth left it is a refresh; with
none it may as well be implied liquidity. With quotes before trades only (tbbo), more traded than was displayed and the
next quote still at that price is a hint, no more.
"""

from __future__ import annotations

import cython

from qmo_cli.market.ladder import Ladder
from qmo_cli.market.rows import Rows
from qmo_cli.market.text import digits, side_name
from qmo_cli.packets import LevelFact, LevelsInput

NANO = cython.declare(cython.double, 1e9)
CAP = cython.declare(cython.Py_ssize_t, 4096)  # facts kept of one frame
BUY = cython.declare(cython.int, 66)


@cython.final
@cython.cclass
class LevelWatch:
    """Facts of the open frame. ``kept``: what of the last event more was traded at than displayed, at the touch."""

    def __init__(self) -> None:
        self.facts: list = []
        self.kept = Rows(4)

    @cython.cfunc
    def take(self) -> object:
        """The frame's facts; the next one begins with none."""
        facts: list = self.facts
        if facts:
            self.facts = []
        return LevelsInput(facts[:CAP], max(0, len(facts) - CAP))

    @cython.cfunc
    def compare(self, ts: cython.longlong, taken: Rows, bids: Ladder, asks: Ladder) -> object:
        """An event of mbp-10 is complete: the ladders know the ten levels before and after it."""
        row: cython.Py_ssize_t
        for row in range(0, taken.stop, 3):
            side: cython.longlong = taken.cells[row + 1]
            ladder: Ladder = bids if side == BUY else asks
            price: cython.longlong = taken.cells[row]
            before: cython.longlong = ladder.was(price)
            after: cython.longlong = ladder.displayed(price)
            traded: cython.longlong = taken.cells[row + 2]
            if before > 0 and traded - before + after > 0:
                self.fact(ts, "refresh" if after > 0 else "excess", side, price, before, after, traded)
        return None

    @cython.cfunc
    def follow(self, ts: cython.longlong, taken: Rows, bids: Ladder, asks: Ladder) -> object:
        """An event of tbbo is complete: the ladders have its quote, from before its trades."""
        kept: Rows = self.kept
        row: cython.Py_ssize_t
        ladder: Ladder
        for row in range(0, kept.stop, 4):
            ladder = bids if kept.cells[row + 1] == BUY else asks
            if ladder.depth and ladder.best() == kept.cells[row]:
                self.fact(
                    ts, "unconfirmed", kept.cells[row + 1], kept.cells[row], kept.cells[row + 3], ladder.best_size(),
                    kept.cells[row + 2])
        kept.stop = 0
        for row in range(0, taken.stop, 3):
            ladder = bids if taken.cells[row + 1] == BUY else asks
            if ladder.depth and ladder.best() == taken.cells[row] and taken.cells[row + 2] > ladder.best_size():
                place: cython.Py_ssize_t = kept.add()
                kept.cells[place] = taken.cells[row]
                kept.cells[place + 1] = taken.cells[row + 1]
                kept.cells[place + 2] = taken.cells[row + 2]
                kept.cells[place + 3] = ladder.best_size()
        return None

    @cython.cfunc
    def fact(
        self, ts: cython.longlong, kind: str, side: cython.longlong, price: cython.longlong, before: cython.longlong,
        after: cython.longlong, traded: cython.longlong,
    ) -> object:
        estimate: cython.longlong = traded - before if kind == "unconfirmed" else traded - before + after
        self.facts.append(LevelFact(digits(ts), kind, side_name(side), price / NANO, before, after, traded, estimate))
        return None
