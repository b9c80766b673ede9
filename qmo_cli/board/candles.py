"""Candles of fixed steps, built from the seconds of frames or from ready-made bars, and bounded in number."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from copy import copy
from operator import attrgetter

from ..packets import BarInput, Inputs
from ..times import SECOND
from .frame import STEPS, Candle

MOST = 2000                  # candles of one step: 8 h of 15 s, a day and a half of minutes, a week of 5 minutes


class Candles:
    """The candles of one step (s), oldest first."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.rows: list[Candle] = []

    def at(self, second: int) -> Candle | None:
        """The candle that holds a second, made where there is none; None for one older than all that are kept."""
        begin, rows = second // self.step * self.step, self.rows
        if rows and rows[-1].time == begin:
            return rows[-1]
        place = bisect_left(rows, begin, key=attrgetter("time"))
        if place < len(rows) and rows[place].time == begin:
            return rows[place]
        if not place and len(rows) >= MOST:
            return None
        row = Candle(begin, None, None, None, None, 0, 0, 0, None, None)
        rows.insert(place, row)
        if len(rows) > 2 * MOST:
            del rows[:MOST]
        return row

    def trade(
        self, second: int, prices: tuple[float, float, float, float], volumes: tuple[int, int, int],
    ) -> None:
        """What traded in a second, or from it on: open, high, low, close; bought, sold, neither."""
        row = self.at(second)
        if row is None:
            return
        opened, high, low, close = prices
        row.open = opened if row.open is None else row.open
        row.high = high if row.high is None else max(row.high, high)
        row.low = low if row.low is None else min(row.low, low)
        row.close = close
        row.buy, row.sell, row.none = row.buy + volumes[0], row.sell + volumes[1], row.none + volumes[2]

    def stand(self, second: int, cvd: int | None, score: float | None) -> None:
        """How things stood at the end of a frame whose last moment lies in this second."""
        if cvd is None and score is None and (not self.rows or second // self.step * self.step > self.rows[-1].time):
            return      # nothing to be said of a time in which nothing traded
        row = self.at(second)
        if row is not None:
            row.cvd, row.score = cvd, score

    def since(self, second: int) -> list[Candle]:
        """Copies of those that begin at or after a second, ``MOST`` of them at most."""
        start = max(bisect_left(self.rows, second, key=attrgetter("time")), len(self.rows) - MOST)
        return [copy(row) for row in self.rows[start:]]

    def last(self, number: int) -> list[Candle]:
        """Copies of the newest, oldest first."""
        return [copy(row) for row in self.rows[-number:]]


class CandleBook:
    """The candles of every step."""

    def __init__(self, steps: Iterable[int] = STEPS) -> None:
        self.by_step = {step: Candles(step) for step in steps}

    def trade(self, inputs: Inputs) -> None:
        """What traded in a frame."""
        if inputs.trades is not None:
            for row in inputs.trades.seconds:
                for candles in self.by_step.values():
                    candles.trade(row.second, (row.open, row.high, row.low, row.close), (row.buy, row.sell, row.none))
            return
        for bar in inputs.bars or ():
            self._bar(bar)

    def _bar(self, bar: BarInput) -> None:
        """A ready-made bar: its volume has no aggressor side. One longer than the step stands where it begins."""
        for candles in self.by_step.values():
            candles.trade(int(bar.ts) // SECOND, (bar.open, bar.high, bar.low, bar.close), (0, 0, bar.volume))

    def stand(self, ts: int, cvd: int | None, score: float | None) -> None:
        """How things stood at a frame's end, ns."""
        second = (ts - 1) // SECOND
        for candles in self.by_step.values():
            candles.stand(second, cvd, score)

    def newest(self) -> dict[str, list[Candle]]:
        """The last two of each step."""
        return {str(step): candles.last(2) for step, candles in self.by_step.items()}
