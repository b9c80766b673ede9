"""An independent reader of the market in plain Python: the oracle of the compiled one. Slow and obvious on purpose.

The parts are reference_records (bytes to values), reference_book (orders and levels), reference_orders (facts about
orders), reference_icebergs (those of icebergs), reference_frame (sums of a frame), reference_state (one instrument,
and its packet) and this file (time, events, frames). Choices where the definitions leave one:

Time. Only market records (mbo, mbp, trades, bbo, ohlcv) and system records carry time; mappings, definitions and
all other types do not. ``newest`` is the largest time so far, over all instruments; a market record more than 1 s
behind it is bad data (a system record is not). Before a record is taken in, events that it ends are ended.

Events. mbo: up to F_LAST. A change between snapshot and other records ends the open event; a record of the
instrument in another schema, or a clock, ends its snapshot run; once ``newest`` is more than 1 s past an event's first
record the event ends at once. An event without F_LAST that is not a snapshot is then ``unterminated`` (also at the
end of input). Other schemas: consecutive records of one instrument with equal ts_event, whatever their schema, with
no order, bar, system record or other instrument's record between. A bar is an event of its own. Everything takes
effect when its event is complete. ``events`` counts mbo events ended that are no snapshots, ``snapshots`` the
snapshot runs.

Frames by time. A symbol's frame is closed when ``newest`` is at or past its end and the symbol has no open event that
belongs to it or to an earlier one: all records of the symbol then belong to the frame of that event, else to the one
that ``newest`` lies in. Late is judged record by record, by the record's own time, at its arrival. A clock covers
the frame that ended last, if the clock is the first to come past that end, for each instrument that has had a market
record. Any other system record ends all open events and closes all open frames, at ``newest`` if they end later; but
``reconnect`` does nothing at all, and ``stale`` also gives each instrument that had no open frame one at ``newest``.
Packets go out in batches sorted by (end, instrument), none while a frame waits for its event. At the end of input
open events are ended as they stand; frames not closed before that come out with ``closed`` False.

Frames by trade or count. A frame closes with the event that holds a counted T, or that makes its records of the
richest schema so far reach the number. Its end is ``newest`` as of the instrument's last record, but not before
the end of its last frame. A record is late if older than that. Clocks cover nothing, other system records close all
open frames at ``newest``.

Facts (news, fill, account, kill) move time as a clock does, end no event, and go into the frame by time in which
``newest`` then lies, or into the open one by trade or count, of each instrument that they concern; that frame exists
then. They are never too late; one older than its frame's begin, or than the end of the last, is counted late.

Several schemas of one instrument: see reference_state. A record that gives nothing is ``dropped``: it moves time,
makes a frame by time exist and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from qmo_cli.blocks import SECOND
from qmo_cli.errors import BadData

from .reference_records import Record, decode
from .reference_state import Given, Open, State, Sums, frame_of, take_mbo, take_other

Frame = dict[str, Any]
Mode = Literal["time", "trade", "count"]

FLAGS = {"maybe_bad_book": 4, "bad_ts_recv": 8, "snapshot": 32}
GOLD_TICK = 100_000_000  # 1e-9 money


class ReferenceReader:
    """Records in, one by one; frames out at the end. ``every``: ns, or records in mode count."""

    def __init__(
        self, every: int, tick: Callable[[int], int | None] = lambda _: GOLD_TICK, mode: Mode = "time",
    ) -> None:
        self.every = every
        self.tick = tick                              # instrument id -> tick in 1e-9
        self.mode = mode
        self.newest = 0
        self.states: dict[int, State] = {}
        self.names: dict[int, tuple[str, str | None]] = {}
        self.waiting: list[Frame] = []
        self.frames: list[Frame] = []
        self.facts: list[tuple[Record, Frame]] = []
        self.events = 0
        self.snapshots = 0

    def read(self, data: bytes, schema: str | None = None) -> None:
        """Take in one DBN record. Raises BadData when it is more than 1 s behind."""
        record = decode(data, schema)
        if record is None:
            return
        if record.schema == "mapping":
            self.names[record.instrument] = (record.series, record.symbol)
        elif record.schema == "system":
            self._system(record)
        elif record.schema == "fact":
            self._fact(record)
        else:
            self._market(record)
        self._release()

    def finish(self) -> list[Frame]:
        """End what is open and give all frames."""
        for state in self.states.values():
            for kind in list(state.open):
                self._end(state, kind, fills=False)
            for end in sorted(state.frames):
                self._emit(state, end, end or state.last, closed=False)
        self._release()
        return self.frames

    def _system(self, record: Record) -> None:
        if record.kind == "reconnect":
            return
        before, self.newest = self.newest, max(self.newest, record.time)
        if record.kind == "stale":
            self._open_all()
        for state in self._by_id():
            for kind, event in list(state.open.items()):
                if kind == "others" or event.snapshot:
                    self._end(state, kind)
        if not record.clock:
            self._interrupt()
        self._end_overdue()
        end = self.newest // self.every * self.every
        if record.clock and self.mode == "time" and end > before:
            for state in self.states.values():
                state.frames.setdefault(end, Sums())
        self._close()

    def _open_all(self) -> None:
        """Each instrument has a frame that tells what happened, if only an empty one that ends at ``newest``."""
        for state in self.states.values():
            if not state.frames:
                state.frames[0] = Sums()

    def _fact(self, record: Record) -> None:
        """A fact goes into the frame that time has come to, of each instrument that it concerns."""
        late = str(self.newest) if record.time < self.newest else None
        self.newest = max(self.newest, record.time)
        self._end_overdue()
        self._close()
        self.facts.append((record, self._told(record, late)))
        now = 0 if self.mode != "time" else (self.newest // self.every + 1) * self.every
        for state in self._by_id():
            if concerns(record, state.instrument, *self._names(state)):
                state.frames.setdefault(now, Sums()).facts.append(self.facts[-1][1])
                behind = record.time // self.every * self.every + self.every < now
                state.late += behind if self.mode == "time" else record.time < state.last_end
                state.last = self.newest

    def _told(self, record: Record, late: str | None) -> Frame:
        fact = fact_of(record, late)
        if fact["kind"] == "fill" and fact["symbol"] is None and record.instrument:
            series, symbol = self.names.get(record.instrument, (str(record.instrument), None))
            fact["symbol"] = symbol or series
        return fact

    def _names(self, state: State) -> tuple[str, str | None]:
        return self.names.get(state.instrument, (str(state.instrument), None))

    def _interrupt(self) -> None:
        """End all events, and close all frames here, so that none spans what happened."""
        for state in self._by_id():
            for kind in list(state.open):
                self._end(state, kind, fills=False)
            for end in sorted(state.frames):
                self._emit(state, end, min(end or self.newest, self.newest), closed=True)

    def _by_id(self) -> list[State]:
        return [self.states[instrument] for instrument in sorted(self.states)]

    def _market(self, record: Record) -> None:
        if self.newest - record.time > SECOND:
            raise BadData(f"a record of {record.time} comes after {self.newest}")
        for state in self.states.values():
            if "others" in state.open and not goes_on(state.open["others"], record):
                self._end(state, "others")
        self.newest = max(self.newest, record.time)
        record = replace(record, arrived=self.newest)
        self._end_overdue()
        state = self._state(record)
        if "orders" in state.open and state.open["orders"].snapshot != record.snapshot_order:
            self._end(state, "orders")
        self._close()
        state.last = self.newest
        state.late += self._is_late(state, record)
        given = state.give(record)
        if given is None:
            state.dropped += 1
            if self.mode == "time":
                state.frames.setdefault(self._frame(state), Sums())
        else:
            self._join(state, given)
        self._close()

    def _state(self, record: Record) -> State:
        state = self.states.get(record.instrument)
        if state is None:
            state = State(record.instrument, self.newest // self.every * self.every)
            self.states[record.instrument] = state
            named = self._names(state)
            state.early = [fact for known, fact in self.facts if concerns(known, state.instrument, *named)]
        return state

    def _is_late(self, state: State, record: Record) -> bool:
        if self.mode == "time":
            return (record.time // self.every + 1) * self.every <= state.closed
        return record.time < state.last_end

    def _frame(self, state: State) -> int:
        """The frame that a record belongs to: its end, or 0 where that is not known yet."""
        if self.mode != "time":
            return 0
        now = (self.newest // self.every + 1) * self.every
        return min((event.frame for event in state.open.values()), default=now)

    def _end_overdue(self) -> None:
        """End the events that have lasted too long."""
        for state in self._by_id():
            if "orders" in state.open and self.newest - state.open["orders"].first.time > SECOND:
                self._end(state, "orders")

    def _join(self, state: State, given: Given) -> None:
        """Put the record into its event, and end the event if it is the last."""
        record, frame = given.record, self._frame(state)
        kind = "orders" if record.schema == "mbo" else "bar" if record.bar else "others"
        state.open.setdefault(kind, Open(frame, [])).given.append(given)
        state.frames[frame].count += state.leads(record)
        if record.bar or (record.schema == "mbo" and record.last):
            self._end(state, kind)

    def _end(self, state: State, kind: str, *, fills: bool = True) -> None:
        """The event is complete: let it take effect. ``fills``: it may complete a frame by trade or count."""
        event = state.open.pop(kind)
        sums = state.frames[event.frame]
        for given in event.given:
            sums.flags.update(name for name, bit in FLAGS.items() if given.record.flags & bit)
        if kind == "bar":
            state.take_bar(event.first, sums)
        elif kind == "orders":
            self._count(event, sums)
            sums.events.append(take_mbo(state, event.given))
        else:
            sums.events.append(take_other(state, event.given))
        if fills and self._is_full(sums, kind) and not state.open:
            self._emit(state, 0, max(state.last, state.last_end), closed=True)
            self._release()

    def _is_full(self, sums: Sums, kind: str) -> bool:
        """Whether an event that just ended completes a frame by trade or count."""
        if self.mode == "trade":
            return kind != "bar" and bool(sums.events[-1].trades)
        return self.mode == "count" and sums.count >= self.every

    def _count(self, event: Open, sums: Sums) -> None:
        if event.snapshot:
            self.snapshots += 1
            return
        self.events += 1
        if not event.given[-1].record.last:
            sums.flags.add("unterminated")

    def _close(self) -> None:
        """Close every frame by time that is over."""
        if self.mode != "time":
            return
        for state in self.states.values():
            over = self.newest // self.every * self.every
            state.closed = max(state.closed, min([over, *(event.frame - self.every for event in state.open.values())]))
            for end in sorted(state.frames):
                if end <= state.closed:
                    self._emit(state, end, end, closed=True)

    def _emit(self, state: State, frame: int, ts: int, *, closed: bool) -> None:
        series, symbol = self._names(state)
        sums = state.frames.pop(frame)
        slots = frame_of(state, sums, ts, self.tick(state.instrument), closed=closed)
        slots["inputs"]["context"] = state.early + sums.facts or None
        state.early = []
        head = {"ts": ts, "instrument_id": state.instrument, "series": series, "symbol": symbol, "closed": closed}
        self.waiting.append({**head, "price": slots["market"]["price"], **slots})
        state.last_end = ts

    def _release(self) -> None:
        """Let frames go, unless an event goes on past its frame's end."""
        if not any(0 < event.frame <= self.newest for state in self.states.values() for event in state.open.values()):
            self.frames += sorted(self.waiting, key=lambda frame: (frame["ts"], frame["instrument_id"]))
            self.waiting = []


