"""Options that several commands share, made from the fields of the library's option dataclasses.

A field's name becomes the flag, its annotation the type, ``metadata["help"]`` the help text and
``metadata["metavar"]`` the name of the value.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from ..errors import UsageError
from ..times import moment
from . import logs


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers only
    """A time as ISO, ns since 1970, or -1h, as ns."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text; only here, before anything runs, is the clock asked what -1h means."""
        try:
            return value if isinstance(value, int) else moment(value, time.time_ns())
        except UsageError as error:
            self.fail(str(error), param, ctx)


SCALARS: dict[Any, Any] = {Moment: Moment(), int: click.INT, float: click.FLOAT, str: click.STRING}
FILES = ("FILE", "PATH")  # names of values that are files
SECTIONS = ("Options", "feed", "simulator", "live stream", "history", "quotes", "route", "engine", "score", "signal")


@dataclass(frozen=True)
class Part:
    """A dataclass of options: the stage it belongs to, and the argument by which a command receives it.

    ``names`` gives a field another option name where two parts of a command would clash; ``times`` are fields in
    ns since 1970 that a user writes as a time; ``choices`` what the text of a field may be.
    """

    stage: str
    argument: str
    kind: type
    names: Mapping[str, str] = field(default_factory=dict)
    times: frozenset[str] = frozenset()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    title: str = ""

    def parameters(self) -> list[Field[Any]]:
        """The fields that can be set by a flag."""
        return [item for item in fields(self.kind) if item.init and "help" in item.metadata]

    def name(self, item: Field[Any]) -> str:
        """The option's name for a field."""
        return self.names.get(item.name, item.name)

    def build(self, values: dict[str, Any], configured: Mapping[str, Any]) -> Any:
        """The instance that the flags describe; fields without a flag come from the configuration file."""
        given = {item.name: values[self.name(item)] for item in self.parameters()}
        tables = {item.name: configured[item.name] for item in fields(self.kind) if item.name in configured}
        return self.kind(**{**tables, **given})

    def options(self) -> Iterator[StageOption]:
        """One option for each field."""
        hints = get_type_hints(self.kind)
        for item in self.parameters():
            yield option_of(item, Moment if item.name in self.times else hints[item.name], self)


