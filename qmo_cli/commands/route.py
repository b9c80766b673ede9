"""``qmo route``: records to packets."""

from __future__ import annotations

import click

from ..router import RouteOptions
from .options import Stage, stage_options
from .output import write_all
from .sources import Asked, FeedOptions, merge_option, read_blocks, source_argument
from .stages import ROUTE, from_option, packet_lines, since_filter, stats_option
from .statistics import Stopwatch

EPILOG = """\b
Examples:
  qmo feed FILE | qmo route | jq -c '[.timestamp, .price, .market.volume]'
  qmo feed FILE --encoding dbn | qmo route --every 50ms
  qmo feed FILE | qmo route --access l1 --stats > /dev/null
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@merge_option
@from_option
@stats_option
@stage_options(ROUTE)
def route(
    source: tuple[str, ...], merge: tuple[str, ...], since: int | None, stats: bool, routing: RouteOptions,
) -> None:
    """Turn records into packets: one line per symbol and frame.

    Reads records from standard input (lines of JSON or DBN), or from SOURCE as feed does. A packet holds what traded
    in its frame, what the book did, and what single orders gave away, as far as the records and --access allow.
    """
    from ..pipeline import routed
    from ..router import Router

    router, watch = Router(routing), Stopwatch(stats)
    router.counting = stats
    blocks = read_blocks("route", source, Asked(feeding=FeedOptions(skip_bad=routing.skip_bad, merge=merge)))
    batches = watch.iterate("route", routed(router, watch.iterate("feed", blocks)), inside="feed")
    write_all(packet_lines(since_filter(watch.count(batches), since)))
    watch.show(router)
