"""``qmo doctor``: what qmo stands on."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import click

from ..doctor import DoctorOptions, Finding, examine
from ..errors import ConfigurationError
from .options import Part, Stage, stage_options
from .output import write

if TYPE_CHECKING:
    from ..config import Configuration

DOCTOR = Part("doctor", "wanted", DoctorOptions)
EPILOG = """\b
Examples:
  qmo doctor
  qmo doctor --offline
  qmo doctor --format ndjson | jq 'select(.status != "ok")'
  qmo gateway FILE & qmo doctor --gateway 127.0.0.1:13000
"""


class Doctor(Stage):
    """Reads the configuration file itself: a wrong one is a finding, and no reason not to look at the rest."""

    lenient = True


@click.command(cls=Doctor, epilog=EPILOG)
@click.option("--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True,
              help="Lines for a person, or lines of JSON.")
@stage_options(DOCTOR)
@click.pass_context
def doctor(ctx: click.Context, form: str, wanted: DoctorOptions) -> None:
    """Check what qmo stands on, and say what to do where it fails.

    One line for each: ok, warn (qmo works, but not all of it, or not well) or fail, what was looked at, what was
    found, and after an arrow what to do. Looked at are Python, the compiled reader, the vendor's packages, the key
    (where it is; it is never shown), time zones, directories, the store of memory, the exchange's holidays, the
    calendar of news, the configuration file; and over the network the live gateway, which data it lets the key have,
    its clock beside this one, and Yahoo. It takes 15 s at the most. Nothing is changed, and nothing is bought.

    Exit codes: 0 nothing failed, 1 something did.
    """
    finding, configuration = configured(ctx)
    engines = configuration.engines() if configuration else {}
    failed = False
    for one in chain([finding], examine(replace(wanted, engines=engines))):
        failed |= one.status == "fail"
        write(line_of(one, form))
    ctx.exit(1 if failed else 0)


def configured(ctx: click.Context) -> tuple[Finding, Configuration | None]:
    """What is to be said of the configuration file, and the file where it can be read."""
    from .. import cli, config
    from .mistakes import mistakes

    path = config.locate(ctx.find_root().params.get("config"))
    try:
        configuration = config.load(path)
        wrong = next(mistakes(configuration, cli.cli), None)
    except ConfigurationError as error:
        wrong = str(error)
    if wrong is not None:
        return Finding("fail", "configuration", wrong, "correct the file; qmo config --check says all"), None
    return Finding("ok", "configuration", str(path or "no file; all defaults")), configuration


def line_of(finding: Finding, form: str) -> bytes:
    """A finding, for a machine or for a person."""
    import msgspec

    if form == "ndjson":
        return msgspec.json.encode(finding) + b"\n"
    advice = f"  -> {finding.advice}" if finding.advice else ""
    return f"{finding.status:<5} {finding.what:<14} {finding.detail}{advice}\n".encode()
