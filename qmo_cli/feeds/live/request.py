"""What is asked of the vendor's live gateway, and how it can refuse."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError

DATASET = "GLBX.MDP3"           # CME Globex
SERIES = "GC.v.0"               # gold, the contract with the largest volume
PORT = 13_000                   # of the vendor's gateways
HEARTBEAT = 5                   # s of silence after which the gateway sends a heartbeat; the client takes no less
NOT_LET_IN = 0                  # ours: refused at the door, where the vendor gives words only
# the vendor's error codes
AUTH_FAILED, KEY_DEACTIVATED, TOO_MANY_CONNECTIONS, UNKNOWN_SYMBOL, BAD_SUBSCRIPTION, INTERNAL = 1, 2, 3, 4, 5, 6
SKIPPED, TOO_OLD = 7, 8
BAD_KEY = frozenset({NOT_LET_IN, AUTH_FAILED, KEY_DEACTIVATED})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One schema of some symbols of one kind."""

    schema: str
    symbols: tuple[str, ...]
    stype: str                  # continuous, parent, raw_symbol or instrument_id
    start: int | None = None    # ns, ts_event of the first record wanted; None: from now on
    snapshot: bool = False      # mbo only: the resting orders first


@dataclass(frozen=True, slots=True)
class Request:
    """Where to connect to, and what to ask for."""

    subscriptions: tuple[Subscription, ...]
    dataset: str = DATASET
    host: str | None = None     # None: the vendor's own for the dataset
    port: int = PORT
    heartbeat: int = HEARTBEAT  # s

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host or f"{self.dataset.lower().replace('.', '-')}.lsg.databento.com", self.port


class Refused(Exception):
    """The gateway said no: the vendor's code where it gave one, and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Lost(Exception):
    """The connection could not be made, or is gone; what came before is whole."""


def address_of(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``HOST`` or ``[ADDRESS]:PORT``. Raises UsageError.

    >>> address_of("127.0.0.1:4000"), address_of("localhost"), address_of("[::1]:7")
    (('127.0.0.1', 4000), ('localhost', 13000), ('::1', 7))
    """
    host, colon, port = text.rpartition(":")
    if not colon or (text.startswith("[") and text.endswith("]")):
        host, port = text, str(PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise UsageError(f"--gateway {text}: write HOST:PORT, such as 127.0.0.1:{PORT}")
    return host.strip("[]"), int(port)
