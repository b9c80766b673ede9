"""A terminal taken over for a picture, and given back as it was: on every way out, and while the process is stopped."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from collections.abc import Sequence

# The other screen, without cursor and line wrap; and what undoes it.
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
LEAVE = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
BEGIN, END = b"\x1b[?2026h", b"\x1b[?2026l"      # a picture is shown at once by terminals that know this
PATIENCE = 1.0       # s, how long a terminal that does not read is waited for when it is given back
LOCAL_FLAGS = 3      # place of the local modes in what tcgetattr gives


def open_output() -> int:
    """Standard output's terminal, opened anew so that writing never waits; the descriptor we have where that fails."""
    try:
        return os.open(os.ttyname(1), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return os.dup(1)


def open_keyboard() -> int | None:
    """Where keys come from: standard input if it is a terminal, else the terminal of the session; None without one."""
    if os.isatty(0):
        return os.dup(0)
    try:
        return os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


class Terminal:
    """A screen that shows lines, and rewrites only those that changed.

    What the terminal does not take at once is kept, and nothing more is drawn until it has.
    """

    def __init__(
        self, out: int, keyboard: int | None, limits: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.out = out
        self.keyboard = keyboard
        self.limits = limits             # columns and rows to be used at most
        self.pending = b""
        self._shown: list[str] | None = None         # None: nothing that can be relied on
        self._before: list[int | list[bytes | int]] | None = None

    def enter(self) -> None:
        """Take the terminal over."""
        if self.keyboard is not None:
            with contextlib.suppress(termios.error):
                self._before = self._before or termios.tcgetattr(self.keyboard)
                quiet = [*self._before]
                quiet[LOCAL_FLAGS] = int(quiet[LOCAL_FLAGS]) & ~(termios.ICANON | termios.ECHO)  # type: ignore[arg-type]
                termios.tcsetattr(self.keyboard, termios.TCSANOW, quiet)
        self._shown = None
        self._send(ENTER)

    def leave(self, last: Sequence[str] = ()) -> None:
        """Give it back; ``last`` is left on the screen that was there before."""
        text = "".join(f"{row}\r\n" for row in last).encode()
        self.pending = b""
        with contextlib.suppress(OSError):           # it may be gone
            self._send(END + LEAVE + text)
            self._drain()
        if self.keyboard is not None and self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.keyboard, termios.TCSANOW, self._before)
        self._before = None

    def close(self) -> None:
        """Close what was opened."""
        for descriptor in (self.out, self.keyboard):
            if descriptor is not None:
                os.close(descriptor)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            columns, rows = os.get_terminal_size(self.out)
        except OSError:
            columns, rows = 80, 24
        most = self.limits
        return min(columns or 80, most[0] or columns or 80), min(rows or 24, most[1] or rows or 24)

    def forget(self) -> None:
        """Draw everything anew next time."""
        self._shown = None

    def draw(self, rows: Sequence[str]) -> None:
        """Show these lines."""
        if self.pending:
            return
        text = difference(self._shown, rows)
        self._shown = list(rows)
        if text:
            self._send(BEGIN + text.encode() + END)

    def flush(self) -> None:
        """Write what the terminal takes now."""
        try:
            written = os.write(self.out, self.pending)
        except BlockingIOError:
            return
        self.pending = self.pending[written:]

    def _send(self, data: bytes) -> None:
        self.pending += data
        self.flush()

    def _drain(self) -> None:
        """Wait, but not for ever, until all is written."""
        until = time.monotonic() + PATIENCE
        while self.pending and (left := until - time.monotonic()) > 0:
            if select.select([], [self.out], [], left)[1]:
                self.flush()


def difference(shown: Sequence[str] | None, rows: Sequence[str]) -> str:
    """What makes a screen that shows one picture show another, whose lines are all as wide as the screen.

    >>> difference(["a", "b"], ["a", "c"])
    '\\x1b[2;1Hc'
    >>> difference(None, ["a"])
    '\\x1b[H\\x1b[2J\\x1b[1;1Ha'
    """
    before = shown if shown is not None and len(shown) == len(rows) else None
    changed = "".join(
        f"\x1b[{number};1H{row}" for number, row in enumerate(rows, 1)
        if before is None or before[number - 1] != row)
    return changed if before is not None else f"\x1b[H\x1b[2J{changed}"
