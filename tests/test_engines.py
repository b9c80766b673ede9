"""The table of engines, their parameters, and what every engine keeps to."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines import ENGINES
from qmo_cli.engines.base import Engine
from qmo_cli.errors import ConfigurationError, UsageError
from qmo_cli.packets import Missing, Reading, ScoredReading
from qmo_cli.pipeline import Engines, check_settings, choose, parameters, parse_settings
from qmo_cli.rounding import to_six
from qmo_cli.tray import Packet

from .cuts import record_cuts
from .engine_oracles import as_records, iceberg_events, records_of, run, tape
from .handmade import needless, unexplained
from .streams import mbo_streams
from .streams_poor import POOR, poor_streams

NAMES = list(ENGINES)
INPUTS = {"trades", "depth", "orders"}

slow = settings(
    max_examples=18, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


# ---- the table


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_stands_under_its_name_and_tells_what_it_gives(name: str) -> None:
    engine = ENGINES[name]()
    assert isinstance(engine, Engine)
    assert (engine.name, engine.reasons) == (name, {})
    assert issubclass(engine.reading, Reading)
    assert (engine.__doc__ or "").strip()


def test_an_engine_needs_only_inputs_and_what_stands_above_it() -> None:
    for place, name in enumerate(NAMES):
        assert ENGINES[name].needs <= INPUTS | set(NAMES[:place])


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_default_and_a_sentence(name: str) -> None:
    for parameter in parameters(ENGINES[name]).values():
        assert parameter.default is not dataclasses.MISSING
        assert parameter.metadata["help"].endswith(".")


def test_engines_run_in_the_order_of_the_table_whatever_the_order_of_asking() -> None:
    assert choose(["orderflow", "bars"]) == ["bars", "orderflow"]
    assert choose(["all"]) == NAMES


def test_an_engine_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no engine 'tarot'; there are bars, "):
        choose(["bars", "tarot"])


def test_two_series_share_nothing() -> None:
    trades = tape(bytes(range(256)))
    alone = run(records_of(trades, "GCJ6"), "1m")
    both = run([record for pair in zip(records_of(trades, "GCJ6"), records_of(trades, "MGCJ6", 2), strict=True)
                for record in pair], "1m")
    assert [packet.encode() for packet in both if packet.series == "GCJ6"] == [packet.encode() for packet in alone]


# ---- parameters


def test_settings_are_engine_parameter_and_value() -> None:
    assert parse_settings(["iceberg.zone_ticks=4", "bars.period=5m", "iceberg.reach_atr=1=2"]) == {
        "iceberg": {"zone_ticks": "4", "reach_atr": "1=2"}, "bars": {"period": "5m"}}


@pytest.mark.parametrize("text", ["zone_ticks=4", "iceberg.zone_ticks", "=", "iceberg=3", ""])
def test_a_setting_of_another_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"iceberg\.zone_ticks=3"):
        parse_settings([text])


def test_values_become_what_their_parameter_is() -> None:
    settled = check_settings({"orderflow": {"stack": "4", "value_area": "0.68"}, "bars": {"period": "5m"}})
    assert settled == {"orderflow": {"stack": 4, "value_area": 0.68}, "bars": {"period": "5m"}}
    assert isinstance(settled["orderflow"]["stack"], int)


@pytest.mark.parametrize(("wrong", "words"), [
    ({"tarot": {"cards": "78"}}, "no engine 'tarot'"),
    ({"bars": {"length": "5m"}}, "engine bars has no parameter 'length'; it has period"),
    ({"bars": {"count": "5"}}, "engine bars has no parameter 'count'"),  # state is no parameter
    ({"orderflow": {"stack": "three"}}, "orderflow.stack=three: int expected"),
    ({"iceberg": {"half_life": "long"}}, "iceberg.half_life=long: float expected"),
])
def test_a_setting_that_fits_nothing_says_so_before_any_data(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Engines(("bars",), wrong)


def test_a_parameter_reaches_its_engine() -> None:
    trades = tape(bytes(range(1, 256)))
    one = run(records_of(trades), "1m", ("bars",), bars={"period": "5m"})
    assert one[-1].slots["bars"].period == 300


# ---- what every engine keeps to


@given(mbo_streams(least=300, most=1500), st.data())
@slow
def test_cuts_change_nothing_on_streams_of_orders(records: list[bytes], draws: st.DataObject) -> None:
    once = [packet.encode() for packet in run(records)]
    assert [packet.encode() for packet in run(records, cuts=draws.draw(record_cuts(len(records))))] == once


def check_honesty(packets: list[Packet]) -> None:
    """Every null leaf has its reason, and what has a reason is null; scores stay in their range."""
    for packet in packets:
        for name in NAMES:
            reading = packet.slots[name]
            own = {path: words for path, words in packet.missing.items() if path.split(".")[0] == name}
            if reading is None:
                assert own.keys() == {name}
                continue
            inner = {path.removeprefix(f"{name}."): words for path, words in own.items()}
            assert unexplained(reading, inner) == []
            assert needless(reading, inner) == []
            if isinstance(reading, ScoredReading):
                assert 0 <= reading.score <= 1
        assert b"NaN" not in packet.encode()


@given(mbo_streams(least=300, most=1500), st.sampled_from(["50ms", "1s", "1m", "trade", "37"]))
@slow
def test_every_null_has_a_reason_on_streams_of_orders(records: list[bytes], every: str) -> None:
    check_honesty(run(records, every))


@pytest.mark.parametrize("schemas", POOR, ids="+".join)
@given(draws=st.data())
@settings(slow, max_examples=8)
def test_every_null_has_a_reason_on_poorer_streams(schemas: tuple[str, ...], draws: st.DataObject) -> None:
    check_honesty(run(draws.draw(poor_streams(schemas)), draws.draw(st.sampled_from(["1s", "1m", "trade"]))))


@given(st.binary(min_size=300, max_size=1500))
@slow
def test_closed_packets_do_not_change_when_more_comes(data: bytes) -> None:
    for records in (records_of(tape(data)), as_records(iceberg_events(data))):
        whole = [packet.encode() for packet in run(records, "1m")]
        part = [packet for packet in run(records[:len(records) // 2], "1m") if packet.closed]
        assert [packet.encode() for packet in part] == whole[:len(part)]


@given(st.binary(min_size=300, max_size=1500))
@slow
def test_engines_read_packets_from_a_pipe_as_they_read_them_here(data: bytes) -> None:
    records = as_records(iceberg_events(data))
    here = [packet.encode() for packet in run(records)]
    stages = [Engines((name,)) for name in NAMES]
    for packet, wanted in zip(run(records, names=()), here, strict=True):
        for stage in stages:
            packet = Packet.decode(packet.encode())  # noqa: PLW2901
            stage.update(packet)
        assert packet.encode() == wanted


def test_an_engine_that_cannot_know_leaves_null_and_the_reason() -> None:
    class Mute:
        name = "bars"
        reasons: dict[str, str] = {}  # noqa: RUF012

        def update(self, packet: Packet) -> Missing:
            return Missing("struck dumb")

    packet = run(records_of(tape(bytes(50))), names=())[0]
    engines = Engines(("bars",))
    engines.series[packet.series] = [Mute()]  # type: ignore[list-item]
    engines.update(packet)
    assert (packet.slots["bars"], packet.missing["bars"]) == (None, "struck dumb")


def test_timing_counts_every_engine_and_changes_nothing() -> None:
    records = records_of(tape(bytes(range(200))))
    plain, timed = Engines(), Engines()
    timed.timing = True
    for one, other in zip(run(records, names=()), run(records, names=()), strict=True):
        plain.update(one)
        timed.update(other)
        assert one.encode() == other.encode()
    assert all(timed.nanoseconds[name] > 0 for name in NAMES)
    assert all(plain.nanoseconds[name] == 0 for name in NAMES)


@given(st.floats(-1e6, 1e6))
def test_six_decimals_are_within_half_a_millionth(value: float) -> None:
    assert to_six(value) == pytest.approx(value, abs=5.1e-7)
    assert len(repr(to_six(value)).partition(".")[2].partition("e")[0]) <= 6 or "e" in repr(to_six(value))
