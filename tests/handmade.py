"""Packets made by hand: a market with readings, as router and engines would put them together."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from qmo_cli.packets import OPTIONAL, Health, Market, Opinion
from qmo_cli.score import Scorer
from qmo_cli.signals import Signal, Signaler, SignalOptions
from qmo_cli.tray import Packet
from qmo_cli.views import (
    AbsorptionView,
    AstroView,
    BarsView,
    CycleView,
    GannView,
    IcebergView,
    LiquidityView,
    OrderflowView,
    ZoneView,
)

SECOND = 10**9
NEW_YORK = 1_769_527_845 * SECOND  # 2026-01-27T15:30:45Z, the time of the original example
CLOSED = 1_769_551_200 * SECOND    # 2026-01-27T22:00:00Z, 16:00 in Chicago


def market(price: float | None = 2567.5, **changes: Any) -> Market:
    """A gold market 0.4 wide."""
    known = {
        "price": price, "price_ts": None if price is None else str(NEW_YORK), "price_basis": "trade" if price else None,
        "bid": 2567.3, "ask": 2567.7, "bid_size": 5, "ask_size": 6, "spread": 0.4, "volume": 150, "open": price,
        "high": price, "low": price, "close": price, "tick": 0.1, "point_value": 100.0, "source": "GLBX.MDP3",
        "quality": "real-time",
    }
    return Market(**{**known, **changes})


def health(access: str = "mbo") -> Health:
    """An input without faults."""
    return Health(
        access=access, book="complete", resting=100, unknown=0, crossed=False, late=0, dropped=0, filled=10,
        remainder=0, flags=[],
    )


def zone(side: str, low: float, **changes: Any) -> ZoneView:
    """A live zone three ticks high."""
    known = {
        "id": f"{side}{low}", "side": side, "low": low, "high": round(low + 0.3, 1), "state": "created",
        "weight": 40.0, "last_seen": str(NEW_YORK), "half_life": 1800.0, "confidence": 0.99,
    }
    return ZoneView(**{**known, **changes})


def orderflow(score: float | None, *, active: bool = True) -> OrderflowView:
    """Order flow with all of its numbers."""
    return OrderflowView(
        score=score, active=active, delta=240, cvd=1240, bias="BUY", heat=90.0, poc=2565.0, vah=2570.0, val=2560.0,
        vwap=2566.0, vwap_sd=2.5,
    )


def packet(
    *, ts: int = NEW_YORK, at: Market | None = None, atr: float | None = 8.0, access: str = "mbo",
    series: str = "GC.v.0", symbol: str | None = "GCG6", missing: dict[str, str] | None = None, **slots: Any,
) -> Packet:
    """A packet with the given engines' slots."""
    at = market() if at is None else at
    reasons = dict(missing or {})
    if atr is None:
        reasons.setdefault("bars.atr", "3 of 14 bars")
    held: dict[str, Any] = {
        "market": at, "health": health(access), "inputs": None, "system": [], "bars": BarsView(atr=atr), **slots,
    }
    return Packet(
        ts=ts, series=series, symbol=symbol, instrument_id=1, closed=True, price=at.price, slots=held, missing=reasons,
    )


VIEWS: dict[str, type[Opinion]] = {
    "liquidity": LiquidityView, "iceberg": IcebergView, "absorption": AbsorptionView, "gann": GannView,
    "astro": AstroView, "cycle": CycleView,
}


def opinion(name: str, score: float | None, *, active: bool = True) -> Opinion:
    """A reading that says just this."""
    return orderflow(score, active=active) if name == "orderflow" else VIEWS.get(name, Opinion)(score, active)


def opinions(**scores: float | None) -> dict[str, Any]:
    """Slots of active readings."""
    return {name: opinion(name, score) for name, score in scores.items()}


def scored(one: Packet, scorer: Scorer | None = None) -> Packet:
    """The packet with its score."""
    (scorer or Scorer()).update(one)
    return one


def at(total: float | None, ts: int = NEW_YORK, **changes: Any) -> Packet:
    """A scored packet whose total is this: two pillars that agree, no boosts."""
    changes.setdefault("at", market(price_ts=str(ts)))
    return scored(packet(ts=ts, **{**opinions(orderflow=total, iceberg=total), **changes}))


def signal(one: Packet, **options: Any) -> Signal:
    return Signaler(SignalOptions(**options)).update(one)


def unexplained(value: Any, missing: dict[str, str], path: str = "") -> list[str]:
    """Paths of null leaves without a reason, in a struct whose optional fields may be null."""
    hints = get_type_hints(type(value), include_extras=True)
    found: list[str] = []
    for name, shown in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        leaf, place = getattr(value, name), f"{path}{shown}"
        if leaf is None and not _optional(hints[name]) and place not in missing:
            found.append(place)
        if isinstance(leaf, msgspec.Struct):
            found += unexplained(leaf, missing, place + ".")
    return found


def _optional(hint: Any) -> bool:
    return get_origin(hint) is Annotated and OPTIONAL in get_args(hint)


def needless(value: Any, missing: dict[str, str]) -> list[str]:
    """Paths that have a reason though they are not null."""
    found = []
    for path in missing:
        leaf = value
        for name in path.split("."):
            fields = dict(zip(leaf.__struct_encode_fields__, leaf.__struct_fields__, strict=True))
            leaf = getattr(leaf, fields[name])
        if leaf is not None:
            found.append(path)
    return found
