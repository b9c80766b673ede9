"""The command line: a lazy group in pipeline order, and the one place where errors become exit codes.

Only click is imported here, so that ``qmo --help`` costs what importing click costs; a command's module is
imported when the command runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from .errors import ConfigurationError, ExitCode, QmoError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

TERMINATED = 143  # 128 + SIGTERM: what a shell reports of a process that SIGTERM ended

# In the order in which the data flows. The text is repeated as the first line of the command's docstring.
COMMANDS = {
    "feed": "Read market records: live, of the past, from files and pipes, or simulated.",
    "quote": "Print one price: Databento's, or Yahoo's where that fails.",
    "route": "Turn records into packets: one line per symbol and frame.",
    "engine": "Let engines read packets, or records, and add what they see.",
    "score": "Weigh the engines' readings on five pillars.",
    "signal": "Turn scored packets into trade signals that say why.",
    "run": "Run the whole chain in one process: records in, signals out.",
    "serve": "Put the signal behind HTTP and WebSocket, with a page that shows it.",
    "watch": "Show on a terminal what qmo sees: price, candles and zones, pillars, the signal and why.",
    "alert": "Tell somebody when a signal opens or ends, or the data fails.",
    "explain": "Say in words why the score and the signal are what they are.",
    "paper": "Fill the signals on paper: print the fills they lead to.",
    "plot": "Draw what qmo saw: price, zones, sweeps, signals, volume and delta.",
    "memory": "Look into the memory of zones, retests and icebergs.",
    "risk": "Show the account and its guards as of the end of an input.",
    "evaluate": "Measure detectors on simulated markets, or classical rules on bars.",
    "gateway": "Serve any source like Databento's live gateway, for rehearsals.",
    "doctor": "Check what qmo stands on, and say what to do where it fails.",
    "config": "Show which value every option has, and where it comes from.",
    "systemd": "Print or install units for systemd, or examples for cron.",
    "schema": "Print the JSON Schema of a line type, or list the types.",
}


class Terminated(BaseException):
    """SIGTERM: somebody asked this process to stop."""


class Pipeline(click.Group):
    """The group: knows its commands by name only, and turns what they raise into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"qmo_cli.commands.{cmd_name}"), cmd_name)
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any,
    ) -> click.Context:
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            from .commands import logs

            if (logs.asked_for(given) or os.environ.get("QMO_LOG")) != "json":
                raise
            logs.ended(None, error.exit_code, error.format_message(), error)
            raise click.exceptions.Exit(error.exit_code) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if "--log" in " ".join(args):
            from .commands import logs

            ctx.meta["qmo.log.unparsed"] = logs.asked_for(args)
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and not ctx.resilient_parsing:
            apply_configuration(ctx, command)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands, in the order in which the data flows"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by name, and the group's own options; no command is imported for it."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        with exit_codes(ctx):
            heed_sigterm()
            value = super().invoke(ctx)
            sys.stdout.flush()
            return value


@contextlib.contextmanager
def exit_codes(ctx: click.Context) -> Iterator[None]:
    """Turn whatever a command raises into a message on stderr and an exit code, never a traceback."""
    try:
        yield
    except click.exceptions.Exit:
        raise
    except click.ClickException as error:
        refuse(ctx, error)
    except BrokenPipeError:
        abandon_stdout()
        ctx.exit(ExitCode.OK)
    except (KeyboardInterrupt, click.Abort, Terminated) as stop:
        leave(ctx, TERMINATED if isinstance(stop, Terminated) else ExitCode.INTERRUPTED)
    except QmoError as error:
        leave(ctx, error.exit_code, str(error), error)
    except OSError as error:
        leave(ctx, ExitCode.FAILURE, describe(error), error)
    except Exception as error:
        if os.environ.get("QMO_DEBUG") == "1":
            raise
        leave(ctx, ExitCode.FAILURE, bug(error), error)


def refuse(ctx: click.Context, error: click.ClickException) -> NoReturn:
    """Say what click finds wrong: its way, or as JSON."""
    if not logs_json(ctx):
        raise error
    leave(ctx, error.exit_code, error.format_message(), error)


