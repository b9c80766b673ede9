"""Selecting, pacing and reading ahead."""

from __future__ import annotations

import time
from collections.abc import Iterator

import databento_dbn as vendor
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.blocks import MAPPING, SYSTEM, Block
from qmo_cli.errors import UsageError
from qmo_cli.feeds.pace import pace
from qmo_cli.feeds.select import Selection
from qmo_cli.market import stream
from qmo_cli.records import System, mapping_bytes, to_dbn
from tests.samples import START, mbo, records

from .support import mapping

TRADE = bytes(vendor.TradeMsg(1, 42, START, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START + 500))
QUOTE = bytes(vendor.MBP1Msg(1, 42, START, 10**9, 1, vendor.Action.TRADE, vendor.Side.BID, 0, START + 500))
GAP = to_dbn(System(ts_event=str(START), kind="gap"))
GOLD = mapping_bytes(42, "GC.v.0", "GCZ5", START)
ES = mapping_bytes(17_077, "ESH4", "ESH4", START)
MIXED = ES + GOLD + mbo(0) + TRADE + GAP + mbo(1) + TRADE + mbo(2)


def selected(data: bytes, schema: str | None = None, **wanted: object) -> list[bytes]:
    return records(Selection(**wanted).apply([Block(data, "x", schema=schema)]))  # type: ignore[arg-type]


def test_nothing_asked_for_keeps_the_very_same_blocks() -> None:
    block = Block(MIXED, "x")
    assert next(iter(Selection().apply([block]))) is block


def test_a_schema_keeps_its_records_and_all_that_gives_them_meaning() -> None:
    assert selected(MIXED, schemas=frozenset({"trades"})) == [TRADE, GAP, TRADE]


@pytest.mark.parametrize("symbol", ["GC.v.0", "GCZ5"])
def test_a_symbol_may_be_the_series_or_the_raw_symbol(symbol: str) -> None:
    assert selected(MIXED, symbols=frozenset({symbol})) == [TRADE, GAP, TRADE]


def test_a_symbol_is_followed_when_it_moves_to_another_instrument() -> None:
    data = (
        GOLD + TRADE + mbo(0) + mapping_bytes(17_077, "GC.v.0", None) + mapping_bytes(42, "old", None) + TRADE + mbo(1)
    )
    assert selected(data, symbols=frozenset({"GC.v.0"})) == [TRADE, mbo(1)]


def test_time_is_that_of_reception_from_start_up_to_end() -> None:
    data = mbo(0) + mbo(1) + mbo(2)
    assert selected(data, start=START + 1_123, end=START + 2_123) == [mbo(1)]


def test_a_bar_has_the_time_of_its_close() -> None:
    bar = bytes(vendor.OHLCVMsg(vendor.RType.OHLCV_1M, 1, 42, START, 1, 1, 1, 1, 1))
    minute = 60_000_000_000
    assert selected(bar, start=START + minute) == [bar]
    assert selected(bar, end=START + minute) == []
    assert stream.record_time(bar, 0) == START + minute


def test_without_a_time_of_reception_the_exchanges_counts() -> None:
    assert stream.record_time(mbo(0, ts_recv=2**64 - 1), 0) == START


def test_a_limit_counts_what_is_kept() -> None:
    blocks = [Block(MIXED, "x"), Block(MIXED, "x")]
    found = records(Selection(schemas=frozenset({"mbo"}), limit=4).apply(blocks))
    assert [record for record in found if record[1] != SYSTEM] == [mbo(0), mbo(1), mbo(2), mbo(0)]


def test_a_limit_reads_no_further_than_it_must() -> None:
    def blocks() -> Iterator[Block]:
        yield Block(mbo(0) + mbo(1), "x")
        pytest.fail("the limit was reached")

    assert records(Selection(limit=2).apply(blocks())) == [mbo(0), mbo(1)]


def test_tbbo_is_not_mbp_1() -> None:
    assert selected(QUOTE, "tbbo", schemas=frozenset({"mbp-1"})) == []
    assert selected(QUOTE, "tbbo", schemas=frozenset({"tbbo"})) == [QUOTE]
    assert selected(QUOTE, None, schemas=frozenset({"mbp-1"})) == [QUOTE]


def test_an_unknown_schema_is_a_mistake_of_the_command() -> None:
    with pytest.raises(UsageError, match="'mbx' is not a schema; the schemas are mbo, trades"):
        Selection(schemas=frozenset({"mbx"}))


def test_records_keep_their_numbers() -> None:
    blocks = list(Selection(schemas=frozenset({"mbo"})).apply([Block(MIXED, "x", first=11)]))
    numbers = [
        block.place(index) for block in blocks for index, record in enumerate(records([block])) if record[1] == 160
    ]
    assert numbers == ["x, record 13", "x, record 16", "x, record 18"]


@given(
    st.lists(st.integers(0, 3), max_size=60),
    st.sets(st.sampled_from(["mbo", "trades"])),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_selecting_is_the_same_as_looking_at_each_record(
    kinds: list[int], schemas: set[str], start: int, end: int
) -> None:
    made = [mbo(index) if kind < 3 else TRADE for index, kind in enumerate(kinds)]
    low, high = START + start * 1_000, START + end * 1_000
    expected = [
        record
        for record in made
        if (not schemas or (record[1] == 160 and "mbo" in schemas) or (record[1] == 0 and "trades" in schemas))
        and low <= stream.record_time(record, 0) < high
    ]
    assert selected(b"".join(made), schemas=frozenset(schemas), start=low, end=high) == expected


def test_pacing_changes_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    second = 1_000_000_000
    made = [
        mbo(0, ts_recv=START),
        mbo(1, ts_recv=START + 10),
        mbo(2, ts_recv=START + second),
        mbo(3, ts_recv=START + 3 * second),
    ]
    blocks = list(pace([Block(b"".join(made), "x")], 2.0))
    assert records(blocks) == made
    assert [len(block.data) // 56 for block in blocks] == [2, 1, 1]
    assert [block.first for block in blocks] == [1, 3, 4]
    assert slept == pytest.approx([0.5, 1.0], abs=0.002)


def test_no_speed_is_as_fast_as_possible() -> None:
    block = Block(MIXED, "x")
    assert list(pace([block], 0)) == [block]


def test_mapping_records_stay_where_they_are() -> None:
    assert [record[1] for record in records(Selection(limit=99).apply([Block(MIXED, "x")]), mappings=True)].count(
        MAPPING
    ) == 2


def test_what_has_no_time_does_not_wait_and_does_not_set_the_clock() -> None:
    said = to_dbn(System(ts_event=None, kind="warmup", detail="history"))
    made = [said, mbo(0), said, mbo(1)]
    blocks = list(pace([Block(b"".join(made), "x")], 1e9))
    assert records(blocks) == made


def test_a_start_in_the_middle_of_a_paced_file_does_not_wait_for_the_hours_before_it() -> None:
    """What the symbols mean is kept, and is of the file's beginning."""
    hours = 20 * 3600 * 1_000_000_000
    early, late = mapping("ESH4", "ESH4"), [mbo(0, ts_recv=START + hours), mbo(1, ts_recv=START + hours + 10)]
    kept = Selection(start=START + hours).apply([Block(b"".join([early, mbo(2, ts_recv=START), *late]), "x")])
    begun = time.monotonic()
    assert records(pace(kept, 60.0), mappings=True) == [early, *late]
    assert time.monotonic() - begun < 60
