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


@dataclass(slots=True)
class Cursor:
    """The latest ts_event by record type, and how many records each instant of the last second had."""

    positions: dict[int, int] = field(default_factory=dict)                      # rtype -> ns
    seconds: dict[int, Counter[tuple[int, int, int]]] = field(default_factory=dict)

    def advance(self, records: Iterable[Seen]) -> None:
        """These records were delivered."""
        for rtype, instrument_id, ts_event, data in records:
            if rtype == MBO and data[FLAGS] & F_SNAPSHOT:
                self._snapshot(data)
                continue
            if ts_event > self.positions.get(rtype, -1):
                self.positions[rtype] = ts_event
            second = ts_event // SECOND
            if second not in self.seconds:
                self._forget(second)
            self.seconds[second][rtype, instrument_id, ts_event] += 1

    def _snapshot(self, data: bytes) -> None:
        """The orders of a snapshot are older than it is. Once it is whole, the stream goes on from its time."""
        if data[FLAGS] & F_LAST:
            taken = int.from_bytes(data[TS_RECV:TS_RECV + 8], "little")
            self.positions[MBO] = max(self.positions.get(MBO, 0), taken)

    def _forget(self, second: int) -> None:
        """Begin a second, and drop those that are too old to be asked for again."""
        self.seconds[second] = Counter()
        oldest = min(self.positions.values(), default=0) // SECOND - 2
        for old in [known for known in self.seconds if known < oldest]:
            del self.seconds[old]

    def clear(self) -> None:
        """Begin anew: nothing was delivered."""
        self.positions.clear()
        self.seconds.clear()

    def start(self, rtype: int) -> int | None:
        """From which ts_event (ns) records of a type are asked for again; None: none was delivered yet."""
        position = self.positions.get(rtype)
        return None if position is None else max(0, position - OVERLAP)

    def skipping(self) -> Skip:
        """What a new connection must leave out."""
        seen: Counter[tuple[int, int, int]] = Counter()
        for counts in self.seconds.values():
            seen.update(counts)
        return Skip(dict(self.positions), seen)


@dataclass(slots=True)
class Skip:
    """Leaves out of a new connection's records those that were delivered before."""

    positions: dict[int, int]
    seen: Counter[tuple[int, int, int]]
    left_out: int = 0

    def known(self, record: Seen) -> bool:
        """Whether a record was delivered before; it is then counted off."""
        position = self.positions.get(record.rtype)
        if position is None or record.ts_event > position:
            return False
        key = record[:3]
        known = record.ts_event < position - OVERLAP or self.seen[key] > 0
        if known:
            self.left_out += 1
            self.seen[key] -= 1
        return known
