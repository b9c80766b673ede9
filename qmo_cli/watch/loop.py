"""The picture on a terminal: newest data at most ten times a second, keys, resizing, stopping and going on."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

from ..board import Frame, History
from ..board.frame import STEPS
from .keys import keys
from .look import Look
from .screen import View, lines
from .terminal import Terminal
from .watched import Watched

EVERY = 0.1          # s between two pictures, at least
IDLE = 1.0           # s after which the age of what is shown is brought up to date
MEANT = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
DEADLY = (signal.SIGHUP, signal.SIGQUIT)      # SIGINT and SIGTERM raise by themselves


class Loop:
    """One person's look at something that goes on."""

    def __init__(self, watched: Watched, terminal: Terminal, look: Look, step: int) -> None:
        self.watched = watched
        self.terminal = terminal
        self.look = look
        self.step = step
        self.series: str | None = None
        self.help = False
        self.note: Callable[[], str | None] = lambda: None
        self._kept: tuple[Frame, History | None] | None = None   # while the picture stands still
        self._changed = True
        self._left = False
        self._killed: int | None = None
        self._wake: tuple[int, int] = (-1, -1)
        self._got: list[int] = []                                # signals since they were looked at

    def run(self) -> None:
        """Until it is left. Raises what ended the feed, if that was an error."""
        with self._signals(), self._screen():
            self.watched.start(self._heard)
            self._go()
        if self._killed is not None:
            os.kill(os.getpid(), self._killed)
        if self.watched.error is not None:
            raise self.watched.error

    def _go(self) -> None:
        drawn = float("-inf")
        while not self._left:
            now = time.monotonic()
            due = drawn + (EVERY if self._changed else IDLE)
            if now >= due and not self.terminal.pending:
                over = self.watched.over
                self._changed = False
                self.draw()
                drawn = now
                if over and self.terminal.keyboard is None:
                    return
                continue
            self._wait(max(due - now, 0.0) if not self.terminal.pending else IDLE)

    def _wait(self, seconds: float) -> None:
        """Until something is heard, a key is pressed, a signal comes, the terminal takes more, or the time is over."""
        keyboard, out = self.terminal.keyboard, self.terminal.out
        readable = [self._wake[0], *([] if keyboard is None else [keyboard])]
        ready, writable, _ = select.select(readable, [out] if self.terminal.pending else [], [], seconds)
        if writable:
            self.terminal.flush()
        if self._wake[0] in ready:
            os.read(self._wake[0], 4096)
            self._attend()
        if keyboard is not None and keyboard in ready:
            self._press(keyboard)

    # ---- what is shown

    def draw(self) -> None:
        """The picture as it is now, or as it was when it was told to stand still."""
        self.terminal.draw(self.picture(*self.terminal.size()))

    def picture(self, width: int, height: int) -> list[str]:
        """The lines of the picture in a size."""
        frame, history = self._kept or self._look()
        paused = None if self._kept is None else (frame.timestamp or "")[11:19]
        view = View(keys=self.terminal.keyboard is not None, help=self.help, paused=paused, note=self.note())
        return lines(frame, history, width, height, self.look, view)

    def _look(self) -> tuple[Frame, History | None]:
        return self.watched.frame(self.series), self.watched.history(self.series, self.step)

    def _heard(self) -> None:
        """Something new, said by the thread that reads; a byte wakes the one that draws."""
        if not self._changed:
            self._changed = True
            with contextlib.suppress(OSError):
                os.write(self._wake[1], b"\0")

    # ---- keys

    def _press(self, keyboard: int) -> None:
        try:
            data = os.read(keyboard, 1024)
        except OSError:
            data = b""
        if not data:                    # the terminal is gone
            self._left = True
        for key in keys(data):
            self._do(key)
        self._changed = True

    def _do(self, key: str) -> None:
        """What a key asks for; any leaves the page of help."""
        if self.help or key == "help":
            self._left = key == "quit"
            self.help = not self.help
        elif key == "quit":
            self._left = True
        elif key == "step":
            self.step = STEPS[(STEPS.index(self.step) + 1) % len(STEPS)]
            self._kept = None if self._kept is None else (self._kept[0], self.watched.history(self.series, self.step))
        elif key in ("next", "previous"):
            self._choose(1 if key == "next" else -1)
        elif key == "pause":
            self._kept = self._look() if self._kept is None else None
        elif key == "redraw":
            self.terminal.forget()

    def _choose(self, way: int) -> None:
        frame = self.watched.frame(self.series)
        names = frame.all_series
        if frame.series in names:
            self.series = names[(names.index(frame.series) + way) % len(names)]
            self._kept = None

    # ---- signals and the terminal

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Handlers that only note what came; the usual ones come back afterwards."""
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = {number: signal.signal(number, self._note) for number in (*MEANT, *DEADLY)}
        woken = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            self.watched.stop()
            for descriptor in self._wake:
                os.close(descriptor)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._got.append(number)

    @contextlib.contextmanager
    def _screen(self) -> Iterator[None]:
        last: list[str] = []
        try:
            self.terminal.enter()
            yield
            if self.terminal.keyboard is None:
                columns, rows = self.terminal.size()
                last = self.picture(columns, rows - 1)
        finally:
            self.terminal.leave(last)
            self.terminal.close()

    def _attend(self) -> None:
        """Do what the signals that came mean."""
        while self._got:
            number = self._got.pop(0)
            if number in DEADLY:
                self._left, self._killed = True, number
            elif number == signal.SIGTSTP:
                self._suspend()
            elif number == signal.SIGCONT:
                self.terminal.enter()
            self._changed = True
        self.terminal.forget()

    def _suspend(self) -> None:
        """Stop as the person at the terminal asked, with the terminal as it was before."""
        self.terminal.leave()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self.terminal.enter()
