"""What was told, and what is still to be delivered: a small file that survives restarts.

An alert is noted before it is sent and struck out when it was delivered, so that a crash in between sends it twice,
never not at all.
"""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from ..errors import QmoError, SourceUnavailable
from ..places import replace_file
from .alert import Alert
from .judge import Decided
from .wanted import DECISION

logger = logging.getLogger(__name__)

NOTED = 4000            # keys that are remembered
DECISIONS = 200         # series whose decision is remembered
PENDING = 1300          # undelivered alerts of one target that are kept: more than may wait anywhere
KEPT_LINE = 4096        # characters of an undelivered alert's line that are kept


class Kept(Struct, gc=False):
    """The file."""

    schema: str = "alert-state"
    v: int = 1
    noted: dict[str, str] = {}                       # key of what was told: time of its data, ns; oldest first
    decided: dict[str, Decided] = {}                 # the decision told last, by realm and series
    pending: dict[str, dict[str, Alert]] = {}        # undelivered alerts by target and key, oldest first
    uncounted: dict[str, int] = {}                   # undelivered ones beyond those, by target


@dataclass(slots=True)
class State:
    """The state and its file; no file for a trial. ``failed`` is why it could not be written last time, "" if it was.
    """

    path: Path | None
    kept: Kept = field(default_factory=Kept)
    failed: str = ""
    _lock: int = -1

    def open(self) -> None:
        """Lock and read the file. Raises SourceUnavailable where another process has it, QmoError where it fails."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            self._take_lock()
            self._read()
            replace_file(self.path, msgspec.json.encode(self.kept))
        except OSError as error:
            raise QmoError(f"the state cannot be kept in {self.path}: {error.strerror or error}; name another --state "
                           "FILE") from error

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SourceUnavailable(
                f"another qmo alert keeps its state in {self.path}; end it, or name another --state FILE") from None

    def _read(self) -> None:
        assert self.path is not None
        with suppress(FileNotFoundError):
            data = self.path.read_bytes()
            try:
                self.kept = msgspec.json.decode(data, type=Kept)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                aside = self.path.with_name(self.path.name + ".damaged")
                os.replace(self.path, aside)
                logger.warning("the state in %s is damaged, and was put aside as %s; what was told before may be told "
                               "again", self.path, aside)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def note(self, alert: Alert, targets: list[str]) -> bool:
        """Take down an alert for all targets; False where it was told before."""
        kept = self.kept
        if alert.key in kept.noted:
            return False
        kept.noted[alert.key] = str(alert.ts)
        prune(kept.noted, NOTED)
        if alert.topic == DECISION:
            place = f"{alert.realm}|{alert.series}"
            kept.decided.pop(place, None)
            kept.decided[place] = Decided(alert.type or "", None if alert.kind == "closed" else alert.id, alert.ts)
            prune(kept.decided, DECISIONS)
        short = alert if len(alert.line) <= KEPT_LINE else msgspec.structs.replace(alert, line="")
        for target in targets:
            waiting = kept.pending.setdefault(target, {})
            waiting[alert.key] = short
            left_out = prune(waiting, PENDING)
            if left_out:
                kept.uncounted[target] = kept.uncounted.get(target, 0) + left_out
        return True

    def drop(self, target: str, alert: Alert) -> None:
        """Keep of an undelivered alert that there was one."""
        if self.kept.pending.get(target, {}).pop(alert.key, None) is not None:
            self.kept.uncounted[target] = self.kept.uncounted.get(target, 0) + 1

    def strike(self, target: str, alerts: tuple[Alert, ...], uncounted: int = 0) -> None:
        """Forget what needs no more delivery."""
        waiting = self.kept.pending.get(target, {})
        for alert in alerts:
            waiting.pop(alert.key, None)
        left = self.kept.uncounted.get(target, 0) - uncounted
        if left > 0:
            self.kept.uncounted[target] = left
        else:
            self.kept.uncounted.pop(target, None)

    def write(self) -> None:
        """Put it into the file. Where that fails alerts still go out: it is said once, and tried again next time."""
        if self.path is None:
            return
        try:
            replace_file(self.path, msgspec.json.encode(self.kept))
        except OSError as error:
            why = error.strerror or str(error)
            if why != self.failed:
                logger.error("the state cannot be written to %s: %s; alerts still go out, but a restart may send some "
                             "again", self.path, why)
            self.failed = why
        else:
            if self.failed:
                logger.warning("the state is written to %s again", self.path)
            self.failed = ""


def prune(kept: dict[str, object] | dict[str, str] | dict[str, Decided] | dict[str, Alert], room: int) -> int:
    """Drop the oldest entries beyond the room; how many."""
    dropped = 0
    while len(kept) > room:
        del kept[next(iter(kept))]
        dropped += 1
    return dropped
