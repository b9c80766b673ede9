"""``qmo explain``: one packet for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..errors import BadData, UsageError
from ..feeds.history.options import HistoryOptions
from ..feeds.sim import SimOptions
from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from .options import Moment, Stage, stage_options
from .output import write_all
from .sources import FEED, HISTORICAL, SIM, Asked, FeedOptions, read_blocks, source_argument
from .stages import ROUTE, SCORE, SIGNAL, Batches, set_option, weight_option, weighted
from .whole import chain, looked_into, packets_of

if TYPE_CHECKING:
    from ..tray import Packet

EPILOG = """\b
Examples:
  qmo explain FILE.dbn.zst
  qmo explain FILE.dbn.zst --at 2023-12-25T23:30Z
  qmo feed FILE | qmo engine orderflow iceberg | qmo score | qmo explain
  qmo run FILE --full | qmo explain - --changes | less
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@click.option("--at", "until", type=Moment(), help="Explain the last packet that ends by this time.")
@click.option("--changes", is_flag=True, help="Explain every packet in which a signal opens or closes, as they come.")
@set_option
@weight_option
@stage_options(FEED, SIM, HISTORICAL, ROUTE, SCORE, SIGNAL)
def explain(  # one parameter for each stage's options
    source: tuple[str, ...], until: int | None, changes: bool, parameters: tuple[str, ...], weights: dict[str, float],
    feeding: FeedOptions, simulation: SimOptions, historical: HistoryOptions, routing: RouteOptions,
    scoring: ScoreOptions, signalling: SignalOptions,
) -> None:
    """Say in words why the score and the signal are what they are.

    Shows the pillars and what each adds, the boosts, the trade, what speaks against it, and what is not known and why:
    of the last packet of each series, of the last before --at, or of every change. Reads packets with a score, from a
    file or a pipe, with what they hold; records run through the whole chain first, as in run.
    """
    from ..explanation import explain as explained

    looked = looked_into("explain", source)
    batches = packets_of("explain", looked)
    if batches is None:
        asked = Asked(feeding=feeding, simulation=simulation, historical=historical)
        blocks = read_blocks("explain", source, asked, looked)
        batches = chain(blocks, parameters, routing, weighted(scoring, weights), signalling)
    chosen = changed(batches, until) if changes else last(batches, until)
    write_all((explained(packet) + "\n").encode() for packet in chosen)


def changed(batches: Batches, until: int | None) -> Iterator[Packet]:
    """The packets whose signal opens or closes an episode."""
    from ..signals import Signal

    for packet in before(batches, until):
        signal = packet.read("signal", Signal)
        if signal is None:
            raise UsageError("--changes needs packets with a signal; make them with `qmo signal --full`")
        if signal.change is not None:
            yield packet


def last(batches: Batches, until: int | None) -> Iterator[Packet]:
    """The last packet of each series."""
    found = {packet.series: packet for packet in before(batches, until)}
    if not found:
        raise BadData("nothing to explain: the input holds no packet" + (" by that time" if until else ""))
    yield from found.values()


def before(batches: Batches, until: int | None) -> Iterator[Packet]:
    """Packets of frames that end by a time."""
    for batch in batches:
        for packet in batch:
            if until is not None and packet.ts > until:
                return
            yield packet
