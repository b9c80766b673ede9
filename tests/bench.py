"""How fast qmo is on this machine: ``python -m tests.bench``.

Makes two files of simulated market by order, *dense* (1,000 records a second of event time) and *day* (a whole trade
date of 23 hours), both ``.dbn.zst``, and measures whole processes on them: from the start of the first to the end of
the last, interpreter and imports included, output thrown away. Peaks are resident memory of each process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from tests import bench_latency
from tests.bench_processes import INSIDE, PYTHON, QMO, STAGES, BenchmarkError, Command, Ran, Usage, median_of, run

RECORDS, QUICK = 5_000_000, 500_000
DAY = 82_800                             # s from 17:00 to 16:00 the next day
OPEN = datetime(2026, 10, 5, 17, tzinfo=ZoneInfo("America/Chicago"))
STARTS = 10                              # runs of commands that only start
FRAMES = 20                              # whose latency is measured, after the first
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Input:
    """A file to be measured with."""

    name: str
    rate: float | None = None            # records per second of event time
    seconds: int | None = None           # of event time, where the rate follows from that

    def pace(self, records: int) -> float:
        """The rate that makes so many records."""
        return self.rate or records / (self.seconds or 1)


INPUTS = (Input("dense", rate=1000.0), Input("day", seconds=DAY))


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table: the commands, given the file."""

    name: str
    title: str
    chain: Sequence[Command]             # FILE stands for the file
    stdin: bool = False                  # whether the file is standard input
    inside: bool = False                 # whether the process tells its own time

    def commands(self, path: str) -> list[Command]:
        """The commands for this file."""
        return [[path if word == FILE else word for word in command] for command in self.chain]


FILE = "FILE"
PIPED = [(*QMO, *stage) for stage in STAGES]
MEASURES = (
    Measure("decode", "decode only: qmo's reader of files", [(*INSIDE, "decode", FILE)], inside=True),
    Measure("databento", "decode only: DBNStore.to_ndarray(count=65536)", [(*INSIDE, "databento", FILE)], inside=True),
    Measure("route", "qmo route < FILE", [(*QMO, "route")], stdin=True),
    Measure("run", "qmo run FILE", [(*QMO, "run", FILE)]),
    Measure("dbn", "qmo feed FILE --encoding dbn | route | engine all | score | signal",
            [(*QMO, "feed", FILE, "--encoding", "dbn"), *PIPED]),
    Measure("ndjson", "qmo feed FILE | route | engine all | score | signal", [(*QMO, "feed", FILE), *PIPED]),
)
# What was set out to be reached.
AIMS = {
    ("run", "dense"): "4 M/s", ("run", "day"): "5 s", ("dbn", "dense"): "2 M/s", ("ndjson", "dense"): "1 M/s",
}
OTHERS = ("stages", "help", "latency")


