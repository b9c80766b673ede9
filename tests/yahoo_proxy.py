"""A proxy on this machine that yfinance, unmodified, takes for the way to Yahoo: it answers as Yahoo's chart API does.

yfinance talks TLS with Yahoo's hosts through the proxy that ``HTTPS_PROXY`` names. This one ends the TLS itself, with
certificates of a test authority, holds the bars of some symbols, and can be told to fail as Yahoo does.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
import trustme

HOSTS = ("yahoo.com", "*.yahoo.com", "*.finance.yahoo.com")
RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
LONGEST = 30                     # s that a request without an answer lasts: the client is expected to give up before
NOTHING = "Data doesn't exist for startDate = 1795600000, endDate = 1795686400"
Row = tuple[int, float | None, float | None, float | None, float | None, int | None]
"""Time (s), open, high, low, close, volume of a bar."""


@dataclass
class Symbol:
    """What the proxy knows of a symbol."""

    bars: dict[str, list[Row]] = field(default_factory=dict)     # by interval
    price: float | None = 4136.5
    time: int | None = 1795600000                                # s
    volume: int | None = 120_345
    zone: str = "America/New_York"
    odd: bool = False                                            # the hours outside the hours have another form


class Remembered(dict[str, Any]):
    """The time zones that yfinance keeps in a file, in memory: it leaves that file open in every thread."""

    def lookup(self, name: str) -> Any:
        return self.get(name)

    def store(self, name: str, value: Any) -> None:
        self[name] = value


class YahooProxy:
    """The proxy. ``faults`` says what goes wrong with a chart, in the words of FAULTS."""

    def __init__(self, folder: Path) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.asked: list[dict[str, str]] = []                    # charts: their symbol and query
        self.faults: dict[str, str] = {}                         # by range, "*": of all charts
        self.streams: dict[str, list[Any]] = {}                  # headlines, by symbol
        self.zones = Remembered()                                # what yfinance in this process knows of them
        self.released = threading.Event()
        self.sockets: set[socket.socket] = set()
        authority = trustme.CA()
        self.certificates = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificates))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.tls)
        self.cache = folder / "cache"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (Door,), {"proxy": self}))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to go through the proxy, and to keep its cookies away from those of others."""
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        certificates = str(self.certificates)
        return {"HTTPS_PROXY": address, "https_proxy": address, "REQUESTS_CA_BUNDLE": certificates,
                "CURL_CA_BUNDLE": certificates, "XDG_CACHE_HOME": str(self.cache)}

    def close(self) -> None:
        """End, and let go of every request."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
        for connection in list(self.sockets):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Door(BaseHTTPRequestHandler):
    """The proxy's own side: opens the way to a host, and takes the host's place."""

    proxy: YahooProxy

    def do_CONNECT(self) -> None:
        self.send_response_only(200)
        self.end_headers()
        try:
            tls = self.proxy.tls.wrap_socket(self.connection, server_side=True)
        except OSError:
            return
        self.proxy.sockets.add(tls)
        try:
            with contextlib.suppress(OSError), tls:
                type("Host", (Host,), {"proxy": self.proxy})(tls, self.client_address, self.server)
        finally:
            self.proxy.sockets.discard(tls)
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


class Host(BaseHTTPRequestHandler):
    """One of Yahoo's hosts."""

    proxy: YahooProxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path.startswith("/v8/finance/chart/"):
            symbol = unquote(place.path.rpartition("/")[2])
            self.chart({"symbol": symbol, **dict(parse_qsl(place.query))})
        elif place.path == "/v1/test/getcrumb":
            self.reply(200, b"Cr/umb.1", "text/plain")
        else:
            self.reply(404, b"<html>nothing here</html>", "text/html")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        names = body.get("serviceConfig", {}).get("s", [""])
        stream = self.proxy.streams.get(names[0], [])
        self.reply(200, json.dumps({"data": {"tickerStream": {"stream": stream}}}).encode())

    def chart(self, query: dict[str, str]) -> None:
        self.proxy.asked.append(query)
        fault = self.proxy.faults.get(query.get("range", ""), self.proxy.faults.get("*", ""))
        body = json.dumps(chart(self.proxy.symbols.get(query["symbol"]), query, fault == "empty")).encode()
        if fault in FAULTS:
            FAULTS[fault](self, body)
        else:
            self.reply(200 if query["symbol"] in self.proxy.symbols else 404, body)

    def reply(self, status: int, body: bytes, kind: str = "application/json", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if self.headers.get("Host", "").startswith("fc."):
            end = datetime.now(UTC) + timedelta(300)
            self.send_header("Set-Cookie", f"A3=d; Domain=.yahoo.com; Path=/; Expires={end:%a, %d %b %Y %T} GMT")
        self.end_headers()
        self.wfile.write(body)

    def cut(self, body: bytes) -> None:
        """Half of the body, and the end of the connection."""
        self.reply(200, body[:len(body) // 2], length=len(body))
        self.close_connection = True

    def hang(self, body: bytes) -> None:
        """No answer."""
        self.proxy.released.wait(LONGEST)
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


FAULTS: dict[str, Callable[[Host, bytes], None]] = {
    "busy": lambda host, _: host.reply(429, b"Too Many Requests\r\n", "text/plain"),
    "html": lambda host, _: host.reply(200, b"<!doctype html><html>Our engineers are working</html>", "text/html"),
    "half": lambda host, body: host.reply(200, body[:len(body) // 2]),
    "down": lambda host, _: host.reply(503, b"<html>Will be right back...</html>", "text/html"),
    "cut": Host.cut,
    "hang": Host.hang,
    "nothing": lambda host, _: host.reply(400, json.dumps(failed("Bad Request", NOTHING)).encode()),
    "empty": lambda host, body: host.reply(200, body),
}


def chart(symbol: Symbol | None, query: dict[str, str], empty: bool = False) -> dict[str, Any]:
    """The JSON of a chart, as Yahoo's API has it."""
    if symbol is None:
        return failed("Not Found", "No data found, symbol may be delisted")
    rows = symbol.bars.get(query["interval"], [])
    if "period1" in query:
        start, end = int(query["period1"]), int(query["period2"])
        if query["interval"] == "1m" and end - start > 8 * 86_400:
            return failed("Unprocessable Entity", "1m data not available: Only 8 days worth of 1m granularity data")
        rows = [row for row in rows if start <= row[0] < end]
    result: dict[str, Any] = {"meta": meta(symbol, query, rows)}
    if rows and not empty:
        columns = list(zip(*rows, strict=True))
        quote = dict(zip(("open", "high", "low", "close", "volume"), map(list, columns[1:]), strict=True))
        result |= {"timestamp": list(columns[0]), "indicators": {"quote": [quote]}}
        if query["interval"] == "1d":
            result["indicators"]["adjclose"] = [{"adjclose": quote["close"]}]
    else:
        result["indicators"] = {"quote": [{}], "adjclose": [{}]}
    return {"chart": {"result": [result], "error": None}}


def failed(code: str, words: str) -> dict[str, Any]:
    """The JSON of a chart that is none."""
    return {"chart": {"result": None, "error": {"code": code, "description": words}}}


def meta(symbol: Symbol, query: dict[str, str], rows: list[Row]) -> dict[str, Any]:
    """What a chart says beside its bars."""
    zone = ZoneInfo(symbol.zone)
    days = sorted({datetime.fromtimestamp(row[0], zone).date() for row in rows})
    periods = [[period(datetime(day.year, day.month, day.day, tzinfo=zone))] for day in days]
    today = datetime.fromtimestamp(symbol.time or 0, zone).replace(hour=0, minute=0, second=0)
    found = {
        "currency": "USD", "symbol": query["symbol"], "exchangeName": "CMX", "fullExchangeName": "COMEX",
        "instrumentType": "FUTURE", "firstTradeDate": 967_608_000, "regularMarketTime": symbol.time,
        "hasPrePostMarketData": False, "gmtoffset": -18_000, "timezone": "EST", "exchangeTimezoneName": symbol.zone,
        "regularMarketPrice": symbol.price, "regularMarketVolume": symbol.volume, "shortName": "Gold Feb 27",
        "chartPreviousClose": 4100.0, "previousClose": 4100.0, "scale": 3, "priceHint": 2,
        "currentTradingPeriod": {name: period(today) for name in ("pre", "regular", "post")},
        "dataGranularity": query["interval"], "range": query.get("range", ""), "validRanges": RANGES,
    }
    if query["interval"] == "1d":
        return found
    whole = {"pre": periods, "post": periods} | ({} if symbol.odd else {"regular": periods})
    return found | {"tradingPeriods": whole if query.get("includePrePost") in ("true", "True") else periods}


def period(day: datetime) -> dict[str, Any]:
    """A day of trading, as charts of futures have it: a minute short of the calendar's day."""
    start = int(day.timestamp())
    return {"timezone": "EST", "start": start, "end": start + 86_340, "gmtoffset": -18_000}


@contextlib.contextmanager
def yahoo_here(folder: Path) -> Iterator[YahooProxy]:
    """A proxy, through which yfinance in this process goes; nothing that it learns outlives it."""
    cache, data = pytest.importorskip("yfinance.cache"), pytest.importorskip("yfinance.data")
    proxy = YahooProxy(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in proxy.environment.items():
            patch.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        patch.setattr(cache._TzCacheManager, "_tz_cache", proxy.zones)
        patch.setattr(cache._CookieCacheManager, "_Cookie_cache", cache._CookieCacheDummy())
        patch.setattr(data.YfData, "_instances", {})
        try:
            yield proxy
        finally:
            proxy.close()
