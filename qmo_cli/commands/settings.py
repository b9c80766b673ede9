"""Where the value of every option and engine parameter comes from, as the command would get it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass
from enum import Enum
from typing import Any

import click
from click.core import ParameterSource

from .. import config
from ..config import Configuration
from ..errors import QmoError
from ..feeds.keys import FILE, VARIABLE
from ..serve.options import TOKEN_CREDENTIAL, TOKEN_VARIABLE

SOURCES = {
    ParameterSource.COMMANDLINE: "flag", ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file", ParameterSource.DEFAULT: "default",
}
HIDDEN = "(not shown)"
SECRET = re.compile(r"(webhook|token|secret|password|api_key)$")
SECRET_VARIABLE = re.compile(r"(WEBHOOK|URL|TOKEN|SECRET|PASSWORD|KEY)$")
ENGINE_OPTIONS = {"memory": ("memory", "path"), "calendar": ("news", "calendar")}  # flags that set a parameter


@dataclass(frozen=True, slots=True)
class Setting:
    """One value, and where it comes from."""

    name: str                   # of the flag, as --every; of a parameter, as iceberg.zone_ticks
    value: Any
    source: str                 # flag, environment, file, default
    variable: str | None = None
    file: str | None = None
    table: str | None = None
    key: str | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, for a person."""
        if self.source == "environment":
            return f"environment {self.variable}"
        if self.source == "file":
            return f"file [{self.table}]" if self.table else f"file {self.file}"
        return self.source

    def line(self) -> dict[str, Any]:
        """For a program."""
        return {**asdict(self), "value": plain(self.value)}


