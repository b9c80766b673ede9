"""The description of the API (OpenAPI 3.1), made from the types that it answers with."""

from __future__ import annotations

import functools
import json
from typing import Any

import msgspec

from .. import __version__
from ..board.frame import STEPS, Frame, History
from ..schemas import packet_schema
from .answers import MOST_MINUTES, Health, ServedSignal, Zones

Json = dict[str, Any]
PLACE = "#/components/schemas/{name}"


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong."""

    code: int
    message: str


class Error(msgspec.Struct, frozen=True):
    """An answer that is an error."""

    error: ErrorDetail


@functools.cache
def document() -> bytes:
    """The whole description, as JSON."""
    return msgspec.json.encode(description())


def description() -> Json:
    """The whole description."""
    kinds = (ServedSignal, Frame, Zones, History, Health, Error)
    (signal, frame, zones, history, health, error), parts = msgspec.json.schema_components(kinds, ref_template=PLACE)
    packet = packet_parts(parts)
    errors = {code: answer(words, error) for code, words in (
        ("400", "A parameter is wrong."), ("401", "The token is missing or wrong."),
        ("403", "Pages of that origin may not ask."), ("404", "There is no such path or series."),
        ("405", "Not with this method."), ("413", "A body that is too long; none is needed."),
        ("421", "This server is not known by the name it was called by."),
        ("503", "Nothing of that kind has come yet."),
    )}
    series = query("series", {"type": "string"}, "Which series; the first one seen, if it is not given.")
    minutes = query("minutes", {"type": "integer", "minimum": 1, "maximum": MOST_MINUTES, "default": 120},
                    "How far back, before the newest packet.")
    step = query("step", {"type": "integer", "enum": list(STEPS), "default": 60}, "Length of a candle in s.")

    def get(words: str, kind: Json, *parameters: Json) -> Json:
        answers = {"200": answer(words, kind), **errors}
        return {"summary": words, "parameters": list(parameters), "responses": answers}

    newest = get("The newest signal, as it may be used now.", signal, series)
    paths: Json = {
        "/api/v1/signal": {"get": newest, "post": newest},
        "/api/v1/frame": {"get": get("What the stream would send now.", frame, series)},
        "/api/v1/packet": {"get": get("The newest packet.", packet, series)},
        "/api/v1/zones": {"get": get("All zones that stand now.", zones, series)},
        "/api/v1/history": {"get": get("Candles and marks.", history, series, minutes, step)},
        "/healthz": {"get": {
            "summary": "Whether the newest packet is of now.", "security": [{}],
            "responses": {**errors, "200": answer("It is.", health), "503": answer("It is not.", health)}}},
        "/metrics": {"get": {"summary": "Counters, in the text format of Prometheus.", "responses": {
            "200": {"description": "Counters.", "content": {"text/plain": {"schema": {"type": "string"}}}}, **errors}}},
        "/api/v1/openapi.json": {"get": get("This description.", {"type": "object"})},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "qmo", "version": __version__, "description": WORDS},
        "paths": paths,
        "components": {"schemas": parts, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}, {}],
    }


WORDS = """\
The newest signal, packet and zones of qmo, and what led to them. What is not known is null, and the reason stands in
missing. The WebSocket /api/v1/stream (subprotocol qmo.v1; parameters series and rate) sends a Frame whenever something
changed, at most 20 a second and at least one; each is complete by itself. A browser shows its token there as the
subprotocol qmo.token. followed by the token in base64url."""


def packet_parts(parts: Json) -> Json:
    """The schema of a packet; what it is made of is added to the parts."""
    moved = json.loads(json.dumps(packet_schema()).replace("#/$defs/", "#/components/schemas/"))
    parts.update(moved.pop("$defs", {}))
    moved.pop("$schema")
    found: Json = moved
    return found


def answer(words: str, kind: Json) -> Json:
    """One answer, in JSON."""
    return {"description": words, "content": {"application/json": {"schema": kind}}}


def query(name: str, kind: Json, words: str) -> Json:
    """One parameter behind the question mark."""
    return {"name": name, "in": "query", "required": False, "description": words, "schema": kind}
