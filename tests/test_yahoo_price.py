"""The price of Yahoo: yfinance itself, unmodified, through a proxy that stands for Yahoo and fails as it does."""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Any

import pytest

from qmo_cli.errors import SourceUnavailable
from qmo_cli.feeds.yahoo import price
from qmo_cli.feeds.yahoo.ask import OUR_IDS, instrument_id, plain
from qmo_cli.feeds.yahoo.prices import is_stale, number
from qmo_cli.records import from_dbn, to_dbn
from qmo_cli.times import SECOND

from .yahoo_proxy import Symbol, YahooProxy


def at(text: str) -> int:
    """ns of an ISO time with its zone."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


NOW = at("2026-11-23T15:10:00-05:00")         # a Monday
SHOWN = at("2026-11-23T15:00:00-05:00")


@pytest.fixture
def yahoo(proxy: YahooProxy) -> YahooProxy:
    """The proxy with gold, its memory empty."""
    start = SHOWN // SECOND - 300
    bars: list[Any] = [(start + 60 * at, 4136.0, 4136.5, 4135.5, 4136.25, 10) for at in range(5)]
    proxy.symbols = {"GC=F": Symbol({"1m": bars}, price=4136.5, time=SHOWN // SECOND)}
    proxy.faults = {}
    proxy.asked.clear()
    return proxy


def test_the_price_has_its_own_time_and_the_volume_of_the_day_and_is_called_delayed(yahoo: YahooProxy) -> None:
    quote = price("GC=F", now=NOW)
    assert (quote.price, quote.volume, quote.quality, quote.source) == (4136.5, 120_345, "delayed", "yahoo")
    assert (quote.timestamp, quote.ts_event) == ("2026-11-23T20:00:00Z", str(NOW))
    assert (quote.series, quote.symbol, quote.bid, quote.ask, quote.spread) == ("GC=F", None, None, None, None)


def test_once_the_library_is_warm_a_price_costs_one_request(yahoo: YahooProxy) -> None:
    price("GC=F", now=NOW)
    yahoo.asked.clear()
    price("GC=F", now=NOW)
    assert [(query["range"], query["interval"]) for query in yahoo.asked] == [("1d", "1m")]


def test_where_the_day_is_empty_five_days_are_asked_for(yahoo: YahooProxy) -> None:
    price("GC=F", now=NOW)
    yahoo.asked.clear()
    yahoo.faults = {"1d": "empty"}
    assert price("GC=F", now=NOW).price == 4136.5
    assert [query["range"] for query in yahoo.asked] == ["1d", "5d"]


@pytest.mark.parametrize(("fault", "words"), [
    ("busy", "too many requests: Yahoo wants to be left alone for some minutes"),
    ("empty", "an empty answer"),
    ("html", "its answer is no JSON: an error page, or cut off"),
    ("half", "its answer is no JSON: an error page, or cut off"),
    ("down", "YAHOO! FINANCE IS CURRENTLY DOWN"),
    ("cut", "closed"),
])
def test_no_answer_that_can_be_read_is_one_line_that_says_why(fault: str, words: str, yahoo: YahooProxy) -> None:
    yahoo.faults = {"*": fault}
    with pytest.raises(SourceUnavailable) as caught:
        price("GC=F", now=NOW)
    assert str(caught.value).startswith("yahoo: price of GC=F: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_symbol_that_yahoo_does_not_know_is_named(yahoo: YahooProxy) -> None:
    for _ in range(3):  # the library goes different ways
        with pytest.raises(SourceUnavailable, match=r"yahoo: price of NONE=F: Yahoo knows no such symbol"):
            price("NONE=F", now=NOW)


@pytest.mark.parametrize("fault", ["html", "down", "half", "busy", "cut"])
def test_after_a_failure_of_the_very_first_request_the_next_price_comes(fault: str, yahoo: YahooProxy) -> None:
    yahoo.zones.clear()
    yahoo.faults = {"*": fault}
    with pytest.raises(SourceUnavailable):
        price("GC=F", now=NOW)
    assert len(yahoo.asked) in (1, 2)
    yahoo.faults = {}
    assert price("GC=F", now=NOW).price == 4136.5


def test_an_answer_may_lack_the_price(yahoo: YahooProxy) -> None:
    yahoo.symbols["GC=F"].price = None
    with pytest.raises(SourceUnavailable, match="an answer without a price"):
        price("GC=F", now=NOW)


def test_what_is_no_finite_number_is_unknown() -> None:
    assert [number(value) for value in (None, math.nan, math.inf, "4136.5", 0, 4136.5)] == [None] * 4 + [0, 4136.5]


def test_a_volume_that_is_not_given_is_unknown(yahoo: YahooProxy) -> None:
    yahoo.symbols["GC=F"].volume = None
    assert price("GC=F", now=NOW).volume is None


def test_a_price_without_a_time_may_be_of_any_age_and_is_called_stale(yahoo: YahooProxy) -> None:
    yahoo.symbols["GC=F"].time = None
    quote = price("GC=F", now=NOW)
    assert (quote.timestamp, quote.quality) == (None, "stale")


def test_a_price_of_this_morning_is_called_stale(yahoo: YahooProxy) -> None:
    yahoo.symbols["GC=F"].time = SHOWN // SECOND - 6 * 3600
    assert price("GC=F", now=NOW).quality == "stale"


@pytest.mark.parametrize(("of", "now", "stale"), [
    ("2026-11-23T14:40:00-05:00", "2026-11-23T15:10:00-05:00", False),    # 30 minutes of an open market
    ("2026-11-23T14:39:59-05:00", "2026-11-23T15:10:00-05:00", True),
    ("2026-11-20T16:59:30-05:00", "2026-11-22T12:00:00-05:00", False),    # on Sunday, of Friday's close
    ("2026-11-20T16:20:00-05:00", "2026-11-22T12:00:00-05:00", True),
    ("2026-11-20T16:59:30-05:00", "2026-11-22T18:25:00-05:00", False),    # the market opened 25 minutes ago
    ("2026-11-20T16:59:30-05:00", "2026-11-22T18:31:00-05:00", True),
    ("2026-11-26T14:20:00-05:00", "2026-11-26T16:00:00-05:00", False),    # Thanksgiving closed at 14:30 in New York
    ("2026-11-26T13:50:00-05:00", "2026-11-26T16:00:00-05:00", True),
])
def test_a_price_is_stale_when_gold_has_traded_for_more_than_half_an_hour_since(of: str, now: str, stale: bool) -> None:
    assert is_stale(at(of), at(now)) is stale


def test_an_answer_that_does_not_come_is_given_up_in_time(yahoo: YahooProxy) -> None:
    yahoo.faults = {"*": "hang"}
    with pytest.raises(SourceUnavailable, match=r"yahoo: price of GC=F: "):
        price("GC=F", 0.3, now=NOW)


def test_a_proxy_that_is_not_there_is_said_in_words(yahoo: YahooProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailable, match=r"yahoo: price of GC=F: .*connect"):
        price("GC=F", now=NOW)


@pytest.mark.parametrize("tenths", [13_573, 25_673, 41_365, 41_367, 123_457, 999_999])
def test_a_price_that_yahoo_kept_in_32_bits_becomes_what_it_was(tenths: int) -> None:
    [kept] = struct.unpack("f", struct.pack("f", tenths / 10))
    assert plain(kept) == tenths / 10


@pytest.mark.parametrize("value", [4136.537, 0.1 + 0.2, 1 / 3, 4136.5])
def test_a_price_of_64_bits_stays(value: float) -> None:
    assert plain(value) == value


def test_an_id_made_of_a_name_is_the_same_in_every_run_and_none_of_an_exchange() -> None:
    assert instrument_id("GC=F") == 0x15AD96CB | OUR_IDS    # as b2sum -l 32 has it
    assert len({instrument_id(name) for name in ("GC=F", "SI=F", "MGC=F", "DX-Y.NYB", "^TNX")}) == 5


def test_a_price_travels_in_dbn(yahoo: YahooProxy) -> None:
    quote = price("GC=F", now=NOW)
    assert from_dbn(to_dbn(quote), 0, {}) == quote
