"""``qmo serve`` as a process: what it answers, that it outlives its feed, and how it ends."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

LIMIT = 30.0  # s that anything may take
QMO = (sys.executable, "-m", "qmo_cli")
Json = dict[str, Any]


@dataclass
class Server:
    """A running ``qmo serve``."""

    process: subprocess.Popen[bytes]
    url: str

    def get(self, path: str, *, method: str = "GET") -> tuple[int, Any]:
        """Status and JSON of an answer."""
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def until(self, path: str, wanted: str, value: str) -> Json:
        """What a path answers once its feed is in the state that is waited for."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            _, found = self.get(path)
            if found.get("feed", {}).get(wanted) == value:
                return dict(found)
            time.sleep(0.05)
        raise AssertionError(f"never {wanted} = {value}; last: {found}")

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and the exit code."""
        self.process.send_signal(how)
        return self.process.wait(LIMIT)

    def said(self) -> str:
        """The rest of its stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


@contextmanager
def serving(*arguments: str, stdin: Any = subprocess.DEVNULL, **more: str) -> Iterator[Server]:
    """A server on a free port, stopped at the end."""
    process = subprocess.Popen(
        [*QMO, "serve", "--port", "0", *arguments], stdin=stdin, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **more},
    )
    try:
        assert process.stderr is not None
        assert select.select([process.stderr], [], [], LIMIT)[0], "it says nothing"
        url = re.search(r"http://\S+", process.stderr.readline().decode())
        assert url is not None, process.stderr.read().decode()
        yield Server(process, url[0])
    finally:
        process.kill()
        process.wait(LIMIT)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """A minute of packets with their signals."""
    command = [*QMO, "run", "sim", "--minutes", "1", "--seed", "7", "--full"]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.splitlines(keepends=True)


def drain(wire: ClientConnection) -> None:
    """Take frames until the other side leaves."""
    while True:
        wire.recv(LIMIT)


ORIGINAL = {  # the fields of the original description
    "status": (), "current_price": (), "signal": ("type", "confidence", "rationale"), "timestamp": (),
    "entry": (), "position": (),
    "market_context": ("session", "iceberg_zones", "absorption_activity", "orderflow_bias"),
}


def test_the_simulator_is_served_at_the_pace_of_time_until_sigterm_ends_it_in_good_order() -> None:
    with serving("sim", "--seed", "7") as server:
        found = server.until("/api/v1/signal", "state", "live")
        for name, inner in ORIGINAL.items():
            assert name in found
            assert all(part in found[name] for part in inner), name
        assert found["feed"]["quality"] == "simulated"
        assert found["schema"] == "signal"
        assert server.get("/api/v1/signal", method="POST")[0] == 200
        assert server.get("/api/v1/packet")[1]["schema"] == "packet"
        assert server.get("/healthz")[1]["status"] == "ok"
        ws = server.url.replace("http", "ws") + "/api/v1/stream"
        with connect(ws, subprotocols=["qmo.v1"], open_timeout=LIMIT) as wire:  # type: ignore[list-item]
            frames = [json.loads(wire.recv(LIMIT)) for _ in range(12)]
            assert wire.subprotocol == "qmo.v1"
            assert [frame["seq"] for frame in frames] == sorted({frame["seq"] for frame in frames})
            assert int(frames[-1]["ts"]) > int(frames[0]["ts"])
            assert frames[-1]["candles"]["15"]
            spans = int(frames[-1]["ts"]) - int(frames[0]["ts"])
            assert spans < LIMIT * 1e9, "the market does not run faster than time"
            assert server.stop() == 0
            with pytest.raises(ConnectionClosed) as closed:
                drain(wire)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012   # service restart: come back
        assert server.said() == ""


def test_what_went_wrong_with_a_feed_is_served_and_is_the_exit_code_at_the_end(lines: list[bytes]) -> None:
    with serving("-", stdin=subprocess.PIPE) as server:
        pipe = server.process.stdin
        assert pipe is not None
        pipe.write(b"".join(lines[:30]))
        pipe.flush()
        assert server.until("/api/v1/frame", "state", "live")["series"] == "GC.v.0"
        pipe.write(b'{"schema":"packet"}\n')
        pipe.close()
        found = server.until("/api/v1/signal", "state", "failed")
        assert (found["status"], found["signal"]["type"], found["entry"]) == ("stale", "HOLD", None)
        assert "line 31" in found["reasons"][0]
        status, health = server.get("/healthz")
        assert (status, health["status"], health["state"]) == (503, "unavailable", "failed")
        assert server.stop() == 65
        assert "line 31" in server.said()


