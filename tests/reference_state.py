"""Reference reader, part 6: all that is known of one instrument, and the packet made of it.

Choices where the definitions leave one:

Schemas. Trades come from the richest of mbo, mbp-10, mbp-1, tbbo, trades seen so far, quotes from the richest of mbo,
mbp-10, mbp-1, tbbo, bbo, decided record by record. A T of a schema that took over the trades is not counted again
(``dropped``) if its ts_event is not after the newest T counted before it took over; what it says about orders and
levels stays. All ohlcv become ``bars``, and of them the finest interval seen gives price and volume until a schema
with trades is seen; then the frame forgets the volume of its bars. ``access`` is the richest seen of all, bbo and
ohlcv without their interval; in the order mbo, mbp-10, mbp-1, tbbo, trades, bbo, ohlcv.

Market. price: the last T, last price of a bbo record (until a schema with trades is seen) or close of a leading bar,
in order of arrival ("trade" or "bar", the bar's time is its end), unless older than 60 s at the frame's end or outside
the quote: then the middle of the quote ("mid", price_ts the ts_event of the last event that gave a quote). The quote
of mbo is the book's once it is complete, and null before. A tbbo quote is the record's. volume, open, high, low,
close: T of the frame only; of bars where they lead.

Health. The book is partial until the event that holds an R or a snapshot, or until 5 minutes after the start of the
count fewer than 1 in 1,000 of the C and M since were unknown; otherwise the count starts anew (event times, judged
at the end of each event). While it is partial, ``depth`` and the quote are null at the frame's end, and what happens
to it is in no frame's ``depth`` (sweeps run on).
``crossed`` is null without both sides. flags come in the order of the docstring in packets.py, from the frame's
records that were not dropped. ``depth`` exists for mbo, mbp-10 and mbp-1; ``trades`` once a record gave trades or
could have; ``bars`` where a bar ended.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from qmo_cli.blocks import SECOND

from .reference_book import View, view_of
from .reference_frame import (
    OTHER,
    Done,
    Run,
    depth_facts,
    depth_input,
    level_fact,
    levels_input,
    orders_input,
    sweeps,
    taken_at,
    trades_input,
)
from .reference_orders import OrderBook
from .reference_records import Record, Row, money

Frame = dict[str, Any]

TRADES_FROM = ("mbo", "mbp-10", "mbp-1", "tbbo", "trades")
QUOTES_FROM = ("mbo", "mbp-10", "mbp-1", "tbbo", "bbo")
RANKS = ("mbo", "mbp-10", "mbp-1", "tbbo", "trades", "bbo", "ohlcv")
DEPTHS = {"mbp-10": 10, "mbp-1": 1}
FLAG_ORDER = ("maybe_bad_book", "bad_ts_recv", "snapshot", "unterminated")
PROBATION = 300 * SECOND
OLD = 60 * SECOND


def kind_of(record: Record) -> str:
    """The schema; bbo and ohlcv without their interval."""
    return record.schema.split("-")[0] if record.schema.startswith(("bbo", "ohlcv")) else record.schema


@dataclass(frozen=True, slots=True)
class Given:
    """A record, and what it is used for."""

    record: Record
    trades: bool    # its T is one of the trades
    counts: bool    # and no poorer schema told of it before
    quotes: bool    # its levels are the quote
    last: bool      # the last price of its bbo is the best known


@dataclass(slots=True)
class Open:
    """An event that is not complete yet."""

    frame: int                 # end of the frame it belongs to
    given: list[Given]

    @property
    def first(self) -> Record:
        return self.given[0].record

    @property
    def snapshot(self) -> bool:
        return self.first.snapshot


@dataclass(slots=True)
class Sums:
    """What a frame has gathered."""

    events: list[Done] = field(default_factory=list)
    bars: list[Record] = field(default_factory=list)
    leading: list[Record] = field(default_factory=list)  # of the bars, those that give price and volume
    flags: set[str] = field(default_factory=set)
    count: int = 0             # records of the richest schema
    facts: list[Frame] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """All that is known of one instrument."""

    instrument: int
    closed: int                                       # end of the last frame by time that is closed
    last: int = 0                                     # newest time as of its last record
    last_end: int = 0                                 # end of its last packet
    early: list[Frame] = field(default_factory=list)  # facts from before it was seen
    book: OrderBook = field(default_factory=OrderBook)
    complete: bool = False
    probation: int | None = None                      # ns, start of the count
    changes: int = 0                                  # C and M since
    unknown: int = 0                                  # of them, of unknown ids
    seen: set[str] = field(default_factory=set)
    displayed: View | None = None                     # of the book, after the last event
    view: View | None = None                          # displayed book of an mbp schema
    quote: tuple[list[Row], list[Row]] = field(default_factory=lambda: ([], []))
    quote_ts: int = 0
    kept: list[tuple[tuple[str, int], int, int]] = field(default_factory=list)  # place, displayed, traded beyond it
    price: tuple[int, int, str] | None = None         # the last one, its time, "trade" or "bar"
    interval: int = 0                                 # s, of the finest bars
    second: int = 0                                   # newest one that has a trade
    flow_second: int = 0                              # newest one that has an event
    traded_until: int = 0                             # newest ts_event of a counted T
    covered: int = 0                                  # up to here a poorer schema told of the trades
    run: list[Run] = field(default_factory=list)      # trades that may become a sweep
    late: int = 0
    dropped: int = 0
    open: dict[str, Open] = field(default_factory=dict)  # by kind: orders, others
    frames: dict[int, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def best(self, names: tuple[str, ...]) -> str | None:
        """The richest schema seen so far among these."""
        return next((name for name in names if name in self.seen), None)

    def leads(self, record: Record) -> bool:
        """Whether no richer schema was seen."""
        return kind_of(record) == self.best(RANKS)

    def give(self, record: Record) -> Given | None:
        """Note the schema, and say what the record is used for; None: for nothing."""
        kind, trades, quotes = kind_of(record), self.best(TRADES_FROM), self.best(QUOTES_FROM)
        self.seen.add(kind)
        if self.best(TRADES_FROM) != trades:
            self.covered = self.traded_until
            for sums in self.frames.values():
                sums.leading.clear()
        if self.best(QUOTES_FROM) != quotes:
            self.view, self.kept = None, []
        gives = kind == self.best(TRADES_FROM)
        counts = gives and record.action == "T" and record.ts_event > self.covered
        self.dropped += gives and record.action == "T" and not counts
        if counts:
            self.traded_until = max(self.traded_until, record.ts_event)
        last = kind == "bbo" and record.price is not None and self.best(TRADES_FROM) is None
        given = Given(record, gives, counts, kind == self.best(QUOTES_FROM), last)
        return given if record.bar or given.trades or given.quotes else None

    def take_bar(self, record: Record, sums: Sums) -> None:
        """A ready-made bar."""
        sums.bars.append(record)
        if self.interval == 0 or record.interval < self.interval:
            self.interval = record.interval
            sums.leading.clear()
        if record.bar and record.interval == self.interval and self.best(TRADES_FROM) is None:
            sums.leading.append(record)
            self.price = (record.bar[3], record.time, "bar")

    def done(self, given: list[Given]) -> Done:
        """An event with its trades."""
        records = [one.record for one in given]
        trades = [one.record for one in given if one.counts]
        if trades:
            self.second = max(self.second, records[0].time // SECOND)
            self.price = (trades[-1].price or 0, trades[-1].ts_event, "trade")
        taken = [one.record for one in given if one.trades and one.record.action == "T"]
        self.flow_second = max(self.flow_second, records[0].time // SECOND)
        return Done(records[0].schema, self.second, records, trades, taken, flow_second=self.flow_second)


def take_mbo(state: State, given: list[Given]) -> Done:
    """Let a complete mbo event change the book."""
    done, unknown, first = state.done(given), state.book.unknown, state.displayed is None
    done.before = state.displayed or state.book.view()
    done.facts = state.book.take(done.records)
    state.quote_ts = done.records[0].ts_event
    counts = [one.counts for one in given if one.record.action == "T"]
    hit = [shown for shown, counted in zip(done.facts.at_trade, counts, strict=True) if counted]
    done.shown = [shown if state.complete else None for shown in hit]
    done.sudden = first or not state.complete
    judge_book(state, done.records, state.book.unknown - unknown)
    done.whole = state.complete
    done.after = state.displayed = state.book.view()
    return done


def judge_book(state: State, records: list[Record], unknown: int) -> None:
    """Whether the book can be trusted to be whole."""
    now = records[0].time
    if any(record.snapshot or record.action == "R" for record in records):
        state.complete = True
    state.probation = now if state.probation is None else state.probation
    state.changes += sum(record.action in ("C", "M") for record in records)
    state.unknown += unknown
    if now - state.probation >= PROBATION:
        state.complete = state.complete or state.unknown * 1000 < state.changes
        state.probation, state.changes, state.unknown = now, 0, 0


def take_other(state: State, given: list[Given]) -> Done:
    """Let a complete event of a schema without orders take effect."""
    for record in [one.record for one in given if one.last]:
        state.price = (record.price or 0, record.ts_event, "trade")
    done = state.done(given)
    quotes = [one.record for one in given if one.quotes]
    if quotes:
        last = quotes[-1]
        state.quote, state.quote_ts = (last.bids[:1], last.asks[:1]), last.ts_event
        if last.schema in DEPTHS:
            done.before, done.after = state.view, view_of(last.bids, last.asks, DEPTHS[last.schema])
            done.sudden, state.view = state.view is None, done.after
    done.quoted = state.best(QUOTES_FROM)
    if done.quoted == "mbp-10" and not done.jump:
        done.levels = depth_facts(done)
    elif done.quoted == "tbbo":
        follow(state, done)
    for one in done.trades:
        view = view_of(one.bids, one.asks, 10) if one.schema in DEPTHS else None
        done.shown.append(view.size(OTHER[one.side], one.price or 0) if view else None)
    return done


def follow(state: State, done: Done) -> None:
    """tbbo: more traded at the touch than displayed, and the next quote is still there."""
    best = dict(zip("BA", (rows[0] if rows else None for rows in state.quote), strict=True))
    for place, displayed, traded in state.kept:
        row = best[place[0]]
        if row and row[0] == place[1]:
            done.levels.append(level_fact(done, "unconfirmed", place, (displayed, row[1], traded)))
    state.kept = []
    for place, traded in taken_at(done).items():
        row = best[place[0]]
        if row and row[0] == place[1] and traded > row[1]:
            state.kept.append((place, row[1], traded))


def end_view(state: State) -> View | None:
    """The displayed book, where the schema has one and it is whole."""
    if "mbo" in state.seen:
        return state.displayed if state.complete else None
    return state.view


def touch(state: State) -> tuple[Row | None, Row | None]:
    """Best bid and ask."""
    bids, asks = state.quote
    if "mbo" in state.seen:
        view = end_view(state)
        bids, asks = (view.top_bids, view.top_asks) if view else ([], [])
    return bids[0] if bids else None, asks[0] if asks else None


def price_of(state: State, ts: int, bid: Row | None, ask: Row | None) -> tuple[float | None, str | None, str | None]:
    """The price, its time, and what it is."""
    if state.price and not (bid and ask and (ts - state.price[1] > OLD or not bid[0] <= state.price[0] <= ask[0])):
        return money(state.price[0]), str(state.price[1]), state.price[2]
    if bid and ask:
        return (bid[0] + ask[0]) / 2 / 1e9, str(state.quote_ts), "mid"
    return None, None, None


def traded(state: State, sums: Sums) -> tuple[list[int], int | None]:
    """Prices of the frame in order, and its volume."""
    if state.best(TRADES_FROM):
        trades = [record for event in sums.events for record in event.trades]
        return [record.price or 0 for record in trades], sum(record.size for record in trades)
    bars = [record.bar for record in sums.leading if record.bar]
    return [price for bar in bars for price in bar[:4]], sum(bar[4] for bar in bars) if sums.bars else None


def market_of(state: State, sums: Sums, ts: int) -> Frame:
    """packets.Market, without tick, point value, source and quality (they come from elsewhere)."""
    bid, ask = touch(state)
    price, price_ts, basis = price_of(state, ts, bid, ask)
    raw, volume = traded(state, sums)
    prices = [money(price) for price in raw]
    return {
        "price": price, "price_ts": price_ts, "price_basis": basis, "bid": money(bid[0]) if bid else None,
        "ask": money(ask[0]) if ask else None, "bid_size": bid[1] if bid else None, "ask_size": ask[1] if ask else None,
        "spread": money(ask[0] - bid[0]) if bid and ask else None, "volume": volume,
        "open": prices[0] if prices else None, "high": max(prices, default=None),
        "low": min(prices, default=None), "close": prices[-1] if prices else None,
    }


def health_of(state: State, sums: Sums) -> Frame:
    """packets.Health."""
    bid, ask = touch(state)
    book, orders = state.book, "mbo" in state.seen
    return {
        "access": state.best(RANKS), "book": ("complete" if state.complete else "partial") if orders else None,
        "resting": len(book.orders) if orders else None, "unknown": book.unknown if orders else None,
        "crossed": bid[0] >= ask[0] if bid and ask else None, "late": state.late, "dropped": state.dropped,
        "filled": book.filled if orders else None, "remainder": book.remainder if orders else None,
        "flags": [flag for flag in FLAG_ORDER if flag in sums.flags], "trading": None,
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


def frame_of(state: State, sums: Sums, ts: int, tick: int | None, *, closed: bool) -> Frame:
    """The slots of a packet."""
    end = end_view(state)
    swept, state.run = sweeps(sums.events, state.run, ts if closed else None)
    inputs = {
        "trades": trades_input(sums.events, swept) if state.best(TRADES_FROM) else None,
        "bars": [bar_of(record) for record in sums.bars] or None,
        "depth": depth_input(sums.events, end, tick) if end else None,
        "orders": orders_input(sums.events) if "mbo" in state.seen else None,
        "levels": levels_input(sums.events, state.best(QUOTES_FROM)),
    }
    return {"market": market_of(state, sums, ts), "health": health_of(state, sums), "inputs": inputs}
