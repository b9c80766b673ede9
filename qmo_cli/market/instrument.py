# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Everything the reader knows of one instrument: its book, the open event and the open frame."""

from __future__ import annotations

import cython

from qmo_cli.market.bookseconds import BookSeconds
from qmo_cli.market.event import Event
from qmo_cli.market.frame import Frame
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.levels import LevelWatch
from qmo_cli.market.message import Message
from qmo_cli.market.orderbook import OrderBook
from qmo_cli.market.rows import Rows
from qmo_cli.market.trackers import SweepTracker
from qmo_cli.packets import BarInput, ContextFact

NANO = cython.declare(cython.double, 1e9)
SECOND = cython.declare(cython.longlong, 1_000_000_000)
UNDEFINED = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
TOP = cython.declare(cython.Py_ssize_t, 10)

BUY = cython.declare(cython.int, 66)
SELL = cython.declare(cython.int, 65)
NONE = cython.declare(cython.int, 78)
TRADE = cython.declare(cython.int, 84)
NOTED = cython.declare(cython.int, 44)  # snapshot, bad ts_recv, maybe bad book

# How much a schema tells, poorest first: the richest one seen leads, poorer ones fill only what it lacks.
BARS, QUOTES, BARE_TRADES, TBBO, MBP_1, MBP_10, MBO = (
    cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3),
    cython.declare(cython.int, 4), cython.declare(cython.int, 5), cython.declare(cython.int, 6),
    cython.declare(cython.int, 7),
)


@cython.final
@cython.cclass
class Instrument(OrderBook):
    """State of one instrument id. Prices are integers of 1e-9, times ns, sizes contracts."""

    def __init__(self, instrument_id: int, refill_window: int, sweep_window: int, sweep_levels: int) -> None:
        OrderBook.__init__(self, refill_window)
        self.instrument_id = instrument_id
        self.frame = Frame()
        self.sweeps = SweepTracker(sweep_window, sweep_levels)
        self.watch = LevelWatch()
        self.tick, self.point_value, self.label, self.quality, self.source = None, None, None, None, None
        self.reach = -1
        self.trade_rank = self.quote_rank = 0
        self.closed_end = 0
        self.owed: list[int] = []
        self.facts: list[ContextFact] = []              # for the open frame
        self.later: list[tuple[int, ContextFact]] = []  # for frames after one that waits for its event, by their end
        self.traded_until = self.bar_interval = 0
        self.late = self.dropped = 0
        self.last_price = self.last_ts = self.quote_ts = self.last_time = self.covered = 0
        self.last_is_bar = False
        self.publisher_id = 0

    # --- records -----------------------------------------------------------------------------------------------

    @cython.cfunc
    def take_order(self, message: Message) -> object:
        """One MBO record; T and F leave the book alone, the change of a fill follows as C or M."""
        if message.flags & NOTED:
            self.note_flags(message)
        if message.action == TRADE:
            self.trade(message, message.order_id)
        else:
            self.change(message)
        return None

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
            displayed: cython.longlong = self.ladder(resting).displayed(message.price)
            self.frame.hits.add(
                self.frame.bar, message.ts_event, resting, message.price, message.size, displayed)
        self.sweeps.trade(message.ts_event, self.last_time, side, message.price, message.size, aggressor)
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
        book: BookSeconds = self.frame.book
        if self.last_time >= book.until:
            self.end_book_second()
        book.touched = True
        self.event.begin(message.time, message.ts_event, message.in_snapshot())
        self.native.silent = self.doubtful or self.event.snapshot
        return None

    @cython.cfunc
    def end_book_second(self) -> object:
        """The first event of another second begins: the book still stands as the last one left it."""
        if self.quote_rank >= MBP_10 and self.book_shown():
            self.frame.end_book_second(self.bids, self.asks)
        self.frame.book.begin(self.last_time)
        return None

    @cython.cfunc
    def end_event(self) -> object:
        """All records of the event are here: its prints, its pulls and stacks, its order flow imbalance."""
        event: Event = self.event
        event.open = False
        second: cython.longlong = event.time // SECOND
        if second > self.frame.flow_second:
            self.frame.end_flow(second, self.bids, self.asks, 1 if self.quote_rank == MBP_1 else TOP)
        if event.prints.stop:
            if not event.auction and self.quote_rank == MBO:
                self.frame.implied += max(0, event.traded - event.passive)
            self.frame.take_prints(event)
            self.frame.hits.end_event(self.bids, self.asks)
        if event.fills.stop:
            self.reconcile()
            if event.is_uncross():
                self.lose(event.ts_event)
        if self.quote_rank == MBO:
            self.quote_ts = event.ts_event
        elif self.quote_rank == TBBO:
            self.watch.follow(event.ts_event, event.taken, self.bids, self.asks)
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
            if self.event.taken.stop:
                self.watch.compare(self.event.ts_event, self.event.taken, self.bids, self.asks)
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
    def forget_book(self) -> object:
        """A richer schema takes over: its book is another one, and so is what flows in it."""
        self.told = False
        self.watch.facts = []
        self.watch.kept.stop = 0
        self.bids.clear()
        self.bids.restart()
        self.asks.clear()
        self.asks.restart()
        self.frame.forget_moves()
        self.frame.flows = []
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
        bids: Ladder = self.bids
        asks: Ladder = self.asks
        row: cython.Py_ssize_t
        for row in range(0, touches.stop, 3):
            price: cython.longlong = touches.cells[row]
            size: cython.longlong = touches.cells[row + 2]
            if touches.cells[row + 1] == BUY:
                if bids.was_depth and bids.was_keys[0] - price > self.reach:
                    continue
                frame.added_bid += max(size, 0)
                frame.removed_bid += max(-size, 0)
            else:
                if asks.was_depth and asks.was_keys[0] + price > self.reach:  # an ask's key is its price, negative
                    continue
                frame.added_ask += max(size, 0)
                frame.removed_ask += max(-size, 0)

    @cython.cfunc
    def restart(self) -> object:
        """The frame was told: begin the next one empty."""
        self.native.facts, self.sweeps.sweeps = [], []
        if self.watch.facts:
            self.watch.facts = []
        if self.facts:
            self.facts = []
        self.refills.restart()
        self.flags = 0
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
