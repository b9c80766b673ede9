# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What makes a simulated hour worth watching: absorption, sweeps and stop cascades, one at a time."""

from __future__ import annotations

import cython

from .sim_book import Level, RestingOrder
from .sim_clock import FairValue
from .sim_crowd import Crowd
from .sim_dice import Dice
from .sim_exchange import Exchange
from .sim_icebergs import Icebergs
from .sim_takers import Takers
from .sim_truth import Truth, letter, time_text

ABSORB = cython.declare(cython.longlong, 40)     # tasks: the next step of an absorption
GO_ON = cython.declare(cython.longlong, 41)      # the next aggressor of a sweep
CROWD = cython.declare(cython.longlong, 0)       # kinds of orders, as the book has them
WALL = cython.declare(cython.longlong, 4)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
LONGEST = cython.declare(cython.longlong, 26_000)  # ms of an absorption
SOLID = cython.declare(cython.longlong, 45)      # lots that an absorbing price shows at least
ROOM = cython.declare(cython.longlong, 90)       # orders that one aggressor of an episode fills at most
MOST = cython.declare(cython.longlong, 6)        # aggressors of a sweep
LEAST = cython.declare(cython.longlong, 3)       # prices that make a sweep
BITS = cython.declare(cython.longlong, 60)
FINE = cython.declare(cython.longlong, 1024)     # parts of a tick in which fair value is kept


