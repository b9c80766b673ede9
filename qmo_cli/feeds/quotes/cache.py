"""What all processes know of one symbol's price: the last one of each vendor, and how often a vendor failed."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...errors import SourceUnavailable
from ...places import cache_file, replace_file
from ...records import Quote

logger = logging.getLogger(__name__)

PATIENCE = 30.0                 # s to wait for another process that asks: longer than both vendors may take
LOOK = 0.02                     # s between two looks whether it is done


class Held(msgspec.Struct, frozen=True):
    """A price, when it was asked for (ns, wall clock), and why it is a second vendor's; "" where nothing made it so."""

    quote: Quote
    fetched: int
    why: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """A vendor's failures in a row, what it said last, and when (ns) it is to be asked again."""

    failures: int = 0
    reason: str = ""
    retry_at: int = 0


class Failure(msgspec.Struct, frozen=True):
    """That nobody had a price: when (ns), who was to be asked, and the words for it."""

    at: int
    which: str
    words: str


class State(msgspec.Struct):
    """All that is kept of a symbol."""

    held: dict[str, Held] = {}
    trouble: dict[str, Trouble] = {}
    failure: Failure | None = None


def cache_path(symbol: str, place: str = "") -> Path:
    """The file of a symbol. A rehearsal's gateway has its own, so that no price of it passes for a real one."""
    name = "".join(letter if letter.isalnum() or letter in ".=-" else "_" for letter in f"{symbol}@{place}".rstrip("@"))
    return cache_file(f"quotes/{name}.json")


@dataclass(slots=True)
class Cache:
    """The state of one symbol in a file. Where the file cannot be used, this process alone remembers."""

    path: Path
    patience: float = PATIENCE
    memory: State = field(default_factory=State)
    alone: bool = False

    def load(self) -> State:
        """What is known. A damaged file is no file."""
        if self.alone:
            return self.memory
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except (msgspec.DecodeError, UnicodeDecodeError):
            logger.warning("%s is damaged; it is written anew", self.path)
            return State()
        except OSError as error:
            return self._alone(error)

    def save(self, state: State) -> None:
        """Let all processes know."""
        self.memory = state
        if self.alone:
            return
        try:
            replace_file(self.path, msgspec.json.encode(state))
        except OSError as error:
            self._alone(error)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While no other process asks a vendor. Raises SourceUnavailable after ``patience`` seconds."""
        handle = self._open_lock()
        if handle is None:
            yield
            return
        try:
            self._wait(handle)
            yield
        finally:
            os.close(handle)        # and with it goes the lock

    def _open_lock(self) -> int | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._alone(error)
            return None

    def _wait(self, handle: int) -> None:
        end = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise SourceUnavailable(
                        f"another process has been asking for this price for {self.patience:g} s") from None
                time.sleep(LOOK)
            else:
                return

    def _alone(self, error: OSError) -> State:
        if not self.alone:
            logger.warning("%s: %s; prices are not shared with other processes", self.path, error.strerror)
        self.alone = True
        return self.memory
