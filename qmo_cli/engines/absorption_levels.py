"""Price levels that aggressors run into, second by second, from the first hit until the level gives way or rests.

Everything here goes by whole seconds of event time, put together again from whatever frames they came in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Literal, NamedTuple

from qmo_cli.packets import Hit, IcebergFact, Second

Key = tuple[Literal["B", "A"], float]    # side of the resting orders, price
End = Literal["through", "window", "quiet"]


@dataclass(slots=True)
class Strike:
    """Aggressors trading into one level within one second, until something printed beyond it."""

    before: int                          # displayed when first hit
    after: int                           # displayed once the event of the last hit was complete
    largest: int
    traded: int
    first: str                           # ns
    last: str                            # ns
    beyond: bool                         # something had printed beyond the level before, in this second
    through: bool                        # and something has since
    hidden: int = 0                      # of traded, what had been hidden when its order was placed

    @classmethod
    def of(cls, hit: Hit) -> Strike:
        return cls(
            hit.before, hit.after, hit.largest, hit.traded, hit.ts_event, hit.ts_last, hit.beyond, hit.through)

    def join(self, later: Strike) -> None:
        """Go on with what a later frame tells of the same second."""
        self.after, self.last, self.through = later.after, later.last, later.through
        self.largest = max(self.largest, later.largest)
        self.traded += later.traded
        self.hidden += later.hidden


@dataclass(slots=True)
class OneSecond:
    """The trades of one second and the levels they hit."""

    low: float
    high: float
    close: float
    bought: int                          # by aggressors, less what they sold
    strikes: dict[Key, list[Strike]] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Second) -> OneSecond:
        return cls(row.low, row.high, row.close, row.buy - row.sell)

    def join(self, row: Second, strikes: dict[Key, list[Strike]]) -> None:
        """Go on with a later part of the second."""
        for key, standing in self.strikes.items():
            again = strikes.get(key)
            if not standing[-1].through:
                standing[-1].through = again[0].beyond if again else is_beyond(key, row.low, row.high)
        for key, found in strikes.items():
            self._add(key, found)
        self.low, self.high, self.close = min(self.low, row.low), max(self.high, row.high), row.close
        self.bought += row.buy - row.sell

    def _add(self, key: Key, found: list[Strike]) -> None:
        standing = self.strikes.setdefault(key, [])
        first, *others = found
        if standing and not standing[-1].through:
            standing[-1].join(first)
        else:
            first.beyond = first.beyond or is_beyond(key, self.low, self.high)
            standing.append(first)
        standing += others


class Seconds:
    """Seconds that are not over yet: a record may come up to one second late."""

    def __init__(self) -> None:
        self.open: dict[int, OneSecond] = {}
        self.newest = 0

    def take(self, rows: list[Second], hits: list[Hit], facts: list[IcebergFact]) -> None:
        """A frame's seconds, the levels hit in them, and what icebergs among these gave away."""
        strikes = strikes_of(hits, facts) if hits else {}
        for row in rows:
            found = strikes.get(row.second, {})
            known = self.open.get(row.second)
            if known is None:
                known = self.open[row.second] = OneSecond.of(row)
                known.strikes = found
            else:
                known.join(row, found)
            self.newest = row.second

    def over(self, last: int) -> Iterator[tuple[int, OneSecond]]:
        """The seconds up to this one, in order; they are given once."""
        for second in sorted(second for second in self.open if second <= last):
            yield second, self.open.pop(second)


def strikes_of(hits: list[Hit], facts: list[IcebergFact]) -> dict[int, dict[Key, list[Strike]]]:
    """The levels hit, by second and level."""
    found: dict[int, dict[Key, list[Strike]]] = {}
    by_level: dict[tuple[str, float], list[Strike]] = {}
    for hit in hits:
        strike = Strike.of(hit)
        found.setdefault(hit.second, {}).setdefault((hit.side, hit.price), []).append(strike)  # type: ignore[arg-type]
        if facts:
            by_level.setdefault((hit.side, hit.price), []).append(strike)
    for fact in facts:
        hidden = min(fact.filled, fact.hidden_traded)
        if hidden and fact.kind != "unknown":
            _hide(by_level.get((fact.side, fact.price), []), int(fact.ts_event), hidden)
    return found


