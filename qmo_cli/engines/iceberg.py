# cython: language_level=3, auto_pickle=False
"""Icebergs: orders that were seen to hide size, the zones they leave, and what these say of the price."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

import cython
from cython.cimports.libc.math import exp

from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.lives import Iceberg, IcebergEvent, Life
from qmo_cli.engines.zonebook import ZoneBook
from qmo_cli.engines.zones import Distances, LiveZone, Zone
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import IcebergFact, Missing, Reading, ScoredReading, Second, TradesInput
from qmo_cli.rounding import to_six
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

CONFIDENCE = 0.99        # of native evidence: it is the exchange's own arithmetic
USUAL_WEIGHT = 30.0      # contracts: H0 until enough zones are known
ZONES_FOR_USUAL = 5
MINUTE = 60 * SECOND


class IcebergReading(ScoredReading, frozen=True):
    """Zones of hidden size and the icebergs behind them.

    score = .5 + .5 (B - A) / (B + A + H0): B and A sum weight x prox x confidence over supporting and resisting
    zones in reach, prox = max(0, 1 - distance / D), H0 the median zone's weight (30 contracts until 5 are known).
    """

    strength: float                      # 0-10: 10 (1 - e^(-h / H0)), h the heaviest zone's weight now
    confidence: float                    # 1 - prod(1 - c) over the zones
    zones: list[Zone]                    # by price; the heaviest, if there are too many
    zones_dropped: int
    icebergs: list[Iceberg]              # resting now, oldest first
    icebergs_dropped: int
    events: list[IcebergEvent]           # of this frame


@dataclass(slots=True)
class IcebergEngine:
    """Native icebergs, exact from order ids, and the zones that their hidden volume builds."""

    name: ClassVar[str] = "iceberg"
    needs: ClassVar[frozenset[str]] = frozenset({"orders", "bars"})
    reading: ClassVar[type[Reading]] = IcebergReading

    zone_ticks: float = field(default=3.0, metadata={"help": "A zone spans at most this many ticks."})
    zone_atr: float = field(default=0.03, metadata={"help": "Or this many ATR(15m), whichever is wider."})
    zone_minutes: float = field(default=15.0, metadata={"help": "Evidence joins a zone seen this recently."})
    half_life: float = field(default=1800.0, metadata={"help": "Seconds in which a zone loses half its weight."})
    reach_ticks: float = field(default=20.0, metadata={"help": "Zones within this many ticks of the price count."})
    reach_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    most_zones: int = field(default=32, metadata={"help": "Zones shown in a packet."})
    most_icebergs: int = field(default=32, metadata={"help": "Resting icebergs shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    scale: tuple[float, float] = field(default=(0.0, 0.0), init=False)  # tick, ATR
    next_scale: tuple[float, float] | None = field(default=None, init=False)
    next_from: int = field(default=0, init=False)                       # ns
    lives: dict[str, Life] = field(default_factory=dict, init=False)
    book: ZoneBook = field(init=False)
    zones: tuple[list[Zone], int] = field(default=([], 0), init=False)
    icebergs: tuple[list[Iceberg], int] = field(default=([], 0), init=False)
    kept: IcebergReading | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.half_life < inf:
            raise ConfigurationError(f"iceberg.half_life={self.half_life}: seconds above 0 expected")

    def update(self, packet: Packet) -> IcebergReading | Missing:
        inputs = packet.inputs
        if inputs.orders is None:
            return Missing(packet.missing.get("inputs.orders", "needs mbo"))
        tick = packet.market.tick
        if tick is None:
            return Missing("needs the contract's tick")
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet)
        if tick != self.scale[0]:
            self._measure((tick, self.scale[1]), 0)
        self._look_at_bars(packet, tick)
        events = self._learn(packet, inputs.orders.icebergs, inputs.trades)
        if packet.closed:
            self.book.advance(packet.ts)
        return self._reading(packet, events)

    def _new_contract(self, packet: Packet) -> None:
        """Zones are places on one contract's price scale: a roll leaves them behind."""
        self.instrument_id, self.kept = packet.instrument_id, None
        self.scale, self.next_scale, self.next_from = (0.0, 0.0), None, 0
        self.lives, self.icebergs = {}, ([], 0)
        self.book = ZoneBook(
            packet.series, self.half_life, round(self.zone_minutes * MINUTE), Distances(0.0, 0.0, 0.0, 0.0))

    def _look_at_bars(self, packet: Packet, tick: float) -> None:
        """A new ATR counts from the end of the bar that made it, wherever in the frame that is."""
        bars = packet.read("bars", BarsReading)
        if bars is None or bars.atr is None or bars.bar is None:
            return
        if bars.atr != self.scale[1]:
            self.next_scale = tick, bars.atr
            self.next_from = int(bars.bar.start) + bars.bar.interval * SECOND

    def _measure(self, scale: tuple[float, float], since: int) -> None:
        """Distances for this tick and ATR from this time on."""
        tick, atr = self.scale = scale
        self.next_scale = None
        self.book.measure(since, Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        ))

    def _learn(self, packet: Packet, facts: list[IcebergFact], trades: TradesInput | None) -> list[IcebergEvent]:
        """Facts and trades in the order of time; within one second the facts come first."""
        events: list[IcebergEvent] = []
        rows = trades.seconds if trades is not None else []
        place = 0
        for fact in facts:
            ts = int(fact.ts_event)
            while place < len(rows) and rows[place].second < ts // SECOND:
                self._trade(rows[place])
                place += 1
            self._come_to(ts)
            self.book.advance(ts)
            events += self._live(packet, fact, ts)
        for row in rows[place:] if place else rows:
            self._trade(row)
        self._come_to(packet.ts)
        if facts:
            self.icebergs = self._resting()
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
        life = self.lives.get(fact.order_id)
        if life is None:
            life = self.lives[fact.order_id] = Life.begin(fact)
        events = [life.event(packet, kind) for kind in life.take(fact)]
        traded, life.hidden = fact.hidden_traded - life.hidden, fact.hidden_traded
        if traded > 0 and fact.kind != "unknown":
            self._weigh(fact, ts, traded)
        if fact.kind in ("removal", "executed", "cancelled", "unknown"):
            del self.lives[fact.order_id]
        return events

    def _weigh(self, fact: IcebergFact, ts: int, traded: int) -> None:
        """Hidden volume that traded becomes weight of a zone; size that was only shown does not."""
        book: ZoneBook = self.book
        zone: LiveZone = book.add(fact.side, fact.price, ts, traded, CONFIDENCE, fact.order_id)
        zone.strength = strength(zone.weight, book.usual(ts, USUAL_WEIGHT, ZONES_FOR_USUAL))

    def _reading(self, packet: Packet, events: list[IcebergEvent]) -> IcebergReading:
        book: ZoneBook = self.book
        kept = self.kept
        if book.changed:
            shown = book.most(self.most_zones)
            self.zones = [zone.public(self.half_life) for zone in shown], len(book.zones) - len(shown)
            book.changed = False
        elif kept is not None and not book.zones and not (events or kept.events) and kept.icebergs is self.icebergs[0]:
            return kept
        now: cython.longlong = packet.ts
        up: cython.double
        down: cython.double
        up, down = self._pull(packet.price, now)
        usual: cython.double = book.usual(now, USUAL_WEIGHT, ZONES_FOR_USUAL)
        zones, zones_dropped = self.zones
        icebergs, icebergs_dropped = self.icebergs
        self.kept = IcebergReading(
            to_six(0.5 + 0.5 * (up - down) / (up + down + usual)), up + down > 0,
            to_six(strength(book.heaviest(now), usual)), CONFIDENCE if book.zones else 0.0,
            zones, zones_dropped, icebergs, icebergs_dropped, events,
        )
        return self.kept

    def _pull(self, price: float | None, now: int) -> tuple[float, float]:
        """(B, A): weight of the zones in reach that hold the price up, and down."""
        book: ZoneBook = self.book
        if price is None or not book.zones:
            return 0.0, 0.0
        tick, atr = self.scale
        return book.pull(price, max(self.reach_ticks * tick, self.reach_atr * atr), now)

    def _resting(self) -> tuple[list[Iceberg], int]:
        shown = list(self.lives.values())[-self.most_icebergs:]
        return [life.public() for life in shown], len(self.lives) - len(shown)


@cython.cfunc
@cython.exceptval(check=False)
def strength(weight: cython.double, usual: cython.double) -> cython.double:
    """10 (1 - e^(-h / H0)): h = H0 gives 6.32."""
    return 10 * (1 - exp(-weight / usual))
