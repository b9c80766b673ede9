"""What engine gann says at every bar's close, worked out for all bars at once.

The engine goes bar by bar; this does the same on arrays, for it has to be done on hundreds of shuffled series. A test
holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engines.gann.formulas import COUNTS, EXTENSIONS, FAN, PARTS, STEP, STEPS
from ..engines.gann.levels import EXTENSION, LINE, LOOKED_BACK, OLD_ENOUGH, PART, PRIOR, SQUARE, SQUARED, SWING
from .looks import Bits, Flag, Look
from .series import Series, Swings, Whole

NOWHERE = 1 << 24    # ticks: the place of a level that is not there
CONFLUENT = 2        # families; more of them are a confluence
HOLD = 3             # bars
TOLERANCE_ATR, TOLERANCE_TICKS = 0.15, 2.0
CHUNK = 1024         # bars whose levels are looked at at once: what the processor's cache holds

# Columns of the matrix of levels: how many of each family, where each begins, and each column's family.
TURNS = np.array([step * STEP / 180 for step in range(-STEPS, STEPS + 1) if step])
SLOPES = np.array([sign * up / down for up, down in FAN for sign in (-1, 1)])
NUMBERS = [len(EXTENSIONS), len(PARTS), SQUARED * len(TURNS), LOOKED_BACK - SWING, len(SLOPES)]
FIRST = [0, *np.cumsum(NUMBERS).tolist()]
FAMILY = np.repeat([EXTENSION, PART, SQUARE, PRIOR, LINE], NUMBERS)


@dataclass(frozen=True, slots=True)
class Gann:
    """How the close of every bar stands to the levels that the bar before left: what the engine says of that price."""

    known: Bits
    families: Whole                      # how many agree
    side: Whole                          # the score's direction
    holding: Whole                       # the direction of a breakout that holds from before; 0: none
    broke: Whole                         # and of one that this close made


def gann_flags(look: Look) -> list[Flag]:
    """Confluence, support, resistance and breakouts."""
    found = gann(look.series, look.swings, look.rules.unit)
    quiet = found.known & (found.holding == 0)
    one = np.ones(len(look.series), dtype=np.int64)
    return [
        Flag("gann confluence > 2", found.known, found.known & (found.families > CONFLUENT), found.side),
        Flag("gann support", found.known, quiet & (found.side > 0), one),
        Flag("gann resistance", found.known, quiet & (found.side < 0), -one),
        Flag("gann breakout up", found.known, found.broke > 0, one),
        Flag("gann breakout down", found.known, found.broke < 0, -one),
    ]


def gann(series: Series, swings: Swings, unit: float) -> Gann:
    """What engine gann says of every close, given the bar before."""
    total = len(series)
    families, side, broke = (np.zeros(total, dtype=np.int64) for _ in range(3))
    count = np.searchsorted(swings.confirmed, np.arange(total), side="right")
    usable = (count >= SWING) & (swings.atr > 0)
    places = np.flatnonzero(usable[:-1])
    standing = _standing(swings, unit)
    for begin in range(0, len(places), CHUNK):
        rows = places[begin:begin + CHUNK]
        families[rows + 1], side[rows + 1], broke[rows + 1] = _chunk(series, swings, standing, unit, rows, count[rows])
    known = np.concatenate(([False], usable[:-1]))
    holding = _held(broke)
    return Gann(known, families, np.where(holding != 0, holding, side), holding, broke)


def _held(broke: Whole) -> Whole:
    """The direction of the newest breakout of the three bars before each."""
    held = np.zeros_like(broke)
    for back in range(HOLD, 0, -1):
        earlier = np.concatenate((np.zeros(back, dtype=np.int64), broke[:-back]))[:len(broke)]
        held = np.where(earlier != 0, earlier, held)
    return held


def _chunk(
    series: Series, swings: Swings, standing: Whole, unit: float, rows: Whole, count: Whole,
) -> tuple[Any, Any, Any]:
    """Families, side and breakout of the bars after these, by the levels as of these."""
    levels = np.concatenate((standing[count - SWING], _fan(swings, rows, count)), axis=1)
    tolerance = np.maximum(TOLERANCE_ATR * swings.atr[rows], TOLERANCE_TICKS)
    close, after = series.close[rows], series.close[rows + 1]
    distance = np.abs(levels - after[:, np.newaxis])
    met = distance <= tolerance[:, np.newaxis]
    families = _timely(swings, unit, rows, count)
    for family in range(LINE + 1):
        families += met[:, FIRST[family]:FIRST[family + 1]].any(axis=1)
    near, far = _nearest(levels, distance)
    side = np.where(far <= tolerance, np.sign(close - near), 0)
    tested, off = _nearest(levels, np.abs(levels - close[:, np.newaxis]))
    stood, went = np.sign(close - tested), after - tested
    broke = (off <= tolerance) & (np.abs(went) > tolerance) & (np.sign(went) == -stood)
    return families, side, np.where(broke, np.sign(went), 0)


def _nearest(levels: Whole, distance: Whole) -> tuple[Any, Any]:
    """The nearest level and how far it is; of equals that of the first family, then the lower one."""
    ranked = ((distance * 8 + FAMILY) << 31) + levels
    chosen = np.argmin(ranked, axis=1)[:, np.newaxis]
    return np.take_along_axis(levels, chosen, axis=1)[:, 0], np.take_along_axis(distance, chosen, axis=1)[:, 0]


def _standing(swings: Swings, unit: float) -> Any:
    """The levels that stand until the next pivot, in ticks: a row for each number of pivots from two on."""
    count = np.arange(SWING, len(swings.ticks) + 1)
    ranked = [_ranked(swings.ticks, count, rank) for rank in range(1, LOOKED_BACK + 1)]
    end, origin = ranked[:SWING]
    columns = [
        *(origin + (end - origin) * percent / 100 for percent in EXTENSIONS),
        *(origin + (end - origin) * up / down for up, down in PARTS),
        *(_squares(pivot, unit) for pivot in ranked[:SQUARED]), *ranked[SWING:],
    ]
    return _whole(np.concatenate(columns, axis=1))


def _whole(levels: Any) -> Any:
    """Places on the scale of ticks, rounded; what is not there is far away."""
    return np.where(np.isnan(levels), NOWHERE, np.floor(levels + 0.5)).astype(np.int64)


def _ranked(values: Whole, count: Whole, rank: int) -> Any:
    """The value of the pivot that is this many from the newest, the newest being 1; nan where there are fewer."""
    found = values[np.maximum(count - rank, 0)].astype(np.float64)
    return np.where(count >= rank, found, np.nan)[:, np.newaxis]


def _squares(pivot: Any, unit: float) -> Any:
    """The Square of Nine around a pivot."""
    root = np.sqrt(pivot / unit) + TURNS
    return np.where(root > 0, root * root * unit, np.nan)


def _fan(swings: Swings, rows: Whole, count: Whole) -> Any:
    """The fan from the newest pivot."""
    last, before = swings.index[count - 1], swings.index[count - 2]
    end, origin = (swings.ticks[count - back].astype(np.float64)[:, np.newaxis] for back in (1, 2))
    since, length = (rows - last)[:, np.newaxis], (last - before)[:, np.newaxis]
    lines = end + SLOPES * (np.abs(end - origin) / np.maximum(length, 1)) * since
    return _whole(np.where((since >= OLD_ENOUGH) & (length > 0), lines, np.nan))


def _timely(swings: Swings, unit: float, rows: Whole, count: Whole) -> Any:
    """Whether a count of time is due, 1 or 0."""
    last, before = swings.ticks[count - 1], swings.ticks[count - 2]
    due = np.abs((rows - swings.index[count - 1]) - np.abs(last - before) / unit) <= 1
    for rank in range(1, SQUARED + 1):
        since = rows - swings.index[np.maximum(count - rank, 0)]
        for number in COUNTS:
            due |= (count >= rank) & (np.abs(since - number) <= 1)
    return due.astype(np.int64)
