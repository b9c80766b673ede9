"""Icebergs known by price level only: from depth (mbp-10) almost surely, from quotes (tbbo) as a hint."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...packets import LevelFact
from ...tray import Packet
from .told import WALL_RELOADS, WALL_SPAN, Iceberg, IcebergEvent, Kind, Pattern, Source

DEPTH, IMPLIED, HINT = 0.9, 0.5, 0.3  # confidence of depth, where implied fills occur, and of quotes
LEAST_EXCESS = 10                     # facts that may show that implied fills occur


@dataclass(slots=True, eq=False)
class LevelLife:
    """Hidden size at one side and price; ``fact`` is the newest evidence."""

    fact: LevelFact
    first_seen: int                      # ns
    last_seen: int
    source: Source
    hidden: int = 0                      # contracts, estimated
    traded: int = 0                      # in the events that gave evidence
    times: int = 0
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=WALL_RELOADS))

    def take(self, fact: LevelFact, ts: int) -> None:
        """One more piece of evidence."""
        self.fact, self.last_seen, self.times = fact, ts, self.times + 1
        self.hidden += fact.estimate
        self.traded += fact.traded
        self.recent.append(ts)

    @property
    def pattern(self) -> Pattern:
        wall = len(self.recent) == WALL_RELOADS and self.recent[-1] - self.recent[0] <= WALL_SPAN
        return "wall" if wall else "native"

    def public(self) -> Iceberg:
        """The iceberg as the wire has it."""
        fact = self.fact
        return Iceberg(
            None, fact.side, fact.price, self.source, None, fact.after, self.traded, self.hidden, self.times, None,  # type: ignore[arg-type]
            False, 0, self.pattern, str(self.first_seen), str(self.last_seen), None,
        )

    def event(self, packet: Packet, kind: Kind, ts: int, confidence: float) -> IcebergEvent:
        """The line that tells its newest evidence, or that nothing came for long."""
        fact, over = self.fact, kind == "unknown"
        proved = "depth" if fact.kind == "refresh" else "unconfirmed"
        return IcebergEvent(
            "iceberg-event", kind, str(ts), packet.series, packet.symbol, None, fact.side, fact.price, self.source,  # type: ignore[arg-type]
            None if over else proved, fact.after, 0 if over else fact.traded, 0 if over else fact.estimate,  # type: ignore[arg-type]
            0 if over else max(0, fact.traded - fact.before), self.hidden, self.traded, None, False, self.pattern, None,
            [], None, confidence, None,
        )


@dataclass(slots=True)
class Levels:
    """All levels of one contract that showed hidden size in the last ``memory`` ns."""

    memory: int
    live: dict[tuple[str, float], LevelLife] = field(default_factory=dict)
    refreshes: int = 0
    excess: int = 0

    def take(self, fact: LevelFact, ts: int) -> LevelLife | None:
        """Fold a fact in; a level without depth left proves nothing but that fills may be implied."""
        if fact.kind == "excess":
            self.excess += 1
            return None
        self.refreshes += fact.kind == "refresh"
        key = fact.side, fact.price
        life = self.live.pop(key, None)
        if life is None:
            life = LevelLife(fact, ts, ts, "mbp-10" if fact.kind == "refresh" else "tbbo")
        self.live[key] = life
        life.take(fact, ts)
        return life

    def confidence(self, life: LevelLife) -> float:
        """Implied fills occur where levels more often vanish with too much traded than they refresh."""
        if life.source == "tbbo":
            return HINT
        return IMPLIED if self.excess >= LEAST_EXCESS and self.excess > self.refreshes else DEPTH

    def expire(self, now: int) -> Iterator[tuple[LevelLife, int]]:
        """The levels of which nothing was heard for long, and since when they count as lost."""
        while self.live:
            key, life = next(iter(self.live.items()))
            if life.last_seen + self.memory >= now:
                return
            del self.live[key]
            yield life, life.last_seen + self.memory
