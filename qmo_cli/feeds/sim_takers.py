# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated takers of liquidity: aggressors, the stops they set off, implied and unattributed trades."""

from __future__ import annotations

import cython

from .sim_book import RestingOrder
from .sim_crowd import Crowd
from .sim_dice import TRADE_LOTS, Dice
from .sim_exchange import Exchange

SWEEP = cython.declare(cython.longlong, 3)     # prices one aggressor goes through at most
LARGEST = cython.declare(cython.longlong, 40)  # lots of one aggressor at most


@cython.cclass
class Takers:
    """Those who trade against the crowd's orders."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.book = exchange.book
        self.trade_lots = TRADE_LOTS

    @cython.cfunc
    def trade(self) -> object:
        """Somebody takes liquidity: an ordinary aggressor, and seldom an implied or an unattributed trade."""
        roll: cython.longlong = self.dice.below(1000)
        side: cython.longlong = self.taker()
        if roll < 10:
            self.exchange.print_trade(0, side, self.book.touch(-side), self.dice.draw(self.trade_lots))
        elif roll < 15:
            self.cross(side)
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
    def cross(self, side: cython.longlong) -> object:
        """A trade without an aggressor: it fills the first order of a queue, which is no iceberg."""
        order: RestingOrder = cython.cast(RestingOrder, self.book.level(self.book.touch(-side)).first)
        if order.peak > 0:
            self.aggress(side, 999)
        else:
            self.exchange.match_level(0, side, 0, 1)
            self.exchange.settle()
        return None

    @cython.cfunc
    def aggress(self, side: cython.longlong, roll: cython.longlong) -> object:
        """One aggressor, in one event with the stop order it sets off (1 %) and with implied liquidity (2 %).

        What a limit order does not get rests in the book afterwards, under the aggressor's id.
        """
        order_id: cython.longlong = self.crowd.new_id()
        best: cython.longlong = self.book.touch(-side)
        limit: cython.longlong = best + side * self.dice.below(SWEEP)
        left: cython.longlong = self.exchange.match(order_id, side, self.appetite(best), limit)
        if 15 <= roll < 35:
            self.exchange.imply(1 + self.dice.below(3))
        elif 35 <= roll < 45:
            stop_id: cython.longlong = self.crowd.new_id()
            self.exchange.match(stop_id, side, self.dice.draw(self.trade_lots), limit + side)
        self.exchange.settle()
        if left > 0 and not self.book.thin(-side):
            self.exchange.place(order_id, side, self.crowd.room(side, limit), min(left, 5), 0)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def appetite(self, tick: cython.longlong) -> cython.longlong:
        """Lots an aggressor wants: mostly few, sometimes the whole touch and more."""
        lots: cython.longlong = self.dice.draw(self.trade_lots)
        if self.dice.below(100) < 4:
            lots += self.book.level(tick).lots
        return min(lots, LARGEST)
