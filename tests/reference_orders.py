"""Reference reader, part 3: what one complete event says about single orders, and the native iceberg algebra.

Choices where the definitions leave one:

- Before an event with a record of a snapshot, an R or MAYBE_BAD_BOOK each order known as an iceberg becomes
  ``unknown``: one row each, ascending by order id, with filled 0 and after = before; it is then no longer known as one
  (a later refresh makes it one again).
- An event with a T of side N (an auction) is *silent*, and so is one with a record of a snapshot, an R or
  MAYBE_BAD_BOOK, and all after MAYBE_BAD_BOOK until an R or a snapshot: it gives no evidence, that is neither refresh
  nor removal; what becomes of known icebergs is told. If the auction's F exceed its T (both sides are filled), the
  icebergs known at its end become ``unknown`` then. In an auction F count whatever their price; nothing is implied,
  nothing dies, and its F count neither as filled nor as remainder.
- Aggressors are the ids other than 0 of the event's T. F of an aggressor is its own and no passive fill.
- F is *at its price* when its price is the order's resting price at the event's start (unknown id: always). f of an
  order is the sum of its F at its price; d its display at the event's start (unknown id: its C's size). An unknown id
  without C in the event has no d.
- One row per order and event, the first that fits: refresh (f > 0, an M of it after its first F, still at the same
  price, n > d - f), removal (f > d, gone by C), and for known icebergs executed (gone, f >= d), cancelled (gone, f
  < d), reprice (other price), fill (f > 0 and an M). n and the price after are those at the event's end.
- Rows stand in the order in which the orders change (C or M) in the event. ``price`` is the price at the
  event's end for reprice, else the one before. ``ts_event`` is that of the change.
- ``total`` is the sum of f since the order entered; ``hidden_traded`` = max(0, total - first); ``revealed`` is n -
  (d - f) on a refresh and 0 otherwise; ``hidden_filled`` = max(0, f - d) on refresh and removal and 0 otherwise.
- ``filled`` sums all F but the aggressors' own. ``remainder`` is what of it is not explained: F away from the
  price, f of an order without d, and f - d where neither refresh nor removal explains it.
- ``implied`` = max(0, sum of T - sum of F but the aggressors' own) of each event.
- A stop is one row for each further aggressor id of an event: price of its first T, size of all its T.
- ``first`` is the size of the A, plus and minus what M and C without passive F in the event changed while the order
  was not known as an iceberg.
- An order *dies* with its C when it was in the book and is gone by it and f = d and was no known iceberg. A link joins
  each A that is no snapshot's to every order of its side and price that died before it, in the order of their deaths,
  if 0 <= A.ts_event - C.ts_event <= 50 ms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from .reference_book import Book, Order
from .reference_records import Record, money

MAYBE_BAD_BOOK = 4
REFILL = 50_000_000  # ns

Fact = dict[str, Any]


@dataclass(slots=True)
class Facts:
    """What one event says about orders."""

    icebergs: list[Fact] = field(default_factory=list)
    links: list[Fact] = field(default_factory=list)
    stops: list[Fact] = field(default_factory=list)
    implied: int = 0
    shown_fills: Counter[tuple[str, int]] = field(default_factory=Counter)  # side, price -> displayed size filled


@dataclass(frozen=True, slots=True)
class Dead:
    """An order that was filled completely."""

    ts_event: int
    order_id: int
    size: int


@dataclass(slots=True)
class Story:
    """What happened to one order in one event."""

    order_id: int
    start: Order | None        # at the event's start; for an unknown id as its C shows it; None: not knowable
    end: Order | None          # at the event's end; None: gone
    fill: int                  # f: passive volume filled at its price
    away: int                  # passive volume filled at other prices, or of an order that is not knowable
    taken: int                 # all its passive F
    modified: bool             # an M after its first F
    cancelled: bool            # gone by C


def is_doubtful(records: list[Record]) -> bool:
    """Whether nothing is known of icebergs after the event that was known before it."""
    return any(record.snapshot or record.flags & MAYBE_BAD_BOOK or record.action == "R" for record in records)


def is_auction(records: list[Record]) -> bool:
    """Whether the event has a trade without an aggressor's side."""
    return any(record.action == "T" and record.side == "N" for record in records)


