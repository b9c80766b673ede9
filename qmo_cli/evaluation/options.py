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


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsOptions:
    """How bars are measured."""

    scale: float = field(default=1.0, metadata={"help": "Multiply prices by this: 0.01 for prices in cents."})
    tick: float = field(default=0.1, metadata={"help": "Smallest price step; prices are rounded to it."})
    shuffles: int = field(default=500, metadata={"help": "How many times the bars are shuffled; 200 or more."})
    block: int = field(default=10, metadata={"help": "Bars that stay together when they are shuffled."})
    shuffle_seed: int = field(default=1, metadata={"help": "Seed of the shuffles."})
    horizon: tuple[int, ...] = field(default=(1, 5, 20), metadata={
        "help": "Bars after a flag at whose close it is judged; may be given several times. Without it 1, 5 and 20."})
    k: float = field(default=3.0, metadata={"help": "ATR(14) that a close must come back to confirm a swing."})
    so9_unit: float = field(default=1.0, metadata={
        "help": "Price unit of the Square of Nine and of price-time squaring."})

    def __post_init__(self) -> None:
        if not all(value > 0 for value in (self.scale, self.tick, self.k, self.so9_unit)):
            raise UsageError("--scale, --tick, --k and --so9-unit must be above 0")
        if self.shuffles < 200 or self.block < 1 or not all(bars > 0 for bars in self.horizon):
            raise UsageError("--shuffles must be 200 or more, --block and --horizon 1 or more")
