"""What a store of memory holds, for people and programs: zones as of a time, retests, icebergs, the log itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from ...packets import OptionalInt, OptionalStr
from ...times import UNITS
from .book import MemoryBook
from .log import DERIVING, ICEBERG, Body, Outcome, Retest, body_of, name_of, ts_of
from .place import Remembered
from .record import Record
from .store import LARGEST, Event, Store

DAYS = 7 * UNITS["d"]  # after which the engine, unless told otherwise, forgets


class MemoryZone(Struct, frozen=True):
    """A zone as it is remembered at a time."""

    schema: Literal["memory-zone"]
    symbol: str
    id: str
    side: Literal["B", "A"]              # of the orders that rested there
    low: float
    high: float
    state: Literal["created", "defended", "broken", "flipped", "expired"]
    weight: float                        # contracts that traded hidden, decayed, as of last_seen
    orders: int                          # icebergs behind it
    first_seen: str                      # ns
    last_seen: str                       # ns, newest evidence
    retests: int                         # decided: holds + breaks
    holds: int
    breaks: int


class MemoryRetest(Struct, frozen=True):
    """One return of price to a zone, or to the pseudo-zone that stands for one."""

    schema: Literal["memory-retest"]
    symbol: str
    ts_event: str                        # ns, the second in which it began
    zone: str                            # id
    control: bool                        # of the pseudo-zone
    echo: bool                           # the visit counts already for a zone that overlaps
    above: bool                          # price came from above
    entry: float
    hold_at: float
    break_at: float
    null: float                          # probability that a random walk from entry holds
    result: Literal["open", "hold", "break", "expired"]
    ended: OptionalStr                   # ns; null: open
    seconds: OptionalInt                 # null: open


class MemoryLog(Struct, frozen=True):
    """One event of the log as it is stored."""

    schema: Literal["memory-log"]
    symbol: str
    ts_event: str                        # ns, from which it is known
    kind: Literal["zone", "retest", "outcome", "broken", "pair", "iceberg"]
    key: str                             # names it, with symbol, time and kind
    body: Raw


LINES: dict[str, type[Struct]] = {
    "memory-zone": MemoryZone, "memory-retest": MemoryRetest, "memory-log": MemoryLog,
}
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of a store is wanted: contracts, prices, and times in [since, until)."""

    symbols: tuple[str, ...] = ()
    low: float = -inf
    high: float = inf
    since: int = 0
    until: int = LARGEST
    states: tuple[str, ...] = ()

    def prices(self, low: float, high: float) -> bool:
        """Whether a band has a price that is wanted."""
        return low <= self.high and high >= self.low


def books(store: Store, choice: Choice) -> dict[str, MemoryBook]:
    """The memory of each contract as of ``until``, nothing forgotten."""
    found: dict[str, MemoryBook] = {}
    for event in store.events(choice.symbols, 0, choice.until, DERIVING):
        if event.symbol not in found:
            found[event.symbol] = MemoryBook(LARGEST, LARGEST, tell_nobody)
        found[event.symbol].take(body_of(event.kind, event.body))
    return found


def tell_nobody(body: Body, second: int) -> None:
    """What is read has been told before."""


def zones(store: Store, choice: Choice) -> Iterator[MemoryZone]:
    """Zones with evidence since a time, as of another; by contract, and from the highest price down."""
    oldest = store.newest(choice.symbols, choice.until) - DAYS
    for symbol, book in sorted(books(store, choice).items()):
        for zone in sorted(book.zones.values(), key=lambda zone: (-zone.high, -zone.low, zone.born, zone.id)):
            line = zone_line(symbol, zone, oldest)
            states = not choice.states or line.state in choice.states
            if states and choice.prices(zone.low, zone.high) and int(line.last_seen) >= choice.since:
                yield line


def zone_line(symbol: str, zone: Remembered, oldest: int) -> MemoryZone:
    """The line of a zone; one without evidence since ``oldest`` has expired."""
    seen = zone.seen
    return MemoryZone(
        "memory-zone", symbol, zone.id, zone.side, zone.low, zone.high,
        "expired" if seen.last_seen < oldest else zone.state, seen.weight, seen.orders, str(seen.first_seen),
        str(seen.last_seen), zone.holds + zone.breaks, zone.holds, zone.breaks,
    )


def records(store: Store, choice: Choice) -> Iterator[tuple[str, Record]]:
    """What became of all retests of each contract as of ``until``."""
    for symbol, book in sorted(books(store, choice).items()):
        yield symbol, book.record()


def retests(store: Store, choice: Choice) -> Iterator[MemoryRetest]:
    """Retests that began within the times, oldest first; without an outcome before ``until`` they are open."""
    ended = {(event.symbol, event.key): body_of(event.kind, event.body)
             for event in store.events(choice.symbols, choice.since, choice.until, ["outcome"])}
    for event in store.events(choice.symbols, choice.since, choice.until, ["retest"]):
        retest: Retest = body_of(event.kind, event.body)
        edges = sorted((retest.entry, retest.hold_at, retest.break_at))
        if choice.prices(edges[0], edges[-1]):
            yield retest_line(event.symbol, retest, ended.get((event.symbol, name_of(retest))))


def retest_line(symbol: str, retest: Retest, outcome: Outcome | None) -> MemoryRetest:
    """The line of a retest."""
    return MemoryRetest(
        "memory-retest", symbol, str(ts_of(retest.second)), retest.zone, retest.control, retest.echo, retest.above,
        retest.entry, retest.hold_at, retest.break_at, retest.null, "open" if outcome is None else outcome.result,
        None if outcome is None else str(ts_of(outcome.second)),
        None if outcome is None else outcome.second - retest.second,
    )


def icebergs(store: Store, choice: Choice) -> Iterator[bytes]:
    """Lines of icebergs' lives (iceberg-event), oldest first, as the iceberg engine told them."""
    for event in store.events(choice.symbols, choice.since, choice.until, [ICEBERG]):
        price = msgspec.json.decode(event.body, type=Priced).price
        if choice.prices(price, price):
            yield event.body


class Priced(Struct):
    """Of an event its price."""

    price: float


def export(store: Store, choice: Choice) -> Iterator[bytes]:
    """Lines of the log, oldest first."""
    for event in store.events(choice.symbols, choice.since, choice.until):
        yield encode(log_line(event))


def log_line(event: Event) -> MemoryLog:
    """The line of a stored event."""
    return MemoryLog("memory-log", event.symbol, str(event.ts), event.kind, event.key, Raw(event.body))  # type: ignore[arg-type]


def lines_of(view: str, store: Store, choice: Choice) -> Iterator[bytes]:
    """The lines of a view: zones, retests, icebergs or log."""
    made: dict[str, Callable[[Store, Choice], Iterable[Any]]] = {
        "zones": zones, "retests": retests, "icebergs": icebergs, "export": export,
    }
    for line in made[view](store, choice):
        yield (line if isinstance(line, bytes) else encode(line)) + b"\n"
