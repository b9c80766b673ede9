# cython: language_level=3, auto_pickle=False
"""Icebergs: orders that were seen to hide size, the zones they leave, and what these say of the price."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from qmo_cli.engines.iceberg.contract import Contract
from qmo_cli.engines.iceberg.told import IcebergReading
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, Market, Missing, Reading
from qmo_cli.tray import Packet


@dataclass(slots=True)
class IcebergEngine:
    """Native icebergs, exact from order ids; synthetic ones with their false discovery rate; zones of hidden volume.

    Without order ids, levels that refresh (mbp-10, surely) or seem to (tbbo, unconfirmed).
    """

    name: ClassVar[str] = "iceberg"
    needs: ClassVar[frozenset[str]] = frozenset({"orders", "bars"})
    reading: ClassVar[type[Reading]] = IcebergReading

    zone_ticks: float = field(default=3.0, metadata={"help": "A zone spans at most this many ticks."})
    zone_atr: float = field(default=0.03, metadata={"help": "Or this many ATR(15m), whichever is wider."})
    zone_minutes: float = field(default=15.0, metadata={"help": "Evidence joins a zone seen this recently."})
    half_life: float = field(default=1800.0, metadata={"help": "Seconds in which a zone loses half its weight."})
    reach_ticks: float = field(default=20.0, metadata={"help": "Zones within this many ticks of the price count."})
    reach_atr: float = field(default=0.5, metadata={"help": "Or within this many ATR(15m), whichever is wider."})
    window_minutes: float = field(default=120.0, metadata={
        "help": "Minutes over which synthetic icebergs are counted against chance."})
    most_zones: int = field(default=32, metadata={"help": "Zones shown in a packet."})
    most_icebergs: int = field(default=32, metadata={"help": "Resting icebergs shown in a packet."})

    reasons: dict[str, str] = field(default_factory=dict, init=False)
    contract: Contract | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.half_life < inf:
            raise ConfigurationError(f"iceberg.half_life={self.half_life}: seconds above 0 expected")
        if not 0 < self.window_minutes < inf:
            raise ConfigurationError(f"iceberg.window_minutes={self.window_minutes}: minutes above 0 expected")

    def update(self, packet: Packet) -> IcebergReading | Missing:
        inputs: Inputs = packet.read("inputs", Inputs)
        if inputs.orders is None and inputs.levels is None:
            return Missing(packet.missing.get("inputs.orders", "needs mbo"))
        market: Market = packet.read("market", Market)
        if market.tick is None:
            return Missing("needs the contract's tick")
        contract: Contract = self.contract
        if contract is None or contract.instrument_id != packet.instrument_id:
            contract = self.contract = Contract(self, packet)
        reading = contract.advance(packet, inputs, market.tick)
        self.reasons = contract.reasons
        return reading
