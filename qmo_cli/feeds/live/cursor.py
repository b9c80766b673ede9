"""How far the stream has come, so that a new connection can go on exactly there.

The vendor replays from a time on, and several records can have that time. So the last second is asked for again, and of
each instant as many records are left out as were delivered of it: none is lost and none comes twice, even where some
came out of order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ...blocks import BBO_1M, BBO_1S, F_LAST, F_SNAPSHOT, MBO, SECOND, UNDEF_TIME
from ...market import stream
from ...records.layout import header_at

OVERLAP = SECOND                # ns that are asked for again
FLAGS, TS_RECV = 36, 40         # offsets in an MBO record


class Seen(NamedTuple):
    """A market record, and what it is known by."""

    rtype: int
    instrument_id: int
    ts_event: int               # ns
    data: bytes

    @property
    def received(self) -> int:
        """ts_recv of an MBO record, ns."""
        return int.from_bytes(self.data[TS_RECV:TS_RECV + 8], "little")

    @property
    def snapshot(self) -> int | None:
        """Time (ns) of the snapshot that an MBO record belongs to: its orders are older than it is."""
        if self.rtype != MBO or not self.data[FLAGS] & F_SNAPSHOT:
            return None
        return self.received


def seen(record: bytes) -> Seen:
    """A market record, known by the time that the vendor replays its type by: ts_event, of a bbo ts_recv."""
    rtype, _, instrument_id, ts_event = header_at(record, 0)
    if rtype in (BBO_1S, BBO_1M) or ts_event == UNDEF_TIME:
        ts_event = stream.record_time(record, 0)
    return Seen(rtype, instrument_id, ts_event, record)


@dataclass(slots=True)
class Cursor:
    """The latest ts_event by record type, and how many records each instant of its last second had."""

    positions: dict[int, int] = field(default_factory=dict)     # rtype -> ns
    seconds: dict[tuple[int, int], Counter[tuple[int, int, int]]] = field(default_factory=dict)  # by rtype and second
    snapshots: dict[int, tuple[int, int]] = field(default_factory=dict)  # of each id the last: ns, how many records
    held: dict[int, int] = field(default_factory=dict)  # of each id: ns, ts_recv before which all is in its snapshot

    def advance(self, records: Iterable[Seen]) -> None:
        """These records were delivered."""
        for record in records:
            if record.snapshot is not None:
                self._snapshot(record, record.snapshot)
            elif record.ts_event != UNDEF_TIME:
                self._instant(record)

    def _instant(self, record: Seen) -> None:
        if record.rtype == MBO and record.received < self.held.get(record.instrument_id, -1):
            self.held[record.instrument_id] = record.received  # it came after the snapshot, whatever the times say
        if record.ts_event > self.positions.get(record.rtype, -1):
            self.positions[record.rtype] = record.ts_event
        key = record.rtype, record.ts_event // SECOND
        if key not in self.seconds:
            self.seconds[key] = Counter()
            self._forget(record.rtype)
        if key in self.seconds:
            self.seconds[key][record[:3]] += 1

    def _snapshot(self, record: Seen, taken: int) -> None:
        """Once a snapshot is whole, the stream goes on from its time (ns)."""
        latest, count = self.snapshots.get(record.instrument_id, (-1, 0))
        if taken >= latest:
            self.snapshots[record.instrument_id] = taken, 1 + count * (taken == latest)
            self.held[record.instrument_id] = taken
        if record.data[FLAGS] & F_LAST:
            self.positions[MBO] = max(self.positions.get(MBO, 0), taken)

    def _forget(self, rtype: int) -> None:
        """Drop the seconds of a type that are too old to be asked for again."""
        oldest = self.positions[rtype] // SECOND - 2
        for old in [known for known in self.seconds if known[0] == rtype and known[1] < oldest]:
            del self.seconds[old]

    def clear(self) -> None:
        """Begin anew: nothing was delivered."""
        self.positions.clear()
        self.seconds.clear()
        self.snapshots.clear()
        self.held.clear()

    def start(self, rtype: int) -> int | None:
        """From which ts_event (ns) records of a type are asked for again; None: none was delivered yet."""
        position = self.positions.get(rtype)
        return None if position is None else max(0, position - OVERLAP)

    @property
    def latest(self) -> int | None:
        """From which ts_event (ns) a type is asked for of which nothing came so far, though others did."""
        return max(0, max(self.positions.values()) - OVERLAP) if self.positions else None

    def skipping(self) -> Skip:
        """What a new connection must leave out."""
        instants: Counter[tuple[int, int, int]] = Counter()
        for counts in self.seconds.values():
            instants.update(counts)
        return Skip(dict(self.positions), instants, dict(self.snapshots), dict(self.held))


@dataclass(slots=True)
class Skip:
    """Leaves out of a new connection's records those that were delivered before."""

    positions: dict[int, int]
    seen: Counter[tuple[int, int, int]]
    snapshots: dict[int, tuple[int, int]]   # instrument id -> ns, how many records of it are still to be left out
    held: dict[int, int]

    def known(self, record: Seen) -> bool:
        """Whether a record was delivered before; it is then counted off."""
        taken = record.snapshot
        if taken is not None:
            return self._snapshot(record.instrument_id, taken)
        position = self.positions.get(record.rtype)
        if position is None or record.ts_event > position:
            return False
        key = record[:3]
        if record.ts_event < position - OVERLAP:
            return True
        if self.seen[key] > 0:
            self.seen[key] -= 1
            return True
        return self._held(record)

    def _snapshot(self, instrument_id: int, taken: int) -> bool:
        latest, left = self.snapshots.get(instrument_id, (-1, 0))
        if taken == latest and left > 0:
            self.snapshots[instrument_id] = latest, left - 1
            return True
        return taken < latest

    def _held(self, record: Seen) -> bool:
        """Whether what an order record says is in the snapshot that was delivered."""
        return record.rtype == MBO and record.received < self.held.get(record.instrument_id, -1)
