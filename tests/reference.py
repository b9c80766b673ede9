"""An independent reader of the market in plain Python: the oracle of the compiled one. Slow and obvious on purpose.

The parts are reference_records (bytes to values), reference_book (orders and levels), reference_orders (icebergs
and other order facts), reference_frame (sums of a frame), reference_state (one instrument, and its packet) and this
file (time, events, frames). Choices where the definitions leave one:

Time. Only market records (mbo, mbp, trades, bbo, ohlcv) and system records carry time; mappings, definitions and
all other types do not. ``newest`` is the largest time so far, over all instruments; a market record more than 1 s
behind it is bad data (a system record is not). Before a record is taken in, events that it ends are ended.

Events. mbo: up to F_LAST. A change between snapshot and other records ends the open event, so does an R with
F_SNAPSHOT, a clock ends every snapshot run, and a stream more than 1 s past an event's first record ends it; an
event without F_LAST that is not a snapshot is then ``unterminated`` (also at the end of input). Other schemas: the
instrument's records with equal ts_event, whatever other instruments' records stand between, but a record of another
instrument, or a clock, at or past the end of its frame ends it. A bar is an event of its own. Everything takes
effect when its event is complete. ``events`` counts mbo events ended that are no snapshots, ``snapshots`` the
snapshot runs.

Frames. A symbol's frame is closed when ``newest`` is at or past its end and the symbol has no open event that
belongs to it or to an earlier one: its later records then belong to the open frame, at the earliest (late records
too). Late is judged record by record, by the record's own time, at its arrival. Packets are sorted by (end,
instrument). A clock at ts covers the frame with end ts // every * every of each instrument that has had a market
record, unless it is closed already. At the end of input open events are ended as they stand; frames not closed
before that come out with ``closed`` False.

Several schemas of one instrument. Trades come from the first of mbo, mbp-10, mbp-1, tbbo, trades that was seen,
quotes from the first of mbo, mbp-10, mbp-1, tbbo, bbo-1s, bbo-1m, bars from every ohlcv. A record that gives
nothing is ``dropped``: it moves time, makes the frame exist and nothing else. ``access`` is the first seen of all,
ohlcv last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qmo_cli.blocks import SECOND
from qmo_cli.errors import BadData

from .reference_records import Record, decode
from .reference_state import QUOTES_FROM, TRADES_FROM, Open, State, Sums, frame_of, take_mbo, take_other

Frame = dict[str, Any]

FLAGS = {"maybe_bad_book": 4, "bad_ts_recv": 8, "snapshot": 32}
GOLD_TICK = 100_000_000  # 1e-9 money


class ReferenceReader:
    """Records in, one by one; frames out at the end, sorted by (end, instrument)."""

    def __init__(self, every_ns: int, tick: Callable[[int], int | None] = lambda instrument: GOLD_TICK) -> None:
        self.every = every_ns
        self.tick = tick                              # instrument id -> tick in 1e-9
        self.newest = 0
        self.states: dict[int, State] = {}
        self.names: dict[int, tuple[str, str | None]] = {}
        self.frames: list[Frame] = []
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
        else:
            self._market(record)

    def finish(self) -> list[Frame]:
        """End what is open and give all frames."""
        for state in self.states.values():
            for schema in list(state.open):
                self._end(state, schema)
            for end in sorted(state.frames):
                self._emit(state, end, closed=False)
        return sorted(self.frames, key=lambda frame: (frame["ts"], frame["instrument_id"]))

    def _system(self, record: Record) -> None:
        if record.clock:
            self._cover(record.time // self.every * self.every)
        self.newest = max(self.newest, record.time)
        self._end_overdue(None, record.clock)
        self._close()

    def _cover(self, end: int) -> None:
        for state in self.states.values():
            if end > state.closed:
                state.frames.setdefault(end, Sums())

    def _market(self, record: Record) -> None:
        if self.newest - record.time > SECOND:
            raise BadData(f"a record of {record.time} comes after {self.newest}")
        self.newest = max(self.newest, record.time)
        self._end_overdue(record, clock=False)
        state = self._state(record)
        state.late += (record.time // self.every + 1) * self.every <= state.closed
        state.seen.add(record.schema)
        if self._gives(state, record.schema):
            self._join(state, record)
        else:
            state.dropped += 1
            state.frames.setdefault(self._frame(state, record), Sums())
        self._close()

    def _state(self, record: Record) -> State:
        state = self.states.get(record.instrument)
        if state is None:
            state = State(record.instrument, self.newest // self.every * self.every)
            self.states[record.instrument] = state
        state.publisher = record.publisher
        return state

    @staticmethod
    def _gives(state: State, schema: str) -> bool:
        bar = schema.startswith("ohlcv")
        return bar or schema in (state.best(TRADES_FROM), state.best(QUOTES_FROM))

    def _frame(self, state: State, record: Record) -> int:
        """End of the frame that the record belongs to: its own, or the open one if that is closed."""
        return max((record.time // self.every + 1) * self.every, state.closed + self.every)

    def _end_overdue(self, record: Record | None, clock: bool) -> None:
        """End the events that cannot go on, given this record, or that must not."""
        for state in self.states.values():
            for schema, event in list(state.open.items()):
                own = record is not None and (record.instrument, record.schema) == (state.instrument, schema)
                if schema == "mbo":
                    ends = self.newest - event.first.time > SECOND or (clock and event.snapshot)
                    ends = ends or (own and record is not None and not goes_on(event, record))
                else:
                    ends = not goes_on(event, record) if own and record else self.newest >= event.frame
                if ends:
                    self._end(state, schema)
        self._close()

    def _join(self, state: State, record: Record) -> None:
        """Put the record into its event, and end the event if it is the last."""
        if record.schema not in state.open:
            state.open[record.schema] = Open(self._frame(state, record), [])
        state.open[record.schema].records.append(record)
        if record.bar or (record.schema == "mbo" and record.last):
            self._end(state, record.schema)

    def _end(self, state: State, schema: str) -> None:
        """The event is complete: let it take effect."""
        event = state.open.pop(schema)
        sums = state.frames[event.frame]
        for record in event.records:
            sums.flags.update(name for name, bit in FLAGS.items() if record.flags & bit)
        if schema == "mbo":
            self._count(event, sums)
            sums.events.append(take_mbo(state, event.records))
        elif event.first.bar:
            state.bar = event.first
            sums.bars.append(event.first)
        else:
            sums.events.append(take_other(state, event.records))

    def _count(self, event: Open, sums: Sums) -> None:
        if event.snapshot:
            self.snapshots += 1
            return
        self.events += 1
        if not event.records[-1].last:
            sums.flags.add("unterminated")

    def _close(self) -> None:
        """Close every frame that is over."""
        for state in self.states.values():
            over = self.newest // self.every * self.every
            state.closed = max(state.closed, min([over, *(event.frame - self.every for event in state.open.values())]))
            for end in sorted(state.frames):
                if end <= state.closed:
                    self._emit(state, end, closed=True)

    def _emit(self, state: State, end: int, *, closed: bool) -> None:
        series, symbol = self.names.get(state.instrument, (str(state.instrument), None))
        frame = frame_of(state, state.frames.pop(end), end, self.tick(state.instrument))
        head = {"ts": end, "instrument_id": state.instrument, "series": series, "symbol": symbol, "closed": closed}
        self.frames.append({**head, "price": frame["market"]["price"], **frame})


def goes_on(event: Open, record: Record) -> bool:
    """Whether the record of the same instrument and schema continues the open event."""
    if record.schema != "mbo":
        return record.ts_event == event.first.ts_event
    return record.snapshot == event.snapshot and not (record.snapshot and record.action == "R")
