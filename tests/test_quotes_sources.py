"""Databento's price: the vendor's own client against a gateway on this machine. And what Yahoo's is called here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from qmo_cli.errors import NotEntitled, SourceUnavailable, UsageError
from qmo_cli.feeds.quotes import sources
from qmo_cli.feeds.quotes.fetch import NoKey, NothingTraded
from qmo_cli.feeds.quotes.sources import Databento, Yahoo, single, yahoo_symbol
from qmo_cli.feeds.reach import resolve
from qmo_cli.records import Quote

from .quote_vendors import CONTRACT, KEY, Gateway, gateway, price_at, refused
from .support import SECOND, bbo, system


def at(text: str) -> int:
    """ns of an ISO time with its zone."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


OPEN = at("2026-11-23T15:10:00-05:00")            # a Monday
EVENING = at("2026-11-23T17:30:00-05:00")         # half an hour after its close
WEEKEND = at("2026-11-22T12:00:00-05:00")         # a Sunday, two days after Friday's close
CLOSE = at("2026-11-23T17:00:00-05:00")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of tenths of a second, where nothing comes."""
    for name, value in (("LIMIT", 1.5), ("LIVE", 0.6), ("LIVE_CLOSED", 0.6)):
        monkeypatch.setattr(sources, name, value)


def ask(server: Gateway, now: int = OPEN, symbol: str = "GC.v.0") -> Quote:
    return Databento(symbol, "127.0.0.1", server.port)(now)


def said(*records: bytes) -> Callable[[dict[str, str]], list[bytes]]:
    """A gateway's answer to whatever it is asked."""
    return lambda _: list(records)


def test_a_price_is_the_last_trade_with_the_quote_around_it() -> None:
    with gateway(said(*price_at(OPEN))) as server:
        assert ask(server) == Quote(
            series="GC.v.0", symbol="GCG7", instrument_id=CONTRACT, ts_event=str(OPEN), price=2567.5, bid=2567.3,
            ask=2567.7, volume=150, spread=0.4, timestamp="2026-11-23T20:10:00Z", quality="real-time", publisher_id=1,
            source="databento")
        assert server.subscriptions == [
            {"schema": "bbo-1s", "stype_in": "continuous", "symbols": "GC.v.0", "snapshot": "0", "is_last": "1"}]


def test_a_spread_is_what_integers_make_of_it_not_floats() -> None:
    assert 2567.7 - 2567.3 != 0.4  # what floats make of it
    with gateway(said(*price_at(OPEN, bid=-0.1, ask=0.2))) as server:
        assert ask(server).spread == 0.3


@pytest.mark.parametrize(("age", "quality"), [(0, "real-time"), (15, "real-time"), (16, "stale"), (86_400, "stale")])
def test_a_price_older_than_a_cached_one_may_be_is_stale(age: int, quality: str) -> None:
    with gateway(said(*price_at(OPEN - age * SECOND))) as server:
        assert ask(server).quality == quality


def test_a_simulated_price_is_called_so_whoever_sends_it() -> None:
    with gateway(said(*price_at(OPEN, publisher=65_535))) as server:
        quote = ask(server)
    assert (quote.quality, quote.source, quote.publisher_id) == ("simulated", "simulator", 65_535)


def test_what_is_not_known_is_null() -> None:
    nothing = bbo((None, 0, 0), (2567.7, 1, 1), ts_event=OPEN, ts_recv=None, price=2567.5, size=0, instrument=CONTRACT)
    with gateway(said(nothing)) as server:
        quote = ask(server)
    assert (quote.symbol, quote.bid, quote.ask, quote.spread, quote.volume) == (None, None, 2567.7, None, None)


def test_a_second_without_a_trade_in_the_session_has_no_price_and_the_next_one_is_waited_for() -> None:
    untraded = bbo((2567.0, 1, 1), (2567.7, 1, 1), ts_event=2**64 - 1, ts_recv=OPEN, instrument=CONTRACT)
    with gateway(said(untraded, *price_at(OPEN, 2600.0))) as server:
        assert ask(server).price == 2600.0


def quiet(start_answer: list[bytes]) -> Callable[[dict[str, str]], list[bytes]]:
    """A market in which nothing happens now; and what a look back finds."""
    return lambda asked: start_answer if "start" in asked else []


@pytest.mark.usefixtures("hasty")
def test_seconds_in_which_nothing_happens_are_looked_back_over() -> None:
    before = [*price_at(OPEN - 9 * SECOND, 2560.0), *price_at(OPEN - 7 * SECOND, 2561.0),
              system("Finished bbo-1s replay", ts_event=OPEN, code=3)]
    with gateway(quiet(before)) as server:
        quote = ask(server)
        assert (quote.price, quote.timestamp, quote.quality) == (2561.0, "2026-11-23T20:09:53Z", "real-time")
        assert [one.get("start") for one in server.subscriptions] == [None, str(OPEN - 60 * SECOND)]


