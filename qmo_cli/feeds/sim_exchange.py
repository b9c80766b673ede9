# cython: language_level=3
"""The simulated exchange: it matches orders and reports what happened the way CME does in market-by-order data.

An event is what one message from outside causes. Fills are reported first, ``(T F*)+``: one T per aggressor and price
(side of the aggressor), one F per fill of a resting order (side of that order); neither changes a book that follows
the reports. Then come the changes of the book: C for an order that is gone, M for one that shows less, or the next
peak of an iceberg.
"""

from __future__ import annotations

import cython

from .sim_book import Book, Level, RestingOrder
from .sim_tape import Tape
from .sim_truth import Truth

ADD = cython.declare(cython.longlong, ord("A"))
CANCEL = cython.declare(cython.longlong, ord("C"))
MODIFY = cython.declare(cython.longlong, ord("M"))
CLEAR = cython.declare(cython.longlong, ord("R"))
TRADE = cython.declare(cython.longlong, ord("T"))
FILL = cython.declare(cython.longlong, ord("F"))
BID = cython.declare(cython.longlong, ord("B"))
ASK = cython.declare(cython.longlong, ord("A"))
NONE = cython.declare(cython.longlong, ord("N"))

SNAPSHOT = cython.declare(cython.longlong, 32)         # F_SNAPSHOT
UNDEF_PRICE = cython.declare(cython.longlong, 2**63 - 1)
TICK = cython.declare(cython.longlong, 100_000_000)    # 0.10 in 1e-9
CROWD = cython.declare(cython.longlong, 0)             # kinds of orders, as the book has them
NATIVE = cython.declare(cython.longlong, 1)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def side_code(side: cython.longlong) -> cython.longlong:
    """The wire's letter for +1 (buyer), -1 (seller) or 0 (not said)."""
    if side == 0:
        return NONE
    return BID if side > 0 else ASK