class StageOption(click.Option):
    """An option that belongs to a stage, wherever it is offered: configuration and environment follow that.

    An option that several stages have belongs to all of them, and is shown with the first.
    """

    def __init__(self, *args: Any, stage: str = "", title: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stages: tuple[str, ...] = (stage,)
        self.title = title


class Stage(click.Command):
    """A command of the chain: knows -q, -v and --log, and shows and fills the options of other stages as theirs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["-q", "--quiet"], count=True, expose_value=False, callback=quieter,
                         help="Only errors on stderr."),
            click.Option(["-v", "--verbose"], count=True, expose_value=False, callback=louder,
                         help="Say more on stderr; twice: everything."),
            click.Option(["--log"], type=click.Choice(logs.FORMS), expose_value=False, callback=log_as,
                         help="Messages on stderr as text, or as lines of JSON."),
        ]
        for option in self.params:
            if isinstance(option, StageOption):
                owners = dict.fromkeys((self.name, *option.stages))
                option.envvar = [f"QMO_{owner}_{option.name}".upper() for owner in owners]

    def invoke(self, ctx: click.Context) -> Any:
        logs.set_up(ctx.meta.get("qmo.verbosity", 0), logs.form_of(ctx), ctx.info_name)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, options in self.sections(ctx).items():
            with formatter.section(title):
                formatter.write_dl([row for option in options if (row := option.get_help_record(ctx))])

    def sections(self, ctx: click.Context) -> dict[str, list[click.Parameter]]:
        """The options under the headings of their stages, the command's own first."""
        found: dict[str, list[click.Parameter]] = {"Options": []}
        for option in self.get_params(ctx):
            if not isinstance(option, click.Option):
                continue
            found.setdefault(self.heading(option), []).append(option)
        return dict(sorted(found.items(), key=lambda section: place(section[0])))

    def heading(self, option: click.Option) -> str:
        """The heading under which an option is shown."""
        if not isinstance(option, StageOption) or self.name in option.stages:
            return getattr(option, "title", "") or "Options"
        return option.title or f"Options of {option.stages[0]}"


def place(title: str) -> int:
    """The command's own options first, then those of the stages in pipeline order."""
    return next((number for number, name in enumerate(SECTIONS) if title.endswith(name)), 0)


def louder(ctx: click.Context, option: click.Parameter, count: int) -> None:
    ctx.meta["qmo.verbosity"] = ctx.meta.get("qmo.verbosity", 0) + count


def quieter(ctx: click.Context, option: click.Parameter, count: int) -> None:
    louder(ctx, option, -count)


def log_as(ctx: click.Context, option: click.Parameter, form: str | None) -> None:
    if form:
        ctx.meta[logs.KEY] = form


def stage_options(*parts: Part) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Offer the fields of dataclasses as options; the command receives each as one argument.

    A field that two of them share is one option and fills both.
    """
    owned = {part.name(item) for part in parts for item in part.parameters()}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **values: Any) -> Any:
            made = {part.argument: part.build(values, configured(part.stage)) for part in parts}
            return function(*args, **{name: value for name, value in values.items() if name not in owned}, **made)

        call.parts = (*getattr(function, "parts", ()), *parts)  # type: ignore[attr-defined]
        params(call).extend(reversed(merged(option for part in parts for option in part.options())))
        return call

    return decorate


def merged(options: Iterable[StageOption]) -> list[StageOption]:
    """The options, those of the same name as one that belongs to all their stages."""
    found: dict[str | None, StageOption] = {}
    for option in options:
        first = found.setdefault(option.name, option)
        if first is not option:
            first.stages += option.stages
    return list(found.values())


def configured(stage: str) -> Mapping[str, Any]:
    """The configuration file's table of a stage."""
    ctx = click.get_current_context(silent=True)
    configuration = ctx.meta.get("qmo.configuration") if ctx else None
    found: Mapping[str, Any] = configuration.tables.get(stage, {}) if configuration else {}
    return found


def params(function: Callable[..., Any]) -> list[click.Parameter]:
    """Where click's decorators keep a function's parameters, last one first."""
    if not hasattr(function, "__click_params__"):
        function.__click_params__ = []  # type: ignore[attr-defined]
    found: list[click.Parameter] = function.__click_params__  # type: ignore[attr-defined]
    return found


def option_of(item: Field[Any], hint: Any, part: Part) -> StageOption:
    """The option for one field."""
    metadata, name = item.metadata, part.name(item)
    words = name.replace("_", "-")
    default = item.default_factory() if item.default_factory is not MISSING else item.default
    kind = typed(hint, part.choices.get(item.name))
    if metadata.get("metavar") in FILES:
        kind["type"] = click.Path()  # which shells complete
    flag = f"--{words}"
    if kind.get("is_flag") and default:
        flag += f"/--no-{words}"
    nothing: tuple[Any, ...] = (None, False, (), "", {})
    shown = hint is not Moment and default not in nothing
    return StageOption([name, flag], default=default, help=metadata["help"], metavar=metadata.get("metavar"),
                       show_default=shown, stage=part.stage, title=part.title, **kind)


def typed(hint: Any, choices: Any = None) -> dict[str, Any]:
    """click's words for a field's annotation."""
    if choices:
        return {"type": click.Choice(list(choices))}
    origin, inner = get_origin(hint), [kind for kind in get_args(hint) if kind not in (type(None), Ellipsis)]
    if origin is Literal:
        return {"type": click.Choice([str(value) for value in inner])}
    if origin is UnionType:
        return typed(inner[0])
    if origin in (tuple, list):
        return {**typed(inner[0]), "multiple": True}
    if origin is dict:
        return {"type": click.STRING, "multiple": True, "callback": pairs}
    return {"is_flag": True} if hint is bool else {"type": SCALARS[hint]}


def pairs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """NAME=NUMBER, repeated, as a mapping."""
    found = {}
    for text in values:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r}: write NAME=NUMBER, such as qmo=0.4", ctx, option) from None
    return found
