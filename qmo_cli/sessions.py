# cython: language_level=3, auto_pickle=False
"""Trade dates and sessions of CME gold on Globex by Chicago time: pure functions of a time in ns since 1970.

The market opens at 17:00 the evening before, Sunday to Thursday, and closes at 16:00 (16:15 before 21 September 2015),
or earlier where :mod:`qmo_cli.holidays` says so. The trade date changes when it opens: the break and the weekend belong
to the date that just ended, and so do days without trading. The half-session of a holiday belongs to the next business
day. Every boundary lies on a whole five minutes, so answers are kept by five minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import cython

from qmo_cli.holidays import close_of, covered, is_trade_date, regular_close
from qmo_cli.times import SECOND, UNITS

CHICAGO = ZoneInfo("America/Chicago")
OPENS = time(17)
SETTLES = time(12, 30)  # gold
CLOSED = "closed"
OVERNIGHT = ("asia", "london")

# name of the session -> the Chicago time at which it ends; the first one begins the evening before
_DAY = (("asia", time(2)), ("london", time(7, 20)), ("new york", SETTLES), ("new york afternoon", OPENS))
_GRAIN = cython.declare(cython.longlong, UNITS["m"] * 5)
_MINUTE = UNITS["m"]
_EDGE = 15 * _MINUTE
_DAY_LONG = timedelta(1)


@dataclass(frozen=True, slots=True)
class Session:
    """The session that a moment belongs to, and the trade day around it. Times in ns since 1970.

    A trade day is one part, from one opening of the market to its close; that of a holiday's half-session is two.
    """

    name: str         # asia, london, new york, new york afternoon, closed
    open: bool        # whether the market trades
    trade_date: str   # ISO date
    day_start: int    # 17:00 Chicago that opened the trade date
    day_end: int      # 17:00 Chicago that opens the next
    starts: int       # when the named session began
    ends: int         # and when it ends: closed, when the market opens
    opened: int       # 17:00 Chicago that opened the part; when closed, the last one
    closes: int       # its close
    reopens: int      # 17:00 Chicago that opens the next part
    settles: int      # 12:30 Chicago on the trade date
    early: bool       # whether the part closes earlier than usual
    covered: bool     # whether the holidays of this year are known; if not, it is taken for a year without any

    def minutes_to_close(self, ts: int) -> int | None:
        """Whole minutes until the market closes; None when it is closed."""
        return (self.closes - ts) // _MINUTE if self.open else None

    def minutes_to_settlement(self, ts: int) -> int | None:
        """Whole minutes until gold settles; None once it has."""
        return (self.settles - ts) // _MINUTE if ts < self.settles else None

    def first_15(self, ts: int) -> bool:
        """Whether the named session has traded for less than 15 minutes."""
        return self.open and ts - self.starts < _EDGE

    def last_15(self, ts: int) -> bool:
        """Whether the named session ends within 15 minutes."""
        return self.open and self.ends - ts <= _EDGE


@dataclass(frozen=True, slots=True)
class _Part:
    """From one opening of the market to its close, and the trade day that it belongs to."""

    trade_date: str
    day_start: int
    day_end: int
    opened: int
    closes: int
    reopens: int
    settles: int
    early: bool
    covered: bool


@cython.ccall
def session(ts: cython.longlong) -> object:
    """The session at this time.

    >>> session(1769527845000000000).name      # 2026-01-27T15:30:45Z
    'new york'
    """
    return _session(ts // _GRAIN)


def trade_day_start(ts: int) -> int:
    """17:00 Chicago that opened the trade date of this time, in ns since 1970."""
    return _session(ts // _GRAIN).day_start


def next_trade_day_start(ts: int) -> int:
    """17:00 Chicago that opens the trade date after this time's, in ns since 1970."""
    return _session(ts // _GRAIN).day_end


def trade_date(ts: int) -> str:
    """The exchange's trade date of this time, as an ISO date."""
    return _session(ts // _GRAIN).trade_date


@cython.ccall
def session_name(ts: cython.longlong) -> str:
    """Name of the session at this time."""
    name: str = _session(ts // _GRAIN).name
    return name


@lru_cache(maxsize=4096)
def _session(grain: int) -> Session:
    ts = grain * _GRAIN
    local = datetime.fromtimestamp(ts // SECOND, CHICAGO)
    day = local.date() + timedelta(local.time() >= OPENS)
    part = _part(day if close_of(day) else _before(day))
    name, starts, ends = _named(local, part) if ts < part.closes else (CLOSED, part.closes, part.reopens)
    return Session(
        name=name, open=name != CLOSED, trade_date=part.trade_date, day_start=part.day_start, day_end=part.day_end,
        starts=starts, ends=ends, opened=part.opened, closes=part.closes, reopens=part.reopens, settles=part.settles,
        early=part.early, covered=part.covered,
    )


def _named(local: datetime, part: _Part) -> tuple[str, int, int]:
    """Name, beginning and end of the session within the open market."""
    day, start = local.date(), part.opened
    if local.time() >= OPENS:
        return _DAY[0][0], start, _at(day + _DAY_LONG, _DAY[0][1])
    for name, end in _DAY:
        if local.time() < end:
            return name, start, min(_at(day, end), part.closes)
        start = _at(day, end)
    raise AssertionError(local)  # five in the afternoon opens the next part


@lru_cache(maxsize=64)
def _part(day: date) -> _Part:
    """The part that closes on this day."""
    first, booked = day, day
    while not is_trade_date(_before(first)):
        first = _before(first)
    while not is_trade_date(booked):
        booked += _DAY_LONG
    closes = close_of(day)
    assert closes is not None
    return _Part(
        trade_date=booked.isoformat(), day_start=_at(first - _DAY_LONG, OPENS),
        day_end=_at(_after(booked) - _DAY_LONG, OPENS), opened=_at(day - _DAY_LONG, OPENS), closes=_at(day, closes),
        reopens=_at(_after(day) - _DAY_LONG, OPENS), settles=_at(booked, SETTLES), early=closes < regular_close(day),
        covered=covered(day) and covered(booked),
    )


def _before(day: date) -> date:
    """The last day before this one that trades."""
    day -= _DAY_LONG
    while close_of(day) is None:
        day -= _DAY_LONG
    return day


def _after(day: date) -> date:
    """The first day after this one that trades."""
    day += _DAY_LONG
    while close_of(day) is None:
        day += _DAY_LONG
    return day


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, CHICAGO).timestamp()) * SECOND
