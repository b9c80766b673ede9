"""Lines out and packets in: what goes through the pipes between the stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec

from .blocks import MAPPING, MBO, SIMULATOR, Block
from .errors import BadData
from .feeds.inputs import READ_SIZE, Source, widen_pipe
from .feeds.lines import head_of
from .market import line as codec
from .market import stream
from .records import RECORD_TYPES, encode_record, from_dbn
from .records.layout import header_at, names_of, read_mapping
from .tray import Packet

if TYPE_CHECKING:
    from .signals import Signal

__all__ = ["DbnWriter", "LineWriter", "kind_of", "read_packets", "read_signals", "widen_pipe"]

Kind = Literal["records", "packets", "signals", "nothing"]
SIMULATOR_SOURCE = "sim"
REAL, SIMULATED = "GLBX.MDP3", "QMO.SIM"


class _Heads(dict[int, bytes]):
    """Heads of canonical MBO lines, made when first needed."""

    def __init__(self, names: dict[int, tuple[str, str | None]]) -> None:
        self._names = names

    def __missing__(self, instrument_id: int) -> bytes:
        head = self[instrument_id] = head_of(*names_of(self._names, instrument_id), instrument_id)
        return head


@dataclass(slots=True)
class LineWriter:
    """Blocks to record lines. Mapping records are no lines: they give the names that the lines carry."""

    names: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    _heads: _Heads = field(init=False)

    def __post_init__(self) -> None:
        self._heads = _Heads(self.names)

    def lines(self, block: Block) -> bytes:
        """The lines of a block, each with its newline."""
        data, at = block.data, 0
        pieces: list[bytes] = []
        while at < len(data):
            stop = stream.same(data, at)
            if data[at + 1] == MBO:
                pieces.append(codec.dump_mbo(data, at, stop, self._heads))
            else:
                pieces += self._others(block, at, stop)
            at = stop
        return b"".join(pieces)

    def _others(self, block: Block, start: int, stop: int) -> Iterator[bytes]:
        data = block.data
        for at in range(start, stop, 4 * data[start]):
            if data[at + 1] == MAPPING:
                self._name(data, at)
            else:
                yield encode_record(from_dbn(data, at, self.names, block.schema)) + b"\n"

    def _name(self, data: bytes, at: int) -> None:
        instrument_id, series, symbol = read_mapping(data, at)
        self.names[instrument_id] = (series, symbol)
        self._heads.pop(instrument_id, None)


@dataclass(slots=True)
class DbnWriter:
    """Blocks to a DBN stream. A new header where the schema changes: only the header tells tbbo from mbp-1."""

    _context: tuple[str, str | None] | None = None

    def encode(self, block: Block) -> bytes:
        """The block's bytes, with a header ahead where one is due."""
        dataset = _dataset(block) or (self._context[0] if self._context else REAL)
        context = (dataset, block.schema)
        if context == self._context:
            return block.data
        self._context = context
        return header(*context) + block.data


def _dataset(block: Block) -> str | None:
    """Dataset of the first record that has a publisher; None where none has one."""
    if block.source == SIMULATOR_SOURCE:
        return SIMULATED
    data, at = block.data, 0
    while at < len(data):
        publisher = header_at(data, at)[1]
        if publisher:
            return SIMULATED if publisher == SIMULATOR else REAL
        at += 4 * data[at]
    return None


def header(dataset: str, schema: str | None) -> bytes:
    """A DBN header without symbols: the stream's mapping records carry them."""
    from databento_dbn import Metadata, Schema, SType

    known = Schema.from_str(schema) if schema else None
    return Metadata(
        dataset=dataset, start=0, stype_in=None, stype_out=SType.from_str("instrument_id"), schema=known,
        symbols=[], mappings=[],
    ).encode()


def kind_of(source: Source) -> Kind:
    """What an input carries, told by its first line; nothing of it is lost."""
    start = source.peek(1)
    if not start:
        return "nothing"
    if not start.lstrip().startswith(b"{"):
        return "records"
    while b"\n" not in start and not source.ended:
        start = source.peek(len(start) + 1)
    schema = _schema(start.lstrip().partition(b"\n")[0])
    return "packets" if schema == "packet" else "signals" if schema == "signal" else "records"


class _Tag(msgspec.Struct):
    schema: str | None = None


def _schema(line: bytes) -> str | None:
    try:
        return msgspec.json.decode(line, type=_Tag).schema
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def read_packets(source: Source, stage: str = "this stage") -> Iterator[list[Packet]]:
    """The packets of an input, in batches of what one read brought: nothing waits for more to come.

    ``stage`` names who reads, for errors. Raises BadData with the line's number.
    """
    for numbered in _lines(source):
        yield [_packet(line, source.name, place, stage) for place, line in numbered]


def read_signals(source: Source) -> Iterator[list[Packet]]:
    """The signals of an input, each as a packet in which nothing else stands. Raises BadData with the line's number."""
    from .signals import Signal

    decode = msgspec.json.Decoder(Signal).decode
    for numbered in _lines(source):
        batch = []
        for place, line in numbered:
            try:
                batch.append(_of_signal(decode(line)))
            except (msgspec.MsgspecError, ValueError) as error:
                raise BadData(f"{source.name}, line {place}: this is not a signal: {error}") from error
        yield batch


def _of_signal(signal: Signal) -> Packet:
    return Packet(ts=int(signal.ts), series=signal.series, symbol=signal.symbol, instrument_id=0, closed=signal.closed,
                  price=signal.current_price, slots={"signal": signal}, missing={})


def _lines(source: Source) -> Iterator[list[tuple[int, bytes]]]:
    """The lines that are not empty, with their numbers, in batches of what one read brought; no batch is empty."""
    pending, number = b"", 1
    while data := source.read(READ_SIZE):
        lines = (pending + data).split(b"\n") if pending else data.split(b"\n")
        pending = lines.pop()
        found = [(place, line) for place, line in enumerate(lines, number) if line.strip()]
        number += len(lines)
        if found:
            yield found
    if pending.strip():
        yield [(number, pending)]


def _packet(line: bytes, name: str, number: int, stage: str) -> Packet:
    try:
        return Packet.decode(line)
    except (BadData, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise BadData(f"{name}, line {number}: {_no_packet(line, error, stage)}") from error


def _no_packet(line: bytes, error: Exception, stage: str) -> str:
    """Why a line is no packet, and which stage is missing."""
    if not line.lstrip().startswith(b"{"):
        return f"not a packet; put `qmo route` before `{stage}`"
    schema = _schema(line)
    if schema in RECORD_TYPES:
        return f"this is a record (schema {schema}); put `qmo route` before `{stage}`"
    if schema == "signal":
        return f"this is a signal; `{stage}` reads packets, which come before it"
    return str(error)
