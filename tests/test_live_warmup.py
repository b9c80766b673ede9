"""A live stream with history ahead of it: bars that were paid for, then the day so far, then now."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.feeds.sim import INSTRUMENT_ID, SimOptions, simulate
from qmo_cli.sessions import session

from .history_case import GOLD, UNCLOSED
from .history_server import DAY, KEY, Archive, Service, spread
from .live_harness import serve
from .support import SECOND, ohlcv
from .test_live_process import DEADLINE, live, output_of, qmo

pytestmark = UNCLOSED
MINUTE = 60 * SECOND
MARKET = tuple(simulate(SimOptions(seed=4, minutes=12, rate=40.0, gaps=0)))


def minutes(start: int, end: int) -> list[tuple[int, bytes]]:
    """Bars of each minute in which gold trades: waves of several lengths around 4000, so that there are swings."""
    times = [ts for ts in range(start - start % MINUTE, end, MINUTE) if session(ts).open]
    prices = [round(4000 + 15 * math.sin(ts / 7e12) + 25 * math.sin(ts / 9e13), 1) for ts in times]
    bars = [ohlcv((price, price + 1, price - 1, price + 0.5), 40, ts_event=ts, interval="1m", instrument=INSTRUMENT_ID)
            for ts, price in zip(times, prices, strict=True)]
    return spread(bars, times)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The vendor's history of the last ten days."""
    now = time.time_ns()
    today = datetime.fromtimestamp(now // SECOND, UTC)
    names = {GOLD: [(today.date() - timedelta(days=20), today.date() + timedelta(days=2), INSTRUMENT_ID)]}
    last = today.replace(second=0, microsecond=0).isoformat().replace("+00:00", ".000000000Z")
    server = Service(Archive({(GOLD, "ohlcv-1m"): minutes(now - 10 * DAY, now)}, names, last=last), tmp_path)
    for name, value in {
        "REQUESTS_CA_BUNDLE": str(server.bundle), "NO_PROXY": "127.0.0.1", "DATABENTO_API_KEY": KEY,
        "QMO_HISTORY_URL": server.url, "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.close()


def test_engines_are_ready_at_the_first_live_packet_and_no_signal_is_given_on_history(
    service: Service, tmp_path: Path,
) -> None:
    capture = tmp_path / "capture.dbn"
    asked = ("--warmup", "5d", "--record", str(capture), "--full", "--yes")
    with serve(source=MARKET, speed=1.0, history=10.0, shift_to_now=True) as gateway, \
            qmo(*live(gateway, "run", *asked), key=KEY) as process:
        assert process.stdout
        assert process.stderr
        past, now, until = list[tuple[str, bool]](), list[dict[str, Any]](), time.monotonic() + DEADLINE
        while len(now) < 10 and time.monotonic() < until:
            packet = json.loads(process.stdout.readline())
            if packet["market"]["quality"] == "warmup":
                past.append((packet["signal"]["signal"]["type"], bool((packet["iceberg"] or {}).get("zones"))))
            else:
                now.append(packet)
        process.send_signal(signal.SIGTERM)
        now += [json.loads(line) for line in process.stdout.read().splitlines()]
        error = process.stderr.read()
        assert process.wait(DEADLINE) == 0, error
    assert len(past) > 2000, error
    assert {kind for kind, _ in past} == {"HOLD"}
    assert any(zones for _, zones in past), "today's orders are in it too"
    assert {one["market"]["quality"] for one in now} == {"simulated"}
    first = now[0]
    for engine in ("bars", "volatility", "gann", "cycle", "orderflow", "iceberg", "session"):
        assert first[engine] is not None, first["missing"].get(engine)
    assert first["bars"]["atr"] is not None
    assert first["gann"]["score"] is not None
    assert first["health"]["book"] == "complete"
    replayed = output_of("run", str(capture), "--every", "50ms")
    assert len(replayed.splitlines()) == len(now), "of history no line is printed"


def test_where_history_cannot_be_had_the_stream_begins_without_and_says_so(service: Service) -> None:
    with serve(source=MARKET, speed=1.0, history=10.0, shift_to_now=True) as gateway, \
            qmo(*live(gateway, "feed", "--warmup", "2d", "--limit", "2000"), key="db-not-the-right-one") as process:
        out, error = process.communicate(timeout=DEADLINE)
    said = [one for one in map(json.loads, out.splitlines()) if one["schema"] == "system"]
    assert [one["kind"] for one in said[:2]] == ["warmup", "error"]
    assert "does not accept the key" in said[1]["detail"]
    assert b"no history" in error
    assert b"not-the-right-one" not in error
    assert process.returncode == 0
