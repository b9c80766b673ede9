"""Records of our own, from files beside the market's: each goes in where its time has its place.

A record goes in ahead of the first market record whose time is later, so that nothing is known too early. One that
comes too late for its place goes in at once.
"""

from __future__ import annotations

import heapq
import logging
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..blocks import MAPPING, SYSTEM, UNDEF_TIME, Block
from ..errors import BadData, UsageError
from ..market import stream
from ..records import OURS
from .dbn import cut
from .inputs import Damage, Source, chunks, open_file
from .lines import LineReader

logger = logging.getLogger(__name__)

MAPPINGS = bytes(rtype == MAPPING for rtype in range(256))
WANTED = f"--merge takes {', '.join(sorted(OURS))} records"


class Waiting(NamedTuple):
    """A record that waits for its time."""

    ts: int                 # ns
    order: int              # of arrival, among those of one time
    data: bytes
    name: str               # of its file
    number: int             # of its line


@dataclass(slots=True)
class MergeFile:
    """One file of lines; with ``follow`` whatever it grows by is read each time it is looked at."""

    name: str
    follow: bool
    skip_bad: bool
    known: Counter[bytes]   # records that are in the stream already, each so many times
    source: Source = field(init=False)
    reader: LineReader = field(init=False)

    def __post_init__(self) -> None:
        self.source = open_file(self.name, follow=False)
        self.reader = LineReader(self.name, self.skip_bad)

    def read(self) -> Iterator[tuple[int, bytes, int]]:
        """Time, bytes and line of each record that is there now. Raises BadData naming the line."""
        if not self.source.ended:
            for data in self._pieces():
                yield from self._records(self.reader.feed(data))
            if not self.follow:
                yield from self._records(self.reader.finish())
                self.close()

    def close(self) -> None:
        """Read no more of it; once is enough."""
        self.source.ended = True
        self.source.close()
        self.source.fd = -1

    def _pieces(self) -> Iterator[bytes]:
        if self.follow:
            while data := os.read(self.source.fd, 1 << 20):
                yield data
            return
        try:
            yield from chunks(self.source)
        except Damage as error:
            raise BadData(f"{self.name}: {error}") from error

    def _records(self, blocks: Iterable[Block]) -> Iterator[tuple[int, bytes, int]]:
        for block in blocks:
            data, at, index = block.data, 0, 0
            while at < len(data):
                stop = at + 4 * data[at]
                number = block.first + index if block.numbers is None else block.numbers[index]
                if data[at + 1] != MAPPING:
                    yield from self._checked(data[at:stop], number)
                at, index = stop, index + 1

    def _checked(self, record: bytes, number: int) -> Iterator[tuple[int, bytes, int]]:
        ts = stream.record_time(record, 0)
        if record[1] == SYSTEM and ts != UNDEF_TIME:
            if self.known[record] > 0:
                self.known[record] -= 1
                return
            yield ts, record, number
            return
        why = "field ts_event: null, and a record needs a time to be merged by" if record[1] == SYSTEM else WANTED
        if not self.skip_bad:
            raise BadData(f"{self.name}, line {number}, {why}")
        self.reader.skipped.add(number, why)


@dataclass(slots=True)
class Merge:
    """Records that wait for their time, and the files that they come from."""

    files: Sequence[MergeFile]
    waiting: list[Waiting] = field(default_factory=list)
    arrived: int = 0
    held: list[Block] = field(default_factory=list)  # names, until the record comes that they stand ahead of

    def look(self) -> None:
        """Read what the files have, all of them for the first time, growing ones whenever it is asked."""
        for file in self.files:
            for ts, data, number in file.read():
                heapq.heappush(self.waiting, Waiting(ts, self.arrived, data, file.name, number))
                self.arrived += 1

    def into(self, block: Block) -> Iterator[Block]:
        """The block, cut where records go in: never between a record and the names ahead of it, for lines have none."""
        start, index, data = 0, 0, block.data
        while self.waiting:
            reached = later(data, start, self.waiting[0].ts)
            stop = names_before(data, start, reached)
            if stop > start:
                yield from self._release()
                yield cut(block, start, stop, index)
                index += stream.count(data, start, stop)
                start = stop
            if reached == len(data):
                break
            yield self._due(stream.record_time(data, reached), block.schema)
        if start < len(data) and self.waiting:
            self.held.append(cut(block, start, len(data), index))
        elif start < len(data):
            yield from self._release()
            yield cut(block, start, len(data), index)

    def _release(self) -> Iterator[Block]:
        held, self.held = self.held, []
        yield from held

    def finish(self) -> Iterator[Block]:
        """The input is over: what was held back. What is later than all of it is not in it, and that is said."""
        for file in self.files:
            left = sum(record.name == file.name for record in self.waiting)
            if left:
                words = "1 record is" if left == 1 else f"{left} records are"
                logger.warning("%s: %s later than the end of the input, and left out", file.name, words)
        return self._release()

    def _due(self, before: int, schema: str | None) -> Block:
        """The records that come before a time, as many as stand in one file."""
        due = [heapq.heappop(self.waiting)]
        while self.waiting and self.waiting[0].ts < before and self.waiting[0].name == due[0].name:
            due.append(heapq.heappop(self.waiting))
        numbers = array("q", [record.number for record in due])
        return Block(b"".join([record.data for record in due]), due[0].name, numbers[0], "line", schema, numbers)

    def close(self) -> None:
        """Read no more of any file."""
        for file in self.files:
            file.close()


def later(data: bytes, start: int, ts: int) -> int:
    """Offset of the first record whose time is after ``ts``; the end if there is none. Names have no time."""
    at: int = stream.first_from(data, start, ts + 1, False)
    while at < len(data) and (data[at + 1] == MAPPING or stream.record_time(data, at) == UNDEF_TIME):
        at = stream.first_from(data, at + 4 * data[at], ts + 1, False)
    return at


def names_before(data: bytes, start: int, stop: int) -> int:
    """Offset of the mapping records that end at ``stop``; ``stop`` itself if there are none."""
    part = memoryview(data)[:stop]
    at = stream.first_of(part, start, MAPPINGS)
    while at < stop:
        end = stream.same(part, at)
        if end >= stop:
            return int(at)
        at = stream.first_of(part, end, MAPPINGS)
    return stop


def merge(
    blocks: Iterable[Block], names: Sequence[str], *, follow: bool = False, skip_bad: bool = False,
    known: Counter[bytes] | None = None,
) -> Iterator[Block]:
    """The blocks with the records of these files in their places; the blocks themselves where there is no file.

    ``follow`` reads on in files that grow. ``known`` records were merged before, and are left out as often.
    Raises SourceUnavailable for a missing file, BadData naming file and line.
    """
    if not names:
        return iter(blocks)
    if "-" in names:
        raise UsageError("--merge -: standard input cannot be merged; name a file")
    known = Counter() if known is None else known
    return merged(blocks, Merge([MergeFile(name, follow, skip_bad, known) for name in names]), follow=follow)


def merged(blocks: Iterable[Block], files: Merge, *, follow: bool) -> Iterator[Block]:
    """The blocks with what the files hold."""
    try:
        files.look()
        for block in blocks:
            if follow:
                files.look()
            if files.waiting or files.held:
                yield from files.into(block)
            else:
                yield block
        yield from files.finish()
    finally:
        files.close()
