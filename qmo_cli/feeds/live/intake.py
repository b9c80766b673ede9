"""What one connection brings, sorted: market records that go on, and what the gateway says about itself.

Records go on by whole events and snapshots: one that a lost connection tore is then asked for again as a whole.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...blocks import (
    DEFINITION,
    ERROR,
    F_LAST,
    MAPPING,
    MBO,
    SECOND,
    STATISTICS,
    STATUS,
    SYSTEM,
    UNDEF_TIME,
)
from ...market import stream
from ...records.layout import (
    ACKNOWLEDGED,
    END_OF_INTERVAL,
    HEARTBEAT,
    REPLAY_COMPLETED,
    SCHEMAS,
    header_at,
    read_error,
    read_mapping,
    read_system,
)
from ...records.own import Kind
from ..symbology import ASKED
from .cursor import FLAGS, Cursor, Seen, Skip, seen
from .request import SKIPPED, UNKNOWN_SYMBOL, Lost, Refused

logger = logging.getLogger(__name__)

FAMILIES = (".FUT", ".OPT", ".SPOT")  # parent symbols stand for many instruments at once
LATE = SECOND                   # ns that a record may be behind the newest
NEVER_LATE = (DEFINITION, STATUS, STATISTICS)  # they are in no frame, and move no time


Names = dict[int, tuple[str, str | None]]        # instrument id -> series, raw symbol
Moves = tuple[tuple[str, int, int], ...]         # series, instrument id before and now


@dataclass(frozen=True, slots=True)
class Said:
    """Something about the stream that is told downstream."""

    kind: Kind                  # of a system record
    detail: str
    count: int | None = None


@dataclass(slots=True)
class Intake:
    """The state of one connection's stream."""

    cursor: Cursor
    names: Names                # of all connections
    replays: int                # subscriptions that begin in the past
    skip: Skip                  # what the connections before delivered
    newest: int                 # ns, time of the newest record or clock mark
    reached: int = 0            # ns, time of the newest record of this connection
    records: int = 0            # market records
    replayed: int = 0           # subscriptions whose replay has come to now
    fresh: bool = False         # whether the last data held market records
    heard: bool = False         # whether it held a heartbeat: the gateway had nothing more
    heartbeats: int = 0         # since the last market record
    beaten: int = 0             # ns, the gateway's time at its last heartbeat
    late: int = 0               # records that came too late to be used, not yet told
    moved: list[tuple[str, int, int]] = field(default_factory=list)
    _held: list[Seen] = field(default_factory=list)
    _done: list[Seen] = field(default_factory=list)  # whole events that nobody has asked for yet
    _open: set[int] = field(default_factory=set)    # instruments in the middle of an event

    def take(self, data: bytes) -> Iterator[Said]:
        """Sort whole records. What goes on is had by ``ready``. Raises Lost for bytes that are no records, Refused."""
        if stream.whole(data, 0) != len(data):
            raise Lost("what it sent is no record")
        at, before, self.heard = 0, self.records, False
        while at < len(data):
            stop = at + 4 * data[at]
            rtype = data[at + 1]
            if rtype in SCHEMAS:
                self._market(data[at:stop])
            elif rtype == MAPPING:
                self._map(data[at:stop])
            elif rtype == SYSTEM:
                yield from self._system(header_at(data, at)[3], *read_system(data, at))
            elif rtype == ERROR:
                yield from self._error(*read_error(data, at))
            at = stop
        self.fresh = self.records > before

    def ready(self, *, all_of_it: bool = False) -> bytes:
        """What can go on: whole events, or with ``all_of_it`` whatever is there. It counts as delivered."""
        if all_of_it:
            self._open.clear()
            self._release()
        done, self._done = self._done, []
        self.cursor.advance(record for record in done if record.rtype != MAPPING)
        return b"".join([record.data for record in done])

    @property
    def oldest(self) -> Seen | None:
        """The record that has waited longest for the rest of its event."""
        return self._held[0] if self._held else None

    @property
    def caught_up(self) -> bool:
        """Whether what comes is of now, by what the gateway says. It may be silent for a while ahead of a replay."""
        return self.replayed >= self.replays or self.heartbeats > 1

    def left_out(self) -> Iterator[Said]:
        """What to tell of records that came too late, since it was asked last."""
        if self.late:
            words = "records came more than a second late, after their frames were closed, and are left out"
            yield Said("skipped", f"{self.late} {words}", self.late)
            self.late = 0

    def _market(self, record: bytes) -> None:
        if stream.first_fault(record, 0) != len(record):
            raise Lost(f"record {self.records + 1} of it is damaged")
        one = seen(record)
        self.records += 1
        self.heartbeats = 0
        if self.skip.known(one):
            return
        if not self._in_time(record):
            self.late += 1
            self.cursor.advance([one])
            return
        self._held.append(one)
        if one.rtype == MBO and not record[FLAGS] & F_LAST:
            self._open.add(one.instrument_id)
        else:
            self._open.discard(one.instrument_id)
        if not self._open:
            self._release()

    def _in_time(self, record: bytes) -> bool:
        ts = stream.record_time(record, 0)
        if ts == UNDEF_TIME or record[1] in NEVER_LATE:
            return True
        if ts < self.newest - LATE:
            return False
        self.reached = max(self.reached, ts)
        self.newest = max(self.newest, ts)
        return True

    def _release(self) -> None:
        self._done += self._held
        self._held.clear()

    def _map(self, record: bytes) -> None:
        instrument_id, series, symbol = read_mapping(record, 0)
        if self.names.get(instrument_id) == (series, symbol):
            return
        before = [known for known, (name, _) in self.names.items() if name == series and known != instrument_id]
        if before and ASKED.search(series) and not series.upper().endswith(FAMILIES):
            self._move(series, before[0], instrument_id)
            return
        self.names[instrument_id] = (series, symbol)
        self._release()
        self._done.append(Seen(MAPPING, instrument_id, 0, record))

    def _move(self, series: str, old: int, new: int) -> None:
        """The series has left a contract; the gateway says so once for each schema."""
        if (series, old, new) not in self.moved:
            self.moved.append((series, old, new))

    def _system(self, ts: int, code: int, text: bytes) -> Iterator[Said]:
        words = text.decode("utf-8", "replace")
        if code in (HEARTBEAT, ACKNOWLEDGED, END_OF_INTERVAL) or words == "Heartbeat":
            if code == HEARTBEAT:
                self.heard, self.beaten = True, ts
                self.heartbeats += 1
            logger.debug("live: %s", words)
        elif code == REPLAY_COMPLETED:
            self.replayed += 1
        else:
            yield Said("vendor", words)

    def _error(self, code: int, text: bytes) -> Iterator[Said]:
        words = text.decode("utf-8", "replace")
        if code == UNKNOWN_SYMBOL:
            yield Said("error", words)
        elif code == SKIPPED:
            yield Said("gap", f"the vendor left out records: {words}")
        else:
            raise Refused(code, words)
