# cython: language_level=3, auto_pickle=False
"""Synthetic icebergs as they are told: links between orders, the tranches they make, and the chains of these."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from math import exp, log
from typing import Any

import cython

from qmo_cli.engines.iceberg.estimate import SizeEstimate
from qmo_cli.engines.iceberg.told import WALL_RELOADS, WALL_SPAN, Iceberg, IcebergEvent, Pattern
from qmo_cli.packets import RefillLink
from qmo_cli.rounding import to_six
from qmo_cli.tray import Packet

SHIFTS = 5
WINDOW_MS = 50.0          # the longest delay of a refill, as in ``route``
USUAL_MS = 10.0           # mean delay of a refill; the choice of ours, measured medians are about 5 ms
EXACT = 0.9               # share of refills that have exactly the size of the one before; ours too
SOON = log(WINDOW_MS / USUAL_MS / (1 - exp(-WINDOW_MS / USUAL_MS)))
SAME, OTHER = SOON + log(EXACT), SOON + log(1 - EXACT)


@cython.final
@cython.cclass
class Link:
    """A link of a packet, and its sizes by shift; those of its own stand first."""

    def __init__(self, link: RefillLink) -> None:
        self.order_id, self.filled_id, self.side = link.order_id, link.filled_id, link.side
        self.price, self.filled, self.delay = link.price, link.filled_size, link.delay
        self.shifted: list[int] = link.shifted
        self.sizes: list[int] = [link.size, *self.shifted]
        self.theirs: list[int] = [self.filled, *link.filled_shifted]

    @cython.cfunc
    @cython.exceptval(-1e300, check=True)
    def evidence(self, size: cython.longlong, there: cython.longlong) -> cython.double:
        """Log-likelihood ratio of one link: delay and size of a refill against those of any order.

        Refills come after an exponential delay, others at any time of the window alike; a refill has the same size
        nine times in ten, another order as often as those five before it had it.
        """
        other: cython.longlong
        alike: cython.int = 0
        for other in self.shifted:
            alike += other == size
        usual: cython.double = (alike + 0.5) / (SHIFTS + 1)
        return (SAME if size == there else OTHER) - self.delay / (USUAL_MS * 1e6) - log(usual)


@cython.final
@cython.cclass
class Tranche:
    """An order that may be a part of a chain, with its best path back; ``near``: the nearest chain on that path.

    ``evidence`` is the log-likelihood ratio of the path, refills against chance; ``low`` and ``high`` are its smallest
    and largest size; ``last``: smaller than the others, nothing follows it; ``filled``: once that is known.
    """

    def __init__(self, order_id: str, ts: cython.longlong, price: cython.double, size: cython.longlong) -> None:
        self.order_id, self.ts, self.price = order_id, ts, price
        self.size = self.low = self.high = size
        self.length = 1
        self.evidence = 0.0
        self.parent: Tranche | None = None
        self.last = self.joined = False
        self.filled = 0
        self.near: Chain | None = None

    @cython.cfunc
    def follow(self, parent: Tranche, more: cython.double) -> object:
        """It comes after this one, with so much more evidence."""
        self.parent, self.near = parent, parent.near
        self.length = parent.length + 1
        self.evidence = parent.evidence + more
        return None

    @cython.cfunc
    def path(self) -> list:
        """Its path, oldest first."""
        path: list = [self]
        tranche: Tranche = self.parent
        while tranche is not None:
            path.append(tranche)
            tranche = tranche.parent
        path.reverse()
        return path


@cython.final
@cython.cclass
class Chain:
    """A synthetic iceberg that was told; ``tail`` is its newest tranche, ``key`` the order under which it is kept.

    ``total`` is filled of the tranches that are complete, ``first`` and ``filled`` of the first and newest of them;
    ``weighed``: hidden volume that zones have had; ``alike``: all tranches but a smaller last one have the same size.
    ``died``: ns, when the tail was filled, 0 while it rests. ``shown``: as the wire last had it, while that holds.
    """

    def __init__(self, id: str, side: str, tail: Tranche, first_seen: cython.longlong) -> None:  # noqa: A002
        self.id, self.side, self.tail, self.first_seen, self.key = id, side, tail, first_seen, ""
        self.length = 0
        self.total = self.first = self.filled = self.weighed = self.died = 0
        self.alike, self.moved, self.over = True, False, False
        self.recent: deque[int] = deque(maxlen=WALL_RELOADS)
        self.estimate: SizeEstimate | None = None
        self.shown: Iceberg | None = None

    @cython.cfunc
    def follow(self, tail: Tranche) -> list:
        """The chain now runs to this tranche; gives those that have newly joined it."""
        tranche: Tranche
        path: list = tail.path()
        oldest: Tranche = path[0]
        before: Tranche = path[-2]
        fresh: list = []
        self.alike, self.moved, self.total = True, False, 0
        for tranche in path:
            if not tranche.joined:
                tranche.near, tranche.joined = self, True
                fresh.append(tranche)
            self.moved = self.moved or tranche.price != oldest.price
            self.alike = self.alike and (tranche.last or tranche.size == oldest.size)
            self.total += 0 if tranche is tail else tranche.filled
        self.recent.extend([one.ts for one in (fresh if self.length else path[1:])])
        self.tail, self.length, self.died, self.shown = tail, tail.length, 0, None
        self.first, self.filled = oldest.filled, before.filled
        return fresh

    @property
    def hidden(self) -> int:
        """What was filled after the first tranche."""
        return self.total - self.first

    @property
    def clip(self) -> int:
        """The size of its tranches, of the largest where they differ."""
        return self.tail.high

    @cython.ccall
    def public(self) -> object:
        """The iceberg as the wire has it."""
        if self.shown is None:
            tail: Tranche = self.tail
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


@cython.final
@cython.cclass
class Told:
    """What is to be told of a chain: ``kind`` None where it goes on, with the tranches that joined.

    ``fresh``: its first evidence.
    """

    def __init__(
        self, chain: Chain, ts: cython.longlong, kind: object, joined: Sequence[Tranche] = (), fresh: bool = False,
    ) -> None:
        self.chain, self.ts, self.kind, self.joined, self.fresh = chain, ts, kind, joined, fresh

    @cython.ccall
    def event(self, packet: Packet, fdr: Any) -> object:
        """The line that tells it; ``fdr`` is the false discovery rate as of now."""
        chain: Chain = self.chain
        tail: Tranche = chain.tail
        goes_on: cython.bint = self.kind is None
        shown = tail.size if goes_on else 0
        return IcebergEvent(
            "iceberg-event", self.kind or ("detected" if self.fresh else "reloaded"), str(self.ts), packet.series,  # type: ignore[arg-type]
            packet.symbol, tail.order_id, chain.side, tail.price, "synthetic", "refill" if goes_on else None, shown,  # type: ignore[arg-type]
            chain.filled, shown, 0, chain.hidden, chain.total, chain.clip, chain.alike, chain.pattern, chain.id,
            [tranche.order_id for tranche in self.joined], None if fdr is None else to_six(fdr),
            confidence_of(fdr), chain.estimate if goes_on else None,
        )


def confidence_of(fdr: float | None) -> float:
    """1 - fdr; nothing is known before there is one."""
    return 0.0 if fdr is None else to_six(1 - fdr)


def chain_id(series: str, side: str, first: Tranche) -> str:
    """A stable name: the same evidence gives the same id wherever and whenever it is read."""
    text = f"{series} chain {side} {first.price!r} {first.order_id} {first.ts}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
