"""The honesty law as a function: what is null without a reason, explained without need, or no number at all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct

from qmo_cli.engines import ENGINES
from qmo_cli.packets import OPTIONAL, Health, Inputs, Market, Notice
from qmo_cli.score import PARTS, Score
from qmo_cli.signals import Signal
from qmo_cli.tray import Packet

Reasons = dict[str, str]

# What a packet holds, by slot. A reading may be null as a whole.
SLOTS: dict[str, Any] = {
    "market": Market, "health": Health, "inputs": Inputs, "system": list[Notice],
    **{name: engine.reading | None for name, engine in ENGINES.items()},
    "score": Score, "signal": Signal,
}


@cache
def fields_of(kind: type[Struct]) -> list[tuple[str, str, Any]]:
    """A struct's fields: the name on the wire, the name here, and the type with its annotations."""
    hints = get_type_hints(kind, include_extras=True)
    return [(field.encode_name, field.name, hints[field.name]) for field in msgspec.structs.fields(kind)]


@cache
def arms_of(kind: Any) -> tuple[bool, tuple[Any, ...]]:
    """Whether a type is declared optional, and what it may be."""
    optional = False
    while get_origin(kind) is Annotated:
        optional = optional or OPTIONAL in kind.__metadata__
        kind = get_args(kind)[0]
    return optional, get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def faults(kind: Any, value: Any, missing: Reasons, path: str = "") -> Iterator[str]:
    """What is not honest in a value of this type; ``missing`` names null leaves by their path."""
    optional, arms = arms_of(kind)
    if value is None:
        if not (optional or explained(path, missing)):
            yield f"{path} is null without a reason"
    elif isinstance(value, float):
        if not isfinite(value):
            yield f"{path} is {value}"
    else:
        for name, part, element in parts_of(arms, value):
            if not sound(element):  # most are, and their path need not be written
                yield from faults(part, element, missing, f"{path}.{name}" if path else str(name))


def sound(value: Any) -> bool:
    """Whether a value needs no closer look: a number that is one, or a word."""
    return type(value) in (str, int, bool) or (type(value) is float and isfinite(value))


def parts_of(arms: tuple[Any, ...], value: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """Name, type and value of what a list, map or struct holds."""
    if isinstance(value, Struct):
        for name, field, kind in fields_of(type(value)):
            yield name, kind, getattr(value, field)
    elif isinstance(value, list | dict):
        held = next(get_args(arm)[-1] for arm in arms if get_origin(arm) is type(value))
        pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
        yield from ((name, held, element) for name, element in pairs)


def explained(path: str, missing: Reasons) -> bool:
    """Whether the leaf, or something that holds it, has a reason in words."""
    while path:
        if missing.get(path, "").strip():
            return True
        path = path.rpartition(".")[0]
    return False


def needless(value: Any, missing: Reasons) -> Iterator[str]:
    """Reasons that explain nothing: the leaf is not null, or is not there."""
    for path in missing:
        try:
            found = leaf(value, path)
        except (AttributeError, KeyError, IndexError, ValueError):
            yield f"{path} has a reason, but there is no such leaf"
            continue
        if found is not None:
            yield f"{path} has a reason, but is {found!r}"


def leaf(value: Any, path: str) -> Any:
    """The value at a path."""
    for name in path.split("."):
        value = value[name] if isinstance(value, dict) else value[int(name)] if isinstance(value, list) else attribute(
            value, name)
    return value


def attribute(value: Struct, name: str) -> Any:
    """A field by its name on the wire."""
    names = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
    return getattr(value, names.get(name, name))


def packet_faults(packet: Packet) -> list[str]:
    """What is not honest in a packet with all slots, its score and its signal."""
    head = {"symbol": packet.symbol, "price": packet.price}
    found = [f"slot {name} is missing" for name in SLOTS if name not in packet.slots]
    for name, value in {**head, **packet.slots}.items():
        reasons = packet.missing
        if name == "signal":
            found += faults(Signal, value, value.missing)
            found += needless(value, value.missing)
        else:
            found += faults(SLOTS.get(name, str | None), value, reasons, name)
    found += needless({**head, **packet.slots}, packet.missing)
    found += score_faults(packet)
    return [f"{fault} (frame {packet.ts} of {packet.series})" for fault in [*found, *wire_faults(packet)]]


def score_faults(packet: Packet) -> Iterator[str]:
    """The score's own map also names the parts of a pillar: readings that are null or not there."""
    score: Score = packet.slots["score"]
    parts = [name for name, _ in PARTS if name in score.missing and name not in Score.__struct_fields__]
    yield from needless(score, {name: why for name, why in score.missing.items() if name not in parts})
    for name in score.missing:
        if name in ENGINES and getattr(packet.slots[name], "score", None) is not None:
            yield f"score.missing says {name} is null"


def wire_faults(packet: Packet) -> Iterator[str]:
    """What a line says otherwise than the packet in memory: NaN turns to null on the wire, for one."""
    line = msgspec.json.decode(packet.encode(), type=dict[str, Raw])
    for name, value in packet.slots.items():
        if msgspec.json.decode(line[name], type=SLOTS[name]) != value:
            yield f"slot {name} is not the same on the wire"


def label_faults(packet: Packet, simulated: bool) -> list[str]:
    """Where simulated data go without their label, or others with it. A doubtful book is that first of all."""
    market, context = packet.market, packet.slots["signal"].market_context
    marks = [
        ("market.source", market.source == "simulator"), ("context.source", context.source == "simulator"),
        ("market.quality", market.quality == "simulated" or (simulated and market.quality == "doubtful")),
        ("context.quality", context.quality == "simulated" or (simulated and context.quality == "doubtful")),
    ]
    return [f"{name} in frame {packet.ts}" for name, marked in marks if marked != simulated]


