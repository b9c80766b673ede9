# cython: language_level=3, auto_pickle=False
"""Seconds of trades and the levels that they hit, put together again from whatever frames they came in."""

from __future__ import annotations

from typing import Literal

import cython

from qmo_cli.packets import Hit, IcebergFact, Second

Key = tuple[Literal["B", "A"], float]    # side of the resting orders, price


@cython.final
@cython.cclass
class Strike:
    """Aggressors trading into one level within one second, until something printed beyond it.

    ``before``: displayed when first hit; ``after``: once the event of the last hit was complete. ``first`` and ``last``
    in ns. ``beyond``: something had printed beyond the level before, in this second; ``through``: and has since.
    ``hidden``: of ``traded``, what had been hidden when its order was placed.
    """

    def __init__(self, hit: Hit) -> None:
        self.before, self.after, self.largest, self.traded = hit.before, hit.after, hit.largest, hit.traded
        self.first, self.last = hit.ts_event, hit.ts_last
        self.beyond, self.through = hit.beyond, hit.through
        self.hidden = 0

    @cython.cfunc
    def join(self, later: Strike) -> object:
        """Go on with what a later frame tells of the same second."""
        self.after, self.last, self.through = later.after, later.last, later.through
        self.largest = max(self.largest, later.largest)
        self.traded += later.traded
        self.hidden += later.hidden
        return None


@cython.final
@cython.cclass
class OneSecond:
    """The trades of one second and the levels they hit. ``bought`` by aggressors, less what they sold."""

    def __init__(self, row: Second, strikes: dict[Key, list[Strike]]) -> None:
        self.second, self.low, self.high, self.close = row.second, row.low, row.high, row.close
        self.bought = row.buy - row.sell
        self.strikes = strikes

    @cython.cfunc
    def join(self, row: Second, strikes: dict) -> object:
        """Go on with a later part of the second."""
        one: Strike
        low: cython.double = row.low
        high: cython.double = row.high
        for key, standing in self.strikes.items():
            again = strikes.get(key)
            one = standing[-1]
            if not one.through:
                one.through = begins_beyond(again) if again else is_beyond(key, low, high)
        for key, found in strikes.items():
            self.add(key, found)
        self.low, self.high, self.close = min(self.low, low), max(self.high, high), row.close
        self.bought += row.buy - row.sell
        return None

    @cython.cfunc
    def add(self, key: tuple, found: list) -> object:
        standing: list = self.strikes.setdefault(key, [])
        first: Strike = found[0]
        last: Strike = standing[-1] if standing else None
        if last is not None and not last.through:
            last.join(first)
        else:
            first.beyond = first.beyond or is_beyond(key, self.low, self.high)
            standing.append(first)
        standing += found[1:]
        return None


@cython.final
@cython.cclass
class Seconds:
    """Seconds that are not over yet: a record may come up to one second late."""

    def __init__(self) -> None:
        self.open: dict[int, OneSecond] = {}
        self.newest = 0

    @cython.ccall
    def take(self, rows: list, hits: list, facts: list) -> object:
        """A frame's seconds, the levels hit in them, and what icebergs among these gave away."""
        known: OneSecond
        strikes: dict = strikes_of(hits, facts) if hits else {}
        for row in rows:
            second = row.second
            found: dict = strikes.get(second)
            if found is None:
                found = {}
            known = self.open.get(second)
            if known is None:
                self.open[second] = OneSecond(row, found)
            else:
                known.join(row, found)
            self.newest = second
        return None

    @cython.ccall
    def over(self, last: cython.longlong) -> list:
        """The seconds up to this one, in order; they are given once."""
        if not self.open:
            return []
        return [self.open.pop(second) for second in sorted([second for second in self.open if second <= last])]


@cython.cfunc
def strikes_of(hits: list, facts: list) -> dict:
    """The levels hit, by second and level."""
    found: dict = {}
    newest: dict = {}
    second: object = None
    for hit in hits:
        if hit.second != second:
            second = hit.second
            newest = found.setdefault(second, {})
        key = hit.side, hit.price
        level: list = newest.get(key)
        if level is None:
            newest[key] = [Strike(hit)]
        else:
            level.append(Strike(hit))
    for fact in facts:
        hidden = min(fact.filled, fact.hidden_traded)
        if hidden and fact.kind != "unknown":
            hide(found, fact, hidden)
    return found


@cython.cfunc
def hide(found: dict, fact: IcebergFact, hidden: cython.longlong) -> object:
    """Hidden size traded at a level at this time."""
    strike: Strike
    ts = int(fact.ts_event)
    for levels in found.values():
        for strike in levels.get((fact.side, fact.price), ()):
            if int(strike.first) <= ts <= int(strike.last):
                strike.hidden += hidden
                return None
    return None


@cython.ccall
@cython.exceptval(-1, check=True)
def begins_beyond(strikes: list) -> cython.bint:
    """Whether the first of them came after something had printed beyond the level."""
    first: Strike = strikes[0]
    return first.beyond


@cython.ccall
@cython.exceptval(-1, check=True)
def is_beyond(key: tuple, low: cython.double, high: cython.double) -> cython.bint:
    """Whether prints that went from low to high went beyond a level."""
    price: cython.double = key[1]
    return low < price if key[0] == "B" else high > price
