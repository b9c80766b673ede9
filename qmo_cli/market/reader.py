# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The only loop over every message: records in, the rows of closed frames out."""

from __future__ import annotations

from collections.abc import Callable

import cython

from qmo_cli.market.frameclock import FrameClock
from qmo_cli.market.instrument import Instrument
from qmo_cli.market.message import Message

COMPILED: bool = cython.compiled

SECOND = cython.declare(cython.longlong, 1_000_000_000)
UNDEFINED = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
F_LAST = cython.declare(cython.int, 128)
BARS, QUOTES, BARE_TRADES, TBBO, MBP_1, MBP_10, MBO = (
    cython.declare(cython.int, 1), cython.declare(cython.int, 2), cython.declare(cython.int, 3),
    cython.declare(cython.int, 4), cython.declare(cython.int, 5), cython.declare(cython.int, 6),
    cython.declare(cython.int, 7),
)
# Record types and letters, as DBN has them
R_TRADES, R_MBP_1, R_MBP_10, R_MBO, R_BBO_1S = (
    cython.declare(cython.int, 0), cython.declare(cython.int, 1), cython.declare(cython.int, 10),
    cython.declare(cython.int, 160), cython.declare(cython.int, 195),
)
ADD, CANCEL, MODIFY, CLEAR, TRADE, FILL, NOTHING = (
    cython.declare(cython.int, 65), cython.declare(cython.int, 67), cython.declare(cython.int, 77),
    cython.declare(cython.int, 82), cython.declare(cython.int, 84), cython.declare(cython.int, 70),
    cython.declare(cython.int, 78),
)
BUY, SELL = cython.declare(cython.int, 66), cython.declare(cython.int, 65)
BY_TIME = cython.declare(cython.int, 0)


