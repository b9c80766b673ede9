"""``--memory`` and ``qmo memory`` as a user types them, with real processes that end in every way."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qmo_cli import schemas
from qmo_cli.engines.memory.store import Store

from .test_process import Environment, shell, started

SOURCE = "sim --minutes 60 --rate 20 --icebergs 0.004 --synthetics 0.004 --seed 1"
PATIENCE = 60  # s


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, shell_environment: Environment) -> Path:
    """A store that a run has left."""
    path = tmp_path_factory.mktemp("memory") / "known.db"
    done = shell(f"qmo run {SOURCE} --memory {path} > /dev/null", shell_environment)
    assert (done.returncode, done.stderr) == (0, b"")
    return path


def lines(command: str, environment: Environment) -> list[Any]:
    done = shell(command, environment)
    assert (done.returncode, done.stderr) == (0, b""), command
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(command: str, code: int, words: str, environment: Environment, **options: object) -> None:
    done = shell(command, environment, **options)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


# ---- runs that keep


def test_a_run_with_a_memory_prints_what_it_prints_without(known: Path, shell_environment: Environment) -> None:
    plain = shell(f"qmo run {SOURCE} --full", shell_environment).stdout
    again = shell(f"qmo run {SOURCE} --full --memory {known}", shell_environment).stdout
    piped = shell(
        f"qmo feed {SOURCE} --encoding dbn | qmo engine bars session volatility iceberg | "
        f"qmo engine memory --memory {known} | qmo engine absorption orderflow liquidity gann astro cycle news risk "
        "mentor | qmo score | qmo signal --full", shell_environment).stdout
    assert again == plain
    assert piped == plain


def test_the_path_comes_from_flag_environment_or_file(tmp_path: Path, shell_environment: Environment) -> None:
    run = "run sim --records 3000 --seed 7 > /dev/null"
    (tmp_path / "a.toml").write_text("[engine]\nmemory = 'engine.db'\n")
    (tmp_path / "b.toml").write_text("[engine.memory]\npath = 'parameter.db'\n")
    for command in (f"qmo --config a.toml {run}", f"qmo --config b.toml {run}", f"QMO_RUN_MEMORY=run.db qmo {run}",
                    f"QMO_ENGINE_MEMORY=stage.db qmo {run}", f"qmo {run} --memory flag.db",
                    f"qmo {run} --set memory.path=set.db"):
        assert shell(command, shell_environment, cwd=tmp_path).returncode == 0
    made = {path.name for path in tmp_path.glob("*.db")}
    assert made == {"engine.db", "parameter.db", "run.db", "stage.db", "flag.db", "set.db"}


def test_a_wrong_file_is_refused_before_any_data_and_left_as_it_is(
    tmp_path: Path, shell_environment: Environment,
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy low\n" * 999)
    refused(f"qmo run sim --memory {path}", 65, "not a memory of qmo", shell_environment)
    refused(f"qmo feed sim | qmo engine all --memory {path}", 65, "not a memory of qmo", shell_environment)
    refused(f"qmo memory --memory {path}", 65, "not a memory of qmo", shell_environment)
    refused(f"qmo run sim --memory {tmp_path}/nowhere/a.db", 69, "nowhere/a.db", shell_environment)
    assert path.read_text() == "buy low\n" * 999


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory, shell_environment: Environment) -> tuple[Path, list[Any]]:
    """Packets in a file, and what a stage remembers that reads all of them and ends by itself. The last packet has an
    event, less than five seconds after another."""
    path = tmp_path_factory.mktemp("fed") / "packets"
    assert shell(f"qmo feed {SOURCE} --encoding dbn | qmo route > {path}", shell_environment).returncode == 0
    told = [(int(packet["ts"]) // 10**9, bool(packet["iceberg"]["events"] or packet["memory"]["events"]))
            for packet in lines(f"qmo engine all < {path}", shell_environment)]
    eventful = [(place, ts) for place, (ts, told_of) in enumerate(told) if told_of or ts % 60 == 0]
    last = next(place for (_, a), (_, b), (place, c) in zip(eventful[50:], eventful[51:], eventful[52:], strict=False)
                if b - a > 5 and c - b < 5)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:last + 1]))
    memory = path.with_name("expected.db")
    assert shell(f"qmo engine all --memory {memory} < {path} > /dev/null", shell_environment).returncode == 0
    return path, logged(memory)


def logged(path: Path) -> list[Any]:
    store = Store(str(path))
    found = list(store.events())
    store.close()
    return found


@pytest.mark.parametrize(("number", "whole"), [(signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGKILL, False)])
def test_a_stage_that_is_ended_has_written_all_it_knew(
    number: signal.Signals, whole: bool, fed: tuple[Path, list[Any]], tmp_path: Path, shell_environment: Environment,
) -> None:
    """All the packets are read and printed, the input stays open, and then the signal comes."""
    packets, expected = fed
    command = f"qmo engine all --memory {tmp_path}/ended.db"
    with started(command, shell_environment, stdin=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        feeder = subprocess.Popen(["cat", str(packets)], stdout=process.stdin)
        for _ in packets.read_bytes().splitlines():
            process.stdout.readline()
        feeder.wait(PATIENCE)
        process.send_signal(number)
        process.wait(PATIENCE)
    found = logged(tmp_path / "ended.db")
    assert set(found) <= set(expected)
    assert (found == expected) == whole
    assert len(found) > 10


def test_a_reader_that_leaves_does_not_cost_what_was_known(tmp_path: Path, shell_environment: Environment) -> None:
    done = shell(f"qmo run {SOURCE} --memory {tmp_path}/left.db | head -n 1500 > /dev/null", shell_environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(logged(tmp_path / "left.db")) > 10


def test_a_run_killed_in_the_middle_can_be_run_again_and_ends_with_the_same_log(
    known: Path, tmp_path: Path, shell_environment: Environment,
) -> None:
    path = tmp_path / "killed.db"
    with started(f"qmo run {SOURCE} --memory {path}", shell_environment) as process:
        assert process.stdout
        for _ in range(900):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    partly = len(logged(path))
    assert 0 < partly < len(logged(known))
    assert shell(f"qmo run {SOURCE} --memory {path} > /dev/null", shell_environment).returncode == 0
    assert {event[:4] for event in logged(path)} == {event[:4] for event in logged(known)}
    assert sorted(logged(path)) == sorted(logged(known))


# ---- looking into it


def test_every_line_fits_its_schema(known: Path, shell_environment: Environment) -> None:
    for view, name in (("zones", "memory-zone"), ("retests", "memory-retest"), ("icebergs", "iceberg-event"),
                       ("export", "memory-log")):
        found = lines(f"qmo memory {view} --memory {known} --format ndjson", shell_environment)
        assert len(found) > 3
        validator = jsonschema.Draft202012Validator(schemas.schema(name))
        for line in found:
            validator.validate(line)
            assert line["schema"] == name


def test_events_of_retests_fit_their_schema(known: Path, shell_environment: Environment) -> None:
    found = lines(f"qmo feed {SOURCE} | qmo engine bars iceberg memory --events | grep memory-event",
                  shell_environment)
    validator = jsonschema.Draft202012Validator(schemas.schema("memory-event"))
    assert len(found) > 3
    for line in found:
        validator.validate(line)


def test_zones_are_those_of_the_last_packet(known: Path, shell_environment: Environment) -> None:
    packet = lines(f"qmo run {SOURCE} --full --set memory.most_zones=99 --set memory.reach_ticks=9999 | tail -1",
                   shell_environment)[0]
    found = lines(f"qmo memory --memory {known} --format ndjson", shell_environment)
    names = ("id", "side", "low", "high", "state", "weight", "orders", "retests", "holds", "breaks", "last_seen")
    ours = [[zone[name] for name in names] for zone in found]
    assert sorted(ours) == sorted([zone[name] for name in names] for zone in packet["memory"]["zones"])
    assert [zone["high"] for zone in found] == sorted((zone["high"] for zone in found), reverse=True)


def test_until_shows_what_was_known_then(known: Path, shell_environment: Environment) -> None:
    until = "2026-10-05T14:15:00Z"
    packet = lines(
        f"qmo run {SOURCE} --full --end {until} --set memory.most_zones=99 --set memory.reach_ticks=9999 | tail -1",
        shell_environment)[0]
    found = lines(f"qmo memory --memory {known} --format ndjson --until {until}", shell_environment)
    then = {zone["id"]: (zone["state"], zone["holds"], zone["breaks"]) for zone in packet["memory"]["zones"]}
    assert {zone["id"]: (zone["state"], zone["holds"], zone["breaks"]) for zone in found} == then


def test_price_since_state_and_symbol_select(known: Path, shell_environment: Environment) -> None:
    def some(options: str, view: str = "zones") -> list[Any]:
        return lines(f"qmo memory {view} --memory {known} --format ndjson {options}", shell_environment)

    everything = some("")
    middle = everything[len(everything) // 2]["low"]
    assert some(f"--price {middle}:") == [zone for zone in everything if zone["high"] >= middle]
    assert some(f"--price :{middle}") == [zone for zone in everything if zone["low"] <= middle]
    last = max(zone["last_seen"] for zone in everything)
    assert [zone["last_seen"] for zone in some(f"--since {last}")] == [last]
    states = {zone["state"] for zone in everything}
    assert len(states) > 1
    for state in states:
        assert some(f"--state {state}") == [zone for zone in everything if zone["state"] == state]
    assert some("--symbol GCG9") == []
    assert some("--symbol GCZ6") == everything
    events = some("", "icebergs")
    since = events[len(events) // 2]["ts_event"]
    assert some(f"--since {since}", "icebergs") == [event for event in events if event["ts_event"] >= since]
    assert some(f"--until {since}", "icebergs") == [event for event in events if event["ts_event"] < since]


def test_an_old_zone_has_expired(known: Path, tmp_path: Path, shell_environment: Environment) -> None:
    path = tmp_path / "old.db"
    path.write_bytes(known.read_bytes())
    command = f"qmo run {SOURCE} --sim-start 2026-10-20T14:00:00Z --memory {path} > /dev/null"
    assert shell(command, shell_environment).returncode == 0
    old = lines(f"qmo memory --memory {path} --format ndjson --state expired", shell_environment)
    assert len(old) == len(lines(f"qmo memory --memory {known} --format ndjson", shell_environment))


def test_csv_has_a_head_and_the_values_of_the_lines(known: Path, shell_environment: Environment) -> None:
    for view in ("zones", "retests", "icebergs"):
        text = shell(f"qmo memory {view} --memory {known} --format csv", shell_environment).stdout.decode()
        found = lines(f"qmo memory {view} --memory {known} --format ndjson", shell_environment)
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["side" if view != "retests" else "zone"] for row in rows] == [
            line["side" if view != "retests" else "zone"] for line in found]


def test_a_table_ends_with_what_chance_would_have_done(known: Path, shell_environment: Environment) -> None:
    text = shell(f"qmo memory --memory {known}", shell_environment).stdout.decode()
    last = text.splitlines()[-1]
    assert last.startswith("GCZ6: ")
    assert "retests held" in last
    assert "a random walk holds" in last


def test_an_empty_view_is_empty(known: Path, shell_environment: Environment) -> None:
    for form, text in (("table", "nothing\n"), ("csv", ""), ("ndjson", "")):
        done = shell(f"qmo memory retests --memory {known} --since 2030-01-01T00:00Z --format {form}",
                     shell_environment)
        assert (done.returncode, done.stdout.decode()) == (0, text)


def test_prune_says_how_many_it_deletes(known: Path, tmp_path: Path, shell_environment: Environment) -> None:
    path = tmp_path / "pruned.db"
    path.write_bytes(known.read_bytes())
    before, until = logged(path), "2026-10-05T14:10:00Z"
    older = [event for event in before if event.ts < 1_791_209_400 * 10**9]
    assert 0 < len(older) < len(before)
    dry = shell(f"qmo memory prune --before {until} --dry-run --memory {path}", shell_environment).stdout.decode()
    assert dry == f"{len(older)} events before 2026-10-05T14:10:00Z would be deleted\n"
    assert logged(path) == before
    wet = shell(f"qmo memory prune --before {until} --memory {path}", shell_environment).stdout.decode()
    assert wet == f"{len(older)} events before 2026-10-05T14:10:00Z deleted\n"
    assert logged(path) == [event for event in before if event not in older]


def test_the_usual_place_is_in_the_data_folder(known: Path, tmp_path: Path, shell_environment: Environment) -> None:
    refused(f"XDG_DATA_HOME={tmp_path} qmo memory", 69, f"{tmp_path}/qmo/memory.db: there is no such file",
            shell_environment)
    (tmp_path / "qmo").mkdir()
    (tmp_path / "qmo" / "memory.db").write_bytes(known.read_bytes())
    assert len(lines(f"XDG_DATA_HOME={tmp_path} qmo memory --format ndjson", shell_environment)) > 3


@pytest.mark.parametrize(("words", "says"), [
    ("prune", "--before TIME"), ("--before 2026-10-05", "belong to prune"), ("--dry-run", "belong to prune"),
    ("--price cheap", "LOW:HIGH"), ("--price 7:5", "LOW:HIGH"), ("--price 5", "LOW:HIGH"), ("--price a:b", "LOW:HIGH"),
    ("--state lost", "lost"), ("zone", "zone"), ("--since soon", "not a time"),
])
def test_what_does_not_exist_is_a_usage_error(
    words: str, says: str, known: Path, shell_environment: Environment,
) -> None:
    refused(f"qmo memory {words} --memory {known}", 2, says, shell_environment)


def test_a_table_can_be_read_while_another_process_writes(known: Path, shell_environment: Environment) -> None:
    store = Store(str(known), write=True)
    store.connection.execute("BEGIN IMMEDIATE")
    assert len(lines(f"qmo memory --memory {known} --format ndjson", shell_environment)) > 3
    store.connection.execute("ROLLBACK")
    store.close()
    assert os.stat(known).st_mode & 0o777 == 0o600
