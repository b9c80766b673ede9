# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Everything the reader knows of one instrument: its book, the open event and the open frame."""

from __future__ import annotations

import cython

from qmo_cli.market.book import Ladder
from qmo_cli.market.event import Event
from qmo_cli.market.frame import Frame
from qmo_cli.market.message import Message
from qmo_cli.market.native import NativeDetector
from qmo_cli.market.orders import OrderTable
from qmo_cli.market.rows import Rows
from qmo_cli.market.trackers import Refills, SweepTracker
from qmo_cli.packets import BarInput

NANO = cython.declare(cython.double, 1e9)
SECOND = cython.declare(cython.longlong, 1_000_000_000)
PROBATION = cython.declare(cython.longlong, 300_000_000_000)  # ns with hardly an unknown id: the book is whole
UNDEFINED = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
TOP = cython.declare(cython.Py_ssize_t, 10)

BUY = cython.declare(cython.int, 66)
SELL = cython.declare(cython.int, 65)
NONE = cython.declare(cython.int, 78)
ADD, CANCEL, MODIFY = cython.declare(cython.int, 65), cython.declare(cython.int, 67), cython.declare(cython.int, 77)
TRADE, FILL, CLEAR = cython.declare(cython.int, 84), cython.declare(cython.int, 70), cython.declare(cython.int, 82)

F_SNAPSHOT, F_MAYBE_BAD_BOOK = cython.declare(cython.int, 32), cython.declare(cython.int, 4)
F_BAD_TS_RECV = cython.declare(cython.int, 8)

# How much a schema tells, poorest first: the richest one seen leads, poorer ones fill only what it lacks.
BARS, QUOTES, BARE_TRADES, TBBO, MBP_1, MBP_10, MBO = (
    cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3),
    cython.declare(cython.int, 4), cython.declare(cython.int, 5), cython.declare(cython.int, 6),
    cython.declare(cython.int, 7),
)


