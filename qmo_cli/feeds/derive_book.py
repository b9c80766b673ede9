"""A book by price, as far as levels that are derived from market by order need it."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from struct import Struct

from ..blocks import UNDEF_PRICE

_PAIR = Struct("<qqIIII")             # bid and ask price, size, number of orders of one level

Order = tuple[int, int, int, int, int, int, int, int, int, int, bytes, bytes, int, int, int]  # MboMsg's fields


@dataclass(slots=True)
class Side:
    """One side of a book by price. Keys are prices, of bids negative, so that the best comes first."""

    sign: int
    keys: list[int] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def change(self, price: int, size: int, orders: int) -> int:
        """Let size and orders come to a price, or go; gives the price's rank, 0 the best."""
        key = price * self.sign
        rank = bisect_left(self.keys, key)
        if key not in self.sizes:
            insort(self.keys, key)
            self.sizes[key] = self.counts[key] = 0
        self.sizes[key] += size
        self.counts[key] += orders
        if self.counts[key] <= 0:
            del self.sizes[key], self.counts[key], self.keys[rank]
        return rank

    def level(self, rank: int) -> tuple[int, int, int]:
        """Price, size and number of orders of a rank."""
        if rank >= len(self.keys):
            return UNDEF_PRICE, 0, 0
        key = self.keys[rank]
        return key * self.sign, self.sizes[key], self.counts[key]


@dataclass(slots=True)
class Book:
    """The resting orders of one instrument, as its A, M, C and R say."""

    depth: int                                      # levels in sight
    bids: Side = field(default_factory=lambda: Side(-1))
    asks: Side = field(default_factory=lambda: Side(1))
    orders: dict[int, tuple[bytes, int, int]] = field(default_factory=dict)  # id -> side, price, size

    def side(self, letter: bytes) -> Side:
        """The side that a letter means."""
        return self.bids if letter == b"B" else self.asks

    def take(self, record: Order) -> tuple[int, bool]:
        """Apply one change; the rank of the price it is about, and whether any level in sight was touched."""
        order_id, price, size, action, letter = record[5], record[6], record[7], record[10], record[11]
        if action == b"R":
            self.bids, self.asks = Side(-1), Side(1)
            self.orders.clear()
            return 0, True
        old = self.orders.pop(order_id, None)
        if action == b"C":
            return self.cancel(order_id, old, size)
        left = 256 if old is None else self.side(old[0]).change(old[1], -old[2], -1)
        self.orders[order_id] = (letter, price, size)
        rank = self.side(letter).change(price, size, 1)
        return rank, min(left, rank) < self.depth

    def cancel(self, order_id: int, old: tuple[bytes, int, int] | None, size: int) -> tuple[int, bool]:
        """Take size off an order; what is left of it rests on."""
        if old is None:
            return 0, False
        letter, price, displayed = old
        gone = min(size, displayed)
        if gone < displayed:
            self.orders[order_id] = (letter, price, displayed - gone)
        rank = self.side(letter).change(price, -gone, -1 if gone == displayed else 0)
        return rank, rank < self.depth

    def levels(self) -> bytes:
        """The levels in sight, as they stand in a record."""
        pieces = []
        for rank in range(self.depth):
            bid, ask = self.bids.level(rank), self.asks.level(rank)
            pieces.append(_PAIR.pack(bid[0], ask[0], bid[1], ask[1], bid[2], ask[2]))
        return b"".join(pieces)
