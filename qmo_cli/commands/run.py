"""``qmo run``: the whole chain in one process."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import click
from click.core import ParameterSource

from ..feeds.history.options import HistoryOptions
from ..feeds.live.options import LiveOptions
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from ..router import BY_TIME, RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from .options import Stage, stage_options
from .output import write_all
from .sources import FEED, HISTORICAL, LIVING, POLL, SIM, Asked, FeedOptions, read_blocks, source_argument
from .stages import (
    ROUTE,
    SCORE,
    SIGNAL,
    calendar_option,
    changes_option,
    from_option,
    full_option,
    make_engines,
    memory_option,
    set_option,
    signal_lines,
    stats_option,
    updated,
    weight_option,
    weighted,
)
from .statistics import Stopwatch

EPILOG = """\b
Examples:
  qmo run sim --minutes 10 --seed 7
  qmo run FILE.dbn.zst --changes
  qmo run live --warmup 30d --record today.dbn --changes
  qmo run FILE --access l1 --phase orderflow --account 50000 --risk 250
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@changes_option
@full_option
@from_option
@set_option
@memory_option
@calendar_option
@weight_option
@stats_option
@stage_options(FEED, SIM, LIVING, HISTORICAL, POLL, ROUTE, SCORE, SIGNAL)
def run(  # one parameter for each stage's options
    source: tuple[str, ...], changes: bool, full: bool, since: int | None, parameters: tuple[str, ...],
    memory: str | None, calendar: str | None, weights: dict[str, float], stats: bool, feeding: FeedOptions,
    simulation: SimOptions, living: LiveOptions, historical: HistoryOptions, polling: PollOptions,
    routing: RouteOptions, scoring: ScoreOptions, signalling: SignalOptions,
) -> None:
    """Run the whole chain in one process: records in, signals out.

    Takes the options of every stage and prints what feed, route, engine all, score and signal print in a pipe.
    SOURCE is a file, a pattern in quotes, - for standard input, sim for the built-in simulator, or quotes for prices
    that are fetched: qmo feed --list shows them all.
    """
    from ..pipeline import routed
    from ..router import Router
    from ..score import Scorer
    from ..signals import Signaler

    routing, living = live_frames(source, routing, living)
    router, watch = Router(routing), Stopwatch(stats)
    router.counting = stats
    engines = make_engines(("all",), parameters, timing=stats, memory=memory, calendar=calendar)
    score = watch.timed("score", Scorer(weighted(scoring, weights)).update)
    decide = watch.timed("signal", Signaler(signalling).update)
    asked = Asked(feeding=feeding, simulation=simulation, historical=historical, living=living, polling=polling)
    blocks = watch.iterate("feed", read_blocks("run", source, asked))
    batches = watch.count(watch.iterate("route", routed(router, blocks), inside="feed"))
    scored = updated(batches, engines.update, score)
    with closing(engines):
        write_all(signal_lines(scored, decide, changes=changes, full=full, since=since))
    watch.show(router, engines.nanoseconds)


def live_frames(
    source: tuple[str, ...], routing: RouteOptions, living: LiveOptions,
) -> tuple[RouteOptions, LiveOptions]:
    """Frames of a live stream are shorter unless their length was given, and clock marks stand at their ends."""
    if source != ("live",):
        return routing, living
    if click.get_current_context().get_parameter_source("every") is ParameterSource.DEFAULT:
        routing = replace(routing, every="50ms")
    if living.clock is None and routing.frame()[0] == BY_TIME:
        living = replace(living, clock=routing.every)
    return routing, living
