# cython: language_level=3, auto_pickle=False
"""What is usual: how much a level takes at this hour of the day, and how far flow moves the price."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, sqrt
from typing import Any

import cython

from qmo_cli.sessions import CHICAGO

HOUR = 3600            # s
SESSION_HOURS = 23
DAYS = 20              # of memory for an hour of the day
INTERVAL = 30          # s, of the regression
INTERVALS = 120        # of them at most: an hour of trading
FEWEST_INTERVALS = 30


@cython.final
@cython.cclass
class Quantile:
    """A quantile of whole numbers that come and go: the smallest value that ``share`` of them do not exceed."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.number = 0
        self.value = 0
        self.counts: dict[int, int] = {}
        self.below = 0  # how many are less than value

    @cython.ccall
    def change(self, value: cython.longlong, count: cython.longlong) -> object:
        """Count a value (1) or forget it (-1)."""
        self.number += count
        left: cython.longlong = self.count_of(value) + count
        if left:
            self.counts[value] = left
        else:
            del self.counts[value]
        if value < self.value:
            self.below += count
        self.settle()
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def count_of(self, value: cython.longlong) -> cython.longlong:
        count = self.counts.get(value)
        return 0 if count is None else count

    @cython.cfunc
    def settle(self) -> object:
        """Move to the value whose rank is wanted: that of the nearest-rank definition."""
        if not self.number:
            self.value = self.below = 0
            return None
        rank: cython.longlong = ceil(self.share * self.number - 1e-9)  # .99 x 200 is 198, whatever floats make of it
        while self.below >= rank:
            self.value -= 1
            self.below -= self.count_of(self.value)
        here: cython.longlong = self.count_of(self.value)
        while self.below + here < rank:
            self.below += here
            self.value += 1
            here = self.count_of(self.value)
        return None


@dataclass(slots=True)
class Bucket:
    """What levels took within one hour."""

    hour: int                            # since 1970
    of_day: int                          # Chicago's
    sizes: array[int] = field(default_factory=lambda: array("q"))


@cython.final
@cython.cclass
class UsualSizes:
    """What levels took, by hour of the day over 20 days and over the trailing session of 23 hours.

    ``recent`` are the buckets of the session, ``older`` those of the days before it; until ``hour_end`` (s) nothing
    grows too old. ``told`` is the threshold while it holds.
    """

    def __init__(self, share: float, fewest: int) -> None:
        self.fewest = fewest
        self.by_hour = [Quantile(share) for _ in range(24)]
        self.session = Quantile(share)
        self.recent: deque[Bucket] = deque()
        self.older: deque[Bucket] = deque()
        self.of_day = self.hour_end = 0
        self.told: tuple[int | None, str, int] | None = None

    @cython.ccall
    def come_to(self, second: cython.longlong) -> object:
        """Time has come this far: forget what is too old."""
        if second < self.hour_end:
            return None
        self.told = None
        hour: cython.longlong = second // HOUR
        self.hour_end = (hour + 1) * HOUR
        while self.recent and self.recent[0].hour <= hour - SESSION_HOURS:
            bucket = self.recent.popleft()
            self.older.append(bucket)
            for size in bucket.sizes:
                self.session.change(size, -1)
        while self.older and self.older[0].hour <= hour - 24 * DAYS:
            bucket = self.older.popleft()
            for size in bucket.sizes:
                self.by_hour[bucket.of_day].change(size, -1)
        self.of_day = hour_of_day(second)
        self.recent.append(Bucket(hour, self.of_day))
        return None

    @cython.ccall
    def add(self, size: cython.longlong) -> object:
        """A level took this much, now."""
        hour: Quantile = self.by_hour[self.of_day]
        self.recent[-1].sizes.append(size)
        self.session.change(size, 1)
        hour.change(size, 1)
        self.told = None
        return None

    @cython.ccall
    def threshold(self) -> tuple:
        """The quantile now, of what (hour or session), and how many samples it has; None while they are too few."""
        if self.told is None:
            hour: Quantile = self.by_hour[self.of_day]
            enough: cython.bint = hour.number >= self.fewest
            samples: Quantile = hour if enough else self.session
            least = max(1, samples.value) if samples.number >= self.fewest else None
            self.told = least, "hour" if enough else "session", samples.number
        return self.told


def hour_of_day(second: int) -> int:
    """The hour of the day in Chicago.

    >>> hour_of_day(1769527845)      # 2026-01-27T15:30:45Z
    9
    """
    return datetime.fromtimestamp(second, CHICAGO).hour


@cython.final
@cython.cclass
class Impact:
    """Kyle's lambda: change of price in ticks on net bought contracts, over the last hour's intervals of 30 s.

    The regression goes through the origin. Prices are whole ticks and volumes whole contracts, so that all sums are
    exact. Only an interval that traded next to one that traded tells a change.

    ``rows``: (interval, net bought, change). ``interval`` is the open one, ``bought`` net in it; ``before`` the one
    before it that traded, and its close. The sums are Python's integers: 64 bits are too few.
    """

    def __init__(self) -> None:
        self.rows: deque[tuple[int, int, int]] = deque()
        self.flow_square = self.product = self.change_square = 0
        self.interval = -1
        self.bought = self.close = 0
        self.before: tuple[int, int] | None = None

    @cython.ccall
    def add(self, second: cython.longlong, bought: cython.longlong, close: cython.longlong) -> object:
        """One second's net bought contracts and its last price."""
        interval: cython.longlong = second // INTERVAL
        if interval != self.interval:
            self.end()
            self.interval, self.bought = interval, 0
            self.forget(interval)
        self.bought += bought
        self.close = close
        return None

    @cython.ccall
    def end(self) -> object:
        """The open interval is over."""
        if self.interval < 0:
            return None
        if self.before is not None and self.before[0] == self.interval - 1:
            self.count(self.bought, self.close - self.before[1], 1)
            self.rows.append((self.interval, self.bought, self.close - self.before[1]))
        self.before = self.interval, self.close
        return None

    @cython.cfunc
    def count(self, bought: Any, change: Any, sign: cython.int) -> object:
        self.flow_square += sign * bought * bought
        self.product += sign * bought * change
        self.change_square += sign * change * change
        return None

    @cython.cfunc
    def forget(self, interval: cython.longlong) -> object:
        while self.rows and self.rows[0][0] < interval - INTERVALS:
            _, bought, change = self.rows.popleft()
            self.count(bought, change, -1)
        return None

    @cython.ccall
    def efficiency(self, bought: Any, change: Any) -> Any:
        """z = (lambda |net bought| - |change|) / sigma: how much less the price moved than flow usually moves it.

        sigma: standard deviation of the regression's residuals, n - 1. None while there are fewer than 30 intervals,
        or nothing to measure with.
        """
        number = len(self.rows)
        residual = self.change_square * self.flow_square - self.product * self.product  # x flow_square
        if number < FEWEST_INTERVALS or residual <= 0:
            return None
        sigma = sqrt(residual / (self.flow_square * (number - 1)))
        return (self.product / self.flow_square * abs(bought) - abs(change)) / sigma
