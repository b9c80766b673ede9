"""The server under load: ``python -m tests.bench_serve http``, ``stream``, ``mute`` or ``latency``.

``qmo serve`` runs as a process of its own, and so does whatever asks it. Where both share few cores with others the
times say little: hold ratios against each other within one run, and look at the CPU time that each frame costs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.bench_listeners import REQUEST, Client
from tests.bench_live import KEY, SETTLED, gateway, quantile, resident
from tests.bench_processes import PYTHON, QMO, BenchmarkError, environment

SIM = ("sim", "--rate", "200", "--minutes", "600")   # enough for a packet in every frame of 50 ms
CROWDS = (1, 100, 1_000)
BODY = 2_000                        # bytes of the bare answer
BUDGET = 55                         # ms from tick to client, by the original description
TS = re.compile(rb'"ts":"(\d+)"')
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A server's process, and where it listens."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def cpu(self) -> float:
        """Seconds that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def resident(self) -> float:
        """MB that it has."""
        return resident(self.process.pid) / 1e6

    def url(self, path: str) -> str:
        """Where a path is asked for."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def started(*command: str, more: dict[str, str] | None = None) -> Iterator[Server]:
    """A server that runs: it says its address on stderr."""
    with tempfile.TemporaryFile() as said, subprocess.Popen(
            command, stderr=said, env=environment() | (more or {}), cwd=Path(__file__).parent.parent) as process:
        try:
            yield Server(process, port_in(said.fileno(), process))
        finally:
            process.terminate()


def port_in(said: int, process: subprocess.Popen[bytes]) -> int:
    """The port that a server names, as soon as it does."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(rb"http://[^ ]*:(\d+)", os.pread(said, 1 << 16, 0)):
            return int(found[1])
        time.sleep(0.05)
    raise BenchmarkError(f"the server did not start: {os.pread(said, 1 << 16, 0).decode()}")


def serve(*source: str, more: dict[str, str] | None = None) -> AbstractContextManager[Server]:
    """``qmo serve``."""
    return started(*QMO, "serve", *source, "--port", "0", more=more)


def bare() -> None:
    """Serve one answer that is always the same, with all else as in ``qmo serve``."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from qmo_cli.board import Board
    from qmo_cli.serve.options import ServeOptions
    from qmo_cli.serve.server import Serving

    async def answer(_: Request) -> Response:
        return Response(b"." * BODY, media_type="application/json")

    server = Serving(Board(), ServeOptions(port=0))
    server.server.config.loaded_app = Starlette(routes=[Route("/", answer)])
    print(server.url, file=sys.stderr, flush=True)
    server.start()
    server.thread.join()


def show_http(seconds: float) -> None:
    """Requests per second, beside those of an endpoint that does nothing."""
    if shutil.which("wrk") is None:
        raise BenchmarkError("wrk is not installed")
    print("| request | per second | p50 | p99 | of bare |\n|---|---|---|---|---|")
    with serve(*SIM) as server, started(PYTHON, "-m", "tests.bench_serve", "bare") as other:
        time.sleep(SETTLED)
        for method, path in (("GET", "/api/v1/signal"), ("POST", "/api/v1/signal"), ("GET", "/api/v1/frame")):
            usual, *_ = asked(other.url("/"), "GET", seconds)
            rate, half, most = asked(server.url(path), method, seconds)
            share = f"{rate / usual:.0%} of {usual:,.0f}"
            print(f"| {method} {path} | {rate:,.0f} | {half} | {most} | {share} |", flush=True)


def asked(url: str, method: str, seconds: float) -> tuple[float, str, str]:
    """Requests per second, the median and the 99th percentile, as wrk says them."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "{method}"')
        script.flush()
        command = ("wrk", "-t1", "-c16", f"-d{seconds:.0f}s", "--latency", "-s", script.name, url)
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    if "Non-2xx" in said:
        raise BenchmarkError(said)
    found = dict(re.findall(r"(50%|99%|Requests/sec:)\s+(\S+)", said))
    return float(found["Requests/sec:"]), found["50%"], found["99%"]


def show_stream(seconds: float) -> None:
    """Crowds of clients that read."""
    print("| clients | frames/s each | KB | p50 | p99 | longest | CPU | us per frame | RSS MB |\n" + "|---" * 9 + "|")
    with serve(*SIM) as server:
        time.sleep(SETTLED)
        for number in CROWDS:
            idle = server.cpu
            time.sleep(2)
            idle = (server.cpu - idle) / 2
            found, busy = crowd(server, number, seconds)
            half, most, _, longest = found["spread"]
            cost = 1e6 * (busy - idle) / found["delivered"]
            print(f"| {number:,} | {found['delivered'] / number:.1f} | {found['size'] / 1e3:.1f} | {half:.1f} ms "
                  f"| {most:.1f} ms | {longest:.1f} ms | {busy:.0%} | {cost:.0f} | {server.resident:.0f} |", flush=True)
    print("\nFrom the first arrival of a frame at any client to its arrival at each. CPU of one core, the feed's too.")


