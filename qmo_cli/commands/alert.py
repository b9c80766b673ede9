"""``qmo alert``: signals to somebody who should know."""

from __future__ import annotations

import signal
from dataclasses import replace
from types import FrameType

import click

from ..alerts.options import AlertOptions
from ..errors import UsageError
from .options import Part, Stage, StageOption, stage_options
from .output import write
from .sources import refuse_terminal


class ShellCommand(click.types.StringParamType):
    """A command for the shell. In an environment variable each line is one: words are not."""

    envvar_list_splitter = "\n"


ALERT = Part("alert", "options", AlertOptions)

EPILOG = """\b
Examples:
  qmo run live | qmo alert --notify
  qmo run live --changes | qmo alert --exec 'mail -s "$QMO_TITLE" me@x.org'
  qmo run live | qmo alert --webhook-file hook.url --quiet-hours 22:00-07:00
  qmo run live --full | qmo alert --notify --tee | qmo serve -
  qmo run live --full | qmo alert --notify --on decision,iceberg:detected
  qmo alert --test --notify --webhook-file hook.url
  qmo run FILE --changes | qmo alert --replay --dry-run | jq -r .text

\b
A webhook gets {"text": ..., "content": ..., "title": ..., "kind": ...} and so
on, which suits Slack, Mattermost and Discord. For others say what to send:
  --template '{"topic": "gold", "message": "{text}", "priority": 4}'

\b
What a command finds in its environment:
  QMO_TEXT QMO_TITLE       what a person should read
  QMO_TYPE                 BUY, SELL, HOLD; empty where it is no decision
  QMO_TOPIC QMO_KIND       such as decision and opened; or summary
  QMO_ID                   of the episode or event
  QMO_SERIES QMO_SYMBOL QMO_PRICE QMO_TIME QMO_QUALITY
  QMO_COUNT                alerts in the message

\b
Topics and their kinds:
  decision    opened, reversed, closed
  data        stale, halted, recovered; late, caught-up: behind the clock;
              silent, heard: with --silence; ended: no more input; overflow
  system      what packets say of the feed: gap, reconnect, roll, ...
  iceberg, memory, absorption, liquidity
              the engines' events, from packets or from engine NAME --events
"""


@click.command(cls=Stage, epilog=EPILOG)
@click.option("--tee", is_flag=True, help="Print the input instead of what became of the alerts.")
@click.option("--dry-run", is_flag=True, help="Print what would be told; tell nobody, and note nothing.")
@click.option("--test", is_flag=True, help="Send every target one test message, say how it went, and end.")
@click.option("--exec", cls=StageOption, stage="alert", multiple=True, type=ShellCommand(),
              metavar="COMMAND", help="Run this in the shell, the line on its standard input; may be given several "
                                      "times.")
@stage_options(ALERT)
def alert(tee: bool, dry_run: bool, test: bool, exec: tuple[str, ...], options: AlertOptions) -> None:  # noqa: A002
    """Tell somebody when a signal opens or ends, or the data fails.

    Reads signals from standard input, or packets with signals, or lines of events, and tells by a command, a webhook,
    or on the desktop: once for each episode and kind of change, also after a restart. What is simulated, replayed or
    older than a minute is not told, except with --replay, and then says so first. Data trouble shows in the full
    stream; lines of --changes have only part of it.

    Each target has its own queue, order, limit and retries, and none holds up another or the pipe. An alert is noted
    before it is sent: a crash may send one twice, but never not at all. What goes out late begins with OLD; what was
    held back comes as one SUMMARY. Lines on standard output say what became of each. A line that cannot be read is
    passed over and said.

    The webhook's address is a secret: it comes from QMO_ALERT_WEBHOOK or a file. It must be https (http only to this
    machine), and redirects are not followed. Exit status 1 means that something was not delivered.
    """
    from ..alerts.assembly import service_of, try_out
    from ..alerts.printer import Printer

    if sum((tee, dry_run, test)) > 1:
        raise UsageError("--tee, --dry-run and --test exclude one another")
    options = replace(options, exec=exec)
    if test:
        click.get_current_context().exit(try_out(options, write))
    refuse_terminal("alert")
    printer = Printer()
    service = service_of(options, discard if tee else printer.put, tee=write if tee else None, dry_run=dry_run)

    def terminate(number: int, frame: FrameType | None) -> None:
        service.inbox.end("terminated")

    signal.signal(signal.SIGTERM, terminate)
    printer.start()
    try:
        code = service.run()
    finally:
        printer.close(2.0)
        service.state.close()
    click.get_current_context().exit(code)


def discard(line: bytes) -> None:
    """With --tee the output is the input."""
