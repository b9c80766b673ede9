"""How long a signal takes to arrive when records come in one by one, slowly, through a pipe."""

from __future__ import annotations

import itertools
import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from tests.bench_processes import QMO, STAGES, BenchmarkError, Chain, Command, run

SECOND = 10**9
RATE = 20                                # records per second of event time
PAUSE = 0.005                            # s between two records
SETTLED = 1.5                            # s that the processes have to get ready before the first record
CHAINS: dict[str, list[Command]] = {
    "route | engine all | score | signal": [(*QMO, *stage) for stage in STAGES],
    "run -": [(*QMO, "run", "-")],
}


@dataclass(frozen=True, slots=True)
class Latency:
    """Times in s from writing the record that closes a frame to the arrival of its signal."""

    first: float                         # of the first frame, when the later stages meet their first packet
    later: list[float]

    @property
    def half(self) -> float:
        """The median of those after the first."""
        return median(self.later)


def frames(number: int, limit: float) -> list[list[bytes]]:
    """Lines of simulated records, by the second of event time that they belong to."""
    minutes = str((number + 10) / 60)
    command = (*QMO, "feed", "sim", "--minutes", minutes, "--rate", str(RATE))
    lines = run([command], limit, keep=True).output.splitlines(keepends=True)
    return [list(group) for _, group in itertools.groupby(lines, key=second)]


def second(line: bytes) -> int:
    """The second of event time of a record's line."""
    return int(json.loads(line)["ts_recv"]) // SECOND


def measure(commands: Sequence[Command], number: int, limit: float) -> Latency:
    """Feed the lines of ``number`` frames and one more, and time each frame's signal."""
    first, *rest = frames(number + 1, limit)
    with Chain(commands, limit, subprocess.PIPE, subprocess.PIPE) as chain:
        time.sleep(SETTLED)
        told = [*talk(chain, first[0] if len(first) == 1 else b"".join(first), rest[:number + 1], second(first[-1]))]
    return Latency(told[0], told[1:])


def talk(chain: Chain, opening: bytes, later: list[list[bytes]], now: int) -> list[float]:
    """Write a frame after the other; the first record of each closes the one before."""
    waits = []
    write(chain, opening)
    time.sleep(PAUSE)
    for frame in later:
        start = perf_counter()
        write(chain, frame[0])
        line = read_line(chain)
        waits.append(perf_counter() - start)
        expect(line, (now + 1) * SECOND)
        now = second(frame[0])
        for record in frame[1:]:
            time.sleep(PAUSE)
            write(chain, record)
        time.sleep(PAUSE)
    return waits


def write(chain: Chain, data: bytes) -> None:
    """Put bytes into the first process at once."""
    stdin = chain.processes[0].stdin
    assert stdin
    stdin.write(data)
    stdin.flush()


def read_line(chain: Chain) -> bytes:
    """The next bytes from the last process, up to the end of a line. Raises BenchmarkError when none come."""
    stdout = chain.processes[-1].stdout
    assert stdout
    data = b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([stdout], [], [], chain.limit)
        piece = os.read(stdout.fileno(), 1 << 16) if ready else b""
        if not piece:
            raise BenchmarkError(f"no signal came: {chain.complaint(0)} {chain.complaint(-1)}")
        data += piece
    return data


def expect(line: bytes, ts: int) -> None:
    """Raise BenchmarkError unless the line is the signal of the frame that ends at a time."""
    if json.loads(line.splitlines()[0])["ts"] != str(ts):
        raise BenchmarkError(f"the signal of the frame that ends at {ts} was due, there came {line[:80]!r}")
