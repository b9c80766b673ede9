"""The published schemas fit the lines that the program really writes, and refuse others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qmo_cli import schemas
from qmo_cli.errors import UsageError

from .test_process import Environment, shell

LINES = [json.loads(line) for line in (Path(__file__).parent / "lines.ndjson").read_text().splitlines()]


def validator(name: str) -> Any:
    """Checks lines of one type."""
    schema = schemas.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["schema"])
def test_a_record_of_every_schema_fits_its_schema_and_no_other(line: dict[str, Any]) -> None:
    validator(line["schema"]).validate(line)
    other = "mbo" if line["schema"] != "mbo" else "trades"
    assert not validator(other).is_valid(line)


def test_there_is_a_line_of_every_schema() -> None:
    assert [line["schema"] for line in LINES] == schemas.names()[: len(LINES)]
    assert schemas.names()[len(LINES):] == [
        "packet", "iceberg-event", "memory-event", "absorption-event", "liquidity-event", "signal",
        "frame", "history", "alert",
        "memory-zone", "memory-retest", "memory-log", "risk",
        "evaluation", "evaluation-decoys", "evaluation-episodes", "evaluation-check",
        "evaluation-bars", "evaluation-dirt", "evaluation-flag", "evaluation-claim",
        "truth-native", "truth-synthetic", "truth-absorption", "truth-sweep", "truth-stop_cascade", "truth-decoy",
    ]


def test_lines_of_every_schema_come_out_of_feed_as_they_went_in(shell_environment: Environment) -> None:
    source = Path(__file__).parent / "lines.ndjson"
    done = shell(f"qmo feed - < {source} | cmp - {source}", shell_environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_lines_of_every_schema_survive_a_dbn_pipe(shell_environment: Environment) -> None:
    source = Path(__file__).parent / "lines.ndjson"
    done = shell(f"qmo feed - --encoding dbn < {source} | qmo feed - | cmp - {source}", shell_environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# What a stage reads and what it is: each reads the file of the one before it.
STAGES = {
    "mbo": "feed sim --minutes 2 --seed 7 --icebergs 0.05", "route": "route < mbo", "engine": "engine all < route",
    "score": "score < engine", "full": "signal --full < score", "signal": "signal < score",
    "iceberg": "engine bars iceberg --events < route",
    "absorption": "engine absorption --events --set absorption.fewest=20 --set absorption.quantile=0.5 < route",
}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, shell_environment: Environment) -> dict[str, list[Any]]:
    """The lines of every stage."""
    folder = tmp_path_factory.mktemp("stages")
    command = " && ".join(f"qmo {words} > {name}" for name, words in STAGES.items())
    done = shell(command, shell_environment, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    return {name: [json.loads(line) for line in (folder / name).read_text().splitlines()] for name in STAGES}


@pytest.mark.parametrize(("name", "stage"), [
    ("mbo", "mbo"), ("packet", "route"), ("packet", "engine"), ("packet", "score"), ("packet", "full"),
    ("iceberg-event", "iceberg"), ("absorption-event", "absorption"), ("signal", "signal"),
])
def test_lines_of_every_stage_fit_their_schema(name: str, stage: str, stages: dict[str, list[Any]]) -> None:
    check = validator(name)
    assert stages[stage]
    # The last stage has all slots of a packet: where others only have fewer, a few of their lines will do.
    for line in stages[stage][:2000:10 if stage in ("engine", "score") else 1]:
        check.validate(line)


def test_schemas_refuse_what_the_reader_refuses() -> None:
    line = dict(LINES[0])
    assert not validator("mbo").is_valid({**line, "size": -1})
    assert not validator("mbo").is_valid({**line, "order_id": "12a"})
    assert not validator("mbo").is_valid({key: value for key, value in line.items() if key != "price"})


def test_an_unknown_line_type_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        schemas.schema("nonsense")
