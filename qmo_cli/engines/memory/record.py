"""What became of the retests of zones and of their pseudo-zones, and what chance would have made of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import fsum, sqrt
from typing import NamedTuple

from .log import Outcome, Pair


class Record(NamedTuple):
    """What became of the retests of the remembered days, each visit of price counted once."""

    holds: int = 0
    breaks: int = 0
    expired: int = 0
    expected: float = 0.0                # holds of as many random walks from the same entries
    variance: float = 0.0                # of that number
    control_holds: int = 0
    control_breaks: int = 0
    pairs: int = 0
    zone_first: int = 0

    @property
    def decided(self) -> int:
        """Retests that held or broke."""
        return self.holds + self.breaks

    @property
    def controls(self) -> int:
        """Retests of pseudo-zones that held or broke."""
        return self.control_holds + self.control_breaks

    @property
    def excess(self) -> float | None:
        """Holds beyond the random walk's, in its standard deviations."""
        return (self.holds - self.expected) / sqrt(self.variance) if self.variance > 0 else None

    @property
    def phi(self) -> float | None:
        """Correlation of being a zone, not a pseudo-zone, with holding: the coefficient of the table of four."""
        a, b, c, d = self.holds, self.breaks, self.control_holds, self.control_breaks
        product = (a + b) * (c + d) * (a + c) * (b + d)
        return (a * d - b * c) / sqrt(product) if product else None


def record_of(outcomes: Iterable[Outcome], pairs: Collection[Pair]) -> Record:
    """The record of these results; of retests that overlap, the first."""
    results = {(control, result): 0 for control in (False, True) for result in ("hold", "break", "expired")}
    nulls = []
    for outcome in outcomes:
        retest = outcome.retest
        if retest.echo:
            continue
        results[retest.control, outcome.result] += 1
        if not retest.control and outcome.result != "expired":
            nulls.append(retest.null)
    return Record(
        results[False, "hold"], results[False, "break"], results[False, "expired"], fsum(nulls),
        fsum(null * (1 - null) for null in nulls), results[True, "hold"], results[True, "break"],
        len(pairs), sum(pair.zone_first for pair in pairs),
    )
