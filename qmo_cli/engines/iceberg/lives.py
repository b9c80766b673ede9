# cython: language_level=3, auto_pickle=False
"""The life of one iceberg: what it showed, what it hid, how it behaved."""

from __future__ import annotations

from collections import deque
from math import gcd

import cython

from qmo_cli.engines.iceberg.estimate import SizeEstimate
from qmo_cli.engines.iceberg.told import WALL_RELOADS, WALL_SPAN, Iceberg, IcebergEvent, Kind, Pattern
from qmo_cli.packets import IcebergFact
from qmo_cli.tray import Packet

CONFIDENCE = 0.99        # of native evidence: it is the exchange's own arithmetic


@cython.final
@cython.cclass
class Life:
    """What is known of one native iceberg; ``fact`` is the newest, ``first_seen`` the ns of the first.

    ``known``: its detection has been told; ``recent``: ns of the newest reloads; ``largest``: display seen; ``common``:
    gcd of what its refreshes revealed; ``fitting``: peaks that all evidence allows, ascending; ``hidden``: traded so
    far beyond the first display. ``estimate`` is of its total, as of the newest fact; ``shown`` as the wire last had
    it, while that holds.
    """

    def __init__(self, fact: IcebergFact) -> None:
        self.fact, self.first_seen = fact, int(fact.ts_event)
        # the first display bounds the peak from below, it need not be the peak
        self.largest = max(fact.before, fact.first if fact.seen_added else 0)
        self.known = self.moved = False
        self.reloads = self.common = self.misfits = self.hidden = 0
        self.recent: deque[int] = deque(maxlen=WALL_RELOADS)
        self.fitting: list[int] = []
        self.estimate: SizeEstimate | None = None
        self.shown: Iceberg | None = None

    @cython.ccall
    def take(self, fact: IcebergFact) -> list:
        """Fold a fact in; what it means for the iceberg's life."""
        kind = fact.kind
        known: cython.bint = self.known
        self.known, self.fact, self.shown = True, fact, None
        if kind == "fill" or kind == "reprice":
            self.moved = self.moved or kind == "reprice"
            return []
        if kind != "refresh" and kind != "removal":
            return [kind]
        if kind == "refresh":
            self.refresh(fact)
        seen: Kind = "reloaded" if known else "detected"
        return [seen, "executed"] if kind == "removal" else [seen]

    @cython.cfunc
    def refresh(self, fact: IcebergFact) -> object:
        """What a refresh revealed is a multiple of the peak, unless it was the last, smaller tranche."""
        self.reloads += 1
        self.recent.append(int(fact.ts_event))
        self.largest = max(self.largest, fact.before, fact.after)
        common = gcd(self.common, fact.revealed)
        fitting: list = candidates(common, self.largest)
        if fitting:
            self.common, self.fitting = common, fitting
        else:
            self.misfits += 1
            self.fitting = candidates(self.common, self.largest)
        return None

    @property
    def peak(self) -> int | None:
        """The smallest peak that fits."""
        return self.fitting[0] if self.fitting else None

    @property
    def peak_exact(self) -> bool:
        return len(self.fitting) == 1

    @property
    def pattern(self) -> Pattern:
        """The field's name for how it behaves."""
        if len(self.recent) == WALL_RELOADS and self.recent[-1] - self.recent[0] <= WALL_SPAN:
            return "wall"
        if self.reloads == 0 and self.fact.kind == "removal":
            return "one_hit"
        return "pegged" if self.moved else "native"

    @property
    def clip(self) -> int:
        """What it shows at a time, as far as that is known."""
        return self.peak or self.largest

    @cython.ccall
    def public(self) -> object:
        """The iceberg as the wire has it."""
        if self.shown is None:
            fact = self.fact
            self.shown = Iceberg(
                fact.order_id, fact.side, fact.price, "native", None, fact.after, fact.total, fact.hidden_traded,  # type: ignore[arg-type]
                self.reloads, self.peak, self.peak_exact, self.misfits, self.pattern, str(self.first_seen),
                fact.ts_event, self.estimate,
            )
        return self.shown

    @cython.ccall
    def event(self, packet: Packet, kind: object) -> object:
        """The line that tells what the newest fact means."""
        fact = self.fact
        evidence = fact.kind if kind in ("detected", "reloaded") else None
        return IcebergEvent(
            "iceberg-event", kind, fact.ts_event, packet.series, packet.symbol, fact.order_id, fact.side, fact.price,  # type: ignore[arg-type]
            "native", evidence, fact.after, fact.filled, fact.revealed, fact.hidden_filled, fact.hidden_traded,  # type: ignore[arg-type]
            fact.total, self.peak, self.peak_exact, self.pattern, None, [], None, CONFIDENCE,
            self.estimate if kind in ("detected", "reloaded") and fact.kind != "removal" else None,
        )


def candidates(common: int, largest: int) -> list[int]:
    """Divisors of ``common`` not below the largest display, ascending.

    >>> candidates(10, 4), candidates(10, 10), candidates(7, 8), candidates(0, 5)
    ([5, 10], [10], [], [])
    """
    return [common // parts for parts in range(common // max(1, largest), 0, -1) if common % parts == 0]
