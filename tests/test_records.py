"""The wire contract of records, with the vendor's own library as the judge."""

from __future__ import annotations

from typing import Any

import databento_dbn as vendor
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.errors import BadData
from qmo_cli.feeds.files import open_source
from qmo_cli.records import (
    OURS,
    RECORD_TYPES,
    System,
    decode_record,
    encode_record,
    from_dbn,
    mapping_bytes,
    to_dbn,
)
from qmo_cli.records.layout import kind_of_fields, layout, read_mapping
from tests.samples import REAL_FILES, START, records

NAMES = {7: ("GC.v.0", "GCZ5")}
EXCHANGE = sorted(set(RECORD_TYPES) - OURS)

prices = st.none() | st.integers(-(10**15) + 1, 10**15 - 1).map(lambda fixed: fixed / 1e9)
times = st.none() | st.integers(0, 2**64 - 2).map(str)
BOUNDS = {
    "I": (0, 2**32 - 2),
    "i": (-(2**31), 2**31 - 2),
    "H": (0, 2**16 - 2),
    "h": (-(2**15), 2**15 - 2),
    "B": (0, 254),
    "b": (-128, 126),
}


def value_of(kind: str) -> st.SearchStrategy[Any]:
    """Values that a field of this kind may have."""
    if kind == "p":
        return prices
    if kind == "t":
        return times
    if kind == "Q":
        return st.integers(0, 2**64 - 1).map(str)
    if kind == "q?":
        return st.none() | st.integers(-(2**63), 2**63 - 2).map(str)
    if kind[0] == "s":
        return st.text(st.characters(codec="ascii", min_codepoint=33), max_size=int(kind[1:]) - 1)
    if kind[0] == "c":
        return st.sampled_from("YNAB~") | (st.none() if kind.endswith("?") else st.nothing())
    numbers = st.integers(*BOUNDS[kind[0]])
    return st.none() | numbers if kind.endswith("?") else numbers


def record_of(schema: str) -> st.SearchStrategy[Any]:
    """Any record of a schema."""
    fields = {name: value_of(kind) for name, kind in kind_of_fields(schema).items()}
    if "side" in fields:
        fields["side"] = st.sampled_from("ABN")
    if schema != "status" and "action" in fields:
        fields["action"] = st.sampled_from("ACFMNRT")
        fields["price"] = prices.filter(lambda price: price is not None)
    return st.builds(
        RECORD_TYPES[schema],
        series=st.just("GC.v.0"),
        symbol=st.just("GCZ5"),
        instrument_id=st.just(7),
        publisher_id=st.integers(0, 65_534),
        **fields,
    )


@pytest.mark.parametrize("schema", EXCHANGE)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_record_is_the_same_after_dbn_and_after_a_line(schema: str, data: st.DataObject) -> None:
    record = data.draw(record_of(schema))
    encoded = to_dbn(record)
    assert from_dbn(encoded, 0, NAMES, schema) == record
    assert decode_record(encode_record(record)) == record
    assert len(encoded) == 4 * encoded[0]


@pytest.mark.parametrize("schema", EXCHANGE)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_the_vendors_decoder_reads_the_same_values(schema: str, data: st.DataObject) -> None:
    record = data.draw(record_of(schema))
    decoder = vendor.DBNDecoder(has_metadata=False, input_version=3)
    decoded = decoder.write_and_decode(to_dbn(record))[0]
    kinds = kind_of_fields(schema)
    for name, kind in kinds.items():
        if kind not in ("p", "t", "Q", "q?", "I", "i", "H") or name.startswith(("bid_", "ask_")):
            continue
        value = getattr(record, name)
        theirs = getattr(decoded, name)
        undefined = {"p": 2**63 - 1, "q?": 2**63 - 1, "t": 2**64 - 1}
        if value is None:
            assert theirs in (None, undefined[kind])
        elif kind == "p":
            assert theirs == round(value * 1e9)
        else:
            assert int(theirs) == int(value)


@pytest.mark.parametrize("schema", EXCHANGE)
def test_every_field_of_a_record_has_its_place_in_the_layout(schema: str) -> None:
    ours = set(RECORD_TYPES[schema].__struct_fields__)
    assert ours - {"series", "symbol", "instrument_id", "publisher_id", "source"} == set(kind_of_fields(schema))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("mbo", vendor.MBOMsg),
        ("trades", vendor.TradeMsg),
        ("tbbo", vendor.MBP1Msg),
        ("mbp-10", vendor.MBP10Msg),
        ("ohlcv-1m", vendor.OHLCVMsg),
        ("bbo-1s", vendor.BBOMsg),
        ("status", vendor.StatusMsg),
        ("definition", vendor.InstrumentDefMsg),
        ("statistics", vendor.StatMsg),
    ],
)
def test_the_layout_names_and_orders_the_fields_as_the_vendor_does(schema: str, message: Any) -> None:
    theirs = [name for name, _ in message._dtypes if not name.startswith("_")]
    assert list(layout(schema).names) == theirs[5:]
    assert layout(schema).size == message.size_hint


@pytest.mark.parametrize("schema", EXCHANGE)
def test_a_line_begins_with_its_head_and_ends_with_its_publisher(schema: str) -> None:
    names = RECORD_TYPES[schema].__struct_fields__
    assert names[:4] == ("series", "symbol", "instrument_id", "ts_event")
    assert names[-2:] == ("publisher_id", "source")


