"""The pages of the engines say what the engines are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import msgspec
import pytest

from qmo_cli.engines import ENGINES
from qmo_cli.pipeline import parameters

from .conftest import ROOT
from .engine_pages import DAY, PAGES, POORER, field_comments, names, page, path_of, reasons_of, words

Run = Callable[[str], str]


@pytest.fixture(scope="module")
def shell(shell_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a command where the pages' day is, which is made once."""
    folder = tmp_path_factory.mktemp("day")
    (folder / "docs").symlink_to(ROOT / "docs")

    def run(command: str) -> str:
        return subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, env=shell_environment, cwd=folder, timeout=120,
            check=True,
        ).stdout

    run(DAY)
    return run


@pytest.fixture(scope="module")
def missing(shell: Run) -> dict[str, list[str]]:
    """The reasons for null in the pages' runs."""
    lines = chain(shell("cat day.ndjson").splitlines(), *(shell(command).splitlines() for command in POORER))
    return reasons_of(lines)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
@pytest.mark.parametrize("name", names())
def test_the_page_of_an_engine_is_up_to_date(
    name: str, shell: Run, missing: dict[str, list[str]], update: bool,
) -> None:
    text = page(name, shell, missing)
    if update:
        path_of(name).write_text(text)
    assert path_of(name).read_text() == text


def test_there_is_no_page_without_an_engine() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(names())


@pytest.mark.parametrize("name", ENGINES)
def test_a_page_names_every_parameter_and_every_field(name: str) -> None:
    text = path_of(name).read_text()
    for parameter in parameters(ENGINES[name]):
        assert f"`{name}.{parameter}`" in text
    for field in ENGINES[name].reading.__struct_encode_fields__:
        assert f"| `{field}` |" in text


def test_a_field_s_comment_is_found_in_the_source(tmp_path: Path) -> None:
    from qmo_cli.engines.iceberg.told import IcebergReading

    found = field_comments(IcebergReading)
    assert set(found) <= set(IcebergReading.__struct_fields__)
    assert found["fdr"] in Path(ROOT / "qmo_cli/engines/iceberg/told.py").read_text()


def test_types_are_told_in_the_words_of_json() -> None:
    from typing import Literal

    class Part(msgspec.Struct):
        """A part."""

    assert words(float | None) == "number or null"
    assert words(Literal["B", "A"]) == "`B`, `A`"
    assert words(list[Part]) == "list of [Part](#part)"


def test_reasons_that_differ_by_their_numbers_are_told_once() -> None:
    lines = ['{"missing":{"a":"1 of 14"}}', '{"missing":{"a":"2 of 14"}}', '{"missing":{"a":"needs mbo"}}']
    assert reasons_of(lines) == {"a": ["1 of 14", "needs mbo"]}
