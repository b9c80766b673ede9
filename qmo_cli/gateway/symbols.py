"""What the source holds as of a time, and which instruments a symbol means."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from ..blocks import MAPPING, MBP_1, SIMULATOR, SYSTEM, Block
from ..errors import BadData
from ..feeds.derive import DERIVED
from ..feeds.sim import DATASET as SIMULATED
from ..feeds.symbology import stype_of
from ..market import stream
from ..records.layout import SCHEMAS, header_at, read_mapping

MakeBlocks = Callable[[], Iterator[Block]]
Name = tuple[str, str | None]                       # series, raw symbol

VENDORS = "GLBX.MDP3"
PROBED = 8                                          # blocks looked at to know the source's schemas
CONTEXT = frozenset({"definition", "statistics", "status"})  # rare records: a source may have them later
ALL = "ALL_SYMBOLS"
STYPES = ("raw_symbol", "continuous", "parent", "instrument_id")
_OTHERS = bytes(rtype in (MAPPING, SYSTEM) for rtype in range(256))
_ROOT = re.compile(r"^(.+?)(?:[FGHJKMNQUVXZ]\d{1,2}|\.[cnv]\.\d+|\.FUT)(?:-.*)?$", re.IGNORECASE)


def root_of(name: str) -> str:
    """The product of a futures symbol.

    >>> root_of("GCZ6"), root_of("GC.v.0"), root_of("GC.FUT"), root_of("GCZ6-GCG7")
    ('GC', 'GC', 'GC', 'GC')
    """
    found = _ROOT.match(name)
    return (found.group(1) if found else name).upper()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a first look at a source shows."""

    origin: int                  # ns, time of the first record
    dataset: str
    schemas: frozenset[str]

    def offers(self, schema: str) -> bool:
        """Whether records of this schema come from the source, or out of its mbo."""
        return self.has(schema) or ("mbo" in self.schemas and schema in DERIVED)

    def has(self, schema: str) -> bool:
        """Whether the source itself has, or may have, records of this schema."""
        return schema in self.schemas | CONTEXT


def look_into(make_blocks: MakeBlocks) -> Contents:
    """A first look at the source. Raises what opening it raises, and BadData where it has no market data."""
    schemas: set[str] = set()
    first: tuple[int, int] | None = None
    blocks = make_blocks()
    for block in _first(blocks):
        for rtype, at in _kinds(block.data):
            schemas.add("tbbo" if rtype == MBP_1 and block.schema == "tbbo" else SCHEMAS[rtype])
            first = first or (stream.record_time(block.data, at), header_at(block.data, at)[1])
    close(blocks)
    if first is None:
        raise BadData("the source holds no market data that a gateway could serve")
    return Contents(first[0], SIMULATED if first[1] == SIMULATOR else VENDORS, frozenset(schemas))


def close(blocks: Iterable[Block]) -> None:
    """Let go of a source, where there is something to let go of: a generator closes its files."""
    if isinstance(blocks, Generator):
        blocks.close()


def _first(blocks: Iterator[Block]) -> Iterator[Block]:
    """The first blocks; damage behind the very first one is for the clients to meet."""
    yield from islice(blocks, 1)
    with suppress(BadData):
        yield from islice(blocks, PROBED)


def _kinds(data: bytes) -> Iterator[tuple[int, int]]:
    """The kinds of market data in a block, each with the offset of a record."""
    at = 0
    while at < len(data):
        if data[at + 1] in SCHEMAS:
            yield data[at + 1], at
        at = stream.same(data, at)


@dataclass(slots=True)
class Directory:
    """Who is who, as of the time up to which the source was looked through.

    A mapping holds from the record that follows it.
    """

    blocks: Iterator[Block]
    names: dict[int, Name] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)   # the instrument that a series is
    _data: bytes = b""
    _at: int = 0
    _pending: list[tuple[int, str, str | None]] = field(default_factory=list)

    def reach(self, ts: int) -> bool:
        """Take the next piece of the source, up to a time (ns); false once that is reached."""
        if self._at == len(self._data):
            block = next(self.blocks, None)
            if block is None:
                self._learn()
                return False
            self._data, self._at = block.data, 0
        while self._at < len(self._data):
            if self._data[self._at + 1] in (MAPPING, SYSTEM):
                self._collect(stream.same(self._data, self._at))
            elif not self._pass(ts):
                return False
        return True

    def _collect(self, stop: int) -> None:
        """Take a run of mappings, or of messages."""
        if self._data[self._at + 1] == MAPPING:
            size = 4 * self._data[self._at]
            self._pending += [read_mapping(self._data, at) for at in range(self._at, stop, size)]
        self._at = stop

    def _pass(self, ts: int) -> bool:
        """Pass the market records up to a time; false when it is reached."""
        stop = stream.first_from(self._data, self._at, ts + 1, False)
        if stop > self._at:
            self._learn()
        end = stream.first_of(self._data, self._at, _OTHERS)
        self._at = min(stop, end)
        return bool(end <= stop)

    def _learn(self) -> None:
        for instrument_id, series, symbol in self._pending:
            self.names[instrument_id] = series, symbol
            self.series[series.upper()] = instrument_id
        self._pending.clear()

    def find(self, symbol: str, stype: str) -> list[int]:
        """The instruments that a symbol means now; none where it is unknown."""
        if stype == "instrument_id":
            known = symbol.isdigit() and (int(symbol) in self.names or not self.names)
            return [int(symbol)] if known else []
        if stype == "parent":
            return [number for number, name in self.names.items() if belongs(name, symbol)]
        if symbol.upper() in self.series:
            return [self.series[symbol.upper()]]
        if stype == "raw_symbol":
            return [number for number, name in self.names.items() if name[1] == symbol]
        return self._nth(symbol)

    def _nth(self, symbol: str) -> list[int]:
        """A continuous symbol that the source does not name: the product's first contract, second one, and so on."""
        if stype_of(symbol) != "continuous":
            return []
        rank = int(symbol.rpartition(".")[2])
        contracts = [number for number, (series, raw) in self.names.items()
                     if root_of(raw or series) == root_of(symbol) and "-" not in (raw or series)]
        return contracts[rank:rank + 1]


def belongs(name: Name, parent: str) -> bool:
    """Whether an instrument is one of a parent's, such as GC.FUT."""
    series, symbol = name
    return series.upper() == parent.upper() or root_of(symbol or series) == root_of(parent)
