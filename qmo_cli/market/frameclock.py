# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""When frames begin and end.

A frame is a span of event time, aligned to the epoch, and an event belongs to the frame of its first record. A record
or clock at or past a frame's end closes that frame for every instrument whose event is complete; rows come out by
frame end and instrument id.
"""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import Any

import cython

from qmo_cli.market.instrument import Instrument
from qmo_cli.market.summary import summarize
from qmo_cli.packets import ContextFact

SECOND = cython.declare(cython.longlong, 1_000_000_000)
NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
UNTERMINATED = cython.declare(cython.int, 256)
BY_TIME, BY_TRADE = cython.declare(cython.int, 0), cython.declare(cython.int, 1)

Row = tuple[Any, ...]  # (end, instrument id, closed, label, Market, Health, Inputs)


@cython.cclass
class FrameClock:
    """The open events and frames of all instruments, and the time they have come to.

    ``every`` is ns for frames by time, records for frames by count. Rows gather in ``closed``.
    """

    def __init__(self, mode: int, every: int, level: int, prints: int) -> None:
        self.mode, self.every, self.level, self.prints = mode, every, level, prints
        self.instruments: dict[int, Instrument | None] = {}
        self.active: list[Instrument] = []     # with an open frame, in the order they opened it
        self.pending: list[Instrument] = []    # of them, those whose event runs on past the frame's end
        self.waiting: list[Row] = []           # rows held back by a pending frame
        self.closed: list[Row] = []
        self.running = None                    # the instrument whose L1 event is open
        self.boundary = self.newest = 0
        self.deadline = NEVER                  # when the oldest open event will have lasted a second

    @cython.cfunc
    def end_overdue(self) -> object:
        """No event runs on for more than a second after its first record: its last record is lost."""
        instrument: Instrument
        self.deadline = NEVER
        for instrument in self.busy():
            if not instrument.event.open or instrument is self.running:
                continue
            if self.newest - instrument.event.time > SECOND:
                self.mark_unterminated(instrument)
                self.end_event(instrument)
            else:
                self.deadline = min(self.deadline, instrument.event.time + SECOND)
        return None

    @cython.cfunc
    def mark_unterminated(self, instrument: Instrument) -> object:
        """A snapshot may lack its last flag, an exchange event may not."""
        if not instrument.event.snapshot:
            instrument.flags |= UNTERMINATED
        return None

    @cython.cfunc
    def open_frame(self, instrument: Instrument) -> object:
        if instrument.frame.end == 0:
            instrument.frame.restart(self.boundary if self.mode == BY_TIME else 1)
            self.active.append(instrument)
        return None

    @cython.cfunc
    def end_event(self, instrument: Instrument) -> object:
        """The event is complete: close the frame that waited for it, or that it fills up."""
        if self.running is instrument:
            self.running = None
        instrument.end_event()
        if self.mode != BY_TIME:
            self.fill_up(instrument)
        elif self.pending and instrument in self.pending:
            self.pending.remove(instrument)
            self.let_go(instrument, instrument.frame.end, True)
            self.release()
        return None

    @cython.cfunc
    def fill_up(self, instrument: Instrument) -> object:
        """Close a frame by trade or by count if the event that ended was its last."""
        full: cython.bint = instrument.frame.records >= self.every
        if self.mode == BY_TRADE:
            full = instrument.event.prints.stop > 0 and not instrument.event.covered
        if full and self.mode != BY_TIME:
            self.active.remove(instrument)
            self.close(instrument, max(instrument.last_time, instrument.closed_end), True)
            self.release()
        return None

    @cython.cfunc
    def cross(self, time: cython.longlong) -> object:
        """The frame that was open ends for every instrument; those in the middle of an event stay pending."""
        instrument: Instrument
        for instrument in self.active:
            if instrument.event.open:
                self.pending.append(instrument)
            else:
                self.close(instrument, instrument.frame.end, True)
        self.active = []
        self.boundary = (time // self.every + 1) * self.every
        return None

    @cython.cfunc
    def close(self, instrument: Instrument, end: cython.longlong, closed: cython.bint) -> object:
        instrument.sweeps.expire(end)
        self.waiting.append((
            end, instrument.instrument_id, closed, instrument.label,
            *summarize(instrument, end, self.level, self.prints),
        ))
        instrument.closed_end = end
        instrument.restart()
        return None

    @cython.cfunc
    def let_go(self, instrument: Instrument, end: cython.longlong, closed: cython.bint) -> object:
        """Close a frame that may have been pending, and those that clocks covered and facts fell into meanwhile."""
        self.close(instrument, end, closed)
        if instrument.owed or instrument.later:
            self.catch_up(instrument, closed)
        return None

    @cython.cfunc
    def catch_up(self, instrument: Instrument, closed: cython.bint) -> object:
        """The frames that are over by now; the one that is still open stays so."""
        later: list = instrument.later
        ends: list = sorted({*instrument.owed, *[due for due, _ in later]})
        instrument.owed, instrument.later = [], []
        for end in ends:
            instrument.facts = [fact for due, fact in later if due == end]
            instrument.frame.restart(end)
            if end < self.boundary:
                self.close(instrument, end, closed)
            else:
                self.active.append(instrument)
        return None

    @cython.cfunc
    def release(self) -> object:
        """Let rows go by (frame end, instrument id), once no earlier frame is pending."""
        if self.waiting and not self.pending:
            if len(self.waiting) > 1:
                self.waiting.sort(key=itemgetter(0, 1))
            self.closed += self.waiting
            self.waiting = []
        return None

    @cython.cfunc
    def busy(self) -> list:
        """The instruments with an open frame, by id."""
        return sorted(self.active + self.pending, key=attrgetter("instrument_id"))

    @cython.cfunc
    def end_runs(self) -> object:
        """End the events that no last record ends: a run of L1 records, a snapshot."""
        instrument: Instrument
        if self.running is not None:
            self.end_event(self.running)
        for instrument in self.busy():
            if instrument.event.open and instrument.event.snapshot:
                self.end_event(instrument)
        return None

    def clock(self, ts: int) -> None:
        """Time has come this far although nothing came: the frame of silence that ended last goes out too."""
        self.end_runs()
        self.newest = max(self.newest, ts)
        self.end_overdue()
        if self.mode == BY_TIME and ts >= self.boundary:
            self.cross(ts)
            self.cover(self.boundary - self.every)
            self.release()

    @cython.cfunc
    def cover(self, end: cython.longlong) -> object:
        """The frame that ends there goes out for every instrument, even if it held nothing."""
        instrument: Instrument
        for instrument in self.instruments.values():
            if instrument is None:
                continue
            if instrument.frame.end:
                if instrument.frame.end < end:
                    instrument.owed.append(end)
            elif instrument.closed_end < end:
                instrument.frame.restart(end)
                self.close(instrument, end, True)
        return None

    def interrupt(self, ts: int) -> None:
        """Something happened to the stream: what is open ends here, so that nothing spans it."""
        instrument: Instrument
        self.end_runs()
        if self.mode == BY_TIME and self.boundary and ts >= self.boundary:
            self.cross(ts)
        self.newest = max(self.newest, ts)
        busy: list = self.busy()
        self.active, self.pending = [], []
        for instrument in busy:
            if instrument.event.open:
                self.mark_unterminated(instrument)
                instrument.end_event()
            end: cython.longlong = instrument.frame.end if self.mode == BY_TIME else self.newest
            self.let_go(instrument, min(end, self.newest), True)
        self.close_rest(True)
        self.release()

    def resize(self, every: int) -> None:
        """Frames by time have another length (ns) from here on; none may be open."""
        self.every = every
        if self.boundary:
            self.boundary = (self.newest // every + 1) * every

    def pause(self, ts: int) -> None:
        """Nothing is heard any more: what is open ends here, and every instrument has a frame that tells it."""
        instrument: Instrument
        busy: list = self.busy()
        self.end_runs()
        before: int = len(self.closed)
        self.interrupt(ts)
        for instrument in self.instruments.values():
            if instrument is None or instrument in busy:
                continue
            instrument.frame.restart(self.newest)
            self.close(instrument, self.newest, True)
        self.release()
        self.closed[before:] = sorted(self.closed[before:], key=itemgetter(0, 1))

    @cython.cfunc
    def close_rest(self, closed: cython.bint) -> object:
        """Close what was still open behind frames that waited for their events."""
        instrument: Instrument
        for instrument in self.active:
            self.close(instrument, min(instrument.frame.end, self.newest) if closed else instrument.frame.end, closed)
        self.active = []
        return None

    def inform(self, ts: int, wanted: list[int], fact: ContextFact) -> None:
        """A fact for these instruments. It makes a frame by time exist, moves time, and ends no event.

        Frames that ended before it close first. One whose event is not complete waits, and the fact goes into the
        frame behind it.
        """
        self.newest = max(self.newest, ts)
        if self.newest > self.deadline:
            self.end_overdue()
        if self.mode == BY_TIME and self.newest >= self.boundary:
            self.cross(self.newest)
        for instrument_id in wanted:
            self.take_fact(self.instruments[instrument_id], ts, fact)
        self.release()

    @cython.cfunc
    def take_fact(self, instrument: Instrument, ts: cython.longlong, fact: object) -> object:
        by_time: cython.bint = self.mode == BY_TIME
        due: cython.longlong = self.boundary if by_time else 0
        instrument.late += ts < (due - self.every if by_time else instrument.closed_end)
        instrument.last_time = self.newest
        if 0 < instrument.frame.end < due:
            instrument.later.append((due, fact))
            return None
        self.open_frame(instrument)
        instrument.facts.append(fact)
        return None

    def finish(self) -> None:
        """The input ends: frames still open go out marked so, for more input could change them."""
        instrument: Instrument
        if self.running is not None:
            self.running.end_event()
            self.running = None
        busy: list = self.busy()
        self.active, self.pending = [], []
        for instrument in busy:
            if instrument.event.open:
                self.mark_unterminated(instrument)
                instrument.end_event()
            instrument.sweeps.end()
            self.let_go(instrument, instrument.frame.end if self.mode == BY_TIME else instrument.last_time, False)
        self.close_rest(False)
        self.release()

    def tell(self, instrument_id: int) -> None:
        """An open frame of an instrument that was silent, to carry what must still be said at the end."""
        instrument: Instrument = self.instruments.get(instrument_id)
        if instrument is not None:
            end: cython.longlong = self.boundary if self.mode == BY_TIME else self.newest
            instrument.frame.restart(end)
            self.close(instrument, end, False)
            self.release()
