"""Which trade dates of gold are missing among Yahoo's bars: CME's calendar says which there were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...holidays import covered, is_trade_date
from ...instruments import GOLD, root_of
from ...sessions import CHICAGO, Session, session, trade_date
from ...times import SECOND, UNITS

if TYPE_CHECKING:
    from .charts import Chart

NEW_YORK = ZoneInfo("America/New_York")
MORNING = time(6)                  # Chicago: every trade date trades then
DELAY = UNITS["h"]                 # ns: a day that closed later may still be on its way
_DAY = timedelta(1)


def is_gold(symbol: str) -> bool:
    """Whether a symbol of Yahoo's is CME gold, whose calendar we have.

    >>> [is_gold(name) for name in ("GC=F", "MGC=F", "GCZ26.CMX", "SI=F", "GLD")]
    [True, True, True, False, False]
    """
    return root_of(symbol.removesuffix(".CMX")) in GOLD


def gaps(chart: Chart, times: Iterable[int]) -> Iterator[tuple[int, str, int]]:
    """Time (ns), words and number of days of each run of trade dates that no bar is of."""
    if not is_gold(chart.symbol):
        return
    there = {date_of(ts) if chart.daily else date.fromisoformat(trade_date(ts)) for ts in times}
    expected = daily_dates(chart) if chart.daily else traded_dates(chart)
    for missing, run in groupby(expected, lambda day: day not in there):
        days = list(run)
        if missing:
            at = (midnight(days[-1]) + UNITS["d"]) if chart.daily else morning(days[-1]).closes
            yield at, words_for(chart.symbol, days), len(days)


def words_for(symbol: str, days: Sequence[date]) -> str:
    """What a run of missing days is called."""
    if len(days) == 1:
        return f"{symbol}: Yahoo has no bar of trade date {days[0]}"
    return f"{symbol}: Yahoo has no bar of {len(days)} trade dates, {days[0]} to {days[-1]}"


def daily_dates(chart: Chart) -> list[date]:
    """The trade dates asked for as bars of days, up to yesterday in New York, where Yahoo's day of gold ends."""
    today = datetime.fromtimestamp(chart.now // SECOND, NEW_YORK).date()
    return [day for day in dates(chart) if chart.start <= midnight(day) < chart.end and day < today]


def traded_dates(chart: Chart) -> list[date]:
    """The trade dates that lie wholly in the span asked for, and closed long enough ago."""
    until = min(chart.end, chart.now - DELAY)
    return [day for day in dates(chart) if morning(day).day_start >= chart.start and morning(day).closes <= until]


def dates(chart: Chart) -> Iterator[date]:
    """The trade dates around the span, as far as the calendar knows."""
    day, last = date_of(chart.start) - _DAY, date_of(chart.end) + _DAY
    while day <= last:
        if covered(day) and is_trade_date(day):
            yield day
        day += _DAY


def morning(day: date) -> Session:
    """The session on the morning of a trade date."""
    found: Session = session(int(datetime.combine(day, MORNING, CHICAGO).timestamp()) * SECOND)
    return found


def date_of(ts: int) -> date:
    """The date in UTC."""
    return datetime.fromtimestamp(ts // SECOND, UTC).date()


def midnight(day: date) -> int:
    """Midnight UTC, ns."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
