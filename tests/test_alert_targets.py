"""Webhooks, commands and the desktop: what they are given, what they may do, and what is never shown of a secret."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from qmo_cli.alerts.alert import Message, Outcome, Parcel
from qmo_cli.alerts.command import Command
from qmo_cli.alerts.desktop import Desktop, find_desktop
from qmo_cli.alerts.webhook import Webhook, address, filled, judged, parsed_template, webhook
from qmo_cli.alerts.words import message
from qmo_cli.errors import ConfigurationError, NotEntitled, SourceUnavailable, UsageError

from .alerting import NOW, PATIENCE, Receiver, alert, eventually, receiving

MINUTE = 60 * 10**9


def said(*numbers: int, **more: Any) -> Message:
    alerts = tuple(alert(number, **more) for number in numbers or (1,))
    return message(Parcel(alerts, len(alerts) > 1, 0, ("quiet hours",)), NOW, MINUTE)


def hook(receiver: Receiver, timeout: float = 5.0, template: str | None = None) -> Webhook:
    return webhook(receiver.url(), timeout, template)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        yield found


# --- webhook

def test_a_webhook_gets_json_with_a_text(receiver: Receiver) -> None:
    assert hook(receiver).send(said()) == Outcome()
    (body,) = receiver.bodies
    assert body["text"] == body["content"] == "words 1"
    assert (body["kind"], body["id"], body["price"], body["timestamp"]) == (
        "opened", "1", 2567.5, "2026-10-05T14:40:00Z")
    assert receiver.paths == ["/hook/s3cret?token=t0ken"]


def test_a_template_decides_what_is_sent(receiver: Receiver) -> None:
    target = hook(receiver, template='{"topic": "gold", "message": "{kind}: {text}", "priority": 4, "a": ["{id}"]}')
    assert target.send(said()) == Outcome()
    assert receiver.bodies == [{"topic": "gold", "message": "opened: words 1", "priority": 4, "a": ["1"]}]


def test_no_word_of_the_data_can_change_the_shape_of_a_template() -> None:
    hostile = '", "channel": "{kind}\\'
    assert filled({"text": "{text}"}, {"text": hostile, "kind": "x"}) == {"text": hostile}


@pytest.mark.parametrize("text", ["{", '{"a": "{nonsense}"}', "@/nowhere/at/all"])
def test_a_template_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--template"):
        parsed_template(text)


def test_a_template_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"text": "{text} ☃"}')
    assert parsed_template(f"@{tmp_path}/t.json") == {"text": "{text} ☃"}


@pytest.mark.parametrize(("status", "headers", "outcome"), [
    (204, {}, Outcome()), (302, {"Location": "http://127.0.0.1:1/"}, None),
    (404, {}, Outcome("answered 404", final=True)),
    (500, {}, Outcome("answered 500")), (429, {"Retry-After": "7"}, Outcome("answered 429", after=7.0)),
    (429, {"Retry-After": "0.3"}, Outcome("answered 429", after=0.3)),
    (503, {"Retry-After": "Mon, 05 Oct 2026 14:41:00 GMT"}, Outcome("answered 503", after=60.0)),
    (503, {"Retry-After": "soon"}, Outcome("answered 503")),
])
def test_what_an_answer_means(status: int, headers: dict[str, str], outcome: Outcome | None) -> None:
    found = judged(status, headers.get("Retry-After"), NOW)
    if outcome is None:
        assert (found.final, found.error) == (
            True, "answered 302; redirects are not followed, give the address that it leads to")
    else:
        assert found == outcome


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(307, {"Location": receiver.url("/elsewhere")})]
    assert hook(receiver).send(said()).final
    assert receiver.paths == ["/hook/s3cret?token=t0ken"]


def test_a_receiver_that_never_answers_costs_the_timeout() -> None:
    release = threading.Event()
    with receiving(Receiver(delay=lambda: release.wait(PATIENCE) and None)) as slow:
        begun = time.monotonic()
        assert hook(slow, 0.2).send(said()) == Outcome("no answer within 0.2 s")
        assert time.monotonic() - begun < 2
        release.set()


def dripping(listener: socket.socket, stop: threading.Event) -> None:
    """Answer with one byte of a header now and then, for ever."""
    with suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not stop.wait(0.02):
                connection.sendall(b"x")


def test_a_receiver_that_drips_costs_no_more_than_the_timeout() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=dripping, args=(listener, stop), daemon=True)
        thread.start()
        target = webhook(f"http://127.0.0.1:{listener.getsockname()[1]}/s3cret", 0.3, None)
        begun = time.monotonic()
        assert target.send(said()) == Outcome("no answer within 0.3 s")
        assert time.monotonic() - begun < 2
        stop.set()
        thread.join(PATIENCE)


def test_a_receiver_that_is_not_there_is_an_error_without_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = webhook(f"http://127.0.0.1:{port}/s3cret", 2.0, None).send(said())
    assert outcome == Outcome("no connection: Connection refused")


def test_an_attempt_can_be_abandoned_from_another_thread() -> None:
    release = threading.Event()
    with receiving(Receiver(delay=lambda: release.wait(PATIENCE) and None)) as slow:
        target = hook(slow, 15.0)
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(target.send(said())))
        thread.start()
        eventually(lambda: slow.paths, "the request came")
        target.abandon()
        thread.join(5)
        release.set()
        assert outcomes[0].error.startswith("no connection")


def test_a_certificate_is_verified() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with receiving(Receiver(), lambda sock: server.wrap_socket(sock, server_side=True)) as receiver:
        target = webhook(receiver.url().replace("http:", "https:"), 5.0, None)
        outcome = target.send(said())
        assert "its certificate is not to be trusted" in outcome.error
        assert "s3cret" not in outcome.error
        assert receiver.bodies == []
        target.context = trusting
        assert target.send(said()) == Outcome()


@pytest.mark.parametrize("url", [
    "http://hooks.example.com/s3cret", "ftp://hooks.example.com/s3cret", "hooks.example.com/s3cret", "https:///s3cret",
    "https://user:s3cret@hooks.example.com/", "https://hooks.example.com/s3cret x", "https://hooks.example.com:x/s3cret",
    "https://[s3cret", "https://hooks.example.com/s3cret\r\nX: y", "https://hööks.example.com/s3cret",
])
def test_an_address_that_is_not_safe_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        webhook(url, 5.0, None)
    assert "s3cret" not in str(refused.value)


def test_the_secret_is_in_no_name_of_the_target() -> None:
    target = webhook("https://hooks.example.com/services/s3cret", 5.0, None)
    assert (target.name, target.place) == ("webhook", "the webhook at hooks.example.com")


def test_the_address_comes_from_a_private_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "hook"
    file.write_text("https://hooks.example.com/file\n")
    file.chmod(0o644)
    monkeypatch.setenv("QMO_ALERT_WEBHOOK", "https://hooks.example.com/environment")
    assert address(None) == "https://hooks.example.com/environment"
    with pytest.raises(NotEntitled, match="chmod 600"):
        address(str(file))
    file.chmod(0o600)
    assert address(str(file)) == "https://hooks.example.com/file"
    file.write_text("")
    with pytest.raises(ConfigurationError, match="empty"):
        address(str(file))


# --- commands

def test_a_command_finds_the_line_on_its_input_and_the_rest_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QMO_ALERT_WEBHOOK", "https://s3cret")
    out = tmp_path / "out"
    outcome = Command(f"cat > {out}; env | grep ^QMO_ >> {out}", 5.0).send(said())
    assert outcome == Outcome()
    lines = out.read_text().splitlines()
    assert lines[0] == '{"line":1}'
    assert {"QMO_TEXT=words 1", "QMO_TYPE=BUY", "QMO_ID=1", "QMO_PRICE=2567.5", "QMO_KIND=opened",
            "QMO_TOPIC=decision", "QMO_COUNT=1", "QMO_SYMBOL=GCZ6"} <= set(lines)
    assert "s3cret" not in out.read_text()


def test_a_summary_gives_a_command_every_line(tmp_path: Path) -> None:
    text = f"cat > {tmp_path}/out; echo $QMO_KIND $QMO_COUNT >> {tmp_path}/out"
    assert Command(text, 5.0).send(said(1, 2)) == Outcome()
    assert (tmp_path / "out").read_text().splitlines() == ['{"line":1}', '{"line":2}', "summary 2"]


def test_nothing_of_the_data_is_run(tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    item = alert(1)
    hostile = f"$(touch {evil}) `touch {evil}`; touch {evil} #'\"\0"
    changed = type(item)(**{name: getattr(item, name) for name in item.__struct_fields__} | {
        "words": hostile, "id": hostile, "symbol": hostile, "series": hostile, "line": hostile})
    outcome = Command(f'echo "$QMO_TEXT" > {tmp_path}/out', 5.0).send(message(Parcel((changed,)), NOW, MINUTE))
    assert outcome == Outcome()
    assert "$(touch" in (tmp_path / "out").read_text()
    assert not evil.exists()


@pytest.mark.parametrize(("text", "error"), [
    ("exit 3", "exited with 3"), ("kill -9 $$", "was ended by signal 9"), ("no-such-command 2>&-", "exited with 127"),
    ("true", ""), ("exec <&-; sleep 0.05", ""),
])
def test_the_exit_status_decides(text: str, error: str) -> None:
    big = alert(1)
    long = type(big)(**{name: getattr(big, name) for name in big.__struct_fields__} | {"line": "x" * 60_000})
    assert Command(text, 5.0).send(message(Parcel((long,)), NOW, MINUTE)) == Outcome(error)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits to be collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qmo_cli.alerts.command.GRACE", 0.2)
    pids = tmp_path / "pids"
    text = f"trap '' TERM; sleep 61 & echo $! >> {pids}; echo $$ >> {pids}; sleep 62"
    begun = time.monotonic()
    assert Command(text, 0.3).send(said()) == Outcome("still ran after 0.3 s, and was ended")
    assert time.monotonic() - begun < 5
    for pid in map(int, pids.read_text().split()):
        eventually(lambda pid=pid: not alive(pid), f"process {pid} is gone")  # type: ignore[misc]


def test_a_command_may_leave_something_running_behind(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert Command(f"sleep 30 & echo $! > {tmp_path}/pid", 5.0).send(said()) == Outcome()
    assert time.monotonic() - begun < 5
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_a_command_can_be_abandoned() -> None:
    target = Command("trap '' TERM; sleep 60", 30.0)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(target.send(said())))
    thread.start()
    eventually(lambda: target._running, "the command runs")
    target.abandon()
    thread.join(5)
    assert outcomes == [Outcome("was ended by signal 9")]


# --- desktop

def test_a_notification_is_given_as_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/out\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sent = message(Parcel((alert(1, label="A<b>&"),)), NOW, MINUTE)
    assert find_desktop(5.0).send(sent) == Outcome()
    assert (tmp_path / "out").read_text().splitlines() == [
        "--app-name=qmo", "--", "A<b>&: qmo BUY opened GCZ6", "A&lt;b&gt;&amp;: words 1"]


def test_a_mac_is_told_by_osascript_without_pasting(tmp_path: Path) -> None:
    program = tmp_path / "osascript"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/out\n')
    program.chmod(0o755)
    assert Desktop(str(program), 5.0).send(said()) == Outcome()
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[-2:] == ["qmo BUY opened GCZ6", "words 1"]
    assert "words" not in " ".join(lines[:-1])


def test_a_desktop_that_fails_or_hangs_is_told(tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\nexit 4\n")
    program.chmod(0o755)
    assert Desktop(str(program), 5.0).send(said()) == Outcome("exited with 4")
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    assert Desktop(str(program), 0.2).send(said()) == Outcome("still ran after 0.2 s, and was ended")
    program.unlink()
    assert Desktop(str(program), 5.0).send(said()).error.startswith("cannot be started")


def test_a_machine_without_notifications_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceUnavailable, match="notify-send"):
        find_desktop(5.0)


def test_bodies_are_json_whatever_is_in_them(receiver: Receiver) -> None:
    sent = message(Parcel((alert(1, label='Zürich "☃" 金'),)), NOW, MINUTE)
    assert hook(receiver).send(sent) == Outcome()
    assert hook(receiver, template='{"text": "{text}"}').send(sent) == Outcome()
    assert receiver.texts == ['Zürich "☃" 金: words 1'] * 2
