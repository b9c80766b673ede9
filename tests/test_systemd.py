"""The units that qmo ships: what systemd says of them, what they start, and that nothing of a person's is lost."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from qmo_cli.cli import COMMANDS, cli
from qmo_cli.errors import ExitCode, UsageError
from qmo_cli.feeds.capture import dated
from qmo_cli.sessions import CHICAGO, session
from qmo_cli.systemd import crontab, executable, names, unit
from qmo_cli.systemd.units import startable, with_needed

TRUE = shutil.which("true") or "/bin/true"
SERVICES = [name for name in names() if name.endswith(".service")]
analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def qmo(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["systemd", *arguments], env={"QMO_CONFIG": os.devnull, **environment})


def at(text: str) -> int:
    """A time in Chicago as ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CHICAGO).timestamp()) * 10**9


@analyze
@pytest.mark.parametrize("user", [False, True])
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path, user: bool) -> None:
    for name in names():
        (tmp_path / name).write_text(unit(name, TRUE, user=user).text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(["--user"] if user else []), *map(str, tmp_path.iterdir())],
        capture_output=True, text=True, check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@analyze
def test_a_service_of_the_system_is_hardly_exposed(tmp_path: Path) -> None:
    for name in SERVICES:
        (tmp_path / name).write_text(unit(name, TRUE).text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", *(str(tmp_path / name) for name in SERVICES)],
        capture_output=True, text=True, check=False, timeout=60,
    )
    found = re.findall(r"exposure level for (\S+): ([\d.]+)", done.stdout)
    assert sorted(name for name, _ in found) == sorted(SERVICES)
    assert max(float(level) for _, level in found) < 1.5


@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("name", names())
def test_a_unit_is_printed_whole(name: str, user: bool) -> None:
    one = unit(name, TRUE, user=user)
    assert not re.search(r"^@|@(qmo|target|state)@", one.text, re.MULTILINE)
    assert one.description
    assert qmo("print", name, "--qmo", TRUE, *(["--user"] if user else [])).stdout == one.text


def commands(script: str) -> list[list[str]]:
    """The arguments of every qmo in a command line of a unit."""
    words = script.replace('"$0" ', f"{TRUE} ").replace("\\\n", " ")
    return [shlex.split(part.split("<")[0]) for part in re.findall(rf"{TRUE} ([a-z][^|;']*)", words)]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_unit_starts_is_a_command_line_that_qmo_takes(name: str) -> None:
    for command, *arguments in commands(unit(name, TRUE).first("ExecStart")):
        assert command in COMMANDS
        found = cli.get_command(click.Context(cli), command)
        assert found is not None
        found.make_context(command, arguments, parent=click.Context(cli))


def test_units_start_the_commands_that_they_are_named_after() -> None:
    started = {name: [command[0] for command in commands(unit(name, TRUE).first("ExecStart"))] for name in SERVICES}
    assert started == {
        "qmo-doctor.service": ["doctor"], "qmo-icebergs.service": ["engine"], "qmo-record.service": ["feed"],
        "qmo-record-roll.service": [], "qmo-serve.service": ["serve"], "qmo-signals.service": ["run", "alert"],
    }


@pytest.mark.parametrize("name", ["qmo-serve", "qmo-record", "qmo-signals"])
def test_what_only_a_person_can_mend_is_not_started_again(name: str) -> None:
    text = unit(name, TRUE).text
    codes = {ExitCode.USAGE, ExitCode.BAD_DATA, ExitCode.NOT_ENTITLED, ExitCode.CONFIGURATION}
    assert f"RestartPreventExitStatus={' '.join(str(int(code)) for code in sorted(codes))}\n" in text
    assert "Restart=on-failure\n" in text


@pytest.mark.parametrize("name", names())
def test_a_unit_of_a_user_asks_for_nothing_that_only_the_system_can_do(name: str) -> None:
    text = unit(name, TRUE, user=True).text
    cannot = r"^(User|DynamicUser|Protect\w+|Private\w+|Capab\w+|LoadCred\w+|After=network)"
    assert not re.search(cannot, text, re.MULTILINE)
    assert "multi-user.target" not in text


def test_no_secret_stands_in_a_unit() -> None:
    for name in names():
        assert not re.search(r"db-|TOKEN=|API_KEY=", unit(name, TRUE).text)


