"""The wire contract of records: one flat JSON object per market message, named and typed as in DBN.

Every record begins with schema, series, symbol and instrument_id and ends with its publisher. Prices are numbers
(DBN's integers of 1e-9 divided by 1e9); 64-bit integers are decimal strings, since many JSON readers round above
2^53, and are read as numbers too. What DBN leaves undefined is null.
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Struct

from ..blocks import ERROR, SIMULATOR, SYSTEM, UNDEF_TIME
from ..errors import BadData
from .definition import Definition
from .fields import (
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Action,
    BarFields,
    BboFields,
    Head,
    Label,
    Letter,
    OneLevel,
    Price,
    Side,
    TenLevels,
    Time,
    TradeFields,
)
from .layout import SCHEMAS, Names, header_at, layout, mapping_bytes, names_of, read_error, read_system, system_bytes
from .own import Account, Fill, Kill, News, Quote, System

__all__ = [
    "OURS", "RECORD_TYPES", "Account", "Definition", "Fill", "Kill", "News", "Quote", "Record", "System",
    "decode_record", "encode_record", "from_dbn", "mapping_bytes", "names_of",
    "schema_at", "schema_of_own", "to_dbn",
]


class Mbo(Head, frozen=True, kw_only=True, tag="mbo"):
    """One order's add, modify, cancel, trade or fill (market by order)."""

    ts_recv: Time = None             # ns, vendor's clock at capture
    action: Action
    side: Side
    price: Price
    size: U32                        # contracts
    order_id: U64                    # of the exchange; on T the aggressor's
    flags: U8 = 0                    # bits: 128 last of its event, 32 snapshot, 8 bad ts_recv, 4 maybe bad book
    channel_id: U8 = 0
    sequence: U32 = 0                # of the exchange's packet
    ts_in_delta: I32 = 0             # ns from the exchange's sending to ts_recv
    publisher_id: U16 = 0            # dataset and venue; 65535 is the simulator
    source: Label = UNSET


class Trade(TradeFields, frozen=True, kw_only=True, tag="trades"):
    """A trade; side is the aggressor's."""

    publisher_id: U16 = 0
    source: Label = UNSET


class Tbbo(OneLevel, frozen=True, kw_only=True, tag="tbbo"):
    """A trade with the top of the book just before it."""

    publisher_id: U16 = 0
    source: Label = UNSET


class Mbp1(OneLevel, frozen=True, kw_only=True, tag="mbp-1"):
    """A change of the top of the book, or a trade."""

    publisher_id: U16 = 0
    source: Label = UNSET


class Mbp10(TenLevels, frozen=True, kw_only=True, tag="mbp-10"):
    """A change within the top ten levels of the book, or a trade."""

    publisher_id: U16 = 0
    source: Label = UNSET


class Ohlcv1s(BarFields, frozen=True, kw_only=True, tag="ohlcv-1s"):
    """A bar of one second."""


class Ohlcv1m(BarFields, frozen=True, kw_only=True, tag="ohlcv-1m"):
    """A bar of one minute."""


class Ohlcv1h(BarFields, frozen=True, kw_only=True, tag="ohlcv-1h"):
    """A bar of one hour."""


class Ohlcv1d(BarFields, frozen=True, kw_only=True, tag="ohlcv-1d"):
    """A bar of one UTC day."""


class Bbo1s(BboFields, frozen=True, kw_only=True, tag="bbo-1s"):
    """Best bid and offer once a second."""


class Bbo1m(BboFields, frozen=True, kw_only=True, tag="bbo-1m"):
    """Best bid and offer once a minute."""


class Status(Head, frozen=True, kw_only=True, tag="status"):
    """The trading state of an instrument; the numbers are DBN's."""

    ts_recv: Time = None
    action: U16                      # 1 pre-open, 6 rotation, 7 trading, 8 halt, ...
    reason: U16 = 0
    trading_event: U16 = 0
    is_trading: Letter = "~"         # Y, N or ~ (not stated)
    is_quoting: Letter = "~"
    is_short_sell_restricted: Letter = "~"
    publisher_id: U16 = 0
    source: Label = UNSET


class Statistics(Head, frozen=True, kw_only=True, tag="statistics"):
    """A figure that the venue publishes: settlement, open interest, limits."""

    ts_recv: Time = None
    ts_ref: Time = None              # ns, what the figure refers to
    price: Price = None
    quantity: I64 | None = None
    sequence: U32 = 0
    ts_in_delta: I32 = 0
    stat_type: U16                   # 1 opening, 3 settlement, 4 low, 5 high, 6 cleared volume, 9 open interest, ...
    channel_id: U16 | None = None
    update_action: U8 = 1            # 1 new, 2 delete
    stat_flags: U8 = 0
    publisher_id: U16 = 0
    source: Label = UNSET


Record = (
    Mbo | Trade | Tbbo | Mbp1 | Mbp10 | Ohlcv1s | Ohlcv1m | Ohlcv1h | Ohlcv1d | Bbo1s | Bbo1m | Definition | Status
    | Statistics | Quote | System | News | Fill | Account | Kill
)
RECORD_TYPES: dict[str, type[Struct]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Record)}
OURS = frozenset({"quote", "system", "news", "fill", "account", "kill"})

