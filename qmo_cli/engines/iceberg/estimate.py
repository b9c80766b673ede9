"""How large icebergs become: Kaplan and Meier's estimate from those seen so far.

A case is one iceberg with the total it was filled. Executed ones ended there; of cancelled, lost and resting ones only
this much is known: they are censored. S(v) = P(V > v) = prod over totals u <= v of (1 - ended / at risk at u), at
risk: all cases with a total of u or more. Given that x is filled already, S(v | x) = S(v) / S(x).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from msgspec import Struct

from ...packets import OptionalFloat, OptionalInt
from ...rounding import to_six

POOLED_BELOW = 30   # cases in which a bucket may speak for itself
LEAST = 10          # cases in all without which nothing is said
BUCKETS = (1, 2, 5, 12)  # largest peak of each bucket but the last

Bucket = tuple[int | None, str | None]  # of peaks, and the session; None: all


class SizeEstimate(Struct, frozen=True, gc=False):
    """Total size of an iceberg, given what it has filled; all null below 10 cases.

    ``mean`` is restricted to the largest total seen: what lies beyond no data tell. ``low`` to ``high``: an 80 % band.
    Totals are whole numbers and much weight lies on a few, so that each end is the total beyond which the share comes
    nearest to 10 %; ends that leave out no more than 10 % would hold far more than 80 %. A value is null where the
    curve does not fall so far, and everything is null once more is filled than in any case seen.
    """

    mean: OptionalFloat                  # contracts, E[V | V > filled so far]
    median: OptionalInt
    low: OptionalInt                     # about 10 % of such icebergs end below this
    high: OptionalInt                    # about 10 % end above it
    cases: int                           # icebergs behind it, without those that rest


@dataclass(slots=True)
class Pool:
    """The cases of one bucket, by total."""

    ended: Counter[int] = field(default_factory=Counter)
    censored: Counter[int] = field(default_factory=Counter)
    cases: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """An iceberg that rests."""

    buckets: tuple[Bucket, ...]
    total: int


@dataclass(slots=True)
class Sizes:
    """All icebergs of one kind, as of now."""

    pools: dict[Bucket, Pool] = field(default_factory=dict)
    resting: dict[str, Case] = field(default_factory=dict)

    def grow(self, key: str, peak: int, session: str, total: int) -> None:
        """An iceberg has been filled this much so far."""
        self._forget(key)
        bucket = bucket_of(peak)
        case = self.resting[key] = Case(((bucket, session), (bucket, None), (None, session), (None, None)), total)
        for name in case.buckets:
            pool = self.pools.get(name)
            if pool is None:
                pool = self.pools[name] = Pool()
            pool.censored[total] = pool.censored.get(total, 0) + 1

    def end(self, key: str, *, executed: bool) -> None:
        """It is over, filled as ``grow`` said last."""
        case = self.resting.get(key)
        if case is None:
            return
        self._forget(key)
        for name in case.buckets:
            pool = self.pools[name]
            (pool.ended if executed else pool.censored)[case.total] += 1
            pool.cases += 1

    def _forget(self, key: str) -> None:
        case = self.resting.pop(key, None)
        if case is not None:
            for name in case.buckets:
                self.pools[name].censored[case.total] -= 1

    def estimate(self, peak: int, session: str, filled: int) -> SizeEstimate:
        """From the narrowest bucket with 30 cases: peak and session, peak, session, all."""
        bucket = bucket_of(peak)
        everything = self.pools.get((None, None), Pool())
        if everything.cases < LEAST:
            return SizeEstimate(None, None, None, None, everything.cases)
        for name in ((bucket, session), (bucket, None), (None, session)):
            pool = self.pools.get(name)
            if pool is not None and pool.cases >= POOLED_BELOW:
                return conditional(pool, filled)
        return conditional(everything, filled)


def bucket_of(peak: int) -> int:
    """The bucket of a peak: 1, 2, 3 to 5, 6 to 12, or larger.

    >>> [bucket_of(peak) for peak in (1, 2, 3, 5, 6, 12, 13, 500)]
    [0, 1, 2, 2, 3, 3, 4, 4]
    """
    return sum(peak > largest for largest in BUCKETS)


def survival(ended: Counter[int], censored: Counter[int], beyond: int) -> list[tuple[int, float]]:
    """(total, S) at each total above ``beyond`` at which some case ended or was censored, given V > ``beyond``.

    >>> survival(Counter({2: 1, 5: 1}), Counter({3: 1, 1: 4}), 1)
    [(2, 0.6666666666666667), (3, 0.6666666666666667), (5, 0.0)]
    """
    at_risk, totals = 0, set()
    for numbers in (ended, censored):
        for total, number in numbers.items():
            if number and total > beyond:
                at_risk += number
                totals.add(total)
    left, curve = 1.0, []
    for total in sorted(totals):
        there = ended.get(total, 0)
        left *= 1 - there / at_risk
        at_risk -= there + censored.get(total, 0)
        curve.append((total, left))
    return curve


def conditional(pool: Pool, filled: int) -> SizeEstimate:
    """Mean, median and band of the total, given that it is more than what is filled."""
    curve = survival(pool.ended, pool.censored, filled)
    if not curve:
        return SizeEstimate(None, None, None, None, pool.cases)
    mean, here, left = float(filled), filled, 1.0
    for total, after in curve:
        mean += left * (total - here)
        here, left = total, after
    return SizeEstimate(to_six(mean), quantile(curve, 0.5), *band(curve, 0.1), pool.cases)


def quantile(curve: list[tuple[int, float]], left: float) -> int | None:
    """The smallest total at which no more than this share is left."""
    return next((total for total, after in curve if after <= left + 1e-12), None)


def band(curve: list[tuple[int, float]], tail: float) -> tuple[int | None, int | None]:
    """The totals beyond which, below the one and above the other, the share comes nearest to ``tail``.

    Of equally near ones the wider. None where the curve does not fall so far that it could be told.

    >>> band([(2, 0.85), (3, 0.4), (9, 0.12), (12, 0.0)], 0.1)  # 15 % are below 3, 12 % above 9
    (3, 9)
    >>> band([(2, 0.5), (3, 0.4)], 0.1)
    (2, None)
    """
    below: list[tuple[float, int]] = []  # (share below, total), of totals at which some ended
    above: list[tuple[float, int]] = []
    before = 1.0
    for total, after in curve:
        if after < before:
            below.append((round(abs(1 - before - tail), 12), total))
            above.append((round(abs(after - tail), 12), -total))
        before = after
    low = min(below)[1] if before <= 1 - tail + 1e-12 else None
    return low, -min(above)[1] if before <= tail + 1e-12 else None