def is_uncross(records: list[Record]) -> bool:
    """Whether both sides of the auction's trades are filled."""
    sums = Counter[str]()
    for record in records:
        sums[record.action] += record.size
    return is_auction(records) and sums["F"] > sums["T"]


def aggressors(records: list[Record]) -> list[int]:
    """The ids that traded actively, in order of their first T."""
    return list(dict.fromkeys(record.order_id for record in records if record.action == "T" and record.order_id))


def passive(records: list[Record]) -> list[Record]:
    """The fills of resting orders."""
    active = aggressors(records)
    return [
        record for record in records
        if record.action == "F" and record.order_id not in active]


def shown_at_the_end(order_id: int, records: list[Record]) -> Order | None:
    """An unknown order as its cancel describes it."""
    for record in records:
        if record.action == "C" and record.order_id == order_id and record.price is not None:
            return Order(record.side, record.price, record.size, record.size, seen_added=False, seen_in_book=False)
    return None


def story(order_id: int, records: list[Record], before: dict[int, Order], after: dict[int, Order]) -> Story:
    """Put together what one event says about one order."""
    own = [record for record in records if record.order_id == order_id]
    fills = [record for record in passive(records) if record.order_id == order_id]
    start = before.get(order_id) or shown_at_the_end(order_id, records)
    anywhere = is_auction(records) or (start is not None and not start.seen_in_book)
    fill = sum(record.size for record in fills if start and (anywhere or record.price == start.price))
    taken = sum(record.size for record in fills)
    first_fill = own.index(fills[0]) if fills else len(own)
    return Story(
        order_id, start, after.get(order_id), fill, sum(record.size for record in fills) - fill, taken,
        modified=any(record.action == "M" for record in own[first_fill:]),
        cancelled=order_id not in after and any(record.action == "C" for record in own))


def kind_of(case: Story, silent: bool) -> str | None:
    """The one word for what happened; None when it says nothing about an iceberg."""
    start, end, fill = case.start, case.end, case.fill
    if start is None:
        return None
    if silent:
        return fate(case, start) if start.iceberg else None
    if fill and end and case.modified and end.price == start.price and end.size > start.size - fill:
        return "refresh"
    if case.cancelled and fill > start.size:
        return "removal"
    return fate(case, start) if start.iceberg else None


def fate(case: Story, start: Order) -> str | None:
    """What became of a known iceberg that gave no new evidence."""
    if case.cancelled:
        return "executed" if case.fill >= start.size else "cancelled"
    if case.end and case.end.price != start.price:
        return "reprice"
    return "fill" if case.fill and case.modified else None


def row(case: Story, kind: str, ts_event: int) -> Fact:
    """One IcebergFact."""
    start, end = case.start, case.end
    assert start is not None
    after = end.size if end else 0
    total = start.total + case.fill
    evidence = kind in ("refresh", "removal")
    return {
        "ts_event": str(ts_event), "kind": kind, "order_id": str(case.order_id), "side": start.side,
        "price": money(end.price if kind == "reprice" and end else start.price),
        "first": start.first, "before": start.size, "filled": case.fill, "after": after, "total": total,
        "revealed": after - (start.size - case.fill) if kind == "refresh" else 0,
        "hidden_filled": max(0, case.fill - start.size) if evidence else 0,
        "hidden_traded": max(0, total - start.first), "seen_added": start.seen_added,
    }


def stops_of(records: list[Record]) -> list[Fact]:
    """The further aggressors of an event."""
    facts = []
    for order_id in aggressors(records)[1:]:
        trades = [record for record in records if record.action == "T" and record.order_id == order_id]
        assert trades[0].price is not None
        facts.append({
            "ts_event": str(trades[0].ts_event), "side": trades[0].side, "price": money(trades[0].price),
            "size": sum(record.size for record in trades), "order_id": str(order_id),
        })
    return facts


def implied_of(records: list[Record]) -> int:
    """Volume of the event that no resting order gave."""
    if is_auction(records):
        return 0
    volume = sum(record.size for record in records if record.action == "T")
    return max(0, volume - sum(record.size for record in passive(records)))


