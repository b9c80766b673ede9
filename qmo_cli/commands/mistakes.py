"""All that is wrong with a configuration file, not the first of it only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from .. import config
from ..config import Configuration
from ..errors import ConfigurationError, QmoError


def mistakes(configuration: Configuration, group: click.Group) -> Iterator[str]:
    """What is wrong: file, table, key and why; nothing where all is well."""
    yield from told(partial(config.group_defaults, configuration, group))
    for table, values in configuration.tables.items():
        command = group.get_command(click.Context(group), table)
        if table == config.GROUP_TABLE or command is None:
            continue
        found = [words for key in values for words in told(partial(check_key, configuration, command, key))]
        yield from found or told(partial(check_table, configuration, command))
    for engine, values in configuration.engines().items():
        for key, value in values.items():
            yield from told(partial(check_parameter, configuration, engine, key, value))


def told(check: Callable[[], Any]) -> Iterator[str]:
    """What a check has to say."""
    try:
        check()
    except QmoError as error:
        yield str(error)


def check_key(configuration: Configuration, command: click.Command, key: str) -> None:
    """One key of a command's table by itself: it is known, and its value of the right kind."""
    table = command.name or ""
    config.defaults(Configuration(configuration.path, {table: {key: configuration.tables[table][key]}}), command)


def check_table(configuration: Configuration, command: click.Command) -> None:
    """The values of a table together: the command's options can be made of them."""
    table = command.name or ""
    written = configuration.tables[table]
    values = config.defaults(Configuration(configuration.path, {table: written}), command)
    for part in getattr(command.callback, "parts", ()):
        made = {item.name: values[part.name(item)] for item in part.parameters() if part.name(item) in values}
        if part.stage == table:
            made |= {name: written[name] for name in config.TABLE_FIELDS.get(table, ()) if name in written}
        try:
            part.kind(**made)
        except QmoError as error:
            raise ConfigurationError(f"{configuration.path}: [{table}]: {error}") from error


def check_parameter(configuration: Configuration, engine: str, key: str, value: Any) -> None:
    """One key of an engine's table."""
    from ..pipeline import check_settings

    try:
        check_settings({engine: {key: value}})
    except ConfigurationError as error:
        raise configuration.wrong(f"engine.{engine}", key, str(error)) from error
