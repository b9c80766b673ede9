"""Estimators of the variance of one bar, from the logarithmic moves of the last n bars.

Sources: Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991); Yang and Zhang (2000), Drift-independent
volatility estimation based on high, low, open and close prices; RiskMetrics Technical Document (1996) for the EWMA.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import log

from ..bars import Bar

LN_2 = log(2)


@dataclass(frozen=True, slots=True)
class Moves:
    """Logarithmic moves of one bar: from the close before to its open, and from there to high, low and close."""

    jump: float
    up: float
    down: float
    close: float

    @property
    def whole(self) -> float:
        """From close to close."""
        return self.jump + self.close


def moves_of(bar: Bar, before: float) -> Moves:
    """The moves of a bar after this close. All prices must be above 0."""
    return Moves(log(bar.open / before), log(bar.high / bar.open), log(bar.low / bar.open), log(bar.close / bar.open))


def realized(bars: Collection[Moves]) -> float:
    """(1/n) sum r^2, r from close to close: realized variance is n times that.

    >>> realized([Moves(0.0, 0.0, 0.0, 0.03), Moves(0.0, 0.0, 0.0, -0.01)])
    0.0005
    """
    return sum(one.whole ** 2 for one in bars) / len(bars)


def parkinson(bars: Collection[Moves]) -> float:
    """sum ln^2(H/L) / (4 n ln 2)."""
    return sum((one.up - one.down) ** 2 for one in bars) / (4 * len(bars) * LN_2)


def garman_klass(bars: Collection[Moves]) -> float:
    """(1/n) sum [0.5 ln^2(H/L) - (2 ln 2 - 1) ln^2(C/O)]."""
    return sum(0.5 * (one.up - one.down) ** 2 - (2 * LN_2 - 1) * one.close ** 2 for one in bars) / len(bars)


def rogers_satchell(bars: Collection[Moves]) -> float:
    """(1/n) sum [u (u - c) + d (d - c)], u, d and c the logarithms of H/O, L/O and C/O."""
    return sum(one.up * (one.up - one.close) + one.down * (one.down - one.close) for one in bars) / len(bars)


def yang_zhang(bars: Collection[Moves]) -> float:
    """so^2 + k sc^2 + (1 - k) srs^2 of two bars or more: so^2 and sc^2 are sample variances of ln(O/C') and ln(C/O),
    srs^2 is Rogers and Satchell's, k = 0.34/(1.34 + (n + 1)/(n - 1)).
    """
    count = len(bars)
    k = 0.34 / (1.34 + (count + 1) / (count - 1))
    opens, closes = _variance([one.jump for one in bars]), _variance([one.close for one in bars])
    return opens + k * closes + (1 - k) * rogers_satchell(bars)


def next_ewma(variance: float, move: float, decay: float) -> float:
    """decay x variance + (1 - decay) r^2.

    >>> round(next_ewma(0.01 ** 2, 0.02, 0.9), 9)   # Hull, Risk Management and Financial Institutions, example 5.2
    0.00013
    """
    return decay * variance + (1 - decay) * move * move


def _variance(values: Collection[float]) -> float:
    """Of a sample; by deviations, for sums of squares would cancel."""
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
