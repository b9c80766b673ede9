"""Databento's CSV: one record a line under a line of column names."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadData
from .lines import LineReader
from .vendor import from_fields

NEEDED = ("rtype", "instrument_id", "ts_event")


@dataclass(slots=True)
class CsvReader(LineReader):
    """Turns the bytes of one CSV source, in pieces of any size, into blocks."""

    _columns: list[str] = field(default_factory=list)

    def _record(self, text: bytes) -> Any:
        try:
            cells = next(csv.reader([text.decode().removeprefix("\ufeff")], strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadData(f"not a line of CSV: {error}") from error
        if not self._columns or cells[:1] == self._columns[:1]:
            self._take_columns(cells)
            return None
        if len(cells) != len(self._columns):
            raise BadData(f"{len(cells)} values, but there are {len(self._columns)} columns")
        return from_fields(dict(zip(self._columns, cells, strict=True)), self.hint)

    def _take_columns(self, cells: list[str]) -> None:
        missing = [name for name in NEEDED if name not in cells]
        if missing:
            raise BadData(f"no column {missing[0]}; CSV is read as Databento writes it, with {', '.join(NEEDED)}")
        self._columns = cells