@pytest.mark.parametrize(("now", "date"), [
    ("2026-01-27T10:00", "2026-01-27"), ("2026-01-27T15:59", "2026-01-27"),
    ("2026-01-27T16:30", "2026-01-28"),                                         # the break: what comes counts
    ("2026-01-27T17:00", "2026-01-28"), ("2026-01-30T16:30", "2026-02-02"),     # the weekend is Monday's
    ("2026-01-31T12:00", "2026-02-02"), ("2026-02-01T18:00", "2026-02-02"),
    ("2026-01-18T18:00", "2026-01-20"), ("2026-01-19T16:30", "2026-01-20"),     # Martin Luther King Day is Tuesday's
])
def test_a_capture_has_the_trade_date_that_is_or_comes(now: str, date: str) -> None:
    assert dated("gc-{date}.dbn", at(now)) == f"gc-{date}.dbn"
    assert dated("today.dbn", at(now)) == "today.dbn"


def test_the_capture_is_rolled_when_nothing_trades_summer_and_winter() -> None:
    calendar = unit("qmo-record-roll.timer", TRUE).first("OnCalendar")
    when = re.fullmatch(r"Mon..Fri (\d\d:\d\d) America/Chicago", calendar)
    assert when
    for day in (datetime(2026, 1, 1) + timedelta(days) for days in range(365)):  # noqa: DTZ001  Chicago's days
        assert not session(at(f"{day:%Y-%m-%d}T{when[1]}")).open


def test_installing_writes_what_is_needed_and_says_what_to_run_next(tmp_path: Path) -> None:
    place = tmp_path / "systemd" / "user"
    result = qmo("install", "--user", "qmo-record", "qmo-icebergs.timer", "--qmo", TRUE, XDG_CONFIG_HOME=str(tmp_path))
    wanted = ["qmo-record.service", "qmo-record-roll.timer", "qmo-record-roll.service", "qmo-icebergs.timer",
              "qmo-icebergs.service"]
    assert result.stdout.splitlines() == [f"written: {place / name}" for name in wanted]
    assert sorted(path.name for path in place.iterdir()) == sorted(wanted)
    assert (place / "qmo-record.service").read_text() == unit("qmo-record", TRUE, user=True).text
    assert (place / "qmo-record.service").stat().st_mode & 0o777 == 0o644
    assert result.stderr.splitlines() == [
        "next:", "systemctl --user daemon-reload",
        "systemctl --user enable --now qmo-record.service qmo-icebergs.timer",
        "loginctl enable-linger    # so that they run while you are not logged in",
        "journalctl --user -fu qmo-record.service",
    ]


def test_what_a_person_changed_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    arguments = ("install", "--user", "qmo-serve", "qmo-doctor", "--qmo", TRUE)
    assert qmo(*arguments, XDG_CONFIG_HOME=str(tmp_path)).exit_code == 0
    assert "unchanged: " in qmo(*arguments, XDG_CONFIG_HOME=str(tmp_path)).stdout
    path = tmp_path / "systemd" / "user" / "qmo-serve.service"
    path.write_text("mine\n")
    (path.parent / "qmo-doctor.service").unlink()
    refused = qmo(*arguments, XDG_CONFIG_HOME=str(tmp_path))
    assert refused.exit_code == 2
    assert f"{path}: there already, and different; nothing is written" in refused.stderr
    assert [one.name for one in path.parent.iterdir()] == ["qmo-serve.service"]
    tried = qmo(*arguments, "--force", "--dry-run", XDG_CONFIG_HOME=str(tmp_path))
    assert f"would be replaced: {path}" in tried.stdout
    assert path.read_text() == "mine\n"
    assert f"replaced: {path}" in qmo(*arguments, "--force", XDG_CONFIG_HOME=str(tmp_path)).stdout
    assert path.read_text() == unit("qmo-serve", TRUE, user=True).text


def test_a_folder_that_cannot_be_written_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "systemd").write_text("a file where a folder should be")
    refused = qmo("install", "--user", "qmo-serve", "--qmo", TRUE, XDG_CONFIG_HOME=str(tmp_path))
    assert refused.exit_code == 1
    assert "qmo-serve.service: Not a directory" in refused.stderr


@pytest.mark.parametrize(("arguments", "why"), [
    (["print"], "name one or more units"), (["install"], "name one or more units"),
    (["cron", "x"], "cron takes no NAME"),
    (["print", "nginx"], "there is no unit nginx"), (["list", "--force"], "belong to install"),
    (["print", "qmo-serve", "--qmo", "/nowhere/qmo"], "/nowhere/qmo: no executable file"),
])
def test_what_does_not_exist_is_refused(arguments: list[str], why: str) -> None:
    result = qmo(*arguments)
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize("folder", ["a b", "a%h", "a$x", "a'b"])
def test_an_executable_that_would_need_quotes_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    path = shutil.copy(TRUE, tmp_path / folder / "qmo")
    with pytest.raises(UsageError, match="only a path of letters"):
        executable(str(path), user=True)


