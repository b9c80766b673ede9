"""Names of cached files: which stretch of time one holds, and what the vendor says of that day's data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from ...blocks import SECOND
from ...times import iso

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ENDING = ".dbn.zst"
DEGRADED, PENDING, MISSING = "degraded", "pending", "missing"   # what the vendor may say of a day's data
NOTES = (DEGRADED, PENDING, MISSING)
PROVISIONAL = (PENDING, MISSING)         # it may have more of such a day later
STAMP = r"(\d{4}-\d\d-\d\d)(?:T(\d\d)(?:(\d\d)(\d\d)(?:n(\d{9}))?)?)?"
NAME = re.compile(rf"{STAMP}(?:_{STAMP})?(?:\.({'|'.join(NOTES)}))?{re.escape(ENDING)}")


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """One file: all records of a symbol and schema with begin <= index time < end (ns)."""

    begin: int
    end: int
    path: Path
    note: str = ""                       # the day's condition, where the vendor states one other than available

    @property
    def provisional(self) -> bool:
        """Whether the file is good for one run only."""
        return self.note in PROVISIONAL


def extent_of(path: Path) -> Extent | None:
    """The extent of a file of this name; None for any other file."""
    match = NAME.fullmatch(path.name)
    if not match:
        return None
    parts = match.groups()
    begin = _time(parts[:5])
    if parts[5]:
        return Extent(begin, _time(parts[5:10]), path, parts[10] or "")
    return Extent(begin, begin + (DAY if parts[1] is None else HOUR), path, parts[10] or "")


def _time(parts: tuple[str | None, ...]) -> int:
    day, hour, minute, second, fraction = parts
    when = datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}+00:00")
    return int(when.timestamp()) * SECOND + int(fraction or 0)


def file_name(begin: int, end: int, note: str = "") -> str:
    """Name of the file of a stretch of time.

    >>> midnight = 1772409600 * 10**9
    >>> file_name(midnight, midnight + DAY), file_name(midnight, midnight + HOUR)
    ('2026-03-02.dbn.zst', '2026-03-02T00.dbn.zst')
    >>> file_name(midnight + HOUR, midnight + 2 * HOUR + 1, "degraded")
    '2026-03-02T01_2026-03-02T020000n000000001.degraded.dbn.zst'
    """
    if end - begin == DAY and begin % DAY == 0:
        stem = stamp(begin)
    elif end - begin == HOUR and begin % HOUR == 0:
        stem = f"{stamp(begin - begin % DAY)}T{begin % DAY // HOUR:02}"
    else:
        stem = f"{stamp(begin)}_{stamp(end)}"
    return f"{stem}.{note}{ENDING}" if note else f"{stem}{ENDING}"


def stamp(ts: int) -> str:
    """A time as it stands in a name: as short as it can be."""
    when = datetime.fromtimestamp(ts // SECOND, UTC)
    if ts % DAY == 0:
        return when.strftime("%Y-%m-%d")
    if ts % HOUR == 0:
        return when.strftime("%Y-%m-%dT%H")
    return when.strftime("%Y-%m-%dT%H%M%S") + (f"n{ts % SECOND:09}" if ts % SECOND else "")


def readable(ts: int) -> str:
    """A time for a person.

    >>> readable(1772409600 * 10**9), readable(1772463600 * 10**9)
    ('2026-03-02', '2026-03-02T15:00:00Z')
    """
    text: str = iso(ts)
    return text.removesuffix("T00:00:00Z")


def folder_name(text: str) -> str:
    """A symbol or dataset as the name of a folder, whatever characters it has.

    >>> folder_name("GC.v.0"), folder_name("OG1Z6 C4200"), folder_name(".."), folder_name("a/b")
    ('GC.v.0', 'OG1Z6%20C4200', '%2E%2E', 'a%2Fb')
    """
    name = quote(text, safe="")
    return name.replace(".", "%2E") if not name.strip(".") else name
