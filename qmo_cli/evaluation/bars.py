"""How often the flags of classical analysis fire on bars, whether what follows goes where they say, and by chance.

Chance is the same bars in another order: every flag is looked for anew on each of hundreds of shuffled series, so that
overlapping spans, the drift of prices and the spread of moves are there as they are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadData
from ..times import SECOND, iso
from .barfile import SHOWN, BarTable, read_bars
from .barlines import BarsSummary, Direction, Dirt, Frequency
from .flags import flags
from .looks import Flag, Look, Rules
from .options import BarsOptions
from .pvalues import holm, mean, one_sided, six, two_sided
from .series import Chance, Series, Swings, series_of, swings

LEAST = 200          # bars
LATE = 22            # bars after an extreme at which a count of 21 can still be seen


@dataclass(frozen=True, slots=True)
class BarsEvaluation:
    """All that was measured."""

    summary: BarsSummary
    dirt: list[Dirt]
    frequencies: list[Frequency]
    directions: list[Direction]


def evaluate_bars(
    names: Sequence[str], options: BarsOptions, tell: Callable[[str], None] = lambda _: None,
) -> BarsEvaluation:
    """Measure every flag on the bars of files. ``tell`` hears of every hundred shuffles.

    Raises BadData where there are too few good bars.
    """
    table = read_bars(names, options.scale)
    if len(table.rows) < LEAST:
        raise BadData(f"{', '.join(names)}: {len(table.rows)} good bars; {LEAST} are needed" + blamed(table))
    series = series_of([row.ts for row in table.rows], [row.prices for row in table.rows], options.tick)
    rules, horizons = Rules(options.k, options.so9_unit / options.tick), sorted(set(options.horizon)) or [1, 5, 20]
    found = swings(series, options.k)
    here = flags(Look(series, found, rules))
    seen = np.array(measures(series, found, here, horizons))
    chance = Chance(series, options.block, options.shuffle_seed)
    drawn = np.array([_shuffled(chance, rules, horizons, number, tell) for number in range(options.shuffles)])
    return BarsEvaluation(
        summarised(", ".join(names), series, found, options), list(dirt(table)),
        frequencies(here, seen[:, 0], drawn[:, :, 0]),
        directions(series, here, horizons, seen[:, 1:], drawn[:, :, 1:]),
    )


def _shuffled(
    chance: Chance, rules: Rules, horizons: list[int], number: int, tell: Callable[[str], None],
) -> list[list[float]]:
    if number and number % 100 == 0:
        tell(f"{number} shuffles")
    series = chance.draw()
    found = swings(series, rules.k)
    return measures(series, found, flags(Look(series, found, rules)), horizons)


def measures(series: Series, found: Swings, here: list[Flag], horizons: list[int]) -> list[list[float]]:
    """Of every flag its rate, and its mean move in ATR over each span; nan where there is nothing to measure."""
    ahead = [moves(series, found, horizon) for horizon in horizons]
    return [
        [rate(flag), *(mean(flag.side[claimed] * move[claimed]) for move in ahead for claimed in [claims(flag, move)])]
        for flag in here
    ]


def moves(series: Series, found: Swings, horizon: int) -> Any:
    """How far the close so many bars later lies above each, in ATR; nan where there is none."""
    ahead = np.full(len(series), np.nan)
    ahead[:-horizon] = (series.close[horizon:] - series.close[:-horizon]) / found.atr[:-horizon]
    return ahead


def claims(flag: Flag, move: Any) -> Any:
    """Bars on which a flag claims a direction, and something follows."""
    return flag.fired & (flag.side != 0) & ~np.isnan(move)


def rate(flag: Flag) -> float:
    """Share of the bars on which the flag could be told."""
    known = int(flag.known.sum())
    return float(flag.fired.sum()) / known if known else float("nan")


# --- what is said


def summarised(source: str, series: Series, found: Swings, options: BarsOptions) -> BarsSummary:
    """What was measured on."""
    steps = int(np.median(np.diff(series.start))) // SECOND
    lag = found.lag
    return BarsSummary(
        "evaluation-bars", source, len(series), iso(int(series.start[0])), iso(int(series.start[-1])), steps, len(lag),
        float(np.median(lag)) if len(lag) else None, round(float((lag > LATE).mean()), 6) if len(lag) else None,
        options.shuffles, options.block,
    )


def dirt(table: BarTable) -> Iterator[Dirt]:
    """What was left out, and the gaps."""
    for kind, lines in (*sorted(table.faults.items()), ("gap", table.gaps)):
        if lines:
            yield Dirt("evaluation-dirt", kind, len(lines), lines[:SHOWN])


def blamed(table: BarTable) -> str:
    """What was left out, in a few words."""
    return "".join(f"; {one.count} x {one.kind}" for one in dirt(table))


def frequencies(here: list[Flag], seen: Any, drawn: Any) -> list[Frequency]:
    """How often every flag fires, here and by chance."""
    both = [two_sided(value, column) for value, column in zip(seen, drawn.T, strict=True)]
    return [
        Frequency("evaluation-flag", flag.name, int(flag.known.sum()), int(flag.fired.sum()), six(value) or 0.0,
                  six(np.nanmean(column)) or 0.0, p, corrected)
        for flag, value, column, p, corrected in zip(here, seen, drawn.T, both, holm(both), strict=True)
        if not np.isnan(value)
    ]


def directions(series: Series, here: list[Flag], horizons: list[int], seen: Any, drawn: Any) -> list[Direction]:
    """Whether price goes where every flag says."""
    values = [one_sided(seen[row, column], drawn[:, row, column])
              for row in range(len(here)) for column in range(len(horizons))]
    corrected = iter(zip(values, holm(values), strict=True))
    return [
        _direction(series, flag, horizon, seen[row, column], drawn[:, row, column], *next(corrected))
        for row, flag in enumerate(here) for column, horizon in enumerate(horizons)
    ]


def _direction(
    series: Series, flag: Flag, horizon: int, value: float, drawn: Any, p: float | None, corrected: float | None,
) -> Direction:
    claimed = flag.fired[:-horizon] & (flag.side[:-horizon] != 0)
    went = np.sign(series.close[horizon:] - series.close[:-horizon])[claimed] == flag.side[:-horizon][claimed]
    known = drawn[~np.isnan(drawn)]
    return Direction(
        "evaluation-claim", flag.name, horizon, int(claimed.sum()), six(mean(went)), six(value), six(mean(known)), p,
        corrected,
    )
