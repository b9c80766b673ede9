# cython: language_level=3, auto_pickle=False
"""The life of one iceberg: what it showed, what it hid, how it behaved."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import gcd

from qmo_cli.engines.iceberg.estimate import SizeEstimate
from qmo_cli.engines.iceberg.told import WALL_RELOADS, WALL_SPAN, Iceberg, IcebergEvent, Kind, Pattern
from qmo_cli.packets import IcebergFact
from qmo_cli.tray import Packet

CONFIDENCE = 0.99        # of native evidence: it is the exchange's own arithmetic


@dataclass(slots=True)
class Life:
    """What is known of one native iceberg; ``fact`` is the newest."""

    fact: IcebergFact
    first_seen: int                      # ns, first evidence
    known: bool = False                  # its detection has been told
    reloads: int = 0
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=WALL_RELOADS))  # ns, newest reloads
    largest: int = 0                     # largest display seen
    common: int = 0                      # gcd of what its refreshes revealed
    fitting: list[int] = field(default_factory=list)  # peaks that all evidence allows, ascending
    misfits: int = 0
    moved: bool = False
    hidden: int = 0                      # hidden_traded so far
    estimate: SizeEstimate | None = None  # of its total, as of the newest fact
    shown: Iceberg | None = None         # as the wire last had it, while that still holds

    @classmethod
    def begin(cls, fact: IcebergFact) -> Life:
        """The first evidence. The first display bounds the peak from below, it need not be the peak."""
        return cls(fact, int(fact.ts_event), largest=max(fact.before, fact.first if fact.seen_added else 0))

    def take(self, fact: IcebergFact) -> list[Kind]:
        """Fold a fact in; what it means for the iceberg's life."""
        known, self.known, self.fact, self.shown = self.known, True, fact, None
        self.moved = self.moved or fact.kind == "reprice"
        if fact.kind == "fill" or fact.kind == "reprice":
            return []
        if fact.kind != "refresh" and fact.kind != "removal":
            return [fact.kind]
        if fact.kind == "refresh":
            self._refresh(fact)
        seen: Kind = "reloaded" if known else "detected"
        return [seen, "executed"] if fact.kind == "removal" else [seen]

    def _refresh(self, fact: IcebergFact) -> None:
        """What a refresh revealed is a multiple of the peak, unless it was the last, smaller tranche."""
        self.reloads += 1
        self.recent.append(int(fact.ts_event))
        self.largest = max(self.largest, fact.before, fact.after)
        common = gcd(self.common, fact.revealed)
        fitting = candidates(common, self.largest)
        if fitting:
            self.common, self.fitting = common, fitting
        else:
            self.misfits += 1
            self.fitting = candidates(self.common, self.largest)

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

    def public(self) -> Iceberg:
        """The iceberg as the wire has it."""
        if self.shown is None:
            fact = self.fact
            self.shown = Iceberg(
                fact.order_id, fact.side, fact.price, "native", None, fact.after, fact.total, fact.hidden_traded,  # type: ignore[arg-type]
                self.reloads, self.peak, self.peak_exact, self.misfits, self.pattern, str(self.first_seen),
                fact.ts_event, self.estimate,
            )
        return self.shown

    def event(self, packet: Packet, kind: Kind) -> IcebergEvent:
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
