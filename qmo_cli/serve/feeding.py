"""The feed of a board, and what becomes of the server when it ends: it stays, and says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from ..board import Board
from ..board.filling import AT_ITS_END, fill
from ..errors import ConfigurationError, QmoError, UsageError
from ..tray import Packet

logger = logging.getLogger(__name__)


def feed_board(
    board: Board, batches: Iterable[list[Packet]], spent: Callable[[], Mapping[str, int]], alive: Callable[[], bool],
) -> QmoError | None:
    """Put packets onto the board until there are no more of them; what ended them, if it was an error.

    Raises what is wrong before the first packet: then there is nothing to serve, and whoever started us can mend it.
    """
    fatal = ConfigurationError, UsageError
    trouble = fill(board, batches, spent, lambda: not alive(), fatal=fatal, nothing=AT_ITS_END)
    if trouble is not None:
        logger.error("serve: the feed has failed: %s", trouble)
    elif not board.packets and alive():
        logger.warning("serve: the input held no packet")
    return trouble
