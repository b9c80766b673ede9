"""The server's side of a WebSocket whose client only listens: nothing piles up for one that does not read.

uvicorn's own keeps a connection for good when its client never reads: it closes once everything has been sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from .stream import OUTLET, nothing

MALFORMED = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Listener(WebSocketsSansIOProtocol):
    """A protocol of uvicorn that ignores whatever its client says, and cuts off one that is not there any more.

    It is the outlet of its connection, in the extensions of its scope.
    """

    freed: Callable[[], None] = staticmethod(nothing)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=1, low=0)      # one frame waits here; the newest comes after it

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except UnicodeError:                     # of a path or a header
            self.handshake_initiated = False
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(MALFORMED)      # the head is whole when it comes here, but it was not understood
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"] = {**(self.scope.get("extensions") or {}), OUTLET: {"outlet": self}}

    @property
    def ready(self) -> bool:
        """Whether what was written before is on its way."""
        return self.writable.is_set() and not self.close_sent and not self.transport.is_closing()

    def put(self, data: bytes) -> None:
        """Write bytes as they stand on the wire."""
        self.transport.write(data)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.freed()

    def handle_text(self, event: Any) -> None:
        """Nothing that is said is kept, be it whole or in endless pieces."""

    handle_bytes = handle_cont = handle_text

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()     # a client that asks and does not read gets no answers to pile up

    def send_keepalive_ping(self) -> None:
        if self.transport.is_closing():
            self.transport.abort()       # it has had the time between two pings for reading the last words
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        self.pong_timer = None
        self.transport.abort()

    def shutdown(self) -> None:
        super().shutdown()
        if not self.writable.is_set():
            self.transport.abort()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True       # an answer that refuses is an end in good order, not an error
