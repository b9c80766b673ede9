"""What is looked at: a board that a thread of this process fills, or one behind a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import Protocol

from ..board import Board, Frame, History
from ..errors import QmoError
from ..tray import Packet

SPAN = 8 * 3600      # s of history that a picture may need: the widest terminal at a minute a column
GRACE = 5.0          # s that a feed has to end in good order


class Watched(Protocol):
    """Something that has frames; it is filled by a thread of its own."""

    error: Exception | None              # what ended it, where that was an error
    over: bool                           # nothing more will come

    def start(self, heard: Callable[[], None]) -> None:
        """Begin; ``heard`` is called whenever there is something new, in the thread that fills."""

    def frame(self, series: str | None) -> Frame:
        """What there is to see of a series now, the first one for None."""

    def history(self, series: str | None, step: int) -> History | None:
        """Its candles."""

    def stop(self) -> None:
        """End it."""


class Local:
    """A board filled by a feed of this process."""

    def __init__(self, batches: Iterable[list[Packet]], board: Board, end: Callable[[], None] = lambda: None) -> None:
        self.error: Exception | None = None
        self.over = False
        self.board = board
        self._batches = batches
        self._end = end
        self._stopped = Event()
        self._thread = Thread(target=self._fill, name="feed", daemon=True)

    def start(self, heard: Callable[[], None]) -> None:
        """Begin to read."""
        self.board.heard = heard
        self._thread.start()

    def frame(self, series: str | None) -> Frame:
        """What there is to see now."""
        return self.board.frame(series)

    def history(self, series: str | None, step: int) -> History | None:
        """The candles of a step."""
        return self.board.history(series, SPAN * step // 60, step)

    def stop(self) -> None:
        """Let the feed end in good order, and wait a little until it has."""
        self._stopped.set()
        self._end()
        if self._thread.is_alive():
            self._thread.join(GRACE)

    def _fill(self) -> None:
        try:
            for batch in self._batches:
                self.board.put(batch)
                if self._stopped.is_set():
                    break
        except Exception as error:  # told to the person at the screen, and raised when it is left
            self.error, self.over = error, True
            self.board.failed(str(error) if isinstance(error, QmoError | OSError) else f"{type(error).__name__}: {error}")
        else:
            self.over = True
            self.board.ended("end of the input")
