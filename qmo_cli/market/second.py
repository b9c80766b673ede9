# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""The trades of one second: the grain on which windows and bars stand, whatever the frame's length."""

from __future__ import annotations

import cython

from qmo_cli.packets import Second

NANO = cython.declare(cython.double, 1e9)
BUY, SELL = cython.declare(cython.int, 66), cython.declare(cython.int, 65)


@cython.final
@cython.cclass
class SecondBar:
    """The trades of one epoch second; prices in 1e-9."""

    def __init__(self) -> None:
        self.second = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, second: cython.longlong, price: cython.longlong) -> cython.void:
        self.second = second
        self.open = self.high = self.low = price
        self.buy = self.sell = self.none = self.trades = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def add(self, side: cython.int, price: cython.longlong, size: cython.longlong) -> cython.void:
        self.close = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.trades += 1
        if side == BUY:
            self.buy += size
        elif side == SELL:
            self.sell += size
        else:
            self.none += size

    @cython.cfunc
    def row(self) -> object:
        return Second(
            self.second, self.open / NANO, self.high / NANO, self.low / NANO, self.close / NANO,
            self.buy, self.sell, self.none, self.trades,
        )
