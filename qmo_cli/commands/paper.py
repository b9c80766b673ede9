"""``qmo paper``: signals to the fills that they would have had."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..paper import Paper, PaperOptions
from .options import Part, Stage, stage_options
from .output import write_all
from .stages import Batches, read_packets_of

PAPER = Part("paper", "trading", PaperOptions)

EPILOG = """\b
Examples:
  qmo run FILE --full | qmo paper --account 100000 --costs 5 > paper.ndjson
  qmo run FILE --merge paper.ndjson --set risk.daily_loss=500 --changes
  qmo risk FILE --merge paper.ndjson
"""


@click.command(cls=Stage, epilog=EPILOG)
@stage_options(PAPER)
def paper(trading: PaperOptions) -> None:
    """Fill the signals on paper: print the fills they lead to.

    Reads packets with their signals (qmo run --full, qmo signal --full) and prints records for --merge. Pessimistic:
    limits fill at the limit, market orders at the worst price of the next second, a stop comes before a target of the
    same second. Half is taken at the first target, the stop goes to the entry and trails. One trade at a time; what is
    open at the end stays open. The fills follow the signals as they were printed: guards that read them in a later run
    may forbid trades which are in the file.
    """
    write_all(record_lines(read_packets_of("paper"), Paper(trading)))


def record_lines(batches: Batches, desk: Paper) -> Iterator[bytes]:
    """Lines of the records; one piece for each batch."""
    from ..records import encode_record

    for batch in batches:
        yield b"".join([encode_record(record) + b"\n" for packet in batch for record in desk.update(packet)])
