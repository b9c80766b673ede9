"""The wire contract from ``route`` on: a packet is one symbol's frame, the tray that travels down the pipe.

A null leaf has an entry in the packet's ``missing`` map, unless its field is declared :data:`Optional` here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .blocks import PRICE_SCALE

WIRE_VERSION = 1

# Structs here are values: none ever refers back to itself, so the garbage collector need not look at them (gc=False).

# A leaf that may be null without a reason, because null says all there is to say ("no trade in this frame").
OPTIONAL = Meta(extra={"optional": True})
OptionalFloat = Annotated[float | None, OPTIONAL]
OptionalInt = Annotated[int | None, OPTIONAL]
OptionalStr = Annotated[str | None, OPTIONAL]

Side = Literal["B", "A", "N"]  # buyer, seller, not specified: DBN's letters


def ticks(price: float, tick: float) -> int:
    """The price as a whole number of ticks: the only form in which a price may be a key.

    >>> ticks(2567.3, 0.1)
    25673
    """
    return round(price / tick)


def fixed(price: float) -> int:
    """The price as DBN's integer of 1e-9; exact below 9 million.

    >>> fixed(4810.25)
    4810250000000
    """
    return round(price * PRICE_SCALE)


class Market(Struct, frozen=True, gc=False):
    """Price and quote at the end of the frame, and what traded within it."""

    price: float | None
    price_ts: str | None                 # ns, event time of what the price comes from
    price_basis: Literal["trade", "mid", "quote", "bar"] | None
    bid: float | None
    ask: float | None
    bid_size: int | None                 # contracts displayed
    ask_size: int | None
    spread: float | None                 # ask - bid; negative in a crossed book
    volume: int | None                   # contracts traded in the frame
    open: OptionalFloat                  # of the frame's trades; null: none
    high: OptionalFloat
    low: OptionalFloat
    close: OptionalFloat
    tick: float | None                   # smallest price step
    point_value: float | None            # money per 1.0 of price and contract
    source: str                          # venue, "simulator", ...
    quality: Literal["real-time", "cached", "delayed", "stale", "replay", "warmup", "simulated", "doubtful"]


class Health(Struct, frozen=True, gc=False):
    """How far the frame can be trusted. Counts are totals since the start of the input."""

    access: str                          # schema that leads for this instrument
    book: Annotated[Literal["complete", "partial"] | None, OPTIONAL]  # null below L3, as are the next two
    resting: OptionalInt                 # orders in the book
    unknown: OptionalInt                 # cancels and modifies of ids never seen
    crossed: Annotated[bool | None, OPTIONAL]  # bid >= ask at the frame's end; null without both
    late: int                            # records older than a frame already closed
    dropped: int                         # records of poorer schemas, unused by choice
    filled: OptionalInt                  # passive volume filled; null below L3
    remainder: OptionalInt               # of it, what was neither displayed nor proved hidden
    flags: list[str]                     # maybe_bad_book, bad_ts_recv, snapshot, unterminated seen in the frame
    trading: Annotated[bool | None, OPTIONAL] = None  # by the venue's last status record; null: none said


class Second(Struct, frozen=True, gc=False, array_like=True):
    """Trades of one epoch second: the grain on which windows and bars stand, whatever the frame's length."""

    second: int                          # s since 1970
    open: float
    high: float
    low: float
    close: float
    buy: int                             # contracts bought by aggressors
    sell: int
    none: int                            # contracts without an aggressor side
    trades: int


class PriceLevelVolume(Struct, frozen=True, gc=False, array_like=True):
    """Volume traded at one price, by aggressor side."""

    price: float
    buy: int
    sell: int
    none: int


class Print(Struct, frozen=True, gc=False):
    """What one aggressor took at once: its trades put together again."""

    ts_event: str
    side: Side                           # the aggressor's
    price: float                         # first price
    last: float                          # last price
    size: int
    levels: int                          # distinct prices


class Sweep(Struct, frozen=True, gc=False):
    """Aggressors of one side trading through several levels within the sweep window."""

    ts_event: str                        # of the first print
    side: Side                           # the aggressor's
    start: float                         # first price, the worst of all
    end: float                           # the farthest
    levels: int                          # prices that went farther than all before, and the first
    size: int                            # contracts, those at prices between included
    aggressors: int


class TradesInput(Struct, frozen=True, gc=False):
    """L1: what traded in the frame."""

    buy: int
    sell: int
    none: int
    trades: int
    seconds: list[Second]
    profile: list[PriceLevelVolume]      # ascending by price
    prints: list[Print]                  # the largest, by size, then time
    dropped: int                         # prints left out
    sweeps: list[Sweep]                  # that ended in the frame, in order; the newest, if there are too many
    sweeps_dropped: int


