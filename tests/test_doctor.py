"""``qmo doctor``: each thing amiss is a line that says what to do; nothing hangs, and the key is never shown."""

from __future__ import annotations

import json
import logging
import re
import socket
import sqlite3
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.doctor import DoctorOptions, Finding, local, network
from qmo_cli.doctor.examination import found, side_by_side
from qmo_cli.engines.memory.store import Store
from qmo_cli.errors import UsageError

from .conftest import ROOT
from .quote_vendors import KEY, Gateway, gateway, refused
from .support import SECOND, system
from .yahoo_proxy import Symbol, YahooProxy, yahoo_here

OFFLINE = DoctorOptions(offline=True)
YEAR_2040 = int(datetime(2040, 3, 1, 15, tzinfo=UTC).timestamp()) * SECOND


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is configured, and no name but this machine's has an address."""
    look_up = socket.getaddrinfo

    def here(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(-2, "a test must not ask for this host")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooProxy]:
    with yahoo_here(tmp_path_factory.mktemp("yahoo")) as found:
        now = int(time.time())
        bars: list[Any] = [(now - 900 + 60 * at, 4136.0, 4136.5, 4135.5, 4136.25, 10) for at in range(5)]
        found.symbols["GC=F"] = Symbol({"1m": bars}, price=4136.5, time=now - 600)
        yield found


@pytest.fixture
def yahoo(proxy: YahooProxy, monkeypatch: pytest.MonkeyPatch) -> YahooProxy:
    """Yahoo in good health."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(proxy.cache))
    proxy.faults = {}
    return proxy


def examined(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and what was found by what was looked at."""
    logging.getLogger("qmo_cli").handlers.clear()
    code = CliRunner().invoke(cli, ["doctor", "--format", "ndjson", *arguments]).exit_code
    return code, {line["what"]: line for line in map(json.loads, capfd.readouterr().out.splitlines())}


def one(check: Callable[[DoctorOptions], Iterator[Finding]], options: DoctorOptions = OFFLINE) -> Finding:
    """The only finding of a check."""
    (finding,) = found("check", check, options)
    return finding


def levels(granted: str) -> Callable[[dict[str, str]], list[bytes]]:
    """A gateway that grants one level and refuses what is above it."""
    def answer(asked: dict[str, str]) -> list[bytes]:
        if asked["schema"] == granted:
            return [system("granted", ts_event=time.time_ns(), code=1)]
        return [refused(5, f"Not licensed for {asked['schema']}")]
    return answer


# --- the whole


def test_where_all_is_well_every_line_is_ok_but_the_calendar_nobody_named(
    yahoo: YahooProxy, capfd: pytest.CaptureFixture[str],
) -> None:
    with gateway(levels("mbo")) as server:
        code, lines = examined(capfd, "--gateway", server.address)
    assert code == 0
    assert list(lines) == [
        "configuration", "python", "reader", "databento", "databento-dbn", "packages", "key", "time zones", "cache",
        "data", "settings", "memory", "holidays", "calendar", "gateway", "entitlement", "clock", "yahoo"]
    wrong = {name for name, line in lines.items() if line["status"] != "ok"}
    assert wrong <= {"calendar", "reader"}  # a reader without a compiler is slow, and no failure
    assert all(lines[name]["advice"] for name in wrong)
    assert lines["key"]["detail"] == "found in DATABENTO_API_KEY"
    assert lines["entitlement"]["detail"] == "mbo (L3, every order)"
    assert re.fullmatch(r"GC=F 4136\.5, delayed, of 20\d\d-.*Z", lines["yahoo"]["detail"])


def test_offline_nobody_is_asked(capfd: pytest.CaptureFixture[str]) -> None:
    code, lines = examined(capfd, "--offline")
    assert code == 0
    assert lines["network"]["detail"] == "not looked at: --offline"
    assert {"gateway", "entitlement", "clock", "yahoo"} & set(lines) == set()


def test_what_fails_makes_the_exit_code_and_says_what_to_do(
    yahoo: YahooProxy, capfd: pytest.CaptureFixture[str],
) -> None:
    yahoo.faults = {"*": "busy"}
    code, lines = examined(capfd, "--gateway", "127.0.0.1:9")
    assert code == 1
    assert lines["gateway"]["status"] == "fail"
    assert "Connection refused" in lines["gateway"]["detail"]
    assert lines["gateway"]["advice"].startswith("let this machine connect to 127.0.0.1:9 (TCP)")
    assert (lines["yahoo"]["status"], "too many requests" in lines["yahoo"]["detail"]) == ("warn", True)


