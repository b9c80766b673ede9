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

from ...blocks import F_LAST, F_SNAPSHOT, MBO, SECOND

OVERLAP = SECOND                # ns that are asked for again
FLAGS, TS_RECV = 36, 40         # offsets in an MBO record


class Seen(NamedTuple):
    """A market record, and what it is known by."""

    rtype: int
    instrument_id: int
    ts_event: int               # ns
    data: bytes

    @property
    def snapshot(self) -> int | None:
        """Time (ns) of the snapshot that an MBO record belongs to: its orders are older than it is."""
        if self.rtype != MBO or not self.data[FLAGS] & F_SNAPSHOT:
            return None
        return int.from_bytes(self.data[TS_RECV:TS_RECV + 8], "little")


@dataclass(slots=True)
class Cursor:
    """The latest ts_event by record type, and how many records each instant of the last second had."""

    positions: dict[int, int] = field(default_factory=dict)                      # rtype -> ns
    seconds: dict[int, Counter[tuple[int, int, int]]] = field(default_factory=dict)
    snapshot: int = -1          # ns, time of the last one; they are delivered whole

    def advance(self, records: Iterable[Seen]) -> None:
        """These records were delivered."""
        for record in records:
            taken = record.snapshot
            if taken is not None:
                self._snapshot(taken, last=bool(record.data[FLAGS] & F_LAST))
                continue
            if record.ts_event > self.positions.get(record.rtype, -1):
                self.positions[record.rtype] = record.ts_event
            second = record.ts_event // SECOND
            if second not in self.seconds:
                self.seconds[second] = Counter()
                self._forget()
            if second in self.seconds:
                self.seconds[second][record[:3]] += 1

    def _snapshot(self, taken: int, *, last: bool) -> None:
        """Once a snapshot is whole, the stream goes on from its time (ns)."""
        self.snapshot = max(self.snapshot, taken)
        if last:
            self.positions[MBO] = max(self.positions.get(MBO, 0), taken)

    def _forget(self) -> None:
        """Drop the seconds that are too old to be asked for again."""
        oldest = min(self.positions.values(), default=0) // SECOND - 2
        for old in [known for known in self.seconds if known < oldest]:
            del self.seconds[old]

    def clear(self) -> None:
        """Begin anew: nothing was delivered."""
        self.positions.clear()
        self.seconds.clear()
        self.snapshot = -1

    def start(self, rtype: int) -> int | None:
        """From which ts_event (ns) records of a type are asked for again; None: none was delivered yet."""
        position = self.positions.get(rtype)
        return None if position is None else max(0, position - OVERLAP)

    def skipping(self) -> Skip:
        """What a new connection must leave out."""
        seen: Counter[tuple[int, int, int]] = Counter()
        for counts in self.seconds.values():
            seen.update(counts)
        return Skip(dict(self.positions), seen, self.snapshot)


@dataclass(slots=True)
class Skip:
    """Leaves out of a new connection's records those that were delivered before."""

    positions: dict[int, int]
    seen: Counter[tuple[int, int, int]]
    snapshot: int

    def known(self, record: Seen) -> bool:
        """Whether a record was delivered before; it is then counted off."""
        taken = record.snapshot
        if taken is not None:
            return taken <= self.snapshot
        position = self.positions.get(record.rtype)
        if position is None or record.ts_event > position:
            return False
        key = record[:3]
        known = record.ts_event < position - OVERLAP or self.seen[key] > 0
        if known:
            self.seen[key] -= 1
        return known
