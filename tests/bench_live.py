"""The live stream on the clock: ``python -m tests.bench_live latency``, ``faults`` or ``soak``.

A gateway in a process of its own serves a simulated market as if it happened now, and ``qmo run live`` follows it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from tests.bench_processes import QMO, environment

KEY = {"DATABENTO_API_KEY": "db-rehearsal-of-a-key"}
RATES = (1_000, 20_000)             # records per second
BUDGET = (28, 59)                   # ms from message to signal, by the original description
SETTLED = 2.0                       # s that are left out at the beginning
TS = re.compile(rb'"ts":"(\d+)"')
FAULTS = (
    "fin", "rst", "torn", "stall@0", "stall", "corrupt", "early@0", "mute@0", "down:60", "error:1", "error:2",
    "error:3", "error:4", "error:5", "error:6", "error:7", "error:8", "duplicate", "swap", "late:0.5", "late:3",
)


@contextmanager
def gateway(folder: Path, *arguments: str) -> Iterator[str]:
    """A gateway that runs; its address."""
    port = folder / "port"
    port.unlink(missing_ok=True)
    command = (*QMO, "gateway", *arguments, "--port", "0", "--port-file", str(port))
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
        try:
            while not port.exists() and process.poll() is None:
                time.sleep(0.02)
            yield f"127.0.0.1:{port.read_text().strip()}"
        finally:
            process.terminate()


def latencies(rate: int, seconds: float, folder: Path) -> list[float]:
    """From the end of each frame to the arrival of its signal, ms."""
    source = folder / f"{rate}.dbn"
    records = str(int(rate * (seconds + 10)))
    with source.open("wb") as file:
        simulate = ("feed", "sim", "--records", records, "--rate", str(rate), "--gaps", "0", "--encoding", "dbn")
        subprocess.run((*QMO, *simulate), stdout=file, env=environment(), check=True)
    with gateway(folder, str(source), "--shift") as address:
        command = (*QMO, "run", "live", "--gateway", address)
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment() | KEY) as process:
            try:
                return list(arrivals(process, seconds))
            finally:
                process.terminate()


def arrivals(process: subprocess.Popen[bytes], seconds: float) -> Iterator[float]:
    """How late (ms) each line of signals comes."""
    assert process.stdout
    pending, begun = b"", 0.0
    while data := os.read(process.stdout.fileno(), 1 << 20):
        now = time.time_ns()
        begun = begun or time.monotonic()
        *lines, pending = (pending + data).split(b"\n")
        passed = time.monotonic() - begun
        for line in lines:
            found = TS.search(line)
            if found and passed > SETTLED:
                yield (now - int(found[1])) / 1e6
        if passed > SETTLED + seconds:
            return


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show_latency(seconds: float, folder: Path) -> None:
    print("| records/s | frames | p50 | p90 | p99 | p99.9 | longest |\n|---|---|---|---|---|---|---|")
    for rate in RATES:
        found = latencies(rate, seconds, folder)
        parts = [quantile(found, share) for share in (0.5, 0.9, 0.99, 0.999)]
        row = " | ".join(f"{part:.1f} ms" for part in (*parts, max(found)))
        print(f"| {rate:,} | {len(found):,} | {row} |", flush=True)
    print("\nFrom the end of a 50 ms frame to its signal line; in silence 10 ms of it are grace. "
          f"The description's budget is {BUDGET[0]} to {BUDGET[1]} ms.")


def show_faults() -> None:
    """What each fault costs: in process, with the vendor's client."""
    from collections import Counter

    from tests.live_harness import follow, market, records, serve

    source = records(market())
    with serve() as server:
        follow(server, len(source))  # what is imported is imported by then
    print("| fault | records lost | told | seconds to recover |\n|---|---|---|---|")
    for name in FAULTS:
        fault = name if "@" in name else f"{name}@{len(source) // 2}"
        with serve(fault) as server:
            outcome = follow(server, len(source), patience=90.0)
        lost = sum((Counter(source) - Counter(outcome.records)).values())
        told = ", ".join(kind for kind in outcome.kinds if kind not in ("live", "end"))
        over = f"ends: {outcome.error}" if outcome.error else f"{outcome.longest_pause:.2f}"
        print(f"| {fault} | {lost} | {told or '-'} | {over} |", flush=True)


def soak(minutes: float, rate: int, folder: Path) -> None:
    """Memory while a stream is followed for long, and whether anything of it is lost."""
    capture, market = folder / "soak.dbn", ("--minutes", str(minutes + 5), "--rate", str(rate), "--gaps", "0")
    with gateway(folder, "sim", *market) as address:
        command = (*QMO, "run", "live", "--gateway", address, "--record", str(capture))
        with (folder / "signals").open("wb") as out, \
                subprocess.Popen(command, stdout=out, env=environment() | KEY) as process:
            for minute in range(int(minutes)):
                time.sleep(60)
                print(f"minute {minute + 1}: {resident(process.pid) / 1e6:.1f} MB, {capture.stat().st_size:,} bytes",
                      flush=True)
            process.terminate()
            print(f"exit code {process.wait(60)}")
    compare(capture, market)


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) << 10


def compare(capture: Path, market: tuple[str, ...]) -> None:
    """Hold the orders of a capture to those of the market."""
    from qmo_cli.feeds.files import open_source
    from qmo_cli.feeds.sim import SimOptions, simulate
    from tests.live_harness import records

    options = dict(zip(market[::2], market[1::2], strict=True))
    source = simulate(SimOptions(minutes=float(options["--minutes"]), rate=float(options["--rate"]), gaps=0))
    wanted = chain.from_iterable(records([block]) for block in source)
    got = (one for block in open_source([str(capture)]) for one in records([block]) if not one[36] & 32)
    first = next(got)
    skipped = next(number for number, one in enumerate(wanted) if one == first)
    same = 1 + sum(1 for mine, theirs in zip(got, wanted, strict=False) if mine == theirs)
    left = sum(1 for _ in got)
    print(f"{same:,} records as sent from number {skipped + 1:,} on, {left:,} others")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["latency", "faults", "soak"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "latency":
            show_latency(given.seconds, Path(folder))
        elif given.what == "faults":
            show_faults()
        else:
            soak(given.minutes, given.rate, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
