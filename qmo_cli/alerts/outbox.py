"""What waits to be sent to one target, in order; what may not go out now is held back and summed up later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .alert import Alert, Parcel
from .limits import Bucket, Quiet
from .wanted import Wanted
from .words import weighty

ROOM = 100              # alerts that may wait
HELD_ROOM = 50          # held ones that a summary can show; of more only the number is kept
LIMIT, QUIET, BUSY, DOWN, STOPPED = (
    "the limit on messages", "quiet hours", "more came than could be sent", "the target could not be reached",
    "not delivered before a stop",
)
LONGEST_WAIT = 30.0     # s between looks at the clock on the wall, which may be set


class Fate(NamedTuple):
    """An alert that was held back, and why."""

    alert: Alert
    reason: str


@dataclass(slots=True)
class Outbox:
    """Gives out one parcel after another; ``fates`` and ``dropped`` collect what was held back on the way."""

    bucket: Bucket
    quiet: Quiet | None = None
    urgent: Wanted = field(default_factory=Wanted)
    waiting: deque[Alert] = field(default_factory=deque)
    held: deque[Alert] = field(default_factory=deque)
    reasons: dict[str, None] = field(default_factory=dict)
    left_out: int = 0
    fates: list[Fate] = field(default_factory=list)
    dropped: list[Alert] = field(default_factory=list)  # held ones of which only the number is kept

    def offer(self, alert: Alert) -> None:
        """Put an alert at the end."""
        self.waiting.append(alert)
        while len(self.waiting) > ROOM:
            self.hold([self.waiting.popleft()], BUSY)

    def hold(self, alerts: Iterable[Alert], reason: str) -> None:
        """Keep alerts for a summary."""
        for alert in alerts:
            self.held.append(alert)
            self.fates.append(Fate(alert, reason))
            self.reasons[reason] = None
            if len(self.held) > HELD_ROOM:
                self._drop()

    def _drop(self) -> None:
        """Keep of one held alert only that there was one: of the oldest, but a decision as long as there are others."""
        place = next((place for place, alert in enumerate(self.held) if not weighty(alert)), 0)
        self.dropped.append(self.held[place])
        del self.held[place]
        self.left_out += 1

    def hold_waiting(self, reason: str) -> None:
        """Keep all that waits for a summary."""
        self.hold(self.waiting, reason)
        self.waiting.clear()

    def take(self, wall: int, steady: float, *, last: bool = False) -> Parcel | None:
        """What may go out now; None where nothing may. At the ``last`` a summary is, whatever the limit."""
        if self.quiet is not None and self.quiet(wall):
            return self._in_quiet(steady, last=last)
        if not self.held and not self.waiting:
            return None
        if not self.bucket.take(steady):
            self.hold_waiting(LIMIT)
            return self._summary() if last else None
        return self._summary() if self.held else Parcel((self.waiting.popleft(),))

    def wait(self, wall: int, steady: float) -> float | None:
        """s after which to ask again; None: when something new has come."""
        if self.quiet is not None and self.quiet(wall):
            if self.waiting:
                return min(LONGEST_WAIT, max(0.01, self.bucket.wait(steady)))
            return LONGEST_WAIT if self.held else None
        if self.held or self.waiting:
            return min(LONGEST_WAIT, max(0.01, self.bucket.wait(steady)))
        return None

    def _in_quiet(self, steady: float, *, last: bool) -> Parcel | None:
        """Only what is urgent goes out; the rest is held back."""
        pressing = [alert for alert in self.waiting if self.urgent(alert.topic, alert.kind)]
        self.hold((alert for alert in self.waiting if not self.urgent(alert.topic, alert.kind)), QUIET)
        self.waiting = deque(pressing)
        if not pressing or not (last or self.bucket.take(steady)):
            return None
        return Parcel((self.waiting.popleft(),))

    def _summary(self) -> Parcel:
        parcel = Parcel(tuple(self.held), True, self.left_out, tuple(self.reasons))
        self.held.clear()
        self.reasons.clear()
        self.left_out = 0
        return parcel
