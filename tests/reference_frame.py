"""Reference reader, part 5: the sums of one frame, each a plain function of the frame's complete events.

Choices where the definitions leave one (T: counted records with action T; in the order in which they came):

- seconds: second = time of the event's first record // 1e9, but never before the newest second that the instrument
  has traded in (in this frame or before): that is where a late event counts. profile: ascending by price. trades
  counts T.
- prints: within one event by (order id, side); without ids by side; ``ts_event`` is the event's. Sorted by size
  descending, then ts_event, then order of appearance; the first 16 stay, ``dropped`` counts the others.
- hits: by second (that of the trades), resting side and price of T with a side, in order of the first hit; a T that
  hits a level again after another T of the second printed beyond it begins a new row. ``before`` = the level in the
  book when first hit; in mbp that T itself has it, since its levels are those before the trade. ``after`` = in the
  book once the event of the last hit is complete, ``largest`` = the most of all that is displayed at a hit of the row
  or after its event. ``traded`` = sizes of T there, ``beyond`` / ``through`` = an earlier / later T (of any side, N
  too) of the same second and frame beyond the price.
- sweeps: runs of T of one side; T of side N are skipped. A T is too late for an earlier one when its ts_event, or its
  arrival (the newest time of the input), is more than 50 ms after that one's. Levels of a run: its first price, and
  each that goes farther than all before (for a buyer: up). A run of 3 levels is a sweep; it ends with a T of the other
  side, with a T that is too late for its first or does not go as far, and with a frame whose end is more than 50 ms
  after the arrival of its first. A shorter run ends with the other side only; it forgets its oldest T one by one while
  a later one is too late for it or goes less far. A sweep is a row of the frame in which it ended,
  at the end of the input of the first frame that is not closed. ``aggressors`` = distinct order ids (0 is one), without
  ids distinct ts_event.
- added / removed: per event, side and price p that is at most 5 ticks worse than the side's best before the event;
  change = after - before + displayed size filled there (mbo: sum of min(all its F, d) over the passive orders
  resting there, less what an M of an unknown id brought to light; mbp: min(T there, before)); positive is
  added, negative removed. In mbp only prices count that both books could show (no worse than the worst shown, if
  all ranks are taken). No best price before: every price counts. mbp-1 and instruments without a tick: null.
- flows: mlofi by second; the second of an event is that of its first record, but never before that of an earlier event
  of the instrument (in this frame or before). Seconds of zeros only are left out.
- book: by the second (arrival // 1e9) of the first record of mbp-10's and mbo's events: their added and removed, and
  the sizes of the ten best levels after the last of them. No row where the book is partial then. Rows of another
  schema than gives the quote at the frame's end are forgotten.
- ofi: Cont, Kukanov, Stoikov's e from the books before and after each event; rank by rank for mlofi; a missing
  level is a bid at -infinity or an ask at +infinity with size 0. ofi = mlofi[0]; mbp-1 has one rank only.
- Events with an R or a snapshot record, the first event of the schema that gives the quotes, events of a poorer one
  than gives them at the frame's end, and events of a book that is partial give neither ofi nor added / removed; the
  latter give no hits either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qmo_cli.blocks import SECOND

from .reference_book import View
from .reference_orders import Facts
from .reference_records import Record, Row, money

SWEEP = 50_000_000  # ns
SWEEP_LEVELS = 3
REACH = 5           # ticks from the touch
PRINTS = 16
OTHER = {"B": "A", "A": "B", "N": "N"}

Fact = dict[str, Any]
Run = list[tuple[Record, object]]  # T of one side, each with what names its aggressor


@dataclass(slots=True)
class Done:
    """One complete event and what it did."""

    schema: str
    second: int                  # in which its trades count
    records: list[Record]
    trades: list[Record]         # T that count
    taken: list[Record]          # T that count, or did in a poorer schema
    shown: list[int | None] = field(default_factory=list)  # of each T that counts: displayed where it hits
    before: View | None = None   # the displayed book around it; None: no book
    after: View | None = None
    facts: Facts = field(default_factory=Facts)
    sudden: bool = False         # an instrument's first book
    whole: bool = True           # the book is whole after it
    flow_second: int = 0         # in which its order flow imbalance counts
    quoted: str | None = None    # the schema that gives the quotes
    levels: list[Fact] = field(default_factory=list)  # what levels give away of hidden size

    @property
    def jump(self) -> bool:
        """Whether the book was replaced rather than changed."""
        replaced = any(record.snapshot or record.action == "R" for record in self.records)
        return replaced or self.sudden or self.before is None


def price_of(record: Record) -> int:
    assert record.price is not None
    return record.price


def volume(trades: list[Record], side: str) -> int:
    """Contracts traded by aggressors of one side."""
    return sum(record.size for record in trades if record.side == side)


def sides(trades: list[Record]) -> tuple[int, int, int]:
    """Contracts bought, sold and traded without a side."""
    return volume(trades, "B"), volume(trades, "A"), volume(trades, "N")


def seconds(events: list[Done]) -> list[list[Any]]:
    rows: dict[int, list[Record]] = {}
    for event in events:
        if event.trades:
            rows.setdefault(event.second, []).extend(event.trades)
    return [_second(second, rows[second]) for second in sorted(rows)]


def _second(second: int, trades: list[Record]) -> list[Any]:
    prices = [price_of(record) for record in trades]
    ohlc = (prices[0], max(prices), min(prices), prices[-1])
    return [second, *map(money, ohlc), *sides(trades), len(trades)]


def profile(events: list[Done]) -> list[list[Any]]:
    trades = [record for event in events for record in event.trades]
    prices = sorted({price_of(record) for record in trades})
    return [[money(price), *sides([record for record in trades if record.price == price])] for price in prices]


def prints(events: list[Done]) -> list[Fact]:
    """All prints, the largest first."""
    found = []
    for event in events:
        groups: dict[tuple[int, str], list[Record]] = {}
        for record in event.trades:
            groups.setdefault((record.order_id, record.side), []).append(record)
        found += [_print(group, event.records[0].ts_event) for group in groups.values()]
    return sorted(found, key=lambda fact: (-fact["size"], int(fact["ts_event"])))


def _print(trades: list[Record], ts_event: int) -> Fact:
    prices = [price_of(record) for record in trades]
    return {
        "ts_event": str(ts_event), "side": trades[0].side, "price": money(prices[0]),
        "last": money(prices[-1]), "size": sum(record.size for record in trades), "levels": len(set(prices)),
    }


def hits(events: list[Done]) -> list[Fact]:
    """Levels hit, second by second."""
    found: list[Fact] = []
    for second in sorted({event.second for event in events if event.trades}):
        found += _hits([event for event in events if event.trades and event.second == second])
    return found


def _hits(events: list[Done]) -> list[Fact]:
    """Rows of one second."""
    found: list[Fact] = []
    standing: dict[tuple[str, int], Fact] = {}
    prices: list[int] = []
    for event in events:
        struck = []
        for record, shown in zip(event.trades, event.shown, strict=True):
            price = price_of(record)
            for key in [key for key in standing if beyond(price, *key)]:
                standing.pop(key)["through"] = True
            key = (OTHER[record.side], price)
            if record.side != "N" and shown is not None:
                if key not in standing:
                    standing[key] = _hit(event.second, *key, record, shown, prices)
                    found.append(standing[key])
                fact = standing[key]
                struck.append((fact, key))
                fact |= {"traded": fact["traded"] + record.size, "ts_last": str(record.ts_event),
                         "largest": max(fact["largest"], shown)}
            prices.append(price)
        for fact, key in struck:
            assert event.after is not None
            fact["after"] = event.after.size(*key)
            fact["largest"] = max(fact["largest"], fact["after"])
    for fact in found:
        fact["replenished"] = fact["traded"] - (fact["before"] - fact["after"])
    return found


def beyond(price: int, side: str, level: int) -> bool:
    """Whether a price is beyond a resting level."""
    return price > level if side == "A" else price < level


def _hit(second: int, side: str, price: int, record: Record, shown: int, earlier: list[int]) -> Fact:
    return {
        "second": second, "side": side, "price": money(price), "ts_event": str(record.ts_event), "ts_last": "",
        "before": shown, "after": 0, "largest": 0, "traded": 0,
        "beyond": any(beyond(other, side, price) for other in earlier), "through": False, "replenished": 0,
    }


def too_late(early: Record, record: Record) -> bool:
    return record.ts_event - early.ts_event > SWEEP or record.arrived - early.arrived > SWEEP


def short_of(early: Record, record: Record) -> bool:
    """Whether a later print does not go as far as an earlier one."""
    return price_of(record) < price_of(early) if early.side == "B" else price_of(record) > price_of(early)


def steps(run: Run) -> list[int]:
    """The prices that go farther than all before."""
    prices = [price_of(record) for record, _ in run]
    sign = 1 if run[0][0].side == "B" else -1
    return [price for place, price in enumerate(prices) if all(sign * (price - other) > 0 for other in prices[:place])]


def is_sweep(run: Run) -> bool:
    return len(steps(run)) >= SWEEP_LEVELS


def sweeps(events: list[Done], pending: list[Run], end: int | None) -> tuple[list[Fact], list[Run]]:
    """The sweeps that are over by the frame's end (None: all), and the run that may still go on."""
    runs = list(pending)
    for event in events:
        for record in event.trades:
            if record.side == "N":
                continue
            aggressor = record.order_id if event.schema == "mbo" else record.ts_event
            run = runs[-1] if runs and runs[-1][0][0].side == record.side else []
            if run and is_sweep(run) and (too_late(run[0][0], record) or short_of(run[0][0], record)):
                run = []
            while run and (too_late(run[0][0], record) or any(
                    short_of(run[0][0], later) for later in [record, *(other for other, _ in run[1:])])):
                del run[0]
            run.append((record, aggressor))
            if not runs or runs[-1] is not run:
                runs.append(run)
    last = runs[-1:]
    if last and (end is None or (is_sweep(last[0]) and end - last[0][0][0].arrived > SWEEP)):
        last = []
    over = runs[:len(runs) - len(last)]
    return [_sweep(run) for run in over if is_sweep(run)], last


