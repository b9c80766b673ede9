# cython: language_level=3, auto_pickle=False
"""All remembered zones of one contract: what trades do to them, and what that says of zones as such.

State is only ever changed by events (see memory_log), so that what was read from a store and what is seen now end
in the same place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import cython

from qmo_cli.engines.memory.log import Body, Broken, Outcome, Pair, Retest, ZoneSeen, name_of
from qmo_cli.engines.memory.map import ZoneMap
from qmo_cli.engines.memory.place import Control, Far, Place, Remembered, Traded
from qmo_cli.engines.memory.record import Record, Tally
from qmo_cli.times import SECOND

Tell = Callable[[Body, int], None]       # an event, and the second of which it is
VOID = -1                                # the stamp of a place that is gone
EPSILON = cython.declare(cython.double, 1e-9)  # as in place
SPARE = 64                               # triggers that may be void before the heaps are cleared


@cython.final
@cython.cclass
class MemoryBook:
    """The zones of one contract. Times are ns or whole seconds, distances points.

    ``days`` and ``patience`` in ns: how long a zone is remembered after its last evidence, a retest waited for.
    """

    def __init__(self, days: int, patience: int, tell: Tell) -> None:
        self.days, self.patience, self.tell = days, patience, tell
        self.far: Far | None = None
        self.map = ZoneMap()
        self.zones = self.map.zones
        self.controls: dict[str, Control] = {}    # by the zone for which they stand
        self.open: dict[Place, None] = {}         # being retested, oldest first
        self.falls: list[tuple[float, int, Place]] = []  # heaps of triggers; those with an old stamp are void
        self.rises: list[tuple[float, int, Place]] = []
        self.stamps = 0
        self.outcomes: deque[Outcome] = deque()
        self.decided: set[str] = set()            # their names
        self.pairs: deque[Pair] = deque()
        self.tally = Tally()
        self.counted: Record | None = Record()
        self.second = -1                          # that is not over; -1: nothing has traded in it
        self.first = self.low = self.high = self.close = 0.0
        self.changed = True

    # --- events

    def take(self, body: Body) -> None:
        """Let an event change the state: one that happens now, or one that was read."""
        self.changed = True
        if isinstance(body, ZoneSeen):
            self._learn(body)
        elif isinstance(body, Outcome):
            self._decide(body)
        elif isinstance(body, Pair):
            self.pairs.append(body)
            self.tally.count_pair(body, 1)
            self.counted = None
        elif isinstance(body, Broken) and body.zone in self.zones:
            self.zones[body.zone].gave_way(body.above, body.second)
            self.zones[body.zone].shown = None

    def _learn(self, seen: ZoneSeen) -> None:
        zone = self.zones.get(seen.id)
        if zone is None:
            zone = Remembered(seen)
        else:
            self.map.remove(zone)
            zone.learn(seen)
        if zone.retest is None:
            self.open.pop(zone, None)
        self.map.add(zone)
        self.watch(zone)

    def _decide(self, outcome: Outcome) -> None:
        retest, zone = outcome.retest, self.zones.get(outcome.retest.zone)
        if name_of(retest) in self.decided:
            return  # runs with other parameters may have left two ends of one retest: the first counts
        self.decided.add(name_of(retest))
        self.outcomes.append(outcome)
        self.tally.count(outcome, 1)
        self.counted = None
        if zone is None or retest.control:
            return
        if outcome.result == "hold":
            zone.holds += 1
            zone.held(retest.above)
        elif outcome.result == "break":
            zone.breaks += 1
            zone.gave_way(retest.above, outcome.second)
        else:
            zone.rest()

    def _happen(self, body: Body, second: int) -> None:
        self.take(body)
        self.tell(body, second)

    # --- trades

    def measure(self, far: Far) -> None:
        """From now on these distances count; a retest that is going on keeps those with which it began."""
        if far == self.far:
            return
        self.far = far
        self._watch_all()

    @cython.ccall
    def trade(
        self, second: cython.longlong, open_: cython.double, low: cython.double, high: cython.double,
        close: cython.double,
    ) -> object:
        """Trades of a second, or of a part of it; they meet the zones when the second is over."""
        if self.second >= 0 and second <= self.second:
            self.low, self.high, self.close = min(self.low, low), max(self.high, high), close
            return None
        self.finish(second)
        self.second, self.first, self.low, self.high, self.close = second, open_, low, high, close
        return None

    @cython.ccall
    def finish(self, now: cython.longlong) -> object:
        """The second ``now`` begins: what traded before it meets the zones."""
        second: cython.longlong = self.second
        if 0 <= second < now:
            self.second = -1
            if self.far is not None and self.is_reached():
                self.meet(Traded(second, self.first, self.low, self.high, self.close), self.far)
        return None

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def is_reached(self) -> cython.bint:
        """Whether the second's prices reach a trigger, void or not."""
        fall: cython.double
        rise: cython.double
        if self.falls:
            fall = self.falls[0][0]
            if -fall >= self.low:
                return True
        if self.rises:
            rise = self.rises[0][0]
            return rise <= self.high
        return False

    @cython.cfunc
    def meet(self, traded: Traded, far: Far) -> object:
        place: Place
        for place in self.triggered(traded.low, traded.high):
            self.changed = True
            for step in place.steps(traded.low, traded.high, far):
                self._step(place, step, traded, far)
            self.watch(place)
        return None

    @cython.cfunc
    def triggered(self, low: cython.double, high: cython.double) -> list:
        """Places to which these prices may do something, the oldest first; a zone comes before its pseudo-zone."""
        place: Place
        found: dict = {}
        while self.falls and -self.falls[0][0] >= low:
            _, stamp, place = heappop(self.falls)
            found[stamp] = place
        while self.rises and self.rises[0][0] <= high:
            _, stamp, place = heappop(self.rises)
            found[stamp] = place
        valid: list = []
        for stamp, place in found.items():
            if place.stamp == stamp:
                valid.append(place)
        if len(valid) > 1:
            valid.sort(key=oldest_first)
        return valid

    @cython.ccall
    def watch(self, place: Place) -> object:
        """This place has changed: have it, unless it is gone, looked at when a price reaches its new triggers."""
        place.shown = None
        if place.stamp == VOID or self.far is None:
            return None
        if len(self.falls) > SPARE + 4 * (len(self.zones) + len(self.controls)):
            self._watch_all()
        self.stamps += 1
        place.stamp = self.stamps
        falls, rises = place.triggers(self.far)
        heappush(self.falls, (-falls, place.stamp, place))
        heappush(self.rises, (rises, place.stamp, place))
        return None

    def _watch_all(self) -> None:
        """Begin the heaps anew, without what is void."""
        self.falls, self.rises = [], []
        for place in (*self.zones.values(), *self.controls.values()):
            self.watch(place)

    def _step(self, place: Place, step: str, traded: Traded, far: Far) -> None:
        if step == "arm":
            place.armed = True
            self._pair(place, traded)
        elif step == "touch":
            self._touch(place, traded, far)
        elif step == "broken":
            self._break_through(place, traded)
        elif place.retest is not None:
            self._end(place, place.retest, traded.second, step)
            if step == "hold":
                self._pair(place, traded)

    def _touch(self, place: Place, traded: Traded, far: Far) -> None:
        control = isinstance(place, Control)
        echo = any(
            isinstance(other, Control) == control and other.sign() == place.sign() and place.overlaps(other, far.tick)
            for other in self.open
        )
        retest = place.met(traded, far, echo=echo, control=control)
        place.armed, place.retest, self.open[place] = False, retest, None
        self._met_first(place, traded, far)
        self.tell(retest, traded.second)

    def _end(self, place: Place, retest: Retest, second: int, result: Any) -> None:
        self.open.pop(place, None)
        place.retest = None
        self._happen(Outcome(retest, second, result), second)
        if isinstance(place, Control):
            self._drop(place)

    def _break_through(self, place: Place, traded: Traded) -> None:
        """Broken without a retest."""
        if isinstance(place, Control):
            self._drop(place)
            return
        if place.id in self.controls:
            self.controls[place.id].pending = False
        self._happen(Broken(place.id, traded.second, place.sign() > 0), traded.second)

    # --- pseudo-zones

    def _pair(self, zone: Place, traded: Traded) -> None:
        """Price has left the zone: from now on a band as far away on the other side is watched like it.

        Both are the same distance from the price, at the same time of day and in the same market. Where another
        zone is remembered there, no pseudo-zone can stand.
        """
        if isinstance(zone, Control) or zone.id in self.controls or self.far is None:
            return
        twice, tick = 2 * traded.close, self.far.tick
        low, high = round(twice - zone.high, 9), round(twice - zone.low, 9)
        if zone.sign() * traded.close - zone.front() <= tick + EPSILON or self.map.count(low - tick, high + tick):
            return
        control = Control(zone.id, "A" if zone.sign() > 0 else "B", low, high, zone.born, traded.second)
        self.controls[zone.id] = control
        self.watch(control)

    def _met_first(self, place: Place, traded: Traded, far: Far) -> None:
        """Of a zone and its pseudo-zone this one was met first, unless one second's prices met both."""
        control = self.controls.get(place.id)
        if control is None or not control.pending:
            return
        control.pending = False
        other = self.zones[place.id] if place is control else control
        if traded.low > other.high + far.tick + EPSILON or traded.high < other.low - far.tick - EPSILON:
            self._happen(Pair(place.id, control.since, traded.second, place is not control), traded.second)

    def _drop(self, control: Control) -> None:
        self.open.pop(control, None)
        self.controls.pop(control.id, None)
        control.stamp = VOID

    # --- time

    def pass_time(self, now: int) -> None:
        """A minute ends at ``now`` (ns): retests that nothing decides end, old zones and results are forgotten."""
        for place in list(self.open):
            retest = place.retest
            if retest is not None and retest.second * SECOND + self.patience <= now:
                self._end(place, retest, now // SECOND, "expired")
                self.watch(place)
        self._forget(now - self.days)

    def _forget(self, oldest: int) -> None:
        for zone in [zone for zone in self.zones.values() if zone.last_seen < oldest]:
            self.map.remove(zone)
            self.open.pop(zone, None)
            zone.stamp = VOID
            if zone.id in self.controls:
                self._drop(self.controls[zone.id])
            self.changed = True
        self._forget_results(oldest // SECOND)

    def _forget_results(self, oldest: int) -> None:
        while self.outcomes and self.outcomes[0].second < oldest:
            outcome = self.outcomes.popleft()
            self.tally.count(outcome, -1)
            self.decided.discard(name_of(outcome.retest))
            zone = None if outcome.retest.control else self.zones.get(outcome.retest.zone)
            if zone is not None:
                zone.holds -= outcome.result == "hold"
                zone.breaks -= outcome.result == "break"
                zone.shown = None
            self.changed, self.counted = True, None
        while self.pairs and self.pairs[0].second < oldest:
            self.tally.count_pair(self.pairs.popleft(), -1)
            self.changed, self.counted = True, None

    def rest(self) -> None:
        """Nobody watched for a while: open retests are never decided, and pseudo-zones are gone."""
        for control in list(self.controls.values()):
            self._drop(control)
        self.open.clear()
        for zone in self.zones.values():
            zone.rest()
            self.watch(zone)
        self.second, self.changed = -1, True

    # --- questions

    def record(self) -> Record:
        """What became of retests and pairs."""
        if self.counted is None:
            self.counted = self.tally.record()
        return self.counted


def oldest_first(place: Place) -> tuple[int, str, bool]:
    """The order in which places that one second's prices reach are looked at."""
    return place.born, place.id, isinstance(place, Control)
