"""What is said on stderr: text for a person, or with ``--log json`` one JSON object a line for a program.

The keys are time (UTC), level, logger, command and message, then what the message is about: of an error that ends the
command the exception's type and the exit code, of ``--stats`` the numbers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import click

FORMS = ("text", "json")
LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
OURS = "qmo_cli"
KEY = "qmo.log"  # of a context's meta: the form that was asked for


class Stderr(logging.Handler):
    """Writes to whatever stderr is now. A stderr that is gone cannot be told so."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is None:
            return
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


class JsonLine(logging.Formatter):
    """A record as one line of JSON, in ASCII, whatever the locale."""

    def __init__(self, command: str | None) -> None:
        super().__init__()
        self.command = command

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:-6] + "Z",
            "level": record.levelname.lower(), "logger": record.name, "command": self.command,
            "message": clean(record.getMessage()), **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            said["exception"] = record.exc_info[0].__name__
            said["traceback"] = clean(self.formatException(record.exc_info))
        return json.dumps(said)


def clean(text: str) -> str:
    """The text without halves of characters, which a file's name may hold and JSON may not."""
    return text.encode(errors="replace").decode()


def set_up(verbosity: int, form: str = "text", command: str | None = None) -> None:
    """Send what is logged to stderr: warnings, with -v also what is done, with -q errors only.

    As JSON also what other packages, Python's warnings and threads that fail have to say: every line is an object.
    """
    ours, root = logging.getLogger(OURS), logging.getLogger()
    for logger in (ours, root):
        logger.handlers = [handler for handler in logger.handlers if not isinstance(handler, Stderr)]
    handler = Stderr()
    handler.setFormatter(JsonLine(command) if form == "json" else logging.Formatter("qmo: %(message)s"))
    ours.setLevel(LEVELS.get(max(verbosity, -1), logging.DEBUG))
    if form == "json":
        root.addHandler(handler)
        logging.captureWarnings(True)
        threading.excepthook = log_thread
    elif not ours.handlers:
        ours.addHandler(handler)


def log_thread(failed: threading.ExceptHookArgs) -> None:
    """What to say of a thread that ended by an exception."""
    if failed.exc_value is not None:
        details = failed.exc_type, failed.exc_value, failed.exc_traceback
        logging.getLogger(OURS).error("thread %s: %s", failed.thread and failed.thread.name, failed.exc_value,
                                      exc_info=details)


def form_of(ctx: click.Context | None) -> str:
    """The form that was asked for: by a flag of the command, of the group, the environment or the configuration."""
    if ctx is None:
        return "text"
    return str(ctx.meta.get(KEY) or ctx.find_root().params.get("log") or "text")


def asked_for(arguments: Sequence[str]) -> str | None:
    """The form that arguments ask for which have not been parsed, or could not be."""
    found = [text.removeprefix("--log=") for text in arguments if text.startswith("--log=")]
    found += [after for before, after in pairwise(arguments) if before == "--log"]
    return found[-1] if found and found[-1] in FORMS else None


def tell(text: str, message: str = "", **fields: Any) -> None:
    """Say what was asked for, however quiet: as it stands, or as JSON the message and its fields."""
    if form_of(click.get_current_context(silent=True)) == "json":
        emit(logging.INFO, message or text, fields)
    else:
        click.echo(text, err=True)


def emit(level: int, message: str, fields: dict[str, Any]) -> None:
    """One message of ours past the level that -q and -v set."""
    logger = logging.getLogger(OURS)
    logger.handle(logger.makeRecord(OURS, level, "", 0, message, (), None, extra={"fields": fields}))


def ended(command: str | None, code: int, message: str, error: BaseException | None) -> None:
    """The last line of a command that did not succeed, in JSON; an interruption is told only where -v asks for it."""
    if not any(isinstance(handler, Stderr) for handler in logging.getLogger().handlers):
        set_up(0, "json", command)  # it failed before it began
    kind = {"exception": type(error).__name__} if error is not None else {}
    fields = {**kind, "exit_code": code}
    if message:
        emit(logging.ERROR, message, fields)
    elif logging.getLogger(OURS).isEnabledFor(logging.INFO):
        emit(logging.INFO, "interrupted" if code == 130 else "ended by a signal", fields)
