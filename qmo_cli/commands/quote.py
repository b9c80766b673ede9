"""``qmo quote``: one price."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from ..feeds.quotes.options import GOLD, QuoteOptions
from .options import Part, Stage, stage_options
from .output import write

if TYPE_CHECKING:
    from ..records import Quote

logger = logging.getLogger("qmo_cli.quote")

ASKING = Part("quote", "asking", QuoteOptions, names={"vendor": "source"})
COLUMNS = ("symbol", "price", "bid", "ask", "spread", "volume", "timestamp", "source", "quality")
EPILOG = """\b
Examples:
  qmo quote
  qmo quote --format table
  qmo quote --source yahoo | jq .price
  qmo quote GCZ6 --max-age 1m
  qmo quote ES.v.0 --yahoo-symbol ES=F
\b
Exit codes:
  0   a price was printed
  69  no vendor has one
  77  --source databento, and there is no key, or one that is refused
"""


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("symbol", default=GOLD, metavar="[SYMBOL]")
@click.option("--format", "form", type=click.Choice(["ndjson", "table"]), default="ndjson", show_default=True,
              help="A quote record as one line of JSON, or a table for a person.")
@stage_options(ASKING)
def quote(symbol: str, form: str, asking: QuoteOptions) -> None:
    """Print one price: Databento's, or Yahoo's where that fails.

    SYMBOL is GC.v.0, the gold contract that trades most, or any other single one. The price is the last trade's, with
    bid, ask and spread at the end of that second, and the size of that trade as volume; Yahoo gives the price alone.
    timestamp is the price's own time.

    A price that any process fetched within --max-age is printed again, its quality then cached. When Databento has
    failed more than three times in a row, or there is no key, the price is Yahoo's, and stderr says why; Databento is
    asked again after 1 s, then 2 s, up to 60 s, and its first answer ends that.

    quality: real-time; cached (was real-time when it was fetched); delayed (Yahoo: ten minutes or so); stale (older
    than that, or the market is closed); simulated. Only real-time prices lead to a position's size elsewhere in qmo.
    """
    found, why = asking.fetcher(symbol, asking.age).fetch()
    if why:
        logger.warning("this price is Yahoo's, %s: %s", found.quality, why)
    write(text_of(found, form))


def text_of(found: Quote, form: str) -> bytes:
    """The price as a line, or as a table."""
    from ..records import encode_record

    if form == "ndjson":
        return encode_record(found) + b"\n"
    from .tables import table

    return (table([[getattr(found, name) or found.series if name == "symbol" else getattr(found, name)
                    for name in COLUMNS]], COLUMNS) + "\n").encode()
