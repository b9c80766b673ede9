# cython: language_level=3
"""The simulated exchange's book: one queue of resting orders per price, first come, first served."""

from __future__ import annotations

from typing import Any

import cython

TICKS = cython.declare(cython.longlong, 4096)  # prices of the simulated market, in ticks above its lowest
THIN = cython.declare(cython.longlong, 40)     # orders that a side should not fall below

# Whose order it is: only its owner changes or cancels it, and hears of its fills
CROWD = cython.declare(cython.longlong, 0)     # nobody's in particular
NATIVE = cython.declare(cython.longlong, 1)    # an iceberg that the exchange manages
TRANCHE = cython.declare(cython.longlong, 2)   # one piece of an iceberg that a trader's software manages
MAKER = cython.declare(cython.longlong, 3)     # a market maker's, who quotes again when it is filled
WALL = cython.declare(cython.longlong, 4)      # part of an interest that absorbs


@cython.cclass
class RestingOrder:
    """One order in the book. An iceberg owns ``shown + hidden`` lots and shows at most ``peak``."""

    def __init__(self) -> None:
        self.order_id = 0
        self.side = 0       # +1 buys, -1 sells
        self.tick = 0
        self.shown = 0      # lots everybody sees
        self.hidden = 0     # lots only the exchange knows
        self.peak = 0       # 0: not an iceberg
        self.since = 0      # ns when it took its place in the queue
        self.kind = CROWD
        self.plan: Any = None  # what its owner keeps about it
        self.before = 0     # shown when the present event first filled it, else 0
        self.taken = 0      # lots filled in the present event
        self.pieces = 0     # fills in the present event
        self.place = -1     # index in Book.live, -1: not in the book
        self.ahead: RestingOrder | None = None
        self.behind: RestingOrder | None = None


@cython.cclass
class Level:
    """The queue at one price."""

    def __init__(self) -> None:
        self.first: RestingOrder | None = None
        self.last: RestingOrder | None = None
        self.lots = 0
        self.orders = 0
        self.icebergs = 0
        self.traded = 0     # lots that ever traded here

    @cython.cfunc
    @cython.exceptval(check=False)
    def join(self, order: RestingOrder) -> cython.void:
        """Put an order behind all others."""
        order.ahead = self.last
        order.behind = None
        if self.last is None:
            self.first = order
        else:
            self.last.behind = order
        self.last = order
        self.lots += order.shown
        self.orders += 1
        if order.peak > 0:
            self.icebergs += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def leave(self, order: RestingOrder) -> cython.void:
        """Take an order out of the queue."""
        if order.ahead is None:
            self.first = order.behind
        else:
            order.ahead.behind = order.behind
        if order.behind is None:
            self.last = order.ahead
        else:
            order.behind.ahead = order.ahead
        order.ahead = None
        order.behind = None
        self.lots -= order.shown
        self.orders -= 1
        if order.peak > 0:
            self.icebergs -= 1


@cython.cclass
class Book:
    """All resting orders, by price and in one list to choose from, with the best price of either side."""

    def __init__(self) -> None:
        self.levels = [Level() for _ in range(TICKS)]
        self.live: list[RestingOrder] = []
        self.spare: list[RestingOrder] = []
        self.best_bid = 0
        self.best_ask = TICKS - 1
        self.bids = 0
        self.asks = 0

    @cython.cfunc
    def level(self, tick: cython.Py_ssize_t) -> Level:
        """The queue at a price."""
        level: Level = self.levels[tick]
        return level

    @cython.cfunc
    @cython.exceptval(check=False)
    def touch(self, side: cython.longlong) -> cython.longlong:
        """The best price of a side."""
        return self.best_bid if side > 0 else self.best_ask

    @cython.cfunc
    @cython.exceptval(check=False)
    def resting(self, side: cython.longlong) -> cython.longlong:
        """How many orders rest on a side."""
        return self.bids if side > 0 else self.asks

    @cython.cfunc
    @cython.exceptval(check=False)
    def thin(self, side: cython.longlong) -> cython.bint:
        """Whether so few orders rest on a side that nobody should take one away."""
        return self.resting(side) < THIN

    @cython.cfunc
    def add(self, order_id: cython.longlong, side: cython.longlong, tick: cython.longlong,
            shown: cython.longlong) -> RestingOrder:
        """A new order at the end of its queue; the caller sees to it that it does not cross."""
        order: RestingOrder = self.spare.pop() if self.spare else RestingOrder()
        order.order_id = order_id
        order.side = side
        order.shown = shown
        order.hidden = order.peak = order.before = order.taken = order.pieces = 0
        order.kind = CROWD
        self.put(order, tick)
        return order

    @cython.cfunc
    def put(self, order: RestingOrder, tick: cython.longlong) -> object:
        """Let an order that is not in the book rest at the end of a queue."""
        order.place = len(self.live)
        self.live.append(order)
        self.enter(order, tick)
        return None

    @cython.cfunc
    def remove(self, order: RestingOrder) -> object:
        """Take an order out of the book; ``recycle`` it when nobody needs its fields any more."""
        filler: RestingOrder = self.live.pop()
        if filler is not order:
            self.live[order.place] = filler
            filler.place = order.place
        order.place = -1
        self.exit(order)
        return None

    @cython.cfunc
    def recycle(self, order: RestingOrder) -> object:
        """Keep a removed order's memory for the next one."""
        order.plan = None
        self.spare.append(order)
        return None

    @cython.cfunc
    def move(self, order: RestingOrder, tick: cython.longlong, shown: cython.longlong) -> object:
        """Give an order a new price or size and the last place in its queue."""
        self.exit(order)
        order.shown = shown
        self.enter(order, tick)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def shrink(self, order: RestingOrder, lots: cython.longlong) -> cython.void:
        """Take lots from an order that keeps its place."""
        level: Level = self.level(order.tick)
        level.lots -= lots
        order.shown -= lots

    @cython.cfunc
    @cython.exceptval(check=False)
    def enter(self, order: RestingOrder, tick: cython.longlong) -> cython.void:
        """Join the queue at a price."""
        order.tick = tick
        self.level(tick).join(order)
        if order.side > 0:
            self.bids += 1
            self.best_bid = max(self.best_bid, tick)
        else:
            self.asks += 1
            self.best_ask = min(self.best_ask, tick)

    @cython.cfunc
    @cython.exceptval(check=False)
    def exit(self, order: RestingOrder) -> cython.void:
        """Leave the queue; an emptied touch moves to the next price with an order."""
        level: Level = self.level(order.tick)
        level.leave(order)
        if order.side > 0:
            self.bids -= 1
            if level.first is None and order.tick == self.best_bid:
                self.best_bid = self.next_price(order.tick, -1)
        else:
            self.asks -= 1
            if level.first is None and order.tick == self.best_ask:
                self.best_ask = self.next_price(order.tick, 1)

    @cython.cfunc
    @cython.exceptval(check=False)
    def next_price(self, tick: cython.longlong, step: cython.longlong) -> cython.longlong:
        """The nearest price in a direction where an order rests, or the edge."""
        tick += step
        while 0 < tick < TICKS - 1 and self.level(tick).first is None:
            tick += step
        return tick
