"""Completions as a person gets them: real shells, the files that are shipped, TAB."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qmo_cli.cli import COMMANDS

from .conftest import ROOT
from .shells import Shell

SCRIPTS = ROOT / "completions"
# What is typed, and what has become of it.
ALONE = {
    "qmo fe": "qmo feed",                                           # a command
    "qmo run --ev": "qmo run --every",                              # an option whose help has every kind of mark
    "qmo systemd print qmo-se": "qmo systemd print qmo-serve.service",
    "qmo engine ic": "qmo engine iceberg",
    "qmo run two": "qmo run two\\ words.dbn",                       # a file
    "qmo feed --record=da": "qmo feed --record=day.dbn",            # of an option whose value is a file
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files to complete."""
    path = tmp_path_factory.mktemp("completion")
    (path / "day.dbn").touch()
    (path / "two words.dbn").touch()
    return path


@pytest.fixture(scope="module", params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, folder: Path, shell_environment: dict[str, str]) -> Iterator[Shell]:
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    with Shell(request.param, SCRIPTS, folder, shell_environment) as started:
        yield started


@pytest.mark.parametrize(("typed", "line"), ALONE.items())
def test_what_alone_can_be_meant_is_written_out(shell: Shell, typed: str, line: str) -> None:
    assert shell.complete(typed)[0].rstrip(" ") == line


def test_of_several_all_are_shown_and_what_was_typed_stays(shell: Shell) -> None:
    line, shown = shell.complete("qmo run --access=")
    assert line == "qmo run --access=l"
    assert re.search(r"l1 +l2 +l3", shown)


def fish(folder: Path, environment: dict[str, str], *lines: str) -> list[list[str]]:
    """What fish offers for each line: word and description."""
    asked = "; ".join(f"complete -C '{line}'; echo; echo ==" for line in lines)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {SCRIPTS / 'qmo.fish'}; {asked}"], cwd=folder, capture_output=True,
        text=True, check=True, env=environment, timeout=60)
    assert done.stderr == ""
    return [answer.split("\n") for answer in done.stdout.split("\n==\n")][:-1]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_offers_words_with_what_they_mean(folder: Path, shell_environment: dict[str, str]) -> None:
    lines = [line.replace("two", "tw") for line in ALONE]
    offered = fish(folder, shell_environment, *lines, "qmo run --access=")
    words = [[word.split("\t")[0] for word in answer if word] for answer in offered]
    assert words == [
        ["feed"], ["--every"], ["qmo-serve.service"], ["iceberg"], ["two words.dbn"], ["--record=day.dbn"],
        ["--access=l1", "--access=l2", "--access=l3"],
    ]
    assert f"feed\t{COMMANDS['feed']}" in offered[0]


@pytest.mark.parametrize(("kind", "name"), [("bash", "qmo"), ("zsh", "_qmo"), ("fish", "qmo.fish")])
def test_a_completion_script_is_accepted_by_its_shell(kind: str, name: str) -> None:
    if not shutil.which(kind):
        pytest.skip(f"{kind} is not installed")
    subprocess.run([kind, "-n", str(SCRIPTS / name)], check=True)
