"""The router must give what the plain-Python reference gives, whatever the stream and however it is cut."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.errors import BadData

from .comparison import Frame, expected, routed, same
from .cuts import record_cuts
from .streams import mbo_records, mbo_streams
from .streams_poor import POOR, poor_records, poor_streams
from .support import SHARED, mapping, read_dbn

slow = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True)
LENGTHS = ("1s", "50ms", "1m", "trade", "7")
lengths = st.sampled_from(LENGTHS)


@slow
@given(records=mbo_streams(), every=lengths, data=st.data())
def test_orders_give_the_same_packets_as_the_reference(records: list[bytes], every: str, data: st.DataObject) -> None:
    cuts = data.draw(record_cuts(len(records)))
    same(routed(records, every, cuts, "mbo"), expected(records, every))


@pytest.mark.parametrize("schemas", POOR, ids="+".join)
@settings(slow, max_examples=8)
@given(every=lengths, data=st.data())
def test_schemas_without_orders_give_the_same_packets_as_the_reference(
    schemas: tuple[str, ...], every: str, data: st.DataObject,
) -> None:
    records = data.draw(poor_streams(schemas))
    cuts = data.draw(record_cuts(len(records)))
    same(routed(records, every, cuts, source(schemas)), expected(records, every, source(schemas)))


@pytest.mark.parametrize("seed", range(24))
def test_a_long_stream_of_orders_gives_the_same_packets_as_the_reference(seed: int) -> None:
    starts, every = ("snapshot", "clear", "middle"), LENGTHS[seed % 5]
    records = mbo_records(drive(seed, 2500), 1 + seed % 3, start=starts[seed // 3 % 3], clocks=seed % 2 == 0)
    same(routed(records, every, schema="mbo"), expected(records, every))


@pytest.mark.parametrize("seed", range(2 * len(POOR)))
def test_a_long_stream_without_orders_gives_the_same_packets_as_the_reference(seed: int) -> None:
    schemas, every = POOR[seed % len(POOR)], LENGTHS[seed // len(POOR)]
    records = poor_records(drive(seed, 1500), schemas, 1 + seed % 2, clocks=seed % 3 > 0)
    same(routed(records, every, schema=source(schemas)), expected(records, every, source(schemas)))


def drive(seed: int, size: int) -> bytes:
    """Bytes without a pattern."""
    return hashlib.shake_128(seed.to_bytes(4)).digest(size)


def source(schemas: tuple[str, ...]) -> str | None:
    """The schema of a block: it tells tbbo from mbp-1."""
    return "tbbo" if "tbbo" in schemas else schemas[0] if len(schemas) == 1 else None


@settings(slow, max_examples=8)
@given(data=st.binary(min_size=700, max_size=3000), every=lengths)
def test_a_stream_cut_anywhere_gives_the_same_packets(data: bytes, every: str) -> None:
    records = mbo_records(data, 2, clocks=True)
    assert routed(records, every, range(len(records))) == routed(records, every)


@settings(slow, max_examples=8)
@given(records=mbo_streams(most=1500))
def test_a_lower_access_level_takes_inputs_away_and_changes_nothing_else(records: list[bytes]) -> None:
    whole = routed(records, "1s", schema="mbo")
    assert routed(records, "1s", schema="mbo", access="l2") == [without(frame, "orders") for frame in whole]
    assert routed(records, "1s", schema="mbo", access="l1") == [without(frame, "orders", "depth") for frame in whole]


def without(frame: Frame, *slots: str) -> Frame:
    return {**frame, "inputs": {**frame["inputs"], **dict.fromkeys(slots)}}


@settings(slow, max_examples=8)
@given(data=st.binary(min_size=700, max_size=2000))
def test_a_contract_whose_tick_is_not_known_has_no_pulls_and_stacks(data: bytes) -> None:
    records = [mapping("XYZ", "XYZJ6", instrument=10), *mbo_records(data, 1)[1:]]
    found = routed(records, "1s", schema="mbo")
    same(found, expected(records, "1s", tick=lambda _: None))
    depths = [frame["inputs"]["depth"] for frame in found if frame["inputs"]["depth"]]
    assert {depth["added_bid"] for depth in depths} <= {None}


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
    wanted = expected(records, "1s", tick=lambda _: 250_000_000)
    same(routed(records, "1s", range(1000, len(records), 1000), "mbo"), wanted)
