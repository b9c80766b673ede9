"""What a service tells systemd: that it is ready, how it fares, that it is alive, that it stops.

The protocol is a datagram of ``KEY=value`` lines to the socket named by ``NOTIFY_SOCKET`` (sd_notify(3)). Without that
variable, which is to say outside a unit of ``Type=notify``, every function here does nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket

PATIENCE = 1.0  # s that a message may wait for room in systemd's queue


def ready() -> bool:
    """Say that the service serves. Whether anybody was told."""
    return tell("READY=1")


def status(text: str) -> bool:
    """Say in one line how things are: ``systemctl status`` shows it."""
    return tell("STATUS=" + " ".join(text.split()))


def stopping() -> bool:
    """Say that the service is on its way out."""
    return tell("STOPPING=1")


def watchdog() -> bool:
    """Say that the service is alive; to be repeated every ``watchdog_interval()`` seconds."""
    return tell("WATCHDOG=1")


def watchdog_interval() -> float | None:
    """How often to call ``watchdog()``, in s: twice within ``WatchdogSec``. None where nobody watches this process."""
    limit, pid = number("WATCHDOG_USEC"), number("WATCHDOG_PID")
    return limit / 2e6 if limit and pid in {None, os.getpid()} else None


def number(name: str) -> int | None:
    """A whole number from the environment; None where there is none."""
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def tell(state: str) -> bool:
    """Send one message. What cannot be sent is lost: a service does not fail because nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(PATIENCE)
        wire.sendto(state.encode(errors="replace"), address.replace("@", "\0", 1) if address[0] == "@" else address)
        return True
    return False
