# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The book of one instrument by order: who rests where, and what the changes of an event prove."""

from __future__ import annotations

import cython

from qmo_cli.market.event import Event
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.message import Message
from qmo_cli.market.native import NativeDetector
from qmo_cli.market.orders import OrderTable
from qmo_cli.market.refills import AddSizes, Refills

PROBATION = cython.declare(cython.longlong, 300_000_000_000)  # ns with hardly an unknown id: the book is whole
UNDEFINED = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)

BUY = cython.declare(cython.int, 66)
ADD, CANCEL, MODIFY = cython.declare(cython.int, 65), cython.declare(cython.int, 67), cython.declare(cython.int, 77)
FILL, CLEAR = cython.declare(cython.int, 70), cython.declare(cython.int, 82)
LINKED = cython.declare(cython.int, 2)  # bit of an order that may be a third tranche or a later one
THIRD = cython.declare(cython.longlong, 1 << 61)  # the same, in what refills know of it
EXECUTED, CANCELLED, NATIVE, UNKNOWN = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 2),
    cython.declare(cython.int, 3),
)
F_SNAPSHOT, F_MAYBE_BAD_BOOK = cython.declare(cython.int, 32), cython.declare(cython.int, 4)


@cython.cclass
class OrderBook:
    """Every resting order and its level. ``complete`` once a snapshot, a clear or time has made it whole, ``doubtful``
    since the venue said so, ``told`` once something was compared with it. Counts are totals of the input.
    """

    def __init__(self, refill_window: int) -> None:
        self.orders = OrderTable()
        self.bids, self.asks = Ladder(1), Ladder(-1)
        self.native = NativeDetector(self.orders)
        self.event = Event()
        self.refills = Refills(refill_window)
        self.complete, self.doubtful, self.told = False, False, False
        self.flags = 0
        self.unknown = self.strangers = self.changes = self.watched = 0
        self.filled = self.remainder = 0

    @cython.cfunc
    def change(self, message: Message) -> object:
        """A record that is no trade: A, M, C and R change the book, F does not."""
        if message.action == ADD:
            self.add(message)
        elif message.action == CANCEL:
            self.cancel(message)
        elif message.action == MODIFY:
            self.modify(message)
        elif message.action == FILL:
            self.fill(message)
        elif message.action == CLEAR:
            self.clear(message)
        return None

    @cython.cfunc
    def note_flags(self, message: Message) -> object:
        self.flags |= message.flags
        if message.flags & F_SNAPSHOT:
            self.lose(message.ts_event)
            self.doubtful = False
        elif message.flags & F_MAYBE_BAD_BOOK:
            self.lose(message.ts_event)
            self.doubtful = True
        self.native.silent = self.doubtful or self.event.auction or self.event.snapshot
        return None

    @cython.cfunc
    def add(self, message: Message) -> object:
        row: cython.Py_ssize_t = self.orders.find(message.order_id)
        if row >= 0:
            self.event.touch(self.orders.side[row], self.orders.price[row], -self.orders.size[row])
            self.native.known -= self.orders.iceberg[row] & 1
            if self.orders.iceberg[row] & LINKED:
                self.unlink(row, message.ts_event, UNKNOWN)
            self.take_off(row)
        row = self.put(message, True)
        if not self.event.snapshot:
            self.event.touch(message.side, message.price, message.size)
            self.link(message, row)
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def link(self, message: Message, row: cython.Py_ssize_t) -> cython.int:
        """See whether the new order may be the next tranche of one that was just filled."""
        refills: Refills = self.refills
        sizes: AddSizes = refills.sizes
        place: cython.Py_ssize_t = sizes.place(message.side, message.price)
        word: cython.longlong = sizes.words[place]
        found: cython.longlong = 0
        if refills.dead.stop:
            found = refills.added(message.ts_event, message.side, message.price, message.order_id, message.size, word)
            word = refills.word
        if not found & 512:
            sizes.push(place, message.size)
        if found:
            word |= (found & 63) << 55 | (THIRD if found & 512 else 0)
            if found & 256:
                self.orders.serial[row] = refills.serial
            if found & 128:
                self.orders.iceberg[row] |= LINKED
                refills.open += 1
        self.orders.word[row] = word
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def unlink(self, row: cython.Py_ssize_t, ts: cython.longlong, kind: cython.int) -> cython.int:
        """Tell what became of an order that might be a tranche; with evidence of its own it is an iceberg by itself."""
        kind = NATIVE if self.orders.iceberg[row] & 1 else kind
        self.orders.iceberg[row] &= 1
        return self.refills.ended(ts, self.orders.id[row], kind, self.orders.filled[row])

    @cython.cfunc
    def lose(self, ts: cython.longlong) -> object:
        """Nothing is known any more of the icebergs that were open, or of orders that might be parts of one."""
        orders: OrderTable = self.orders
        row: cython.Py_ssize_t
        self.native.lose(ts)
        if self.refills.open:
            lost: list = [
                (orders.id[row], row) for row in range(orders.mask + 1) if orders.side[row] and orders.iceberg[row] & 2
            ]
            for _, row in sorted(lost):
                self.unlink(row, ts, UNKNOWN)
        return None

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def put(self, message: Message, seen_added: cython.bint) -> cython.Py_ssize_t:
        row: cython.Py_ssize_t = self.orders.insert(message.order_id, message.side, message.price, message.size)
        self.orders.seen_added[row] = seen_added
        self.ladder(message.side).change(message.price, message.size, 1)
        return row

    @cython.cfunc
    def take_off(self, row: cython.Py_ssize_t) -> object:
        orders: OrderTable = self.orders
        self.ladder(orders.side[row]).change(orders.price[row], -orders.size[row], -1)
        if orders.serial[row]:
            self.refills.release(orders.serial[row])
        orders.remove(row)
        return None

    @cython.cfunc
    def ladder(self, side: cython.int) -> Ladder:
        return self.bids if side == BUY else self.asks

    @cython.cfunc
    @cython.exceptval(check=False)
    def meet_stranger(self) -> cython.void:
        """Count a change of an order that was never seen: in all, and since the book was last judged."""
        self.unknown += 1
        self.strangers += 1

    @cython.cfunc
    def modify(self, message: Message) -> object:
        orders: OrderTable = self.orders
        row: cython.Py_ssize_t = orders.find(message.order_id)
        self.changes += 1
        if row < 0:
            self.meet_stranger()
            self.event.unexplained += self.event.take_fill(message.order_id)
            self.put(message, False)
            return None
        away: cython.longlong = self.event.filled_away(message.order_id)
        filled: cython.longlong = self.event.take_fill(message.order_id)
        side: cython.int = orders.side[row]
        price: cython.longlong = orders.price[row]
        size: cython.longlong = orders.size[row]
        if filled or orders.iceberg[row] & 1 or (message.size != size and not away):
            self.native.modified(message.ts_event, row, message.price, message.size, filled)
            if orders.iceberg[row] == LINKED + 1:
                self.unlink(row, message.ts_event, NATIVE)
        if message.price == price and message.side == side:
            self.event.touch(side, price, message.size - size + min(filled + away, size))
            self.ladder(side).change(price, message.size - size, 0)
        else:
            self.event.unexplained += max(0, filled - size)
            self.event.touch(side, price, min(filled + away, size) - size)
            self.event.touch(message.side, message.price, message.size)
            self.ladder(side).change(price, -size, -1)
            self.ladder(message.side).change(message.price, message.size, 1)
        orders.side[row] = message.side
        orders.price[row] = message.price
        orders.size[row] = message.size
        return None

    @cython.cfunc
    def cancel(self, message: Message) -> object:
        orders: OrderTable = self.orders
        row: cython.Py_ssize_t = orders.find(message.order_id)
        self.changes += 1
        if row < 0:
            self.meet_stranger()
            self.cancel_stranger(message)
            return None
        away: cython.longlong = self.event.filled_away(message.order_id)
        filled: cython.longlong = self.event.take_fill(message.order_id)
        size: cython.longlong = orders.size[row]
        gone: cython.longlong = min(message.size, size)
        if filled or orders.iceberg[row] & 1 or (gone < size and not away):
            if filled == size == gone and not orders.iceberg[row] & 1 and not self.event.auction:
                self.refills.died(
                    message.ts_event, orders.side[row], orders.price[row], message.order_id,
                    orders.filled[row] + filled, orders.word[row], orders.serial[row])
                orders.serial[row] = 0
            self.native.cancelled(message.ts_event, row, gone, filled)
        self.event.touch(orders.side[row], orders.price[row], min(filled + away, size) - gone)
        if gone == size:
            if orders.iceberg[row] & LINKED:
                self.unlink(row, message.ts_event, EXECUTED if filled >= size else CANCELLED)
            self.take_off(row)
        else:
            self.event.unexplained += max(0, filled - size)
            orders.size[row] = size - gone
            self.ladder(orders.side[row]).change(orders.price[row], -gone, 0)
        return None

    @cython.cfunc
    def cancel_stranger(self, message: Message) -> object:
        """An order never seen added: the size of its C is what it displayed."""
        filled: cython.longlong = self.event.take_fill(message.order_id)
        if message.price == UNDEFINED:
            self.event.unexplained += filled
        if filled <= message.size or self.native.silent or message.price == UNDEFINED:
            return None
        row: cython.Py_ssize_t = self.orders.insert(message.order_id, message.side, message.price, message.size)
        self.orders.seen_added[row] = False
        self.native.cancelled(message.ts_event, row, message.size, filled)
        self.orders.remove(row)
        return None

    @cython.cfunc
    def clear(self, message: Message) -> object:
        row: cython.Py_ssize_t
        self.lose(message.ts_event)
        for row in range(self.orders.mask + 1):
            if self.orders.side[row]:
                self.refills.release(self.orders.serial[row])
        self.orders.clear()
        self.bids.clear()
        self.asks.clear()
        self.complete, self.doubtful, self.told = True, False, False
        self.native.silent = self.event.auction or self.event.snapshot
        return None

    @cython.cfunc
    def fill(self, message: Message) -> object:
        """A passive fill; the aggressor's own, and one away from where the order rests, prove nothing.

        An auction fills at one price, whatever the orders' own were.
        """
        if self.event.is_aggressor(message.order_id):
            return None
        row: cython.Py_ssize_t = -1 if self.event.auction else self.orders.find(message.order_id)
        self.event.fill(message.order_id, message.size, row >= 0 and self.orders.price[row] != message.price)
        return None

    @cython.cfunc
    def reconcile(self) -> object:
        """Passive volume of the event, and what of it neither the display nor hidden size explains.

        A fill that no C or M followed is explained as far as its order displayed size. Auctions are left out:
        market orders that never rested are filled there.
        """
        event: Event = self.event
        cells = event.fills.cells
        cell: cython.Py_ssize_t
        for cell in range(0, event.fills.stop, 3):
            left: cython.longlong = cells[cell + 1]
            row: cython.Py_ssize_t = self.orders.find(cells[cell]) if left else -1
            if row >= 0:
                self.orders.filled[row] += left
                left -= min(left, self.orders.size[row])
            event.unexplained += left
        if not event.auction:
            self.filled += event.passive
            self.remainder += event.unexplained
        return None

    @cython.cfunc
    def probe(self, now: cython.longlong) -> object:
        """Call a book whole that began in mid-session, once hardly any id is unknown any more."""
        if self.watched == 0:
            self.watched = now
        if now - self.watched >= PROBATION:
            self.complete = self.strangers * 1000 < self.changes
            self.watched, self.strangers, self.changes = now, 0, 0
        return None