def crowd(server: Server, number: int, seconds: float) -> tuple[dict[str, Any], float]:
    """What a crowd was sent, and how busy the server was."""
    command = (PYTHON, "-m", "tests.bench_listeners", "127.0.0.1", str(server.port), str(number), str(seconds))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout
        process.stdout.readline()
        begun, cpu = time.monotonic(), server.cpu
        found = json.loads(process.stdout.readline())
        return found, (server.cpu - cpu) / (time.monotonic() - begun)


def show_mute(seconds: float, number: int = 20) -> None:
    """Clients that never read, beside one that does."""
    with serve(*SIM) as server, ExitStack() as stack:
        honest = joined(server, stack)
        listened([honest], SETTLED)
        print(f"before: {server.resident:.1f} MB, {clients(server)} clients")
        for _ in range(number):
            joined(server, stack)
        for part in range(1, 7):
            waits = listened([honest], seconds / 6)
            print(f"after {part * seconds / 6:.0f} s: {server.resident:.1f} MB, {clients(server)} clients; the one "
                  f"that reads: {len(waits)} frames, longest pause {1e3 * max(waits):.0f} ms", flush=True)


def joined(server: Server, stack: ExitStack) -> Client:
    """A client of the stream."""
    client = stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), 10)))
    client.sendall(REQUEST)
    top = client.recv(4096, socket.MSG_PEEK).index(b"\r\n\r\n") + 4
    client.recv(top)
    return Client(client)


def listened(readers: list[Client], seconds: float) -> list[float]:
    """Seconds between frames of the first, while all are read."""
    waits, last, end = [], time.monotonic(), time.monotonic() + seconds
    while time.monotonic() < end:
        for reader in readers:
            if reader.frames() and reader is readers[0]:
                now = time.monotonic()
                waits.append(now - last)
                last = now
    return waits


def clients(server: Server) -> int:
    """How many clients the server says it has."""
    with urlopen(server.url("/metrics"), timeout=10) as answer:
        found = re.search(r"^qmo_clients (\d+)", answer.read().decode(), re.MULTILINE)
    assert found
    return int(found[1])


def show_latency(seconds: float, rate: int = 1_000) -> None:
    """From a tick at the exchange's gateway to the browser."""
    print("| records/s | frames | p50 | p90 | p99 | longest |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        source = folder / "source.dbn"
        market = ("feed", "sim", "--records", str(int(rate * (seconds + 30))), "--rate", str(rate), "--gaps", "0")
        with source.open("wb") as file:
            subprocess.run((*QMO, *market, "--encoding", "dbn"), stdout=file, env=environment(), check=True)
        address = stack.enter_context(gateway(folder, str(source), "--shift"))
        server = stack.enter_context(serve("live", "--gateway", address, more=KEY))
        found = list(arrivals(joined(server, stack), seconds))
    parts = " | ".join(f"{quantile(found, share):.1f} ms" for share in (0.5, 0.9, 0.99))
    print(f"| {rate:,} | {len(found):,} | {parts} | {max(found):.1f} ms |\n\nFrom the end of a frame of 50 ms, up to "
          f"{1e3 / rate:.0f} ms after its last record was sent, to its arrival at a WebSocket client; the description "
          f"allows {BUDGET} ms.")


def arrivals(client: Client, seconds: float) -> Iterator[float]:
    """How late (ms) each frame comes that tells of a packet."""
    last, begun = b"", 0.0
    while not begun or time.monotonic() < begun + SETTLED + seconds:
        texts, now = client.frames(), time.time_ns()
        for text in texts:
            found = TS.search(text[:200])
            if found is None or found[1] == last:
                continue
            last, begun = found[1], begun or time.monotonic()
            if time.monotonic() > begun + SETTLED:
                yield (now - int(last)) / 1e6


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["http", "stream", "mute", "latency", "bare"])
    parser.add_argument("--seconds", type=float)
    given = parser.parse_args()
    if given.what == "http":
        show_http(given.seconds or 5)
    elif given.what == "stream":
        show_stream(given.seconds or 10)
    elif given.what == "mute":
        show_mute(given.seconds or 60)
    elif given.what == "latency":
        show_latency(given.seconds or 30)
    else:
        bare()


if __name__ == "__main__":
    main()
