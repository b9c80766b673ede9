"""Market time: where the market is while wall time goes by."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..blocks import SECOND


@dataclass(slots=True)
class MarketClock:
    """Begins with the first session that is given something, then goes on at ``speed``.

    At speed 0 it is as far as any session has come. Times are the source's own; ``shift`` (ns) makes them those that
    clients see.
    """

    origin: int                     # ns, where it begins
    speed: float
    grain: int = 0                  # ns: the shift is a multiple of this; 0: there is none
    shift: int = 0
    begun: int | None = None        # ns, monotonic
    reached: int = 0                # ns, the newest record sent

    def begin(self) -> bool:
        """Start, if nobody did before."""
        if self.begun is not None:
            return False
        self.shift = self.shift_of_now()
        self.begun = time.monotonic_ns()
        return True

    def shift_of_now(self) -> int:
        """By how much (ns) the source is moved if it begins now."""
        return (time.time_ns() - self.origin) // self.grain * self.grain if self.grain else 0

    def now(self) -> int:
        """Market time, ns."""
        if self.begun is None:
            return self.origin
        if not self.speed:
            return max(self.origin, self.reached)
        return self.origin + int((time.monotonic_ns() - self.begun) * self.speed)

    def seconds_to(self, ts: int) -> float:
        """Seconds of wall time until the market is there; not above 0 when it is."""
        return (ts - self.now()) / SECOND / self.speed if self.speed else 0.0

    def reach(self, ts: int) -> None:
        """A record of this time was sent."""
        self.reached = max(self.reached, ts)

    @property
    def shown(self) -> int:
        """Market time as clients see it, ns."""
        return self.now() + (self.shift if self.begun is not None else self.shift_of_now())
