# cython: language_level=3, auto_pickle=False
"""Synthetic icebergs: chains of new orders, each added just after the one before it was filled completely.

An add links to all orders of its side and price that died shortly before and whose size it matches: a tree. Each add
takes the link that makes its path longest and, of equals, likeliest. What was told is not taken back: a chain is told
when a path has three tranches, and again whenever a longer path through its orders appears; an order belongs to one
chain only.

Chance makes such chains too. The same search runs on sizes that belong to other orders (shifts 1 to 5, see
``packets.RefillLink``); false discovery rate = mean number of chains under a shift / number of chains, over a trailing
window.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from operator import itemgetter

import cython

from qmo_cli.engines.iceberg.chain import SHIFTS, Chain, Link, Told, Tranche, chain_id
from qmo_cli.packets import RefillEnd
from qmo_cli.times import SECOND

LEAST_TRANCHES = 3
LEAST_CLIP = 2
LAST_IN = 3 * SECOND      # a chain whose newest tranche was filled is over after this; adds may come a second late
ENOUGH = 10               # chains in the window without which no rate is told
NO_CHAIN = Chain("", "", Tranche("", 0, 0.0, 0), 0)
BY_CHANCE = Told(NO_CHAIN, 0, None)  # stands for all chains under shifts


@cython.final
@cython.cclass
class Search:
    """The chains under one shift of sizes. Tranches are remembered for ``memory`` ns."""

    def __init__(self, shift: int, series: str, memory: int) -> None:
        self.shift, self.series, self.memory = shift, series, memory
        self.tranches: dict[str, Tranche] = {}

    @cython.ccall
    def take(self, links: list, ts: cython.longlong) -> Told:
        """All links of one add; what they tell of a chain, None where that is nothing."""
        link: Link
        found: Tranche
        best: Tranche = None
        looked: cython.bint = False
        for link in links:
            size: cython.longlong = link.sizes[self.shift]
            there: cython.longlong = link.theirs[self.shift]
            if not (are_alike(size, there) or (size < there and not self.shift)):
                continue  # nothing is detected by a last tranche
            if not looked:
                looked = True
                self.forget(ts - self.memory)
            found = self.step(link, ts, size, there)
            if found is not None and (best is None or is_better(found, best)):
                best = found
        if best is None:
            return None
        self.tranches[best.order_id] = best
        link = links[0]
        return self.count(best) if self.shift else self.tell(best, link.side)

    @cython.cfunc
    def step(self, link: Link, ts: cython.longlong, size: cython.longlong, there: cython.longlong) -> Tranche:
        """The add as the next tranche after the order of this link; None where it cannot be."""
        parent: Tranche = self.tranches.get(link.filled_id)
        if parent is None:
            parent = Tranche(link.filled_id, ts, link.price, there)
        parent.filled = link.filled
        low: cython.longlong = min(parent.low, size)
        high: cython.longlong = max(parent.high, size)
        alike: cython.bint = are_alike(low, high)
        if parent.last or not (alike or (size < there and parent.length >= LEAST_TRANCHES)):
            return None
        if parent.length == 1:
            self.tranches.setdefault(parent.order_id, parent)
        tranche: Tranche = Tranche(link.order_id, ts, link.price, size)
        tranche.follow(parent, link.evidence(size, there))
        tranche.last = not alike
        tranche.low = low if alike else parent.low
        tranche.high = high if alike else parent.high
        return tranche

    @cython.cfunc
    def tell(self, tranche: Tranche, side: str) -> Told:
        chain: Chain = tranche.near
        if chain is None and tranche.length >= LEAST_TRANCHES:
            chain = Chain(chain_id(self.series, side, tranche.path()[0]), side, tranche, tranche.ts)
            return Told(chain, tranche.ts, None, chain.follow(tranche), True)
        if chain is not None and not chain.over and tranche.length > chain.length:
            return Told(chain, tranche.ts, None, chain.follow(tranche))
        return None

    @cython.cfunc
    def count(self, tranche: Tranche) -> Told:
        """Under a shift chains are counted, not told of: each tranche belongs to one at most."""
        part: Tranche
        if tranche.near is not None or tranche.length < LEAST_TRANCHES:
            return None
        for part in tranche.path():
            part.near = NO_CHAIN
        return BY_CHANCE

    @cython.cfunc
    def forget(self, oldest: cython.longlong) -> object:
        tranche: Tranche
        tranches: dict = self.tranches
        while tranches:
            order_id = next(iter(tranches))
            tranche = tranches[order_id]
            if tranche.ts >= oldest:
                break
            del tranches[order_id]
        return None


@cython.final
@cython.cclass
class Chains:
    """The synthetic icebergs of one contract, and how many of them chance would make. ``window`` is ns.

    ``live`` is by the id of the newest tranche; ``filled``: (ns, id, chain), when that was filled; ``found`` are the ns
    of detections, ascending, and ``chance`` the same under any shift.
    """

    def __init__(self, series: str, window: int) -> None:
        self.window = window
        self.real = Search(0, series, window)
        self.null = [Search(shift, series, window) for shift in range(1, SHIFTS + 1)]
        self.live: dict[str, Chain] = {}
        self.filled: list[tuple[int, str, Chain]] = []
        self.found: list[int] = []
        self.chance: list[int] = []

    @cython.ccall
    def take(self, links: list, ts: cython.longlong) -> Told:
        """The links of one add; what they tell of a chain."""
        search: Search
        rows: list = [Link(link) for link in links]
        for search in self.null:
            if search.take(rows, ts) is not None:
                self.count(self.chance, ts)
        told: Told = self.real.take(rows, ts)
        if told is None:
            return None
        if told.fresh:
            self.count(self.found, ts)
        chain: Chain = told.chain
        self.live.pop(chain.key, None)
        chain.key = chain.tail.order_id
        self.live[chain.key] = chain
        return told

    @cython.cfunc
    def count(self, times: list, ts: cython.longlong) -> object:
        """Note a detection, and forget those that no window to come can hold."""
        insort(times, ts)
        del times[:bisect_right(times, ts - self.window - LAST_IN)]
        return None

    @cython.ccall
    def end(self, end: RefillEnd, ts: cython.longlong) -> Told:
        """The newest tranche of a chain rests no more: where it was filled another may follow yet."""
        chain: Chain = self.live.get(end.order_id)
        if chain is None or chain.died:
            return None
        if end.kind == "executed":
            chain.died, chain.tail.filled, chain.shown = ts, end.filled, None
            insort(self.filled, (ts, chain.id, chain), key=itemgetter(0, 1))
            return None
        return self.close(chain, ts, "cancelled" if end.kind == "cancelled" else "unknown", end.filled)

    @cython.ccall
    def advance(self, now: cython.longlong) -> list:
        """The chains that are executed by this time, for no tranche followed."""
        chain: Chain
        told: list = []
        while self.filled and self.filled[0][0] + LAST_IN < now:
            died, _, chain = self.filled.pop(0)
            if chain.died == died and not chain.over:
                told.append(self.close(chain, died, "executed", chain.tail.filled))
        return told

    @cython.cfunc
    def close(self, chain: Chain, ts: cython.longlong, kind: object, filled: cython.longlong) -> Told:
        chain.over = True
        chain.total += filled
        chain.filled = filled
        del self.live[chain.key]
        return Told(chain, ts, kind)

    @cython.ccall
    def counts(self, now: cython.longlong) -> tuple:
        """Chains of the window, and how many chance makes on average."""
        since: cython.longlong = now - self.window
        chance: cython.double = number_after(self.chance, since)
        return number_after(self.found, since), chance / SHIFTS

    @cython.ccall
    def rate(self, now: cython.longlong) -> object:
        """The false discovery rate; None below ten chains."""
        number, by_chance = self.counts(now)
        return rate_of(number, by_chance)


@cython.ccall
def rate_of(number: cython.longlong, by_chance: cython.double) -> object:
    """The false discovery rate of so many chains, of which chance makes so many; None below ten."""
    return min(1.0, by_chance / number) if number >= ENOUGH else None


@cython.cfunc
@cython.exceptval(-1, check=True)
def number_after(times: list, since: cython.longlong) -> cython.Py_ssize_t:
    """How many of the ascending times are later."""
    if not times or times[0] > since:
        return len(times)
    return len(times) - bisect_right(times, since)


@cython.cfunc
@cython.exceptval(check=False)
def is_better(one: Tranche, other: Tranche) -> cython.bint:
    """Whether its path is longer, or as long and likelier."""
    return one.length > other.length or (one.length == other.length and one.evidence > other.evidence)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def are_alike(size: cython.longlong, there: cython.longlong) -> cython.bint:
    """Whether these may be sizes of two tranches that follow each other."""
    return size >= LEAST_CLIP and there >= LEAST_CLIP and 5 * abs(size - there) <= max(size, there)
