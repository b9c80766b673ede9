"""Prices as a stream: what stands between them when vendors change, and what engines make of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.blocks import Block
from qmo_cli.errors import NotEntitled, SourceUnavailable, UsageError
from qmo_cli.feeds.lines import LineReader
from qmo_cli.feeds.quotes.feed import Clock, quotes
from qmo_cli.feeds.quotes.fetch import Fetched
from qmo_cli.feeds.quotes.options import PollOptions
from qmo_cli.ndjson import LineWriter
from qmo_cli.records import Quote
from qmo_cli.router import Router

from .conftest import ROOT
from .quote_vendors import KEY, gateway, price_at
from .support import SECOND, START

DOWN = SourceUnavailable("databento: down; failure 1 in a row: after 3 Yahoo is asked")
Step = Fetched | Exception


@dataclass
class Script:
    """Stands for a fetcher: gives what is written, in turn, and raises what is an error."""

    steps: list[Step]
    given: list[Step] = field(default_factory=list)

    def fetch(self) -> Fetched:
        self.given.append(self.steps[len(self.given)])
        if isinstance(self.given[-1], Exception):
            raise self.given[-1]
        return self.given[-1]


class Wall:
    """A wall clock that sleeps in no time; each look at it takes a millisecond."""

    def __init__(self) -> None:
        self.now = START + SECOND // 4

    def __call__(self) -> int:
        self.now += SECOND // 1000
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += round(seconds * SECOND)


def databento(price: float, contract: int = 1, symbol: str = "GCG7") -> Fetched:
    return Fetched(Quote(series="GC.v.0", symbol=symbol, instrument_id=contract, ts_event="1", price=price,
                         bid=price - 1, ask=price + 1, spread=2.0, quality="real-time", source="databento"))


def yahoo(price: float, why: str = "databento: down") -> Fetched:
    return Fetched(Quote(series="GC.v.0", symbol="GC=F", instrument_id=2**31 + 7, ts_event="1", price=price,
                         quality="delayed", source="yahoo"), why)


def polled(steps: Sequence[Step], monkeypatch: pytest.MonkeyPatch, **rest: Any) -> list[Block]:
    """The blocks of a feed whose fetcher follows a script to its end."""
    script = Script([*steps])
    monkeypatch.setattr(PollOptions, "fetcher", lambda *_: script)
    wall, found = Wall(), []
    feed = quotes((), PollOptions(), clock=Clock(wall, wall.sleep), **rest)
    for block in feed:
        found.append(block)
        if len(script.given) == len(steps) and b'"clock"' in block.data:
            feed.close()  # type: ignore[attr-defined]
    return found


def lines(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    writer = LineWriter()
    return [json.loads(line) for block in blocks for line in writer.lines(block).splitlines()]


def told(blocks: Iterable[Block]) -> list[tuple[Any, ...]]:
    """The lines but for the clock's: kind and words, or source and price."""
    return [(one.get("kind") or one["source"], one.get("detail") or one.get("price"))
            for one in lines(blocks) if one.get("kind") != "clock"]


def test_a_price_comes_every_fifteen_seconds_and_the_next_whole_second_closes_its_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = lines(polled([databento(2567.5), databento(2568.5)], monkeypatch))
    assert [one["schema"] for one in found] == ["quote", "system", "quote", "system"]
    times = [(int(one["ts_event"]) - START) / SECOND for one in found]
    assert times == [pytest.approx(0.25, abs=0.02), 1.0, pytest.approx(15.25, abs=0.02), 16.0]


def test_the_packet_of_a_price_is_there_before_the_next_price(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router()
    packets = [packet for block in polled([databento(2567.5)], monkeypatch) for packet in router.read(block)]
    assert [(one.series, one.symbol, one.price, one.closed) for one in packets] == [("GC.v.0", "GCG7", 2567.5, True)]


def test_going_to_yahoo_and_coming_back_is_told_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [databento(2567.5), DOWN, DOWN, DOWN, yahoo(2566.0), yahoo(2566.5), databento(2567.0), databento(2567.1)]
    assert told(polled(steps, monkeypatch)) == [
        ("databento", 2567.5), ("stale", str(DOWN)), ("stale", str(DOWN)), ("stale", str(DOWN)),
        ("fallback", "prices are Yahoo's, delayed: databento: down"), ("yahoo", 2566.0), ("yahoo", 2566.5),
        ("reconnect", "prices are databento's again"), ("databento", 2567.0), ("databento", 2567.1)]


def test_prices_after_failed_polls_say_that_they_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [databento(2567.5), DOWN, DOWN, databento(2567.0)]
    found = lines(polled(steps, monkeypatch))
    assert [(one["kind"], one["count"]) for one in found if one["schema"] == "system" and one["kind"] != "clock"] == [
        ("stale", 1), ("stale", 2), ("reconnect", 2)]


def test_a_start_with_yahoo_is_told_where_databento_was_wanted_and_not_where_yahoo_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [kind for kind, _ in told(polled([yahoo(1.0)], monkeypatch))] == ["fallback", "yahoo"]
    assert [kind for kind, _ in told(polled([yahoo(1.0, why="")], monkeypatch))] == ["yahoo"]


def test_what_goes_wrong_is_a_line_on_stderr_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    polled([databento(2567.5), DOWN, yahoo(2566.0), databento(2567.0)], monkeypatch)
    assert [(record.levelname, record.getMessage()) for record in caplog.records if record.levelname == "WARNING"] == [
        ("WARNING", f"GC.v.0: {DOWN}"), ("WARNING", "GC.v.0: prices are Yahoo's, delayed: databento: down")]


def test_a_limit_counts_prices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(polled([databento(1.0), DOWN, databento(2.0), databento(3.0)], monkeypatch, limit=2))
    assert [one["price"] for one in found if one["schema"] == "quote"] == [1.0, 2.0]
    assert found[-1]["kind"] == "clock"
    assert polled([databento(1.0)], monkeypatch, limit=0) == []


def test_times_never_go_back_even_where_the_wall_clock_does() -> None:
    walls = iter([START + 5 * SECOND, START, START + 9 * SECOND])
    clock = Clock(lambda: next(walls))
    assert [clock.now() - START for _ in range(3)] == [5 * SECOND, 5 * SECOND, 9 * SECOND]


def test_words_that_are_too_long_for_a_record_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [SourceUnavailable("databento: " + "ä" * 400), databento(2567.5)]
    (kind, words), *_ = told(polled(steps, monkeypatch))
    assert (kind, words) == ("stale", "databento: " + "ä" * 84)


def test_a_vendor_that_alone_is_wanted_and_refuses_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotEntitled):
        polled([NotEntitled("refused")], monkeypatch)


