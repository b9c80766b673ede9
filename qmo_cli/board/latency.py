"""What a packet costs, as a mean of the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from .frame import Latency

SPAN = 60.0          # s
EVERY = 5.0          # s between two samples


class Sample(NamedTuple):
    """Totals at one time: s, packets, ns by stage."""

    at: float
    packets: int
    spent: dict[str, int]


class Costs:
    """Totals, looked at now and then, so that the cost of the last minute is a difference."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque()

    def take(self, at: float, packets: int, spent: Mapping[str, int]) -> None:
        """The totals at a time; most calls do nothing."""
        if self.samples and at - self.samples[-1].at < EVERY:
            return
        self.samples.append(Sample(at, packets, dict(spent)))
        while len(self.samples) > 2 and at - self.samples[1].at >= SPAN:
            self.samples.popleft()

    def mean(self) -> Latency | None:
        """Per packet; None before there is anything to divide by."""
        if len(self.samples) < 2:
            return None
        first, last = self.samples[0], self.samples[-1]
        packets = last.packets - first.packets
        if not packets:
            return None
        stages = {
            name: round((total - first.spent.get(name, 0)) / packets / 1e3, 1) for name, total in last.spent.items()
        }
        return Latency(round(sum(stages.values()), 1), stages)
