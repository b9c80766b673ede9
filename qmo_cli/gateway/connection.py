"""One client's connection: lines of text, then records, in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time

from . import messages
from .clock import MarketClock

LARGEST_LINE = 65_536           # bytes
BUFFER = 262_144                # bytes that wait for the client, at most, before the source is read on
SLOW = 1.0                      # seconds without reading that make a client slow
LINGER = 2.0                    # seconds in which the client may hang up by itself
FAREWELL = 60.0                 # seconds in which what was sent must be read at the end


class Connection:
    """Sends and hears. A client that does not read makes the sender wait in ``drain``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: MarketClock) -> None:
        self.reader, self.writer, self.clock = reader, writer, clock
        self.ts_out = False                  # whether each record says when it was sent
        self.heard = time.monotonic()        # when the client was sent something
        self.waiting = 0                     # bytes that the next drain sends
        self._pieces: list[bytes] = []
        writer.transport.set_write_buffer_limits(high=BUFFER)
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    async def say(self, *lines: str) -> None:
        """Send lines of text."""
        self.writer.write("".join(f"{line}\n" for line in lines).encode())
        await self.writer.drain()

    async def hear(self) -> str | None:
        """The next line of the client; None when it said its last.

        Raises ValueError for one that is too long or no text.
        """
        data = await self.reader.readline()
        return data.decode().rstrip("\r\n") if data.endswith(b"\n") else None

    def put(self, data: bytes) -> None:
        """Send records."""
        if data:
            self.raw(messages.sent_at(data, time.time_ns()) if self.ts_out else data)

    def raw(self, data: bytes) -> None:
        """Send bytes, with the next ``drain``: one call of the system for many small pieces."""
        self._pieces.append(data)
        self.waiting += len(data)

    def tell(self, code: int, text: str, ts: int | None = None) -> None:
        """Send a system message, of market time unless ``ts`` (ns) says otherwise."""
        self.put(messages.system_message(code, text, self.clock.shown if ts is None else ts))

    def fail(self, code: int, text: str, *, last: bool = True) -> None:
        """Send an error message."""
        self.put(messages.error_message(code, text, self.clock.shown, last=last))

    async def drain(self) -> bool:
        """Send what waits, and wait until the client has read enough; true if that took long."""
        begun = time.monotonic()
        if self._pieces:
            self.writer.write(b"".join(self._pieces))
            self._pieces.clear()
            self.waiting, self.heard = 0, begun
        await self.writer.drain()
        return time.monotonic() - begun > SLOW

    def reset(self) -> None:
        """Break the connection, whatever is under way: RST in place of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close, but not before what was sent is read, and not much later either.

        What the client still says is heard: closing with anything unread would send RST in place of FIN.
        """
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self.flush()
            self.writer.write_eof()
            async with asyncio.timeout(LINGER):
                while await self.reader.read(LARGEST_LINE):
                    pass
        self.writer.transport.abort()

    async def flush(self) -> None:
        """Wait until all is sent."""
        self.writer.transport.set_write_buffer_limits(high=0)
        await self.drain()
        self.writer.transport.set_write_buffer_limits(high=BUFFER)
