"""A live gateway on this machine that says what a test wants, and counts who asks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import databento_dbn

from qmo_cli.ndjson import header

from .support import SECOND, bbo, mapping, system

KEY = "db-rehearsal-0123456789abcdef"
CONTRACT = 42_026
Answer = Callable[[dict[str, str]], "list[bytes] | None"]


def price_at(now: int, price: float = 2567.5, bid: float = 2567.3, ask: float = 2567.7, **rest: Any) -> list[bytes]:
    """What a gateway sends first: an acknowledgement, the contract's name, and a price of this second."""
    ts = now // SECOND * SECOND
    return [
        system("Subscription request for bbo-1s data succeeded", ts_event=ts, code=1),
        mapping("GC.v.0", "GCG7", instrument=CONTRACT, ts_event=ts),
        bbo((bid, 3, 2), (ask, 4, 3), ts_event=ts - 40, ts_recv=ts, price=price, size=150, instrument=CONTRACT, **rest),
    ]


def refused(code: int, words: str, ts: int = 0) -> bytes:
    """One ErrorMsg, by the vendor's own encoder."""
    return bytes(databento_dbn.ErrorMsg(ts, words, code=databento_dbn.ErrorCode.from_int(code)))


class Gateway:
    """Speaks the live protocol; ``answer`` gives the records for a subscription, None: hang up without greeting."""

    def __init__(self, answer: Answer, key: str = KEY, port: int = 0) -> None:
        self.answer, self.key = answer, key
        self.subscriptions: list[dict[str, str]] = []
        self.connections = 0
        self.silent = False     # accept, and say nothing
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        workers = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self.connections += 1
            self._open.append(connection)
            workers.append(threading.Thread(target=self._talk, args=(connection,), daemon=True))
            workers[-1].start()
        for worker in workers:
            worker.join(5)

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb", buffering=0) as lines:
            if self.silent:
                lines.read()
                return
            lines.write(b"lsg_version=0.8.0\ncram=0123456789abcdef0123456789abcdef\n")
            words = lines.readline().decode()
            if f"-{self.key[-5:]}|" not in words:
                lines.write(b"success=0|error=Authentication failed.\n")
                return
            lines.write(b"success=1|session_id=1\n")
            asked: list[dict[str, str]] = []
            while (line := lines.readline().decode().strip()) and not line.startswith("start_session"):
                asked.append(dict(part.split("=", 1) for part in line.split("|")))
            self.subscriptions += asked
            answers = [self.answer(one) for one in asked]
            if None not in answers and line:
                lines.write(header("GLBX.MDP3", None) + b"".join(b"".join(answer or ()) for answer in answers))
                lines.readline()

    def close(self) -> None:
        """Hang up everywhere; the port is free then."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)


@contextlib.contextmanager
def gateway(answer: Answer) -> Iterator[Gateway]:
    """A gateway for the time of a test."""
    server = Gateway(answer)
    try:
        yield server
    finally:
        server.close()
