"""What one client is sent, and when: the records of its subscriptions in the order of time, and faults on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..market import stream
from . import messages
from .connection import BUFFER, Connection
from .desk import Desk
from .faults import Fault
from .line import NEVER, Line
from .shift import GRAINS
from .subscription import Subscription
from .symbols import close
from .tamper import Tamper

if TYPE_CHECKING:
    from .server import Gateway

ENOUGH = 65_536                 # bytes that are sent at once, also while more is due
SOON = 0.05                     # seconds: so long a new request may wait
LONG = 1e9                      # seconds: for ever
HEARTBEAT = 30.0                # seconds, unless the client asks for another interval
SKIPPING = frozenset({"mbp-1", "mbp-10", "bbo-1s", "bbo-1m"})  # what the vendor skips for slow clients, unless told


class Ended(Exception):
    """The gateway ends the session."""


def header(gateway: Gateway, connection: Connection, fields: dict[str, str]) -> None:
    """The beginning of the stream; what follows says when it is sent, if the client asked for that."""
    ts_out = fields.get("ts_out") == "1"
    connection.raw(messages.metadata(gateway.contents.dataset, gateway.clock.shown, ts_out=ts_out))
    connection.ts_out = ts_out


@dataclass(slots=True)
class Sender:
    """Sends one client's records."""

    gateway: Gateway
    connection: Connection
    fields: dict[str, str]                                 # what the client said of itself
    note: Callable[[str], None]
    done: bool = False                                     # the client has all there is
    lines: list[Line] = field(default_factory=list)
    replays: list[Line] = field(default_factory=list)      # those that have not caught up yet
    replay_end: int = 0                                    # ns, where they have at speed 0
    desk: Desk = field(init=False)
    tamper: Tamper = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.gateway, self.connection, lines=self.lines)
        self.tamper = Tamper(self.gateway.schedule, self.note)

    async def run(self, requests: list[Subscription], wake: asyncio.Event) -> None:
        """Send what is due, until the gateway ends the session; ``wake`` says that there are new requests."""
        header(self.gateway, self.connection, self.fields)
        await self.accept(requests)
        self.desk.late, self.replay_end = True, self.gateway.clock.now()
        with contextlib.suppress(Ended):
            for fault in self.tamper.stops():
                await self.act(fault)
            while True:
                await self.accept(requests)
                await self.go_on(wake)

    def close(self) -> None:
        """Let go of the source."""
        for line in self.lines:
            close(line.blocks)

    async def accept(self, requests: list[Subscription]) -> None:
        """Open what was asked for."""
        while requests:
            asked, before = requests.pop(0), len(self.lines)
            self.note(f"{asked.schema} {asked.stype} {','.join(asked.symbols)[:80]}")
            await self.desk.open(asked)
            if asked.start is not None:
                self.replays += self.lines[before:]
            await self.drain()

    async def go_on(self, wake: asyncio.Event) -> None:
        """One piece of work: look for the next record, wait for its time, or send it."""
        for joining in [line for line in self.lines if line.joining]:
            joining.step()
            await asyncio.sleep(0)
        self.report_replays()
        line = self.next_line()
        if line is None or line.ended:
            await self.finish(wake)
        elif (ahead := self.gateway.clock.seconds_to(line.next)) > 0:
            await self.idle(ahead, wake)
        elif line.head is None:
            line.step()
            await asyncio.sleep(0)
        else:
            await self.send(line)

    def next_line(self) -> Line | None:
        """The line to go on with: that with the oldest record, or what could turn out to be the oldest."""
        ready = (line for line in self.lines if not line.joining)
        return min(ready, key=lambda line: (line.next, line.head is not None), default=None)

    def report_replays(self) -> None:
        """Say which replays have caught up with the market."""
        now = self.gateway.clock.now() if self.gateway.clock.speed and self.replays else self.replay_end
        for line in [line for line in self.replays if line.next > now]:
            self.connection.tell(messages.REPLAY_COMPLETED, f"Finished {line.wanted.schema} replay")
            self.replays.remove(line)

    async def send(self, line: Line) -> None:
        """Send a line's records that are due."""
        self.desk.name(line.new_names())
        for piece in self.tamper.pieces(line.take(self.until(line), BUFFER)):
            if isinstance(piece, Fault):
                await self.act(piece)
            else:
                self.connection.put(piece)
                self.gateway.clock.reach(stream.record_time(piece, len(piece) - 4 * piece[0]) - line.shift)
        if line.wanted.schema in GRAINS and line.head != line.sent:
            self.end_interval(line)
        if self.connection.waiting > ENOUGH:
            await self.drain()

    def until(self, line: Line) -> int:
        """The time (ns) before which a line's records may go out: another's may come first."""
        clock, index = self.gateway.clock, self.lines.index(line)
        bound = clock.now() + 1 if clock.speed else NEVER
        if line.wanted.schema in GRAINS:
            bound = min(bound, line.next + 1)
        return min([bound, *(other.next + (other.head is not None and place > index)
                             for place, other in enumerate(self.lines) if other is not line and not other.joining)])

    def end_interval(self, line: Line) -> None:
        """Say that all records of an interval are out."""
        text = f"End of interval for {line.wanted.schema}"
        self.connection.tell(messages.END_OF_INTERVAL, text, line.sent + line.shift)

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
            while line.next < (now := self.gateway.clock.now()):
                line.skip_to(now)
                if line.head is None:
                    line.step()
                    await asyncio.sleep(0)

    async def finish(self, wake: asyncio.Event) -> None:
        """Nothing is left to be sent, or nothing was asked for, or only what still looks for its beginning."""
        if any(line.joining for line in self.lines):
            return
        if self.lines and not self.done:
            self.connection.put(self.tamper.rest())
            await self.drain()
            self.done = True
            self.note("the source is at its end")
            self.gateway.finished()
        if self.lines and self.gateway.options.end == "fin":
            raise Ended
        await self.idle(LONG, wake)

    async def idle(self, seconds: float, wake: asyncio.Event) -> None:
        """Wait, with a heartbeat when nothing was sent for long."""
        await self.drain()
        interval = self.gateway.options.heartbeat or self.heartbeat
        left = interval - (time.monotonic() - self.connection.heard)
        if left <= 0:
            self.connection.tell(messages.HEARTBEAT, "Heartbeat")
            await self.drain()
        elif any(line.joining for line in self.lines):
            await asyncio.sleep(0)
        elif seconds < min(SOON, left):
            await asyncio.sleep(seconds)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, left)):
                    await wake.wait()
            wake.clear()

    @property
    def heartbeat(self) -> float:
        """Seconds of silence that the client asked for."""
        text = self.fields.get("heartbeat_interval_s", "")
        return float(text) if text.isascii() and text.isdigit() and int(text) else HEARTBEAT

    async def act(self, fault: Fault) -> None:
        """Show a fault of the stream."""
        self.note(f"fault {fault}")
        await self.connection.flush()
        if fault.kind == "stall":
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
