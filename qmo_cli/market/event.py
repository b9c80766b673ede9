# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""One exchange event: the records of one instrument that happened at once."""

from __future__ import annotations

from array import array

import cython

from qmo_cli.packets import Print, RefillLink, StopFact, Sweep

NANO = cython.declare(cython.double, 1e9)
BUY = cython.declare(cython.int, 66)   # 'B'
NONE = cython.declare(cython.int, 78)  # 'N'
SIDES: dict[int, str] = {66: "B", 65: "A", 78: "N"}
UNSIGNED = 0xFFFFFFFFFFFFFFFF


def text_of(order_id: int) -> str:
    """An order id as the wire has it: an unsigned 64-bit integer in decimal."""
    return str(order_id & UNSIGNED)


@cython.cclass
class Touches:
    """The price levels that one event changed, with the displayed size that came (+) or went (-) without trading."""

    def __init__(self) -> None:
        self.room = 16
        self.count = 0
        self.sides = array("q", bytes(8 * 16))
        self.prices = array("q", bytes(8 * 16))
        self.sizes = array("q", bytes(8 * 16))

    @cython.cfunc
    def add(self, side: cython.int, price: cython.longlong, size: cython.longlong) -> object:
        row: cython.Py_ssize_t
        for row in range(self.count):
            if self.prices[row] == price and self.sides[row] == side:
                self.sizes[row] += size
                return None
        if self.count == self.room:
            self.grow()
        self.sides[self.count] = side
        self.prices[self.count] = price
        self.sizes[self.count] = size
        self.count += 1
        return None

    @cython.cfunc
    def grow(self) -> object:
        sides, prices, sizes = self.sides, self.prices, self.sizes
        row: cython.Py_ssize_t
        self.room *= 2
        self.sides = array("q", bytes(8 * self.room))
        self.prices = array("q", bytes(8 * self.room))
        self.sizes = array("q", bytes(8 * self.room))
        for row in range(self.count):
            self.sides[row], self.prices[row], self.sizes[row] = sides[row], prices[row], sizes[row]
        return None


@cython.cclass
class Refills:
    """Orders that were filled completely within the last ``window`` ns: candidates for a refill."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.dead: list = []   # (ts, side, price, order id, last display), oldest first

    @cython.cfunc
    def died(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> object:
        self.dead.append((ts, side, price, order_id, size))
        return None

    @cython.cfunc
    def links(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, order_id: cython.longlong,
        size: cython.longlong,
    ) -> list:
        """A new order's links to every candidate of its side and price."""
        found: list = []
        old: cython.Py_ssize_t = 0
        for row in self.dead:
            died: cython.longlong = row[0]
            if ts - died > self.window:
                old += 1
            elif row[2] == price and row[1] == side:
                found.append(RefillLink(
                    str(ts), SIDES[side], price / NANO, size, text_of(order_id), text_of(row[3]), row[4], ts - died,
                ))
        if old:
            del self.dead[:old]
        return found


@cython.cclass
class SweepTracker:
    """Prints of one side that follow each other within the window, until the other side prints."""

    def __init__(self, window: int, levels: int) -> None:
        self.window = window   # ns
        self.least = levels
        self.side = 0

    @cython.cfunc
    def trade(
        self, ts: cython.longlong, side: cython.int, price: cython.longlong, size: cython.longlong,
        aggressor: cython.longlong, sweeps: list,
    ) -> object:
        if self.side and (side != self.side or ts - self.start > self.window):
            self.end(sweeps)
        if self.side == 0:
            self.side, self.start, self.first, self.size = side, ts, price, 0
            self.prices, self.aggressors = set(), set()
        self.last = price
        self.size += size
        self.prices.add(price)
        self.aggressors.add(aggressor)
        return None

    @cython.cfunc
    def end(self, sweeps: list) -> object:
        """Close the run of prints, and keep it if it went through enough levels."""
        if self.side and cython.cast(cython.Py_ssize_t, len(self.prices)) >= self.least:
            sweeps.append(Sweep(
                str(self.start), SIDES[self.side], self.first / NANO, self.last / NANO, len(self.prices), self.size,
                len(self.aggressors),
            ))
        self.side = 0
        return None

    @cython.cfunc
    def expire(self, now: cython.longlong, sweeps: list) -> object:
        """Close the run of prints if nothing at or after ``now`` can belong to it."""
        if self.side and now - self.start > self.window:
            self.end(sweeps)
        return None


@cython.cclass
class Event:
    """The trades, passive fills and touched levels of the event that is open."""

    def __init__(self) -> None:
        self.open = False
        self.touches = Touches()
        self.prints: dict = {}
        self.fills: dict = {}
        self.taken: dict = {}   # (price, resting side) -> size, where the book is told by levels
        self.traded = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin(self, time: cython.longlong, ts_event: cython.longlong, snapshot: cython.bint) -> cython.void:
        self.open = True
        self.time = time
        self.ts_event = ts_event
        self.snapshot = snapshot
        self.auction = False
        self.has_trade = False
        self.traded = 0
        self.passive = 0
        self.touches.count = 0

    @cython.cfunc
    def trade(
        self, side: cython.int, price: cython.longlong, size: cython.longlong, aggressor: cython.longlong,
    ) -> object:
        """A trade summary: put together with the others of its aggressor."""
        self.has_trade = True
        if side == NONE:
            self.auction = True
        else:
            self.traded += size
        key: tuple[int, int] = (aggressor, side)
        row: list = self.prints.get(key)
        if row is None:
            self.prints[key] = [price, price, size, {price}]
        else:
            row[1] = price
            row[2] += size
            row[3].add(price)
        return None

    @cython.cfunc
    def is_aggressor(self, order_id: cython.longlong) -> cython.bint:
        return order_id != 0 and ((order_id, 66) in self.prints or (order_id, 65) in self.prints)

    @cython.cfunc
    def fill(self, order_id: cython.longlong, size: cython.longlong) -> object:
        """A passive fill at the order's resting price; one order can have several."""
        self.passive += size
        self.fills[order_id] = self.fills.get(order_id, 0) + size
        return None

    @cython.cfunc
    def take(self, resting: cython.int, price: cython.longlong, size: cython.longlong) -> object:
        """Size that left a displayed level by trading."""
        key: tuple[int, int] = (price, resting)
        self.taken[key] = self.taken.get(key, 0) + size
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def take_fill(self, order_id: cython.longlong) -> cython.longlong:
        """What the order was filled in this event and no C or M has accounted for yet."""
        if not self.fills:
            return 0
        return self.fills.pop(order_id, 0)

    @cython.cfunc
    def end_prints(self, prints: list, stops: list) -> object:
        """Hand the prints over; a second aggressor id in one event is a stop that the first one triggered."""
        ts: str = str(self.ts_event)
        row: list
        first: cython.longlong = 0
        for key, row in self.prints.items():
            prints.append(Print(ts, SIDES[key[1]], row[0] / NANO, row[1] / NANO, row[2], len(row[3])))
            aggressor: cython.longlong = key[0]
            if first == 0:
                first = aggressor
            elif aggressor != 0 and aggressor != first:
                stops.append(StopFact(ts, SIDES[key[1]], row[0] / NANO, row[2], text_of(aggressor)))
        self.prints = {}
        return None
