"""The zones that stand, of all engines that know zones, nearest the price first."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Raw, Struct

from ..plot.views import ZonesView, listed
from ..tray import Packet
from .frame import MOST_ZONES, ShownZone

Kind = Literal["iceberg", "absorption", "memory"]
KINDS: tuple[Kind, ...] = ("iceberg", "absorption", "memory")
OVER = frozenset({"broken", "expired"})


class ZoneSlot(Struct, frozen=True, gc=False):
    """A zone of any engine, as it stands on the wire."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    state: str
    weight: float
    first_seen: str
    last_seen: str
    strength: float | None = None
    confidence: float | None = None


class Standing:
    """The zones of one series; a list that did not change is not looked at again."""

    def __init__(self) -> None:
        self._seen: dict[Kind, Any] = {}
        self._shown: dict[Kind, list[ShownZone]] = {}

    def take(self, packet: Packet) -> None:
        """Learn from a packet."""
        for kind in KINDS:
            zones = getattr(packet.read(kind, ZonesView), "zones", None) or ()
            before = self._seen.get(kind)
            if zones is before or (type(zones) is Raw and type(before) is Raw and zones == before):
                continue
            self._seen[kind] = zones
            self._shown[kind] = [shown(kind, zone) for zone in listed(zones, ZoneSlot) if zone.state not in OVER]

    def near(self, price: float | None, most: int = MOST_ZONES) -> list[ShownZone]:
        """Those that stand, nearest the price first; all of them if ``most`` is 0."""
        zones = [zone for kind in KINDS for zone in self._shown.get(kind, ())]
        if price is not None:
            zones.sort(key=lambda zone: (distance(zone, price), zone.kind, zone.id))
        return zones[:most] if most else zones


def distance(zone: ShownZone, price: float) -> float:
    """Points from the price to the zone; 0 inside it."""
    return max(zone.low - price, price - zone.high, 0.0)


def shown(kind: Kind, zone: Any) -> ShownZone:
    """A zone as a screen shows it: on the side on which it holds price now."""
    other: Literal["B", "A"] = "A" if zone.side == "B" else "B"
    return ShownZone(
        kind, zone.id, other if zone.state == "flipped" else zone.side, zone.low, zone.high, zone.state, zone.weight,
        getattr(zone, "strength", None), getattr(zone, "confidence", None), zone.first_seen, zone.last_seen,
    )

