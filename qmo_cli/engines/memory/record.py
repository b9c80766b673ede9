"""What became of the retests of zones and of their pseudo-zones, and what chance would have made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

from .log import Outcome, Pair

UNIT = 1 << 1074  # of these parts of 1 every float is a whole number


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


def exact(value: float) -> int:
    """The value in parts of ``UNIT``."""
    numerator, denominator = value.as_integer_ratio()
    return numerator * (UNIT // denominator)


class Tally:
    """Counts results and pairs as they come and go; of retests that overlap only the first counts.

    The nulls are added up exactly, so that it does not matter what came before and was forgotten.
    """

    def __init__(self) -> None:
        self.results: Counter[tuple[bool, str]] = Counter()  # control, result
        self.expected = self.variance = 0                    # parts of UNIT
        self.pairs = self.zone_first = 0

    def count(self, outcome: Outcome, times: int) -> None:
        """Count a result (1), or no more (-1)."""
        retest = outcome.retest
        if retest.echo:
            return
        self.results[retest.control, outcome.result] += times
        if not retest.control and outcome.result != "expired":
            self.expected += times * exact(retest.null)
            self.variance += times * exact(retest.null * (1 - retest.null))

    def count_pair(self, pair: Pair, times: int) -> None:
        """Count a pair (1), or no more (-1)."""
        self.pairs += times
        self.zone_first += times * pair.zone_first

    def record(self) -> Record:
        """What became of those that count now."""
        results = self.results
        return Record(
            results[False, "hold"], results[False, "break"], results[False, "expired"], self.expected / UNIT,
            self.variance / UNIT, results[True, "hold"], results[True, "break"], self.pairs, self.zone_first,
        )


def record_of(outcomes: Iterable[Outcome], pairs: Iterable[Pair]) -> Record:
    """The record of these results."""
    tally = Tally()
    for outcome in outcomes:
        tally.count(outcome, 1)
    for pair in pairs:
        tally.count_pair(pair, 1)
    return tally.record()
