"""Short scripts of exchange events, and the answer to them on which reference and router agree."""

from __future__ import annotations

from typing import Any

from .comparison import expected, routed, same
from .scripts import Part, Script, added, cleared, filled, traded
from .support import mapping

Frame = dict[str, Any]
MS = 1_000_000


def frames(records: list[bytes], every: str = "1s", schema: str | None = None) -> list[Frame]:
    """The frames of some records; the instruments are months of gold."""
    ids = sorted({int.from_bytes(record[4:8], "little") for record in records} - {0})
    named = [mapping(f"GC{month}6", f"GC{month}6", instrument=one) for month, one in zip("GJMQVZ", ids, strict=False)]
    found = expected([*named, *records], every, schema)
    same(routed([*named, *records], every, schema=schema), found)
    return found


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
