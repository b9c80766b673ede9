"""``qmo feed news``: yfinance's own code against a server on this machine, and what becomes of its answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.errors import SourceUnavailable
from qmo_cli.feeds.yahoo import news
from qmo_cli.ndjson import LineWriter
from qmo_cli.records import News, from_dbn

from .yahoo_proxy import yahoo_here


def article(title: Any, when: Any, publisher: str | None = "Reuters", **more: Any) -> dict[str, Any]:
    """An element of Yahoo's stream, as yfinance 1 gives it."""
    content = {"id": "x", "contentType": "STORY", "title": title, "summary": "", "pubDate": when, "isHosted": True,
               "provider": {"displayName": publisher, "url": "https://x"}, "canonicalUrl": {"url": "https://y"}}
    return {"id": "x", "content": content, **more}


class Yahoo:
    """A server that answers each symbol with what it was told to; it remembers what it was asked."""

    def __init__(self) -> None:
        self.streams: dict[str, list[Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.status, self.body = 200, b""
        yahoo = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                yahoo.asked.append({"path": self.path, **body["serviceConfig"]})
                stream = yahoo.streams.get(body["serviceConfig"]["s"][0], [])
                text = yahoo.body or json.dumps({"data": {"tickerStream": {"stream": stream}}}).encode()
                self.send_response(yahoo.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """The server, to which yfinance goes instead of Yahoo, without the cookie that it would fetch elsewhere."""
    base, data = pytest.importorskip("yfinance.base"), pytest.importorskip("yfinance.data")
    server = Yahoo()
    monkeypatch.setattr(base, "_ROOT_URL_", f"http://127.0.0.1:{server.server.server_address[1]}")
    monkeypatch.setattr(data.YfData, "_get_cookie_and_crumb", lambda *_, **__: (None, "basic"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.close()


def fetched(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["feed", "news", *arguments])


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The records that were written."""
    assert fetched(*arguments).exit_code == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_headlines_come_as_news_records_in_the_order_of_time(
    yahoo: Yahoo, capfd: pytest.CaptureFixture[str],
) -> None:
    yahoo.streams["GC=F"] = [
        article("Gold slips", "2026-03-02T15:00:00Z"),
        article("Fed  holds\n rates", "2026-03-02T09:30:00.250-05:00", None),
        article("Buy now", "2026-03-02T15:10:00Z", ad=[{"paid": True}]),
    ]
    assert printed(capfd) == [
        {"schema": "news", "series": None, "symbol": None, "instrument_id": 0, "ts_event": ts, "headline": headline,
         "impact": None, "sentiment": None, "publisher_id": 0, "source": source}
        for ts, headline, source in [("1772461800250000000", "Fed holds rates", "yahoo"),
                                     ("1772463600000000000", "Gold slips", "Reuters")]]
    assert yahoo.asked == [
        {"path": "/xhr/ncp?queryRef=latestNews&serviceKey=ncp_fin", "snippetCount": 50, "s": ["GC=F"]}]


def test_the_library_as_it_is_asks_yahoo_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with yahoo_here(tmp_path) as proxy:
        proxy.streams["GC=F"] = [article("Gold slips", "2026-03-02T15:00:00Z")]
        assert [one["headline"] for one in printed(capfd)] == ["Gold slips"]


def test_a_headline_about_several_symbols_comes_once(
    yahoo: Yahoo, capfd: pytest.CaptureFixture[str],
) -> None:
    both = article("Dollar up, gold down", "2026-03-02T15:00:00Z")
    yahoo.streams |= {"GC=F": [both], "DX-Y.NYB": [article("Euro down", "2026-03-02T14:00:00Z"), both]}
    found = printed(capfd, "GC=F", "DX-Y.NYB")
    assert [one["headline"] for one in found] == ["Euro down", "Dollar up, gold down"]


@pytest.mark.parametrize(("options", "expected"), [
    (("--start", "2026-03-02T14:30Z"), ["Second", "Third"]), (("--end", "2026-03-02T15:00Z"), ["First"]),
    (("--limit", "2"), ["First", "Second"]), (("--limit", "0"), []),
    (("--start", "2026-03-02T14:30Z", "--limit", "1"), ["Second"]),
])
def test_times_and_a_limit_select_headlines_too(
    options: tuple[str, ...], expected: list[str], yahoo: Yahoo, capfd: pytest.CaptureFixture[str],
) -> None:
    yahoo.streams["GC=F"] = [article("Third", "2026-03-02T16:00:00Z"), article("First", "2026-03-02T14:00:00Z"),
                             article("Second", "2026-03-02T15:00:00Z")]
    assert [one["headline"] for one in printed(capfd, *options)] == expected


def test_what_cannot_be_read_is_counted_and_the_rest_comes(
    yahoo: Yahoo, caplog: pytest.LogCaptureFixture,
) -> None:
    yahoo.streams["GC=F"] = [
        article(None, "2026-03-02T15:00:00Z"), article("When?", "soon"), article("Where?", "2026-03-02T15:00:00"),
        {"id": "x"}, article("Gold slips", "2026-03-02T15:00:00Z")]
    [block] = news.headlines(["GC=F"])
    assert LineWriter().lines(block).count(b"\n") == 1
    assert "4 of 5 headlines of GC=F could not be read" in caplog.text


@pytest.mark.parametrize(("status", "body", "words"), [
    (200, b"", "yahoo: no headline of GC=F: it does not know the symbol"),
    (200, b"<html>sorry</html>", "yahoo: news of GC=F: "),
    (200, b"Will be right back", "yahoo: news of GC=F: *** YAHOO! FINANCE IS CURRENTLY DOWN! ***"),
    (429, b"Too Many Requests", "yahoo: news of GC=F: too many requests"),
    (500, b"{}", "yahoo: n"),
])
def test_yahoo_without_an_answer_is_a_source_that_is_not_there(
    status: int, body: bytes, words: str, yahoo: Yahoo,
) -> None:
    yahoo.status, yahoo.body = status, body
    result = fetched()
    assert (result.exit_code, result.stdout) == (69, "")
    assert result.stderr.startswith(f"qmo feed: {words}")
    assert result.stderr.count("\n") == 1


def test_a_server_that_does_not_listen_is_said_in_words(yahoo: Yahoo) -> None:
    yahoo.close()
    with pytest.raises(SourceUnavailable, match="yahoo: news of GC=F: "):
        list(news.headlines(["GC=F"]))


def test_there_is_a_deadline_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event()
    monkeypatch.setattr(news, "ask_yahoo", lambda *_: wait.wait(10) or [])
    with pytest.raises(SourceUnavailable, match=r"yahoo: news of GC=F: no answer within 0\.05 s"):
        list(news.headlines(["GC=F"], deadline=0.05))
    wait.set()


def test_a_headline_that_no_message_holds_is_cut_where_a_letter_ends() -> None:
    long = "Gold \N{EM DASH} " * 80
    record = news.record_bytes(News(ts_event="1772463600000000000", headline=long, source="Reuters"))
    headline = from_dbn(record, 0, {}).headline
    assert headline.endswith("...")
    assert long.startswith(headline[:-3])
    assert len(headline) > 150


@pytest.mark.parametrize("arguments", [["run", "news"], ["plot", "news"]])
def test_headlines_alone_are_no_market(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "headlines are no market" in result.stderr


@pytest.mark.parametrize("option", [["--follow"], ["--derive", "trades"]])
def test_options_of_markets_do_not_go_with_headlines(option: list[str]) -> None:
    assert fetched(*option).exit_code == 2