class BarInput(Struct, frozen=True, gc=False):
    """A bar that came ready-made (ohlcv records)."""

    ts: str                              # ns, the bar's open
    interval: int                        # s
    open: float
    high: float
    low: float
    close: float
    volume: int


class Level(Struct, frozen=True, gc=False, array_like=True):
    """One price of the displayed book."""

    price: float
    size: int
    count: int                           # orders


class Hit(Struct, frozen=True, gc=False):
    """A price level that aggressors traded into, within one second and until something printed beyond the level."""

    second: int                          # s since 1970, of its trades
    side: Side                           # of the resting orders
    price: float
    ts_event: str                        # ns, first trade
    ts_last: str                         # ns, last trade
    before: int                          # displayed when first hit
    after: int                           # displayed once the event of the last trade was complete
    largest: int                         # most displayed when it was hit, or after
    traded: int
    beyond: bool                         # earlier in the same second and frame something had printed beyond it
    through: bool                        # later in the same second and frame something printed beyond it
    replenished: int                     # traded - (before - after): what came back, less what was cancelled


class BookFlow(Struct, frozen=True, gc=False, array_like=True):
    """Order flow imbalance of one epoch second, rank by rank: one number at the touch alone, ten for ten levels."""

    second: int                          # s since 1970
    ofi: list[int]                       # contracts, the touch first


class BookSecond(Struct, frozen=True, gc=False, array_like=True):
    """The displayed book in one epoch second, or in the part of it that lies in the frame."""

    second: int                          # s since 1970
    added_bid: OptionalInt               # as in DepthInput; null where the contract's tick is not known
    removed_bid: OptionalInt
    added_ask: OptionalInt
    removed_ask: OptionalInt
    bids: int                            # contracts displayed at the best ten bids when the second, or the frame, ended
    asks: int


class DepthInput(Struct, frozen=True, gc=False):
    """L2: the displayed book and what happened to it in the frame."""

    bids: list[Level]                    # best first, up to ten
    asks: list[Level]
    hits: list[Hit]
    hits_dropped: int
    added_bid: int | None                # displayed size that came within reach of the touch without trading
    removed_bid: int | None                # and that left without trading
    added_ask: int | None
    removed_ask: int | None
    ofi: int                             # order flow imbalance at the touch (Cont, Kukanov, Stoikov 2014)
    mlofi: list[int]                     # the same for each of ten levels
    flows: list[BookFlow]                # both by second; seconds in which all are 0 are left out
    book: list[BookSecond]               # seconds in which the book was touched; none below ten levels


class IcebergFact(Struct, frozen=True, gc=False):
    """One event in the life of an order that was seen to hide size. Sizes in contracts."""

    ts_event: str
    kind: Literal["refresh", "removal", "fill", "reprice", "executed", "cancelled", "unknown"]
    order_id: str
    side: Side                           # of the resting order
    price: float
    first: int                           # displayed at entry, with its owner's changes until it was known
    before: int                          # displayed before the event (d)
    filled: int                          # filled in the event (f)
    after: int                           # displayed after the event (n)
    total: int                           # filled since it entered
    revealed: int                        # n - (d - f): newly shown, not traded
    hidden_filled: int                   # max(0, f - d): traded beyond the display of the moment
    hidden_traded: int                   # traded beyond the first display, since it entered
    seen_added: bool                     # its A (or the snapshot's) was in the input


class RefillLink(Struct, frozen=True, gc=False):
    """An order added at the side and price of one that was just filled completely, and that may be its next tranche.

    Told once a third order follows in the same way, where sizes do not rule it out, now or under a shift: in shift k (1
    to 5) an order has the size of the k-th order added before it at its side and price, its own where fewer came. An
    order that may be a refill by its own size takes these from the order before it, moved on by one place: they are
    older than the chain. Sizes match when both are 2 or more and differ by no more than a fifth of the larger; by its
    own size a smaller add matches a third tranche. One add is linked to eight orders at most, the latest. Nothing that
    comes within 0.2 ms of a fill can be an answer to it.
    """

    ts_event: str                        # of the add
    side: Side
    price: float
    size: int                            # of the add
    order_id: str
    filled_id: str                       # the order that died
    filled_size: int                     # what it was filled in all
    delay: int                           # ns from that fill to the add
    shifted: list[int]                   # the add's sizes under the shifts 1 to 5
    filled_shifted: list[int]            # those of the order that died


class RefillEnd(Struct, frozen=True, gc=False):
    """What became of an order that a link told as added when it came, by its own size: from a third tranche on."""

    ts_event: str
    kind: Literal["executed", "cancelled", "native", "unknown"]  # native: it hides size itself
    order_id: str
    filled: int                          # since it entered
    after: int                           # how many of the packet's links came before it


