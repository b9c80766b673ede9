"""JSON lines and CSV, ours and the vendor's: numbering, names, errors that name the field, and skipping."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import databento_dbn as vendor
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, SYSTEM, Block
from qmo_cli.errors import BadData
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.lines import LineReader, head_of
from qmo_cli.feeds.vendor import price_of, time_of
from qmo_cli.market.line import dump_mbo
from qmo_cli.records import from_dbn
from qmo_cli.records.layout import read_mapping
from tests.samples import REAL_FILES, START, Named, Span, esh4, header, mbo, records

MBOS = [mbo(index) for index in range(40)]
HEAD = head_of("ESH4", "ESH4", 17_077)
LINES = dump_mbo(b"".join(MBOS), 0, 40 * 56, {17_077: HEAD}).splitlines(keepends=True)
TRADE = {
    "schema": "trades",
    "series": "GC.v.0",
    "symbol": "GCZ5",
    "instrument_id": 7,
    "ts_event": str(START),
    "action": "T",
    "side": "B",
    "price": 2567.3,
    "size": 2,
}


def line(**changes: Any) -> bytes:
    return json.dumps({**TRADE, **changes}).encode() + b"\n"


def read(folder: Path, data: bytes, name: str = "some.ndjson", **options: Any) -> list[Block]:
    path = folder / name
    path.write_bytes(data)
    return list(open_source([str(path)], **options))


def before_damage(folder: Path, data: bytes, name: str = "bad.ndjson") -> tuple[list[bytes], str]:
    path = folder / name
    path.write_bytes(data)
    found: list[Block] = []
    with pytest.raises(BadData) as raised:  # noqa: PT012
        for block in open_source([str(path)]):
            found.append(block)  # noqa: PERF402 - what came before the error must stay
    return records(found), str(raised.value)


@given(st.lists(st.integers(1, 3_000), max_size=8), st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_lines_do_not_depend_on_how_the_bytes_arrive(sizes: list[int], kinds: list[int]) -> None:
    """kinds: 0 canonical, 1 with spaces, 2 another record, 3 a blank line ahead."""
    other = {
        0: lambda text: text,
        1: lambda text: text.replace(b",", b", "),
        2: lambda _: line(),
        3: lambda text: b"\n" + text,
    }
    text = b"".join(other[kind](LINES[index]) for index, kind in enumerate(kinds))
    whole = LineReader("-")
    expected = [*whole.feed(text), *whole.finish()]
    reader, blocks, at = LineReader("-"), [], 0
    for size in [*sizes, len(text)]:
        blocks += reader.feed(text[at : at + size])
        at += size
    blocks += reader.finish()
    assert b"".join(block.data for block in blocks) == b"".join(block.data for block in expected)
    assert places(blocks) == places(expected)
    assert [record for record in records(blocks) if record[1] == 160] == [
        record for record, kind in zip(MBOS, kinds, strict=True) if kind != 2
    ]


def places(blocks: list[Block]) -> list[str]:
    return [block.place(index) for block in blocks for index in range(len(records([block], mappings=True)))]


def test_blank_lines_count_but_are_nothing(tmp_path: Path) -> None:
    blocks = read(tmp_path, b"\n\n" + LINES[0] + b"   \n" + LINES[1])
    assert records(blocks) == MBOS[:2]
    assert [place.rpartition(" ")[2] for place in places(blocks)] == ["3", "3", "5"]


def test_a_last_line_needs_no_newline(tmp_path: Path) -> None:
    assert records(read(tmp_path, b"".join(LINES)[:-1])) == MBOS


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zstandard.ZstdCompressor().compress(data)])
def test_lines_may_be_compressed(tmp_path: Path, pack: Any) -> None:
    assert records(read(tmp_path, pack(b"".join(LINES)))) == MBOS


def test_a_line_gives_the_name_of_its_instrument_when_it_is_new_or_changes(tmp_path: Path) -> None:
    text = line() + line() + line(symbol="GCG6") + line(instrument_id=8) + line()
    found = records(read(tmp_path, text), mappings=True)
    assert [read_mapping(record, 0) if record[1] == MAPPING else "trade" for record in found] == [
        (7, "GC.v.0", "GCZ5"),
        "trade",
        "trade",
        (7, "GC.v.0", "GCG6"),
        "trade",
        (8, "GC.v.0", "GCZ5"),
        "trade",
        (7, "GC.v.0", "GCZ5"),
        "trade",
    ]


def test_a_canonical_line_under_an_old_name_brings_that_name_back(tmp_path: Path) -> None:
    renamed = LINES[1].replace(b'"series":"ESH4"', b'"series":"ES.v.0"')
    found = records(read(tmp_path, LINES[0] + renamed + LINES[2]), mappings=True)
    assert [read_mapping(record, 0)[1] for record in found if record[1] == MAPPING] == ["ESH4", "ES.v.0", "ESH4"]


def test_tbbo_and_mbp_1_lines_are_told_apart_by_their_blocks(tmp_path: Path) -> None:
    levels = dict.fromkeys(("bid_px_00", "ask_px_00"), 1.0) | dict.fromkeys(
        ("bid_sz_00", "ask_sz_00", "bid_ct_00", "ask_ct_00"), 1
    )
    text = b"".join(line(schema=schema, **levels) for schema in ("tbbo", "tbbo", "mbp-1", "tbbo"))
    blocks = read(tmp_path, text)
    assert [(block.schema, len(records([block]))) for block in blocks] == [("tbbo", 2), (None, 1), ("tbbo", 1)]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line(size="2"), "field size: expected `int`, got `str`"),
        (line(size=-1), "field size: expected `int` >= 0"),
        (line(price="2567.3"), "field price: expected `float | null`, got `str`"),
        (line(action="X"), "field action: invalid enum value 'X'"),
        (line(price=None), "field price: null, but action T needs a price"),
        (
            json.dumps({name: value for name, value in TRADE.items() if name != "size"}).encode() + b"\n",
            "field size: it is missing",
        ),
        (line(schema="mbx"), "field schema: 'mbx' is not a schema"),
        (b'{"a":1}\n', "field schema: it is missing"),
        (b'{"schema":"trades",\n', "not a JSON object"),
        (b"hello\n", "not a JSON object"),
        (b"\xff\xfe\n", "not a JSON object"),
        (b"[1]\n", "not a JSON object"),
        (b'{"schema":"packet","v":1}\n', "this is a packet, not a record; it belongs to qmo engine"),
        (b'{"schema":"signal"}\n', "this is a signal, not a record"),
        (line(ts_event="1e5"), "field ts_event"),
        (line(instrument_id=2**32), "field instrument_id"),
        (LINES[4].replace(b"4810.25", b"null"), "field price: null, but action A"),
    ],
)
def test_a_bad_line_is_named_after_all_good_ones_before_it(tmp_path: Path, bad: bytes, words: str) -> None:
    found, message = before_damage(tmp_path, b"".join(LINES[:3]) + line() + bad + LINES[5])
    assert found[:3] == MBOS[:3]
    assert len(found) == 4
    assert message.startswith(f"{tmp_path}/bad.ndjson, line 5, ")
    assert words.replace("`", "") in message


def test_bad_lines_are_skipped_counted_and_told_when_asked_for(tmp_path: Path) -> None:
    text = LINES[0] + b"junk\njunk\n" + LINES[1] + line(size="x") + LINES[2] + b"junk"
    found = records(read(tmp_path, text, skip_bad=True))
    assert [record for record in found if record[1] != SYSTEM] == MBOS[:3]
    told = [from_dbn(record, 0, {}) for record in found if record[1] == SYSTEM]
    assert [(system.kind, system.count, system.detail.partition(":")[0]) for system in told] == [
        ("skipped", 2, "line 2"),
        ("skipped", 1, "line 5"),
        ("skipped", 1, "line 7"),
    ]
    assert [record[1] for record in found] == [160, SYSTEM, 160, SYSTEM, 160, SYSTEM]


def test_a_reason_too_long_for_a_system_message_is_shortened(tmp_path: Path) -> None:
    found = records(read(tmp_path, LINES[0] + line(action="ü" * 300), skip_bad=True))
    assert from_dbn(found[-1], 0, {}).count == 1


def encoded(raw: bytes, encoding: vendor.Encoding, *, pretty: bool) -> bytes:
    """The vendor's own text of a DBN file."""
    out = io.BytesIO()
    transcoder = vendor.Transcoder(
        out, encoding, vendor.Compression.NONE, pretty_px=pretty, pretty_ts=pretty, map_symbols=True
    )
    transcoder.write(raw)
    transcoder.flush()
    return out.getvalue()


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("encoding", [vendor.Encoding.JSON, vendor.Encoding.CSV], ids=["json", "csv"])
def test_the_vendors_text_gives_the_records_and_names_of_its_dbn(
    tmp_path: Path, encoding: vendor.Encoding, pretty: bool
) -> None:
    text = encoded(header(names=[esh4()]) + b"".join(MBOS), encoding, pretty=pretty)
    found = records(read(tmp_path, text), mappings=True)
    assert found[1:] == MBOS
    assert read_mapping(found[0], 0) == (17_077, "ESH4", "ESH4")


