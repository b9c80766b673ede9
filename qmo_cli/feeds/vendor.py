"""Databento's own text encodings: JSON lines with nested header and levels, and the flat fields of its CSV."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..blocks import ERROR, MAPPING, PRICE_SCALE, SECOND, SYSTEM, UNDEF_PRICE, UNDEF_TIME
from ..errors import BadData
from ..records import Record, System, error_kind, field_error
from ..records.layout import HEARTBEAT, SCHEMAS, kind_of_fields, mapping_bytes
from .symbology import raw_symbol

ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


class Unused(Exception):
    """A good record of a schema that nobody reads."""

    def __init__(self, rtype: int) -> None:
        super().__init__(rtype)
        self.rtype = rtype


def from_vendor_json(text: bytes, hint: str | None) -> Any:
    """The record of one of the vendor's JSON lines; bytes for a mapping record.

    ``hint``: "tbbo" where the source's name says so, since the line does not. Raises BadData or Unused.
    """
    line = msgspec.json.decode(text)
    fields = {**line.pop("hd"), **line} if isinstance(line.get("hd"), dict) else line
    levels = fields.pop("levels", None)
    for number, level in enumerate(levels if isinstance(levels, list) else ()):
        fields |= {f"{name}_{number:02}": value for name, value in level.items()}
    return from_fields(fields, hint)


def from_fields(fields: dict[str, Any], hint: str | None) -> Any:
    """The record of flat fields that are named as the vendor names them. Raises BadData or Unused."""
    rtype = _number(fields, "rtype")
    if rtype in (MAPPING, SYSTEM, ERROR):
        return _message(rtype, fields)
    schema = SCHEMAS.get(rtype)
    if schema is None:
        raise Unused(rtype)
    schema = "tbbo" if schema == "mbp-1" and hint == "tbbo" else schema
    series = fields.get("symbol") or str(fields.get("instrument_id"))
    symbol = fields.get("raw_symbol") or raw_symbol(series)
    kinds = kind_of_fields(schema)
    values = {name: _value(name, kinds.get(name, ""), value) for name, value in fields.items()}
    values = {name: value for name, value in values.items() if value is not _ABSENT}
    try:
        return msgspec.convert({**values, "schema": schema, "series": series, "symbol": symbol}, Record, strict=False)
    except msgspec.ValidationError as error:
        raise BadData(field_error(error)) from error


def _message(rtype: int, fields: dict[str, Any]) -> Any:
    ts = time_of("ts_event", fields.get("ts_event"))
    if rtype == MAPPING:
        names = [str(fields.get(name) or "") for name in ("stype_in_symbol", "stype_out_symbol")]
        return mapping_bytes(_number(fields, "instrument_id"), names[0], names[1] or None, int(ts or UNDEF_TIME))
    code = _number(fields, "code") if fields.get("code") is not None else None
    if rtype == SYSTEM and code == HEARTBEAT:
        raise Unused(rtype)
    words = str(fields.get("msg") or fields.get("err") or "")
    return System(ts_event=ts, kind="vendor" if rtype == SYSTEM else error_kind(code), detail=words)


def _number(fields: dict[str, Any], name: str) -> int:
    try:
        return int(fields[name])
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"field {name}: expected int, got {fields.get(name)!r}") from error


_ABSENT = object()


def _value(name: str, kind: str, value: Any) -> Any:
    """A field as our records have it."""
    if kind == "p":
        return price_of(name, value)
    if kind == "t":
        return time_of(name, value)
    return _ABSENT if value == "" and not kind.startswith("s") else value


def price_of(name: str, value: Any) -> float | None:
    """A price that is written as a decimal or as an integer of 1e-9.

    >>> price_of("price", "3702.750000000"), price_of("price", "3702750000000"), price_of("price", 3702750000000)
    (3702.75, 3702.75, 3702.75)
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, float) or (isinstance(value, str) and "." in value):
            return float(value)
        fixed = int(value)
    except (TypeError, ValueError) as error:
        raise BadData(f"field {name}: {value!r} is not a price") from error
    return None if fixed == UNDEF_PRICE else fixed / PRICE_SCALE


def time_of(name: str, value: Any) -> str | None:
    """A time that is written as ns since 1970 or in ISO form, as a decimal text of ns.

    >>> time_of("ts_recv", "2020-12-28T00:00:00.246821748Z"), time_of("ts_recv", 1609113600246821748)
    ('1609113600246821748', '1609113600246821748')
    """
    if value is None or value == "":
        return None
    text = str(value)
    if text.isdigit():
        return None if int(text) == UNDEF_TIME else text
    match = ISO.fullmatch(text)
    if not match:
        raise BadData(f"field {name}: {value!r} is not a time")
    day, clock, fraction, zone = match.groups()
    when = datetime.fromisoformat(f"{day}T{clock}{zone or 'Z'}")
    return str(int(when.astimezone(UTC).timestamp()) * SECOND + int((fraction or "").ljust(9, "0")))
