# cython: language_level=3, auto_pickle=False
"""One contract under watch: its seconds meet its levels, and what absorbs becomes weight of zones."""

from __future__ import annotations

from collections import deque
from math import exp
from typing import TYPE_CHECKING, Any

import cython

from qmo_cli.engines.absorption.levels import Level, Levels
from qmo_cli.engines.absorption.reading import Absorption, AbsorptionEvent, AbsorptionReading
from qmo_cli.engines.absorption.seconds import Key, OneSecond, Seconds, is_beyond
from qmo_cli.engines.absorption.usual import Impact, UsualSizes
from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.zonebook import ZoneBook, zone_id
from qmo_cli.engines.zones import Distances, LiveZone, Zone
from qmo_cli.packets import DepthInput, Missing, OrdersInput, TradesInput
from qmo_cli.rounding import nearest, to_six
from qmo_cli.tray import Packet

if TYPE_CHECKING:
    from qmo_cli.engines.absorption.engine import AbsorptionEngine

SECOND = cython.declare(cython.longlong, 1_000_000_000)
MINUTE = 60 * 10**9                                        # ns
SHARE_WINDOW = cython.declare(cython.longlong, 60)         # s: W of order flow
ACTIVE = cython.declare(cython.longlong, 300)              # s: an event is news for so long
RECENT = cython.declare(cython.longlong, 900)              # s: so are zones, for the level of activity
LATE = cython.declare(cython.longlong, 1)                  # s a record may come late: then a second is over
MOST_CURRENT = 8
NEVER = cython.declare(cython.longlong, -(2**62))


