"""What the tests of history share: an archive, a server that has it, and questions to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qmo_cli.feeds.files import open_source
from qmo_cli.feeds.history import client
from qmo_cli.feeds.history.options import HistoryOptions
from qmo_cli.feeds.history.source import history

from .history_server import DAY, KEY, Archive, Service, spread
from .support import SECOND, mbo, trade

MONDAY = 1_772_409_600 * SECOND          # 2026-03-02 00:00 UTC
HOUR = 3600 * SECOND
GOLD, SILVER = "GC.v.0", "SI.v.0"
DOWNLOAD, COST = "timeseries.get_range", "metadata.get_cost"

# The vendor's client leaves files and connections to the garbage collector.
UNCLOSED = [pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
            pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def orders(times: Sequence[int], instrument: int = 1) -> list[tuple[int, bytes]]:
    """MBO records of these times."""
    return spread([mbo("A", "B", 2000.0 + index % 7, 1, index + 1, ts_event=ts - 1000, ts_recv=ts,
                       instrument=instrument) for index, ts in enumerate(times)], times)


def trades(times: Sequence[int], instrument: int = 1) -> list[tuple[int, bytes]]:
    """Trades of these times."""
    return spread([trade("B", 2000.0 + index % 7, 1, ts_event=ts - 1000, ts_recv=ts, instrument=instrument)
                   for index, ts in enumerate(times)], times)


def every(step: int, start: int, end: int) -> range:
    """Times from start to end."""
    return range(start, end, step)


@pytest.fixture
def archive() -> Archive:
    """Monday to Friday of gold and silver; gold's contract changes on Wednesday."""
    march = date(2026, 3, 1)
    roll = march.replace(day=4)
    names = {GOLD: [(march, roll, 1), (roll, march.replace(day=30), 2)], SILVER: [(march, march.replace(day=30), 7)]}
    gold = [*trades(every(HOUR // 2, MONDAY + HOUR, MONDAY + 2 * DAY)),
            *trades(every(HOUR // 2, MONDAY + 2 * DAY + HOUR, MONDAY + 5 * DAY), instrument=2)]
    book = orders(every(HOUR // 4, MONDAY + HOUR, MONDAY + 6 * HOUR))
    return Archive({(GOLD, "trades"): gold, (GOLD, "mbo"): book,
                    (SILVER, "trades"): trades(every(HOUR // 3, MONDAY, MONDAY + DAY), instrument=7)}, names)


@pytest.fixture
def service(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The server, which the vendor's client trusts."""
    server = Service(archive, tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.bundle))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)
    monkeypatch.setenv("QMO_HISTORY_URL", server.url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield server
    server.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(client, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


def asked(
    start: int = MONDAY, end: int | None = MONDAY + DAY, schemas: Sequence[str] = ("trades",),
    symbols: Sequence[str] = (GOLD,), ask: Any = None, **options: Any,
) -> Iterator[bytes]:
    """The bytes of the blocks; whatever it costs, unless told otherwise."""
    known = HistoryOptions(**{"yes": "max_cost" not in options, **options})
    blocks = history(known, schemas=schemas, symbols=symbols, start=start, end=end, ask=ask)
    return (block.data for block in blocks)


def got(*arguments: Any, **options: Any) -> bytes:
    """All the bytes."""
    return b"".join(asked(*arguments, **options))


def one_file(service: Service, folder: Path, schema: str, start: int, end: int, symbol: str = GOLD) -> bytes:
    """The same records as one file of the vendor's, through the reader of files."""
    path = folder / f"one.{schema}.dbn.zst"
    path.write_bytes(service.archive.file({
        "dataset": "GLBX.MDP3", "schema": schema, "symbols": symbol, "stype_in": "continuous", "start": str(start),
        "end": str(end)}))
    return b"".join(block.data for block in open_source([str(path)]))


def cached(folder: Path) -> list[str]:
    """Names of the files in the cache."""
    return sorted(path.name for path in (folder / "cache").rglob("*.dbn.zst"))
