"""A live stream from a gateway in this process, with what went wrong on the way, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from qmo_cli.blocks import MAPPING, SYSTEM, Block
from qmo_cli.errors import QmoError
from qmo_cli.feeds.live.options import LiveOptions, Wanted
from qmo_cli.feeds.live.supervisor import Live
from qmo_cli.feeds.sim import START, SimOptions, simulate
from qmo_cli.gateway import Gateway, GatewayOptions, parse_fault
from qmo_cli.records import from_dbn

KEY = "db-rehearsal-of-a-key"
BEGIN = START - 3_600 * 10**9    # ns: a replay from there holds the whole source
LIMIT = 60.0                     # s, the longest that a stream may take


@cache
def market(seconds: float = 20.0, rate: float = 300.0, seed: int = 3) -> tuple[Block, ...]:
    """A simulated market, as a source."""
    return tuple(simulate(SimOptions(seed=seed, minutes=seconds / 60, rate=rate, gaps=0)))


def records(blocks: Iterable[Block]) -> list[bytes]:
    """The market records of blocks, one by one."""
    return [record for record in pieces(blocks) if record[1] not in (MAPPING, SYSTEM)]


def pieces(blocks: Iterable[Block]) -> Iterator[bytes]:
    """All records of blocks."""
    for block in blocks:
        at = 0
        while at < len(block.data):
            stop = at + 4 * block.data[at]
            yield block.data[at:stop]
            at = stop


@dataclass
class Outcome:
    """What a live stream gave."""

    blocks: list[Block] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # monotonic s of each block
    error: Exception | None = None
    sessions: int = 0
    begun: float = field(default_factory=time.monotonic)

    @property
    def records(self) -> list[bytes]:
        """Its market records."""
        return records(self.blocks)

    @property
    def said(self) -> list[Any]:
        """Its system records, clock marks left out."""
        system = [from_dbn(record, 0, {}) for record in pieces(self.blocks) if record[1] == SYSTEM]
        return [record for record in system if record.kind != "clock"]

    @property
    def kinds(self) -> list[str]:
        """Kinds of what was said."""
        return [record.kind for record in self.said]

    @property
    def longest_pause(self) -> float:
        """Seconds without a market record, at the most, the time to the first one included."""
        arrived = [when for when, block in zip(self.arrivals, self.blocks, strict=True) if records([block])]
        return max((after - before for before, after in pairwise([self.begun, *arrived])), default=0.0)


def serve(*faults: str, source: tuple[Block, ...] | None = None, speed: float = 20.0, **more: Any) -> Gateway:
    """A gateway that replays a market and lets these faults happen."""
    options: dict[str, Any] = {"port": 0, "speed": speed, "heartbeat": 0.2, **more}
    blocks = market() if source is None else source
    return Gateway(lambda: iter(blocks), GatewayOptions(faults=tuple(map(parse_fault, faults)), **options))


def supervisor(gateway: Gateway, *, start: int | None = BEGIN, watchdog: float = 0.7, **more: Any) -> Live:
    """A live stream from a gateway."""
    wanted = Wanted(schemas=more.pop("schemas", ("mbo",)), symbols=more.pop("symbols", ("GC.v.0",)))
    options = LiveOptions(gateway=f"127.0.0.1:{gateway.port}")
    return Live(KEY, wanted, options, start=start, watchdog=watchdog, timeout=0.7, **more)


def follow(gateway: Gateway, expected: int, live: Live | None = None, patience: float = LIMIT) -> Outcome:
    """The stream until it has given so many market records, then stopped."""
    live = live or supervisor(gateway)
    outcome, got, until = Outcome(), 0, time.monotonic() + patience
    try:
        for block in live.blocks():
            outcome.blocks.append(block)
            outcome.arrivals.append(time.monotonic())
            got += len(records([block]))
            if got >= expected or time.monotonic() > until:
                live.stop()
    except QmoError as error:  # the outcome of some faults
        outcome.error = error
    outcome.sessions = gateway.sessions
    return outcome
