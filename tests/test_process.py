"""The commands as real processes: pipes, signals, terminals, and what the shell is told."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

Environment = dict[str, str]
SIMULATOR = "sim --records 20000 --seed 7"
PATIENCE = 60  # s, before a process that should have done something counts as hanging
STAGES = "qmo route | qmo engine all | qmo score | qmo signal"


def shell(command: str, environment: Environment, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in bash; the exit codes of all its stages are the last line of stdout's tail, if asked."""
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, env=environment, timeout=120, check=False,
        stdin=subprocess.DEVNULL, **options,  # type: ignore[call-overload]
    )


@contextmanager
def started(command: str, environment: Environment, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A running command, ended at last if it does not end by itself."""
    process = subprocess.Popen(
        command.split(), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        **{"stdin": subprocess.DEVNULL, **options},  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.kill()
        with suppress(BrokenPipeError):  # what was written and not read
            process.communicate()


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The first line that a process prints; the test fails, instead of hanging, where none comes."""
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert ready, "nothing was printed"
    return process.stdout.readline()


@pytest.mark.parametrize("command", [
    "qmo feed sim --records 200000 --seed 7",
    "qmo feed sim --records 200000 --seed 7 --encoding dbn",
    "qmo run sim --records 200000 --seed 7",
    "qmo schema mbo",
    "qmo engine --list",
    "qmo --help",
])
def test_a_reader_that_leaves_early_is_success(command: str, shell_environment: Environment) -> None:
    done = shell(f"{command} | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}", shell_environment)
    assert (done.stdout.split(), done.stderr) == ([b"0"], b"")


def test_a_reader_that_never_reads_is_success_for_every_stage(shell_environment: Environment) -> None:
    done = shell(f"qmo feed {SIMULATOR} | {STAGES} | true; echo ${{PIPESTATUS[@]}}", shell_environment)
    assert (done.stdout.split(), done.stderr) == ([b"0"] * 6, b"")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["feed", "run"])
def test_a_signal_ends_a_stage_with_its_code_and_whole_lines(
    command: str, number: signal.Signals, code: int, shell_environment: Environment,
) -> None:
    with started(f"qmo {command} sim --minutes 600 --seed 7 --speed 1", shell_environment) as process:
        assert process.stdout
        assert process.stderr
        printed = first_line(process)
        process.send_signal(number)
        printed += process.stdout.read()
        complaint = process.stderr.read()
        process.wait(timeout=PATIENCE)
    assert process.returncode == code
    assert complaint == b""
    assert all(json.loads(line)["schema"] for line in printed.splitlines())
    assert printed.endswith(b"\n")


def test_a_stage_that_waits_for_input_ends_at_sigterm(shell_environment: Environment) -> None:
    with started("qmo route -v", shell_environment, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(b"".join(lines(shell_environment, 5000)))
        process.stdin.flush()
        assert first_line(process).startswith(b"{")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
    assert process.returncode == 143


def lines(environment: Environment, records: int) -> list[bytes]:
    """The simulator's first records as lines."""
    return shell(f"qmo feed sim --records {records} --seed 7", environment).stdout.splitlines(keepends=True)


def test_the_first_packet_comes_out_while_the_input_is_still_open(shell_environment: Environment) -> None:
    with started("qmo route", shell_environment, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(b"".join(lines(shell_environment, 5000)))
        process.stdin.flush()
        assert json.loads(first_line(process))["schema"] == "packet"


def test_the_first_signal_comes_through_five_stages_while_the_input_is_still_open(
    shell_environment: Environment,
) -> None:
    command = f"qmo feed - | {STAGES}"
    with started("bash", shell_environment, stdin=subprocess.PIPE, executable="bash") as process:
        assert process.stdin
        process.stdin.write(f"{command}\n".encode())
        process.stdin.write(b"".join(lines(shell_environment, 5000)))
        process.stdin.flush()
        assert json.loads(first_line(process))["status"]


@pytest.mark.parametrize("encoding", ["ndjson", "dbn"])
def test_five_piped_stages_print_the_same_bytes_as_one_process(
    encoding: str, shell_environment: Environment,
) -> None:
    piped = shell(f"set -o pipefail; qmo feed {SIMULATOR} --encoding {encoding} | {STAGES}", shell_environment)
    whole = shell(f"qmo run {SIMULATOR}", shell_environment)
    assert (piped.returncode, whole.returncode) == (0, 0)
    assert piped.stdout.count(b"\n") > 5
    assert piped.stdout == whole.stdout


def test_every_stage_reads_from_a_file_as_from_a_pipe(tmp_path: Path, shell_environment: Environment) -> None:
    command = (
        f"qmo feed {SIMULATOR} > a && qmo route < a > b && qmo engine all < b > c && qmo score < c > d && "
        f"qmo signal < d > e && cmp e <(qmo run {SIMULATOR})"
    )
    done = shell(command, shell_environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["feed", "feed -", "route", "engine all", "score", "signal", "run"])
def test_a_terminal_on_stdin_gives_a_hint_instead_of_a_hang(command: str, shell_environment: Environment) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            ["qmo", *command.split()], stdin=theirs, capture_output=True, env=shell_environment, timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    name = command.partition(" ")[0]
    assert done.stderr.startswith(f"qmo {name}: ".encode())
    assert b"terminal" in done.stderr
    assert b"qmo feed FILE | qmo" in done.stderr or b"qmo run" in done.stderr or b"qmo feed sim" in done.stderr


def test_two_captures_one_after_the_other_are_one_stream(tmp_path: Path, shell_environment: Environment) -> None:
    done = shell(
        "qmo feed sim --records 500 --seed 1 --encoding dbn > a.dbn;"
        "cat a.dbn a.dbn | qmo feed - --skip-bad | wc -l; qmo feed a.dbn | wc -l", shell_environment, cwd=tmp_path,
    )
    both, one = map(int, done.stdout.split())
    assert both >= 2 * one


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_jq_reads_every_line(shell_environment: Environment) -> None:
    done = shell(f"set -o pipefail; qmo run {SIMULATOR} | jq -c .signal.type | sort | uniq -c", shell_environment)
    assert done.returncode == 0
    assert b"HOLD" in done.stdout or b"BUY" in done.stdout


def test_an_output_that_cannot_be_written_is_a_failure_with_a_reason(shell_environment: Environment) -> None:
    done = shell("qmo feed sim --records 1000 --seed 7 > /dev/full", shell_environment)
    assert (done.returncode, done.stderr) == (1, b"qmo feed: No space left on device\n")