@dataclass(slots=True)
class Bench:
    """What is measured, and how often."""

    records: int
    runs: int
    only: Sequence[str]
    limit: float
    folder: Path
    inputs: Sequence[Input] = INPUTS
    paths: dict[str, str] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Whether a row was asked for."""
        return not self.only or name in self.only

    def prepare(self) -> None:
        """Make the files that are not there."""
        for source in self.inputs:
            path = self.folder / f"{source.name}-{self.records}.dbn.zst"
            self.paths[source.name] = str(path)
            if not path.exists():
                tell(f"making {path.name}")
                start = int(OPEN.timestamp()) * 10**9
                rate = str(source.pace(self.records))
                run([(*INSIDE, "make", str(path), str(self.records), rate, str(start))], self.limit)

    def processes(self) -> list[list[Any]]:
        """Rows of whole processes."""
        rows = []
        for name, path in self.paths.items():
            base = None
            for measure in filter(lambda measure: self.wants(measure.name), MEASURES):
                tell(f"{name}: {measure.title}")
                ran = median_of(self.runs, measure.commands(path), self.limit, keep=measure.inside,
                                source=path if measure.stdin else None)
                base = ran.wall if measure.name == "decode" else base
                rows.append(self.row(name, measure, ran, base))
        return rows

    def row(self, name: str, measure: Measure, ran: Ran, base: float | None) -> list[Any]:
        """One row."""
        told = json.loads(ran.output) if measure.inside else None
        if told and told["records"] != self.records:
            raise BenchmarkError(f"{measure.title}: {told['records']} records, there are {self.records}")
        return [
            name, measure.title, ran.wall, told and told["seconds"], self.records / ran.wall / MEGA,
            base and ran.wall / base, joined(ran.usages, lambda usage: f"{usage.cpu:.1f}"),
            joined(ran.usages, lambda usage: f"{usage.peak / MEGA:.0f}"), AIMS.get((measure.name, name)),
        ]

    def shares(self) -> list[list[Any]]:
        """Rows of stages inside one process: seconds, share and time per packet, for each file."""
        found = {}
        for name, path in self.paths.items():
            tell(f"{name}: stages")
            found[name] = json.loads(run([(*INSIDE, "stages", path)], self.limit, keep=True).output)
        rows = [[stage] for stage in next(iter(found.values()))["nanoseconds"]]
        for told in found.values():
            whole = sum(told["nanoseconds"].values())
            for row in rows:
                spent = told["nanoseconds"][row[0]]
                row += [spent / 1e9, 100 * spent / whole, spent / 1e3 / told["packets"]]
        return [*rows, self.total(rows, list(found.values()))]

    def total(self, rows: list[list[Any]], found: list[Any]) -> list[Any]:
        """The sums of the columns."""
        return ["all", *(sum(row[index] for row in rows) for index in range(1, 1 + 3 * len(found)))]

    def small(self) -> list[list[Any]]:
        """Rows of what is short."""
        rows: list[list[Any]] = []
        if self.wants("help"):
            tell("starts")
            rows += starts(self.limit)
        if self.wants("latency"):
            for words, commands in bench_latency.CHAINS.items():
                tell(f"latency: {words}")
                found = bench_latency.measure(commands, FRAMES, min(self.limit, 60))
                frame = f"frame's end to signal, qmo {words}"
                rows += [
                    [f"{frame}: first frame", 1e3 * found.first, "50 ms"],
                    [f"{frame}: median of {len(found.later)} more", 1e3 * found.half, "50 ms"],
                    [f"{frame}: longest of them", 1e3 * max(found.later), "50 ms"],
                ]
        return rows


def starts(limit: float) -> list[list[Any]]:
    """The help page against the import of click, in turns."""
    script = Path(PYTHON).with_name("qmo")
    helps: Command = (str(script), "--help") if script.exists() else (*QMO, "--help")
    pairs = [(run([helps], limit).wall, run([(PYTHON, "-c", "import click")], limit).wall) for _ in range(STARTS)]
    ours, bare = (median(times) for times in zip(*pairs, strict=True))
    return [
        [f"{'qmo' if script.exists() else 'python -m qmo_cli'} --help, median of {STARTS}", 1e3 * ours, None],
        [f"python -c 'import click', median of {STARTS}", 1e3 * bare, None],
        ["the one over the other, a ratio", ours / bare, "1.5"],
    ]


def joined(usages: list[Usage], shown: Callable[[Usage], str]) -> str:
    """A number for each process, in the order of the pipe."""
    return " ".join(shown(usage) for usage in usages)


def tell(words: str) -> None:
    """Say on stderr what goes on."""
    print(f"bench: {words}", file=sys.stderr, flush=True)


def machine(limit: float) -> str:
    """Where the numbers come from."""
    version = run([(*QMO, "--version")], limit, keep=True).output.decode().strip()
    return (f"{os.cpu_count()} cores of {processor()}, {platform.system()}, Python {platform.python_version()}; "
            f"{version}; load average before: {os.getloadavg()[0]:.1f}")


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def report(bench: Bench, *, markdown: bool) -> Iterator[str]:
    """The tables. Everything is measured before tabulate is imported: this process must stay small."""
    where, processes = machine(bench.limit), bench.processes()
    shares, small = bench.shares() if bench.wants("stages") else [], bench.small()
    from tabulate import tabulate

    def table(rows: list[list[Any]], headers: Sequence[str], formats: str | Sequence[str]) -> str:
        shown = [[show(cell, markdown=markdown) for cell in row] for row in rows]
        text: str = tabulate(shown, headers, "github" if markdown else "simple", floatfmt=formats)
        return text

    yield f"{where}; {bench.records:,} records in each file; median of {bench.runs}"
    if processes:
        yield table(processes, ("file", "whole processes", "wall s", "s without start", "M records/s", "x decode",
                                "CPU s of each", "peak MB of each", "aim"),
                    ("", "", ".2f", ".2f", ".2f", ".1f", "", "", ""))
    if shares:
        names = [f"{name} {unit}" for name in bench.paths for unit in ("s", "%", "us/frame")]
        yield table(shares, ("stage of run, in one thread", *names), ("", *(".2f", ".0f", ".1f") * len(bench.paths)))
    if small:
        yield table(small, ("small things", "ms", "at most"), ("", ".1f", ""))


def show(cell: Any, *, markdown: bool) -> Any:
    """A cell: nothing where there is no value, and in Markdown a pipe that does not end it."""
    if isinstance(cell, str) and markdown:
        return cell.replace("|", "\\|")
    return "" if cell is None else cell


@contextmanager
def folder(kept: str | None) -> Iterator[Path]:
    """Where the files are: a place to keep, or one that goes away."""
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept).resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="qmo-bench-") as name:
            yield Path(name)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    names = [*(measure.name for measure in MEASURES), *OTHERS]
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=RECORDS, help=f"records in each file ({RECORDS:,})")
    parser.add_argument("--quick", dest="records", action="store_const", const=QUICK, help=f"{QUICK:,} records")
    parser.add_argument("--runs", type=int, default=3, help="runs of each chain, of which the median counts (3)")
    parser.add_argument("--only", action="append", default=[], choices=names, help="only this; may be repeated")
    parser.add_argument("--file", choices=[source.name for source in INPUTS], help="only with this file")
    parser.add_argument("--dir", help="keep the files in this directory, and use those that are there")
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a chain is ended (900)")
    parser.add_argument("--markdown", action="store_true", help="tables for a README")
    return parser.parse_args(words)


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Signal handler: end the children and remove the files on the way out."""
    sys.exit(128 + number)


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a measured command failed."""
    options = arguments(words)
    with folder(options.dir) as place:
        inputs = [source for source in INPUTS if options.file in (None, source.name)]
        bench = Bench(options.records, max(1, options.runs), options.only, options.limit, place, inputs)
        try:
            bench.prepare()
            print("\n\n".join(report(bench, markdown=options.markdown)))
        except BenchmarkError as error:
            tell(str(error))
            return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
