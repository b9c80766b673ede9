"""All of it together in one process: order, retries, slow targets, restarts, silence and the end."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.alerts.assembly import service_of, try_out
from qmo_cli.alerts.clock import Clock
from qmo_cli.alerts.options import AlertOptions
from qmo_cli.alerts.service import Service
from qmo_cli.errors import BadData, SourceUnavailable, UsageError
from qmo_cli.times import SECOND

from .alerting import NOW, PATIENCE, Hands, Receiver, eventually, receiving, signal_line

OPEN, OVER = signal_line("BUY", "a", status="active"), signal_line()


@dataclass
class Running:
    """A service that reads what is written to it."""

    service: Service
    pipe: int
    printed: list[dict[str, Any]]
    codes: list[int] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    thread: threading.Thread | None = None

    def write(self, *lines: bytes) -> None:
        data = b"".join(line + b"\n" for line in lines)
        while data:
            data = data[os.write(self.pipe, data):]

    def end(self) -> int:
        """End the input; the exit status."""
        with suppress(OSError):
            os.close(self.pipe)
        assert self.thread is not None
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "it hangs"
        if self.errors:
            raise self.errors[0]
        return self.codes[0]

    def states(self, target: str | None = "webhook") -> list[tuple[str, str, int]]:
        return [(line["state"], line["kind"], line["attempts"]) for line in self.printed if line["target"] == target]


@contextmanager
def running(tmp_path: Path, hands: Hands | None = None, *, dry_run: bool = False, **options: Any) -> Iterator[Running]:
    hands, printed = hands or Hands(), []
    clock = Clock(lambda: hands.wall, hands.clock().steady if hands.steady else time.monotonic)
    reading, writing = os.pipe()
    chosen = AlertOptions(**{"state": str(tmp_path / "alert.json"), "retry": "20s", "timeout": "5s", **options})
    service = service_of(chosen, lambda line: printed.append(json.loads(line)), fd=reading, clock=clock,
                         first_pause=0.02, dry_run=dry_run)
    found = Running(service, writing, printed)

    def run() -> None:
        try:
            found.codes.append(service.run())
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            found.errors.append(error)

    found.thread = threading.Thread(target=run)
    found.thread.start()
    try:
        yield found
    finally:
        with suppress(OSError):
            os.close(writing)
        service.inbox.end("terminated")
        found.thread.join(PATIENCE)
        service.state.close()
        os.close(reading)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        monkeypatch.setenv("QMO_ALERT_WEBHOOK", found.url())
        yield found


def test_an_episode_is_delivered_once_though_its_lines_come_again_and_after_a_restart(
    tmp_path: Path, receiver: Receiver,
) -> None:
    for _ in range(2):
        with running(tmp_path, on=("decision",)) as found:
            found.write(OPEN, OPEN, OVER, OVER)
            assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["opened", "closed"]
    assert [(line["state"], line["error"]) for line in found.printed] == [("suppressed", "told before")] * 2


def test_a_beginning_is_told_once_whatever_was_open_before_it(tmp_path: Path, receiver: Receiver) -> None:
    sell = signal_line("SELL", "b", status="active")
    for _ in range(2):      # the second time a is told as a turn from b, which was left open
        with running(tmp_path, on=("decision",)) as found:
            found.write(OPEN, sell)
            assert found.end() == 0
    assert [(body["kind"], body["id"]) for body in receiver.bodies] == [("opened", "a"), ("reversed", "b")]
    assert [line["kind"] for line in found.printed] == ["reversed", "reversed"]


def test_five_hundreds_are_tried_again_until_it_works_and_the_order_is_kept(
    tmp_path: Path, receiver: Receiver,
) -> None:
    receiver.answers = [(500, {}), (503, {}), (200, {})]
    with running(tmp_path, on=("decision",)) as found:
        found.write(OPEN, OVER)
        assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["opened", "opened", "opened", "closed"]
    assert found.states() == [("delivered", "opened", 3), ("delivered", "closed", 1)]


def test_a_receiver_that_asks_for_time_gets_it(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "0.4"}), (200, {})]
    with running(tmp_path, on=("decision",)) as found:
        found.write(OPEN)
        assert found.end() == 0
    first, second = receiver.times
    assert second - first >= 0.4


def test_a_message_that_cannot_be_delivered_is_given_up_and_said(
    tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.answers = [(500, {})]
    with running(tmp_path, on=("decision",), retry="0.1s") as found:
        found.write(OPEN)
        eventually(found.states, "given up")
        receiver.answers = [(200, {})]
        found.write(OVER)
        assert found.end() == 1
    (failed, delivered) = found.states()
    assert (failed[:2], delivered) == (("failed", "opened"), ("delivered", "closed", 1))
    assert failed[2] == len(receiver.bodies) - 1 >= 1
    assert "given up after" in caplog.text
    assert "BUY GCZ6" in caplog.text
    assert "s3cret" not in caplog.text + json.dumps(found.printed)
    assert found.service.state.kept.pending == {"webhook": {}}


def test_a_refusal_is_not_tried_again(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [(404, {})]
    with running(tmp_path, on=("decision",)) as found:
        found.write(OPEN)
        assert found.end() == 1
    assert found.states() == [("failed", "opened", 1)]


def test_a_target_that_hangs_holds_up_no_other_and_not_the_reading(tmp_path: Path, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.delay = lambda: release.wait(PATIENCE) and None
    out = tmp_path / "out"
    with running(tmp_path, exec=(f"echo $QMO_ID $QMO_KIND >> {out}",), on=("decision",), limit="100/1s") as found:
        for number in range(20):
            found.write(signal_line("BUY", f"e{number}"), OVER)
        eventually(lambda: len(found.states("exec")) == 40, "the command has run for all of them")
        assert found.states("webhook") == []
        release.set()
        assert found.end() == 0
    assert out.read_text().splitlines() == [
        f"e{number} {kind}" for number in range(20) for kind in ("opened", "closed")]
    assert len(receiver.bodies) == 40


def test_more_than_the_limit_comes_as_one_summary_at_the_end(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path, limit="2/1h", on=("decision",)) as found:
        for number in range(5):
            found.write(signal_line("BUY", f"e{number}"), OVER)
        eventually(lambda: len(found.states()) == 10, "all are delivered or held")
        assert found.end() == 0
    assert [(body["kind"], body["count"]) for body in receiver.bodies] == [("opened", 1), ("closed", 1), ("summary", 8)]
    assert receiver.texts[-1].startswith("SUMMARY of 8 held back, do not trade on it: (the limit on messages) ")


def test_quiet_hours_outlast_a_stop_and_end_with_a_summary_after_it(tmp_path: Path, receiver: Receiver) -> None:
    hands = Hands()     # 14:40 UTC
    quiet = {"quiet_hours": "14:00-15:00", "timezone": "UTC", "urgent": ("decision:closed",), "on": ("decision",)}
    with running(tmp_path, hands, **quiet) as found:
        found.write(OPEN, OVER, signal_line("SELL", "b"))
        eventually(lambda: len(found.states()) == 3, "all are delivered or held")
        assert found.end() == 1
    assert [body["kind"] for body in receiver.bodies] == ["closed"]
    hands.pass_by(1800)
    with running(tmp_path, hands, **quiet) as found:
        eventually(lambda: len(receiver.bodies) == 2, "the summary came")
        assert found.end() == 0
    assert receiver.bodies[1]["count"] == 2
    assert receiver.texts[1].startswith(
        "SUMMARY of 2 held back, do not trade on it: (not delivered before a stop) [2026")


def test_what_could_not_be_sent_before_the_end_is_sent_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.delay = lambda: release.wait(PATIENCE) and None
    with running(tmp_path, drain="0.1s", on=("decision",)) as found:
        found.write(OPEN, OVER)
        assert found.end() == 1
    assert {state for state, _, _ in found.states()} == {"failed", "held"}
    release.set()
    eventually(lambda: receiver.bodies, "the first request is over")
    receiver.bodies.clear()
    with running(tmp_path, on=("decision",)) as found:
        assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["opened", "closed"]
    with running(tmp_path, on=("decision",)) as found:
        assert found.end() == 0
    assert len(receiver.bodies) == 2


def test_the_end_of_a_live_input_is_told_with_what_is_still_open(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path) as found:
        found.write(OPEN)
        assert found.end() == 0
    assert receiver.texts[-1].startswith("NO MORE ALERTS from here: the input ended; still open: BUY GC.v.0 [")


def test_the_end_of_a_replay_and_a_stop_on_purpose_are_not_told(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path, replay=True) as found:
        found.write(signal_line("BUY", "a", quality="replay"))
        assert found.end() == 0
    with running(tmp_path) as found:
        found.write(OVER)
        eventually(lambda: found.service.judge.live, "the line was read")
        found.service.inbox.end("terminated")
        assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["opened"]


def test_silence_and_its_end_are_told(tmp_path: Path, receiver: Receiver) -> None:
    hands = Hands(steady=1.0)
    with running(tmp_path, hands, silence="0.2s") as found:
        found.write(OVER)
        eventually(lambda: found.service.judge.live, "the line was read")
        hands.pass_by(5)
        eventually(lambda: len(receiver.bodies) == 1, "silence is told")
        found.write(signal_line(ts=hands.wall))
        eventually(lambda: len(receiver.bodies) == 2, "its end is told")
        assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["silent", "heard", "ended"]
    assert receiver.texts[0].startswith("NO LINE CAME since 2026-10-05 14:40:00 UTC")


def test_a_stream_that_says_once_that_it_is_lost_is_told_by_the_clock_on_the_wall(
    tmp_path: Path, receiver: Receiver,
) -> None:
    hands = Hands(steady=1.0)
    with running(tmp_path, hands, trouble="30s") as found:
        found.write(OVER, signal_line(quality="stale", status="stale"))
        eventually(lambda: found.service.judge.waits, "the line was read")
        hands.pass_by(29.9)
        time.sleep(0.15)
        assert receiver.bodies == []
        hands.pass_by(0.1)
        eventually(lambda: len(receiver.bodies) == 1, "the trouble is told")
        found.write(signal_line(ts=hands.wall, quality="stale", status="stale"), signal_line(ts=hands.wall + SECOND))
        eventually(lambda: len(receiver.bodies) == 2, "its end is told")
        found.service.inbox.end("terminated")
        assert found.end() == 0
    assert [body["kind"] for body in receiver.bodies] == ["stale", "recovered"]
    assert receiver.texts[0].startswith("STALE: DATA STALE: nothing was heard since 2026-10-05 14:40:00 UTC")
    assert receiver.bodies[0]["id"] == receiver.bodies[1]["id"] == f"stale-{NOW}"


def test_bad_lines_are_passed_over_and_said_and_the_rest_is_told(
    tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qmo_cli.alerts.reader.LONGEST", 100_000)
    lines = [OVER, b"nonsense", b"", b'{"schema":"signal"', b"\xff\xfe", b"x" * 300_000, *[b"!"] * 10, OPEN]
    with running(tmp_path, on=("decision",)) as found:
        found.write(*lines)
        os.write(found.pipe, signal_line("SELL", "b"))  # no newline at the end
        assert found.end() == 0
    assert [body["id"] for body in receiver.bodies] == ["a", "b"]
    said = [record.getMessage() for record in caplog.records]
    assert [text.split(":")[0] for text in said] == [
        "line 2 is passed over", "line 4 is passed over", "line 5 is passed over", "line 6 is passed over",
        "line 7 is passed over", "14 lines in all could not be read and were passed over"]


@pytest.mark.parametrize("line", [b'{"schema":"trades","ts_event":"1"}', b"DBN\x03", b"hello"])
def test_the_wrong_kind_of_input_is_bad_data(tmp_path: Path, receiver: Receiver, line: bytes) -> None:
    with running(tmp_path) as found:
        found.write(line)
        with pytest.raises(BadData, match="qmo alert"):
            found.end()


def test_a_line_that_comes_in_pieces_is_one_line(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path, on=("decision",)) as found:
        for place in range(0, len(OPEN), 100):
            os.write(found.pipe, OPEN[place:place + 100])
            time.sleep(0.001)
        os.write(found.pipe, b"\n")
        assert found.end() == 0
    assert [body["id"] for body in receiver.bodies] == ["a"]


def test_a_flood_is_counted_told_and_does_not_grow(tmp_path: Path, receiver: Receiver) -> None:
    lines = [signal_line("BUY", f"e{number}") for number in range(5000)]
    with running(tmp_path, on=("decision",), limit="3/1h") as found:
        found.write(*lines)
        found.end()
    kept = found.service.state.kept
    assert (kept.pending, kept.uncounted) == ({"webhook": {}}, {})
    overflows = {line["id"]: int(line["text"].split(": ")[1].split()[0]) for line in found.printed
                 if line["kind"] == "overflow"}
    told = sum(body["count"] for body in receiver.bodies) - len(overflows)
    assert told + sum(overflows.values()) == 5000


def test_a_trial_tells_nobody_and_notes_nothing(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path, dry_run=True, on=("decision",)) as found:
        found.write(OPEN, OPEN, OVER)
        assert found.end() == 0
    assert found.states() == [("dry-run", "opened", 0), ("dry-run", "closed", 0)]
    assert receiver.bodies == []
    assert not (tmp_path / "alert.json").exists()


def test_two_with_the_same_state_exclude_one_another(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path), pytest.raises(SourceUnavailable, match="another qmo alert"), running(tmp_path):
        pass


def test_nobody_to_tell_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QMO_ALERT_WEBHOOK", raising=False)
    with pytest.raises(UsageError, match="nobody to tell"):
        service_of(AlertOptions(state=str(tmp_path / "s")), print)


@pytest.mark.parametrize("options", [
    {"timezone": "UTC"}, {"urgent": ("data",)}, {"max_age": "0s"}, {"timeout": "0s"}, {"template": "{}"},
    {"limit": "many"}, {"quiet_hours": "night"}, {"on": ("nonsense",)}, {"trouble": "long"}, {"retry": "5"},
])
def test_options_that_make_no_sense_are_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any],
) -> None:
    monkeypatch.delenv("QMO_ALERT_WEBHOOK", raising=False)
    with pytest.raises(UsageError):
        service_of(AlertOptions(exec=("true",), state=str(tmp_path / "s"), **options), print)


def test_a_test_message_goes_to_every_target_and_says_how_it_went(tmp_path: Path, receiver: Receiver) -> None:
    printed: list[dict[str, Any]] = []
    options = AlertOptions(exec=("exit 2", f"echo $QMO_TEXT > {tmp_path}/out"))
    assert try_out(options, lambda line: printed.append(json.loads(line))) == 1
    assert {line["target"]: (line["state"], line["error"]) for line in printed} == {
        "exec": ("failed", "exited with 2"), "exec-2": ("delivered", None), "webhook": ("delivered", None)}
    assert receiver.texts == [(tmp_path / "out").read_text().rstrip()]
    assert receiver.texts[0].startswith("TEST: qmo alert can reach you")


def test_a_day_later_nothing_of_the_past_is_sent(tmp_path: Path, receiver: Receiver) -> None:
    hands = Hands()
    receiver.answers = [(500, {})]
    with running(tmp_path, hands, drain="0.1s", on=("decision",)) as found:
        found.write(OPEN)
        assert found.end() == 1
    hands.pass_by(86_401)
    receiver.bodies.clear()
    with running(tmp_path, hands) as found:
        assert found.end() == 0
    assert receiver.bodies == []


def test_what_is_left_of_a_simulation_is_not_sent_by_a_run_that_does_not_ask_for_it(
    tmp_path: Path, receiver: Receiver,
) -> None:
    receiver.answers = [(500, {})]
    for _ in range(2):
        with running(tmp_path, drain="0.1s", replay=True) as found:
            found.write(signal_line("BUY", "a", quality="simulated"))
            assert found.end() == 1
    assert receiver.texts[-1].startswith("SIMULATED: SUMMARY of 1 held back")
    receiver.bodies.clear()
    with running(tmp_path) as found:
        assert found.end() == 0
    assert receiver.bodies == []
