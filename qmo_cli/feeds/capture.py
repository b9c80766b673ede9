"""A file that a stream is written to as it goes by, so that it can be replayed, and gone on with after any stop."""

from __future__ import annotations

import fcntl
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..blocks import SYSTEM, Block
from ..errors import BadData, SourceUnavailable, UsageError
from ..market import stream
from ..ndjson import DbnWriter
from ..records import OURS, from_dbn, schema_of_own
from ..sessions import session, trade_date
from .dbn import DbnReader
from .inputs import READ_SIZE, Damage

logger = logging.getLogger(__name__)

FACTS = OURS - {"system"}
_SYSTEM = bytes(rtype == SYSTEM for rtype in range(256))


@dataclass(slots=True)
class Capture:
    """A DBN file: ``blocks`` gives what is in it, then ``write`` goes on with it. One process at a time.

    Raises UsageError for a name that compression belongs to, SourceUnavailable where the file cannot be written, or is
    written by another process.
    """

    path: str
    facts: Counter[bytes] = field(default_factory=Counter)  # own records in it that are no system records
    _fd: int = field(init=False)

    def __post_init__(self) -> None:
        if self.path.endswith((".zst", ".gz")):
            raise UsageError(f"--record {self.path}: a capture is plain DBN, so that it is whole whenever the process "
                             "ends; compress it afterwards")
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceUnavailable(f"--record {self.path}: another process writes to it") from error
        except OSError as error:
            raise SourceUnavailable(f"--record {self.path}: {(error.strerror or str(error)).lower()}") from error

    @property
    def empty(self) -> bool:
        """Whether the file holds nothing yet."""
        return os.fstat(self._fd).st_size == 0

    def blocks(self) -> Iterator[Block]:
        """What is in the file. A record that was torn when the process was killed is cut off."""
        reader, size = DbnReader(self.path), os.fstat(self._fd).st_size
        os.lseek(self._fd, 0, os.SEEK_SET)
        try:
            while data := os.read(self._fd, READ_SIZE):
                for block in reader.feed(data):
                    self._note_facts(block)
                    yield block
        except Damage as error:
            raise BadData(f"--record {reader.damage(str(error))}; move the file away to begin another") from error
        if reader.reached < size:
            if reader.reached == 0 and not b"DBN".startswith(os.pread(self._fd, 3, 0)):
                raise BadData(f"--record {self.path}: not a DBN file; name another")
            logger.warning("%s: the last record was torn; %d bytes are cut off", self.path, size - reader.reached)
            os.ftruncate(self._fd, reader.reached)

    def _note_facts(self, block: Block) -> None:
        data, at = block.data, 0
        while (at := stream.first_of(data, at, _SYSTEM)) < len(data):
            record = data[at:at + 4 * data[at]]
            if schema_of_own(record) in FACTS:
                self.facts[record] += 1
            at += len(record)

    def write(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, each written before it goes on: what was printed is in the file."""
        writer = DbnWriter()
        os.lseek(self._fd, 0, os.SEEK_END)
        for block in blocks:
            rest = memoryview(writer.encode(block))
            while rest:
                rest = rest[os.write(self._fd, rest):]
            yield block

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def dated(name: str, now: int) -> str:
    """The name of a capture: ``{date}`` is the trade date of ``now`` (ns), while nothing trades that of the opening."""
    found = session(now)
    return name.replace("{date}", found.trade_date if found.open else trade_date(found.reopens))


def without(blocks: Iterable[Block], kinds: frozenset[str]) -> Iterator[Block]:
    """The blocks without system records of these kinds."""
    for block in blocks:
        data, start, at = block.data, 0, 0
        pieces: list[bytes] = []
        while (at := stream.first_of(data, at, _SYSTEM)) < len(data):
            stop = at + 4 * data[at]
            if getattr(from_dbn(data, at, {}), "kind", None) in kinds:
                pieces.append(data[start:at])
                start = stop
            at = stop
        if start == 0:
            yield block
        elif kept := b"".join([*pieces, data[start:]]):
            yield Block(kept, block.source, block.first, block.unit, block.schema)
