"""Reference reader, part 3: what one complete event says about single orders.

Choices where the definitions leave one:

- At a record of a snapshot, an R or one with MAYBE_BAD_BOOK each order known as an iceberg becomes
  ``unknown``: one row each, ascending by order id, with filled 0 and after = before; it is then no longer known as one
  (a later refresh makes it one again).
- A snapshot is *silent*, and so is all after MAYBE_BAD_BOOK until an R or a snapshot, and all after a T of side N in
  its event (an auction): it gives no evidence, that is neither refresh nor removal; what becomes of known icebergs is
  told. If an auction's F exceed its T (both sides are filled), the icebergs known at its end become ``unknown`` then.
  After a T of side N F count whatever their price, and nothing dies. In its event nothing is implied, and F count
  neither as filled nor as remainder.
- Aggressors are the ids other than 0 of the event's T so far. F of an aggressor is its own and no passive fill.
- One change (C or M) of one order is judged at a time: d is its display before the change, f the sum of its F at its
  price in the event since its last change, n its display after the change. F is *at its price* when its price is the
  one at which the order then rests. An unknown id with a C rested at the price of its F and displayed the C's size;
  with an M, or without either, it has no d.
- One row per change, the first that fits: refresh (f > 0, M, same price, n > d - f), removal (C, gone, f > d), and for
  known icebergs executed (gone, f >= d), cancelled (gone, f < d), reprice (other price), fill (f > 0).
- ``price`` is the one after the change for reprice, else the one before. ``ts_event`` is that of the change.
- ``total`` is the sum of f since the order entered; ``hidden_traded`` = max(0, total - first); ``revealed`` is n -
  (d - f) on a refresh and 0 otherwise; ``hidden_filled`` = max(0, f - d) on refresh and removal and 0 otherwise.
- ``filled`` sums all F but the aggressors' own. ``remainder`` is what of it is not explained: F away from the
  price, f of an order without d, and f - d where neither refresh nor removal explains it; F after which no change
  comes in the event are explained up to the display.
- ``implied`` = max(0, sum of T - sum of F but the aggressors' own) of each event.
- A stop is one row for each further aggressor id of an event: price of its first T, size of all its T; the event's
  ts_event.
- ``first`` is the size of the A, plus and minus what M and C without passive F before them changed while the order
  was not known as an iceberg.
- An order *dies* with its C when it was in the book and is gone by it and f = d and was no known iceberg. Its size is
  then all that it was filled. A link joins each A that is no snapshot's to every order of its side and price whose
  death is known by then, the latest by ts_event first, if 0.2 <= A.ts_event - C.ts_event <= 50 ms and their sizes match
  under some shift; the first eight of them only.
- Shifts: under shift 0 an order has its own size, under k (1 to 5) the k-th of those it carries, its own where these
  are fewer. They are the sizes of the last five A at its side and price, the newest first, 2047 at most; but an A that
  is alike by its own size to orders that died 0.2 to 50 ms before carries those of the latest of them, the first of
  them moved to the end. A third (below) is not among the sizes of a price, and snapshots' A are not. Orders without an
  A that counts carry none.
- Sizes match when both are 2 or more and differ by at most a fifth of the larger (*alike*), or under shift 0 when the
  new one is smaller and the dead order was a *third*: alike to one that itself was alike to one, under shift 0.
- Links wait. The links of an A are told when one of them is *deep*: alike under a shift under which the dead order was
  alike to one before it, or to a third. Just before them those are told that lead to these dead orders and still wait.
- An A that matches some order under shift 0 and is told at once has an end: ``native`` when it gives evidence of hidden
  size, ``unknown`` where native icebergs become so or where an A of its id replaces it, else ``executed`` (gone, f >=
  d) or ``cancelled`` (gone, f < d); ``filled`` is what it was filled in all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .reference_book import Book
from .reference_icebergs import Story, died, kind_of, row, shown_at_the_end, tale
from .reference_records import Record, money

MAYBE_BAD_BOOK = 4
SOONEST, REFILL = 200_000, 50_000_000  # ns
SHIFTS = 5
CANDIDATES = 8       # orders that one A is linked to
SMALLER = -1         # in place of a shift: the new order is smaller
LARGEST = 2047       # size that the history tells apart
OTHER = {"B": "A", "A": "B", "N": "A"}

Fact = dict[str, Any]


@dataclass(slots=True)
class Facts:
    """What one event says about orders."""

    icebergs: list[Fact] = field(default_factory=list)
    links: list[Fact] = field(default_factory=list)
    ends: list[Fact] = field(default_factory=list)
    stops: list[Fact] = field(default_factory=list)
    implied: int = 0
    shown_fills: Counter[tuple[str, int]] = field(default_factory=Counter)  # side, price -> displayed size filled
    at_trade: list[int] = field(default_factory=list)  # displayed where each T hits, when it does

    def tell_ends(self, ends: list[Fact]) -> None:
        """Ends of orders that links told as added, with how many links of the event came before."""
        self.ends += [{**end, "after": len(self.links)} for end in ends]


@dataclass(slots=True)
class Trace:
    """What is kept of an order from its A on."""

    earlier: tuple[int, ...] = ()           # the sizes it carries
    alike: frozenset[int] = frozenset()     # shifts under which it was alike to one that died before it
    third: bool = False
    waiting: list[Fact] = field(default_factory=list)  # links that lead to it

    def told(self) -> list[Fact]:
        """Its links, which wait no more."""
        links, self.waiting = self.waiting, []
        return links


@dataclass(frozen=True, slots=True)
class Dead:
    """An order that was filled completely."""

    ts_event: int
    order_id: int
    size: int
    trace: Trace

    def under(self, shift: int) -> int:
        return under(shift, self.size, self.trace.earlier)


def is_doubtful(record: Record) -> bool:
    """Whether nothing is known any more of icebergs that was known before it."""
    return bool(record.snapshot or record.flags & MAYBE_BAD_BOOK or record.action == "R")


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
    return [
        record for index, record in enumerate(records)
        if record.action == "F" and record.order_id not in aggressors(records[:index])]


def stops_of(records: list[Record]) -> list[Fact]:
    """The further aggressors of an event."""
    facts = []
    for order_id in aggressors(records)[1:]:
        trades = [record for record in records if record.action == "T" and record.order_id == order_id]
        assert trades[0].price is not None
        facts.append({
            "ts_event": str(records[0].ts_event), "side": trades[0].side, "price": money(trades[0].price),
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
        self.silent = False
        self.any_known = False
        self.dead: dict[tuple[str, int], list[Dead]] = defaultdict(list)
        self.ring: dict[tuple[str, int], tuple[int, ...]] = defaultdict(tuple)  # sizes of a side and price
        self.trace: dict[int, Trace] = {}               # by order id
        self.linked: set[int] = set()                   # orders whose end is to be told

    def take(self, records: list[Record]) -> Facts:
        """Apply a complete event and say what it revealed."""
        facts = Facts(stops=stops_of(records), implied=implied_of(records))
        counted = not is_auction(records)
        fills: dict[int, list[tuple[Record, int | None]]] = defaultdict(list)  # with the price where the order rested
        auction = False
        for index, record in enumerate(records):
            if is_doubtful(record):
                facts.icebergs += self._lost(record.ts_event)
                facts.tell_ends(self._ends(sorted(self.linked), "unknown", record.ts_event))
            self._judge(record)
            silent = self.silent = self.doubtful or records[0].snapshot or auction
            if record.action == "T":
                auction = auction or record.side == "N"
                facts.at_trade.append(self.levels[OTHER[record.side]].get(record.price or 0, (0, 0))[0])
            elif record.action == "F" and record.order_id not in aggressors(records[:index]):
                order = self.orders.get(record.order_id)
                fills[record.order_id].append((record, order.price if order and not auction else None))
            elif record.action in ("C", "M"):
                case = self._change(record, fills.pop(record.order_id, []))
                self._tell(facts, case, counted, silent)
                self._bury(case, auction)
                facts.tell_ends(self._end(case))
                self._notice(facts, case)
            else:
                if record.action == "A":
                    facts.tell_ends(self._ends(self.linked & {record.order_id}, "unknown", record.ts_event))
                self.apply(record, owners=True)
                facts.links += self._links(record)
        for order_id, own in fills.items():
            order = self.orders.get(order_id)
            self._tell(facts, tale(order_id, order, order, own, None), counted, silent=True)
        if is_uncross(records):
            facts.icebergs += self._lost(records[0].ts_event)
            facts.tell_ends(self._ends(sorted(self.linked), "unknown", records[0].ts_event))
        return facts

    def _change(self, record: Record, fills: list[tuple[Record, int | None]]) -> Story:
        """Apply a C or M and put together what it says about its order."""
        known = self.orders.get(record.order_id)
        if known is None:
            self.trace.pop(record.order_id, None)
        start = replace(known) if known else shown_at_the_end(record)
        self.apply(record, owners=not fills)
        return tale(record.order_id, start, self.orders.get(record.order_id), fills, record)

    @staticmethod
    def _notice(facts: Facts, case: Story) -> None:
        """What of the display went by trading; what an M of an unknown id brings to light was there before."""
        if case.start and case.start.seen_in_book:
            facts.shown_fills[case.start.side, case.start.price] += min(case.fill + case.away, case.start.size)
        elif case.end:
            facts.shown_fills[case.end.side, case.end.price] -= case.end.size

    def _judge(self, record: Record) -> None:
        """After MAYBE_BAD_BOOK nothing is said of icebergs until the book is given anew."""
        anew = record.snapshot or record.action == "R"
        self.doubtful = not anew and (self.doubtful or bool(record.flags & MAYBE_BAD_BOOK))

    def _lost(self, ts_event: int) -> list[Fact]:
        """Forget the icebergs that are known: a row for each."""
        rows: list[Fact] = []
        if not self.any_known:
            return rows
        self.any_known = False
        for key in sorted(key for key, order in self.orders.items() if order.iceberg):
            order = self.orders[key]
            rows.append(row(Story(key, order, order, 0, 0, None), "unknown", ts_event))
            order.iceberg = False
        return rows

    def _tell(self, facts: Facts, case: Story, counted: bool, silent: bool) -> None:
        kind = kind_of(case, silent)
        if kind and case.change:
            facts.icebergs.append(row(case, kind, case.change.ts_event))
        if counted:
            self._count(case)
        if case.end and case.start:
            case.end.total += case.fill
            case.end.iceberg = case.end.iceberg or kind == "refresh"
            self.any_known = self.any_known or case.end.iceberg

    def _count(self, case: Story) -> None:
        self.filled += case.fill + case.away
        self.remainder += case.away
        if case.start and kind_of(case, silent=False) not in ("refresh", "removal"):
            self.remainder += max(0, case.fill - case.start.size)

    def _bury(self, case: Story, auction: bool) -> None:
        if died(case) and case.start and case.change and not auction:
            trace = self.trace.get(case.order_id, Trace())
            dead = Dead(case.change.ts_event, case.order_id, case.start.total + case.fill, trace)
            dead_here = self.dead[case.start.side, case.start.price]
            dead_here.append(dead)
            dead_here.sort(key=lambda dead: dead.ts_event)

    def _links(self, record: Record) -> list[Fact]:
        if record.action != "A":
            return []
        key, order_id = (record.side, record.price or 0), record.order_id
        trace = self.trace[order_id] = Trace()
        if record.snapshot:
            return []
        near = [
            dead for dead in reversed(self.dead[key]) if SOONEST <= record.ts_event - dead.ts_event <= REFILL]
        trace.earlier = next(
            ((*one.trace.earlier[1:], *one.trace.earlier[:1]) for one in near if alike(record.size, one.size)),
            self.ring[key])
        pairs = [(dead, match(record.size, trace.earlier, dead)) for dead in near]
        pairs = [(dead, matched) for dead, matched in pairs if matched][:CANDIDATES]
        trace.alike = frozenset(shift for _, matched in pairs for shift in matched if shift != SMALLER)
        trace.third = any(0 in matched & dead.trace.alike for dead, matched in pairs)
        if not trace.third:
            self.ring[key] = (max(1, min(record.size, LARGEST)), *self.ring[key])[:SHIFTS]
        deep = [dead for dead, matched in pairs if SMALLER in matched or matched & dead.trace.alike]
        trace.waiting = [link(record, trace.earlier, dead) for dead, _ in pairs]
        if deep and any(matched & {0, SMALLER} for _, matched in pairs):
            self.linked.add(order_id)
        return [fact for one in [*(dead.trace for dead in deep), trace] for fact in one.told()] if deep else []

    def _ends(self, order_ids: Iterable[int], kind: str, ts_event: int) -> list[Fact]:
        """Orders that may be tranches and rest no more, or are none."""
        rows = [
            {"ts_event": str(ts_event), "kind": kind, "order_id": str(order_id), "filled": self.orders[order_id].total}
            for order_id in order_ids]
        self.linked -= set(order_ids)
        return rows

    def _end(self, case: Story) -> list[Fact]:
        """What a change says of an order that may be a tranche."""
        if case.order_id not in self.linked or case.change is None or case.start is None:
            return []
        filled = case.start.total + case.fill
        beyond = case.fill > case.start.size and not self.silent
        if (case.end is not None and case.end.iceberg) or (case.gone and (case.start.iceberg or beyond)):
            kind = "native"
        elif case.gone:
            kind = "executed" if case.fill >= case.start.size else "cancelled"
        else:
            return []
        self.linked.discard(case.order_id)
        return [{"ts_event": str(case.change.ts_event), "kind": kind, "order_id": str(case.order_id), "filled": filled}]


def under(shift: int, own: int, earlier: tuple[int, ...]) -> int:
    """The size that an order has under a shift."""
    return earlier[shift - 1] if 0 < shift <= len(earlier) else own


def alike(new: int, old: int) -> bool:
    """Whether these may be the sizes of two tranches of one iceberg."""
    return min(new, old) > 1 and 5 * abs(new - old) <= max(new, old)


def match(size: int, earlier: tuple[int, ...], dead: Dead) -> set[int]:
    """The shifts under which an order's size is like that of one that died, and whether it may be a last one."""
    pairs = {shift: (under(shift, size, earlier), dead.under(shift)) for shift in range(SHIFTS + 1)}
    found = {shift for shift, pair in pairs.items() if alike(*pair)}
    return found | ({SMALLER} if 0 not in found and size < dead.size and dead.trace.third else set())


def link(added: Record, earlier: tuple[int, ...], dead: Dead) -> Fact:
    """One RefillLink."""
    assert added.price is not None
    return {
        "ts_event": str(added.ts_event), "side": added.side, "price": money(added.price), "size": added.size,
        "order_id": str(added.order_id), "filled_id": str(dead.order_id), "filled_size": dead.size,
        "delay": added.ts_event - dead.ts_event,
        "shifted": [under(shift, added.size, earlier) for shift in range(1, SHIFTS + 1)],
        "filled_shifted": [dead.under(shift) for shift in range(1, SHIFTS + 1)],
    }
