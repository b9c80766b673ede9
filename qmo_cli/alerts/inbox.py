"""Where the reader, the workers and the signals leave what the keeper is to see. Nobody ever waits to leave it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from msgspec import Struct

from .alert import Alert, Parcel, State

ROOM = 1000             # alerts that may wait to be noted


class Report(Struct, frozen=True, gc=False):
    """What became of a parcel, or of one alert of it that was held back."""

    target: str | None
    parcel: Parcel
    state: State
    attempts: int
    text: str
    error: str | None = None
    final: bool = True                   # nothing more will be tried with it
    dropped: bool = False                # of a held one only the number is kept from now on


@dataclass(slots=True)
class Inbox:
    """Alerts are bounded in number: what is too many is counted. ``end`` may be called in the handler of a signal."""

    alerts: deque[Alert] = field(default_factory=deque)
    overflow: int = 0
    reports: deque[Report] = field(default_factory=deque)
    ended: str = ""                      # why there is no more input; "": there is
    error: BaseException | None = None   # what ended the reading, where it was no end of the input
    _bell: SimpleQueue[None] = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, alert: Alert) -> None:
        """From the reader."""
        with self._lock:
            self.alerts.append(alert)
            if len(self.alerts) > ROOM:
                self.alerts.popleft()
                self.overflow += 1
        self._bell.put(None)

    def report(self, report: Report) -> None:
        """From a worker."""
        self.reports.append(report)
        self._bell.put(None)

    def end(self, why: str, error: BaseException | None = None) -> None:
        """Say that the input is over."""
        self.error = self.error or error
        self.ended = self.ended or why
        self._bell.put(None)

    def wait(self, timeout: float | None) -> None:
        """Wait until somebody left something, and hear all the bells that rang."""
        try:
            self._bell.get(timeout=timeout)
            while True:
                self._bell.get_nowait()
        except Empty:
            return

    def take_alerts(self) -> tuple[list[Alert], int]:
        """All alerts, and how many there were too many since last time."""
        with self._lock:
            alerts, overflow = list(self.alerts), self.overflow
            self.alerts.clear()
            self.overflow = 0
        return alerts, overflow

    def take_reports(self) -> list[Report]:
        """All reports."""
        found = []
        while self.reports:
            found.append(self.reports.popleft())
        return found
