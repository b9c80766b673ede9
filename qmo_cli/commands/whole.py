"""Packets with all that there is to see, for the commands that show it: as they came, or made of records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ..board.board import STALE_AFTER
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from ..times import duration
from .origins import ORIGINS
from .sources import STDIN, FeedOptions, refuse_terminal
from .stages import Batches, make_engines, updated
from .statistics import Stopwatch

LIVELY = ((), (STDIN,), ("live",), ("quotes",))
LASTING = 7 * 24 * 60.0  # minutes
FRAME = "50ms"          # of a source that is paced, as of the live one: a screen moves 20 times a second

if TYPE_CHECKING:
    from ..blocks import Block
    from ..feeds.inputs import Source
    from ..tray import Packet


def looked_into(command: str, names: tuple[str, ...]) -> Source | None:
    """The one input that may hold packets: standard input, or a single file."""
    from ..feeds.files import open_stdin
    from ..feeds.inputs import open_file

    if names in ((), (STDIN,)):
        refuse_terminal(command)
        return open_stdin()
    if len(names) == 1 and names[0] not in ORIGINS and os.path.isfile(names[0]):
        return open_file(names[0], follow=False)
    return None


def packets_of(command: str, source: Source | None, *, signals: bool = False) -> Batches | None:
    """The packets of an input; None where it holds records, or nothing. A file of records is opened again later.

    ``signals``: bare signals will do too, each as a packet in which nothing else stands.
    """
    from ..ndjson import kind_of, read_packets, read_signals

    if source is None:
        return None
    kind = kind_of(source)
    if kind == "signals" and signals:
        return read_signals(source)
    if kind in ("packets", "signals"):
        return read_packets(source, f"qmo {command}")
    source.close()
    return None


class Chain:
    """The stages from route to signal in one process. Close it when the input has ended."""

    def __init__(
        self, parameters: tuple[str, ...], routing: RouteOptions, scoring: ScoreOptions, signalling: SignalOptions, *,
        memory: str | None = None, calendar: str | None = None, timing: bool = False,
    ) -> None:
        from ..router import Router
        from ..score import Scorer
        from ..signals import Signaler

        self.router, self.watch = Router(routing), Stopwatch(timing)
        self.engines = make_engines(("all",), parameters, timing=timing, memory=memory, calendar=calendar)
        self.score = self.watch.timed("score", Scorer(scoring).update)
        self.decide = self.watch.timed("signal", Signaler(signalling).update)

    def batches(self, blocks: Iterator[Block]) -> Batches:
        """What route, engine all, score and signal --full make of records."""
        from ..pipeline import routed

        packets = self.watch.iterate("route", routed(self.router, self.watch.iterate("feed", blocks)), inside="feed")
        return updated(packets, self.engines.update, self.score, self._decide)

    def _decide(self, packet: Packet) -> None:
        packet.slots["signal"] = self.decide(packet)

    def spent(self) -> dict[str, int]:
        """What all packets so far have cost, ns by stage and engine; nothing unless it is timed."""
        return {name: spent for name, spent in {**self.watch.nanoseconds, **self.engines.nanoseconds}.items()
                if name != "feed"} if self.watch.wanted else {}

    def close(self) -> None:
        """Let the engines write what they still hold."""
        self.engines.close()


def chain(
    blocks: Iterator[Block], parameters: tuple[str, ...], routing: RouteOptions, scoring: ScoreOptions,
    signalling: SignalOptions,
) -> Batches:
    """What route, engine all, score and signal --full make of records, for commands that keep nothing."""
    return Chain(parameters, routing, scoring, signalling).batches(blocks)


def paced(
    source: tuple[str, ...], feeding: FeedOptions, routing: RouteOptions,
) -> tuple[FeedOptions, RouteOptions]:
    """Files and the simulator at the pace of real time and in short frames, unless the options were given.

    What is live has its own pace, and begins with history, which must not have one.
    """
    ctx = click.get_current_context()
    if source[:1] in LIVELY:
        return feeding, routing
    if ctx.get_parameter_source("speed") is ParameterSource.DEFAULT:
        feeding = replace(feeding, speed=1.0)
    if feeding.speed and ctx.get_parameter_source("every") is ParameterSource.DEFAULT:
        routing = replace(routing, every=FRAME)
    return feeding, routing


def lasting(simulation: SimOptions) -> SimOptions:
    """The simulator for as long as somebody may look, unless its length was given."""
    ctx = click.get_current_context()
    if any(ctx.get_parameter_source(name) is not ParameterSource.DEFAULT for name in ("minutes", "records")):
        return simulation
    return replace(simulation, minutes=LASTING)


def stale_after(source: tuple[str, ...], polling: PollOptions, usual: float = STALE_AFTER) -> float:
    """Seconds without a packet after which all is stale; of prices that are polled it takes three that did not come."""
    ctx = click.get_current_context()
    if source[:1] != ("quotes",) or ctx.get_parameter_source("stale_after") not in (None, ParameterSource.DEFAULT):
        return usual
    return max(usual, 3 * duration(polling.poll) / 1e9)
