"""What the HTTP server lacks: a request must be there, whole, and its answer taken, within a time and a size.

Without it a client that sends a byte now and then, or never reads its answer, keeps its connection for good; one that
never ends its headers, or sends thousands of requests at once, fills the memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

PATIENCE = 10.0          # s from one answer to the next, once a request has begun; the pause between is uvicorn's
FLUSH = 60.0             # s that what was sent before the end may take to arrive
LARGEST_HEAD = 32 << 10  # bytes
LARGEST_REST = 1 << 20   # bytes that may come while a request is being answered
MOST_PIPELINED = 16      # requests that may be sent before the first is answered

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
else:
    Base = object


class Patient(Base):
    """Mixed into a protocol of uvicorn: closes the connection of a client that lets it wait."""

    patience = PATIENCE
    since: float = 0.0                   # s of the loop's clock, when it began to wait
    unread: int = 0                      # bytes since then
    answers: int = 0                     # since something came
    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()            # there is not even room for saying so
        self._wait()
        self.timer = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def handle_websocket_upgrade(self, *event: Any) -> None:
        super().handle_websocket_upgrade(*event)
        self._stop()

    def data_received(self, data: bytes) -> None:
        self.answers = 0
        super().data_received(data)
        self.unread += len(data)
        begun = self.cycle is not None and not self.cycle.response_complete
        if self.unread > (LARGEST_REST if begun else LARGEST_HEAD) and self.transport.get_protocol() is self:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Only httptools calls this, for all requests at once; h11 begins the next after an answer."""
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._wait()
        self.answers += 1
        if self.answers > MOST_PIPELINED:
            self.transport.close()       # each costs h11 a copy of all that wait
        super().on_response_complete()

    def _wait(self) -> None:
        self.since, self.unread = self.loop.time(), 0

    def _stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None            # so that nothing keeps what is gone

    def _look(self) -> None:
        """Whether it has waited for too long."""
        closing = self.transport.is_closing()
        left = self.since + (FLUSH if closing else self.patience) - self.loop.time()
        if left <= 0:
            self.transport.abort()       # closing would wait until everything is read
        else:
            self.timer = self.loop.call_later(left, self._look)


def patient(protocol: type[Any]) -> type[Any]:
    """A protocol class of uvicorn with patience that ends."""
    return type(f"Patient{protocol.__name__}", (Patient, protocol), {})
