"""JSON Schema of every line type, generated from the typed structs that write and read the lines."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import msgspec

from .errors import UsageError
from .packets import WIRE_VERSION, Health, Inputs, Market, Notice
from .records import RECORD_TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{name}"

Json = dict[str, Any]


def names() -> list[str]:
    """The line types, in the order in which they appear in the chain."""
    return [*RECORD_TYPES, "packet", *event_types(), "signal", *side_lines()]


def side_lines() -> dict[str, type]:
    """The lines beside the chain, by name: of a screen, alerts, memory, account, evaluation, simulator's truth."""
    from .alerts.alert import LINES as ALERTS
    from .board.frame import LINES as BOARD
    from .engines.memory.views import LINES
    from .engines.risk.views import LINES as RISK
    from .evaluation.barlines import LINES as BARS
    from .evaluation.evaluate import LINES as EVALUATION
    from .evaluation.truth import LINES as TRUTH

    return {**BOARD, **ALERTS, **LINES, **RISK, **EVALUATION, **BARS, **TRUTH}


def event_types() -> dict[str, type]:
    """The lines of ``qmo engine --events``, by name."""
    from .engines import ENGINES

    kinds = [event_type(engine.reading) for engine in ENGINES.values()]
    return {get_args(get_type_hints(kind)["schema"])[0]: kind for kind in kinds if kind is not None}


def event_type(reading: type) -> type | None:
    """What a reading's list named events holds, where each is a line of its own: those are tagged by schema."""
    hints = get_type_hints(reading)
    kind: type | None = get_args(hints["events"])[0] if "events" in hints else None
    return kind if kind is not None and "schema" in get_type_hints(kind) else None


def schema(name: str) -> Json:
    """The JSON Schema of one line type. Raises UsageError for a type that does not exist."""
    if name == "packet":
        return packet_schema()
    if name in RECORD_TYPES:
        return struct_schema(RECORD_TYPES[name])
    if name == "signal":
        from .signals import Signal

        return struct_schema(Signal)
    others = {**event_types(), **side_lines()}
    if name in others:
        return struct_schema(others[name])
    raise UsageError(f"there is no line type {name!r}; there are {', '.join(names())}")


def struct_schema(kind: type) -> Json:
    """The schema of a line that is one struct."""
    (whole,), parts = msgspec.json.schema_components((kind,), ref_template=REFERENCE)
    top = parts.pop(whole["$ref"].rpartition("/")[2])
    return {"$schema": DIALECT, **top, **({"$defs": parts} if parts else {})}


def packet_schema() -> Json:
    """The schema of a packet: its head, the slots of route, and one slot for each engine that read it."""
    from .engines import ENGINES
    from .score import Score
    from .signals import Signal

    slots = {name: engine.reading for name, engine in ENGINES.items()}
    kinds = (Market, Health, Inputs, Notice, *slots.values(), Score, Signal)
    (market, health, inputs, system, *readings, score, signal), parts = msgspec.json.schema_components(
        kinds, ref_template=REFERENCE,
    )
    given: Json = {
        "market": market, "health": health, "inputs": inputs, "system": {"type": "array", "items": system},
    }
    later: Json = {name: {"anyOf": [kind, {"type": "null"}]} for name, kind in zip(slots, readings, strict=True)}
    head = packet_head()
    return {
        "$schema": DIALECT, "title": "Packet", "type": "object",
        "description": "One symbol's frame. Slots of engines stand under their names; unknown slots are kept.",
        "properties": {**head, **given, **later, "score": score, "signal": signal, "missing": MISSING},
        "required": [*head, *given, "missing"], "$defs": parts,
    }


def packet_head() -> Json:
    """The part of a packet that names it."""
    text = {"type": "string"}
    return {
        "schema": {"const": "packet"}, "v": {"const": WIRE_VERSION},
        "timestamp": {**text, "description": "ISO 8601, end of the frame"},
        "ts": {**text, "pattern": "^[0-9]+$", "description": "ns since 1970, end of the frame"},
        "series": text, "symbol": {"type": ["string", "null"]}, "instrument_id": {"type": "integer"},
        "closed": {"type": "boolean", "description": "false: the input ended inside this frame"},
        "price": {"type": ["number", "null"]},
    }


MISSING: Json = {
    "type": "object", "additionalProperties": {"type": "string"},
    "description": "Path of a null leaf, and why it is null",
}
