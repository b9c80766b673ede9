"""Layout of every record in DBN version 3: field values to bytes and back.

A layout is one line of text: ``name:kind`` in the order of the bytes. Kinds are the letters of :mod:`struct`, and

    p   price: 64-bit integer of 1e-9 <-> float, None when undefined
    t   time: unsigned 64-bit ns <-> decimal text, None when undefined
    Q, q   64-bit integers <-> decimal text (q? None when undefined)
    c   one letter (c? None when zero)
    s21 text of at most 20 bytes
    I? i? H? B? b?   integer, None when it has the largest value of its kind

and ``_:4x`` for four reserved bytes. The 16 bytes of the record header are not part of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from ..blocks import MAPPING, PRICE_SCALE, SYSTEM, UNDEF_PRICE, UNDEF_TIME
from ..errors import BadData

HEADER = struct.Struct("<BBHIQ")     # length / 4, rtype, publisher_id, instrument_id, ts_event
TEXT_SIZE = 303                      # bytes of a system message's text with its closing zero
SYMBOL_SIZE = 71                     # bytes of a symbol with its closing zero
EXACT_DIGITS = 10**15                # below it a price's float has the decimals of its integer

_TRADE = "price:p size:I action:c side:c flags:B depth:B ts_recv:t ts_in_delta:i sequence:I"
_BBO = "price:p size:I _:1x side:c flags:B _:1x ts_recv:t _:4x sequence:I"
_STATUS = "ts_recv:t action:H reason:H trading_event:H is_trading:c is_quoting:c is_short_sell_restricted:c _:7x"
_STATISTICS = """
    ts_recv:t ts_ref:t price:p quantity:q? sequence:I ts_in_delta:i stat_type:H channel_id:H? update_action:B
    stat_flags:B _:18x
"""
_BAR = "open:p high:p low:p close:p volume:Q"


def _levels(number: int) -> str:
    names = ("bid_px:p", "ask_px:p", "bid_sz:I", "ask_sz:I", "bid_ct:I", "ask_ct:I")
    return " ".join(name.replace(":", f"_{level:02}:") for level in range(number) for name in names)


_DEFINITION = """
    ts_recv:t min_price_increment:p display_factor:p expiration:t activation:t high_limit_price:p low_limit_price:p
    max_price_variation:p unit_of_measure_qty:p min_price_increment_amount:p price_ratio:p strike_price:p
    raw_instrument_id:Q leg_price:p leg_delta:p inst_attrib_value:i? underlying_id:I market_depth_implied:i?
    market_depth:i? market_segment_id:I? max_trade_vol:I? min_lot_size:i? min_lot_size_block:i?
    min_lot_size_round_lot:i? min_trade_vol:I? contract_multiplier:i? decay_quantity:i? original_contract_size:i?
    leg_instrument_id:I leg_ratio_price_numerator:i? leg_ratio_price_denominator:i? leg_ratio_qty_numerator:i?
    leg_ratio_qty_denominator:i? leg_underlying_id:I appl_id:h? maturity_year:H? decay_start_date:H? channel_id:H?
    leg_count:H leg_index:H currency:s4 settl_currency:s4 secsubtype:s6 raw_symbol:s71 group:s21 exchange:s5
    asset:s11 cfi:s7 security_type:s7 unit_of_measure:s31 underlying:s21 strike_price_currency:s4
    leg_raw_symbol:s71 instrument_class:c? match_algorithm:c? main_fraction:B? price_display_format:B?
    sub_fraction:B? underlying_product:B? security_update_action:c? maturity_month:B? maturity_day:B?
    maturity_week:B? user_defined_instrument:c? contract_multiplier_unit:b? flow_schedule_type:b? tick_rule:B?
    leg_instrument_class:c? leg_side:c? _:17x
