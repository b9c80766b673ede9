# cython: language_level=3, auto_pickle=False
"""Price levels that aggressors run into, second by second, from the first hit until the level gives way or rests."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Literal

import cython

from qmo_cli.engines.absorption.seconds import Key, OneSecond, Strike, begins_beyond

End = Literal["through", "window", "quiet"]
NEVER = cython.declare(cython.longlong, 2**62)


@cython.final
@cython.cclass
class Level:
    """A level that is being hit, and what it took since the first hit.

    ``second``: of the first hit; ``flow``: net bought contracts of all seconds before it; ``parts``: (second, size).
    ``holds``: it has met the measures of absorption, ``told``: and was told: the threshold then, and of what.
    ``weight``: that it has given to a zone. ``ended``: the second, once it is over; ``broken``: something has printed
    through it. ``name`` and ``shown`` are as the wire has it, the latter as of ``shown_at``.
    """

    def __init__(
        self, key: Key, second: cython.longlong, flow: cython.longlong, before: cython.longlong, first: str,
    ) -> None:
        self.key, self.second, self.flow, self.before, self.first = key, second, flow, before, first
        self.bid, self.price = key[0] == "B", key[1]
        self.last = self.name = ""
        self.after = self.largest = self.absorbed = self.hidden = self.last_second = self.ended = 0
        self.parts: list[tuple[int, int]] = []
        self.holds = self.broken = False
        self.told: tuple[int, str] | None = None
        self.weight = 0.0
        self.shown: Any = None
        self.shown_at = -1

    @cython.cfunc
    def take(self, second: cython.longlong, strike: Strike) -> object:
        """More is traded into it."""
        self.last, self.after, self.last_second = strike.last, strike.after, second
        self.largest = max(self.largest, strike.largest)
        self.absorbed += strike.traded
        self.hidden += strike.hidden
        self.parts.append((second, strike.traded))
        return None

    @cython.ccall
    @cython.exceptval(check=False)
    def replenish(self) -> cython.double:
        """(absorbed - (displayed before - displayed after)) / absorbed."""
        back: cython.double = self.absorbed - (self.before - self.after)
        return back / self.absorbed

    @cython.ccall
    @cython.exceptval(check=False)
    def is_passed(self, low: cython.double, high: cython.double) -> cython.bint:
        """Whether prints that went from low to high went beyond it."""
        return low < self.price if self.bid else high > self.price

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def within(self, first: cython.longlong) -> cython.longlong:
        """What it took from this second on."""
        second: cython.longlong
        size: cython.longlong
        total: cython.longlong = 0
        for second, size in self.parts:
            if second >= first:
                total += size
        return total


@cython.final
@cython.cclass
class Levels:
    """The levels being hit. ``ended`` gathers those that are over, with how they ended, until they are taken.

    Before the second ``due`` none has lasted the window or was quiet for too long.
    """

    def __init__(self, window: int, quiet: int) -> None:
        self.window, self.quiet = window, quiet
        self.open: dict[Key, Level] = {}
        self.ended: list[tuple[Level, End]] = []
        self.due = NEVER

    @cython.ccall
    def pass_time(self, second: cython.longlong) -> object:
        """This second begins: end what has lasted the window, or was quiet for too long, in order of time."""
        level: Level
        if second < self.due:
            return None
        over: list = []
        self.due = NEVER
        for level in self.open.values():
            at: cython.longlong = self.latest(level)
            if second >= at:
                over.append((at, level, "window" if at == level.second + self.window else "quiet"))
            else:
                self.due = min(self.due, at)
        if len(over) > 1:
            over.sort(key=itemgetter(0))
        for at_, ended, how in over:
            self.end(ended, at_, how)
        return None

    @cython.cfunc
    @cython.exceptval(check=False)
    def latest(self, level: Level) -> cython.longlong:
        """The second with which it ends if nothing hits it any more."""
        return min(level.second + self.window, level.last_second + self.quiet + 1)

    @cython.ccall
    def take(self, second: cython.longlong, one: OneSecond, flow: cython.longlong) -> list:
        """Let the second's trades meet the levels; those that were hit and still stand."""
        level: Level
        passed: list = []
        for level in self.open.values():
            if level.is_passed(one.low, one.high):
                strikes = one.strikes.get(level.key)
                if not strikes or begins_beyond(strikes):
                    passed.append(level)
        for level in passed:
            self.end(level, second, "through")
        struck: list = []
        for key, strikes in one.strikes.items():
            level = self.meet(key, strikes, second, flow)
            if level is not None:
                struck.append(level)
        return struck

    @cython.cfunc
    def meet(self, key: tuple, strikes: list, second: cython.longlong, flow: cython.longlong) -> Level:
        """Take the strikes of one second at a price; the level, if it still stands."""
        strike: Strike
        level: Level = self.open.get(key)
        for strike in strikes:
            if not strike.traded:
                continue
            if level is None:
                level = self.open[key] = Level(key, second, flow, strike.before, strike.first)
            level.take(second, strike)
            self.due = min(self.due, self.latest(level))
            if strike.through:
                self.end(level, second, "through")
                level = None
        return level

    @cython.cfunc
    def end(self, level: Level, at: cython.longlong, how: Any) -> object:
        del self.open[level.key]
        level.ended, level.broken = at, how == "through"
        self.ended.append((level, how))
        return None

    @cython.ccall
    def take_ended(self) -> list:
        """What has ended since this was last asked."""
        ended, self.ended = self.ended, []
        return ended
