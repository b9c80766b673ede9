"""Gann's constructions as plain formulas; prices in any unit."""

from __future__ import annotations

from math import sqrt

EXTENSIONS = (100, 150, 200)                                            # % of a swing
PARTS = ((4, 8), (1, 8), (2, 8), (3, 8), (5, 8), (6, 8), (7, 8), (1, 3), (2, 3))  # of a swing, the chief one first
FAN = ((1, 8), (1, 4), (1, 3), (1, 2), (1, 1), (2, 1), (3, 1), (4, 1), (8, 1))    # multiples of the unit
COUNTS = (45, 90, 144)                                                  # bars or days from a pivot
STEP = 90                                                               # degrees of the Square of Nine
STEPS = 8                                                               # of them, up and down


def part(origin: float, end: float, numerator: int, denominator: int) -> float:
    """The price at a fraction of the swing from ``origin`` to ``end``: A + (B - A) n/d.

    >>> part(1614.4, 1975.2, 150, 100), part(100, 200, 5, 8)
    (2155.6, 162.5)
    """
    return origin + (end - origin) * numerator / denominator


def square_of_nine(price: float, degrees: float) -> float | None:
    """The price at an angle on the Square of Nine: (sqrt(P) + degrees/180)^2; None where there is none.

    The form with degrees/360, often seen, is wrong: a full turn must lead from 1 to 9, and from 9 to 25.

    >>> square_of_nine(25, 360), square_of_nine(49, -360), square_of_nine(1, -360)
    (49.0, 25.0, None)
    """
    root = sqrt(price) + degrees / 180 if price > 0 else 0.0
    return root * root if root > 0 else None


def fan_unit(origin: float, end: float, bars: int) -> float | None:
    """u = |B - A| / bars(A -> B): the rise a bar of the line 1 x 1; None for a swing within one bar.

    >>> fan_unit(1800, 1860, 12)
    5.0
    """
    return abs(end - origin) / bars if bars > 0 else None


def fan_line(start: float, unit: float, multiple: float, bars: int) -> float:
    """Where a line of the fan stands so many bars after its start: P0 + m u n.

    >>> fan_line(1860, 5.0, -0.5, 10)
    1835.0
    """
    return start + multiple * unit * bars
