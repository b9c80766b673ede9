"""Blocks of several streams in one order of time, and names said once."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...blocks import MAPPING, UNDEF_TIME, Block
from ...market import stream
from ...records.layout import read_mapping
from ..dbn import cut
from ..select import stretches
from ..symbology import stype_of

Head = tuple[int, int, Block, int, int]  # time (ns), number of the stream; its block from an offset and index on


def merged(streams: Sequence[Iterator[Block]]) -> Iterator[Block]:
    """The records of all streams by time, of one time by the order of the streams; each stream keeps its own order."""
    if len(streams) == 1:
        yield from streams[0]
        return
    heads = [head for order, each in enumerate(streams) if (head := _head(order, each))]
    heapq.heapify(heads)
    while heads:
        _, order, block, at, index = heads[0]
        data = block.data
        stop = _reach(data, at, order, heads[1:3])
        yield cut(block, at, stop, index)
        if stop < len(data):
            index += stream.count(data, at, stop)
            heapq.heapreplace(heads, (stream.record_time(data, stop), order, block, stop, index))
        elif head := _head(order, streams[order]):
            heapq.heapreplace(heads, head)
        else:
            heapq.heappop(heads)


def _head(order: int, blocks: Iterator[Block]) -> Head | None:
    block = next(blocks, None)
    return None if block is None else (stream.record_time(block.data, 0), order, block, 0, 0)


def _reach(data: bytes, at: int, order: int, others: Sequence[Head]) -> int:
    """Offset up to which a stream's records come before those of all others."""
    if not others:
        return len(data)
    ts, other = min(head[:2] for head in others)
    reached = stream.first_from(data, at, min(ts + (order < other), UNDEF_TIME), False)
    return max(int(reached), at + 4 * data[at])


@dataclass(slots=True)
class Names:
    """Which instrument a series is, as the stream said so far."""

    series: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    children: dict[int, tuple[str, str | None]] = field(default_factory=dict)   # of parents, by instrument

    def fresh(self, record: bytes) -> bool:
        """Whether a mapping record says anything new; it is then known."""
        number, series, symbol = read_mapping(record, 0)
        parent = stype_of(series) == "parent"
        known = self.children.get(number) == (series, symbol) if parent else self.series.get(series) == (number, symbol)
        self.children[number], self.series[series] = (series, symbol), (number, symbol)
        return not known


def fresh_names(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks without names that only repeat what holds: every file of the cache begins with them."""
    names = Names()
    for block in (part for whole in blocks for part in stretches(whole)):
        if block.data[1] != MAPPING:
            yield block
        elif kept := [record for record in records_of(block.data) if names.fresh(record)]:
            yield Block(b"".join(kept), block.source, block.first, block.unit, block.schema, [block.first] * len(kept))


def records_of(data: bytes) -> Iterator[bytes]:
    """The records of one type that a run of bytes holds."""
    size = 4 * data[0]
    return (data[at:at + size] for at in range(0, len(data), size))
