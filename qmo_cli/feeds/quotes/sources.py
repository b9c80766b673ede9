"""Where a price comes from: a short live session with Databento, or Yahoo's page of the same thing."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from msgspec.structs import replace

from ...blocks import BBO_1S, ERROR, MAPPING, PRICE_SCALE, SECOND, SIMULATOR, SYSTEM, UNDEF_PRICE, UNDEF_TIME
from ...errors import NotEntitled, SourceUnavailable, UsageError
from ...records import Quote
from ...records.layout import HEADER, REPLAY_COMPLETED, layout, read_error, read_mapping, read_system
from ...times import iso
from ..keys import api_key
from ..live.request import (
    BAD_KEY,
    BAD_SUBSCRIPTION,
    PORT,
    TOO_OLD,
    Lost,
    Refused,
    Request,
    Subscription,
)
from ..reach import resolve
from ..symbology import stype_of
from .fetch import NoKey, NothingTraded

SCHEMA = "bbo-1s"
LIMIT = 3.0                     # s for a price of Databento, all in all
LIVE, LIVE_CLOSED = 2.0, 1.0    # s of it to wait for a new price; seconds in which nothing changes bring none
BACK = 60 * SECOND              # ns: how far back the last price is looked for, before now or before the close
REACH = 23 * 3600 * SECOND      # ns: the gateway repeats one day; an hour less, to be sure
STALE = 15 * SECOND             # ns: an older price is not the price of now
FOR_GOOD = BAD_KEY | {BAD_SUBSCRIPTION}
FRONT = re.compile(r"(?P<root>[A-Z0-9]+)\.[cvn]\.0", re.IGNORECASE)
YAHOO_SYMBOLS = {"GC": "GC=F", "MGC": "MGC=F"}


@dataclass(slots=True)
class Listening:
    """What was heard in one session: the newest price, and the contract behind the symbol."""

    best: dict[str, Any] | None = None
    contract: str | None = None
    replayed: bool = False

    def hear(self, data: bytes) -> None:
        """Records that came. Raises Refused for a message of the gateway that ends all hope."""
        at = 0
        while at < len(data):
            rtype = data[at + 1]
            if rtype == BBO_1S:
                self._price(data, at)
            elif rtype == MAPPING:
                self.contract = read_mapping(data, at)[2] or self.contract
            elif rtype == ERROR:
                code, text = read_error(data, at)
                raise Refused(code, text.decode("utf-8", "replace"))
            elif rtype == SYSTEM:
                self.replayed |= read_system(data, at)[0] == REPLAY_COMPLETED
            at += 4 * data[at]

    def _price(self, data: bytes, at: int) -> None:
        """Keep the record, if anything has traded by then; prices stay integers of 1e-9."""
        form = layout(SCHEMA)
        fields = dict(zip(form.names, form.body.unpack_from(data, at + HEADER.size), strict=True))
        if fields["price"] != UNDEF_PRICE:
            head = HEADER.unpack_from(data, at)
            self.best = {**fields, "publisher_id": head[2], "instrument_id": head[3], "ts_event": head[4]}


@dataclass(frozen=True, slots=True)
class Databento:
    """The price of a symbol by a live session: the first record of schema bbo-1s, or the last one that there was."""

    symbol: str
    host: str | None = None
    port: int = PORT

    def __call__(self, now: int) -> Quote:
        """A price. Raises NoKey, NotEntitled, NothingTraded or SourceUnavailable."""
        from ...sessions import session

        try:
            key = api_key()
        except NotEntitled as error:
            raise NoKey(str(error)) from None
        import_module("qmo_cli.feeds.live.wire")  # the vendor's package takes its second before the clock starts
        end, trading = time.monotonic() + LIMIT, session(now)
        try:
            heard = self._listen(key, None, time.monotonic() + (LIVE if trading.open else LIVE_CLOSED))
            if heard.best is None and (start := start_of(trading, now)):
                heard = self._listen(key, start, end)
        except Refused as error:
            raise nothing(self.symbol, trading) if error.code == TOO_OLD else refusal(error) from None
        except (Lost, SourceUnavailable) as error:
            raise SourceUnavailable(f"databento: {error}") from None
        if heard.best is None:
            raise nothing(self.symbol, trading)
        return quote_of(self.symbol, heard, now)

    def _listen(self, key: str, start: int | None, end: float) -> Listening:
        """One session: over with the first price, or, looking back, with the last one. Raises Refused or Lost."""
        from ..live.session import Session

        wanted = Subscription(SCHEMA, (self.symbol,), stype_of(self.symbol), start=start)
        host, port = Request((), host=self.host, port=self.port).address
        address = resolve(host, port, max(end - time.monotonic(), 0.1))
        request = Request((wanted,), host=address, port=port)
        half = max(round((end - time.monotonic()) / 2, 1), 0.1)  # to connect, and again to be let in
        live = Session(request, key, timeout=half)
        heard = Listening()
        try:
            live.open()
            while (left := end - time.monotonic()) > 0 and not heard.replayed:
                heard.hear(live.read(left))
                if start is None and heard.best is not None:
                    break
        except Lost:
            if heard.best is None:
                raise
        finally:
            live.close()
        return heard


def start_of(trading: Any, now: int) -> int | None:
    """Since when (ns) to look for the last price; None where the gateway does not reach back so far."""
    until = now if trading.open else trading.closes
    return until - BACK if now - until < REACH else None


def nothing(symbol: str, trading: Any) -> SourceUnavailable:
    """Why there was no price, though the gateway answered."""
    if trading.open:
        return SourceUnavailable(f"databento: no price of {symbol} within {LIMIT:g} s")
    words = f"databento: the market is closed since {iso(trading.closes)}, until {iso(trading.reopens)}"
    return NothingTraded(f"{words}, and no price of {symbol} is to be had")


def refusal(error: Refused) -> SourceUnavailable | NotEntitled:
    """The gateway's no, as a failure of the key where it is one."""
    words = f"databento: the gateway says: {' '.join(str(error).split())}"
    return NotEntitled(words) if error.code in FOR_GOOD else SourceUnavailable(words)


