# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated market makers: whoever of them is out of the market, by choice or by a fill, soon quotes again.

A new order of the same size on the same side right after an old one is gone looks like the next tranche of a synthetic
iceberg; it is none.
"""

from __future__ import annotations

import cython

from .sim_agenda import Task
from .sim_book import RestingOrder
from .sim_crowd import Crowd
from .sim_dice import Dice
from .sim_exchange import Exchange

MAKER = cython.declare(cython.longlong, 3)      # a kind of order, as the book has it
REQUOTE = cython.declare(cython.longlong, 2)    # a task
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
LONGEST = cython.declare(cython.longlong, 400)  # ms until one quotes again
AGAIN = cython.declare(cython.longlong, 30)     # per cent of filled quotes that are put again


@cython.cclass
class Makers:
    """Market makers of the crowd."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.book = exchange.book

    @cython.cfunc
    def requote(self) -> object:
        """Cancel a quote, to put one of the same size later; one in eight is put in the same event."""
        order: RestingOrder = self.crowd.candidate(-self.crowd.lean())
        side: cython.longlong = order.side
        if not self.crowd.free(order) or self.book.thin(side):
            self.crowd.join(side)
            return None
        tick: cython.longlong = order.tick
        lots: cython.longlong = order.shown
        self.exchange.cancel(order)
        if self.dice.below(8) == 0:
            self.quote("cancel_readd", side, tick, lots)
        else:
            roll: cython.longlong = self.dice.below(8)
            self.plan(side, tick - (roll == 0) + (roll == 7), lots)
        return None

    @cython.cfunc
    def plan(self, side: cython.longlong, tick: cython.longlong, lots: cython.longlong) -> object:
        """Mean to quote again: within a millisecond in a quarter of the cases."""
        delay: cython.longlong = 30_000 + self.dice.below(950_000)
        if self.dice.below(100) >= 25:
            part: cython.longlong = self.dice.below(1024)
            delay = MILLISECOND + (part * part * (LONGEST - 1) >> 20) * MILLISECOND + self.dice.below(1_000_000)
        task: Task = self.crowd.later(delay, REQUOTE, None, None)
        task.side, task.tick, task.lots = side, tick, lots
        return None

    @cython.cfunc
    def again(self, task: Task) -> object:
        """Quote again as meant."""
        self.quote("requote", task.side, task.tick, task.lots)
        return None

    @cython.cfunc
    def quote(self, decoy: str, side: cython.longlong, tick: cython.longlong, lots: cython.longlong) -> object:
        """Put a quote at a price, or as near to it as the market now allows."""
        tick = self.crowd.room(side, tick)
        order_id: cython.longlong = self.crowd.new_id()
        order: RestingOrder = self.exchange.place(order_id, side, tick, lots, 0)
        order.kind = MAKER
        self.exchange.truth.decoy(decoy, self.exchange.tape.ts_event, order_id, side, tick)
        return None

    @cython.cfunc
    def filled(self, order: RestingOrder) -> object:
        """A quote was filled: if wholly, some quote again, mostly a tick further off."""
        if order.place < 0 and self.dice.below(100) < AGAIN:
            away: cython.longlong = self.dice.below(100) < 60
            self.plan(order.side, order.tick - order.side * away, order.before)
        return None