def test_a_person_reads_one_line_for_each(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABENTO_API_KEY")
    assert CliRunner().invoke(cli, ["doctor", "--offline"]).exit_code == 0
    lines = capfd.readouterr().out.splitlines()
    assert all(re.match(r"(ok|warn|fail) +\w", line) for line in lines)
    (key,) = [line for line in lines if line.split()[1] == "key"]
    assert re.fullmatch(r"warn  key +none  -> set DATABENTO_API_KEY, or put the key into \S+/databento\.key .*", key)


def test_a_wrong_configuration_file_is_a_finding_and_hides_no_other(
    capfd: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:
    file = tmp_path / "config" / "qmo" / "config.toml"
    file.parent.mkdir(parents=True)
    for text, words in (("[route", "this is not TOML"), ("[rout]", "unknown table"), ("[route]\nevry = 1", "unknown"),
                        ("[engine.iceberg]\nzone = 1", "zone"), ('[feed]\nlimit = "many"', "limit")):
        file.write_text(text)
        code, lines = examined(capfd, "--offline")
        assert (code, lines["configuration"]["status"], lines["python"]["status"]) == (1, "fail", "ok")
        assert words in lines["configuration"]["detail"]


def test_a_gateway_that_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match="write HOST:PORT"):
        DoctorOptions(gateway="x:y")


def test_the_key_is_never_shown(yahoo: YahooProxy, capfd: pytest.CaptureFixture[str], tmp_path: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway(levels("mbo")) as server:
        for secret in (KEY, "db-wrong-and-secret-42", "db-two words"):
            monkeypatch.setenv("DATABENTO_API_KEY", secret)
            CliRunner().invoke(cli, ["doctor", "--gateway", server.address])
            said = "".join(capfd.readouterr())
            assert "entitlement" in said
            assert secret not in said
            assert secret[-5:] not in said


# --- the network


@pytest.mark.parametrize(("granted", "status", "detail"), [
    ("mbo", "ok", "mbo (L3, every order)"),
    ("mbp-10", "warn", "mbp-10 (L2, ten levels of the book); mbo refused: Not licensed for mbo"),
    ("tbbo", "warn", "tbbo (L1, trades with the quote); mbo refused: Not licensed for mbo; "
                     "mbp-10 refused: Not licensed for mbp-10"),
    ("none", "fail", "mbo refused: Not licensed for mbo; mbp-10 refused: Not licensed for mbp-10; "
                     "tbbo refused: Not licensed for tbbo"),
])
def test_the_best_level_that_is_granted_is_named_and_those_that_are_not(
    granted: str, status: str, detail: str,
) -> None:
    with gateway(levels(granted)) as server:
        finding = asked(server)[1]
    assert (finding.status, finding.detail) == (status, detail)
    assert (finding.advice is None) == (status == "ok")


def asked(server: Gateway) -> list[Finding]:
    return found("gateway", network.gateway, DoctorOptions(gateway=server.address))


def test_a_key_that_is_refused_is_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", "db-wrong-and-secret")
    with gateway(levels("mbo")) as server:
        _, finding = asked(server)
        assert server.connections == 2  # one to see that it is there
    assert (finding.status, finding.what) == ("fail", "entitlement")
    assert finding.detail == "the gateway refuses the key: Authentication failed."


def test_without_a_key_the_gateway_is_looked_for_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABENTO_API_KEY")
    with gateway(levels("mbo")) as server:
        assert [(one.status, one.what) for one in asked(server)] == [("ok", "gateway"), ("warn", "entitlement")]
    refused_port = found("gateway", network.gateway, DoctorOptions(gateway="127.0.0.1:9"))
    assert [one.status for one in refused_port] == ["warn", "warn"]


def test_the_vendors_own_gateway_is_asked_for_by_name() -> None:
    finding, _ = found("gateway", network.gateway, DoctorOptions())
    host = "glbx-mdp3.lsg.databento.com"
    assert finding.detail == f"{host}:13000: no address of {host} is to be had: a test must not ask for this host"


def test_a_gateway_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "ANSWER", 0.2)
    with gateway(levels("mbo")) as server:
        server.silent = True
        _, finding = asked(server)
    assert finding.status == "fail"
    assert "did not let us in within 0.2 s" in finding.detail


@pytest.mark.parametrize(("ahead", "status", "words"), [
    (0.5, "ok", "0.500 s ahead of"), (-1.9, "ok", "1.900 s behind"), (2.1, "warn", "2.100 s ahead"),
    (-16, "fail", "16.000 s behind the gateway's: fresh prices would be called stale"),
    (90_000, "warn", "not compared: the gateway's times are of another day"), (None, "warn", "said no time"),
])
def test_clocks_are_compared(ahead: float | None, status: str, words: str) -> None:
    finding = network.clock(None if ahead is None else int(ahead * SECOND))
    assert (finding.status, words in finding.detail) == (status, True)


def test_the_gateways_time_is_that_of_its_first_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network.time, "time_ns", lambda: 100 * SECOND)
    answer = network.Answer()
    answer.hear(system("hello", ts_event=2**64 - 1, code=0) + system("ok", ts_event=97 * SECOND, code=1)
                + system("Heartbeat", ts_event=50 * SECOND, code=0))
    assert (answer.granted, answer.skew) == (True, 3 * SECOND)


