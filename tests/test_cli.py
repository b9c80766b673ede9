"""The command group: what it imports, what it lists, how errors become exit codes, where defaults come from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from qmo_cli.cli import COMMANDS, Pipeline, Terminated, cli
from qmo_cli.errors import BadData, ConfigurationError, NotEntitled, QmoError, SourceUnavailable, UsageError

from .generate_docs import contexts

GROUP, *STAGES = contexts()
OPTIONS = [
    (ctx, option) for ctx in (GROUP, *STAGES) for option in ctx.command.params if isinstance(option, click.Option)
]


def test_help_lists_the_commands_in_the_order_in_which_the_data_flows() -> None:
    text = CliRunner().invoke(cli, ["--help"]).output
    listed = [line.split()[0] for line in text.split("data flows:\n")[1].splitlines() if line[2] != " "]
    assert listed == [
        "feed", "quote", "route", "engine", "score", "signal", "run", "serve", "watch", "alert", "explain", "paper",
        "plot", "memory", "risk", "evaluate", "gateway", "doctor", "config", "systemd", "schema",
    ]


def test_help_imports_nothing_but_click() -> None:
    program = (
        "import sys, click; before = set(sys.modules)\n"
        "from qmo_cli.cli import cli; cli(['--help'], standalone_mode=False)\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours = {name for name in done.stderr.split() if name.startswith("qmo_cli")}
    assert ours == {"qmo_cli", "qmo_cli.cli", "qmo_cli.errors"}
    heavy = {"numpy", "msgspec", "orjson", "databento", "databento_dbn", "yfinance", "importlib.metadata", "logging"}
    assert not heavy & set(done.stderr.split())


@pytest.mark.parametrize("ctx", STAGES, ids=lambda ctx: ctx.info_name)
def test_the_summary_in_the_group_is_the_first_line_of_the_commands_help(ctx: click.Context) -> None:
    assert (ctx.command.help or "").splitlines()[0] == COMMANDS[str(ctx.info_name)]


@pytest.mark.parametrize(("ctx", "option"), OPTIONS, ids=lambda item: getattr(item, "name", None) or item.info_name)
def test_every_option_has_help(ctx: click.Context, option: click.Option) -> None:
    assert option.help


@pytest.mark.parametrize("ctx", STAGES, ids=lambda ctx: ctx.info_name)
def test_every_command_shows_help_within_eighty_columns(ctx: click.Context) -> None:
    text = CliRunner().invoke(cli, [str(ctx.info_name), "--help"], env={"COLUMNS": "80"}).output
    assert text.startswith(f"Usage: cli {ctx.info_name}")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("ctx", STAGES, ids=lambda ctx: ctx.info_name)
def test_no_two_options_of_a_command_share_a_flag(ctx: click.Context) -> None:
    flags = [flag for option in ctx.command.params for flag in (*option.opts, *option.secondary_opts)]
    assert sorted(flags) == sorted(set(flags))


def failing(error: BaseException) -> click.Group:
    """A group with the boundary, and a command that raises."""

    @click.command()
    def feed() -> None:
        raise error

    class One(Pipeline):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return feed

    @click.group(cls=One)
    def group() -> None:
        """The group under test."""

    return group


@pytest.mark.parametrize(("error", "code"), [
    (QmoError("it failed"), 1), (UsageError("it failed"), 2), (BadData("it failed"), 65),
    (SourceUnavailable("it failed"), 69), (NotEntitled("it failed"), 77), (ConfigurationError("it failed"), 78),
])
def test_an_error_exits_with_its_code_and_one_line(error: QmoError, code: int) -> None:
    result = CliRunner().invoke(failing(error), ["feed"])
    assert (result.exit_code, result.stderr, result.stdout) == (code, "qmo feed: it failed\n", "")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (click.Abort(), 130)])
def test_an_interruption_says_nothing(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(failing(error), ["feed"])
    assert (result.exit_code, result.output) == (code, "")


def test_an_error_of_the_operating_system_names_the_file() -> None:
    result = CliRunner().invoke(failing(PermissionError(13, "Permission denied", "a.dbn")), ["feed"])
    assert (result.exit_code, result.stderr) == (1, "qmo feed: a.dbn: Permission denied\n")


def test_a_bug_asks_to_be_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QMO_DEBUG", raising=False)
    result = CliRunner().invoke(failing(ZeroDivisionError("division by zero")), ["feed"])
    assert result.exit_code == 1
    assert "bug in qmo" in result.stderr
    assert "ZeroDivisionError: division by zero" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bug_shows_its_traceback_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QMO_DEBUG", "1")
    result = CliRunner().invoke(failing(ZeroDivisionError("division by zero")), ["feed"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_version_names_wire_version_and_reader() -> None:
    from qmo_cli.packets import WIRE_VERSION

    output = CliRunner().invoke(cli, ["--version"]).output
    assert f"wire version {WIRE_VERSION}" in output
    assert "reader compiled" in output or "reader interpreted" in output


def chosen(command: str, file: Path, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """The values that a command would get."""
    found: dict[str, Any] = {}
    real = click.Command.invoke
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            click.Command, "invoke", lambda self, ctx: real(self, ctx) if self is cli else found.update(ctx.params),
        )
        result = CliRunner().invoke(
            cli, ["--config", str(file), command, *arguments], env=environment, catch_exceptions=False,
        )
    assert result.exit_code == 0, result.output
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file."""
    path = tmp_path / "config.toml"
    path.write_text("[route]\nevery = '5s'\nnear-ticks = 7\n[run]\nnear_ticks = 8\n[engine.bars]\ninterval = '1m'\n")
    return path


NOWHERE = {"QMO_CONFIG": ""}


@pytest.mark.parametrize(("arguments", "environment", "every"), [
    ([], {}, "5s"), ([], {"QMO_ROUTE_EVERY": "50ms"}, "50ms"), (["--every", "2s"], {"QMO_ROUTE_EVERY": "50ms"}, "2s"),
])
def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    arguments: list[str], environment: dict[str, str], every: str, file: Path,
) -> None:
    assert chosen("route", file, arguments, environment)["every"] == every


def test_the_tables_of_the_stages_count_for_run_and_its_own_table_wins(file: Path) -> None:
    values = chosen("run", file, ["sim"], {})
    assert (values["every"], values["near_ticks"]) == ("5s", 8)


def test_runs_own_environment_wins_over_that_of_the_stage(file: Path) -> None:
    both = {"QMO_RUN_EVERY": "3s", "QMO_ROUTE_EVERY": "4s"}
    assert chosen("run", file, ["sim"], both)["every"] == "3s"


def test_the_usual_place_of_the_configuration_follows_xdg(tmp_path: Path) -> None:
    from qmo_cli.config import locate

    (tmp_path / "qmo").mkdir()
    (tmp_path / "qmo" / "config.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        assert locate(None) == tmp_path / "qmo" / "config.toml"
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
        assert locate(None) is None