@cython.cclass
class Episodes:
    """The episode that goes on, if any, and the events until the next one."""

    def __init__(self, dice: Dice, fair: FairValue, crowd: Crowd, exchange: Exchange, takers: Takers,
                 icebergs: Icebergs, truth: Truth, hidden: bool) -> None:
        self.dice, self.fair, self.crowd = dice, fair, crowd
        self.exchange, self.takers, self.icebergs, self.truth = exchange, takers, icebergs, truth
        self.book = exchange.book
        self.hidden = hidden       # whether an iceberg may be what absorbs
        self.quiet = 3_000         # events until the next episode
        self.side = 0              # of the absorbing interest, or of the sweeping aggressors
        self.tick = 0
        self.start = 0
        self.traded = 0            # lots that had traded at the price before
        self.wanted = 0            # lots to be absorbed, or prices still to be swept
        self.wall: list[RestingOrder] = []
        self.levels = 0            # distinct prices swept
        self.swept = 0             # the same as bits, the lowest for where the sweep began
        self.to = 0                # ticks from there to the furthest of them
        self.size = self.aggressors = 0

    @cython.cfunc
    def begin(self) -> object:
        """Let an episode begin: it is the next event."""
        self.quiet = 6_000 + self.dice.below(8_000)
        roll: cython.longlong = self.dice.below(100)
        self.side = self.crowd.lean()
        self.start = self.exchange.tape.ts_event
        if roll < 40:
            self.begin_absorption()
        elif roll < 75:
            self.wanted = 3 + self.dice.below(3)
            self.levels = self.size = self.aggressors = self.swept = self.to = 0
            self.sweep()
        else:
            self.cascade()
        return None

    # ---- absorption

    @cython.cfunc
    def begin_absorption(self) -> object:
        """A large interest comes to rest at the touch; in one case of four an iceberg is part of it."""
        side: cython.longlong = self.side
        self.tick = self.book.touch(side)
        self.traded = self.book.level(self.tick).traded
        self.wanted = 180 + self.dice.below(420)
        self.takers.guarded, self.takers.guard = side, self.tick
        self.fair.pinned = (self.tick * FINE) + side * (FINE >> 1)
        if self.hidden and self.dice.below(4) == 0:
            peak: cython.longlong = 10 + self.dice.below(21)
            self.icebergs.place(side, self.tick, peak, peak, peak * (3 + self.dice.below(9)))
        else:
            self.support()
        self.crowd.later((100 + self.dice.below(400)) * MILLISECOND, ABSORB, None, None)
        return None

    @cython.cfunc
    def absorb(self) -> object:
        """The next step: somebody joins the price where little is left, or an aggressor runs into it."""
        level: Level = self.book.level(self.tick)
        passed: cython.longlong = self.exchange.tape.ts_event - self.start
        if level.traded - self.traded >= self.wanted or passed > LONGEST * MILLISECOND:
            self.end_absorption()
            return None
        if self.crowd.room(self.side, self.tick) != self.tick:  # the other side came to the price: wait
            self.crowd.later(20 * MILLISECOND, ABSORB, None, None)
            return None
        if level.lots < SOLID:
            self.support()
        else:
            lots: cython.longlong = 2 + self.dice.below(14)
            self.exchange.match(self.crowd.new_id(), -self.side, lots, self.tick)
            self.exchange.settle()
        self.crowd.later((15 + self.dice.below(240)) * MILLISECOND, ABSORB, None, None)
        return None

    @cython.cfunc
    def support(self) -> object:
        """One more of many joins the price that holds."""
        lots: cython.longlong = 8 + self.dice.below(23)
        order: RestingOrder = self.exchange.place(self.crowd.new_id(), self.side, self.tick, lots, 0)
        order.kind = WALL
        self.wall.append(order)
        return None

    @cython.cfunc
    def end_absorption(self) -> object:
        """The interest holds, and price turns; or, one time in four, it is gone, and price breaks through."""
        held: cython.bint = self.dice.below(4) > 0
        volume: cython.longlong = self.book.level(self.tick).traded - self.traded
        self.takers.guarded = 0
        self.fair.pinned = 0
        self.fair.turn(self.side if held else -self.side)
        order: RestingOrder
        for order in self.wall:
            order.kind = CROWD
            if not held and order.place >= 0 and not self.book.thin(self.side):
                self.exchange.cancel(order)
        self.wall.clear()
        self.tell_absorption(volume, bool(held))
        return None

    @cython.cfunc
    def filled(self, order: RestingOrder) -> object:
        """A part of the wall was filled: forget it when it is gone."""
        if order.place < 0:
            self.wall.remove(order)
        return None

    # ---- sweeps and stops

    @cython.cfunc
    def sweep(self) -> object:
        """One aggressor goes through the next prices; another one goes on within milliseconds if more are wanted."""
        side: cython.longlong = self.side
        if self.aggressors == 0:
            self.tick = self.book.touch(-side)
        limit: cython.longlong = self.reach(side)
        marks: cython.longlong = self.marks(side, limit)
        self.exchange.match(self.crowd.new_id(), side, self.wanted_lots(side, limit), limit)
        self.exchange.settle()
        self.count(marks, (self.exchange.trade_tick - self.tick) * side)
        self.size += self.exchange.traded
        self.aggressors += 1
        if self.levels < self.wanted and self.aggressors < MOST:
            self.crowd.later((1 + self.dice.below(7)) * MILLISECOND, GO_ON, None, None)
        elif self.levels >= LEAST:
            self.tell_sweep()
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def marks(self, side: cython.longlong, limit: cython.longlong) -> cython.longlong:
        """One bit for every price with orders from the touch to a limit, the lowest for where the sweep began."""
        marks: cython.longlong = 0
        tick: cython.longlong = self.book.touch(-side)
        while (limit - tick) * side >= 0:
            step: cython.longlong = (tick - self.tick) * side
            if 0 <= step < BITS and self.book.level(tick).lots > 0:
                marks |= cython.cast(cython.longlong, 1) << step
            tick += side
        return marks

    @cython.cfunc
    @cython.exceptval(check=False)
    def count(self, marks: cython.longlong, last: cython.longlong) -> cython.void:
        """Add the prices up to the one that traded last to those swept before."""
        step: cython.longlong
        one: cython.longlong = 1
        for step in range(min(last + 1, BITS)):
            if marks & ~self.swept & one << step:
                self.swept |= one << step
                self.levels += 1
                self.to = max(self.to, step)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def reach(self, side: cython.longlong) -> cython.longlong:
        """The last price that one aggressor goes for: of those wanted, if they have not too many orders."""
        tick: cython.longlong = self.book.touch(-side)
        orders: cython.longlong = self.book.level(tick).orders
        count: cython.longlong = 1
        most: cython.longlong = 1 + self.dice.below(6)
        while count < min(self.wanted - self.levels, most):
            behind: cython.longlong = self.book.next_price(tick, side)
            orders += self.book.level(behind).orders
            if orders > ROOM:
                break
            tick = behind
            count += 1
        return tick

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def wanted_lots(self, side: cython.longlong, limit: cython.longlong) -> cython.longlong:
        """All that the book shows from the touch to a price, and a little more."""
        tick: cython.longlong = self.book.touch(-side)
        lots: cython.longlong = 3
        while (limit - tick) * side >= 0:
            lots += self.book.level(tick).lots
            tick += side
        return min(lots, 4 * ROOM)

    @cython.cfunc
    def cascade(self) -> object:
        """An aggressor takes the touch and sets off a row of stops, all in one event."""
        side: cython.longlong = self.side
        tick: cython.longlong = self.book.touch(-side)
        self.exchange.match(self.crowd.new_id(), side, min(self.book.level(tick).lots, 60), tick)
        self.takers.set_off(side, self.takers.limit(side, 1), 1 + self.dice.below(5))
        self.exchange.settle()
        return None

    # ---- the truth

    def tell_absorption(self, volume: int, held: bool) -> None:
        """Write down what was absorbed, and whether the price held."""
        self.truth.write("absorption", {
            "side": letter(self.side), "price": self.truth.price(self.tick), "start": str(self.start),
            "end": time_text(self.exchange.tape.ts_event), "volume": volume, "held": held})

    def tell_sweep(self) -> None:
        """Write down what was swept, from the first price that traded to the furthest."""
        self.truth.write("sweep", {
            "side": letter(self.side), "start": str(self.start), "end": str(self.exchange.tape.ts_event),
            "from": self.truth.price(self.tick), "to": self.truth.price(self.tick + self.side * self.to),
            "levels": self.levels, "size": self.size,
            "aggressors": self.aggressors})
