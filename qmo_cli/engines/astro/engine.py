"""Astro: reversal windows of the sky's calendar, against the trend of daily bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ...packets import Reading
from ...rounding import to_six
from ...times import SECOND, iso
from ...tray import Packet
from .almanac import MINUTE, WINDOW, YEARS, Almanac, Event, almanac, covered, strength_of
from .daily import STAY, DailyBars, Day
from .reading import AstroReading, SkyEvent
from .trend import Trend

NEUTRAL = 0.5
MINUTE_NS = MINUTE * SECOND
OUTSIDE = f"the tables of the sky cover {YEARS}"


@dataclass(slots=True)
class Astro:
    """Moons, eclipses, stations, aspects and seasons: how rare such a sky is, which says nothing of what price will do.

    Confidence is a rank among all days of 1990-2049 and no probability of a reversal. Readings are as of whole minutes,
    so that most packets give back the reading before.
    """

    name: ClassVar[str] = "astro"
    needs: ClassVar[frozenset[str]] = frozenset({"trades"})
    reading: ClassVar[type[Reading]] = AstroReading
    evidence: ClassVar[str] = (
        "Evidence: none. Of 5 tests of such windows on 5,361 daily gold bars (2004-2025) none beat its null. "
        "Confidence is how rare the sky is, not how probable a reversal. Set the weight of the pillar to 0 to leave it "
        "out."
    )

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    kept: AstroReading | None = field(default=None, init=False)
    until: int = field(default=0, init=False)                        # ns, when the minute of the kept reading ends
    daily: DailyBars = field(default_factory=DailyBars, init=False)
    trend: Trend = field(default_factory=Trend, init=False)
    why_not: str = field(default="", init=False)                     # why the input makes no daily bars
    window: tuple[int, int] = field(default=(0, 0), init=False)      # s, the one seen last

    def update(self, packet: Packet) -> AstroReading:
        daily, ts = self.daily, packet.ts
        closed = daily.read(packet)
        if closed or daily.moved != STAY or daily.why_not != self.why_not:
            self._take(closed)
        elif self.kept is not None and self.until - MINUTE_NS <= ts < self.until:
            return self.kept
        minute = ts // MINUTE_NS
        self.until = (minute + 1) * MINUTE_NS
        self.kept = self._look(minute * MINUTE)
        return self.kept

    def _take(self, closed: Sequence[Day]) -> None:
        """Bring the trend up to date."""
        self.why_not = self.daily.why_not
        if self.daily.moved != STAY:
            self.trend.move(self.daily.moved)
        for day in closed:
            self.trend.add(day.high, day.low, day.close)

    def _look(self, second: int) -> AstroReading:
        trend = None if self.why_not else self.trend.value
        words = self.why_not or self.trend.why_not
        self.reasons = {} if trend is not None else {"trend": words}
        if not covered(second):
            self.reasons["strength"] = OUTSIDE
            return AstroReading(NEUTRAL, False, False, 0.0, None, None, None, trend, [])
        table = almanac()
        active = table.active(second)
        strength = strength_of(active, second)
        confidence = to_six(table.confidence(strength))
        events = told(active, table.coming(second), second)
        if confidence < WINDOW:
            return AstroReading(NEUTRAL, False, False, confidence, to_six(strength), None, None, trend, events)
        if trend is None:
            self.reasons["score"] = words
        start, end = self._window(table, second)
        return AstroReading(
            score_of(confidence, trend), True, True, confidence, to_six(strength), iso(start * SECOND),
            iso(end * SECOND), trend, events)

    def _window(self, table: Almanac, second: int) -> tuple[int, int]:
        """The open window; it is the same until it closes."""
        if not self.window[0] <= second < self.window[1]:
            self.window = table.window(second)
        return self.window


def told(active: list[Event], coming: list[Event], second: int) -> list[SkyEvent]:
    """Events as the wire has them, by time."""
    return [
        SkyEvent(event.time, event.name, event.kind, event.bodies, event.weight, to_six(event.share(second)))
        for event in sorted([*active, *coming])
    ]


def score_of(confidence: float, trend: float | None) -> float | None:
    """0.5 - 0.5 t (confidence - 0.8) / 0.2 in an open window: against the trend, the more so the rarer the sky.

    >>> score_of(0.99, 1.0), score_of(0.9, -1.0), score_of(0.99, None)
    (0.025, 0.75, None)
    """
    return None if trend is None else to_six(NEUTRAL - 0.5 * trend * (confidence - WINDOW) / (1 - WINDOW))
