"""Bytes on their way from the thread of a connection to the one that reads: bounded, and nothing polls."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

LIMIT = 8 << 20                 # bytes that may wait before the connection is asked to pause


@dataclass(slots=True)
class Inbox:
    """Chunks of whole records. ``pause`` and ``resume`` hold back what comes in while too much waits to be read."""

    pause: Callable[[], object]
    resume: Callable[[], object]
    limit: int = LIMIT
    heard: float = field(default_factory=time.monotonic)  # s, when anything came last
    failure: Exception | None = None
    _chunks: deque[bytes] = field(default_factory=deque)
    _size: int = 0
    _paused: bool = False
    _filled: threading.Condition = field(default_factory=threading.Condition)

    def put(self, chunk: bytes) -> None:
        """A chunk has come."""
        with self._filled:
            self.heard = time.monotonic()
            self._chunks.append(chunk)
            self._size += len(chunk)
            if self._size > self.limit and not self._paused:
                self._paused = True
                self.pause()
            self._filled.notify()

    def fail(self, failure: Exception) -> None:
        """Nothing more will come, and why; the first reason counts."""
        with self._filled:
            self.failure = self.failure or failure
            self._filled.notify()

    def take(self, timeout: float) -> bytes:
        """All that waits; nothing if nothing comes in time. Raises what ``fail`` was given, once all was taken."""
        with self._filled:
            if not self._chunks and self.failure is None:
                self._filled.wait(timeout)
            if self._chunks:
                return self._all()
            if self.failure is not None:
                raise self.failure
            return b""

    def _all(self) -> bytes:
        data = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
        self._chunks.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            self.heard = time.monotonic()  # while it was held back, silence meant nothing
            self.resume()
        return data
