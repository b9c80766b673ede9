"""Simulated markets, each seen twice: as it was made, and as the engines saw it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..blocks import F_LAST, MBO, Block
from ..engines.absorption.reading import AbsorptionEvent, AbsorptionReading
from ..engines.iceberg.told import IcebergEvent, IcebergReading
from ..feeds.sim import SimOptions, simulate
from ..packets import Health, Inputs, StopFact, Sweep
from ..pipeline import Engines, routed
from ..router import Router
from ..tray import Packet
from . import truth

MBO_WORDS = 7  # an MBO record is seven 64-bit words


@dataclass(slots=True)
class Market:
    """One market: its truth, and what the engines made of it."""

    options: SimOptions
    truth: list[truth.Line] = field(default_factory=list)
    moments: array[int] = field(default_factory=lambda: array("q"))  # ns of every exchange event, ascending
    icebergs: list[IcebergEvent] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)
    stops: list[StopFact] = field(default_factory=list)
    absorbed: list[AbsorptionEvent] = field(default_factory=list)
    tick: float = 0.0
    filled: int = 0                      # passive volume
    remainder: int = 0                   # of it, neither displayed nor proved hidden

    @property
    def hours(self) -> float:
        """Length in hours of event time."""
        return (self.moments[-1] - self.options.start) / 3.6e12 if self.moments else 0.0

    def of(self, kind: type[Any]) -> list[Any]:
        """The truth of one kind."""
        return [line for line in self.truth if type(line) is kind]


def watch(options: SimOptions) -> Market:
    """Make a market and let the engines see it. The simulator and the engines share nothing but the records."""
    market = Market(options)
    engines = Engines(("bars", "iceberg", "absorption"))
    blocks = simulate(options, lambda lines: market.truth.extend(map(truth.decode, lines.splitlines())))
    for packets in routed(Router(), noted(blocks, market.moments)):
        for packet in packets:
            engines.update(packet)
            see(packet, market)
    return market


def watch_decoys(options: SimOptions) -> Market:
    """The same without any iceberg."""
    return watch(replace(options, decoys_only=True))


def noted(blocks: Iterable[Block], moments: array[int]) -> Iterator[Block]:
    """The blocks, while the times of the events in them are written down."""
    for block in blocks:
        moments.extend(ends(block.data))
        yield block


def ends(data: bytes) -> Iterator[int]:
    """ts_event of every MBO record that ends an event."""
    import numpy as np

    from ..market.stream import same

    at = 0
    while at < len(data):
        end = same(data, at)
        if data[at + 1] == MBO:
            words = np.frombuffer(data, "<i8", (end - at) // 8, at).reshape(-1, MBO_WORDS)
            last = (words[:, 4] >> 32 & F_LAST) != 0
            yield from words[last, 1].tolist()
        at = end


def see(packet: Packet, market: Market) -> None:
    """Write down what the engines and the reader say in one packet."""
    reading = packet.read("iceberg", IcebergReading)
    if reading is not None:
        market.icebergs += reading.events
    absorption = packet.read("absorption", AbsorptionReading)
    if absorption is not None:
        market.absorbed += [event for event in absorption.events if event.kind == "detected"]
    inputs: Inputs = packet.inputs
    market.sweeps += inputs.trades.sweeps if inputs.trades is not None else []
    market.stops += inputs.orders.stops if inputs.orders is not None else []
    health: Health = packet.health
    market.tick = packet.market.tick or 0.0
    market.filled, market.remainder = health.filled or 0, health.remainder or 0
