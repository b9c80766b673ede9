"""A notification on this desktop, by the program that the system has for it."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
from dataclasses import dataclass

from ..errors import SourceUnavailable
from .alert import Message, Outcome

SCRIPT = (
    "on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run",
)


@dataclass(slots=True)
class Desktop:
    """``program`` is notify-send or osascript, with its path."""

    program: str
    timeout: float
    name: str = "notify"
    place: str = "the desktop"

    def send(self, message: Message) -> Outcome:
        """Show it once."""
        try:
            done = subprocess.run(  # noqa: S603  # it was looked up; texts are arguments, not code
                self._arguments(message), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=self.timeout, check=False, start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return Outcome(f"still ran after {self.timeout:g} s, and was ended")
        except OSError as error:
            return Outcome(f"cannot be started: {error.strerror or error}")
        return Outcome() if done.returncode == 0 else Outcome(f"exited with {done.returncode}")

    def _arguments(self, message: Message) -> list[str]:
        if os.path.basename(self.program) == "osascript":
            script = [part for line in SCRIPT for part in ("-e", line)]
            return [self.program, *script, message.title, message.text]
        # the text of a notification is markup there
        return [self.program, "--app-name=qmo", "--", message.title, html.escape(message.text, quote=False)]

    def abandon(self) -> None:
        """It is bounded by its timeout."""


def find_desktop(timeout: float) -> Desktop:
    """The program on PATH. Raises SourceUnavailable where there is none."""
    for name in ("notify-send", "osascript"):
        program = shutil.which(name)
        if program:
            return Desktop(program, timeout)
    raise SourceUnavailable("--notify: neither notify-send nor osascript is on PATH; on Debian and Ubuntu: "
                            "apt install libnotify-bin")
