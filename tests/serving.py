"""A server on loopback over a board that holds a short simulated run, and raw clients for it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from qmo_cli.board import Board
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.serve.options import TOKEN_VARIABLE, ServeOptions
from qmo_cli.serve.server import Serving
from qmo_cli.tray import Packet

from .laws import Setup, packets

LIMIT = 10.0            # s, the longest that a client waits
TOKEN = "0123456789abcdef-of-a-test"
PROTOCOLS = ("h11", "httptools")


@cache
def run() -> tuple[Packet, ...]:
    """Packets of a simulated market, with everything that the chain makes of them."""
    return tuple(packets(simulate(SimOptions(seed=7, minutes=5, rate=40, gaps=0)), Setup("5s")))


def board(**options: Any) -> Board:
    """A board with that run on it."""
    found = Board(**{"stale_after": 600.0, **options})
    found.put(run())
    return found


@contextmanager
def serving(
    protocol: str = "httptools", *, patience: float | None = None, token: str = "", on: Board | None = None,
    **options: Any,
) -> Iterator[Serving]:
    """A server that runs, with h11 on asyncio or httptools on uvloop beneath it."""
    from qmo_cli.serve.patience import patient

    with pytest.MonkeyPatch.context() as patch:
        if token:
            patch.setenv(TOKEN_VARIABLE, token)
        else:
            patch.delenv(TOKEN_VARIABLE, raising=False)
        server = Serving(board() if on is None else on, ServeOptions(port=0, **options))
    server.server.config.loop = "asyncio" if protocol == "h11" else "uvloop"
    server.server.config.http_protocol_class = kind = patient(base(protocol))
    if patience is not None:
        kind.patience = patience
    server.start()
    try:
        yield server
    finally:
        server.stop()
        assert not server.alive()


def base(protocol: str) -> type[Any]:
    """uvicorn's class of that name."""
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    return H11Protocol if protocol == "h11" else HttpToolsProtocol


@dataclass
class Answer:
    """An answer, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes


def place(server: Serving) -> tuple[str, int]:
    """Address and port."""
    host, port = server.listener.getsockname()[:2]
    return host, port


def connect(server: Serving) -> socket.socket:
    """A connection to it, on which no wait is endless."""
    return socket.create_connection(place(server), timeout=LIMIT)


def head(path: str = "/healthz", method: str = "GET", version: str = "1.1", **headers: str) -> bytes:
    """The head of a request."""
    lines = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"{method} {path} HTTP/{version}\r\n{fields}\r\n".encode("latin-1")


def exchange(server: Serving, data: bytes) -> bytes:
    """Send this, and take what comes until the server closes."""
    with closing(connect(server)) as client:
        client.sendall(data)
        return everything(client)


def everything(client: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    try:
        while data := client.recv(1 << 16):
            found += data
    except (ConnectionError, ssl.SSLError):
        pass        # cut off
    return found


def ask(server: Serving, path: str = "/healthz", method: str = "GET", **headers: str) -> Answer:
    """One request, and its answer."""
    return parsed(exchange(server, head(path, method, connection="close", **headers)))


def parsed(data: bytes) -> Answer:
    """The first answer in some bytes, with all that follows as its body."""
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


def wait_until(true: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait for something that must happen soon."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
