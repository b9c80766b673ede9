"""The router must give what the plain-Python reference gives, whatever the stream and however it is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.errors import BadData

from .cuts import record_cuts
from .reference import Mode, ReferenceReader
from .streams import mbo_records, mbo_streams
from .streams_poor import POOR, poor_streams
from .support import SHARED, blocks, mapping, read_dbn

router = pytest.importorskip("qmo_cli.router")

Frame = dict[str, Any]

LOOKED_UP = ("tick", "point_value", "source", "quality")  # not computed from the records
CAPPED = {"trades": ("prints",), "depth": ("hits", "sweeps"), "orders": ("icebergs", "links", "stops")}
EVERY = {"1s": 1_000_000_000, "50ms": 50_000_000, "1m": 60_000_000_000, "trade": 1}

slow = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def routed(
    records: Sequence[bytes], every: str, cuts: Sequence[int] = (), schema: str | None = None, access: str = "l3",
) -> list[Frame]:
    """The router's packets as plain values."""
    reader = router.Router(router.RouteOptions(every=every, access=access))
    packets = [packet for block in blocks(records, cuts, schema) for packet in reader.read(block)]
    return [plain(packet) for packet in [*packets, *reader.finish()]]


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
    reader = ReferenceReader(int(every) if every.isdigit() else EVERY[every], tick, mode)
    for record in records:
        reader.read(record, schema)
    return reader.finish()


def dropped_name(slot: str, name: str) -> str:
    """The count that belongs to a capped list."""
    return "dropped" if slot == "trades" else f"{name}_dropped"


def cap_like(frame: Frame, model: Frame) -> Frame:
    """The reference's frame with its lists cut where the router cut them: the rows that it kept, in order."""
    inputs = dict(frame["inputs"])
    for slot, names in CAPPED.items():
        if inputs[slot] is None or model["inputs"][slot] is None:
            continue
        inputs[slot] = dict(inputs[slot])
        for name in names:
            count, kept = dropped_name(slot, name), model["inputs"][slot][name]
            if model["inputs"][slot][count] and slot != "trades":
                whole = inputs[slot][name]
                inputs[slot][name] = [row for row in whole if row in kept]
                inputs[slot][count] = len(whole) - len(inputs[slot][name])
    return {**frame, "inputs": inputs}


def same(found: list[Frame], wanted: list[Frame]) -> None:
    """Compare frame by frame, so that a failure names the first difference."""
    assert [(frame["ts"], frame["instrument_id"], frame["closed"]) for frame in found] == [
        (frame["ts"], frame["instrument_id"], frame["closed"]) for frame in wanted]
    for left, right in zip(found, wanted, strict=True):
        cut = cap_like(right, left)
        for part in ("market", "health"):
            assert left[part] == cut[part], (left["ts"], left["instrument_id"], part)
        for slot, value in cut["inputs"].items():
            one = left["inputs"][slot]
            if not isinstance(value, dict) or one is None:
                assert one == value, (left["ts"], left["instrument_id"], slot)
                continue
            for name in value:
                assert one[name] == value[name], (left["ts"], left["instrument_id"], slot, name)
        assert left == cut


@slow
@given(records=mbo_streams(), every=st.sampled_from(["1s", "50ms"]), data=st.data())
def test_orders_give_the_same_packets_as_the_reference(records: list[bytes], every: str, data: st.DataObject) -> None:
    cuts = data.draw(record_cuts(len(records)))
    same(routed(records, every, cuts, "mbo"), expected(records, every))


@pytest.mark.parametrize("schemas", POOR, ids="+".join)
@settings(slow, max_examples=25)
@given(data=st.data())
def test_schemas_without_orders_give_the_same_packets_as_the_reference(
    schemas: tuple[str, ...], data: st.DataObject,
) -> None:
    records = data.draw(poor_streams(schemas))
    schema = schemas[0] if len(schemas) == 1 else None
    cuts = data.draw(record_cuts(len(records)))
    same(routed(records, "1s", cuts, schema), expected(records, "1s", schema))


@slow
@given(drive=st.binary(min_size=700, max_size=3000), every=st.sampled_from(["1s", "50ms"]))
def test_a_stream_cut_anywhere_gives_the_same_packets(drive: bytes, every: str) -> None:
    records = mbo_records(drive, 2)
    assert routed(records, every, range(len(records))) == routed(records, every)


def test_a_record_more_than_a_second_behind_is_refused() -> None:
    records = mbo_records(bytes(range(256)) * 2, 1)
    with pytest.raises(BadData):
        routed([*records, records[1]], "1s")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real market data beside the repository")
@pytest.mark.parametrize(("name", "series", "instrument"), [
    ("esh4-glbx-mdp3-20231225", "ESH4", 17_077), ("esm4-glbx-mdp3-20240508-snapshot", "ESM4", 5_602),
    ("esh4-glbx-mdp3-20231224", "ESH4", 17_077),
])
def test_real_orders_give_the_same_packets_as_the_reference(name: str, series: str, instrument: int) -> None:
    records = read_dbn(SHARED / f"data/mbo/{name}.mbo.dbn.zst")
    records.insert(0, mapping(series, series, instrument=instrument, ts_event=0))
    wanted = expected(records, "1s", tick=lambda instrument: 250_000_000)
    same(routed(records, "1s", range(1000, len(records), 1000), "mbo"), wanted)