@cython.final
@cython.cclass
class Watch:
    """The levels of one contract as one source shows them, the zones they left, and what is usual there.

    ``atr`` counts since it was known, ``next_atr`` from the second ``atr_from``. ``done``: the newest second that has
    been taken in; ``flow``: net bought contracts so far. ``told``: level -> second when it was told, so that it is not
    armed. ``holding``: levels whose volume counts as absorbed. ``detected``: second of the newest event. ``turn`` grows
    with each second that is taken in: what is shown of a level holds for one.
    """

    def __init__(self, engine: AbsorptionEngine, packet: Packet, access: str, confidence: float) -> None:
        self.instrument_id, self.access, self.confidence = packet.instrument_id, access, confidence
        self.fewest, self.share, self.move_ticks = engine.fewest, engine.replenish, engine.move_ticks
        self.rearm, self.half_life, self.most_zones = engine.rearm, engine.half_life, engine.most_zones
        self.zone_ticks, self.zone_atr = engine.zone_ticks, engine.zone_atr
        self.reach_ticks, self.reach_atr = engine.reach_ticks, engine.reach_atr
        self.tick = self.atr = self.next_atr = self.close = 0.0
        self.atr_from = self.detected = NEVER
        self.done = self.flow = self.turn = self.dropped = 0
        self.seconds, self.levels = Seconds(), Levels(engine.window, engine.quiet)
        self.usual, self.impact = UsualSizes(engine.quantile, engine.fewest), Impact()
        self.book = ZoneBook(
            f"{packet.series} absorption", engine.half_life, round(engine.zone_minutes * MINUTE),
            Distances(0.0, 0.0, 0.0, 0.0))
        self.told: dict[Key, int] = {}
        self.holding: deque[Level] = deque()
        self.last: Absorption | None = None
        self.zones: list[Zone] = []
        self.events: list[AbsorptionEvent] = []

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def is_of(self, instrument_id: cython.longlong, access: str) -> cython.bint:
        """Whether it watches this contract, as this source shows it."""
        return instrument_id == self.instrument_id and access == self.access

    @cython.ccall
    def advance(
        self, packet: Packet, tick: cython.double, bars: BarsReading, trades: TradesInput, depth: DepthInput,
        orders: OrdersInput,
    ) -> Any:
        """Take in the frame, and let the seconds that are over for good do what they do."""
        one: OneSecond
        if bars is not None:
            self.look_at_bars(bars)
        if tick != self.tick:
            self.tick = tick
            self.measure(0)
        if trades.seconds:
            self.seconds.take(trades.seconds, depth.hits, [] if orders is None else orders.icebergs)
        last: cython.longlong = (packet.ts // SECOND if packet.closed else self.seconds.newest + 1) - 1 - LATE
        goes_on: cython.bint = last > self.done or self.waits(last)
        if self.events or goes_on:
            self.events = []  # those of the packet before are its own
        if goes_on:
            for one in self.seconds.over(last):
                self.live(packet, one)
            self.pass_time(packet, last + 1)
            self.come_to(last)
            self.book.advance((last + 1) * SECOND)
            self.done = max(self.done, last)
        return self.reading(packet)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def waits(self, last: cython.longlong) -> cython.bint:
        """Whether a second up to this one waits, though it came later: an id that was renamed has two such packets."""
        return bool(self.seconds.open) and min(self.seconds.open) <= last

    @cython.cfunc
    def look_at_bars(self, bars: BarsReading) -> object:
        """A new ATR counts from the end of the bar that made it, wherever in the frame that is."""
        atr = bars.atr
        if atr is None or atr == self.atr:
            return None
        if bars.atr_since is not None:
            self.atr_from, self.next_atr = int(bars.atr_since) // SECOND, atr
        return None

    @cython.cfunc
    def come_to(self, second: cython.longlong) -> object:
        if self.atr_from != NEVER and second >= self.atr_from:
            since: cython.longlong = self.atr_from
            self.atr, self.atr_from = self.next_atr, NEVER
            self.measure(since * SECOND)
        return None

    @cython.cfunc
    def measure(self, since: cython.longlong) -> object:
        """Distances for this tick and ATR from this time on."""
        tick: cython.double = self.tick
        atr: cython.double = self.atr
        self.turn += 1
        self.book.measure(since, Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        ))
        return None

    # --- seconds

    @cython.cfunc
    def pass_time(self, packet: Packet, second: cython.longlong) -> object:
        """This second begins: what ended before it has ended."""
        self.levels.pass_time(second)
        if self.levels.ended:
            self.end(packet)
        self.usual.come_to(second)
        return None

    @cython.cfunc
    def end(self, packet: Packet) -> object:
        """Levels are over: what they took becomes a sample."""
        level: Level
        for level, how in self.levels.take_ended():
            self.usual.come_to(level.ended)
            self.usual.add(level.absorbed)
            if level.told is not None:
                self.events.append(self.event(packet, level, "ended", how))
        return None

    @cython.cfunc
    def live(self, packet: Packet, one: OneSecond) -> object:
        """One second of trades."""
        second: cython.longlong = one.second
        self.pass_time(packet, second)
        self.come_to(second)
        self.book.advance(second * SECOND)
        if self.told or self.holding:
            self.give_way(one)
        struck: list = self.levels.take(second, one, self.flow)
        self.flow += one.bought
        self.close = one.close
        self.turn += 1
        self.impact.add(second, one.bought, nearest(self.close / self.tick))
        if self.levels.ended:
            self.end(packet)
        threshold, basis, _ = self.usual.threshold()
        if threshold is not None and struck:
            self.judge(packet, second, struck, (threshold, basis))
        self.book.trade(one)
        return None

    @cython.cfunc
    def give_way(self, one: OneSecond) -> object:
        """What prints through a level arms it again, and shows that the volume it took was not absorbed after all."""
        level: Level
        oldest: cython.longlong = one.second - self.rearm
        again: list = [key for key, since in self.told.items() if since <= oldest or is_beyond(key, one.low, one.high)]
        for key in again:
            del self.told[key]
        for level in self.holding:
            if level.ended and level.is_passed(one.low, one.high):
                level.broken = True
        while self.holding:
            level = self.holding[0]
            if level.last_second >= one.second - 2 * SHARE_WINDOW:
                break
            self.holding.popleft()
        return None

    @cython.cfunc
    def judge(self, packet: Packet, second: cython.longlong, struck: list, unusual: tuple) -> object:
        """Which of the levels that were hit in this second absorb: unusual volume came back, and price stayed near."""
        level: Level
        least: cython.longlong = unusual[0]
        for level in struck:
            if level.absorbed < least or level.replenish() < self.share:
                continue
            if abs(nearest((self.close - level.price) / self.tick)) <= self.move_ticks:
                self.hold(packet, second, level, unusual)
        return None

    @cython.cfunc
    def hold(self, packet: Packet, second: cython.longlong, level: Level, unusual: tuple) -> object:
        """A level absorbs."""
        if not level.holds:
            level.holds = True
            self.holding.append(level)
        if level.told is None and level.key in self.told:
            return None
        self.weigh(level, unusual[0])
        if level.told is None:
            level.told, self.told[level.key], self.detected = unusual, second, second
            event = self.event(packet, level, "detected", None)
            self.last = event.level
            self.events.append(event)
        return None

    @cython.cfunc
    def weigh(self, level: Level, threshold: cython.longlong) -> object:
        """What a level took becomes weight of a zone, as much of it as came back."""
        zone: LiveZone
        weight: cython.double = level.absorbed * min(1.0, level.replenish())
        if weight > level.weight:
            more: cython.double = weight - level.weight
            zone = self.book.add(
                level.key[0], level.price, int(level.last), more, self.confidence, self.name_of(level))
            zone.strength = 10 * (1 - exp(-zone.weight / threshold))
            level.weight = weight
        return None

    # --- what is told

    @cython.cfunc
    def name_of(self, level: Level) -> str:
        if not level.name:
            level.name = zone_id(self.book.series, level.key[0], level.key[1], int(level.first))
        return level.name

    @cython.cfunc
    def event(self, packet: Packet, level: Level, kind: Any, how: Any) -> Any:
        assert level.told is not None
        threshold, basis = level.told
        return AbsorptionEvent(
            "absorption-event", kind, level.last, packet.series, packet.symbol, how, threshold, basis,  # type: ignore[arg-type]
            self.public(level),
        )

    @cython.cfunc
    def public(self, level: Level) -> Any:
        """The level as the wire has it."""
        if level.shown_at != self.turn:
            change: cython.longlong = nearest((self.close - level.price) / self.tick)
            z = self.impact.efficiency(self.flow - level.flow, change)
            absorbed: cython.double = level.absorbed
            level.shown_at = self.turn
            level.shown = Absorption(
                self.name_of(level), level.key[0], level.key[1], level.first, level.last, level.absorbed, level.before,
                level.after, to_six(level.replenish()), to_six(absorbed / level.largest) if level.largest else None,
                None if z is None else to_six(z),
                to_six(level.hidden / absorbed) if self.access == "mbo" else None, to_six(change * self.tick),
            )
        return level.shown

    @cython.cfunc
    def reading(self, packet: Packet) -> Any:
        threshold, basis, samples = self.usual.threshold() if self.done else (None, "", 0)
        if threshold is None:
            return Missing(f"{samples} of {self.fewest} levels hit: what is unusual is not known yet")
        book: ZoneBook = self.book
        now: cython.longlong = packet.ts
        if book.changed:
            self.show_zones()
        up: cython.double = 0.0
        down: cython.double = 0.0
        if packet.price is not None and book.zones:
            up, down = book.pull(packet.price, max(self.reach_ticks * self.tick, self.reach_atr * self.atr), now)
        recent: cython.Py_ssize_t = self.recent(now - RECENT * SECOND)
        least: cython.double = threshold
        first: cython.longlong = (now - 1) // SECOND - SHARE_WINDOW + 1
        return AbsorptionReading(
            to_six(0.5 + 0.5 * (up - down) / (up + down + least)), recent > 0 and up + down > 0,
            self.detected != NEVER and now - self.detected * SECOND <= ACTIVE * SECOND,
            "low" if recent < 2 else "medium" if recent == 2 else "high", len(book.zones), threshold, basis, samples,  # type: ignore[arg-type]
            self.absorbed(False, first), self.absorbed(True, first), self.current(), self.last, self.zones,
            self.dropped, self.events,
        )

    @cython.cfunc
    def show_zones(self) -> object:
        """Zones have changed: the heaviest, by price."""
        zone: LiveZone
        shown: list = self.book.most(self.most_zones)
        self.zones, self.dropped = [], len(self.book.zones) - len(shown)
        for zone in shown:
            self.zones.append(zone.public(self.half_life))
        self.book.changed = False
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def recent(self, since: cython.longlong) -> cython.Py_ssize_t:
        """How many zones were seen after this time."""
        zone: LiveZone
        number: cython.Py_ssize_t = 0
        for zone in self.book.zones:
            if zone.last_seen > since:
                number += 1
        return number

    @cython.cfunc
    def current(self) -> list:
        """The levels that absorb now, the heaviest first."""
        level: Level
        found: list = []
        for level in self.levels.open.values():
            if level.holds:
                found.append(level)  # noqa: PERF401
        if len(found) > 1:
            found.sort(key=heaviest_first)
        return [self.public(level) for level in found[:MOST_CURRENT]]

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def absorbed(self, bid: cython.bint, first: cython.longlong) -> cython.longlong:
        """Contracts since this second that levels of a side absorbed and still hold."""
        level: Level
        total: cython.longlong = 0
        if not self.holding:
            return 0
        for level in self.holding:
            if level.bid == bid and not level.broken and level.last_second >= first:
                total += level.within(first)
        return total


def heaviest_first(level: Level) -> tuple[int, Key]:
    """The order in which levels are told."""
    return -level.absorbed, level.key
