"""``qmo gateway`` as a process: it says where it listens, serves, and ends when it should."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.gateway.faults import ARGUMENTS

from .gatewaying import KEY, PATIENCE, Client, market, of_market

SOURCE = ("sim", "--seed", "3", "--minutes", "1")
WANT = market()


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A gateway and its port."""
    place = folder / "port"
    process = subprocess.Popen(
        [sys.executable, "-m", "qmo_cli", "gateway", *arguments, "--port", "0", "--port-file", str(place)],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        for _ in range(1000):
            if place.exists() or process.poll() is not None:
                break
            time.sleep(0.02)
        yield process, int(place.read_text())
    finally:
        process.kill()
        process.communicate()


def whole(port: int, key: str = KEY) -> list[bytes]:
    """All records of a session."""
    with Client(port) as client:
        assert client.login(key).startswith("success=1")
        client.ask()
        client.say("start_session=0")
        return of_market(client.read())


def failure(*arguments: str) -> tuple[int, str]:
    """Exit code and message of a call that cannot work."""
    result = CliRunner().invoke(cli, ["gateway", *arguments])
    return result.exit_code, result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_also_with_a_client_connected(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, *SOURCE) as (process, port), Client(port) as client:
        client.login()
        client.ask()
        client.say("start_session=0")
        client.read(lambda found: len(found) > 5)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", f"listening on 127.0.0.1:{port}\n")


def test_it_ends_at_the_sources_end_when_told_so_and_every_record_has_come(tmp_path: Path) -> None:
    with running(tmp_path, *SOURCE, "--speed", "0", "--exit-at-end", "--fault", "duplicate@3", "-v") as (process, port):
        assert whole(port) == WANT[:3] + WANT[2:]
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "session 1: fault duplicate@3" in err


def test_a_key_in_the_environment_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    with running(tmp_path, *SOURCE, "--speed", "0", "--end", "fin", "-vv", QMO_GATEWAY_KEY=KEY) as (process, port):
        with Client(port) as client:
            assert client.login("db-another-key").startswith("success=0")
        assert whole(port) == WANT
        process.terminate()
        _, err = process.communicate(timeout=PATIENCE)
    assert KEY not in err
    assert "rejected" in err


def test_it_ends_after_its_seconds_and_after_its_sessions(tmp_path: Path) -> None:
    with running(tmp_path, *SOURCE, "--seconds", "0.1") as (process, _):
        assert process.wait(PATIENCE) == 0
    (tmp_path / "port").unlink()
    with running(tmp_path, *SOURCE, "--sessions", "1", "--speed", "0", "--end", "fin") as (process, port):
        assert whole(port) == WANT
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("arguments", "code", "why"), [
    (["sim", "--fault", "finn@3"], 2, "there is no fault 'finn'"),
    ([], 2, "name a SOURCE"),
    (["-"], 2, "standard input can be read only once"),
    (["sim", "x.dbn"], 2, "sim cannot be combined"),
    (["sim", "--truth", "t"], 2, "--truth"),
    (["sim", "--speed", "-1"], 2, "the pace must be 0 or more"),
    (["sim", "--port", "70000"], 2, "a port is a number"),
    (["sim", "--heartbeat", "0"], 2, "--heartbeat 0: it must be above 0"),
    (["sim", "--history", "-1"], 2, "--history -1"),
    (["sim", "--minutes", "0", "--records", "-4"], 2, "number of records"),
    (["no-such-file"], 69, "no such file"),
])
def test_what_cannot_work_is_refused_with_a_reason(arguments: list[str], code: int, why: str) -> None:
    found = failure(*arguments, *([] if "--port" in arguments else ["--port", "0"]))
    assert (found[0], why in found[1]) == (code, True), found


def test_the_help_explains_every_fault() -> None:
    text = CliRunner().invoke(cli, ["gateway", "--help"]).output.partition("Faults, as KIND")[2]
    assert [kind for kind in ARGUMENTS if kind not in text.replace(":", " ").replace("[", " ").split()] == []


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failure("sim", "--port", str(port)) == (
            69, f"qmo gateway: cannot listen at 127.0.0.1:{port}: Address already in use\n")


def test_an_address_that_others_reach_is_warned_of_unless_a_key_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("sim", "--host", "0.0.0.0", "--port", "0", "--seconds", "0.05")
    assert "0.0.0.0 can be reached by others, and any key is accepted" in failure(*arguments)[1]
    monkeypatch.setenv("QMO_GATEWAY_KEY", KEY)
    code, err = failure(*arguments)
    assert code == 0
    assert "warning" not in err
