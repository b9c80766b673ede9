"""What Yahoo's charts hold: the bars of one symbol that are over, their prices as they were before Yahoo kept them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ...times import SECOND, UNITS
from .ask import library, plain, within
from .calendar import is_gold
from .prices import is_empty, time_of

DEADLINE = 30.0                    # s for each request
DELAY = 30 * UNITS["m"]            # ns: what ended longer ago is whole; Yahoo is ten or fifteen minutes late
GRAIN = 15 * UNITS["m"]            # ns: every hour of Yahoo's begins with one of these
SATURDAY = 5
NOTHING = "Data doesn't exist for startDate"


class Bar(NamedTuple):
    """A bar that is over."""

    ts: int                        # ns, its open; of a day midnight UTC of its date
    open: float
    high: float
    low: float
    close: float
    volume: int                    # contracts; 0 also where Yahoo does not know


@dataclass(frozen=True, slots=True)
class Chart:
    """What is asked of Yahoo. Times in ns."""

    symbol: str
    interval: str                  # as Yahoo has it
    length: int
    start: int
    end: int
    now: int

    @property
    def daily(self) -> bool:
        """Whether its bars are days."""
        return self.length >= UNITS["d"]


@dataclass(slots=True)
class Answer:
    """What came."""

    bars: list[Bar] = field(default_factory=list)
    unread: int = 0                # rows that are no whole bars


def answer_of(chart: Chart, spans: Sequence[tuple[int, int]]) -> Answer:
    """The bars of the spans that are over. Raises SourceUnavailable."""
    yahoo, answer, what = library(), Answer(), f"yahoo: bars of {chart.symbol}"
    for start, end in spans:
        frame, meta = within(DEADLINE, lambda: frame_of(yahoo, chart, start, end), what)  # noqa: B023 - called here
        if frame is not None:
            take(answer, chart, frame, meta)
    answer.bars.sort()
    return answer


def frame_of(yahoo: Any, chart: Chart, start: int, end: int) -> tuple[Any, Any]:
    """The library's frame and what Yahoo says beside it; None where there is nothing in the span."""
    ticker = yahoo.Ticker(chart.symbol)
    try:
        frame = history(ticker, chart, start, end)
    except Exception as error:
        if is_empty(error) or NOTHING in str(error):
            return None, None
        raise
    return frame, ticker.get_history_metadata()


def history(ticker: Any, chart: Chart, start: int, end: int) -> Any:
    """Ask. Minutes are asked for with those outside the hours: else the library drops the last one of each day.

    Where it cannot read that answer, it is asked again without them.
    """
    since, until = (as_date(start, 0), as_date(end, 1)) if chart.daily else (as_time(start), as_time(end))
    settings = {"start": since, "end": until, "interval": chart.interval, "auto_adjust": False, "actions": False,
                "timeout": DEADLINE}
    if chart.interval == "1m":
        try:
            return ticker.history(prepost=True, **settings)
        except (LookupError, TypeError, AttributeError) as error:
            if is_empty(error):
                raise
    return ticker.history(**settings)


def as_time(ts: int) -> datetime:
    """The moment, to the second."""
    return datetime.fromtimestamp(ts // SECOND, UTC)


def as_date(ts: int, days: int) -> date:
    """The date in UTC, so many days later."""
    return as_time(ts).date() + timedelta(days)


def take(answer: Answer, chart: Chart, frame: Any, meta: Any) -> None:
    """Add the rows of a frame that are whole bars."""
    over, weekends = Over.of(chart, meta), not (chart.daily and is_gold(chart.symbol))
    columns = [frame[name].tolist() for name in ("Open", "High", "Low", "Close", "Volume")]
    for stamp, *prices, volume in zip(frame.index, *columns, strict=True):
        ts = midnight(stamp) if chart.daily else int(stamp.timestamp()) * SECOND
        if not (chart.start <= ts < chart.end and over.is_bar(ts, stamp.date(), volume)):
            continue
        if all(map(math.isfinite, prices)) and (weekends or stamp.weekday() < SATURDAY):
            first, high, low, last = map(plain, prices)
            answer.bars.append(Bar(ts, first, high, low, last, int(volume)))
        else:
            answer.unread += 1


@dataclass(frozen=True, slots=True)
class Over:
    """Which rows are bars that are over. Times in ns."""

    chart: Chart
    today: date                    # where the exchange is
    traded: int                    # time of the last trade that Yahoo knows of
    heard: int                     # up to where all is known

    @classmethod
    def of(cls, chart: Chart, meta: Any) -> Over:
        """From what Yahoo says beside the bars."""
        traded = time_of(meta.get("regularMarketTime")) or 0
        today = datetime.fromtimestamp(chart.now // SECOND, ZoneInfo(meta["exchangeTimezoneName"])).date()
        return cls(chart, today, traded, max(min(traded, chart.now), chart.now - DELAY))

    def is_bar(self, ts: int, day: date, volume: int) -> bool:
        """Whether a row is one.

        A row for the period that is still open, or for the last trade, stands at the time of that trade. In the evening
        that of gold has the date of the day before its trade date, and so no day counts before the next one begins.
        """
        if self.chart.daily:
            return day < self.today
        if ts % min(self.chart.length, GRAIN) or (ts == self.traded and volume == 0):
            return False
        return ts + self.chart.length <= self.heard


def midnight(stamp: Any) -> int:
    """Midnight UTC of a time's own date, ns."""
    return int(datetime(stamp.year, stamp.month, stamp.day, tzinfo=UTC).timestamp()) * SECOND
