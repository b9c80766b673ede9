"""The records that are ours and not DBN's: what happened to the stream, fetched prices, news, one's own trading."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct

from .fields import U16, U32, Label, Name, Price, Time

Kind = Literal[
    "gap", "reconnect", "fallback", "roll", "clock", "skipped", "end", "vendor", "error", "stale", "warmup", "live",
]


class OwnFields(Struct, frozen=True, kw_only=True, tag_field="schema"):
    """How our own records begin; they travel in DBN as system messages, so that their text has a limit of 302 bytes."""

    series: Name | None = None       # null: all of them
    symbol: Name | None = None
    instrument_id: U32 = 0           # 0: none
    ts_event: Time                   # ns


class System(OwnFields, frozen=True, kw_only=True, tag="system"):
    """Something happened to the stream itself.

    warmup: what follows is history, up to live, from where records come as they happen. stale: nothing is heard any
    more. reconnect: heard again, nothing lost. gap: records are lost. clock: time has come this far, and nothing came.
    """

    kind: Kind
    detail: str = ""                 # for a person
    count: int | None = None         # records or lines concerned
    publisher_id: U16 = 0
    source: Label = UNSET


class Quote(OwnFields, frozen=True, kw_only=True, tag="quote"):
    """A price that was fetched, not streamed."""

    price: float
    bid: Price = None
    ask: Price = None
    volume: int | None = None        # contracts
    spread: float | None = None      # ask - bid
    timestamp: str | None = None     # ISO, of the price
    quality: Literal["real-time", "cached", "delayed", "stale", "simulated"]
    publisher_id: U16 = 0
    source: str                      # databento, yahoo, ...


class News(OwnFields, frozen=True, kw_only=True, tag="news"):
    """A headline or a scheduled event."""

    headline: str
    impact: Literal["low", "medium", "high"] | None = None
    sentiment: float | None = None   # -1 bad for the price ... 1 good for it
    publisher_id: U16 = 0
    source: str | None = None


class Fill(OwnFields, frozen=True, kw_only=True, tag="fill"):
    """A fill of one's own order."""

    side: Literal["B", "A"]          # B bought, A sold
    price: float
    size: int                        # contracts
    order_id: str | None = None
    fees: float | None = None        # money, paid
    publisher_id: U16 = 0
    source: Label = UNSET


class Account(OwnFields, frozen=True, kw_only=True, tag="account"):
    """The state of one's own account."""

    balance: float                   # money
    equity: float | None = None      # money, open positions included
    position: int | None = None      # contracts, negative: short
    currency: str = "USD"
    publisher_id: U16 = 0
    source: Label = UNSET


class Kill(OwnFields, frozen=True, kw_only=True, tag="kill"):
    """The order of a person to stop trading, or to resume."""

    active: bool = True              # false: resume
    detail: str = ""
    publisher_id: U16 = 0
    source: Label = UNSET
