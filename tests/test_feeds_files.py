"""DBN files in all their forms: versions, compression, several behind one another, and damage."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import databento_dbn as vendor
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, SYSTEM, Block
from qmo_cli.errors import BadData, SourceUnavailable
from qmo_cli.feeds.dbn import DbnReader
from qmo_cli.feeds.files import open_source
from qmo_cli.market import stream
from qmo_cli.records import from_dbn, mapping_bytes
from qmo_cli.records.layout import read_mapping
from tests.samples import DAY, REAL_FILES, START, Named, Span, esh4, header, mbo, records

MBOS = [mbo(index) for index in range(100)]
FILE = header(names=[esh4()]) + b"".join(MBOS)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def written(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def read(folder: Path, data: bytes, **options: Any) -> list[Block]:
    return list(open_source([written(folder, "some.dbn", data)], **options))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def collected(blocks: Iterator[Block], into: list[Block]) -> None:
    for block in blocks:
        into.append(block)  # noqa: PERF402 - what came before an error must stay


def before_damage(folder: Path, data: bytes, **options: Any) -> tuple[list[bytes], str]:
    blocks: list[Block] = []
    with pytest.raises(BadData) as raised:
        collected(open_source([written(folder, "bad.dbn", data)], **options), blocks)
    return records(blocks), str(raised.value)


@pytest.mark.parametrize(
    "packed",
    [
        FILE,
        zst(FILE),
        gzip.compress(FILE),
        zst(FILE[:1000]) + zst(FILE[1000:]),
        gzip.compress(FILE[:77]) + gzip.compress(FILE[77:]),
        b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + zst(FILE),
    ],
    ids=["plain", "zstd", "gzip", "zstd in two frames", "gzip in two members", "zstd with a skippable frame"],
)
def test_a_file_is_read_in_whatever_way_it_is_packed(tmp_path: Path, packed: bytes) -> None:
    blocks = read(tmp_path, packed)
    assert records(blocks) == MBOS
    assert read_mapping(blocks[0].data, 0) == (17_077, "ESH4", "ESH4")


@given(st.lists(st.integers(1, 2_000), max_size=8))
def test_the_records_do_not_depend_on_how_the_bytes_arrive(sizes: list[int]) -> None:
    reader, blocks, at = DbnReader("-"), [], 0
    for size in [*sizes, len(FILE)]:
        blocks += reader.feed(FILE[at : at + size])
        at += size
    blocks += reader.finish()
    assert records(blocks) == MBOS
    places = [
        block.place(index) for block in blocks if block.data[1] != MAPPING for index in range(len(block.data) // 56)
    ]
    assert places == [f"-, record {number}" for number in range(1, 101)]


def test_one_byte_at_a_time_gives_the_same_records() -> None:
    reader = DbnReader("-")
    blocks = [block for index in range(len(FILE)) for block in reader.feed(FILE[index : index + 1])]
    assert records([*blocks, *reader.finish()]) == MBOS


def test_files_are_read_in_the_order_given_and_patterns_sorted(tmp_path: Path) -> None:
    for name, index in (("b.dbn", 1), ("a.dbn", 0), ("z.dbn", 9)):
        written(tmp_path, name, header() + MBOS[index])
    names = [str(tmp_path / "z.dbn"), str(tmp_path / "[ab].dbn")]
    assert records(open_source(names)) == [MBOS[9], MBOS[0], MBOS[1]]


def test_a_second_header_in_mid_stream_begins_a_new_file(tmp_path: Path) -> None:
    trade = bytes(vendor.MBP1Msg(1, 5, START, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START))
    blocks = read(tmp_path, FILE + header("tbbo") + trade)
    assert records(blocks) == [*MBOS, trade]
    assert [block.schema for block in blocks][-1] == "tbbo"


def test_the_send_time_that_live_captures_may_have_is_taken_off(tmp_path: Path) -> None:
    sent = b"".join(bytes([record[0] + 2]) + record[1:] + START.to_bytes(8, "little") for record in MBOS)
    assert records(read(tmp_path, header(ts_out=True) + sent)) == MBOS


def test_a_mapping_that_changes_by_date_stands_where_it_changes(tmp_path: Path) -> None:
    name = Named(
        "GC.v.0", [Span(date(2023, 12, 25), date(2023, 12, 26), "1"), Span(date(2023, 12, 26), date(2023, 12, 28), "2")]
    )
    midnight = 1_703_548_800_000_000_000
    before = mbo(instrument_id=1, ts_recv=midnight - 1)
    after = mbo(instrument_id=2, ts_recv=midnight)
    blocks = read(tmp_path, header(names=[name], stype_in="continuous") + before + after + after)
    found = [read_mapping(record, 0) if record[1] == MAPPING else record for record in records(blocks, mappings=True)]
    assert found == [(1, "GC.v.0", None), before, (2, "GC.v.0", None), after, after]
    assert [block.place(0) for block in blocks] == [f"{tmp_path}/some.dbn, record {number}" for number in (1, 1, 2, 2)]


def test_records_before_and_after_all_intervals_have_a_name_too(tmp_path: Path) -> None:
    late = mbo(ts_recv=START + 30 * DAY)
    blocks = read(tmp_path, header(names=[esh4()]) + late)
    assert [read_mapping(record, 0) for record in records(blocks, mappings=True)[:1]] == [(17_077, "ESH4", "ESH4")]


def test_mapping_records_of_a_live_capture_pass(tmp_path: Path) -> None:
    mapping = mapping_bytes(17_077, "ES.v.0", "ESH4", START)
    assert records(read(tmp_path, header(None) + mapping + MBOS[0]), mappings=True) == [mapping, MBOS[0]]


def test_the_vendors_errors_become_system_records_and_heartbeats_go(tmp_path: Path) -> None:
    error = bytes(
        vendor.ErrorMsg(
            START, "too slow, records were skipped", True, vendor.ErrorCode.SKIPPED_RECORDS_AFTER_SLOW_READING
        )
    )
    beat = bytes(vendor.SystemMsg(START, "Heartbeat", vendor.SystemCode.HEARTBEAT))
    blocks = read(tmp_path, header(None) + MBOS[0] + beat + error + MBOS[1])
    found = records(blocks)
    assert found[0::2] == MBOS[:2]
    system = from_dbn(found[1], 0, {})
    assert (system.kind, system.detail, system.ts_event) == ("gap", "too slow, records were skipped", str(START))
    assert [block.place(index) for block in blocks for index in range(3)][-1].endswith("record 4")


def test_records_of_schemas_that_nobody_reads_are_dropped_and_counted(tmp_path: Path) -> None:
    imbalance = bytes([28, 20]) + bytes(110)
    reader = DbnReader("-")
    blocks = [*reader.feed(header(None) + MBOS[0] + imbalance * 3 + MBOS[1]), *reader.finish()]
    assert records(blocks) == MBOS[:2]
    assert dict(reader.unused) == {20: 3}


@pytest.mark.parametrize("cut", [1, 20, 55])
@pytest.mark.parametrize("pack", [bytes, zst])
def test_a_file_cut_within_a_record_gives_all_before_it_and_then_an_error(tmp_path: Path, cut: int, pack: Any) -> None:
    found, words = before_damage(tmp_path, pack(FILE[:-cut]))
    assert found == MBOS[:-1]
    assert words == (
        f"{tmp_path}/bad.dbn: it ends in the middle of record 100: the file is truncated; 99 whole records were read"
    )


def test_a_truncated_zstd_file_gives_what_is_whole_and_then_an_error(tmp_path: Path) -> None:
    packed = zst(FILE[:2000]) + zst(os.urandom(0) + FILE[2000:])
    found, words = before_damage(tmp_path, packed[:-20])
    assert found == MBOS[: len(found)]
    assert len(found) >= (2000 - len(FILE) + 5600) // 56
    assert "the zstd data ends in the middle: the file is truncated" in words
    assert f"{len(found)} whole records were read" in words


def test_damaged_zstd_data_gives_the_frames_before_and_then_an_error(tmp_path: Path) -> None:
    second = bytearray(zst(FILE[3000:]))
    second[4:12] = b"\xff" * 8
    found, words = before_damage(tmp_path, zst(FILE[:3000]) + bytes(second))
    assert found == MBOS[: len(found)]
    assert found
    assert "the zstd data is damaged" in words


def test_an_impossible_length_names_the_record_and_its_byte(tmp_path: Path) -> None:
    found, words = before_damage(tmp_path, FILE + b"\x01" + bytes(99))
    assert found == MBOS
    assert f"record 101, at byte {len(FILE)}, has the impossible length 4" in words


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (mbo(price=2**63 - 1), "record 3, field price: null, but action A needs a price"),
        (MBOS[0][:38] + b"X" + MBOS[0][39:], "record 3, field action: invalid enum value 'X'"),
        (MBOS[0][:39] + b"?" + MBOS[0][40:], "record 3, field side: invalid enum value '?'"),
        (bytes([15]) + MBOS[0][1:] + bytes(4), "record 3, a mbo record of 60 bytes; it must have 56"),
    ],
)
def test_a_record_that_no_stage_could_use_is_named(tmp_path: Path, record: bytes, words: str) -> None:
    found, message = before_damage(tmp_path, header() + MBOS[0] + MBOS[1] + record + MBOS[2])
    assert found == MBOS[:2]
    assert message == f"{tmp_path}/bad.dbn, {words}"


def test_bad_records_are_skipped_counted_and_told_when_asked_for(tmp_path: Path) -> None:
    bad = mbo(price=2**63 - 1)
    found = records(read(tmp_path, header() + MBOS[0] + bad + bad + MBOS[1] + bad, skip_bad=True))
    assert [record for record in found if record[1] != SYSTEM] == MBOS[:2]
    told = [from_dbn(record, 0, {}) for record in found if record[1] == SYSTEM]
    assert [(system.kind, system.count, system.detail[:9]) for system in told] == [
        ("skipped", 2, "record 2:"),
        ("skipped", 1, "record 5:"),
    ]
    assert told[0].ts_event == str(START + 123)


def test_a_truncated_file_is_told_and_the_next_one_read_when_asked_for(tmp_path: Path) -> None:
    names = [written(tmp_path, "a.dbn", FILE[:-9]), written(tmp_path, "b.dbn", header() + MBOS[0])]
    found = records(open_source(names, skip_bad=True))
    assert [record for record in found if record[1] != SYSTEM] == [*MBOS[:-1], MBOS[0]]
    assert "it ends in the middle of record 100" in from_dbn(found[99], 0, {}).detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"\x00\x01garbage\xff", "neither DBN nor JSON lines nor CSV"),
        (MBOS[0] * 3, "DBN records without the header"),
        (b"PK\x03\x04....", "a zip archive; unpack it first"),
        (b"[\n{}\n]", "a JSON array; records are one object a line"),
        (FILE[:5], "it ends in the middle of its header"),
        (b"DBN\x09" + FILE[4:], "DBN version 9 is not known"),
        (b"DBN\x03\xff\xff\xff\xff" + FILE, "the DBN header is damaged"),
        (b"DBN\x03\x08\x00\x00\x00" + b"\xff" * 64, "some.dbn"),
        (b" \n \n", "the file is empty"),
        (b"hello\n", "neither DBN"),
    ],
)
def test_what_cannot_be_read_is_told_by_name(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(BadData, match=words) as raised:
        read(tmp_path, data)
    assert str(raised.value).startswith(f"{tmp_path}/some.dbn: ")


def test_a_missing_file_is_told_before_anything_is_read(tmp_path: Path) -> None:
    good = written(tmp_path, "good.dbn", FILE)
    for name, words in ((str(tmp_path / "none.dbn"), "no such file"), (str(tmp_path / "*.zst"), "no file matches")):
        with pytest.raises(SourceUnavailable, match=words):
            next(open_source([good, name]))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="is a directory"):
        next(open_source([str(tmp_path)]))


def test_a_growing_file_is_followed(tmp_path: Path) -> None:
    name = written(tmp_path, "growing.dbn", FILE[:-56])
    blocks = open_source([name], follow=True)
    found: list[bytes] = []
    while len(found) < 99:
        found += records([next(blocks)])
    writer = threading.Timer(0.05, append, (Path(name), FILE[-56:]))
    writer.start()
    assert records([next(blocks)]) == [MBOS[-1]]
    writer.join()
    blocks.close()


@pytest.mark.skipif(not REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name)
def test_a_real_file_of_any_version_gives_what_the_vendors_decoder_gives(path: Path) -> None:
    raw = zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True).read()
    theirs = [bytes(record) for record in vendor.DBNDecoder().write_and_decode(raw)[1:]]
    assert records(open_source([str(path)])) == [record for record in theirs if record[1] != MAPPING]


@pytest.mark.skipif(not REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name)
def test_a_real_file_names_each_instrument_before_its_first_record(path: Path) -> None:
    named: set[int] = set()
    for block in open_source([str(path)]):
        for record in records([block], mappings=True):
            identifier = int.from_bytes(record[4:8], "little")
            if record[1] == MAPPING:
                named.add(identifier)
            assert identifier in named


def test_a_stream_knows_where_its_whole_records_end() -> None:
    data = MBOS[0] + MBOS[1] + MBOS[2][:20]
    assert stream.whole(data, 0) == 112
    assert stream.same(MBOS[0] * 3 + mapping_bytes(1, "a", None), 0) == 168
    assert stream.count(MBOS[0] * 3, 56, 168) == 2
