"""Frames for WebSocket clients: one newest frame for all of them, a cursor for each, and no queue anywhere.

A client whose connection is slow gets nothing until it is free again, and then the newest frame; what came in between
is left out. So nothing piles up, however many there are and however slow.

What a server sends is not masked, so that one string of bytes does for all clients: it is written to their connections
in one go, without waking a task for each (a third of the time). Only a client that wants fewer frames, or whose server
has no outlet, waits in a task of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from ..board import Board

logger = logging.getLogger(__name__)

SHARE = 1.0         # of the time that a frame takes to send to all, until the next: others want answers too
EARLY = 0.2         # of the time between two frames, that one may come early: a source of that rate is not quite steady
REPEAT = 1.0        # s: a frame is sent that often at the least, so that silence means a dead connection


OUTLET = "qmo.outlet"    # the ASGI extension of a server that has them


class Outlet(Protocol):
    """A connection on which frames can be written without waiting."""

    freed: Callable[[], None]            # called when it is ready again

    @property
    def ready(self) -> bool:
        """Whether what was written before is on its way."""
        ...

    def put(self, data: bytes) -> None:
        """Write bytes as they stand on the wire."""
        ...


@dataclass(slots=True, eq=False)
class Tap:
    """A client on its outlet, and what it has had."""

    channel: Channel
    outlet: Outlet
    number: int = 0                      # of the newest frame that it was sent

    def flow(self) -> None:
        """Send the newest frame, if it is new to this client and can be sent now."""
        channel = self.channel
        if self.number < channel.number and self.outlet.ready:
            channel.sent += 1
            channel.skipped += channel.number - self.number - 1 if self.number else 0
            self.number = channel.number
            self.outlet.put(channel.wire)


@dataclass(slots=True)
class Channel:
    """The newest frame of one series, and its number."""

    text: str = ""
    wire: bytes = b""                    # the same as a whole WebSocket frame
    number: int = 0
    listeners: int = 0
    sent: int = 0                        # frames handed to clients
    skipped: int = 0                     # left out for clients that were slow, or wanted fewer
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    taps: set[Tap] = field(default_factory=set)

    def publish(self, data: bytes) -> None:
        """A newer frame: whoever waits gets it."""
        self.text, self.wire, self.number = data.decode(), on_wire(data), self.number + 1
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        for tap in tuple(self.taps):
            tap.flow()

    async def after(self, number: int) -> tuple[str, int]:
        """The newest frame, as soon as it is newer than that number."""
        while self.number <= number:
            await self.changed.wait()
        return self.text, self.number

    @contextlib.contextmanager
    def tapped(self, outlet: Outlet) -> Iterator[None]:
        """Send each frame to an outlet as soon as it is ready for it, the newest one at once."""
        tap = Tap(self, outlet)
        self.taps.add(tap)
        outlet.freed = tap.flow
        tap.flow()
        try:
            yield
        finally:
            outlet.freed = nothing
            self.taps.discard(tap)


def nothing() -> None:
    """What an outlet calls while no frames are sent to it."""


def on_wire(text: bytes) -> bytes:
    """A text as one WebSocket frame of a server (RFC 6455, 5.2).

    >>> on_wire(b"Hello").hex(), on_wire(bytes(200))[:4].hex(), on_wire(bytes(70_000))[:10].hex()
    ('810548656c6c6f', '817e00c8', '817f0000000000011170')
    """
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), text)


@dataclass(slots=True)
class Publisher:
    """Makes frames of the board while somebody listens; at most ``rate`` a second, at least one."""

    board: Board
    rate: float
    channels: defaultdict[str | None, Channel] = field(default_factory=lambda: defaultdict(Channel))
    frames: int = 0                      # made
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
        due = 0.0       # s of the clock, when the next frame may be made
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPEAT):
                    await self._woken.wait()
            self._woken.clear()
            self._pending = False
            now, cost = time.monotonic(), time.thread_time()
            due = max(due, now - self.gap) + self.gap
            try:
                self.publish()
            except Exception:       # a stream that is silent for good looks like a connection that is dead
                logger.exception("serve: a frame could not be made")
                await asyncio.sleep(REPEAT)
            cost = time.thread_time() - cost
            await asyncio.sleep(max(due - EARLY * self.gap - time.monotonic(), SHARE * cost))

    def publish(self) -> None:
        """A new frame for each series that somebody listens to."""
        for series, channel in self.channels.items():
            if channel.listeners:
                channel.publish(self._made(series))

    def _made(self, series: str | None) -> bytes:
        self.frames += 1
        return msgspec.json.encode(self.board.frame(series))

    @contextlib.contextmanager
    def channel(self, series: str | None) -> Iterator[Channel]:
        """Listen to a series, the first one without a name. Raises KeyError for one that was not seen."""
        data = self._made(series)
        channel = self.channels[series]
        if not channel.listeners:
            channel.publish(data)
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

    @property
    def sent(self) -> int:
        """Frames handed to clients."""
        return sum(channel.sent for channel in self.channels.values())

    @property
    def skipped(self) -> int:
        """Frames left out for clients that were slow, or wanted fewer."""
        return sum(channel.skipped for channel in self.channels.values())
