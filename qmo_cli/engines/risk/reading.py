"""What the engine of capital protection says."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from ...packets import OptionalFloat, OptionalInt, OptionalStr, Reading

GUARDS = ("kill", "daily_loss", "drawdown", "trades", "cool_down", "spread", "volatility", "stale")


class Guard(Struct, frozen=True, gc=False):
    """One guard that is set."""

    name: str
    limit: OptionalFloat                 # in the unit of value; null: the kill switch has none
    value: OptionalFloat                 # null where it cannot be told: then the guard is not ok
    ok: bool
    reason: OptionalStr                  # why it is not ok


class RiskReading(Reading, frozen=True):
    """Whether a trade is allowed, and the account as far as the trader's own records tell it.

    Money is in ``currency``. What is null was not told by any record, or cannot be told: then the guards that need it
    are not ok and say why.
    """

    allowed: bool
    reasons: list[str]                   # why not; one for each guard that is not ok
    size_factor: float                   # share of the risk per trade that may be used
    killed: bool                         # somebody pulled the kill switch, and nobody has resumed
    balance: OptionalFloat               # of the last account record, and what fills have realised since
    currency: OptionalStr
    position: OptionalInt                # contracts of all fills, negative: short
    realised: OptionalFloat              # in this trade date, less fees
    open: OptionalFloat                  # what closing at the price would gain
    trades: OptionalInt                  # begun in this trade date
    losses: OptionalInt                  # trades of this trade date that ended one after another in a loss
    drawdown: OptionalFloat              # balance and open profit below their peak
    guards: list[Guard]
    guards_off: list[str]                # those that are not set


class Figures(NamedTuple):
    """The account in a reading; all null before the first record of it."""

    balance: float | None = None
    currency: str | None = None
    position: int | None = None
    realised: float | None = None
    open: float | None = None
    trades: int | None = None
    losses: int | None = None
    drawdown: float | None = None
