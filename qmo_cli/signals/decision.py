# cython: language_level=3, auto_pickle=False
"""The decision with memory: a signal opens where the score says so and does not flicker.

It opens when the score says BUY or SELL, and closes after 10 s of event time on the inner side of 0.60 (BUY) or
0.40 (SELL), or at once on the opposite side.
"""

from __future__ import annotations

from hashlib import blake2b

import cython

from qmo_cli.rounding import nearest
from qmo_cli.score import MICRO, Kind, Score
from qmo_cli.times import SECOND

BUY_HOLDS, SELL_HOLDS = 600_000, 400_000  # totals in 1e-6
PATIENCE = 10 * SECOND


@cython.final
@cython.cclass
class Memory:
    """One series' decision: what it is, since when (ns), and its episode's id.

    ``inside``: since when (ns) the total has been on the inner side; -1 while it is not.
    """

    def __init__(self) -> None:
        self.kind: Kind = "HOLD"
        self.since = 0
        self.id: str | None = None
        self.inside = -1
        self.symbol: str | None = None

    @cython.ccall
    def update(self, ts: cython.longlong, symbol: object, score: Score, trading: cython.bint) -> str:
        """The decision after one packet. A closed market, another contract or an unknown score end an episode."""
        if self.kind != "HOLD":
            if not trading or symbol != self.symbol or score.total is None:
                self.close()
            else:
                self.stand(ts, nearest(score.total * MICRO))
        self.symbol = symbol
        if self.kind == "HOLD" and trading and score.signal != "HOLD":
            self.open(ts, score.signal)
        return self.kind

    @cython.cfunc
    def stand(self, ts: cython.longlong, total: cython.longlong) -> object:
        """Keep, count down or close the open episode."""
        buy: cython.bint = self.kind == "BUY"
        if (total >= BUY_HOLDS) if buy else (total <= SELL_HOLDS):
            self.inside = -1
        elif (total <= SELL_HOLDS) if buy else (total >= BUY_HOLDS):
            self.close()
        elif self.inside < 0:
            self.inside = ts
        elif ts - self.inside >= PATIENCE:
            self.close()
        return None

    @cython.cfunc
    def open(self, ts: cython.longlong, kind: str) -> object:
        self.kind, self.since, self.inside = kind, ts, -1
        self.id = episode_id(self.symbol or "", kind, ts)
        return None

    @cython.cfunc
    def close(self) -> object:
        self.kind, self.since, self.inside, self.id = "HOLD", 0, -1, None
        return None


def episode_id(symbol: str, kind: str, since: int) -> str:
    """Name of an episode: the same input gives the same name, and no other episode has it."""
    return blake2b(f"{symbol}|{kind}|{since}".encode(), digest_size=8).hexdigest()
