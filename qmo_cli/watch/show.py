"""The picture on a terminal, drawn by a thread of its own: newest data, at most ten times a second, and keys.

The feed runs in the main thread, as in every other command, and is never held up by a terminal that does not read.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from threading import Event, RLock, Thread
from types import FrameType, TracebackType
from typing import Self

from .glance import Glance
from .keys import keys
from .terminal import Terminal

EVERY = 0.1          # s between two pictures, at least
IDLE = 1.0           # s after which the age of what is shown is brought up to date
NUDGE = b"\0"        # among the numbers of signals in the pipe that wakes the thread


class Killed(BaseException):
    """A signal that ends the process without asking; the terminal is given back first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def repeat(self) -> None:
        """Let it do what it usually does."""
        signal.signal(self.number, signal.SIG_DFL)
        os.kill(os.getpid(), self.number)


class Show:
    """A terminal on which something is shown, from ``with`` to its end.

    Whoever quits ends the feed as SIGTERM does: by an exception in the main thread, or in the feed's own good order.
    """

    def __init__(self, glance: Glance, terminal: Terminal) -> None:
        self.glance = glance
        self.terminal = terminal
        self.left = Event()              # nobody looks any more
        self.quit = False                # because somebody said so
        self.error: Exception | None = None
        self._feeding = False
        self._changed = True
        self._ending = False
        self._lock = RLock()
        self._thread = Thread(target=self._run, name="screen", daemon=True)
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    # ---- for the thread that feeds

    def __enter__(self) -> Self:
        for number, handler in HANDLERS.items():
            self._before[number] = signal.signal(number, handler or self._suspend)
        self._woken = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        self.terminal.enter()
        self._feeding = True
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._feeding, self._ending = False, True
        self._nudge()
        self._thread.join()
        with self._lock:
            self.terminal.leave(self.glance.last(self.terminal) if kind is None and self.error is None else ())
        signal.set_wakeup_fd(self._woken)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.terminal.close()
        for descriptor in self._wake:
            os.close(descriptor)

    def heard(self) -> None:
        """There is something new."""
        if not self._changed:
            self._changed = True
            self._nudge()

    def stay(self) -> None:
        """The feed has ended: until somebody quits; not at all where there is no keyboard to do so."""
        with self._lock:
            self._feeding = False
        self.heard()
        if self.terminal.keyboard is not None:
            self.left.wait()

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake[1], NUDGE)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Stop as the person at the terminal asked, with the terminal as it was before."""
        with self._lock:
            self.terminal.leave()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self._suspend)
            self.terminal.enter()

    # ---- the thread that draws

    def _run(self) -> None:
        # A signal that this thread took would not interrupt the main thread where it waits for input.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._loop()
        except OSError:                 # the terminal is gone
            self.quit = True
            self._leave()
        except Exception as error:  # noqa: BLE001  raised where the feed is, once the terminal is given back
            self.error = error
            self._leave()

    def _loop(self) -> None:
        drawn = float("-inf")
        while not self._ending:
            now = time.monotonic()
            due = drawn + (EVERY if self._changed else IDLE)
            if now >= due and not self.terminal.pending:
                self._changed, drawn = False, now
                with self._lock:
                    self.terminal.draw(self.glance.picture(*self.terminal.size()))
            else:
                self._wait(max(due - now, 0.0) if not self.terminal.pending else IDLE)

    def _wait(self, seconds: float) -> None:
        """Until something is heard, a key is pressed, a signal comes, the terminal takes more, or the time is over."""
        keyboard, out = self.terminal.keyboard, self.terminal.out
        readable = [self._wake[0], *([] if keyboard is None or self.quit else [keyboard])]
        ready, writable, _ = select.select(readable, [out] if self.terminal.pending else [], [], seconds)
        with self._lock:
            if writable:
                self.terminal.flush()
            if self._wake[0] in ready:
                self._attend(os.read(self._wake[0], 4096))
            if keyboard is not None and keyboard in ready:
                self._press(keyboard)

    def _attend(self, numbers: bytes) -> None:
        """Signals: the window has another size, or the process was stopped and goes on."""
        if signal.SIGCONT in numbers:
            self.terminal.enter()
        if signal.SIGWINCH in numbers:
            self.terminal.forget()
        if numbers.strip(NUDGE):
            self._changed = True

    def _press(self, keyboard: int) -> None:
        try:
            data = os.read(keyboard, 1024)
        except OSError:
            data = b""
        self._changed = True
        for key in keys(data):
            if key == "redraw":
                self.terminal.forget()
            elif not self.glance.press(key):
                self.quit = True
        if not data or self.quit:       # without data the terminal is gone
            self.quit = True
            self._leave()

    def _leave(self) -> None:
        """End the feed, where there still is one, and whoever waits for the person at the screen."""
        self.left.set()
        with self._lock:
            if self._feeding:
                os.kill(os.getpid(), signal.SIGTERM)


def nothing(number: int, frame: FrameType | None) -> None:
    """The thread that draws is woken by the number of the signal."""


def kill(number: int, frame: FrameType | None) -> None:
    """End the process as the signal does, once the terminal is given back."""
    raise Killed(number)


# None: stop the process, which needs to know the terminal. SIGINT and SIGTERM raise by themselves.
HANDLERS: dict[int, Callable[[int, FrameType | None], None] | None] = {
    signal.SIGWINCH: nothing, signal.SIGCONT: nothing, signal.SIGTSTP: None, signal.SIGHUP: kill, signal.SIGQUIT: kill,
}