def leave(ctx: click.Context, code: int, message: str = "", error: Exception | None = None) -> NoReturn:
    """Say what went wrong and exit; what was written to stdout before stays written."""
    if logs_json(ctx):
        say_json(ctx, code, message, error)
    elif message:
        say(ctx, message)
    try:
        sys.stdout.flush()
    except OSError:
        abandon_stdout()
    ctx.exit(code)


def say(ctx: click.Context, message: str) -> None:
    """One message on stderr, after the command's name. A stderr that is gone cannot be told so."""
    prefix = " ".join(filter(None, ("qmo", ctx.invoked_subcommand))) + ":"
    plain = "NO_COLOR" in os.environ or sys.stderr is None or not sys.stderr.isatty()
    with contextlib.suppress(OSError):
        click.echo(f"{prefix if plain else click.style(prefix, fg='red', bold=True)} {message}", err=True)


def logs_json(ctx: click.Context) -> bool:
    """Whether messages are lines of JSON: asked for, or about to be where the arguments could not be parsed."""
    given = ctx.meta.get("qmo.log") or ctx.meta.get("qmo.log.unparsed") or ctx.params.get("log")
    return bool(given == "json")


def say_json(ctx: click.Context, code: int, message: str, error: Exception | None) -> None:
    """The last message as a line of JSON."""
    from .commands import logs

    logs.ended(ctx.invoked_subcommand, code, message, error)


def describe(error: OSError) -> str:
    """An operating system's error in its own words, with the file it is about."""
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what


def bug(error: Exception) -> str:
    """What to print of a failure that is ours."""
    return (
        f"this is a bug in qmo, not in your input: {type(error).__name__}: {error}\n"
        "Please report it with the command you ran; QMO_DEBUG=1 in front of it prints the details."
    )


def abandon_stdout() -> None:
    """Nobody reads our output any more: let Python's last flush go nowhere instead of failing."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def apply_configuration(ctx: click.Context, command: click.Command) -> None:
    """Let the configuration file give the command's defaults (click: flag > environment > these).

    A lenient command reads the file itself, to say what is wrong with it.
    """
    from . import config

    lenient = getattr(command, "lenient", False)
    try:
        configuration = config.load(config.locate(ctx.params.get("config")))
        common = config.group_defaults(configuration, ctx.command)
    except ConfigurationError:
        if lenient:
            return
        raise
    for name, value in common.items():
        if ctx.get_parameter_source(name) is ParameterSource.DEFAULT:
            ctx.params[name] = value
    if lenient:
        return
    ctx.meta["qmo.configuration"] = configuration
    ctx.default_map = {command.name or "": config.defaults(configuration, command)}


def print_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Version of the program and of the wire, and whether the reader is compiled."""
    if not wanted or ctx.resilient_parsing:
        return
    from . import __version__
    from .market.reader import COMPILED
    from .packets import WIRE_VERSION

    reader = "compiled" if COMPILED else "interpreted"
    click.echo(f"qmo {__version__}, wire version {WIRE_VERSION}, reader {reader}")
    ctx.exit()


@click.group(cls=Pipeline, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "QMO"})
@click.option("--config", metavar="FILE", type=click.Path(), envvar="QMO_CONFIG",
              help="Configuration file; without it $XDG_CONFIG_HOME/qmo/config.toml.")
@click.option("-q", "--quiet", count=True, help="Only errors on stderr.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice: everything.")
@click.option("--log", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Messages on stderr as text, or as lines of JSON.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version,
              help="Print version, wire version and whether the reader is compiled.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, quiet: int, verbose: int, log: str) -> None:
    """Watch CME gold futures: from exchange messages to an explained trade signal.

    Every stage reads and writes lines of JSON, so that the chain can be cut, looked at and joined again
    anywhere; run is the same chain in one process and prints the same bytes.

    \b
    qmo run sim --minutes 10 --seed 7
    qmo feed FILE | qmo route | qmo engine all | qmo score | qmo signal
    """
    ctx.meta["qmo.verbosity"] = verbose - quiet


def heed_sigterm() -> None:
    """Let SIGTERM end the stage through its usual way out."""
    import signal

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Signal handler."""
    raise Terminated


def main() -> None:
    """Entry point of the ``qmo`` script."""
    try:
        cli(prog_name="qmo")
    except Terminated:  # before the command began, or after it ended
        sys.exit(TERMINATED)
