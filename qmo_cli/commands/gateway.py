"""``qmo gateway``: any source behind Databento's live protocol, for tests and rehearsals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from ..feeds.sim import SimOptions
from ..gateway.faults import parse_fault
from ..gateway.options import GatewayOptions
from .logs import tell as tell_all
from .options import Part, Stage, stage_options
from .origins import SIMULATOR, combined
from .sources import SIM, STDIN, source_argument

if TYPE_CHECKING:
    from ..blocks import Block
    from ..gateway import Gateway

KEY = "QMO_GATEWAY_KEY"
GATEWAY = Part("gateway", "options", GatewayOptions, choices={"end": ("wait", "fin")},
               names={"shift_to_now": "shift", "max_sessions": "sessions"})

EPILOG = """\b
Rehearse a live set-up, with no key and no cost:
  qmo gateway sim --minutes 600 --shift --port 13000 &
  DATABENTO_API_KEY=db-rehearsal qmo run live --gateway 127.0.0.1:13000

\b
See what happens when things go wrong:
  qmo gateway FILE.dbn.zst --speed 10 --fault fin@5000 --fault down:60@20000
  qmo gateway sim --unentitled mbo --fault stall:45@1000

\b
Faults, as KIND[:ARGUMENT]@N; N counts the market records served so far:
  fin rst torn        the connection ends: properly, by a reset, or in the
                      middle of a record
  stall[:SECONDS]     nothing comes any more, not even a heartbeat
  down:SECONDS        all connections break, and nobody listens for so long
  error:CODE          an error message of the vendor's, codes 1 to 8
  corrupt             bytes that are no record
  duplicate swap      record N comes twice, or changes place with the next one
  late[:SECONDS]      record N comes that much later
  skip[:COUNT]        records are left out without a word
  mute early          no greeting, or closed before it: the next connection
  reject[:TEXT]       the key is refused: the next connection
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@click.option("--fault", "faults", multiple=True, metavar="KIND[:ARGUMENT]@N",
              help="Let something go wrong, once; may be given several times.")
@click.option("--port-file", type=click.Path(), metavar="FILE", help="Write the port to this file once it is open.")
@stage_options(GATEWAY, SIM)
def gateway(
    source: tuple[str, ...], faults: tuple[str, ...], port_file: str | None, options: GatewayOptions,
    simulation: SimOptions,
) -> None:
    """Serve any source like Databento's live gateway, for rehearsals.

    SOURCE is files, patterns in quotes, or sim for the simulator. Clients that speak Databento's live protocol connect
    to this machine instead of the vendor and get the source's records in real time, faster or slower, with a replay
    of what was before and a snapshot of the book if they ask for it; schemas that the source lacks are derived from
    its mbo. Market time begins when the first client starts. Any key is accepted, unless QMO_GATEWAY_KEY has one.
    """
    from ..gateway import Gateway

    check(source, simulation)
    chosen = replace(options, faults=tuple(map(parse_fault, faults)), key=os.environ.get(KEY) or None)
    warn_of_strangers(chosen)
    Gateway(lambda: opened(source, simulation), chosen).run(lambda ready: tell(ready, port_file), signals=True)


def check(source: tuple[str, ...], simulation: SimOptions) -> None:
    """Refuse what cannot be read again for every client."""
    if not source:
        raise UsageError("name a SOURCE, such as a file, or try: qmo gateway sim")
    if STDIN in source:
        raise UsageError("every client reads the source anew, and standard input can be read only once; name a file")
    if SIMULATOR in source and len(source) > 1:
        raise combined(SIMULATOR)
    if simulation.truth is not None:
        raise UsageError("--truth: every client has its own simulation; qmo feed sim writes the truth")


def opened(source: tuple[str, ...], simulation: SimOptions) -> Iterator[Block]:
    """The source from its beginning."""
    from ..feeds.files import open_source
    from ..feeds.sim import simulate

    return simulate(simulation) if source == (SIMULATOR,) else open_source(source)


def warn_of_strangers(options: GatewayOptions) -> None:
    """Say so where anybody can connect."""
    if not options.local and options.key is None:
        words = f"{options.host} can be reached by others, and any key is accepted; set {KEY} to ask for one"
        tell_all(f"qmo gateway: warning: {words}", words)


def tell(ready: Gateway, port_file: str | None) -> None:
    """Say where the gateway listens."""
    from ..places import replace_file

    if port_file is not None:
        replace_file(Path(port_file), f"{ready.port}\n".encode())
    tell_all(f"listening on {ready.options.host}:{ready.port}", host=ready.options.host, port=ready.port)
