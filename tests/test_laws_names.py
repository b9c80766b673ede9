"""The laws where contracts change their names and things happen between records: small cases with answers by hand."""

from __future__ import annotations

import json
from typing import Any

import databento_dbn as vendor
import pytest

from qmo_cli.records import Quote, System, to_dbn

from .laws import Setup, lines, read_back, written
from .laws_streams import Case, renumbered
from .streams import clock
from .support import START, bbo, mapping, trade
from .test_laws import assert_same

MS = 1_000_000
OLD, NEW = 10, 20


def named(instrument: int, symbol: str) -> bytes:
    return mapping("GC.v.0", symbol, instrument=instrument)


def traded(price: float, ms: int, instrument: int) -> bytes:
    ts = START + ms * MS
    return trade("B", price, 1, ts_event=ts, ts_recv=ts, instrument=instrument)


def lost(ms: int) -> bytes:
    return to_dbn(System(ts_event=str(START + ms * MS), kind="gap", detail="lost"))


def printed(records: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(Case(records).blocks(), Setup())]


def notices(records: list[bytes]) -> list[tuple[int, str, float | None]]:
    """Instrument id, kind and gap of every notice."""
    return [(packet["instrument_id"], notice["kind"], notice["gap"])
            for packet in printed(records) for notice in packet["system"]]


BEFORE = [named(OLD, "GCJ6"), traded(2000.0, 100, OLD), traded(2005.0, 1100, OLD)]
ROLLED = [*BEFORE, named(NEW, "GCM6"), traded(2030.0, 1300, NEW), traded(2031.0, 1400, NEW)]


def test_the_gap_of_a_roll_is_the_new_contracts_first_trade_less_the_olds_last() -> None:
    # 2030 - 2005, although both contracts trade in the frame of the roll
    assert notices(ROLLED) == [(NEW, "roll", None), (NEW, "roll", 25.0)]


@pytest.mark.parametrize("old", [OLD, 2 * NEW])
def test_the_gap_of_a_roll_does_not_depend_on_how_the_input_is_cut(old: int) -> None:
    case = Case(renumbered(ROLLED, OLD, old))
    assert_same(lines(case.blocks(range(len(ROLLED))), Setup()), lines(case.blocks(), Setup()))


@pytest.mark.parametrize("between", [[clock(START + 3000 * MS)], [lost(1250)], [lost(1250), clock(START + 3000 * MS)]],
                         ids=["clock", "gap", "gap and clock"])
def test_a_roll_that_is_announced_early_reads_the_same_from_lines(between: list[bytes]) -> None:
    records = [*BEFORE, named(NEW, "GCM6"), *between, traded(2030.0, 3300, NEW)]
    assert_from_lines(records)


def test_a_name_that_comes_after_the_first_record_reads_the_same_from_lines() -> None:
    later = [traded(2001.0, 200, OLD), traded(2002.0, 1200, OLD)]
    assert_from_lines([traded(2000.0, 100, OLD), named(OLD, "GCJ6"), *later])


def test_a_contract_that_never_traded_reads_the_same_from_lines() -> None:
    assert_from_lines([named(OLD, "GCJ6"), named(NEW, "GCM6"), traded(2030.0, 1300, NEW)])


def test_a_record_of_the_contract_that_was_left_reads_the_same_from_lines() -> None:
    status = bytes(vendor.StatusMsg(1, OLD, START + 1350 * MS, START + 1350 * MS))
    assert_from_lines([*ROLLED[:-1], status, ROLLED[-1]])


def assert_from_lines(records: list[bytes]) -> None:
    """NDJSON and blocks give the same packets."""
    blocks = Case(records).blocks()
    assert_same(lines(read_back(written(blocks, "ndjson")), Setup()), lines(blocks, Setup()))


@pytest.mark.parametrize("ahead", [[], [clock(START + 2000 * MS)]], ids=["frame open", "frame closed"])
def test_a_gap_at_the_end_of_the_input_is_told(ahead: list[bytes]) -> None:
    assert [notice[1] for notice in notices([*BEFORE, *ahead, lost(2500)])] == ["gap"]


def test_a_roll_is_told_with_a_time_of_the_stream() -> None:
    told = [notice for packet in printed([*BEFORE, *ROLLED[3:]]) for notice in packet["system"]]
    assert all(START <= int(notice["ts_event"]) <= START + 2000 * MS for notice in told)


def test_a_fetched_price_keeps_the_name_of_its_source() -> None:
    quote = Quote(ts_event=str(START), instrument_id=7, price=2000.5, quality="delayed", source="yahoo")
    market = printed([to_dbn(quote)])[0]["market"]
    assert (market["source"], market["quality"]) == ("yahoo", "delayed")


def test_a_side_without_orders_is_not_blamed_on_the_schema() -> None:
    empty = bbo((None, 0, 0), (2000.1, 3, 1), ts_event=START, ts_recv=START, instrument=OLD)
    packet = printed([named(OLD, "GCJ6"), empty, traded(2000.0, 100, OLD)])[0]
    assert packet["market"]["ask"] == 2000.1
    assert "schema" not in packet["missing"]["market.bid"]
