"""What is looked at, whoever fills it; and a board that a feed of this process fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from ..board import Board, Frame, History
from ..errors import QmoError
from ..tray import Packet


class Sight(Protocol):
    """Something that has frames, filled in one thread and looked at in another."""

    def frame(self, series: str | None) -> Frame:
        """What there is to see of a series now, of the first one for None."""

    def history(self, series: str | None, step: int, candles: int) -> History | None:
        """Its last candles of a length in s; None before there are any."""


@dataclass(slots=True)
class BoardSight:
    """A board as it is; without ages where pictures are to be the same whenever they are made."""

    board: Board
    aged: bool = True

    def frame(self, series: str | None) -> Frame:
        """What there is to see now."""
        frame = self.board.frame(series)
        return frame if self.aged else replace(frame, feed=replace(frame.feed, age=None))

    def history(self, series: str | None, step: int, candles: int) -> History | None:
        """The newest candles."""
        return self.board.history(series, step * (candles + 1), step)


def fill(
    board: Board, batches: Iterable[list[Packet]], spent: Callable[[], Mapping[str, int]] | None,
    left: Callable[[], bool],
) -> QmoError | None:
    """Put packets onto the board until there are no more, or nobody looks; what ended them, if it was an error.

    Raises what is wrong before the first packet: then there is nothing to be looked at.
    """
    try:
        for batch in batches:
            if batch:
                board.put(batch, None if spent is None else spent())
            if left():
                return None
    except QmoError as error:
        if not board.packets:
            raise
        board.failed(str(error))
        return error
    board.ended("the input is at its end" if board.packets else "the input held no packet")
    return None
