"""``qmo plot``: records or packets to a picture."""

from __future__ import annotations

import sys

import click

from ..errors import UsageError
from ..feeds.history.options import HistoryOptions
from ..feeds.sim import SimOptions
from ..plot.options import FORMATS, STDOUT, PlotOptions, check
from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from .options import Part, Stage, stage_options
from .output import suit_memory_to_streams, write
from .sources import FEED, HISTORICAL, SIM, Asked, FeedOptions, read_blocks, source_argument
from .stages import ROUTE, SCORE, SIGNAL, from_option, set_option, weight_option, weighted
from .whole import chain, looked_into, packets_of

PLOT = Part("plot", "plotting", PlotOptions, times=frozenset({"until"}), choices={"format": FORMATS})
EPILOG = """\b
Examples:
  qmo plot sim --minutes 60 --seed 7 --out chart.png
  qmo plot FILE --from 2023-12-25T23:20Z --timezone Europe/Zurich > chart.png
  ... | qmo signal --full | qmo plot - --out chart.png
  qmo feed FILE | qmo engine all | qmo plot --theme light --out chart.svg
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@from_option
@set_option
@weight_option
@stage_options(PLOT, FEED, SIM, HISTORICAL, ROUTE, SCORE, SIGNAL)
def plot(  # one parameter for each stage's options
    source: tuple[str, ...], since: int | None, parameters: tuple[str, ...], weights: dict[str, float],
    plotting: PlotOptions, feeding: FeedOptions, simulation: SimOptions, historical: HistoryOptions,
    routing: RouteOptions, scoring: ScoreOptions, signalling: SignalOptions,
) -> None:
    """Draw what qmo saw: price, zones, sweeps, signals, volume and delta.

    Records run through the whole chain first, with the options of every stage, as in run. Packets, from a file or
    from the stages of a pipe, are drawn with what they hold: readings of engines, and with signal --full the signals.
    Of several series the one with the most trades is drawn, unless --symbol names one.
    """
    from ..plot import Collection
    from ..plot.draw import picture

    check(plotting)
    refuse_picture_on_terminal(plotting)
    if feeding.follow:
        raise UsageError("a picture is drawn at the end of the input, and with --follow there is none")
    suit_memory_to_streams()
    looked = looked_into("plot", source)
    batches = packets_of("plot", looked)
    if batches is None:
        asked = Asked(feeding=feeding, simulation=simulation, historical=historical)
        blocks = read_blocks("plot", source, asked, looked)
        batches = chain(blocks, parameters, routing, weighted(scoring, weights), signalling)
    shown = Collection(since, plotting.until, frozenset(feeding.symbol))
    shown.read(batches)
    save(picture(shown.choose(), plotting), plotting.out)


def refuse_picture_on_terminal(plotting: PlotOptions) -> None:
    """Raise UsageError when a picture would be written onto a screen."""
    if plotting.out == STDOUT and sys.stdout.isatty():
        raise UsageError("a picture is binary and standard output is a terminal; name a file: --out chart.png")


def save(picture: bytes, out: str) -> None:
    """Write the picture where it belongs. Raises OSError."""
    if out == STDOUT:
        write(picture)
        return
    with open(out, "wb") as file:
        file.write(picture)
