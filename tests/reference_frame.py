"""Reference reader, part 5: the sums of one frame, each a plain function of the frame's complete events.

Choices where the definitions leave one (T: counted records with action T; in the order in which they came):

- seconds: second = time of the event's first record // 1e9, but never before the newest second that the instrument
  has traded in (in this frame or before): that is where a late event counts. profile: ascending by price. trades
  counts T.
- prints: within one event by (order id, side); without ids by side; ``ts_event`` is the event's. Sorted by size
  descending, then ts_event, then order of appearance; the first 16 stay, ``dropped`` counts the others.
- hits: by (resting side, price) of T with a side, in order of the first hit. ``before`` = the level in the book when
  first hit; in mbp that T itself has it, since its levels are those before the trade. ``after`` = in the book at the
  frame's end, ``traded`` = sizes of T there, ``through`` = any later T (of any side, N too) of the frame
  beyond the price.
- sweeps: runs of T of one side; T of side N are skipped. A run ends with a T of the other side, with a T whose
  ts_event is more than 50 ms after the run's first, and with a frame whose end is. It is a row of the frame in
  which it ended, at the end of the input of the first frame that is not closed. It counts with 3 distinct prices
  (whether or not they go one way). ``aggressors`` = distinct order ids (0 is one), without ids distinct ts_event.
- added / removed: per event, side and price p that is at most 5 ticks worse than the side's best before the event;
  change = after - before + displayed size filled there (mbo: sum of min(all its F, d) over the passive orders
  resting there, less what an M of an unknown id brought to light; mbp: min(T there, before)); positive is
  added, negative removed. In mbp only prices count that both books could show (no worse than the worst shown, if
  all ranks are taken). No best price before: every price counts. mbp-1 and instruments without a tick: null.
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


def hits(events: list[Done], end: View) -> list[Fact]:
    found: dict[tuple[str, int], Fact] = {}
    prices = [price_of(record) for event in events for record in event.trades]
    hit = [pair for event in events for pair in zip(event.trades, event.shown, strict=True)]
    for index, (record, shown) in enumerate(hit):
        key = (OTHER[record.side], price_of(record))
        if record.side == "N" or shown is None:
            continue
        if key not in found:
            found[key] = _hit(*key, shown, end, prices[index:])
        found[key]["traded"] += record.size
    for fact in found.values():
        fact["replenished"] = fact["traded"] - (fact["before"] - fact["after"])
    return list(found.values())


def _hit(side: str, price: int, before: int, end: View, traded: list[int]) -> Fact:
    beyond = [other for other in traded if (other > price if side == "A" else other < price)]
    return {
        "side": side, "price": money(price), "before": before, "after": end.size(side, price),
        "traded": 0, "through": bool(beyond), "replenished": 0,
    }


def sweeps(events: list[Done], pending: list[Run], end: int | None) -> tuple[list[Fact], list[Run]]:
    """The sweeps that are over by the frame's end (None: all), and the run that may still go on."""
    runs = list(pending)
    for event in events:
        for record in event.trades:
            if record.side == "N":
                continue
            aggressor = record.order_id if event.schema == "mbo" else record.ts_event
            first = runs[-1][0][0] if runs else None
            if first and first.side == record.side and record.ts_event - first.ts_event <= SWEEP:
                runs[-1].append((record, aggressor))
            else:
                runs.append([(record, aggressor)])
    going = [run for run in runs[-1:] if end is not None and end - run[0][0].ts_event <= SWEEP]
    over = runs[:len(runs) - len(going)]
    return [_sweep(run) for run in over if len({record.price for record, _ in run}) >= SWEEP_LEVELS], going


def _sweep(run: Run) -> Fact:
    trades = [record for record, _ in run]
    return {
        "ts_event": str(trades[0].ts_event), "side": trades[0].side, "start": money(price_of(trades[0])),
        "end": money(price_of(trades[-1])), "levels": len({record.price for record in trades}),
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


def trades_input(events: list[Done]) -> Fact:
    """packets.TradesInput."""
    trades = [record for event in events for record in event.trades]
    buy, sell, none = sides(trades)
    found = prints(events)
    return {
        "buy": buy, "sell": sell, "none": none, "trades": len(trades), "seconds": seconds(events),
        "profile": profile(events), "prints": found[:PRINTS], "dropped": len(found[PRINTS:]),
    }


def _top(rows: list[Row]) -> list[list[Any]]:
    return [[money(price), size, count] for price, size, count in rows]


def depth_input(events: list[Done], end: View, tick: int | None, swept: list[Fact]) -> Fact:
    """packets.DepthInput, lists uncut."""
    tick = None if end.depth == 1 else tick
    ranks = 10 if end.depth is None else end.depth
    shown = [event for event in events if event.after is not None and event.after.depth == end.depth]
    added_bid, removed_bid = untraded(shown, "B", tick)
    added_ask, removed_ask = untraded(shown, "A", tick)
    flow_by_rank = mlofi(shown, ranks)
    return {
        "bids": _top(end.top_bids), "asks": _top(end.top_asks), "hits": hits(events, end), "hits_dropped": 0,
        "sweeps": swept, "sweeps_dropped": 0, "added_bid": added_bid, "removed_bid": removed_bid,
        "added_ask": added_ask, "removed_ask": removed_ask, "ofi": flow_by_rank[0], "mlofi": flow_by_rank,
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