def quote_of(symbol: str, heard: Listening, now: int) -> Quote:
    """The record of what was heard: last trade, and the quote at the end of that second."""
    best: Any = heard.best
    simulated = best["publisher_id"] == SIMULATOR
    bid, ask = best["bid_px_00"], best["ask_px_00"]
    ts = next((ts for ts in (best["ts_recv"], best["ts_event"]) if ts != UNDEF_TIME), None)
    fresh = ts is not None and now - ts <= STALE
    return Quote(
        series=symbol, symbol=heard.contract, instrument_id=best["instrument_id"], ts_event=str(now),
        price=best["price"] / PRICE_SCALE, bid=money(bid), ask=money(ask), volume=best["size"] or None,
        spread=None if UNDEF_PRICE in (bid, ask) else (ask - bid) / PRICE_SCALE,
        timestamp=None if ts is None else iso(ts),
        quality="simulated" if simulated else "real-time" if fresh else "stale",
        publisher_id=best["publisher_id"], source="simulator" if simulated else "databento",
    )


def money(fixed: int) -> float | None:
    """A price of 1e-9; None where it is undefined."""
    return None if fixed == UNDEF_PRICE else fixed / PRICE_SCALE


@dataclass(frozen=True, slots=True)
class Yahoo:
    """The price that Yahoo shows of the same thing."""

    symbol: str
    there: str | None           # as Yahoo calls it; None: nobody knows

    def __call__(self, now: int) -> Quote:
        """A price; Yahoo's volume is the day's, not the last trade's, and left out. Raises SourceUnavailable."""
        if self.there is None:
            raise SourceUnavailable(f"yahoo: no symbol is known for {self.symbol}; --yahoo-symbol names one")
        from ..yahoo import price

        return replace(price(self.there, now=now), series=self.symbol, symbol=self.there, volume=None)


def yahoo_symbol(symbol: str) -> str | None:
    """What Yahoo calls a front contract.

    >>> yahoo_symbol("GC.v.0"), yahoo_symbol("MGC.c.0"), yahoo_symbol("GC.v.1"), yahoo_symbol("ES.v.0")
    ('GC=F', 'MGC=F', None, None)
    """
    match = FRONT.fullmatch(symbol)
    return YAHOO_SYMBOLS.get(match["root"].upper()) if match else None


def single(symbol: str) -> str:
    """The symbol, if it stands for one contract at a time. Raises UsageError."""
    if symbol.upper() in YAHOO_SYMBOLS:
        raise UsageError(f"{symbol}: write {symbol.upper()}.v.0 for the contract that trades most")
    if stype_of(symbol) == "parent":
        raise UsageError(f"{symbol} stands for many contracts; write such as GC.v.0 for the one that trades most")
    return symbol
