"""``qmo quote``, with a gateway and a page of Yahoo's on this machine."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli

from .conftest import ROOT
from .quote_vendors import KEY, Gateway, gateway, price_at
from .yahoo_proxy import Symbol, YahooProxy

CLOSED_PORT = "127.0.0.1:9"     # nobody listens at discard


@pytest.fixture
def yahoo(proxy: YahooProxy) -> YahooProxy:
    """Yahoo, with gold's price of ten minutes ago."""
    now = int(time.time())
    bars: list[Any] = [(now - 900 + 60 * at, 4136.0, 4136.5, 4135.5, 4136.25, 10) for at in range(5)]
    proxy.symbols["GC=F"] = Symbol({"1m": bars}, price=4136.5, time=now - 600)
    proxy.faults = {}
    return proxy


@pytest.fixture
def live() -> Iterator[Gateway]:
    with gateway(lambda _: price_at(time.time_ns())) as server:
        yield server


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Qmo = Callable[..., Ran]


@pytest.fixture
def qmo(
    tmp_path: Path, yahoo: YahooProxy, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> Qmo:
    """Runs the command where nothing is configured and no host but this machine's can be reached."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)
    logger = logging.getLogger("qmo_cli")

    def run(*arguments: str, **more: str) -> Ran:
        monkeypatch.setattr(logger, "handlers", [])  # one is made for each run, with its stderr
        result = CliRunner().invoke(cli, ["quote", *arguments], env=more)
        return Ran(result.exit_code, capfd.readouterr().out, result.stderr)

    return run


def test_one_price_is_one_record_and_the_next_process_takes_it_from_the_cache_without_any_vendors_package(
    qmo: Qmo, live: Gateway,
) -> None:
    before = time.time_ns()
    first = qmo("--gateway", live.address)
    second = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "qmo_cli", "quote", "--gateway", live.address, "--max-age", "1h"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=True)
    record, cached = json.loads(first.out), json.loads(second.stdout)
    ts, stamp = int(record.pop("ts_event")), record.pop("timestamp")
    assert before < ts < time.time_ns()
    assert record == {
        "schema": "quote", "series": "GC.v.0", "symbol": "GCG7", "instrument_id": 42_026, "price": 2567.5,
        "bid": 2567.3, "ask": 2567.7, "volume": 150, "spread": 0.4, "quality": "real-time", "publisher_id": 1,
        "source": "databento"}
    assert (cached["quality"], cached["timestamp"], int(cached["ts_event"]) > ts) == ("cached", stamp, True)
    assert live.connections == 1
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in second.stderr.splitlines()}
    assert "msgspec" in imported
    assert imported & {"databento", "databento_dbn", "yfinance", "pandas", "numpy", "zstandard", "tabulate"} == set()


def test_no_cache_asks_again(qmo: Qmo, live: Gateway) -> None:
    assert json.loads(qmo("--gateway", live.address).out)["quality"] == "real-time"
    assert json.loads(qmo("--gateway", live.address, "--no-cache").out)["quality"] == "real-time"
    assert live.connections == 2


def test_a_table_is_for_a_person(qmo: Qmo, live: Gateway) -> None:
    lines = qmo("--gateway", live.address, "--format", "table").out.splitlines()
    assert lines[0].split() == ["symbol", "price", "bid", "ask", "spread", "volume", "timestamp", "source", "quality"]
    assert lines[2].split()[:6] == ["GCG7", "2567.5", "2567.3", "2567.7", "0.4", "150"]


def test_who_has_no_key_gets_yahoos_price_and_a_clear_word(qmo: Qmo, yahoo: YahooProxy) -> None:
    run = qmo(DATABENTO_API_KEY="")
    record = json.loads(run.out)
    assert (run.code, record["price"], record["source"], record["quality"]) == (0, 4136.5, "yahoo", "delayed")
    assert (record["series"], record["symbol"], record["bid"], record["volume"]) == ("GC.v.0", "GC=F", None, None)
    assert run.err.startswith("qmo: this price is Yahoo's, delayed: no Databento key: set DATABENTO_API_KEY")
    asked = len(yahoo.asked)
    again = qmo(DATABENTO_API_KEY="")
    assert (json.loads(again.out)["quality"], again.err) == ("delayed", run.err)
    assert qmo("-q", DATABENTO_API_KEY="").err == ""
    assert len(yahoo.asked) == asked


def test_a_wrong_key_is_told_and_yahoos_price_is_given(qmo: Qmo, live: Gateway) -> None:
    run = qmo("--gateway", live.address, DATABENTO_API_KEY="db-wrong-and-secret")
    assert (run.code, json.loads(run.out)["source"]) == (0, "yahoo")
    assert "databento: the gateway says: Authentication failed." in run.err
    assert "secret" not in run.err + run.out


def test_after_more_than_three_failures_the_price_is_yahoos_until_databento_is_back(qmo: Qmo, live: Gateway) -> None:
    port = live.address
    live.close()
    failed = [qmo("--gateway", port) for _ in range(3)]
    assert [(one.code, one.out) for one in failed] == [(69, "")] * 3
    assert "failure 3 in a row: after 3 Yahoo is asked" in failed[-1].err
    fourth = qmo("--gateway", port)
    assert (fourth.code, json.loads(fourth.out)["source"]) == (0, "yahoo")
    assert "cannot connect" in fourth.err
    back = Gateway(lambda _: price_at(time.time_ns()), port=int(port.rpartition(":")[2]))
    try:
        time.sleep(1.1)  # the first pause is a second long
        record = json.loads(qmo("--gateway", port, "--no-cache").out)
        assert (record["source"], record["quality"]) == ("databento", "real-time")
    finally:
        back.close()


def test_exit_codes_tell_what_is_missing(qmo: Qmo, live: Gateway, yahoo: YahooProxy) -> None:
    wrong = qmo("--source", "databento", "--gateway", live.address, DATABENTO_API_KEY="db-wrong")
    nobody = qmo("--source", "databento", "--gateway", CLOSED_PORT)
    yahoo.faults = {"*": "busy"}
    busy = qmo("--source", "yahoo")
    assert [one.code for one in (wrong, nobody, busy)] == [77, 69, 69]
    assert [one.out for one in (wrong, nobody, busy)] == ["", "", ""]
    assert "Authentication failed" in wrong.err
    assert f"cannot connect to {CLOSED_PORT}" in nobody.err
    assert "too many requests" in busy.err


@pytest.mark.parametrize(("arguments", "words"), [
    (("GC",), "write GC.v.0"), (("GC.FUT",), "many contracts"), (("--max-age", "15"), "'15' is not a duration"),
    (("--gateway", "nowhere:x"), "write HOST:PORT"), (("--source", "reuters"), "'reuters' is not one of"),
])
def test_what_cannot_be_asked_for_is_refused(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["quote", *arguments], env={"XDG_CACHE_HOME": str(tmp_path)})
    assert run.exit_code == 2
    assert words in run.output


def test_a_symbol_that_yahoo_does_not_have_says_so_beside_the_other_reason(qmo: Qmo) -> None:
    run = qmo("ES.v.0", DATABENTO_API_KEY="")
    assert run.code == 69
    assert "no Databento key" in run.err
    assert "yahoo: no symbol is known for ES.v.0; --yahoo-symbol names one" in run.err


def test_defaults_come_from_the_configuration_file(qmo: Qmo, live: Gateway, tmp_path: Path) -> None:
    (tmp_path / "qmo").mkdir()
    (tmp_path / "qmo" / "config.toml").write_text(f'[quote]\ngateway = "{live.address}"\nformat = "table"\n')
    assert "2567.5" in qmo().out
