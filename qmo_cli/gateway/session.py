"""One client's session: it asks, and gets its records when their time has come."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from ..errors import QmoError
from ..market import stream
from . import messages
from .connection import BUFFER, Connection
from .desk import Desk
from .faults import Fault
from .greeting import LONG, Rejected, greet
from .line import Line
from .shift import GRAINS
from .subscription import Refused, Subscription, subscription_of
from .tamper import Tamper

if TYPE_CHECKING:
    from .server import Gateway

SOON = 0.05                     # seconds: so long a new request may wait
HEARTBEAT = 30.0                # seconds, unless the client asks for another interval
MOST_SYMBOLS = 100_000
SKIPPING = frozenset({"mbp-1", "mbp-10", "bbo-1s", "bbo-1m"})  # what the vendor skips for slow clients, unless told


class Ended(Exception):
    """The gateway ends the session."""


class Session:
    """Serves one client until one of the two has enough."""

    def __init__(
        self, gateway: Gateway, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:
        self.gateway, self.number = gateway, number
        self.connection = Connection(reader, writer, gateway.clock)
        self.tamper = Tamper(gateway.schedule, self.note)
        self.fields: dict[str, str] = {}           # what the client said of itself
        self.requests: list[Subscription] = []     # not yet looked at
        self.symbols: list[str] = []               # of a list that takes several lines
        self.lines: list[Line] = []
        self.replays: list[Line] = []              # those that have not caught up yet
        self.replay_end = 0                        # ns, where they have at speed 0
        self.started = False
        self.done = False                          # the client has all there is
        self.wake = asyncio.Event()

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
        with contextlib.suppress(Ended):
            await self.both()

    async def both(self) -> None:
        """Hear and send at the same time, until one of them ends."""
        tasks = [asyncio.create_task(self.listen()), asyncio.create_task(self.stream())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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

    # the stream

    async def stream(self) -> None:
        """Send what is due for as long as there is something."""
        desk = Desk(self.gateway, self.connection, lines=self.lines)
        self.header()
        await self.accept(desk)
        self.replay_end = self.gateway.clock.now()
        desk.late = True
        await self.break_off()
        while True:
            await self.accept(desk)
            await self.advance()
            line = self.next_line()
            if line is None:
                await self.finish()
            elif (ahead := self.gateway.clock.seconds_to(line.head or 0)) > 0:
                await self.idle(ahead)
            else:
                desk.name(line.new_names())
                await self.send(line)

    def header(self) -> None:
        """The beginning of the stream; what follows says when it is sent, if the client asked for that."""
        ts_out = self.fields.get("ts_out") == "1"
        self.connection.raw(messages.metadata(self.gateway.contents.dataset, self.gateway.clock.shown, ts_out=ts_out))
        self.connection.ts_out = ts_out

    async def accept(self, desk: Desk) -> None:
        """Open what was asked for."""
        while self.requests:
            asked = self.requests.pop(0)
            self.note(f"{asked.schema} {asked.stype} {','.join(asked.symbols)[:80]}")
            await desk.open(asked)
            if asked.start is not None and self.lines:
                self.replays.append(self.lines[-1])
            await self.drain()

    async def break_off(self) -> None:
        """Faults at the beginning of the stream."""
        for fault in self.tamper.stops():
            await self.act(fault)

    async def advance(self) -> None:
        """Let every line know its next record."""
        for line in self.lines:
            while line.head is None and not line.ended:
                line.step()
                await asyncio.sleep(0)
        now = self.gateway.clock.now() if self.gateway.clock.speed else self.replay_end
        for line in [line for line in self.replays if line.head is None or line.head > now]:
            self.connection.tell(messages.REPLAY_COMPLETED, f"Finished {line.wanted.schema} replay")
            self.replays.remove(line)

    def next_line(self) -> Line | None:
        """The line with the oldest record, of several the one that was asked for first; None at the source's end."""
        waiting = [line for line in self.lines if line.head is not None]
        return min(waiting, key=lambda line: line.head or 0, default=None)

    def until(self, line: Line) -> int:
        """The time (ns) before which a line's records may go out: another's may come first."""
        clock = self.gateway.clock
        bound = clock.now() + 1 if clock.speed else 2**63
        if line.wanted.schema in GRAINS:
            bound = min(bound, (line.head or 0) + 1)
        index = self.lines.index(line)
        others = (other.head + (place > index) for place, other in enumerate(self.lines)
                  if other is not line and other.head is not None)
        return min([bound, *others])

    async def send(self, line: Line) -> None:
        """Send a line's records that are due."""
        data, schema = line.take(self.until(line), BUFFER), line.wanted.schema
        for piece in self.tamper.pieces(data):
            if isinstance(piece, Fault):
                await self.act(piece)
            else:
                self.connection.put(piece)
                self.gateway.clock.reach(stream.record_time(piece, len(piece) - 4 * piece[0]) - line.shift)
        if schema in GRAINS and line.head != line.sent:
            ts = line.sent + self.gateway.clock.shift
            self.connection.tell(messages.END_OF_INTERVAL, f"End of interval for {schema}", ts)
        await self.drain()

    async def drain(self) -> None:
        """Wait until the client has read enough; warn it, or let it catch up, if that took long."""
        if not await self.connection.drain():
            return
        self.note("the client reads too slowly")
        if self.gateway.clock.speed and self.skips():
            await self.catch_up()
            self.connection.fail(messages.SKIPPED, messages.TEXTS[messages.SKIPPED])
        else:
            self.connection.tell(messages.SLOW_READER, messages.SLOW)

    def skips(self) -> bool:
        """Whether a slow client is to lose records rather than to get them late."""
        told = self.fields.get("slow_reader_behavior")
        return told == "skip" or (told is None and all(line.wanted.schema in SKIPPING for line in self.lines))

    async def catch_up(self) -> None:
        """Leave out what is overdue."""
        for line in self.lines:
            while not line.ended and (line.head is None or line.head < self.gateway.clock.now()):
                line.skip_to(self.gateway.clock.now())
                if line.head is None:
                    line.step()
                    await asyncio.sleep(0)

    async def finish(self) -> None:
        """The source is at its end."""
        if self.lines and not self.done:
            self.connection.put(self.tamper.rest())
            await self.drain()
            self.done = True
            self.note("the source is at its end")
            self.gateway.finished()
        if self.lines and self.gateway.options.end == "fin":
            raise Ended
        await self.idle(LONG)

    async def idle(self, seconds: float) -> None:
        """Wait, with a heartbeat when nothing was sent for long."""
        await self.drain()
        interval = self.gateway.options.heartbeat or self.heartbeat
        left = interval - (time.monotonic() - self.connection.heard)
        if left <= 0:
            self.connection.tell(messages.HEARTBEAT, "Heartbeat")
            left = interval
        if seconds < min(SOON, left):
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, left)):
                await self.wake.wait()
        self.wake.clear()

    @property
    def heartbeat(self) -> float:
        """Seconds of silence that the client asked for."""
        text = self.fields.get("heartbeat_interval_s", "")
        return float(text) if text.isdigit() and int(text) else HEARTBEAT

    # faults and the end

    async def act(self, fault: Fault) -> None:
        """Show a fault of the stream."""
        self.note(f"fault {fault}")
        if fault.kind == "stall":
            await self.drain()
            await asyncio.sleep(min(fault.seconds, LONG))
        elif fault.kind == "corrupt":
            self.connection.raw(messages.CORRUPT)
        elif fault.kind == "error":
            self.connection.fail(fault.code, messages.TEXTS[fault.code])
        else:
            self.end(fault)
        if fault.kind == "error" and fault.code in messages.FATAL:
            raise Ended

    def end(self, fault: Fault) -> None:
        """End the session, in one of the ways there are."""
        if fault.kind == "rst":
            self.connection.reset()
        elif fault.kind == "torn":
            self.connection.raw(self.tamper.coming[:len(self.tamper.coming) // 2])
        elif fault.kind == "down":
            self.gateway.go_down(fault.seconds)
        raise Ended

    def refuse(self, refusal: Refused) -> None:
        """Send a fatal error."""
        self.note(f"refused: {refusal.text}")
        if not self.started:
            self.header()
        self.connection.fail(refusal.code, refusal.text)
