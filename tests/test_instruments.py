"""Contract specifications against the exchange's published ones and against real definition records."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qmo_cli.instruments import (
    SPECS,
    days_to_first_notice,
    first_notice,
    is_outright,
    root_of,
    spec_from_definition,
    spec_of,
)

DEFINITIONS = Path(__file__).parents[2] / "shared/data/mbp1/esu4.definition.dbn.zst"
UNDEF = 2**63 - 1


@pytest.mark.parametrize(("symbol", "root"), [
    ("GCZ6", "GC"), ("GCZ26", "GC"), ("MGCG6", "MGC"), ("1OZG6", "1OZ"), ("SIZ6", "SI"), ("ESH4", "ES"),
    ("CLF27", "CL"),
    ("GC.v.0", "GC"), ("GC.n.1", "GC"), ("1OZ.c.0", "1OZ"), ("GC.FUT", "GC"), ("GC=F", "GC"),
    ("GCZ6-GCG7", None), ("OGZ6 C2600", None), ("GC:BF Z6-G7-J7", None), ("", None), ("GC", None),
])
def test_the_root_is_read_from_raw_symbols_and_series(symbol: str, root: str | None) -> None:
    assert root_of(symbol) == root


@pytest.mark.parametrize(("root", "tick", "tick_value"), [
    ("GC", 0.10, 10.0), ("MGC", 0.10, 1.0), ("1OZ", 0.25, 0.25), ("ES", 0.25, 12.5), ("MES", 0.25, 1.25),
    ("NQ", 0.25, 5.0), ("MNQ", 0.25, 0.5), ("SI", 0.005, 25.0), ("SIL", 0.005, 5.0), ("CL", 0.01, 10.0),
    ("MCL", 0.01, 1.0),
])
def test_a_tick_is_worth_what_the_exchange_publishes(root: str, tick: float, tick_value: float) -> None:
    spec = SPECS[root]
    assert spec.tick == tick
    assert spec.point_value is not None
    assert spec.tick * spec.point_value == pytest.approx(tick_value)


def test_smaller_sisters_are_listed_from_the_contract_down() -> None:
    assert [SPECS[root].ladder for root in ("GC", "MGC", "1OZ", "ES")] == [
        ("GC", "MGC", "1OZ"), ("MGC", "1OZ"), ("1OZ",), ("ES", "MES")]


def test_nothing_is_invented_for_an_unknown_instrument() -> None:
    assert spec_of("ZZZZ6") is None


def test_what_the_user_says_stands_alone() -> None:
    spec = SPECS["GC"].with_options(None, 50.0)
    assert (spec.tick, spec.point_value, spec.ladder, spec.source) == (0.1, 50.0, ("GC",), "option")


def test_saying_what_is_known_anyway_changes_nothing() -> None:
    assert SPECS["GC"].with_options(0.1, None) is SPECS["GC"]


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="needs the real definition file")
def test_real_definition_records_give_tick_and_point_value() -> None:
    specs = {record.raw_symbol: spec_from_definition(record) for record in _records(DEFINITIONS)}
    es, nq = specs["ESU4"], specs["NQU4"]
    assert (es.root, es.tick, es.point_value, es.currency, es.ladder) == ("ES", 0.25, 50.0, "USD", ("ES", "MES"))
    assert (nq.tick, nq.point_value, nq.source) == (0.25, 20.0, "definition")


def _records(path: Path) -> list[Any]:
    import databento_dbn
    import zstandard

    decoder = databento_dbn.DBNDecoder(upgrade_policy=databento_dbn.VersionUpgradePolicy.UPGRADE_TO_V3)
    with path.open("rb") as file:
        decoder.write(zstandard.ZstdDecompressor().stream_reader(file).read())
    return [record for record in decoder.decode() if hasattr(record, "raw_symbol")]


def definition(**changes: Any) -> SimpleNamespace:
    """The fields of a definition record, with the values of the real ESU4."""
    known = {
        "raw_symbol": "ESU4", "asset": "ES", "currency": "USD", "min_price_increment": 250_000_000,
        "min_price_increment_amount": 125_000_000, "unit_of_measure_qty": 50_000_000_000, "display_factor": 10_000_000,
    }
    return SimpleNamespace(**{**known, **changes})


def test_a_definition_line_with_plain_numbers_says_the_same() -> None:
    plain = definition(min_price_increment=0.25, min_price_increment_amount=0.125, unit_of_measure_qty=50.0,
                       display_factor=0.01)
    assert spec_from_definition(plain) == spec_from_definition(definition())
    assert spec_from_definition(definition(min_price_increment=None)).tick is None


def test_a_definition_that_contradicts_itself_gives_no_point_value() -> None:
    assert spec_from_definition(definition(unit_of_measure_qty=5_000_000_000_000)).point_value is None


def test_undefined_fields_stay_unknown() -> None:
    bare = spec_from_definition(definition(min_price_increment=UNDEF, unit_of_measure_qty=UNDEF))
    assert (bare.tick, bare.point_value) == (None, None)


def test_without_a_tick_value_the_contract_size_is_taken() -> None:
    assert spec_from_definition(definition(min_price_increment_amount=UNDEF)).point_value == 50.0


@pytest.mark.parametrize(("symbol", "plain"), [
    ("GCZ6", True), ("GC.v.0", True), ("GC.FUT", True), ("ESH4", True), ("GCZ6-GCG7", False), ("OGZ6 C2600", False),
    ("UD:1V: GN 2934920", False), ("GC:BF Z6-G7-J7", False), ("GC.OPT", False),
])
def test_spreads_and_options_are_no_outrights(symbol: str, plain: bool) -> None:
    assert is_outright(symbol) is plain


@pytest.mark.parametrize(("year", "month", "day"), [
    (2026, 12, date(2026, 11, 30)),  # a Monday
    (2026, 2, date(2026, 1, 30)),    # the 31st is a Saturday
    (2024, 4, date(2024, 3, 28)),    # the 29th is Good Friday
    (2018, 4, date(2018, 3, 29)),    # the 30th is Good Friday
    (2021, 6, date(2021, 5, 28)),    # the 31st is Memorial Day
])
def test_first_notice_is_the_last_business_day_before_the_delivery_month(year: int, month: int, day: date) -> None:
    assert first_notice(year, month) == day


def test_the_year_of_a_contract_is_the_next_that_fits() -> None:
    assert days_to_first_notice("GCG7", "2026-12-31") == (date(2027, 1, 29) - date(2026, 12, 31)).days
    assert days_to_first_notice("GCG27", "2026-12-31") == 29


@pytest.mark.parametrize("symbol", ["ESH6", "1OZG6", "GC.v.0"])
def test_only_delivered_gold_has_a_first_notice(symbol: str) -> None:
    assert days_to_first_notice(symbol, "2026-01-27") is None