def _sweep(run: Run) -> Fact:
    trades = [record for record, _ in run]
    return {
        "ts_event": str(trades[0].ts_event), "side": trades[0].side, "start": money(price_of(trades[0])),
        "end": money(steps(run)[-1]), "levels": len(steps(run)),
        "size": sum(record.size for record in trades), "aggressors": len({aggressor for _, aggressor in run}),
    }


def displayed_fills(event: Done, side: str, price: int) -> int:
    """Displayed size of one level that the event's trades took."""
    assert event.before is not None
    if event.schema == "mbo":
        return event.facts.shown_fills[side, price]
    traded = sum(record.size for record in event.taken if record.price == price and OTHER[record.side] == side)
    return min(traded, event.before.size(side, price))


def untraded(events: list[Done], side: str, tick: int | None) -> tuple[int | None, int | None]:
    """Size added and removed near the touch of one side without trading; null without a tick."""
    if tick is None:
        return None, None
    changes = [change for event in events if not event.jump for change in _changes(event, side, tick)]
    return sum(change for change in changes if change > 0), -sum(change for change in changes if change < 0)


def _changes(event: Done, side: str, tick: int) -> list[int]:
    before, after = event.before, event.after
    assert before is not None
    assert after is not None
    touch = before.best(side)
    differ = {price for price, _ in before.side(side).items() ^ after.side(side).items()}
    traded = {*map(price_of, event.taken), *[price for _, price in event.facts.shown_fills]}
    near = {
        price for price in differ | traded
        if touch is None or (price - touch if side == "A" else touch - price) <= REACH * tick}
    return [
        after.size(side, price) - before.size(side, price) + displayed_fills(event, side, price)
        for price in near if before.reaches(side, price) and after.reaches(side, price)
    ]


