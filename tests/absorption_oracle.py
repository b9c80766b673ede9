"""Absorption worked out by brute force: a random market of levels that are hit and refill, and the definitions on it.

Nothing here comes from the engine or the reader: the market knows what each level displayed before and after each
hit, and every question is answered from the whole tape anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from .dice import Dice
from .engine_oracles import SECOND, price
from .scripts import Script, added, cleared, filled, modified, traded
from .support import START, mapping

DELAY = 100_000  # ns from exchange to capture, as Script has it
OTHER = {"B": "A", "A": "B"}
GAPS = (0, 1, 20, 400, 900, 1_500, 2_500, 9_000)  # ms
Key = tuple[str, int]


class Strike(NamedTuple):
    """One trade: who was aggressive, where, how much, and what the level displayed before and after."""

    ts: int
    side: str        # the aggressor's; N: nobody's
    ticks: int
    size: int
    before: int
    after: int

    @property
    def second(self) -> int:
        return (self.ts + DELAY) // SECOND

    @property
    def key(self) -> Key:
        return OTHER[self.side], self.ticks


def tape(data: bytes) -> list[Strike]:
    """A market that these bytes describe: price hops about a few levels, which are hit, drained and refilled."""
    dice, now, ticks, shown, found = Dice(data), START, 20_000, {}, []
    while not dice.empty:
        now += (GAPS[dice.below(8)] + 1) * 1_000_000
        ticks += {0: 1, 1: -1}.get(dice.below(12), 0)
        side = "BBBAAAAN"[dice.below(8)]
        size = 1 + dice.below(5) if dice.chance(200) else 6 + dice.below(60)
        key = (OTHER.get(side, "N"), ticks)
        before = shown.get(key, 10)
        after = dice.below(20) if dice.chance(128) else max(0, before - size)
        shown[key] = after
        found.append(Strike(now, side, ticks, size, before, after))
    return found


def records_of(strikes: list[Strike]) -> list[bytes]:
    """The market as MBO records: one order on each level, which trades without a C or M leave alone."""
    script = Script().raw(mapping("GCJ6", "GCJ6")).event(cleared())
    ids: dict[Key, int] = {}
    for strike in strikes:
        script.now = strike.ts
        if strike.side == "N":
            script.event(traded("N", price(strike.ticks), strike.size))
            continue
        side, order_id = strike.key[0], ids.setdefault(strike.key, len(ids) + 1)
        at = price(strike.ticks)
        # the order is put to what the level must display, then hit; a level of size 0 is an order of size 0
        script.now = strike.ts - 1
        script.event(added(order_id, side, at, strike.before))
        script.now = strike.ts
        script.event(
            traded(strike.side, at, strike.size, 9_999), filled(order_id, side, at, strike.size),
            modified(order_id, side, at, strike.after))
    return script.records


def mirrored(strikes: list[Strike]) -> list[Strike]:
    """Buyers and sellers changed over, prices upside down about 2000."""
    return [one._replace(side={"N": "N", **OTHER}[one.side], ticks=40_000 - one.ticks) for one in strikes]


@dataclass(frozen=True)
class Measures:
    """The numbers of the definition."""

    window: int = 30
    quiet: int = 10
    quantile: float = 0.9
    fewest: int = 12
    replenish: float = 0.5
    rearm: int = 300


@dataclass
class Event:
    """One level from its first hit on."""

    key: Key
    hits: list[Strike] = field(default_factory=list)
    end: tuple[int, str] | None = None   # s, how

    @property
    def absorbed(self) -> int:
        return sum(hit.size for hit in self.hits)

    @property
    def replenish(self) -> float:
        return (self.absorbed - (self.hits[0].before - self.hits[-1].after)) / self.absorbed


def beyond(key: Key, ticks: int) -> bool:
    return ticks < key[1] if key[0] == "B" else ticks > key[1]


def events(strikes: list[Strike], last: int, measures: Measures) -> list[Event]:
    """All level events of the trades up to the end of a second, those still open without an end."""
    found: list[Event] = []
    for strike in [one for one in strikes if one.second <= last]:
        expire(found, strike.second, measures)
        for event in found:
            if event.end is None and beyond(event.key, strike.ticks):
                event.end = strike.second, "through"
        if strike.side != "N":
            standing = [event for event in found if event.end is None and event.key == strike.key]
            if not standing:
                standing = [Event(strike.key)]
                found += standing
            standing[0].hits.append(strike)
    return found


def expire(found: list[Event], second: int, measures: Measures) -> None:
    """End what is over when this second begins."""
    for event in found:
        window = event.hits[0].second + measures.window
        quiet = event.hits[-1].second + measures.quiet + 1
        if event.end is None and min(window, quiet) <= second:
            event.end = (window, "window") if window <= quiet else (quiet, "quiet")


def hour_of(second: int) -> tuple[int, int]:
    """Hours since 1970, and the hour of the day in Chicago."""
    return second // 3600, pd.Timestamp(second, unit="s", tz="UTC").tz_convert("America/Chicago").hour


def threshold(over: list[Event], second: int, measures: Measures) -> tuple[int | None, str, int]:
    """The quantile of what levels took, by the events that are over, at this second."""
    hour, of_day = hour_of(second)
    ends = [(event.end[0], event.absorbed) for event in over if event.end]
    by_hour = [size for end, size in ends if hour_of(end)[1] == of_day and hour - hour_of(end)[0] < 480]
    session = [size for end, size in ends if hour - hour_of(end)[0] < 23]
    basis, samples = ("hour", by_hour) if len(by_hour) >= measures.fewest else ("session", session)
    if len(samples) < measures.fewest:
        return None, basis, len(samples)
    return int(np.quantile(samples, measures.quantile, method="inverted_cdf")), basis, len(samples)


@dataclass
class Answer:
    """What is known once a second is over."""

    threshold: int | None
    samples: int
    detected: list[tuple[Key, int, float]]          # level, absorbed, replenish: as they were told
    absorbed: dict[str, int]                        # by resting side, of the last 60 s


def answer(strikes: list[Strike], now: int, measures: Measures) -> Answer:
    """The state at a whole second ``now``: all seconds but the last two are taken in."""
    last = now - 2
    told: dict[Key, int] = {}
    detected: list[tuple[Key, int, float]] = []
    holding: list[tuple[Key, int]] = []             # level, ts of the event's first hit
    reported: set[tuple[Key, int]] = set()
    for second in sorted({one.second for one in strikes if one.second <= last}):
        state = events(strikes, second, measures)
        here = [one for one in strikes if one.second == second]
        told = {key: since for key, since in told.items() if second - since < measures.rearm
                and not any(beyond(key, one.ticks) for one in here)}
        limit, _, _ = threshold([event for event in state if event.end], second, measures)
        for event in state:
            name = event.key, event.hits[0].ts
            hit_here = event.end is None and event.hits[-1].second == second
            if limit is None or not hit_here or event.absorbed < max(1, limit) or event.replenish < measures.replenish:
                continue
            if abs(here[-1].ticks - event.key[1]) > 1:
                continue
            holding += [] if name in holding else [name]
            if name not in reported and event.key not in told:
                reported.add(name)
                told[event.key] = second
                detected.append((event.key, event.absorbed, event.replenish))
    state = events(strikes, last, measures)
    expire(state, last + 1, measures)
    limit, _, number = threshold([event for event in state if event.end], last + 1, measures)
    absorbed = {"A": 0, "B": 0}
    for event in state:
        if (event.key, event.hits[0].ts) in holding and not broken(event, strikes, last):
            absorbed[event.key[0]] += sum(hit.size for hit in event.hits if now - 60 <= hit.second)
    return Answer(limit, number, detected, absorbed)


def broken(event: Event, strikes: list[Strike], last: int) -> bool:
    """Whether anything has printed through the level, then or since."""
    if event.end and event.end[1] == "through":
        return True
    since = event.end[0] if event.end else last + 1
    return any(beyond(event.key, one.ticks) for one in strikes if since <= one.second <= last)


def shifted(strikes: list[Strike], ns: int) -> list[Strike]:
    """The same market at another time."""
    return [one._replace(ts=one.ts + ns) for one in strikes]


def measures_of(**changes: float) -> Measures:
    return replace(Measures(), **changes)  # type: ignore[arg-type]
