"""DBN files and streams: header after header, record after record, upgraded to version 3 and checked."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..blocks import DEFINITION, ERROR, MAPPING, STATISTICS, SYSTEM, UNDEF_TIME, Block
from ..errors import BadData
from ..market import stream
from ..records import check_fields, from_dbn, to_dbn
from ..records.layout import HEARTBEAT, SCHEMAS, layout, read_system
from .inputs import Damage, bad_data
from .skipped import Skipped
from .symbology import Symbology, symbology

HEADER_START = 8                    # "DBN", version, length of the metadata
LARGEST_HEADER = 1 << 28            # bytes; more is damage, not metadata
VERSIONS = (1, 2, 3)
TS_OUT = 8                          # bytes of the send time that a live capture may have behind each record


def _mask(rtypes: set[int]) -> bytes:
    return bytes(rtype in rtypes for rtype in range(256))


NOT_PLAIN = _mask(set(range(256)) - set(SCHEMAS) - {MAPPING})                    # records that need a look each
CHANGED = _mask({DEFINITION, STATISTICS, MAPPING, SYSTEM, ERROR})                # layouts that version 3 changed


def is_record(start: bytes) -> bool:
    """Whether bytes look like a DBN record that lacks its header."""
    if len(start) < HEADER_START or start[1] not in SCHEMAS:
        return False
    size = layout(SCHEMAS[start[1]]).size
    return 4 * start[0] in (size, size + TS_OUT)


def header_size(data: bytes, at: int) -> int:
    """Length of the DBN header at an offset; 0 while too little of it is there."""
    if len(data) < at + HEADER_START:
        return 0
    size = HEADER_START + int.from_bytes(data[at + 4:at + HEADER_START], "little")
    if data[at + 3] not in VERSIONS:
        raise BadData(f"DBN version {data[at + 3]} is not known; this qmo reads versions 1 to 3")
    if size > LARGEST_HEADER:
        raise BadData("the DBN header is damaged")
    return size if len(data) >= at + size else 0


@dataclass(slots=True)
class DbnReader:
    """Turns the bytes of one DBN source, in pieces of any size, into blocks."""

    name: str
    skip_bad: bool = False
    number: int = 1                                       # of the next record
    names: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    unused: Counter[int] = field(default_factory=Counter)  # records of schemas that nobody reads, by rtype
    skipped: Skipped = field(default_factory=Skipped)
    _pending: bytes = b""
    _offset: int = 0                                      # of _pending in the source
    _version: int = 0
    _ts_out: bool = False
    _schema: str | None = None
    _symbology: Symbology = field(default_factory=Symbology)
    _begun: bool = True                                   # the header's first mappings were handed out
    _last: int = 0                                        # ns, time of the last good record

    def feed(self, data: bytes) -> Iterator[Block]:
        """Blocks of the whole records in the bytes so far."""
        self._pending = data = self._pending + data if self._pending else data
        at = 0
        while at < len(data):
            if not self._version or data.startswith(b"DBN", at):
                size = self._header(data, at)
                if not size:
                    break
                at += size
                continue
            end = stream.whole(data, at)
            if end > at:
                self._keep(data, end)
                yield from self._blocks(data[at:end])
                at = end
            elif data[at] < 4:
                self._keep(data, at)
                raise Damage(f"record {self.number}, at byte {self._offset}, has the impossible length {4 * data[at]}")
            elif not data.startswith(b"DBN", at):
                break
        self._keep(data, at)

    def _keep(self, data: bytes, at: int) -> None:
        kept = len(data) - at
        self._offset += len(self._pending) - kept
        self._pending = data[at:]

    @property
    def reached(self) -> int:
        """Bytes of the source up to which all is whole."""
        return self._offset

    def finish(self) -> Iterator[Block]:
        """What is left at the end. Raises BadData when a record is not whole."""
        yield from self._flush_skipped()
        if self._pending or not self._version:
            where = f"record {self.number}" if self._version else "its header"
            raise Damage(f"it ends in the middle of {where}: the file is truncated")

    def damage(self, words: str) -> str:
        """What is wrong with the source, and how much of it was read."""
        return f"{self.name}: {words}; {self.number - 1:,} whole records were read"

    def skip_rest(self, words: str) -> Block:
        """A system record that says why the rest of the source is missing."""
        self.skipped.add(self.number, words)
        return Block(self.skipped.record(self._last, "record"), self.name, self.number, "record", self._schema)

    def _header(self, data: bytes, at: int) -> int:
        """Take the header at an offset; gives its length, 0 while it is not whole."""
        from databento_dbn import DBNError, Metadata

        try:
            size = header_size(data, at)
            if not size:
                return 0
            metadata = Metadata.decode(data[at:at + size])
        except (DBNError, BadData) as error:
            raise bad_data(self.name, f"{error} (at byte {self._offset + at})") from error
        self._version = data[at + 3]
        self._ts_out = metadata.ts_out
        self._schema = str(metadata.schema) if metadata.schema is not None else None
        self._symbology = symbology(metadata)
        self._begun = False
        return size

    def _blocks(self, data: bytes) -> Iterator[Block]:
        """Blocks of whole records in the source's own version."""
        if self._ts_out:
            data = stream.strip(data, 0, len(data))
        if self._version < 3:
            data = upgraded(data, self._version)
        block = Block(data, self.name, self.number, "record", self._schema)
        self.number += stream.count(data, 0, len(data))
        for good in self._sound(block):
            plain = good if stream.first_of(good.data, 0, NOT_PLAIN) == len(good.data) else self._plain(good)
            if plain.data:
                yield from self._mapped(plain)

    def _sound(self, block: Block) -> Iterator[Block]:
        """The stretches without a fault; raises BadData at the first fault, or skips and counts it."""
        data, start, index = block.data, 0, 0
        while start < len(data):
            stop = stream.first_fault(data, start)
            if stop > start:
                yield from self._flush_skipped()
                yield cut(block, start, stop, index)
                index += stream.count(data, start, stop)
                self._last = _last_time(data, start, stop) if self.skip_bad else 0
            if stop < len(data):
                self._fault(block, stop, index)
                stop += 4 * data[stop]
                index += 1
            start = stop

    def _fault(self, block: Block, at: int, index: int) -> None:
        reason = fault_of(block.data, at, block.schema)
        if not self.skip_bad:
            raise BadData(f"{block.place(index)}, {reason}")
        self.skipped.add(block.first + index, reason)

    def _flush_skipped(self) -> Iterator[Block]:
        if self.skipped.count:
            first = self.skipped.first
            yield Block(self.skipped.record(self._last, "record"), self.name, first, "record", self._schema)

    def _plain(self, block: Block) -> Block:
        """The block without records that nobody reads, the vendor's messages as system records."""
        pieces: list[bytes] = []
        numbers = array("q")
        at, index, data = 0, 0, block.data
        while at < len(data):
            stop = stream.same(data, at)
            for start in range(at, stop, 4 * data[at]):
                piece = self._plain_record(data[start:start + 4 * data[at]])
                if piece:
                    pieces.append(piece)
                    numbers.append(block.first + index)
                index += 1
            at = stop
        return Block(b"".join(pieces), block.source, block.first, block.unit, block.schema, numbers)

    def _plain_record(self, record: bytes) -> bytes:
        rtype = record[1]
        if rtype in SCHEMAS or rtype == MAPPING:
            return record
        if rtype == SYSTEM:
            code, text = read_system(record, 0)
            own = text.startswith(b'{"schema":"')
            return record if own else b"" if code == HEARTBEAT else to_dbn(from_dbn(record, 0, {}))
        if rtype == ERROR:
            return to_dbn(from_dbn(record, 0, {}))
        self.unused[rtype] += 1
        return b""

    def _mapped(self, block: Block) -> Iterator[Block]:
        """The block, with the header's mappings ahead of the record from which they hold."""
        start, index, data = 0, 0, block.data
        while True:
            yield from self._mappings(stream.index_time(data, start), block, index)
            next_start = self._symbology.next_start
            stop = len(data) if next_start is None else stream.first_from(data, start, next_start, True)
            yield cut(block, start, stop, index)
            if stop == len(data):
                return
            index += stream.count(data, start, stop)
            start = stop

    def _mappings(self, ts: int, block: Block, index: int) -> Iterator[Block]:
        ts = 0 if ts == UNDEF_TIME else ts
        records = self._symbology.due(ts) if self._begun else self._symbology.begin(ts)
        self._begun = True
        if records:
            number = block.first + index if block.numbers is None else block.numbers[index]
            size = 4 * records[0]
            yield Block(records, block.source, number, block.unit, block.schema, [number] * (len(records) // size))


def cut(block: Block, start: int, stop: int, index: int) -> Block:
    """The part of a block between two offsets; ``index``: of the record at ``start``."""
    if start == 0 and stop == len(block.data):
        return block
    data = block.data[start:stop]
    if block.numbers is None:
        return Block(data, block.source, block.first + index, block.unit, block.schema)
    numbers = block.numbers[index:index + stream.count(data, 0, len(data))]
    return Block(data, block.source, numbers[0] if numbers else block.first, block.unit, block.schema, numbers)


def _last_time(data: bytes, start: int, stop: int) -> int:
    """Time (ns) of the last record between two offsets."""
    at = start
    while (end := min(stream.same(data, at), stop)) < stop:
        at = end
    return int(stream.record_time(data, stop - 4 * data[at]))


def fault_of(data: bytes, at: int, schema: str | None) -> str:
    """What is wrong with the record at an offset, in words: those that its line would get."""
    known = SCHEMAS.get(data[at + 1])
    if known and 4 * data[at] != layout(known).size:
        return f"a {known} record of {4 * data[at]} bytes; it must have {layout(known).size}"
    try:
        check_fields(from_dbn(data, at, {}, schema))
    except BadData as error:
        return str(error)
    return "the record is damaged"


def upgraded(data: bytes, version: int) -> bytes:
    """Records of DBN version 1 or 2 in the layouts of version 3."""
    if stream.first_of(data, 0, CHANGED) == len(data):
        return data
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        stop = stream.same(data, at)
        piece = data[at:stop]
        pieces.append(_decoded(piece, version) if CHANGED[data[at + 1]] else piece)
        at = stop
    return b"".join(pieces)


def _decoded(data: bytes, version: int) -> bytes:
    from databento_dbn import DBNDecoder, DBNError

    decoder = DBNDecoder(has_metadata=False, input_version=version)
    convert: Callable[[Any], bytes] = bytes
    try:
        return b"".join(convert(record) for record in decoder.write_and_decode(data))
    except DBNError as error:
        raise Damage(f"a record of DBN version {version} cannot be read ({error})") from error
