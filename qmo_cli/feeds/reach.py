"""Whether a host is there, and how far away: with a time limit on looking up its name too."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from ..errors import SourceUnavailable


def resolve(host: str, port: int, timeout: float) -> str:
    """The address of a host. Raises SourceUnavailable where it has none, or nobody says so in time (s).

    The system's own look-up cannot be cut short. So a thread of ours does it, that a process need not wait for when it
    ends: asyncio's would be waited for.
    """
    found: list[Any] = []

    def look() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError) as error:
            found.append(error)

    worker = threading.Thread(target=look, daemon=True)
    worker.start()
    worker.join(timeout)
    answer = found[0] if found else f"no answer within {timeout:g} s"
    if not found or isinstance(answer, Exception):
        words = getattr(answer, "strerror", None) or answer
        raise SourceUnavailable(f"no address of {host} is to be had: {words}")
    return str(answer)


def latency(address: str, port: int, timeout: float) -> float:
    """Seconds that a connection takes. Raises SourceUnavailable where there is none in time."""
    began = time.monotonic()
    try:
        socket.create_connection((address, port), timeout).close()
    except OSError as error:
        words = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or error
        raise SourceUnavailable(f"cannot connect to {address}:{port}: {words}") from None
    return time.monotonic() - began
