"""``qmo evaluate``: how good the detectors are where the truth is known, and the classical rules on bars."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from ..errors import QmoError, UsageError
from ..evaluation.options import BarsOptions, EvaluationOptions
from .options import Part, Stage, stage_options
from .output import suit_memory_to_streams, write_all
from .sources import STDIN, refuse_terminal

EPILOG = """\b
Examples:
  qmo evaluate sim
  qmo evaluate sim --seed 2001 --markets 10 --minutes 600
  qmo evaluate sim --format ndjson | jq 'select(.reached == false)'
  qmo evaluate bars gold-daily.csv
  qmo evaluate bars xauusd-hourly.csv.gz --scale 0.01 --shuffles 999
  qmo feed week.dbn --schema ohlcv-1h | qmo evaluate bars -
"""

MARKETS = Part("evaluate", "options", EvaluationOptions, title="Options of evaluate sim")
BARS = Part("evaluate", "measuring", BarsOptions, title="Options of evaluate bars")


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("what", type=click.Choice(["sim", "bars"]), metavar="sim|bars")
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@click.option("--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True,
              help="Tables for a person, or lines of JSON.")
@stage_options(MARKETS, BARS)
def evaluate(
    what: str, files: tuple[str, ...], form: str, options: EvaluationOptions, measuring: BarsOptions,
) -> None:
    """Measure detectors on simulated markets, or classical rules on bars.

    sim: makes markets with icebergs planted in them, and others that hold only what looks like icebergs; lets the
    engines see them; and compares. Says how many icebergs were found and how many of those told of were there, how
    late, how exactly their peak and size were told, and whether each promise was kept. Exit status 1: one was not. The
    simulator shares no code with the engines, but its market is made up: what is measured here is the detectors, not
    gold.

    bars: reads bars from FILEs (ohlcv records, or CSV with time, open, high, low, close and perhaps volume; plain or in
    zip, gzip or zstd) and says how often the flags of engines gann and cycle fire, whether price then goes where they
    say, and how often the same comes about on shuffled bars. Dirty bars are counted and left out.
    """
    if what == "bars":
        write_all(measured_bars(files, form, measuring))
        return
    if files:
        raise UsageError("sim makes its markets itself; a FILE goes with bars: qmo evaluate bars FILE")
    from ..evaluation import report
    from ..evaluation.evaluate import evaluate as measured

    found = measured(options, logging.getLogger("qmo_cli").info)
    write_all([report.text(found).encode()] if form == "table" else lines(report.rows(found)))
    if not found.reached:
        missed = ", ".join(check.metric for check in found.checks if not check.reached)
        raise QmoError(f"not reached: {missed}")


def measured_bars(files: tuple[str, ...], form: str, options: BarsOptions) -> Iterator[bytes]:
    """What was measured on the bars of files."""
    if not files:
        raise UsageError("name a FILE of bars, or - for standard input: qmo evaluate bars gold-daily.csv")
    if STDIN in files:
        refuse_terminal("evaluate")
    from ..evaluation import barreport
    from ..evaluation.bars import evaluate_bars

    suit_memory_to_streams()  # else a third of the time goes into giving large arrays back and asking for them again
    found = evaluate_bars(files, options, logging.getLogger("qmo_cli").info)
    return iter([barreport.text(found).encode()]) if form == "table" else lines(barreport.rows(found))


def lines(rows: Iterator[Any]) -> Iterator[bytes]:
    """One line for each row."""
    encode = msgspec.json.Encoder().encode
    return (encode(row) + b"\n" for row in rows)
