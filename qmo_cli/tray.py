# cython: language_level=3, auto_pickle=False
"""The tray that travels down the pipe: one frame of one symbol, with a slot for each stage and engine."""

from __future__ import annotations

from typing import Any

import cython
import msgspec
from msgspec import Raw

from qmo_cli.errors import BadData
from qmo_cli.packets import WIRE_VERSION, Health, Inputs, Market
from qmo_cli.times import iso

INPUT_SLOTS = ("market", "health", "inputs", "system")
SLOT_ORDER: list[str] = []  # of engines and later stages; the pipeline fills it in from the table of engines

_decode_line = msgspec.json.Decoder(dict[str, Raw]).decode
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}
_encoder = msgspec.json.Encoder()


def decode_slot(raw: Raw, kind: Any) -> Any:
    """The value of one slot; decoders are kept, since building one costs more than using it."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder.decode(raw)


@cython.final
@cython.cclass
class Packet:
    """One frame of one symbol. Slots from the wire stay undecoded until someone reads them.

    ``ts`` is the frame's end in ns, ``series`` what was asked for: the key of all state. ``closed`` is False where the
    input ended inside this frame. ``slots`` holds structs, or Raw as it came, by name; ``missing`` says why a leaf is
    null, by its path.
    """

    def __init__(
        self, *, ts: int, series: str, symbol: str | None, instrument_id: int, closed: bool, price: float | None,
        slots: dict[str, Any], missing: dict[str, str],
    ) -> None:
        self.ts = ts
        self.series = series
        self.symbol = symbol
        self.instrument_id = instrument_id
        self.closed = closed
        self.price = price
        self.slots = slots
        self.values: dict[Any, Any] = {}     # decoded from Raw, by slot and kind: two engines may look differently
        self.missing = missing

    @cython.ccall
    def read(self, name: str, kind: Any) -> Any:
        """The slot as ``kind``; None where it is null or absent."""
        value = self.slots.get(name)
        if type(value) is not Raw:
            return value
        seen = name, kind
        if seen not in self.values:
            self.values[seen] = None if bytes(value) == b"null" else decode_slot(value, kind)
        return self.values[seen]

    @property
    def market(self) -> Market:
        market: Market = self.read("market", Market)
        assert market is not None
        return market

    @property
    def health(self) -> Health:
        health: Health = self.read("health", Health)
        assert health is not None
        return health

    @property
    def inputs(self) -> Inputs:
        inputs: Inputs = self.read("inputs", Inputs)
        assert inputs is not None
        return inputs

    def encode(self) -> bytes:
        """The packet's line, without the newline."""
        slots = self.slots
        line: dict[str, Any] = {
            "schema": "packet", "v": WIRE_VERSION, "timestamp": iso(self.ts), "ts": str(self.ts),
            "series": self.series, "symbol": self.symbol, "instrument_id": self.instrument_id,
            "closed": self.closed, "price": self.price,
        }
        for name in INPUT_SLOTS:
            line[name] = slots[name]
        for name in SLOT_ORDER:
            if name in slots:
                line[name] = slots[name]
        for name, value in slots.items():
            if name not in line:
                line[name] = value
        line["missing"] = dict(sorted(self.missing.items()))
        return _encoder.encode(line)

    @classmethod
    def decode(cls, line: bytes) -> Packet:
        """Read a packet's line. Raises msgspec.DecodeError or BadData when it is not one."""
        raw = _decode_line(line)
        if bytes(raw.get("schema", b"")) != b'"packet"':
            raise BadData("this is not a packet")
        if bytes(raw.pop("v", b"")) != b"%d" % WIRE_VERSION:
            raise BadData(f"this packet is of another wire version; this qmo reads version {WIRE_VERSION}")
        head = {name: decode_slot(raw.pop(name), kind) for name, kind in _HEAD_KINDS.items()}
        for name in ("schema", "timestamp"):
            raw.pop(name)
        missing = decode_slot(raw.pop("missing"), dict[str, str])
        return cls(ts=int(head.pop("ts")), missing=missing, slots=raw, **head)


_HEAD_KINDS: dict[str, Any] = {
    "ts": str, "series": str, "symbol": str | None, "instrument_id": int, "closed": bool, "price": float | None,
}
