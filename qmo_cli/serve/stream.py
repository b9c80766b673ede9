"""Frames for WebSocket clients: one newest frame for all of them, a cursor for each, and no queue anywhere.

A client whose connection is slow waits in ``send``; when it is free again it gets the newest frame, and what came in
between is left out. So nothing piles up, however many there are and however slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from ..board import Board

REPEAT = 1.0        # s: a frame is sent that often at the least, so that silence means a dead connection


@dataclass(slots=True)
class Channel:
    """The newest frame of one series, and its number."""

    text: str = ""
    number: int = 0
    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, text: str) -> None:
        """A newer frame: whoever waits gets it."""
        self.text, self.number = text, self.number + 1
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    async def after(self, number: int) -> tuple[str, int]:
        """The newest frame, as soon as it is newer than that number."""
        while self.number <= number:
            await self.changed.wait()
        return self.text, self.number


@dataclass(slots=True)
class Publisher:
    """Makes frames of the board while somebody listens; at most ``rate`` a second, at least one."""

    board: Board
    rate: float
    channels: defaultdict[str | None, Channel] = field(default_factory=lambda: defaultdict(Channel))
    frames: int = 0                      # made
    sent: int = 0                        # handed to clients
    skipped: int = 0                     # left out for clients that were slow, or wanted fewer
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _pending: bool = False

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake up when the board is put something, whatever the thread."""

        def heard() -> None:
            if not self._pending:
                self._pending = True
                with contextlib.suppress(RuntimeError):     # the loop has been closed
                    loop.call_soon_threadsafe(self._woken.set)

        self.board.heard = heard

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPEAT):
                    await self._woken.wait()
            self._woken.clear()
            self._pending = False
            self.publish()
            await asyncio.sleep(0.8 * self.gap)      # so that a steady source of that rate gets through

    def publish(self) -> None:
        """A new frame for each series that somebody listens to."""
        for series, channel in self.channels.items():
            if channel.listeners:
                channel.publish(self._made(series))

    def _made(self, series: str | None) -> str:
        self.frames += 1
        return msgspec.json.encode(self.board.frame(series)).decode()

    @contextlib.contextmanager
    def channel(self, series: str | None) -> Iterator[Channel]:
        """Listen to a series, the first one without a name. Raises KeyError for one that was not seen."""
        text = self._made(series)
        channel = self.channels[series]
        if not channel.listeners:
            channel.publish(text)
        channel.listeners += 1
        try:
            yield channel
        finally:
            channel.listeners -= 1

    @property
    def gap(self) -> float:
        """Seconds from one frame to the next."""
        return 1 / self.rate

    @property
    def clients(self) -> int:
        """How many listen now."""
        return sum(channel.listeners for channel in self.channels.values())
