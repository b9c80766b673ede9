"""One connection to a live gateway: opened, subscribed, started, and read as bytes until it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from .inbox import Inbox
from .request import NOT_LET_IN, TOO_MANY_CONNECTIONS, Lost, Refused, Request

if TYPE_CHECKING:
    from .wire import Wire

CONNECT_TIMEOUT = 10.0          # s to connect, and again to be let in


class Session:
    """A session with the gateway. ``open`` it, ``read`` until it raises Lost, ``close`` it in any case."""

    def __init__(self, request: Request, key: str, timeout: float = CONNECT_TIMEOUT) -> None:
        self.request, self._key, self._timeout = request, key, timeout
        self._wire: Wire | None = None
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # the connection is lost then, and says so
        self._thread = threading.Thread(target=self._loop.run_forever, name="qmo-live", daemon=True)
        self.inbox = Inbox(pause=self._pause, resume=self._resume)

    def open(self) -> None:
        """Connect, identify, subscribe, start. Raises Refused with the gateway's words, or Lost."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        self.inbox.heard = time.monotonic()  # from here on silence counts

    def read(self, timeout: float) -> bytes:
        """Whole DBN version 3 records that have come; nothing if none comes in time (s).

        Raises Lost once all that came was read: every end of a session is one that nobody asked for.
        """
        return self.inbox.take(timeout)

    @property
    def silence(self) -> float:
        """Seconds since anything came, heartbeats included."""
        return time.monotonic() - self.inbox.heard

    def close(self) -> None:
        """Drop the connection and its thread."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    def _stop(self) -> None:
        if self._wire is not None:
            with contextlib.suppress(ValueError):
                self._wire.transport.abort()
        self._loop.call_soon(self._loop.stop)  # after the connection has been told that it is lost

    async def _open(self) -> None:
        from .wire import Wire

        host, port = self.request.address
        make = lambda: Wire(self._key, self.request.dataset, self.request.heartbeat, self.inbox)  # noqa: E731
        try:
            connecting = self._loop.create_connection(make, host, port)
            _, wire = await asyncio.wait_for(connecting, self._timeout)
        except TimeoutError:
            raise Lost(f"no answer from {host}:{port} within {self._timeout:g} s") from None
        except OSError as error:
            raise Lost(f"cannot connect to {host}:{port}: {error.strerror or error}") from None
        self._wire = wire
        await self._identify(wire, f"{host}:{port}")
        for wanted in self.request.subscriptions:
            wire.subscribe(wanted.schema, wanted.symbols, wanted.stype, start=wanted.start, snapshot=wanted.snapshot)
        wire.start()

    async def _identify(self, wire: Wire, where: str) -> None:
        """Wait until the gateway has let us in."""
        waits: set[asyncio.Future[Any]] = {wire.authenticated, wire.disconnected}
        await asyncio.wait(waits, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        if wire.authenticated.done():
            if (error := wire.authenticated.exception()) is not None:
                words = str(error)
                raise Refused(TOO_MANY_CONNECTIONS if "limit" in words.lower() else NOT_LET_IN, words)
            return
        if wire.disconnected.done():
            raise Lost(f"{where} closed the connection before it let us in")
        raise Lost(f"{where} did not let us in within {self._timeout:g} s")

    def _pause(self) -> None:
        """Read no more from the network; called in the connection's own thread."""
        if self._wire is not None:
            self._wire.transport.pause_reading()

    def _resume(self) -> None:
        if self._wire is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._wire.transport.resume_reading)
