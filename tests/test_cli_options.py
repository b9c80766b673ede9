"""Options that change what comes out: configured phases and engines, weights, access, statistics, completions."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from qmo_cli.commands.options import Moment, Part, pairs, typed
from qmo_cli.commands.statistics import goes_to
from qmo_cli.router import RouteOptions

from .test_process import Environment, shell

SIMULATED = "sim --records 2000 --seed 7"
PHASE = "[score.phases.scalper]\nqmo = 0.5\nimo = 0.5\ngann = 0\nastro = 0\ncycle = 0\n"


def last(command: str, folder: Path, environment: Environment) -> dict[str, dict[str, object]]:
    """The last line that a command prints."""
    done = shell(command, environment, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    line: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return line


def test_a_phase_of_the_configuration_file_can_be_chosen(tmp_path: Path, shell_environment: Environment) -> None:
    (tmp_path / "c.toml").write_text(PHASE)
    score = last(f"qmo --config c.toml run {SIMULATED} --full --phase scalper", tmp_path, shell_environment)["score"]
    assert score["weights"] == {"qmo": 0.5, "imo": 0.5, "gann": 0, "astro": 0, "cycle": 0}


def test_weights_replace_those_of_the_phase(tmp_path: Path, shell_environment: Environment) -> None:
    flags = "--weight qmo=0.35 --weight gann=0.1"
    score = last(f"qmo run {SIMULATED} --full {flags}", tmp_path, shell_environment)["score"]
    assert score["weights"] == {"qmo": 0.35, "imo": 0.25, "gann": 0.1, "astro": 0.15, "cycle": 0.15}


def test_an_engines_parameter_comes_from_the_file_unless_set(tmp_path: Path, shell_environment: Environment) -> None:
    (tmp_path / "c.toml").write_text("[engine.iceberg]\nmost_zones = 0\n")
    source = "sim --minutes 5 --seed 7 --icebergs 0.05 --full"
    command = f"qmo --config c.toml run {source}"
    configured = last(command, tmp_path, shell_environment)["iceberg"]
    changed = last(f"{command} --set iceberg.most_zones=1", tmp_path, shell_environment)["iceberg"]
    assert configured["zones"] == []
    assert isinstance(changed["zones"], list)
    assert len(changed["zones"]) == 1


def test_access_decides_what_engines_may_see(tmp_path: Path, shell_environment: Environment) -> None:
    packet = last(f"qmo run {SIMULATED} --full --access l1", tmp_path, shell_environment)
    assert packet["iceberg"] is None
    assert "iceberg" in packet["missing"]
    assert packet["inputs"]["orders"] is None


def test_from_prints_later_frames_only_and_they_are_the_same(tmp_path: Path, shell_environment: Environment) -> None:
    whole = shell(f"qmo run {SIMULATED}", shell_environment).stdout.splitlines()
    part = shell(f"qmo run {SIMULATED} --from 2026-10-05T14:00:10Z", shell_environment).stdout.splitlines()
    assert 0 < len(part) < len(whole)
    assert part == whole[-len(part):]


@pytest.mark.parametrize("command", [
    f"qmo run {SIMULATED} --stats", f"qmo feed {SIMULATED} | qmo route --stats",
    f"qmo feed {SIMULATED} | qmo engine all --stats",
])
def test_statistics_go_to_stderr_and_do_not_change_the_output(command: str, shell_environment: Environment) -> None:
    done, plain = shell(command, shell_environment), shell(command.replace(" --stats", ""), shell_environment)
    assert done.stdout == plain.stdout
    assert b"goes to" in done.stderr
    assert b"us per packet" in done.stderr


@pytest.mark.parametrize(("schema", "access", "inputs"), [
    ("mbo", "l3", "trades, depth, orders"), ("mbo", "l2", "trades, depth"), ("mbp-10", "l3", "trades, depth"),
    ("mbp-10", "l1", "trades"), ("ohlcv-1m", "l1", "bars"), ("statistics", "l3", "nowhere"),
])
def test_the_table_of_routes_follows_schema_and_access(schema: str, access: str, inputs: str) -> None:
    assert goes_to(schema, access) == inputs


def test_every_field_with_help_becomes_an_option() -> None:
    options = {option.name: option for option in Part("route", "routing", RouteOptions).options()}
    assert options["every"].opts == ["--every"]
    assert options["near_ticks"].opts == ["--near-ticks"]
    assert options["near_ticks"].type is click.INT
    assert options["tick"].type is click.FLOAT
    assert options["skip_bad"].is_flag


def test_annotations_become_types() -> None:
    assert typed(int | None) == {"type": click.INT}
    assert typed(tuple[str, ...]) == {"type": click.STRING, "multiple": True}


def test_pairs_are_names_and_numbers() -> None:
    ctx, option = click.Context(click.Command("score")), click.Option(["--weight"])
    assert pairs(ctx, option, ("qmo=0.4", "imo=1")) == {"qmo": 0.4, "imo": 1.0}
    with pytest.raises(click.BadParameter, match="NAME=NUMBER"):
        pairs(ctx, option, ("qmo",))


def test_a_time_is_iso_or_nanoseconds_and_nothing_else() -> None:
    kind = Moment()
    assert kind.convert("2023-12-25T23:00Z", None, None) == 1_703_545_200_000_000_000
    assert kind.convert("1703545200000000000", None, None) == 1_703_545_200_000_000_000
    with pytest.raises(click.BadParameter, match="not a time"):
        kind.convert("yesterday", None, None)
