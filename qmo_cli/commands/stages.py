"""What the commands from route on share: packets in, lines out, engines and weights as the options say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click
import msgspec

from ..config import Configuration
from ..errors import ConfigurationError, UsageError
from ..pipeline import Engines, check_settings, parse_settings, routed
from ..router import ACCESS, RouteOptions, Router
from ..score import ScoreOptions
from ..signals import Signal
from ..signals.signaler import WARMUP
from ..signals.sizing import SignalOptions
from ..tray import Packet
from .options import Moment, Part, StageOption, pairs
from .sources import STDIN, refuse_terminal
from .statistics import Stopwatch

ROUTE = Part("route", "routing", RouteOptions, choices={"access": ACCESS})
SCORE = Part("score", "scoring", ScoreOptions)
SIGNAL = Part("signal", "signalling", SignalOptions)

Batches = Iterator[list[Packet]]

from_option = click.option(
    "--from", "since", cls=StageOption, stage="route", type=Moment(),
    help="Read everything, print only frames from this time on.",
)
stats_option = click.option("--stats", is_flag=True, help="At the end, say on stderr what took how long.")
set_option = click.option(
    "--set", "parameters", cls=StageOption, stage="engine", multiple=True, metavar="ENGINE.FIELD=VALUE",
    help="Set an engine's parameter; may be given several times.",
)
memory_option = click.option(
    "--memory", cls=StageOption, stage="engine", type=click.Path(dir_okay=False), metavar="PATH",
    help="Remember zones in this file, and those that are in it; without it memory begins anew and ends with the run.",
)
calendar_option = click.option(
    "--calendar", cls=StageOption, stage="engine", type=click.Path(dir_okay=False), metavar="PATH",
    help="Scheduled events, in iCalendar or as lines of JSON (news records); trading pauses around those of note.",
)
weight_option = click.option(
    "--weight", "weights", cls=StageOption, stage="score", multiple=True, metavar="PILLAR=X", callback=pairs,
    help="Change the weight of a pillar: qmo, imo, gann, astro, cycle. They must add up to 1.",
)
changes_option = click.option(
    "--changes", cls=StageOption, stage="signal", is_flag=True, help="Only lines where the decision changes.",
)
full_option = click.option(
    "--full", cls=StageOption, stage="signal", is_flag=True,
    help="Print the whole packet, with the signal in its slot signal.",
)


def read_packets_of(command: str) -> Batches:
    """Packets from standard input, a batch for each read. An input of another kind is bad data."""
    from ..feeds.files import open_stdin
    from ..ndjson import read_packets

    refuse_terminal(command)
    return read_packets(open_stdin(), f"qmo {command}")


def read_packets_or_records(
    command: str, router: Router, watch: Stopwatch, files: tuple[str, ...] = (), name: str = STDIN,
) -> Batches:
    """Packets of an input; records are routed on the way, with those of ``files`` merged into them."""
    from ..feeds.files import open_source, open_stdin
    from ..feeds.inputs import open_file
    from ..feeds.merge import merge
    from ..ndjson import kind_of, read_packets

    if name == STDIN:
        refuse_terminal(command)
    source = open_stdin() if name == STDIN else open_file(name, follow=False)
    kind = kind_of(source)
    if kind in ("packets", "signals"):
        if files:
            raise UsageError("--merge puts records among records, and these are packets; give it to the stage before")
        return watch.iterate("read", read_packets(source, f"qmo {command}"))
    skip_bad = router.options.skip_bad
    records = merge(open_source([STDIN], skip_bad=skip_bad, stdin=source), files, skip_bad=skip_bad)
    blocks = watch.iterate("feed", records)
    return watch.iterate("route", routed(router, blocks), inside="feed")


def since_filter(batches: Batches, since: int | None) -> Batches:
    """Packets of frames that begin at or after a time."""
    if since is None:
        return batches
    return ([packet for packet in batch if packet.ts > since] for batch in batches)


def packet_lines(batches: Iterable[list[Packet]]) -> Iterator[bytes]:
    """Lines of packets; one piece for each batch."""
    for batch in batches:
        yield b"".join([packet.encode() + b"\n" for packet in batch])


def updated(batches: Batches, *steps: Callable[[Packet], Any]) -> Batches:
    """The packets after each of the steps has added to them."""
    for batch in batches:
        for packet in batch:
            for step in steps:
                step(packet)
        yield batch


def signal_lines(
    batches: Batches, decide: Callable[[Packet], Signal], *, changes: bool, full: bool, since: int | None = None,
) -> Iterator[bytes]:
    """Lines of signals, or of packets with the slot signal; one piece for each batch.

    History ahead of a live stream moves the engines, but gives no signals: only its packets, where they are asked for.
    """
    encode = msgspec.json.Encoder().encode
    for batch in batches:
        lines = []
        for packet in batch:
            signal = decide(packet)
            if (changes and signal.change is None) or (since is not None and packet.ts <= since):
                continue
            if not full and packet.market.quality == WARMUP:
                continue
            packet.slots["signal"] = signal
            lines.append(packet.encode() if full else encode(signal))
            lines.append(b"\n")
        yield b"".join(lines)


def make_engines(
    names: tuple[str, ...], parameters: tuple[str, ...], *, timing: bool, memory: str | None = None,
    calendar: str | None = None,
) -> Engines:
    """The engines, with the parameters of the configuration file under those that have an option, and ``--set``."""
    settings = configured_engines()
    for engine, name, value in (("memory", "path", memory), ("news", "calendar", calendar)):
        if value is not None:
            settings.setdefault(engine, {})[name] = value
    for engine, values in parse_settings(parameters).items():
        settings.setdefault(engine, {}).update(values)
    engines = Engines(names, settings)
    engines.timing = timing
    return engines


def configured_engines() -> dict[str, dict[str, Any]]:
    """Parameters from the configuration file's tables of engines. Raises ConfigurationError naming the file."""
    configuration: Configuration = click.get_current_context().meta.get("qmo.configuration") or Configuration()
    try:
        return check_settings(configuration.engines())
    except ConfigurationError as error:
        raise ConfigurationError(f"{configuration.path}: [engine]: {error}") from error


def weighted(scoring: ScoreOptions, weights: dict[str, float]) -> ScoreOptions:
    """The options with some of the phase's weights replaced."""
    if not weights:
        return scoring
    phase = {**scoring.weights(), **weights}
    return ScoreOptions(phase="custom", phases={**scoring.phases, "custom": phase})
