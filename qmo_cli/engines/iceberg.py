"""Icebergs: orders that were seen to hide size, the zones they leave, and what these say of the price."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, gcd
from typing import Annotated, ClassVar, Literal

from msgspec import Struct

from ..packets import OPTIONAL, IcebergFact, Missing, OptionalInt, Packet, Reading, ScoredReading
from ..sessions import session
from ..times import SECOND
from ..views import BarsView
from .zones import Distances, Zone, ZoneBook

CONFIDENCE = 0.99        # of native evidence: it is the exchange's own arithmetic
USUAL_WEIGHT = 30.0      # contracts: H0 until enough zones are known
ZONES_FOR_USUAL = 5
SESSION_FADE = 0.7       # what a zone keeps of its weight at a change of session
WALL_RELOADS = 3
WALL_SPAN = 60 * SECOND
MINUTE = 60 * SECOND

Pattern = Literal["native", "one_hit", "pegged", "wall"]


class IcebergEvent(Struct, frozen=True, gc=False):
    """One step in an iceberg's life; a line of its own with ``--events``."""

    schema: Literal["iceberg-event"]
    kind: Literal["detected", "reloaded", "executed", "cancelled", "unknown"]
    ts_event: str                        # ns
    series: str
    symbol: Annotated[str | None, OPTIONAL]
    order_id: str
    side: Literal["B", "A"]              # of the resting order
    price: float
    source: Literal["native", "synthetic"]
    evidence: Annotated[Literal["refresh", "removal"] | None, OPTIONAL]  # null where the event proves nothing new
    shown: int                           # displayed after the event
    filled: int                          # filled in the event
    revealed: int                        # newly shown, not traded
    hidden_filled: int                   # traded beyond the display of the moment
    hidden_traded: int                   # traded beyond the first display, in all
    total_filled: int                    # since the order entered
    peak: OptionalInt                    # what it shows at a time; null where the evidence leaves no candidate
    peak_exact: bool                     # only one peak fits all evidence


class Iceberg(Struct, frozen=True, gc=False):
    """An iceberg that rests now."""

    order_id: str
    side: Literal["B", "A"]
    price: float
    shown: int
    total_filled: int
    hidden_traded: int
    reloads: int
    peak: OptionalInt
    peak_exact: bool
    misfits: int                         # refreshes that fit no peak
    pattern: Pattern
    first_seen: str                      # ns, first evidence
    last_seen: str                       # ns, newest evidence


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
class Life:
    """What is known of one native iceberg."""

    first_seen: int                      # ns, first evidence
    reloads: list[int] = field(default_factory=list)  # ns
    largest: int = 0                     # largest display seen since the first evidence, and before it
    common: int = 0                      # gcd of what its refreshes revealed
    misfits: int = 0
    moved: bool = False
    hidden: int = 0                      # hidden_traded so far
    fact: IcebergFact | None = None      # the newest

    def refresh(self, fact: IcebergFact) -> None:
        """Fold a refresh in: what it revealed is a multiple of the peak, unless it was the last, smaller tranche."""
        largest = max(self.largest, fact.before, fact.after)
        common = gcd(self.common, fact.revealed)
        if candidates(common, largest):
            self.common = common
        else:
            self.misfits += 1
        self.largest = largest

    def peak(self) -> tuple[int | None, bool]:
        """The smallest peak that fits, and whether it is the only one."""
        fitting = candidates(self.common, self.largest)
        return (fitting[0] if fitting else None), len(fitting) == 1

    def pattern(self) -> Pattern:
        """The field's name for how it behaves."""
        if len(self.reloads) >= WALL_RELOADS and self.reloads[-1] - self.reloads[-WALL_RELOADS] <= WALL_SPAN:
            return "wall"
        return "pegged" if self.moved else "native"


def candidates(common: int, largest: int) -> list[int]:
    """Divisors of ``common`` not below the largest display, ascending.

    >>> candidates(10, 4), candidates(10, 10), candidates(7, 8), candidates(0, 5)
    ([5, 10], [10], [], [])
    """
    return [peak for peak in range(max(1, largest), common + 1) if common % peak == 0]


