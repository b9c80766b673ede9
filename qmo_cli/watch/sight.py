"""What is looked at, whoever fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from ..board import Board, Frame, History


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
