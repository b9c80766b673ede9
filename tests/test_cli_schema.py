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
SIMULATED = "qmo feed sim --minutes 2 --seed 7 --icebergs 0.05"


def validator(name: str) -> Any:
    """Checks lines of one type."""
    schema = schemas.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def printed(command: str, environment: Environment) -> list[Any]:
    """The lines that a command prints."""
    done = shell(command, environment)
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


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


@pytest.mark.parametrize(("name", "stages"), [
    ("mbo", ""), ("packet", "| qmo route"), ("packet", "| qmo engine all"), ("packet", "| qmo engine all | qmo score"),
    ("packet", "| qmo engine all | qmo score | qmo signal --full"),
    ("iceberg-event", "| qmo engine bars iceberg --events"),
    ("absorption-event", "| qmo engine absorption --events --set absorption.fewest=20 --set absorption.quantile=0.5"),
    ("signal", "| qmo engine all | qmo score | qmo signal"),
])
def test_lines_of_every_stage_fit_their_schema(name: str, stages: str, shell_environment: Environment) -> None:
    check = validator(name)
    lines = printed(f"set -o pipefail; {SIMULATED} {stages}", shell_environment)
    assert lines
    for line in lines[:2000]:
        check.validate(line)


def test_schemas_refuse_what_the_reader_refuses() -> None:
    line = dict(LINES[0])
    assert not validator("mbo").is_valid({**line, "size": -1})
    assert not validator("mbo").is_valid({**line, "order_id": "12a"})
    assert not validator("mbo").is_valid({key: value for key, value in line.items() if key != "price"})


def test_an_unknown_line_type_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        schemas.schema("nonsense")
