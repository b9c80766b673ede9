"""The guards: what each compares, and what it says. A guard whose value is not known is not ok."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...rounding import number, to_six
from ...times import iso
from .holdings import amount
from .reading import GUARDS, Guard

MOST = 1000     # guards of the market that are kept


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


@dataclass(slots=True)
class Limits:
    """The guards that are set: 0 is off. Money in 1e-18."""

    daily_loss: int
    drawdown: int
    trades: int
    losses: int
    spread: float                         # ticks
    atr: float                            # points
    stale: float                          # s
    known: dict[Any, Guard] = field(default_factory=dict)  # of the market, by value

    def off(self) -> list[str]:
        """The names of those that are not set."""
        limits = (True, self.daily_loss, self.drawdown, self.trades, self.losses, self.spread, self.atr, self.stale)
        return [name for name, limit in zip(GUARDS, limits, strict=True) if not limit]

    def of_account(self, known: Known, switch: Guard) -> list[Guard]:
        """The kill switch and the guards of the account, in the order of their names."""
        found = [switch]
        if self.daily_loss:
            found.append(daily_loss(known, self.daily_loss))
        if self.drawdown:
            found.append(drawdown(known, self.drawdown))
        if self.trades:
            found.append(trades(known, self.trades))
        if self.losses:
            found.append(cool_down(known, self.losses))
        return found

    def of_market(
        self, width: float | None, tick: float | None, atr: float | None, no_atr: str, age: int | None,
    ) -> list[Guard]:
        """The guards of the market. ``width`` is the spread in points, ``no_atr`` says why there is no ATR."""
        found = []
        if self.spread:
            ticks = to_six(width / tick) if width is not None and tick else None
            why = "there is no quote of both sides" if width is None else "needs the contract's tick"
            found.append(self._compared(spread, ticks, self.spread, why))
        if self.atr:
            found.append(self._compared(volatility, atr, self.atr, no_atr))
        if self.stale:
            found.append(self._compared(stale, age, self.stale, "no price yet"))
        return found

    def _compared(
        self, guard: Callable[[float, float], Guard], value: float | None, limit: float, why: str,
    ) -> Guard:
        """A guard of the market; the same few values come again and again."""
        if value is None:
            return unknown(guard.__name__, limit, why)
        found = self.known.get((guard, value))
        if found is None:
            self.known = self.known if len(self.known) < MOST else {}
            found = self.known[guard, value] = guard(value, limit)
        return found