def test_a_vendor_is_polled_once_a_second_at_the_most() -> None:
    with pytest.raises(UsageError, match="once a second at the most"):
        next(quotes((), PollOptions(poll="500ms")))


def test_lines_of_prices_lead_to_the_same_packets_as_the_prices_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendors come and go, and so do contracts: a series may leave an instrument and return to it."""
    steps = [databento(2567.5), yahoo(2566.0), databento(2567.0), databento(2590.0, 2, "GCJ7"), yahoo(2588.0), DOWN,
             databento(2590.0, 2, "GCJ7")]
    blocks = polled(steps, monkeypatch)
    writer, reader = LineWriter(), LineReader("-")
    text = b"".join(map(writer.lines, blocks))
    again = [*reader.feed(text), *reader.finish()]
    direct, piped = routed(blocks), routed(again)
    assert direct == piped
    assert [(one[1], one[2], one[3], one[4]) for one in direct] == [
        ("GC.v.0", "GCG7", 2567.5, 1), ("GC.v.0", "GC=F", 2566.0, 1), ("GC.v.0", "GCG7", 2567.0, 1),
        ("GC.v.0", "GCJ7", 2590.0, 2), ("GC.v.0", "GC=F", 2588.0, 2), ("GC.v.0", "GC=F", 2588.0, 2),
        ("GC.v.0", "GCJ7", 2590.0, 2)]


def test_what_stands_between_prices_stands_in_the_packet_of_the_price_that_it_concerns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [databento(2567.5), DOWN, yahoo(2566.0), databento(2567.0), databento(2590.0, 2, "GCJ7")]
    router = Router()
    packets = [packet for block in polled(steps, monkeypatch) for packet in router.read(block)]
    assert [(one.slots["market"].quality, [notice.kind for notice in one.slots["system"]]) for one in packets] == [
        ("real-time", []), ("stale", ["stale"]), ("delayed", ["fallback"]), ("real-time", ["reconnect"]),
        ("real-time", ["roll"])]


def routed(blocks: Iterable[Block]) -> list[tuple[Any, ...]]:
    router = Router()
    packets = [*(packet for block in blocks for packet in router.read(block)), *router.finish()]
    return [(one.ts, one.series, one.symbol, one.price, one.instrument_id, str(one.slots), str(one.missing))
            for one in packets]


# --- real processes


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QMO_", "XDG_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder),
            "DATABENTO_API_KEY": KEY, "NO_PROXY": "", "HTTPS_PROXY": "http://127.0.0.1:9", **more}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[list[str]]:
    """The options with which quotes come from a gateway on this machine."""
    with gateway(lambda _: price_at(time.time_ns())) as server:
        yield ["--gateway", server.address]


def test_the_whole_chain_runs_on_prices_and_every_engine_says_what_it_lacks(live: list[str], tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "qmo_cli", "run", "quotes", "--limit", "3", "--poll", "1s", "--full", *live],
        env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=True)
    packets = [json.loads(line) for line in run.stdout.splitlines()]
    assert [(one["series"], one["symbol"], one["price"]) for one in packets] == [("GC.v.0", "GCG7", 2567.5)] * 3
    last = packets[-1]
    assert last["session"]["trade_date"]
    assert last["astro"]["confidence"] is not None
    for engine in ("bars", "gann", "cycle", "orderflow", "liquidity", "iceberg", "absorption"):
        assert last[engine] is None
        assert "input is bbo" in last["missing"][engine]
    assert last["signal"]["signal"]["price_only"]


def test_signals_on_yahoos_prices_are_delayed_and_without_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = b"".join(map(LineWriter().lines, polled([yahoo(2566.0)], monkeypatch)))
    run = subprocess.run([sys.executable, "-m", "qmo_cli", "run", "-", "--full"], input=text, env=environment(tmp_path),
                         capture_output=True, timeout=60, check=True)
    (packet,) = [json.loads(line) for line in run.stdout.splitlines()]
    assert (packet["market"]["quality"], packet["market"]["source"], packet["symbol"]) == ("delayed", "yahoo", "GC=F")
    assert packet["system"][0]["kind"] == "fallback"
    assert packet["signal"]["position"] is None
    assert "input is bbo" in packet["missing"]["gann"]


def test_a_stream_of_prices_ends_in_good_order_when_it_is_told_to(live: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "qmo_cli", "feed", "quotes", *live], env=environment(tmp_path),
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert json.loads(process.stdout.readline())["price"] == 2567.5
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
