# cython: language_level=3, auto_pickle=False
"""The live iceberg zones of one reading, arranged so that each packet asks cheaply."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

import cython
from cython.cimports.libc.math import exp2
from msgspec import Raw

from qmo_cli.tray import Packet, decode_slot
from qmo_cli.views import IcebergView, ZoneView

LIVE_ZONES = "iceberg.zones, live"  # where a packet keeps them
LIVE = frozenset({"created", "defended", "flipped"})
NANO = cython.declare(cython.double, 1e9)  # ns
MOST_HALVINGS = cython.declare(cython.double, 1000.0)  # after which nothing is left; exp2 stays a number


def supports(zone: ZoneView) -> bool:
    """Whether a zone holds price from below; a flipped one does what its other side would.

    (``side`` stays that of the orders it was built from.)
    """
    return (zone.side == "B") != (zone.state == "flipped")


@cython.final
@cython.cclass
class LiveZones:
    """Zones that stand, ascending by centre.

    Weights are those of the moment the newest zone was seen. All decay alike from there, so that which side
    outweighs the other does not depend on when one asks.
    """

    def __init__(self, zones: Sequence[ZoneView]) -> None:
        live = [(zone.low + zone.high, zone.id, int(zone.last_seen), zone) for zone in zones if zone.state in LIVE]
        live.sort(key=itemgetter(0, 1))
        newest: cython.longlong = max([row[2] for row in live], default=0)
        self.zones: list[ZoneView] = [row[3] for row in live]
        self.centres: list[float] = [row[0] / 2 for row in live]
        self.rows: list[tuple[float, float, float]] = [
            (zone.low, zone.high, weight_of(zone, newest - seen)) for _, _, seen, zone in live
        ]
        self.margin = max([row[1] - row[0] for row in self.rows], default=0.0)  # no zone reaches farther

    @cython.ccall
    def within(self, price: cython.double, reach: cython.double) -> tuple:
        """Weight of the zones that support and of those that resist no farther from the price than ``reach``."""
        below: cython.double = 0.0
        above: cython.double = 0.0
        low: cython.double
        high: cython.double
        weight: cython.double
        first: cython.Py_ssize_t = bisect_left(self.centres, price - reach - self.margin)
        last: cython.Py_ssize_t = bisect_right(self.centres, price + reach + self.margin)
        for low, high, weight in self.rows[first:last]:
            if low - reach <= price <= high + reach:
                if weight > 0:
                    below += weight
                else:
                    above -= weight
        return below, above

    @cython.ccall
    def around(self, price: cython.double) -> tuple:
        """The nearest zone below (or at) the price and the nearest above, by centre; None where there is none."""
        place: cython.Py_ssize_t = bisect_right(self.centres, price)
        below = self.zones[place - 1] if place else None
        return below, self.zones[place] if place < len(self.zones) else None


@cython.cfunc
@cython.exceptval(-1, check=True)
def weight_of(zone: ZoneView, age: cython.double) -> cython.double:
    """Weight x confidence of a zone seen ``age`` ns before the newest; negative where it resists."""
    half_life: cython.double = zone.half_life
    halvings: cython.double = age / NANO / half_life if half_life > 0 else 0.0
    weight: cython.double = zone.weight
    confidence: cython.double = zone.confidence
    left: cython.double = weight * confidence * exp2(-min(halvings, MOST_HALVINGS))
    return left if supports(zone) else -left


NO_ZONES = LiveZones(())


@cython.final
@cython.cclass
class ZoneMemo:
    """The zones of the latest reading; arranged anew only when the engine gave others."""

    def __init__(self) -> None:
        self.listed: object = None
        self.arranged: LiveZones = NO_ZONES

    @cython.ccall
    def of(self, packet: Packet) -> LiveZones:
        """The live zones of a packet. Once arranged they stay in it, for the stage that comes next."""
        reading = packet.read("iceberg", IcebergView)
        listed = None if reading is None else reading.zones
        if listed is self.listed or (type(listed) is Raw and type(self.listed) is Raw and listed == self.listed):
            return self.arranged
        arranged = packet.values.get(LIVE_ZONES)
        if arranged is None:
            zones = decode_slot(listed, list[ZoneView]) if type(listed) is Raw else listed
            arranged = packet.values[LIVE_ZONES] = LiveZones(zones) if zones else NO_ZONES
        self.listed, self.arranged = listed, arranged
        return self.arranged