@pytest.mark.skipif(not REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize(
    "path", [path for path in REAL_FILES if path.stat().st_size < 100_000], ids=lambda path: path.name
)
def test_the_vendors_text_of_real_files_gives_the_same_records(path: Path, pretty: bool, tmp_path: Path) -> None:
    raw = zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True).read()
    expected = records(open_source([str(path)]))
    kinds = [vendor.Encoding.JSON] if "live" in path.name else [vendor.Encoding.JSON, vendor.Encoding.CSV]
    for encoding in kinds:
        assert records(read(tmp_path, encoded(raw, encoding, pretty=pretty), path.stem)) == expected


def test_prices_of_the_vendor_may_be_numbers_too(tmp_path: Path) -> None:
    text = (
        b'{"hd":{"ts_event":%d,"rtype":0,"publisher_id":1,"instrument_id":7},'
        b'"action":"T","side":"B","price":2567300000000,"size":1}\n'
    )
    record = from_dbn(records(read(tmp_path, text % START))[0], 0, {})
    assert (record.price, record.ts_event, record.ts_recv) == (2567.3, str(START), None)


def test_a_continuous_symbol_is_the_series_and_the_raw_symbol_unknown(tmp_path: Path) -> None:
    name = Named("GC.v.0", [Span(*esh4().intervals[0])])
    text = encoded(header(names=[name], stype_in="continuous") + MBOS[0], vendor.Encoding.JSON, pretty=False)
    assert read_mapping(records(read(tmp_path, text), mappings=True)[0], 0) == (17_077, "GC.v.0", None)


