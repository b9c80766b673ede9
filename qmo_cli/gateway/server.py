"""The gateway: listens, and gives every client a session."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from signal import SIGINT, SIGTERM
from types import TracebackType
from typing import Self

from ..errors import SourceUnavailable
from .clock import MarketClock
from .connection import LARGEST_LINE
from .faults import Schedule
from .messages import metadata
from .options import GatewayOptions
from .session import Session
from .shift import MINUTE, grain_of, prepare
from .symbols import Directory, MakeBlocks, close, look_into

logger = logging.getLogger(__name__)

MOST_SESSIONS = 64
REMEMBERED = 10_000             # lines of the log
AGAIN = 0.1                     # seconds between two attempts to have the port back
READY = 30.0                    # seconds for a thread to begin or end


class Gateway:
    """Serves one source over Databento's live protocol.

    As a context manager it runs in a thread of its own; ``run`` serves until ``stop``, or until its options say so.
    ``make_blocks`` opens the source anew: every subscription reads it by itself.
    """

    def __init__(self, make_blocks: MakeBlocks, options: GatewayOptions | None = None) -> None:
        self.make_blocks = make_blocks
        self.options = options or GatewayOptions()
        self.contents = look_into(make_blocks)
        self.clock = MarketClock(self.contents.origin + int(self.options.history * MINUTE), self.options.speed)
        if self.options.shift_to_now:
            prepare()
            self.clock.grain = grain_of(self.contents.schemas)
        self.schedule = Schedule(list(self.options.faults))
        self.port = self.options.port
        self.sessions = 0                                    # connections so far
        self.log: list[str] = []                             # what happened, the newest last
        self._directory = Directory(make_blocks())
        self._directory.reach(self.clock.origin)             # what can be done before is done before: imports, too
        metadata(self.contents.dataset, 0, ts_out=False)
        self._lock = asyncio.Lock()
        self._open: dict[Session, asyncio.Task[None]] = {}
        self._gone = 0
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def sent(self) -> int:
        """Market records served so far, to all clients."""
        return self.schedule.served

    def note(self, text: str) -> None:
        """Remember what happened, and log it."""
        self.log.append(text)
        if len(self.log) > REMEMBERED:
            del self.log[:REMEMBERED // 2]
        logger.info("%s", text)

    # running

    def run(self, ready: Callable[[Gateway], None] | None = None, *, signals: bool = False) -> None:
        """Serve in this thread until stopped, with ``signals`` also by SIGINT and SIGTERM.

        ``ready`` is called once the port is open.
        """
        asyncio.run(self._main(ready, signals=signals))

    def stop(self) -> None:
        """Let ``run`` return soon; may be called from any thread."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):          # the loop is closed already
                self._loop.call_soon_threadsafe(self._stop.set)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run_thread, name="qmo gateway", daemon=True)
        self._thread.start()
        self._ready.wait(READY)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(READY)

    def _run_thread(self) -> None:
        try:
            self.run(lambda _: self._ready.set())
        except BaseException as error:  # noqa: BLE001  # told to whoever started the thread
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self, ready: Callable[[Gateway], None] | None, *, signals: bool) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (SIGINT, SIGTERM) if signals else ():
            self._loop.add_signal_handler(number, self._stop.set)
        try:
            await self._listen()
            if ready is not None:
                ready(self)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.options.seconds):
                    await self._stop.wait()
        finally:
            await self._end()

    async def _listen(self) -> None:
        try:
            self._server = await asyncio.start_server(
                self._connected, self.options.host, self.port, limit=LARGEST_LINE)
        except OSError as error:
            where = f"{self.options.host}:{self.port}"
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SourceUnavailable(f"cannot listen at {where}: {reason}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._close()
        for task in [*self._open.values(), *self._background]:
            task.cancel()
        await asyncio.gather(*self._open.values(), *self._background, return_exceptions=True)
        close(self._directory.blocks)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    # sessions

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:                             # it came just before the port was closed
            writer.transport.abort()
            return
        if len(self._open) >= MOST_SESSIONS:
            writer.write(b"success=0|error=User has reached their open connection limit\n")
            writer.close()
            self.note("one connection too many, refused")
            return
        self.sessions += 1
        session = Session(self, self.sessions, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._open[session] = task
        session.note("connected")
        try:
            await session.run()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            del self._open[session]
            self._gone += 1
            if self._gone == self.options.max_sessions:
                self.stop()
            self.finished()

    async def as_of(self, ts: int) -> Directory:
        """Who is who at a time, ns."""
        async with self._lock:
            while self._directory.reach(ts):
                await asyncio.sleep(0)
        return self._directory

    def finished(self) -> None:
        """A client may have all there is."""
        if self.options.exit_at_end and self.clock.begun is not None and all(each.done for each in self._open):
            self.stop()

    def go_down(self, seconds: float) -> None:
        """Break all connections and listen no more, for a while."""
        self._close()
        for session in list(self._open):
            session.connection.reset()
        task = asyncio.create_task(self._come_up(seconds))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _come_up(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while self._server is None:
            with contextlib.suppress(SourceUnavailable):      # somebody has the port at the moment
                await self._listen()
            await asyncio.sleep(AGAIN)
        self.note("listening again")

