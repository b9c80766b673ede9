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
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp, log
from operator import itemgetter
from typing import Any, Literal

import cython

from qmo_cli.engines.iceberg.estimate import SizeEstimate
from qmo_cli.engines.iceberg.told import WALL_RELOADS, WALL_SPAN, Iceberg, IcebergEvent, Pattern
from qmo_cli.packets import RefillEnd, RefillLink
from qmo_cli.rounding import to_six
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

SHIFTS = 5
LEAST_TRANCHES = 3
LEAST_CLIP = 2
LAST_IN = 3 * SECOND      # a chain whose newest tranche was filled is over after this; adds may come a second late
ENOUGH = 10               # chains in the window without which no rate is told
WINDOW_MS = 50.0          # the longest delay of a refill, as in ``route``
USUAL_MS = 10.0           # mean delay of a refill; the choice of ours, measured medians are about 5 ms
EXACT = 0.9               # share of refills that have exactly the size of the one before; ours too
SOON = log(WINDOW_MS / USUAL_MS / (1 - exp(-WINDOW_MS / USUAL_MS)))
SAME, OTHER = SOON + log(EXACT), SOON + log(1 - EXACT)

End = Literal["executed", "cancelled", "unknown"]


@cython.cclass
class Tranche:
    """An order that may be a part of a chain, with its best path back; ``near``: the nearest chain on that path.

    ``evidence`` is the log-likelihood ratio of the path, refills against chance; ``low`` and ``high`` are its smallest
    and largest size; ``last``: smaller than the others, nothing follows it; ``filled``: once that is known.
    """

    def __init__(self, order_id: str, ts: int, price: float, size: int) -> None:
        self.order_id, self.ts, self.price = order_id, ts, price
        self.size = self.low = self.high = size
        self.length = 1
        self.evidence = 0.0
        self.parent: Tranche | None = None
        self.last = self.joined = False
        self.filled = 0
        self.near: Any = None

    def follow(self, parent: Tranche, more: float) -> None:
        """It comes after this one, with so much more evidence."""
        self.parent, self.near = parent, parent.near
        self.length = parent.length + 1
        self.evidence = parent.evidence + more

    def path(self) -> list[Tranche]:
        """Its path, oldest first."""
        path, tranche = [self], self.parent
        while tranche is not None:
            path.append(tranche)
            tranche = tranche.parent
        return path[::-1]


