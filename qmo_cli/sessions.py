# cython: language_level=3, auto_pickle=False
"""Trade dates and sessions of CME Globex by Chicago time: pure functions of a time in ns since 1970.

The trade date changes at 17:00 Chicago, Sunday to Thursday; the hour from 16:00 and the weekend belong to the date
that just ended. Every boundary lies on a whole ten minutes, so answers are kept by ten minutes. Holidays and early
closes are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import cython

from qmo_cli.times import SECOND, UNITS

CHICAGO = ZoneInfo("America/Chicago")
OPENS = time(17)
CLOSES = time(16)
SETTLES = time(12, 30)  # gold
CLOSED = "closed"

# name of the session -> the Chicago time at which it ends; what is later belongs to the next one
_DAY = (
    (time(2), "asia"), (time(7, 20), "london"), (SETTLES, "new york"), (CLOSES, "new york afternoon"),
    (OPENS, CLOSED), (time.max, "asia"),
)
_GRAIN = cython.declare(cython.longlong, UNITS["m"] * 10)
_MINUTE = UNITS["m"]
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6


@dataclass(frozen=True, slots=True)
class Session:
    """The session that a moment belongs to, and the trade day around it. Times in ns since 1970."""

    name: str         # asia, london, new york, new york afternoon, closed
    open: bool        # whether the market trades
    trade_date: str   # ISO date
    day_start: int    # 17:00 Chicago that opened the trade date
    day_end: int      # 17:00 Chicago that opens the next
    closes: int       # 16:00 Chicago on the trade date
    settles: int      # 12:30 Chicago on the trade date

    def minutes_to_close(self, ts: int) -> int | None:
        """Whole minutes until 16:00 Chicago; None when closed."""
        return (self.closes - ts) // _MINUTE if self.open else None

    def minutes_to_settlement(self, ts: int) -> int | None:
        """Whole minutes until gold settles; None once it has."""
        return (self.settles - ts) // _MINUTE if ts < self.settles else None


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
    local = datetime.fromtimestamp(grain * _GRAIN // SECOND, CHICAGO)
    day, name = _trade_day(local), _name(local)
    return Session(
        name=name, open=name != CLOSED, trade_date=day.isoformat(), day_start=_at(day - timedelta(1), OPENS),
        day_end=_at(day + timedelta(2 if day.weekday() == _FRIDAY else 0), OPENS),
        closes=_at(day, CLOSES), settles=_at(day, SETTLES),
    )


def _trade_day(local: datetime) -> date:
    day = local.date() + timedelta(local.time() >= OPENS)
    return day - timedelta(max(0, day.weekday() - _FRIDAY))


def _name(local: datetime) -> str:
    weekday, now = local.weekday(), local.time()
    weekend = (
        weekday == _SATURDAY or (weekday == _FRIDAY and now >= CLOSES) or (weekday == _SUNDAY and now < OPENS)
    )
    return CLOSED if weekend else next(name for end, name in _DAY if now < end)


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, CHICAGO).timestamp()) * SECOND
