"""``qmo alert`` as a real process: pipes, signals, kill -9, a full disk, and secrets."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qmo_cli import schemas

from .alerting import PATIENCE, Receiver, eventually, receiving, signal_line
from .test_process import Environment, shell


@pytest.fixture
def environment(shell_environment: Environment, tmp_path: Path) -> Environment:
    return {**shell_environment, "XDG_STATE_HOME": str(tmp_path / "state"), "TZ": "UTC"}


@pytest.fixture
def receiver(environment: Environment) -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        environment["QMO_ALERT_WEBHOOK"] = found.url()
        yield found


@contextmanager
def started(arguments: str, environment: Environment) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        ["qmo", "alert", *arguments.split()], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]


def write(process: subprocess.Popen[bytes], *lines: bytes) -> None:
    assert process.stdin
    process.stdin.write(b"".join(line + b"\n" for line in lines))
    process.stdin.flush()


def done(process: subprocess.Popen[bytes]) -> tuple[int, list[dict[str, Any]], str]:
    """Exit status, lines and messages."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err.decode()


def now() -> int:
    return time.time_ns()


def test_the_chain_ends_in_messages_and_lines_that_fit_their_schema(
    environment: Environment, receiver: Receiver, tmp_path: Path,
) -> None:
    command = ("set -o pipefail; qmo run sim --minutes 15 --seed 7 --changes | tee in.nd | "
               "qmo alert -vv --replay --limit 100/1s --exec 'cat >> lines' | tee out.nd")
    ran = shell(command, environment, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    decided = [json.loads(line) for line in (tmp_path / "in.nd").read_text().splitlines()]
    assert len(decided) > 2
    assert [body["type"] for body in receiver.bodies] == [line["signal"]["type"] for line in decided]
    assert all(text.startswith("SIMULATED: ") for text in receiver.texts)
    assert (tmp_path / "lines").read_text() == (tmp_path / "in.nd").read_text()
    validate = jsonschema.Draft202012Validator(schemas.schema("alert")).validate
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    for line in lines:
        validate(line)
    assert {line["state"] for line in lines} == {"delivered"}
    assert len(lines) == 2 * len(decided)
    assert b"s3cret" not in ran.stdout + ran.stderr
    assert "s3cret" not in (tmp_path / "state" / "qmo" / "alert.json").read_text()
    again = shell("qmo alert --replay --exec false < in.nd", environment, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {json.loads(line)["error"] for line in again.stdout.splitlines()} == {"told before"}


def test_without_being_asked_a_simulation_tells_nobody(environment: Environment, receiver: Receiver) -> None:
    with started("", environment) as process:
        write(process, signal_line("BUY", "a", quality="simulated", ts=now()))
        code, (line,), err = done(process)
    assert (code, receiver.bodies, line["state"], line["target"]) == (0, [], "suppressed", None)
    assert "simulated data; --replay tells of it" in err


def test_killed_between_sending_and_noting_it_sends_again(environment: Environment, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.delay = lambda: release.wait(PATIENCE) and None
    line = signal_line("BUY", "a", ts=now())
    with started("", environment) as process:
        write(process, line)
        eventually(lambda: receiver.paths, "the request is under way")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    release.set()
    with started("--on decision", environment) as process:
        write(process, line)
        code, lines, _ = done(process)
    assert code == 0
    assert [line["state"] for line in lines if line["target"] == "webhook"] == ["delivered"]
    assert len(receiver.paths) == 2
    with started("--on decision", environment) as process:
        write(process, line)
        assert done(process) == (0, [], "")
    assert len(receiver.paths) == 2


def test_the_pipe_flows_while_a_target_hangs(environment: Environment, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.delay = lambda: release.wait(PATIENCE) and None
    ts = now()
    flood = b"".join(signal_line(ts=ts + number) + b"\n" for number in range(20_000))
    with started("--drain 0s --tee", environment) as process:
        assert process.stdin
        assert process.stdout
        passed: list[bytes] = []
        reading = threading.Thread(target=lambda: passed.append(process.stdout.read()))  # type: ignore[union-attr]
        reading.start()
        first = signal_line("BUY", "a", ts=ts) + b"\n"
        process.stdin.write(first + flood)
        process.stdin.close()
        assert process.wait(PATIENCE) == 1
        reading.join(PATIENCE)
        assert passed[0] == first + flood
        assert process.stderr
        assert b"kept for the next start" in process.stderr.read()
    release.set()


def test_sigterm_sends_what_is_under_way_and_leaves_with_success(
    environment: Environment, receiver: Receiver,
) -> None:
    receiver.delay = lambda: time.sleep(0.3)
    with started("", environment) as process:
        write(process, signal_line("BUY", "a", ts=now()))
        eventually(lambda: receiver.paths, "the request is under way")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        code, lines, err = done(process)
    assert (code, err) == (0, "")
    assert [line["state"] for line in lines] == ["delivered"]


def test_a_command_that_will_not_end_is_ended_with_the_drain(environment: Environment, tmp_path: Path) -> None:
    script = tmp_path / "hang"
    script.write_text(f"#!/bin/sh\ntrap '' TERM\nsleep 61 & echo $! > {tmp_path}/pid\nsleep 62\n")
    script.chmod(0o755)
    with started(f"--exec {script} --timeout 30s --drain 0.1s", environment) as process:
        write(process, signal_line("BUY", "a", ts=now()))
        pid = int(eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it runs"))
        process.send_signal(signal.SIGTERM)
        code, (line, *_), err = done(process)  # the end of the input may be seen before the signal, and told
    assert (code, line["id"], line["state"]) == (1, "a", "failed")
    assert "kept for the next start" in err

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    eventually(gone, "what the command started is gone")


def test_a_full_disk_is_said_and_alerts_still_go_out(environment: Environment, receiver: Receiver) -> None:
    # no file may grow beyond 1 KiB: the first state fits, the second does not
    line = signal_line("BUY", "a" * 1500, ts=now()).decode()
    ran = shell(f"ulimit -f 1; echo '{line}' | qmo alert --on decision | cat", environment)
    assert b"the state cannot be written" in ran.stderr
    assert b"File too large" in ran.stderr
    assert [body["kind"] for body in receiver.bodies] == ["opened"]
    assert json.loads(ran.stdout)["state"] == "delivered"


def test_a_second_process_with_the_same_state_says_so_and_leaves(
    environment: Environment, receiver: Receiver, tmp_path: Path,
) -> None:
    with started("", environment):
        eventually((tmp_path / "state/qmo/alert.json").exists, "the state is there")
        ran = shell("qmo alert < /dev/null", environment)
        assert (ran.returncode, ran.stdout) == (69, b"")
        assert b"another qmo alert keeps its state in" in ran.stderr


@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
def test_alerts_go_out_though_nobody_reads_the_lines(
    output: str, environment: Environment, receiver: Receiver,
) -> None:
    line = signal_line("BUY", "a", ts=now()).decode()
    ran = shell(f"echo '{line}' | qmo alert --on decision {output}; echo ${{PIPESTATUS[1]}}", environment)
    assert (ran.stdout, len(receiver.bodies)) == (b"0\n", 1), ran.stderr


def test_a_tee_whose_reader_left_ends_like_every_stage(environment: Environment, receiver: Receiver) -> None:
    with started("--tee", environment) as process:
        assert process.stdout
        process.stdout.close()
        with suppress(BrokenPipeError):
            for number in range(3):
                write(process, signal_line(ts=now() + number))
                time.sleep(0.02)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("arguments", "code", "words"), [
    ("", 2, b"nobody to tell"), ("--exec true --tee --test", 2, b"exclude one another"),
    ("--webhook-file hook", 77, b"chmod 600"), ("--exec false --test", 1, b"the test failed: exited with 1"),
])
def test_what_is_wrong_is_said_before_the_market_opens(
    arguments: str, code: int, words: bytes, environment: Environment, tmp_path: Path,
) -> None:
    (tmp_path / "hook").write_text("https://hooks.example.com/s3cret")
    (tmp_path / "hook").chmod(0o644)
    ran = shell(f"qmo alert {arguments} < /dev/null", environment, cwd=tmp_path)
    assert ran.returncode == code, ran.stderr
    assert words in ran.stderr
    assert b"s3cret" not in ran.stderr


def test_a_command_in_the_environment_is_not_taken_apart_at_its_blanks(
    environment: Environment, tmp_path: Path,
) -> None:
    commands = f"echo one two > {tmp_path}/1\necho three > {tmp_path}/2"
    ran = shell("qmo alert --test", {**environment, "QMO_ALERT_EXEC": commands})
    assert ran.returncode == 0, ran.stderr
    assert [(tmp_path / name).read_text() for name in "12"] == ["one two\n", "three\n"]
