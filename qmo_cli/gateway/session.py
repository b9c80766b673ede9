"""One client's session: it is let in, asks, and is served until one of the two has enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import QmoError
from . import messages
from .connection import Connection
from .greeting import Rejected, greet
from .sender import Sender, header
from .subscription import Refused, Subscription, subscription_of

if TYPE_CHECKING:
    from .server import Gateway

MOST_SYMBOLS = 100_000


class Session:
    """Serves one client until one of the two has enough."""

    def __init__(
        self, gateway: Gateway, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:
        self.gateway, self.number = gateway, number
        self.connection = Connection(reader, writer, gateway.clock)
        self.fields: dict[str, str] = {}           # what the client said of itself
        self.requests: list[Subscription] = []     # not yet looked at
        self.symbols: list[str] = []               # of a list that takes several lines
        self.started = False
        self.sender: Sender | None = None
        self.wake = asyncio.Event()

    @property
    def done(self) -> bool:
        """Whether the client has all there is."""
        return self.sender is not None and self.sender.done

    def note(self, text: str) -> None:
        """Say what happened."""
        self.gateway.note(f"session {self.number}: {text}")

    async def run(self) -> None:
        """The whole session."""
        try:
            await self.serve()
        except Rejected as rejection:
            self.note(f"rejected: {rejection}")
        except Refused as refusal:
            self.refuse(refusal)
        except TimeoutError:
            self.note("no answer to the challenge, closed")
        except ValueError:
            self.note("a line that is no text or of more than 64 KB, closed")
        except ConnectionError:
            self.note("the client is gone")
        except QmoError as error:
            self.note(f"the source: {error}")
            self.refuse(Refused(messages.INTERNAL, messages.TEXTS[messages.INTERNAL]))
        await self.connection.close()

    async def serve(self) -> None:
        """Greet, take requests, and after start_session send records."""
        fault = self.gateway.schedule.greeting()
        if fault is not None:
            self.note(f"fault {fault}")
        self.fields = await greet(self.connection, self.number, self.gateway.options.key, fault)
        while not self.started:
            line = await self.connection.hear()
            if line is None:
                self.note("the client is gone")
                return
            self.request(line)
        await self.both()

    async def both(self) -> None:
        """Hear and send at the same time, until one of them ends."""
        self.sender = Sender(self.gateway, self.connection, self.fields, self.note)
        tasks = [asyncio.create_task(self.listen()), asyncio.create_task(self.sender.run(self.requests, self.wake))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.sender.close()

    async def listen(self) -> None:
        """Take requests while records go out."""
        while (line := await self.connection.hear()) is not None:
            self.request(line)
            self.wake.set()
        self.note("the client is gone")

    def request(self, line: str) -> None:
        """Take one line of the client. Raises Refused."""
        if line.startswith("start_session"):
            self.started = True
            return
        asked = subscription_of(line)
        self.symbols += asked.symbols
        if len(self.symbols) > MOST_SYMBOLS or len(self.requests) > MOST_SYMBOLS:
            raise Refused(messages.SUBSCRIPTION, "Too many symbols")
        if asked.last:
            self.requests.append(asked.of(tuple(self.symbols)))
            self.symbols = []

    def refuse(self, refusal: Refused) -> None:
        """Send a fatal error."""
        self.note(f"refused: {refusal.text}")
        if self.sender is None:
            header(self.gateway, self.connection, self.fields)
        self.connection.fail(refusal.code, refusal.text)