class StopFact(Struct, frozen=True, gc=False):
    """A second aggressor inside one exchange event: a stop that the first one triggered."""

    ts_event: str
    side: Side
    price: float
    size: int
    order_id: str


class OrdersInput(Struct, frozen=True, gc=False):
    """L3: what single orders gave away in the frame."""

    icebergs: list[IcebergFact]
    icebergs_dropped: int
    links: list[RefillLink]
    links_dropped: int
    ends: list[RefillEnd]                # of orders that links told as added
    ends_dropped: int
    stops: list[StopFact]
    stops_dropped: int
    implied: int                         # traded volume beyond all passive fills: implied liquidity, not hidden


class LevelFact(Struct, frozen=True, gc=False):
    """A price level that traded more than it lost, told by depth or by quotes. Sizes in contracts."""

    ts_event: str                        # unconfirmed: of the quote that still stood
    kind: Literal["refresh", "excess", "unconfirmed"]  # depth left, none left, or told by quotes alone
    side: Side                           # of the resting orders
    price: float
    before: int                          # displayed before the event
    after: int                           # and after it; unconfirmed: in the next quote
    traded: int                          # in the event
    estimate: int                        # hidden: traded - (before - after); unconfirmed: traded - before


class LevelsInput(Struct, frozen=True, gc=False):
    """What a source without order ids gives away of hidden size in the frame."""

    facts: list[LevelFact]
    dropped: int


class NewsFact(Struct, frozen=True, gc=False, tag_field="kind", tag="news"):
    """A headline, or a scheduled event that came about."""

    ts_event: str
    headline: str
    impact: Annotated[Literal["low", "medium", "high"] | None, OPTIONAL]
    sentiment: OptionalFloat             # -1 bad for the price ... 1 good for it
    source: OptionalStr
    late: OptionalStr = None             # ns: how far the stream had come when it arrived; null: no further than it


class FillFact(Struct, frozen=True, gc=False, tag_field="kind", tag="fill"):
    """A fill of the trader's own order."""

    ts_event: str
    symbol: OptionalStr                  # raw symbol or root of the contract; null: the packet's
    side: Literal["B", "A"]              # B bought, A sold
    price: float
    size: int                            # contracts
    order_id: OptionalStr
    fees: OptionalFloat                  # money, paid
    late: OptionalStr = None             # ns: how far the stream had come when it arrived; null: no further than it


class AccountFact(Struct, frozen=True, gc=False, tag_field="kind", tag="account"):
    """The state of the trader's own account."""

    ts_event: str
    balance: float                       # money
    equity: OptionalFloat                # money, open positions included
    position: OptionalInt                # contracts, negative: short
    currency: str
    late: OptionalStr = None             # ns: how far the stream had come when it arrived; null: no further than it


class KillFact(Struct, frozen=True, gc=False, tag_field="kind", tag="kill"):
    """A person's order to stop trading, or to resume."""

    ts_event: str
    active: bool                         # false: resume
    detail: str
    late: OptionalStr = None             # ns: how far the stream had come when it arrived; null: no further than it


ContextFact = NewsFact | FillFact | AccountFact | KillFact


class Notice(Struct, frozen=True, gc=False):
    """Something that happened to the stream itself, as of this frame."""

    kind: str                            # as of the system record
    ts_event: OptionalStr                # ns
    detail: str                          # for a person
    count: OptionalInt                   # records or lines concerned
    gap: OptionalFloat                   # roll: first trade of the new contract - last trade of the old


class Inputs(Struct, frozen=True, gc=False):
    """What the frame held, one slot for each access level; null where the source does not have it."""

    trades: TradesInput | None
    bars: Annotated[list[BarInput] | None, OPTIONAL]
    depth: DepthInput | None
    orders: OrdersInput | None
    levels: Annotated[LevelsInput | None, OPTIONAL] = None  # mbp-10 and tbbo only
    context: Annotated[list[ContextFact] | None, OPTIONAL] = None  # news and the trader's own records, as they came


class Missing(Struct, frozen=True, gc=False):
    """An engine's answer when it cannot know: the reason, in words."""

    reason: str


class Reading(Struct, frozen=True, gc=False):
    """What an engine says of one symbol at one time; a subclass names its numbers."""


class ScoredReading(Reading, frozen=True, gc=False):
    """A reading with a direction."""

    score: float                         # 0 strong sell, 0.5 neutral, 1 strong buy
    active: bool                         # whether it has something to say now


class Opinion(Struct, frozen=True, gc=False):
    """The part of any reading that the pillars need; both null for readings without a direction."""

    score: float | None = None
    active: bool | None = None
