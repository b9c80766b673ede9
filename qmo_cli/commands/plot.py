"""``qmo plot``: records or packets to a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from ..feeds.sim import SimOptions
from ..plot.options import FORMATS, STDOUT, PlotOptions, check
from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from .options import Part, Stage, stage_options
from .output import suit_memory_to_streams, write
from .sources import FEED, SIM, SIMULATOR, STDIN, FeedOptions, read_blocks, refuse_terminal, source_argument
from .stages import (
    ROUTE,
    SCORE,
    SIGNAL,
    Batches,
    from_option,
    make_engines,
    set_option,
    updated,
    weight_option,
    weighted,
)

if TYPE_CHECKING:
    from ..blocks import Block
    from ..feeds.inputs import Source
    from ..tray import Packet

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
@stage_options(PLOT, FEED, SIM, ROUTE, SCORE, SIGNAL)
def plot(  # one parameter for each stage's options
    source: tuple[str, ...], since: int | None, parameters: tuple[str, ...], weights: dict[str, float],
    plotting: PlotOptions, feeding: FeedOptions, simulation: SimOptions, routing: RouteOptions,
    scoring: ScoreOptions, signalling: SignalOptions,
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
    looked = looked_into(source)
    batches = packets_of(looked)
    if batches is None:
        blocks = read_blocks("plot", source, feeding, simulation, looked)
        batches = chain(blocks, parameters, routing, weighted(scoring, weights), signalling)
    shown = Collection(since, plotting.until, frozenset(feeding.symbol))
    shown.read(batches)
    save(picture(shown.choose(), plotting), plotting.out)


def looked_into(names: tuple[str, ...]) -> Source | None:
    """The one input that may hold packets: standard input, or a single file."""
    from ..feeds import open_stdin
    from ..feeds.inputs import open_file

    if names in ((), (STDIN,)):
        refuse_terminal("plot")
        return open_stdin()
    if len(names) == 1 and names[0] != SIMULATOR and os.path.isfile(names[0]):
        return open_file(names[0], follow=False)
    return None


def packets_of(source: Source | None) -> Batches | None:
    """The packets of an input; None where it holds records, or nothing. A file of records is opened again later."""
    from ..ndjson import kind_of, read_packets

    if source is None:
        return None
    if kind_of(source) in ("packets", "signals"):
        return read_packets(source, "qmo plot")
    source.close()
    return None


def chain(
    blocks: Iterable[Block], parameters: tuple[str, ...], routing: RouteOptions, scoring: ScoreOptions,
    signalling: SignalOptions,
) -> Batches:
    """What route, engine all, score and signal --full make of records."""
    from ..pipeline import routed
    from ..router import Router
    from ..score import Scorer
    from ..signals import Signaler

    signaler = Signaler(signalling)

    def decide(packet: Packet) -> None:
        packet.slots["signal"] = signaler.update(packet)

    engines = make_engines(("all",), parameters, timing=False)
    return updated(routed(Router(routing), blocks), engines.update, Scorer(scoring).update, decide)


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
