"""Days on which CME gold keeps other hours than usual: closed days, half-sessions of holidays, early closes.

The table ``holidays.csv`` covers 2010 to 2035; ``scripts/make_calendar.py`` makes it and says what it stands on. Times
of years that CME has not published yet follow the pattern of those before. Outside the table's years every weekday
trades its regular hours and is a trade date of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

CLOSES = time(16)
CLOSED_UNTIL_2015 = time(16, 15)  # the daily break was cut into on 21 September 2015
NEW_HOURS = date(2015, 9, 21)
SATURDAY = 5


class Special(NamedTuple):
    """A weekday that is not as usual."""

    closes: time | None      # Chicago time; None: no trading at all
    trade_date: date | None  # that its trades belong to


@lru_cache(maxsize=1)
def specials() -> Mapping[date, Special]:
    """The table, read once."""
    lines = Path(__file__).with_name("holidays.csv").read_text().splitlines()[1:]
    return MappingProxyType({date.fromisoformat(day): Special(
        time.fromisoformat(closes) if closes else None, date.fromisoformat(trades) if trades else None,
    ) for day, closes, trades in (line.split(",") for line in lines)})


@lru_cache(maxsize=1)
def _years() -> tuple[int, int]:
    days = specials()
    return min(days).year, max(days).year


def covered(day: date) -> bool:
    """Whether the table speaks of this day's year.

    >>> covered(date(2010, 1, 1)), covered(date(2035, 12, 31)), covered(date(2036, 1, 1))
    (True, True, False)
    """
    first, last = _years()
    return first <= day.year <= last


def close_of(day: date) -> time | None:
    """When the session that ends on this day closes, in Chicago time; None where none does.

    >>> close_of(date(2026, 11, 26)), close_of(date(2026, 12, 25)), close_of(date(2026, 12, 26))
    (datetime.time(13, 30), None, None)
    """
    special = specials().get(day)
    if special:
        return special.closes
    return None if day.weekday() >= SATURDAY else regular_close(day)


def regular_close(day: date) -> time:
    """When the market closes unless a holiday says otherwise, in Chicago time."""
    return CLOSES if day >= NEW_HOURS else CLOSED_UNTIL_2015


def is_trade_date(day: date) -> bool:
    """Whether trades are booked on this day; those of a holiday's half-session go to the next business day.

    >>> is_trade_date(date(2026, 11, 26)), is_trade_date(date(2026, 11, 27))
    (False, True)
    """
    special = specials().get(day)
    return special.trade_date == day if special else day.weekday() < SATURDAY
