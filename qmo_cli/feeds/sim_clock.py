# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The simulator's time: when the next event comes, and what gold is really worth by then."""

from __future__ import annotations

import cython

from .sim_calendar import DAY, HOUR, hour_of, opening, weight
from .sim_dice import BURSTS, Dice

PACES = (4, 8, 16, 24, 28)  # time per record in a spell of the market, in sixteenths of the mean: they average one
FINE = cython.declare(cython.longlong, 1024)  # parts of a tick in which fair value is kept


@cython.cclass
class Clock:
    """Event time in ns. The mean rate (records per second of open market) holds over a span, yet events come in bursts.

    ``scale`` is by how much the rate of an hour of weight 1 exceeds the mean rate.
    """

    def __init__(self, dice: Dice, start: int, rate: float, scale: float) -> None:
        self.dice = dice
        self.bursts = BURSTS
        self.now = start
        self.rate = rate * scale
        self.per_record = 1
        self.hour_end = start
        self.opened = opening(start) and start == hour_of(start)  # the market opens, and nobody has said so yet
        self.midnight = (start // DAY + 1) * DAY
        self.owed = 0   # time that records so far should have taken, and that has not passed yet
        self.burst = 0  # events of the present burst still to come
        self.echo = False  # whether another burst is to follow soon
        self.paces = list(PACES)
        self.pace = 16
        self.pace_index = 0
        self.pace_left = 0
        self.pace_length = max(200, round(30 * rate))
        self.change_hour()

    @cython.cfunc
    @cython.exceptval(check=False)
    def owe(self, records: cython.longlong) -> cython.void:
        """Note that records have been written whose share of time is still to pass."""
        self.owed += (records * self.per_record * self.pace) >> 4
        self.pace_left -= records

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def advance(self, records: cython.longlong, due: cython.longlong) -> cython.bint:
        """Let time pass before the next event, until ``due`` at most; whether what is due then comes first.

        What records owe is paid, in unequal parts, so the rate holds.
        """
        self.owe(records)
        if self.pace_left <= 0:
            self.change_pace()
        gap: cython.longlong = max(1, min(self.gap(), self.owed))
        early: cython.bint = due <= self.now + gap
        if early:
            gap = max(1, due - self.now)
        self.owed -= gap
        self.now += gap
        if self.now >= self.hour_end:
            self.change_hour()
        return early

    @cython.cfunc
    @cython.exceptval(check=False)
    def gap(self) -> cython.longlong:
        """Time until the next event, unless less is owed; a burst often has an echo."""
        if self.burst > 0:
            self.burst -= 1
            if self.burst == 0:
                self.echo = self.dice.below(100) < 50
            return 200 + self.dice.below(2_400)
        if self.dice.below(100) < 70:
            return (self.owed * self.dice.below(1024)) >> 15
        gap: cython.longlong = (self.owed * self.dice.below(1024)) >> 11
        if self.echo or self.dice.below(120) == 0:
            self.burst = self.dice.draw(self.bursts)
            gap += 2_000_000 * self.echo
            self.echo = False
        return gap

    @cython.cfunc
    def change_hour(self) -> object:
        """Take on the rate of the hour; a closed market is waited out."""
        hour: int = hour_of(self.now)
        lively: float = weight(hour)
        if lively == 0:
            while weight(hour) == 0:
                hour += HOUR
            lively = weight(hour)
            self.now = hour + 1_000
            self.owed = 0
        self.opened = self.opened or (opening(hour) and self.now - hour < HOUR and hour >= self.hour_end)
        self.hour_end = hour + HOUR
        self.per_record = max(16, round(16_000_000_000 / (self.rate * lively))) // 16
        return None

    @cython.cfunc
    def change_pace(self) -> object:
        """Begin the next spell of faster or slower market; each pace comes once in a round, in a new order."""
        if self.pace_index == 0:
            for last in range(len(PACES) - 1, 0, -1):
                other = self.dice.below(last + 1)
                self.paces[last], self.paces[other] = self.paces[other], self.paces[last]
        self.pace = self.paces[self.pace_index]
        self.pace_index = (self.pace_index + 1) % len(PACES)
        self.pace_left += self.pace_length
        return None


@cython.cclass
class FairValue:
    """A price nobody sees, in 1/1024 ticks: it wanders, has spells of drift, and is pulled back to where it began."""

    def __init__(self, dice: Dice, start: int) -> None:
        self.dice = dice
        self.start = start * FINE
        self.value = start * FINE
        self.drift = 0  # per event
        self.spell = 0  # events until the drift changes
        self.pinned = 0  # where an absorbing interest holds it, 0: nowhere

    @cython.cfunc
    @cython.exceptval(check=False)
    def above(self, bid: cython.longlong, ask: cython.longlong) -> cython.longlong:
        """How far the value lies above the middle of two prices."""
        return self.value - ((bid + ask) * FINE >> 1)

    @cython.cfunc
    @cython.exceptval(check=False)
    def wander(self) -> cython.void:
        """Move fair value by a small step: chance, and the drift of the present spell."""
        if self.pinned > 0:
            self.value = self.pinned + self.dice.below(481) - 240
            return
        if self.spell == 0:
            self.change_drift()
        self.spell -= 1
        self.value += self.drift + self.dice.below(481) - 240

    @cython.cfunc
    @cython.exceptval(check=False)
    def change_drift(self) -> cython.void:
        """Begin a range (one time in three) or a trend, which rather leads back to where the market began."""
        self.spell = 3_000 + self.dice.below(12_000)
        away: cython.longlong = (self.value - self.start) >> 10
        up: bool = self.dice.below(2_000) >= 1_000 + away
        self.drift = 0
        if self.dice.below(3) > 0:
            self.drift = 2 + self.dice.below(6)
            if not up:
                self.drift = -self.drift

    @cython.cfunc
    @cython.exceptval(check=False)
    def turn(self, side: cython.longlong) -> cython.void:
        """Begin a short trend towards higher (+1) or lower (-1) prices."""
        self.spell = 2_000
        self.drift = 6 * side
