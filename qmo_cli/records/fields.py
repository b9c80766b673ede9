"""What the fields of records may hold, and the groups of fields that several schemas share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

U8 = Annotated[int, Meta(ge=0, le=255)]
U16 = Annotated[int, Meta(ge=0, le=65_535)]
U32 = Annotated[int, Meta(ge=0, le=4_294_967_295)]
I8 = Annotated[int, Meta(ge=-128, le=127)]
I16 = Annotated[int, Meta(ge=-32_768, le=32_767)]
I32 = Annotated[int, Meta(ge=-2_147_483_648, le=2_147_483_647)]
# 64-bit integers are decimal strings: many JSON readers round numbers above 2^53. Numbers are read too.
U64 = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,19})$")] | Annotated[int, Meta(ge=0)]
I64 = Annotated[str, Meta(pattern=r"^(0|-?[1-9][0-9]{0,18})$")] | int
Time = U64 | None                    # ns since 1970 UTC; null: undefined
Price = float | None                 # in the instrument's currency; null: undefined
Name = Annotated[str, Meta(max_length=70)]
Letter = Annotated[str, Meta(min_length=1, max_length=1)]
Action = Literal["A", "C", "F", "M", "N", "R", "T"]  # add, cancel, fill, modify, none, clear, trade
Side = Literal["A", "B", "N"]        # ask, bid, not specified: the aggressor's on T, else the resting side
Label = Literal["simulator"] | UnsetType  # there if and only if publisher_id is 65535


class Head(Struct, frozen=True, kw_only=True, tag_field="schema"):
    """How every record of one instrument begins."""

    series: Name                     # what was asked for, such as GC.v.0: the key of all state
    symbol: Name | None = None       # raw symbol, such as GCZ5, where known
    instrument_id: U32
    ts_event: Time                   # ns, exchange clock; of a bar its open


class TradeFields(Head, frozen=True, kw_only=True):
    """A change of the book or a trade, without its order."""

    ts_recv: Time = None             # ns, vendor's clock at capture
    action: Action
    side: Side
    depth: U8 = 0                    # book level that changed, 0 the top
    price: Price
    size: U32                        # contracts
    flags: U8 = 0                    # bits: 128 last of its event, 32 snapshot, 8 bad ts_recv, 4 maybe bad book
    ts_in_delta: I32 = 0             # ns from the exchange's sending to ts_recv
    sequence: U32 = 0                # of the exchange's packet


class OneLevel(TradeFields, frozen=True, kw_only=True):
    """The same with the top of the book."""

    bid_px_00: Price
    ask_px_00: Price
    bid_sz_00: U32                   # contracts displayed
    ask_sz_00: U32
    bid_ct_00: U32                   # orders
    ask_ct_00: U32


class TenLevels(OneLevel, frozen=True, kw_only=True):
    """The same with ten levels of the book."""

    bid_px_01: Price
    ask_px_01: Price
    bid_sz_01: U32
    ask_sz_01: U32
    bid_ct_01: U32
    ask_ct_01: U32
    bid_px_02: Price
    ask_px_02: Price
    bid_sz_02: U32
    ask_sz_02: U32
    bid_ct_02: U32
    ask_ct_02: U32
    bid_px_03: Price
    ask_px_03: Price
    bid_sz_03: U32
    ask_sz_03: U32
    bid_ct_03: U32
    ask_ct_03: U32
    bid_px_04: Price
    ask_px_04: Price
    bid_sz_04: U32
    ask_sz_04: U32
    bid_ct_04: U32
    ask_ct_04: U32
    bid_px_05: Price
    ask_px_05: Price
    bid_sz_05: U32
    ask_sz_05: U32
    bid_ct_05: U32
    ask_ct_05: U32
    bid_px_06: Price
    ask_px_06: Price
    bid_sz_06: U32
    ask_sz_06: U32
    bid_ct_06: U32
    ask_ct_06: U32
    bid_px_07: Price
    ask_px_07: Price
    bid_sz_07: U32
    ask_sz_07: U32
    bid_ct_07: U32
    ask_ct_07: U32
    bid_px_08: Price
    ask_px_08: Price
    bid_sz_08: U32
    ask_sz_08: U32
    bid_ct_08: U32
    ask_ct_08: U32
    bid_px_09: Price
    ask_px_09: Price
    bid_sz_09: U32
    ask_sz_09: U32
    bid_ct_09: U32
    ask_ct_09: U32


class BarFields(Head, frozen=True, kw_only=True):
    """A bar; ts_event is its open."""

    open: Price
    high: Price
    low: Price
    close: Price
    volume: U64                      # contracts
    publisher_id: U16 = 0
    source: Label = UNSET


class BboFields(Head, frozen=True, kw_only=True):
    """The best bid and offer at the end of an interval, and the last trade."""

    ts_recv: Time = None             # ns, end of the interval
    side: Side                       # of the last trade's aggressor
    price: Price                     # of the last trade
    size: U32                        # of the last trade
    flags: U8 = 0
    sequence: U32 = 0
    bid_px_00: Price
    ask_px_00: Price
    bid_sz_00: U32
    ask_sz_00: U32
    bid_ct_00: U32
    ask_ct_00: U32
    publisher_id: U16 = 0
    source: Label = UNSET
