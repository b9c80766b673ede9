# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated crowd that makes the market: who adds, changes and cancels orders, and where.

Everybody leans towards a fair value, so the touch on one side runs out, the spread opens and is closed from the other
side: that is how price follows. Nearly all orders are placed and cancelled near the touch.
"""

from __future__ import annotations

import cython

from .sim_book import Level, RestingOrder
from .sim_clock import FairValue
from .sim_dice import ADD_LOTS, DEPTHS, MULTIPLES, PEAKS, Dice
from .sim_exchange import Exchange

USUAL = cython.declare(cython.longlong, 700)   # orders the book tends to hold
FAR = cython.declare(cython.longlong, 120)     # ticks from the touch where the owner of an iceberg gives up


@cython.cclass
class Crowd:
    """Makers of one market; ``icebergs`` is the share of new orders that hide most of their size."""

    def __init__(self, dice: Dice, fair: FairValue, exchange: Exchange, icebergs: float) -> None:
        self.dice = dice
        self.fair = fair
        self.exchange = exchange
        self.book = exchange.book
        self.icebergs = round(icebergs * 1_000_000)
        self.last_id = 6_400_000_000_000
        self.add_lots, self.depths, self.peaks, self.multiples = ADD_LOTS, DEPTHS, PEAKS, MULTIPLES

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
                return order
        order = self.book.live[self.dice.below(len(self.book.live))]
        return order  # noqa: RET504 - the name carries the type

    @cython.cfunc
    def queued(self, level: Level) -> RestingOrder:
        """One of the last orders of a queue."""
        order: RestingOrder = cython.cast(RestingOrder, level.last)
        steps: cython.longlong = self.dice.below(4)
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
        if depth == 0 and lots < 5 and self.dice.below(10) < 7:
            return 1 + self.dice.below(5)
        if depth > 0 and lots > 15 and self.dice.below(10) < 5:
            return 0
        return depth

    @cython.cfunc
    @cython.exceptval(check=False)
    def add_depth(self, side: cython.longlong) -> cython.longlong:
        """How far from the touch somebody joins; a large touch attracts fewer, an open spread is improved (-1)."""
        spread: cython.longlong = self.book.best_ask - self.book.best_bid
        if spread > 1 and self.dice.below(100) < (9 if spread == 2 else 25):
            return -1
        depth: cython.longlong = self.dice.draw(self.depths)
        lots: cython.longlong = self.book.level(self.book.touch(side)).lots
        if depth == 0 and lots > 10 and self.dice.below(lots) > 5:
            return 1 + self.dice.below(8)
        if depth > 0 and lots < 4 and self.dice.below(10) < 5:
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
        """Add an order at, near or inside the touch; some are icebergs."""
        tick: cython.longlong = self.room(side, self.book.touch(side) - side * self.add_depth(side))
        if self.icebergs > 0 and self.dice.below(1_000_000) < self.icebergs:
            self.hide(side)
        else:
            self.place(side, tick, 0)
        return None

    @cython.cfunc
    def place(self, side: cython.longlong, tick: cython.longlong, flags: cython.longlong) -> object:
        """Add an ordinary order."""
        order_id: cython.longlong = self.new_id()
        self.exchange.place(order_id, side, tick, self.dice.draw(self.add_lots), flags)
        return None

    @cython.cfunc
    def hide(self, side: cython.longlong) -> object:
        """Add an iceberg at the touch; the first peak of a few is cut, the last one of most."""
        peak: cython.longlong = self.dice.draw(self.peaks)
        shown: cython.longlong = peak
        if self.dice.below(12) == 0:
            shown = 1 + self.dice.below(peak)
        total: cython.longlong = shown + peak * (self.dice.draw(self.multiples) - 1)
        total += self.dice.below(peak)
        self.exchange.place_iceberg(self.new_id(), side, self.book.touch(side), shown, peak, total)
        return None

    @cython.cfunc
    def withdraw(self, order: RestingOrder) -> object:
        """Cancel an order, or part of it; owners of icebergs are patient."""
        if self.book.thin(order.side) or (order.peak > 0 and self.patient(order)):
            self.join(order.side)
        elif order.shown > 1 and order.peak == 0 and self.dice.below(10) == 0:
            self.exchange.reduce(order, 1 + self.dice.below(order.shown - 1))
        else:
            self.exchange.cancel(order)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def patient(self, order: RestingOrder) -> cython.bint:
        """Whether the owner of an iceberg lets it stand: yes, unless price has left it or he loses heart."""
        return (self.book.touch(order.side) - order.tick) * order.side < FAR and self.dice.below(12) > 0

    @cython.cfunc
    def amend(self) -> object:
        """Change price or size of an order that is no iceberg."""
        order: RestingOrder = self.candidate(-self.lean())
        if order.peak > 0:
            self.join(self.lean())
        elif self.dice.below(100) < 60:
            tick: cython.longlong = order.tick + self.dice.below(7) - 3
            self.exchange.amend(order, self.room(order.side, tick), order.shown)
        else:
            self.exchange.amend(order, order.tick, self.dice.draw(self.add_lots))
        return None

    @cython.cfunc
    def requote(self) -> object:
        """Cancel and add in one event, as a market maker does."""
        order: RestingOrder = self.candidate(-self.lean())
        side: cython.longlong = order.side
        if order.peak == 0 and not self.book.thin(side):
            self.exchange.cancel(order)
        self.join(side)
        return None
