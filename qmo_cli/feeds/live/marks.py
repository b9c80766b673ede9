"""Clock marks: that time has come so far although nothing came. Downstream nothing else has a clock.

The estimate of the market's time is the time of the newest record plus what has passed since it came, less a grace, so
that no skew between clocks matters. Nobody can tell silence of the market from a connection that is stuck; so without
a sign of life from the gateway time goes on for one second only, which is how late a record may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...blocks import SECOND, UNDEF_TIME

GRACE = 10_000_000              # ns past a frame's end, for what is on its way
UNPROVEN = SECOND               # ns for which silence is believed without a sign of life
IDLE = 0.25                     # s, the longest wait between two looks


@dataclass(slots=True)
class Marks:
    """When the next clock mark is due. ``every`` is ns between marks; times named ``now`` are monotonic seconds."""

    every: int
    newest: int = 0             # ns, time of the newest record or mark
    arrived: float = 0.0        # s, when it came
    base: int = 0               # ns, time of the newest record
    proven: int = 0             # ns up to which the gateway is known to have had nothing more
    catching_up: bool = False   # what comes is of the past: nothing can be said of now

    def record(self, ts: int, now: float) -> None:
        """A record of this time (ns) has come."""
        if ts >= self.base:
            self.base, self.arrived = ts, now
            self.newest = max(self.newest, ts)

    def heard(self, now: float, at: int = UNDEF_TIME) -> None:
        """The gateway says that it has nothing more: ``at`` (ns) by its clock, for ours may drift over a weekend."""
        if self.base:
            reached = self.estimate(now)
            self.proven = at if self.base <= at < reached else reached

    @property
    def settled(self) -> int:
        """Time (ns) before which nothing more comes, whoever of the types has been silent."""
        return max(0, self.newest - UNPROVEN)

    def estimate(self, now: float) -> int:
        """The market's time, ns, less the grace."""
        return self.base + round((now - self.arrived) * SECOND) - GRACE

    def due(self, now: float) -> int | None:
        """The time (ns) of a mark that is due, at the end of a frame; taken once, it is not due again."""
        if self.catching_up or not self.base:
            return None
        reached = min(self.estimate(now), max(self.base + UNPROVEN, self.proven))
        mark = reached - reached % self.every
        if mark <= self.newest:
            return None
        self.newest = mark
        return mark

    def wait(self, now: float) -> float:
        """Seconds until the next mark can be due, never longer than between two looks."""
        if self.catching_up or not self.base:
            return IDLE
        following = self.newest - self.newest % self.every + self.every
        if following > max(self.base + UNPROVEN, self.proven):
            return IDLE
        return min(IDLE, max(0.0, (following - self.estimate(now)) / SECOND))
