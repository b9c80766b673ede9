"""The canonical MBO line: exact bytes, exact way back, and nothing accepted that validation would refuse."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.errors import BadData
from qmo_cli.feeds.lines import head_of, read_line
from qmo_cli.market.line import dump_mbo, load_mbo
from qmo_cli.records import Mbo, encode_record, from_dbn, to_dbn
from tests.samples import mbo

HEAD = head_of("ESH4", "ESH4", 17_077)
HEADS = {HEAD: 17_077}
LINE = (
    b'{"schema":"mbo","series":"ESH4","symbol":"ESH4","instrument_id":17077,"ts_event":"1703545200000000000",'
    b'"ts_recv":"1703545200000000123","action":"A","side":"B","price":4810.25,"size":1,"order_id":"6813","flags":128,'
    b'"channel_id":0,"sequence":123,"ts_in_delta":1234,"publisher_id":1}\n'
)

UNDEF_PRICE = 2**63 - 1
UNDEF_TIME = 2**64 - 1


def exact_price(digits: int) -> int:
    """Cut a number to 15 digits, up to which a float holds a price exactly."""
    return digits if abs(digits) < 10**15 else digits // 10**4 * 10**4


mbo_records = st.builds(
    Mbo,
    series=st.just("ESH4"),
    symbol=st.just("ESH4"),
    instrument_id=st.just(17_077),
    ts_event=st.integers(0, UNDEF_TIME - 1).map(str),
    ts_recv=st.none() | st.integers(0, UNDEF_TIME - 1).map(str),
    action=st.sampled_from("ACFMNRT"),
    side=st.sampled_from("ABN"),
    price=st.integers(-(10**15) + 1, 10**15 - 1).map(lambda fixed: fixed / 1e9),
    size=st.integers(0, 2**32 - 1),
    order_id=st.integers(0, 2**64 - 1).map(str),
    flags=st.integers(0, 255),
    channel_id=st.integers(0, 255),
    sequence=st.integers(0, 2**32 - 1),
    ts_in_delta=st.integers(-(2**31), 2**31 - 1),
    publisher_id=st.integers(0, 65_534),
)


def dumped(data: bytes, head: bytes = HEAD) -> bytes:
    return dump_mbo(data, 0, len(data), {17_077: head})


def loaded(text: bytes) -> tuple[bytes, int, int]:
    return load_mbo(text, 0, len(text), HEADS)


def test_a_record_has_exactly_the_documented_bytes() -> None:
    assert dumped(mbo()) == LINE


def test_the_documented_line_is_the_vendors_record() -> None:
    assert loaded(LINE) == (mbo(), 1, len(LINE))


def test_a_simulated_record_says_so_at_its_end() -> None:
    line = dumped(mbo(publisher_id=65_535))
    assert line.endswith(b'"publisher_id":65535,"source":"simulator"}\n')
    assert loaded(line) == (mbo(publisher_id=65_535), 1, len(line))


@pytest.mark.parametrize(
    ("fixed", "text"),
    [
        (0, "0.0"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (4_810_000_000_000, "4810.0"),
        (-37_630_000_000, "-37.63"),
        (2_567_300_000_000, "2567.3"),
        (100_000_000, "0.1"),
        (9_007_199_254_740_991, "9007199.254740991"),
        (-(2**63), "-9223372036.854775808"),
        (2**63 - 2, "9223372036.854775806"),
    ],
)
def test_a_price_is_the_shortest_decimal_with_a_point(fixed: int, text: str) -> None:
    assert json.loads(dumped(mbo(price=fixed)), parse_float=str)["price"] == text


def test_an_undefined_price_or_time_is_null() -> None:
    line = json.loads(dumped(mbo(price=UNDEF_PRICE, ts_recv=UNDEF_TIME)))
    assert (line["price"], line["ts_recv"]) == (None, None)


@given(st.lists(mbo_records, min_size=1, max_size=20))
def test_lines_and_records_are_the_same_both_ways(made: list[Mbo]) -> None:
    data = b"".join(to_dbn(record) for record in made)
    text = dumped(data)
    assert [from_dbn(data, at, {17_077: ("ESH4", "ESH4")}) for at in range(0, len(data), 56)] == made
    assert b"".join(to_dbn(read_line(line, None)) for line in text.splitlines()) == data
    found, lines, offset = loaded(text)
    assert data.startswith(found)
    assert lines == len(found) // 56
    assert offset == len(b"".join(text.splitlines(keepends=True)[:lines]))


@given(st.lists(mbo_records.filter(lambda record: int(record.order_id) < 10**19), min_size=1, max_size=20))
def test_every_line_that_fits_the_fast_path_takes_it(made: list[Mbo]) -> None:
    times = [int(time) for record in made for time in (record.ts_event, record.ts_recv or 0)]
    data = b"".join(to_dbn(record) for record in made)
    if max(times) < 10**19:
        text = dumped(data)
        assert loaded(text) == (data, len(made), len(text))


@settings(max_examples=600)
@given(mbo_records, st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
def test_nothing_is_accepted_that_validation_would_refuse(record: Mbo, at: int, put: bytes, cut: int) -> None:
    line = encode_record(record) + b"\n"
    at = min(at, len(line) - 1)
    changed = line[:at] + put + line[at + cut :]
    data, lines, offset = loaded(changed)
    if lines:
        first = changed[:offset].splitlines()
        assert b"".join(to_dbn(read_line(text, None)) for text in first) == data


@settings(max_examples=400)
@given(
    mbo_records,
    st.sampled_from([b"0", b"00", b"-", b"null", b"99999999999", b"1e5", b".", b'"', b" ", b"256", b"-0.0"]),
    st.sampled_from(["ts_event", "ts_recv", "action", "side", "price", "size", "order_id", "flags", "ts_in_delta"]),
)
def test_a_wrong_value_in_any_field_is_never_accepted_silently(record: Mbo, value: bytes, name: str) -> None:
    line = encode_record(record) + b"\n"
    key = f'"{name}":'.encode()
    start = line.index(key) + len(key)
    changed = line[:start] + value + line[line.index(b",", start) :]
    data, lines, _ = loaded(changed)
    if lines:
        assert to_dbn(read_line(changed, None)) == data


@pytest.mark.parametrize("action", ["A", "M", "T", "F"])
def test_no_price_where_one_must_be_is_left_to_validation_and_refused(action: str) -> None:
    line = LINE.replace(b"4810.25", b"null").replace(b'"action":"A"', f'"action":"{action}"'.encode())
    assert loaded(line) == (b"", 0, 0)
    with pytest.raises(BadData, match="field price"):
        to_dbn(read_line(line, None))


@pytest.mark.parametrize(
    "other",
    [
        b"\n",
        LINE.replace(b'"schema":"mbo"', b'"schema":"trades"'),
        LINE.replace(b",", b", "),
        LINE[:-20],
        LINE.replace(b"17077", b"17078"),
        LINE.replace(b"}\n", b"}\r\n"),
        LINE.replace(b'"series":"ESH4"', b'"series":"ESM4"'),
    ],
)
def test_reading_stops_at_the_first_other_line(other: bytes) -> None:
    assert loaded(LINE * 3 + other) == (mbo() * 3, 3, 3 * len(LINE))


def test_lines_of_several_instruments_are_read_in_one_go() -> None:
    second = head_of("GC.v.0", None, 42)
    data = (mbo(0) + mbo(1, instrument_id=42)) * 50
    text = dump_mbo(data, 0, len(data), {17_077: HEAD, 42: second})
    assert load_mbo(text, 0, len(text), {HEAD: 17_077, second: 42}) == (data, 100, len(text))


def test_a_name_with_quotes_and_umlauts_survives() -> None:
    head = head_of('a "ü",\\', None, 17_077)
    text = dump_mbo(mbo(), 0, 56, {17_077: head})
    assert json.loads(text)["series"] == 'a "ü",\\'
    assert load_mbo(text, 0, len(text), {head: 17_077}) == (mbo(), 1, len(text))


def test_more_lines_than_one_buffer_holds_come_out_whole() -> None:
    data = b"".join(mbo(index) for index in range(3_000))
    text = dumped(data)
    assert text.count(b"\n") == 3_000
    assert loaded(text) == (data, 3_000, len(text))


def test_an_instrument_without_a_head_is_an_error() -> None:
    with pytest.raises(KeyError):
        dump_mbo(mbo(), 0, 56, {})
