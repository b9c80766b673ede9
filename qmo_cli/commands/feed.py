"""``qmo feed``: sources to records."""

from __future__ import annotations

import click

from ..feeds.history.options import HistoryOptions
from ..feeds.live.options import LiveOptions
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from .options import Stage, stage_options
from .output import refuse_binary_on_terminal, write_all
from .sources import FEED, HISTORICAL, LIVING, POLL, SIM, Asked, FeedOptions, read_blocks, source_argument

EPILOG = """\b
Examples:
  qmo feed FILE.dbn.zst | head -3 | jq .
  qmo feed live --record today.dbn | qmo engine iceberg --events --every 50ms
  qmo feed 'captures/*.dbn' --schema trades --limit 100
  cat monday.dbn tuesday.dbn | qmo feed - --symbol ESH4
  qmo feed sim --minutes 10 --seed 7 --encoding dbn > sim.dbn
  qmo feed history --start 2026-03-02 --end 2026-03-03 --dry-run
  qmo feed history --schema ohlcv-1m --start -30d > bars.ndjson
  qmo feed yahoo --start -30d > gold-days.ndjson
  qmo feed yahoo --schema ohlcv-1h | qmo engine bars --set bars.period=1d
  qmo feed news GC=F DX-Y.NYB > headlines.ndjson
  qmo feed quotes --poll 1m >> prices.ndjson
  qmo feed --list
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@click.option("--encoding", type=click.Choice(["ndjson", "dbn"]), default="ndjson", show_default=True,
              help="Form of the records: lines of JSON, or binary DBN.")
@click.option("--list", "listing", is_flag=True, help="List the sources: what each gives and needs.")
@stage_options(FEED, SIM, LIVING, HISTORICAL, POLL)
def feed(
    source: tuple[str, ...], encoding: str, listing: bool, feeding: FeedOptions, simulation: SimOptions,
    living: LiveOptions, historical: HistoryOptions, polling: PollOptions,
) -> None:
    """Read market records: live, of the past, from files and pipes, or simulated.

    SOURCE is a file, a pattern in quotes, - for standard input, or sim for the built-in simulator. Files may be DBN
    (versions 1 to 3), lines of JSON (ours or Databento's own) or Databento's CSV, each also compressed by zstd or
    gzip; the content tells. Several sources are read one after another. news, with Yahoo's symbols behind it (GC=F
    without any), fetches the latest headlines as news records, in the order of time.

    live follows Databento's live stream, gold unless --symbol names something else, with the richest of mbo, mbp-10
    and tbbo that the key is entitled to, unless --schema names one or several. It keeps itself connected and resumes
    without losing or doubling a record; system records say what befell it. --start -2h begins with a replay, --warmup
    with history that gives no signals; --record keeps the stream in a file and goes on with that after any stop.
    SIGTERM ends it in good order.

    history fetches what --schema and --symbol name (mbo of GC.v.0 without them) from --start to --end from Databento;
    without --end as far as there is data. What is not in the cache costs money: the cost is shown first, and where it
    is above --max-cost, a person at the terminal is asked; a script is refused (exit code 2) unless it says --yes.
    Nothing is paid twice, and after a broken download the same command goes on where it broke. Begin mbo at midnight
    UTC, where the vendor puts a snapshot of the book: later in the day the book is partial.

    yahoo fetches bars without a key: days (a year of them, or from --start on), with --schema ohlcv-1h hours (up to 730
    days back), with --schema ohlcv-1m minutes (a week, up to 30 days back), of gold futures or of each --symbol (GC=F,
    SI=F, ^TNX). They are delayed, only bars that are over come, and trade dates of gold that Yahoo lacks are named
    in system records, not filled.

    quotes, with symbols behind it (GC.v.0 without any), fetches a price again and again, as qmo quote does, until
    --limit prices are there or it is stopped; system records say when prices are Yahoo's, when there are none, and when
    they are Databento's again.
    """
    from ..ndjson import DbnWriter, LineWriter
    from .listing import source_table

    if listing:
        click.echo(source_table())
        return
    asked = Asked(feeding=feeding, simulation=simulation, historical=historical, living=living, polling=polling)
    blocks = read_blocks("feed", source, asked)
    if encoding == "dbn":
        refuse_binary_on_terminal()
        write_all(map(DbnWriter().encode, blocks))
    else:
        write_all(map(LineWriter().lines, blocks))
