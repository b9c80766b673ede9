"""The benchmark still runs, on few records; how fast anything is, no test says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from qmo_cli.engines import ENGINES
from tests import bench_latency
from tests.bench import OPEN, main
from tests.bench_inside import decode, make
from tests.bench_processes import PYTHON, QMO, ROOT, BenchmarkError, run
from tests.support import read_dbn

RECORDS = 20_000


def test_the_benchmark_prints_its_tables_and_leaves_no_files(tmp_path: Path) -> None:
    rows = ("decode", "route", "run", "dbn", "ndjson", "stages")
    only = [word for row in rows for word in ("--only", row)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--records", str(RECORDS), "--runs", "1", "--file", "dense", "--markdown",
         *only], capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in done.stdout.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    measured = {row[1]: row for row in cells if row[0] == "dense"}
    assert len(measured) == 5
    peaks = measured[r"qmo feed FILE \| route \| engine all \| score \| signal"][7]
    assert len(peaks.split()) == 5
    stages = [row[0] for row in cells if len(row) == 4]
    assert stages[2:] == ["decode", "route", *ENGINES, "score", "signal", "writing", "all"]
    assert list(tmp_path.iterdir()) == []


def test_the_day_begins_at_the_open_of_chicago_and_ends_at_its_close(tmp_path: Path) -> None:
    path, start = tmp_path / "day.dbn.zst", int(OPEN.timestamp())
    assert make(str(path), "4000", str(4000 / 82_800), str(start * 10**9)) == {"records": 4000}
    records = read_dbn(path)
    times = [int.from_bytes(record[40:48], "little") // 10**9 for record in records]  # ts_recv of MBO
    assert {(len(record), record[1]) for record in records} == {(56, 160)}
    assert (OPEN.hour, OPEN.utcoffset()) == (17, datetime(2026, 10, 5, tzinfo=ZoneInfo("America/Chicago")).utcoffset())
    assert times[0] == start
    assert start + 12 * 3600 < times[-1] < start + 30 * 3600  # over few records the market's pace does not average out
    assert decode(str(path))["records"] == 4000


def test_files_that_are_kept_are_used_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--records", "2000", "--runs", "1", "--file", "day", "--only", "decode", "--dir", str(tmp_path)]
    assert main(words) == 0
    made = (tmp_path / "day-2000.dbn.zst").stat().st_mtime_ns
    assert main(words) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["day-2000.dbn.zst"]
    assert (tmp_path / "day-2000.dbn.zst").stat().st_mtime_ns == made
    assert capsys.readouterr().err.count("making") == 1


def test_each_frame_that_slow_records_close_gets_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_latency, "PAUSE", 0.001)
    monkeypatch.setattr(bench_latency, "SETTLED", 0.0)
    for commands in bench_latency.CHAINS.values():
        assert len(bench_latency.measure(commands, 2, 60).later) == 2


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"run .*gone\.dbn: exit code 69\n.*no such file"):
        run([(*QMO, "run", str(tmp_path / "gone.dbn"))], 60)


def test_a_chain_that_hangs_is_ended_at_its_limit() -> None:
    with pytest.raises(BenchmarkError, match="exit code -9"):
        run([(PYTHON, "-c", "import time; time.sleep(60)"), (PYTHON, "-c", "import sys; sys.stdin.read()")], 0.5)


def test_a_run_knows_what_each_process_needed() -> None:
    greedy = "import sys; sys.stdin.read(); print(len(b'.' * 300_000_000))"  # written to, so resident
    # from a process as small as the benchmark's own: a child counts as having held what its parent did
    script = (
        "from tests.bench_processes import PYTHON, run; import json; "
        f"ran = run([(PYTHON, '-c', 'print(1)'), (PYTHON, '-c', {greedy!r})], 60, keep=True); "
        "print(json.dumps([int(ran.output), [(usage.peak, usage.cpu) for usage in ran.usages]]))"
    )
    done = subprocess.run([PYTHON, "-c", script], capture_output=True, check=True, cwd=ROOT, timeout=60)
    output, ((small, first), (large, second)) = json.loads(done.stdout)
    assert output == 300_000_000
    assert large > 300_000_000 > small
    assert min(first, second) > 0
