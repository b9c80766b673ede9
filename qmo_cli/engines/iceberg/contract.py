# cython: language_level=3, auto_pickle=False
"""One contract's icebergs: what is learned of them in the order of time, and what they say of the price."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import cython
from cython.cimports.libc.math import exp

from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.iceberg.chain import Chain, Told, confidence_of
from qmo_cli.engines.iceberg.chains import ENOUGH, LAST_IN, Chains, rate_of
from qmo_cli.engines.iceberg.estimate import Sizes
from qmo_cli.engines.iceberg.facts import facts_of
from qmo_cli.engines.iceberg.levels import Levels
from qmo_cli.engines.iceberg.lives import CONFIDENCE, Life
from qmo_cli.engines.iceberg.told import Iceberg, IcebergReading
from qmo_cli.engines.zonebook import MOST_CERTAIN, ZoneBook
from qmo_cli.engines.zones import Distances, LiveZone, Zone
from qmo_cli.packets import IcebergFact, Inputs, LevelFact, RefillEnd, Second
from qmo_cli.rounding import to_six
from qmo_cli.sessions import session_name
from qmo_cli.tray import Packet

if TYPE_CHECKING:
    from qmo_cli.engines.iceberg.engine import IcebergEngine

USUAL_WEIGHT = 30.0      # contracts: H0 until enough zones are known
ZONES_FOR_USUAL = 5
SECOND = cython.declare(cython.longlong, 1_000_000_000)
MINUTE = 60 * 10**9      # ns
TRUSTED = 0.5            # false discovery rate above which synthetic evidence makes no zone
BY_LEVEL = "needs mbo: single orders cannot be told from levels"
NATIVE, SYNTHETIC = cython.declare(cython.int, 0), cython.declare(cython.int, 1)


@cython.final
@cython.cclass
class Contract:
    """Zones are places on one contract's price scale: a roll leaves them behind.

    ``tick`` and ``atr`` count now, ``next_tick`` and ``next_atr`` from the ns ``next_from``; ``waiting``: whether there
    are such. ``sizes``: of native icebergs, and of synthetic ones. ``zones`` and ``icebergs`` are as the wire last had
    them, with how many are left out; ``explained``: the number of chains that the reasons tell of.
    """

    def __init__(self, engine: IcebergEngine, packet: Packet) -> None:
        minutes = round(engine.zone_minutes * MINUTE)
        self.instrument_id, self.by_order = packet.instrument_id, True
        self.zone_ticks, self.zone_atr, self.half_life = engine.zone_ticks, engine.zone_atr, engine.half_life
        self.reach_ticks, self.reach_atr = engine.reach_ticks, engine.reach_atr
        self.window_minutes, self.most_icebergs = engine.window_minutes, engine.most_icebergs
        self.most_zones = engine.most_zones
        self.tick = self.atr = self.next_tick = self.next_atr = self.confidence = 0.0
        self.waiting, self.next_from = False, 0
        self.lives: dict[str, Life] = {}
        self.sizes = Sizes(), Sizes()
        self.chains = Chains(packet.series, round(engine.window_minutes * MINUTE))
        self.levels = Levels(minutes)
        self.book = ZoneBook(packet.series, engine.half_life, minutes, Distances(0.0, 0.0, 0.0, 0.0))
        self.links_dropped, self.explained = 0, -1
        self.reasons: dict[str, str] = {}
        self.zones: list[Zone] = []
        self.icebergs: list[Iceberg] = []
        self.zones_dropped = self.icebergs_dropped = 0
        self.kept: IcebergReading | None = None

    @cython.ccall
    def advance(self, packet: Packet, inputs: Inputs, tick: cython.double) -> object:
        """Take in a frame; the reading of its end."""
        orders = inputs.orders
        if tick != self.tick:
            self.measure(tick, self.atr, 0)
        self.look_at_bars(packet, tick)
        events: list = self.learn(packet, inputs)
        if packet.closed:
            self.pass_time(packet, packet.ts, events)
        if orders is not None:
            self.links_dropped += orders.links_dropped
        self.by_order = orders is not None
        return self.reading(packet, events)

    # --- distances

    @cython.cfunc
    def look_at_bars(self, packet: Packet, tick: cython.double) -> object:
        """A new ATR counts from the end of the bar that made it, wherever in the frame that is."""
        bars = packet.read("bars", BarsReading)
        if bars is None or bars.atr is None or bars.atr == self.atr:
            return None
        bar = bars.bar
        if bar is not None:
            self.waiting, self.next_tick, self.next_atr = True, tick, bars.atr
            self.next_from = int(bar.start) + bar.interval * SECOND
        return None

    @cython.cfunc
    def measure(self, tick: cython.double, atr: cython.double, since: cython.longlong) -> object:
        """Distances for this tick and ATR from this time on."""
        self.tick, self.atr, self.waiting = tick, atr, False
        self.book.measure(since, Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        ))
        return None

    @cython.cfunc
    def come_to(self, ts: cython.longlong) -> object:
        if self.waiting and ts >= self.next_from:
            self.measure(self.next_tick, self.next_atr, self.next_from)
        return None

    # --- what is learned

    @cython.cfunc
    def learn(self, packet: Packet, inputs: Inputs) -> list:
        """Facts and trades in the order of time; within one second the facts come first."""
        trades = inputs.trades
        rows: list = [] if trades is None else trades.seconds
        events: list = []
        place: cython.Py_ssize_t = 0
        ts: cython.longlong
        facts: list = facts_of(inputs)
        for ts, fact in facts:
            while place < len(rows) and rows[place].second < ts // SECOND:
                self.trade(rows[place])
                place += 1
            self.come_to(ts)
            self.pass_time(packet, ts, events)
            self.take(packet, fact, ts, events)
        while place < len(rows):
            self.trade(rows[place])
            place += 1
        self.come_to(packet.ts)
        if facts or events:
            self.rest()
        return events

    @cython.cfunc
    def trade(self, row: Second) -> object:
        if self.waiting:
            self.come_to(row.second * SECOND)
        self.book.trade(row)
        return None

    @cython.cfunc
    def pass_time(self, packet: Packet, now: cython.longlong, events: list) -> object:
        """Let time pass for zones, for chains that wait for another tranche and for levels that are quiet."""
        told: Told
        before: cython.Py_ssize_t = len(events)
        if self.chains.filled:
            for told in self.chains.advance(now):
                events.append(self.chain(packet, told, told.ts + LAST_IN))  # noqa: PERF401
        if self.levels.live:
            events += [
                life.event(packet, "unknown", ts, self.levels.confidence(life))
                for life, ts in self.levels.expire(now)]
        if len(events) > before:
            self.rest()
        self.book.advance(now)
        return None

    @cython.cfunc
    def take(self, packet: Packet, fact: Any, ts: cython.longlong, events: list) -> object:
        """One fact, of whatever kind: an order's, the links of one add, the end of a tranche, or a level's."""
        kind: object = type(fact)
        if kind is IcebergFact:
            self.live(packet, fact, ts, events)
        elif kind is LevelFact:
            self.level(packet, fact, ts, events)
        else:
            told: Told = self.chains.end(fact, ts) if kind is RefillEnd else self.chains.take(fact, ts)
            if told is not None:
                events.append(self.chain(packet, told, ts))
        return None

    @cython.cfunc
    def live(self, packet: Packet, fact: IcebergFact, ts: cython.longlong, events: list) -> object:
        """A fact of a native iceberg: what it tells, what it weighs, and what it says of sizes."""
        sizes: Sizes = self.sizes[NATIVE]
        kind, order_id, total, hidden = fact.kind, fact.order_id, fact.total, fact.hidden_traded
        life: Life = self.lives.get(order_id)
        if life is None:
            life = self.lives[order_id] = Life(fact)
        kinds: list = life.take(fact)
        over: cython.bint = kind in ("removal", "executed", "cancelled", "unknown")
        session: str = session_name(life.first_seen)
        sizes.grow(order_id, life.clip, session, total)
        if kinds and not over:
            life.estimate = sizes.estimate(life.clip, session, total)
        events += [life.event(packet, kind) for kind in kinds]
        traded, life.hidden = hidden - life.hidden, hidden
        if traded > 0 and kind != "unknown":
            self.weigh(fact.side, fact.price, ts, traded, CONFIDENCE, order_id)
        if over:
            del self.lives[order_id]
            sizes.end(order_id, executed=kind in ("removal", "executed"))
        return None

    @cython.cfunc
    def chain(self, packet: Packet, told: Told, now: cython.longlong) -> object:
        """A step in a synthetic iceberg's life; it weighs only while most of them are no chance."""
        chain: Chain = told.chain
        sizes: Sizes = self.sizes[SYNTHETIC]
        rate = self.chains.rate(now)
        session: str = session_name(chain.first_seen)
        sizes.grow(chain.id, chain.clip, session, chain.total)
        if told.kind is None:
            chain.estimate = sizes.estimate(chain.clip, session, chain.total)
        hidden: cython.longlong = chain.hidden
        fresh: cython.longlong = hidden - chain.weighed
        chain.weighed = hidden
        if fresh > 0 and rate is not None and rate <= TRUSTED:
            self.weigh(chain.side, chain.tail.price, now, fresh, confidence_of(rate), chain.id)
        if told.kind is not None:
            sizes.end(chain.id, executed=told.kind == "executed")
        return told.event(packet, rate)

    @cython.cfunc
    def level(self, packet: Packet, fact: LevelFact, ts: cython.longlong, events: list) -> object:
        """A level that traded more than it lost."""
        life = self.levels.take(fact, ts)
        if life is not None:
            confidence = self.levels.confidence(life)
            name = f"{fact.side} {fact.price!r} {life.first_seen}"
            self.weigh(fact.side, fact.price, ts, fact.estimate, confidence, name)
            events.append(life.event(packet, "detected" if life.times == 1 else "reloaded", ts, confidence))
        return None

    @cython.cfunc
    def weigh(
        self, side: str, price: cython.double, ts: cython.longlong, traded: cython.longlong,
        confidence: cython.double, key: str,
    ) -> object:
        """Hidden volume that traded becomes weight of a zone; size that was only shown does not."""
        zone: LiveZone = self.book.add(side, price, ts, traded, confidence, key)
        zone.strength = strength(zone.weight, self.book.usual(ts, USUAL_WEIGHT, ZONES_FOR_USUAL))
        return None

    @cython.cfunc
    def rest(self) -> object:
        """The icebergs that rest now, the oldest first; the newest, if there are too many."""
        lives: list = [*self.lives.values(), *self.chains.live.values(), *self.levels.live.values()]
        if self.chains.live or self.levels.live:
            lives.sort(key=attrgetter("first_seen"))
        shown: list = lives[-self.most_icebergs:] if self.most_icebergs else []
        self.icebergs, self.icebergs_dropped = [life.public() for life in shown], len(lives) - len(shown)
        return None

    # --- what is said

    @cython.cfunc
    def reading(self, packet: Packet, events: list) -> object:
        book: ZoneBook = self.book
        if book.changed:
            self.show_zones()
        elif self.kept is not None and self.stands(self.kept, events):
            return self.kept
        now: cython.longlong = packet.ts
        up: cython.double = 0.0
        down: cython.double = 0.0
        if packet.price is not None and book.zones:
            reach: cython.double = max(self.reach_ticks * self.tick, self.reach_atr * self.atr)
            up, down = book.pull(packet.price, reach, now)
        usual: cython.double = book.usual(now, USUAL_WEIGHT, ZONES_FOR_USUAL)
        fdr, chains, chance = self.rate(now)
        self.kept = IcebergReading(
            to_six(0.5 + 0.5 * (up - down) / (up + down + usual)), up + down > 0,
            fdr, chains, chance, None if chains is None else self.links_dropped,
            to_six(strength(book.heaviest(now), usual)), self.confidence,
            self.zones, self.zones_dropped, self.icebergs, self.icebergs_dropped, events,
        )
        return self.kept

    @cython.cfunc
    def show_zones(self) -> object:
        """Zones have changed: the heaviest, by price."""
        zone: LiveZone
        book: ZoneBook = self.book
        shown: list = book.most(self.most_zones)
        self.zones, self.zones_dropped = [], len(book.zones) - len(shown)
        for zone in shown:
            self.zones.append(zone.public(self.half_life))
        self.confidence = certainty(book.zones)
        book.changed = False
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def stands(self, kept: IcebergReading, events: list) -> cython.bint:
        """Whether the last reading can be given again: nothing shows that did not, and nothing decays."""
        if self.book.zones or events or kept.events or kept.icebergs is not self.icebergs:
            return False
        return not self.chains.found and not self.chains.chance and kept.links_dropped == (
            self.links_dropped if self.by_order else None)

    @cython.cfunc
    def rate(self, now: cython.longlong) -> tuple:
        """The false discovery rate, and the counts that make it; or why they are not known."""
        if not self.by_order:
            self.reasons, self.explained = {"fdr": BY_LEVEL, "chance": BY_LEVEL}, -1
            return None, None, None
        number, chance = self.chains.counts(now)
        rate = rate_of(number, chance)
        known: cython.longlong = -1 if rate is not None else number
        if known != self.explained or (known < 0 and self.reasons):
            self.explained, self.reasons = known, {}
            if known >= 0:
                words = f"{number} of {ENOUGH} synthetic icebergs in {self.window_minutes:g} minutes"
                self.reasons["fdr"] = words
        return None if rate is None else to_six(rate), number, to_six(chance)


@cython.cfunc
@cython.exceptval(-1, check=True)
def certainty(zones: list) -> cython.double:
    """1 - prod(1 - c) over zones, at most .99."""
    zone: LiveZone
    doubt: cython.double = 1.0
    for zone in zones:
        doubt *= 1 - zone.confidence
    return to_six(min(MOST_CERTAIN, 1 - doubt))


@cython.cfunc
@cython.exceptval(check=False)
def strength(weight: cython.double, usual: cython.double) -> cython.double:
    """10 (1 - e^(-h / H0)): h = H0 gives 6.32."""
    return 10 * (1 - exp(-weight / usual))
