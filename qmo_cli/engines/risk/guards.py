"""The guards: what each compares, and what it says. A guard whose value is not known is not ok."""

from __future__ import annotations

from dataclasses import dataclass

from ...rounding import number
from ...times import iso
from .holdings import amount
from .reading import Guard


@dataclass(slots=True)
class Known:
    """What the guards look at, at the end of a frame. Money in 1e-18; None is not known, and ``why`` says why."""

    killed: bool
    kill_detail: str
    closed: str | None                    # why the trader's records cannot be told
    result: int | None                    # of the trade date: realised and open
    low: int                              # the lowest it was
    drawdown: int | None
    trades: int
    losses: int
    resume: int                           # ns: the cool-down ends; 0: there is none
    spread: float | None                  # ticks
    atr: float | None                     # points
    age: int | None                       # s since the price
    why: dict[str, str]                   # by guard


def kill(known: Known) -> Guard:
    """Sticky: only a person's order to resume ends it."""
    detail = f": {known.kill_detail}" if known.kill_detail else ""
    return Guard("kill", None, None, not known.killed, f"the kill switch is on{detail}" if known.killed else None)


def daily_loss(known: Known, limit: int) -> Guard:
    """Once the trade date's result, open profit included, has been at the limit, the date is over."""
    if known.result is None:
        return unknown("daily_loss", amount(limit), known)
    worst = min(known.result, known.low)
    reason = f"the trade date's result was down to {_money(worst)}, the limit is {_money(-limit)}"
    return _guard("daily_loss", amount(limit), amount(known.result), worst > -limit, reason)


def drawdown(known: Known, limit: int) -> Guard:
    """The account's value against its peak."""
    if known.drawdown is None:
        return unknown("drawdown", amount(limit), known)
    reason = f"the account is {_money(known.drawdown)} below its peak, the limit is {_money(limit)}"
    return _guard("drawdown", amount(limit), amount(known.drawdown), known.drawdown < limit, reason)


def trades(known: Known, limit: int) -> Guard:
    """Trades begun in the trade date."""
    if known.closed is not None:
        return unknown("trades", limit, known)
    reason = f"{known.trades} trades in the trade date, the limit is {limit}"
    return _guard("trades", limit, known.trades, known.trades < limit, reason)


def cool_down(known: Known, limit: int) -> Guard:
    """A pause after losses one after another."""
    if known.closed is not None:
        return unknown("cool_down", limit, known)
    reason = f"{known.losses} losses one after another; pause until {iso(known.resume)}"
    return _guard("cool_down", limit, known.losses, known.resume == 0, reason)


def spread(known: Known, limit: float) -> Guard:
    """The quote's width. A crossed one is no quote."""
    if known.spread is None:
        return unknown("spread", limit, known)
    reason = f"the spread is {number(known.spread)} ticks, the limit is {number(limit)}"
    if known.spread < 0:
        reason = "the book is crossed"
    return _guard("spread", limit, known.spread, 0 <= known.spread <= limit, reason)


def volatility(known: Known, limit: float) -> Guard:
    """ATR(14) of the bars engine."""
    if known.atr is None:
        return unknown("volatility", limit, known)
    reason = f"ATR is {number(known.atr)} points, the limit is {number(limit)}"
    return _guard("volatility", limit, known.atr, known.atr <= limit, reason)


def stale(known: Known, limit: float) -> Guard:
    """The price's age."""
    if known.age is None:
        return unknown("stale", limit, known)
    return _guard("stale", limit, known.age, known.age <= limit, f"the price is {known.age} s old")


def unknown(name: str, limit: float, known: Known) -> Guard:
    """A guard that cannot be evaluated, and is therefore not ok."""
    return Guard(name, limit, None, ok=False, reason=f"{name} cannot be told: {known.why.get(name) or known.closed}")


def _guard(name: str, limit: float, value: float, ok: bool, reason: str) -> Guard:
    return Guard(name, limit, value, ok, None if ok else reason)


def _money(units: int) -> str:
    return number(amount(units))
