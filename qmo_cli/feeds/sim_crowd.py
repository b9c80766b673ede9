# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated crowd that makes the market: who adds, changes and cancels orders, and where.

Everybody leans towards a fair value, so the touch on one side runs out, the spread opens and is closed from the other
side: that is how price follows. Nearly all orders are placed and cancelled near the touch.
"""

from __future__ import annotations

import cython

from .sim_agenda import Agenda, Task
from .sim_book import Level, RestingOrder
from .sim_clock import FairValue
from .sim_dice import ADD_LOTS, DEPTHS, Dice
from .sim_exchange import Exchange

USUAL = cython.declare(cython.longlong, 700)   # orders the book tends to hold
FLEETING = cython.declare(cython.longlong, 13)  # per cent of orders whose owner never meant to wait
MAKER = cython.declare(cython.longlong, 3)     # kinds of orders, as the book has them
CROWD = cython.declare(cython.longlong, 0)
WITHDRAW = cython.declare(cython.longlong, 1)  # tasks


@cython.cclass
class Crowd:
    """Everybody who trades a little, and what all traders need: order ids, a side, a price, a task for later."""

    def __init__(self, dice: Dice, fair: FairValue, exchange: Exchange, agenda: Agenda) -> None:
        self.dice = dice
        self.fair = fair
        self.exchange = exchange
        self.book = exchange.book
        self.agenda = agenda
        self.last_id = 6_400_000_000_000
        self.add_lots, self.depths = ADD_LOTS, DEPTHS

    @cython.cfunc
    @cython.exceptval(check=False)
    def new_id(self) -> cython.longlong:
        """The next order id."""
        self.last_id += 1 + self.dice.below(9)
        return self.last_id

    @cython.cfunc
    @cython.exceptval(check=False)
    def lean(self) -> cython.longlong:
        """+1 or -1, more often towards the side of fair value."""
        pressure: cython.longlong = self.fair.above(self.book.best_bid, self.book.best_ask)
        tilt: cython.longlong = max(-400, min(400, pressure >> 2))
        return 1 if self.dice.below(1024) < 512 + tilt else -1

    @cython.cfunc
    @cython.exceptval(check=False)
    def room(self, side: cython.longlong, tick: cython.longlong) -> cython.longlong:
        """The tick itself, or the best one this side may quote without crossing or locking the market."""
        if side > 0:
            return min(tick, self.book.best_ask - 1)
        return max(tick, self.book.best_bid + 1)

    @cython.cfunc
    def candidate(self, side: cython.longlong) -> RestingOrder:
        """A resting order whose owner may change his mind: mostly near the touch, now and then anywhere."""
        if self.dice.below(100) < 90:
            tick: cython.longlong = self.book.touch(side) - side * self.cancel_depth(side)
            level: Level = self.book.level(tick)
            if level.first is not None:
                order: RestingOrder = self.queued(level)
                if self.free(order):
                    return order
        order = self.anybody()
        return order  # noqa: RET504 - the name carries the type

    @cython.cfunc
    def anybody(self) -> RestingOrder:
        """Any resting order, one that no plan depends on if a few looks find one."""
        order: RestingOrder = self.book.live[self.dice.below(len(self.book.live))]
        looks: cython.longlong = 8
        while looks > 0 and not self.free(order):
            order = self.book.live[self.dice.below(len(self.book.live))]
            looks -= 1
        return order

    @cython.cfunc
    def queued(self, level: Level) -> RestingOrder:
        """One of the last nine orders of a queue."""
        order: RestingOrder = cython.cast(RestingOrder, level.last)
        steps: cython.longlong = self.dice.below(9)
        while steps > 0 and order.ahead is not None:
            order = cython.cast(RestingOrder, order.ahead)
            steps -= 1
        return order

    @cython.cfunc
    @cython.exceptval(check=False)
    def cancel_depth(self, side: cython.longlong) -> cython.longlong:
        """How far from the touch somebody cancels; a small touch is rather left alone."""
        depth: cython.longlong = self.dice.draw(self.depths)
        lots: cython.longlong = self.book.level(self.book.touch(side)).lots
        if depth == 0 and lots < 6 and self.dice.below(100) < 77:
            return 1 + self.dice.below(5)
        if depth > 0 and lots > 15 and self.dice.below(10) < 5:
            return 0
        return depth

    @cython.cfunc
    @cython.exceptval(check=False)
    def add_depth(self, side: cython.longlong) -> cython.longlong:
        """How far from the touch somebody joins; a large touch attracts fewer, an open spread is improved (-1)."""
        spread: cython.longlong = self.book.best_ask - self.book.best_bid
        if spread > 1 and self.dice.below(100) < (6 if spread == 2 else 40):
            return -1
        depth: cython.longlong = self.dice.draw(self.depths)
        lots: cython.longlong = self.book.level(self.book.touch(side)).lots
        if depth == 0 and lots > 14 and self.dice.below(lots) > 5:
            return 1 + self.dice.below(8)
        if depth > 0 and lots < 5 and self.dice.below(10) < 5:
            return 0
        return depth

    @cython.cfunc
    def quote(self, roll: cython.longlong) -> object:
        """Add or cancel an order, so that the book keeps about its size."""
        surplus: cython.longlong = len(self.book.live) - USUAL
        if roll < 500 - max(-300, min(300, surplus)):
            self.join(self.newcomer())
        else:
            self.withdraw(self.candidate(-self.lean()))
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def newcomer(self) -> cython.longlong:
        """The side of a new order: one in eight goes where fewer rest, so that no side stays empty behind the touch."""
        if self.dice.below(8) == 0:
            return 1 if self.book.bids < self.book.asks else -1
        return self.lean()

    @cython.cfunc
    def join(self, side: cython.longlong) -> object:
        """Add an order at, near or inside the touch; some of them are gone again within ten milliseconds."""
        tick: cython.longlong = self.room(side, self.book.touch(side) - side * self.add_depth(side))
        order: RestingOrder = self.place(side, tick, 0)
        if self.dice.below(100) < FLEETING:
            part: cython.longlong = self.dice.below(1024)
            self.later(20_000 + (part * part * 9_900_000 >> 20), WITHDRAW, order, None)
        return None

    @cython.cfunc
    def place(self, side: cython.longlong, tick: cython.longlong, flags: cython.longlong) -> RestingOrder:
        """Add an ordinary order."""
        order_id: cython.longlong = self.new_id()
        order: RestingOrder = self.exchange.place(order_id, side, tick, self.dice.draw(self.add_lots), flags)
        return order

    @cython.cfunc
    def later(self, delay: cython.longlong, what: cython.longlong, order: RestingOrder, plan: object) -> Task:
        """Note a task for so many ns from now."""
        task: Task = self.agenda.note(self.exchange.tape.ts_event + delay, what, order, plan)
        return task

    @cython.cfunc
    def leave(self, task: Task) -> object:
        """Cancel the order of one who never meant to wait."""
        order: RestingOrder = cython.cast(RestingOrder, task.order)
        if task.stands() and order.kind == CROWD and not self.book.thin(order.side):
            self.exchange.cancel(order)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def free(self, order: RestingOrder) -> cython.bint:
        """Whether just anybody's order it is, so that no plan depends on it."""
        return order.kind == CROWD or order.kind == MAKER

    @cython.cfunc
    def withdraw(self, order: RestingOrder) -> object:
        """Cancel an order, or part of it."""
        if self.book.thin(order.side) or not self.free(order):
            self.join(order.side)
        elif order.shown > 1 and self.dice.below(10) == 0:
            self.exchange.reduce(order, 1 + self.dice.below(order.shown - 1))
        else:
            self.exchange.cancel(order)
        return None

    @cython.cfunc
    def amend(self) -> object:
        """Change price or size of an order; one that becomes larger without a fill looks as if it hid something."""
        order: RestingOrder = self.candidate(-self.lean())
        if not self.free(order):
            self.join(self.lean())
        elif self.dice.below(100) < 60:
            tick: cython.longlong = order.tick + self.dice.below(7) - 3
            self.exchange.amend(order, self.room(order.side, tick), order.shown)
        else:
            self.resize(order, self.dice.draw(self.add_lots))
        return None

    @cython.cfunc
    def resize(self, order: RestingOrder, lots: cython.longlong) -> object:
        """Show so many lots from now on."""
        if lots > order.shown:
            ts: cython.longlong = self.exchange.tape.ts_event
            self.exchange.truth.decoy("size_up", ts, order.order_id, order.side, order.tick)
        self.exchange.amend(order, order.tick, lots)
        return None