@dataclass(slots=True)
class IcebergEngine:
    """Native icebergs, exact from order ids, and the zones that their hidden volume builds."""

    name: ClassVar[str] = "iceberg"
    needs: ClassVar[frozenset[str]] = frozenset({"orders"})
    reading: ClassVar[type[Reading]] = IcebergReading

    zone_ticks: float = field(default=3, metadata={"help": "A zone spans at most this many ticks."})
    zone_atr: float = field(default=0.03, metadata={"help": "Or this many ATR(15m), whichever is wider."})
    zone_minutes: float = field(default=15, metadata={"help": "Evidence joins a zone seen this recently."})
    half_life: float = field(default=1800, metadata={"help": "Seconds in which a zone loses half its weight."})
    reach_ticks: float = field(default=20, metadata={"help": "Zones within this many ticks of the price count."})
    reach_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    most_zones: int = field(default=32, metadata={"help": "Zones shown in a packet."})
    most_icebergs: int = field(default=32, metadata={"help": "Resting icebergs shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    instrument_id: int = field(default=-1, init=False)
    lives: dict[str, Life] = field(default_factory=dict, init=False)
    book: ZoneBook | None = field(default=None, init=False)
    session_name: str = field(default="", init=False)
    changed: bool = field(default=True, init=False)
    kept: IcebergReading | None = field(default=None, init=False)
    shown: tuple[list[Zone], int, list[Iceberg], int] = field(default=([], 0, [], 0), init=False)

    def update(self, packet: Packet) -> IcebergReading | Missing:
        orders = packet.inputs.orders
        if orders is None:
            return Missing(packet.missing.get("inputs.orders", "needs mbo"))
        tick = packet.market.tick
        if tick is None:
            return Missing("needs the contract's tick")
        if packet.instrument_id != self.instrument_id:
            self._new_contract(packet)
        assert self.book is not None
        far = self._distances(packet, tick)
        events = self._learn(packet, orders.icebergs, far, self.book)
        self._age(packet, far, self.book)
        return self._reading(packet, events, tick, self.book)

    def _new_contract(self, packet: Packet) -> None:
        """Zones are places on one contract's price scale: a roll leaves them behind."""
        self.instrument_id = packet.instrument_id
        self.lives, self.changed = {}, True
        self.book = ZoneBook(packet.series, self.half_life, round(self.zone_minutes * MINUTE))

    def _atr(self, packet: Packet) -> float:
        bars = packet.read("bars", BarsView)
        return bars.atr if bars is not None and bars.atr is not None else 0.0

    def _distances(self, packet: Packet, tick: float) -> Distances:
        atr = self._atr(packet)
        return Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        )

    # --- lives

    def _learn(self, packet: Packet, facts: list[IcebergFact], far: Distances, book: ZoneBook) -> list[IcebergEvent]:
        events: list[IcebergEvent] = []
        for fact in facts:
            self.changed = True
            life = self.lives.get(fact.order_id)
            if life is None:
                life = self.lives[fact.order_id] = Life(int(fact.ts_event), largest=fact.before)
            events += self._step(packet, life, fact)
            self._weigh(life, fact, far, book)
            if fact.kind in ("removal", "executed", "cancelled", "unknown"):
                del self.lives[fact.order_id]
        return events

    def _step(self, packet: Packet, life: Life, fact: IcebergFact) -> list[IcebergEvent]:
        known = life.fact is not None
        life.fact = fact
        life.moved = life.moved or fact.kind == "reprice"
        if fact.kind in ("fill", "reprice"):
            return []
        if fact.kind not in ("refresh", "removal"):
            return [_event(packet, life, fact, fact.kind)]
        if fact.kind == "refresh":
            life.refresh(fact)
            life.reloads.append(int(fact.ts_event))
        seen = _event(packet, life, fact, "reloaded" if known else "detected")
        return [seen, _event(packet, life, fact, "executed")] if fact.kind == "removal" else [seen]

    def _weigh(self, life: Life, fact: IcebergFact, far: Distances, book: ZoneBook) -> None:
        """Hidden volume that traded with this fact becomes weight of a zone."""
        traded = fact.hidden_traded - life.hidden
        life.hidden = fact.hidden_traded
        if fact.kind == "unknown" or (traded <= 0 and fact.kind != "refresh"):
            return
        zone = book.add(
            fact.side, fact.price, int(fact.ts_event), max(traded, 0), CONFIDENCE, fact.order_id, far.width,  # type: ignore[arg-type]
        )
        zone.strength = _strength(zone.weight, self._usual(int(fact.ts_event)))

    # --- zones

    def _usual(self, now: int) -> float:
        """H0: the median zone's weight."""
        assert self.book is not None
        if len(self.book.zones) < ZONES_FOR_USUAL:
            return USUAL_WEIGHT
        return max(1.0, self.book.ranked().median * self.book.age(now))

    def _age(self, packet: Packet, far: Distances, book: ZoneBook) -> None:
        if not book.zones:
            return
        here = session(packet.ts).name
        if self.session_name and here != self.session_name:
            book.fade(SESSION_FADE)
            self.changed = True
        self.session_name = here
        trades = packet.inputs.trades
        if trades is not None and book.test(trades.seconds, far):
            self.changed = True
        if book.expire(packet.ts):
            self.changed = True

    def _pull(self, packet: Packet, tick: float, book: ZoneBook) -> tuple[float, float, float]:
        """(B, A, weight of the heaviest zone) now."""
        if not book.zones:
            return 0.0, 0.0, 0.0
        up = down = 0.0
        if packet.price is not None:
            up, down = book.pull(packet.price, max(self.reach_ticks * tick, self.reach_atr * self._atr(packet)))
        age = book.age(packet.ts)
        return up * age, down * age, book.ranked().heaviest * age

    # --- the reading

    def _reading(self, packet: Packet, events: list[IcebergEvent], tick: float, book: ZoneBook) -> IcebergReading:
        kept = self.kept
        if kept is not None and not book.zones and not self.changed and not events and not kept.events:
            return kept
        if self.changed:
            self.shown = (*self._zones(book), *self._icebergs())
            self.changed = False
        usual = self._usual(packet.ts)
        up, down, heaviest = self._pull(packet, tick, book)
        confidence = CONFIDENCE if book.zones else 0.0
        self.kept = IcebergReading(
            round(0.5 + 0.5 * (up - down) / (up + down + usual), 6), up + down > 0,
            round(_strength(heaviest, usual), 6), confidence, *self.shown, events,
        )
        return self.kept

    def _zones(self, book: ZoneBook) -> tuple[list[Zone], int]:
        shown = book.most(self.most_zones)
        return [zone.public(self.half_life) for zone in shown], len(book.zones) - len(shown)

    def _icebergs(self) -> tuple[list[Iceberg], int]:
        shown = list(self.lives.values())[-self.most_icebergs:]
        return [_iceberg(life) for life in shown], len(self.lives) - len(shown)


def _strength(weight: float, usual: float) -> float:
    """10 (1 - e^(-h / H0)): h = H0 gives 6.32."""
    return 10 * (1 - exp(-weight / usual))


def _iceberg(life: Life) -> Iceberg:
    fact = life.fact
    assert fact is not None
    peak, exact = life.peak()
    return Iceberg(
        fact.order_id, fact.side, fact.price, fact.after, fact.total, fact.hidden_traded, len(life.reloads), peak,  # type: ignore[arg-type]
        exact, life.misfits, life.pattern(), str(life.first_seen), fact.ts_event,
    )


def _event(packet: Packet, life: Life, fact: IcebergFact, kind: str) -> IcebergEvent:
    peak, exact = life.peak()
    evidence = fact.kind if kind in ("detected", "reloaded") else None
    return IcebergEvent(
        "iceberg-event", kind, fact.ts_event, packet.series, packet.symbol, fact.order_id, fact.side, fact.price,  # type: ignore[arg-type]
        "native", evidence, fact.after, fact.filled, fact.revealed, fact.hidden_filled, fact.hidden_traded,  # type: ignore[arg-type]
        fact.total, peak, exact,
    )