CSV = b"ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol\n"
ROW = b"1703545200000000000,0,1,7,T,B,0,2567300000000,2,0,0,1,GCZ5\n"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (ROW.replace(b",2,", b",two,"), "field size"),
        (ROW.replace(b"2567300000000", b"2567,3"), "14 values, but there are 13 columns"),
        (ROW.replace(b"1703545200000000000", b"noon"), "field ts_event: 'noon' is not a time"),
        (ROW.replace(b"2567300000000", b"cheap"), "field price: 'cheap' is not a price"),
        (ROW.replace(b",0,1,7", b",x,1,7"), "field rtype"),
        (ROW.replace(b"2567300000000", b""), "field price: null, but action T needs a price"),
    ],
)
def test_a_bad_row_of_csv_names_its_line_and_field(tmp_path: Path, bad: bytes, words: str) -> None:
    found, message = before_damage(tmp_path, CSV + ROW + bad, "bad.csv")
    assert len(found) == 1
    assert message.startswith(f"{tmp_path}/bad.csv, line 3, ")
    assert words in message


def test_csv_that_is_not_the_vendors_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="line 1, no column rtype"):
        read(tmp_path, b"time,price,size\n1,2,3\n")


def test_a_second_header_in_csv_begins_a_new_file(tmp_path: Path) -> None:
    assert len(records(read(tmp_path, CSV + ROW + CSV + ROW))) == 2


def test_schemas_that_nobody_reads_are_dropped_from_text_too(tmp_path: Path) -> None:
    row = b'{"hd":{"ts_event":"5","rtype":20,"publisher_id":1,"instrument_id":7},"ref_price":"1"}\n'
    assert records(read(tmp_path, row + LINES[0])) == MBOS[:1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-12-28T00:00:00.246821748Z", "1609113600246821748"),
        ("2020-12-28 01:00:00.5+01:00", "1609113600500000000"),
        ("2020-12-28T00:00:00", "1609113600000000000"),
        ("18446744073709551615", None),
        ("", None),
        (None, None),
        (5, "5"),
    ],
)
def test_a_time_may_be_written_in_several_ways(text: Any, expected: str | None) -> None:
    assert time_of("ts_recv", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3702.750000000", 3702.75),
        ("3702750000000", 3702.75),
        (3702750000000, 3702.75),
        (3702.75, 3702.75),
        ("-0.500000000", -0.5),
        ("9223372036854775807", None),
        ("", None),
        (None, None),
    ],
)
def test_a_price_may_be_written_in_several_ways(text: Any, expected: float | None) -> None:
    assert price_of("price", text) == expected
