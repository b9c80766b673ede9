"""Without a compiler qmo runs interpreted: the same laws hold there, and it prints the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import qmo_cli
from qmo_cli.market import reader

from . import interpreted

PACKAGE = Path(qmo_cli.__file__).parent
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def printed_interpreted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the reduced laws print on a copy of the package that has no compiled modules."""
    folder = tmp_path_factory.mktemp("interpreted")
    not_code = shutil.ignore_patterns("*.so", "*.pyd", "*.c", "__pycache__", "golden")
    shutil.copytree(PACKAGE, folder / "qmo_cli", ignore=not_code)
    shutil.copytree(TESTS, folder / "tests", ignore=not_code)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.interpreted"], cwd=folder, env=environment, capture_output=True, check=False,
        timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_laws_hold_without_compiled_modules(printed_interpreted: bytes) -> None:
    assert printed_interpreted.count(b'"schema":"packet"') > 300
    assert printed_interpreted.count(b'"schema":"mbo"') > 3000


def test_the_interpreted_reader_prints_what_the_compiled_one_prints(printed_interpreted: bytes) -> None:
    if not reader.COMPILED:
        pytest.skip("the compiled modules are not built here, so there is nothing to compare with")
    compiled = interpreted.printed().split(b"\n")
    found = printed_interpreted.split(b"\n")
    assert [index for index, (one, other) in enumerate(zip(found, compiled, strict=False)) if one != other] == []
    assert len(found) == len(compiled)