@cython.final
@cython.cclass
class Reader(FrameClock):
    """Books, events and frames of every instrument of one input.

    ``every`` is ns for frames by time, records for frames by count. ``configure`` is called with each new
    Instrument and answers whether it is wanted. Rows gather in ``closed``, which the caller empties.
    """

    def __init__(
        self, *, mode: int, every: int, level: int, prints: int, refill_window: int, sweep_window: int,
        sweep_levels: int, configure: Callable[[Instrument], bool],
    ) -> None:
        FrameClock.__init__(self, mode, every, level, prints)
        self.refill_window, self.sweep_window, self.sweep_levels = refill_window, sweep_window, sweep_levels
        self.configure = configure
        self.message = Message(b"")
        self.recent = None
        self.recent_id = -1
        self.fault = ""
        self.tbbo = False

    def read(self, data: bytes, start: cython.Py_ssize_t, stop: cython.Py_ssize_t, tbbo: bool) -> int:
        """Take whole market records; the offset reached, which is before ``stop`` where ``fault`` says what is bad."""
        at: cython.Py_ssize_t = start
        message: Message = self.message
        message.data = data
        self.tbbo = tbbo
        self.fault = ""
        while at < stop:
            message.load(at)
            if not self.take(at):
                break
            at += message.bytes
        return at

    @cython.cfunc
    def take(self, at: cython.Py_ssize_t) -> cython.bint:
        """One record, in its frame and event; False where it is bad."""
        message: Message = self.message
        if message.time < self.newest - SECOND:
            self.fault = (
                f"time goes backward by {(self.newest - message.time) / 1e9:.3f} s; "
                "sort the input by time, or give the files in their order"
            )
            return False
        instrument: Instrument = self.recent
        if message.instrument_id != self.recent_id:
            instrument = self.find(message.instrument_id)
        if instrument is None:
            return True
        if not self.is_sound():
            return False
        instrument.publisher_id = message.publisher_id
        if self.running is not None and not self.goes_on(instrument):
            self.end_event(self.running)
        self.pass_time(instrument)
        if message.rtype == R_MBO:
            self.take_order(instrument)
        elif 32 <= message.rtype <= 35:
            self.take_bar(instrument)
        else:
            self.take_quote_or_trade(instrument, at)
        return True

    @cython.cfunc
    def find(self, instrument_id: cython.longlong) -> Instrument:
        if instrument_id not in self.instruments:
            fresh: Instrument = Instrument(instrument_id, self.refill_window, self.sweep_window, self.sweep_levels)
            self.instruments[instrument_id] = fresh if self.configure(fresh) else None
        self.recent = self.instruments[instrument_id]
        self.recent_id = instrument_id
        return self.recent

    @cython.cfunc
    def is_sound(self) -> cython.bint:
        """Whether the record's letters and price can be used."""
        message: Message = self.message
        action: cython.int = message.action
        if 32 <= message.rtype <= 35:
            if message.price == UNDEFINED or message.high < message.low:
                self.fault = "a bar needs open, high, low and close, and high not below low"
                return False
            return True
        if message.rtype >= R_BBO_1S:
            return True
        if message.price == UNDEFINED and (action == ADD or action == MODIFY or action == TRADE or action == FILL):
            self.fault = f"field price: it is undefined, and an action {chr(action)} needs one"
            return False
        if action == ADD or action == CANCEL or action == MODIFY:
            if message.side != BUY and message.side != SELL and message.rtype == R_MBO:
                self.fault = f"field side: {chr(message.side)!r} is not A or B, and an action {chr(action)} needs one"
                return False
            return True
        if action != TRADE and action != FILL and action != CLEAR and action != NOTHING:
            self.fault = f"field action: {chr(action)!r} is none of A, C, M, R, T, F, N"
            return False
        return True

    @cython.cfunc
    def goes_on(self, instrument: Instrument) -> cython.bint:
        """Whether the record continues the open L1 event: same instrument, same ts_event."""
        message: Message = self.message
        if self.running is not instrument or message.rtype == R_MBO or 32 <= message.rtype <= 35:
            return False
        return message.ts_event == instrument.event.ts_event

    @cython.cfunc
    def pass_time(self, instrument: Instrument) -> object:
        """Move on to the record's time: end what cannot go on, close what is over, count what comes late."""
        time: cython.longlong = self.message.time
        if time > self.newest:
            self.newest = time
            if time > self.deadline:
                self.end_overdue()
        if instrument.event.open and instrument is not self.running:
            self.end_other(instrument)
        if self.mode == BY_TIME:
            if time >= self.boundary:
                self.cross(time)
                self.release()
            elif time < (instrument.frame.end or self.boundary) - self.every:
                instrument.late += 1
        elif time < instrument.closed_end:
            instrument.late += 1
        instrument.last_time = self.newest
        return None

    @cython.cfunc
    def end_other(self, instrument: Instrument) -> object:
        """End the open event of orders if the record cannot be a part of it: snapshots stand alone."""
        snapshot: cython.bint = self.message.in_snapshot()
        if instrument.event.snapshot != snapshot:
            self.mark_unterminated(instrument)
            self.end_event(instrument)
        return None

    @cython.cfunc
    def take_order(self, instrument: Instrument) -> object:
        message: Message = self.message
        self.open_frame(instrument)
        if instrument.trade_rank != MBO:
            instrument.take_rank(MBO, True, True)
        if not instrument.event.open:
            instrument.begin_event(message)
            self.deadline = min(self.deadline, message.time + SECOND)
        instrument.frame.records += 1
        instrument.take_order(message)
        if message.flags & F_LAST:
            self.end_event(instrument)
        return None

    @cython.cfunc
    def take_bar(self, instrument: Instrument) -> object:
        """A bar is an event of its own; it counts as a record where nothing richer leads."""
        self.open_frame(instrument)
        instrument.take_bar(self.message)
        if instrument.trade_rank == BARS and instrument.quote_rank == 0:
            instrument.frame.records += 1
            self.fill_up(instrument)
        return None

    @cython.cfunc
    def take_quote_or_trade(self, instrument: Instrument, at: cython.Py_ssize_t) -> object:
        """mbp-10, mbp-1, tbbo, trades and bbo: the quote first, for a trade's quote is the one before it."""
        message: Message = self.message
        rank: cython.int = self.rank_of(message.rtype)
        if instrument.quote_rank == MBO or (rank < instrument.trade_rank and rank < instrument.quote_rank):
            instrument.dropped += 1
            if self.mode == BY_TIME:
                self.open_frame(instrument)
            return None
        self.open_frame(instrument)
        instrument.flags |= message.flags
        if not instrument.event.open:
            instrument.begin_event(message)
            self.running = instrument
        counts: cython.bint = instrument.take_rank(rank, rank != QUOTES, rank != BARE_TRADES)
        if rank >= max(instrument.trade_rank, instrument.quote_rank):
            instrument.frame.records += 1
        if rank != BARE_TRADES and rank == instrument.quote_rank:
            instrument.take_levels(message, at + 48, 10 if rank == MBP_10 else 1)
        if counts and message.action == TRADE:
            instrument.trade(message, 0)
        if rank == QUOTES:
            instrument.take_last(message)
        return None

    @cython.cfunc
    def rank_of(self, rtype: cython.int) -> cython.int:
        if rtype == R_TRADES:
            return BARE_TRADES
        if rtype == R_MBP_10:
            return MBP_10
        if rtype == R_MBP_1:
            return TBBO if self.tbbo else MBP_1
        return QUOTES

    def rename(self, instrument_id: int) -> None:
        """From here on the id is another contract. A sweep of the old one is over, and a frame must tell of it."""
        instrument: Instrument = self.instruments.get(instrument_id)
        if instrument is not None:
            instrument.sweeps.end()
            if instrument.sweeps.sweeps and self.mode == BY_TIME:
                self.open_frame(instrument)
        self.retire(instrument_id)

    def retire(self, instrument_id: int) -> None:
        """Forget an instrument; a record that still comes with its id begins another. Its open frame ends in time."""
        self.instruments.pop(instrument_id, None)
        self.recent, self.recent_id = None, -1
