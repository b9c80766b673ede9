"""Defaults from a TOML file: one table per command, and one per engine, as ``[engine.iceberg]``.

A flag wins over the environment (``QMO_ROUTE_EVERY=50ms``), that over the file, that over the built-in default.
The table of a stage also counts for the commands that take that stage's options, ``run`` above all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from .errors import ConfigurationError
from .places import configuration_file

TABLE_FIELDS = {"score": ("phases",)}
GROUP_TABLE = "qmo"             # of the options that stand before the command
GROUP_OPTIONS = ("log", "quiet", "verbose")
COMMAND_TABLES = (
    "feed", "quote", "route", "engine", "score", "signal", "run", "serve", "watch", "alert", "paper", "plot", "memory",
    "risk", "evaluate", "gateway", "doctor", "systemd", "schema",
)


@dataclass(frozen=True)
class Configuration:
    """A configuration file: its tables, and its path for messages. No file is an empty one."""

    path: Path | None = None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def engines(self) -> dict[str, dict[str, Any]]:
        """Parameters by engine, from ``[engine.NAME]``."""
        return {name: value for name, value in self.tables.get("engine", {}).items() if isinstance(value, dict)}

    def wrong(self, table: str, key: str, why: str) -> ConfigurationError:
        """The error for one key of this file."""
        return ConfigurationError(f"{self.path}: [{table}] {key}: {why}")


def locate(explicit: str | None) -> Path | None:
    """The file that was named, else the one at its usual place, if there is one."""
    if explicit:
        return Path(explicit)
    usual = configuration_file("config.toml")
    return usual if usual.is_file() else None


def load(path: Path | None) -> Configuration:
    """Read the file. Raises ConfigurationError when it cannot be read or has a table that no command reads."""
    if path is None:
        return Configuration()
    import tomllib

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: this is not TOML: {error}") from error
    for name, table in tables.items():
        check_table(path, name, table)
    return Configuration(path, tables)


def check_table(path: Path, name: str, table: Any) -> None:
    """Refuse what stands outside the tables, and tables that no command reads."""
    if name not in (GROUP_TABLE, *COMMAND_TABLES):
        known = ", ".join(f"[{known}]" for known in (GROUP_TABLE, *COMMAND_TABLES))
        raise ConfigurationError(f"{path}: {name}: unknown table; there are {known} and [engine.NAME]")
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: {name}: this must be a table, written [{name}]")


def defaults(configuration: Configuration, command: click.Command) -> dict[str, Any]:
    """What the file says of this command's options, by parameter name, checked."""
    name = command.name or ""
    found: dict[str, Any] = {}
    for table in (*stages(command), name):
        options = options_of(command, table)
        for key, value in configuration.tables.get(table, {}).items():
            if isinstance(value, dict) and (table == "engine" or key in TABLE_FIELDS.get(table, ())):
                continue  # engines' parameters, and fields without a flag, are checked where they are used
            option = options.get(key.replace("-", "_"))
            if option is not None:
                found[option.name or ""] = checked(configuration, table, key, option, value)
            elif table == name or key.replace("-", "_") not in (options := options_of(owner(table), table)):
                raise configuration.wrong(table, key, unknown(options))
    return found


def origin(configuration: Configuration, command: click.Command, parameter: str) -> tuple[str, str]:
    """Table and key that an option's default comes from: of several the last one, which is what counts."""
    found = ("", "")
    for table in (*stages(command), command.name or ""):
        options = options_of(command, table)
        for key in configuration.tables.get(table, {}):
            if (option := options.get(key.replace("-", "_"))) is not None and option.name == parameter:
                found = table, key
    return found


def owner(table: str) -> click.Command:
    """The command that a table is named after. It may have options that other commands of its stage do not take."""
    from .cli import cli

    found = cli.get_command(click.Context(cli), table)
    assert found is not None
    return found


def group_defaults(configuration: Configuration, group: click.Command) -> dict[str, Any]:
    """What the file says of the options that every command has, checked."""
    options = {name: option for name, option in options_of(group, group.name or "").items() if name in GROUP_OPTIONS}
    found = {}
    for key, value in configuration.tables.get(GROUP_TABLE, {}).items():
        option = options.get(key)
        if option is None:
            raise configuration.wrong(GROUP_TABLE, key, unknown(options))
        found[key] = checked(configuration, GROUP_TABLE, key, option, value)
    return found


def stages(command: click.Command) -> list[str]:
    """The other stages whose options the command takes, in pipeline order."""
    owners = {stage for option in command.params for stage in getattr(option, "stages", ())}
    return [table for table in COMMAND_TABLES if table in owners and table != command.name]


def options_of(command: click.Command, table: str) -> dict[str, click.Option]:
    """The options that a table may set: by parameter name, and by flag."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option) and table in (command.name, *getattr(option, "stages", ())):
            for name in (option.name or "", *option.opts):
                found[name.lstrip("-").replace("-", "_")] = option
    return found


def unknown(options: dict[str, click.Option]) -> str:
    """What to say of a key that is no option."""
    names = sorted({max(option.opts, key=len).lstrip("-") for option in options.values()})
    return f"unknown key; there are {', '.join(names)}"


def checked(configuration: Configuration, table: str, key: str, option: click.Option, value: Any) -> Any:
    """The value, if the option can take it."""
    if option.multiple and not isinstance(value, list):
        value = [value]
    try:
        option.type_cast_value(click.Context(click.Command("qmo")), value)
    except click.BadParameter as error:
        raise configuration.wrong(table, key, error.message) from error
    return value
