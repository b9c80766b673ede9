"""A configuration file to begin with: every table, every key with its default, all of it commented out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from .. import config
from .options import StageOption
from .settings import default_of

HEAD = """\
# Configuration of qmo, in TOML. Everything here is a comment; take the # from the lines that you want to change.
# A flag wins over an environment variable, that over this file, that over what is built in.
# qmo config --check says whether the file is right, qmo config COMMAND what comes of it.
# Secrets have no place here: see qmo config.
"""
NOT_KEPT = frozenset({"quiet", "verbose", "log", "listing", "help"})  # of every command, or no setting at all


def template(group: click.Group) -> str:
    """The text of the file."""
    tables = (piece for name in config.COMMAND_TABLES for piece in table(group, name))
    return "".join((HEAD, *group_table(group), *tables, *engine_tables()))


def group_table(group: click.Group) -> Iterator[str]:
    """What holds for every command."""
    yield f"\n[{config.GROUP_TABLE}]\n"
    for option in group.params:
        if isinstance(option, click.Option) and option.name in config.GROUP_OPTIONS:
            yield from line(option.name or "", option.default, option.help)


def table(group: click.Group, name: str) -> Iterator[str]:
    """The table of a command: its own options, and those of its stage. Others take them from here."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    found = [option for option in command.params if isinstance(option, click.Option) and own(option, name)]
    if found:
        yield f"\n[{name}]\n"
    for option in found:
        yield from line(max(option.opts, key=len).lstrip("-"), option.default, option.help, multiple=option.multiple)
    if "phases" in config.TABLE_FIELDS.get(name, ()):
        yield "# [score.phases]    # more phases: the weights of the five pillars, which add up to 1\n"
        yield "# mine = { qmo = 0.4, imo = 0.3, gann = 0.1, astro = 0.1, cycle = 0.1 }\n"


def own(option: click.Option, name: str) -> bool:
    """Whether an option belongs into the table of this command rather than that of another stage."""
    return option.name not in NOT_KEPT and (not isinstance(option, StageOption) or name in option.stages)


def engine_tables() -> Iterator[str]:
    """A table for each engine with its parameters."""
    from ..engines import ENGINES
    from ..pipeline import parameters

    for name, engine in ENGINES.items():
        if found := parameters(engine):
            yield f"\n[engine.{name}]\n"
            for key, field in found.items():
                yield from line(key, default_of(field), field.metadata.get("help"))


def line(key: str, value: Any, words: str | None, *, multiple: bool = False) -> Iterator[str]:
    """A key with its default, under what it means; without a default an example of none can be given."""
    for part in textwrap.wrap(" ".join((words or "").split()), 116):
        yield f"#   {part}\n"
    known = [] if multiple and not value else value
    if isinstance(known, str | int | float | list | tuple):
        yield f"# {key} = {json.dumps(list(known) if isinstance(known, tuple) else known)}\n"
    else:
        yield f"# {key} =\n"
