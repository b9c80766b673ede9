# cython: language_level=3, auto_pickle=False
"""The iceberg zones about the price, and how far they are."""

from __future__ import annotations

from typing import Literal

import cython
from msgspec import Struct

from qmo_cli.live_zones import NO_ZONES, LiveZones
from qmo_cli.rounding import nearest, to_six
from qmo_cli.views import ZoneView


class NearZone(Struct, frozen=True, gc=False):
    """A live iceberg zone and how far the price is from its nearer edge."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    state: str
    ticks: int | None
    atr: float | None                    # distance in ATR(14) of 15-minute bars


@cython.final
@cython.cclass
class Around:
    """The zones about the price, worked out again only when zones, price or units change.

    ``below`` and ``above`` are the nearest zones as the signal shows them, ``nearest`` the zones themselves; ``inside``
    tells whether the price is within one of them. ``said`` is the sentence last made of them, and of what.
    """

    def __init__(self) -> None:
        self.zones: LiveZones = NO_ZONES
        self.price: float | None = None
        self.tick: float | None = None
        self.atr: float | None = None
        self.below: NearZone | None = None
        self.above: NearZone | None = None
        self.nearest: tuple[ZoneView | None, ZoneView | None] = (None, None)
        self.inside = False
        self.said: tuple[LiveZones, object, str] | None = None

    @cython.ccall
    def look(self, zones: LiveZones, price: object, tick: object, atr: object) -> object:
        """Bring it up to date."""
        if zones is self.zones and price == self.price and tick == self.tick and atr == self.atr:
            return None
        self.zones, self.price, self.tick, self.atr = zones, price, tick, atr
        self.nearest = (None, None) if price is None else zones.around(price)
        below, above = self.nearest
        self.below, self.above = self.near(below), self.near(above)
        self.inside = (below is not None and below.low <= price <= below.high) or (
            above is not None and above.low <= price <= above.high)
        return None

    @cython.ccall
    def near(self, zone: ZoneView | None) -> object:
        """A zone with its distance."""
        if zone is None or self.price is None:
            return None
        price: cython.double = self.price
        low: cython.double = zone.low
        high: cython.double = zone.high
        gap: cython.double = max(0.0, low - price, price - high)
        return NearZone(
            zone.id, zone.side, low, high, zone.state,
            None if self.tick is None else nearest(gap / cython.cast(cython.double, self.tick)),
            None if not self.atr else to_six(gap / cython.cast(cython.double, self.atr)),
        )
