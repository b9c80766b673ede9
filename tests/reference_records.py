"""Reference reader, part 1: DBN bytes to plain values, with a time for each record."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

from qmo_cli.blocks import PRICE_SCALE, SECOND, UNDEF_PRICE, UNDEF_TIME

Row = tuple[int, int, int]  # price (1e-9), size, count of one displayed level

NAMES = {
    160: "mbo", 10: "mbp-10", 1: "mbp-1", 0: "trades", 195: "bbo-1s", 196: "bbo-1m",
    32: "ohlcv-1s", 33: "ohlcv-1m", 34: "ohlcv-1h", 35: "ohlcv-1d", 22: "mapping", 23: "system",
}
FACTS = frozenset({"news", "fill", "account", "kill"})
INTERVALS = {32: 1, 33: 60, 34: 3600, 35: 86_400}  # s
SNAPSHOT, LAST = 32, 128


@dataclass(frozen=True, slots=True)
class Record:
    """One DBN record; what its type does not have keeps the default."""

    schema: str
    publisher: int
    instrument: int
    ts_event: int
    time: int                     # ns: ts_recv where defined, else ts_event; for bars the bar's end
    action: str = ""
    side: str = "N"
    price: int | None = None      # 1e-9
    size: int = 0
    order_id: int = 0
    flags: int = 0
    bids: list[Row] = field(default_factory=list)
    asks: list[Row] = field(default_factory=list)
    bar: tuple[int, int, int, int, int] | None = None  # open, high, low, close, volume
    interval: int = 0             # s, of a bar
    series: str = ""
    symbol: str | None = None
    clock: bool = False
    kind: str = ""                # of a system record
    fact: dict[str, Any] | None = None  # of one of our own records: the fields of its text
    arrived: int = 0              # ns: the newest time of the whole input when it came

    @property
    def snapshot(self) -> bool:
        return bool(self.flags & SNAPSHOT)

    @property
    def snapshot_order(self) -> bool:
        return self.snapshot and self.schema == "mbo"

    @property
    def last(self) -> bool:
        return bool(self.flags & LAST)


def money(price: int) -> float:
    """A price in money from DBN's integer of 1e-9."""
    return price / PRICE_SCALE


def _price(value: int) -> int | None:
    return None if value == UNDEF_PRICE else value


def _time(ts_event: int, ts_recv: int) -> int:
    return ts_event if ts_recv == UNDEF_TIME else ts_recv


def _rows(data: bytes) -> tuple[list[Row], list[Row]]:
    bids, asks = [], []
    for bid, ask, bid_size, ask_size, bid_count, ask_count in struct.iter_unpack("<qqIIII", data):
        if bid != UNDEF_PRICE:
            bids.append((bid, bid_size, bid_count))
        if ask != UNDEF_PRICE:
            asks.append((ask, ask_size, ask_count))
    return bids, asks


def _mbo(data: bytes, head: tuple[int, int, int, int]) -> Record:
    publisher, instrument, ts_event, _ = head
    order_id, price, size, flags, _, action, side, ts_recv, _, _ = struct.unpack_from("<QqIBBccQiI", data, 16)
    return Record(
        "mbo", publisher, instrument, ts_event, _time(ts_event, ts_recv), action.decode(), side.decode(),
        _price(price), size, order_id, flags)


def _trade_like(data: bytes, head: tuple[int, int, int, int], schema: str) -> Record:
    publisher, instrument, ts_event, _ = head
    price, size, action, side, flags, _, ts_recv, _, _ = struct.unpack_from("<qIccBBQiI", data, 16)
    bids, asks = _rows(data[48:])
    return Record(
        schema, publisher, instrument, ts_event, _time(ts_event, ts_recv), action.decode(), side.decode(),
        _price(price), size, 0, flags, bids, asks)


def _bbo(data: bytes, head: tuple[int, int, int, int], schema: str) -> Record:
    publisher, instrument, ts_event, _ = head
    price, size, _, side, flags, _, ts_recv, _, _ = struct.unpack_from("<qIBcBBQ4sI", data, 16)
    bids, asks = _rows(data[48:])
    return Record(
        schema, publisher, instrument, ts_event, _time(ts_event, ts_recv), "", side.decode(), _price(price), size, 0,
        flags, bids, asks)


def _bar(data: bytes, head: tuple[int, int, int, int], schema: str) -> Record:
    publisher, instrument, ts_event, rtype = head
    seconds = INTERVALS[rtype]
    return Record(
        schema, publisher, instrument, ts_event, ts_event + seconds * SECOND, interval=seconds,
        bar=struct.unpack_from("<qqqqQ", data, 16))


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode()


def _mapping(data: bytes, head: tuple[int, int, int, int]) -> Record:
    publisher, instrument, ts_event, _ = head
    return Record(
        "mapping", publisher, instrument, ts_event, ts_event, series=_text(data[17:88]),
        symbol=_text(data[89:160]) or None)


def _system(data: bytes, head: tuple[int, int, int, int]) -> Record:
    publisher, instrument, ts_event, _ = head
    text = _text(data[16:319])
    fields = json.loads(text) if text.startswith("{") else {}
    if fields.get("schema") in FACTS:
        return Record("fact", publisher, instrument, ts_event, ts_event, fact=fields)
    return Record(
        "system", publisher, instrument, ts_event, ts_event, clock="clock" in fields.values(),
        kind=fields.get("kind", ""))


def describe(data: bytes) -> str:
    """One record in words, for the report of a failed test."""
    record = decode(data)
    if record is None:
        return "another record"
    price = "-" if record.price is None else money(record.price)
    return (
        f"{record.schema} {record.instrument} {record.action} {record.side} {price} x {record.size} "
        f"id {record.order_id} flags {record.flags} ts_event {record.ts_event} time {record.time}")


def decode(data: bytes, schema: str | None = None) -> Record | None:
    """The record in these bytes; None for types that the reader does not use. ``schema`` tells tbbo from mbp-1."""
    rtype, publisher, instrument, ts_event = struct.unpack_from("<xBHIQ", data)
    head = (publisher, instrument, ts_event, rtype)
    name = NAMES.get(rtype)
    if name in ("mbo", "mapping", "system"):
        return {"mbo": _mbo, "mapping": _mapping, "system": _system}[name](data, head)
    if name in ("mbp-10", "mbp-1", "trades"):
        return _trade_like(data, head, "tbbo" if name == "mbp-1" and schema == "tbbo" else name)
    if name in ("bbo-1s", "bbo-1m"):
        return _bbo(data, head, name)
    return _bar(data, head, name) if name else None
