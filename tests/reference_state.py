"""Reference reader, part 5: all that is known of one instrument, and the packet made of it.

Choices where the definitions leave one:

Market. price: the last T ("trade"), else the middle of the quote ("mid", price_ts the ts_event of the last record
of the last event that gave a quote), else the last bar's close ("bar", price_ts the bar's end). The quote of mbo is
the book's once it is complete, and null before. A tbbo quote is the record's. volume, open, high, low, close: T of
the frame only.

Health. The book is partial until the event that holds an R or a snapshot, or until 5 minutes after the start of the
count fewer than 1 in 1,000 of the C and M since were unknown; otherwise the count starts anew (event times, judged
at the end of each event). While it is partial, ``depth`` and the quote are null at the frame's end; sums run on.
``crossed`` is null without both sides. flags come in the order of the docstring in packets.py, from the frame's
records that were not dropped. ``depth`` exists for mbo, mbp-10 and mbp-1; ``trades`` once a record gave trades or
could have; ``bars`` once a bar came.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from qmo_cli.blocks import SECOND

from .reference_book import View, view_of
from .reference_frame import Done, Run, depth_input, orders_input, sweeps, trades_input
from .reference_orders import OrderBook
from .reference_records import Record, Row, money

Frame = dict[str, Any]

TRADES_FROM = ("mbo", "mbp-10", "mbp-1", "tbbo", "trades")
QUOTES_FROM = ("mbo", "mbp-10", "mbp-1", "tbbo", "bbo-1s", "bbo-1m")
RANKS = ("mbo", "mbp-10", "mbp-1", "tbbo", "trades", "bbo-1s", "bbo-1m", "ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d")
DEPTHS = {"mbp-10": 10, "mbp-1": 1}
FLAG_ORDER = ("maybe_bad_book", "bad_ts_recv", "snapshot", "unterminated")
PROBATION = 300 * SECOND


@dataclass(slots=True)
class Open:
    """An event that is not complete yet."""

    frame: int                 # end of the frame it belongs to
    records: list[Record]

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def snapshot(self) -> bool:
        return self.first.snapshot


@dataclass(slots=True)
class Sums:
    """What a frame has gathered."""

    events: list[Done] = field(default_factory=list)
    bars: list[Record] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class State:
    """All that is known of one instrument."""

    instrument: int
    closed: int                                       # end of the last frame that is closed
    book: OrderBook = field(default_factory=OrderBook)
    complete: bool = False
    probation: int | None = None                      # ns, start of the count
    changes: int = 0                                  # C and M since
    unknown: int = 0                                  # of them, of unknown ids
    seen: set[str] = field(default_factory=set)
    publisher: int = 0
    displayed: View | None = None                     # of the book, after the last event
    view: View | None = None                          # displayed book of an mbp schema
    quote: tuple[list[Row], list[Row]] = field(default_factory=lambda: ([], []))
    quote_ts: int = 0
    trade: Record | None = None
    bar: Record | None = None
    run: list[Run] = field(default_factory=list)      # trades that may become a sweep
    late: int = 0
    dropped: int = 0
    open: dict[str, Open] = field(default_factory=dict)  # by schema
    frames: dict[int, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def best(self, names: tuple[str, ...]) -> str | None:
        """The richest schema seen so far among these."""
        return next((name for name in names if name in self.seen), None)


def take_mbo(state: State, records: list[Record]) -> Done:
    """Let a complete mbo event change the book."""
    before, unknown = state.displayed or state.book.view(), state.book.unknown
    facts = state.book.take(records)
    trades = [record for record in records if record.action == "T"]
    state.trade = trades[-1] if trades else state.trade
    state.quote_ts = records[-1].ts_event
    judge_book(state, records, state.book.unknown - unknown)
    state.displayed = state.book.view()
    return Done("mbo", records[0].time, records, trades, before, state.displayed, facts)


def judge_book(state: State, records: list[Record], unknown: int) -> None:
    """Whether the book can be trusted to be whole."""
    now = records[0].time
    if any(record.snapshot or record.action == "R" for record in records):
        state.complete = True
    if state.probation is None:
        state.probation = now
    state.changes += sum(record.action in ("C", "M") for record in records)
    state.unknown += unknown
    if now - state.probation >= PROBATION:
        state.complete = state.complete or state.unknown * 1000 < state.changes
        state.probation, state.changes, state.unknown = now, 0, 0


def take_other(state: State, records: list[Record]) -> Done:
    """Let a complete event of a schema without orders take effect."""
    last, schema = records[-1], records[0].schema
    done = Done(schema, records[0].time, records)
    if schema == state.best(TRADES_FROM):
        done.trades = [record for record in records if record.action == "T"]
        state.trade = done.trades[-1] if done.trades else state.trade
    if schema == state.best(QUOTES_FROM):
        state.quote, state.quote_ts = (last.bids[:1], last.asks[:1]), last.ts_event
        if schema in DEPTHS:
            first, depth = records[0], DEPTHS[schema]
            known = state.view or (view_of(first.bids, first.asks, depth) if first.action == "T" else None)
            done.before, done.after, done.sudden = known, view_of(last.bids, last.asks, depth), state.view is None
            state.view = done.after
    return done


def end_view(state: State) -> View | None:
    """The displayed book, where the schema has one and it is whole."""
    if "mbo" in state.seen:
        return state.displayed if state.complete else None
    return state.view


def touch(state: State) -> tuple[Row | None, Row | None]:
    """Best bid and ask."""
    view = end_view(state)
    if "mbo" in state.seen:
        bids, asks = (view.top_bids, view.top_asks) if view else ([], [])
    else:
        bids, asks = state.quote
    return bids[0] if bids else None, asks[0] if asks else None


def price_of(state: State, bid: Row | None, ask: Row | None) -> tuple[float | None, str | None, str | None]:
    """The price, its time, and what it is."""
    outside = bid and ask and state.trade and not bid[0] <= (state.trade.price or 0) <= ask[0]
    if state.trade and state.trade.price is not None and not outside:
        return money(state.trade.price), str(state.trade.ts_event), "trade"
    if bid and ask:
        return (bid[0] + ask[0]) / 2 / 1e9, str(state.quote_ts), "mid"
    if state.bar and state.bar.bar:
        return money(state.bar.bar[3]), str(state.bar.time), "bar"
    return None, None, None


def market_of(state: State, sums: Sums) -> Frame:
    """packets.Market, without tick, point value, source and quality (they come from elsewhere)."""
    bid, ask = touch(state)
    price, price_ts, basis = price_of(state, bid, ask)
    trades = [record for event in sums.events for record in event.trades]
    prices = [money(record.price) for record in trades if record.price is not None]
    volume: int | None = sum(record.size for record in trades)
    if state.best(TRADES_FROM) is None:
        prices = [money(price) for record in sums.bars if record.bar for price in record.bar[:4]]
        volume = sum(record.bar[4] for record in sums.bars if record.bar) if sums.bars else None
    return {
        "price": price, "price_ts": price_ts, "price_basis": basis, "bid": money(bid[0]) if bid else None,
        "ask": money(ask[0]) if ask else None, "bid_size": bid[1] if bid else None, "ask_size": ask[1] if ask else None,
        "spread": money(ask[0] - bid[0]) if bid and ask else None, "volume": volume,
        "open": prices[0] if prices else None, "high": max(prices, default=None),
        "low": min(prices, default=None), "close": prices[-1] if prices else None,
    }


def access_of(state: State) -> str:
    """The richest schema; bbo and ohlcv without their interval."""
    best = state.best(RANKS) or ""
    return best.split("-")[0] if best.startswith(("bbo", "ohlcv")) else best


def health_of(state: State, sums: Sums) -> Frame:
    """packets.Health."""
    bid, ask = touch(state)
    book, orders = state.book, "mbo" in state.seen
    return {
        "access": access_of(state), "book": ("complete" if state.complete else "partial") if orders else None,
        "resting": len(book.orders) if orders else None, "unknown": book.unknown if orders else None,
        "crossed": bid[0] >= ask[0] if bid and ask else None, "late": state.late, "dropped": state.dropped,
        "filled": book.filled if orders else None, "remainder": book.remainder if orders else None,
        "flags": [flag for flag in FLAG_ORDER if flag in sums.flags],
    }


def bar_of(record: Record) -> Frame:
    """packets.BarInput."""
    assert record.bar is not None
    *prices, volume = record.bar
    names = ("open", "high", "low", "close")
    return {
        "ts": str(record.ts_event), "interval": record.interval,
        **dict(zip(names, map(money, prices), strict=True)), "volume": volume,
    }


def frame_of(state: State, sums: Sums, ts: int, tick: int | None) -> Frame:
    """The slots of a packet."""
    end = end_view(state)
    swept, state.run = sweeps(sums.events, state.run, ts)
    inputs = {
        "trades": trades_input(sums.events) if state.best(TRADES_FROM) else None,
        "bars": [bar_of(record) for record in sums.bars] or None,
        "depth": depth_input(sums.events, end, tick, swept) if end else None,
        "orders": orders_input(sums.events) if "mbo" in state.seen else None,
    }
    return {"market": market_of(state, sums), "health": health_of(state, sums), "inputs": inputs}
