"""Golden cases: ``tests/golden/<case>/{cmd,in.ndjson,out.ndjson,err}``, each run by a real shell.

``cmd`` is what a user types, with ``in.ndjson`` on its standard input; ``err`` is what it says on stderr, and,
in a last line, its exit code where that is not 0. ``pytest --update`` rewrites out.ndjson and err.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CASES = sorted(path.parent for path in (Path(__file__).parent / "golden").glob("*/cmd"))


def run_case(case: Path, environment: dict[str, str]) -> tuple[str, str]:
    """What the case's command prints, and what it says."""
    given = case / "in.ndjson"
    with open(given if given.exists() else os.devnull, "rb") as source:
        done = subprocess.run(
            ["bash", "-c", "set -o pipefail; " + (case / "cmd").read_text()], stdin=source, capture_output=True,
            cwd=case, env=environment, timeout=120, check=False,
        )
    err = done.stderr.decode()
    if done.returncode:
        err += f"exit {done.returncode}\n"
    return done.stdout.decode(), err


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command_prints_what_it_printed_before(
    case: Path, shell_environment: dict[str, str], update: bool,
) -> None:
    out, err = run_case(case, shell_environment)
    if update:
        (case / "out.ndjson").write_text(out)
        (case / "err").write_text(err)
    assert out == (case / "out.ndjson").read_text()
    assert err == (case / "err").read_text()
