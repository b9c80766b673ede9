"""What of a stream is worth telling, what is not, and what the text says first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qmo_cli.alerts.alert import Alert, Parcel
from qmo_cli.alerts.judge import Judge, WrongInput
from qmo_cli.alerts.origin import Customs
from qmo_cli.alerts.wanted import ENGINES, Wanted
from qmo_cli.alerts.words import LONGEST, SHOWN, message
from qmo_cli.errors import BadData, UsageError
from qmo_cli.schemas import event_types
from qmo_cli.times import SECOND

from .alerting import NOW, Hands, alert, signal_line

MINUTE = 60 * SECOND
LAST_YEAR = NOW - 365 * 86_400 * SECOND


def judge(on: str = "decision,data", *, replay: bool = False, hands: Hands | None = None) -> Judge:
    hands = hands or Hands()
    return Judge(Wanted.of([on], "--on"), Customs(replay, MINUTE), 30 * SECOND, lambda: hands.wall)


def looked(judging: Judge, *lines: bytes) -> list[Alert]:
    return [found for line in lines for found in judging.look(line)]


def told(alerts: list[Alert]) -> list[tuple[str, str]]:
    """Kind and id of what is to be told."""
    return [(item.kind, item.id) for item in alerts if not item.why]


def text(item: Alert, now: int = NOW) -> str:
    return message(Parcel((item,)), now, MINUTE).text


BUY, SELL, HOLD = signal_line("BUY", "a", status="active"), signal_line("SELL", "b", status="active"), signal_line()


def test_an_episode_is_told_when_it_opens_turns_and_ends_and_not_in_between() -> None:
    alerts = looked(judge(), HOLD, BUY, BUY, SELL, SELL, HOLD, HOLD)
    assert told(alerts) == [("opened", "a"), ("reversed", "b"), ("closed", "b")]
    assert [item.type for item in alerts] == ["BUY", "SELL", "HOLD"]


def test_the_text_of_a_decision_has_what_a_trader_needs() -> None:
    (opened, over) = looked(judge(), BUY, HOLD)
    assert text(opened) == (
        "BUY GCZ6 at 2567.5, agreement 0.87; limit 2568, stop 2557.5, target 2587.5; 4 MGC; "
        "open since 2026-10-05 14:40:00 UTC; valid until 14:41:00 UTC; Buyers swept 3 levels up. "
        "[2026-10-05 14:40:00 UTC, GC.v.0]")
    assert text(over) == "BUY is over, HOLD GCZ6 at 2567.5: score 0.5 is neither [2026-10-05 14:40:00 UTC, GC.v.0]"


def test_a_signal_without_a_size_says_so() -> None:
    (item,) = looked(judge(), signal_line("BUY", "a", position=None, reasons=["the book is in doubt"]))
    assert "; NO SIZE: the book is in doubt; " in text(item)


def test_a_decision_that_was_told_before_a_restart_is_not_told_again_but_its_end_is() -> None:
    first = judge()
    assert told(looked(first, BUY)) == [("opened", "a")]
    again = judge()
    again.decided = dict(first.decided)
    assert told(looked(again, BUY, HOLD)) == [("closed", "a")]


def test_an_episode_that_is_open_when_the_input_begins_is_told_with_its_beginning() -> None:
    (item,) = looked(judge(), BUY)
    assert (item.kind, item.id) == ("opened", "a")
    assert "open since 2026-10-05 14:40:00 UTC" in text(item)


def test_the_end_of_an_episode_whose_beginning_was_not_seen_is_told() -> None:
    assert told(looked(judge(), signal_line(change="closed"))) == [("closed", f"before-{NOW}")]


def test_series_have_their_own_episodes() -> None:
    other = signal_line("BUY", "x", series="ES.v.0")
    assert told(looked(judge(), BUY, other, HOLD, other)) == [("opened", "a"), ("opened", "x"), ("closed", "a")]


@pytest.mark.parametrize(("line", "why", "label"), [
    (signal_line("BUY", "a", quality="simulated"), "simulated data", "SIMULATED"),
    (signal_line("BUY", "a", quality="stale", source="simulator"), "simulated data", "SIMULATED"),
    (signal_line("BUY", "a", quality="doubtful", source="simulator"), "simulated data", "SIMULATED"),
    (signal_line("BUY", "a", quality="replay"), "a replay", "REPLAY"),
    (signal_line("BUY", "a", ts=LAST_YEAR), "the data is 365 d old", "REPLAY"),
    (signal_line("BUY", "a", ts=NOW - 61 * SECOND), "the data is 61 s old", "REPLAY"),
    (signal_line("BUY", "a", ts=NOW + 61 * SECOND), "the data is 61 s ahead of the clock", "REPLAY"),
    (signal_line("BUY", "a", quality="doubtful", ts=LAST_YEAR), "the data is 365 d old", "REPLAY"),
    (signal_line("BUY", "a", quality="delayed"), "delayed data", "DELAYED"),
    (signal_line("BUY", "a", quality="cached"), "cached data", "CACHED"),
])
def test_what_is_not_live_is_told_only_when_asked_for_and_then_says_so_first(
    line: bytes, why: str, label: str,
) -> None:
    (hushed,) = looked(judge(), line, line)
    assert hushed.why == f"{why}; --replay tells of it"
    (asked,) = looked(judge(replay=True), line, line)
    assert asked.why == ""
    assert text(asked).startswith(f"{label}: BUY GCZ6")


def test_history_ahead_of_the_stream_is_never_told() -> None:
    line = signal_line("BUY", "a", quality="warmup")
    assert looked(judge(replay=True), line) == looked(judge(), line) == []


def test_live_data_at_the_edge_of_its_age_is_told_and_real_time_has_no_label() -> None:
    (item,) = looked(judge(), signal_line("BUY", "a", ts=NOW - 60 * SECOND))
    assert (item.why, item.label) == ("", "")


@pytest.mark.parametrize("quality", ["stale", "doubtful"])
def test_doubt_about_live_data_stands_first(quality: str) -> None:
    (item,) = looked(judge(), signal_line("BUY", "a", quality=quality))
    assert text(item).startswith(f"{quality.upper()}: BUY")


def test_a_replay_does_not_touch_what_is_known_of_the_live_stream() -> None:
    judging = judge(replay=True)
    replayed = signal_line("BUY", "old", quality="replay")
    assert told(looked(judging, BUY, replayed, BUY)) == [("opened", "a"), ("opened", "old")]


def test_an_alert_that_goes_out_late_says_that_it_is_old() -> None:
    (item,) = looked(judge(), BUY)
    assert text(item, NOW + MINUTE).startswith("BUY")
    assert text(item, NOW + 5 * MINUTE).startswith("OLD (5 min), do not trade on it: BUY")
    trouble = alert(topic="data")
    assert text(trouble, NOW + 7200 * SECOND).startswith("OLD (2 h): words")


def test_a_new_signal_on_late_data_is_not_told_but_that_it_is_late_and_the_end_of_the_old_one_are() -> None:
    hands = Hands()
    judging = judge(hands=hands)
    assert told(looked(judging, BUY)) == [("opened", "a")]
    hands.pass_by(100)
    late = looked(judging, signal_line("SELL", "b", ts=NOW + 10 * SECOND))
    assert told(late) == [("late", f"late-{NOW + 10 * SECOND}"), ("closed", "a")]
    assert text(late[0], hands.wall).startswith("OLD (90 s): DATA LATE: it is 90 s behind the clock")
    assert text(late[1], hands.wall).startswith("LATE: OLD (90 s), do not trade on it: BUY is over, HOLD")
    back = looked(judging, signal_line("SELL", "b", ts=hands.wall))
    assert told(back) == [("caught-up", f"late-{NOW + 10 * SECOND}"), ("opened", "b")]


def test_an_old_file_of_live_lines_tells_nothing() -> None:
    lines = [signal_line("BUY", "a", ts=LAST_YEAR), signal_line(ts=LAST_YEAR + SECOND)]
    alerts = looked(judge(), *lines)
    assert told(alerts) == []
    assert [item.kind for item in alerts] == ["opened", "closed"]


def test_data_trouble_is_told_once_it_lasts_and_when_it_is_over() -> None:
    def at(second: int, status: str) -> bytes:
        return signal_line(ts=NOW + second * SECOND, status=status, quality="real-time")

    lines = [at(0, "hold"), at(1, "stale"), at(30, "stale"), at(31, "stale"), at(40, "stale"), at(45, "hold"),
             at(50, "halted"), at(55, "hold")]
    alerts = looked(judge(), *lines)
    assert told(alerts) == [("stale", f"stale-{NOW + SECOND}"), ("recovered", f"stale-{NOW + SECOND}")]
    assert text(alerts[0]).startswith("DATA STALE: nothing was heard since 2026-10-05 14:40:01 UTC")
    assert text(alerts[1]).startswith("DATA BACK after 44 s stale")


def test_a_halt_after_stale_data_is_a_trouble_of_its_own() -> None:
    lines = [signal_line(ts=NOW + second * SECOND, status=status)
             for second, status in ((0, "stale"), (30, "stale"), (31, "halted"), (61 - 1, "halted"), (61, "halted"))]
    hands = Hands(wall=NOW + 30 * SECOND)
    assert [kind for kind, _ in told(looked(judge(hands=hands), *lines))] == ["stale", "halted"]


def test_only_the_kinds_that_are_wanted_are_told() -> None:
    assert told(looked(judge("decision:closed"), BUY, SELL, HOLD)) == [("closed", "b")]


@pytest.mark.parametrize("text", ["nonsense", "decision:opens", "iceberg:sunk", "data:old"])
def test_a_kind_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--on"):
        Wanted.of([text], "--on")


def test_the_events_that_can_be_told_are_those_that_engines_have() -> None:
    assert {f"{name}-event" for name in ENGINES} == set(event_types())


# --- packets and events

EVENT = {"schema": "iceberg-event", "kind": "detected", "ts_event": str(NOW), "series": "GC.v.0", "symbol": "GCZ6",
         "side": "B", "price": 2567.5, "total_filled": 12}
LEVEL = {"schema": "absorption-event", "kind": "ended", "ts_event": str(NOW), "series": "GC.v.0", "symbol": None,
         "level": {"side": "A", "price": 2570.1, "absorbed": 46}}


def packet_line(quality: str = "real-time", **slots: Any) -> bytes:
    return json.dumps({
        "schema": "packet", "v": 1, "ts": str(NOW), "series": "GC.v.0", "symbol": "GCZ6", "price": 2567.5,
        "market": {"quality": quality, "source": "GLBX.MDP3", "bid": 1.0}, "system": [], **slots, "missing": {},
    }, separators=(",", ":")).encode()


def test_a_packet_tells_what_its_signal_tells_and_hands_on_that_alone() -> None:
    (item,) = looked(judge(), packet_line(signal=json.loads(BUY)))
    assert (item.key, item.line) == (looked(judge(), BUY)[0].key, BUY.decode())


def test_events_in_packets_and_alone_are_the_same_but_only_packets_say_how_good_the_data_is() -> None:
    line = json.dumps(EVENT, separators=(",", ":")).encode()
    (within,) = looked(judge("iceberg"), packet_line(iceberg={"score": 0.5, "events": [EVENT]}))
    (alone,) = looked(judge("iceberg"), line)
    assert within.key == alone.key
    assert text(within) == "iceberg detected bid 2567.5 GCZ6 12 contracts [2026-10-05 14:40:00 UTC, GC.v.0]"
    assert text(alone) == f"QUALITY UNKNOWN: {text(within)}"
    (hushed,) = looked(judge("iceberg"), packet_line("simulated", iceberg={"events": [EVENT]}))
    assert hushed.why.startswith("simulated data")


def test_an_event_of_a_level_says_where() -> None:
    (item,) = looked(judge("absorption:ended"), packet_line(absorption={"events": [LEVEL]}))
    assert text(item).startswith("absorption ended ask 2570.1 GC.v.0")


def test_what_packets_say_of_the_feed_is_told() -> None:
    notices = [{"kind": kind, "ts_event": str(NOW), "detail": f"a {kind}", "count": 1, "gap": None}
               for kind in ("gap", "clock")]
    (item,) = looked(judge("system:gap"), packet_line(system=notices))
    assert (item.topic, item.kind) == ("system", "gap")
    assert text(item).startswith("FEED gap: a gap [")


def test_slots_that_are_null_tell_nothing() -> None:
    assert looked(judge("decision,data,iceberg"), packet_line(iceberg=None, signal=None)) == []


# --- what cannot be read

@pytest.mark.parametrize("line", [
    b'{"schema":"signal"', b'{"schema":"signal","ts":"1"}', b'{"schema":"signal","ts":"x"}', b"[]", b"nonsense",
    b'{"schema":"trades"}', b"\xff\xfe", b'{"schema":"packet","v":1}', b'{"schema":"unknown-event"}', b'{"a":1}',
    b'{"schema":"iceberg","kind":"x","ts_event":"1","series":"s"}', BUY.replace(str(NOW).encode(), b"soon"),
])
def test_a_line_that_cannot_be_read_is_bad_data(line: bytes) -> None:
    with pytest.raises(BadData):
        judge("decision,data,iceberg").look(line)


@pytest.mark.parametrize(("line", "hint"), [
    (b"DBN\x01\x00", "not lines of JSON"), (b'{"schema":"mbo","ts_event":"1"}', "records"),
    (packet_line(), "qmo signal --full"),
])
def test_a_pipe_that_was_put_together_wrongly_is_refused_at_its_first_line(line: bytes, hint: str) -> None:
    with pytest.raises(WrongInput, match=hint):
        judge().check(line)
    judge().check(BUY)
    judge("iceberg").check(packet_line())


# --- texts

def test_a_summary_begins_with_what_it_is_and_shows_the_newest() -> None:
    items = tuple(alert(number, label="SIMULATED" if number == 7 else "") for number in range(1, 15))
    said = message(Parcel(items, True, 3, ("quiet hours",)), NOW, MINUTE)
    assert said.text.startswith("SIMULATED: SUMMARY of 17 held back, do not trade on it: (quiet hours) 7 not shown; "
                                "[2026-10-05 14:40:00 UTC] words 5; ")
    assert said.text.endswith("words 14")
    assert said.text.count("words") == SHOWN
    assert "SIMULATED: words 7" in said.text


def test_decisions_are_not_lost_among_events() -> None:
    items = tuple(alert(number, topic="decision" if number == 3 else "iceberg") for number in range(1, 41))
    said = message(Parcel(items, True), NOW, MINUTE)
    assert [number for number in range(1, 41) if f" words {number};" in f"{said.text};"] == [3, *range(32, 41)]
    assert "30 not shown" in said.text


def test_a_text_is_one_line_of_bounded_length_without_control_characters() -> None:
    line = signal_line("BUY", "a", reasons=["x"], position=None, symbol="G\u0000C\n\x1b[31m Zürich ☃ 金")
    (item,) = looked(judge(), line)
    said = text(item)
    assert said.startswith("BUY G C  [31m Zürich ☃ 金 at")
    assert said.isprintable()
    (long,) = looked(judge(), signal_line("BUY", "b", symbol="x" * 5000))
    assert len(text(long)) == LONGEST
    summary = message(Parcel((long,) * 50, True, 10**6, ("a", "b")), NOW, MINUTE)
    assert len(summary.text) <= LONGEST
