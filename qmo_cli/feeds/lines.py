"""Records as JSON lines, ours and the vendor's: canonical MBO lines at full speed, all others with validation."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..blocks import Block
from ..errors import BadData
from ..market import line as codec
from ..market import stream
from ..records import OURS, decode_record, field_error, to_dbn
from ..records.layout import mapping_bytes, read_mapping
from .skipped import Skipped
from .vendor import Unused, from_vendor_json

CANONICAL = b'{"schema":"mbo",'
BATCH = 4096                       # validated lines in one block
STAGES = {"packet": "qmo engine, qmo score or qmo signal", "signal": "nothing: a signal is the end of the pipe"}


def head_of(series: str, symbol: str | None, instrument_id: int) -> bytes:
    """How every canonical MBO line of an instrument begins.

    >>> head_of("GC.v.0", None, 17)
    b'{"schema":"mbo","series":"GC.v.0","symbol":null,"instrument_id":17'
    """
    return (CANONICAL + b'"series":' + msgspec.json.encode(series) + b',"symbol":' + msgspec.json.encode(symbol)
            + b',"instrument_id":%d' % instrument_id)


def read_line(text: bytes, schema: str | None) -> Any:
    """The record of a line, ours or the vendor's. Raises BadData saying which field is wrong and how."""
    try:
        return decode_record(text)
    except msgspec.ValidationError as error:
        if b'"hd"' in text:
            return from_vendor_json(text, schema)
        raise BadData(_wrong(text, error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadData(f"not a JSON object: {str(error).lower()}") from error


class _Tag(msgspec.Struct):
    schema: str | None = None


def _wrong(text: bytes, error: msgspec.ValidationError) -> str:
    """Why a line of good JSON is no record."""
    try:
        schema = msgspec.json.decode(text, type=_Tag).schema
    except msgspec.ValidationError as wrong:
        return "not a JSON object" if "expected `object`, got" in str(wrong).lower() else field_error(error)
    if schema in STAGES:
        return f"this is a {schema}, not a record; it belongs to {STAGES[schema]}"
    if schema is None:
        return "field schema: it is missing"
    return f"field schema: {schema!r} is not a schema" if "$.schema" in str(error) else field_error(error)


def names_one(record: Any) -> bool:
    """Whether a record is one instrument's: the market's are, and so is a price that was fetched of one."""
    tag = record.__struct_config__.tag
    return tag not in OURS or (tag == "quote" and record.series is not None and record.instrument_id != 0)


@dataclass(slots=True)
class LineReader:
    """Turns the bytes of one source of lines, in pieces of any size, into blocks."""

    name: str
    skip_bad: bool = False
    hint: str | None = None                               # schema that the source's name tells
    number: int = 1                                       # of the next line
    skipped: Skipped = field(default_factory=Skipped)
    unused: Counter[int] = field(default_factory=Counter)  # records of schemas that nobody reads, by rtype
    schema: str | None = None                             # "tbbo" since the last tbbo line, until an mbp-1 line
    _names: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    _heads: dict[bytes, int] = field(default_factory=dict)
    _holders: dict[str, int] = field(default_factory=dict)  # series -> the instrument that it stands for
    _pending: bytes = b""
    _records: list[bytes] = field(default_factory=list)
    _numbers: array[int] = field(default_factory=lambda: array("q"))
    _last: int = 0                                        # ns, time of the last good record

    def feed(self, data: bytes) -> Iterator[Block]:
        """Blocks of the whole lines in the bytes so far."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._pending += data
            return
        text = self._pending + data[:end] if self._pending else data[:end]
        self._pending = data[end:]
        yield from self._lines(text)

    def finish(self) -> Iterator[Block]:
        """The last line, if it has no newline, and what is left."""
        if self._pending:
            text, self._pending = self._pending + b"\n", b""
            yield from self._lines(text)
        if self.skipped.count:
            self._add_skipped()
            yield from self._gathered()

    def damage(self, words: str) -> str:
        """What is wrong with the source, and how much of it was read."""
        return f"{self.name}: {words}; {self.number - 1:,} whole lines were read"

    def skip_rest(self, words: str) -> Block:
        """A system record that says why the rest of the source is missing."""
        self.skipped.add(self.number, words)
        return Block(self.skipped.record(self._last, "line"), self.name, self.number, "line", self.schema)

    def _lines(self, text: bytes) -> Iterator[Block]:
        at, stop = 0, len(text)
        while at < stop:
            if text.startswith(CANONICAL, at):
                data, lines, after = codec.load_mbo(text, at, stop, self._heads)
                if lines:
                    yield from self._run(data, lines)
                    at = after
                    continue
            after = text.find(b"\n", at) + 1
            yield from self._line(text[at:after - 1])
            at = after
        yield from self._gathered()

    def _run(self, data: bytes, lines: int) -> Iterator[Block]:
        """The block of a run of canonical lines."""
        if self.skipped.count:
            self._add_skipped()
        yield from self._gathered()
        yield Block(data, self.name, self.number, "line", self.schema)
        self.number += lines
        self._last = stream.record_time(data, len(data) - codec.RECORD)

    def _line(self, text: bytes) -> Iterator[Block]:
        """One line on the validating path."""
        number = self.number
        self.number += 1
        if not text.strip():
            return
        try:
            record = self._record(text)
            data = record if isinstance(record, bytes) else b"" if record is None else to_dbn(record)
        except Unused as error:
            self.unused[error.rtype] += 1
            return
        except BadData as error:
            if not self.skip_bad:
                yield from self._gathered()
                raise BadData(f"{self.name}, line {number}, {error}") from error
            self.skipped.add(number, str(error))
            return
        if not data:
            return
        if self.skipped.count:
            self._add_skipped()
        yield from self._switch(record)
        self._name(record, data, number)
        self._append(data, number)
        self._last = stream.record_time(data, 0)
        if len(self._records) >= BATCH:
            yield from self._gathered()

    def _switch(self, record: Any) -> Iterator[Block]:
        """Begin a new block where mbp-1 follows tbbo or the other way round: the records look the same."""
        tag = None if isinstance(record, bytes) else record.__struct_config__.tag
        if tag in ("tbbo", "mbp-1"):
            schema = "tbbo" if tag == "tbbo" else None
            if schema != self.schema:
                yield from self._gathered()
                self.schema = schema

    def _record(self, text: bytes) -> Any:
        """The record of a line; bytes for a mapping record, None for a line that is none."""
        return read_line(text, self.hint)

    def _name(self, record: Any, data: bytes, number: int) -> None:
        """Put a mapping record ahead of the first record of an instrument, and of the first under a new name."""
        if isinstance(record, bytes):
            instrument_id, series, symbol = read_mapping(record, 0)
            self._remember(instrument_id, (series, symbol))
        elif names_one(record):
            names = (record.series, record.symbol)
            if self._names.get(record.instrument_id) != names:
                self._remember(record.instrument_id, names)
                self._append(mapping_bytes(record.instrument_id, *names, stream.index_time(data, 0)), number)

    def _remember(self, instrument_id: int, names: tuple[str, str | None]) -> None:
        """Note an instrument's names. A series that leaves another instrument is announced anew if it comes back."""
        holder = self._holders.get(names[0])
        if holder is not None and holder != instrument_id:
            self._heads.pop(head_of(*self._names.pop(holder), holder), None)
        self._holders[names[0]] = instrument_id
        old = self._names.get(instrument_id)
        if old is not None:
            self._heads.pop(head_of(*old, instrument_id), None)
        self._names[instrument_id] = names
        self._heads[head_of(*names, instrument_id)] = instrument_id

    def _append(self, data: bytes, number: int) -> None:
        self._records.append(data)
        self._numbers.append(number)

    def _add_skipped(self) -> None:
        first = self.skipped.first
        self._append(self.skipped.record(self._last, "line"), first)

    def _gathered(self) -> Iterator[Block]:
        """The block of the lines gathered on the validating path."""
        if self._records:
            data, numbers = b"".join(self._records), self._numbers
            self._records, self._numbers = [], array("q")
            yield Block(data, self.name, numbers[0], "line", self.schema, numbers)
