"""The symbols of a DBN header, as mapping records at the times at which they begin to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from ..blocks import SECOND
from ..records.layout import mapping_bytes

if TYPE_CHECKING:
    from databento_dbn import Metadata


# continuous and parent symbols, and instrument ids: what one asks for, but no instrument is called so
ASKED = re.compile(r"\.([cnv]\.\d+|FUT|OPT|SPOT)$|^\d+$", re.IGNORECASE)


class Interval(NamedTuple):
    """From start to end (ns) the series is this instrument."""

    start: int
    end: int
    instrument_id: int
    series: str
    symbol: str | None


@dataclass(slots=True)
class Symbology:
    """Hands out each mapping when its time comes: in input order, so that a roll happens where it happened."""

    pending: list[Interval] = field(default_factory=list)   # latest first

    def begin(self, ts: int) -> bytes:
        """Mapping records to put ahead of the first record (index time ``ts``): for every series the one in force."""
        chosen: dict[str, Interval] = {}
        for interval in reversed(self.pending):
            if interval.start <= ts or interval.series not in chosen:
                chosen[interval.series] = interval
        held = set(chosen.values())
        last = {series: interval.start for series, interval in chosen.items()}
        self.pending = [item for item in self.pending if item not in held and item.start > last[item.series]]
        return b"".join(_record(interval, ts) for interval in chosen.values())

    @property
    def next_start(self) -> int | None:
        """Time (ns) at which the next mapping begins; None when all hold."""
        return self.pending[-1].start if self.pending else None

    def due(self, ts: int) -> bytes:
        """Mapping records that begin at or before a time."""
        records = []
        while self.pending and self.pending[-1].start <= ts:
            records.append(_record(self.pending.pop(), ts))
        return b"".join(records)


def _record(interval: Interval, ts: int) -> bytes:
    return mapping_bytes(interval.instrument_id, interval.series, interval.symbol, ts)


def symbology(metadata: Metadata) -> Symbology:
    """The mappings of a header, those that change by date included."""
    intervals = sorted(_intervals(metadata), key=lambda item: (item.start, item.series), reverse=True)
    return Symbology(intervals)


def _intervals(metadata: Metadata) -> Iterator[Interval]:
    by_id = str(metadata.stype_in) == "instrument_id"
    for key, spans in metadata.mappings.items():
        for span in spans:
            start, end, value = _midnight(span["start_date"]), _midnight(span["end_date"]), span["symbol"]
            number, series = (key, value) if by_id else (value, key)
            if number.isdigit():
                yield Interval(start, end, int(number), series, raw_symbol(series))


def raw_symbol(series: str) -> str | None:
    """The raw symbol of a series that was asked for by it; None for a continuous or parent symbol, or a number.

    >>> raw_symbol("GCZ5"), raw_symbol("GC.v.0"), raw_symbol("GC.FUT")
    ('GCZ5', None, None)
    """
    return None if ASKED.search(series) else series


def stype_of(symbol: str) -> str:
    """How the vendor is to read a symbol that was asked for.

    >>> stype_of("GC.v.0"), stype_of("GC.FUT"), stype_of("GCZ6"), stype_of("42026")
    ('continuous', 'parent', 'raw_symbol', 'instrument_id')
    """
    if symbol.isdigit():
        return "instrument_id"
    if not ASKED.search(symbol):
        return "raw_symbol"
    return "parent" if symbol.upper().endswith((".FUT", ".OPT", ".SPOT")) else "continuous"


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
