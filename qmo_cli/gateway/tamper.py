"""Where records become wrong on purpose on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..blocks import SECOND
from ..market import stream
from .faults import Fault, Schedule


@dataclass(slots=True)
class Tamper:
    """Cuts one session's records where faults happen. Gives pieces to send, and faults of the stream to act on."""

    schedule: Schedule
    note: Callable[[str], None] = field(default=lambda _: None)
    held: list[tuple[int, bytes]] = field(default_factory=list)   # not before this time (ns), the record
    swapped: bytes = b""
    left_out: int = 0                                             # records still to be left out
    coming: bytes = b""                                           # the next record, where it is known, or the last one

    def stops(self) -> Iterator[Fault]:
        """The faults that break the stream here."""
        while (fault := self.schedule.stop()) is not None:
            yield fault

    def pieces(self, data: bytes) -> Iterator[bytes | Fault]:
        """The records, as the faults leave them."""
        if not self.schedule.pending and not (self.held or self.swapped or self.left_out):
            self.schedule.served += stream.count(data, 0, len(data))
            self.coming = data[:4 * data[0]]
            yield data
            return
        at = 0
        while at < len(data):
            end = at + 4 * data[at]
            yield from self._released(stream.record_time(data, at))
            if self.left_out:
                self.left_out -= 1
            elif (fault := self.schedule.change()) is not None:
                yield from self._changed(fault, data[at:end], stream.record_time(data, at))
            else:
                end = self._reach(data, at)
                yield data[at:end]
                self.schedule.served += stream.count(data, at, end)
                yield from self._second()
            at = end if end < len(data) else at
            self.coming = data[at:at + 4 * data[at]]
            yield from self.stops()
            at = end

    def _changed(self, fault: Fault, record: bytes, ts: int) -> Iterator[bytes]:
        self.note(f"fault {fault}")
        if fault.kind == "skip":
            self.left_out = fault.count - 1
            return
        self.schedule.served += 1
        if fault.kind == "duplicate":
            yield record + record
        elif fault.kind == "swap":
            self.swapped = record
        else:
            self.held.append((ts + int(fault.seconds * SECOND), record))

    def _reach(self, data: bytes, at: int) -> int:
        """Where the records end that go out together."""
        room, end = 1 if self.swapped else self.schedule.room(), at
        stop = min([len(data), *(stream.first_from(data, at, when, False) for when, _ in self.held)])
        while end < max(stop, at + 1) and room:
            end += 4 * data[end]
            room -= 1
        return end

    def _second(self) -> Iterator[bytes]:
        """The record that changed places with the one just sent."""
        if self.swapped:
            yield self.swapped
            self.swapped = b""

    def _released(self, ts: int) -> Iterator[bytes]:
        """What was held back until a time."""
        for item in list(self.held):
            if item[0] <= ts:
                self.held.remove(item)
                yield item[1]

    def rest(self) -> bytes:
        """What is still held back at the end."""
        data = self.swapped + b"".join(record for _, record in self.held)
        self.swapped, self.held = b"", []
        return data
