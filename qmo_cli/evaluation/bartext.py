"""Bars as plain text: time, open, high, low, close and perhaps volume on each line, under names or without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ..blocks import SECOND

OPEN, HIGH, LOW, CLOSE = range(4)
NAMES = ("open", "high", "low", "close")
TIMES = ("date", "time", "datetime", "date_time", "timestamp", "ts", "ts_event")
VOLUMES = ("volume", "tick_volume", "tickvol", "vol")
EPOCHS = {9: SECOND, 10: SECOND, 13: SECOND // 10**3, 16: SECOND // 10**6, 19: 1}  # digits: ns in a unit
LONGEST = 4096       # characters of a first line


class Row(NamedTuple):
    """One bar as it was read."""

    line: int
    ts: int                              # ns, its open
    prices: tuple[float, float, float, float]
    volume: float | None

    def scaled(self, scale: float) -> Row:
        """With prices times a number."""
        one, two, three, four = self.prices
        return self._replace(prices=(one * scale, two * scale, three * scale, four * scale))


class Fault(NamedTuple):
    """What was wrong with a line."""

    line: int
    words: str


def is_plain(start: bytes) -> bool:
    """Whether text is a table of bars: under names of columns, or, without them, time, open, high, low, close."""
    line = start[:LONGEST].removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].decode(errors="replace")
    cells = split(line, delimiter(line))
    return columns(cells) is not None or bare(cells)


def split(line: str, between: str) -> list[str]:
    """The cells of a line, without quotes."""
    return [cell.strip().strip('"') for cell in line.split(between)]


def delimiter(line: str) -> str:
    """What separates the cells: comma, semicolon or tab."""
    return max(",;\t", key=line.count)


def bare(cells: list[str]) -> bool:
    """Whether a line without names is time, open, high, low, close."""
    try:
        moment(cells[0])
        return len([float(cell) for cell in cells[1:5]]) == len(NAMES)
    except (ValueError, IndexError):
        return False


class Columns(NamedTuple):
    """Where things stand in a line."""

    times: list[int]
    prices: list[int]
    volume: int | None


BARE = Columns([0], [1, 2, 3, 4], None)
BARE_WITH_VOLUME = BARE._replace(volume=5)


def columns(cells: list[str]) -> Columns | None:
    """Where things stand, by the names in the first line; None where they are not names of a table of bars."""
    names = [re.sub(r"[<>\s]+", "_", cell.strip("<>\ufeff").lower()) for cell in cells]
    if "rtype" in names or not all(name in names for name in NAMES):
        return None
    times = [names.index(name) for name in TIMES if name in names]
    if not times:
        return None
    dated = [place for place in times if names[place] in ("date", "time")]
    volume = next((names.index(name) for name in VOLUMES if name in names), None)
    return Columns(dated[:2] or times[:1], [names.index(name) for name in NAMES], volume)


def plain(text: str) -> Iterator[Row | Fault]:
    """The rows of a table of bars; empty lines are skipped."""
    where: Columns | None = None
    between = ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        between = between or delimiter(line)
        cells = split(line, between)
        if where is None:
            where = columns(cells)
            if where is not None:
                continue
            where = BARE_WITH_VOLUME if len(cells) == len(NAMES) + 2 else BARE
        yield row_of(cells, where, number)


def row_of(cells: list[str], where: Columns, line: int) -> Row | Fault:
    """One line."""
    try:
        ts = moment(" ".join(cells[place] for place in where.times))
    except (ValueError, IndexError):
        return Fault(line, "no time that can be read")
    try:
        one, two, three, four = (float(cells[place]) for place in where.prices)
        volume = None if where.volume is None or not cells[where.volume] else float(cells[where.volume])
    except (ValueError, IndexError):
        return Fault(line, "a number is missing or cannot be read")
    return Row(line, ts, (one, two, three, four), volume)


def moment(text: str) -> int:
    """ns since 1970 of an ISO time (UTC unless it has a zone), also 2024.01.31, or of epoch s, ms, us or ns.

    >>> moment("20060320 00:00"), moment("2006-03-20T00:00:00Z"), moment("1142812800")
    (1142812800000000000, 1142812800000000000, 1142812800000000000)
    """
    text = text.strip()
    if text.isdecimal() and len(text) in EPOCHS:
        return int(text) * EPOCHS[len(text)]
    if re.match(r"\d{8} ", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    when = datetime.fromisoformat(re.sub(r"^(\d{4})[./](\d\d)[./](\d\d)", r"\1-\2-\3", text))
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * SECOND
