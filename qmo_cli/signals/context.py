"""What surrounds a decision: session, zones, levels, flow, and how old it all is. It explains; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Struct

from ..instruments import GOLD, Spec, days_to_first_notice
from ..live_zones import NO_ZONES, LiveZones, ZoneMemo, supports
from ..packets import OPTIONAL, Health, Market
from ..sessions import Session
from ..times import SECOND
from ..tray import Packet
from ..views import AbsorptionView, BarsView, IcebergView, OrderflowView, ZoneView, reason


class NearZone(Struct, frozen=True, gc=False):
    """A live iceberg zone and how far the price is from its nearer edge."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    state: str
    ticks: int | None
    atr: float | None                    # distance in ATR(14) of 15-minute bars


class MarketContext(Struct, frozen=True, gc=False):
    """The market around a signal."""

    session: str
    trade_date: str
    iceberg_zones: int | None            # live ones
    absorption_activity: str | None      # low, medium, high
    orderflow_bias: str | None           # BUY, SELL, NEUTRAL
    quality: str
    source: str
    access: str                          # leading schema
    zone_above: NearZone | None
    zone_below: NearZone | None
    opposing_zone: Annotated[NearZone | None, OPTIONAL]  # between the price and the target
    prior_day_high: float | None
    prior_day_low: float | None
    overnight_high: float | None
    overnight_low: float | None
    poc: float | None
    vah: float | None
    val: float | None
    vwap: float | None
    vwap_band: float | None              # price - VWAP, in standard deviations
    cvd: int | None                      # contracts
    spread: float | None
    price_age: float | None              # s
    minutes_to_news: int | None
    minutes_to_settlement: int | None
    minutes_to_close: int | None
    contract: str | None                 # raw symbol
    days_to_first_notice: int | None


# What no engine gives yet, and the engine that will.
NOT_YET = {
    "signal.probability": "no calibration file was given",
    **{f"market_context.{name}": "needs engine session"
       for name in ("prior_day_high", "prior_day_low", "overnight_high", "overnight_low")},
    "market_context.minutes_to_news": "needs engine news",
}
# leaf of the order flow reading, its place in the signal
_FLOW = tuple((name, f"market_context.{place}") for name, place in (
    ("bias", "orderflow_bias"), ("poc", "poc"), ("vah", "vah"), ("val", "val"), ("vwap", "vwap"), ("cvd", "cvd"),
))


@dataclass(slots=True)
class Around:
    """The zones about the price, worked out again only when zones, price or units change."""

    zones: LiveZones = NO_ZONES
    price: float | None = None
    units: tuple[float | None, float | None] = (None, None)  # tick, ATR
    below: NearZone | None = None
    above: NearZone | None = None
    nearest: tuple[ZoneView | None, ZoneView | None] = (None, None)  # the zones themselves, below and above
    inside: bool = False                 # whether the price is within one of them
    said: tuple[LiveZones, object, str] | None = None  # the sentence last made of them, and of what

    def look(self, zones: LiveZones, price: float | None, tick: float | None, atr: float | None) -> None:
        """Bring it up to date."""
        if zones is self.zones and price == self.price and self.units == (tick, atr):
            return
        self.zones, self.price, self.units = zones, price, (tick, atr)
        self.nearest = (None, None) if price is None else zones.around(price)
        self.below, self.above = self.near(self.nearest[0]), self.near(self.nearest[1])
        self.inside = price is not None and any(zone and zone.low <= price <= zone.high for zone in self.nearest)

    def near(self, zone: ZoneView | None) -> NearZone | None:
        """A zone with its distance."""
        if zone is None or self.price is None:
            return None
        tick, atr = self.units
        gap = max(0.0, zone.low - self.price, self.price - zone.high)
        return NearZone(
            zone.id, zone.side, zone.low, zone.high, zone.state, None if tick is None else round(gap / tick),
            None if not atr else round(gap / atr, 6),
        )


