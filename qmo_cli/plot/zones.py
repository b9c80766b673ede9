"""The lives of zones, as the packets told them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec import Raw

from ..tray import Packet
from .views import ZonesView, ZoneView, listed

MOST_ENDED = 2048  # ended zones that are remembered: far more than a picture can show


class Stage(NamedTuple):
    """What a zone was from one time to the next."""

    since: int                           # ns
    state: str
    low: float
    high: float


@dataclass(slots=True)
class Life:
    """One zone: its stages, how heavy it grew, and until when it stood. Times in ns."""

    id: str
    side: str
    first_seen: int
    until: int = 0
    weight: float = 0.0                  # the most it ever had, contracts
    latest: float = 0.0                  # as of its newest evidence
    stages: list[Stage] = field(default_factory=list)

    def take(self, zone: ZoneView, ts: int) -> None:
        """The zone as a packet shows it."""
        self.weight, self.latest = max(self.weight, zone.weight), zone.weight
        last = self.stages[-1] if self.stages else None
        now = Stage(ts if last else self.first_seen, zone.state, zone.low, zone.high)
        if last is None or last[1:] != now[1:]:
            self.stages.append(now)


@dataclass(slots=True)
class Lives:
    """All zones of one engine's readings in one series. ``dropped``: ended ones that were too many to remember."""

    slot: str
    standing: dict[str, Life] = field(default_factory=dict)
    ended: dict[str, Life] = field(default_factory=dict)
    dropped: int = 0
    shown: Any = None

    def take(self, packet: Packet) -> None:
        """Learn from a packet; an unchanged list of zones tells nothing new."""
        reading = packet.read(self.slot, ZonesView)
        zones = getattr(reading, "zones", None)
        if zones is self.shown or (type(zones) is Raw and type(self.shown) is Raw and zones == self.shown):
            return
        self.shown = zones
        self._compare(listed(zones, ZoneView), packet.ts)

    def _compare(self, zones: Iterable[ZoneView], ts: int) -> None:
        before, self.standing = self.standing, {}
        for zone in zones:
            life = before.pop(zone.id, None) or self.ended.pop(zone.id, None)
            life = self.standing[zone.id] = life or Life(zone.id, zone.side, int(zone.first_seen))
            life.take(zone, ts)
        for life in before.values():
            life.until = ts
            self.ended[life.id] = life
        if len(self.ended) > 2 * MOST_ENDED:
            self._forget()

    def _forget(self) -> None:
        """Only the heaviest of those that ended stay; by weight, then age, so that the same ones always do."""
        kept = sorted(self.ended.values(), key=lambda life: (-life.weight, life.first_seen, life.id))[:MOST_ENDED]
        self.dropped += len(self.ended) - len(kept)
        self.ended = {life.id: life for life in kept}

    def all(self, now: int, since: int) -> list[Life]:
        """Every zone that stood at or after ``since``, heaviest first; those that stand do so until ``now``."""
        for life in self.standing.values():
            life.until = now
        lives = [life for life in (*self.standing.values(), *self.ended.values()) if life.until > since]
        return sorted(lives, key=lambda life: (-life.weight, life.first_seen, life.id))
