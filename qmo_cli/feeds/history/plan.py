"""What of a request is in the cache, and in which pieces the rest is to be downloaded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...blocks import SECOND
from ...errors import UsageError
from ...places import cache_file
from .client import Client, Request
from .names import DAY, HOUR, folder_name, readable
from .options import HistoryOptions
from .shelf import Shelf

logger = logging.getLogger(__name__)

# Longest stretch of one download: what a transfer that breaks off costs at most. Bars are so few that a day of them
# would cost more in requests than in data.
PIECES = {"mbo": HOUR, "mbp-1": HOUR, "mbp-10": HOUR, "ohlcv-1m": 28 * DAY, "ohlcv-1h": 28 * DAY, "ohlcv-1d": 364 * DAY}
WEEKEND = (5, 6)     # days of the week, 0 Monday
Tell = Callable[[int, int], object]
INTERVALS = {"ohlcv-1s": SECOND, "ohlcv-1m": 60 * SECOND, "ohlcv-1h": HOUR, "ohlcv-1d": DAY}


class Piece(NamedTuple):
    """One download; ``empty``: the symbol means no instrument then, so that there is nothing to ask for."""

    begin: int           # ns
    end: int
    note: str            # the day's condition, where it is not available
    empty: bool


class Priced(NamedTuple):
    """A stretch that is not in the cache, and what it costs."""

    request: Request
    cost: float          # US dollars
    size: int            # bytes, uncompressed


@dataclass(slots=True)
class Stream:
    """One symbol and schema: what is wanted of it, where it is kept, and what is to be downloaded."""

    request: Request
    shelf: Shelf
    pieces: list[Piece] = field(default_factory=list)
    prices: list[Priced] = field(default_factory=list)

    @property
    def missing(self) -> list[Request]:
        """The stretches that no file holds."""
        cover = self.shelf.cover(self.request.start, self.request.end)
        return [self.request._replace(start=begin, end=end) for begin, end, extent in cover if extent is None]

    @property
    def rate(self) -> float:
        """US dollars per byte."""
        size = sum(price.size for price in self.prices)
        return sum(price.cost for price in self.prices) / size if size else 0.0


@dataclass(slots=True)
class Plan:
    """All that was asked for."""

    dataset: str
    start: int                                                # ns
    streams: list[Stream]
    conditions: dict[int, str] = field(default_factory=dict)  # by day (ns of its begin), where not available
    fetched: int = 0                                          # pieces downloaded so far
    tell: Tell | None = None                                  # to be told so

    @property
    def prices(self) -> list[Priced]:
        """What is not in the cache."""
        return [price for stream in self.streams for price in stream.prices]

    @property
    def number(self) -> int:
        """Of pieces to download."""
        return sum(len(stream.pieces) for stream in self.streams)

    def count(self) -> None:
        """One more piece is there."""
        self.fetched += 1
        if self.tell is not None:
            self.tell(self.fetched, self.number)


def make_plan(
    options: HistoryOptions, client: Client, schemas: Sequence[str], symbols: Sequence[str], start: int,
    end: int | None,
) -> Plan:
    """See what is there, and ask what the rest costs; where all is there and the end is given, nothing is asked."""
    since = time.time_ns()
    root = Path(options.cache_dir) if options.cache_dir else cache_file("history")
    streams = []
    for symbol in dict.fromkeys(symbols):
        for schema in dict.fromkeys(schemas):
            folder = root / folder_name(options.dataset) / folder_name(symbol) / schema
            stop = whole_end(schema, end) if end is not None else client.available(schema)[1]
            streams.append(Stream(Request(symbol, schema, start, stop), Shelf(folder, since)))
    plan = Plan(options.dataset, start, streams)
    for stream in streams:
        stream.shelf.check(*stream.request[2:])
        fit(stream, client)
    price(plan, client)
    return plan


def whole_end(schema: str, end: int) -> int:
    """The end, moved to that of the bar that is open then: bars are cached whole."""
    step = INTERVALS.get(schema, 1)
    return -(-end // step) * step


def fit(stream: Stream, client: Client) -> None:
    """Cut the request at what the vendor has, where not all of it is in the cache. Raises UsageError."""
    request = stream.request
    if not stream.missing and request.start < request.end:
        return
    first, last = client.available(request.schema)
    last -= last % INTERVALS.get(request.schema, 1)
    if request.start < first or request.start >= last:
        raise UsageError(f"--start {readable(request.start)}: the vendor has {request.schema} of {client.dataset} "
                         f"from {readable(first)} to {readable(last)} for this key")
    if request.end > last:
        logger.warning("%s %s ends at %s, as far as the vendor has it", request.symbol, request.schema, readable(last))
        stream.request = request._replace(end=last)


def price(plan: Plan, client: Client) -> None:
    """Ask for conditions, symbols and cost of what is missing, and cut it into pieces."""
    missing = [request for stream in plan.streams for request in stream.missing]
    conditions = {}
    if missing:
        first, last = min(request.start for request in missing), max(request.end for request in missing)
        conditions = client.conditions(first, last)
    for stream in plan.streams:
        plan_stream(stream, client, conditions)
        plan.conditions |= noted_days(stream)


def plan_stream(stream: Stream, client: Client, conditions: dict[int, str]) -> None:
    """The pieces of one stream, and what they cost."""
    missing = stream.missing
    if not missing:
        return
    spans = client.spans(stream.request._replace(start=missing[0].start, end=missing[-1].end))
    for request in missing:
        stream.pieces += pieces_of(request, conditions, spans)
        stream.prices.append(Priced(request, *client.price(request)))


def pieces_of(request: Request, conditions: dict[int, str], spans: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    """The stretch cut at whole hours, days or more, around days of another condition, and where the symbol begins.

    Saturdays, when the exchange is closed, and Sundays, when it opens for an hour or two, are not cut into hours.
    """
    step = PIECES.get(request.schema, DAY)
    edges = {edge for day in conditions for edge in (day, day + DAY)} | {edge for span in spans for edge in span}
    whole = range(request.start - request.start % step + step, request.end, step)
    edges |= {edge for edge in whole if edge % DAY == 0 or weekday(edge) not in WEEKEND}
    at = request.start
    for edge in (*sorted(edge for edge in edges if request.start < edge < request.end), request.end):
        known = any(begin <= at < end for begin, end in spans)
        yield Piece(at, edge, conditions.get(at - at % DAY, ""), not known)
        at = edge


def weekday(ts: int) -> int:
    """Day of the week of ns UTC, 0 Monday.

    >>> weekday(0), weekday(1772409600 * 10**9)
    (3, 0)
    """
    return (ts // DAY + 3) % 7


def noted_days(stream: Stream) -> dict[int, str]:
    """The days of another condition, as the pieces to come and the files that are there say."""
    cover = stream.shelf.cover(*stream.request[2:])
    held = [(extent.begin, extent.note) for _, _, extent in cover if extent and extent.note]
    noted = [(piece.begin, piece.note) for piece in stream.pieces if piece.note]
    return {begin - begin % DAY: note for begin, note in held + noted}
