"""When a series' data cannot be relied upon, and when it can again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .words import clock, span

TROUBLE = frozenset({"stale", "halted"})
WORDS = {"stale": "DATA STALE: nothing was heard", "halted": "TRADING HALTED by the exchange"}


class Told(NamedTuple):
    """What there is to tell: the kind, an id of the spell, and words."""

    kind: str
    id: str
    words: str


@dataclass(slots=True)
class Trouble:
    """Spells of one series. ``patience`` in ns of event time; the id of a spell is when it began."""

    patience: int
    state: str = ""
    since: int = 0
    told: bool = False
    behind: int = 0         # ns: since when the data is too old; 0: it is not

    def look(self, status: str, ts: int) -> list[Told]:
        """Stale or halted for long enough, or no more."""
        found = []
        if status != self.state and self.told and status not in TROUBLE:
            found.append(Told("recovered", self._id(), f"DATA BACK after {span(ts - self.since)} {self.state}"))
        if status != self.state:
            self.state, self.since, self.told = status, ts, False
        if self.waiting and ts - self.since >= self.patience:
            found.append(self.tell())
        return found

    @property
    def waiting(self) -> bool:
        """Whether there is trouble that was not told yet."""
        return self.state in TROUBLE and not self.told

    def tell(self) -> Told:
        """The trouble that there is."""
        self.told = True
        return Told(self.state, self._id(), f"{WORDS[self.state]} since {clock(self.since)}")

    def late(self, behind: int, ts: int) -> list[Told]:
        """Live data that falls behind the clock, or has caught up; ``behind`` in ns, 0 where it is in time."""
        if behind and not self.behind:
            self.behind = ts
            return [Told("late", f"late-{ts}", f"DATA LATE: it is {span(behind)} behind the clock, no signal is told")]
        if not behind and self.behind:
            since, self.behind = self.behind, 0
            return [Told("caught-up", f"late-{since}", "DATA IN TIME again")]
        return []

    def _id(self) -> str:
        return f"{self.state}-{self.since}"
