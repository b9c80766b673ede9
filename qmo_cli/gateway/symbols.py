"""What the source holds as of a time, and which instruments a symbol means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from ..blocks import MAPPING, SIMULATOR, SYSTEM, Block
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
_MARKET = bytes(rtype not in (MAPPING, SYSTEM) for rtype in range(256))
_MAPPINGS = bytes(rtype == MAPPING for rtype in range(256))
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
        return schema in self.schemas | CONTEXT or ("mbo" in self.schemas and schema in DERIVED)


def look_into(make_blocks: MakeBlocks) -> Contents:
    """A first look at the source. Raises what opening it raises, and BadData where it has no market data."""
    blocks = make_blocks()
    schemas, first = set[str](), None
    for block in islice(blocks, PROBED):
        for rtype, at in _kinds(block.data):
            schemas.add("tbbo" if rtype == 1 and block.schema == "tbbo" else SCHEMAS[rtype])
            first = first or (block.source, stream.record_time(block.data, at), header_at(block.data, at)[1])
    with suppress(AttributeError):
        blocks.close()  # type: ignore[attr-defined]  # where it is a generator
    if first is None:
        raise BadData("the source holds no market data that a gateway could serve")
    return Contents(first[1], SIMULATED if first[2] == SIMULATOR else VENDORS, frozenset(schemas))


def _kinds(data: bytes) -> Iterator[tuple[int, int]]:
    """The kinds of market data in a block, each with the offset of a record."""
    at = 0
    while at < len(data):
        if data[at + 1] in SCHEMAS:
            yield data[at + 1], at
        at = stream.same(data, at)


@dataclass(slots=True)
class Directory:
    """Who is who, as of the time up to which the source was looked through."""

    blocks: Iterator[Block]
    names: dict[int, Name] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)   # the instrument that a series is
    _data: bytes = b""
    _at: int = 0

    def reach(self, ts: int) -> bool:
        """Take the next piece of the source, up to a time (ns); false once that is reached."""
        if self._at == len(self._data):
            block = next(self.blocks, None)
            if block is None:
                return False
            self._data, self._at = block.data, 0
        stop = stream.first_from(self._data, self._at, ts + 1, False)
        self._learn(stop)
        self._at = stop
        return bool(stop == len(self._data))

    def _learn(self, stop: int) -> None:
        at = stream.first_of(self._data, self._at, _MAPPINGS)
        while at < stop:
            instrument_id, series, symbol = read_mapping(self._data, at)
            self.names[instrument_id] = series, symbol
            self.series[series.upper()] = instrument_id
            at = stream.first_of(self._data, at + 4 * self._data[at], _MAPPINGS)

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
        """A continuous symbol in a source of plain contracts: the product's first one, second one, and so on."""
        if stype_of(symbol) != "continuous":
            return []
        rank = int(symbol.rpartition(".")[2])
        plain = [number for number, (series, raw) in self.names.items()
                 if stype_of(series) == "raw_symbol" and root_of(raw or series) == root_of(symbol)]
        return plain[rank:rank + 1]


def belongs(name: Name, parent: str) -> bool:
    """Whether an instrument is one of a parent's, such as GC.FUT."""
    series, symbol = name
    return series.upper() == parent.upper() or root_of(symbol or series) == root_of(parent)
