"""``qmo config``: it says of every value what the command would get, and where from."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from qmo_cli import config
from qmo_cli.cli import COMMANDS, cli
from qmo_cli.engines import ENGINES
from qmo_cli.pipeline import parameters

FILE = """\
[feed]
symbol = "GC.v.0"
gateway = "127.0.0.1:13000"
[route]
every = "5s"
near-ticks = 7
[run]
near_ticks = 8
[score.phases]
mine = { qmo = 0.4, imo = 0.3, gann = 0.1, astro = 0.1, cycle = 0.1 }
[engine.iceberg]
zone_ticks = 5
"""
CLEAN = {name: None for name in os.environ if name.startswith("QMO_")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def asked(file: Path, *arguments: str, **environment: str | None) -> Result:
    nowhere = {"XDG_CONFIG_HOME": str(file.parent / "none"), "DATABENTO_API_KEY": None, "CREDENTIALS_DIRECTORY": None}
    return CliRunner().invoke(cli, ["--config", str(file), "config", *arguments],
                              env={**CLEAN, **nowhere, **environment}, prog_name="qmo")


def rows(file: Path, *arguments: str, **environment: str | None) -> dict[str, dict[str, Any]]:
    """What is printed for a program, by name."""
    result = asked(file, "--format", "ndjson", *arguments, **environment)
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len({line["name"] for line in lines}) == len(lines)
    return {line["name"]: line for line in lines}


@pytest.mark.parametrize(("arguments", "environment", "value", "source"), [
    ([], {}, "5s", ("file", None, "route", "every")),
    ([], {"QMO_ROUTE_EVERY": "2s"}, "2s", ("environment", "QMO_ROUTE_EVERY", None, None)),
    ([], {"QMO_ROUTE_EVERY": "2s", "QMO_RUN_EVERY": "3s"}, "3s", ("environment", "QMO_RUN_EVERY", None, None)),
    (["--every", "50ms"], {"QMO_ROUTE_EVERY": "2s"}, "50ms", ("flag", None, None, None)),
])
def test_a_value_is_told_with_the_place_it_comes_from(
    file: Path, arguments: list[str], environment: dict[str, str], value: str, source: tuple[str | None, ...],
) -> None:
    found = rows(file, "run", *arguments, **environment)["--every"]
    assert found["value"] == value
    assert (found["source"], found["variable"], found["table"], found["key"]) == source


def test_of_several_tables_the_one_that_counts_is_named(file: Path) -> None:
    found = rows(file, "run")
    assert (found["--near-ticks"]["value"], found["--near-ticks"]["table"], found["--near-ticks"]["key"]) == (
        8, "run", "near_ticks")
    assert rows(file, "route")["--near-ticks"]["table"] == "route"
    assert found["--symbol"]["value"] == ["GC.v.0"]
    assert found["--symbol"]["file"] == str(file)


def test_parameters_of_engines_come_from_flags_their_table_or_are_built_in(file: Path) -> None:
    found = rows(file, "run", "--set", "iceberg.zone_atr=0.1", "--memory", "x.db", QMO_ENGINE_CALENDAR="c.ics")
    origins = {name: (found[name]["value"], found[name]["source"]) for name in (
        "iceberg.zone_ticks", "iceberg.zone_atr", "memory.path", "news.calendar", "iceberg.half_life")}
    assert origins == {
        "iceberg.zone_ticks": (5, "file"), "iceberg.zone_atr": (0.1, "flag"), "memory.path": ("x.db", "flag"),
        "news.calendar": ("c.ics", "environment"), "iceberg.half_life": (1800, "default"),
    }
    assert found["iceberg.zone_ticks"]["table"] == "engine.iceberg"


def test_what_is_told_is_what_the_command_gets(file: Path) -> None:
    """The same flags and variables, seen by the command itself."""
    got: dict[str, Any] = {}
    arguments, environment = ["--minutes", "3", "--seed", "3"], {"QMO_ROUTE_ACCESS": "l1"}
    command = cli.get_command(click.Context(cli), "run")
    assert command is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(command), "invoke", lambda _, ctx: got.update(ctx.params))
        line = ["--config", str(file), "run", "sim", *arguments]
        told = CliRunner().invoke(cli, line, env={**CLEAN, **environment})
    assert told.exit_code == 0, told.output
    found = rows(file, "run", "sim", *arguments, **environment)
    flags = {option.name: max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)}
    assert len(got) > 50
    for name, value in got.items():
        if name in flags:
            assert found[flags[name]]["value"] == (list(value) if isinstance(value, tuple) else value), name


def test_only_what_is_changed_is_shown_on_request(file: Path) -> None:
    text = asked(file, "route", "--changed", "--access", "l1").stdout
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["--every", "5s", "file", "[route]"], ["--access", "l1", "flag"], ["--near-ticks", "7", "file", "[route]"]]
    assert asked(file, "schema", "--changed").stdout == "everything is as it is built in\n"


def test_arguments_behind_two_dashes_are_the_commands_own(file: Path) -> None:
    assert rows(file, "engine", "--", "--format", "table")["--format"]["source"] == "flag"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_asked_about_without_what_it_works_on(file: Path, command: str) -> None:
    assert "--log" in rows(file, command)


@pytest.mark.parametrize(("arguments", "why"), [
    (["run", "--bogus"], "--bogus"), (["nope"], "there is no command 'nope'"), (["run", "--seed", "x"], "--seed"),
    (["run", "--check"], "one thing at a time"), (["--check", "--template"], "one thing at a time"),
])
def test_what_the_command_would_refuse_is_refused(file: Path, arguments: list[str], why: str) -> None:
    result = asked(file, *arguments)
    assert result.exit_code == 2
    assert why in result.stderr


def test_secrets_are_never_shown(file: Path) -> None:
    folder = file.parent / "none" / "qmo"
    folder.mkdir(parents=True)
    (folder / "qmo.token").write_text("tokentokentokentoken")
    (folder / "qmo.token").chmod(0o600)
    secrets = {"DATABENTO_API_KEY": "db-hush-hush", "QMO_GATEWAY_KEY": "gatehush", "QMO_ALERT_WEBHOOK": "hookhush"}
    result = asked(file, **secrets)
    assert result.exit_code == 0
    assert not re.search("hush|tokentoken", result.stdout)
    found = rows(file, **secrets)
    assert (found["Databento key"]["value"], found["Databento key"]["variable"]) == ("is set", "DATABENTO_API_KEY")
    assert (found["token of qmo serve"]["value"], found["token of qmo serve"]["file"]) == (
        "is set", str(folder / "qmo.token"))
    (folder / "qmo.token").chmod(0o644)
    assert "can be read by others" in rows(file)["token of qmo serve"]["value"]


def test_without_a_command_the_file_its_tables_and_the_variables_are_shown(file: Path) -> None:
    found = rows(file, QMO_ROUTE_EVERY="2s", QMO_LOG="text")
    assert found["configuration file"]["value"] == str(file)
    assert found["[route]"]["value"] == "every, near-ticks"
    assert found["QMO_ROUTE_EVERY"]["value"] == "2s"
    assert (found["--log"]["source"], found["--log"]["variable"]) == ("environment", "QMO_LOG")
    assert found["Databento key"]["value"] == "none"


def test_the_path_of_the_file_is_told_whether_it_is_there_or_not(file: Path, tmp_path: Path) -> None:
    assert asked(file, "--path").stdout == f"{file}\n"
    bare = CliRunner().invoke(cli, ["config", "--path"], env={**CLEAN, "XDG_CONFIG_HOME": str(tmp_path)})
    assert bare.stdout == f"{tmp_path / 'qmo' / 'config.toml'}\n"


def test_all_mistakes_of_a_file_are_told_at_once(file: Path) -> None:
    file.write_text(
        "[qmo]\nlog = 'xml'\n[route]\nevery = 5\nevry = '5s'\nnear-ticks = 'many'\n[feed]\nspeed = -1\n"
        "[serve]\ntls-cert = 'c.pem'\n[engine.iceberg]\nzone_tick = 3\n[engine.nothing]\nx = 1\n")
    result = asked(file, "--check")
    assert result.exit_code == 78
    wrong = result.stderr.removeprefix("qmo config: ").splitlines()
    assert [line.partition("] ")[0].rpartition(": [")[2] + "] " + line.partition("] ")[2].split(":")[0]
            for line in wrong if "--" not in line] == [
        "qmo] log", "route] evry", "route] near-ticks", "engine.iceberg] zone_tick", "engine.nothing] x"]
    assert [line for line in wrong if "--" in line] == [
        f"{file}: [feed]: --speed -1: the pace must be 0 or more",
        f"{file}: [serve]: --tls-cert and --tls-key go together: a certificate is of no use without its key"]


def test_a_file_without_mistakes_is_said_to_be_right(file: Path) -> None:
    assert asked(file, "--check").stdout == f"{file}: no mistakes\n"
    file.write_text("[rout]\n")
    assert asked(file, "--check").exit_code == 78
    assert asked(file, "run").exit_code == 78


def test_the_template_is_valid_as_it_stands_and_with_every_default_uncommented(file: Path) -> None:
    text = asked(file, "--template").stdout
    assert set(tomllib.loads(text)) == {"qmo", *config.COMMAND_TABLES} - {"schema"}  # which has nothing to set
    assert set(tomllib.loads(text)["engine"]) == {name for name in ENGINES if parameters(ENGINES[name])}
    shown = re.compile(r"# [\w-]+ = \S|\[")
    lines = [line.removeprefix("# ") for line in text.splitlines() if shown.match(line)]
    file.write_text("\n".join(line for line in lines if not line.startswith("mine")))
    assert asked(file, "--check").stdout == f"{file}: no mistakes\n", file.read_text()
    changed = {name: row for name, row in rows(file, "run", "--changed").items() if row["source"] != "file"}
    assert changed == {}
    before = {name: row["value"] for name, row in rows(Path(os.devnull), "run").items()}
    assert {name: row["value"] for name, row in rows(file, "run").items()} == before


def test_a_key_that_only_the_stages_own_command_takes_does_not_stop_the_others(file: Path) -> None:
    result = CliRunner().invoke(cli, ["--config", str(file), "engine", "--list"], env=CLEAN)
    assert result.exit_code == 0, result.stderr
    file.write_text("[feed]\ngate = 1\n")
    refused = CliRunner().invoke(cli, ["--config", str(file), "engine", "--list"], env=CLEAN)
    assert refused.exit_code == 78
    assert "[feed] gate: unknown key" in refused.stderr