def test_units_of_the_system_start_nothing_that_they_cannot_see() -> None:
    path = Path("/tmp") / f"qmo-{os.getpid()}"  # hidden by PrivateTmp
    shutil.copy(TRUE, path)
    try:
        with pytest.raises(UsageError, match=r"install qmo elsewhere, such as in /opt/qmo"):
            executable(str(path), user=False)
        assert executable(str(path), user=True) == str(path)
    finally:
        path.unlink()


def test_units_know_what_they_need() -> None:
    assert with_needed(["qmo-doctor.timer"]) == ["qmo-doctor.timer", "qmo-doctor.service"]
    assert startable(with_needed(["qmo-record"])) == ["qmo-record.service"]


def test_the_list_has_every_unit() -> None:
    assert [line.split()[0] for line in qmo().stdout.splitlines()[2:]] == names()


def test_lines_for_cron_are_shell_and_end_a_capture_within_the_day() -> None:
    text = crontab(TRUE)
    jobs = [line for line in text.splitlines() if re.match(r"[\d*]", line)]
    assert len(jobs) == 4
    for job in jobs:
        command = job.split(maxsplit=5)[5].replace("\\%", "%")
        assert "%" not in command or "\\%" in job
        subprocess.run(["bash", "-n", "-c", command], check=True)
    seconds = re.search(r"timeout (\$\(\(.*?\)\)) ", text)
    assert seconds
    done = subprocess.run(["bash", "-c", f"echo {seconds[1]}".replace("\\%", "%")], capture_output=True, check=True)
    assert 1 <= int(done.stdout) <= 86400
    assert text == qmo("cron", "--qmo", TRUE).stdout


@pytest.mark.skipif(not shutil.which("flock"), reason="flock is not installed")
def test_the_job_of_the_evening_reads_every_capture_that_is_complete_once(
    tmp_path: Path, shell_environment: dict[str, str],
) -> None:
    script = re.search(r"-c '(.*)' /", unit("qmo-icebergs", TRUE).first("ExecStart"), re.DOTALL)
    assert script
    text = script[1].replace("\\\n", " ").replace("$$", "$")
    environment = {**shell_environment, "STATE_DIRECTORY": str(tmp_path)}
    bash = ["bash", "-euo", "pipefail", "-c", text, "qmo"]
    sim = "qmo feed sim --minutes 3 --seed 7 --encoding dbn > gc-2026-01-27.dbn; cp gc-2026-01-27.dbn gc-2026-01-28.dbn"
    subprocess.run(["bash", "-c", sim], env=environment, cwd=tmp_path, check=True)
    with (tmp_path / "gc-2026-01-28.dbn").open("rb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        subprocess.run(bash, env=environment, check=True)
    assert sorted(path.name for path in tmp_path.glob("ice*")) == ["icebergs-2026-01-27.ndjson"]
    before = (tmp_path / "icebergs-2026-01-27.ndjson").stat().st_mtime_ns
    (tmp_path / "gc-2026-01-28.dbn").write_bytes(b"damaged")
    assert subprocess.run(bash, env=environment, check=False, capture_output=True).returncode == 65
    assert not (tmp_path / "icebergs-2026-01-28.ndjson").exists()
    assert (tmp_path / "icebergs-2026-01-27.ndjson").stat().st_mtime_ns == before


@pytest.mark.parametrize(("source", "speed", "every"), [
    (("live",), 0.0, "1s"), (("-",), 0.0, "1s"), ((), 0.0, "1s"), (("sim",), 1.0, "50ms"), (("day.dbn",), 1.0, "50ms"),
])
def test_what_is_live_is_served_at_its_own_pace(source: tuple[str, ...], speed: float, every: str) -> None:
    """A server that gave the history ahead of the live stream the pace of the market would never catch up."""
    from qmo_cli.commands.serve import paced
    from qmo_cli.commands.sources import FeedOptions
    from qmo_cli.router import RouteOptions

    command = cli.get_command(click.Context(cli), "serve")
    assert command is not None
    with command.make_context("serve", list(source), parent=click.Context(cli)).scope():
        feeding, routing = paced(source, FeedOptions(), RouteOptions())
    assert (feeding.speed, routing.every) == (speed, every)
