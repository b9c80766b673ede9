"""The resting orders of a market, kept so that a snapshot can be sent of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from ..blocks import F_BAD_TS_RECV, F_LAST, F_SNAPSHOT, UNDEF_PRICE

_MBO = Struct("<BBHIQQqIBBccQiI")     # MboMsg of DBN version 3
MBO_BYTES = 56
SNAPSHOT_FLAGS = F_SNAPSHOT | F_BAD_TS_RECV

Order = tuple[int, int, int, int, int, int, int, int, int, int, bytes, bytes, int, int, int]  # MboMsg's fields


@dataclass(slots=True)
class Orders:
    """Orders by instrument and id, in the order of their priority."""

    books: dict[int, dict[int, Order]] = field(default_factory=dict)
    publishers: dict[int, int] = field(default_factory=dict)

    def take(self, data: bytes) -> None:
        """Apply records of MBO: only A, M, C and R change what rests."""
        for record in _MBO.iter_unpack(data):
            action = record[10]
            if action in b"TFN":
                continue
            book = self.books.setdefault(record[3], {})
            self.publishers[record[3]] = record[2]
            if action == b"R":
                book.clear()
            elif action == b"C":
                _cancel(book, record)
            else:
                _place(book, record)

    def snapshot(self, instruments: list[int], ts: int) -> bytes:
        """The books as records: R, then A in the order of priority, received at ``ts`` (ns)."""
        return b"".join(piece for number in instruments for piece in self._snapshot(number, ts))

    def _snapshot(self, number: int, ts: int) -> Iterator[bytes]:
        """One instrument's; the last record is marked as such."""
        orders = list(self.books.get(number, {}).values())
        begun = orders[0][4] if orders else ts
        flags = SNAPSHOT_FLAGS | (0 if orders else F_LAST)
        yield _MBO.pack(MBO_BYTES // 4, 160, self.publishers.get(number, 1), number, begun, 0, UNDEF_PRICE, 0, flags, 0,
                        b"R", b"N", ts, 0, 0)
        for index, order in enumerate(orders, 1):
            flags = SNAPSHOT_FLAGS | (F_LAST if index == len(orders) else 0)
            yield _MBO.pack(*order[:8], flags, order[9], b"A", order[11], ts, 0, order[14])


def _cancel(book: dict[int, Order], record: Order) -> None:
    """Take size off an order; what is left keeps its place."""
    old = book.get(record[5])
    if old is None:
        return
    if record[7] >= old[7]:
        del book[record[5]]
    else:
        book[record[5]] = (*old[:7], old[7] - record[7], *old[8:])


def _place(book: dict[int, Order], record: Order) -> None:
    """A new order, or a changed one: it goes to the end unless only its size became smaller."""
    old = book.get(record[5])
    if old is not None and (old[6], old[11]) == (record[6], record[11]) and record[7] <= old[7]:
        book[record[5]] = (*old[:7], record[7], *old[8:])
        return
    book.pop(record[5], None)
    book[record[5]] = record
