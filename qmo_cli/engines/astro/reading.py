"""What astro says."""

from __future__ import annotations

from msgspec import Struct

from ...packets import OptionalStr, Reading
from .almanac import Kind


class SkyEvent(Struct, frozen=True, gc=False):
    """Something that happens in the sky, as seen from the centre of the Earth."""

    time: str                            # ISO 8601, UTC: when it is exact
    name: str                            # "Mercury trine Neptune"
    kind: Kind
    bodies: tuple[str, ...]
    weight: float                        # what it adds to strength when it is exact
    contribution: float                  # what it adds now; 0: still to come


class AstroReading(Reading, frozen=True):
    """How busy the sky is, as of the minute that began last.

    strength = sum of weight max(0, 1 - |dt| / half-width); score = 0.5 - 0.5 t (confidence - 0.8) / 0.2 inside a
    window, else 0.5. No probability of a reversal: in none of five tests on 5,361 daily gold bars did it beat chance.
    """

    score: float | None                  # 0 strong sell, 0.5 neutral, 1 strong buy: against the trend
    active: bool                         # a window is open
    reversal_window: bool                # confidence >= 0.8
    confidence: float                    # share of the days of 1990-2049 with less strength: how rare, not how likely
    strength: float | None
    window_start: OptionalStr            # ISO 8601, UTC; null: no window is open
    window_end: OptionalStr
    trend: float | None                  # t = clip((close - SMA20) / (2 ATR14), -1, 1) of closed daily bars
    events: list[SkyEvent]               # that count now, and the next three that do not yet; by time
