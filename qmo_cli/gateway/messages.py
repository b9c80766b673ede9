"""What goes over the wire besides market data: lines of text before the stream, the gateway's own records in it."""

from __future__ import annotations

import hashlib
import hmac
from struct import Struct

VERSION = "0.8.0"
CHALLENGE_BYTES = 16
TAIL = 5                           # characters of the key that the answer shows in clear
_TEXT = Struct("<BBHIQ303sB")      # SystemMsg of DBN version 3
_ERROR = Struct("<BBHIQ302sBB")    # ErrorMsg of DBN version 3
RECORD_BYTES = 320
SYSTEM, ERROR = 23, 21

HEARTBEAT, ACKNOWLEDGED, SLOW_READER, REPLAY_COMPLETED, END_OF_INTERVAL = range(5)
AUTHENTICATION, DEACTIVATED, CONNECTIONS, SYMBOL, SUBSCRIPTION, INTERNAL, SKIPPED, AGED_OUT = range(1, 9)
FATAL = frozenset({AUTHENTICATION, DEACTIVATED, CONNECTIONS, SUBSCRIPTION, INTERNAL, AGED_OUT})
TEXTS = {
    AUTHENTICATION: "Authentication failed.",
    DEACTIVATED: "User or API key deactivated",
    CONNECTIONS: "User has reached their open connection limit",
    SYMBOL: "Failed to resolve symbol",
    SUBSCRIPTION: "Invalid subscription request",
    INTERNAL: "Internal error",
    SKIPPED: "Slow client detected for session, records were skipped",
    AGED_OUT: "Replay data is no longer available",
}
SLOW = "Warning: slow reading, records are sent later than they happened"
CORRUPT = bytes(64)                # the length of a record is never 0


def system_message(code: int, text: str, ts: int) -> bytes:
    """A SystemMsg."""
    return _TEXT.pack(RECORD_BYTES // 4, SYSTEM, 0, 0, ts, _cut(text, 302), code)


def error_message(code: int, text: str, ts: int, *, last: bool = True) -> bytes:
    """An ErrorMsg; ``last``: no other belongs to it."""
    return _ERROR.pack(RECORD_BYTES // 4, ERROR, 0, 0, ts, _cut(text, 301), code, last)


def _cut(text: str, size: int) -> bytes:
    return text.encode("utf-8", "replace")[:size]


def metadata(dataset: str, start: int, *, ts_out: bool) -> bytes:
    """The DBN header of a live session: it names no schema and no symbols."""
    from databento_dbn import Metadata, SType

    header = Metadata(dataset=dataset, start=start, stype_in=None, stype_out=SType.from_str("instrument_id"),
                      schema=None, ts_out=ts_out)
    return bytes(header.encode())


def sent_at(data: bytes, ts: int) -> bytes:
    """The records, each with the time (ns) at which it is sent behind it."""
    tail, at = ts.to_bytes(8, "little"), 0
    pieces: list[bytes] = []
    while at < len(data):
        end = at + 4 * data[at]
        pieces += (bytes((data[at] + 2,)), data[at + 1:end], tail)
        at = end
    return b"".join(pieces)


def fields_of(line: str) -> dict[str, str]:
    """The fields of ``name=value|name=value``.

    >>> fields_of("schema=mbo|symbols=GC.v.0")
    {'schema': 'mbo', 'symbols': 'GC.v.0'}
    """
    return {name: value for name, _, value in (part.partition("=") for part in line.split("|"))}


def well_formed(answer: str) -> bool:
    """Whether this could be the answer to a challenge: a hash and the tail of a key."""
    digest, dash, tail = answer.partition("-")
    return bool(dash) and len(digest) == 64 and not set(digest) - set("0123456789abcdef") and len(tail) == TAIL


def right(answer: str, challenge: str, key: str) -> bool:
    """Whether this is the answer of somebody who has the key."""
    digest = hashlib.sha256(f"{challenge}|{key}".encode()).hexdigest()
    return hmac.compare_digest(answer.encode(), f"{digest}-{key[-TAIL:]}".encode())
