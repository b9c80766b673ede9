# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated takers of liquidity: aggressors, the stops they set off, implied and unattributed trades."""

from __future__ import annotations

import cython

from .sim_agenda import Task
from .sim_book import RestingOrder
from .sim_crowd import Crowd
from .sim_dice import TRADE_LOTS, Dice
from .sim_exchange import Exchange
from .sim_truth import Truth, letter

SWEEP = cython.declare(cython.longlong, 3)     # prices one aggressor goes through at most
LARGEST = cython.declare(cython.longlong, 40)  # lots of one aggressor at most
CROWD = cython.declare(cython.longlong, 0)     # a kind of order, as the book has it


@cython.cclass
class Takers:
    """Those who trade against the crowd's orders."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange, truth: Truth) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.truth = truth
        self.book = exchange.book
        self.trade_lots = TRADE_LOTS
        self.guarded = 0      # the side of which no price beyond ``guard`` may trade, because an interest holds there
        self.guard = 0

    @cython.cfunc
    def trade(self) -> object:
        """Somebody takes liquidity: an ordinary aggressor, and seldom an implied or an unattributed trade."""
        roll: cython.longlong = self.dice.below(1000)
        side: cython.longlong = self.taker()
        if self.guarded == -side and (self.book.touch(-side) - self.guard) * side > 0:
            self.crowd.join(-side)
        elif roll < 10:
            self.imply(side)
        elif roll < 15:
            self.unattributed(side)
        elif roll < 32:
            self.modify_across(side)
        else:
            self.aggress(side, roll)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def taker(self) -> cython.longlong:
        """The side that trades; an iceberg at the touch draws some who trade against it."""
        side: cython.longlong = self.crowd.lean()
        if self.dice.below(100) < 30:
            if self.book.level(self.book.best_bid).icebergs > 0:
                return -1
            if self.book.level(self.book.best_ask).icebergs > 0:
                return 1
        return side

    @cython.cfunc
    @cython.exceptval(check=False)
    def limit(self, side: cython.longlong, reach: cython.longlong) -> cython.longlong:
        """The price so many ticks behind the other side's touch, or the one where an interest holds."""
        limit: cython.longlong = self.book.touch(-side) + side * reach
        if self.guarded == -side and (limit - self.guard) * side > 0:
            return self.guard
        return limit

    @cython.cfunc
    def imply(self, side: cython.longlong) -> object:
        """A trade wholly with implied liquidity: a T without an aggressor's id and without any F."""
        tick: cython.longlong = self.book.touch(-side)
        lots: cython.longlong = self.dice.draw(self.trade_lots)
        self.exchange.print_trade(0, side, tick, lots)
        self.truth.decoy("implied", self.exchange.tape.ts_event, 0, -side, tick)
        return None

    @cython.cfunc
    def unattributed(self, side: cython.longlong) -> object:
        """A trade without an aggressor: it fills the first order of a queue, which is no iceberg."""
        order: RestingOrder = cython.cast(RestingOrder, self.book.level(self.book.touch(-side)).first)
        if order.peak > 0:
            self.aggress(side, 999)
        else:
            self.exchange.match_level(0, side, 0, 1)
            self.exchange.settle()
        return None

    @cython.cfunc
    def modify_across(self, side: cython.longlong) -> object:
        """Somebody modifies his resting order so that it trades."""
        order: RestingOrder = self.crowd.candidate(side)
        if order.kind != CROWD or self.book.thin(order.side) or self.book.thin(-order.side):
            self.aggress(side, 999)
            return None
        side = order.side
        tick: cython.longlong = self.book.touch(-side)
        if self.guarded == -side and (tick - self.guard) * side > 0:
            self.crowd.join(-side)
            return None
        self.truth.decoy("modify_cross", self.exchange.tape.ts_event, order.order_id, side, order.tick)
        if self.exchange.cross(order, tick) == 0:
            self.exchange.release(order)
        return None

    @cython.cfunc
    def aggress(self, side: cython.longlong, roll: cython.longlong) -> object:
        """One aggressor, in one event with the stop order it sets off (1 %) and with implied liquidity (4 %).

        What a limit order does not get rests in the book afterwards, under the aggressor's id.
        """
        order_id: cython.longlong = self.crowd.new_id()
        best: cython.longlong = self.book.touch(-side)
        limit: cython.longlong = self.limit(side, self.dice.below(SWEEP))
        left: cython.longlong = self.exchange.match(order_id, side, self.appetite(best), limit)
        levels: cython.longlong = self.exchange.prices
        lots: cython.longlong = self.exchange.traded
        if 32 <= roll < 72:
            self.exchange.imply(1 + self.dice.below(3))
            self.truth.decoy("implied", self.exchange.tape.ts_event, order_id, -side, self.exchange.trade_tick)
        elif 72 <= roll < 82:
            self.set_off(side, self.limit(side, 1), 1)
        self.exchange.settle()
        if levels >= SWEEP:
            self.tell_sweep(side, best, lots)
        if left > 0 and not self.book.thin(-side):
            self.exchange.place(order_id, side, self.crowd.room(side, limit), min(left, 5), 0)
        return None

    @cython.cfunc
    def set_off(self, side: cython.longlong, limit: cython.longlong, stops: cython.longlong) -> object:
        """Stop orders that the present event triggers, one after another."""
        tick: cython.longlong = self.exchange.trade_tick
        before: cython.longlong = self.exchange.traded
        first: cython.longlong = -1
        for _ in range(stops):
            stop_id: cython.longlong = self.crowd.new_id()
            lots: cython.longlong = self.dice.draw(self.trade_lots)
            left: cython.longlong = self.exchange.match(stop_id, side, lots, limit)
            if left < lots and first < 0:
                first = self.exchange.trade_tick
            limit = self.limit(side, 1)
        if self.exchange.traded > before:
            self.tell_stops(side, first if first >= 0 else tick, self.exchange.traded - before, stops)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def appetite(self, tick: cython.longlong) -> cython.longlong:
        """Lots an aggressor wants: mostly few, sometimes the whole touch and more."""
        lots: cython.longlong = self.dice.draw(self.trade_lots)
        if self.dice.below(100) < 4:
            lots += self.book.level(tick).lots
        return min(lots, LARGEST)

    @cython.cfunc
    def hit(self, task: Task) -> object:
        """Take all of one resting order and of those ahead of it, at one blow; nothing if it is not at the touch."""
        order: RestingOrder = cython.cast(RestingOrder, task.order)
        if not task.stands() or self.book.touch(order.side) != order.tick or self.book.thin(order.side):
            return None
        lots: cython.longlong = order.shown + order.hidden
        ahead: RestingOrder | None = order.ahead
        while ahead is not None:
            lots += ahead.shown + ahead.hidden
            ahead = ahead.ahead
        peaks: cython.longlong = 0 if order.peak == 0 else order.hidden // order.peak
        behind: RestingOrder | None = order.behind
        while behind is not None and peaks > 0:  # each new peak stands behind them
            lots += behind.shown + behind.hidden
            behind = behind.behind
        if lots <= 2 * LARGEST:
            self.exchange.match(self.crowd.new_id(), -order.side, lots, order.tick)
            self.exchange.settle()
        return None

    def tell_sweep(self, side: int, first: int, lots: int) -> None:
        """Write down that one aggressor went through three prices or more, from this one to the last that traded."""
        ts = str(self.exchange.tape.ts_event)
        self.truth.write("sweep", {
            "side": letter(side), "start": ts, "end": ts, "from": self.truth.price(first),
            "to": self.truth.price(self.exchange.trade_tick), "levels": self.exchange.prices, "size": lots,
            "aggressors": 1})

    def tell_stops(self, side: int, tick: int, lots: int, stops: int) -> None:
        """Write down the stops that an event triggered, the first at this price, with what they traded in all."""
        self.truth.write("stop_cascade", {
            "side": letter(side), "ts_event": str(self.exchange.tape.ts_event), "price": self.truth.price(tick),
            "size": lots, "stops": stops})
