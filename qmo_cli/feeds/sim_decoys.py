# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What must not pass for an iceberg, as far as nobody else in the simulated market does it anyhow.

Independent orders of equal size on one level; a snapshot; the opening auction; lost records and a doubtful book.
"""

from __future__ import annotations

import cython

from .sim_agenda import Task
from .sim_book import Level, RestingOrder
from .sim_clock import Clock
from .sim_crowd import Crowd
from .sim_dice import EQUALS, Dice
from .sim_exchange import Exchange
from .sim_truth import Truth

EQUAL = cython.declare(cython.longlong, 30)     # a task
ADD = cython.declare(cython.longlong, ord("A"))
FILL = cython.declare(cython.longlong, ord("F"))
SNAPSHOT = cython.declare(cython.longlong, 32)  # F_SNAPSHOT
DOUBT = cython.declare(cython.longlong, 4)      # F_MAYBE_BAD_BOOK
TICK = cython.declare(cython.longlong, 100_000_000)  # 0.10 in 1e-9
NONE = cython.declare(cython.longlong, ord("N"))
DAY = cython.declare(cython.longlong, 86_400_000_000_000)
SATURDAY = cython.declare(cython.longlong, 5)
NEVER = cython.declare(cython.longlong, 2**62)


@cython.cclass
class Decoys:
    """Decoys that are planted; ``gaps`` is their mean number in a million events."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange, clock: Clock, truth: Truth, gaps: float) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.clock = clock
        self.truth = truth
        self.book = exchange.book
        self.tape = exchange.tape
        self.equals = EQUALS
        self.gap_every = round(1_000_000 / gaps) if gaps > 0 else 0
        self.until_gap = self.gap_every // 2 + self.dice.below(self.gap_every) if gaps > 0 else NEVER
        self.losing = 0       # events still to be lost
        self.doubtful = 0     # events until the snapshot that ends the doubt

    @cython.cfunc
    def equal_orders(self) -> object:
        """Several people who know nothing of each other put orders of the same size at one price."""
        side: cython.longlong = self.crowd.lean()
        lots: cython.longlong = self.dice.draw(self.equals)
        count: cython.longlong = 3 + self.dice.below(4)
        tick: cython.longlong = self.book.touch(side)
        self.put(side, tick, lots)
        for turn in range(1, count):
            task: Task = self.crowd.later(turn * (50_000_000 + self.dice.below(850) * 1_000_000), EQUAL, None, None)
            task.side, task.tick, task.lots = side, tick, lots
        return None

    @cython.cfunc
    def another(self, task: Task) -> object:
        """The next one of them, if the price is still on his side of the market."""
        if self.crowd.room(task.side, task.tick) == task.tick:
            self.put(task.side, task.tick, task.lots)
        return None

    @cython.cfunc
    def put(self, side: cython.longlong, tick: cython.longlong, lots: cython.longlong) -> object:
        """One of several equal orders."""
        order: RestingOrder = self.exchange.place(self.crowd.new_id(), side, tick, lots, 0)
        self.truth.decoy("equal_orders", self.tape.ts_event, order.order_id, side, tick)
        return None

    # ---- snapshots, and lost records

    @cython.cfunc
    @cython.exceptval(check=False)
    def snapshot_due(self) -> cython.bint:
        """Whether it is time for a snapshot: 00:00 UTC from Monday to Friday, or the end of a doubt."""
        if self.clock.now >= self.clock.midnight:
            day: cython.longlong = self.clock.midnight // DAY
            self.clock.midnight = (self.clock.now // DAY + 1) * DAY
            return (day + 3) % 7 < SATURDAY  # the first of January 1970 was a Thursday
        return self.doubtful == 1

    @cython.cfunc
    def snapshot(self) -> object:
        """All resting orders, each with the time at which it took its place, in the order of their places."""
        now: cython.longlong = self.tape.ts_event
        self.losing = 0
        self.doubtful = 0
        self.tape.flags = 0
        self.truth.blind = self.truth.lost = False
        self.exchange.clear()
        self.truth.decoy("snapshot", now, 0, 0, 0)
        side: cython.longlong
        for side in (1, -1):
            tick: cython.longlong = self.book.touch(side)
            left: cython.longlong = self.book.resting(side)
            while left > 0:
                left -= self.repeat(self.book.level(tick))
                tick = self.book.next_price(tick, -side)
        self.tape.ts_event = now
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def repeat(self, level: Level) -> cython.longlong:
        """Tell one level again; gives the number of its orders."""
        order: RestingOrder | None = level.first
        while order is not None:
            self.tape.ts_event = order.since
            self.exchange.report(ADD, order, order.shown, SNAPSHOT)
            order = order.behind
        return level.orders

    @cython.cfunc
    def count_down(self) -> object:
        """One more event has passed: begin to lose records when it is time, or find that some were lost."""
        self.until_gap -= 1
        if self.until_gap == 0:
            self.until_gap = self.gap_every // 2 + self.dice.below(self.gap_every)
            self.losing = 20 + self.dice.below(300)
            self.truth.blind = self.truth.lost = True
        elif self.losing > 0:
            self.losing -= 1
            if self.losing == 0:
                self.find_gap()
        elif self.doubtful > 1:
            self.doubtful -= 1
        return None

    @cython.cfunc
    def find_gap(self) -> object:
        """The sequence has jumped: all records are doubtful until the next snapshot."""
        self.truth.lost = False
        self.doubtful = 50 + self.dice.below(400)
        self.tape.flags = DOUBT
        self.truth.decoy("gap", self.tape.ts_event, 0, 0, 0)
        return None

    # ---- the opening

    @cython.cfunc
    def auction(self) -> object:
        """The market opens: orders that nobody ever saw trade with each other and with some that rested.

        One T and all its F's without a side, buyers and sellers alike; then C of those that rested.
        """
        side: cython.longlong = self.crowd.lean()
        tick: cython.longlong = self.book.touch(side)
        resting: cython.longlong = 0
        trade: cython.Py_ssize_t = self.exchange.print_trade(0, 0, tick, 0)
        while resting < 20 and not self.book.thin(side):
            order: RestingOrder = cython.cast(RestingOrder, self.book.level(tick).first)
            if order is None or not self.crowd.free(order):
                break
            resting += order.shown
            self.fill_unseen(tick, order.order_id, order.shown)
            self.exchange.fill(order, order.shown)
        unseen: cython.longlong = 5 + self.dice.below(30)
        self.fill_unseen(tick, self.crowd.new_id(), unseen)
        self.fill_unseen(tick, self.crowd.new_id(), unseen + resting)
        self.tape.enlarge(trade, unseen + resting)
        self.truth.decoy("auction", self.tape.ts_event, 0, 0, tick)
        self.exchange.settle()
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def fill_unseen(self, tick: cython.longlong, order_id: cython.longlong, lots: cython.longlong) -> cython.void:
        """A fill in an auction, which has no side."""
        self.tape.write(FILL, NONE, order_id, (self.exchange.lowest + tick) * TICK, lots, 0)
