"""What systemd is told of a server: that it is ready, how its feed fares, that its loop still turns."""

from __future__ import annotations

import asyncio

from .. import notify
from ..board import Board

STATUS_EVERY = 5.0      # s


async def care(board: Board) -> None:
    """Tell systemd until cancelled; outside a unit this does nothing."""
    notify.ready()
    every = min(STATUS_EVERY, notify.watchdog_interval() or STATUS_EVERY)
    try:
        while True:
            notify.watchdog()
            notify.status(status(board))
            await asyncio.sleep(every)
    finally:
        notify.stopping()


def status(board: Board) -> str:
    """How the feed fares, in a line."""
    feed = board.feed()
    words = [feed.state if feed.detail is None else f"{feed.state}: {feed.detail}", f"{board.packets} packets"]
    return ", ".join([*words, *filter(None, (feed.source, feed.quality))])
