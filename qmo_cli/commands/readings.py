"""What ``qmo engine`` prints besides packets: event lines, tables for a person, and the list of engines."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import MISSING
from typing import Any

import msgspec

from ..engines import ENGINES
from ..errors import UsageError
from ..packets import Reading
from ..pipeline import parameters
from ..schemas import event_type
from ..times import iso
from ..tray import Packet
from .tables import table

PAGE = 40  # rows of a table before its headings come again
TIME_AND_PRICE, GAP, NUMBER = 19, 2, 8  # widths of columns
TOO_LONG = 12  # characters of a text that a table leaves out


def event_lines(batches: Iterable[list[Packet]], names: list[str]) -> Iterator[bytes]:
    """One line for each event of the engines' readings; one piece for each batch of packets."""
    encode = msgspec.json.Encoder().encode
    telling = [name for name in names if event_type(ENGINES[name].reading) is not None]
    for batch in batches:
        events = (event for packet in batch for name in telling for event in getattr(packet.slots[name], "events", ()))
        yield b"".join([encode(event) + b"\n" for event in events])


def reading_tables(batches: Iterable[list[Packet]], names: list[str]) -> Iterator[bytes]:
    """Tables of readings, a page at a time: every number of one engine, or the scores of several."""
    rows: list[list[Any]] = []
    for batch in batches:
        rows += [[packet, *(packet.slots[name] for name in names)] for packet in batch]
        while len(rows) >= PAGE:
            yield page(rows[:PAGE], names)
            rows = rows[PAGE:]
    if rows:
        yield page(rows, names)


def page(rows: list[list[Any]], names: list[str]) -> bytes:
    """One table."""
    alone = len(names) == 1
    columns = fitting([column for name in names for column in columns_of(name, alone=alone)], alone=alone)
    headers = ["time", "price", *(wire_name(name, field) if alone else name for name, field in columns)]
    body = []
    for packet, *readings in rows:
        by_name = dict(zip(names, readings, strict=True))
        cells = [cell(getattr(by_name[name], field, None)) for name, field in columns]
        body.append([clock(packet), packet.price, *cells])
    return (table(body, headers) + "\n\n").encode()


def columns_of(name: str, *, alone: bool) -> list[tuple[str, str]]:
    """Engine and field of the columns: all fields of a lone engine, else its score."""
    reading = ENGINES[name].reading
    if alone:
        return [(name, field) for field in reading.__struct_fields__]
    return [(name, "score")] if "score" in reading.__struct_fields__ else []


def wire_name(name: str, field: str) -> str:
    """What a field of an engine's reading is called on the wire."""
    reading = ENGINES[name].reading
    return dict(zip(reading.__struct_fields__, reading.__struct_encode_fields__, strict=True))[field]


def fitting(columns: list[tuple[str, str]], *, alone: bool) -> list[tuple[str, str]]:
    """The columns that fit on the screen; all of them where there is none."""
    room = shutil.get_terminal_size((sys.maxsize, 0)).columns - TIME_AND_PRICE
    kept = []
    for name, field in columns:
        room -= GAP + max(len(field if alone else name), NUMBER)
        if room >= 0:
            kept.append((name, field))
    return kept


def cell(value: Any) -> Any:
    """A value as it fits into a table: of a list its length, of a struct its last field that is a number."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list | dict):
        return len(value)
    if isinstance(value, msgspec.Struct):
        return getattr(value, "close", "...")
    return value[:TOO_LONG] if isinstance(value, str) else value


def clock(packet: Packet) -> str:
    """The time of day of a frame's end."""
    moment: str = iso(packet.ts)
    return moment[11:-1]


def engine_table() -> str:
    """All engines: name, needs, gives."""
    rows = [(name, ", ".join(sorted(engine.needs)), gives(engine.reading)) for name, engine in ENGINES.items()]
    return table(rows, ("name", "needs", "gives"))


def gives(reading: type[Reading]) -> str:
    """The fields of a reading, in lines that fit beside the other columns."""
    return "\n".join(textwrap.wrap(", ".join(reading.__struct_encode_fields__), 52))


def parameter_table(names: Iterable[str]) -> str:
    """What an engine is, and its parameters."""
    return "\n\n".join(describe(name) for name in names)


def describe(name: str) -> str:
    """One engine: its docstring, what it needs, its parameters."""
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(ENGINES)}")
    engine = ENGINES[name]
    rows = [
        (f"{name}.{key}", None if field.default is MISSING else field.default, field.metadata.get("help"))
        for key, field in parameters(engine).items()
    ]
    head = f"{name}: {(engine.__doc__ or '').splitlines()[0]}\nneeds: {', '.join(sorted(engine.needs))}\n\n"
    evidence: str = getattr(engine, "evidence", "")
    if evidence:
        head += textwrap.fill(evidence, 80) + "\n\n"
    return head + (table(rows, ("parameter", "default", "meaning")) if rows else "no parameters")
