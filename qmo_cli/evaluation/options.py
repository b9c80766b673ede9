"""What to measure on."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import UsageError
from ..feeds.sim import SimOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """Which markets to make."""

    seed: int = field(default=101, metadata={"help": "Seed of the first market; each further one has the next."})
    markets: int = field(default=5, metadata={"help": "How many markets."})
    minutes: float = field(default=240.0, metadata={"help": "Minutes of event time of each."})
    rate: float = field(default=50.0, metadata={"help": "Mean number of records per second of event time."})

    def __post_init__(self) -> None:
        if self.markets < 1:
            raise UsageError(f"--markets {self.markets}: at least one market is needed")

    def simulations(self) -> list[SimOptions]:
        """The simulator's options for each market."""
        return [
            SimOptions(seed=seed, minutes=self.minutes, rate=self.rate)
            for seed in range(self.seed, self.seed + self.markets)
        ]
