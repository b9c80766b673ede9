"""What systemd hears, at a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from qmo_cli import notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd would listen on: a file, or an abstract name."""
    path = str(tmp_path / "notify") if request.param == "path" else f"\0qmo-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path.replace("\0", "@"))
        yield listener


def test_a_service_says_that_it_is_ready_alive_and_stopping(manager: socket.socket) -> None:
    assert notify.ready()
    assert notify.watchdog()
    assert notify.stopping()
    assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_status_is_one_line_and_cannot_hold_another_message(manager: socket.socket) -> None:
    assert notify.status("live, GC.v.0 at 4000.1 \N{MINUS SIGN}\nSTOPPING=1")
    assert manager.recv(200).decode() == "STATUS=live, GC.v.0 at 4000.1 \N{MINUS SIGN} STOPPING=1"


def test_a_message_that_is_no_text_is_sent_as_far_as_it_goes(manager: socket.socket) -> None:
    assert notify.status("file \udcff")
    assert manager.recv(200) == b"STATUS=file ?"


def test_without_a_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify.ready()


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative/socket", "/nowhere/at/all", "/" + "x" * 300])
def test_a_manager_that_cannot_be_reached_is_no_failure(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify.ready()
    assert not notify.watchdog()


def test_the_watchdog_is_told_twice_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert notify.watchdog_interval() == 15.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert notify.watchdog_interval() == 15.0


@pytest.mark.parametrize(("limit", "pid"), [("", ""), ("0", ""), ("soon", ""), ("-5", ""), ("30000000", "1")])
def test_nobody_watches_without_a_time_or_where_another_process_is_meant(
    monkeypatch: pytest.MonkeyPatch, limit: str, pid: str,
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert notify.watchdog_interval() is None
