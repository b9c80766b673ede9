"""What a client asks for, checked as the vendor checks it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..records.layout import SCHEMAS
from .messages import SUBSCRIPTION, fields_of
from .symbols import STYPES

KNOWN = frozenset(SCHEMAS.values()) | {"tbbo"}


class Refused(Exception):
    """A request that ends the session: an error code and a text of the vendor's kind."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Subscription:
    """One line of a client's."""

    schema: str
    stype: str
    symbols: tuple[str, ...]
    start: int | None = None           # ns, as the client sees time; 0: as early as possible
    snapshot: bool = False
    number: str | None = None
    last: bool = True                  # of a list of symbols that took several lines

    def of(self, symbols: tuple[str, ...]) -> Subscription:
        """The same for these symbols."""
        return replace(self, symbols=symbols)


def subscription_of(line: str) -> Subscription:
    """The subscription of a line. Raises Refused."""
    fields = fields_of(line)
    schema, stype = fields.get("schema", ""), fields.get("stype_in", "raw_symbol")
    symbols = tuple(symbol.strip() for symbol in fields.get("symbols", "").split(",") if symbol.strip())
    if schema not in KNOWN:
        raise Refused(SUBSCRIPTION, f"Unknown schema {schema[:40]!r}" if schema else "Unknown subscription message")
    if stype not in STYPES:
        raise Refused(SUBSCRIPTION, f"Invalid stype_in {stype[:40]!r}")
    if not symbols:
        raise Refused(SUBSCRIPTION, "No symbols in subscription")
    start, snapshot = fields.get("start", ""), fields.get("snapshot", "0")
    if start and not (start.isascii() and start.isdigit() and int(start) < 2**64 - 1):
        raise Refused(SUBSCRIPTION, "Invalid start time")
    if snapshot == "1":
        check_snapshot(schema, start)
    return Subscription(schema, stype, symbols, int(start) if start else None, snapshot == "1", fields.get("id"),
                        fields.get("is_last", "1") != "0")


def check_snapshot(schema: str, start: str) -> None:
    """Refuse a snapshot that cannot be."""
    if schema != "mbo":
        raise Refused(SUBSCRIPTION, f"Snapshot is not supported for {schema} schema")
    if start:
        raise Refused(SUBSCRIPTION, "Snapshot and start cannot be combined")
