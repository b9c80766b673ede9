"""The board: what a screen shows of each series, kept as packets come; ``serve`` and ``watch`` stand on it."""

from __future__ import annotations

from .board import Board
from .frame import Feed, Frame, History

__all__ = ["Board", "Feed", "Frame", "History"]
