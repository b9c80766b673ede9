"""The price that Yahoo shows now: ten minutes old or so, and told as such."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...errors import SourceUnavailable
from ...records import Quote
from ...sessions import Session, session
from ...times import SECOND, UNITS, iso
from .ask import GOLD, instrument_id, library, plain, within

DEADLINE = 10.0                    # s for all of it
PERIODS = ("1d", "5d")             # the second where the first is empty: between two days, and on holidays
FRESH = 30 * UNITS["m"]            # ns: a delay of ten minutes is usual, of thirty none any more


def price(symbol: str = GOLD, deadline: float = DEADLINE, *, now: int) -> Quote:
    """What Yahoo gives as the price of a symbol. ``now``: the caller's clock, ns; it becomes ``ts_event``.

    ``timestamp`` is the time of the price itself. Bid, ask and spread stay unknown: they would cost five requests more.
    One request where yfinance has met the symbol before, else two, and those for its cookie. Raises SourceUnavailable,
    with a line that says why, where no price comes within ``deadline`` seconds.
    """
    what, yahoo = f"yahoo: price of {symbol}", library()
    meta = within(deadline, lambda: newest(yahoo, symbol, deadline), what)
    value, volume = number(meta.get("regularMarketPrice")), number(meta.get("regularMarketVolume"))
    if value is None:
        raise SourceUnavailable(f"{what}: an answer without a price")
    ts = time_of(meta.get("regularMarketTime"))
    return Quote(
        series=symbol, instrument_id=instrument_id(symbol), ts_event=str(now), price=plain(value),
        volume=None if volume is None else int(volume), timestamp=None if ts is None else iso(ts),
        quality="stale" if ts is None or is_stale(ts, now) else "delayed", source="yahoo",
    )


def newest(yahoo: Any, symbol: str, timeout: float) -> Mapping[str, Any]:
    """What Yahoo says of a symbol beside its newest bars; where there are none it is not to be believed."""
    for period in PERIODS:
        ticker = yahoo.Ticker(symbol)  # a new one each time: it keeps what it got
        if has_bars(ticker, period, timeout):
            meta: Mapping[str, Any] = ticker.get_history_metadata()
            return meta
    raise SourceUnavailable("an empty answer")


def has_bars(ticker: Any, period: str, timeout: float) -> bool:
    """Whether minutes of a period come. Raises whatever the library raises."""
    try:
        frame = ticker.history(period=period, interval="1m", auto_adjust=False, actions=False, timeout=timeout)
    except Exception as error:
        if is_empty(error):
            return False
        raise
    return len(frame) > 0


def is_empty(error: Exception) -> bool:
    """Whether an error of the library stands for an answer without bars: it misses their times."""
    told = getattr(error, "yahoo_reason", None)
    return (isinstance(error, KeyError) and error.args == ("timestamp",)) or (
        type(error).__name__ == "YFPricesMissingError" and told is None)


def is_stale(ts: int, now: int) -> bool:
    """Whether gold has traded for more than 30 minutes since the time of a price (ns), up to now or its last close."""
    trading: Session = session(now)
    if trading.open:
        return now - max(ts, trading.opened) > FRESH
    return trading.closes - ts > FRESH


def number(value: Any) -> float | None:
    """A finite number; None for all else."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def time_of(stamp: Any) -> int | None:
    """ns of a time that the library made, or left, of whole seconds; None where there is none."""
    seconds = number(stamp.timestamp() if hasattr(stamp, "timestamp") else stamp)
    return None if seconds is None else int(seconds) * SECOND