"""

_TEXTS: dict[str, tuple[int, str]] = {
    "mbo": (160, "order_id:Q price:p size:I flags:B channel_id:B action:c side:c ts_recv:t ts_in_delta:i sequence:I"),
    "trades": (0, _TRADE),
    "tbbo": (1, f"{_TRADE} {_levels(1)}"),
    "mbp-1": (1, f"{_TRADE} {_levels(1)}"),
    "mbp-10": (10, f"{_TRADE} {_levels(10)}"),
    "ohlcv-1s": (32, _BAR),
    "ohlcv-1m": (33, _BAR),
    "ohlcv-1h": (34, _BAR),
    "ohlcv-1d": (35, _BAR),
    "bbo-1s": (195, f"{_BBO} {_levels(1)}"),
    "bbo-1m": (196, f"{_BBO} {_levels(1)}"),
    "status": (18, _STATUS),
    "definition": (19, _DEFINITION),
    "statistics": (24, _STATISTICS),
}

# rtype -> schema; 1 is mbp-1 unless the source as a whole is tbbo
SCHEMAS: dict[int, str] = {rtype: schema for schema, (rtype, _) in _TEXTS.items()}


def to_fixed(price: float | None) -> int:
    """DBN's integer of 1e-9 for a price; exact for every price of up to 15 digits.

    >>> to_fixed(4810.25), to_fixed(None) == UNDEF_PRICE
    (4810250000000, True)
    """
    if price is None:
        return UNDEF_PRICE
    fixed = round(price * PRICE_SCALE)
    return fixed if -EXACT_DIGITS < fixed < EXACT_DIGITS else int(Decimal(repr(price)).scaleb(9))


def _price(fixed: int) -> float | None:
    return None if fixed == UNDEF_PRICE else fixed / PRICE_SCALE


def _time(ts: int) -> str | None:
    return None if ts == UNDEF_TIME else str(ts)


def _to_time(ts: str | int | None) -> int:
    return UNDEF_TIME if ts is None else int(ts)


def _letter(value: bytes) -> str | None:
    return None if value == b"\0" else value.decode("latin-1")


def _to_letter(value: str | None) -> bytes:
    return b"\0" if value is None else value.encode("latin-1")


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("utf-8", "replace")


def _to_text(size: int) -> Callable[[str], bytes]:
    def encode(value: str) -> bytes:
        text = value.encode()
        if len(text) >= size:
            raise BadData(f"{len(text)} bytes of text, DBN holds {size - 1}")
        return text
    return encode


def _optional(undefined: int) -> tuple[Callable[[int], int | None], Callable[[int | None], int]]:
    return (lambda value: None if value == undefined else value), (lambda value: undefined if value is None else value)


def _same(value: Any) -> Any:
    return value


_LARGEST = {"I": 2**32 - 1, "i": 2**31 - 1, "H": 2**16 - 1, "h": 2**15 - 1, "B": 255, "b": 127}
_CODECS: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "p": ("q", _price, to_fixed),
    "t": ("Q", _time, _to_time),
    "Q": ("Q", str, int),
    "q?": ("q", lambda value: None if value == UNDEF_PRICE else str(value),
           lambda value: UNDEF_PRICE if value is None else int(value)),
    "c": ("c", lambda value: value.decode("latin-1"), _to_letter),
    "c?": ("c", _letter, _to_letter),
    **{kind: (kind, _same, _same) for kind in "IiHhBb"},
    **{f"{kind}?": (kind, *_optional(largest)) for kind, largest in _LARGEST.items()},
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The bytes of one schema's record after its header."""

    schema: str
    rtype: int
    size: int                                            # of the whole record
    body: struct.Struct
    names: tuple[str, ...]
    readers: tuple[Callable[[Any], Any], ...]
    writers: tuple[Callable[[Any], Any], ...]

    def unpack(self, data: bytes, offset: int) -> dict[str, Any]:
        """Field values of the record at an offset, as they stand on the wire."""
        values = self.body.unpack_from(data, offset + HEADER.size)
        return {name: read(value) for name, read, value in zip(self.names, self.readers, values, strict=True)}

    def pack(self, header: tuple[int, int, int], fields: Sequence[Any]) -> bytes:
        """The record of (publisher_id, instrument_id, ts_event) and field values in the layout's order.

        Raises BadData naming the field whose value does not fit.
        """
        try:
            values = [write(value) for write, value in zip(self.writers, fields, strict=True)]
            return HEADER.pack(self.size // 4, self.rtype, *header) + self.body.pack(*values)
        except (struct.error, BadData, ValueError, OverflowError, ArithmeticError) as error:
            raise BadData(self._blame(fields, error)) from error

    def _blame(self, fields: Sequence[Any], error: Exception) -> str:
        """Name the field that does not fit."""
        for name, kind, write, value in zip(self.names, kinds(self.schema), self.writers, fields, strict=True):
            try:
                struct.pack("<" + kind, write(value))
            except (struct.error, BadData, ValueError, OverflowError, ArithmeticError) as reason:
                words = str(reason) if isinstance(reason, BadData) else f"{value!r} does not fit into a DBN record"
                return f"field {name}: {words}"
        return f"field ts_event or instrument_id: {error}"


def _codec(kind: str) -> tuple[str, Callable[[Any], Any], Callable[[Any], Any]]:
    if kind[0] == "s":
        size = int(kind[1:])
        return f"{size}s", _text, _to_text(size)
    return _CODECS[kind]


def _parts(schema: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (part.partition(":") for part in _TEXTS[schema][1].split())]


@cache
def kinds(schema: str) -> tuple[str, ...]:
    """The struct letters of a schema's fields."""
    return tuple(_codec(kind)[0] for name, kind in _parts(schema) if name != "_")


@cache
def kind_of_fields(schema: str) -> dict[str, str]:
    """Kind by field name, ts_event included."""
    return {"ts_event": "t", **{name: kind for name, kind in _parts(schema) if name != "_"}}


@cache
def layout(schema: str) -> Layout:
    """The layout of a schema's records."""
    parts = _parts(schema)
    body = struct.Struct("<" + "".join(kind if name == "_" else _codec(kind)[0] for name, kind in parts))
    named = [(name, _codec(kind)) for name, kind in parts if name != "_"]
    return Layout(
        schema=schema, rtype=_TEXTS[schema][0], size=HEADER.size + body.size, body=body,
        names=tuple(name for name, _ in named),
        readers=tuple(codec[1] for _, codec in named), writers=tuple(codec[2] for _, codec in named),
    )


_MAPPING = struct.Struct(f"<BBHIQB{SYMBOL_SIZE}sB{SYMBOL_SIZE}sQQ")
_SYSTEM = struct.Struct(f"<BBHIQ{TEXT_SIZE}sB")
HEARTBEAT, ACKNOWLEDGED, SLOW_READER, REPLAY_COMPLETED, END_OF_INTERVAL = range(5)  # the vendor's system codes
_UNKNOWN = 255                       # symbology type or message code that nobody stated


def mapping_bytes(instrument_id: int, series: str, symbol: str | None, ts: int = UNDEF_TIME) -> bytes:
    """A SymbolMappingMsg: from ``ts`` (ns) on, this instrument id is that series and raw symbol (None: unknown)."""
    try:
        names = [_to_text(SYMBOL_SIZE)(name) for name in (series, symbol or "")]
    except BadData as error:
        raise BadData(f"field series or symbol: {error}") from error
    return _MAPPING.pack(_MAPPING.size // 4, MAPPING, 0, instrument_id, ts, _UNKNOWN, names[0], _UNKNOWN, names[1],
                         UNDEF_TIME, UNDEF_TIME)


def read_mapping(data: bytes, offset: int) -> tuple[int, str, str | None]:
    """Instrument id, series and raw symbol (None: unknown) of the SymbolMappingMsg at an offset."""
    fields = _MAPPING.unpack_from(data, offset)
    return fields[3], _text(fields[6]), _text(fields[8]) or None


def system_bytes(header: tuple[int, int, int], text: bytes) -> bytes:
    """A SystemMsg of (publisher_id, instrument_id, ts_event) with a text of at most 302 bytes."""
    if len(text) >= TEXT_SIZE:
        raise BadData(f"its text takes {len(text)} bytes, a DBN system message holds {TEXT_SIZE - 1}: shorten it")
    return _SYSTEM.pack(_SYSTEM.size // 4, SYSTEM, *header, text, _UNKNOWN)


def read_system(data: bytes, offset: int) -> tuple[int, bytes]:
    """Code and text of the SystemMsg at an offset."""
    fields = _SYSTEM.unpack_from(data, offset)
    return fields[6], fields[5].partition(b"\0")[0]


def read_error(data: bytes, offset: int) -> tuple[int, bytes]:
    """Code and text of the vendor's ErrorMsg at an offset."""
    text = data[offset + HEADER.size:offset + HEADER.size + TEXT_SIZE - 1].partition(b"\0")[0]
    return data[offset + HEADER.size + TEXT_SIZE - 1], text


def header_at(data: bytes, offset: int) -> tuple[int, int, int, int]:
    """rtype, publisher_id, instrument_id and ts_event (ns) of the record at an offset."""
    fields = HEADER.unpack_from(data, offset)
    return fields[1], fields[2], fields[3], fields[4]


Names = Mapping[int, tuple[str, str | None]]  # instrument id -> series, raw symbol


def names_of(names: Names, instrument_id: int) -> tuple[str, str | None]:
    """Series and raw symbol of an instrument; its number where nothing named it."""
    return names.get(instrument_id) or (str(instrument_id), None)
