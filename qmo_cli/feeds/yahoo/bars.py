"""Bars of Yahoo as ``ohlcv`` records in the order of time, with what they lack said in the stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from ...blocks import YAHOO, Block
from ...errors import SourceUnavailable, UsageError
from ...records import RECORD_TYPES, System, mapping_bytes, to_dbn
from ...times import SECOND, UNITS, iso
from .ask import SYMBOLS, instrument_id
from .calendar import gaps
from .charts import Answer, Bar, Chart, answer_of

DAY, HOUR, MINUTE = UNITS["d"], UNITS["h"], UNITS["m"]
BLOCK = 2000                       # records
DAYS = "ohlcv-1d"


@dataclass(frozen=True, slots=True)
class Kind:
    """A length of bars: how Yahoo calls it, and for how long it keeps such bars. Times in ns."""

    interval: str
    length: int
    usual: int                     # how far back it goes where nobody says
    kept: int | None               # None: for as long as there is a market
    piece: int | None              # the longest span of one request


KINDS = {
    "ohlcv-1m": Kind("1m", MINUTE, 7 * DAY, 30 * DAY, 7 * DAY),
    "ohlcv-1h": Kind("1h", HOUR, 730 * DAY, 730 * DAY, None),
    DAYS: Kind("1d", DAY, 365 * DAY, None, None),
}


class Timed(NamedTuple):
    """A record and its place in the stream: notices come ahead of the bars of their time."""

    ts: int                        # ns
    order: int
    data: bytes


def bars(
    symbols: Sequence[str] = SYMBOLS, schema: str = DAYS, start: int | None = None, end: int | None = None, *, now: int,
) -> Iterator[Block]:
    """The bars of the symbols with start <= open < end (ns), merged by the times at which they ended.

    A day's ``ts_event`` is midnight UTC of its date: of futures the trade date, from the evening before. ``now`` is the
    caller's clock. Raises UsageError for what Yahoo does not keep, before it is asked; SourceUnavailable.
    """
    kind, (start, end) = KINDS[schema], span_of(schema, start, end, now)
    charts = [Chart(symbol, kind.interval, kind.length, start, end, now) for symbol in dict.fromkeys(symbols)]
    answers = [answer_of(chart, pieces(kind, start, end, now)) for chart in charts]
    records = [timed for chart, answer in zip(charts, answers, strict=True) for timed in told(chart, answer, schema)]
    records.sort(key=itemgetter(0, 1))
    names = b"".join(
        mapping_bytes(instrument_id(chart.symbol), chart.symbol, None, records[0].ts) for chart in charts)
    yield Block(names, "yahoo")
    for first in range(0, len(records), BLOCK):
        data = b"".join(record.data for record in records[first:first + BLOCK])
        yield Block(data, "yahoo", len(charts) + first + 1, schema=schema)


def span_of(schema: str, start: int | None, end: int | None, now: int) -> tuple[int, int]:
    """From when to when bars are wanted. Raises UsageError where Yahoo keeps none."""
    kind = KINDS[schema]
    since = now - kind.usual if start is None else start
    until = now if end is None else min(end, now)
    if since >= until:
        raise UsageError(f"yahoo: nothing lies between {iso(since)} and {iso(until)}")
    if kind.kept is not None and since < now - kind.kept:
        raise UsageError(
            f"yahoo keeps {schema} for {kind.kept // DAY} days only, and {iso(since // SECOND * SECOND)} lies before "
            f"that; ask for --schema {'ohlcv-1h' if kind.interval == '1m' else DAYS}")
    return since, until


def pieces(kind: Kind, start: int, end: int, now: int) -> list[tuple[int, int]]:
    """The spans to ask for, each short enough, and none so old that Yahoo keeps it no more when it is asked."""
    if kind.kept is not None:
        start = max(start, now - kind.kept + MINUTE)
    step = kind.piece or max(end - start, 1)
    return [(at, min(at + step, end)) for at in range(start, end, step)]


def told(chart: Chart, answer: Answer, schema: str) -> Iterator[Timed]:
    """The records of a symbol's bars, and what there is to say of them."""
    if not answer.bars:
        raise SourceUnavailable(
            f"yahoo: no bar of {chart.symbol} that is over between {iso(chart.start)} and {iso(chart.end)}")
    for at, kind, words, count in remarks(chart, answer, schema):
        system = System(series=chart.symbol, ts_event=str(at), kind=kind, detail=words, count=count)
        yield Timed(at, 0, to_dbn(system))
    number, record = instrument_id(chart.symbol), RECORD_TYPES[schema]
    for bar in answer.bars:
        yield Timed(bar.ts + chart.length, 1, to_dbn(record_of(record, chart.symbol, number, bar)))


def record_of(record: Any, symbol: str, number: int, bar: Bar) -> Any:
    """A bar as a record."""
    return record(
        series=symbol, instrument_id=number, ts_event=str(bar.ts), open=bar.open, high=bar.high, low=bar.low,
        close=bar.close, volume=str(bar.volume), publisher_id=YAHOO)


def remarks(chart: Chart, answer: Answer, schema: str) -> Iterator[tuple[int, Any, str, int | None]]:
    """Time, kind, words and number of what the stream says of a symbol's bars."""
    symbol, times = chart.symbol, [bar.ts for bar in answer.bars]
    missing = list(gaps(chart, times))
    silent = sum(bar.volume == 0 for bar in answer.bars)
    volume = f"; {silent} of {len(times)} without a volume" if silent else ""
    words = f"{schema} of {symbol} from Yahoo: delayed, rolls are not marked, days may be missing{volume}"
    yield min([times[0], *(at for at, _, _ in missing)]), "vendor", words, None
    for at, words, count in missing:
        yield at, "gap", words, count
    if answer.unread:
        words = f"{symbol}: bars of Yahoo without all prices, or dated on a weekend"
        yield times[-1] + chart.length, "skipped", words, answer.unread
