"""One client's connection: the handshake, then its records in time."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ..errors import QmoError
from ..market import stream
from ..records.layout import mapping_bytes
from . import messages
from .faults import Fault
from .line import Line, Wanted
from .subscription import Refused, Subscription, subscription_of
from .symbols import ALL, Directory, Name
from .tamper import Tamper

if TYPE_CHECKING:
    from .server import Gateway

LARGEST_LINE = 65_536           # bytes
HANDSHAKE = 10.0                # seconds
SLOW = 1.0                      # seconds without reading that make a client slow
BUFFER = 262_144                # bytes that wait for the client, at most, before the source is read on
SOON = 0.05                     # seconds: so long a new request may wait
FAREWELL = 5.0                  # seconds in which what was sent must be read at the end
LONG = 1e9                      # seconds: for ever
HOURS = 3_600_000_000_000
REPLAYED = {"mbo": 168, "definition": 168}     # hours: the vendor keeps the trading week of these


class Ended(Exception):
    """The gateway ends the session."""


class Session:
    """Speaks with one client."""

    def __init__(
        self, gateway: Gateway, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:
        self.gateway, self.number, self.reader, self.writer = gateway, number, reader, writer
        self.options, self.clock = gateway.options, gateway.clock
        self.tamper = Tamper(gateway.schedule)
        self.fields: dict[str, str] = {}
        self.requests: list[Subscription] = []
        self.symbols: list[str] = []               # of a list that takes several lines
        self.subscriptions = 0
        self.lines: list[Line] = []
        self.replays: dict[str, Line] = {}         # schemas that are being replayed
        self.replay_end = 0
        self.first = False                         # whether market time began with this session
        self.started = False
        self.done = False                          # the client has all there is
        self.wake = asyncio.Event()
        self.sent = time.monotonic()

    def note(self, text: str) -> None:
        """Say what happened."""
        self.gateway.note(f"session {self.number}: {text}")

    # the handshake

    async def run(self) -> None:
        """Serve the client until one of the two has enough."""
        self.prepare()
        try:
            async with asyncio.timeout(HANDSHAKE):
                welcome = await self.handshake()
            if welcome:
                await self.converse()
        except Ended:
            pass
        except Refused as refusal:
            await self.refuse(refusal)
        except TimeoutError:
            self.note("no answer to the greeting, closed")
        except (asyncio.LimitOverrunError, ValueError):
            self.note("a line of more than 64 KB, or one that is no text, closed")
        except (ConnectionError, asyncio.IncompleteReadError):
            self.note("the client is gone")
        except QmoError as error:
            self.note(f"the source: {error}")
            await self.refuse(Refused(messages.INTERNAL, messages.TEXTS[messages.INTERNAL]))
        await self.close()

    def prepare(self) -> None:
        """Bounded memory: a client that does not read makes its session wait."""
        self.writer.transport.set_write_buffer_limits(high=BUFFER)
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    async def handshake(self) -> bool:
        """Greet, challenge, and check the answer; false where the session ends here."""
        fault = self.gateway.schedule.greeting()
        if fault is not None:
            self.note(f"fault {fault}")
        if fault is not None and fault.kind == "mute":
            await asyncio.sleep(LONG)
        if fault is not None and fault.kind == "early":
            return False
        challenge = secrets.token_hex(messages.CHALLENGE_BYTES)
        await self.say(f"lsg_version={messages.VERSION}", f"cram={challenge}")
        line = await self.hear()
        if line is None:
            return False
        self.fields = messages.fields_of(line)
        wrong = fault.text if fault is not None else self.wrong(challenge)
        if wrong:
            self.note(f"rejected: {wrong}")
            await self.say(f"success=0|error={wrong}")
            return False
        await self.say(f"success=1|session_id={1000 + self.number}")
        return True

    def wrong(self, challenge: str) -> str:
        """What is wrong with the answer to the challenge; nothing where it is good."""
        answer, key = self.fields.get("auth", ""), self.options.key
        if not messages.well_formed(answer) or (key is not None and not messages.right(answer, challenge, key)):
            return messages.TEXTS[messages.AUTHENTICATION]
        if self.fields.get("encoding", "dbn") != "dbn":
            return "Only encoding dbn is supported"
        if self.fields.get("compression", "none") != "none":
            return "Compression is not supported"
        return ""

    async def say(self, *lines: str) -> None:
        """Send lines of text."""
        self.writer.write("".join(f"{line}\n" for line in lines).encode())
        await self.writer.drain()

    async def hear(self) -> str | None:
        """The next line of the client; None when it said its last."""
        data = await self.reader.readline()
        return data.decode().rstrip("\r\n") if data.endswith(b"\n") else None

    # requests

    async def converse(self) -> None:
        """Take requests; after start_session also send records."""
        while not self.started:
            line = await self.hear()
            if line is None:
                return
            self.request(line)
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
        while (line := await self.hear()) is not None:
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
        if len(self.symbols) > 100_000:
            raise Refused(messages.SUBSCRIPTION, "Too many symbols")
        if asked.last:
            self.requests.append(Subscription(asked.schema, asked.stype, tuple(self.symbols), asked.start,
                                              asked.snapshot, asked.number))
            self.symbols = []

    async def subscribe(self, asked: Subscription, *, late: bool) -> None:
        """Open a line for a subscription. Raises Refused."""
        schema, contents = asked.schema, self.gateway.contents
        if schema in self.options.unentitled or not contents.offers(schema):
            raise Refused(messages.SUBSCRIPTION, f"Not authorized for {schema} schema")
        begin = self.begin(asked, late=late)
        start = self.replay_start(asked, late=late)
        directory = await self.gateway.as_of(self.clock.now())
        wanted = Wanted(schema, schema in contents.schemas or not contents.offers("mbo"), [], (), begin=begin,
                        start=start, snapshot=asked.snapshot)
        unknown, named = self.resolve(asked, wanted, directory)
        self.subscriptions += 1
        number = asked.number if asked.number is not None else str(self.subscriptions)
        self.tell(messages.ACKNOWLEDGED, f"Subscription request {number} for {schema} data succeeded")
        for index, symbol in enumerate(unknown, 1):
            text = f"{messages.TEXTS[messages.SYMBOL]} {symbol[:200]!r} in {asked.stype}"
            self.put(messages.error_message(messages.SYMBOL, text, self.clock.shown, last=index == len(unknown)))
        self.put(b"".join(self.mapping(number, series, symbol) for number, (series, symbol) in named.items()))
        if wanted.ids or wanted.everything or wanted.parents:
            self.lines.append(Line(wanted, self.gateway.make_blocks(), self.clock.shift))
            if start is not None:
                self.replays[schema] = self.lines[-1]
        self.note(f"{schema} {asked.stype} {','.join(asked.symbols)[:80]}")

    def begin(self, asked: Subscription, *, late: bool) -> int:
        """From which time on records are sent; ahead of it only a replay's."""
        if self.first and not late:
            return self.clock.origin + 1 if asked.snapshot else 0
        return self.clock.now() + (0 if self.clock.speed else 1)

    def replay_start(self, asked: Subscription, *, late: bool) -> int | None:
        """The ts_event from which on is replayed, in the source's time. Raises Refused."""
        if asked.start is None:
            return None
        if late:
            raise Refused(messages.SUBSCRIPTION, "Intraday replay is not available after the session has started")
        hours = self.options.replay_limit or REPLAYED.get(asked.schema, 24)
        oldest = self.clock.now() - int(hours * HOURS)
        start = asked.start - self.clock.shift
        if asked.start and start < oldest:
            raise Refused(messages.AGED_OUT, f"{messages.TEXTS[messages.AGED_OUT]}: start must be later or 0")
        return max(start, oldest, 0) if asked.start else max(oldest, 0)

    def resolve(
        self, asked: Subscription, wanted: Wanted, directory: Directory,
    ) -> tuple[list[str], dict[int, Name]]:
        """Fill in the instruments; the symbols that are unknown, and the names to tell the client."""
        names = directory.names
        unknown: list[str] = []
        told: dict[int, Name] = {}
        if ALL in asked.symbols:
            wanted.everything, wanted.ids = True, list(names)
            return [], dict(names)
        for symbol in asked.symbols:
            ids = directory.find(symbol, asked.stype)
            if not ids:
                unknown.append(symbol)
                continue
            if asked.stype == "parent":
                wanted.parents += (symbol,)
            for number in ids:
                if number not in wanted.ids:
                    wanted.ids.append(number)
                    told[number] = symbol, names.get(number, ("", None))[1]
        return unknown, told

    def mapping(self, number: int, series: str, symbol: str | None) -> bytes:
        """The record that says what an instrument is."""
        return mapping_bytes(number, series, symbol or "", self.clock.shown)

    # the stream

    async def stream(self) -> None:
        """Send what is due until the source ends."""
        self.first = self.gateway.begin()
        self.replay_end = self.clock.now()
        header = messages.metadata(self.gateway.contents.dataset, self.clock.shown, ts_out=self.ts_out)
        self.writer.write(header)
        await self.accept(late=False)
        await self.break_off()
        while True:
            await self.accept(late=True)
            async for data in self.due():
                for piece in self.tamper.pieces(data):
                    if isinstance(piece, Fault):
                        await self.act(piece)
                    else:
                        self.put(piece)
                        self.clock.reach(last_time(piece) - self.clock.shift)
                await self.drain()

    async def break_off(self) -> None:
        """Faults at the beginning of the stream."""
        await self.drain()
        for fault in self.tamper.stops():
            await self.act(fault)

    async def accept(self, *, late: bool) -> None:
        """Open what was asked for."""
        while self.requests:
            await self.subscribe(self.requests.pop(0), late=late)
            await self.drain()

    async def due(self) -> AsyncIterator[bytes]:
        """The next records, once their time has come; nothing where something else is to be done first."""
        for line in self.lines:
            while line.head is None and not line.ended:
                line.step()
                await asyncio.sleep(0)
        open_lines = [line for line in self.lines if line.head is not None]
        self.report_replays()
        if not open_lines:
            await self.finish()
            return
        order = sorted(range(len(open_lines)), key=lambda index: (open_lines[index].head or 0, index))
        line = open_lines[order[0]]
        head = line.head or 0
        now = self.clock.now()
        if self.clock.speed and head > now:
            await self.idle(self.clock.seconds_to(head))
            return
        until = (now + 1) if self.clock.speed else 2**63
        if len(order) > 1:
            other = open_lines[order[1]].head or 0
            until = min(until, other + (1 if order[0] < order[1] else 0))
        data = line.take(until, BUFFER)
        for number, (series, symbol) in line.names.items():
            self.put(self.mapping(number, series, symbol))
        line.names.clear()
        yield data

    def report_replays(self) -> None:
        """Say which schemas have caught up with the market."""
        if not self.replays:
            return
        now = self.clock.now() if self.clock.speed else self.replay_end
        for schema, line in list(self.replays.items()):
            if line.ended or (line.head or 0) > now:
                self.tell(messages.REPLAY_COMPLETED, f"Finished {schema} replay")
                del self.replays[schema]

    async def finish(self) -> None:
        """The source is at its end."""
        if self.lines and not self.done:
            self.put(self.tamper.rest())
            await self.drain()
            self.done = True
            self.note("the source is at its end")
            self.gateway.finished()
        if self.lines and self.options.end == "fin":
            raise Ended
        await self.idle(3600.0)

    async def idle(self, seconds: float) -> None:
        """Wait, with a heartbeat when nothing was sent for long."""
        await self.drain()
        interval = self.options.heartbeat or self.heartbeat
        left = interval - (time.monotonic() - self.sent)
        if left <= 0:
            self.tell(messages.HEARTBEAT, "Heartbeat")
            await self.drain()
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
        return float(text) if text.isdigit() and int(text) else 30.0

    @property
    def ts_out(self) -> bool:
        """Whether each record is to say when it was sent."""
        return self.fields.get("ts_out") == "1"

    def tell(self, code: int, text: str) -> None:
        """Send a system message."""
        self.put(messages.system_message(code, text, self.clock.shown))

    def put(self, data: bytes) -> None:
        """Send records."""
        if data:
            self.writer.write(messages.sent_at(data, time.time_ns()) if self.ts_out else data)
            self.sent = time.monotonic()

    async def drain(self) -> None:
        """Wait until the client has read enough; tell it if it took long."""
        begun = time.monotonic()
        await self.writer.drain()
        if time.monotonic() - begun > SLOW:
            self.note("the client reads too slowly")
            self.tell(messages.SLOW_READER, "Warning: slow reading, messages are behind")

    # faults and the end

    async def act(self, fault: Fault) -> None:
        """Show a fault of the stream."""
        self.note(f"fault {fault}")
        if fault.kind == "stall":
            await self.drain()
            await asyncio.sleep(min(fault.seconds, LONG))
        elif fault.kind == "corrupt":
            self.writer.write(bytes(64))
        elif fault.kind == "error":
            self.put(messages.error_message(fault.code, messages.TEXTS[fault.code], self.clock.shown))
            if fault.code in messages.FATAL:
                raise Ended
        elif fault.kind == "down":
            self.gateway.go_down(fault.seconds)
            raise Ended
        else:
            self.end(fault.kind)

    def end(self, kind: str) -> None:
        """Close in one of three ways."""
        if kind == "rst":
            self.reset()
        elif kind == "torn":
            self.writer.write(self.tamper.coming[:len(self.tamper.coming) // 2])
        raise Ended

    def reset(self) -> None:
        """Let the client's connection break: RST in place of FIN."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def refuse(self, refusal: Refused) -> None:
        """Send a fatal error."""
        self.note(f"refused: {refusal.text}")
        if not self.started:
            self.writer.write(messages.metadata(self.gateway.contents.dataset, self.clock.shown, ts_out=self.ts_out))
        self.put(messages.error_message(refusal.code, refusal.text, self.clock.shown))

    async def close(self) -> None:
        """Close, but not before what was sent is read, and not much later either."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self.writer.wait_closed()
        self.writer.transport.abort()


def last_time(data: bytes) -> int:
    """Time (ns) of the last of some records; 0 without any."""
    at = end = 0
    if not data:
        return 0
    while end < len(data):
        at, end = end, stream.same(data, end)
    return int(stream.record_time(data, at + (end - at) // (4 * data[at]) * 4 * data[at] - 4 * data[at]))