class Scene:
    """One packet seen by the signal: readings read once, and the reasons of what is null."""

    __slots__ = (
        "_memo", "around", "atr", "flow", "health", "iceberg", "lost", "market", "packet", "price_age", "session",
        "spec", "zones",
    )

    def __init__(self) -> None:
        self.around = Around()
        self._memo = ZoneMemo()

    def look(self, packet: Packet, market: Market, session: Session, spec: Spec) -> None:
        """Read the packet."""
        self.packet, self.market, self.session, self.spec = packet, market, session, spec
        self.health: Health = packet.health
        self.flow = packet.read("orderflow", OrderflowView)
        self.iceberg = packet.read("iceberg", IcebergView)
        bars = packet.read("bars", BarsView)
        self.atr = None if bars is None else bars.atr
        self.lost: dict[str, str] = NOT_YET.copy()
        since = market.price_ts
        # seconds since what the price comes from; None when that is unknown
        self.price_age = None if since is None else round((packet.ts - int(since)) / SECOND, 6)
        self.zones = self._memo.of(self.iceberg)
        self.around.look(self.zones, packet.price, spec.tick, self.atr)

    def why(self, path: str, otherwise: str) -> str:
        """The packet's own reason for a null leaf."""
        return self.packet.missing.get(path, otherwise)

    def atr_reason(self) -> str:
        """Why there is no ATR to measure with."""
        if self.atr is not None:
            return "the ATR is 0"
        return self.why("bars.atr", reason(self.packet, "bars"))

    def opposing(self, sign: int, target: float) -> NearZone | None:
        """The first live zone in the way from the price to the target of a buy (1) or sell (-1)."""
        price = self.packet.price
        if price is None:
            return None
        room = sign * (target - price)
        ahead = [
            zone for zone in self.zones.zones
            if supports(zone) != (sign > 0) and 0 <= sign * ((zone.low if sign > 0 else zone.high) - price) <= room
        ]
        return self.around.near((ahead[0] if sign > 0 else ahead[-1]) if ahead else None)

    def context(self, opposing: NearZone | None) -> MarketContext:
        """The market context; reasons of its null leaves go into ``lost``."""
        packet, market, session, flow = self.packet, self.market, self.session, self.flow
        ts, age = packet.ts, self.price_age
        if market.spread is None:
            self.lost["market_context.spread"] = self.why("market.spread", "no two-sided quote")
        if age is None:
            self.lost["market_context.price_age"] = self.why("market.price_ts", "no price yet")
        band = self._flow_gaps()
        self._zone_gaps()
        settlement, notice = self._dates()
        return MarketContext(
            session.name, session.trade_date, None if self.iceberg is None else len(self.zones.zones),
            self._absorption(), None if flow is None else flow.bias, market.quality, market.source,
            self.health.access, self.around.above, self.around.below, opposing, None, None, None, None,
            *((None,) * 4 if flow is None else (flow.poc, flow.vah, flow.val, flow.vwap)), band,
            None if flow is None else flow.cvd, market.spread, age, None, settlement,
            session.minutes_to_close(ts), packet.symbol, notice,
        )

    def _flow_gaps(self) -> float | None:
        """Reasons of order flow's null leaves; returns the VWAP band."""
        flow, lost, price = self.flow, self.lost, self.packet.price
        if flow is None:
            why = reason(self.packet, "orderflow")
            lost["market_context.vwap_band"] = why
            for _, place in _FLOW:
                lost[place] = why
            return None
        if None in (flow.bias, flow.poc, flow.vah, flow.val, flow.vwap, flow.cvd):
            self._flow_leaves(flow)
        if price is None or flow.vwap is None or not flow.vwap_sd:
            lost["market_context.vwap_band"] = self.why("orderflow.vwap_sd", "no spread around VWAP yet")
            return None
        return round((price - flow.vwap) / flow.vwap_sd, 6)

    def _flow_leaves(self, flow: OrderflowView) -> None:
        for name, place in _FLOW:
            if getattr(flow, name) is None:
                self.lost[place] = self.why(f"orderflow.{name}", "order flow does not say")

    def _zone_gaps(self) -> None:
        lost = self.lost
        if self.iceberg is None:
            why = reason(self.packet, "iceberg")
            lost["market_context.iceberg_zones"] = why
            lost["market_context.zone_above"] = lost["market_context.zone_below"] = why
            return
        for side, zone in (("above", self.around.above), ("below", self.around.below)):
            place = f"market_context.zone_{side}"
            if zone is None:
                lost[place] = "no live iceberg zone there"
            else:
                self.zone_units(place, zone)

    def zone_units(self, place: str, zone: NearZone) -> None:
        """Reasons of a zone's null distances."""
        if zone.ticks is None:
            self.lost[place + ".ticks"] = "the tick is not known"
        if zone.atr is None:
            self.lost[place + ".atr"] = self.atr_reason()

    def _absorption(self) -> str | None:
        reading = self.packet.read("absorption", AbsorptionView)
        if reading is None:
            self.lost["market_context.absorption_activity"] = reason(self.packet, "absorption")
            return None
        if reading.activity_level is None:
            why = self.why("absorption.activity_level", "absorption does not say")
            self.lost["market_context.absorption_activity"] = why
        return reading.activity_level

    def _dates(self) -> tuple[int | None, int | None]:
        """Minutes to settlement and days to first notice."""
        session, symbol, lost = self.session, self.packet.symbol, self.lost
        settlement = notice = None
        if self.spec.root not in GOLD:
            lost["market_context.minutes_to_settlement"] = "the settlement time is known for gold only"
        else:
            settlement = session.minutes_to_settlement(self.packet.ts)
            if settlement is None:
                lost["market_context.minutes_to_settlement"] = "settled"
        if symbol is None:
            lost["market_context.contract"] = self.why("symbol", "the raw symbol is not known")
        else:
            notice = days_to_first_notice(symbol, session.trade_date)
        if notice is None:
            lost["market_context.days_to_first_notice"] = "known for delivered gold with a raw symbol only"
        if not session.open:
            lost["market_context.minutes_to_close"] = "the market is closed"
        return settlement, notice