@cython.cclass
class Exchange:
    """A matching engine and its reports. ``lowest`` is the price of tick 0, in ticks."""

    def __init__(self, tape: Tape, lowest: int, truth: Truth) -> None:
        self.tape = tape
        self.book = Book()
        self.lowest = lowest
        self.truth = truth
        self.newest_trade = 0  # record number of the last T on the tape
        self.trades = 0        # T's of the present event
        self.traded = 0        # lots of the present event
        self.prices = 0        # distinct prices of the present event, as far as they follow one another
        self.trade_tick = 0    # price of the last T
        self.touched: list[RestingOrder] = []  # filled in the present event, in the order of their places afterwards
        self.owned: list[RestingOrder] = []    # those of them whose owner is to hear of it

    @cython.cfunc
    @cython.exceptval(check=False)
    def report(self, action: cython.longlong, order: RestingOrder, size: cython.longlong,
               flags: cython.longlong) -> cython.void:
        """Write one record about a resting order."""
        self.tape.write(action, side_code(order.side), order.order_id, (self.lowest + order.tick) * TICK, size, flags)

    @cython.cfunc
    def clear(self) -> object:
        """Begin a snapshot: readers forget what they know."""
        self.tape.write(CLEAR, NONE, 0, UNDEF_PRICE, 0, SNAPSHOT)
        return None

    @cython.cfunc
    def place(self, order_id: cython.longlong, side: cython.longlong, tick: cython.longlong,
              shown: cython.longlong, flags: cython.longlong) -> RestingOrder:
        """A new resting order."""
        order: RestingOrder = self.book.add(order_id, side, tick, shown)
        order.since = self.tape.ts_event
        self.report(ADD, order, shown, flags)
        return order

    @cython.cfunc
    def place_iceberg(self, order_id: cython.longlong, side: cython.longlong, tick: cython.longlong,
                      shown: cython.longlong, peak: cython.longlong, total: cython.longlong) -> RestingOrder:
        """A new iceberg: it shows ``shown`` lots now and ``peak`` at each refresh while its hidden lots last."""
        order: RestingOrder = self.place(order_id, side, tick, shown, 0)
        order.kind = NATIVE
        order.hidden = total - shown
        order.peak = peak
        level: Level = self.book.level(tick)
        level.icebergs += 1
        return order

    @cython.cfunc
    def cancel(self, order: RestingOrder) -> object:
        """Its owner takes an order away."""
        self.report(CANCEL, order, order.shown, 0)
        self.book.remove(order)
        self.book.recycle(order)
        return None

    @cython.cfunc
    def reduce(self, order: RestingOrder, lots: cython.longlong) -> object:
        """Its owner cancels part of an order, which keeps its place; C carries the lots taken away."""
        self.book.shrink(order, lots)
        self.report(CANCEL, order, lots, 0)
        return None

    @cython.cfunc
    def amend(self, order: RestingOrder, tick: cython.longlong, size: cython.longlong) -> object:
        """Its owner changes price or size; only a smaller size at the same price keeps the place in the queue."""
        if tick == order.tick and size <= order.shown:
            self.book.shrink(order, order.shown - size)
        else:
            self.book.move(order, tick, size)
            order.since = self.tape.ts_event
        self.report(MODIFY, order, size, 0)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def print_trade(self, order_id: cython.longlong, side: cython.longlong, tick: cython.longlong,
                    lots: cython.longlong) -> cython.Py_ssize_t:
        """Write a T; its size may grow while fills follow."""
        self.trades += 1
        self.prices += self.trades == 1 or tick != self.trade_tick
        self.trade_tick = tick
        self.newest_trade = self.tape.write(TRADE, side_code(side), order_id, (self.lowest + tick) * TICK, lots, 0)
        return self.newest_trade

    @cython.cfunc
    @cython.exceptval(check=False)
    def imply(self, lots: cython.longlong) -> cython.void:
        """Let the last T have traded with implied liquidity too, for which there is no F."""
        self.tape.enlarge(self.newest_trade, lots)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def match(self, order_id: cython.longlong, side: cython.longlong, lots: cython.longlong,
              limit: cython.longlong) -> cython.longlong:
        """Trade against the other side up to a limit price; gives the lots left. ``settle`` must follow."""
        book: Book = self.book
        while lots > 0 and (limit - book.touch(-side)) * side >= 0 and book.resting(-side) > 1:
            lots = self.match_level(order_id, side, side, lots)
        return lots

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def match_level(self, order_id: cython.longlong, side: cython.longlong, reported: cython.longlong,
                    lots: cython.longlong) -> cython.longlong:
        """Trade at the other side's best price, under one T whose side is ``reported``; gives the lots left."""
        tick: cython.longlong = self.book.touch(-side)
        return self.fill_level(self.print_trade(order_id, reported, tick, 0), -side, tick, lots)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def fill_level(self, trade: cython.Py_ssize_t, resting: cython.longlong, tick: cython.longlong,
                   lots: cython.longlong) -> cython.longlong:
        """Fill the orders of the best price of a side in turn, as long as it is the best; gives the lots left."""
        book: Book = self.book
        while lots > 0 and book.touch(resting) == tick and book.resting(resting) > 1:
            order: RestingOrder = cython.cast(RestingOrder, book.level(tick).first)
            taken: cython.longlong = min(lots, order.shown)
            self.report(FILL, order, taken, 0)
            self.tape.enlarge(trade, taken)
            self.fill(order, taken)
            lots -= taken
        return lots

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def cross(self, order: RestingOrder, tick: cython.longlong) -> cython.longlong:
        """A resting order is modified to a price at which it trades; gives the lots that it then rests with there.

        It has a T as aggressor and an F of its own, both at the trade's price; C is at the price where it rested.
        """
        side: cython.longlong = order.side
        lots: cython.longlong = order.shown
        self.book.remove(order)
        trade: cython.Py_ssize_t = self.print_trade(order.order_id, side, tick, 0)
        own: cython.Py_ssize_t = self.tape.write(
            FILL, side_code(side), order.order_id, (self.lowest + tick) * TICK, 0, 0)
        left: cython.longlong = self.fill_level(trade, -side, tick, lots)
        self.tape.enlarge(own, lots - left)
        if left == 0:
            self.report(CANCEL, order, lots, 0)
        self.settle()
        if left > 0:
            order.shown = left
            order.since = self.tape.ts_event
            self.book.put(order, tick)
            self.report(MODIFY, order, left, 0)
        return left

    @cython.cfunc
    def fill(self, order: RestingOrder, lots: cython.longlong) -> object:
        """Take traded lots from an order; an iceberg whose peak is used up shows its next one, last in the queue."""
        if order.before == 0:
            order.before = order.shown
            self.touched.append(order)
        order.taken += lots
        order.pieces += 1
        self.traded += lots
        level: Level = self.book.level(order.tick)
        level.traded += lots
        if lots < order.shown:
            self.book.shrink(order, lots)
        elif order.hidden > 0:
            revealed: cython.longlong = min(order.peak, order.hidden)
            order.hidden -= revealed
            self.book.move(order, order.tick, revealed)
            order.since = self.tape.ts_event
            self.touched.remove(order)
            self.touched.append(order)
        else:
            self.book.remove(order)
        return None

    @cython.cfunc
    def settle(self) -> object:
        """Report what fills did to the book: C with the size shown before them, or M with the size shown now."""
        order: RestingOrder
        for order in self.touched:
            if order.place < 0:
                self.report(CANCEL, order, order.before, 0)
            else:
                self.report(MODIFY, order, order.shown, 0)
            if order.pieces > 1 and order.kind != NATIVE:
                self.truth.decoy("several_fills", self.tape.ts_event, order.order_id, order.side, order.tick)
            if order.kind == CROWD:
                self.release(order)
            else:
                self.owned.append(order)
        self.touched.clear()
        return None

    @cython.cfunc
    def release(self, order: RestingOrder) -> object:
        """Forget what the present event did to an order."""
        order.before = order.taken = order.pieces = 0
        if order.place < 0:
            self.book.recycle(order)
        return None

    @cython.cfunc
    def begin(self) -> object:
        """Forget what the last event traded."""
        self.trades = self.traded = self.prices = 0
        return None
