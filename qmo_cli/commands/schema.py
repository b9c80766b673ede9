"""``qmo schema``: what the lines look like, for programs."""

from __future__ import annotations

import json

import click

from .options import Stage

EPILOG = """\b
Examples:
  qmo schema                     the line types
  qmo schema packet > packet.schema.json
"""


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from ..schemas import names

    return [name for name in names() if name.startswith(incomplete)]


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("name", required=False, shell_complete=complete_names)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a line type, or list the types.

    The schemas are generated from the types that write and read the lines.
    """
    from .. import schemas

    click.echo(json.dumps(schemas.schema(name), indent=2) if name else "\n".join(schemas.names()))