@dataclass(slots=True, eq=False)
class Chain:
    """A synthetic iceberg that was told; ``tail`` is its newest tranche."""

    id: str
    side: str
    tail: Tranche
    first_seen: int
    length: int = 0
    total: int = 0                       # filled, of the tranches that are complete
    first: int = 0                       # of them, the first one
    filled: int = 0                      # of them, the newest
    weighed: int = 0                     # hidden volume that zones have had
    moved: bool = False
    alike: bool = True                   # all tranches but a smaller last one have the same size
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=WALL_RELOADS))
    died: int = 0                        # ns, when the tail was filled; 0: it rests
    over: bool = False
    estimate: SizeEstimate | None = None
    shown: Iceberg | None = None         # as the wire last had it, while that still holds

    def follow(self, tail: Tranche) -> list[Tranche]:
        """The chain now runs to this tranche; gives those that have newly joined it."""
        path = tail.path()
        fresh = [tranche for tranche in path if not tranche.joined]
        for tranche in fresh:
            tranche.near, tranche.joined = self, True
        full = [tranche.size for tranche in path if not tranche.last]
        self.recent.extend(tranche.ts for tranche in (fresh if self.length else path[1:]))
        self.tail, self.length, self.died, self.shown = tail, tail.length, 0, None
        self.total = sum(tranche.filled for tranche in path[:-1])
        self.first, self.filled = path[0].filled, path[-2].filled
        self.moved = len({tranche.price for tranche in path}) > 1
        self.alike = len(set(full)) == 1
        return fresh

    @property
    def hidden(self) -> int:
        """What was filled after the first tranche."""
        return self.total - self.first

    @property
    def clip(self) -> int:
        """The size of its tranches, of the largest where they differ."""
        return self.tail.high

    def public(self) -> Iceberg:
        """The iceberg as the wire has it."""
        if self.shown is None:
            tail = self.tail
            self.shown = Iceberg(
                tail.order_id, self.side, tail.price, "synthetic", self.id, 0 if self.died else tail.size, self.total,  # type: ignore[arg-type]
                self.hidden, self.length - 1, self.clip, self.alike, 0, self.pattern, str(self.first_seen),
                str(tail.ts), self.estimate,
            )
        return self.shown

    @property
    def pattern(self) -> Pattern:
        if len(self.recent) == WALL_RELOADS and self.recent[-1] - self.recent[0] <= WALL_SPAN:
            return "wall"
        if self.moved:
            return "pegged"
        return "fixed_clip" if self.alike else "jittered"


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of a chain: ``kind`` None where it goes on, with the tranches that joined."""

    chain: Chain
    ts: int
    kind: End | None
    joined: Sequence[Tranche] = ()
    fresh: bool = False                  # its first evidence
    filled: int = 0                      # at its end, of the newest tranche

    def event(self, packet: Packet, fdr: float | None) -> IcebergEvent:
        """The line that tells it; ``fdr`` is the false discovery rate as of now."""
        chain, tail, goes_on = self.chain, self.chain.tail, self.kind is None
        shown = tail.size if goes_on else 0
        return IcebergEvent(
            "iceberg-event", self.kind or ("detected" if self.fresh else "reloaded"), str(self.ts), packet.series,
            packet.symbol, tail.order_id, chain.side, tail.price, "synthetic", "refill" if goes_on else None, shown,  # type: ignore[arg-type]
            chain.filled, shown, 0, chain.hidden, chain.total, chain.clip, chain.alike, chain.pattern, chain.id,
            [tranche.order_id for tranche in self.joined], None if fdr is None else to_six(fdr),
            confidence_of(fdr), chain.estimate if goes_on else None,
        )


BY_CHANCE = Told(Chain("", "", Tranche("", 0, 0.0, 0), 0), 0, None)  # stands for all chains under shifts


@dataclass(slots=True)
class Search:
    """The chains under one shift of sizes. Tranches are remembered for ``memory`` ns."""

    shift: int
    series: str
    memory: int
    tranches: dict[str, Tranche] = field(default_factory=dict)

    def take(self, links: Sequence[RefillLink], ts: int) -> Told | None:
        """All links of one add."""
        best: Tranche | None = None
        looked = False
        shift: cython.int = self.shift
        size: cython.longlong
        there: cython.longlong
        for link in links:
            if shift:
                size, there = link.shifted[shift - 1], link.filled_shifted[shift - 1]
            else:
                size, there = link.size, link.filled_size
            if not (are_alike(size, there) or (size < there and not shift)):  # nothing is detected by a last tranche
                continue
            if not looked:
                looked = True
                self._forget(ts - self.memory)
            found = self._step(link, ts, size, there)
            if found and (best is None or (found.length, found.evidence) > (best.length, best.evidence)):
                best = found
        if best is None:
            return None
        self.tranches[best.order_id] = best
        return self._tell(best, links[0])

    def _step(self, link: RefillLink, ts: int, size: int, there: int) -> Tranche | None:
        """The add as the next tranche after the order of this link; None where it cannot be."""
        parent: Tranche | None = self.tranches.get(link.filled_id)
        if parent is None:
            parent = Tranche(link.filled_id, ts, link.price, there)
        parent.filled = link.filled_size
        low: cython.longlong = min(parent.low, size)
        high: cython.longlong = max(parent.high, size)
        alike: cython.bint = are_alike(low, high)
        if parent.last or not (alike or (size < there and parent.length >= LEAST_TRANCHES)):
            return None
        if parent.length == 1:
            self.tranches.setdefault(parent.order_id, parent)
        tranche: Tranche = Tranche(link.order_id, ts, link.price, size)
        tranche.follow(parent, evidence(link, size, there))
        tranche.last = not alike
        tranche.low, tranche.high = (low, high) if alike else (parent.low, parent.high)
        return tranche

    def _tell(self, tranche: Tranche, link: RefillLink) -> Told | None:
        chain: Chain | None = tranche.near
        if self.shift:
            return self._count(tranche)
        if chain is None and tranche.length >= LEAST_TRANCHES:
            first = tranche.path()[0]
            chain = Chain(chain_id(self.series, link.side, first), link.side, tranche, tranche.ts)
            return Told(chain, tranche.ts, None, chain.follow(tranche), fresh=True)
        if chain is not None and not chain.over and tranche.length > chain.length:
            return Told(chain, tranche.ts, None, chain.follow(tranche))
        return None

    @staticmethod
    def _count(tranche: Tranche) -> Told | None:
        """Under a shift chains are counted, not told of: each tranche belongs to one at most."""
        if tranche.near is not None or tranche.length < LEAST_TRANCHES:
            return None
        for part in tranche.path():
            part.near = BY_CHANCE
        return BY_CHANCE

    def _forget(self, oldest: int) -> None:
        tranches = self.tranches
        while tranches:
            order_id = next(iter(tranches))
            if tranches[order_id].ts >= oldest:
                return
            del tranches[order_id]


@dataclass(slots=True)
class Chains:
    """The synthetic icebergs of one contract, and how many of them chance would make. ``window`` is ns."""

    series: str
    window: int
    real: Search = field(init=False)
    null: list[Search] = field(init=False)
    live: dict[str, Chain] = field(default_factory=dict)     # by the id of the newest tranche
    filled: list[tuple[int, str, Chain]] = field(default_factory=list)  # when the newest tranche was filled
    found: list[int] = field(default_factory=list)           # ns, detections, ascending
    chance: list[int] = field(default_factory=list)          # the same under any shift

    def __post_init__(self) -> None:
        self.real = Search(0, self.series, self.window)
        self.null = [Search(shift, self.series, self.window) for shift in range(1, SHIFTS + 1)]

    def take(self, links: Sequence[RefillLink], ts: int) -> Told | None:
        """The links of one add; what they tell of a chain."""
        for search in self.null:
            if search.take(links, ts) is not None:
                self._count(self.chance, ts)
        told = self.real.take(links, ts)
        if told is None:
            return None
        if told.fresh:
            self._count(self.found, ts)
        self.live = {key: chain for key, chain in self.live.items() if chain is not told.chain}
        self.live[told.chain.tail.order_id] = told.chain
        return told

    def _count(self, times: list[int], ts: int) -> None:
        """Note a detection, and forget those that no window to come can hold."""
        insort(times, ts)
        del times[:bisect_right(times, ts - self.window - LAST_IN)]

    def end(self, end: RefillEnd, ts: int) -> Told | None:
        """The newest tranche of a chain rests no more: where it was filled another may follow yet."""
        chain = self.live.get(end.order_id)
        if chain is None or chain.died:
            return None
        if end.kind == "executed":
            chain.died, chain.tail.filled, chain.shown = ts, end.filled, None
            insort(self.filled, (ts, chain.id, chain), key=itemgetter(0, 1))
            return None
        return self._close(chain, ts, "cancelled" if end.kind == "cancelled" else "unknown", end.filled)

    def advance(self, now: int) -> Iterator[Told]:
        """The chains that are executed by this time, for no tranche followed."""
        while self.filled and self.filled[0][0] + LAST_IN < now:
            died, _, chain = self.filled.pop(0)
            if chain.died == died and not chain.over:
                yield self._close(chain, died, "executed", chain.tail.filled)

    def _close(self, chain: Chain, ts: int, kind: End, filled: int) -> Told:
        chain.over = True
        chain.total, chain.filled = chain.total + filled, filled
        del self.live[chain.tail.order_id]
        return Told(chain, ts, kind, filled=filled)

    def counts(self, now: int) -> tuple[int, float]:
        """Chains of the window, and how many chance makes on average."""
        number, by_chance = (
            len(times) - bisect_right(times, now - self.window) for times in (self.found, self.chance))
        return number, by_chance / SHIFTS

    def rate(self, now: int) -> float | None:
        """The false discovery rate; None below five chains."""
        number, by_chance = self.counts(now)
        return min(1.0, by_chance / number) if number >= ENOUGH else None


def confidence_of(fdr: float | None) -> float:
    """1 - fdr; nothing is known before there is one."""
    return 0.0 if fdr is None else to_six(1 - fdr)


def evidence(link: RefillLink, size: int, there: int) -> float:
    """Log-likelihood ratio of one link: delay and size of a refill against those of any order.

    Refills come after an exponential delay, others at any time of the window alike; a refill has the same size nine
    times in ten, another order as often as those five before it had it.
    """
    usual: cython.double = (link.shifted.count(size) + 0.5) / (SHIFTS + 1)
    return (SAME if size == there else OTHER) - link.delay / (USUAL_MS * 1e6) - log(usual)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def are_alike(size: cython.longlong, there: cython.longlong) -> cython.bint:
    """Whether these may be sizes of two tranches that follow each other."""
    return size >= LEAST_CLIP and there >= LEAST_CLIP and 5 * abs(size - there) <= max(size, there)


def chain_id(series: str, side: str, first: Tranche) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    text = f"{series} chain {side} {first.price!r} {first.order_id} {first.ts}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
