"""How far a stream had come that is gone on with, told by its blocks as they go by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...blocks import MAPPING, SYSTEM, UNDEF_TIME, Block
from ...market import stream
from ...records.layout import SCHEMAS, read_mapping
from .cursor import Cursor, Seen, seen
from .intake import Names


@dataclass(slots=True)
class Past:
    """What the supervisor must know of the stream before it."""

    cursor: Cursor = field(default_factory=Cursor)
    names: Names = field(default_factory=dict)
    newest: int = 0             # ns, time of the newest record or clock mark
    records: int = 0            # market records

    def watch(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, each taken note of."""
        for block in blocks:
            self._note(block.data)
            yield block

    def _note(self, data: bytes) -> None:
        records: list[Seen] = []
        at = 0
        while at < len(data):
            stop = at + 4 * data[at]
            rtype = data[at + 1]
            if rtype in SCHEMAS:
                records.append(seen(data[at:stop]))
            elif rtype == MAPPING:
                self._name(*read_mapping(data, at))
            if rtype in SCHEMAS or rtype == SYSTEM:
                ts = stream.record_time(data, at)
                self.newest = max(self.newest, 0 if ts == UNDEF_TIME else ts)
            at = stop
        self.records += len(records)
        self.cursor.advance(records)

    def _name(self, instrument_id: int, series: str, symbol: str | None) -> None:
        """A series that leaves an instrument leaves no name behind."""
        for other in [known for known, names in self.names.items() if names[0] == series and known != instrument_id]:
            del self.names[other]
        self.names[instrument_id] = (series, symbol)
