# cython: language_level=3, auto_pickle=False
"""How large icebergs become: Kaplan and Meier's estimate from those seen so far.

A case is one iceberg with the total it was filled. Executed ones ended there; of cancelled, lost and resting ones only
this much is known: they are censored. S(v) = P(V > v) = prod over totals u <= v of (1 - ended / at risk at u), at
risk: all cases with a total of u or more. Given that x is filled already, S(v | x) = S(v) / S(x).
"""

from __future__ import annotations

import cython
from msgspec import Struct

from qmo_cli.engines.iceberg.curve import Pool, conditional
from qmo_cli.packets import OptionalFloat, OptionalInt

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


@cython.final
@cython.cclass
class Case:
    """An iceberg that rests, and the pools in which it counts: by peak and session, peak, session, and all."""

    def __init__(self, bucket: int, session: str, pools: tuple[Pool, ...], total: int) -> None:
        self.bucket, self.session, self.pools, self.total = bucket, session, pools, total

    @cython.cfunc
    def count(self, censored: cython.longlong) -> object:
        """It counts in its pools as censored (1), or no more (-1)."""
        pool: Pool
        for pool in self.pools:
            pool.count(self.total, 0, censored)
        return None


@cython.final
@cython.cclass
class Sizes:
    """All icebergs of one kind, as of now."""

    def __init__(self) -> None:
        self.pools: dict[Bucket, Pool] = {}
        self.resting: dict[str, Case] = {}

    @cython.ccall
    def grow(self, key: str, peak: cython.longlong, session: str, total: cython.longlong) -> object:
        """An iceberg has been filled this much so far."""
        bucket: cython.int = bucket_of(peak)
        case: Case = self.resting.get(key)
        if case is not None:
            case.count(-1)
        if case is None or case.bucket != bucket or case.session != session:
            case = Case(bucket, session, self.pools_of(bucket, session), total)
        case.total = total
        case.count(1)
        self.resting[key] = case
        return None

    @cython.cfunc
    def pools_of(self, bucket: object, session: str) -> tuple:
        names: tuple = ((bucket, session), (bucket, None), (None, session), (None, None))
        for name in names:
            if name not in self.pools:
                self.pools[name] = Pool()
        return tuple([self.pools[name] for name in names])

    def end(self, key: str, *, executed: bool) -> None:
        """It is over, filled as ``grow`` said last."""
        case: Case = self.resting.get(key)
        if case is not None:
            del self.resting[key]
            for pool in case.pools:
                pool.end(case.total, executed=executed)

    @cython.ccall
    def estimate(self, peak: cython.longlong, session: str, filled: cython.longlong) -> object:
        """From the narrowest bucket with 30 cases: peak and session, peak, session, all."""
        pool: Pool
        everything: Pool = self.pools.get((None, None))
        if everything is None or everything.cases < LEAST:
            return SizeEstimate(None, None, None, None, 0 if everything is None else everything.cases)
        bucket = bucket_of(peak)
        names: tuple = ((bucket, session), (bucket, None), (None, session))
        for name in names:
            pool = self.pools.get(name)
            if pool is not None and pool.cases >= POOLED_BELOW:
                return estimate_of(pool, filled)
        return estimate_of(everything, filled)


@cython.cfunc
def estimate_of(pool: Pool, filled: cython.longlong) -> object:
    mean, median, low, high = conditional(pool, filled)
    return SizeEstimate(mean, median, low, high, pool.cases)


@cython.ccall
@cython.exceptval(-1, check=True)
def bucket_of(peak: cython.longlong) -> cython.int:
    """The bucket of a peak: 1, 2, 3 to 5, 6 to 12, or larger.

    >>> [bucket_of(peak) for peak in (1, 2, 3, 5, 6, 12, 13, 500)]
    [0, 1, 2, 2, 3, 3, 4, 4]
    """
    bucket: cython.int = 0
    for largest in BUCKETS:
        bucket += peak > largest
    return bucket
