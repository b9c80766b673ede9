"""The thread that reads: it takes the input as fast as it comes, and waits for nobody who is told."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import BadData
from .clock import Clock
from .inbox import Inbox
from .judge import Judge, WrongInput

logger = logging.getLogger(__name__)

READ_SIZE = 1 << 20
LONGEST = 16 << 20      # bytes of a line
POLL = 0.1              # s between looks at what is overdue
SHOWN = 5               # lines that cannot be read, before only their number is said
GONE = "the reader of our output left"
OVER = "the input ended"


@dataclass(slots=True)
class Reader:
    """Reads ``fd`` line by line; ``tee`` gets every byte of it, before anything else is done with it.

    A line that cannot be read is passed over and said: an alert that is to run for weeks does not die of it. But if the
    very first line is of another kind, somebody put the pipe together wrongly, and is told so at once.
    """

    fd: int
    judge: Judge
    inbox: Inbox
    clock: Clock
    tee: Callable[[bytes], None] | None = None
    heard: float = 0.0      # steady s of the last bytes
    lines: int = 0
    bad: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _skipping: bool = False
    _good: bool = False

    def start(self) -> None:
        """Read in a thread that ends with the process."""
        self.heard = self.clock.steady()
        threading.Thread(target=self.run, name="alert-reader", daemon=True).start()

    def run(self) -> None:
        """Read to the end."""
        try:
            while not self.inbox.ended and (data := self._read()):
                self.heard = self.clock.steady()
                if self.tee is not None:
                    self.tee(data)
                self.take(data)
            self._last()
            self._say_bad()
            self.inbox.end(OVER)
        except BrokenPipeError:
            self.inbox.end(GONE)
        except BaseException as error:  # noqa: BLE001  # raised again where the command waits
            self.inbox.end(OVER, error)

    def _read(self) -> bytes:
        """Whatever is there; while something is to be told unless a line comes, that is looked at too."""
        while self.judge.waits and not select.select([self.fd], [], [], POLL)[0]:
            for alert in self.judge.overdue():
                self.inbox.tell(alert)
        return os.read(self.fd, READ_SIZE)

    def take(self, data: bytes) -> None:
        """What one read brought."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._line(line)
        if rest and not self._skipping:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > LONGEST:
                self._parts.clear()
                self._skipping = True

    def _line(self, end: bytes) -> None:
        """A line is over; ``end`` is what was still missing of it."""
        self.lines += 1
        if self._skipping or self._size + len(end) > LONGEST:
            self._refuse(f"longer than {LONGEST >> 20} MiB")
        else:
            line = b"".join([*self._parts, end]) if self._parts else end
            if line and not line.isspace():
                self._judge(line)
        self._parts.clear()
        self._size, self._skipping = 0, False

    def _last(self) -> None:
        if self._size:
            self._line(b"")

    def _judge(self, line: bytes) -> None:
        try:
            if not self._good:
                self.judge.check(line)
                self._good = True
            for alert in self.judge.look(line):
                self.inbox.tell(alert)
        except WrongInput:
            raise
        except BadData as error:
            self._refuse(str(error))

    def _refuse(self, why: str) -> None:
        self.bad += 1
        if self.bad <= SHOWN:
            logger.warning("line %d is passed over: %s", self.lines, why)

    def _say_bad(self) -> None:
        if self.bad > SHOWN:
            logger.warning("%d lines in all could not be read and were passed over", self.bad)
