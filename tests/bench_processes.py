"""Real processes on the clock: a chain of commands, what each of them needed, and an end for all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
QMO = (PYTHON, "-m", "qmo_cli")
INSIDE = (PYTHON, "-m", "tests.bench_inside")
STAGES = (("route",), ("engine", "all"), ("score",), ("signal",))
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which the system counts resident memory

Command = Sequence[str]


class BenchmarkError(Exception):
    """A measured command failed, hung, or gave something else than it must."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process needed."""

    cpu: float                           # s, user and system
    peak: int                            # bytes resident


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a chain of commands."""

    wall: float                          # s, from the start of the first process to the end of the last
    usages: list[Usage]                  # by process, in the order of the pipe
    output: bytes = b""


def environment() -> dict[str, str]:
    """Nobody's configuration file and options; a child finds this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QMO_")}
    return {**kept, "QMO_CONFIG": os.devnull, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@dataclass(slots=True)
class Chain:
    """Processes joined by pipes. A context: whatever still runs at its end, or at its time limit, is killed.

    A child counts as having held what its parent held when it was started, so this process must stay smaller than
    those it measures: it imports nothing but the standard library until all is measured.
    """

    commands: Sequence[Command]
    limit: float                         # s
    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.DEVNULL     # of the last
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)
    complaints: list[IO[bytes]] = field(default_factory=list, init=False)
    usages: list[Usage] = field(default_factory=list, init=False)
    timer: threading.Timer = field(init=False)

    def __enter__(self) -> Self:
        self.timer = threading.Timer(self.limit, self.kill)
        self.timer.daemon = True
        self.timer.start()
        try:
            for command in self.commands:
                self._start(command, last=len(self.processes) == len(self.commands) - 1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, command: Command, *, last: bool) -> None:
        complaint = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.complaints.append(complaint)
        before = self.processes[-1].stdout if self.processes else None
        self.processes.append(subprocess.Popen(
            command, stdin=before or self.stdin, stdout=self.stdout if last else subprocess.PIPE, stderr=complaint,
            cwd=ROOT, env=environment(),
        ))
        if before:
            before.close()

    def __exit__(self, *error: object) -> None:
        self.timer.cancel()
        self.kill()
        for process in self.processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        for complaint in self.complaints:
            complaint.close()

    def kill(self) -> None:
        """End all that still run."""
        for process in self.processes:
            process.kill()

    def wait(self) -> None:
        """Wait for all to end and note what they needed. Raises BenchmarkError when one failed."""
        for index, process in enumerate(self.processes):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.usages.append(Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT))
            if process.returncode:
                raise BenchmarkError(f"{words(self.commands[index])}: exit code {process.returncode}\n"
                                     f"{self.complaint(index)}")

    def complaint(self, index: int) -> str:
        """What a process said on stderr."""
        file = self.complaints[index]
        file.seek(0)
        return file.read()[-2000:].decode(errors="replace").strip() or f"nothing on stderr; the limit is {self.limit} s"


def words(command: Command) -> str:
    """A command as one writes it."""
    return " ".join(command[len(QMO):] if tuple(command[:len(QMO)]) == QMO else command)


def run(commands: Sequence[Command], limit: float, *, source: str | None = None, keep: bool = False) -> Ran:
    """Run a chain to its end, its output kept or thrown away; ``source`` is a file as its standard input."""
    stdin = os.open(source or os.devnull, os.O_RDONLY)
    try:
        start = perf_counter()
        with Chain(commands, limit, stdin, subprocess.PIPE if keep else subprocess.DEVNULL) as chain:
            output: Any = chain.processes[-1].stdout
            kept = output.read() if keep else b""
            chain.wait()
            return Ran(perf_counter() - start, chain.usages, kept)
    finally:
        os.close(stdin)


def median_of(runs: int, commands: Sequence[Command], limit: float, **options: Any) -> Ran:
    """The run of median wall time, with the largest peaks of all the runs."""
    ran = sorted((run(commands, limit, **options) for _ in range(runs)), key=lambda one: one.wall)
    middle = ran[(runs - 1) // 2]
    peaks = [max(one.usages[index].peak for one in ran) for index in range(len(commands))]
    usages = [Usage(usage.cpu, peak) for usage, peak in zip(middle.usages, peaks, strict=True)]
    return Ran(middle.wall, usages, middle.output)
