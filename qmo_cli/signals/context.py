# cython: language_level=3, auto_pickle=False
"""What surrounds a decision: session, zones, levels, flow, and how old it all is. It explains; it decides nothing."""

from __future__ import annotations

from typing import Annotated, Any

import cython
from msgspec import Struct

from qmo_cli.instruments import GOLD, Spec, days_to_first_notice
from qmo_cli.live_zones import ZoneMemo, supports
from qmo_cli.packets import OPTIONAL, Health, Market
from qmo_cli.rounding import to_six
from qmo_cli.sessions import Session
from qmo_cli.signals.near import Around, NearZone
from qmo_cli.tray import Packet
from qmo_cli.views import (
    AbsorptionView,
    BarsView,
    IcebergView,
    NewsView,
    OrderflowView,
    SessionView,
    reason,
)

NANO = cython.declare(cython.double, 1e9)  # ns


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
}
DAY = ("prior_day_high", "prior_day_low", "overnight_high", "overnight_low")
NO_DAY = SessionView()
# leaf of the order flow reading, its place in the signal
FLOW = tuple((name, f"market_context.{place}") for name, place in (
    ("bias", "orderflow_bias"), ("poc", "poc"), ("vah", "vah"), ("val", "val"), ("vwap", "vwap"), ("cvd", "cvd"),
))


