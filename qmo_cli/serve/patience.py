"""What the HTTP server lacks: a request must be there, whole, within a time and a size.

Without it a client that sends a byte now and then keeps its connection for good, and one that never ends its
headers fills the memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

PATIENCE = 10.0         # s for the head of a request
LARGEST_HEAD = 32 << 10  # bytes

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Base
else:
    Base = object


class Patient(Base):
    """Mixed into a protocol of uvicorn: closes the connection of a client that lets it wait."""

    patience = PATIENCE
    since: float | None = None           # s of the loop's clock, when it began to wait; None while it answers
    unread: int = 0                      # bytes of a head that is not whole yet

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.wait()
        self.loop.call_later(self.patience, self.look)

    def wait(self) -> None:
        """A request is waited for from now on."""
        self.since, self.unread = self.loop.time(), 0

    def data_received(self, data: bytes) -> None:
        waiting = self.since is not None
        super().data_received(data)
        if waiting and self.cycle is not None and not self.cycle.response_complete:
            self.since = None
        elif waiting:
            self.unread += len(data)
            if self.unread > LARGEST_HEAD and self.transport.get_protocol() is self:
                self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.wait()

    def look(self) -> None:
        """Whether it has waited for too long."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        now = self.loop.time()
        if self.since is not None and now - self.since >= self.patience:
            self.transport.close()
            return
        self.loop.call_later(self.patience if self.since is None else self.since + self.patience - now, self.look)


def patient(protocol: type[Any]) -> type[Any]:
    """A protocol class of uvicorn with patience that ends."""
    return type(f"Patient{protocol.__name__}", (Patient, protocol), {})
