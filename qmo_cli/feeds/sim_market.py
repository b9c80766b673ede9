# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated market: everybody who trades, the exchange and the clock together, event by event.

Nowhere is chance drawn twice in one statement: C, unlike Python, leaves open which operand it evaluates first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython

from ..blocks import SIMULATOR
from .sim_agenda import Agenda, Task
from .sim_book import RestingOrder
from .sim_calendar import mean_weight
from .sim_clock import Clock, FairValue
from .sim_crowd import Crowd
from .sim_decoys import Decoys
from .sim_dice import Dice
from .sim_episodes import Episodes
from .sim_exchange import Exchange
from .sim_icebergs import Icebergs
from .sim_makers import Makers
from .sim_synthetics import Synthetics
from .sim_takers import Takers
from .sim_tape import Tape
from .sim_truth import Truth

if TYPE_CHECKING:
    from .sim import SimOptions

BLOCK = cython.declare(cython.Py_ssize_t, 4096)   # records of a block, about
LONGEST = cython.declare(cython.Py_ssize_t, 256)  # no event but a snapshot has more records
CAPACITY = 4096 + 8192                            # records that the tape holds: a block and a snapshot
MIDDLE = cython.declare(cython.longlong, 2048)    # tick where the market begins, at 4000.0
DEEPEST = cython.declare(cython.longlong, 60)     # levels a side has at the beginning
SNAPSHOT = cython.declare(cython.longlong, 32)    # F_SNAPSHOT
ADDS = 500_000                                    # orders that a million events add, about
EQUALS = cython.declare(cython.longlong, 400)     # groups of equal orders that a million events begin
PATIENCE = 800                                    # records between two looks at an iceberg by its owner

# Kinds of orders, as the book has them, and tasks
NATIVE = cython.declare(cython.longlong, 1)
TRANCHE = cython.declare(cython.longlong, 2)
MAKER = cython.declare(cython.longlong, 3)
WITHDRAW, REQUOTE = cython.declare(cython.longlong, 1), cython.declare(cython.longlong, 2)
LOOK, HIT = cython.declare(cython.longlong, 10), cython.declare(cython.longlong, 11)
REFILL, WATCH = cython.declare(cython.longlong, 20), cython.declare(cython.longlong, 21)
EQUAL, ABSORB = cython.declare(cython.longlong, 30), cython.declare(cython.longlong, 40)


