"""The guards: what each compares, and what it says. A guard whose value is not known is not ok."""

from __future__ import annotations

from dataclasses import dataclass

from ...rounding import number
from ...times import iso
from .holdings import amount
from .reading import Guard


@dataclass(slots=True)
class Known:
    """What the guards of the account look at. Money in 1e-18; None is not known, and a reason says why."""

    closed: str | None                    # why the trader's records do not tell the account's state
    no_result: str                        # why the result of the trade date is not known
    no_drawdown: str
    result: int | None                    # of the trade date: realised and open
    low: int                              # the lowest it was
    drawdown: int | None
    trades: int
    losses: int
    resume: int                           # ns: the pause ends; 0: there is none


def kill(killed: bool, detail: str) -> Guard:
    """Sticky: only a person's order to resume ends it."""
    words = f"the kill switch is on: {detail}" if detail else "the kill switch is on"
    return Guard("kill", None, None, not killed, words if killed else None)


def daily_loss(known: Known, limit: int) -> Guard:
    """Once the trade date's result, open profit included, has been at the limit, the date is over."""
    if known.result is None:
        return unknown("daily_loss", amount(limit), known.closed or known.no_result)
    worst = min(known.result, known.low)
    reason = None
    if worst <= -limit:
        reason = f"the trade date's result was down to {_money(worst)}, the limit is {_money(-limit)}"
    return Guard("daily_loss", amount(limit), amount(known.result), reason is None, reason)


def drawdown(known: Known, limit: int) -> Guard:
    """The account's value against its peak."""
    if known.drawdown is None:
        return unknown("drawdown", amount(limit), known.closed or known.no_drawdown)
    reason = None
    if known.drawdown >= limit:
        reason = f"the account is {_money(known.drawdown)} below its peak, the limit is {_money(limit)}"
    return Guard("drawdown", amount(limit), amount(known.drawdown), reason is None, reason)


def trades(known: Known, limit: int) -> Guard:
    """Trades begun in the trade date."""
    if known.closed is not None:
        return unknown("trades", limit, known.closed)
    reason = f"{known.trades} trades in the trade date, the limit is {limit}" if known.trades >= limit else None
    return Guard("trades", float(limit), float(known.trades), reason is None, reason)


def cool_down(known: Known, limit: int) -> Guard:
    """A pause after losses one after another."""
    if known.closed is not None:
        return unknown("cool_down", limit, known.closed)
    words = "a loss" if known.losses == 1 else f"{known.losses} losses one after another"
    reason = f"{words}; pause until {iso(known.resume)}" if known.resume else None
    return Guard("cool_down", float(limit), float(known.losses), reason is None, reason)


def spread(ticks: float, limit: float) -> Guard:
    """The quote's width. A crossed one is no quote."""
    reason = None
    if ticks < 0:
        reason = "the book is crossed"
    elif ticks > limit:
        reason = f"the spread is {number(ticks)} ticks, the limit is {number(limit)}"
    return Guard("spread", limit, ticks, reason is None, reason)


def volatility(atr: float, limit: float) -> Guard:
    """ATR(14) of the bars engine, in points."""
    reason = f"ATR is {number(atr)} points, the limit is {number(limit)}" if atr > limit else None
    return Guard("volatility", limit, atr, reason is None, reason)


def stale(age: float, limit: float) -> Guard:
    """The price's age, s."""
    reason = f"the price is {number(age)} s old" if age > limit else None
    return Guard("stale", limit, float(age), reason is None, reason)


def unknown(name: str, limit: float, why: str) -> Guard:
    """A guard that cannot be evaluated, and is therefore not ok."""
    return Guard(name, float(limit), None, ok=False, reason=f"{name} cannot be told: {why}")


def _money(units: int) -> str:
    return number(amount(units))