@pytest.mark.usefixtures("hasty")
def test_after_the_close_the_last_price_is_given_and_called_stale() -> None:
    before = [*price_at(CLOSE, 2570.0), system("Finished bbo-1s replay", ts_event=CLOSE, code=3)]
    with gateway(quiet(before)) as server:
        quote = ask(server, EVENING)
        assert (quote.price, quote.quality, quote.timestamp) == (2570.0, "stale", "2026-11-23T22:00:00Z")
        assert server.subscriptions[1]["start"] == str(CLOSE - 60 * SECOND)


@pytest.mark.usefixtures("hasty")
def test_a_weekend_lies_farther_back_than_the_gateway_repeats_and_is_no_failure() -> None:
    with gateway(quiet([])) as server:
        with pytest.raises(NothingTraded, match="closed since 2026-11-20T22:00:00Z, until 2026-11-22T23:00:00Z"):
            ask(server, WEEKEND)
        assert len(server.subscriptions) == 1


@pytest.mark.usefixtures("hasty")
def test_a_gateway_that_cannot_look_back_has_not_failed_while_the_market_is_closed() -> None:
    with gateway(quiet([refused(8, "replay data aged out")])) as server:
        with pytest.raises(NothingTraded, match="closed since 2026-11-23T22:00:00Z"):
            ask(server, EVENING)
        with pytest.raises(SourceUnavailable, match=r"within 1\.5 s") as caught:
            ask(server, OPEN)
    assert not isinstance(caught.value, NothingTraded)


@pytest.mark.usefixtures("hasty")
def test_an_open_market_without_a_price_is_a_failure_within_its_time() -> None:
    began = time.monotonic()
    with gateway(quiet([])) as server, pytest.raises(SourceUnavailable, match=r"no price of GC\.v\.0 within") as caught:
        ask(server)
    assert not isinstance(caught.value, NothingTraded)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("code", "kind", "words"), [
    (1, NotEntitled, "Authentication failed"), (2, NotEntitled, "API key is deactivated"),
    (3, SourceUnavailable, "connection limit"), (4, SourceUnavailable, "symbol resolution failed"),
    (5, NotEntitled, "no license for bbo-1s"), (6, SourceUnavailable, "internal error"),
])
def test_what_the_gateway_says_is_passed_on(code: int, kind: type[Exception], words: str) -> None:
    with gateway(said(refused(code, words))) as server, pytest.raises(kind, match=f"the gateway says: {words}"):
        ask(server)


def test_a_wrong_key_is_refused_in_the_gateways_words_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "db-this-is-no-key-of-theirs"
    monkeypatch.setenv("DATABENTO_API_KEY", wrong)
    with gateway(said()) as server, pytest.raises(NotEntitled, match="Authentication failed") as caught:
        ask(server)
    assert wrong not in str(caught.value)


def test_without_a_key_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("DATABENTO_API_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with gateway(said()) as server:
        with pytest.raises(NoKey, match="no Databento key: set DATABENTO_API_KEY"):
            ask(server)
        assert server.connections == 0


def test_a_gateway_that_is_not_there_or_hangs_up_or_says_nothing_is_unavailable(hasty: None) -> None:
    with gateway(lambda _: None) as server:
        with pytest.raises(SourceUnavailable, match="databento: the gateway closed the connection"):
            ask(server)
        server.silent = True
        with pytest.raises(SourceUnavailable, match="did not let us in within"):
            ask(server)
    with pytest.raises(SourceUnavailable, match=r"databento: cannot connect to 127\.0\.0\.1"):
        ask(server)


@pytest.mark.parametrize(("symbol", "there"), [
    ("GC.v.0", "GC=F"), ("gc.c.0", "GC=F"), ("MGC.n.0", "MGC=F"),
    ("GC.v.1", None), ("GCZ6", None), ("ES.v.0", None), ("GC.FUT", None),
])
def test_yahoo_has_the_front_contracts_of_gold_and_no_other_passes_for_one(symbol: str, there: str | None) -> None:
    assert yahoo_symbol(symbol) == there


def test_yahoos_price_belongs_to_the_series_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Quote(series="GC=F", instrument_id=7, ts_event="1", price=4136.5, volume=120_345, quality="delayed",
                  source="yahoo")
    monkeypatch.setattr("qmo_cli.feeds.yahoo.price", lambda _, **__: found)
    quote = Yahoo("GC.v.0", "GC=F")(1)
    assert (quote.series, quote.symbol, quote.price, quote.volume) == ("GC.v.0", "GC=F", 4136.5, None)
    with pytest.raises(SourceUnavailable, match=r"no symbol is known for ES\.v\.0; --yahoo-symbol names"):
        Yahoo("ES.v.0", None)(1)


@pytest.mark.parametrize(("symbol", "words"), [
    ("GC", "write GC.v.0"), ("mgc", "write MGC.v.0"), ("GC.FUT", "stands for many contracts")])
def test_what_is_no_single_contract_is_refused_with_a_hint(symbol: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        single(symbol)


def test_a_look_up_of_a_name_is_not_waited_for_longer_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = threading.Event()

    def nobody(*_: Any, **__: Any) -> None:
        asleep.wait(5)
        raise socket.gaierror(-3, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"no address of gate\.test is to be had: no answer within 0\.1 s"):
        resolve("gate.test", 13_000, 0.1)
    assert time.monotonic() - began < 3
    asleep.set()
