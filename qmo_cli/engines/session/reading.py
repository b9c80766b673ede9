"""What the session engine says."""

from __future__ import annotations

from ...packets import Reading


class SessionReading(Reading, frozen=True):
    """Where in the trade day we are, and the prices that mark it. The day's and the night's are those known so far.

    Hours and holidays are those of CME gold. ``early_close`` is whether this part of the trade day closes before its
    usual time. The overnight is Asia and London since the market last opened. On a roll prices move with the gap.
    """

    name: str                            # asia, london, new york, new york afternoon, closed
    trade_date: str                      # the exchange's
    open: bool                           # whether the market trades
    first_15: bool                       # within 15 minutes of the named session's beginning
    last_15: bool                        # and of its end
    closes: str                          # UTC; when the market is closed, the close that was
    opens: str                           # UTC; the next opening
    early_close: bool | None
    minutes_to_close: int | None         # whole minutes
    minutes_to_settlement: int | None
    day_open: float | None               # of the trade date
    day_high: float | None
    day_low: float | None
    prior_day_high: float | None         # of the trade date before
    prior_day_low: float | None
    prior_day_close: float | None        # its last trade
    overnight_high: float | None
    overnight_low: float | None
    days_to_first_notice: int | None     # calendar days, negative once it is past
    notes: list[str]
