"""Short scripts of exchange events, and the reference's answer to them."""

from __future__ import annotations

from typing import Any

from qmo_cli.blocks import SECOND

from .reference import ReferenceReader
from .scripts import Part, Script, added, cleared, filled, traded

Frame = dict[str, Any]
MS = 1_000_000


def frames(records: list[bytes], every: int = SECOND, schema: str | None = None) -> list[Frame]:
    reader = ReferenceReader(every)
    for record in records:
        reader.read(record, schema)
    return reader.finish()


def only(script: Script) -> Frame:
    """The one frame of a short script."""
    found = frames(script.records)
    assert len(found) == 1
    return found[0]


def offered(size: int = 5) -> Script:
    """A clean book with order 1 offering ``size`` at 2000.0, and a bid far below."""
    return Script().event(cleared()).event(added(9, "B", 1990.0, 1)).event(added(1, "A", 2000.0, size))


def bought(script: Script, fill: int, *changes: Part, aggressor: int = 77) -> Script:
    """An aggressor buys ``fill`` from order 1."""
    return script.event(traded("B", 2000.0, fill, aggressor), filled(1, "A", 2000.0, fill), *changes)
