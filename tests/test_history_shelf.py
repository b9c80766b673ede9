"""The cache of history: names of files, what covers a stretch of time, and how streams are joined."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, Block
from qmo_cli.feeds.history.client import Request, joined
from qmo_cli.feeds.history.cost import lines
from qmo_cli.feeds.history.join import fresh_names, merged
from qmo_cli.feeds.history.names import DAY, HOUR, NOTES, extent_of, file_name, folder_name
from qmo_cli.feeds.history.plan import Priced, pieces_of, whole_end
from qmo_cli.feeds.history.shelf import Shelf, private_folder
from qmo_cli.feeds.history.stream import trimmed

from .support import SECOND, mapping, mbo, split

MONDAY = 1_772_409_600 * SECOND          # 2026-03-02 00:00 UTC
times = st.one_of(st.integers(0, 400).map(lambda number: MONDAY + number * HOUR),
                  st.integers(MONDAY, MONDAY + 9 * DAY))


@given(times, times, st.sampled_from(["", *NOTES]))
def test_a_name_tells_what_its_file_holds(one: int, other: int, note: str) -> None:
    begin, end = min(one, other), max(one, other) + 1
    extent = extent_of(Path(file_name(begin, end, note)))
    assert extent is not None
    assert (extent.begin, extent.end, extent.note) == (begin, end, note)


@pytest.mark.parametrize("name", ["ledger.ndjson", ".lock", "download.part", "2026-03-02.dbn.zst.damaged", "x.dbn.zst",
                                  "2026-03-02.other.dbn.zst", "2026-03-02.dbn"])
def test_other_files_hold_nothing(name: str) -> None:
    assert extent_of(Path(name)) is None


@given(st.text(min_size=1, max_size=20))
def test_a_symbol_is_one_folder_whatever_it_is(symbol: str) -> None:
    name = folder_name(symbol)
    assert name not in ("", ".", "..")
    assert "/" not in name
    assert "\0" not in name


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=8), st.integers(0, 30), st.integers(1, 20))
def test_every_moment_is_covered_once_by_a_file_that_holds_it_or_by_none(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], start: int, length: int,
) -> None:
    folder = tmp_path_factory.mktemp("shelf")
    held = set()
    for begin, size in spans:
        (folder / file_name(MONDAY + begin * HOUR, MONDAY + (begin + size) * HOUR)).touch()
        held |= set(range(begin, begin + size))
    cover = Shelf(folder, 0).cover(MONDAY + start * HOUR, MONDAY + (start + length) * HOUR)
    at = MONDAY + start * HOUR
    for begin, end, extent in cover:
        assert begin == at < end
        at = end
        hours = set(range((begin - MONDAY) // HOUR, (end - MONDAY) // HOUR))
        assert hours <= held if extent else not hours & held
        assert extent is None or extent.begin <= begin < end <= extent.end
    assert at == MONDAY + (start + length) * HOUR


@given(times, times, st.sampled_from(["mbo", "trades", "ohlcv-1m"]), st.booleans())
def test_pieces_follow_one_another_and_none_has_two_conditions(one: int, other: int, schema: str, known: bool) -> None:
    begin, end = min(one, other), max(one, other) + 1
    conditions = {MONDAY + DAY: "degraded", MONDAY + 2 * DAY: "pending"}
    spans = [(MONDAY, MONDAY + 5 * DAY)] if known else []
    pieces = list(pieces_of(Request("GC.v.0", schema, begin, end), conditions, spans))
    assert [piece.begin for piece in pieces] == [begin, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == end
    for piece in pieces:
        days = {moment - moment % DAY for moment in (piece.begin, piece.end - 1)}
        assert piece.note == next((conditions[day] for day in days if day in conditions), "")
        assert not piece.note or len(days) == 1
        assert piece.empty == (not known or piece.begin >= MONDAY + 5 * DAY)
        weekend = datetime.fromtimestamp(piece.begin // SECOND, UTC).weekday() >= 5
        assert schema != "mbo" or piece.end - piece.begin <= (DAY if weekend else HOUR)


def test_a_weekend_is_two_pieces() -> None:
    pieces = list(pieces_of(Request("GC.v.0", "mbo", MONDAY - 2 * DAY, MONDAY + HOUR), {}, [(0, MONDAY + DAY)]))
    assert [(piece.begin, piece.end) for piece in pieces] == [
        (MONDAY - 2 * DAY, MONDAY - DAY), (MONDAY - DAY, MONDAY), (MONDAY, MONDAY + HOUR)]


def test_the_end_of_bars_is_that_of_the_open_one() -> None:
    assert whole_end("ohlcv-1m", MONDAY + 1) == MONDAY + 60 * SECOND
    assert whole_end("ohlcv-1m", MONDAY) == MONDAY
    assert whole_end("mbo", MONDAY + 1) == MONDAY + 1


def test_stretches_that_touch_are_one() -> None:
    assert joined([(4, 6), (1, 2), (2, 4), (8, 9), (5, 5)]) == [(1, 6), (8, 9)]
    assert joined([]) == []


def test_many_stretches_are_one_line() -> None:
    prices = [Priced(Request("GC.v.0", "trades", MONDAY + day * DAY, MONDAY + (day + 1) * DAY), 0.5, 2_000_000)
              for day in range(0, 8, 2)]
    assert lines(prices) == [
        "GC.v.0 trades 2026-03-02 to 2026-03-09: 8.0 MB, $2.00 (4 stretches that are not in the cache)"]
    assert lines(prices[:1]) == ["GC.v.0 trades 2026-03-02 to 2026-03-03: 2.0 MB, $0.50"]


def test_folders_that_were_there_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "a" / "b")
    private_folder(tmp_path / "a" / "b")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")]
    assert modes == [0o755, 0o700, 0o700]


# ---- joining


def order(ts: int, number: int = 1) -> bytes:
    """An MBO record of a time, told apart by its number."""
    return mbo("A", "B", 1.0, 1, number, ts_event=0, ts_recv=ts)


def block(*records: bytes) -> Block:
    return Block(b"".join(records), "x")


@given(st.lists(st.lists(st.integers(0, 12), max_size=8).map(sorted), max_size=4), st.integers(1, 4))
def test_streams_are_merged_by_time_and_each_keeps_its_order(streams: list[list[int]], size: int) -> None:
    numbered = [[(ts, order(ts, 100 * number + index)) for index, ts in enumerate(each)]
                for number, each in enumerate(streams)]
    inputs = [iter([block(*(record for _, record in each[at:at + size])) for at in range(0, len(each), size)])
              for each in numbered]
    expected = sorted((pair for each in numbered for pair in each), key=lambda pair: pair[0])  # stable
    assert split(b"".join(each.data for each in merged(inputs))) == [record for _, record in expected]


def test_numbers_of_records_survive_the_merge() -> None:
    one, other = iter([block(order(1), order(5), order(9))]), iter([block(order(4), order(6))])
    assert [(part.first, len(part.data) // 56) for part in merged([one, other])] == [(1, 1), (1, 1), (2, 1), (2, 1),
                                                                                     (3, 1)]


def said(*records: bytes) -> list[bytes]:
    return split(b"".join(each.data for each in fresh_names([block(*records)])))


def test_a_name_is_said_again_only_when_it_changes() -> None:
    first, second = mapping("GC.v.0", "", instrument=1), mapping("GC.v.0", "", instrument=2)
    assert said(first, order(1), first, order(2), second, second, first) == [
        first, order(1), order(2), second, first]


def test_a_parents_children_are_each_named_once() -> None:
    one, other = mapping("GC.FUT", "", instrument=1), mapping("GC.FUT", "", instrument=2)
    assert said(one, other, order(1), one, other) == [one, other, order(1)]


def test_a_name_moves_to_the_first_record_that_is_kept() -> None:
    old, new = mapping("GC.v.0", "", instrument=1, ts_event=1), mapping("GC.v.0", "", instrument=2, ts_event=3)
    blocks = [block(old, order(1), order(2)), block(new, order(3)), block(order(5), order(7))]
    records = split(b"".join(each.data for each in trimmed(blocks, 4, 7)))
    assert [record[1] == MAPPING for record in records] == [True, False]
    assert int.from_bytes(records[0][4:8], "little") == 2
    assert int.from_bytes(records[0][8:16], "little") == 5
    assert records[1] == order(5)
