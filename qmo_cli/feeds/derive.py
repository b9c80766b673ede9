"""Poorer schemas out of market by order: what the vendor would have sent for the same market.

trades and tbbo have every T, tbbo with the best prices before it. mbp-1 and mbp-10 have every T with the levels before
its event, and then at most one record an event: the last change in sight, with the levels after the event; its side is
N when both sides changed. ohlcv bars begin at their ts_event, and an interval without a trade has none. bbo has the
best prices and the last trade as of the end of every interval in which there was a trade or a change of mbp-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Protocol

from ..blocks import F_LAST, F_SNAPSHOT, MBO, UNDEF_PRICE, UNDEF_TIME, Block
from ..errors import UsageError
from ..market import stream
from ..records.layout import layout
from .dbn import cut
from .derive_book import Book, Order

_MBO = Struct("<BBHIQQqIBBccQiI")     # MboMsg of DBN version 3
_TRADE = Struct("<BBHIQqIccBBQiI")    # header and fields that trades, tbbo and mbp share
_BAR = Struct("<BBHIQqqqqQ")
_BBO = Struct("<BBHIQqIxcBxQ4xI")     # BboMsg up to its level
_SECOND = 1_000_000_000
INTERVALS = {
    "ohlcv-1s": _SECOND, "ohlcv-1m": 60 * _SECOND, "ohlcv-1h": 3600 * _SECOND, "ohlcv-1d": 86_400 * _SECOND,
}
LEVELS = {"trades": 0, "tbbo": 1, "mbp-1": 1, "mbp-10": 10}
SAMPLED = {"bbo-1s": _SECOND, "bbo-1m": 60 * _SECOND}
DERIVED = (*LEVELS, *INTERVALS, *SAMPLED)

class Deriver(Protocol):
    """Takes the MBO records of one instrument, one by one, and gives records of another schema."""

    def take(self, record: Order) -> Iterator[bytes]:
        """The records that are due with this one."""

    def finish(self) -> Iterator[bytes]:
        """The records that are due at the end of the input."""


@dataclass(slots=True)
class Quotes:
    """trades, tbbo, mbp-1 and mbp-10."""

    schema: str
    book: Book = field(init=False)
    shown: bytes = field(init=False)                # levels before the event that is open
    begun: int | None = None                        # its ts_event, ns
    last: tuple[Order, int] | None = None           # its newest change in sight, and the rank of that
    sides: set[bytes] = field(default_factory=set)  # on which levels in sight were touched
    snapshot: bool = False                          # whether the newest record belongs to one

    def __post_init__(self) -> None:
        self.book = Book(LEVELS[self.schema])
        self.shown = self.book.levels()

    def take(self, record: Order) -> Iterator[bytes]:
        """A trade at once, with the levels before its event; the event's own record once it is whole."""
        flags, action = record[8], record[10]
        if self.snapshot and not flags & F_SNAPSHOT:  # files' snapshots end without F_LAST
            yield from self.finish(F_SNAPSHOT | F_LAST)
        self.snapshot = bool(flags & F_SNAPSHOT)
        self.begun = record[4] if self.begun is None else self.begun
        if action == b"T":
            yield self.record(record, record[4], record[11], 0)
        elif action in b"ACMR" and self.book.depth:
            rank, seen = self.book.take(record)
            if seen:
                self.last = record, rank
                self.sides |= {b"A", b"B"} if action == b"R" else {record[11]}
        if flags & F_LAST:
            yield from self.finish(flags)

    def finish(self, flags: int = 0) -> Iterator[bytes]:
        """The record of the event, if it touched what is in sight."""
        if self.last is not None:
            record, rank = self.last
            self.shown = self.book.levels()
            if self.schema != "tbbo":
                whole = (*record[:8], flags, *record[9:])
                side = record[11] if len(self.sides) == 1 else b"N"
                yield self.record(whole, self.begun or record[4], side, min(rank, 255))
        self.begun = self.last = None
        self.sides.clear()

    def record(self, order: Order, ts_event: int, side: bytes, depth: int) -> bytes:
        """A record of the schema out of one of MBO and the levels."""
        kind = layout(self.schema)
        return _TRADE.pack(
            kind.size // 4, kind.rtype, order[2], order[3], ts_event, order[6], order[7], order[10], side, order[8],
            depth, *order[12:],
        ) + self.shown


