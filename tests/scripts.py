"""Exchange events, written by hand or by a simulated exchange: records with times that advance by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from qmo_cli.blocks import F_LAST, F_SNAPSHOT, SECOND

from .support import START, mbo


@dataclass(frozen=True, slots=True)
class Part:
    """One record of an exchange event, before it has times and flags."""

    action: str
    side: str = "N"
    price: float | None = None
    size: int = 0
    order_id: int = 0


def added(order_id: int, side: str, price: float, size: int) -> Part:
    """A new order."""
    return Part("A", side, price, size, order_id)


def modified(order_id: int, side: str, price: float, size: int) -> Part:
    """An order's new price and displayed size."""
    return Part("M", side, price, size, order_id)


def cancelled(order_id: int, side: str, price: float, size: int) -> Part:
    """Displayed size taken out of the book."""
    return Part("C", side, price, size, order_id)


def traded(side: str, price: float, size: int, aggressor: int = 0) -> Part:
    """A trade; ``side`` is the aggressor's."""
    return Part("T", side, price, size, aggressor)


def filled(order_id: int, side: str, price: float, size: int) -> Part:
    """A fill of one order; ``side`` is the resting side."""
    return Part("F", side, price, size, order_id)


def cleared() -> Part:
    """The whole book of the instrument is void."""
    return Part("R")


def nothing() -> Part:
    """A record that changes nothing (some events end with one)."""
    return Part("N")


@dataclass(slots=True)
class Script:
    """Exchange events of one or more instruments in order, with times that advance by themselves.

    ``now`` is the exchange time of the next event; the capture follows ``delay`` ns later.
    """

    instrument: int = 1
    now: int = START
    step: int = 1_000_000    # ns from one event to the next
    delay: int = 100_000     # ns from ts_event to ts_recv
    records: list[bytes] = field(default_factory=list)
    sequence: int = 0
    arrivals: list[int] = field(default_factory=list)       # ns, of each record
    latest: dict[int, int] = field(default_factory=dict)    # instrument -> newest arrival

    def event(
        self, *parts: Part, flags: int = 0, last: bool = True, instrument: int | None = None, late: int = 0,
        spread: int = 0,
    ) -> Script:
        """One event: its records share ts_event, the final one has F_LAST.

        ``late``: ns taken off its times. ``spread``: ns from the arrival of one record to that of the next.
        """
        for index, part in enumerate(parts):
            end = F_LAST if last and index == len(parts) - 1 else 0
            self._put(part, late, flags | end, instrument, spread if index else 0)
        self.now += self.step
        return self

    def snapshot(self, *parts: Part, age: int = SECOND, last: bool = False, instrument: int | None = None) -> Script:
        """A snapshot run: SNAPSHOT on each record, ts_event older than ts_recv by ``age`` and more."""
        for index, part in enumerate(parts):
            end = F_LAST if last and index == len(parts) - 1 else 0
            record = mbo(
                part.action, part.side, part.price, part.size, part.order_id, ts_event=self.now - age - index,
                ts_recv=self.now + self.delay, flags=F_SNAPSHOT | 8 | end,
                instrument=self.instrument if instrument is None else instrument, sequence=self.sequence,
            )
            self.raw(record)
        self.now += self.step
        return self

    def wait(self, ns: int) -> Script:
        """Silence."""
        self.now += ns
        return self

    def raw(self, *records: bytes) -> Script:
        """Records made elsewhere, as they are."""
        self.records.extend(records)
        self.arrivals.extend([self.now + self.delay] * len(records))
        return self

    def captured(self) -> list[bytes]:
        """The records in the order of their arrival."""
        order = sorted(range(len(self.records)), key=lambda index: self.arrivals[index])
        return [self.records[index] for index in order]

    def _put(self, part: Part, late: int, flags: int, instrument: int | None, gap: int) -> None:
        self.sequence += 1
        whose = self.instrument if instrument is None else instrument
        arrival = max(self.now + self.delay, self.latest.get(whose, 0) + gap)
        self.latest[whose] = arrival
        self.arrivals.append(arrival)
        self.records.append(mbo(
            part.action, part.side, part.price, part.size, part.order_id, ts_event=self.now - late,
            ts_recv=arrival - late, flags=flags, sequence=self.sequence, instrument=whose,
        ))
