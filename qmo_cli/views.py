# cython: language_level=3, auto_pickle=False
"""What score and signal read of the engines' slots: the few fields they need, under the engines' own names.

In one process the slot holds the engine's reading itself; in a pipe it is decoded into these.
"""

from __future__ import annotations

from typing import Literal

import cython
from msgspec import Raw, Struct

from qmo_cli.packets import Level, Opinion
from qmo_cli.tray import Packet


class OrderflowView(Opinion, frozen=True):
    """Order flow: who was aggressive, and where volume traded."""

    delta: int | None = None             # contracts, last 60 s
    volume: int | None = None
    cvd: int | None = None
    bias: str | None = None              # BUY, SELL, NEUTRAL
    heat: float | None = None            # 0-100
    poc: float | None = None
    vah: float | None = None
    val: float | None = None
    vwap: float | None = None
    vwap_sd: float | None = None         # standard deviation around it, in points


class LiquidityView(Opinion, frozen=True):
    """Liquidity: the story in words."""

    narrative: str | None = None


class ZoneView(Struct, frozen=True):
    """Iceberg evidence at one place of the price scale."""

    id: str
    side: Literal["B", "A"]
    low: float
    high: float
    state: str                           # created, defended, broken, flipped, expired
    weight: float                        # hidden volume as of last_seen
    last_seen: str                       # ns
    half_life: float                     # s
    confidence: float


class IcebergView(Opinion, frozen=True):
    """Icebergs: the zones they left. They change far less often than the rest, so in a pipe they stay undecoded."""

    zones: Raw = Raw(b"[]")              # a list of ZoneView, decoded where it is one


class AbsorbedView(Struct, frozen=True):
    """One level that absorbed."""

    side: Literal["B", "A"]              # of the resting orders
    price: float
    absorbed: int                        # contracts


class AbsorptionView(Opinion, frozen=True):
    """Absorption: how much of it lately."""

    activity_level: str | None = None    # low, medium, high
    count: int | None = None             # zones
    absorbed_buy: int | None = None      # contracts of the last 60 s, by the aggressor's side
    absorbed_sell: int | None = None
    last: AbsorbedView | None = None     # newest event


class LevelView(Struct, frozen=True):
    """One level of the price scale, with its name."""

    family: str
    name: str
    price: float


class GannView(Opinion, frozen=True):
    """Gann: the level at the price, and how many families of levels agree."""

    signal: str | None = None
    confluence: int | None = None
    nearest: LevelView | None = None


class AstroView(Opinion, frozen=True):
    """Astro: whether a reversal window is open."""

    reversal_window: bool | None = None


class CycleView(Opinion, frozen=True):
    """Cycle: which bar counts are due."""

    is_21: bool | None = None
    is_45: bool | None = None
    is_90: bool | None = None


class BarsView(Struct, frozen=True):
    """Bars: how far price usually goes."""

    atr: float | None = None             # ATR(14) of 15-minute bars, in points


class DisplayedView(Struct, frozen=True):
    """The displayed book, best level first."""

    bids: list[Level] = []
    asks: list[Level] = []


class InputsView(Struct, frozen=True):
    """Of a packet's inputs, the depth."""

    depth: DisplayedView | None = None


class SessionView(Struct, frozen=True):
    """Session: the highs and lows that traders watch."""

    prior_day_high: float | None = None
    prior_day_low: float | None = None
    overnight_high: float | None = None
    overnight_low: float | None = None


class NewsView(Struct, frozen=True):
    """News: how far the next scheduled event is."""

    minutes_to_news: int | None = None   # whole minutes to the next scheduled event of note
    blackout: bool | None = None         # within its minutes before and after


class RiskView(Struct, frozen=True):
    """Capital protection: whether a trade is allowed, and on what account."""

    allowed: bool = False
    reasons: list[str] = []              # why not
    balance: float | None = None         # money; null: none was given, the default account stands
    size_factor: float = 1.0             # share of the risk per trade that may be used


class MentorView(Struct, frozen=True):
    """Mentor: whether the surroundings speak against any trade."""

    veto: str | None = None              # the reason; null: none
    notes: list[str] = []


_NEEDS = {name: f"needs engine {name}" for name in (
    "orderflow", "liquidity", "iceberg", "absorption", "gann", "astro", "cycle", "bars",
    "session", "news", "risk", "mentor",
)}


@cython.ccall
def reason(packet: Packet, name: str) -> str:
    """Why an engine's reading is null."""
    if name in packet.slots:
        return packet.missing.get(name) or packet.missing.get(f"{name}.score") or f"{name} gave no reason"
    return _NEEDS[name]
