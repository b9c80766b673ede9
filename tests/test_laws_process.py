"""The pipe law and the replay law with real processes: five stages in a pipe against one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from qmo_cli.engines import ENGINES
from qmo_cli.feeds.files import open_source
from qmo_cli.ndjson import DbnWriter

from .laws import ENCODINGS, engine_orders
from .support import SHARED

Environment = dict[str, str]
ES = SHARED / "data" / "mbo" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
BLOCKS_OF_ES = 4                                     # the snapshot and some minutes
SIMULATED = "sim --minutes 3 --rate 30 --icebergs 0.05 --seed 9"
ONE_EACH = " | ".join(f"qmo engine {stage[0]}" for stage in engine_orders()[-1])

real = pytest.mark.skipif(not ES.exists(), reason="needs the real market data beside the repository")
sources = pytest.mark.parametrize("source", ["simulated", pytest.param("real", marks=real)])
encodings = pytest.mark.parametrize("encoding", ENCODINGS)
Shell = Callable[[str], bytes]


@pytest.fixture
def shell(shell_environment: Environment, tmp_path: Path) -> Shell:
    """Run a command line; every stage of it must succeed without a word."""

    def run(command: str) -> bytes:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, env=shell_environment, cwd=tmp_path,
            timeout=120, check=False, stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stderr) == (0, b""), command
        return done.stdout

    return run


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What to call the sources on a command line. Of the real day the first records, in a file of their own."""
    found = {"simulated": SIMULATED}
    if ES.exists():
        part = tmp_path_factory.mktemp("real") / "part.dbn"
        writer, records = DbnWriter(), islice(open_source([str(ES)]), BLOCKS_OF_ES)
        part.write_bytes(b"".join(map(writer.encode, records)))
        found["real"] = str(part)
    return found


@sources
@pytest.mark.parametrize(("encoding", "options"), [
    ("ndjson", ""), ("dbn", "--every 50ms --access l2"), ("ndjson", "--every trade"),
    ("dbn", "--every 500 --access l1"),
])
def test_stages_in_a_pipe_print_what_one_process_prints(
    source: str, encoding: str, options: str, names: dict[str, str], shell: Shell,
) -> None:
    piped = shell(
        f"qmo feed {names[source]} --encoding {encoding} | qmo route {options} | qmo engine all | qmo score | "
        "qmo signal --full")
    whole = shell(f"qmo run {names[source]} {options} --full")
    assert piped.count(b"\n") > 10
    assert piped == whole


@sources
def test_a_stage_for_each_engine_prints_what_one_process_prints(
    source: str, names: dict[str, str], shell: Shell,
) -> None:
    assert len(engine_orders()[-1]) == len(ENGINES)
    piped = shell(f"qmo feed {names[source]} --encoding dbn | qmo route | {ONE_EACH} | qmo score | qmo signal")
    assert piped == shell(f"qmo run {names[source]}")


@sources
@encodings
def test_a_capture_in_a_file_prints_what_its_source_printed(
    source: str, encoding: str, names: dict[str, str], shell: Shell,
) -> None:
    shell(f"qmo feed {names[source]} --encoding {encoding} > capture")
    whole = shell(f"qmo run {names[source]} --full")
    assert shell("qmo run capture --full") == whole
    assert shell("gzip -k capture; qmo run capture.gz --full") == whole
    assert shell("qmo run - --full < capture") == whole


@sources
def test_records_that_change_their_form_again_and_again_stay_the_same(
    source: str, names: dict[str, str], shell: Shell,
) -> None:
    once = shell(f"qmo feed {names[source]}")
    again = shell(
        f"qmo feed {names[source]} --encoding dbn | qmo feed - | qmo feed - --encoding dbn | "
        "qmo feed - --encoding dbn | qmo feed -")
    assert once.count(b"\n") > 1000
    assert again == once
