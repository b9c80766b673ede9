"""A small reader of simulated streams, for tests: it knows the exchange's protocol, not the suite's own reader."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

from qmo_cli.feeds.sim import SimOptions, simulate

RECORD = Struct("<BBHIQQqIBBccQiI")  # MboMsg of DBN version 3, by the vendor's field list
LAST = 128                           # F_LAST


class Record(NamedTuple):
    """One MBO record, field by field."""

    length: int
    rtype: int
    publisher_id: int
    instrument_id: int
    ts_event: int
    order_id: int
    price: int
    size: int
    flags: int
    channel_id: int
    action: bytes
    side: bytes
    ts_recv: int
    ts_in_delta: int
    sequence: int


class Fills(NamedTuple):
    """What one event did to one filled order."""

    order_id: int
    displayed: int
    filled: int
    after: int   # size of its M, or minus the size of its C

    @property
    def grew(self) -> bool:
        """Whether it shows more than was left of what it showed: a refresh."""
        return self.after > self.displayed - self.filled and self.after > 0


def records(options: SimOptions) -> Iterator[Record]:
    """All MBO records of a simulation (its first record, the mapping, has 176 bytes)."""
    for number, block in enumerate(simulate(options)):
        yield from (Record(*values) for values in RECORD.iter_unpack(block.data[0 if number else 176 :]))


def events(options: SimOptions) -> Iterator[list[Record]]:
    """Records up to each F_LAST."""
    event: list[Record] = []
    for record in records(options):
        event.append(record)
        if record.flags & LAST:
            yield event
            event = []
    assert not event, "the stream ends inside an event"


def letters(event: list[Record]) -> str:
    """The actions of an event, such as TFC."""
    return b"".join(record.action for record in event).decode()


@dataclass
class Replay:
    """A book kept by applying A, M, C and R alone, as slowly and plainly as possible."""

    sizes: dict[int, int] = field(default_factory=dict)
    where: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    queues: dict[tuple[bytes, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: list[Record]) -> list[Fills]:
        """Apply an event and say what it did to the orders that it filled."""
        fills = self.fills(event)
        refreshed = {fill.order_id for fill in fills if fill.grew}
        for record in event:
            if record.action == b"M" and record.order_id in refreshed:
                self.leave(record.order_id)  # its next peak stands at the end of the queue, whatever its size
                self.enter(record)
            else:
                self.apply(record)
        return fills

    def apply(self, record: Record) -> None:
        """Change the book by one record; an id that is not known is a KeyError."""
        if record.action == b"R":
            self.__init__()  # type: ignore[misc]
        elif record.action == b"A":
            assert record.order_id not in self.sizes
            self.enter(record)
        elif record.action == b"M":
            self.modify(record)
        elif record.action == b"C":
            assert self.where[record.order_id] == (record.side, record.price)
            self.sizes[record.order_id] -= record.size
            if self.sizes[record.order_id] == 0:
                self.leave(record.order_id)

    def enter(self, record: Record) -> None:
        self.sizes[record.order_id] = record.size
        self.where[record.order_id] = (record.side, record.price)
        self.queues[record.side, record.price].append(record.order_id)

    def leave(self, order_id: int) -> None:
        assert self.sizes.pop(order_id) >= 0
        queue = self.queues[place := self.where.pop(order_id)]
        queue.remove(order_id)
        if not queue:
            del self.queues[place]

    def modify(self, record: Record) -> None:
        assert record.size > 0
        if self.where[record.order_id] == (record.side, record.price) and record.size <= self.sizes[record.order_id]:
            self.sizes[record.order_id] = record.size
        else:
            self.leave(record.order_id)
            self.enter(record)

    def best(self) -> tuple[int, int]:
        """Best bid and ask."""
        return max(p for s, p in self.queues if s == b"B"), min(p for s, p in self.queues if s == b"A")

    def fills(self, event: list[Record]) -> list[Fills]:
        """Every order filled in an event, seen before the event is applied."""
        filled: Counter[int] = Counter()
        for record in event:
            if record.action == b"F":
                filled[record.order_id] += record.size
        after = {r.order_id: r.size if r.action == b"M" else -r.size for r in event if r.action in (b"M", b"C")}
        return [Fills(order_id, self.sizes[order_id], lots, after[order_id]) for order_id, lots in filled.items()]


def data(options: SimOptions) -> bytes:
    return b"".join(block.data for block in simulate(options))
