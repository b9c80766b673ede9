"""``qmo feed live`` and ``qmo run live`` as processes against a gateway: stopped, killed, slow to be read, replayed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.blocks import SECOND
from qmo_cli.feeds.dbn import DbnReader
from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.sim import START
from qmo_cli.gateway import Gateway
from tests.live_harness import KEY, market, records, serve

QMO = (sys.executable, "-m", "qmo_cli")
SOURCE = records(market())
DEADLINE = 90.0     # s, the longest that anything here may take
CALM = 1.5          # s without anything new, after which nothing more is expected


@contextmanager
def qmo(*arguments: str, key: str = KEY, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A running command, which does not outlive the block."""
    environment = {**os.environ, "DATABENTO_API_KEY": key}
    pipe = subprocess.PIPE
    with subprocess.Popen((*QMO, *arguments), stdout=pipe, stderr=pipe, env=environment, **more) as process:
        try:
            yield process
        finally:
            process.kill()


def live(gateway: Gateway, command: str, *arguments: str) -> tuple[str, ...]:
    """The arguments of a command that follows a gateway."""
    return (command, "live", "--gateway", f"127.0.0.1:{gateway.port}", *arguments)


def wait_for(gateway: Gateway, sent: int) -> None:
    """Until the gateway has served so many records."""
    until = time.monotonic() + DEADLINE
    while gateway.sent < sent and time.monotonic() < until:
        time.sleep(0.01)
    assert gateway.sent >= sent


def settled(capture: Path) -> None:
    """Until a capture does not grow any more: what was sent has been read, however slow the machine."""
    until, size, since = time.monotonic() + DEADLINE, -1, time.monotonic()
    while time.monotonic() - since < CALM and time.monotonic() < until:
        now = capture.stat().st_size if capture.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.05)


def output_of(*arguments: str) -> bytes:
    return subprocess.run((*QMO, *arguments), capture_output=True, check=True, timeout=DEADLINE).stdout


def test_sigterm_lets_out_what_was_received_and_exits_0() -> None:
    with serve() as gateway, qmo(*live(gateway, "feed")) as process:
        wait_for(gateway, len(SOURCE) // 2)
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=DEADLINE)
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, error
    assert error == b""
    assert lines[-1]["kind"] == "end"
    assert len(lines) > len(SOURCE) // 4


def test_a_capture_made_during_breaks_replays_to_the_same_bytes(tmp_path: Path) -> None:
    faults = ("fin@2500", "torn@3500", "rst@4500", "late:1.5@5000", "duplicate@5100", "error:8@6200")
    capture = tmp_path / "capture.dbn"
    with serve(*faults, speed=10.0) as gateway, qmo(*live(gateway, "run", "--record", str(capture))) as process:
        wait_for(gateway, len(SOURCE))
        settled(capture)
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, error
    assert out.count(b"\n") > 50
    assert output_of("run", str(capture), "--every", "50ms") == out
    kinds = {json.loads(line).get("kind") for line in output_of("feed", str(capture)).splitlines()}
    assert kinds >= {"live", "stale", "reconnect", "gap", "skipped", "end"}


def test_a_process_that_was_killed_goes_on_with_its_capture_without_a_gap(tmp_path: Path) -> None:
    capture = tmp_path / "capture.dbn"
    with serve(speed=5.0) as gateway:
        with qmo(*live(gateway, "run", "--record", str(capture))) as process:
            wait_for(gateway, 2500)
            process.kill()
        held = capture.read_bytes()
        capture.write_bytes(held[:-20])  # what a kill in the middle of a write leaves
        with qmo(*live(gateway, "run", "--record", str(capture))) as process:
            wait_for(gateway, len(SOURCE))
            settled(capture)
            process.send_signal(signal.SIGTERM)
            out, error = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, error
    assert b"torn" in error
    orders = [record for record in records(open_source([str(capture)])) if not record[36] & 32]
    first = SOURCE.index(orders[0])
    assert orders == SOURCE[first:first + len(orders)], "nothing lost, nothing twice"
    assert len(orders) > 3000
    replayed = output_of("run", str(capture), "--every", "50ms")
    assert replayed.endswith(out), "and what is printed from there on is as if it had never been killed"
    assert out.count(b"\n") > 20


def test_facts_that_a_capture_holds_are_not_merged_again(tmp_path: Path) -> None:
    capture, facts = tmp_path / "capture.dbn", tmp_path / "facts.ndjson"
    kill = {"schema": "kill", "ts_event": str(START + SECOND), "active": True, "detail": "by hand"}
    facts.write_text(json.dumps(kill) + "\n")
    with serve(speed=5.0) as gateway:
        for sent in (2000, 4000):
            with qmo(*live(gateway, "feed", "--record", str(capture), "--merge", str(facts))) as process:
                wait_for(gateway, sent)
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=DEADLINE)
    lines = [json.loads(line) for line in output_of("feed", str(capture)).splitlines()]
    assert [line["detail"] for line in lines if line["schema"] == "kill"] == ["by hand"]


def test_a_reader_that_sleeps_costs_no_memory_and_no_record() -> None:
    source = market(seconds=240.0, rate=2000.0)
    orders = records(source)
    asked = ("--encoding", "dbn", "--start", "2026-10-05T13:00Z")
    with serve(source=source, speed=0.0) as gateway, qmo(*live(gateway, "feed", *asked)) as process:
        time.sleep(2.0)
        assert resident(process.pid) < 250 << 20
        assert gateway.sent < len(orders), "the gateway is held back too"
        got, size = list[bytes](), 0
        assert process.stdout
        while size < len(orders) * 56:
            got.append(os.read(process.stdout.fileno(), 1 << 20))
            size += len(got[-1])
        process.send_signal(signal.SIGTERM)
        got.append(process.communicate(timeout=DEADLINE)[0])
    reader = DbnReader("-")
    assert records(reader.feed(b"".join(got))) == orders


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


@pytest.mark.parametrize(("key", "code", "words"), [
    (None, 77, b"no Databento key"), ("x y", 77, b"damaged"), (KEY, 77, b"not let in"),
])
def test_without_the_right_key_it_ends_with_77_and_the_key_is_never_told(
    key: str | None, code: int, words: bytes,
) -> None:
    with serve("reject:not let in@0") as gateway:
        environment = {name: value for name, value in os.environ.items() if name != "DATABENTO_API_KEY"}
        environment |= {"XDG_CONFIG_HOME": "/nowhere"} | ({} if key is None else {"DATABENTO_API_KEY": key})
        command = (*QMO, *live(gateway, "feed", "-v", "-v"))
        done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr
    assert b"Traceback" not in done.stderr
    assert KEY.encode() not in done.stderr


def test_a_run_in_a_pipe_prints_what_one_process_prints(tmp_path: Path) -> None:
    capture = tmp_path / "capture.dbn"
    asked = ("--encoding", "dbn", "--record", str(capture))
    with serve(f"fin@{len(SOURCE) // 2}") as gateway, qmo(*live(gateway, "feed", *asked)) as process:
        wait_for(gateway, len(SOURCE))
        process.send_signal(signal.SIGTERM)
        stream, _ = process.communicate(timeout=DEADLINE)
    assert capture.read_bytes() == stream
    stages = " | ".join(f"{' '.join(QMO)} {stage}" for stage in ("route --every 50ms", "engine all", "score", "signal"))
    piped = subprocess.run(["bash", "-c", stages], input=stream, capture_output=True, check=True, timeout=DEADLINE)
    assert piped.stdout == output_of("run", str(capture), "--every", "50ms")
