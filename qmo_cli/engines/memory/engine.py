# cython: language_level=3, auto_pickle=False
"""Memory: the zones that icebergs left in the last days, and what became of price when it came back to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, ClassVar

import cython
from msgspec import Raw, Struct

from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.iceberg.told import IcebergEvent
from qmo_cli.engines.memory.book import MemoryBook
from qmo_cli.engines.memory.log import DERIVING, Body, ZoneSeen, body_of, iceberg_row, row_of, ts_of
from qmo_cli.engines.memory.map import ZoneMap
from qmo_cli.engines.memory.place import Far, Remembered
from qmo_cli.engines.memory.reading import (
    MINUTE,
    MemoryEvent,
    MemoryReading,
    RememberedZone,
    Summary,
    event_of,
    public,
    reading_of,
    summary_of,
)
from qmo_cli.engines.memory.record import Record
from qmo_cli.engines.memory.store import LARGEST, Store
from qmo_cli.engines.zones import Zone
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, Market, Missing, Reading, Second
from qmo_cli.times import SECOND, UNITS
from qmo_cli.tray import Packet, decode_slot

FLUSH = 5 * SECOND     # of event time, between two writes


class IcebergSlot(Struct, frozen=True):
    """What is read of the iceberg engine's slot in a pipe: the zones stay as they came until they are wanted."""

    zones: Raw = Raw(b"[]")
    events: list[IcebergEvent] = []


