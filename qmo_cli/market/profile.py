# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
"""Volume at price: point of control, value area, imbalances and clusters. Prices are whole ticks."""

from __future__ import annotations

from array import array

import cython

WIDEST = cython.declare(cython.longlong, 1_000_000)  # ticks
ROBUST = 1.4826  # MAD times this estimates a standard deviation


@cython.final
@cython.cclass
class Profile:
    """Volume by price and aggressor side, one row a tick from the lowest price traded to the highest."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.low = self.high = 0
        self.volume = 0
        self.allocate(0, 512)

    @cython.cfunc
    def allocate(self, base: cython.longlong, room: cython.Py_ssize_t) -> object:
        self.base = base
        self.room = room
        self.buy = array("q", bytes(8 * room))
        self.sell = array("q", bytes(8 * room))
        self.total = array("q", bytes(8 * room))
        return None

    def add(self, tick: cython.longlong, buy: cython.longlong, sell: cython.longlong, none: cython.longlong) -> None:
        """Count contracts at a price; ``none`` are those without an aggressor side.

        Raises OverflowError for a price more than a million ticks from the others: it is no price of this contract.
        """
        if self.volume == 0:
            self.low = self.high = tick
            self.base = tick - self.room // 2
        if max(self.high, tick) - min(self.low, tick) > WIDEST:
            raise OverflowError(tick)
        self.low = min(self.low, tick)
        self.high = max(self.high, tick)
        if tick < self.base or tick >= self.base + self.room:
            self.grow()
        row: cython.Py_ssize_t = tick - self.base
        self.buy[row] += buy
        self.sell[row] += sell
        self.total[row] += buy + sell + none
        self.volume += buy + sell + none

    @cython.cfunc
    def grow(self) -> object:
        """Room for the prices from low to high, with as much again on both sides."""
        buy, sell, total, base, room = self.buy, self.sell, self.total, self.base, self.room
        span: cython.longlong = self.high - self.low + 1
        self.allocate(self.low - span, 3 * span)
        row: cython.Py_ssize_t
        for row in range(room):
            place: cython.Py_ssize_t = base + row - self.base
            if 0 <= place < self.room:
                self.buy[place], self.sell[place], self.total[place] = buy[row], sell[row], total[row]
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def at(self, tick: cython.longlong) -> cython.longlong:
        """All volume at a price."""
        return self.total[tick - self.base] if self.low <= tick <= self.high else 0

    def poc(self) -> int:
        """Point of control: the price of most volume; of equals the one nearest the centre, then the lower."""
        best: cython.longlong = self.low
        most: cython.longlong = -1
        tick: cython.longlong
        for tick in range(self.low, self.high + 1):
            here: cython.longlong = self.total[tick - self.base]
            if here > most or (
                here == most and abs(2 * tick - self.low - self.high) < abs(2 * best - self.low - self.high)
            ):
                best, most = tick, here
        return best

    def value_area(self, share: float) -> tuple[int, int, int]:
        """(low, poc, high): from the POC, the larger of the two rows above and the two below, until ``share`` is in.

        Of equal pairs the upper one is taken.
        """
        poc: cython.longlong = self.poc()
        low: cython.longlong = poc
        high: cython.longlong = poc
        wanted: cython.double = share * self.volume
        held: cython.longlong = self.at(poc)
        while held < wanted and (low > self.low or high < self.high):
            above: cython.longlong = self.at(high + 1) + self.at(high + 2) if high < self.high else -1
            below: cython.longlong = self.at(low - 1) + self.at(low - 2) if low > self.low else -1
            if above >= below:
                high = min(high + 2, self.high)
                held += above
            else:
                low = max(low - 2, self.low)
                held += below
        return low, poc, high

    def imbalances(self, ratio: float, least: int) -> list[tuple[int, int]]:
        """(tick, +1 buy or -1 sell) wherever one side outweighs the other across one tick.

        Buy at p: volume bought at p is at least ``ratio`` times the volume sold at p - 1, and at least ``least``;
        sell at p: sold at p against bought at p + 1. A zero on the other side counts as 1.
        """
        found: list = []
        tick: cython.longlong
        for tick in range(self.low, self.high + 1):
            row: cython.Py_ssize_t = tick - self.base
            bought: cython.longlong = self.buy[row]
            sold: cython.longlong = self.sell[row]
            if bought >= least and bought >= ratio * max(1, self.sell[row - 1] if tick > self.low else 0):
                found.append((tick, 1))
            if sold >= least and sold >= ratio * max(1, self.buy[row + 1] if tick < self.high else 0):
                found.append((tick, -1))
        return found

    def clusters(self, width: float) -> list[tuple[int, int, int]]:
        """(low, high, volume) of runs of two or more adjacent prices above median + width x 1.4826 MAD."""
        tick: cython.longlong
        volumes: list = [self.total[tick - self.base] for tick in range(self.low, self.high + 1)]
        traded: list = sorted([volume for volume in volumes if volume])
        if not traded:
            return []
        middle: float = median(traded)
        limit: float = middle + width * ROBUST * median(sorted([abs(volume - middle) for volume in traded]))
        runs: list = []
        start: cython.longlong = self.low
        for tick in range(self.low, self.high + 2):
            if tick <= self.high and volumes[tick - self.low] > limit:
                continue
            if tick - start >= 2:
                runs.append((start, tick - 1, sum(volumes[start - self.low:tick - self.low])))
            start = tick + 1
        return runs


def median(ordered: list[float]) -> float:
    """The median of an ordered list."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
