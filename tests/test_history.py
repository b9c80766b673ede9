"""``qmo feed history``: the vendor's own client against a server on this machine."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from qmo_cli.blocks import MAPPING, SYSTEM
from qmo_cli.cli import cli
from qmo_cli.commands import sources
from qmo_cli.errors import BadData, NotEntitled, QmoError, SourceUnavailable, UsageError
from qmo_cli.feeds import open_source
from qmo_cli.feeds.history import HistoryOptions, client, history
from qmo_cli.feeds.history.shelf import LEDGER, PART, Shelf
from qmo_cli.market import stream
from qmo_cli.records.layout import read_system

from . import history_server as vendor
from .history_server import DAY, DOLLARS_PER_BYTE, KEY, Archive, Service, spread
from .support import SECOND, mbo, ohlcv, split, trade

MONDAY = 1_772_409_600 * SECOND          # 2026-03-02 00:00 UTC
HOUR = 3600 * SECOND
GOLD, SILVER = "GC.v.0", "SI.v.0"
DOWNLOAD, COST = "timeseries.get_range", "metadata.get_cost"

# The vendor's client leaves files and connections to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
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


# ---- the cost comes first


def test_the_cost_is_agreed_to_before_a_byte_is_downloaded(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    questions = []

    def ask(question: str) -> bool:
        questions.append((question, service.asked[DOWNLOAD]))
        return True

    data = got(ask=ask, max_cost=0.5)
    size = sum(len(record) for record in split(data) if record[1] != MAPPING)
    assert questions == [(f"Download for ${size * DOLLARS_PER_BYTE:.2f}?", 0)]
    assert f"GC.v.0 trades 2026-03-02 to 2026-03-03: {size / 1000:.1f} kB, $" in caplog.text


def test_a_person_who_says_no_pays_nothing(service: Service) -> None:
    with pytest.raises(QmoError, match="nothing was downloaded"):
        asked(ask=lambda _: False, max_cost=0.5)
    assert not service.paid


def test_what_costs_more_than_allowed_is_refused_where_nobody_can_be_asked(service: Service) -> None:
    with pytest.raises(UsageError, match=r"costs \$2\.21, more than --max-cost 1; --max-cost 2\.21 allows it, --yes"):
        asked(max_cost=1.0)
    assert not service.paid
    assert got(max_cost=2.21)


def test_a_dry_run_shows_the_cost_and_downloads_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    assert not got(dry_run=True, max_cost=0.0)
    assert "$2.21" in caplog.text
    assert not service.paid


def test_the_ledger_tells_what_was_paid(service: Service, tmp_path: Path) -> None:
    got()
    entries = [json.loads(line) for path in tmp_path.rglob(LEDGER) for line in path.read_text().splitlines()]
    assert [(entry["file"], entry["records"]) for entry in entries] == [("2026-03-02.dbn.zst", 46)]
    assert entries[0]["cost"] == pytest.approx(46 * 48 * DOLLARS_PER_BYTE)


# ---- never paid twice


def test_a_second_run_asks_nothing_and_pays_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    first = got(max_cost=50.0)
    requests = len(service.queries)
    monkeypatch.delenv("DATABENTO_API_KEY")
    assert got(max_cost=0.0) == first
    assert len(service.queries) == requests


def test_a_longer_request_pays_only_what_is_new(service: Service, tmp_path: Path) -> None:
    got(MONDAY + 10 * HOUR, MONDAY + DAY + 9 * HOUR)
    service.queries.clear()
    data = got(MONDAY, MONDAY + 3 * DAY + HOUR)
    assert service.paid == [
        (GOLD, "trades", MONDAY, MONDAY + 10 * HOUR),
        (GOLD, "trades", MONDAY + DAY + 9 * HOUR, MONDAY + 2 * DAY),
        (GOLD, "trades", MONDAY + 2 * DAY, MONDAY + 3 * DAY),
        (GOLD, "trades", MONDAY + 3 * DAY, MONDAY + 3 * DAY + HOUR),
    ]
    assert data == one_file(service, tmp_path, "trades", MONDAY, MONDAY + 3 * DAY + HOUR)


def test_a_part_of_what_is_cached_is_cut_as_the_vendor_cuts_it(service: Service, tmp_path: Path) -> None:
    got(MONDAY, MONDAY + 4 * DAY)
    paid = len(service.paid)
    edges = [MONDAY + HOUR, MONDAY + HOUR + 1, MONDAY + 90 * HOUR // 7, MONDAY + DAY, MONDAY + 3 * DAY + 5]
    for start, end in itertools.combinations(edges, 2):
        assert got(start, end) == one_file(service, tmp_path, "trades", start, end)
    assert len(service.paid) == paid


def test_a_roll_stands_where_it_stands_in_one_file(service: Service, tmp_path: Path) -> None:
    data = got(MONDAY + DAY, MONDAY + 3 * DAY)
    assert data == one_file(service, tmp_path, "trades", MONDAY + DAY, MONDAY + 3 * DAY)
    assert sum(record[1] == MAPPING for record in split(data)) == 2


def test_orders_come_in_pieces_of_an_hour(service: Service, tmp_path: Path) -> None:
    start, end = MONDAY + HOUR // 2, MONDAY + 3 * HOUR + 7
    assert got(start, end, ("mbo",)) == one_file(service, tmp_path, "mbo", start, end)
    assert cached(tmp_path) == [
        "2026-03-02T003000_2026-03-02T01.dbn.zst", "2026-03-02T01.dbn.zst", "2026-03-02T02.dbn.zst",
        "2026-03-02T03_2026-03-02T030000n000000007.dbn.zst"]


def test_bars_are_cached_whole_and_many_days_at_a_time(service: Service, tmp_path: Path) -> None:
    minute, times = 60 * SECOND, every(60 * SECOND, MONDAY, MONDAY + HOUR)
    service.archive.records[GOLD, "ohlcv-1m"] = spread(
        [ohlcv((1.0, 2.0, 0.5, 1.5), 9, ts_event=ts, interval="1m") for ts in times], times)
    data = got(MONDAY, MONDAY + 5 * minute + 1, ("ohlcv-1m",))
    assert sum(record[1] != MAPPING for record in split(data)) == 6      # by their open, as the vendor counts
    assert service.paid == [(GOLD, "ohlcv-1m", MONDAY, MONDAY + 6 * minute)]
    service.queries.clear()
    got(MONDAY, MONDAY + 5 * DAY, ("ohlcv-1m",))
    assert service.paid == [(GOLD, "ohlcv-1m", MONDAY + 6 * minute, MONDAY + 5 * DAY)]


def test_empty_days_are_asked_for_once(service: Service) -> None:
    assert not got(MONDAY + 5 * DAY, MONDAY + 6 * DAY)
    requests = len(service.queries)
    assert not got(MONDAY + 5 * DAY, MONDAY + 6 * DAY)
    assert len(service.queries) == requests


def test_days_on_which_a_symbol_means_nothing_are_not_asked_for(service: Service) -> None:
    service.archive.names[GOLD] = [(date(2026, 3, 3), date(2026, 3, 4), 1)]
    assert got(MONDAY, MONDAY + 3 * DAY)
    assert service.paid == [(GOLD, "trades", MONDAY + DAY, MONDAY + 2 * DAY)]
    requests = len(service.queries)
    got(MONDAY, MONDAY + 3 * DAY)
    assert len(service.queries) == requests


def test_it_tells_how_many_downloads_are_done(service: Service) -> None:
    told: list[tuple[int, int]] = []
    blocks = history(HistoryOptions(yes=True), schemas=["trades"], symbols=[GOLD], start=MONDAY, end=MONDAY + 2 * DAY,
                     tell=lambda done, number: told.append((done, number)))
    assert sum(len(block.data) for block in blocks)
    assert told == [(1, 2), (2, 2)]


def test_only_what_is_read_is_downloaded(service: Service) -> None:
    blocks = asked(MONDAY, MONDAY + 5 * DAY)
    next(blocks)
    assert len(service.paid) == 1


def test_two_processes_at_once_pay_once(service: Service, tmp_path: Path) -> None:
    service.faults[DOWNLOAD] = [vendor.slow(0.3)] * 2
    command = [sys.executable, "-m", "qmo_cli", "feed", "history", "--schema", "trades", "--start", "2026-03-02",
               "--end", "2026-03-04", "--yes", "--encoding", "dbn"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    output = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert output[0][0] == output[1][0] != b""
    assert service.asked[DOWNLOAD] == 2
    assert service.asked[COST] == 2


def test_the_cache_is_for_its_owner_only(service: Service, tmp_path: Path) -> None:
    got(cache_dir=str(tmp_path / "mine"))
    folders = [tmp_path / "mine", *(path for path in (tmp_path / "mine").rglob("*") if path.is_dir())]
    assert len(folders) == 4
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in folders)


# ---- what breaks


@pytest.mark.parametrize("fault", [vendor.cut(0.5), vendor.cut(0.0), vendor.shortened, vendor.instead(b""),
                                   vendor.instead(b"<html>maintenance</html>")])
def test_a_download_that_breaks_off_goes_on_from_there(
    service: Service, tmp_path: Path, waits: list[float], fault: vendor.Fault,
) -> None:
    service.faults[DOWNLOAD] = [None, None, fault]
    with pytest.raises(SourceUnavailable, match="2 of 4 downloads are in the cache, and the same command goes on"):
        got(MONDAY, MONDAY + 4 * DAY)
    assert cached(tmp_path) == ["2026-03-02.dbn.zst", "2026-03-03.dbn.zst"]
    assert not list(tmp_path.rglob(PART))
    service.queries.clear()
    data = got(MONDAY, MONDAY + 4 * DAY)
    assert [start for _, _, start, _ in service.paid] == [MONDAY + 2 * DAY, MONDAY + 3 * DAY]
    assert data == one_file(service, tmp_path, "trades", MONDAY, MONDAY + 4 * DAY)
    assert not waits


def test_data_of_another_schema_is_not_taken(service: Service, tmp_path: Path) -> None:
    other = service.archive.file({"dataset": "GLBX.MDP3", "schema": "mbo", "symbols": GOLD, "stype_in": "continuous",
                                  "start": str(MONDAY), "end": str(MONDAY + DAY)})
    service.faults[DOWNLOAD] = [vendor.instead(other)]
    with pytest.raises(SourceUnavailable, match=r"asked for trades of GLBX\.MDP3, the vendor sent mbo"):
        got()
    assert not cached(tmp_path)


def test_a_truncated_file_is_fetched_again_only_after_its_cost_is_agreed_to(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    data = got(MONDAY, MONDAY + 3 * DAY)
    damaged = next(tmp_path.rglob("2026-03-03.dbn.zst"))
    os.truncate(damaged, damaged.stat().st_size // 2)
    service.queries.clear()
    with pytest.raises(UsageError, match="more than --max-cost"):
        asked(MONDAY, MONDAY + 3 * DAY, max_cost=0.01)
    assert "truncated" in caplog.text
    assert "set aside as 2026-03-03.dbn.zst.damaged" in caplog.text
    assert not service.paid
    assert got(MONDAY, MONDAY + 3 * DAY) == data
    assert service.paid == [(GOLD, "trades", MONDAY + DAY, MONDAY + 2 * DAY)]


def test_a_file_that_rots_at_its_length_is_set_aside_when_it_is_read(service: Service, tmp_path: Path) -> None:
    data = got()
    path = next(tmp_path.rglob("2026-03-02.dbn.zst"))
    rotten = bytearray(path.read_bytes())
    rotten[len(rotten) // 2:] = b"\xff" * (len(rotten) - len(rotten) // 2)
    path.write_bytes(rotten)
    with pytest.raises(BadData, match="damaged; run it again"):
        got()
    assert got() == data


def test_a_file_whose_ledger_is_lost_is_read_to_its_end_and_kept(service: Service, tmp_path: Path) -> None:
    data = got()
    next(tmp_path.rglob(LEDGER)).write_bytes(b'{"file": "2026-03-0')
    service.queries.clear()
    assert got(max_cost=0.0) == data
    assert not service.queries


def test_a_process_that_was_killed_leaves_nothing_that_counts(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "qmo" / "history" / "GLBX.MDP3" / GOLD / "trades"
    folder.mkdir(parents=True)
    (folder / PART).write_bytes(b"half a download")
    assert got() == one_file(service, tmp_path, "trades", MONDAY, MONDAY + DAY)
    assert not (folder / PART).exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_download_leaves_the_cache_sound(
    service: Service, tmp_path: Path, number: signal.Signals, code: int,
) -> None:
    service.faults[DOWNLOAD] = [None, vendor.slow(0.5)]
    command = [sys.executable, "-m", "qmo_cli", "feed", "history", "--schema", "trades", "--start", "2026-03-02",
               "--end", "2026-03-04", "--yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while service.asked[DOWNLOAD] < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == code
    assert cached(tmp_path) == ["2026-03-02.dbn.zst"]
    assert not list(tmp_path.rglob(PART))
    assert got(MONDAY, MONDAY + 2 * DAY) == one_file(service, tmp_path, "trades", MONDAY, MONDAY + 2 * DAY)


@pytest.mark.parametrize(("status", "words", "kind"), [
    (401, "does not accept the key", NotEntitled), (402, "payment", NotEntitled), (403, "does not cover", NotEntitled),
    (422, "asked for the data, the vendor says: 422 .*the dataset is odd", UsageError),
])
def test_a_refusal_is_told_in_the_vendors_words(
    service: Service, waits: list[float], status: int, words: str, kind: type[QmoError],
) -> None:
    service.faults[DOWNLOAD] = [vendor.refuse(status, {"case": "some_case", "message": f"the dataset is odd {KEY}"})]
    with pytest.raises(kind, match=words) as caught:
        got()
    assert KEY not in str(caught.value)
    assert not waits


def test_a_wrong_key_is_said_before_anything_else(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", "db-another-key")
    with pytest.raises(NotEntitled, match="does not accept the key") as caught:
        asked()
    assert "db-another-key" not in str(caught.value)


def test_a_limited_rate_is_waited_for_as_long_as_the_vendor_says(
    service: Service, waits: list[float], caplog: pytest.LogCaptureFixture,
) -> None:
    limited = vendor.refuse(429, "too many", Retry_After="7")
    service.faults = {COST: [limited], DOWNLOAD: [limited, vendor.refuse(429, "x", Retry_After="99999"),
                                                  vendor.refuse(429, "x")]}
    assert got()
    assert waits == [7.0, 7.0, 120.0, 10.0]
    assert "too many requests; trying again in 7 s" in caplog.text


def test_a_limited_rate_is_not_waited_for_for_ever(service: Service, waits: list[float]) -> None:
    service.faults = {COST: [vendor.refuse(429, "too many", Retry_After="1")] * 20}
    with pytest.raises(SourceUnavailable, match="too many"):
        asked()
    assert len(waits) == 5 + 3


def test_failures_of_the_service_are_tried_again_and_then_told(service: Service, waits: list[float]) -> None:
    failing: list[vendor.Fault | None] = [vendor.refuse(500, "oops"), vendor.hang_up, vendor.refuse(503, "busy")]
    service.faults = {DOWNLOAD: list(failing)}
    assert got()
    assert waits == [1.0, 2.0, 4.0]
    service.faults = {DOWNLOAD: [None, *failing, vendor.hang_up]}
    with pytest.raises(SourceUnavailable, match=r"service fails: .*; 1 of 2 downloads are in the cache"):
        got(MONDAY + DAY, MONDAY + 3 * DAY)


def test_a_service_that_is_not_there_is_told(
    service: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QMO_HISTORY_URL", "https://127.0.0.1:9")
    with pytest.raises(SourceUnavailable, match="the vendor's service fails"):
        asked()
    assert waits == [1.0, 2.0, 4.0]


def test_a_service_that_stalls_is_not_waited_for_for_ever(
    service: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("databento.common.http.BentoHttpAPI.TIMEOUT", 0.1)
    service.faults[COST] = [vendor.slow(0.3)]
    assert got()
    assert waits == [1.0]


@pytest.mark.parametrize("text", [b"<html>", b"null", b'"many"', b"-1", b"NaN"])
def test_a_cost_that_cannot_be_read_is_no_cost(service: Service, waits: list[float], text: bytes) -> None:
    service.faults[COST] = [vendor.instead(text)] * 4
    with pytest.raises(SourceUnavailable):
        asked()
    assert not service.paid


def test_what_the_vendor_warns_of_is_said(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.faults[DOWNLOAD] = [vendor.warned("BentoWarning: one or more days have reduced quality")]
    assert got()
    assert "the vendor warns: one or more days have reduced quality" in caplog.text


# ---- what there is


def test_without_an_end_it_goes_as_far_as_the_vendor_has_data(service: Service, tmp_path: Path) -> None:
    service.archive.last = "2026-03-03T10:15:00.000000000Z"
    reached = MONDAY + DAY + 10 * HOUR + HOUR // 4
    assert got(end=None) == one_file(service, tmp_path, "trades", MONDAY, reached)
    service.archive.last = "2026-03-03T12:00:00.000000000Z"
    service.queries.clear()
    assert got(end=None) == one_file(service, tmp_path, "trades", MONDAY, MONDAY + DAY + 12 * HOUR)
    assert service.paid == [(GOLD, "trades", reached, MONDAY + DAY + 12 * HOUR)]


def test_an_end_that_the_vendor_does_not_have_yet_is_cut_and_said(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    service.archive.last = "2026-03-02T12:00:00Z"
    assert got() == one_file(service, tmp_path, "trades", MONDAY, MONDAY + 12 * HOUR)
    assert "GC.v.0 trades ends at 2026-03-02T12:00:00Z, as far as the vendor has it" in caplog.text


def test_a_bar_that_is_not_over_is_not_taken(service: Service) -> None:
    service.archive.last = "2026-03-02T00:03:30Z"
    service.archive.records[GOLD, "ohlcv-1m"] = []
    got(end=None, schemas=("ohlcv-1m",))
    assert service.paid == [(GOLD, "ohlcv-1m", MONDAY, MONDAY + 180 * SECOND)]


@pytest.mark.parametrize(("start", "end"), [
    (MONDAY - 3000 * DAY, MONDAY), (MONDAY + 30 * DAY, MONDAY + 31 * DAY), (MONDAY + 30 * DAY, None),
])
def test_a_time_that_the_vendor_does_not_have_is_refused(service: Service, start: int, end: int | None) -> None:
    with pytest.raises(UsageError, match=r"the vendor has trades of GLBX\.MDP3 from 2020-01-01 to 2026-03-10"):
        asked(start, end)


def test_a_symbol_that_means_nothing_is_refused_before_anything_is_paid(service: Service) -> None:
    with pytest.raises(UsageError, match=r"--symbol GX\.v\.0: GLBX\.MDP3 has no instrument of that name"):
        asked(symbols=("GX.v.0",))
    assert not service.paid


def test_a_degraded_day_is_a_gap_in_the_stream_now_and_from_the_cache(
    service: Service, caplog: pytest.LogCaptureFixture,
) -> None:
    service.archive.conditions = {"2026-03-03": "degraded"}
    data = got(MONDAY, MONDAY + 3 * DAY)
    gaps = [(index, record) for index, record in enumerate(split(data)) if record[1] == SYSTEM]
    assert len(gaps) == 1
    assert stream.record_time(gaps[0][1], 0) == MONDAY + DAY
    assert json.loads(read_system(gaps[0][1], 0)[1])["kind"] == "gap"
    assert gaps[0][0] == 1 + 46                                    # behind the name and Monday's trades
    assert "GLBX.MDP3, 2026-03-03: degraded, says the vendor" in caplog.text
    requests = len(service.queries)
    assert got(MONDAY, MONDAY + 3 * DAY) == data
    assert len(service.queries) == requests


@pytest.mark.parametrize("condition", ["pending", "missing"])
def test_a_day_that_may_grow_is_good_for_one_run_only(service: Service, tmp_path: Path, condition: str) -> None:
    late = service.archive.records[GOLD, "trades"]
    service.archive.records[GOLD, "trades"] = late[:60]
    service.archive.conditions = {"2026-03-03": condition}
    got(MONDAY, MONDAY + 2 * DAY)
    service.archive.records[GOLD, "trades"] = late
    service.archive.conditions = {}
    service.queries.clear()
    assert got(MONDAY, MONDAY + 2 * DAY) == one_file(service, tmp_path, "trades", MONDAY, MONDAY + 2 * DAY)
    assert service.paid == [(GOLD, "trades", MONDAY + DAY, MONDAY + 2 * DAY)]
    assert cached(tmp_path) == ["2026-03-02.dbn.zst", "2026-03-03.dbn.zst"]


def test_a_saturday_without_data_misses_nothing(service: Service) -> None:
    service.archive.conditions = {"2026-03-07": "missing"}
    assert not got(MONDAY + 5 * DAY, MONDAY + 6 * DAY)


def test_several_symbols_and_schemas_come_in_one_order_of_time(service: Service, tmp_path: Path) -> None:
    wanted = [(GOLD, "mbo"), (GOLD, "trades"), (SILVER, "mbo"), (SILVER, "trades")]
    expected = sorted(((ts, order, record) for order, name in enumerate(wanted)
                       for ts, record in service.archive.records.get(name, []) if MONDAY <= ts < MONDAY + 6 * HOUR),
                      key=lambda each: each[:2])
    data = got(MONDAY, MONDAY + 6 * HOUR, schemas=("mbo", "trades"), symbols=(GOLD, SILVER))
    assert [record for record in split(data) if record[1] != MAPPING] == [record for _, _, record in expected]
    names = [record for record in split(data) if record[1] == MAPPING]
    assert len(names) == 2                                          # gold's once, though both schemas have it


# ---- the command


def ran(*arguments: str) -> Any:
    return CliRunner().invoke(cli, arguments)


def test_the_command_prints_what_was_asked_for(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    result = ran("feed", "history", "--schema", "trades", "--start", "2026-03-02", "--end", "2026-03-03", "--yes",
                 "--limit", "3")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["schema"], line["series"]) for line in lines] == [("trades", GOLD)] * 3


def test_other_commands_take_history_too(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    result = ran("run", "history", "--start", "2026-03-02", "--end", "2026-03-02T02:00Z", "--every", "15m", "--yes")
    assert result.exit_code == 0
    assert len(capfd.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--end", "2026-03-03"], 2, "history needs a --start, such as"),
    (["--start", "2026-03-02", "--end", "2026-03-02"], 2, "--end must be later"),
    (["--start", "2026-03-02", "--schema", "mbx"], 2, "'mbx' is not a schema"),
    (["--start", "2026-03-02", "--schema", "news"], 2, "'news' is not a schema"),
    (["--start", "2026-03-02", "--symbol", ""], 2, "needs a schema and a symbol"),
    (["--start", "2026-03-02", "--max-cost", "-1"], 2, "--max-cost -1: write an amount"),
    (["--start", "2026-03-02", "--follow"], 2, "--follow does not go with it"),
    (["a.dbn", "--start", "2026-03-02"], 2, "history cannot be combined"),
    (["--start", "2026-03-02", "--end", "2026-03-03", "--schema", "trades"], 2, "costs $2.21, more than --max-cost 1"),
])
def test_what_cannot_be_asked_for_is_refused(
    service: Service, tmp_path: Path, arguments: list[str], code: int, words: str,
) -> None:
    result = ran("feed", "history", *arguments)
    assert result.exit_code == code
    assert words in result.output + result.stderr


def test_without_a_key_it_says_where_to_put_one(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABENTO_API_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    result = ran("feed", "history", "--start", "2026-03-02")
    assert result.exit_code == 77
    assert "set DATABENTO_API_KEY" in result.stderr


def test_a_person_is_asked_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, pipe = SimpleNamespace(isatty=lambda: True), SimpleNamespace(isatty=lambda: False)
    monkeypatch.setattr(sources, "sys", SimpleNamespace(stdin=pipe, stderr=terminal))
    assert sources.person_asked() is None
    monkeypatch.setattr(sources, "sys", SimpleNamespace(stdin=terminal, stderr=terminal))
    monkeypatch.setattr(sources.click, "confirm", lambda question, err: question == "Download for $3.17?" and err)
    ask = sources.person_asked()
    assert ask is not None
    assert ask("Download for $3.17?")


def test_a_download_that_never_ends_elsewhere_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("qmo_cli.feeds.history.shelf.PATIENCE", 0.1)
    first, second = Shelf(tmp_path, 0), Shelf(tmp_path, 0)
    with first.locked(), pytest.raises(SourceUnavailable, match="another process downloads"), second.locked():
        pass
    assert "waiting for it" in caplog.text
    with second.locked():
        pass