@dataclass(slots=True)
class Bars:
    """ohlcv bars of one length."""

    schema: str
    bar: list[int] | None = None                    # ts_event, open, high, low, close, volume
    origin: tuple[int, int] = (0, 0)                # publisher and instrument

    def take(self, record: Order) -> Iterator[bytes]:
        """The open bar, once something happens after its end; then the trade goes into the next one."""
        ts_event, price, size = record[4], record[6], record[7]
        if record[8] & F_SNAPSHOT:
            return
        begin = ts_event - ts_event % INTERVALS[self.schema]
        if self.bar is not None and begin > self.bar[0]:
            yield from self.finish()
        if record[10] != b"T":
            return
        if self.bar is None:
            self.bar, self.origin = [begin, price, price, price, price, 0], (record[2], record[3])
        self.bar[2:5] = [max(self.bar[2], price), min(self.bar[3], price), price]
        self.bar[5] += size

    def finish(self) -> Iterator[bytes]:
        """The open bar."""
        if self.bar is not None:
            kind = layout(self.schema)
            yield _BAR.pack(kind.size // 4, kind.rtype, *self.origin, *self.bar)
        self.bar = None


@dataclass(slots=True)
class Samples:
    """bbo-1s and bbo-1m, sampled by ts_recv.

    ts_recv is the interval's end, which belongs to the next one; ts_event, price, size and side are those of the last
    trade (undefined before the first), sequence and flags of the last change or trade. Nothing new: no record.
    """

    schema: str
    quotes: Quotes = field(default_factory=lambda: Quotes("mbp-1"))
    end: int = 0                                    # ns, of the open interval
    trade: tuple[int, int, int, bytes] = (UNDEF_TIME, UNDEF_PRICE, 0, b"N")  # ts_event, price, size, side
    newest: Order | None = None                     # what to print of, if anything is new

    def take(self, record: Order) -> Iterator[bytes]:
        """The sample of the open interval, once something happens after it."""
        ts_recv, span = record[12], SAMPLED[self.schema]
        if ts_recv >= self.end:
            yield from self.finish()
            self.end = ts_recv - ts_recv % span + span
        for _ in self.quotes.take(record):
            self.newest = record
        if record[10] == b"T":
            self.trade = record[4], record[6], record[7], record[11]

    def finish(self) -> Iterator[bytes]:
        """The sample of the open interval."""
        if self.newest is not None:
            record, kind = self.newest, layout(self.schema)
            ts_event, price, size, side = self.trade
            yield _BBO.pack(kind.size // 4, kind.rtype, record[2], record[3], ts_event, price, size, side, record[8],
                            self.end, record[14]) + self.quotes.shown
        self.newest = None


def deriver(schema: str) -> Callable[[], Deriver]:
    """What makes records of a schema. Raises UsageError for one that cannot be derived."""
    if schema not in DERIVED:
        raise UsageError(f"{schema!r} cannot be derived from mbo; there are {', '.join(DERIVED)}")
    if schema in SAMPLED:
        return lambda: Samples(schema)
    return (lambda: Bars(schema)) if schema in INTERVALS else (lambda: Quotes(schema))


@dataclass(slots=True)
class Derivation:
    """Derives the records of several instruments, each by itself."""

    schema: str
    instruments: dict[int, Deriver] = field(default_factory=dict)
    make: Callable[[], Deriver] = field(init=False)

    def __post_init__(self) -> None:
        self.make = deriver(self.schema)

    def take(self, data: bytes) -> bytes:
        """The records due with these of MBO."""
        return b"".join(self._due(data))

    def _due(self, data: bytes) -> Iterator[bytes]:
        trades = self.schema == "trades"
        for record in _MBO.iter_unpack(data):
            if trades and record[10] != b"T":
                continue
            if record[3] not in self.instruments:
                self.instruments[record[3]] = self.make()
            yield from self.instruments[record[3]].take(record)

    def finish(self) -> bytes:
        """The records due at the end of the input."""
        return b"".join(piece for each in self.instruments.values() for piece in each.finish())


def derive(blocks: Iterable[Block], schema: str) -> Iterator[Block]:
    """The blocks with records of a poorer schema in place of their MBO; what is no market data stays as it is."""
    derivation, number = Derivation(schema), 1
    last: Block | None = None
    for last in blocks:
        for part in _parts(last):
            data = derivation.take(part.data) if part.data[1] == MBO else part.data
            if data:
                yield Block(data, part.source, number, part.unit, schema)
                number += stream.count(data, 0, len(data))
    if last is not None and (data := derivation.finish()):
        yield Block(data, last.source, number, last.unit, schema)


def _parts(block: Block) -> Iterator[Block]:
    """The block cut into stretches of one kind of record."""
    at, index = 0, 0
    while at < len(block.data):
        stop = stream.same(block.data, at)
        yield cut(block, at, stop, index)
        index += stream.count(block.data, at, stop)
        at = stop
