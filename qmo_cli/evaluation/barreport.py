"""The measurement of bars as a person reads it, and as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from .barlines import BarsSummary, Direction, Dirt, Frequency
from .bars import BarsEvaluation
from .report import table

DIRT = ("left out", "lines", "the first of them")
FREQUENCIES = ("flag", "bars", "fired", "rate %", "chance %", "p", "Holm")
DIRECTIONS = ("flag", "bars on", "claims", "right %", "move", "chance", "p", "Holm")
LEVEL = 0.05
NOTES = """\
chance: the same bars shuffled; every flag was looked for anew on each shuffle
right: share of the claims after which the close lay on the side claimed
move: mean move to the side claimed, in ATR(14); chance: the same when shuffled
p: of the rate two-sided, of the move for one as far to the side claimed
Holm: p corrected for all rows of its table"""


def rows(found: BarsEvaluation) -> Iterator[Struct]:
    """Every row that was measured, in the order of the tables."""
    yield found.summary
    yield from found.dirt
    yield from found.frequencies
    yield from found.directions


def text(found: BarsEvaluation) -> str:
    """All tables, 80 columns wide at most."""
    parts = [
        summary(found.summary), *([dirt(found.dirt)] if found.dirt else []),
        "How often a flag fires\n\n" + table(FREQUENCIES, map(frequency_row, found.frequencies)),
        "Whether price goes where the flag says\n\n" + table(DIRECTIONS, map(direction_row, found.directions)),
        NOTES, verdict(found),
    ]
    return "\n\n".join(parts) + "\n"


def summary(one: BarsSummary) -> str:
    """What was measured on."""
    lag = "" if one.lag is None or one.late is None else (
        f"; confirmed {one.lag:g} bars late (median),\n{100 * one.late:.1f} % of them too late for a count of 21")
    return (
        f"{one.source}\n{one.bars:,} bars of {one.interval} s, {one.first} to {one.last}\n"
        f"{one.pivots:,} swings{lag}\n{one.shuffles} shuffles in blocks of {one.block} bars"
    )


def dirt(found: list[Dirt]) -> str:
    """What was left out."""
    return table(DIRT, (
        [one.kind if one.kind != "gap" else "nothing: gaps before", one.count, ", ".join(map(str, one.lines))]
        for one in found
    ))


def frequency_row(one: Frequency) -> list[Any]:
    """How often one flag fires."""
    return [one.flag, one.bars, one.fired, percent(one.rate), percent(one.chance), one.p, one.holm]


def direction_row(one: Direction) -> list[Any]:
    """Whether price goes where one flag says."""
    return [one.flag, one.horizon, one.claims, percent(one.right), short(one.move), short(one.chance), one.p, one.holm]


def percent(share: float | None) -> str | None:
    """In hundredths."""
    return None if share is None else f"{100 * share:.1f}"


def short(move: float | None) -> str | None:
    """Three decimals; nothing is never less than nothing."""
    return None if move is None else f"{round(move, 3) + 0.0:.3f}"


def verdict(found: BarsEvaluation) -> str:
    """What the corrected p-values say, in words."""
    better = [f"{one.flag} over {one.horizon}" for one in found.directions if one.holm is not None and one.holm < LEVEL]
    tests = sum(one.p is not None for one in found.directions)
    raw = sum(one.p is not None and one.p < LEVEL for one in found.directions)
    said = ", ".join(better) if better else "none"
    return (
        f"Of {tests} claims of direction better than chance after correction (p < {LEVEL}): {said}.\n"
        f"Before correction {raw}; chance alone gives about {tests * LEVEL:.1f}."
    )
