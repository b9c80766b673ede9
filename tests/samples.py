"""Records and files for the tests of the feeds, made with the vendor's own encoder where it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import databento_dbn as vendor

from qmo_cli.blocks import MAPPING, Block
from qmo_cli.market import stream

SHARED = Path(__file__).resolve().parents[2] / "shared"
REAL_FILES = sorted((SHARED / "data").glob("*/*.dbn.zst")) if SHARED.is_dir() else []

START = 1_703_545_200_000_000_000  # 2023-12-25T23:00:00Z
MINUTE = 60_000_000_000
DAY = 86_400_000_000_000


class Span(NamedTuple):
    """One interval of a symbol's mapping."""

    start_date: date
    end_date: date
    symbol: str


class Named(NamedTuple):
    """A symbol and its intervals, in the form that the vendor's encoder wants."""

    raw_symbol: str
    intervals: list[Span]


def mbo(index: int = 0, **changes: Any) -> bytes:
    """One MBO record, encoded by the vendor's library."""
    fields: dict[str, Any] = {
        "publisher_id": 1,
        "instrument_id": 17_077,
        "ts_event": START + index * 1000,
        "order_id": 6_813 + index,
        "price": 4_810_250_000_000,
        "size": 1,
        "action": vendor.Action.ADD,
        "side": vendor.Side.BID,
        "ts_recv": START + index * 1000 + 123,
        "flags": 128,
        "channel_id": 0,
        "ts_in_delta": 1_234,
        "sequence": 123 + index,
    }
    return bytes(vendor.MBOMsg(**{**fields, **changes}))


def header(
    schema: str | None = "mbo", names: Iterable[Named] = (), *, stype_in: str = "raw_symbol", **more: Any
) -> bytes:
    """A DBN header, encoded by the vendor's library."""
    mappings = list(names)
    metadata = vendor.Metadata(
        dataset="GLBX.MDP3",
        start=START,
        stype_in=vendor.SType.from_str(stype_in),
        stype_out=vendor.SType.from_str("instrument_id"),
        schema=vendor.Schema.from_str(schema) if schema else None,
        symbols=[name.raw_symbol for name in mappings],
        mappings=mappings,
        **more,
    )
    return bytes(metadata.encode())


def esh4() -> Named:
    """ESH4 as instrument 17077 for one day."""
    return Named("ESH4", [Span(date(2023, 12, 25), date(2023, 12, 26), "17077")])


def records(blocks: Iterable[Block], *, mappings: bool = False) -> list[bytes]:
    """The single records of blocks, without mapping records unless asked for."""
    return [record for record in _records(blocks) if mappings or record[1] != MAPPING]


def _records(blocks: Iterable[Block]) -> Iterator[bytes]:
    for block in blocks:
        at = 0
        while at < len(block.data):
            yield block.data[at : at + 4 * block.data[at]]
            at += 4 * block.data[at]


def number_of(blocks: Iterable[Block]) -> int:
    """How many records blocks hold."""
    return sum(stream.count(block.data, 0, len(block.data)) for block in blocks)
