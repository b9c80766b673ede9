"""The live stream against a gateway where things go wrong: what is lost, what is said, how long it takes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from qmo_cli.blocks import SECOND, Block
from qmo_cli.engines import ENGINES
from qmo_cli.errors import NotEntitled, SourceUnavailable
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.pipeline import Engines, routed
from qmo_cli.records.layout import mapping_bytes
from qmo_cli.router import Router
from tests.live_harness import BEGIN, Outcome, follow, market, records, serve, supervisor

SOURCE = records(market())
HALF = len(SOURCE) // 2
SOON = 3.0          # s; a first new attempt comes after a quarter of a second at the most


@cache
def undisturbed() -> dict[int, dict[str, Any]]:
    """Readings of the source as a file."""
    return readings(market())


def readings(blocks: Iterable[Block]) -> dict[int, dict[str, Any]]:
    """What all engines say at the ends of whole seconds."""
    engines, found = Engines(), dict[int, dict[str, Any]]()
    for batch in routed(Router(), blocks):
        for packet in batch:
            engines.update(packet)
            if packet.closed and packet.ts % SECOND == 0:
                found[packet.ts] = {name: json.loads(packet.encode())[name] for name in ENGINES}
    return found


def same_in_the_end(outcome: Outcome) -> bool:
    """Whether the engines read the last seconds of a stream as if nothing had happened on the way."""
    found = readings(outcome.blocks)
    last = sorted(undisturbed().keys() & found.keys())[-4:]
    return len(last) == 4 and all(found[ts] == undisturbed()[ts] for ts in last)


@pytest.mark.parametrize("fault", [
    "fin", "rst", "torn", "corrupt", "error:6", "stall", "stall@0", "early@0", "mute@0", "down:1",
])
def test_a_broken_connection_loses_nothing_and_is_told(fault: str) -> None:
    early = fault.endswith("@0")
    with serve(fault if early else f"{fault}@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.records == SOURCE
    assert outcome.kinds == (["live", "end"] if early else ["live", "stale", "reconnect", "end"])
    assert outcome.sessions == 2
    assert outcome.longest_pause < SOON
    assert same_in_the_end(outcome)


@pytest.mark.parametrize("start", range(HALF, HALF + 2))
def test_wherever_a_record_is_torn_no_event_is_torn(start: int) -> None:
    with serve(f"torn@{start}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.records == SOURCE
    stale = next(number for number, block in enumerate(outcome.blocks) if b'"stale"' in block.data)
    before = records(outcome.blocks[:stale])
    assert before[-1][36] & 128, "the last record before the break is the last of its event"


def test_many_breaks_one_after_another_lose_nothing() -> None:
    kinds = ["fin", "rst", "torn"] * 99
    faults = [f"{kind}@{number}" for number, kind in zip(range(1000, len(SOURCE), 900), kinds, strict=False)]
    with serve(*faults) as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.records == SOURCE
    assert outcome.sessions == len(faults) + 1 > 5
    assert same_in_the_end(outcome)


@pytest.mark.parametrize(("code", "words"), [
    (1, "Authentication failed"), (2, "deactivated"), (5, "Invalid subscription"),
])
def test_a_refusal_that_trying_again_does_not_cure_ends_the_stream_after_what_came(code: int, words: str) -> None:
    with serve(f"error:{code}@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert isinstance(outcome.error, NotEntitled)
    assert words in str(outcome.error)
    assert outcome.error.exit_code == 77
    assert outcome.records == SOURCE[:HALF]


def test_too_many_connections_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmo_cli.feeds.live.supervisor.LONGEST_WAIT", 0.3)
    with serve(f"error:3@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.records == SOURCE
    assert outcome.kinds == ["live", "stale", "reconnect", "end"]


def test_an_unknown_symbol_is_told_and_the_others_go_on() -> None:
    with serve(f"error:4@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.records == SOURCE
    assert outcome.kinds == ["live", "error", "end"]


def test_records_that_the_vendor_left_out_are_a_gap() -> None:
    with serve(f"error:7@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.kinds == ["live", "gap", "end"]
    assert "left out" in outcome.said[1].detail


def test_a_replay_that_is_too_old_is_a_gap_and_the_book_begins_anew_with_a_snapshot() -> None:
    with serve(f"error:8@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE))
    assert outcome.kinds == ["live", "gap", "end"]
    gap = next(number for number, block in enumerate(outcome.blocks) if b'"gap"' in block.data)
    before, after = records(outcome.blocks[:gap]), records(outcome.blocks[gap:])
    assert before == SOURCE[:HALF]
    assert chr(after[0][38]) == "R"
    assert after[0][36] & 32
    live = [record for record in after if not record[36] & 32]
    first = SOURCE.index(live[0])
    assert live == SOURCE[first:first + len(live)]
    assert first >= HALF


@pytest.mark.parametrize(("fault", "change"), [
    (f"duplicate@{HALF}", 1), (f"swap@{HALF}", 0), (f"late:0.5@{HALF}", 0),
])
def test_what_the_vendor_sends_twice_or_out_of_order_goes_on_as_it_came(fault: str, change: int) -> None:
    with serve(fault) as gateway:
        outcome = follow(gateway, len(SOURCE) + change)
    assert len(outcome.records) == len(SOURCE) + change
    assert set(outcome.records) == set(SOURCE)
    assert outcome.kinds == ["live", "end"]


def test_a_record_that_comes_too_late_to_be_used_is_counted() -> None:
    with serve(f"late:3@{HALF}") as gateway:
        outcome = follow(gateway, len(SOURCE) - 1)
    assert Counter(SOURCE) - Counter(outcome.records) == Counter([SOURCE[HALF - 1]])
    assert [(said.kind, said.count) for said in outcome.said if said.kind == "skipped"] == [("skipped", 1)]


def test_a_gateway_that_is_never_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmo_cli.feeds.live.supervisor.PATIENCE", 0.5)
    with serve() as gateway:
        live = supervisor(gateway)
    outcome = follow(gateway, 1, live)
    assert isinstance(outcome.error, SourceUnavailable)
    assert "given up after" in str(outcome.error)


def test_a_schema_that_the_key_does_not_cover_is_stepped_down_from() -> None:
    with serve(unentitled=("mbo", "mbp-10")) as gateway:
        outcome = follow(gateway, 20, supervisor(gateway, schemas=()))
    assert outcome.kinds == ["fallback", "fallback", "live", "end"]
    assert "mbo is refused" in outcome.said[0].detail
    assert "tbbo is asked for" in outcome.said[1].detail
    assert {block.schema for block in outcome.blocks if records([block])} == {"tbbo"}


def test_a_key_that_is_refused_is_refused_for_every_schema() -> None:
    with serve(key="db-another-key") as gateway:
        outcome = follow(gateway, 20, supervisor(gateway, schemas=()))
    assert isinstance(outcome.error, NotEntitled)
    assert outcome.kinds == []


def test_a_schema_that_was_asked_for_by_name_is_not_stepped_down_from() -> None:
    with serve(unentitled=("mbo",)) as gateway:
        outcome = follow(gateway, 20, supervisor(gateway, schemas=("mbo",)))
    assert isinstance(outcome.error, NotEntitled)


def test_a_stream_that_begins_now_begins_with_a_snapshot_and_survives_a_break() -> None:
    with serve(f"fin@{HALF}") as gateway:
        outcome = follow(gateway, HALF + 500, supervisor(gateway, start=None))
    live = [record for record in outcome.records if not record[36] & 32]
    first = SOURCE.index(live[0])
    assert live == SOURCE[first:first + len(live)]
    assert first < len(live), "it goes on past the break"


def test_a_replay_begins_where_it_was_asked_to() -> None:
    assert int.from_bytes(SOURCE[0][8:16], "little") > BEGIN


@pytest.mark.parametrize("start", [BEGIN, None])
def test_what_comes_after_a_replay_or_a_snapshot_comes_at_its_time(start: int | None) -> None:
    source = tuple(simulate(SimOptions(seed=3, minutes=2, rate=50.0)))  # one block: the past and the future in one
    with serve(source=source, speed=1.0, history=1.0) as gateway:
        live = supervisor(gateway, start=start)
        lags = list[float]()
        for block in live.blocks():
            if records([block]) and not live.marks.catching_up:
                lags.append((gateway.clock.now() - live.marks.base) / SECOND)
            if len(lags) == 25:
                live.stop()
    assert sorted(lags[-20:])[10] < 0.25


def test_after_midnight_a_series_goes_on_with_the_contract_that_it_means_by_then() -> None:
    midnight = 1_791_244_800 * SECOND  # 2026-10-06 00:00 UTC, while gold trades
    front, following = 42_026, 43_000
    span = SimOptions(seed=5, minutes=4, rate=100.0, gaps=0, start=midnight - 120 * SECOND)
    orders = records(simulate(span))
    renamed = [one[:4] + following.to_bytes(4, "little") + one[8:] for one in records(simulate(replace(span, seed=6)))]
    both = sorted([*orders, *renamed], key=lambda one: int.from_bytes(one[40:48], "little"))
    early = [one for one in both if int.from_bytes(one[40:48], "little") < midnight]
    late = both[len(early):]
    source = tuple(Block(data, "made") for data in (
        mapping_bytes(front, "GC.v.0", "GCZ6") + b"".join(early),
        mapping_bytes(following, "GC.v.0", "GCG7", midnight) + b"".join(late)))
    with serve(source=source, speed=60.0, replay_limit=24.0) as gateway:
        live = supervisor(gateway, start=midnight - 3_600 * SECOND)
        outcome = Outcome()
        for block in live.blocks():
            outcome.blocks.append(block)
            if live.marks.newest > midnight + 110 * SECOND:
                live.stop()
    assert outcome.kinds == ["live", "roll", "end"]
    roll = next(number for number, block in enumerate(outcome.blocks) if b'"roll"' in block.data)
    before, after = records(outcome.blocks[:roll]), records(outcome.blocks[roll:])
    assert {one[4:8] for one in before} == {front.to_bytes(4, "little")}
    assert {one[4:8] for one in after} == {following.to_bytes(4, "little")}
    assert before == orders[:len(before)]
    assert (chr(after[0][38]), after[0][36] & 32) == ("R", 32)
    live_ones = [one for one in after if not one[36] & 32]
    assert live_ones == renamed[renamed.index(live_ones[0]):][:len(live_ones)]
    notices = [notice for batch in routed(Router(), outcome.blocks) for packet in batch
               for notice in packet.slots["system"] if notice.kind == "roll"]
    assert any(notice.gap is not None for notice in notices)
