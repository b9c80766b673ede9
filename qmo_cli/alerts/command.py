"""A command of the trader's own: the line on its standard input, the rest in its environment, nothing in its text."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from .alert import Message, Outcome
from .webhook import VARIABLE, body_of

GRACE = 2.0     # s between asking a command to end and ending it


@dataclass(slots=True)
class Command:
    """Runs ``text`` in the shell, for ``timeout`` s at the most; exit status 0 is delivery."""

    text: str
    timeout: float
    name: str = "exec"
    place: str = "the command"
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def send(self, message: Message) -> Outcome:
        """Run it once. What it prints goes to stderr: our standard output is data."""
        try:
            process = subprocess.Popen(  # noqa: S603  # the user's own; nothing of the data is in it
                ["/bin/sh", "-c", self.text], stdin=subprocess.PIPE, stdout=2, env=environment(message),
                start_new_session=True,
            )
        except OSError as error:
            return Outcome(f"cannot be started: {error.strerror or error}")
        self._running = process
        try:
            process.communicate(lines_of(message), timeout=self.timeout)
        except subprocess.TimeoutExpired:
            end(process)
            return Outcome(f"still ran after {self.timeout:g} s, and was ended")
        finally:
            self._running = None
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
        code = process.returncode
        if code == 0:
            return Outcome()
        return Outcome(f"exited with {code}" if code > 0 else f"was ended by signal {-code}")

    def abandon(self) -> None:
        """End the command and all that it started."""
        process = self._running
        if process is not None:
            kill(process, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a command and all that it started to end, then end it."""
    kill(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    kill(process, signal.SIGKILL)
    process.wait()


def kill(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the process group of a command, which outlives its leader while a member lives."""
    with suppress(OSError):
        os.killpg(process.pid, number)


def lines_of(message: Message) -> bytes:
    """The lines of the alerts, oldest first; where one is not kept, what the webhook would be sent."""
    lines = [alert.line for alert in message.parcel.alerts]
    if not all(lines):
        return msgspec.json.encode(body_of(message)) + b"\n"
    return "".join(f"{line}\n" for line in lines).encode()


def environment(message: Message) -> dict[str, str]:
    """Our own environment without the webhook's address, and what there is to say as QMO_*."""
    body = body_of(message)
    ours = {name: value for name, value in os.environ.items() if name != VARIABLE}
    told = {
        "QMO_TEXT": body.text, "QMO_TITLE": body.title, "QMO_KIND": body.kind, "QMO_TOPIC": body.topic,
        "QMO_ID": body.id, "QMO_SERIES": body.series, "QMO_SYMBOL": body.symbol or "", "QMO_TIME": body.timestamp,
        "QMO_TYPE": body.type or "", "QMO_PRICE": "" if body.price is None else f"{body.price:.10g}",
        "QMO_QUALITY": body.quality, "QMO_COUNT": str(body.count),
    }
    return ours | {name: value.replace("\0", " ") for name, value in told.items()}
