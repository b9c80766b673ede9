"""Standard output as a log of deliveries: written by a thread of its own, so that no alert waits for who reads it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

ROOM = 10_000           # lines that may wait


@dataclass(slots=True)
class Printer:
    """Lines to ``fd``. Where nobody reads any more they are dropped, and the alerts go on."""

    fd: int = 1
    _lines: deque[bytes] = field(default_factory=lambda: deque(maxlen=ROOM))
    _condition: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _closing: bool = False
    _gone: bool = False
    dropped: int = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="alert-printer", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Write a line; never waits."""
        with self._condition:
            self.dropped += len(self._lines) == ROOM
            self._lines.append(line)
            self._condition.notify()

    def close(self, timeout: float) -> None:
        """Write what waits, unless nobody takes it in time."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join(timeout)
        if self.dropped:
            logger.warning("%d lines were not printed: nobody read them in time", self.dropped)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._lines or self._closing)
                data = b"".join(self._lines)
                self._lines.clear()
            if not data:
                return
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            while data and not self._gone:
                data = data[os.write(self.fd, data):]
        except OSError as error:
            self._gone = True
            logger.warning("standard output is gone (%s); alerts still go out", error.strerror or error)
