"""What stands on stderr with --log json: one object a line, whatever it is that has to be said."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.commands import logs

NOT_THERE = "no-such-file.dbn"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was found."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, ours = list(root.handlers), list(logging.getLogger(logs.OURS).handlers)
    yield
    root.handlers, logging.getLogger(logs.OURS).handlers, threading.excepthook = handlers, ours, hook
    logging.captureWarnings(False)


def said(*arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and messages of a command."""
    result = CliRunner().invoke(cli, arguments, env={"QMO_CONFIG": os.devnull, **environment}, prog_name="qmo")
    return result.exit_code, [json.loads(line) for line in result.stderr.splitlines()]


@pytest.mark.parametrize(("arguments", "environment"), [
    (["--log", "json", "run", NOT_THERE], {}), (["run", NOT_THERE, "--log", "json"], {}),
    (["run", NOT_THERE], {"QMO_LOG": "json"}), (["--log", "text", "run", "--log=json", NOT_THERE], {}),
])
def test_a_final_error_is_an_object_wherever_the_form_was_asked_for(
    arguments: list[str], environment: dict[str, str],
) -> None:
    code, (message,) = said(*arguments, **environment)
    assert code == 69
    time = message.pop("time")
    assert time.endswith("Z")
    assert len(time) == len("2026-10-05T14:40:00.123456Z")
    assert message == {
        "level": "error", "logger": "qmo_cli", "command": "run", "message": f"{NOT_THERE}: no such file",
        "exception": "SourceUnavailable", "exit_code": 69,
    }


@pytest.mark.parametrize("arguments", [
    ["run", "--bogus", "--log", "json"], ["--log", "json", "run", "--bogus"], ["bogus", "--log=json"],
    ["--bogus", "--log", "json"], ["--log", "json", "run", "sim", "--minutes", "many"],
])
def test_a_command_line_that_cannot_be_parsed_is_told_in_the_form_that_it_asks_for(arguments: list[str]) -> None:
    code, (message,) = said(*arguments)
    assert (code, message["exit_code"], message["level"]) == (2, 2, "error")
    assert "bogus" in message["message"] or "many" in message["message"]


def test_the_configuration_file_may_ask_for_json_and_a_flag_wins(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[qmo]\nlog = 'json'\n")
    assert said("--config", str(file), "run", NOT_THERE)[1][0]["exit_code"] == 69
    plain = CliRunner().invoke(cli, ["--config", str(file), "--log", "text", "run", NOT_THERE])
    assert plain.stderr == f"qmo run: {NOT_THERE}: no such file\n"


@pytest.mark.parametrize(("table", "why"), [("log = 'xml'", "'xml' is not one of"), ("config = 'x'", "unknown key")])
def test_a_wrong_table_of_the_group_is_a_configuration_error(tmp_path: Path, table: str, why: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[qmo]\n{table}\n")
    code, (message,) = said("--config", str(file), "--log", "json", "schema")
    assert code == 78
    assert f"{file}: [qmo] {table.split(maxsplit=1)[0]}: {why}" in message["message"]


def test_the_numbers_of_stats_are_fields() -> None:
    code, messages = said("run", "sim", "--minutes", "1", "--stats", "--log", "json", "-q")
    assert code == 0
    records, times = messages
    assert records["records"][0]["schema"] == "mbo"
    assert records["records"][0]["records"] > 1000
    assert times["packets"] == 59
    assert [stage["stage"] for stage in times["stages"]][-3:] == ["score", "signal", "all"]


def test_every_line_of_a_process_is_an_object_also_of_others_and_of_failing_threads() -> None:
    program = (
        "import logging, threading, warnings\n"
        "from qmo_cli.commands import logs\n"
        "logs.set_up(0, 'json', 'run')\n"
        "logging.getLogger('elsewhere').warning('of another package\\nin two lines')\n"
        "warnings.warn('of Python')\n"
        "def fail(): raise ValueError('in a thread \\udcff')\n"
        "thread = threading.Thread(target=fail, name='t'); thread.start(); thread.join()\n"
        "logging.getLogger('qmo_cli.feeds').info('not loud enough')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    other, python, thread = map(json.loads, done.stderr.splitlines())
    assert (other["logger"], other["message"]) == ("elsewhere", "of another package\nin two lines")
    assert python["logger"] == "py.warnings"
    assert "of Python" in python["message"]
    assert (thread["message"], thread["exception"]) == ("thread t: in a thread ?", "ValueError")
    assert "in fail" in thread["traceback"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_stderr_that_is_gone_is_no_failure(shell_environment: dict[str, str], form: str) -> None:
    command = f"unset NO_COLOR; qmo --log {form} run {NOT_THERE} 2>&-; echo $?"
    done = subprocess.run(["bash", "-c", command], env=shell_environment, capture_output=True, text=True, check=True)
    assert done.stdout == "69\n"


def test_an_interruption_is_told_where_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    logs.set_up(1, "json", "run")
    with caplog.at_level(logging.INFO, logs.OURS):
        logs.ended("run", 143, "", None)
    assert [record.getMessage() for record in caplog.records] == ["ended by a signal"]
    caplog.clear()
    logs.set_up(0, "json", "run")
    logs.ended("run", 143, "", None)
    assert caplog.records == []


def test_text_stays_as_it_is_and_is_the_default() -> None:
    result = CliRunner().invoke(cli, ["run", "sim", "--minutes", "1", "--stats"], env={"QMO_CONFIG": os.devnull})
    assert "59 packets\n\nstage" in result.stderr
    assert logs.form_of(None) == "text"


@pytest.mark.parametrize(("arguments", "form"), [
    (["--log", "json"], "json"), (["--log=text", "--log=json"], "json"), (["--log"], None), (["--log", "x"], None),
    ([], None), (["run"], None),
])
def test_the_form_is_read_off_arguments_that_were_not_parsed(arguments: list[str], form: str | None) -> None:
    assert logs.asked_for(arguments) == form


def test_every_command_takes_the_option() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert "--log" in {flag for option in command.params for flag in option.opts}
