"""One symbol and schema of a plan, file after file: those that are missing are downloaded as they are reached."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...blocks import MAPPING, Block
from ...errors import BadData, SourceUnavailable
from ...market import stream as walk
from ...records import mapping_bytes
from ...records.layout import layout, read_mapping
from ..dbn import cut
from ..files import read_source
from ..inputs import open_file
from ..select import stretches
from ..symbology import stype_of
from .client import Broken, Client, Request
from .join import records_of
from .names import Extent, file_name, readable
from .plan import Piece, Plan, Stream
from .shelf import PART, header_of, records_in

logger = logging.getLogger(__name__)


def read_plan(stream: Stream, plan: Plan, client: Client, *, skip_bad: bool) -> Iterator[Block]:
    """The records of one stream, exactly those of the time that was asked for."""
    for begin, end, extent in stream.shelf.cover(stream.request.start, stream.request.end):
        if extent is None:
            for piece in agreed(stream, begin, end):
                yield from downloaded(stream, piece, plan, client, skip_bad=skip_bad)
        else:
            yield from read(stream, extent, begin, end, skip_bad=skip_bad)


def agreed(stream: Stream, begin: int, end: int) -> list[Piece]:
    """The pieces of a stretch whose cost was agreed to. Raises SourceUnavailable where it was not."""
    pieces = [piece._replace(begin=max(piece.begin, begin), end=min(piece.end, end))
              for piece in stream.pieces if piece.begin < end and piece.end > begin]
    if sum(piece.end - piece.begin for piece in pieces) != end - begin:
        raise gone(stream)
    return pieces


def gone(stream: Stream) -> SourceUnavailable:
    """The error for files that were there a moment ago."""
    return SourceUnavailable(f"{stream.shelf.folder}: files were removed before they could be read; run it again")


def downloaded(stream: Stream, piece: Piece, plan: Plan, client: Client, *, skip_bad: bool) -> Iterator[Block]:
    """The records of a piece, downloaded unless another process did it meanwhile."""
    try:
        with stream.shelf.locked():
            for begin, end, extent in stream.shelf.cover(piece.begin, piece.end):
                if extent is None:
                    obtain(stream, piece._replace(begin=begin, end=end), client)
    except SourceUnavailable as error:
        raise SourceUnavailable(f"{error}; {plan.fetched} of {plan.number} downloads are in the cache, and the same "
                                "command goes on from there") from error
    plan.count()
    for begin, end, extent in stream.shelf.cover(piece.begin, piece.end):
        if extent is None:
            raise gone(stream)
        yield from read(stream, extent, begin, end, skip_bad=skip_bad)


def obtain(stream: Stream, piece: Piece, client: Client) -> None:
    """Download one piece, and give it its place once it is whole. Raises Broken where it is not."""
    request = stream.request._replace(start=piece.begin, end=piece.end)
    part = stream.shelf.folder / PART
    part.unlink(missing_ok=True)        # of a process that was killed
    try:
        if piece.empty:
            part.write_bytes(empty_file(client.dataset, request))
        else:
            client.download(request, part)
        records = verified(part, client.dataset, request)
        cost = stream.rate * records * layout(request.schema).size
        stream.shelf.put(part, file_name(piece.begin, piece.end, piece.note), records, cost)
    finally:
        part.unlink(missing_ok=True)
    stream.shelf.drop_outdated(piece.begin, piece.end)
    logger.info("%s %s: %d records from %s on", request.symbol, request.schema, records, readable(piece.begin))


def verified(path: Path, dataset: str, request: Request) -> int:
    """Number of records of a download. Raises Broken where it is not whole, or not what was asked for."""
    try:
        records, metadata = records_in(path), header_of(path)
    except BadData as error:
        raise Broken(f"{request.symbol} {request.schema} of {readable(request.start)} did not come whole "
                     f"({str(error).removeprefix(f'{path}: ')})") from error
    if (metadata.dataset, str(metadata.schema)) != (dataset, request.schema):
        raise Broken(f"asked for {request.schema} of {dataset}, the vendor sent {metadata.schema} of "
                     f"{metadata.dataset}")
    return records


def empty_file(dataset: str, request: Request) -> bytes:
    """A DBN file without a record: of a time in which the symbol means no instrument."""
    import zstandard
    from databento_dbn import Metadata, Schema, SType

    metadata = Metadata(
        dataset=dataset, start=request.start, end=request.end, schema=Schema(request.schema),
        stype_in=SType(stype_of(request.symbol)), stype_out=SType("instrument_id"), symbols=[request.symbol],
        partial=[], not_found=[request.symbol], mappings=[],
    )
    return zstandard.ZstdCompressor().compress(metadata.encode())


def read(stream: Stream, extent: Extent, start: int, end: int, *, skip_bad: bool) -> Iterator[Block]:
    """The records of a file with start <= index time < end. Raises BadData; a damaged file is then set aside."""
    try:
        blocks = read_source(open_file(str(extent.path), follow=False), skip_bad=skip_bad)
        if (start, end) == (extent.begin, extent.end):
            yield from blocks
        else:
            yield from trimmed(blocks, start, end)
    except BadData as error:
        if is_whole(extent.path):
            raise
        stream.shelf.set_aside(extent, str(error))
        raise BadData(f"{extent.path} is damaged; run it again to download it anew") from error


def is_whole(path: Path) -> bool:
    """Whether a file can be read to its end."""
    try:
        return records_in(path) >= 0
    except BadData:
        return False


def trimmed(blocks: Iterable[Block], start: int, end: int) -> Iterator[Block]:
    """The records with start <= index time < end, each name at the first of them for which it holds."""
    held: dict[str | int, bytes] = {}
    for block in (part for whole in blocks for part in stretches(whole)):
        data = block.data
        if data[1] == MAPPING:
            for record in records_of(data):
                hold(held, record)
            continue
        first = walk.first_from(data, 0, start, True)
        stop = walk.first_from(data, first, end, True)
        if first < stop:
            if held:
                yield names_at(held, walk.index_time(data, first), block)
            yield cut(block, first, stop, walk.count(data, 0, first))
            held.clear()
        if stop < len(data):
            return


def hold(held: dict[str | int, bytes], record: bytes) -> None:
    """Keep a name, instead of that which the series had before; a parent has many instruments at a time."""
    number, series, _ = read_mapping(record, 0)
    key = number if stype_of(series) == "parent" else series
    held.pop(key, None)
    held[key] = record


def names_at(held: dict[str | int, bytes], ts: int, block: Block) -> Block:
    """The names as they stand ahead of a record of this time (ns)."""
    records = [mapping_bytes(*read_mapping(record, 0), ts) for record in held.values()]
    return Block(b"".join(records), block.source, block.first, block.unit, block.schema, [block.first] * len(records))
