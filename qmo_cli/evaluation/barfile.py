"""Bars from files: records that ``feed`` reads, or plain CSV, also in zip, gzip or zstd. Dirty ones are counted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from struct import unpack_from

from ..blocks import OHLCV_1D, OHLCV_1S, PRICE_SCALE, SECOND, UNDEF_PRICE, Block
from ..feeds.files import STDIN, expand, open_stdin, read_source
from ..feeds.inputs import Damage, Source, bad_data, chunks, open_file
from .bartext import HIGH, LOW, Fault, Row, is_plain, plain

SHOWN = 5            # line numbers of each kind of fault that are told
DAY = 86_400 * SECOND
CLOSED = 4 * DAY     # a weekend and a holiday
BREAK = 4 * 3600 * SECOND  # within a week markets of the day close for an hour or two


@dataclass(slots=True)
class BarTable:
    """The good bars of a source, oldest first, and what was left out: kind -> lines."""

    rows: list[Row] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)     # lines before which bars are missing

    def blame(self, words: str, line: int) -> None:
        """Count a fault."""
        self.faults.setdefault(words, []).append(line)

    def take(self, row: Row) -> None:
        """A bar, where nothing is wrong with it."""
        words = fault(row) or self._misplaced(row)
        if words:
            self.blame(words, row.line)
        else:
            self.rows.append(row)

    def _misplaced(self, row: Row) -> str:
        if not self.rows or row.ts > self.rows[-1].ts:
            return ""
        return "same time as the bar before" if row.ts == self.rows[-1].ts else "older than the bar before"

    def settle(self) -> None:
        """Bars without volume are dirty where others have some; then look for gaps between those that are left."""
        if any(row.volume for row in self.rows):
            silent = [row.line for row in self.rows if row.volume == 0]
            if silent:
                self.faults["no volume"] = silent
            self.rows = [row for row in self.rows if row.volume != 0]
        self.gaps = list(gaps(self.rows))


def fault(row: Row) -> str:
    """What is wrong with a bar by itself; empty when nothing is.

    >>> fault(Row(2, 0, (10.0, 9.0, 11.0, 10.0), None))
    'high below low'
    """
    if not all(map(isfinite, row.prices)):
        return "a price is not a number"
    if min(row.prices) <= 0:
        return "a price is not above 0"
    if row.prices[HIGH] < row.prices[LOW]:
        return "high below low"
    if max(row.prices) > row.prices[HIGH] or min(row.prices) < row.prices[LOW]:
        return "open or close outside the range"
    return "volume below 0" if row.volume is not None and row.volume < 0 else ""


def gaps(rows: list[Row]) -> Iterator[int]:
    """Lines of bars that come after a gap: more than four days, or within a week more than four hours and four bars."""
    if len(rows) < 3:
        return
    steps = sorted(later.ts - row.ts for row, later in pairwise(rows))
    longest = max(BREAK, 4 * steps[(len(steps) - 1) // 2])
    for row, later in pairwise(rows):
        step = later.ts - row.ts
        if step > max(CLOSED, longest) or (step > longest and week(row.ts) == week(later.ts)):
            yield later.line


def week(ts: int) -> int:
    """Number of the trading week; it begins with Sunday (day 0, 1 January 1970, was a Thursday)."""
    return (ts // DAY + 4) // 7


# --- reading


def read_bars(names: Iterable[str], scale: float = 1.0) -> BarTable:
    """The bars of files, patterns and "-", one after another; prices times ``scale``.

    Raises SourceUnavailable for a missing file and BadData for one that holds no bars.
    """
    table = BarTable()
    for path in expand(list(names)):
        found = 0
        for item in read(path):
            if isinstance(item, Fault):
                table.blame(item.words, item.line)
            else:
                found += 1
                table.take(item.scaled(scale))
        if not found:
            raise bad_data(path, "no bars in it: CSV with open, high, low, close, or ohlcv records expected")
    table.settle()
    return table


def read(path: str) -> Iterator[Row | Fault]:
    """The rows of one source, whatever its form."""
    source = open_stdin() if path == STDIN else open_file(path, follow=False)
    if source.peek(4).startswith(b"PK\x03\x04"):
        yield from zipped(source)
        return
    pieces = chunks(source)
    try:
        start = next(pieces, b"")
        if is_plain(start):
            yield from plain((start + b"".join(pieces)).decode(errors="replace"))
            source.close()
        else:
            yield from records(read_source(Pieces(path, start, pieces, source)))
    except Damage as error:
        raise bad_data(path, str(error)) from error


class Pieces(Source):
    """An input whose bytes were already decompressed."""

    def __init__(self, name: str, start: bytes, rest: Iterator[bytes], under: Source) -> None:
        super().__init__(name, -1, head=start)
        self.rest, self.under = rest, under

    def read(self, size: int = 0) -> bytes:
        data, self.head = self.head or next(self.rest, b""), b""
        self.ended = not data
        return data

    def close(self) -> None:
        self.under.close()


def zipped(source: Source) -> Iterator[Row | Fault]:
    """The rows of every file in an archive."""
    data = b"".join(iter(source.read, b""))
    source.close()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                text = archive.read(name)
                if is_plain(text):
                    yield from plain(text.decode(errors="replace"))
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise bad_data(source.name, f"the archive is damaged or locked ({error})") from error


def records(blocks: Iterable[Block]) -> Iterator[Row | Fault]:
    """The ohlcv records among the blocks: those of the instrument and length that there are most of."""
    found: dict[tuple[int, int], list[Row]] = {}
    for block in blocks:
        for number, at in offsets(block):
            rtype = block.data[at + 1]
            if OHLCV_1S <= rtype <= OHLCV_1D:
                found.setdefault((instrument(block.data, at), rtype), []).append(ohlcv(block.data, at, number))
    if not found:
        return
    chosen = max(found, key=lambda kind: len(found[kind]))
    for kind, rows in found.items():
        words = "another contract" if kind[0] != chosen[0] else "bars of another length"
        if kind != chosen:
            yield from (Fault(row.line, words) for row in rows)
    yield from found[chosen]


def offsets(block: Block) -> Iterator[tuple[int, int]]:
    """Number and place of every record in a block."""
    at = index = 0
    while at < len(block.data):
        yield (block.first + index if block.numbers is None else block.numbers[index]), at
        at, index = at + 4 * block.data[at], index + 1


def instrument(data: bytes, at: int) -> int:
    """The record's instrument id."""
    number: int = unpack_from("<I", data, at + 4)[0]
    return number


def ohlcv(data: bytes, at: int, number: int) -> Row:
    """One ohlcv record."""
    ts, *prices, volume = unpack_from("<Q4qQ", data, at + 8)
    one, two, three, four = (float("nan") if price == UNDEF_PRICE else price / PRICE_SCALE for price in prices)
    return Row(number, ts, (one, two, three, four), float(volume))

