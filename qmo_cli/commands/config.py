"""``qmo config``: which value every option has, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from .. import config as library
from ..errors import ConfigurationError, UsageError
from ..places import configuration_file
from .options import Stage

if TYPE_CHECKING:
    from .settings import Setting

EPILOG = """\b
Examples:
  qmo config
  qmo config run --every 50ms
  qmo config run --changed
  qmo config engine --format ndjson -- --every 1m
  qmo config --check
  qmo config --template > "$(qmo config --path)"
"""


class Lenient(Stage):
    """Reads the configuration file itself: a wrong one is what it is asked about."""

    lenient = True


def complete_commands(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in ctx.find_root().command.list_commands(ctx)  # type: ignore[attr-defined]
            if name.startswith(incomplete)]


@click.command(cls=Lenient, epilog=EPILOG, context_settings={"ignore_unknown_options": True})
@click.argument("command", required=False, metavar="[COMMAND]", shell_complete=complete_commands)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENT]...")
@click.option("--changed", is_flag=True, help="Only what is not the default.")
@click.option("--path", "where", is_flag=True, help="Print the path of the file, whether it is there or not.")
@click.option("--check", is_flag=True, help="Look for mistakes in the file; exit status 78 if there are any.")
@click.option("--template", "blank", is_flag=True, help="Print a file of every table with its defaults, as comments.")
@click.option("--format", "form", type=click.Choice(["table", "ndjson"]), default="table", show_default=True,
              help="A table for a person, or lines of JSON.")
@click.pass_context
def config(
    ctx: click.Context, command: str | None, arguments: tuple[str, ...], changed: bool, where: bool, check: bool,
    blank: bool, form: str,
) -> None:
    """Show which value every option has, and where it comes from.

    With a COMMAND, and behind it what that would be given: each of its options, and each parameter of the engines that
    it runs, with its value, which is a flag's, an environment variable's, the configuration file's or the default.
    Arguments that this command has too, such as --format, stand behind --.

    Without a COMMAND: the file in use, its tables, the variables that are set, and of every secret whether it is there
    and where; what it is, is never shown.
    """
    group = ctx.find_root()
    path = library.locate(group.params.get("config"))
    if sum((where, check, blank, command is not None)) > 1:
        raise UsageError("one thing at a time: --path, --check, --template or a COMMAND")
    if where:
        click.echo(path or configuration_file("config.toml"))
    elif blank:
        click.echo(template_text(group), nl=False)
    elif check:
        click.echo(checked(group, library.load(path)))
    else:
        show(found(group, command, arguments, library.load(path)), changed=changed, form=form, command=command)


def template_text(group: click.Context) -> str:
    """The file to begin with."""
    from .template import template

    assert isinstance(group.command, click.Group)
    return template(group.command)


def checked(group: click.Context, configuration: library.Configuration) -> str:
    """That the file is right. Raises ConfigurationError with all that is wrong."""
    from .mistakes import mistakes

    assert isinstance(group.command, click.Group)
    wrong = list(mistakes(configuration, group.command))
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return f"{configuration.path}: no mistakes" if configuration.path else "there is no file; all is as it is built in"


def found(
    group: click.Context, command: str | None, arguments: tuple[str, ...], configuration: library.Configuration,
) -> Iterable[Setting]:
    """The settings of a command, or what holds for all of them."""
    from . import settings

    if command is None:
        return settings.overview(group, configuration)
    assert isinstance(group.command, click.Group)
    one = group.command.get_command(group, command)
    if one is None:
        raise UsageError(f"there is no command {command!r}; qmo --help lists them")
    return settings.settings_of(group, one, list(arguments), configuration)


def show(rows: Iterable[Setting], *, changed: bool, form: str, command: str | None) -> None:
    """Print the settings."""
    from .settings import readable
    from .tables import table

    chosen = [row for row in rows if not changed or row.source != "default"]
    if form == "ndjson":
        import json

        for row in chosen:
            click.echo(json.dumps({"command": command, **row.line()}))
    elif chosen:
        click.echo(table([(row.name, readable(row.value), row.origin) for row in chosen], ("setting", "value", "from")))
    else:
        click.echo("everything is as it is built in")
