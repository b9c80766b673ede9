# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated market: crowd, takers, exchange and clock together, event by event.

Nowhere is chance drawn twice in one statement: C, unlike Python, leaves open which operand it evaluates first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython

from ..blocks import SIMULATOR
from .sim_clock import Clock, FairValue
from .sim_crowd import Crowd
from .sim_dice import Dice
from .sim_exchange import Exchange
from .sim_takers import Takers
from .sim_tape import Tape

if TYPE_CHECKING:
    from .sim import SimOptions

BLOCK = cython.declare(cython.Py_ssize_t, 4096)   # records of a block, about
LONGEST = cython.declare(cython.Py_ssize_t, 256)  # no event but the snapshot has more records
MIDDLE = cython.declare(cython.longlong, 2048)    # tick where the market begins, at 4000.0
DEEPEST = cython.declare(cython.longlong, 60)     # levels a side has at the beginning
SNAPSHOT = cython.declare(cython.longlong, 32)    # F_SNAPSHOT


@cython.cclass
class Market:
    """A whole market for one instrument, which hands out its records."""

    def __init__(self, options: SimOptions, instrument_id: int) -> None:
        self.dice = Dice(options.seed)
        self.clock = Clock(self.dice, options.start, options.rate)
        self.fair = FairValue(self.dice, MIDDLE)
        self.tape = Tape(instrument_id, SIMULATOR, 4096 + 2048)
        self.exchange = Exchange(self.tape, 40_000 - MIDDLE)
        self.crowd = Crowd(self.dice, self.fair, self.exchange, options.icebergs)
        self.takers = Takers(self.dice, self.crowd, self.exchange)
        self.over = False

    def opening(self) -> bytes:
        """The snapshot that a stream begins with: a clear, then all resting orders in the order of their places."""
        self.tape.stamp(self.clock.now, 0)
        self.exchange.clear()
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
        while self.tape.count < BLOCK and self.tape.count < room and not self.over:
            self.clock.advance(self.tape.count - written)
            written = self.tape.count
            if self.clock.now >= until:
                self.over = True
            else:
                self.event(room - written)
        self.clock.owe(self.tape.count - written)
        data: bytes = self.tape.cut()
        return data

    @cython.cfunc
    def event(self, room: cython.longlong) -> object:
        """Let one thing happen, in at most ``room`` records."""
        self.tape.stamp(self.clock.now, 100_000 + self.dice.below(200_000))
        self.fair.wander()
        if self.exchange.book.thin(1):
            self.crowd.join(1)
        elif self.exchange.book.thin(-1):
            self.crowd.join(-1)
        elif room < LONGEST:
            self.crowd.quote(950)
        else:
            self.act(self.dice.below(1000))
        self.tape.end()
        return None

    @cython.cfunc
    def act(self, roll: cython.longlong) -> object:
        """Choose what happens."""
        if roll < 65:
            self.takers.trade()
        elif roll < 170:
            self.crowd.requote()
        elif roll < 260:
            self.crowd.amend()
        else:
            self.crowd.quote(self.dice.below(1000))
        return None
