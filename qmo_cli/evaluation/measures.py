"""Numbers that say how good the detection of icebergs is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal

from msgspec import Struct

from ..packets import OPTIONAL, OptionalFloat, OptionalInt
from .claims import Claim, Comparison, Fact, peaks_left

Detector = Literal["native", "synthetic"]


class Measure(Struct, frozen=True, gc=False):
    """One detector on one simulated market, or on all of them; null where there is nothing to measure.

    precision = right / claimed, recall = found / planted, f1 their harmonic mean; the same weighted with hidden volume.
    """

    schema: Literal["evaluation"]
    market: str                          # "seed 101", or "all"
    detector: Detector
    hours: float                         # of event time
    planted: int                         # icebergs that could be found
    claimed: int                         # icebergs told of
    right: int                           # of these, those that tell of one that was there
    found: int                           # planted icebergs that were told of
    precision: OptionalFloat
    recall: OptionalFloat
    f1: OptionalFloat
    hidden: int                          # contracts that the planted icebergs traded after hiding them
    hidden_precision: OptionalFloat
    hidden_recall: OptionalFloat
    hidden_f1: OptionalFloat
    delay_median: OptionalFloat          # exchange events from the first evidence to the detection
    delay_most: OptionalInt
    peaks: int                           # found icebergs of which only one peak agrees with all they showed
    peaks_exact: OptionalFloat           # share of these whose peak was told exactly, and right
    peaks_open: int                      # found ones that showed whole peaks too, but with which several agree
    size_error: OptionalFloat            # median of |estimated median - total| / total
    bands: int                           # found icebergs with an 80 % band of their size
    band_coverage: OptionalFloat         # share of these whose total lay inside
    fdr: Annotated[float | None, OPTIONAL]  # false discovery rate as the engine told it, mean over its claims


@dataclass(frozen=True, slots=True)
class Trial:
    """One detector on one market: what it said, what was there, and how late it was."""

    comparison: Comparison
    delays: Sequence[int]                # events


def measure(market: str, detector: Detector, hours: float, trials: Sequence[Trial]) -> Measure:
    """All trials of a detector as one row."""
    claims = [claim for trial in trials for claim in trial.comparison.claims]
    facts = [fact for trial in trials for fact in trial.comparison.facts]
    pairs = [pair for trial in trials for pair in trial.comparison.pairs]
    wanted = {id(fact) for fact in facts}
    found = [fact for trial in trials for fact in trial.comparison.found if id(fact) in wanted]
    delays = [delay for trial in trials for delay in trial.delays]
    precision, recall = share(len(pairs), len(claims)), share(len(found), len(facts))
    hidden_precision = share(sum(claim.hidden for claim, _ in pairs), sum(claim.hidden for claim in claims))
    hidden_recall = share(sum(fact.hidden for fact in found), sum(fact.hidden for fact in facts))
    peaks, peaks_open = peaks_told(pairs)
    errors, inside = sizes_told(pairs)
    return Measure(
        "evaluation", market, detector, round(hours, 6), len(facts), len(claims), len(pairs), len(found),
        precision, recall, harmonic(precision, recall), sum(fact.hidden for fact in facts),
        hidden_precision, hidden_recall, harmonic(hidden_precision, hidden_recall),
        middle(delays), max(delays, default=None), len(peaks), share(sum(peaks), len(peaks)), peaks_open,
        middle(errors), len(inside), share(sum(inside), len(inside)), mean_fdr(claims),
    )


def share(part: int, whole: int) -> float | None:
    """part / whole; None of nothing.

    >>> share(3, 4), share(0, 0)
    (0.75, None)
    """
    return round(part / whole, 6) if whole else None


def harmonic(precision: float | None, recall: float | None) -> float | None:
    """F1 = 2 p r / (p + r); None where either is unknown.

    >>> harmonic(0.5, 1.0), harmonic(0.0, 0.0), harmonic(None, 1.0)
    (0.666667, 0.0, None)
    """
    if precision is None or recall is None:
        return None
    return round(2 * precision * recall / (precision + recall), 6) if precision + recall else 0.0


def middle(values: Iterable[float]) -> float | None:
    """The median; None of nothing."""
    ordered = list(values)
    return round(float(median(ordered)), 6) if ordered else None


def peaks_told(pairs: Iterable[tuple[Claim, Fact]]) -> tuple[list[bool], int]:
    """Of each iceberg that showed its peak: whether it was told, as exact and right; and how many peaks are open.

    Open are those that a refresh showed whole peaks of, but with several peaks that agree with all they showed. Who
    tells of an exact peak there has guessed: that counts, as right or wrong.
    """
    shown = [(claim, fact) for claim, fact in pairs if fact.telling and claim.reloads]
    told = [(claim, fact) for claim, fact in shown if claim.peak_exact or peaks_left(claim, fact) == 1]
    return [claim.peak_exact and claim.peak == fact.peak for claim, fact in told], len(shown) - len(told)


def sizes_told(pairs: Iterable[tuple[Claim, Fact]]) -> tuple[list[float], list[bool]]:
    """Relative error of each estimated size, and whether the total lay in the band where there was one."""
    told = [(claim.estimate, fact.total) for claim, fact in pairs if claim.estimate is not None]
    errors = [abs(one.median - total) / total for one, total in told if one.median is not None]
    bands = [one.low <= total <= one.high for one, total in told if one.low is not None and one.high is not None]
    return errors, bands


def mean_fdr(claims: Iterable[Claim]) -> float | None:
    """The false discovery rate that the engine told with its claims."""
    rates = [claim.fdr for claim in claims if claim.fdr is not None]
    return round(sum(rates) / len(rates), 6) if rates else None
