"""What goes through the pipes: record lines, DBN, and packets in batches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import databento_dbn as vendor
import pytest

from qmo_cli.blocks import Block
from qmo_cli.errors import BadData
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.inputs import Source
from qmo_cli.ndjson import DbnWriter, LineWriter, kind_of, read_packets
from qmo_cli.packets import WIRE_VERSION
from qmo_cli.records import System, mapping_bytes, to_dbn
from tests.samples import REAL_FILES, START, mbo, records

TRADE = bytes(vendor.TradeMsg(1, 42, START, 2_567_300_000_000, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START + 500))
GOLD = mapping_bytes(42, "GC.v.0", "GCZ5", START)
ES = mapping_bytes(17_077, "ESH4", "ESH4", START)
PACKET = (
    json.dumps(
        {
            "schema": "packet",
            "v": WIRE_VERSION,
            "timestamp": "2023-12-25T23:00:01Z",
            "ts": str(START + 10**9),
            "series": "GC.v.0",
            "symbol": "GCZ5",
            "instrument_id": 42,
            "closed": True,
            "price": 2567.3,
            "market": None,
            "health": None,
            "inputs": None,
            "system": [],
            "missing": {},
        }
    ).encode()
    + b"\n"
)


@pytest.fixture
def pipe() -> Iterator[tuple[Source, int]]:
    """A source at one end of a pipe, and the other end."""
    reading, writing = os.pipe()
    yield Source("-", reading), writing
    os.close(reading)


def write(fd: int, data: bytes, *, last: bool = False) -> None:
    os.write(fd, data)
    if last:
        os.close(fd)


def test_lines_carry_the_names_that_mapping_records_gave_before() -> None:
    writer = LineWriter()
    assert writer.lines(Block(GOLD, "x")) == b""
    lines = [json.loads(line) for line in writer.lines(Block(TRADE + mbo() + ES + mbo(), "x")).splitlines()]
    assert [(line["schema"], line["series"], line["symbol"]) for line in lines] == [
        ("trades", "GC.v.0", "GCZ5"),
        ("mbo", "17077", None),
        ("mbo", "ESH4", "ESH4"),
    ]


def test_a_new_name_shows_from_its_mapping_record_on() -> None:
    writer = LineWriter()
    text = writer.lines(Block(ES + mbo(0) + mapping_bytes(17_077, "ES.v.0", None) + mbo(1), "x"))
    assert [json.loads(line)["series"] for line in text.splitlines()] == ["ESH4", "ES.v.0"]


def test_a_tbbo_block_gives_tbbo_lines() -> None:
    quote = bytes(vendor.MBP1Msg(1, 42, START, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START))
    writer = LineWriter()
    assert [json.loads(writer.lines(Block(quote, "x", schema=schema)))["schema"] for schema in ("tbbo", None)] == [
        "tbbo",
        "mbp-1",
    ]


def test_the_vendor_reads_what_the_dbn_writer_writes() -> None:
    writer = DbnWriter()
    data = writer.encode(Block(ES + mbo(0), "x", schema="mbo")) + writer.encode(Block(mbo(1), "x", schema="mbo"))
    metadata, *found = vendor.DBNDecoder().write_and_decode(data)
    assert (metadata.dataset, str(metadata.schema), metadata.version) == ("GLBX.MDP3", "mbo", 3)
    assert [bytes(record) for record in found] == [ES, mbo(0), mbo(1)]


def test_a_new_header_stands_where_the_schema_changes(tmp_path: Path) -> None:
    quote = bytes(vendor.MBP1Msg(1, 42, START, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START))
    writer = DbnWriter()
    blocks = [Block(GOLD + quote, "x", schema="tbbo"), Block(quote, "x"), Block(quote, "x", schema="tbbo")]
    path = tmp_path / "x.dbn"
    path.write_bytes(b"".join(writer.encode(block) for block in blocks))
    assert path.read_bytes().count(b"DBN\x03") == 3
    lines = LineWriter()
    schemas = [
        json.loads(line)["schema"] for block in open_source([str(path)]) for line in lines.lines(block).splitlines()
    ]
    assert schemas == ["tbbo", "mbp-1", "tbbo"]


def test_simulated_records_are_in_a_dataset_of_their_own() -> None:
    simulated = mbo(publisher_id=65_535)
    gap = to_dbn(System(ts_event=str(START), kind="gap"))
    writer = DbnWriter()
    data = writer.encode(Block(ES + simulated, "sim")) + writer.encode(Block(gap, "-"))
    assert data.count(b"DBN\x03") == 1
    assert vendor.DBNDecoder().write_and_decode(data)[0].dataset == "QMO.SIM"


@pytest.mark.skipif(not REAL_FILES, reason="the real files are not here")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name)
def test_records_of_real_files_pass_through_lines_and_dbn_unchanged(path: Path, tmp_path: Path) -> None:
    blocks = list(open_source([str(path)]))
    lines, dbn = LineWriter(), DbnWriter()
    (tmp_path / "x.ndjson").write_bytes(b"".join(lines.lines(block) for block in blocks))
    (tmp_path / "x.dbn").write_bytes(b"".join(dbn.encode(block) for block in blocks))
    assert records(open_source([str(tmp_path / "x.ndjson")])) == records(blocks)
    assert records(open_source([str(tmp_path / "x.dbn")]), mappings=True) == records(blocks, mappings=True)


def test_packets_come_in_the_batches_that_the_pipe_brought(pipe: tuple[Source, int]) -> None:
    source, writing = pipe
    packets = read_packets(source)
    write(writing, PACKET * 2 + PACKET[:50])
    assert len(next(packets)) == 2
    write(writing, PACKET[50:] + b"\n" + PACKET.strip(), last=True)
    assert [packet.series for packet in next(packets)] == ["GC.v.0"]
    assert [len(batch) for batch in packets] == [1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"schema":"mbo","series":"x"}', r"this is a record \(schema mbo\); put `qmo route` before `qmo score`"),
        (b'{"schema":"signal"}', "this is a signal; `qmo score` reads packets"),
        (b"DBN\x03....", "put `qmo route` before `qmo score`"),
        (b'{"schema":"packet","v":99}', "another wire version"),
        (PACKET[:40], "line 3"),
    ],
)
def test_a_line_at_the_wrong_stage_names_the_missing_one(pipe: tuple[Source, int], line: bytes, words: str) -> None:
    source, writing = pipe
    write(writing, PACKET + b"\n" + line + b"\n", last=True)
    with pytest.raises(BadData, match=words) as raised:
        list(read_packets(source, "qmo score"))
    assert str(raised.value).startswith("-, line 3: ")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "nothing"),
        (PACKET, "packets"),
        (b'{"schema":"signal"}\n', "signals"),
        (b'{"schema":"mbo"}\n', "records"),
        (b"DBN\x03", "records"),
        (b"\x28\xb5\x2f\xfd", "records"),
        (b"ts_event,rtype\n", "records"),
        (b'{"hd":{}}\n', "records"),
        (b'{"schema":"signal"}', "signals"),
    ],
)
def test_what_comes_is_told_by_its_first_line_and_nothing_is_lost(
    pipe: tuple[Source, int], start: bytes, kind: str
) -> None:
    source, writing = pipe
    write(writing, start, last=True)
    assert kind_of(source) == kind
    assert source.read() == start
    assert source.read() == b""