def flow(new: Row | None, old: Row | None, better: Callable[[int, int], bool]) -> int:
    """One side's share of e at one rank: what is there now unless worse, less what was there unless it got better."""
    now = new[1] if new and (not old or not better(old[0], new[0])) else 0
    gone = old[1] if old and (not new or not better(new[0], old[0])) else 0
    return now - gone


def rank(rows: list[Row], index: int) -> Row | None:
    return rows[index] if index < len(rows) else None


def flows(event: Done, index: int) -> int:
    """Cont, Kukanov, Stoikov's e of one event at one rank."""
    before, after = event.before, event.after
    assert before is not None
    assert after is not None
    bid = flow(rank(after.top_bids, index), rank(before.top_bids, index), lambda left, right: left > right)
    ask = flow(rank(after.top_asks, index), rank(before.top_asks, index), lambda left, right: left < right)
    return bid - ask


def mlofi(events: list[Done], ranks: int) -> list[int]:
    return [sum(flows(event, index) for event in events if not event.jump) for index in range(ranks)]


def flows_by_second(events: list[Done], ranks: int) -> list[list[Any]]:
    """mlofi of each second that has any."""
    flowing = [event for event in events if not event.jump]
    found = [[second, mlofi([event for event in flowing if event.flow_second == second], ranks)]
             for second in sorted({event.flow_second for event in flowing})]
    return [row for row in found if any(row[1])]


