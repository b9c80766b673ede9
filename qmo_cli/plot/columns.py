"""As many points as the picture has columns of pixels, and no extreme lost on the way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Columns(NamedTuple):
    """Prices by column of pixels: where each stands, and the first, highest, lowest and last in it."""

    x: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats


def grouped(x: Floats, left: float, right: float, count: int) -> NDArray[np.intp]:
    """Where in ascending ``x`` each column begins that holds any point."""
    if not len(x):
        return np.zeros(0, np.intp)
    place = np.clip(((x - left) * (count / (right - left))).astype(np.int64), 0, count - 1)
    return np.flatnonzero(np.r_[True, place[1:] != place[:-1]])


def squeezed(
    x: Floats, prices: tuple[Floats, Floats, Floats, Floats], left: float, right: float, count: int,
) -> Columns:
    """Rows of open, high, low and close as at most ``count`` columns. NaN counts for nothing beside a number."""
    starts = grouped(x, left, right, count)
    if not len(starts):
        return Columns(*(np.zeros(0) for _ in range(5)))
    ends = np.r_[starts[1:], len(x)] - 1
    opens, highs, lows, closes = prices
    return Columns(
        x[starts], opens[starts], np.fmax.reduceat(highs, starts), np.fmin.reduceat(lows, starts), closes[ends],
    )


def line(x: Floats, y: Floats, left: float, right: float, count: int) -> tuple[Floats, Floats]:
    """A line's points by column: first, lowest, highest, last of each, so that every extreme is drawn."""
    columns = squeezed(x, (y, y, y, y), left, right, count)
    parts = (columns.open, columns.low, columns.high, columns.close)
    return np.repeat(columns.x, len(parts)), np.stack(parts, axis=1).ravel()


def steps(columns: Columns, silent: float) -> tuple[Floats, Floats]:
    """The path of a price through its columns: it stays where it was until it moves.

    Where nothing came for longer than ``silent`` the path is broken: an old price is no price.
    """
    x, y = np.repeat(columns.x, 5), np.empty((len(columns.x), 5))
    y[:, 0] = np.r_[np.nan, columns.close[:-1]]
    y[1:, 0][np.diff(columns.x) > silent] = np.nan
    y[:, 1], y[:, 2], y[:, 3], y[:, 4] = columns.open, columns.low, columns.high, columns.close
    return x, y.ravel()


def held(x: Floats, y: Floats, silent: float) -> tuple[Floats, Floats]:
    """A line with a break where nothing came for longer than ``silent``."""
    broken = np.flatnonzero(np.diff(x) > silent) + 1
    return np.insert(x, broken, x[broken - 1] if len(broken) else 0.0), np.insert(y, broken, np.nan)


def sums(x: Floats, values: Floats, width: float) -> tuple[Floats, Floats]:
    """Sums over buckets of a width, aligned to multiples of it: their begins, and the sums."""
    if not len(x):
        return np.zeros(0), np.zeros(0)
    place = np.floor(x / width)
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    return place[starts] * width, np.add.reduceat(values, starts)
