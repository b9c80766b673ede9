"""Absorption: aggressors run into a price and the price does not give."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import exp, inf
from typing import ClassVar, Literal

from qmo_cli.engines.absorption_levels import End, Key, Level, Levels, OneSecond, Seconds, is_beyond
from qmo_cli.engines.absorption_reading import Absorption, AbsorptionEvent, AbsorptionReading
from qmo_cli.engines.absorption_usual import Impact, UsualSizes
from qmo_cli.engines.bars import BarsReading
from qmo_cli.engines.zonebook import ZoneBook, zone_id
from qmo_cli.engines.zones import Distances, Zone
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import DepthInput, Inputs, Missing, Reading, Second
from qmo_cli.rounding import nearest, to_six
from qmo_cli.times import SECOND
from qmo_cli.tray import Packet

CONFIDENCE = {"mbo": 0.99, "mbp-10": 0.9}  # of what a level took: implied fills blur levels without orders
SHARE_WINDOW = 60        # s: W of order flow
ACTIVE = 300             # s: an event is news for so long
RECENT = 900             # s: so are zones, for the level of activity
LATE = 1                 # s that a record may come late: a second is over once this has passed too
MOST_CURRENT = 8
MINUTE = 60 * SECOND


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
    of: tuple[int, str] = field(default=(-1, ""), init=False)           # instrument, access
    tick: float = field(default=0.0, init=False)
    atr: float = field(default=0.0, init=False)
    next_atr: tuple[int, float] | None = field(default=None, init=False)  # s from which it counts, ATR
    done: int = field(default=0, init=False)                            # s, newest that has been taken in
    flow: int = field(default=0, init=False)                            # net bought contracts so far
    seconds: Seconds = field(init=False)
    levels: Levels = field(init=False)
    usual: UsualSizes = field(init=False)
    impact: Impact = field(init=False)
    book: ZoneBook = field(init=False)
    told: dict[Key, int] = field(default_factory=dict, init=False)      # level -> s when it was told: not armed
    holding: deque[Level] = field(default_factory=deque, init=False)    # whose volume counts as absorbed
    detected: int | None = field(default=None, init=False)              # s, newest event
    last: Absorption | None = field(default=None, init=False)
    zones: tuple[list[Zone], int] = field(default=([], 0), init=False)
    close: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.half_life < inf:
            raise ConfigurationError(f"absorption.half_life={self.half_life}: seconds above 0 expected")
        if not 0 < self.quantile <= 1:
            raise ConfigurationError(f"absorption.quantile={self.quantile}: a share of 1 expected")
        if self.fewest < 1:
            raise ConfigurationError(f"absorption.fewest={self.fewest}: 1 or more expected")

    def update(self, packet: Packet) -> AbsorptionReading | Missing:
        inputs, access = packet.inputs, packet.health.access
        if access not in CONFIDENCE:  # one level alone loses sight of what was hit
            return Missing(f"needs mbp-10 or mbo, input is {access}")
        if inputs.depth is None or inputs.trades is None:
            self.of = -1, ""
            return Missing(packet.missing.get("inputs.depth", "needs depth and trades"))
        tick = packet.market.tick
        if tick is None:
            return Missing("needs the contract's tick")
        if (packet.instrument_id, access) != self.of:
            self._begin(packet, access)
        self._look_at_bars(packet)
        if tick != self.tick:
            self.tick = tick
            self._measure(0)
        return self._advance(packet, inputs, inputs.depth)

    def _begin(self, packet: Packet, access: str) -> None:
        """Another contract, or another view of it: levels, zones and what is usual begin anew."""
        self.of = packet.instrument_id, access
        self.tick, self.atr, self.next_atr, self.done, self.flow = 0.0, 0.0, None, 0, 0
        self.seconds, self.levels = Seconds(), Levels(self.window, self.quiet)
        self.usual, self.impact = UsualSizes(self.quantile, self.fewest), Impact()
        nowhere = Distances(0.0, 0.0, 0.0, 0.0)
        self.book = ZoneBook(
            f"{packet.series} absorption", self.half_life, round(self.zone_minutes * MINUTE), nowhere)
        self.told, self.holding, self.detected, self.last, self.zones = {}, deque(), None, None, ([], 0)

    def _look_at_bars(self, packet: Packet) -> None:
        """A new ATR counts from the end of the bar that made it, wherever in the frame that is."""
        bars = packet.read("bars", BarsReading)
        if bars is None or bars.atr is None or bars.bar is None or bars.atr == self.atr:
            return
        self.next_atr = int(bars.bar.start) // SECOND + bars.bar.interval, bars.atr

    def _come_to(self, second: int) -> None:
        if self.next_atr is not None and second >= self.next_atr[0]:
            since, self.atr = self.next_atr
            self.next_atr = None
            self._measure(since * SECOND)

    def _measure(self, since: int) -> None:
        """Distances for this tick and ATR from this time on."""
        tick, atr = self.tick, self.atr
        self.book.measure(since, Distances(
            width=max(self.zone_ticks * tick, self.zone_atr * atr), leave=max(10 * tick, 0.25 * atr),
            through=max(4 * tick, 0.1 * atr), tick=tick,
        ))

    def _advance(self, packet: Packet, inputs: Inputs, depth: DepthInput) -> AbsorptionReading | Missing:
        """Take in the frame, and let the seconds that are over for good do what they do."""
        assert inputs.trades is not None
        if inputs.trades.seconds:
            facts = inputs.orders.icebergs if inputs.orders is not None else []
            self.seconds.take(inputs.trades.seconds, depth.hits, facts)
        last = packet.ts // SECOND if packet.closed else self.seconds.newest + 1
        last -= 1 + LATE
        events: list[AbsorptionEvent] = []
        if last > self.done:
            if self.seconds.open:
                for second, one in self.seconds.over(last):
                    events += self._live(packet, second, one)
            events += self._pass(packet, last + 1)
            self._come_to(last)
            self.book.advance((last + 1) * SECOND)
            self.done = last
        return self._reading(packet, events)

    def _pass(self, packet: Packet, second: int) -> list[AbsorptionEvent]:
        """This second begins: what ended before it has ended."""
        if self.levels.open:
            self.levels.pass_time(second)
        events = self._end(packet) if self.levels.ended else []
        self.usual.come_to(second)
        return events

    def _end(self, packet: Packet) -> list[AbsorptionEvent]:
        """Levels are over: what they took becomes a sample."""
        events = []
        for level, how in self.levels.take_ended():
            self.usual.come_to(level.ended)
            self.usual.add(level.absorbed)
            if level.told:
                events.append(self._event(packet, level, "ended", how))
        return events

    def _live(self, packet: Packet, second: int, one: OneSecond) -> list[AbsorptionEvent]:
        """One second of trades."""
        events = self._pass(packet, second)
        self._come_to(second)
        self.book.advance(second * SECOND)
        self._break(second, one)
        struck = self.levels.take(second, one, self.flow)
        self.flow += one.bought
        self.close = one.close
        self.impact.add(second, one.bought, nearest(one.close / self.tick))
        if self.levels.ended:
            events += self._end(packet)
        threshold, basis, _ = self.usual.threshold()
        if threshold is not None:
            for level in struck:
                events += self._judge(packet, second, level, (threshold, basis))
        self.book.trade(Second(second, one.close, one.high, one.low, one.close, 0, 0, 0, 0))
        return events

    def _break(self, second: int, one: OneSecond) -> None:
        """What prints through a level arms it again, and shows that the volume it took was not absorbed after all."""
        for key in [key for key, since in self.told.items()
                    if second - since >= self.rearm or is_beyond(key, one.low, one.high)]:
            del self.told[key]
        for level in self.holding:
            if level.ended and is_beyond(level.key, one.low, one.high):
                level.broken = True
        while self.holding and self.holding[0].last_second < second - 2 * SHARE_WINDOW:
            self.holding.popleft()

    def _judge(
        self, packet: Packet, second: int, level: Level, unusual: tuple[int, str],
    ) -> list[AbsorptionEvent]:
        """Whether a level that was hit in this second absorbs."""
        if level.absorbed < unusual[0] or level.replenish < self.replenish:
            return []
        if abs(nearest((self.close - level.key[1]) / self.tick)) > self.move_ticks:
            return []
        if not level.holds:
            level.holds = True
            self.holding.append(level)
        if level.told is None and level.key in self.told:
            return []
        self._weigh(level, packet.health.access, unusual[0])
        if level.told is not None:
            return []
        level.told, self.told[level.key], self.detected = unusual, second, second
        event = self._event(packet, level, "detected", None)
        self.last = event.level
        return [event]

    def _weigh(self, level: Level, access: str, threshold: int) -> None:
        """What a level took becomes weight of a zone, as much of it as came back."""
        weight = level.absorbed * min(1.0, level.replenish)
        if weight > level.weight:
            side, price = level.key
            more, name = weight - level.weight, self._name(level)
            zone = self.book.add(side, price, int(level.last), more, CONFIDENCE[access], name)
            zone.strength = 10 * (1 - exp(-zone.weight / threshold))
            level.weight = weight

    def _name(self, level: Level) -> str:
        return zone_id(self.book.series, level.key[0], level.key[1], int(level.first))

    def _event(
        self, packet: Packet, level: Level, kind: Literal["detected", "ended"], how: End | None,
    ) -> AbsorptionEvent:
        assert level.told is not None
        return AbsorptionEvent(
            "absorption-event", kind, level.last, packet.series, packet.symbol, how, *level.told, self._public(level),  # type: ignore[arg-type]
        )

    def _public(self, level: Level) -> Absorption:
        side, price = level.key
        change = nearest((self.close - price) / self.tick)
        z = self.impact.efficiency(self.flow - level.flow, change)
        return Absorption(
            self._name(level), side, price, level.first, level.last, level.absorbed, level.before, level.after,
            to_six(level.replenish), to_six(level.absorbed / level.largest) if level.largest else None,
            None if z is None else to_six(z),
            to_six(level.hidden / level.absorbed) if self.of[1] == "mbo" else None, to_six(change * self.tick),
        )

    def _reading(self, packet: Packet, events: list[AbsorptionEvent]) -> AbsorptionReading | Missing:
        threshold, basis, samples = self.usual.threshold() if self.done else (None, "", 0)
        if threshold is None:
            return Missing(f"{samples} of {self.fewest} levels hit: what is unusual is not known yet")
        book, now = self.book, packet.ts
        if book.changed:
            shown = book.most(self.most_zones)
            self.zones = [zone.public(self.half_life) for zone in shown], len(book.zones) - len(shown)
            book.changed = False
        up, down = self._pull(packet.price, now)
        zones, dropped = self.zones
        since = now - RECENT * SECOND
        recent = len([zone for zone in book.zones if zone.last_seen > since])
        current = [level for level in self.levels.open.values() if level.holds]
        if current:
            current.sort(key=lambda level: (-level.absorbed, level.key))
        return AbsorptionReading(
            to_six(0.5 + 0.5 * (up - down) / (up + down + threshold)), recent > 0 and up + down > 0,
            self.detected is not None and now - self.detected * SECOND <= ACTIVE * SECOND,
            "low" if recent < 2 else "medium" if recent == 2 else "high", len(book.zones), threshold, basis, samples,  # type: ignore[arg-type]
            self._absorbed("A", now), self._absorbed("B", now),
            [self._public(level) for level in current[:MOST_CURRENT]], self.last, zones, dropped, events,
        )

    def _absorbed(self, side: str, now: int) -> int:
        """Contracts of the last 60 s that levels of a side absorbed and still hold."""
        if not self.holding:
            return 0
        first = (now - 1) // SECOND - SHARE_WINDOW + 1
        return sum(level.within(first) for level in self.holding if level.key[0] == side and not level.broken)

    def _pull(self, price: float | None, now: int) -> tuple[float, float]:
        """(B, A): weight of the zones in reach that hold the price up, and down."""
        if price is None or not self.book.zones:
            return 0.0, 0.0
        reach = max(self.reach_ticks * self.tick, self.reach_atr * self.atr)
        up, down = self.book.pull(price, reach, now)
        return up, down
