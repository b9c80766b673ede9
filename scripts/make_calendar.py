#!/usr/bin/env python3
"""Make ``qmo_cli/holidays.csv``: the days on which CME gold keeps other hours than usual.

Hours come from the calendar ``CMEGlobex_GC`` of pandas_market_calendars, trade dates from its ``CME_TradeDate`` (the
first counts a holiday's half-session as a day of its own). Where published schedules say otherwise than the library,
they stand, and a rule below names them. Later years than CME has published follow the library's rules and these.

Run it after an update of the library: ``python scripts/make_calendar.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path

import pandas_market_calendars as calendars

TABLE = Path(__file__).resolve().parent.parent / "qmo_cli" / "holidays.csv"
FIRST, LAST = date(2010, 1, 1), date(2035, 12, 31)
REGULAR = time(16)
FRIDAY = 4

# National days of mourning: CME_TradeDate takes them all for holidays, but metals kept normal hours and settled on
# both (CME Group's press release of 2024-12-30; for 2018, trades and settlement as reported by the market's users).
NOT_HOLIDAYS = {date(2018, 12, 5), date(2025, 1, 9)}


def library() -> tuple[dict[date, time], set[date]]:
    """Chicago time of the close of each day that trades, and the trade dates."""
    hours = calendars.get_calendar("CMEGlobex_GC").schedule(FIRST, LAST, tz="America/Chicago")
    dates = calendars.get_calendar("CME_TradeDate").schedule(FIRST, LAST + timedelta(7))
    return (
        {day.date(): row.market_close.time() for day, row in hours.iterrows()}, {day.date() for day in dates.index},
    )


def close(day: date, closes: time | None, business: bool) -> time | None:
    """When a day closes, in Chicago time; None if it does not trade. ``closes`` is what the library says.

    Rules, with what they stand on:

    - Christmas Eve closes at 12:45. Brokers' notices of 2013, 2018 and 2025, CME's calendar for 2026, and spot gold
      in 2018, 2019 and 2020, which follows CME's holidays. The library knows that of 2026 alone.
    - Half-sessions closed at 12:15 until 2014: notices for 4 July 2013 and 20 January 2014.
    - Since 2022 Labor Day closes at 13:30 as all other Mondays do: notice of 2025, CME's calendar for 2026.
    - Since 2022 a half-session on a Friday, after which the market does not open again, closes at 12:00: notice for
      4 July 2025, CME's calendar for 19 June and 3 July 2026.
    """
    if closes == REGULAR and (day.month, day.day) == (12, 24):
        return time(12, 45)
    if closes is None or business:
        return closes
    if day.year < 2015:
        return time(12, 15)
    if day.year >= 2022:
        return time(12) if day.weekday() == FRIDAY else time(13, 30)
    return closes


def rows() -> Iterator[str]:
    """The table's lines: date, close (empty: no trading at all), and the trade date that its trades belong to."""
    hours, business = library()
    business |= NOT_HOLIDAYS
    yield "date,closes,trade_date"
    for day in (FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1)):
        closes = close(day, hours.get(day), day in business)
        if day.weekday() > FRIDAY or (closes == REGULAR and day in business):
            continue
        yield f"{day},," if closes is None else f"{day},{closes:%H:%M},{min(one for one in business if one >= day)}"


if __name__ == "__main__":
    TABLE.write_text("\n".join(rows()) + "\n")
