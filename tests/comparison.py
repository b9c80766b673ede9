"""The router's packets and the reference's frames in one form, and their comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from qmo_cli.blocks import SECOND
from qmo_cli.router import RouteOptions, Router

from .reference import Mode, ReferenceReader
from .support import blocks

Frame = dict[str, Any]

LOOKED_UP = ("tick", "point_value", "source", "quality")  # not computed from the records
CAPPED = {"depth": ("hits",), "orders": ("icebergs", "links", "ends")}  # sweeps and stops: more than any test has
LEAST = 16  # rows that a list may not be cut below
LENGTHS = {"1s": SECOND, "50ms": SECOND // 20, "1m": 60 * SECOND, "trade": 1}


def routed(
    records: Sequence[bytes], every: str, cuts: Sequence[int] = (), schema: str | None = None, access: str = "l3",
) -> list[Frame]:
    """The router's packets as plain values."""
    router = Router(RouteOptions(every=every, access=access))
    packets = [packet for block in blocks(records, cuts, schema) for packet in router.read(block)]
    return [plain(packet) for packet in [*packets, *router.finish()]]


def plain(packet: Any) -> Frame:
    """A packet in the reference's form."""
    slots = {name: msgspec.to_builtins(packet.slots[name]) for name in ("market", "health", "inputs")}
    for name in LOOKED_UP:
        slots["market"].pop(name)
    head = ("ts", "instrument_id", "series", "symbol", "closed", "price")
    return {**{name: getattr(packet, name) for name in head}, **slots}


def expected(
    records: Sequence[bytes], every: str, schema: str | None = None,
    tick: Callable[[int], int | None] = lambda _: 100_000_000,
) -> list[Frame]:
    """The reference's frames."""
    mode: Mode = "count" if every.isdigit() else "trade" if every == "trade" else "time"
    reader = ReferenceReader(int(every) if every.isdigit() else LENGTHS[every], tick, mode)
    for record in records:
        reader.read(record, schema)
    return reader.finish()


def cut(frame: Frame, model: Frame) -> Frame:
    """The reference's frame with its long lists cut where the router cut them, the rest counted."""
    inputs = dict(frame["inputs"])
    for slot, names in CAPPED.items():
        for name in names if inputs[slot] and model["inputs"][slot] else ():
            whole, kept = inputs[slot][name], len(model["inputs"][slot][name])
            if kept >= LEAST:
                inputs[slot] = {**inputs[slot], name: whole[:kept], f"{name}_dropped": len(whole[kept:])}
    return {**frame, "inputs": inputs}


def same(found: list[Frame], wanted: list[Frame]) -> None:
    """Compare frame by frame, so that a failure names the first difference."""
    assert list(map(head_of, found)) == list(map(head_of, wanted))
    for left, whole in zip(found, wanted, strict=True):
        right = cut(whole, left)
        for part in ("market", "health"):
            assert left[part] == right[part], (*head_of(left), part)
        for slot, value in right["inputs"].items():
            one = left["inputs"][slot]
            if not isinstance(value, dict) or one is None:
                assert one == value, (*head_of(left), slot)
                continue
            for name in value:
                assert one[name] == value[name], (*head_of(left), slot, name)
        assert left == right


def head_of(frame: Frame) -> tuple[int, int, bool]:
    return frame["ts"], frame["instrument_id"], frame["closed"]