NEEDS_PRICE = frozenset("AMTF")      # add, modify, trade, fill: what happens at a price

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
encode_record = _encoder.encode
decode_record = _decoder.decode


@cache
def _values(schema: str) -> attrgetter[Any]:
    return attrgetter(*layout(schema).names)


def check(record: Any) -> None:
    """Raise BadData, naming the field, for a record whose fields are right each alone but not together."""
    if getattr(record, "action", None) in NEEDS_PRICE and record.price is None:
        raise BadData(f"field price: null, but action {record.action} needs a price")
    labelled = getattr(record, "source", None) == "simulator" and type(record) not in (Quote, News)
    if labelled and record.publisher_id != SIMULATOR:
        raise BadData(f"field source: only simulated records (publisher_id {SIMULATOR}) carry it")


def to_dbn(record: Any) -> bytes:
    """The record as bytes of DBN version 3. Raises BadData naming the field that does not fit."""
    check(record)
    schema = record.__struct_config__.tag
    ts_event = UNDEF_TIME if record.ts_event is None else int(record.ts_event)
    if ts_event > UNDEF_TIME:
        raise BadData(f"field ts_event: {ts_event} is not a time in ns")
    header = (record.publisher_id, record.instrument_id, ts_event)
    if schema in OURS:
        return system_bytes(header, _own_text(schema, record))
    return layout(schema).pack(header, _values(schema)(record))


def _own_text(schema: str, record: Any) -> bytes:
    """The JSON text of one of our own records, without what the header of its message says."""
    fields = {
        name: value for name in record.__struct_fields__
        if name not in _IN_HEADER and (value := getattr(record, name)) is not None and value is not UNSET
    }
    return _encoder.encode({"schema": schema, **fields})


_IN_HEADER = frozenset({"instrument_id", "ts_event", "publisher_id"})
_OWN_START = b'{"schema":"'


def schema_at(data: bytes, offset: int, source_schema: str | None = None) -> str:
    """Schema of the record at an offset; only the source as a whole tells tbbo from mbp-1."""
    schema = SCHEMAS.get(data[offset + 1], "")
    return "tbbo" if schema == "mbp-1" and source_schema == "tbbo" else schema


def schema_of_own(record: bytes) -> str | None:
    """Schema of one of our own records in DBN; None for any other record."""
    _, text = read_system(record, 0)
    return text[len(_OWN_START):text.index(b'"', len(_OWN_START))].decode() if text.startswith(_OWN_START) else None


def from_dbn(data: bytes, offset: int, names: Names, source_schema: str | None = None) -> Any:
    """The record at an offset. ``names`` gives series and raw symbol by instrument id.

    Raises BadData for a record type that has no line (mapping records are no lines of their own).
    """
    rtype, publisher_id, instrument_id, ts = header_at(data, offset)
    ts_event = None if ts == UNDEF_TIME else str(ts)
    if rtype in (SYSTEM, ERROR):
        return _own(data, offset, {"instrument_id": instrument_id, "ts_event": ts_event, "publisher_id": publisher_id})
    schema = schema_at(data, offset, source_schema)
    if not schema:
        raise BadData(f"record type {rtype} has no line")
    series, symbol = names_of(names, instrument_id)
    fields = layout(schema).unpack(data, offset)
    if publisher_id == SIMULATOR:
        fields["source"] = "simulator"
    fields |= {"series": series, "symbol": symbol, "instrument_id": instrument_id, "ts_event": ts_event}
    return RECORD_TYPES[schema](publisher_id=publisher_id, **fields)


def error_kind(code: int | None) -> Literal["gap", "error"]:
    """What the vendor's error means for the stream: 7 records skipped, 8 replay too old: records are missing."""
    return "gap" if code in (7, 8) else "error"


def _own(data: bytes, offset: int, header: dict[str, Any]) -> Any:
    """One of our own records, or the vendor's message as a system record."""
    if data[offset + 1] == ERROR:
        code, text = read_error(data, offset)
        return System(kind=error_kind(code), detail=text.decode("utf-8", "replace"), **header)
    code, text = read_system(data, offset)
    if not text.startswith(_OWN_START):
        return System(kind="vendor", detail=text.decode("utf-8", "replace"), **header)
    try:
        fields = msgspec.json.decode(text)
        return msgspec.convert({**fields, **header}, Record)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadData(f"a system message holds a damaged record: {error}") from error


def check_fields(record: Any) -> Any:
    """The record, if a line of it would be accepted. Raises BadData naming the field."""
    try:
        decoded = decode_record(encode_record(record))
    except msgspec.ValidationError as error:
        raise BadData(field_error(error)) from error
    check(decoded)
    return decoded


def field_error(error: Exception) -> str:
    """A decoder's message in the form 'field size: expected int, got str'."""
    words, _, path = str(error).partition(" - at `$.")
    name = path.rstrip("`")
    if words.startswith("Object missing required field"):
        return f"field {words.split('`')[1]}: it is missing"
    plain = words.replace("`", "")
    return f"field {name}: {plain[:1].lower()}{plain[1:]}" if name else plain
