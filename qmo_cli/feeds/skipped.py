"""What is said in the stream about bad records or lines that were skipped."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadData
from ..records import System, to_dbn

MOST = 150  # characters of a reason: a system message has room for 302 bytes


@dataclass(slots=True)
class Skipped:
    """A run of bad records or lines that stand next to one another."""

    count: int = 0
    first: int = 0              # number of the first
    reason: str = ""
    total: int = 0              # of all runs

    def add(self, number: int, reason: str) -> None:
        """Count a bad one."""
        if not self.count:
            self.first, self.reason = number, reason
        self.count += 1
        self.total += 1

    def record(self, ts: int, unit: str) -> bytes:
        """The system record of the run, which is over then. ``ts``: ns, time of the record before it."""
        words = f"{unit} {self.first}: {self.reason}"
        count, self.count = self.count, 0
        try:
            return _record(ts, words, count)
        except BadData:
            return _record(ts, words[:MOST].encode("ascii", "replace").decode(), count)


def _record(ts: int, words: str, count: int) -> bytes:
    return to_dbn(System(ts_event=str(ts), kind="skipped", detail=words, count=count))
