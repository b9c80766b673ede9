"""The vendor's own client protocol, with what it receives put into an inbox.

The client's ``Live`` class is left out on purpose: its iterator loses the first records, its reconnecting loses what
came meanwhile, and it hides why a connection ended. The protocol below it is public and does none of that.
"""

from __future__ import annotations

import logging

from databento.live.protocol import DatabentoLiveProtocol
from databento_dbn import DBNRecord

from .inbox import Inbox
from .request import Lost

logging.getLogger("databento").addHandler(logging.NullHandler())  # what it says is said by us, in our words


class Wire(DatabentoLiveProtocol):
    """One connection."""

    def __init__(self, key: str, dataset: str, heartbeat: int, inbox: Inbox) -> None:
        # "warn" lets the gateway wait for a slow reader; its default for some schemas is to leave out records
        super().__init__(key, dataset, heartbeat_interval_s=heartbeat, slow_reader_behavior="warn")
        self.inbox = inbox
        self.received: list[bytes] = []

    def received_record(self, record: DBNRecord) -> None:
        self.received.append(bytes(record))

    def buffer_updated(self, nbytes: int) -> None:
        try:
            super().buffer_updated(nbytes)
        except Exception as error:
            self.inbox.fail(Lost(f"what it sent cannot be read ({error})"))
            raise
        finally:
            if self.received:
                self.inbox.put(b"".join(self.received))
                self.received.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.authenticated.done():
            self.authenticated.exception()  # looked at, so that nobody is warned of it
        if not self.disconnected.cancelled():
            self.disconnected.exception()
        self.inbox.fail(Lost(f"the connection broke ({exc})" if exc else "the gateway closed the connection"))
