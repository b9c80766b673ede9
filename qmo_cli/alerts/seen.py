"""What is read of lines: signals, packets with their slots, events. Everything else in them is passed over."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from ..errors import BadData

NULL = b"null"


class DecisionSeen(Struct, frozen=True, gc=False):
    """Of a signal's decision."""

    type: str
    confidence: float | None
    id: str | None
    since: str | None = None
    rationale: list[str] = []


class EntrySeen(Struct, frozen=True, gc=False):
    """Of its entry."""

    limit_price: float | None
    target: float
    stop: float


class PositionSeen(Struct, frozen=True, gc=False):
    """Of its position."""

    contract: str | None
    contracts: int


class ContextSeen(Struct, frozen=True, gc=False):
    """Of the market around it."""

    quality: str
    source: str


class SignalSeen(Struct, frozen=True, gc=False):
    """Of a signal."""

    ts: str
    series: str
    status: str
    symbol: str | None
    current_price: float | None
    signal: DecisionSeen
    market_context: ContextSeen
    entry: EntrySeen | None = None
    position: PositionSeen | None = None
    reasons: list[str] = []
    valid_until: str | None = None
    change: str | None = None


class NoticeSeen(Struct, frozen=True, gc=False):
    """Of something that happened to the stream."""

    kind: str
    ts_event: str | None
    detail: str


class PacketSeen(Struct, frozen=True, gc=False):
    """Of a packet. Slots stay as they are until they are needed."""

    ts: str
    series: str
    symbol: str | None
    price: float | None
    market: ContextSeen
    system: list[NoticeSeen] = []
    signal: Raw = Raw(NULL)
    iceberg: Raw = Raw(NULL)
    memory: Raw = Raw(NULL)
    absorption: Raw = Raw(NULL)
    liquidity: Raw = Raw(NULL)


class ReadingSeen(Struct, frozen=True, gc=False):
    """Of an engine's reading."""

    events: list[Raw] = []


class LevelSeen(Struct, frozen=True, gc=False):
    """Of an absorbing level."""

    side: str
    price: float


class EventSeen(Struct, frozen=True, gc=False):
    """Of an engine's event."""

    schema: str
    kind: str
    ts_event: str
    series: str
    symbol: str | None = None
    side: str | None = None
    price: float | None = None
    low: float | None = None
    high: float | None = None
    level: LevelSeen | None = None
    size: int | None = None
    total_filled: int | None = None


class Tag(Struct, frozen=True, gc=False):
    """Of any line: what it is."""

    schema: str | None = None


read_tag = msgspec.json.Decoder(Tag).decode
read_signal = msgspec.json.Decoder(SignalSeen).decode
read_packet = msgspec.json.Decoder(PacketSeen).decode
read_reading = msgspec.json.Decoder(ReadingSeen).decode
read_event = msgspec.json.Decoder(EventSeen).decode

SIGNAL_HEAD, PACKET_HEAD = b'{"schema":"signal"', b'{"schema":"packet"'


def schema_of(line: bytes) -> str | None:
    """What a line says it is. Raises BadData where it is no line of JSON."""
    if line.startswith(SIGNAL_HEAD):
        return "signal"
    if line.startswith(PACKET_HEAD):
        return "packet"
    try:
        return read_tag(line).schema
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadData(f"this is no line of JSON: {error}") from error
