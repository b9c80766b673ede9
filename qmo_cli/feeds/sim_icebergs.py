# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulated owners of native icebergs: they plant them, reprice them, lose heart; and what was true of each."""

from __future__ import annotations

import cython

from .sim_agenda import Task
from .sim_book import RestingOrder
from .sim_crowd import Crowd
from .sim_dice import MULTIPLES, PEAKS, Dice
from .sim_exchange import Exchange
from .sim_takers import Takers
from .sim_truth import Truth, letter, time_text

LOOK = cython.declare(cython.longlong, 10)      # tasks: see to an iceberg
HIT = cython.declare(cython.longlong, 11)       # somebody takes all of it at once
SECOND = cython.declare(cython.longlong, 1_000_000_000)
LARGEST = cython.declare(cython.longlong, 650)  # lots


@cython.cclass
class Native:
    """One native iceberg, as only its owner and the exchange know it. Times in ns, 0: never."""

    def __init__(self) -> None:
        self.order: RestingOrder | None = None
        self.order_id = 0
        self.side = 0
        self.tick = 0              # where it was planted
        self.start = 0
        self.peak = 0
        self.total = 0
        self.first = 0             # its first display
        self.filled = 0
        self.refreshes = 0         # events in which the stream shows a new peak
        self.evidence = 0          # of the first event that proves hidden size
        self.removal = False       # whether that proof is its removal
        self.repriced = 0
        self.heart = 0             # lots filled after which its owner gives up, 0: he does not
        self.follows = False       # whether he reprices it when price leaves


@cython.cclass
class Icebergs:
    """All native icebergs that rest now."""

    def __init__(self, dice: Dice, crowd: Crowd, exchange: Exchange, takers: Takers, truth: Truth,
                 patience: int) -> None:
        self.dice = dice
        self.crowd = crowd
        self.exchange = exchange
        self.takers = takers
        self.truth = truth
        self.book = exchange.book
        self.peaks, self.multiples = PEAKS, MULTIPLES
        self.patience = patience   # ns between two looks at an iceberg
        self.live: dict[int, Native] = {}

    @cython.cfunc
    def plant(self, side: cython.longlong) -> object:
        """A new iceberg at the touch; the first peak of a few is cut, the last one of most."""
        peak: cython.longlong = self.dice.draw(self.peaks)
        shown: cython.longlong = peak
        if self.dice.below(12) == 0:
            shown = 1 + self.dice.below(peak)
        total: cython.longlong = shown + peak * (self.dice.draw(self.multiples) - 1)
        total = min(total, LARGEST) + self.dice.below(peak)
        plan: Native = self.place(side, self.book.touch(side), shown, peak, total)
        if self.dice.below(100) < 48:
            plan.heart = 1 + self.dice.below(plan.total)
        plan.follows = self.dice.below(100) < 30
        if total <= 30 and self.dice.below(100) < 12:
            self.crowd.later(10_000_000 + self.dice.below(500) * 1_000_000, HIT, plan.order, plan)
        self.crowd.later(self.patience + self.dice.below(1024) * (self.patience >> 10), LOOK, plan.order, plan)
        return None

    @cython.cfunc
    def place(self, side: cython.longlong, tick: cython.longlong, shown: cython.longlong, peak: cython.longlong,
              total: cython.longlong) -> Native:
        """A new iceberg whose owner does nothing but wait."""
        plan: Native = Native()
        plan.order_id = self.crowd.new_id()
        plan.order = self.exchange.place_iceberg(plan.order_id, side, tick, shown, peak, total)
        plan.order.plan = plan
        plan.side, plan.tick, plan.start = side, tick, self.exchange.tape.ts_event
        plan.peak, plan.total, plan.first = peak, total, shown
        self.live[plan.order_id] = plan
        return plan

    @cython.cfunc
    def filled(self, order: RestingOrder) -> object:
        """What the present event did to an iceberg: note evidence, end it, or let its owner lose heart."""
        plan: Native = order.plan
        plan.filled += order.taken
        left: cython.longlong = order.shown if order.place >= 0 else 0
        refreshed: cython.bint = order.place >= 0 and left > order.before - order.taken
        removed: cython.bint = order.place < 0 and order.taken > order.before
        if not self.truth.blind:
            plan.refreshes += refreshed
            if (refreshed or removed) and plan.evidence == 0:
                plan.evidence = self.exchange.tape.ts_event
                plan.removal = removed
        if order.place < 0:
            self.executed(plan, order)
        elif plan.heart > 0 and plan.filled >= plan.heart:
            plan.heart = 0
            self.crowd.later(50_000_000 + self.dice.below(1024) * 3_000_000, LOOK, order, plan).lots = 1
        return None

    @cython.cfunc
    def executed(self, plan: Native, order: RestingOrder) -> object:
        """All of it is filled."""
        if order.taken == plan.total and plan.total > plan.first:
            self.truth.decoy("single_hit", self.exchange.tape.ts_event, plan.order_id, plan.side, order.tick)
        self.end(plan, "executed")
        return None

    @cython.cfunc
    def look(self, task: Task) -> object:
        """The owner sees to his iceberg, and will again: cancel it, let it follow price, or let it stand."""
        order: RestingOrder = cython.cast(RestingOrder, task.order)
        if not task.stands():
            return None
        plan: Native = task.plan
        away: cython.longlong = (self.book.touch(order.side) - order.tick) * order.side
        if (task.lots > 0 or self.gives_up(away)) and not self.book.thin(order.side):
            self.end(plan, "cancelled")
            self.exchange.cancel(order)
            return None
        if away > 2 and plan.follows:
            self.follow(plan, order)
        if task.lots == 0:
            self.crowd.later(self.patience, LOOK, order, plan)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def gives_up(self, away: cython.longlong) -> cython.bint:
        """Whether an owner cancels, whose iceberg is so many ticks behind the touch."""
        return self.dice.below(100) < (15 if away > 8 else 1)

    @cython.cfunc
    def follow(self, plan: Native, order: RestingOrder) -> object:
        """Reprice an iceberg to the touch; it keeps its id and what it shows."""
        plan.repriced += 1
        self.exchange.amend(order, self.book.touch(order.side), order.shown)
        self.truth.decoy("reprice", self.exchange.tape.ts_event, plan.order_id, plan.side, order.tick)
        return None

    @cython.cfunc
    def end(self, plan: Native, outcome: str) -> object:
        """Forget an iceberg that is gone, and write down what was true of it."""
        del self.live[plan.order_id]
        self.tell(plan, outcome, self.exchange.tape.ts_event)
        return None

    def tell(self, plan: Native, outcome: str, end: int) -> None:
        """Write down what is true of an iceberg; ``end`` 0: it still rests."""
        evidence = ("removal" if plan.removal else "refresh") if plan.evidence else None
        self.truth.write("native", {
            "id": str(plan.order_id), "side": letter(plan.side), "price": self.truth.price(plan.tick),
            "start": str(plan.start), "end": time_text(end), "outcome": outcome, "peak": plan.peak,
            "total": plan.total, "filled": plan.filled,
            "hidden_traded": max(0, plan.filled - plan.first), "refreshes": plan.refreshes,
            "first_evidence": time_text(plan.evidence), "evidence": evidence, "repriced": plan.repriced})

    def tell_open(self) -> None:
        """Write down those that rest when the stream ends."""
        for plan in self.live.values():
            self.tell(plan, "open", 0)