@cython.cclass
class Instrument:
    """State of one instrument id. Prices are integers of 1e-9, times ns, sizes contracts."""

    def __init__(self, instrument_id: int, refill_window: int, sweep_window: int, sweep_levels: int) -> None:
        self.instrument_id = instrument_id
        self.orders = OrderTable()
        self.bids, self.asks = Ladder(1), Ladder(-1)
        self.native = NativeDetector(self.orders)
        self.event, self.frame = Event(), Frame()
        self.refills = Refills(refill_window)
        self.sweeps = SweepTracker(sweep_window, sweep_levels)
        self.tick, self.point_value, self.label, self.quality = None, None, None, None
        self.reach = -1
        self.trade_rank = self.quote_rank = 0
        self.closed_end = 0
        self.owed: list[int] = []
        self.complete, self.doubtful, self.told = False, False, False
        self.unknown = self.strangers = self.changes = self.watched = 0
        self.traded_until = self.bar_interval = 0
        self.late = self.dropped = self.filled = self.remainder = 0
        self.last_price = self.last_ts = self.quote_ts = self.last_time = self.covered = 0
        self.last_is_bar = False
        self.publisher_id = 0

    # --- market by order ---------------------------------------------------------------------------------------

    @cython.cfunc
    def take_order(self, message: Message) -> object:
        """One MBO record; T and F leave the book alone, the change of a fill follows as C or M."""
        if message.flags & (F_MAYBE_BAD_BOOK | F_SNAPSHOT | F_BAD_TS_RECV):
            self.note_flags(message)
        if message.action == ADD:
            self.add(message)
        elif message.action == CANCEL:
            self.cancel(message)
        elif message.action == MODIFY:
            self.modify(message)
        elif message.action == TRADE:
            self.trade(message, message.order_id)
        elif message.action == FILL:
            self.fill(message)
        elif message.action == CLEAR:
            self.clear(message)
        return None

    @cython.cfunc
    def note_flags(self, message: Message) -> object:
        self.frame.flags |= message.flags
        if message.flags & F_SNAPSHOT:
            self.native.lose(message.ts_event)
            self.doubtful = False
        elif message.flags & F_MAYBE_BAD_BOOK:
            self.native.lose(message.ts_event)
            self.doubtful = True
        self.native.silent = self.doubtful or self.event.auction or self.event.snapshot
        return None

    @cython.cfunc
    def add(self, message: Message) -> object:
        row: cython.Py_ssize_t = self.orders.find(message.order_id)
        if row >= 0:
            self.event.touch(self.orders.side[row], self.orders.price[row], -self.orders.size[row])
            self.native.known -= self.orders.iceberg[row]
            self.take_off(row)
        self.put(message, True)
        if not self.event.snapshot:
            self.event.touch(message.side, message.price, message.size)
            if self.refills.dead.stop:
                self.refills.added(message.ts_event, message.side, message.price, message.order_id, message.size)
        return None

    @cython.cfunc
    def put(self, message: Message, seen_added: cython.bint) -> object:
        row: cython.Py_ssize_t = self.orders.insert(message.order_id, message.side, message.price, message.size)
        self.orders.seen_added[row] = seen_added
        self.ladder(message.side).change(message.price, message.size, 1)
        return None

    @cython.cfunc
    def take_off(self, row: cython.Py_ssize_t) -> object:
        orders: OrderTable = self.orders
        self.ladder(orders.side[row]).change(orders.price[row], -orders.size[row], -1)
        orders.remove(row)
        return None

    @cython.cfunc
    def ladder(self, side: cython.int) -> Ladder:
        return self.bids if side == BUY else self.asks

    @cython.cfunc
    def modify(self, message: Message) -> object:
        orders: OrderTable = self.orders
        row: cython.Py_ssize_t = orders.find(message.order_id)
        self.changes += 1
        if row < 0:
            self.strangers += 1
            self.unknown += 1
            self.event.unexplained += self.event.take_fill(message.order_id)
            self.put(message, False)
            return None
        away: cython.longlong = self.event.filled_away(message.order_id)
        filled: cython.longlong = self.event.take_fill(message.order_id)
        side: cython.int = orders.side[row]
        price: cython.longlong = orders.price[row]
        size: cython.longlong = orders.size[row]
        if filled or orders.iceberg[row] or (message.size != size and not away):
            self.native.modified(message.ts_event, row, message.price, message.size, filled)
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
            self.strangers += 1
            self.unknown += 1
            self.cancel_stranger(message)
            return None
        away: cython.longlong = self.event.filled_away(message.order_id)
        filled: cython.longlong = self.event.take_fill(message.order_id)
        size: cython.longlong = orders.size[row]
        gone: cython.longlong = min(message.size, size)
        if filled or orders.iceberg[row] or (gone < size and not away):
            if filled == size == gone and not orders.iceberg[row] and not self.event.auction:
                self.refills.died(message.ts_event, orders.side[row], orders.price[row], message.order_id, size)
            self.native.cancelled(message.ts_event, row, gone, filled)
        self.event.touch(orders.side[row], orders.price[row], min(filled + away, size) - gone)
        if gone == size:
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
        self.native.lose(message.ts_event)
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

    # --- trades and quotes of any schema -----------------------------------------------------------------------

    @cython.cfunc
    def trade(self, message: Message, aggressor: cython.longlong) -> object:
        """A trade summary; what a poorer schema has told already is not told again.

        Without ids one aggressor is what trades at one time.
        """
        side: cython.int = message.side
        resting: cython.int = SELL if side == BUY else BUY
        covered: cython.bint = message.ts_event <= self.covered
        by_order: cython.bint = self.quote_rank == MBO
        if by_order or not covered:
            self.event.trade(side, message.price, message.size, aggressor)
        if side == NONE:
            self.native.silent = True
        elif not by_order:
            self.event.take(resting, message.price, message.size)
            aggressor = message.ts_event
        if covered:
            self.event.covered = by_order
            self.dropped += 1
            return None
        self.traded_until = max(self.traded_until, message.ts_event)
        self.frame.trade(self.event.time // SECOND, side, message.price, message.size)
        self.last_price, self.last_ts, self.last_is_bar = message.price, message.ts_event, False
        if side == NONE:
            return None
        if self.quote_rank >= MBP_1 and self.book_shown():
            self.frame.hit(resting, message.price, message.size, self.ladder(resting).displayed(message.price))
        self.sweeps.trade(message.ts_event, side, message.price, message.size, aggressor)
        return None

    @cython.cfunc
    def take_levels(self, message: Message, at: cython.Py_ssize_t, levels: cython.Py_ssize_t) -> object:
        """The displayed levels that a record of mbp-10, mbp-1, tbbo or bbo carries."""
        rank: cython.Py_ssize_t
        self.bids.clear()
        self.asks.clear()
        for rank in range(levels - 1, -1, -1):
            message.load_pair(at + 32 * rank)
            if message.bid_price != UNDEFINED:
                self.bids.push(message.bid_price, message.bid_size, message.bid_count)
            if message.ask_price != UNDEFINED:
                self.asks.push(message.ask_price, message.ask_size, message.ask_count)
        self.quote_ts = message.ts_event
        return None

    @cython.cfunc
    def take_last(self, message: Message) -> object:
        """The last trade that a bbo record mentions: a price, no volume."""
        if message.price != UNDEFINED and self.trade_rank < BARE_TRADES:
            self.last_price, self.last_ts, self.last_is_bar = message.price, message.ts_event, False
        return None

    @cython.cfunc
    def take_bar(self, message: Message) -> object:
        """A ready-made bar. The finest bars lead: coarser ones tell the same volume again."""
        if self.trade_rank < BARS:
            self.trade_rank = BARS
        if self.bar_interval == 0 or message.interval < self.bar_interval:
            if self.trade_rank == BARS:
                self.frame.forget_bars()
            self.bar_interval = message.interval
        leads: cython.bint = self.trade_rank == BARS and message.interval == self.bar_interval
        self.frame.bar_ended(BarInput(
            str(message.ts_event), message.interval, message.open / NANO, message.high / NANO, message.low / NANO,
            message.price / NANO, message.size,
        ), message, leads)
        if leads:
            self.last_price, self.last_ts, self.last_is_bar = message.price, message.time, True
        return None

    # --- events and frames -------------------------------------------------------------------------------------

    @cython.cfunc
    def begin_event(self, message: Message) -> object:
        self.event.begin(message.time, message.ts_event, message.in_snapshot())
        self.native.silent = self.doubtful or self.event.snapshot
        return None

    @cython.cfunc
    def end_event(self) -> object:
        """All records of the event are here: its prints, its pulls and stacks, its order flow imbalance."""
        event: Event = self.event
        event.open = False
        if event.prints.stop:
            if not event.auction and self.quote_rank == MBO:
                self.frame.implied += max(0, event.traded - event.passive)
            self.frame.take_prints(event)
        if event.fills.stop:
            self.reconcile()
            if event.is_uncross():
                self.native.lose(event.ts_event)
        if self.quote_rank == MBO:
            self.quote_ts = event.ts_event
        if event.snapshot or not self.told or not self.book_shown():
            self.adopt_book()
        else:
            self.reckon_flow()
        return None

    @cython.cfunc
    def adopt_book(self) -> object:
        """The book was told anew, or is not whole yet: nothing flowed that anyone could know of."""
        self.bids.adopt()
        self.asks.adopt()
        self.told = True
        if self.event.snapshot:
            self.complete = True
        elif not self.complete and self.quote_rank == MBO:
            self.probe(self.event.time)
        return None

    @cython.cfunc
    def reckon_flow(self) -> object:
        """Compare the book with that of before the event."""
        if self.quote_rank == MBP_10:
            self.compare_levels(self.bids, BUY)
            self.compare_levels(self.asks, SELL)
        if self.event.touches.stop:
            self.reckon_moves()
        if self.bids.touched < TOP:
            self.bids.settle()
        if self.asks.touched < TOP:
            self.asks.settle()
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
    def forget_book(self) -> object:
        """A richer schema takes over: its book is another one, and so is what flows in it."""
        self.told = False
        self.bids.clear()
        self.bids.restart()
        self.asks.clear()
        self.asks.restart()
        self.frame.forget_moves()
        return None

    @cython.cfunc
    def compare_levels(self, ladder: Ladder, side: cython.int) -> object:
        """Touches of an event that is told by levels: differences at prices in sight before and after, less trades."""
        rank: cython.Py_ssize_t
        level: cython.Py_ssize_t
        horizon: cython.longlong = ladder.horizon()
        for rank in range(ladder.was_depth):
            if ladder.was_keys[rank] >= horizon:
                self.event.touch(side, ladder.was_keys[rank] * ladder.sign, -ladder.was_sizes[rank])
        for level in range(ladder.depth):
            if ladder.keys[level] >= horizon:
                self.event.touch(side, ladder.keys[level] * ladder.sign, ladder.sizes[level])
        taken: Rows = self.event.taken
        row: cython.Py_ssize_t
        for row in range(0, taken.stop, 3):
            if taken.cells[row + 1] == side and taken.cells[row] * ladder.sign >= horizon:
                self.event.touch(side, taken.cells[row], min(taken.cells[row + 2], ladder.was(taken.cells[row])))
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def reckon_moves(self) -> cython.void:
        """Sum up what came and went near the touch without trading, the touch as it was before the event."""
        touches: Rows = self.event.touches
        frame: Frame = self.frame
        row: cython.Py_ssize_t
        for row in range(0, touches.stop, 3):
            bid: cython.bint = touches.cells[row + 1] == BUY
            size: cython.longlong = touches.cells[row + 2]
            ladder: Ladder = self.bids if bid else self.asks
            if ladder.was_depth and ladder.was_keys[0] - touches.cells[row] * ladder.sign > self.reach:
                continue
            if bid:
                frame.added_bid += max(size, 0)
                frame.removed_bid += max(-size, 0)
            else:
                frame.added_ask += max(size, 0)
                frame.removed_ask += max(-size, 0)

    @cython.cfunc
    def probe(self, now: cython.longlong) -> object:
        """Call a book whole that began in mid-session, once hardly any id is unknown any more."""
        if self.watched == 0:
            self.watched = now
        if now - self.watched >= PROBATION:
            self.complete = self.strangers * 1000 < self.changes
            self.watched, self.strangers, self.changes = now, 0, 0
        return None

    @cython.cfunc
    def restart(self) -> object:
        """The frame was told: begin the next one empty."""
        self.native.facts, self.sweeps.sweeps = [], []
        self.refills.links.stop = self.refills.dropped = 0
        self.frame.restart(0)
        return None

    @cython.cfunc
    def book_shown(self) -> cython.bint:
        """Whether the displayed levels can be trusted."""
        return self.quote_rank > 0 and (self.complete or self.quote_rank != MBO)

    @cython.cfunc
    def take_rank(self, rank: cython.int, trades: cython.bint, quotes: cython.bint) -> cython.bint:
        """Note what the record's schema can tell; whether its trades are to be counted."""
        if quotes and rank > self.quote_rank:
            self.quote_rank = rank
            self.forget_book()
        if not trades:
            return False
        if rank > self.trade_rank:
            if self.trade_rank == BARS:
                self.frame.forget_bars()
            self.covered = self.traded_until
            self.trade_rank = rank
        if rank < self.trade_rank:
            self.dropped += 1
            return False
        return True
