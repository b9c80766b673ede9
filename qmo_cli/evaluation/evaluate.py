"""Markets made, seen and compared, one after another, and the promises checked on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Struct

from ..packets import OPTIONAL
from .claims import Comparison, compare, delays, gather, native_facts, synthetic_facts
from .episodes import Count, Episodes, count_episodes
from .markets import Market, watch, watch_decoys
from .measures import Detector, Measure, Trial, measure
from .options import EvaluationOptions
from .truth import Native, Synthetic


class Check(Struct, frozen=True, gc=False):
    """One promise, and whether it was kept on these markets."""

    schema: Literal["evaluation-check"]
    metric: str
    target: str
    value: Annotated[float | None, OPTIONAL]  # null: there was nothing to measure it on
    cases: int                                # what it was measured on
    reached: bool


class Decoys(Struct, frozen=True, gc=False):
    """What was told of markets that hold no iceberg at all, only what looks like one."""

    schema: Literal["evaluation-decoys"]
    hours: float                         # of event time
    decoys: int                          # planted
    native: int                          # icebergs told of, all of them wrong
    native_per_hour: float
    synthetic: int
    synthetic_per_hour: float


class Evaluation(Struct, frozen=True):
    """All that was measured: each market, all of them, and the promises."""

    measures: list[Measure]
    decoys: Decoys
    episodes: list[Episodes]
    checks: list[Check]

    @property
    def reached(self) -> bool:
        """Whether every promise was kept."""
        return all(check.reached for check in self.checks)


LINES = {
    "evaluation": Measure, "evaluation-decoys": Decoys, "evaluation-episodes": Episodes, "evaluation-check": Check,
}


@dataclass(slots=True)
class Tally:
    """What is summed over markets."""

    hours: float = 0.0
    filled: int = 0
    remainder: int = 0
    decoy_hours: float = 0.0
    decoys: int = 0
    false_natives: int = 0
    false_chains: int = 0
    trials: dict[Detector, list[Trial]] = field(default_factory=lambda: {"native": [], "synthetic": []})
    episodes: dict[str, Count] = field(default_factory=dict)


def evaluate(options: EvaluationOptions, tell: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Make the markets, let the engines see them, and compare. ``tell`` hears of every market that is done."""
    tally = Tally()
    measures: list[Measure] = []
    for simulation in options.simulations():
        name = f"seed {simulation.seed}"
        measures += one_market(name, watch(simulation), tally)
        add_decoys(watch_decoys(simulation), tally)
        tell(name)
    pooled = {name: measure("all", name, tally.hours, trials) for name, trials in tally.trials.items()}
    decoys = decoys_of(tally)
    return Evaluation(
        [*measures, *pooled.values()], decoys, [count.public(kind) for kind, count in tally.episodes.items()],
        checks(tally, decoys, pooled["native"], pooled["synthetic"]),
    )


def one_market(name: str, market: Market, tally: Tally) -> Iterator[Measure]:
    """Rows of one market; its numbers go into the tally."""
    tally.hours += market.hours
    tally.filled += market.filled
    tally.remainder += market.remainder
    count_episodes(market, tally.episodes)
    for detector, comparison in compared(market).items():
        trial = Trial(comparison, delays(comparison, market.moments))
        tally.trials[detector].append(trial)
        yield measure(name, detector, market.hours, [trial])


def compared(market: Market) -> dict[Detector, Comparison]:
    """What was told of icebergs, set beside what was there."""
    claims = gather(market.icebergs)
    chains = market.of(Synthetic)
    return {
        "native": compare(claims["native"], native_facts(market.of(Native))),
        "synthetic": compare(claims["synthetic"], synthetic_facts(chains), synthetic_facts(chains, every=True)),
    }


def add_decoys(market: Market, tally: Tally) -> None:
    """Everything told of a market without icebergs is a false alarm."""
    claims = gather(market.icebergs)
    tally.decoy_hours += market.hours
    tally.decoys += len(market.truth)
    tally.false_natives += len(claims["native"])
    tally.false_chains += len(claims["synthetic"])


def decoys_of(tally: Tally) -> Decoys:
    """The false alarms of all markets without icebergs."""
    hours = max(tally.decoy_hours, 1e-9)
    return Decoys(
        "evaluation-decoys", round(tally.decoy_hours, 6), tally.decoys, tally.false_natives,
        round(tally.false_natives / hours, 6), tally.false_chains, round(tally.false_chains / hours, 6),
    )


def checks(tally: Tally, decoys: Decoys, native: Measure, synthetic: Measure) -> list[Check]:
    """The promises. What could not be measured was not kept."""
    reconciled = 1 - tally.remainder / tally.filled if tally.filled else None
    return [
        least("native icebergs, precision", 0.999, native.precision, native.claimed),
        least("native icebergs, recall", 0.999, native.recall, native.planted),
        most("native icebergs, longest delay (events)", 0, native.delay_most, native.right),
        most("native icebergs told of among decoys", 0, decoys.native, decoys.decoys),
        least("peaks told exactly", 0.995, native.peaks_exact, native.peaks),
        least("passive volume reconciled", 0.9999, reconciled, tally.filled),
        least("synthetic icebergs, precision", 0.80, synthetic.precision, synthetic.claimed),
        least("synthetic icebergs, recall", 0.60, synthetic.recall, synthetic.planted),
        between("totals inside the 80 % band", 0.75, 0.85, native.band_coverage, native.bands),
    ]


def least(metric: str, target: float, value: float | None, cases: int) -> Check:
    """At least so much."""
    return Check("evaluation-check", metric, f">= {target:g}", value, cases, value is not None and value >= target)


def most(metric: str, target: float, value: float | None, cases: int) -> Check:
    """At most so much."""
    return Check("evaluation-check", metric, f"<= {target:g}", value, cases, value is not None and value <= target)


def between(metric: str, low: float, high: float, value: float | None, cases: int) -> Check:
    """Within these."""
    reached = value is not None and low <= value <= high
    return Check("evaluation-check", metric, f"{low:g} to {high:g}", value, cases, reached)
