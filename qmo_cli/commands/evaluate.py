"""``qmo evaluate``: how good the detectors are, where the truth is known."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from ..errors import QmoError
from ..evaluation.options import EvaluationOptions
from .options import Part, Stage, stage_options
from .output import write_all

EPILOG = """\b
Examples:
  qmo evaluate sim
  qmo evaluate sim --seed 2001 --markets 10 --minutes 600
  qmo evaluate sim --format ndjson | jq 'select(.reached == false)'
"""

MARKETS = Part("evaluate", "options", EvaluationOptions)


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("what", type=click.Choice(["sim"]), metavar="sim")
@click.option("--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True,
              help="Tables for a person, or lines of JSON.")
@stage_options(MARKETS)
def evaluate(what: str, form: str, options: EvaluationOptions) -> None:
    """Measure the detectors on simulated markets whose truth is known.

    Makes markets with icebergs planted in them, and others that hold only what looks like icebergs; lets the engines
    see them; and compares. Says how many icebergs were found and how many of those told of were there, how late, how
    exactly their peak and size were told, and whether each promise was kept. Exit status 1: one was not. The simulator
    shares no code with the engines, but its market is made up: what is measured here is the detectors, not gold.
    """
    from ..evaluation import report
    from ..evaluation.evaluate import evaluate as measured

    found = measured(options, logging.getLogger("qmo_cli").info)
    write_all([report.text(found).encode()] if form == "table" else lines(report.rows(found)))
    if not found.reached:
        missed = ", ".join(check.metric for check in found.checks if not check.reached)
        raise QmoError(f"not reached: {missed}")


def lines(rows: Iterator[Any]) -> Iterator[bytes]:
    """One line for each row."""
    encode = msgspec.json.Encoder().encode
    return (encode(row) + b"\n" for row in rows)
