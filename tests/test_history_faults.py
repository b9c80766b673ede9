"""``qmo feed history`` where something fails, and the command around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.commands import origins
from qmo_cli.errors import BadData, NotEntitled, QmoError, SourceUnavailable, UsageError
from qmo_cli.feeds.history.shelf import LEDGER, PART, Shelf

from . import history_case
from . import history_server as vendor
from .history_case import COST, DOWNLOAD, GOLD, MONDAY, UNCLOSED, asked, cached, got, one_file
from .history_server import DAY, KEY, Service

pytestmark = UNCLOSED
archive, service, waits = history_case.archive, history_case.service, history_case.waits  # fixtures


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
    monkeypatch.setattr(origins, "sys", SimpleNamespace(stdin=pipe, stderr=terminal))
    assert origins.person_asked() is None
    monkeypatch.setattr(origins, "sys", SimpleNamespace(stdin=terminal, stderr=terminal))
    monkeypatch.setattr(origins.click, "confirm", lambda question, err: question == "Download for $3.17?" and err)
    ask = origins.person_asked()
    assert ask is not None
    assert ask("Download for $3.17?")
