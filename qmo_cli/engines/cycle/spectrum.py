"""How strong cycles of 21, 45 and 90 bars are in closes, and whether chance makes them as strong.

numpy is imported where it is used: the engine runs without it unless the spectrum is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .counts import COUNTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 199      # series that chance makes
BLOCK = 10       # bars that stay together in them
SEED = 2145_90


class Powers(NamedTuple):
    """Power at 21, 45 and 90 bars, and the share of chance's series whose strongest of the three is as strong."""

    powers: tuple[float, ...]
    p_value: float


def goertzel(values: Sequence[float], period: float) -> float:
    """Power of one period, |2 X/N|^2: the square of the amplitude of a sine of that period. Goertzel (1958).

    >>> from math import pi, sin
    >>> round(goertzel([3 * sin(2 * pi * n / 45) for n in range(90)], 45), 6)
    9.0
    """
    from math import cos, pi

    turn = 2 * cos(2 * pi / period)
    one = two = 0.0
    for value in values:
        one, two = value + turn * one - two, one
    return 4 * (one * one + two * two - turn * one * two) / len(values) ** 2


def spectrum(closes: Sequence[float]) -> Powers:
    """Powers of closes less their straight line, against closes put together anew from blocks of the same changes.

    Prices wander, and wandering alone has more power at longer periods: so each power is measured by its mean among
    chance's series, and the strongest of the three by the strongest there, (1 + as strong)/(1 + draws).
    """
    import numpy as np

    prices = np.asarray(closes, dtype=np.float64)
    observed = powers(detrended(prices[np.newaxis]))
    chance = powers(detrended(resampled(np.diff(prices))))
    usual = np.maximum(chance.mean(axis=0), np.finfo(np.float64).tiny)
    as_strong = int(np.count_nonzero((chance / usual).max(axis=1) >= (observed / usual).max()))
    return Powers(tuple(float(power) for power in observed[0]), (1 + as_strong) / (1 + DRAWS))


def powers(rows: Floats) -> Any:
    """|2 X/N|^2 of every row at each of the periods; the same numbers as :func:`goertzel`'s."""
    import numpy as np

    length = rows.shape[1]
    waves = np.exp(-2j * np.pi * np.outer(np.arange(length), 1 / np.array(COUNTS)))
    return np.abs(2 * rows @ waves / length) ** 2


def detrended(rows: Floats) -> Any:
    """Every row less its least-squares line."""
    import numpy as np

    time = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    slope = rows @ time / (time @ time)
    return rows - rows.mean(axis=1, keepdims=True) - np.outer(slope, time)


def resampled(changes: Floats) -> Any:
    """Series made of blocks of the changes, drawn with replacement, going around at the end; the same every time."""
    import numpy as np

    length = len(changes)
    blocks = -(-length // BLOCK)
    drawn = np.random.PCG64(SEED).random_raw(DRAWS * blocks) % np.uint64(length)
    starts = drawn.astype(np.int64).reshape(DRAWS, blocks, 1)
    places = (starts + np.arange(BLOCK)).reshape(DRAWS, -1)[:, :length] % length
    return np.cumsum(changes[places], axis=1)
