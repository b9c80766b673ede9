"""What the engine liquidity says."""

from __future__ import annotations

from typing import Annotated

from ...packets import OPTIONAL, ScoredReading, Sweep
from .events import LiquidityEvent, StopRun
from .grabs import Grab
from .words import Expectation


class LiquidityReading(ScoredReading, frozen=True):
    """What was taken from the book, and what that says.

    score = .5 + .5 clip(.5 S + .3 G + .2 I, -1, 1); what is not known is left out of the sum. active: S or G is not 0.
    """

    sweep_balance: float | None          # S = (up - down)/(up + down + 3)
    failed_break: float | None           # G: against the last grab, halving every 3 bars
    imbalance: float | None              # I: (bids - asks)/(bids + asks) over ten levels, 10-s mean
    swept_up: int | None                 # levels that buyers swept in the last 60 s
    swept_down: int | None               # and sellers
    sweeps: list[Sweep]                  # of the last 60 s, oldest first; the newest, if there are too many
    sweeps_dropped: int
    stops: list[StopRun] | None          # of the last 60 s, likewise
    grab: Annotated[Grab | None, OPTIONAL]  # the last one, while it counts
    stacked_bid: int | None              # contracts that came near the touch in the last 60 s without trading
    pulled_bid: int | None               # and that left
    stacked_ask: int | None
    pulled_ask: int | None
    narrative: str | None
    expectation: Expectation | None
    events: list[LiquidityEvent]         # of this frame
