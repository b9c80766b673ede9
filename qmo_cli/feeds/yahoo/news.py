"""Headlines fetched from Yahoo, through yfinance, as ``news`` records in the order of time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...blocks import UNDEF_TIME, Block
from ...errors import BadData, SourceUnavailable
from ...records import News, to_dbn
from ...times import SECOND
from .ask import library, within

logger = logging.getLogger(__name__)

COUNT = 50                         # headlines asked for by symbol
DEADLINE = 30.0                    # s for one symbol: the library's own limit covers only part of what it does
SHORTENED = "..."


class Provider(msgspec.Struct, rename="camel"):
    """Who published."""

    display_name: str | None = None


class Content(msgspec.Struct, rename="camel"):
    """What is read of an article; Yahoo sends much more."""

    title: str
    pub_date: str                  # ISO, with its zone
    provider: Provider | None = None


class Article(msgspec.Struct):
    """One element of the stream that yfinance's ``get_news`` gives."""

    content: Content


def headlines(
    symbols: Sequence[str], count: int = COUNT, deadline: float = DEADLINE, *, start: int = 0, end: int = UNDEF_TIME,
    limit: int | None = None,
) -> Iterator[Block]:
    """The latest headlines about the symbols, each once, oldest first: ``limit`` of those from ``start`` to ``end``.

    Raises SourceUnavailable.
    """
    found = {(news.ts_event, news.headline): news for symbol in symbols for news in fetch(symbol, count, deadline)}
    wanted = [news for news in sorted(found.values(), key=time_of) if start <= time_of(news) < end][:limit]
    if wanted:
        yield Block(b"".join(map(record_bytes, wanted)), "news")


def fetch(symbol: str, count: int, deadline: float) -> list[News]:
    """Headlines about one symbol. Raises SourceUnavailable where there is no answer, or none that can be read."""
    answer = within(deadline, lambda: ask_yahoo(symbol, count), f"yahoo: news of {symbol}")
    read, unread = list[News](), 0
    for article in answer:
        try:
            read.append(news_of(article))
        except (msgspec.ValidationError, ValueError):
            unread += 1
    if unread:
        logger.warning("yahoo: %d of %d headlines of %s could not be read", unread, len(answer), symbol)
    if not read:
        raise SourceUnavailable(
            f"yahoo: no headline of {symbol}: it does not know the symbol, or its answer has another form")
    return read


def ask_yahoo(symbol: str, count: int) -> list[Any]:
    """What yfinance gives; it raises whatever it raises, instead of hiding it in an empty list."""
    answer: list[Any] = library().Ticker(symbol).get_news(count=count)
    return answer


def news_of(article: Any) -> News:
    """The record of an article. Raises ValidationError or ValueError where it has no title or no time."""
    content = msgspec.convert(article, Article).content
    when = datetime.fromisoformat(content.pub_date)
    if when.tzinfo is None:
        raise ValueError("a time without a zone")
    when = when.astimezone(UTC)
    ts = int(when.replace(microsecond=0).timestamp()) * SECOND + when.microsecond * 1000
    source = content.provider.display_name if content.provider else None
    return News(ts_event=str(ts), headline=" ".join(content.title.split()), source=source or "yahoo")


def time_of(news: News) -> int:
    """ns."""
    return int(news.ts_event or 0)


def record_bytes(news: News) -> bytes:
    """The record in DBN; a headline that is longer than a message is cut, and shows it."""
    headline, size = news.headline, len(news.headline)
    while True:
        try:
            return to_dbn(msgspec.structs.replace(news, headline=headline))
        except BadData:
            size -= 8
            if size <= 0:
                raise
            headline = news.headline[:size].rstrip() + SHORTENED
