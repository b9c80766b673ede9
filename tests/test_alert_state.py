"""What alerts remember: from restart to restart, bounded, whole, and of one process at a time."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from qmo_cli.alerts.alert import Alert, Parcel
from qmo_cli.alerts.inbox import ROOM as INBOX_ROOM
from qmo_cli.alerts.inbox import Inbox
from qmo_cli.alerts.state import DECISIONS, KEPT_LINE, NOTED, PENDING, State
from qmo_cli.errors import QmoError, SourceUnavailable

from .alerting import NOW, alert


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "alert.json"


def opened(path: Path) -> State:
    state = State(path)
    state.open()
    return state


def changed(item: Alert, **more: object) -> Alert:
    return type(item)(**{name: getattr(item, name) for name in item.__struct_fields__} | more)


def test_what_was_noted_is_known_after_a_restart_and_what_was_delivered_is_struck_out(path: Path) -> None:
    state = opened(path)
    assert state.note(alert(1), ["exec", "webhook"])
    assert not state.note(alert(1), ["exec", "webhook"])
    state.strike("exec", (alert(1),))
    state.write()
    state.close()
    again = opened(path)
    assert not again.note(alert(1), ["exec"])
    assert again.kept.pending == {"exec": {}, "webhook": {alert(1).key: alert(1)}}
    assert again.kept.decided["live|GC.v.0"] == ("BUY", "1", NOW)
    assert again.note(changed(alert(1, kind="closed"), type="HOLD"), [])
    assert again.kept.decided["live|GC.v.0"] == ("HOLD", None, NOW)


def test_the_state_is_private_and_leaves_nothing_beside_it(path: Path) -> None:
    state = opened(path)
    state.write()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(item.name for item in path.parent.iterdir()) == ["alert.json", "alert.json.lock"]


def test_the_state_is_bounded_and_forgets_the_oldest(path: Path) -> None:
    state = opened(path)
    for number in range(NOTED + 50):
        state.note(changed(alert(number), series=f"S{number}", line="x" * 20_000), ["exec"])
    kept = state.kept
    assert (len(kept.noted), len(kept.decided)) == (NOTED, DECISIONS)
    assert alert(49).key not in kept.noted
    assert alert(50).key in kept.noted
    assert len(kept.pending["exec"]) == PENDING
    state.drop("exec", alert(NOTED + 49))
    assert kept.uncounted == {"exec": NOTED + 51 - PENDING}
    state.write()
    assert path.stat().st_size < 1_000_000
    assert state.note(changed(alert(-1), line="x" * KEPT_LINE), ["exec"])
    assert kept.pending["exec"][alert(-1).key].line == "x" * KEPT_LINE


def test_a_second_process_is_told_and_leaves(path: Path) -> None:
    first = opened(path)
    with pytest.raises(SourceUnavailable, match="another qmo alert"):
        opened(path)
    first.close()
    opened(path).close()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema":"alert-state","noted":3}', b"\xff", b"\0" * 4096])
def test_a_damaged_state_is_put_aside_and_said(
    path: Path, data: bytes, caplog: pytest.LogCaptureFixture,
) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert opened(path).kept.noted == {}
    assert "damaged" in caplog.text
    assert path.with_name("alert.json.damaged").read_bytes() == data
    assert json.loads(path.read_bytes())["schema"] == "alert-state"


def test_a_place_where_nothing_can_be_kept_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QmoError, match="name another --state"):
        opened(tmp_path / "file" / "alert.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(QmoError, match="name another --state"):
        opened(tmp_path / "folder")


def test_a_disk_that_fills_up_is_said_once_and_tried_again(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = opened(path)
    before = path.read_bytes()

    def full(source: object, target: object) -> None:
        raise OSError(28, os.strerror(28))

    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        state.note(alert(1), ["exec"])
        state.write()
        state.write()
    assert caplog.text.count("No space left on device") == 1
    assert path.read_bytes() == before
    assert state.failed
    state.write()
    assert state.failed == ""
    assert alert(1).key in json.loads(path.read_bytes())["noted"]


def test_an_inbox_counts_what_is_too_much_and_never_waits() -> None:
    inbox = Inbox()
    for number in range(INBOX_ROOM + 5):
        inbox.tell(alert(number))
    alerts, overflow = inbox.take_alerts()
    assert (len(alerts), overflow, alerts[0].id) == (INBOX_ROOM, 5, "5")
    assert inbox.take_alerts() == ([], 0)
    inbox.wait(0)
    assert Parcel((alerts[0],)).count == 1