def concerns(record: Record, instrument: int, series: str, symbol: str | None) -> bool:
    """Whether a fact is about an instrument."""
    assert record.fact is not None
    wanted = record.fact
    if "series" in wanted:
        return bool(wanted["series"] == series)
    if wanted["schema"] == "fill":
        return True
    return wanted["symbol"] in (series, symbol) if "symbol" in wanted else record.instrument in (0, instrument)


CONTEXT = {
    "news": {"headline": None, "impact": None, "sentiment": None, "source": None},
    "fill": {"symbol": None, "side": None, "price": None, "size": None, "order_id": None, "fees": None},
    "account": {"balance": None, "equity": None, "position": None, "currency": "USD"},
    "kill": {"active": True, "detail": ""},
}


def fact_of(record: Record, late: str | None) -> Frame:
    """A fact as a packet shows it."""
    given = record.fact or {}
    values = {name: given.get(name, value) for name, value in CONTEXT[given["schema"]].items()}
    return {"kind": given["schema"], "ts_event": str(record.time), **values, "late": late}


def goes_on(event: Open, record: Record) -> bool:
    """Whether a record continues an open event of a schema without orders."""
    alike = record.schema != "mbo" and not record.bar and record.instrument == event.first.instrument
    return alike and record.ts_event == event.first.ts_event
