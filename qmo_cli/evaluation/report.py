"""The evaluation as a person reads it, and as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from tabulate import tabulate

from .episodes import Episodes
from .evaluate import Check, Decoys, Evaluation
from .measures import Measure

FOUND = ("market", "kind", "planted", "told", "prec.", "recall", "F1", "F1 hidden")
CHECKS = ("promise", "target", "value", "cases", "")
EPISODES = ("kind", "planted", "seen", "recall", "told in all")
TOLD = ("market", "kind", "delay", "most", "peaks", "size", "band", "FDR", "real")


def rows(found: Evaluation) -> Iterator[Struct]:
    """Every row that was measured, in the order of the tables."""
    yield from found.measures
    yield found.decoys
    yield from found.episodes
    yield from found.checks


def text(found: Evaluation) -> str:
    """All tables, 80 columns wide at most."""
    parts = (
        "Icebergs found\n\n" + table(FOUND, map(found_row, found.measures)),
        "What was said of them\n\n"
        + table(TOLD, map(told_row, found.measures)),
        f"peaks: share told exactly, without {open_peaks(found)} which nothing that they showed tells apart\n"
        "delay, most: exchange events from first evidence to detection, median and most\n"
        "size: median relative error; band: totals inside the 80 % band\n"
        "FDR, real: false discovery rate as told, and as it was",
        "Episodes that were planted\n\n" + table(EPISODES, map(episode_row, found.episodes)),
        decoy_text(found.decoys),
        "What is promised of the detectors\n\n" + table(CHECKS, map(check_row, found.checks)),
    )
    return "\n\n".join(parts) + "\n"


def open_peaks(found: Evaluation) -> int:
    """Icebergs on all markets of whose peak several sizes agree with everything they showed."""
    return sum(one.peaks_open for one in found.measures if one.market == "all")


def table(headers: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    """Rows under headings; what could not be measured is an empty cell."""
    return str(tabulate([["" if cell is None else cell for cell in row] for row in body], headers, tablefmt="simple"))


def short(value: float | None) -> float | None:
    """Four decimals are enough for a person."""
    return None if value is None else round(value, 4)


def found_row(one: Measure) -> list[Any]:
    """How many were found."""
    return [one.market, one.detector, one.planted, one.claimed, short(one.precision), short(one.recall),
            short(one.f1), short(one.hidden_f1)]


def told_row(one: Measure) -> list[Any]:
    """What was said of those that were found."""
    real = None if one.precision is None or one.detector == "native" else 1 - one.precision
    return [one.market, one.detector, one.delay_median, one.delay_most, short(one.peaks_exact), short(one.size_error),
            short(one.band_coverage), short(one.fdr), short(real)]


def episode_row(one: Episodes) -> list[Any]:
    """One kind of episode."""
    return [one.kind.replace("_", " "), one.planted, one.seen, short(one.recall), one.told]


def check_row(one: Check) -> list[Any]:
    """One promise."""
    value = None if one.value is None else float(f"{one.value:.6g}")
    return [one.metric, one.target, value, one.cases, "kept" if one.reached else "MISSED"]


def decoy_text(one: Decoys) -> str:
    """A sentence about the false alarms."""
    return (
        f"False alarms in {one.hours:.1f} hours of markets that hold {one.decoys:,} decoys and no iceberg:\n"
        f"native {one.native}, synthetic {one.synthetic} ({one.synthetic_per_hour:.2f} an hour)"
    )
