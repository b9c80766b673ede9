"""The time axis: event time in seconds, with long silences squeezed so that the market fills the picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from .columns import Floats

LONGEST = 900.0          # s: a silence up to that is part of the market
SHARE = 0.05             # and so is one that takes less of the span
LEFT_OF_IT = 0.025       # of the span that is not silent
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)
DAY = 86_400


class Silence(NamedTuple):
    """A span, in s since 1970, without any record."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Maps seconds since 1970 to the axis: seconds since its begin, silences left out but for a rest."""

    knots: Floats        # s since 1970
    places: Floats       # on the axis
    silences: tuple[Silence, ...]

    @classmethod
    def over(cls, times: Floats, first: float, last: float, bar: float = 1.0) -> TimeScale:
        """The scale for a span of time with records, or frames, at these times; ``bar`` is how long one may last."""
        every = np.unique(np.clip(np.r_[first, times, max(last, first + 1.0)], first, None))
        gaps = np.diff(every)
        usual = max(float(np.median(gaps)), bar)
        long = np.flatnonzero(gaps > max(LONGEST, SHARE * (every[-1] - every[0]), 1.5 * usual))
        silences = tuple(Silence(float(every[at]), float(every[at + 1])) for at in long)
        live = float(every[-1] - every[0] - gaps[long].sum())
        edges = np.unique(np.r_[every[0], *(edge for gap in silences for edge in gap), every[-1]])
        lengths = np.diff(edges)
        lengths[np.isin(edges[:-1], [gap.since for gap in silences])] = LEFT_OF_IT * max(live, 1.0)
        return cls(edges, np.r_[0.0, np.cumsum(lengths)], silences)

    @property
    def length(self) -> float:
        """The axis' end; its begin is 0."""
        return float(self.places[-1])

    def at(self, seconds: Floats) -> Floats:
        """Places of times; those outside the span lie outside the axis by as much."""
        inside = np.interp(seconds, self.knots, self.places)
        return np.asarray(inside + np.minimum(seconds - self.knots[0], 0) + np.maximum(seconds - self.knots[-1], 0))

    def place(self, ns: int) -> float:
        """The place of one time in ns."""
        return float(self.at(np.array([ns / 1e9]))[0])

    def ticks(self, most: int, zone: ZoneInfo) -> tuple[list[float], list[str]]:
        """Places and words of at most about ``most`` round times of a zone, none within a silence."""
        step = next((step for step in STEPS if self.length / step <= most), STEPS[-1])
        offset = datetime.fromtimestamp(self.knots[0], zone).utcoffset()
        shift = offset.total_seconds() if offset else 0.0
        begin = np.ceil((self.knots[0] + shift) / step) * step - shift
        times = [time for time in np.arange(begin, self.knots[-1] + 0.5, step) if not self._silent(time)]
        places = self.at(np.array(times, dtype=np.float64)).tolist()
        return places, self._words([datetime.fromtimestamp(time, zone) for time in times], step)

    def _silent(self, time: float) -> bool:
        return any(gap.since < time < gap.until for gap in self.silences)

    def _words(self, times: list[datetime], step: int) -> list[str]:
        """The time of day, and below it the date where it is another than before, if the span has several."""
        several = len({time.date() for time in times}) > 1
        words, before = [], None
        for time in times:
            clock = time.strftime("%H:%M:%S" if step < 60 else "%H:%M") if step < DAY else ""
            date = time.strftime("\n%b %d") if several and time.date() != before else ""
            words.append((clock + date).strip("\n") if not clock else clock + date)
            before = time.date()
        return words
