"""Reference reader, part 3: what one complete event says about single orders, and the native iceberg algebra.

Choices where the definitions leave one:

- An event is *quiet* when it has a record of a snapshot, an R, a T of side N (auction) or MAYBE_BAD_BOOK. A quiet
  event changes the book and gives no order facts at all (no refresh, link, stop, implied, filled, remainder, and it
  adds nothing to an order's total), but each order known as an iceberg before it gives one ``unknown`` row,
  ascending by order id, with filled 0, and is no longer known as one. A later refresh makes it one again.
- Aggressors are the ids other than 0 of the event's T. F of an aggressor is its own and no passive fill.
- F is *at its price* when its price is the order's resting price at the event's start (unknown id: the price of its
  C in the event). f of an order is the sum of its F at its price; d its display at the event's start (unknown id:
  its C's size). An unknown id without C in the event has no d.
- One row per order and event, the first that fits: refresh (f > 0, an M of it after its first F, still at the same
  price, n > d - f), removal (f > d, gone by C), and for known icebergs executed (gone, f >= d), cancelled (gone, f
  < d), reprice (other price), fill (f > 0). n and the price after are those at the event's end.
- Rows stand in the order in which the ids first appear in the event (T not counted). ``price`` is the price at the
  event's end for reprice, else the one before. ``ts_event`` is that of the event's first record.
- ``total`` is the sum of f since the order entered; ``hidden_traded`` = max(0, total - first); ``revealed`` is n -
  (d - f) on a refresh and 0 otherwise; ``hidden_filled`` = max(0, f - d) on refresh and removal and 0 otherwise.
- ``filled`` sums all F but the aggressors' own. ``remainder`` is what of it is not explained: F away from the
  price, f of an order without d, and f - d where neither refresh nor removal explains it.
- ``implied`` = max(0, sum of T - sum of F but the aggressors' own) of each event.
- A stop is one row for each further aggressor id of an event: price of its first T, size of all its T.
- After MAYBE_BAD_BOOK there are no iceberg rows until an R or a snapshot; everything else goes on.
- ``first`` is the size of the A, plus and minus what M and C without F in the event changed while the order was not
  known as an iceberg.
- An order *dies* when it was in the book and is gone by C and f >= d. A link joins each A of a later event (not of the same) to every
  dead order of its side and price, oldest death first, if 0 <= A.ts_event - ts_event of the death's event <= 50 ms.
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
    modified: bool             # an M after its first F
    cancelled: bool            # gone by C


def is_quiet(records: list[Record]) -> bool:
    """Whether the event says nothing about single orders."""
    return any(
        record.snapshot or record.flags & MAYBE_BAD_BOOK or record.action == "R"
        or (record.action == "T" and record.side == "N") for record in records)


def aggressors(records: list[Record]) -> list[int]:
    """The ids that traded actively, in order of their first T."""
    return list(dict.fromkeys(record.order_id for record in records if record.action == "T" and record.order_id))


def passive(records: list[Record]) -> list[Record]:
    """The fills of resting orders."""
    active = aggressors(records)
    return [record for record in records if record.action == "F" and record.order_id not in active]


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
    fill = sum(record.size for record in fills if start and record.price == start.price)
    first_fill = own.index(fills[0]) if fills else len(own)
    return Story(
        order_id, start, after.get(order_id), fill, sum(record.size for record in fills) - fill,
        modified=any(record.action == "M" for record in own[first_fill:]),
        cancelled=order_id not in after and any(record.action == "C" for record in own))


def kind_of(case: Story, iceberg: bool) -> str | None:
    """The one word for what happened; None when it says nothing about an iceberg."""
    start, end, fill = case.start, case.end, case.fill
    if start is None:
        return None
    if fill and end and case.modified and end.price == start.price and end.size > start.size - fill:
        return "refresh"
    if case.cancelled and fill > start.size:
        return "removal"
    return fate(case, start) if iceberg else None


def fate(case: Story, start: Order) -> str | None:
    """What became of a known iceberg that gave no new evidence."""
    if case.cancelled:
        return "executed" if case.fill >= start.size else "cancelled"
    if case.end and case.end.price != start.price:
        return "reprice"
    return "fill" if case.fill else None


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
        quiet = is_quiet(records)
        touched = list(dict.fromkeys(record.order_id for record in records if record.action in ("A", "M", "C", "F")))
        icebergs = sorted(key for key in (self.orders if quiet else touched) if self._is_iceberg(key))
        before = {key: replace(self.orders[key]) for key in (*touched, *icebergs) if key in self.orders}
        filled = {record.order_id for record in records if record.action == "F"}
        for record in records:
            self.apply(record, owners=record.order_id not in filled)
        self._judge(records)
        cases = [story(key, records, before, self.orders) for key in touched if key in {*filled, *icebergs}]
        if quiet:
            facts = Facts(icebergs=[self._lost(key, before[key], records) for key in icebergs])
        else:
            facts = self._facts(cases, records)
        for case in cases:
            if case.start and case.start.seen_in_book:
                shown = min(case.fill + case.away, case.start.size)
                facts.shown_fills[case.start.side, case.start.price] += shown
        return facts

    def _judge(self, records: list[Record]) -> None:
        """After MAYBE_BAD_BOOK nothing is said of icebergs until the book is given anew."""
        for record in records:
            if record.snapshot or record.action == "R":
                self.doubtful = False
            self.doubtful = self.doubtful or bool(record.flags & MAYBE_BAD_BOOK)

    def _is_iceberg(self, order_id: int) -> bool:
        return order_id in self.orders and self.orders[order_id].iceberg

    def _lost(self, order_id: int, start: Order, records: list[Record]) -> Fact:
        """The row of a known iceberg that a quiet event made doubtful."""
        end = self.orders.get(order_id)
        if end:
            end.iceberg = False
        case = Story(order_id, start, end, 0, 0, modified=False, cancelled=False)
        return row(case, "unknown", records[0].ts_event)

    def _facts(self, cases: list[Story], records: list[Record]) -> Facts:
        facts = Facts(stops=stops_of(records), implied=implied_of(records), links=self._links(records))
        for case in cases:
            kind = kind_of(case, bool(case.start and case.start.iceberg))
            self._count(case, kind)
            if kind and not self.doubtful:
                facts.icebergs.append(row(case, kind, records[0].ts_event))
            self._remember(case, kind, records[0].ts_event)
        return facts

    def _count(self, case: Story, kind: str | None) -> None:
        self.filled += case.fill + case.away
        self.remainder += case.away
        if case.start and kind not in ("refresh", "removal"):
            self.remainder += max(0, case.fill - case.start.size)

    def _remember(self, case: Story, kind: str | None, ts_event: int) -> None:
        if case.end and case.start:
            case.end.total += case.fill
            case.end.iceberg = case.end.iceberg or (kind == "refresh" and not self.doubtful)
        if case.start and case.start.seen_in_book and case.cancelled and case.fill >= case.start.size:
            self.dead[case.start.side, case.start.price].append(Dead(ts_event, case.order_id, case.start.size))

    def _links(self, records: list[Record]) -> list[Fact]:
        return [
            {
                "ts_event": str(record.ts_event), "side": record.side, "price": money(record.price),
                "size": record.size, "order_id": str(record.order_id), "filled_id": str(dead.order_id),
                "filled_size": dead.size, "delay": record.ts_event - dead.ts_event,
            }
            for record in records if record.action == "A" and record.price is not None
            for dead in self.dead[record.side, record.price] if 0 <= record.ts_event - dead.ts_event <= REFILL
        ]
