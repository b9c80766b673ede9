"""Which records go on: by schema, symbol, time and number."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..blocks import MAPPING, MBP_1, SYSTEM, UNDEF_TIME, Block
from ..errors import UsageError
from ..market import stream
from ..records import OURS, RECORD_TYPES
from ..records.layout import layout, read_mapping
from .dbn import cut

_MAPPINGS = bytes(rtype == MAPPING for rtype in range(256))
NO_LIMIT = -1
ALWAYS = 2


@dataclass(frozen=True, slots=True)
class Selection:
    """What to keep. Mapping and system records are always kept: they say what the others mean.

    ``symbols`` match the series or the raw symbol; ``start`` <= time < ``end`` in ns; ``limit`` counts records kept.
    """

    schemas: frozenset[str] = frozenset()    # empty: all
    symbols: frozenset[str] = frozenset()    # empty: all
    start: int = 0
    end: int = UNDEF_TIME
    limit: int | None = None

    def __post_init__(self) -> None:
        for schema in sorted(self.schemas - set(RECORD_TYPES)):
            known = ", ".join(name for name in RECORD_TYPES if name not in OURS)
            raise UsageError(f"{schema!r} is not a schema; the schemas are {known}")

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    def apply(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks with the records to keep, up to the limit."""
        if self.everything:
            yield from blocks
            return
        limit = NO_LIMIT if self.limit is None else self.limit
        ids: array[int] | None = array("I") if self.symbols else None
        for block in blocks:
            wanted = self._wanted(block.schema)
            for part in stretches(block):
                if part.data[1] == MAPPING:
                    self._follow(part.data, ids)
                    yield part
                    continue
                kept, limit = self._kept(part, wanted, ids, limit)
                if kept is not None:
                    yield kept
                if limit == 0:
                    return

    def _wanted(self, source_schema: str | None) -> bytes:
        """One byte per rtype: whether its records are kept (1), left out (0) or kept in any case (2)."""
        rtypes = {layout(schema).rtype for schema in self.schemas - OURS}
        if (source_schema if source_schema == "tbbo" else "mbp-1") not in self.schemas:
            rtypes.discard(MBP_1)
        kept = [not self.schemas or rtype in rtypes for rtype in range(256)]
        return bytes(ALWAYS if rtype == SYSTEM else keep for rtype, keep in enumerate(kept))

    def _follow(self, data: bytes, ids: array[int] | None) -> None:
        """Learn which instruments a run of mapping records names."""
        if ids is None:
            return
        for at in range(0, len(data), 4 * data[0]):
            instrument_id, series, symbol = read_mapping(data, at)
            named = series in self.symbols or symbol in self.symbols
            if named and instrument_id not in ids:
                ids.append(instrument_id)
            elif not named and instrument_id in ids:
                ids.remove(instrument_id)

    def _kept(
        self, block: Block, wanted: bytes, ids: array[int] | None, limit: int,
    ) -> tuple[Block | None, int]:
        data, indices, limit = stream.select(block.data, wanted, ids, self.start, self.end, limit)
        if len(data) == len(block.data):
            return block, limit
        if not data:
            return None, limit
        first, known = block.first, block.numbers
        numbers = array("q", (first + index if known is None else known[index] for index in indices))
        return Block(data, block.source, numbers[0], block.unit, block.schema, numbers), limit


def stretches(block: Block) -> Iterator[Block]:
    """The block cut into stretches of mapping records and of others."""
    data, at, index = block.data, 0, 0
    while at < len(data):
        stop = stream.same(data, at) if data[at + 1] == MAPPING else stream.first_of(data, at, _MAPPINGS)
        yield cut(block, at, stop, index)
        index += stream.count(data, at, stop)
        at = stop
