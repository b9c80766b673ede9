"""``qmo engine``: packets, or records, to packets with readings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import click

from ..errors import UsageError
from ..router import RouteOptions
from .options import Stage, stage_options
from .output import write_all
from .stages import (
    ROUTE,
    Batches,
    from_option,
    make_engines,
    memory_option,
    packet_lines,
    read_packets_or_records,
    set_option,
    since_filter,
    stats_option,
    updated,
)
from .statistics import Stopwatch

EPILOG = """\b
Examples:
  qmo engine --list
  qmo feed FILE | qmo engine all | jq -c '[.timestamp, .orderflow.score]'
  qmo feed FILE | qmo engine iceberg --events
  qmo feed FILE | qmo engine orderflow --every 1m --format table
  qmo feed FILE | qmo engine iceberg --set iceberg.zone_ticks=5
"""


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from ..engines import ENGINES

    return [name for name in (*ENGINES, "all") if name.startswith(incomplete)]


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("names", nargs=-1, metavar="NAME...|all", shell_complete=complete_names)
@click.option("--list", "listing", is_flag=True, help="List the engines; with a NAME, its parameters.")
@click.option("--events", is_flag=True, help="Print lifecycle events, one a line, instead of packets.")
@click.option("--format", "form", type=click.Choice(["ndjson", "table"]), default="ndjson", show_default=True,
              help="Packets as lines of JSON, or the readings as a table for a person.")
@set_option
@memory_option
@from_option
@stats_option
@stage_options(ROUTE)
def engine(
    names: tuple[str, ...], listing: bool, events: bool, form: str, parameters: tuple[str, ...], memory: str | None,
    since: int | None, stats: bool, routing: RouteOptions,
) -> None:
    """Let engines read packets, or records, and add what they see.

    Reads packets from standard input and puts each engine's reading into the slot of its name. Given records, it
    routes them itself, and takes the options of route for that. What an engine cannot know is null, and the packet's
    missing says why.

    The engines gann, astro and cycle follow traditional practice, and no test of it did better than chance: --list with
    the NAME says so. A weight of 0 leaves their pillar out of the score.
    """
    from ..router import Router
    from . import readings

    if listing:
        click.echo(readings.parameter_table(names) if names else readings.engine_table())
        return
    if not names:
        raise UsageError("name one or more engines, or all; qmo engine --list shows them")
    router, watch = Router(routing), Stopwatch(stats)
    router.counting = stats
    engines = make_engines(names, parameters, timing=stats, memory=memory)
    with closing(engines):
        batches = watch.count(read_packets_or_records("engine", router, watch))
        read = since_filter(updated(batches, engines.update), since)
        write_all(printed(read, engines.names, events=events, form=form))
    watch.show(router, engines.nanoseconds)


def printed(read: Batches, names: list[str], *, events: bool, form: str) -> Iterator[bytes]:
    """What the options ask for: events, tables, or packets."""
    from . import readings

    if events:
        return readings.event_lines(read, names)
    return readings.reading_tables(read, names) if form == "table" else packet_lines(read)