@cython.cclass
class Market:
    """A whole market for one instrument, which hands out its records."""

    def __init__(self, options: SimOptions, instrument_id: int, telling: bool) -> None:
        icebergs = 0.0 if options.decoys_only else options.icebergs
        synthetics = 0.0 if options.decoys_only else options.synthetics
        patience = round(PATIENCE * 1e9 / options.rate)
        self.dice = Dice(options.seed)
        self.clock = Clock(self.dice, options.start, options.rate, scale(options))
        self.fair = FairValue(self.dice, MIDDLE)
        self.tape = Tape(instrument_id, SIMULATOR, CAPACITY)
        self.truth = Truth(40_000 - MIDDLE, telling)
        self.exchange = Exchange(self.tape, 40_000 - MIDDLE, self.truth)
        self.agenda = Agenda()
        self.crowd = Crowd(self.dice, self.fair, self.exchange, self.agenda)
        self.makers = Makers(self.dice, self.crowd, self.exchange)
        self.takers = Takers(self.dice, self.crowd, self.exchange, self.truth)
        self.icebergs = Icebergs(self.dice, self.crowd, self.exchange, self.takers, self.truth, patience)
        self.synthetics = Synthetics(self.dice, self.crowd, self.exchange, self.truth, patience)
        self.episodes = Episodes(self.dice, self.fair, self.crowd, self.exchange, self.takers, self.icebergs,
                                 self.truth, icebergs > 0)
        self.decoys = Decoys(self.dice, self.crowd, self.exchange, self.clock, self.truth, options.gaps)
        self.natives = round(icebergs * ADDS)
        self.others = self.natives + round(synthetics * ADDS)
        self.over = False

    def opening(self) -> bytes:
        """The snapshot that a stream begins with: a clear, then all resting orders in the order of their places."""
        self.tape.stamp(self.clock.now, 0)
        self.exchange.clear()
        self.truth.decoy("snapshot", self.clock.now, 0, 0, 0)
        side: cython.longlong
        depth: cython.longlong
        for side in (1, -1):
            for depth in range(DEEPEST):
                for _ in range(2 + self.dice.below(6)):
                    self.tape.ts_event = self.clock.now - 1_000 * self.dice.below(1_800_000_000)  # half an hour at most
                    self.crowd.place(side, MIDDLE - side * depth - (side > 0), SNAPSHOT)
        self.tape.end()
        data: bytes = self.tape.cut()
        return data

    def block(self, room: cython.longlong, until: cython.longlong) -> bytes:
        """The next events: about 4096 records, at most ``room``, before the time ``until``; empty at the end."""
        written: cython.Py_ssize_t = 0
        early: cython.bint
        while self.tape.count < BLOCK and self.tape.count < room and not self.over:
            early = self.clock.advance(self.tape.count - written, self.agenda.due)
            written = self.tape.count
            if self.clock.now >= until:
                self.over = True
            else:
                self.event(room - written, early)
        self.clock.owe(self.tape.count - written)
        data: bytes = self.tape.cut()
        return data

    def close(self) -> None:
        """The stream has ended: tell the truth about what is still there."""
        self.icebergs.tell_open()
        self.synthetics.tell_open()

    def truth_lines(self) -> str:
        """What is known of the truth since the last call."""
        return self.truth.cut()

    @cython.cfunc
    def event(self, room: cython.longlong, early: cython.bint) -> object:
        """Let one thing happen, in at most ``room`` records: what is due, or what chance brings."""
        written: cython.Py_ssize_t = self.tape.count
        self.tape.stamp(self.clock.now, 100_000 + self.dice.below(200_000))
        self.exchange.begin()
        self.decoys.count_down()
        if early and room >= LONGEST:
            task: Task = self.agenda.next()
            self.do(task)
            self.agenda.recycle(task)
        else:
            self.fair.wander()
            self.happen(room)
        self.hear()
        if self.tape.count > written:
            self.tape.end()
        if self.decoys.losing > 0:
            self.tape.lose(written)
        return None

    @cython.cfunc
    def happen(self, room: cython.longlong) -> object:
        """Let chance decide, but keep either side from running dry."""
        if self.exchange.book.thin(1):
            self.crowd.join(1)
        elif self.exchange.book.thin(-1):
            self.crowd.join(-1)
        elif room < LONGEST:
            self.crowd.quote(950)
        elif self.decoys.snapshot_due() and room > len(self.exchange.book.live):
            self.decoys.snapshot()
        elif self.clock.opened:
            self.clock.opened = False
            self.decoys.auction()
        else:
            self.act()
        return None

    @cython.cfunc
    def act(self) -> object:
        """Choose what happens."""
        rare: cython.longlong = self.dice.below(1_000_000)
        self.episodes.quiet -= self.takers.guarded == 0
        if rare < self.natives:
            self.icebergs.plant(self.crowd.lean())
        elif rare < self.others:
            self.synthetics.plant(self.crowd.lean())
        elif rare < self.others + EQUALS:
            self.decoys.equal_orders()
        elif self.episodes.quiet <= 0:
            self.episodes.begin()
        else:
            self.act_as_usual(self.dice.below(1000))
        return None

    @cython.cfunc
    def act_as_usual(self, roll: cython.longlong) -> object:
        """Choose what one of the crowd does."""
        if roll < 86:
            self.takers.trade()
        elif roll < 165:
            self.makers.requote()
        elif roll < 275:
            self.crowd.amend()
        else:
            self.crowd.quote(self.dice.below(1000))
        return None

    @cython.cfunc
    def do(self, task: Task) -> object:
        """Do what is due."""
        if task.what == WITHDRAW:
            self.crowd.leave(task)
        elif task.what == REQUOTE:
            self.makers.again(task)
        elif task.what == LOOK:
            self.icebergs.look(task)
        elif task.what == HIT:
            self.takers.hit(task)
        elif task.what == REFILL:
            self.synthetics.refill(task)
        elif task.what == WATCH:
            self.synthetics.watch(task)
        elif task.what == EQUAL:
            self.decoys.another(task)
        elif task.what == ABSORB:
            self.episodes.absorb()
        else:
            self.episodes.sweep()
        return None

    @cython.cfunc
    def hear(self) -> object:
        """Let the owners know of their fills, and write down that an event had several trades."""
        order: RestingOrder
        for order in self.exchange.owned:
            if order.kind == NATIVE:
                self.icebergs.filled(order)
            elif order.kind == TRANCHE:
                self.synthetics.filled(order)
            elif order.kind == MAKER:
                self.makers.filled(order)
            else:
                self.episodes.filled(order)
            self.exchange.release(order)
        self.exchange.owned.clear()
        if self.exchange.trades > 1:
            self.truth.decoy("several_trades", self.tape.ts_event, 0, 0, self.exchange.trade_tick)
        return None


def scale(options: SimOptions) -> float:
    """By how much an hour of weight 1 exceeds the mean rate of the whole span."""
    if options.records is None:
        return 1 / mean_weight(options.start, options.minutes * 60e9, open_time=False)
    return 1 / mean_weight(options.start, options.records / options.rate * 1e9, open_time=True)
