"""From one contract of a series to the next: what happens to prices that an engine has stored.

A roll jumps by the gap between two contracts, which nobody could trade. So stored prices move by it, once it is known:
with the first trade of the new contract. Averages of ranges stay as they are, since a gap moves no range.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..packets import Notice
from ..tray import Packet

STAY = 0.0
MOVED_DECIMALS = 9  # of DBN's prices


@dataclass(slots=True)
class Contract:
    """The contract that stored prices are of; one for each engine that stores some.

    >>> moved(2000.1, 12.3)
    2012.4
    """

    instrument_id: int = -1
    awaits: bool = False        # another contract is on, and it has not traded yet: levels are not known

    def follow(self, packet: Packet) -> float | None:
        """Points by which stored prices move before anything of this packet is taken in; None: forget them, for
        another contract trades and no gap is known. Call it once for each packet.
        """
        if packet.instrument_id == self.instrument_id and not self.awaits:
            return STAY
        return self._step(packet)

    def _step(self, packet: Packet) -> float | None:
        if self.instrument_id not in (-1, packet.instrument_id):
            self.awaits = True
        self.instrument_id = packet.instrument_id
        if not self.awaits or packet.market.open is None:
            return STAY
        self.awaits = False
        return gap_of(packet.read("system", list[Notice]) or [])


def gap_of(notices: Iterable[Notice]) -> float | None:
    """The roll gap that they tell: first trade of the new contract - last trade of the old, in points."""
    return next((notice.gap for notice in notices if notice.kind == "roll" and notice.gap is not None), None)


def moved(price: float, gap: float) -> float:
    """A stored price in the new contract's terms."""
    return round(price + gap, MOVED_DECIMALS)