@cython.final
@cython.cclass
class Scene:
    """One packet seen by the signal: readings read once, and in ``lost`` the reasons of what is null.

    ``price_age`` is in seconds, since what the price comes from; None when that is unknown.
    """

    def __init__(self) -> None:
        self.around = Around()
        self.memo = ZoneMemo()

    @cython.ccall
    def look(self, packet: Packet, market: Market, session: Session, spec: Spec) -> object:
        """Read the packet."""
        self.packet, self.market, self.session, self.spec = packet, market, session, spec
        self.health: Health = packet.read("health", Health)
        self.flow = packet.read("orderflow", OrderflowView)
        self.iceberg = packet.read("iceberg", IcebergView)
        bars = packet.read("bars", BarsView)
        self.atr = None if bars is None else bars.atr
        self.lost: dict[str, str] = NOT_YET.copy()
        since = market.price_ts
        self.price_age = None
        if since is not None:
            began: cython.longlong = int(since)
            self.price_age = to_six((packet.ts - began) / NANO)
        self.zones = self.memo.of(packet)
        self.around.look(self.zones, packet.price, spec.tick, self.atr)
        return None

    @cython.ccall
    def why(self, path: str, otherwise: str) -> str:
        """The packet's own reason for a null leaf."""
        words: str = self.packet.missing.get(path, otherwise)
        return words

    @cython.ccall
    def atr_reason(self) -> str:
        """Why there is no ATR to measure with."""
        if self.atr is not None:
            return "the ATR is 0"
        return self.why("bars.atr", reason(self.packet, "bars"))

    @cython.ccall
    def opposing(self, sign: cython.int, target: cython.double) -> object:
        """The first live zone in the way from the price to the target of a buy (1) or sell (-1)."""
        if self.packet.price is None or not self.zones.zones:
            return None
        price: cython.double = self.packet.price
        room: cython.double = sign * (target - price)
        found = None
        for zone in self.zones.zones:
            edge: cython.double = zone.low if sign > 0 else zone.high
            if 0 <= sign * (edge - price) <= room and supports(zone) != (sign > 0):
                found = zone
                if sign > 0:
                    break
        return self.around.near(found)

    @cython.ccall
    def context(self, opposing: NearZone | None) -> object:
        """The market context; reasons of its null leaves go into ``lost``."""
        packet: Packet = self.packet
        market, session, flow = self.market, self.session, self.flow
        if market.spread is None:
            self.lost["market_context.spread"] = self.why("market.spread", "no two-sided quote")
        if self.price_age is None:
            self.lost["market_context.price_age"] = self.why("market.price_ts", "no price yet")
        trend = poc = vah = val = vwap = cvd = None
        if flow is not None:
            trend, poc, vah, val, vwap, cvd = flow.bias, flow.poc, flow.vah, flow.val, flow.vwap, flow.cvd
        if trend is None or poc is None or vah is None or val is None or vwap is None or cvd is None:
            self.flow_gaps()
        band = self.band(vwap)
        day, news = self.day(), self.news()
        self.zone_gaps()
        settlement, notice = self.dates()
        return MarketContext(
            session.name, session.trade_date, None if self.iceberg is None else len(self.zones.zones),
            self.absorption(), trend, market.quality, market.source, self.health.access, self.around.above,
            self.around.below, opposing, day.prior_day_high, day.prior_day_low, day.overnight_high, day.overnight_low,
            poc, vah, val, vwap, band, cvd, market.spread, self.price_age, news, settlement,
            session.minutes_to_close(packet.ts), packet.symbol, notice,
        )

    @cython.cfunc
    def flow_gaps(self) -> object:
        """Reasons of order flow's null leaves."""
        for name, place in FLOW:
            if self.flow is None:
                self.lost[place] = reason(self.packet, "orderflow")
            elif getattr(self.flow, name) is None:
                self.lost[place] = self.why(f"orderflow.{name}", "order flow does not say")
        return None

    @cython.cfunc
    def band(self, vwap: Any) -> object:
        """Distance of the price from VWAP in standard deviations; None, with the reason, where it is not known."""
        price, deviation = self.packet.price, None if self.flow is None else self.flow.vwap_sd
        if price is None or vwap is None or not deviation:
            unknown = reason(self.packet, "orderflow") if self.flow is None else "no spread around VWAP yet"
            self.lost["market_context.vwap_band"] = self.why("orderflow.vwap_sd", unknown)
            return None
        return to_six((price - vwap) / deviation)

    @cython.cfunc
    def day(self) -> object:
        """Highs and lows of the prior trade date and of the night."""
        view = self.packet.read("session", SessionView)
        if view is None:
            for name in DAY:
                self.lost["market_context." + name] = reason(self.packet, "session")
            return NO_DAY
        for name in DAY:
            if getattr(view, name) is None:
                self.lost["market_context." + name] = self.why("session." + name, "the session engine does not say")
        return view

    @cython.cfunc
    def news(self) -> object:
        """Whole minutes to the next scheduled event."""
        view = self.packet.read("news", NewsView)
        minutes = None if view is None else view.minutes_to_news
        if minutes is None:
            why = reason(self.packet, "news") if view is None else self.why("news.minutes_to_news", "none is known")
            self.lost["market_context.minutes_to_news"] = why
        return minutes

    @cython.cfunc
    def zone_gaps(self) -> object:
        lost: dict = self.lost
        if self.iceberg is None:
            why = reason(self.packet, "iceberg")
            lost["market_context.iceberg_zones"] = why
            lost["market_context.zone_above"] = lost["market_context.zone_below"] = why
            return None
        if self.around.above is None:
            lost["market_context.zone_above"] = "no live iceberg zone there"
        else:
            self.zone_units("market_context.zone_above", self.around.above)
        if self.around.below is None:
            lost["market_context.zone_below"] = "no live iceberg zone there"
        else:
            self.zone_units("market_context.zone_below", self.around.below)
        return None

    @cython.ccall
    def zone_units(self, place: str, zone: NearZone) -> object:
        """Reasons of a zone's null distances."""
        if zone.ticks is None:
            self.lost[place + ".ticks"] = "the tick is not known"
        if zone.atr is None:
            self.lost[place + ".atr"] = self.atr_reason()
        return None

    @cython.cfunc
    def absorption(self) -> object:
        reading = self.packet.read("absorption", AbsorptionView)
        if reading is None:
            self.lost["market_context.absorption_activity"] = reason(self.packet, "absorption")
            return None
        if reading.activity_level is None:
            why = self.why("absorption.activity_level", "absorption does not say")
            self.lost["market_context.absorption_activity"] = why
        return reading.activity_level

    @cython.cfunc
    def dates(self) -> tuple:
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