def test_checks_wait_side_by_side_and_what_does_not_end_is_left_behind() -> None:
    def slow(_: DoctorOptions) -> Iterator[Finding]:
        time.sleep(0.2)
        yield Finding("ok", "slow", "done")

    def endless(_: DoctorOptions) -> Iterator[Finding]:
        time.sleep(3)
        yield Finding("ok", "endless", "never said")

    began = time.monotonic()
    findings = list(side_by_side([("slow", slow), ("endless", endless), ("slow", slow)], OFFLINE, 0.5))
    assert [(one.status, one.what) for one in findings] == [("ok", "slow"), ("fail", "endless"), ("ok", "slow")]
    assert time.monotonic() - began < 2


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken(_: DoctorOptions) -> Iterator[Finding]:
        raise ZeroDivisionError("by nothing")

    finding = one(broken)
    assert (finding.status, finding.detail) == ("fail", "this check broke: ZeroDivisionError: by nothing")


# --- this machine


def test_versions_that_the_doctor_wants_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(line.split("==") for line in project["dependencies"] if "==" in line)
    assert pinned == local.PINNED
    assert set(local.NEEDED) <= {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}
    low, high = re.findall(r"3\.(\d+)", project["requires-python"])
    assert ((3, int(low)), (3, int(high) - 1)) == (local.OLDEST, local.NEWEST)


def test_a_package_of_another_version_is_a_warning_and_one_that_is_missing_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "PINNED", {"databento": "0.1.0", "no-such-package": "1.0"})
    other, missing, _ = found("packages", local.packages, OFFLINE)
    assert (other.status, other.advice) == ("warn", "pip install databento==0.1.0")
    assert (missing.status, missing.detail) == ("fail", "missing")


def test_another_python_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "NEWEST", (3, 10))
    assert one(local.python).status == "warn"


def test_an_interpreted_reader_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmo_cli.market.reader.COMPILED", False)
    assert (one(local.reader).status, "compiler" in str(one(local.reader).advice)) == ("warn", True)


def test_a_key_that_others_can_read_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABENTO_API_KEY")
    file = tmp_path / "config" / "qmo" / "databento.key"
    file.parent.mkdir(parents=True)
    file.write_text(KEY)
    file.chmod(0o644)
    assert (one(local.key).status, f"run: chmod 600 {file}" in one(local.key).detail) == ("fail", True)
    file.chmod(0o600)
    assert one(local.key) == Finding("ok", "key", f"found in {file}")


def test_directories_are_to_be_ours_alone_and_to_have_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    assert "not made yet" in local.directory("cache", folder, written=True).detail
    folder.mkdir(mode=0o755)
    assert local.directory("cache", folder, written=True).status == "ok"
    folder.chmod(0o777)
    assert local.directory("cache", folder, written=True).advice == f"chmod go-w {folder}"
    folder.chmod(0o755)
    for free, status in ((1 << 40, "ok"), (1 << 29, "warn"), (1 << 20, "fail")):
        monkeypatch.setattr(local.shutil, "disk_usage", lambda _, free=free: (0, 0, free) and Free(free))
        assert local.directory("cache", folder, written=True).status == status
    monkeypatch.setattr(local.os, "access", lambda *_: False)
    assert "cannot be written" in local.directory("cache", folder, written=True).detail
    (tmp_path / "file").write_text("")
    assert "is no directory" in local.directory("cache", tmp_path / "file", written=True).detail


class Free:
    """What ``shutil.disk_usage`` gives."""

    def __init__(self, free: int) -> None:
        self.free = free


def test_a_store_of_memory_is_opened_and_one_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    options = DoctorOptions(offline=True, engines={"memory": {"path": str(path)}})
    assert one(local.memory, options).detail.startswith("none yet")
    Store(str(path), write=True).close()
    assert one(local.memory, options).detail == f"{path}, 0.0 MiB, events of no contract"
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    finding = one(local.memory, DoctorOptions(offline=True, engines={"memory": {"path": str(other)}}))
    assert (finding.status, "not a memory of qmo" in finding.detail) == ("fail", True)


def test_holidays_that_are_not_known_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(local.holidays).status == "ok"
    monkeypatch.setattr(local.time, "time_ns", lambda: YEAR_2040)
    finding = one(local.holidays)
    assert (finding.status, finding.detail.startswith("not known for 2040")) == ("warn", True)


def test_a_calendar_of_the_past_is_a_warning_and_a_damaged_one_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    options = DoctorOptions(offline=True, engines={"news": {"calendar": str(file)}})
    for when, status in ((time.time_ns() - 40 * 86_400 * SECOND, "warn"), (time.time_ns() + 86_400 * SECOND, "ok")):
        event = {"schema": "news", "ts_event": str(when), "headline": "CPI", "impact": "high"}
        file.write_text(json.dumps(event) + "\n")
        assert one(local.calendar, options).status == status
    file.write_text("{")
    assert one(local.calendar, options).status == "fail"
    assert one(local.calendar).status == "warn"


def test_a_missing_time_zone_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(local.zones).status == "ok"
    monkeypatch.setattr("zoneinfo.ZoneInfo", lambda _: UTC)
    assert one(local.zones).status == "fail"
