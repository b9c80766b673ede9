# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""What a packet says of an instrument at the end of a frame: its market, health and inputs slots."""

from __future__ import annotations

import cython

from qmo_cli.blocks import source_name
from qmo_cli.market.frame import Frame
from qmo_cli.market.instrument import Instrument
from qmo_cli.market.ladder import Ladder
from qmo_cli.market.text import digits
from qmo_cli.packets import Health, Inputs, Market

NANO = cython.declare(cython.double, 1e9)
STALE = cython.declare(cython.longlong, 60_000_000_000)  # ns: an older trade is no price any more
SIMULATOR, YAHOO = cython.declare(cython.int, 65_535), cython.declare(cython.int, 65_534)
BARE_TRADES, TBBO, MBP_1, MBP_10, MBO = (
    cython.declare(cython.int, 3), cython.declare(cython.int, 4), cython.declare(cython.int, 5),
    cython.declare(cython.int, 6), cython.declare(cython.int, 7),
)
ACCESS: tuple[str, ...] = ("none", "ohlcv", "bbo", "trades", "tbbo", "mbp-1", "mbp-10", "mbo")
FLAG_NAMES: tuple[tuple[int, str], ...] = (
    (4, "maybe_bad_book"), (8, "bad_ts_recv"), (32, "snapshot"), (256, "unterminated"),
)


def summarize(instrument: Instrument, end: int, level: int, most_prints: int) -> tuple[Market, Health, Inputs]:
    """The three slots of the frame that ends there, for an access level of 1 to 3."""
    return market_of(instrument, end), health_of(instrument), inputs_of(instrument, level, most_prints)


@cython.cfunc
def market_of(instrument: Instrument, end: cython.longlong) -> object:
    frame: Frame = instrument.frame
    bids: Ladder = instrument.bids
    asks: Ladder = instrument.asks
    shown: cython.bint = instrument.book_shown()
    has_bid: cython.bint = shown and bids.depth > 0
    has_ask: cython.bint = shown and asks.depth > 0
    bid: cython.longlong = bids.best() if has_bid else 0
    ask: cython.longlong = asks.best() if has_ask else 0
    traded: cython.bint = frame.priced
    price, basis, ts = price_of(instrument, end, has_bid and has_ask, bid, ask)
    return Market(
        price, ts, basis, bid / NANO if has_bid else None, ask / NANO if has_ask else None,
        (bids.best_size() or None) if has_bid else None, (asks.best_size() or None) if has_ask else None,
        (ask - bid) / NANO if has_bid and has_ask else None,
        volume_of(instrument),
        frame.open / NANO if traded else None, frame.high / NANO if traded else None,
        frame.low / NANO if traded else None, frame.close / NANO if traded else None,
        instrument.tick, instrument.point_value, instrument.source or source_name(instrument.publisher_id),
        quality_of(instrument),
    )


@cython.cfunc
def price_of(
    instrument: Instrument, end: cython.longlong, quoted: cython.bint, bid: cython.longlong, ask: cython.longlong,
) -> tuple:
    """The last trade; or the mid, when that trade is old, outside the quote or not there."""
    last: cython.longlong = instrument.last_price
    if quoted and (end - instrument.last_ts > STALE or last < bid or last > ask):
        return (bid + ask) / 2 / NANO, "mid", digits(instrument.quote_ts)
    if instrument.last_ts == 0:
        return None, None, None
    return last / NANO, "bar" if instrument.last_is_bar else "trade", digits(instrument.last_ts)


@cython.cfunc
def volume_of(instrument: Instrument) -> object:
    """Contracts traded in the frame; unknown without trades, and where only bars tell it and none ended."""
    frame: Frame = instrument.frame
    if instrument.trade_rank == 0 or (instrument.trade_rank < BARE_TRADES and not frame.bars):
        return None
    return frame.buy + frame.sell + frame.none


@cython.cfunc
def quality_of(instrument: Instrument) -> str:
    """What the prices are worth: what the stream says of itself, unless the book is doubtful or simulated."""
    said: object = instrument.quality
    if said == "warmup" or said == "stale":
        return said
    if instrument.doubtful:
        return "doubtful"
    if instrument.publisher_id == SIMULATOR and (said is None or said == "real-time"):
        return "simulated"
    if said is None:
        return "delayed" if instrument.publisher_id == YAHOO else "replay"
    return said


@cython.cfunc
def health_of(instrument: Instrument) -> object:
    by_order: cython.bint = instrument.quote_rank == MBO
    flags: list = []
    if instrument.flags:
        flags = [name for bit, name in FLAG_NAMES if instrument.flags & bit]
    crossed: object = None
    if instrument.book_shown() and instrument.bids.depth and instrument.asks.depth:
        crossed = instrument.bids.best() >= instrument.asks.best()
    return Health(
        ACCESS[max(instrument.trade_rank, instrument.quote_rank)],
        ("complete" if instrument.complete else "partial") if by_order else None,
        instrument.orders.count if by_order else None, instrument.unknown if by_order else None, crossed,
        instrument.late, instrument.dropped, instrument.filled if by_order else None,
        instrument.remainder if by_order else None, flags,
    )


@cython.cfunc
def inputs_of(instrument: Instrument, level: cython.int, most_prints: cython.Py_ssize_t) -> object:
    frame: Frame = instrument.frame
    trades: object = None
    depth: object = None
    orders: object = None
    if instrument.trade_rank >= BARE_TRADES:
        trades = frame.trades_input(most_prints, instrument.sweeps.sweeps)
    if level >= 2 and instrument.quote_rank >= MBP_1 and instrument.book_shown():
        one_level: cython.bint = instrument.quote_rank == MBP_1
        depth = frame.depth_input(
            instrument.bids, instrument.asks, 1 if one_level else 10, instrument.reach >= 0,
        )
    if level >= 3 and instrument.quote_rank == MBO:
        orders = frame.orders_input(instrument.native.facts, instrument.refills)
    levels: object = None
    if (level >= 2 and instrument.quote_rank == MBP_10) or instrument.quote_rank == TBBO:
        levels = instrument.watch.take()
    return Inputs(trades, frame.bars or None, depth, orders, levels, instrument.facts or None)