def _hide(strikes: list[Strike], ts: int, hidden: int) -> None:
    """Hidden size traded at a level at this time."""
    for strike in strikes:
        if int(strike.first) <= ts <= int(strike.last):
            strike.hidden += hidden
            return


def is_beyond(key: Key, low: float, high: float) -> bool:
    """Whether prints that went from low to high went beyond a level."""
    return low < key[1] if key[0] == "B" else high > key[1]


class Part(NamedTuple):
    """What a level took in one second."""

    second: int
    size: int


@dataclass(slots=True)
class Level:
    """A level that is being hit, and what it took since the first hit."""

    key: Key
    second: int                          # of the first hit
    flow: int                            # net bought contracts of all seconds before it
    before: int
    first: str                           # ns
    last: str = ""
    after: int = 0
    largest: int = 0
    absorbed: int = 0
    hidden: int = 0
    last_second: int = 0
    parts: list[Part] = field(default_factory=list)
    holds: bool = False                  # it has met the measures of absorption
    told: tuple[int, str] | None = None  # and was told: the threshold then, and of what
    weight: float = 0.0                  # that it has given to a zone
    ended: int = 0                       # s, once it is over
    broken: bool = False                 # something has printed through it

    def take(self, second: int, strike: Strike) -> None:
        """More is traded into it."""
        self.last, self.after, self.last_second = strike.last, strike.after, second
        self.largest = max(self.largest, strike.largest)
        self.absorbed += strike.traded
        self.hidden += strike.hidden
        self.parts.append(Part(second, strike.traded))

    @property
    def replenish(self) -> float:
        """(absorbed - (displayed before - displayed after)) / absorbed."""
        return (self.absorbed - (self.before - self.after)) / self.absorbed

    def within(self, first: int) -> int:
        """What it took from this second on."""
        return sum(part.size for part in self.parts if part.second >= first)


class Levels:
    """The levels being hit. ``ended`` gathers those that are over, with how they ended, until they are taken."""

    def __init__(self, window: int, quiet: int) -> None:
        self.window, self.quiet = window, quiet
        self.open: dict[Key, Level] = {}
        self.ended: list[tuple[Level, End]] = []

    def pass_time(self, second: int) -> None:
        """This second begins: end what has lasted the window, or was quiet for too long, in order of time."""
        over = []
        for level in self.open.values():
            window, quiet = level.second + self.window, level.last_second + self.quiet + 1
            if second >= min(window, quiet):
                over.append((min(window, quiet), level, "window" if window <= quiet else "quiet"))
        for at, level, how in sorted(over, key=itemgetter(0)):
            self._end(level, at, how)  # type: ignore[arg-type]

    def take(self, second: int, one: OneSecond, flow: int) -> list[Level]:
        """Let the second's trades meet the levels; those that were hit and still stand."""
        for level in [*self.open.values()]:
            strikes = one.strikes.get(level.key)
            if strikes[0].beyond if strikes else is_beyond(level.key, one.low, one.high):
                self._end(level, second, "through")
        struck = []
        for key, strikes in one.strikes.items():
            for strike in strikes:
                if strike.traded:
                    self._strike(key, second, strike, flow)
            if key in self.open:
                struck.append(self.open[key])
        return struck

    def _strike(self, key: Key, second: int, strike: Strike, flow: int) -> None:
        level = self.open.get(key)
        if level is None:
            level = self.open[key] = Level(key, second, flow, strike.before, strike.first)
        level.take(second, strike)
        if strike.through:
            self._end(level, second, "through")

    def _end(self, level: Level, at: int, how: End) -> None:
        del self.open[level.key]
        level.ended, level.broken = at, how == "through"
        self.ended.append((level, how))

    def take_ended(self) -> list[tuple[Level, End]]:
        """What has ended since this was last asked."""
        ended, self.ended = self.ended, []
        return ended
