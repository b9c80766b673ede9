# cython: language_level=3, auto_pickle=False
"""Absorption: aggressors run into a price and the price does not give."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from qmo_cli.engines.absorption.reading import AbsorptionReading
from qmo_cli.engines.absorption.watch import Watch
from qmo_cli.engines.bars import BarsReading
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Health, Inputs, Market, Missing, Reading
from qmo_cli.tray import Packet

CONFIDENCE = {"mbo": 0.99, "mbp-10": 0.9}  # of what a level took: implied fills blur levels without orders


@dataclass(slots=True)
class AbsorptionEngine:
    """Levels that take unusual aggressive volume, refill and hold, and the zones they leave."""

    name: ClassVar[str] = "absorption"
    needs: ClassVar[frozenset[str]] = frozenset({"trades", "depth", "bars"})
    reading: ClassVar[type[Reading]] = AbsorptionReading

    window: int = field(default=30, metadata={"help": "Seconds that a level's event may last."})
    quiet: int = field(default=10, metadata={"help": "Seconds without a hit that end it."})
    quantile: float = field(default=0.99, metadata={"help": "Of what levels take at this hour: what is unusual."})
    fewest: int = field(default=200, metadata={"help": "Levels that must have been hit before anything is unusual."})
    replenish: float = field(default=0.5, metadata={"help": "Share of what was taken that must have come back."})
    move_ticks: float = field(default=1.0, metadata={"help": "Ticks that price may move meanwhile."})
    rearm: int = field(default=300, metadata={"help": "Seconds until a level that holds is news again."})
    half_life: float = field(default=300.0, metadata={"help": "Seconds in which a zone loses half its weight."})
    zone_ticks: float = field(default=3.0, metadata={"help": "A zone spans at most this many ticks."})
    zone_atr: float = field(default=0.03, metadata={"help": "Or this many ATR(15m), whichever is wider."})
    zone_minutes: float = field(default=15.0, metadata={"help": "An event joins a zone seen this recently."})
    reach_ticks: float = field(default=20.0, metadata={"help": "Zones within this many ticks of the price count."})
    reach_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    most_zones: int = field(default=32, metadata={"help": "Zones shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    watch: Watch | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.half_life < inf:
            raise ConfigurationError(f"absorption.half_life={self.half_life}: seconds above 0 expected")
        if not 0 < self.quantile <= 1:
            raise ConfigurationError(f"absorption.quantile={self.quantile}: a share of 1 expected")
        if self.fewest < 1:
            raise ConfigurationError(f"absorption.fewest={self.fewest}: 1 or more expected")

    def update(self, packet: Packet) -> AbsorptionReading | Missing:
        health: Health = packet.read("health", Health)
        inputs: Inputs = packet.read("inputs", Inputs)
        access, trades, depth = health.access, inputs.trades, inputs.depth
        if access not in CONFIDENCE:  # one level alone loses sight of what was hit
            return Missing(f"needs mbp-10 or mbo, input is {access}")
        if depth is None or trades is None:
            self.watch = None
            return Missing(packet.missing.get("inputs.depth", "needs depth and trades"))
        market: Market = packet.read("market", Market)
        if market.tick is None:
            return Missing("needs the contract's tick")
        watch: Watch = self.watch
        if watch is None or not watch.is_of(packet.instrument_id, access):
            watch = self.watch = Watch(self, packet, access, CONFIDENCE[access])
        return watch.advance(packet, market.tick, packet.read("bars", BarsReading), trades, depth, inputs.orders)
