"""``qmo feed history``: what is asked, paid and kept, by the vendor's own client and a server on this machine."""

from __future__ import annotations

import itertools
import json
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from qmo_cli.blocks import MAPPING, SYSTEM
from qmo_cli.errors import QmoError, UsageError
from qmo_cli.feeds.history.options import HistoryOptions
from qmo_cli.feeds.history.shelf import LEDGER
from qmo_cli.feeds.history.source import history
from qmo_cli.market import stream
from qmo_cli.records.layout import read_system

from . import history_case
from . import history_server as vendor
from .history_case import COST, DOWNLOAD, GOLD, HOUR, MONDAY, SILVER, UNCLOSED, asked, cached, every, got, one_file
from .history_server import DAY, DOLLARS_PER_BYTE, Service, spread
from .support import SECOND, SHARED, ohlcv, read_dbn, split

pytestmark = UNCLOSED
archive, service = history_case.archive, history_case.service  # fixtures


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


@pytest.mark.skipif(not SHARED.is_dir(), reason="the vendor's own files are not here")
def test_real_orders_in_hours_are_the_records_of_the_vendors_file(service: Service, tmp_path: Path) -> None:
    files = [SHARED / "data" / "mbo" / f"esh4-glbx-mdp3-202312{day}.mbo.dbn.zst" for day in (24, 25)]
    start, end = MONDAY - 799 * DAY, MONDAY - 797 * DAY                # 2023-12-24 and 25
    records = [record for file in files for record in read_dbn(file)]
    service.archive.records["ESH4", "mbo"] = [(stream.index_time(record, 0), record) for record in records]
    service.archive.names["ESH4"] = [(date(2023, 12, 1), date(2024, 1, 1), 17077)]
    data = got(start, end, ("mbo",), ("ESH4",))
    assert len(service.paid) == 1 + 24                                 # Sunday in one piece
    assert [record for record in split(data) if record[1] != MAPPING] == records
    assert sum(record[1] == MAPPING for record in split(data)) == 1
    assert data == one_file(service, tmp_path, "mbo", start, end, "ESH4")
