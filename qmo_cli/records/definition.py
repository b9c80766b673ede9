"""The record that describes an instrument: all fields of DBN version 3."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta

from .fields import I8, I16, I32, U8, U16, U32, U64, Head, Label, Letter, Name, Price, Time

Code = Annotated[str, Meta(max_length=3)]
Word = Annotated[str, Meta(max_length=6)]
Phrase = Annotated[str, Meta(max_length=20)]


class Definition(Head, frozen=True, kw_only=True, tag="definition"):
    """What an instrument is: tick, multiplier, limits, expiry. Null: undefined."""

    ts_recv: Time = None                          # ns, vendor's clock at capture
    raw_symbol: Name
    security_update_action: Letter | None = None  # A added, M modified, D deleted
    instrument_class: Letter | None = None        # F future, S future spread, C call, P put, T option spread, K stock
    min_price_increment: Price = None             # the tick
    display_factor: Price = None                  # multiplies a price of the exchange's messages into a display price
    expiration: Time = None                       # ns
    activation: Time = None                       # ns
    high_limit_price: Price = None
    low_limit_price: Price = None
    max_price_variation: Price = None
    unit_of_measure_qty: Price = None             # contract size in unit_of_measure
    min_price_increment_amount: Price = None      # money per tick
    price_ratio: Price = None
    inst_attrib_value: I32 | None = None          # bits
    underlying_id: U32 = 0
    raw_instrument_id: U64 = 0
    market_depth_implied: I32 | None = None       # levels
    market_depth: I32 | None = None               # levels
    market_segment_id: U32 | None = None
    max_trade_vol: U32 | None = None              # contracts per order
    min_lot_size: I32 | None = None
    min_lot_size_block: I32 | None = None
    min_lot_size_round_lot: I32 | None = None
    min_trade_vol: U32 | None = None
    contract_multiplier: I32 | None = None
    decay_quantity: I32 | None = None
    original_contract_size: I32 | None = None
    appl_id: I16 | None = None
    maturity_year: U16 | None = None
    decay_start_date: U16 | None = None
    channel_id: U16 | None = None
    currency: Code = ""
    settl_currency: Code = ""
    secsubtype: Annotated[str, Meta(max_length=5)] = ""
    group: Phrase = ""
    exchange: Annotated[str, Meta(max_length=4)] = ""
    asset: Annotated[str, Meta(max_length=10)] = ""
    cfi: Word = ""
    security_type: Word = ""
    unit_of_measure: Annotated[str, Meta(max_length=30)] = ""
    underlying: Phrase = ""
    strike_price_currency: Code = ""
    strike_price: Price = None
    match_algorithm: Letter | None = None
    main_fraction: U8 | None = None
    price_display_format: U8 | None = None
    sub_fraction: U8 | None = None
    underlying_product: U8 | None = None
    maturity_month: U8 | None = None
    maturity_day: U8 | None = None
    maturity_week: U8 | None = None
    user_defined_instrument: Letter | None = None # Y or N
    contract_multiplier_unit: I8 | None = None
    flow_schedule_type: I8 | None = None
    tick_rule: U8 | None = None
    leg_count: U16 = 0
    leg_index: U16 = 0
    leg_instrument_id: U32 = 0
    leg_raw_symbol: Name = ""
    leg_instrument_class: Letter | None = None
    leg_side: Letter | None = None
    leg_price: Price = None
    leg_delta: Price = None
    leg_ratio_price_numerator: I32 | None = None
    leg_ratio_price_denominator: I32 | None = None
    leg_ratio_qty_numerator: I32 | None = None
    leg_ratio_qty_denominator: I32 | None = None
    leg_underlying_id: U32 = 0
    publisher_id: U16 = 0
    source: Label = UNSET
