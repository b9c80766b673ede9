"""The laws with every guard set, on streams in which the trader trades, and the file that keeps the account."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.risk.log import Log
from qmo_cli.engines.risk.reading import RiskReading
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .cuts import record_cuts
from .honesty import faults
from .laws import ENCODINGS, Encoding, Setup, every, lines, piped, unfinished, written
from .laws_streams import Case, cases, deal, inform, long_case, moment
from .risking import NAMED, account, fill, kill, packets, readings, traded
from .streams_exchange import TICK
from .support import blocks, mapping
from .test_cli_schema import validator as schema_of
from .test_laws import FRAMES, assert_same
from .test_laws_frames import LENGTHS, differences, timed
from .test_laws_frames import readings as leaves_of

GUARDED = {
    "daily_loss": 300.0, "drawdown": 200.0, "drawdown_kind": "intraday", "trades": 3, "losses": 2,
    "pause_minutes": 0.05, "spread_ticks": 3.0, "atr_points": 2.0, "stale_seconds": 2.0, "usual_bars": 30,
}
SETUP = Setup(settings={"risk": GUARDED, "bars": {"period": "1s", "atr_period": "1s"}}, tick=TICK)
few = settings(max_examples=15, deadline=None, derandomize=True, database=None)


@st.composite
def dealings(draw: st.DrawFn, most: int = 2000) -> Case:
    """Streams with several deals and kill switches in them."""
    case = draw(cases(most=most))
    records = list(case.records)
    for happening in draw(st.lists(st.sampled_from([deal, deal, inform]), min_size=1, max_size=4)):
        place = draw(st.integers(1, len(records)))
        records = happening(records, place, moment(records[place - 1]))
    return Case(records, case.schema, case.simulated, case.story)


@pytest.mark.parametrize("frame", FRAMES)
@few
@given(case=dealings(), data=st.data())
def test_a_guarded_stream_cut_anywhere_prints_the_same(frame: str, case: Case, data: st.DataObject) -> None:
    cuts = data.draw(record_cuts(len(case.records)))
    assert_same(lines(case.blocks(cuts), SETUP.at(frame)), lines(case.blocks(), SETUP.at(frame)))


@pytest.mark.parametrize("encoding", ENCODINGS)
@few
@given(case=dealings())
def test_a_guarded_stream_through_pipes_prints_the_same(encoding: Encoding, case: Case) -> None:
    assert_same(piped(case.blocks(), SETUP, encoding, cutter=every(60_000)), lines(case.blocks(), SETUP))


@pytest.mark.parametrize("frame", FRAMES)
@few
@given(case=dealings(), data=st.data())
def test_what_guards_said_does_not_change_when_input_is_appended(
    frame: str, case: Case, data: st.DataObject,
) -> None:
    earlier = case.first(data.draw(st.integers(1, len(case.records))))
    printed = unfinished(earlier.blocks(), SETUP.at(frame))
    assert_same(printed, lines(case.blocks(), SETUP.at(frame))[:len(printed)])


@pytest.mark.parametrize(("one", "other"), LENGTHS)
@few
@given(case=dealings())
def test_guards_do_not_depend_on_the_length_of_the_frame(one: str, other: str, case: Case) -> None:
    setting = {"risk": {**GUARDED, "atr_points": 0.0, "usual_bars": 0}}
    found = [leaves_of(timed(case), Setup(length, tick=TICK, settings=setting)) for length in (one, other)]
    assert differences("risk", *found) == ""


@few
@given(case=dealings())
def test_every_null_of_a_guard_has_a_reason(case: Case) -> None:
    for reading in guarded(case):
        assert list(faults(RiskReading, reading, {}, "risk")) == []
        assert all(found.reason for found in reading.guards if not found.ok)


def guarded(case: Case) -> list[RiskReading]:
    engines, router = Engines(("bars", "risk"), SETUP.settings), SETUP.router()
    found: list[Packet] = [packet for block in case.blocks() for packet in router.read(block)] + router.finish()
    for packet in found:
        engines.update(packet)
    return [packet.slots["risk"] for packet in found]


@cache
def traded_day() -> Case:
    """Half an hour of the simulator's market in which somebody trades each minute, and stops now and then."""
    records, found, due = long_case("simulated")[0].records[:36_000], [], 0
    for number, record in enumerate(records):
        found.append(record)
        if number > 500 and record[1] == 160 and moment(record) > due:
            due = moment(record) + 60_000_000_000
            found = (inform if number % 7 == 0 else deal)(found, len(found), moment(record))
    return Case(found, simulated=True)


def test_a_long_guarded_stream_through_pipes_prints_the_same() -> None:
    case = traded_day()
    expected = lines(case.blocks(), SETUP)
    assert_same(piped(case.blocks(range(0, len(case.records), 997)), SETUP, "dbn", cutter=every(65_536)), expected)
    allowed = [b'"allowed":true' in line for line in expected]
    assert any(allowed)
    assert not all(allowed)


# --- the file

DAY = [
    NAMED, account(0, 1e5, position=0), traded(0, 2000.0), fill(1, "B", 2, 2000.0, order_id="1"),
    fill(1, "B", 2, 2000.0, order_id="1"), traded(2, 2003.0), traded(61, 2001.0), fill(62, "A", 1, 1999.0),
    kill(63, detail="stop"), traded(64, 1999.0), kill(65, active=False), fill(66, "A", 3, 1999.5, fees=4.0),
    traded(67, 1999.0), traded(125, 1999.0), fill(126, "B", 1, 1999.0), traded(127, 1998.5),
]
SET: dict[str, Any] = {"daily_loss": 1e6, "drawdown": 1e6, "drawdown_kind": "intraday", "trades": 9, "losses": 5}


