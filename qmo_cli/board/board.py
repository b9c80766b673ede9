"""The board: packets are put onto it by one thread, and looked at by others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from msgspec.structs import replace

from ..packets import Health
from ..signals import Signal
from ..times import iso
from ..tray import Packet
from .frame import Feed, Frame, History, Latency, ShownZone, State, empty
from .latency import Costs
from .series import SeriesBoard

STALE_AFTER = 10.0           # s without a packet, or that packets of the live market lag behind the clock
UNUSABLE: frozenset[State] = frozenset({"stale", "ended", "failed"})


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall clock in ns, and seconds that only go forward; tests give others."""

    wall: Callable[[], int] = time.time_ns
    steady: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Board:
    """The series that were seen, and how their feed stands. One thread puts, any may look."""

    stale_after: float = STALE_AFTER     # s
    clock: Clock = field(default_factory=Clock)
    heard: Callable[[], None] = lambda: None     # called after every put, in the thread that puts
    _state: State = "starting"
    _detail: str | None = None
    _arrived: float | None = None        # s of the steady clock, of the last packet
    _series: dict[str, SeriesBoard] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _costs: Costs = field(default_factory=Costs)
    packets: int = 0
    version: int = 0                     # grows with whatever changes

    def put(self, packets: Iterable[Packet], spent: Mapping[str, int] | None = None) -> None:
        """Packets as they come; ``spent`` is what all so far have cost, ns by stage."""
        with self._lock:
            for packet in packets:
                series = self._series.get(packet.series)
                if series is None:
                    series = self._series[packet.series] = SeriesBoard(packet.series)
                series.put(packet)
                self.packets += 1
            self._arrived = self.clock.steady()
            self._state = "live"
            self.version += 1
            if spent is not None:
                self._costs.take(self._arrived, self.packets, spent)
        self.heard()

    def ended(self, detail: str) -> None:
        """Nothing more will come, and nothing is wrong."""
        self._say("ended", detail)

    def failed(self, detail: str) -> None:
        """Nothing more will come, for this reason."""
        self._say("failed", detail)

    def _say(self, state: State, detail: str) -> None:
        with self._lock:
            self._state, self._detail = state, detail
            self.version += 1
        self.heard()

    def names(self) -> list[str]:
        """The series seen so far, the first first."""
        with self._lock:
            return list(self._series)

    def feed(self, name: str | None = None) -> Feed:
        """How the feed stands, as it concerns one series; the first one without a name."""
        with self._lock:
            return self._feed(self._get(name))

    def frame(self, name: str | None = None) -> Frame:
        """What a screen shows of a series now. Raises KeyError for one that has not been seen."""
        with self._lock:
            series = self._get(name)
            feed = self._feed(series)
            if series is None:
                return empty(feed, list(self._series))
            return series.frame(feed, list(self._series), usable(series.signal, feed), self._costs.mean())

    def signal(self, name: str | None = None) -> tuple[Signal | None, Feed]:
        """The newest signal as it may be used now. Raises KeyError for a series that has not been seen."""
        with self._lock:
            series = self._get(name)
            feed = self._feed(series)
            return (None if series is None else usable(series.signal, feed)), feed

    def packet(self, name: str | None = None) -> bytes | None:
        """The newest packet's line; None before one came, or where the input holds signals alone."""
        with self._lock:
            series = self._get(name)
            if series is None or series.packet is None or "market" not in series.packet.slots:
                return None
            return series.packet.encode()

    def zones(self, name: str | None = None) -> list[ShownZone]:
        """All zones that stand, nearest the price first."""
        with self._lock:
            series = self._get(name)
            if series is None or series.packet is None:
                return []
            return series.zones.near(series.packet.price, most=0)

    def history(self, name: str | None, seconds: int, step: int) -> History | None:
        """Candles and marks of the last so many seconds; None before any packet came."""
        with self._lock:
            series = self._get(name)
            return None if series is None else series.history(seconds, step)

    def happened(self) -> dict[tuple[str, str], int]:
        """Messages of the feed so far, by series and kind."""
        with self._lock:
            return {(name, kind): count for name, series in self._series.items()
                    for kind, count in series.happened.items()}

    def costs(self) -> Latency | None:
        """What a packet costs, mean of the last minute."""
        with self._lock:
            return self._costs.mean()

    def seq(self) -> dict[str, int]:
        """Packets so far, by series."""
        with self._lock:
            return {name: series.seq for name, series in self._series.items()}

    def _get(self, name: str | None) -> SeriesBoard | None:
        if name is None:
            return next(iter(self._series.values()), None)
        return self._series[name]

    def _feed(self, series: SeriesBoard | None) -> Feed:
        now, wall = self.clock.steady(), self.clock.wall()
        age = None if self._arrived is None else max(0.0, now - self._arrived)
        state, detail = self._state, self._detail
        quality = None if series is None else series.quality
        if state == "live" and age is not None:
            detail = self._doubt(series, quality, age, wall)
            state = "live" if detail is None else "stale"
        source, access = described(series)
        return Feed(state, detail, None if age is None else round(age, 3), iso(wall // 1_000_000 * 1_000_000), quality,
                    source, access)

    def _doubt(self, series: SeriesBoard | None, quality: str | None, age: float, wall: int) -> str | None:
        """Why what came last is not of now; None where nothing says so."""
        if age > self.stale_after:
            return f"no packet for {age:.0f} s"
        if quality == "stale":
            return "the feed says that it hears nothing"
        if quality == "real-time" and series is not None and series.packet is not None:
            lag = (wall - series.packet.ts) / 1e9
            if lag > self.stale_after:
                return f"what comes is {lag:.0f} s behind the clock"
        return None


def described(series: SeriesBoard | None) -> tuple[str | None, str | None]:
    """Source and access level of the newest packet, or of the signal where it is all there is."""
    if series is None or series.packet is None:
        return None, None
    market, context = series.market, None if series.signal is None else series.signal.market_context
    if market is not None:
        health = series.packet.read("health", Health)
        return market.source, None if health is None else health.access
    return (None, None) if context is None else (context.source, context.access)


def usable(signal: Signal | None, feed: Feed) -> Signal | None:
    """The signal as it may be used now: where the feed is not live it is no advice any more, and says why."""
    if signal is None or feed.state not in UNUSABLE:
        return signal
    why = f"the feed {'is' if feed.state == 'stale' else 'has'} {feed.state}: {feed.detail}"
    decision = replace(signal.signal, type="HOLD", confidence=None, since=None, id=None)
    return replace(signal, status="stale", signal=decision, entry=None, position=None, valid_until=None,
                   invalidation=None, change=None, reasons=[why], missing={**signal.missing, "signal.confidence": why})
