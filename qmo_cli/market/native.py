# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Native icebergs: what an order's fills and its next display prove about size it hides.

Sizes of one order in one event: ``displayed`` d before it, ``filled`` f by all its fills, ``shown`` n after it.
A modify at the same price with n > d - f is a refresh: n - (d - f) newly shown, max(0, f - d) traded unseen.
A removal with f > d proves f - d of hidden size. Everything else is an ordinary fill or its owner's own change.
"""

from __future__ import annotations

import cython

from qmo_cli.market.orders import OrderTable
from qmo_cli.market.text import digits, side_name, text_of
from qmo_cli.packets import IcebergFact

NANO = cython.declare(cython.double, 1e9)


@cython.final
@cython.cclass
class NativeDetector:
    """Turns one order's change within an event into a fact; ``silent`` while nothing can be proved."""

    def __init__(self, orders: OrderTable) -> None:
        self.orders = orders
        self.facts: list = []
        self.silent = False
        self.known = 0

    @cython.cfunc
    def fact(
        self, kind: str, ts: cython.longlong, row: cython.Py_ssize_t, displayed: cython.longlong,
        filled: cython.longlong, shown: cython.longlong,
    ) -> object:
        orders: OrderTable = self.orders
        proved: cython.bint = kind == "refresh" or kind == "removal"
        self.facts.append(IcebergFact(
            digits(ts), kind, text_of(orders.id[row]), side_name(orders.side[row]), orders.price[row] / NANO,
            orders.first[row], displayed, filled, shown, orders.filled[row],
            shown - (displayed - filled) if kind == "refresh" else 0,
            max(0, filled - displayed) if proved else 0,
            max(0, orders.filled[row] - orders.first[row]), orders.seen_added[row] != 0,
        ))
        return None

    @cython.cfunc
    def modified(
        self, ts: cython.longlong, row: cython.Py_ssize_t, price: cython.longlong, shown: cython.longlong,
        filled: cython.longlong,
    ) -> object:
        """The order was changed to this price and display; the table still has it as it was before."""
        orders: OrderTable = self.orders
        displayed: cython.longlong = orders.size[row]
        moved: cython.bint = price != orders.price[row]
        orders.filled[row] += filled
        if filled and not moved and shown > displayed - filled and not self.silent:
            self.mark(row)
            self.fact("refresh", ts, row, displayed, filled, shown)
        elif orders.iceberg[row] & 1:
            orders.price[row] = price
            if moved:
                self.fact("reprice", ts, row, displayed, filled, shown)
            elif filled:
                self.fact("fill", ts, row, displayed, filled, shown)
        elif not filled:
            orders.first[row] += shown - displayed
        return None

    @cython.cfunc
    def cancelled(
        self, ts: cython.longlong, row: cython.Py_ssize_t, size: cython.longlong, filled: cython.longlong,
    ) -> object:
        """Size was taken off the order; with nothing left it is gone. The table still has it as it was before."""
        orders: OrderTable = self.orders
        displayed: cython.longlong = orders.size[row]
        left: cython.longlong = displayed - size
        orders.filled[row] += filled
        if left <= 0 and filled > displayed and not self.silent:
            self.mark(row)
            self.fact("removal", ts, row, displayed, filled, 0)
            self.known -= 1
        elif orders.iceberg[row] & 1:
            if left > 0:
                if filled:
                    self.fact("fill", ts, row, displayed, filled, left)
                return None
            self.fact("executed" if filled >= displayed else "cancelled", ts, row, displayed, filled, 0)
            self.known -= 1
        elif left > 0 and not filled:
            orders.first[row] -= size
        return None

    @cython.cfunc
    def mark(self, row: cython.Py_ssize_t) -> object:
        if not self.orders.iceberg[row] & 1:
            self.orders.iceberg[row] |= 1
            self.known += 1
        return None

    @cython.cfunc
    def lose(self, ts: cython.longlong) -> object:
        """Nothing is known any more of the icebergs that were open."""
        orders: OrderTable = self.orders
        row: cython.Py_ssize_t
        if self.known:
            lost: list = [
                (orders.id[row], row) for row in range(orders.mask + 1) if orders.side[row] and orders.iceberg[row] & 1
            ]
            for _, row in sorted(lost):
                self.fact("unknown", ts, row, orders.size[row], 0, orders.size[row])
                orders.iceberg[row] &= 2
        self.known = 0
        return None
