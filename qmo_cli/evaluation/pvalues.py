"""How likely chance is to do as well, from what it did on many draws; and the correction for asking many questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def mean(values: Any) -> float:
    """The mean; nan of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def six(value: float) -> float | None:
    """Six decimals; None for what could not be measured."""
    return None if np.isnan(value) else round(float(value), 6)


def one_sided(value: float, drawn: Any) -> float | None:
    """(1 + shuffles that reach the value)/(1 + shuffles)."""
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(drawn):
        return None
    return round((1 + int((drawn >= value).sum())) / (1 + len(drawn)), 6)


def two_sided(value: float, drawn: Any) -> float:
    """Twice the smaller of the shares that lie as high, or as low."""
    drawn = drawn[~np.isnan(drawn)]
    beyond = min(int((drawn >= value).sum()), int((drawn <= value).sum()))
    return round(min(1.0, 2 * (1 + beyond) / (1 + len(drawn))), 6)


def holm(values: Sequence[float | None]) -> list[Any]:
    """Holm's correction: the k-th smallest of m is multiplied by m - k + 1, and none is below one before it.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(values) if value is not None)
    corrected: list[float | None] = [None] * len(values)
    least = 0.0
    for rank, (value, place) in enumerate(known):
        least = max(least, min(1.0, value * (len(known) - rank)))
        corrected[place] = round(least, 6)
    return corrected