@dataclass(slots=True)
class Memory:
    """Zones of past days near the price, their retests, and what chance would have made of them."""

    name: ClassVar[str] = "memory"
    needs: ClassVar[frozenset[str]] = frozenset({"iceberg", "trades", "bars"})
    reading: ClassVar[type[Reading]] = MemoryReading

    path: str = field(default="", metadata={"help": "File that keeps the memory; without one it ends with the run."})
    days: float = field(default=7.0, metadata={"help": "A zone is remembered this long after its last iceberg."})
    retest_minutes: float = field(default=240.0, metadata={"help": "An undecided retest expires after this time."})
    reach_ticks: float = field(default=100.0, metadata={"help": "Zones within this many ticks of the price show."})
    reach_atr: float = field(default=2.0, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    most_zones: int = field(default=8, metadata={"help": "Zones shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    store: Store | None = field(default=None, init=False)
    books: dict[str, MemoryBook] = field(default_factory=dict, init=False)
    book: MemoryBook = field(init=False)
    contract: str = field(default="", init=False)
    scale: tuple[float, float] = field(default=(0.0, 0.0), init=False)   # tick, ATR
    begun: int = field(default=-1, init=False)           # ns: the contract's first own event; -1: none yet
    recalled: int = field(default=0, init=False)         # ns: what the store has of before is known
    minute: int = field(default=0, init=False)           # that is not over
    before: tuple[Any, float, float] | None = field(default=None, init=False)  # zones, tick, ATR of the packet before
    happened: list[tuple[Body, int]] = field(default_factory=list, init=False)
    written: int = field(default=0, init=False)          # ns of the last flush
    summed: tuple[Record, int, Summary] | None = field(default=None, init=False)  # record, open retests, what they say
    known: dict[float, MemoryReading] = field(default_factory=dict, init=False)  # by price, while nothing changes

    def __post_init__(self) -> None:
        for name in ("days", "retest_minutes"):
            if not 0 < getattr(self, name) < inf:
                raise ConfigurationError(f"memory.{name}={getattr(self, name)}: a number above 0 expected")
        if self.path:
            self.store = Store(self.path, write=True)

    def sibling(self) -> Memory:
        """The same for another series; both keep their memory in one store, as it was when that was opened."""
        other = replace(self, path="")
        other.path, other.store = self.path, self.store
        return other

    def close(self) -> None:
        """The end of the input: what waits is written."""
        if self.store is not None:
            self.store.close()

    def update(self, packet: Packet) -> MemoryReading | Missing:
        slot = packet.read("iceberg", IcebergSlot)
        if slot is None:
            return Missing(f"needs engine iceberg: {packet.missing.get('iceberg', 'it has not read this')}")
        market: Market = packet.read("market", Market)
        inputs: Inputs = packet.read("inputs", Inputs)
        tick, trades = market.tick, inputs.trades
        if tick is None or trades is None:
            return Missing("needs trades and the contract's tick")
        contract = packet.symbol or str(packet.instrument_id)
        if contract != self.contract:
            self._new_contract(contract)
        bars = packet.read("bars", BarsReading)
        now = (slot.zones, tick, 0.0 if bars is None or bars.atr is None else bars.atr)
        if self.begun < 0:
            self._recall(packet, trades.seconds, slot.events)
        if self.before is None:
            self._learn_scale(now)
        if self.store is not None:
            self._keep_icebergs(packet, slot.events)
        self._live(packet, trades.seconds, now)
        events = self._tell(packet) if self.happened else []
        if self.store is not None:
            self._flush(packet.ts)
        return self._reading(packet, events)

    # --- contracts and the past

    def _new_contract(self, contract: str) -> None:
        """Zones are places on one contract's price scale; each contract has a memory of its own.

        One whose raw symbol nobody tells has an id that holds for a day: it is remembered, but not stored.
        """
        if self.contract:
            self.book.rest()
        known = self.books.get(contract)
        self.recalled = 0 if known is None else LARGEST
        if known is None:
            known = MemoryBook(round(self.days * UNITS["d"]), round(self.retest_minutes * MINUTE), self._happen)
        self.book = self.books[contract] = known
        self.contract, self.before, self.scale, self.begun, self.known = contract, None, (0.0, 0.0), -1, {}

    def _happen(self, body: Body, second: int) -> None:
        self.happened.append((body, second))

    def _recall(self, packet: Packet, rows: list[Second], events: list[IcebergEvent]) -> None:
        """Let the book know what the store knew before the first event of this input. What is later is its future."""
        times = [ts_of(rows[0].second)] if rows else []
        times += [int(events[0].ts_event) // SECOND * SECOND] if events else []
        until = min(times + [packet.ts // SECOND * SECOND])  # noqa: RUF005
        self.book.changed = self.book.changed or until // MINUTE != self.minute
        self.minute = until // MINUTE
        if times:
            self.begun = until
        if self.store is None or packet.symbol is None or until <= self.recalled:
            return
        since = max(self.recalled, until - self.book.days)
        for event in self.store.past(packet.symbol, since, until, DERIVING):
            self.book.take(body_of(event.kind, event.body))
        self.recalled = until
        self.book.rest()
        self.book.pass_time(until)

    # --- now

    def _live(self, packet: Packet, rows: list[Second], now: tuple[Any, float, float]) -> None:
        """Trades in the order of time, and what the iceberg engine shows whenever a minute ends.

        The minute that ended shows what it had in the packet before, unless it ends with this one: then whatever the
        frames' length (of those that fit into a minute) the same is learned.
        """
        book: MemoryBook = self.book
        for row in rows:
            second: cython.longlong = row.second
            if second // 60 > self.minute:
                self._end_minute(second // 60, self.before)
            book.trade(second, row.open, row.low, row.high, row.close)
        if not packet.closed:
            return
        ts: cython.longlong = packet.ts
        book.finish(ts // SECOND)
        minute: cython.longlong = ts // MINUTE
        if minute > self.minute and self.begun >= 0:
            self._end_minute(minute, self.before if ts % MINUTE else now)
        self.before = now

    def _end_minute(self, minute: int, shown: tuple[Any, float, float] | None) -> None:
        self.minute, book = minute, self.book
        book.finish(minute * 60)
        if shown is not None:
            self._learn_scale(shown)
            for zone in decode_slot(shown[0], list[Zone]) if type(shown[0]) is Raw else shown[0]:
                self._learn(zone, minute * 60)
        book.pass_time(minute * MINUTE)
        book.changed = True

    def _learn_scale(self, shown: tuple[Any, float, float]) -> None:
        _, tick, atr = shown
        if (tick, atr) != self.scale:
            self.scale = tick, atr
            self.book.measure(Far(tick, max(10 * tick, 0.25 * atr), max(4 * tick, 0.1 * atr)))

    def _learn(self, zone: Zone, second: int) -> None:
        """Remember a zone, if it has evidence that is new and of this contract."""
        known, last = self.book.zones.get(zone.id), int(zone.last_seen)
        if last < self.begun or (known is not None and known.last_seen >= last):
            return
        seen = ZoneSeen(zone.id, zone.side, zone.low, zone.high, zone.weight, zone.orders, int(zone.first_seen), last)
        self.book.take(seen)
        self._happen(seen, second)

    # --- telling and keeping

    def _keep_icebergs(self, packet: Packet, events: list[IcebergEvent]) -> None:
        if self.store is not None and packet.symbol is not None:
            for event in events:
                self.store.add(packet.symbol, iceberg_row(event))

    def _tell(self, packet: Packet) -> list[MemoryEvent]:
        """What happened, into the store and as the lines of this frame."""
        happened, self.happened = self.happened, []
        if self.store is not None and packet.symbol is not None:
            for body, second in happened:
                self.store.add(packet.symbol, row_of(body, ts_of(second)))
        told = [event_of(packet, body, second, self.book.zones) for body, second in happened]
        return [event for event in told if event is not None]

    def _flush(self, now: int) -> None:
        """Between two frames, when enough time of the market has passed."""
        if self.store is not None and now - self.written >= FLUSH and self.store.waiting:
            self.store.flush()
            self.written = now

    # --- the reading

    def _reading(self, packet: Packet, events: list[MemoryEvent]) -> MemoryReading:
        """While nothing changes a price has one reading."""
        book: MemoryBook = self.book
        price = packet.price
        if book.changed or price is None:
            self.known, book.changed = {}, False
        elif not events:
            found = self.known.get(price)
            if found is not None:
                return found
        zones, dropped = self._near(price)
        open_ = sum([1 for place in book.open if place.retest and not (place.retest.control or place.retest.echo)])
        record = book.record()
        if self.summed is None or record is not self.summed[0] or open_ != self.summed[1]:
            self.summed = record, open_, summary_of(record, open_)
        reading, self.reasons = reading_of(zones, dropped, len(book.zones), self.summed[2], events)
        if price is not None and not events:
            self.known[price] = reading
        return reading

    def _near(self, price: float | None) -> tuple[list[RememberedZone] | None, int]:
        if price is None:
            return None, 0
        book: MemoryBook = self.book
        places: ZoneMap = book.map
        tick, atr = self.scale
        reach = max(self.reach_ticks * tick, self.reach_atr * atr)
        shown = places.near(price, reach, self.most_zones)
        dropped = places.count(price - reach, price + reach) - len(shown)
        minute: cython.longlong = self.minute
        zone: Remembered
        told: list = []
        for zone in shown:
            stands: cython.bint = zone.shown is not None and zone.shown_at == minute
            told.append(zone.shown if stands else public(zone, minute))
        return told, dropped
