"""The feed of a board: packets are put onto it until there are no more, and the board says how that ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..errors import QmoError
from ..tray import Packet
from .board import Board

AT_ITS_END = "the input is at its end"


def fill(
    board: Board, batches: Iterable[list[Packet]], spent: Callable[[], Mapping[str, int]] | None,
    left: Callable[[], bool], *, fatal: tuple[type[QmoError], ...] = (), nothing: str = "the input held no packet",
) -> QmoError | None:
    """Put packets onto the board until there are no more, or nobody looks; what ended them, if it was an error.

    Raises what is wrong before the first packet, for then there is nothing to be looked at, and what is ``fatal`` at
    any time. ``nothing`` is what the board says of an input without a packet.
    """
    try:
        for batch in batches:
            if batch:
                board.put(batch, None if spent is None else spent())
            if left():
                return None
    except QmoError as error:
        if not board.packets or isinstance(error, fatal):
            raise
        board.failed(str(error))
        return error
    board.ended(AT_ITS_END if board.packets else nothing)
    return None
