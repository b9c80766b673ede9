"""A file that a stream is written to and gone on with, whatever befell the process that wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from qmo_cli.blocks import SECOND, Block
from qmo_cli.errors import BadData, SourceUnavailable, UsageError
from qmo_cli.feeds.capture import Capture, without
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.merge import merge
from qmo_cli.ndjson import DbnWriter
from qmo_cli.records import Account, News, System, encode_record, from_dbn, to_dbn

from .laws_streams import told
from .samples import records as records_of
from .support import START, mapping, mbo, tbbo

MS = 1_000_000


def order(at: int) -> bytes:
    ts = START + at * MS
    return mbo("A", "B", 2000.0, 1, 1 + at, ts_event=ts, ts_recv=ts)


def block(*records: bytes, schema: str | None = None) -> Block:
    return Block(b"".join(records), "live", schema=schema)


def recorded(path: Path, *blocks: Block) -> list[bytes]:
    """Go on with a file; gives the records that were in it."""
    capture = Capture(str(path))
    try:
        before = [] if capture.empty else records_of(capture.blocks(), mappings=True)
        assert list(capture.write(blocks)) == list(blocks)
    finally:
        capture.close()
    return before


def news(at: int, headline: str = "Rates held") -> bytes:
    return to_dbn(News(ts_event=str(START + at * MS), headline=headline))


NAMED = mapping("GC.v.0", "GCJ6", instrument=1, ts_event=START)


def test_what_was_written_is_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    mark = told("clock", START + 50 * MS)
    assert recorded(path, block(NAMED, order(0)), block(mark)) == []
    assert recorded(path, block(order(60))) == [NAMED, order(0), mark]
    assert records_of(open_source([str(path)]), mappings=True) == [NAMED, order(0), mark, order(60)]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    recorded(path, block(order(0)))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_record_torn_anywhere_is_cut_off_and_the_file_gone_on_with(tmp_path: Path) -> None:
    whole = DbnWriter().encode(block(NAMED, order(0), order(1)))
    for missing in range(1, len(order(1))):
        path = tmp_path / f"{missing}.dbn"
        path.write_bytes(whole[:-missing])
        assert recorded(path, block(order(2))) == [NAMED, order(0)]
        assert path.read_bytes().startswith(whole[:-56])
        assert records_of(open_source([str(path)]), mappings=True) == [NAMED, order(0), order(2)]


@pytest.mark.parametrize("kept", [1, 3, 7, 8, 40, 100])
def test_a_header_that_was_torn_is_written_anew(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "c.dbn"
    path.write_bytes(DbnWriter().encode(block(order(0)))[:kept])
    assert recorded(path, block(order(1))) == []
    assert records_of(open_source([str(path)])) == [order(1)]


def test_a_second_header_that_was_torn_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    recorded(path, block(order(0)))
    path.write_bytes(path.read_bytes() * 2)
    os.truncate(path, len(path.read_bytes()) // 2 + 30)
    assert recorded(path, block(order(1))) == [order(0)]
    assert records_of(open_source([str(path)])) == [order(0), order(1)]


def test_the_schema_that_only_a_header_tells_changes_within_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    quoted = tbbo("B", 2000.0, 1, (1999.9, 1, 1), (2000.0, 1, 1), ts_event=START, ts_recv=START)
    recorded(path, block(order(0)))
    recorded(path, block(quoted, schema="tbbo"))
    assert [(one.schema, records_of([one])) for one in open_source([str(path)])] == [
        (None, [order(0)]), ("tbbo", [quoted])]


@pytest.mark.parametrize("text", [
    b"hi\n", b"h", b'{"schema":"mbo"}\n' * 9, b"\x28\xb5\x2f\xfd" + bytes(60), bytes(99),
    b"abc\x03" + bytes([99] * 3) + bytes(60),
])
def test_a_file_that_is_no_capture_is_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(text)
    with pytest.raises((BadData, SourceUnavailable)) as error:
        recorded(path, block(order(0)))
    assert error.value.exit_code == 65
    assert "notes" in str(error.value)
    assert path.read_bytes() == text


def test_damage_within_the_file_is_named_and_nothing_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    recorded(path, block(order(0), order(1)), block(order(2)))
    data = bytearray(path.read_bytes())
    data[-2 * 56] = 0
    path.write_bytes(data)
    with pytest.raises(BadData, match=r"move the file away"):
        recorded(path, block(order(3)))
    assert path.read_bytes() == data


def test_facts_in_it_are_not_merged_again_and_new_ones_are(tmp_path: Path) -> None:
    path, facts = tmp_path / "c.dbn", tmp_path / "facts.ndjson"
    twice = news(10)
    account = to_dbn(Account(ts_event=str(START + 20 * MS), balance=1.0))
    recorded(path, block(order(0), twice, twice, account, to_dbn(System(ts_event=str(START), kind="gap"))))
    lines = [twice, twice, twice, account, news(30, "Rates cut")]
    facts.write_bytes(b"".join(encode_record(from_dbn(record, 0, {})) + b"\n" for record in lines))
    capture = Capture(str(path))
    list(capture.blocks())
    assert capture.facts == Counter({twice: 2, account: 1})
    merged = merge([block(order(1000))], [str(facts)], known=capture.facts)
    assert records_of(merged) == [twice, news(30, "Rates cut"), order(1000)]
    capture.close()


def test_two_processes_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    program = "import sys\nfrom qmo_cli.feeds.capture import Capture\nCapture(sys.argv[1])"
    capture = Capture(str(path))
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert "another process writes to it" in done.stderr
    with pytest.raises(SourceUnavailable, match="another process"):
        Capture(str(path))
    capture.close()
    Capture(str(path)).close()


@pytest.mark.parametrize("name", ["c.dbn.zst", "c.dbn.gz"])
def test_a_capture_is_not_compressed(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="plain DBN"):
        Capture(str(tmp_path / name))
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_to_is_said() -> None:
    with pytest.raises(SourceUnavailable, match="no such file"):
        Capture("/nowhere/at/all.dbn")


def test_a_record_is_in_the_file_before_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c.dbn"
    capture = Capture(str(path))
    for number, one in enumerate(capture.write(block(order(at)) for at in range(5))):
        assert path.read_bytes().endswith(one.data)
        assert path.read_bytes().count(order(number)) == 1
    capture.close()


def test_what_was_said_of_a_stream_that_is_over_is_left_out() -> None:
    live, end, gap = told("live", START), told("end", START), told("gap", START)
    kinds = frozenset({"live", "end"})
    parts = [block(live, order(0), end), block(order(1), gap), block(end), block(live, live, order(2))]
    assert records_of(without(parts, kinds)) == [order(0), order(1), gap, order(2)]
    assert next(without([parts[1]], kinds)) is parts[1]


def test_leaving_out_keeps_what_else_a_system_record_can_be() -> None:
    kept = [news(0), to_dbn(System(ts_event=str(START + SECOND), kind="roll"))]
    assert records_of(without([block(*kept)], frozenset({"live"}))) == kept
