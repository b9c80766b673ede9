"""The cache of one symbol and schema: a folder of files, each whole, with a ledger of what was paid."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadData, SourceUnavailable
from ..dbn import DbnReader, header_size
from ..inputs import Damage, chunks, open_file
from .names import Extent, extent_of

if TYPE_CHECKING:
    from databento_dbn import Metadata

logger = logging.getLogger(__name__)

LEDGER = "ledger.ndjson"
LOCK = ".lock"
PART = "download.part"
ASIDE = ".damaged"
POLL = 0.05                        # s between looks at a lock
PATIENCE = 1800.0                  # s for another process to finish one download

Segment = tuple[int, int, Extent | None]   # from, to (ns), and the file that holds it


@dataclass(slots=True)
class Shelf:
    """One folder. Provisional files count only if they are younger than ``since`` (ns): good for one run."""

    folder: Path
    since: int
    obtained: set[Path] = field(default_factory=set)       # in this run

    def extents(self) -> list[Extent]:
        """The files that count, by their begin."""
        found = (extent_of(path) for path in self._paths())
        return sorted(each for each in found if each and not (each.provisional and self._outdated(each)))

    def _paths(self) -> list[Path]:
        try:
            return list(self.folder.iterdir())
        except FileNotFoundError:
            return []

    def _outdated(self, extent: Extent) -> bool:
        try:
            return extent.path not in self.obtained and extent.path.stat().st_mtime_ns < self.since
        except FileNotFoundError:
            return True

    def cover(self, start: int, end: int) -> list[Segment]:
        """The stretch of time cut by what holds it: files, each in order, and None where there is no file."""
        extents, segments, at = self.extents(), list[Segment](), start
        while at < end:
            reached = [each for each in extents[:bisect_right(extents, at, key=_begin)] if each.end > at]
            best = max(reached, key=_end, default=None)
            stop = best.end if best else min((each.begin for each in extents if each.begin > at), default=end)
            segments.append((at, min(stop, end), best))
            at = stop
        return segments

    def check(self, start: int, end: int) -> None:
        """Set aside what is damaged among the files of a stretch of time; those of the known size are whole."""
        known = self._known_sizes()
        for _, _, extent in self.cover(start, end):
            if extent and known.get(extent.path.name) != extent.path.stat().st_size:
                try:
                    records = records_in(extent.path)
                except (BadData, SourceUnavailable) as error:
                    self.set_aside(extent, str(error))
                else:
                    with suppress(OSError):        # a cache that may only be read is read again next time
                        self.note(extent.path, records, None)

    def set_aside(self, extent: Extent, why: str) -> None:
        """Give a damaged file another name, so that it is fetched again."""
        aside = extent.path.with_name(extent.path.name + ASIDE)
        with suppress(FileNotFoundError):  # another process was first
            os.replace(extent.path, aside)
        logger.warning("%s; it is set aside as %s", why, aside.name)

    def _known_sizes(self) -> dict[str, int]:
        try:
            lines = (self.folder / LEDGER).read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        entries = [entry for line in lines if isinstance(entry := _decoded(line), dict)]
        return {entry["file"]: entry["bytes"] for entry in entries if "file" in entry and "bytes" in entry}

    def note(self, path: Path, records: int, cost: float | None) -> None:
        """Write into the ledger that a file is whole, and about what was paid for it (US dollars)."""
        entry = {"file": path.name, "bytes": path.stat().st_size, "records": records, "cost": cost,
                 "time": datetime.now(UTC).isoformat(timespec="seconds")}
        with open(self.folder / LEDGER, "ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that downloads into this folder. Raises SourceUnavailable after a long wait."""
        private_folder(self.folder)
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(handle)
            yield
        finally:
            os.close(handle)       # which unlocks it, as the end of the process does

    def _wait_for(self, handle: int) -> None:
        deadline, said = time.monotonic() + PATIENCE, False
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SourceUnavailable(f"{self.folder}: another process downloads, and does not end") from None
            if not said:
                logger.warning("another process downloads into %s; waiting for it", self.folder)
                said = True
            time.sleep(POLL)

    def put(self, part: Path, name: str, records: int, cost: float | None) -> None:
        """Give a download that was found whole its place."""
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        path = self.folder / name
        os.replace(part, path)
        self.obtained.add(path)
        self.note(path, records, cost)

    def drop_outdated(self, begin: int, end: int) -> None:
        """Remove the provisional files of earlier runs from a stretch of time."""
        for extent in map(extent_of, self._paths()):
            if extent and extent.provisional and extent.begin < end and extent.end > begin and self._outdated(extent):
                extent.path.unlink(missing_ok=True)


def _begin(extent: Extent) -> int:
    return extent.begin


def _end(extent: Extent) -> int:
    return extent.end


def _decoded(line: bytes) -> Any:
    """A line of the ledger; a torn one says nothing."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for the owner only."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def records_in(path: Path) -> int:
    """Number of records of a DBN file, read to its end. Raises BadData where it is not whole.

    Whether the records make sense is for the reader to say when they are used: they would be no better if they were
    fetched, and paid, again.
    """
    reader = DbnReader(str(path), skip_bad=True)
    source = open_file(str(path), follow=False)
    try:
        for data in chunks(source):
            for _ in reader.feed(data):
                pass
        for _ in reader.finish():
            pass
    except Damage as error:
        raise BadData(reader.damage(str(error))) from error
    finally:
        source.close()
    return reader.number - 1


def header_of(path: Path) -> Metadata:
    """The header of a DBN file that is whole."""
    from databento_dbn import Metadata

    source, start = open_file(str(path), follow=False), b""
    try:
        for data in chunks(source):
            start += data
            if size := header_size(start, 0):
                return Metadata.decode(start[:size])
    finally:
        source.close()
    raise BadData(f"{path}: it has no header")