@pytest.mark.parametrize("cut", [3, *range(5, len(DAY))])  # not between two fills that are alike in everything
def test_a_run_that_goes_on_from_the_file_says_what_one_run_would_have_said(cut: int, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    readings(DAY[:cut], state=path, **SET)
    rest = [NAMED, *DAY[cut:], traded(130, 1998.0)]
    after, whole = readings(rest, state=path, **SET)[-1], readings([*DAY, traded(130, 1998.0)], **SET)[-1]
    plain = [(found.realised, found.balance, found.position, found.trades, found.losses, found.killed, found.open)
             for found in (after, whole)]
    assert plain[0] == plain[1]


def test_the_same_records_again_change_neither_the_file_nor_the_account(tmp_path: Path) -> None:
    path = tmp_path / "state"
    once = readings(DAY, state=str(path), **SET)
    text = path.read_bytes()
    again = readings(DAY, state=str(path), **SET)
    assert path.read_bytes() == text
    assert again == once


def test_two_processes_that_met_the_same_records_count_them_once(tmp_path: Path) -> None:
    path, other = tmp_path / "state", tmp_path / "other"
    once = readings(DAY, state=str(path), **SET)
    readings(DAY, state=str(other), **SET)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    market = [NAMED, traded(200, 1999.0)]
    after, wanted = readings(market, state=str(path), **SET)[-1], once[-1]
    assert (after.position, after.realised, after.trades) == (wanted.position, wanted.realised, wanted.trades)


def test_a_replay_does_not_see_what_the_file_knows_of_later(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    readings(DAY, state=path, **SET)
    market = [record for record in DAY if record[1] != 23]
    found = {packet.ts: reading for packet, reading in zip(
        packets(market), readings(market, state=path, **SET), strict=True)}
    whole = {packet.ts: reading for packet, reading in zip(packets(DAY), readings(DAY, **SET), strict=True)}
    assert len(found) > 5
    assert all(found[ts] == whole[ts] for ts in found)


def test_the_kill_switch_holds_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    readings([NAMED, traded(0, 2000.0), kill(1, detail="stop"), traded(2, 2000.0)], state=path)
    assert readings([NAMED, traded(9, 2000.0)], state=path)[-1].reasons == ["the kill switch is on: stop"]


@pytest.mark.parametrize("damage", [b'{"series":"GC.v.0","ts":"5","fact":{"kind":"fill"}}\n', b"no json\n", b"\xff\n",
                                    b'{"series":"GC.v.0","ts":"5"}'])
def test_a_damaged_file_allows_nothing_and_is_left_as_it_is(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(damage)
    found = readings([NAMED, fill(0, "B", 1, 2000.0), traded(1, 2000.0)], state=str(path))[-1]
    assert not found.allowed
    assert str(path) in found.reasons[0]
    assert path.read_bytes() == damage


def test_a_file_that_cannot_be_opened_allows_nothing(tmp_path: Path) -> None:
    found = readings([NAMED, traded(0, 2000.0)], state=str(tmp_path / "no" / "state"))[-1]
    assert (found.allowed, len(found.reasons)) == (False, 1)
    assert "no such file or directory" in found.reasons[0]


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state"
    Log(str(path)).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_series_keep_their_records_apart_in_one_file(tmp_path: Path) -> None:
    path, silver = str(tmp_path / "state"), mapping("SI.v.0", "SIK6", instrument=2)
    bought = fill(1, "B", 1, 25.0, series="SI.v.0")
    records = [NAMED, silver, traded(0, 2000.0), traded(0, 25.0, 2), bought, fill(1, "A", 2, 2000.0, series="GC.v.0")]
    readings(records, state=path)
    rest = [NAMED, silver, traded(9, 2000.0), traded(9, 25.0, 2)]
    assert [found.position for found in readings(rest, state=path)] == [-2, 1]


def test_a_peak_within_the_day_outlives_a_restart_once_its_minute_is_over(tmp_path: Path) -> None:
    path, setting = str(tmp_path / "state"), {**SET, "drawdown": 250.0}
    up = [account(0, 1e5), fill(1, "B", 1, 2000.0), traded(2, 2004.0), traded(59.5, 2003.0), traded(60.5, 2003.0)]
    readings([NAMED, *up], state=path, **setting)
    found = readings([NAMED, traded(70, 2001.0)], state=path, **setting)[-1]
    assert (found.drawdown, found.allowed) == (300.0, False)


def test_the_command_prints_the_reading_of_packets_and_makes_its_own_of_records(
    tmp_path: Path, shell_environment: dict[str, str],
) -> None:
    (tmp_path / "day").write_bytes(written(blocks(DAY), "ndjson"))
    setting = "--set risk.daily_loss=100 --set risk.trades=1"

    def printed(command: str) -> bytes:
        return subprocess.run(
            command, shell=True, capture_output=True, cwd=tmp_path, env=shell_environment, check=True).stdout

    line = printed(f"qmo risk day --format ndjson {setting}")
    assert line == printed(f"qmo engine bars risk {setting} < day | qmo risk --format ndjson")
    schema_of("risk").validate(json.loads(line))
    table = printed(f"qmo risk day {setting}").decode()
    assert max(map(len, table.splitlines())) <= 80
    assert json.loads(line)["risk"]["reasons"][0] in " ".join(table.replace("\n  ", " ").splitlines())