OWN = [
    {
        "schema": "system",
        "series": None,
        "symbol": None,
        "instrument_id": 0,
        "ts_event": "5",
        "kind": "gap",
        "detail": "12 s without records",
        "count": 3,
        "publisher_id": 0,
    },
    {
        "schema": "quote",
        "series": "GC=F",
        "symbol": None,
        "instrument_id": 0,
        "ts_event": "5",
        "price": 4810.3,
        "bid": None,
        "ask": 4810.4,
        "volume": 7,
        "spread": None,
        "timestamp": None,
        "quality": "delayed",
        "publisher_id": 0,
        "source": "yahoo",
    },
    {
        "schema": "news",
        "series": "GC.v.0",
        "symbol": None,
        "instrument_id": 0,
        "ts_event": "5",
        "headline": "CPI 3.1 %",
        "impact": "high",
        "sentiment": -0.5,
        "publisher_id": 0,
        "source": "a desk",
    },
    {
        "schema": "fill",
        "series": "GC.v.0",
        "symbol": "GCZ5",
        "instrument_id": 7,
        "ts_event": "5",
        "side": "B",
        "price": 4810.3,
        "size": 2,
        "order_id": "x1",
        "fees": 4.6,
        "publisher_id": 0,
    },
    {
        "schema": "account",
        "series": None,
        "symbol": None,
        "instrument_id": 0,
        "ts_event": "5",
        "balance": 100000.0,
        "equity": None,
        "position": -2,
        "currency": "USD",
        "publisher_id": 0,
    },
    {
        "schema": "kill",
        "series": None,
        "symbol": None,
        "instrument_id": 0,
        "ts_event": "5",
        "active": True,
        "detail": "enough",
        "publisher_id": 0,
    },
]


@pytest.mark.parametrize("fields", OWN, ids=lambda fields: str(fields["schema"]))
def test_our_own_records_travel_as_system_messages_and_come_back(fields: dict[str, Any]) -> None:
    line = msgspec.json.encode(fields)
    record = decode_record(line)
    data = to_dbn(record)
    assert from_dbn(data, 0, {}) == record
    assert encode_record(from_dbn(data, 0, {})) == line
    message = vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(data)[0]
    assert isinstance(message, vendor.SystemMsg)
    assert msgspec.json.decode(message.msg)["schema"] == fields["schema"]


def test_the_list_above_has_all_our_own_records() -> None:
    assert {fields["schema"] for fields in OWN} == OURS


def test_a_text_that_does_not_fit_into_a_system_message_is_refused_not_cut() -> None:
    record = System(ts_event="5", kind="gap", detail="x" * 258)
    assert from_dbn(to_dbn(record), 0, {}) == record
    with pytest.raises(BadData, match="a DBN system message holds 302: shorten it"):
        to_dbn(System(ts_event="5", kind="gap", detail="x" * 300))


def test_a_mapping_record_is_the_vendors() -> None:
    data = mapping_bytes(7, "GC.v.0", "GCZ5", START)
    message = vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(data)[0]
    assert (message.instrument_id, message.stype_in_symbol, message.stype_out_symbol) == (7, "GC.v.0", "GCZ5")
    assert read_mapping(data, 0) == (7, "GC.v.0", "GCZ5")
    assert read_mapping(mapping_bytes(7, "GC.v.0", None), 0) == (7, "GC.v.0", None)


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadData, match="field series or symbol: 71 bytes"):
        mapping_bytes(7, "x" * 71, None)


def test_an_instrument_that_nothing_named_goes_by_its_number() -> None:
    record = from_dbn(bytes(vendor.TradeMsg(1, 7, 5, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, 6)), 0, {})
    assert (record.series, record.symbol, record.instrument_id) == ("7", None, 7)


TRADE = {
    "schema": "trades",
    "series": "GC",
    "instrument_id": 7,
    "ts_event": "5",
    "action": "T",
    "side": "B",
    "price": 1.0,
    "size": 1,
}


def test_sixty_four_bit_integers_may_be_numbers_too() -> None:
    as_text = decode_record(msgspec.json.encode(TRADE))
    as_number = decode_record(msgspec.json.encode({**TRADE, "ts_event": 5}))
    assert to_dbn(as_text) == to_dbn(as_number)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ts_event": str(2**64)}, "field ts_event"),
        ({"ts_recv": str(2**64)}, "field ts_recv"),
        ({"price": 1e10}, "field price"),
        ({"price": None}, "field price: null, but action T needs a price"),
        ({"source": "simulator"}, "field source"),
    ],
)
def test_a_value_that_dbn_cannot_hold_names_its_field(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadData, match=words):
        to_dbn(decode_record(msgspec.json.encode({**TRADE, **change})))


@pytest.mark.skipif(not REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name)
def test_real_records_are_the_same_after_a_line_and_back(path: Any) -> None:
    schema = "tbbo" if "tbbo" in path.name else None
    for record in records(open_source([str(path)]))[:3_000]:
        line = encode_record(from_dbn(record, 0, NAMES, schema))
        assert to_dbn(decode_record(line)) == record


@pytest.mark.parametrize("schema", sorted(RECORD_TYPES))
def test_every_record_has_a_json_schema(schema: str) -> None:
    made = msgspec.json.schema(RECORD_TYPES[schema])
    assert made["$defs"][RECORD_TYPES[schema].__name__]["properties"]["schema"] == {"enum": [schema]}
