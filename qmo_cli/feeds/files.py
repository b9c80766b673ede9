"""Files, patterns and standard input, one after another, each in whatever format its first bytes show."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from ..blocks import Block
from ..errors import BadData, SourceUnavailable
from .dbn import DbnReader, is_record
from .inputs import Damage, Source, bad_data, chunks, open_file, widen_pipe
from .lines import LineReader

logger = logging.getLogger(__name__)

STDIN = "-"
WILD = re.compile(r"[*?\[]")
TBBO_NAME = re.compile(r"(^|[.\-_])tbbo\.")
UNUSED = {20: "imbalance", 177: "cmbp-1", 192: "cbbo-1s", 193: "cbbo-1m", 194: "tcbbo", 36: "ohlcv-eod", 17: "ohlcv"}


class Reader(Protocol):
    """What turns the bytes of one source into blocks."""

    def feed(self, data: bytes) -> Iterator[Block]: ...
    def finish(self) -> Iterator[Block]: ...
    def damage(self, words: str) -> str: ...
    def skip_rest(self, words: str) -> Block: ...


def open_source(
    names: Sequence[str], *, skip_bad: bool = False, follow: bool = False, stdin: Source | None = None,
) -> Iterator[Block]:
    """The records of files, patterns and "-" (standard input), in the order given.

    Formats are told by content: DBN versions 1 to 3, our JSON lines, the vendor's JSON lines and CSV, each also
    compressed by zstd or gzip. ``follow`` waits for more at the end of the last source. ``stdin`` is standard input
    where it was looked at before. Raises SourceUnavailable for a missing file and BadData, after everything whole
    that came before the damage.
    """
    paths = expand(names)
    for index, path in enumerate(paths):
        last = follow and index == len(paths) - 1
        if path == STDIN:
            source = stdin or open_stdin()
            source.follow = False
        else:
            source = open_file(path, last)
        yield from read_source(source, skip_bad=skip_bad)


def open_stdin() -> Source:
    """Standard input, as a pipe of 1 MiB where possible."""
    widen_pipe(0)
    return Source(STDIN, 0)


def expand(names: Sequence[str]) -> list[str]:
    """Paths of names and patterns, those of a pattern sorted. All must exist: a typing error shows at once."""
    paths: list[str] = []
    for name in names:
        found = sorted(glob.glob(name, recursive=True)) if WILD.search(name) and not os.path.exists(name) else [name]
        if not found:
            raise SourceUnavailable(f"{name}: no file matches")
        paths += found
    for path in paths:
        if path != STDIN and not os.path.exists(path):
            raise SourceUnavailable(f"{path}: no such file")
    return paths


def read_source(source: Source, *, skip_bad: bool = False) -> Iterator[Block]:
    """The blocks of one open input, which is closed at the end."""
    try:
        yield from _read(source, skip_bad)
    finally:
        source.close()


def _read(source: Source, skip_bad: bool) -> Iterator[Block]:
    pieces = chunks(source)
    reader: Reader | None = None
    try:
        start = _start(pieces)
        reader = _reader(source, start, skip_bad) if start.strip() else None
        if reader is None:
            return _check_empty(source)
        yield from reader.feed(start)
        for data in pieces:
            yield from reader.feed(data)
        yield from reader.finish()
    except Damage as error:
        if reader is None or not skip_bad:
            raise BadData(reader.damage(str(error)) if reader else f"{source.name}: {error}") from error
        yield reader.skip_rest(str(error))
    _report(reader, source.name)


def _check_empty(source: Source) -> None:
    """An empty pipe is a stage that had nothing to say; an empty file is a mistake."""
    if source.name != STDIN:
        raise bad_data(source.name, "the file is empty")


def _start(pieces: Iterator[bytes]) -> bytes:
    """The first bytes: enough of them to tell the format."""
    start = b""
    for data in pieces:
        start += data
        if len(start.lstrip()) >= 4:
            break
    return start


def _reader(source: Source, start: bytes, skip_bad: bool) -> Reader:
    """The reader for what the first bytes show. Raises BadData where they show nothing that can be read."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"DBN"):
        return DbnReader(source.name, skip_bad)
    if text.startswith(b"{"):
        return LineReader(source.name, skip_bad, "tbbo" if TBBO_NAME.search(source.name) else None)
    if re.match(rb"[A-Za-z_]\w*,", text):
        from .csv import CsvReader

        return CsvReader(source.name, skip_bad, "tbbo" if TBBO_NAME.search(source.name) else None)
    raise bad_data(source.name, _unreadable(start, text))


def _unreadable(start: bytes, text: bytes) -> str:
    if text.startswith(b"["):
        return "a JSON array; records are one object a line (jq -c '.[]' makes them)"
    if start.startswith(b"PK"):
        return "a zip archive; unpack it first"
    if is_record(start):
        return "DBN records without the header that names their version and symbols; read the whole file or stream"
    return "neither DBN nor JSON lines nor CSV (nor one of them compressed by zstd or gzip)"


def _report(reader: Reader, name: str) -> None:
    """Tell the log of records that nobody reads."""
    for rtype, number in sorted(getattr(reader, "unused", {}).items()):
        logger.info("%s: %d records of schema %s are not used", name, number, UNUSED.get(rtype, f"type {rtype}"))
