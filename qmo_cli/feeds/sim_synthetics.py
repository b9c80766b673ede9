# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated owners of synthetic icebergs: their software sends the next tranche once the last one is filled."""

from __future__ import annotations

from typing import Any

import cython

from .sim_agenda import Task
from .sim_book import RestingOrder
from .sim_crowd import Crowd
from .sim_dice import CLIPS, REFILLS, TRANCHES, Dice
from .sim_exchange import Exchange
from .sim_truth import Truth, letter, time_text

TRANCHE = cython.declare(cython.longlong, 2)     # a kind of order, as the book has it
REFILL = cython.declare(cython.longlong, 20)     # tasks: send the next tranche
WATCH = cython.declare(cython.longlong, 21)      # see to the one that rests
LARGEST = cython.declare(cython.longlong, 600)   # lots
TRIES = cython.declare(cython.longlong, 200)     # times that one waits for the market to make room again
FIXED, JITTERED, PEGGED = (
    cython.declare(cython.longlong, 0), cython.declare(cython.longlong, 1), cython.declare(cython.longlong, 2),
)
PATTERNS = ("fixed_clip", "jittered", "pegged")


@cython.cclass
class Synthetic:
    """One synthetic iceberg, as only its owner knows it. Times in ns."""

    def __init__(self) -> None:
        self.order: RestingOrder | None = None  # its tranche that rests
        self.side = 0
        self.tick = 0
        self.start = 0
        self.pattern = FIXED
        self.clip = 0
        self.total = 0
        self.filled = 0
        self.sent = 0
        self.heart = 0    # lots filled after which its owner gives up, 0: he does not
        self.tries = 0
        self.tranches: list[list[int]] = []  # order id, time of its A, tick, size, time it was filled or 0


@cython.cclass
class Synthetics:
    """All synthetic icebergs that are at work."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange, truth: Truth, patience: int) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.truth = truth
        self.book = exchange.book
        self.clips, self.multiples, self.refills = CLIPS, TRANCHES, REFILLS
        self.patience = patience   # ns between two looks at a tranche
        self.live: dict[int, Synthetic] = {}

    @cython.cfunc
    def plant(self, side: cython.longlong) -> object:
        """A new synthetic iceberg: its first tranche at the touch."""
        plan: Synthetic = Synthetic()
        plan.side, plan.tick, plan.start = side, self.book.touch(side), self.exchange.tape.ts_event
        plan.pattern = self.dice.below(3)
        plan.clip = self.dice.draw(self.clips)
        clips: cython.longlong = self.dice.draw(self.multiples)
        plan.total = min(LARGEST, plan.clip * clips + self.dice.below(plan.clip))
        if self.dice.below(100) < 25:
            plan.heart = 1 + self.dice.below(plan.total)
        self.send(plan)
        self.live[plan.tranches[0][0]] = plan
        return None

    @cython.cfunc
    def send(self, plan: Synthetic) -> object:
        """Send the next tranche under a new order id."""
        size: cython.longlong = min(self.clip(plan), plan.total - plan.sent)
        order_id: cython.longlong = self.crowd.new_id()
        order: RestingOrder = self.exchange.place(order_id, plan.side, plan.tick, size, 0)
        order.kind = TRANCHE
        order.plan = plan
        plan.order = order
        plan.sent += size
        plan.tries = 0
        plan.tranches.append([order_id, self.exchange.tape.ts_event, plan.tick, size, 0])
        self.crowd.later(self.patience + self.dice.below(1024) * (self.patience >> 10), WATCH, order, plan)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def clip(self, plan: Synthetic) -> cython.longlong:
        """Lots of the next tranche: the clip, or up to a third more or less."""
        third: cython.longlong = (plan.clip + 2) // 3
        if plan.pattern != JITTERED:
            return plan.clip
        return max(1, plan.clip - third + self.dice.below(2 * third + 1))

    @cython.cfunc
    def filled(self, order: RestingOrder) -> object:
        """What the present event did to a tranche: the next one follows shortly after the last fill."""
        plan: Synthetic = order.plan
        plan.filled += order.taken
        if order.place >= 0:
            return None
        plan.tranches[len(plan.tranches) - 1][4] = self.exchange.tape.ts_event
        plan.order = None
        if plan.filled == plan.total:
            self.end(plan, "executed")
        elif plan.heart > 0 and plan.filled >= plan.heart:
            self.end(plan, "cancelled")
        else:
            self.crowd.later(self.dice.draw(self.refills), REFILL, None, plan)
        return None

    @cython.cfunc
    def refill(self, task: Task) -> object:
        """Send the next tranche where the pattern wants it; wait, and in the end give up, if that would trade."""
        plan: Synthetic = task.plan
        if plan.pattern == PEGGED:
            plan.tick = self.book.touch(plan.side)
        if self.crowd.room(plan.side, plan.tick) == plan.tick:
            self.send(plan)
        elif plan.tries < TRIES:
            plan.tries += 1
            self.crowd.later(self.patience >> 5, REFILL, None, plan)
        else:
            self.end(plan, "cancelled")
        return None

    @cython.cfunc
    def watch(self, task: Task) -> object:
        """The owner sees to a tranche that still rests: he may give up, the sooner the further price has gone."""
        order: RestingOrder = cython.cast(RestingOrder, task.order)
        if not task.stands():
            return None
        plan: Synthetic = task.plan
        away: cython.longlong = (self.book.touch(order.side) - order.tick) * order.side
        if self.dice.below(100) < (8 if away > 6 else 0) and not self.book.thin(order.side):
            self.end(plan, "cancelled")
            self.exchange.cancel(order)
        else:
            self.crowd.later(self.patience, WATCH, order, plan)
        return None

    @cython.cfunc
    def end(self, plan: Synthetic, outcome: str) -> object:
        """Forget one that has ended, and write down what was true of it."""
        del self.live[plan.tranches[0][0]]
        self.tell(plan, outcome, self.exchange.tape.ts_event)
        return None

    def tell(self, plan: Synthetic, outcome: str, end: int) -> None:
        """Write down what is true of a synthetic iceberg; ``end`` 0: it is still at work."""
        self.truth.write("synthetic", {
            "id": str(plan.tranches[0][0]), "side": letter(plan.side), "price": self.truth.price(plan.tranches[0][2]),
            "start": str(plan.start), "end": time_text(end), "outcome": outcome, "pattern": PATTERNS[plan.pattern],
            "clip": plan.clip, "total": plan.total, "filled": plan.filled,
            "tranches": [self.tranche(piece) for piece in plan.tranches]})

    def tranche(self, piece: list[int]) -> dict[str, Any]:
        """One tranche as it stands in the file."""
        order_id, ts_event, tick, size, filled = piece
        return {"order_id": str(order_id), "ts_event": str(ts_event), "price": self.truth.price(tick), "size": size,
                "filled_ts": time_text(filled)}

    def tell_open(self) -> None:
        """Write down those that are at work when the stream ends."""
        for plan in self.live.values():
            self.tell(plan, "open", 0)
