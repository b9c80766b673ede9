"""The decision with memory: a signal opens where the score says so and does not flicker.

It opens when the score says BUY or SELL, and closes after 10 s of event time on the inner side of 0.60 (BUY) or
0.40 (SELL), or at once on the opposite side.
"""

from __future__ import annotations

from hashlib import blake2b

from ..score import MICRO, Kind, Score
from ..times import SECOND

BUY_HOLDS, SELL_HOLDS = 600_000, 400_000  # totals in 1e-6
PATIENCE = 10 * SECOND


class Memory:
    """One series' decision: what it is, since when, and how long the score has been on the inner side."""

    __slots__ = ("id", "inside", "kind", "since", "symbol")

    def __init__(self) -> None:
        self.kind: Kind = "HOLD"
        self.since = 0                   # ns, when the episode opened
        self.id: str | None = None       # of the episode
        self.inside: int | None = None   # ns, since when the total is on the inner side
        self.symbol: str | None = None

    def update(self, ts: int, symbol: str | None, score: Score, *, trading: bool) -> Kind:
        """The decision after one packet. A closed market, another contract or an unknown score end an episode."""
        if self.kind != "HOLD":
            if not trading or symbol != self.symbol or score.total is None:
                self._close()
            else:
                self._stand(ts, round(score.total * MICRO))
        self.symbol = symbol
        if self.kind == "HOLD" and trading and score.signal != "HOLD":
            self._open(ts, score.signal)
        return self.kind

    def _stand(self, ts: int, total: int) -> None:
        """Keep, count down or close the open episode."""
        buy = self.kind == "BUY"
        if (total >= BUY_HOLDS) if buy else (total <= SELL_HOLDS):
            self.inside = None
        elif (total <= SELL_HOLDS) if buy else (total >= BUY_HOLDS):
            self._close()
        elif self.inside is None:
            self.inside = ts
        elif ts - self.inside >= PATIENCE:
            self._close()

    def _open(self, ts: int, kind: Kind) -> None:
        self.kind, self.since, self.inside = kind, ts, None
        self.id = episode_id(self.symbol or "", kind, ts)

    def _close(self) -> None:
        self.kind, self.since, self.inside, self.id = "HOLD", 0, None, None


def episode_id(symbol: str, kind: str, since: int) -> str:
    """Name of an episode: the same input gives the same name, and no other episode has it."""
    return blake2b(f"{symbol}|{kind}|{since}".encode(), digest_size=8).hexdigest()
