"""Packets with all that there is to see, for the commands that show it: as they came, or made of records."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..router import RouteOptions
from ..score import ScoreOptions
from ..signals.sizing import SignalOptions
from .origins import ORIGINS
from .sources import STDIN, refuse_terminal
from .stages import Batches, make_engines, updated

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


def packets_of(command: str, source: Source | None) -> Batches | None:
    """The packets of an input; None where it holds records, or nothing. A file of records is opened again later."""
    from ..ndjson import kind_of, read_packets

    if source is None:
        return None
    if kind_of(source) in ("packets", "signals"):
        return read_packets(source, f"qmo {command}")
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
