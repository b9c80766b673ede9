"""Reference reader, part 2: the order book as dictionaries.

Choices where the definitions leave one:

- An order is *known* while its id is in the book. C and M of other ids count as ``unknown``. M of an unknown id
  puts the order into the book (``seen_added`` False, its first display is the M's size); A of a known id replaces
  the order.
- C takes its size off the display; at zero or less the order is gone. M takes over side, price and size. T, F, N:
  nothing.
- R empties the book; a snapshot without R adds to what is there.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from .reference_records import Record, Row


@dataclass(slots=True)
class View:
    """The displayed book at one moment."""

    bids: dict[int, tuple[int, int]]  # price -> size, orders
    asks: dict[int, tuple[int, int]]
    top_bids: list[Row]               # best first, up to ten
    top_asks: list[Row]
    depth: int | None = None          # levels that the schema can show; None: all

    def side(self, side: str) -> dict[int, tuple[int, int]]:
        return self.bids if side == "B" else self.asks

    def top(self, side: str) -> list[Row]:
        return self.top_bids if side == "B" else self.top_asks

    def best(self, side: str) -> int | None:
        rows = self.top(side)
        return rows[0][0] if rows else None

    def size(self, side: str, price: int) -> int:
        """Displayed there; 0 where nothing is."""
        return self.side(side).get(price, (0, 0))[0]

    def reaches(self, side: str, price: int) -> bool:
        """Whether an order at this price would be shown at all."""
        rows = self.top(side)
        if self.depth is None or len(rows) < self.depth:
            return True
        worst = rows[-1][0]
        return price >= worst if side == "B" else price <= worst


def view_of(bids: list[Row], asks: list[Row], depth: int) -> View:
    """The book that one mbp or bbo record shows."""
    return View(
        {price: (size, count) for price, size, count in bids}, {price: (size, count) for price, size, count in asks},
        bids, asks, depth)


@dataclass(slots=True)
class Order:
    """One resting order."""

    side: str
    price: int
    size: int                # displayed
    first: int               # what its owner put on display before it was known to hide more
    total: int = 0           # filled since
    seen_added: bool = True
    iceberg: bool = False
    seen_in_book: bool = True


class Book:
    """All resting orders of one instrument, and the displayed size of each price."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.levels: dict[str, dict[int, tuple[int, int]]] = {"B": {}, "A": {}}
        self.prices: dict[str, list[int]] = {"B": [], "A": []}  # ascending
        self.unknown = 0

    def _level(self, side: str, price: int, size: int, count: int) -> None:
        levels = self.levels[side]
        if price not in levels:
            bisect.insort(self.prices[side], price)
        old_size, old_count = levels.get(price, (0, 0))
        levels[price] = (old_size + size, old_count + count)
        if levels[price][1] == 0:
            del levels[price]
            self.prices[side].remove(price)

    def _enter(self, record: Record, seen_added: bool) -> None:
        assert record.price is not None
        self._leave(record.order_id)
        self.orders[record.order_id] = Order(
            record.side, record.price, record.size, record.size, seen_added=seen_added)
        self._level(record.side, record.price, record.size, 1)

    def _leave(self, order_id: int) -> None:
        order = self.orders.pop(order_id, None)
        if order:
            self._level(order.side, order.price, -order.size, -1)

    def _modify(self, record: Record, owners: bool) -> None:
        order = self.orders.get(record.order_id)
        if order is None:
            self.unknown += 1
            self._enter(record, seen_added=False)
            return
        assert record.price is not None
        self._level(record.side, record.price, record.size, 1)
        self._level(order.side, order.price, -order.size, -1)
        if owners and not order.iceberg:
            order.first += record.size - order.size
        order.side, order.price, order.size = record.side, record.price, record.size

    def _cancel(self, record: Record, owners: bool) -> None:
        order = self.orders.get(record.order_id)
        if order is None:
            self.unknown += 1
        elif record.size >= order.size:
            self._leave(record.order_id)
        else:
            order.size -= record.size
            order.first -= record.size if owners and not order.iceberg else 0
            self._level(order.side, order.price, -record.size, 0)

    def _clear(self) -> None:
        self.orders.clear()
        for side in "BA":
            self.levels[side].clear()
            self.prices[side].clear()

    def apply(self, record: Record, owners: bool) -> None:
        """Let one record change the book. ``owners``: the change is its owner's, not that of a fill."""
        if record.action == "A":
            self._enter(record, seen_added=True)
        elif record.action == "M":
            self._modify(record, owners)
        elif record.action == "C":
            self._cancel(record, owners)
        elif record.action == "R":
            self._clear()

    def _top(self, side: str) -> list[Row]:
        prices = self.prices[side][-10:][::-1] if side == "B" else self.prices[side][:10]
        return [(price, *self.levels[side][price]) for price in prices]

    def view(self) -> View:
        return View(dict(self.levels["B"]), dict(self.levels["A"]), self._top("B"), self._top("A"))
