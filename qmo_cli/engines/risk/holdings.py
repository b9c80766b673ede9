"""Positions from fills, matched first in first out, in whole numbers: no cent is lost to floats."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from ...instruments import Spec, spec_of
from ...packets import FillFact, fixed

UNIT = 10**18     # of money: a price step of 1e-9 times a point value of 1e-9


def money(amount: float) -> int:
    """An amount as a person wrote it, in units of 1e-18.

    >>> money(0.1) + money(0.2) == money(0.3)
    True
    """
    return int(Decimal(repr(amount)) * UNIT)


def amount(units: int) -> float:
    """Money as a number, to a millionth.

    >>> amount(money(-512.5))
    -512.5
    """
    return round(units / UNIT, 6)


class Outcome(NamedTuple):
    """What one fill did. Money in 1e-18; None where the contract's point value is not known."""

    realised: int | None      # gained or lost by what it closed, less its fees
    opened: bool              # it began a trade: from nothing, or to the other side
    ended: list[int | None]   # what the trade that it ended gained or lost in all, less fees


@dataclass(slots=True)
class Holding:
    """One contract's position: what is open, lot by lot, and what the trade that opened it has made so far."""

    value: int | None                     # money per point and contract, 1e-9
    instrument_id: int                    # of the packets when it was opened: on its price scale it can be valued
    lots: deque[tuple[int, int]] = field(default_factory=deque)  # price (1e-9), contracts: negative is short
    size: int = 0                         # contracts in all
    turn: int = 0                         # money, 1e-18

    def take(self, fill: FillFact) -> Outcome:
        """Close the oldest lots that stand against the fill; what is left of it opens."""
        price, left = fixed(fill.price), fill.size if fill.side == "B" else -fill.size
        fees, before = money(fill.fees or 0.0), self.size
        points, closed = 0, 0
        while left and self.lots and (self.lots[0][1] > 0) != (left > 0):
            paid, lot = self.lots[0]
            part = min(abs(lot), abs(left))
            sign = 1 if lot > 0 else -1
            points += sign * part * (price - paid)
            closed += part
            left += sign * part
            if part == abs(lot):
                self.lots.popleft()
            else:
                self.lots[0] = (paid, lot - sign * part)
        if left:
            self.lots.append((price, left))
        self.size = before + (fill.size if fill.side == "B" else -fill.size)
        return self._outcome(points, fees, fees * closed // fill.size, over=bool(before) and bool(closed) and (
            self.size == 0 or (self.size > 0) != (before > 0)), opened=bool(self.size) and (
            before == 0 or (self.size > 0) != (before > 0)))

    def _outcome(self, points: int, fees: int, closing_fees: int, *, over: bool, opened: bool) -> Outcome:
        """A fill that goes through nothing pays its fees for both trades, by what it closes of the first."""
        gained = None if self.value is None else points * self.value
        ended: list[int | None] = []
        if over:
            ended = [None if gained is None else self.turn + gained - closing_fees]
            self.turn = closing_fees - fees
        elif gained is not None:
            self.turn += gained - fees
        return Outcome(None if gained is None else gained - fees, opened, ended)

    def open_profit(self, price: int) -> int | None:
        """What closing at a price (1e-9) would gain, 1e-18; None without a point value."""
        if self.value is None:
            return None
        return sum([(price - paid) * lot for paid, lot in self.lots]) * self.value


def sisters(one: str, other: str) -> bool:
    """Whether two names are of one thing in other sizes: the same month where both tell it.

    >>> sisters("MGCZ6", "GCZ6"), sisters("MGC", "GC.v.0"), sisters("MGCG7", "GCZ6"), sisters("SI", "GC.v.0")
    (True, True, False, False)
    """
    first, second = spec_of(one), spec_of(other)
    if first is None or second is None or not related(first, second):
        return False
    months = [name.removeprefix(spec.root) for name, spec in ((one, first), (other, second)) if name != spec.root]
    dated = [month for month in months if month[:1].isalpha()]
    return len(dated) < 2 or dated[0] == dated[1]


def related(one: Spec, other: Spec) -> bool:
    """Whether one contract is a rung of the other's ladder."""
    return one.root in other.ladder or other.root in one.ladder
