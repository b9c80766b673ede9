"""What is usual: how much a level takes at this hour of the day, and how far flow moves the price."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, sqrt

from qmo_cli.sessions import CHICAGO

HOUR = 3600            # s
SESSION_HOURS = 23
DAYS = 20              # of memory for an hour of the day
INTERVAL = 30          # s, of the regression
INTERVALS = 120        # of them at most: an hour of trading
FEWEST_INTERVALS = 30


class Quantile:
    """A quantile of whole numbers that come and go: the smallest value that ``share`` of them do not exceed."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.number = 0
        self.value = 0
        self.counts: dict[int, int] = {}
        self.below = 0  # how many are less than value

    def change(self, value: int, count: int) -> None:
        """Count a value (1) or forget it (-1)."""
        self.number += count
        left = self.counts.get(value, 0) + count
        if left:
            self.counts[value] = left
        else:
            del self.counts[value]
        if value < self.value:
            self.below += count
        self._settle()

    def _settle(self) -> None:
        """Move to the value whose rank is wanted: that of the nearest-rank definition."""
        if not self.number:
            self.value = self.below = 0
            return
        rank = ceil(self.share * self.number - 1e-9)  # .99 x 200 is 198, whatever floats make of it
        while self.below >= rank:
            self.value -= 1
            self.below -= self.counts.get(self.value, 0)
        while self.below + self.counts.get(self.value, 0) < rank:
            self.below += self.counts.get(self.value, 0)
            self.value += 1


@dataclass(slots=True)
class Bucket:
    """What levels took within one hour."""

    hour: int                            # since 1970
    of_day: int                          # Chicago's
    sizes: array[int] = field(default_factory=lambda: array("q"))


class UsualSizes:
    """What levels took, by hour of the day over 20 days and over the trailing session of 23 hours."""

    def __init__(self, share: float, fewest: int) -> None:
        self.fewest = fewest
        self.by_hour = [Quantile(share) for _ in range(24)]
        self.session = Quantile(share)
        self.recent: deque[Bucket] = deque()   # of the session
        self.older: deque[Bucket] = deque()    # of the days before it
        self.of_day = 0
        self.hour_end = 0                      # s: until then nothing grows too old

    def come_to(self, second: int) -> None:
        """Time has come this far: forget what is too old."""
        if second < self.hour_end:
            return
        hour = second // HOUR
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

    def add(self, size: int) -> None:
        """A level took this much, now."""
        self.recent[-1].sizes.append(size)
        self.session.change(size, 1)
        self.by_hour[self.of_day].change(size, 1)

    def threshold(self) -> tuple[int | None, str, int]:
        """The quantile now, of what (hour or session), and how many samples it has; None while they are too few."""
        hour = self.by_hour[self.of_day]
        basis, samples = ("hour", hour) if hour.number >= self.fewest else ("session", self.session)
        return max(1, samples.value) if samples.number >= self.fewest else None, basis, samples.number


def hour_of_day(second: int) -> int:
    """The hour of the day in Chicago.

    >>> hour_of_day(1769527845)      # 2026-01-27T15:30:45Z
    9
    """
    return datetime.fromtimestamp(second, CHICAGO).hour


class Impact:
    """Kyle's lambda: change of price in ticks on net bought contracts, over the last hour's intervals of 30 s.

    The regression goes through the origin. Prices are whole ticks and volumes whole contracts, so that all sums are
    exact. Only an interval that traded next to one that traded tells a change.
    """

    def __init__(self) -> None:
        self.rows: deque[tuple[int, int, int]] = deque()  # interval, net bought, change
        self.flow_square = self.product = self.change_square = 0
        self.interval = -1                   # the open one
        self.bought = 0                      # net, in it
        self.close = 0
        self.before: tuple[int, int] | None = None  # the interval before it that traded, and its close

    def add(self, second: int, bought: int, close: int) -> None:
        """One second's net bought contracts and its last price."""
        interval = second // INTERVAL
        if interval != self.interval:
            self.end()
            self.interval, self.bought = interval, 0
            self._forget(interval)
        self.bought += bought
        self.close = close

    def end(self) -> None:
        """The open interval is over."""
        if self.interval < 0:
            return
        if self.before is not None and self.before[0] == self.interval - 1:
            self._count(self.bought, self.close - self.before[1], 1)
            self.rows.append((self.interval, self.bought, self.close - self.before[1]))
        self.before = self.interval, self.close

    def _count(self, bought: int, change: int, sign: int) -> None:
        self.flow_square += sign * bought * bought
        self.product += sign * bought * change
        self.change_square += sign * change * change

    def _forget(self, interval: int) -> None:
        while self.rows and self.rows[0][0] < interval - INTERVALS:
            _, bought, change = self.rows.popleft()
            self._count(bought, change, -1)

    def efficiency(self, bought: int, change: int) -> float | None:
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