class OrderBook(Book):
    """The book with the native iceberg algebra: one call for each complete event."""

    def __init__(self) -> None:
        super().__init__()
        self.filled = 0
        self.remainder = 0
        self.doubtful = False
        self.dead: dict[tuple[str, int], list[Dead]] = defaultdict(list)

    def take(self, records: list[Record]) -> Facts:
        """Apply a complete event and say what it revealed."""
        facts = Facts(stops=stops_of(records), implied=implied_of(records))
        if is_doubtful(records):
            facts.icebergs += self._lost(next(record.ts_event for record in records if is_doubtful([record])))
        changed = list(dict.fromkeys(record.order_id for record in records if record.action in ("A", "M", "C")))
        filled = list(dict.fromkeys(record.order_id for record in passive(records)))
        ids = list(dict.fromkeys(changed + filled))
        before = {key: replace(self.orders[key]) for key in ids if key in self.orders}
        self.discovered.clear()
        for record in records:
            self.apply(record, owners=record.order_id not in filled)
        self._judge(records)
        cases = [story(key, records, before, self.orders) for key in ids]
        silent = self.doubtful or is_doubtful(records) or is_auction(records)
        for case in cases:
            self._tell(facts, case, records, silent)
        self._link(facts, {case.order_id: case for case in cases}, records)
        facts.shown_fills.subtract(self.discovered)
        if is_uncross(records):
            facts.icebergs += self._lost(records[0].ts_event)
        return facts

    def _judge(self, records: list[Record]) -> None:
        """After MAYBE_BAD_BOOK nothing is said of icebergs until the book is given anew."""
        for record in records:
            anew = record.snapshot or record.action == "R"
            self.doubtful = not anew and (self.doubtful or bool(record.flags & MAYBE_BAD_BOOK))

    def _lost(self, ts_event: int) -> list[Fact]:
        """Forget the icebergs that are known: a row for each."""
        rows = []
        for key in sorted(key for key, order in self.orders.items() if order.iceberg):
            order = self.orders[key]
            case = Story(key, order, order, 0, 0, 0, modified=False, cancelled=False)
            rows.append(row(case, "unknown", ts_event))
            order.iceberg = False
        return rows

    def _tell(self, facts: Facts, case: Story, records: list[Record], silent: bool) -> None:
        kind = kind_of(case, silent)
        if kind:
            changes = [one.ts_event for one in records if one.order_id == case.order_id and one.action in ("M", "C")]
            facts.icebergs.append(row(case, kind, changes[-1]))
        if not is_auction(records):
            self._count(case)
        if case.start and case.start.seen_in_book and (case.modified or case.cancelled):
            facts.shown_fills[case.start.side, case.start.price] += min(case.taken, case.start.size)
        if case.end and case.start:
            case.end.total += case.fill
            case.end.iceberg = case.end.iceberg or kind == "refresh"

    def _count(self, case: Story) -> None:
        self.filled += case.fill + case.away
        self.remainder += case.away
        if case.start and kind_of(case, silent=False) not in ("refresh", "removal"):
            self.remainder += max(0, case.fill - case.start.size)

    def _link(self, facts: Facts, cases: dict[int, Story], records: list[Record]) -> None:
        """Bury the orders that died, and link new ones to those that died before them."""
        for record in records:
            case = cases.get(record.order_id)
            if record.action == "C" and case and died(case) and not is_auction(records):
                self.dead[record.side, record.price or 0].append(Dead(record.ts_event, case.order_id, case.fill))
            if record.action == "A" and not record.snapshot:
                facts.links += [
                    link(record, dead) for dead in self.dead[record.side, record.price or 0]
                    if 0 <= record.ts_event - dead.ts_event <= REFILL]


def died(case: Story) -> bool:
    """Whether the order was filled completely and never showed that it hid anything."""
    start = case.start
    return bool(start and start.seen_in_book and case.cancelled and case.fill == start.size and not start.iceberg)


def link(added: Record, dead: Dead) -> Fact:
    """One RefillLink."""
    assert added.price is not None
    return {
        "ts_event": str(added.ts_event), "side": added.side, "price": money(added.price), "size": added.size,
        "order_id": str(added.order_id), "filled_id": str(dead.order_id), "filled_size": dead.size,
        "delay": added.ts_event - dead.ts_event,
    }
