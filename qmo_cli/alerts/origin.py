"""Where a line is from, and whether it may be told of: what is not live and new is told of only when asked for."""

from __future__ import annotations

from dataclasses import dataclass

from .words import span

LIVE = frozenset({"real-time", "stale", "doubtful"})   # qualities of a live stream; replayed files can be doubtful too
WARMUP = "warmup"
ASK = "--replay tells of it"


@dataclass(frozen=True, slots=True)
class Origin:
    """``realm`` keeps what is live and what is not apart; ``why`` is a reason not to tell, "" where there is none."""

    realm: str
    label: str
    quality: str
    why: str = ""
    behind: int = 0     # ns by which live data is older than it may be


@dataclass(frozen=True, slots=True)
class Customs:
    """Judges by quality and source, and by the time that the machine's clock shows."""

    replay: bool
    max_age: int        # ns

    def judge(self, quality: str, source: str, ts: int, now: int) -> Origin:
        """The origin of a line. ``quality`` is "" where the line does not say."""
        if quality == WARMUP:
            return Origin("warmup", "WARM-UP", quality, "this is history ahead of the live stream")
        if quality == "simulated" or source == "simulator":
            return self._asked("simulated", "SIMULATED", quality, "simulated data")
        if quality == "replay":
            return self._asked("replay", "REPLAY", quality, "a replay")
        age = now - ts
        if abs(age) > self.max_age:
            when = f"{span(age)} {'old' if age > 0 else 'ahead of the clock'}"
            behind = max(0, age) if quality in LIVE else 0
            return self._asked("replay", "REPLAY", quality, f"the data is {when}", behind)
        if quality and quality not in LIVE:
            return self._asked(quality, quality.upper(), quality, f"{quality} data")
        doubt = "QUALITY UNKNOWN" if not quality else "" if quality == "real-time" else quality.upper()
        return Origin("live", doubt, quality)

    def _asked(self, realm: str, label: str, quality: str, why: str, behind: int = 0) -> Origin:
        return Origin(realm, label, quality, "" if self.replay else f"{why}; {ASK}", behind)