def trades_input(events: list[Done], swept: list[Fact]) -> Fact:
    """packets.TradesInput, sweeps uncut."""
    trades = [record for event in events for record in event.trades]
    buy, sell, none = sides(trades)
    found = prints(events)
    return {
        "buy": buy, "sell": sell, "none": none, "trades": len(trades), "seconds": seconds(events),
        "profile": profile(events), "prints": found[:PRINTS], "dropped": len(found[PRINTS:]),
        "sweeps": swept, "sweeps_dropped": 0,
    }


def _top(rows: list[Row]) -> list[list[Any]]:
    return [[money(price), size, count] for price, size, count in rows]


def book(events: list[Done], tick: int | None) -> list[list[Any]]:
    """packets.BookSecond of events with ten levels."""
    rows: dict[int, list[Done]] = {}
    for event in events:
        rows.setdefault(event.records[0].arrived // SECOND, []).append(event)
    return [_book_second(second, rows[second], tick) for second in rows if rows[second][-1].whole]


def _book_second(second: int, events: list[Done], tick: int | None) -> list[Any]:
    after = events[-1].after
    assert after is not None
    moves = [size for side in "BA" for size in untraded(events, side, tick)]
    return [second, *moves, *(sum(size for _, size, _ in rows) for rows in (after.top_bids, after.top_asks))]


def depth_input(events: list[Done], end: View, tick: int | None) -> Fact:
    """packets.DepthInput, lists uncut."""
    tick = None if end.depth == 1 else tick
    ranks = 10 if end.depth is None else end.depth
    shown = [event for event in events if event.after is not None and event.after.depth == end.depth]
    added_bid, removed_bid = untraded(shown, "B", tick)
    added_ask, removed_ask = untraded(shown, "A", tick)
    flow_by_rank = mlofi(shown, ranks)
    return {
        "bids": _top(end.top_bids), "asks": _top(end.top_asks), "hits": hits(events), "hits_dropped": 0,
        "added_bid": added_bid, "removed_bid": removed_bid, "added_ask": added_ask, "removed_ask": removed_ask,
        "ofi": flow_by_rank[0], "mlofi": flow_by_rank, "flows": flows_by_second(shown, ranks),
        "book": book(shown, tick) if ranks > 1 else [],
    }


def taken_at(event: Done) -> dict[tuple[str, int], int]:
    """Contracts that left each level by trading, in the order of the first."""
    found: dict[tuple[str, int], int] = {}
    for record in event.taken:
        if record.side != "N":
            key = OTHER[record.side], price_of(record)
            found[key] = found.get(key, 0) + record.size
    return found


def depth_facts(event: Done) -> list[Fact]:
    """Levels that traded more than their depth lost; ``excess`` where none is left."""
    facts = []
    for (side, price), traded in taken_at(event).items():
        before, after = (view.size(side, price) if view else 0 for view in (event.before, event.after))
        if before > 0 and traded - (before - after) > 0:
            facts.append(level_fact(event, "refresh" if after else "excess", (side, price), (before, after, traded)))
    return facts


def level_fact(event: Done, kind: str, place: tuple[str, int], sizes: tuple[int, int, int]) -> Fact:
    """packets.LevelFact; sizes: before, after, traded."""
    before, after, traded = sizes
    estimate = traded - before if kind == "unconfirmed" else traded - before + after
    return {
        "ts_event": str(event.records[0].ts_event), "kind": kind, "side": place[0], "price": money(place[1]),
        "before": before, "after": after, "traded": traded, "estimate": estimate}


def levels_input(events: list[Done], quoted: str | None) -> Fact | None:
    """packets.LevelsInput, uncut."""
    if quoted not in ("mbp-10", "tbbo"):
        return None
    return {"facts": [fact for event in events if event.quoted == quoted for fact in event.levels], "dropped": 0}


def ends_of(every: list[Facts]) -> list[Fact]:
    """Ends with the number of the frame's links before each."""
    ends, links = [], 0
    for facts in every:
        ends += [{**end, "after": links + end["after"]} for end in facts.ends]
        links += len(facts.links)
    return ends


def orders_input(events: list[Done]) -> Fact:
    """packets.OrdersInput, lists uncut."""
    every = [event.facts for event in events]
    return {
        "icebergs": [fact for facts in every for fact in facts.icebergs], "icebergs_dropped": 0,
        "links": [fact for facts in every for fact in facts.links], "links_dropped": 0,
        "ends": ends_of(every), "ends_dropped": 0,
        "stops": [fact for facts in every for fact in facts.stops], "stops_dropped": 0,
        "implied": sum(facts.implied for facts in every),
    }
