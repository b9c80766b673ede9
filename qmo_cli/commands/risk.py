"""``qmo risk``: what capital protection says at the end of an input."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ..router import RouteOptions
from .options import Stage, stage_options
from .output import write_all
from .sources import merge_option
from .stages import ROUTE, make_engines, read_packets_or_records, set_option
from .statistics import Stopwatch

if TYPE_CHECKING:
    from ..engines.risk.views import RiskState

EPILOG = """\b
Examples:
  qmo risk FILE --merge account.ndjson --set risk.daily_loss=500
  qmo run FILE --merge account.ndjson --full | qmo risk
  qmo risk FILE --merge account.ndjson --format ndjson | jq .risk.allowed
"""


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("source", type=click.Path(dir_okay=False), default="-", metavar="[FILE]")
@click.option("--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True,
              help="A table for a person, or one line of JSON for each series.")
@merge_option
@set_option
@stage_options(ROUTE)
def risk(source: str, form: str, merge: tuple[str, ...], parameters: tuple[str, ...], routing: RouteOptions) -> None:
    """Show the account and its guards as of the end of an input.

    Reads packets, or records that it routes itself, from FILE or from standard input, and prints the last state of
    each series: what each guard that is set compares, those that are off, and the account as fill and account
    records tell it. Packets that the engine risk has read are shown as it read them.
    """
    from ..engines.risk.views import states
    from ..router import Router

    router = Router(routing)
    engines = make_engines(("bars", "risk"), parameters, timing=False)
    with closing(engines):
        batches = read_packets_or_records("risk", router, Stopwatch(False), merge, source)
        found = states(batches, engines.update)
    write_all([text_of(state, form) for state in found])


def text_of(state: RiskState, form: str) -> bytes:
    """One series, as a line or as tables."""
    import msgspec

    from ..engines.risk import views
    from .tables import table

    if form == "ndjson":
        return msgspec.json.encode(state) + b"\n"
    guards = table(views.guard_rows(state.risk), ("guard", "limit", "value", "state"))
    account = table(views.account_rows(state.risk), ("account", ""))
    return f"{views.heading(state)}\n\n{guards}\n\n{account}\n\n".encode()
