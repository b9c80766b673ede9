"""A small exchange that matches orders, icebergs among them, and writes the events of it.

It is driven by a string of bytes, so that Hypothesis can shrink what fails: fewer bytes, fewer events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .dice import Dice
from .scripts import Part, Script, added, cancelled, cleared, filled, modified, nothing, traded
from .support import bbo, mbo, mbp1, ohlcv, trade

TICK = 0.1
MIDDLE = 20_000        # ticks: 2000.0
OTHER = {"B": "A", "A": "B"}
MAYBE_BAD_BOOK = 4


@dataclass(slots=True)
class Resting:
    """An order in the exchange's book, with what it hides."""

    order_id: int
    side: str
    ticks: int
    shown: int
    hidden: int = 0
    peak: int = 0
    start: int = 0  # shown at the start of the event that fills it


def price(ticks: int) -> float:
    """The price of a number of ticks."""
    return round(ticks * TICK, 1)


@dataclass(slots=True)
class Exchange:
    """One instrument's matching engine: it writes the events that its orders cause into the script."""

    dice: Dice
    script: Script
    instrument: int
    publisher: int = 1
    book: dict[int, Resting] = field(default_factory=dict)  # in order of arrival: price-time priority
    next_id: int = 1
    middle: int = MIDDLE

    def emit(self, *parts: Part, last: bool = True) -> None:
        flags = 0 if not self.dice.chance(2) else MAYBE_BAD_BOOK
        late = 900_000_000 if self.dice.chance(3) else 0
        spread = (1, 7_000_000, 300_000_000)[self.dice.below(3)] if len(parts) > 1 and self.dice.chance(30) else 0
        self.script.event(*parts, flags=flags, last=last, instrument=self.instrument, late=late, spread=spread)

    def fresh(self) -> int:
        self.next_id += 1
        return self.instrument * 1_000_000 + self.next_id

    def pick(self, test: Callable[[Resting], bool] = lambda _: True) -> Resting | None:
        orders = [order for order in self.book.values() if test(order)]
        return orders[self.dice.below(len(orders))] if orders else None

    def best(self, side: str) -> int | None:
        prices = [order.ticks for order in self.book.values() if order.side == side]
        return (max if side == "B" else min)(prices, default=None)

    def free_price(self, side: str) -> int:
        """A price that does not cross, near the touch or the middle."""
        offset, against = self.dice.below(8), self.best(OTHER[side])
        if side == "B":
            return min(self.middle + 2 - offset, against - 1 if against else self.middle + 2)
        return max(self.middle - 1 + offset, against + 1 if against else self.middle - 1)

    def add(self) -> None:
        side, shown = "BA"[self.dice.below(2)], 1 + self.dice.below(6)
        order = Resting(self.fresh(), side, self.free_price(side), shown)
        if self.dice.chance(90):
            order.peak = shown + self.dice.below(2) * self.dice.below(3)
            order.hidden = order.peak * self.dice.below(5) + self.dice.below(4)
        again = self.pick() if self.dice.chance(3) else None
        if again:  # an id that is known already
            order.order_id = again.order_id
        self.book[order.order_id] = order
        self.emit(added(order.order_id, side, price(order.ticks), shown))

    def cancel(self) -> None:
        order = self.pick()
        if order:
            size = order.shown if not self.dice.chance(50) else 1 + self.dice.below(order.shown)
            order.shown -= size
            if not order.shown:
                del self.book[order.order_id]
            self.emit(cancelled(order.order_id, order.side, price(order.ticks), size))

    def modify(self) -> None:
        order = self.pick()
        if order:
            order.shown = 1 + self.dice.below(7)
            if self.dice.chance(120):
                order.ticks = self.free_price(order.side)
            self.emit(modified(order.order_id, order.side, price(order.ticks), order.shown))

    def unknown(self) -> None:
        side, ticks = "BA"[self.dice.below(2)], self.middle + self.dice.below(5) - 2
        order_id, size = 900_000 + self.fresh(), 1 + self.dice.below(4)
        kind = self.dice.below(3)
        if kind == 0:
            self.emit(cancelled(order_id, side, price(ticks), size))
        elif kind == 1:
            self.emit(modified(order_id, side, price(ticks), size))
            self.book[order_id] = Resting(order_id, side, ticks, size)
        else:
            self.emit(
                traded(OTHER[side], price(ticks), size + 1, self.fresh()),
                filled(order_id, side, price(ticks), size + 1),
                cancelled(order_id, side, price(ticks), size))

    def trade(self) -> None:
        """One aggressor, and now and then a stop that it triggers, against the other side's queue."""
        side = "BA"[self.dice.below(2)]
        head: list[Part] = []
        changes: dict[int, Part] = {}
        crosser = self.pick(lambda order: order.side == side) if self.dice.chance(25) else None
        self.strike(side, self.fresh() if crosser is None else crosser.order_id, head, changes)
        if crosser and head:
            self.cross(crosser, head, changes)
        if self.dice.chance(40):
            self.strike(side, self.fresh(), head, changes)
        if head:
            tail = [nothing()] if self.dice.chance(20) else []
            if self.dice.chance(20):
                tail.append(self.follow(head[1] if len(head) > 1 else head[0]))
            order = list(changes.values()) if not self.dice.chance(30) else list(changes.values())[::-1]
            self.publish([self.elsewhere(part) for part in head], [*order, *tail])

    def publish(self, head: list[Part], tail: list[Part]) -> None:
        """The event; now and then its end is lost, or the F_LAST alone."""
        lost = self.dice.chance(3)
        self.emit(*head, *([] if lost else tail), last=not lost and not self.dice.chance(4))

    def elsewhere(self, part: Part) -> Part:
        """A fill now and then away from where its order rests."""
        if part.action != "F" or part.price is None or not self.dice.chance(3):
            return part
        return replace(part, price=round(part.price + TICK, 1))

    def cross(self, crosser: Resting, head: list[Part], changes: dict[int, Part]) -> None:
        """A resting order moved to cross is an aggressor with a fill of its own; a part of it may stay."""
        taken = sum(part.size for part in head if part.action == "F")
        side, at = crosser.side, head[0].price or 0.0
        head.insert(1, filled(crosser.order_id, side, at, taken))
        if self.dice.chance(128):
            crosser.ticks, crosser.shown = round(at / TICK), 1 + self.dice.below(5)
            changes[crosser.order_id] = modified(crosser.order_id, side, at, crosser.shown)
        else:
            del self.book[crosser.order_id]
            changes[crosser.order_id] = cancelled(crosser.order_id, side, price(crosser.ticks), crosser.shown)

    def follow(self, part: Part) -> Part:
        """An order added in the event itself, where another was filled."""
        order = Resting(self.fresh(), part.side, round((part.price or 0) / TICK), 1 + self.dice.below(4))
        self.book[order.order_id] = order
        return added(order.order_id, order.side, price(order.ticks), order.shown)

    def strike(self, side: str, aggressor: int, head: list[Part], changes: dict[int, Part]) -> None:
        """Fill up to some size against the queue; T and F go to ``head``, the book's changes to ``changes``."""
        want, limit = 1 + self.dice.below(14), 1 + self.dice.below(4)
        implied = 1 + self.dice.below(3) if self.dice.chance(20) else 0
        for ticks in self.opposite_prices(side)[:limit]:
            queue = [order for order in self.book.values() if order.side != side and order.ticks == ticks]
            fills = []
            for order in queue:
                want, size = self.fill(order, want, changes)
                fills += [filled(order.order_id, order.side, price(ticks), size)] if size else []
            volume = sum(part.size for part in fills) + implied
            if volume:
                head += [traded(side, price(ticks), volume, aggressor), *fills]
            implied = 0
            if not want:
                return

    def opposite_prices(self, side: str) -> list[int]:
        prices = {order.ticks for order in self.book.values() if order.side != side}
        return sorted(prices, reverse=side == "A")

    def fill(self, order: Resting, want: int, changes: dict[int, Part]) -> tuple[int, int]:
        """Take up to ``want`` from one order, hidden size and all; what is still wanted, and what was taken."""
        size = min(want, order.shown + (order.hidden if self.dice.chance(128) else 0))
        if not size:
            return want, 0
        over = max(0, size - order.shown)
        order.start = order.start if order.order_id in changes else order.shown
        order.hidden -= over
        order.shown -= size - over
        if not order.shown and order.hidden and not self.dice.chance(30):
            order.shown = min(order.hidden, max(1, order.peak))
            order.hidden -= order.shown
        side, ticks = order.side, price(order.ticks)
        if order.shown:
            changes[order.order_id] = modified(order.order_id, side, ticks, order.shown)
        else:
            del self.book[order.order_id]
            changes[order.order_id] = cancelled(order.order_id, side, ticks, order.start)
        return want - size, size

    def refill(self) -> None:
        """An order at the price of one that is filled completely, a little later."""
        order = self.pick(lambda order: not order.hidden and order.ticks in (self.best("B"), self.best("A")))
        if order:
            side, ticks = order.side, order.ticks
            del self.book[order.order_id]
            self.emit(
                traded(OTHER[side], price(ticks), order.shown, self.fresh()),
                filled(order.order_id, side, price(ticks), order.shown),
                cancelled(order.order_id, side, price(ticks), order.shown))
            self.script.wait(self.dice.below(70) * 1_000_000)
            again = Resting(self.fresh(), side, ticks, order.shown)
            self.book[again.order_id] = again
            self.emit(added(again.order_id, side, price(ticks), order.shown))

    def auction(self) -> None:
        """A trade without a side: an uncross that fills both sides at one price, or an ordinary one."""
        changes: dict[int, Part] = {}
        sides = "BA" if self.dice.chance(160) else "BA"[self.dice.below(2)]
        orders = [order for order in list(self.book.values()) if order.side in sides][: 1 + self.dice.below(6)]
        fills = []
        for order in orders:
            _, size = self.fill(order, 1 + self.dice.below(6), changes)
            fills += [filled(order.order_id, "N", price(self.middle), size)] if size else []
        volume = sum(part.size for part in fills)
        if fills:
            volume = max(1, volume // 2) if len(sides) > 1 else volume
            self.emit(traded("N", price(self.middle), volume), *fills, *changes.values())

    def snapshot(self) -> None:
        """The whole book again, in several runs' shapes."""
        parts = [added(order.order_id, order.side, price(order.ticks), order.shown) for order in self.book.values()]
        head = [] if self.dice.chance(60) else [cleared()]
        if head or parts:
            self.script.snapshot(*head, *parts, last=self.dice.chance(128), instrument=self.instrument)

    def clear(self) -> None:
        """The book is void; the event may put orders back."""
        self.book.clear()
        orders = [Resting(self.fresh(), "BA"[rank % 2], 0, 1 + rank) for rank in range(self.dice.below(5))]
        for order in orders:
            order.ticks = self.free_price(order.side)
            self.book[order.order_id] = order
        self.emit(cleared(), *[added(one.order_id, one.side, price(one.ticks), one.shown) for one in orders])

    def poorer(self) -> None:
        """A record of a schema without orders: it tells nothing that is not known."""
        times = {"ts_event": self.script.now, "ts_recv": self.script.now + 1, "instrument": self.instrument}
        at, kind = price(self.middle), self.dice.below(4)
        if kind == 0:
            self.script.raw(trade("B", at, 3, **times))
        elif kind == 1:
            self.script.raw(mbp1("T", "A", at, 2, (at, 1, 1), (None, 0, 0), **times))
        elif kind == 2:
            self.script.raw(bbo((at, 1, 1), (at + 1, 2, 1), **times))
        else:
            self.script.raw(ohlcv(
                (at, at + 1, at, at), 5, ts_event=self.script.now - 1_000_000_000, instrument=self.instrument))

    def same_instant(self) -> None:
        self.script.now -= self.script.step

    def silence(self) -> None:
        self.script.wait((1 + self.dice.below(40)) * 100_000_000)

    def odd_capture(self) -> None:
        """One order without ts_recv."""
        order = Resting(self.fresh(), "B", self.free_price("B"), 2)
        self.book[order.order_id] = order
        self.script.raw(mbo(
            "A", "B", price(order.ticks), 2, order.order_id, ts_event=self.script.now, ts_recv=None, flags=128 | 8,
            instrument=self.instrument, publisher=self.publisher))


DEEDS: tuple[tuple[int, Callable[[Exchange], None]], ...] = (  # of 256
    (70, Exchange.add), (30, Exchange.cancel), (30, Exchange.modify), (67, Exchange.trade), (16, Exchange.refill),
    (10, Exchange.silence), (10, Exchange.same_instant), (4, Exchange.unknown), (4, Exchange.odd_capture),
    (4, Exchange.snapshot), (3, Exchange.auction), (2, Exchange.clear), (2, Exchange.poorer),
)


def act(exchange: Exchange) -> None:
    """One thing happens."""
    throw = exchange.dice.below(256)
    for weight, deed in DEEDS:
        if throw < weight:
            deed(exchange)
            return
        throw -= weight
