"""``qmo feed``: sources to records."""

from __future__ import annotations

import click

from ..feeds.history.options import HistoryOptions
from ..feeds.sim import SimOptions
from .options import Stage, stage_options
from .output import refuse_binary_on_terminal, write_all
from .sources import FEED, HISTORICAL, SIM, FeedOptions, read_blocks, source_argument

EPILOG = """\b
Examples:
  qmo feed FILE.dbn.zst | head -3 | jq .
  qmo feed 'captures/*.dbn' --schema trades --limit 100
  cat monday.dbn tuesday.dbn | qmo feed - --symbol ESH4
  qmo feed sim --minutes 10 --seed 7 --encoding dbn > sim.dbn
  qmo feed news GC=F DX-Y.NYB > headlines.ndjson
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@click.option("--encoding", type=click.Choice(["ndjson", "dbn"]), default="ndjson", show_default=True,
              help="Form of the records: lines of JSON, or binary DBN.")
@stage_options(FEED, SIM, HISTORICAL)
def feed(
    source: tuple[str, ...], encoding: str, feeding: FeedOptions, simulation: SimOptions, historical: HistoryOptions,
) -> None:
    """Read market records from files, pipes or the simulator.

    SOURCE is a file, a pattern in quotes, - for standard input, or sim for the built-in simulator. Files may be DBN
    (versions 1 to 3), lines of JSON (ours or Databento's own) or Databento's CSV, each also compressed by zstd or
    gzip; the content tells. Several sources are read one after another. news, with Yahoo's symbols behind it (GC=F
    without any), fetches the latest headlines as news records, in the order of time.
    """
    from ..ndjson import DbnWriter, LineWriter

    blocks = read_blocks("feed", source, feeding, simulation, historical)
    if encoding == "dbn":
        refuse_binary_on_terminal()
        write_all(map(DbnWriter().encode, blocks))
    else:
        write_all(map(LineWriter().lines, blocks))