def test_an_input_that_ends_leaves_the_server_up_and_saying_so(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "packets.ndjson"
    path.write_bytes(b"".join(lines))
    with serving(str(path)) as server:
        frame = server.until("/api/v1/frame", "state", "ended")
        assert frame["seq"] == len(lines)
        assert frame["signal"]["status"] == "stale"
        status, history = server.get("/api/v1/history?minutes=5&step=15")
        assert status == 200
        assert len(history["candles"]) == 4
        assert server.stop() == 0


def test_without_packets_for_a_while_everything_is_stale_and_with_them_live_again(lines: list[bytes]) -> None:
    with serving("-", "--stale-after", "300ms", stdin=subprocess.PIPE) as server:
        pipe = server.process.stdin
        assert pipe is not None
        pipe.write(lines[0])
        pipe.flush()
        assert server.until("/api/v1/signal", "state", "stale")["status"] == "stale"
        end = time.monotonic() + LIMIT
        states = set()
        while "live" not in states and time.monotonic() < end:
            pipe.write(lines[1])
            pipe.flush()
            states.add(server.get("/api/v1/frame")[1]["feed"]["state"])
        assert "live" in states
        assert server.stop() == 0


def test_bare_signals_are_served_without_inventing_the_rest() -> None:
    signals = subprocess.run([*QMO, "run", "sim", "--minutes", "1", "--seed", "7"], capture_output=True, check=True)
    with serving("-", stdin=subprocess.PIPE) as server:
        pipe = server.process.stdin
        assert pipe is not None
        pipe.write(signals.stdout)
        pipe.flush()
        frame = server.until("/api/v1/frame", "state", "live")
        assert frame["signal"]["schema"] == "signal"
        assert frame["feed"]["quality"] == "simulated"
        assert (frame["market"], frame["score"], frame["zones"]) == (None, None, [])
        assert server.get("/api/v1/packet")[0] == 503
        assert server.stop() == 0


def test_an_interrupt_ends_it_as_it_ends_other_commands(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "packets.ndjson"
    path.write_bytes(lines[0])
    with serving(str(path)) as server:
        server.until("/api/v1/frame", "state", "ended")
        assert server.stop(signal.SIGINT) == 130


def test_a_source_that_is_not_there_ends_it_at_once() -> None:
    command = [*QMO, "serve", "no-such-file", "--port", "0"]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 69
    assert b"no-such-file: no such file" in done.stderr


def test_a_port_that_is_taken_ends_it_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*QMO, "serve", "sim", "--port", port], capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 69
    assert b"--port takes another" in done.stderr


def test_an_open_address_wants_a_token_and_the_token_is_asked_for(lines: list[bytes], tmp_path: Path) -> None:
    without = {name: value for name, value in os.environ.items() if name != "QMO_TOKEN"}
    done = subprocess.run([*QMO, "serve", "sim", "--host", "0.0.0.0", "--port", "0"], capture_output=True,
                          timeout=LIMIT, check=False, env=without)
    assert done.returncode == 2
    assert b"needs a token" in done.stderr
    path, token = tmp_path / "packets.ndjson", "correct-horse-battery"
    path.write_bytes(lines[0])
    with serving(str(path), QMO_TOKEN=token) as server:
        assert server.get("/api/v1/signal")[0] == 401
        ws = server.url.replace("http", "ws") + "/api/v1/stream"
        with pytest.raises(InvalidStatus, match="401"):
            connect(ws, open_timeout=LIMIT)
        shown = {"Authorization": f"Bearer {token}"}
        with connect(ws, additional_headers=shown, open_timeout=LIMIT) as wire:
            assert json.loads(wire.recv(LIMIT))["schema"] == "frame"
        assert server.stop() == 0
        assert token not in server.said()


def test_systemd_is_told_that_it_is_ready_how_it_fares_and_that_it_stops(lines: list[bytes], tmp_path: Path) -> None:
    path, place = tmp_path / "packets.ndjson", tmp_path / "notify"
    path.write_bytes(lines[0])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place))
        systemd.settimeout(LIMIT)
        with serving(str(path), NOTIFY_SOCKET=str(place), WATCHDOG_USEC="400000") as server:
            told = [systemd.recv(4096).decode() for _ in range(6)]
            assert server.stop() == 0
            while told[-1] != "STOPPING=1":
                told.append(systemd.recv(4096).decode())
    assert told[0] == "READY=1"
    assert told.count("WATCHDOG=1") >= 2
    assert any("ended: the input is at its end, 1 packets, simulator, simulated" in line for line in told)