def plain(value: Any) -> Any:
    """A value that JSON can hold; what only the owner may see is left out before."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def settings_of(
    group: click.Context, command: click.Command, arguments: list[str], configuration: Configuration,
) -> Iterator[Setting]:
    """Every option of a command that is given these arguments, then the parameters of the engines that it runs."""
    ctx = parsed(group, command, arguments, configuration)
    found = {option.name or "": setting(ctx, option, configuration) for option in options_in(ctx)}
    yield from found.values()
    if "parameters" in found:
        yield from engine_settings(ctx, found, configuration)


def parsed(
    group: click.Context, command: click.Command, arguments: list[str], configuration: Configuration,
) -> click.Context:
    """The context in which the command would run, its options read; what it is to work on may be missing."""
    group.default_map = {command.name or "": config.defaults(configuration, command)}
    ctx = click.Context(command, group, command.name, **command.context_settings)
    values, rest, _ = command.make_parser(ctx).parse_args(args=list(arguments))
    with ctx.scope(cleanup=False):
        for option in options_in(ctx):
            option.handle_parse_result(ctx, values, rest)
    return ctx


def options_in(ctx: click.Context) -> list[click.Option]:
    """The options of a command, without --help."""
    found = ctx.command.get_params(ctx)
    return [option for option in found if isinstance(option, click.Option) and option.name != "help"]


def setting(ctx: click.Context, option: click.Option, configuration: Configuration) -> Setting:
    """One option of a command."""
    name = option.name or ""
    source = SOURCES.get(ctx.get_parameter_source(name) or ParameterSource.DEFAULT, "default")
    value = ctx.params.get(name)
    value = None if isinstance(value, Enum) else value  # click's own mark of what nobody has set
    shown = HIDDEN if SECRET.search(name) and value else value
    flag = max(option.opts, key=len)
    if source == "environment":
        return Setting(flag, shown, source, variable=variable_of(ctx, option))
    if source == "file":
        table, key = config.origin(configuration, ctx.command, name)
        return Setting(flag, shown, source, file=str(configuration.path), table=table, key=key)
    return Setting(flag, shown, source)


def variable_of(ctx: click.Context, option: click.Option) -> str | None:
    """The environment variable that an option got its value from."""
    named = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    automatic = f"{ctx.auto_envvar_prefix}_{option.name}".upper() if ctx.auto_envvar_prefix else ""
    return next((name for name in (*named, automatic) if os.environ.get(name)), None)


def engine_settings(
    ctx: click.Context, options: Mapping[str, Setting], configuration: Configuration,
) -> Iterator[Setting]:
    """The parameters of every engine: from a flag, from its table, or as they are built in."""
    from ..engines import ENGINES
    from ..pipeline import check_settings, parameters, parse_settings

    given = given_parameters(options, check_settings(parse_settings(ctx.params["parameters"] or ())))
    for engine, kind in ENGINES.items():
        table = check_settings({engine: configuration.engines().get(engine, {})})[engine]
        for name, field in parameters(kind).items():
            whole = f"{engine}.{name}"
            if whole in given:
                yield given[whole]
            elif name in table:
                place = str(configuration.path)
                yield Setting(whole, table[name], "file", file=place, table=f"engine.{engine}", key=name)
            else:
                yield Setting(whole, default_of(field), "default")


def given_parameters(
    options: Mapping[str, Setting], parsed_sets: Mapping[str, Mapping[str, Any]],
) -> dict[str, Setting]:
    """The parameters that options set: ``--set``, ``--memory`` and ``--calendar``, wherever these come from."""
    found = {}
    for option, (engine, name) in ENGINE_OPTIONS.items():
        one = options.get(option)
        if one is not None and one.value is not None:
            found[f"{engine}.{name}"] = moved(one, f"{engine}.{name}", one.value)
    for engine, values in parsed_sets.items():
        found |= {f"{engine}.{name}": moved(options["parameters"], f"{engine}.{name}", value)
                  for name, value in values.items()}
    return found


def moved(one: Setting, name: str, value: Any) -> Setting:
    """The same origin under another name."""
    return Setting(name, value, one.source, one.variable, one.file, one.table, one.key)


def default_of(field: Any) -> Any:
    """The default of a dataclass's field."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def overview(group: click.Context, configuration: Configuration) -> Iterator[Setting]:
    """What holds for every command: the file, its tables, what every command has, the variables, the secrets."""
    from ..places import configuration_file

    usual = configuration_file("config.toml")
    yield Setting("configuration file", str(configuration.path or f"none; it would be {usual}"), file_source(group))
    for table, values in configuration.tables.items():
        yield Setting(f"[{table}]", ", ".join(values), "file", file=str(configuration.path), table=table)
    for option in options_in(group):
        if option.name in config.GROUP_OPTIONS:
            yield group_setting(group, option, configuration)
    for name in sorted(os.environ):
        if name.startswith("QMO_") and name not in (TOKEN_VARIABLE, "QMO_CONFIG", "QMO_LOG"):
            value = HIDDEN if SECRET_VARIABLE.search(name) else os.environ[name]
            yield Setting(name, value, "environment", variable=name)
    yield from secrets()


def file_source(group: click.Context) -> str:
    """How the configuration file was named."""
    return SOURCES.get(group.get_parameter_source("config") or ParameterSource.DEFAULT, "default")


def group_setting(group: click.Context, option: click.Option, configuration: Configuration) -> Setting:
    """One of the options that every command has, as the group got it, else as the file has it."""
    one = setting(group, option, configuration)
    values = config.group_defaults(configuration, group.command)
    if one.source == "default" and option.name in values:
        place = str(configuration.path)
        return Setting(one.name, values[option.name], "file", file=place, table=config.GROUP_TABLE, key=option.name)
    return one


def readable(value: Any) -> str:
    """A value for a person."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={readable(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def secrets() -> Iterator[Setting]:
    """Of every secret whether it is there, and from where; never what it is."""
    yield secret("Databento key", VARIABLE, FILE)
    yield secret("token of qmo serve", TOKEN_VARIABLE, TOKEN_CREDENTIAL)


def secret(name: str, variable: str, file: str) -> Setting:
    """One secret."""
    from ..feeds.keys import find_secret

    try:
        found, place = find_secret(variable, file)
    except QmoError as error:
        return Setting(name, f"not usable: {error}", "file")
    if not found:
        return Setting(name, "none", "default")
    if place == variable:
        return Setting(name, "is set", "environment", variable=variable)
    return Setting(name, "is set", "file", file=place)
