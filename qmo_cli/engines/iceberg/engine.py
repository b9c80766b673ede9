# cython: language_level=3, auto_pickle=False
"""Icebergs: orders that were seen to hide size, the zones they leave, and what these say of the price."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from typing import Any, ClassVar

import cython
from cython.cimports.libc.math import exp

from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.iceberg.chains import ENOUGH, LAST_IN, Chains, Told, confidence_of
from qmo_cli.engines.iceberg.estimate import Sizes
from qmo_cli.engines.iceberg.levels import Levels
from qmo_cli.engines.iceberg.lives import CONFIDENCE, Life
from qmo_cli.engines.iceberg.told import Iceberg, IcebergEvent, IcebergReading, facts_of
from qmo_cli.engines.zonebook import MOST_CERTAIN, ZoneBook
from qmo_cli.engines.zones import Distances, LiveZone, Zone
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import IcebergFact, Inputs, LevelFact, Missing, Reading, RefillEnd, Second
from qmo_cli.rounding import to_six
from qmo_cli.sessions import session_name
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

USUAL_WEIGHT = 30.0      # contracts: H0 until enough zones are known
ZONES_FOR_USUAL = 5
MINUTE = 60 * SECOND
TRUSTED = 0.5            # false discovery rate above which synthetic evidence makes no zone
BY_LEVEL = "needs mbo: single orders cannot be told from levels"


@dataclass(slots=True)
class IcebergEngine:
    """Native icebergs, exact from order ids; synthetic ones with their false discovery rate; zones of hidden volume.

    Without order ids, levels that refresh (mbp-10, surely) or seem to (tbbo, unconfirmed).
    """

    name: ClassVar[str] = "iceberg"
    needs: ClassVar[frozenset[str]] = frozenset({"orders", "bars"})
    reading: ClassVar[type[Reading]] = IcebergReading

    zone_ticks: float = field(default=3.0, metadata={"help": "A zone spans at most this many ticks."})
    zone_atr: float = field(default=0.03, metadata={"help": "Or this many ATR(15m), whichever is wider."})
    zone_minutes: float = field(default=15.0, metadata={"help": "Evidence joins a zone seen this recently."})
    half_life: float = field(default=1800.0, metadata={"help": "Seconds in which a zone loses half its weight."})
    reach_ticks: float = field(default=20.0, metadata={"help": "Zones within this many ticks of the price count."})
    reach_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    window_minutes: float = field(default=120.0, metadata={
        "help": "Minutes over which synthetic icebergs are counted against chance."})
    most_zones: int = field(default=32, metadata={"help": "Zones shown in a packet."})
    most_icebergs: int = field(default=32, metadata={"help": "Resting icebergs shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    scale: tuple[float, float] = field(default=(0.0, 0.0), init=False)  # tick, ATR
    next_scale: tuple[float, float] | None = field(default=None, init=False)
    next_from: int = field(default=0, init=False)                       # ns
    lives: dict[str, Life] = field(default_factory=dict, init=False)
    book: ZoneBook = field(init=False)
    chains: Chains = field(init=False)
    levels: Levels = field(init=False)
    sizes: tuple[Sizes, Sizes] = field(default_factory=lambda: (Sizes(), Sizes()), init=False)  # native, synthetic
    links_dropped: int = field(default=0, init=False)
    confidence: float = field(default=0.0, init=False)
    zones: tuple[list[Zone], int] = field(default=([], 0), init=False)
    icebergs: tuple[list[Iceberg], int] = field(default=([], 0), init=False)
    kept: IcebergReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.half_life < inf:
            raise ConfigurationError(f"iceberg.half_life={self.half_life}: seconds above 0 expected")
        if not 0 < self.window_minutes < inf:
            raise ConfigurationError(f"iceberg.window_minutes={self.window_minutes}: minutes above 0 expected")

    def update(self, packet: Packet) -> IcebergReading | Missing:
        inputs = packet.inputs
        if inputs.orders is None and inputs.levels is None:
            return Missing(packet.missing.get("inputs.orders", "needs mbo"))
        tick = packet.market.tick
        if tick is None:
            return Missing("needs the contract's tick")
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet)
        if tick != self.scale[0]:
            self._measure((tick, self.scale[1]), 0)
        self._look_at_bars(packet, tick)
        events = self._learn(packet, inputs)
        if packet.closed:
            events += self._advance(packet, packet.ts)
        if inputs.orders is not None:
            self.links_dropped += inputs.orders.links_dropped
        return self._reading(packet, events)

    def _new_contract(self, packet: Packet) -> None:
        """Zones are places on one contract's price scale: a roll leaves them behind."""
        self.instrument_id, self.kept = packet.instrument_id, None
        self.scale, self.next_scale, self.next_from = (0.0, 0.0), None, 0
        self.lives, self.icebergs = {}, ([], 0)
        self.sizes, self.links_dropped, self.confidence = (Sizes(), Sizes()), 0, 0.0
        self.chains = Chains(packet.series, round(self.window_minutes * MINUTE))
        self.levels = Levels(round(self.zone_minutes * MINUTE))
        self.book = ZoneBook(
            packet.series, self.half_life, round(self.zone_minutes * MINUTE), Distances(0.0, 0.0, 0.0, 0.0))

    def _look_at_bars(self, packet: Packet, tick: float) -> None:
        """A new ATR counts from the end of the bar that made it, wherever in the frame that is."""
        bars = packet.read("bars", BarsReading)
        if bars is None or bars.atr is None or bars.atr_since is None:
            return
        if bars.atr != self.scale[1]:
            self.next_scale = tick, bars.atr
            self.next_from = int(bars.atr_since)

    def _measure(self, scale: tuple[float, float], since: int) -> None:
        """Distances for this tick and ATR from this time on."""
        tick, atr = self.scale = scale
        self.next_scale = None
        self.book.measure(since, Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        ))

    def _learn(self, packet: Packet, inputs: Inputs) -> list[IcebergEvent]:
        """Facts and trades in the order of time; within one second the facts come first."""
        events: list[IcebergEvent] = []
        rows = inputs.trades.seconds if inputs.trades is not None else []
        place = 0
        facts = facts_of(inputs)
        for ts, fact in facts:
            while place < len(rows) and rows[place].second < ts // SECOND:
                self._trade(rows[place])
                place += 1
            self._come_to(ts)
            events += self._advance(packet, ts)
            events += self._take(packet, fact, ts)
        for row in rows[place:] if place else rows:
            self._trade(row)
        self._come_to(packet.ts)
        if facts or events:
            self.icebergs = self._resting()
        return events

    def _take(self, packet: Packet, fact: Any, ts: int) -> list[IcebergEvent]:
        """One fact, of whatever kind: an order's, the links of one add, the end of a tranche, or a level's."""
        if type(fact) is IcebergFact:
            return self._live(packet, fact, ts)
        if type(fact) is LevelFact:
            return self._level(packet, fact, ts)
        told = self.chains.end(fact, ts) if type(fact) is RefillEnd else self.chains.take(fact, ts)
        return [self._chain(packet, told, ts)] if told else []

    def _advance(self, packet: Packet, now: int) -> list[IcebergEvent]:
        """Let time pass for zones, for chains that wait for another tranche and for levels that are quiet."""
        events: list[IcebergEvent] = []
        if self.chains.filled:
            events += [self._chain(packet, told, told.ts + LAST_IN) for told in self.chains.advance(now)]
        if self.levels.live:
            events += [
                life.event(packet, "unknown", ts, self.levels.confidence(life))
                for life, ts in self.levels.expire(now)]
        if events:
            self.icebergs = self._resting()
        book: ZoneBook = self.book
        book.advance(now)
        return events

    def _come_to(self, ts: int) -> None:
        if self.next_scale is not None and ts >= self.next_from:
            self._measure(self.next_scale, self.next_from)

    def _trade(self, row: Second) -> None:
        if self.next_scale is not None:
            self._come_to(row.second * SECOND)
        book: ZoneBook = self.book
        book.trade(row)

    def _live(self, packet: Packet, fact: IcebergFact, ts: int) -> list[IcebergEvent]:
        """A fact of a native iceberg: what it tells, what it weighs, and what it says of sizes."""
        life = self.lives.get(fact.order_id)
        if life is None:
            life = self.lives[fact.order_id] = Life.begin(fact)
        kinds = life.take(fact)
        over = fact.kind in ("removal", "executed", "cancelled", "unknown")
        self._size(0, fact.order_id, life, fact.total, tell=bool(kinds) and not over)
        events = [life.event(packet, kind) for kind in kinds]
        traded, life.hidden = fact.hidden_traded - life.hidden, fact.hidden_traded
        if traded > 0 and fact.kind != "unknown":
            self._weigh(fact.side, fact.price, ts, traded, CONFIDENCE, fact.order_id)
        if over:
            del self.lives[fact.order_id]
            self.sizes[0].end(fact.order_id, executed=fact.kind in ("removal", "executed"))
        return events

    def _size(self, kind: int, key: str, life: Any, total: int, *, tell: bool) -> None:
        """Note how much an iceberg was filled, and with new evidence what others say of how much it will be."""
        session = session_name(life.first_seen)
        self.sizes[kind].grow(key, life.clip, session, total)
        if tell:
            life.estimate = self.sizes[kind].estimate(life.clip, session, total)

    def _chain(self, packet: Packet, told: Told, now: int) -> IcebergEvent:
        """A step in a synthetic iceberg's life; it weighs only while most of them are no chance."""
        chain, rate = told.chain, self.chains.rate(now)
        self._size(1, chain.id, chain, chain.total, tell=told.kind is None)
        fresh, chain.weighed = chain.hidden - chain.weighed, chain.hidden
        if fresh > 0 and rate is not None and rate <= TRUSTED:
            self._weigh(chain.side, chain.tail.price, now, fresh, confidence_of(rate), chain.id)
        if told.kind is not None:
            self.sizes[1].end(chain.id, executed=told.kind == "executed")
        return told.event(packet, rate)

    def _level(self, packet: Packet, fact: LevelFact, ts: int) -> list[IcebergEvent]:
        """A level that traded more than it lost."""
        life = self.levels.take(fact, ts)
        if life is None:
            return []
        confidence = self.levels.confidence(life)
        name = f"{fact.side} {fact.price!r} {life.first_seen}"
        self._weigh(fact.side, fact.price, ts, fact.estimate, confidence, name)
        return [life.event(packet, "detected" if life.times == 1 else "reloaded", ts, confidence)]

    def _weigh(self, side: str, price: float, ts: int, traded: int, confidence: float, key: str) -> None:
        """Hidden volume that traded becomes weight of a zone; size that was only shown does not."""
        book: ZoneBook = self.book
        zone: LiveZone = book.add(side, price, ts, traded, confidence, key)
        zone.strength = strength(zone.weight, book.usual(ts, USUAL_WEIGHT, ZONES_FOR_USUAL))

    def _reading(self, packet: Packet, events: list[IcebergEvent]) -> IcebergReading:
        book: ZoneBook = self.book
        kept = self.kept
        if book.changed:
            shown = book.most(self.most_zones)
            self.zones = [zone.public(self.half_life) for zone in shown], len(book.zones) - len(shown)
            self.confidence = certainty(book.zones)
            book.changed = False
        elif kept is not None and self._stands(kept, packet, events):
            return kept
        now: cython.longlong = packet.ts
        up: cython.double
        down: cython.double
        up, down = self._pull(packet.price, now)
        usual: cython.double = book.usual(now, USUAL_WEIGHT, ZONES_FOR_USUAL)
        zones, zones_dropped = self.zones
        icebergs, icebergs_dropped = self.icebergs
        fdr, chains, chance = self._rate(packet)
        self.kept = IcebergReading(
            to_six(0.5 + 0.5 * (up - down) / (up + down + usual)), up + down > 0,
            fdr, chains, chance, None if chains is None else self.links_dropped,
            to_six(strength(book.heaviest(now), usual)), self.confidence,
            zones, zones_dropped, icebergs, icebergs_dropped, events,
        )
        return self.kept

    def _stands(self, kept: IcebergReading, packet: Packet, events: list[IcebergEvent]) -> bool:
        """Whether the last reading can be given again: nothing shows that did not, and nothing decays."""
        if self.book.zones or events or kept.events or kept.icebergs is not self.icebergs[0]:
            return False
        return not self.chains.found and not self.chains.chance and kept.links_dropped == (
            self.links_dropped if packet.inputs.orders is not None else None)

    def _rate(self, packet: Packet) -> tuple[float | None, int | None, float | None]:
        """The false discovery rate, and the counts that make it; or why they are not known."""
        self.reasons.clear()
        if packet.inputs.orders is None:
            self.reasons["fdr"] = self.reasons["chance"] = BY_LEVEL
            return None, None, None
        number, chance = self.chains.counts(packet.ts)
        rate = self.chains.rate(packet.ts)
        if rate is None:
            self.reasons["fdr"] = f"{number} of {ENOUGH} synthetic icebergs in {self.window_minutes:g} minutes"
        return None if rate is None else to_six(rate), number, to_six(chance)

    def _pull(self, price: float | None, now: int) -> tuple[float, float]:
        """(B, A): weight of the zones in reach that hold the price up, and down."""
        book: ZoneBook = self.book
        if price is None or not book.zones:
            return 0.0, 0.0
        tick, atr = self.scale
        return book.pull(price, max(self.reach_ticks * tick, self.reach_atr * atr), now)

    def _resting(self) -> tuple[list[Iceberg], int]:
        lives: list[Any] = [*self.lives.values(), *self.chains.live.values(), *self.levels.live.values()]
        if self.chains.live or self.levels.live:
            lives.sort(key=attrgetter("first_seen"))
        shown = lives[-self.most_icebergs:] if self.most_icebergs else []
        return [life.public() for life in shown], len(lives) - len(shown)


def certainty(zones: list[LiveZone]) -> float:
    """1 - prod(1 - c) over zones, at most .99."""
    doubt = 1.0
    for zone in zones:
        doubt *= 1 - zone.confidence
    return to_six(min(MOST_CERTAIN, 1 - doubt))


@cython.cfunc
@cython.exceptval(check=False)
def strength(weight: cython.double, usual: cython.double) -> cython.double:
    """10 (1 - e^(-h / H0)): h = H0 gives 6.32."""
    return 10 * (1 - exp(-weight / usual))
