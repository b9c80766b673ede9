"""Streams that are said to be stale, heard again, of the past or of now: what frames end, and what prices are worth."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest

from qmo_cli.blocks import SECOND
from qmo_cli.commands.stages import signal_lines
from qmo_cli.grade import Grade
from qmo_cli.router import RouteOptions, Router
from qmo_cli.signals import Signaler
from qmo_cli.tray import Packet

from .comparison import expected, routed, same
from .handmade import NEW_YORK, at, market
from .laws import ENCODINGS, Encoding, Setup, every, lines, packets, piped, unfinished
from .laws_streams import MINUTES, eventful, last_moment, moment, noise, told
from .reference_scripts import MS, offered
from .scripts import Script, added, traded
from .streams import clock, mbo_records
from .streams_poor import POOR, poor_records
from .support import START, blocks

LENGTHS = ("1s", "50ms", "trade", "7")


# --- the grade alone


def test_from_a_file_prices_have_no_grade_until_the_stream_has() -> None:
    grade = Grade()
    assert [grade.happened(kind) for kind in ("roll", "skipped", "end", "vendor")] == [False] * 4
    assert grade.now is None


@pytest.mark.parametrize(("kinds", "now"), [
    (["warmup"], "warmup"), (["warmup", "live"], "real-time"), (["live", "stale"], "stale"),
    (["live", "stale", "reconnect"], "real-time"), (["live", "stale", "gap"], "real-time"),
    (["live", "stale", "roll"], "stale"), (["live", "stale", "stale", "skipped"], "stale"),
    (["warmup", "stale", "reconnect"], "warmup"), (["stale"], "stale"), (["stale", "reconnect"], None),
    (["live", "stale", "live"], "real-time"), (["live", "warmup"], "warmup"),
])
def test_the_grade_is_what_the_stream_said_last(kinds: list[str], now: str | None) -> None:
    grade = Grade()
    for kind in kinds:
        grade.happened(kind)
    assert grade.now == now


# --- frames


def quiet_pair() -> Script:
    """Instrument 2 is silent from the first frame on; 1 goes on."""
    script = Script(instrument=2).event(added(1, "B", 1999.0, 2))
    script.instrument = 1
    return script.event(added(2, "B", 1999.0, 2)).wait(1_200 * MS).event(added(3, "B", 1999.0, 3))


def found_of(records: Sequence[bytes], length: str = "1s") -> list[Packet]:
    router = Router(RouteOptions(every=length))
    given = [packet for block in blocks(records) for packet in router.read(block)]
    return [*given, *router.finish()]


def heads(found: Sequence[Packet]) -> list[tuple[int, int, str]]:
    return [((packet.ts - START) // MS, packet.instrument_id, str(packet.market.quality)) for packet in found]


def test_a_stream_that_is_no_longer_heard_says_so_at_once_for_every_instrument() -> None:
    script = quiet_pair()
    before = len(found_of(script.records, "1s")) - 1
    router = Router(RouteOptions())
    records = [*script.records, told("stale", START + 1_500 * MS)]
    closed = [packet for block in blocks(records) for packet in router.read(block)]
    assert heads(closed[before:]) == [(1500, 1, "stale"), (1500, 2, "stale")]
    assert [[notice.kind for notice in packet.slots["system"]] for packet in closed[before:]] == [["stale"], ["stale"]]
    assert all(packet.closed for packet in closed)


def test_it_says_so_right_after_a_clock_mark_of_the_same_time_too() -> None:
    script = quiet_pair()
    found = found_of([*script.records, clock(START + 2 * SECOND), told("stale", START + 2 * SECOND)])
    assert heads(found)[-4:] == [
        (2000, 1, "replay"), (2000, 2, "replay"), (2000, 1, "stale"), (2000, 2, "stale")]


def test_prices_are_stale_until_the_stream_is_heard_again_and_then_what_they_were() -> None:
    script = Script().event(added(1, "B", 1999.0, 2)).wait(SECOND)
    script.raw(told("live", script.now)).event(added(2, "B", 1999.0, 2)).wait(SECOND)
    script.raw(told("stale", script.now), clock(script.now + 3 * SECOND)).wait(3 * SECOND)
    script.event(added(3, "B", 1999.0, 2)).wait(2 * SECOND).raw(told("reconnect", script.now))
    script.event(added(4, "B", 1999.0, 2)).wait(SECOND).event(added(5, "B", 1999.0, 2))
    qualities = [quality for _, _, quality in heads(found_of(script.records))]
    assert qualities[0] == "replay"
    assert "real-time" in qualities
    middle = qualities.index("stale")
    rest = qualities[middle:]
    assert rest == ["stale"] * rest.count("stale") + ["real-time"] * rest.count("real-time")
    assert rest.count("stale") >= 2
    assert rest[-1] == "real-time"


def test_a_gap_ends_what_is_open_and_a_reconnect_does_not() -> None:
    def records(kind: str) -> list[bytes]:
        script = offered(5).event(traded("B", 2000.0, 1, 7), last=False)
        return script.raw(told(kind, script.now)).event(traded("B", 2000.0, 2, 8)).wait(SECOND).event(
            added(9, "B", 1999.0, 1)).records

    gap, again = found_of(records("gap")), found_of(records("reconnect"))
    assert [packet.market.volume for packet in gap][:2] == [1, 2]
    assert "unterminated" in gap[0].health.flags
    assert [packet.market.volume for packet in again][:1] == [3]
    assert again[0].health.flags == []


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("seed", range(3))
def test_a_reconnect_anywhere_changes_nothing_but_what_is_said_of_the_stream(seed: int, length: str) -> None:
    records = mbo_records(noise(100 + seed, 3000), 2, clocks=True)
    dice = Random(seed)
    cuts = sorted(dice.sample(range(4, len(records)), 5))
    parts = [records[low:high] for low, high in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    again = parts[0]
    for part in parts[1:]:
        again = [*again, told("reconnect", last_moment(again)), *part]
    assert routed(again, length) == routed(records, length)


@pytest.mark.parametrize("length", ["1s", "50ms", "1m", "trade", "7"])
@pytest.mark.parametrize("seed", range(4))
def test_streams_that_fall_silent_give_the_same_packets_as_the_reference(seed: int, length: str) -> None:
    records = mbo_records(noise(200 + seed, 3000), 1 + seed % 3, clocks=seed % 2 == 0)
    records = broken(records, Random(seed))
    same(routed(records, length, schema="mbo"), expected(records, length))


@pytest.mark.parametrize("schemas", POOR, ids="+".join)
def test_streams_without_orders_that_fall_silent_give_the_same_packets_as_the_reference(
    schemas: tuple[str, ...],
) -> None:
    source = "tbbo" if "tbbo" in schemas else schemas[0] if len(schemas) == 1 else None
    for number, length in enumerate(LENGTHS):
        records = broken(poor_records(noise(300 + number, 1200), schemas, 2, clocks=True), Random(number))
        same(routed(records, length, schema=source), expected(records, length, source))


def broken(records: list[bytes], dice: Random) -> list[bytes]:
    """The stream with breaks in it: stale, sometimes a clock mark, heard again or a gap."""
    found = list[bytes]()
    for record in records:
        if found and dice.random() < 0.03:
            ts = last_moment(found) + dice.choice([0, 0, 30 * MS, 900 * MS])
            found.append(told(dice.choice(["stale", "stale", "reconnect", "gap"]), ts if moment(record) >= ts else
                              last_moment(found)))
        found.append(record)
    return found


# --- the laws hold across all of it


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("length", ["1s", "50ms"])
def test_stages_in_a_pipe_print_what_one_process_prints(encoding: Encoding, length: str) -> None:
    case, setup = eventful(labelled=False), MINUTES.at(length)
    assert piped(case.blocks(), setup, encoding, cutter=every(5000)) == lines(case.blocks(), setup)


@pytest.mark.parametrize("step", [1, 7])
def test_however_the_stream_is_cut_the_same_is_printed(step: int) -> None:
    case = eventful(labelled=False)
    assert lines(case.blocks(range(0, len(case.records), step)), Setup()) == lines(case.blocks(), Setup())


def test_what_was_printed_stands_whatever_comes_after_it() -> None:
    case = eventful(labelled=False)
    whole = lines(case.blocks(), Setup())
    for count in range(200, len(case.records), 150):
        printed = unfinished(case.first(count).blocks(), Setup())
        assert printed == whole[:len(printed)]


def test_simulated_prices_stay_simulated_and_history_and_silence_of_them_are_named() -> None:
    qualities = {packet.market.quality for packet in packets(eventful(labelled=True).blocks(), Setup())}
    assert "real-time" not in qualities
    assert {"simulated", "stale", "warmup"} <= qualities


# --- signals


def test_history_gives_no_signal_and_the_first_packet_of_now_opens_what_began_before() -> None:
    signaler = Signaler()
    history = [signaler.update(at(0.9, NEW_YORK + n * SECOND, at=market(
        price_ts=str(NEW_YORK + n * SECOND), quality="warmup"))) for n in range(3)]
    assert {(one.signal.type, one.status, one.change, one.entry) for one in history} == {
        ("HOLD", "warming_up", None, None)}
    assert {reason for one in history for reason in one.reasons} == {
        "this is history ahead of the live stream: no signal is given on it"}
    now = signaler.update(at(0.9, NEW_YORK + 3 * SECOND))
    assert (now.signal.type, now.change) == ("BUY", "opened")
    assert now.signal.since == "2026-01-27T15:30:45Z", "the episode began in history"


def printed(*, changes: bool, full: bool) -> list[dict[str, Any]]:
    """What ``signal`` prints of three packets of history and two of now."""
    qualities = ["warmup"] * 3 + ["real-time"] * 2
    batch = [at(0.9, NEW_YORK + n * SECOND, at=market(price_ts=str(NEW_YORK + n * SECOND), quality=quality))
             for n, quality in enumerate(qualities)]
    pieces = signal_lines(iter([batch]), Signaler().update, changes=changes, full=full)
    return [msgspec.json.decode(line) for piece in pieces for line in piece.splitlines()]


def test_history_prints_no_signal_lines_but_its_packets_where_they_are_asked_for() -> None:
    assert [line["change"] for line in printed(changes=False, full=False)] == ["opened", None]
    assert [line["market"]["quality"] for line in printed(changes=False, full=True)] == (
        ["warmup"] * 3 + ["real-time"] * 2)


def test_the_first_line_where_only_changes_are_wanted_is_that_of_now() -> None:
    assert [line["signal"]["type"] for line in printed(changes=True, full=False)] == ["BUY"]
