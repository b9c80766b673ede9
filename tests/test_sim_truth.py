"""The truth file against the stream it tells of: every line is checked on the records alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.errors import UsageError
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.pipeline import routed
from qmo_cli.router import RouteOptions, Router

from .sim_replay import Fills, Record, Replay, data, events

Line = dict[str, Any]


@dataclass
class Told:
    """A stream, what it did to every order, and the lines of its truth."""

    events: list[list[Record]]
    lines: list[Line]
    fills: dict[int, list[tuple[int, Fills]]] = field(default_factory=lambda: defaultdict(list))  # with their time
    added: dict[int, Record] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)   # time of the C after which nothing is left
    at: dict[int, list[Record]] = field(default_factory=dict)  # events by time

    def __post_init__(self) -> None:
        replay = Replay()
        for event in self.events:
            self.at[event[0].ts_event] = event
            for fill in replay.take(event):
                self.fills[fill.order_id].append((event[0].ts_event, fill))
            for record in event:
                if record.action == b"A":
                    self.added[record.order_id] = record
                elif record.action == b"C" and record.order_id not in replay.sizes:
                    self.gone[record.order_id] = record.ts_event

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    def decoys(self, name: str) -> list[Line]:
        return [line for line in self.of("decoy") if line["decoy"] == name]


def tell(folder: Path, **options: Any) -> Told:
    path = folder / "truth.ndjson"
    found = list(events(SimOptions(truth=str(path), **options)))
    return Told(found, [json.loads(line) for line in path.read_text().splitlines()])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """An hour with twice as many icebergs as usual."""
    return tell(tmp_path_factory.mktemp("told"), seed=12, minutes=60, icebergs=0.002, synthetics=0.003, gaps=0)


# ---- native icebergs


def test_the_natives_told_are_exactly_the_orders_that_show_more_than_they_owned(told: Told) -> None:
    """An order whose display grows by a fill, or that is filled beyond it and removed."""
    shown = {
        order_id: next((ts, "refresh" if fill.grew else "removal") for ts, fill in fills
                       if fill.grew or fill.filled > fill.displayed)
        for order_id, fills in told.fills.items()
        if any(fill.grew or fill.filled > fill.displayed for _, fill in fills)
    }
    evidence = {int(line["id"]): (int(line["first_evidence"]), line["evidence"])
                for line in told.of("native") if line["first_evidence"]}
    assert evidence == shown
    assert len(shown) > 80
    assert {kind for _, kind in shown.values()} == {"refresh", "removal"}


def test_a_natives_numbers_are_those_of_its_records(told: Told) -> None:
    for line in told.of("native"):
        order_id = int(line["id"])
        added, fills = told.added[order_id], [fill for _, fill in told.fills[order_id]]
        filled = sum(fill.filled for fill in fills)
        assert (line["side"], line["price"], line["start"]) == (
            added.side.decode(), added.price / 1e9, str(added.ts_event))
        assert (line["filled"], line["hidden_traded"]) == (filled, max(0, filled - added.size))
        assert line["refreshes"] == sum(fill.grew for fill in fills)
        assert max([added.size, *(fill.after for fill in fills)]) <= line["peak"]
        assert line["end"] == (str(told.gone[order_id]) if order_id in told.gone else None)
        assert {"executed": filled == line["total"], "cancelled": filled < line["total"],
                "open": order_id not in told.gone}[line["outcome"]]


def test_repriced_natives_keep_their_id_and_those_taken_at_one_blow_have_one_fill_event(told: Told) -> None:
    natives = {line["id"]: line for line in told.of("native")}
    moves = Counter(line["order_id"] for line in told.decoys("reprice"))
    assert moves == Counter({key: line["repriced"] for key, line in natives.items() if line["repriced"]})
    for line in told.decoys("single_hit"):
        (ts, fill), = told.fills[int(line["order_id"])]
        assert (str(ts), fill.filled) == (line["ts_event"], natives[line["order_id"]]["total"])
    assert moves
    assert told.decoys("single_hit")


# ---- synthetic icebergs


def test_a_synthetics_tranches_follow_each_other_under_new_ids(told: Told) -> None:
    plans = told.of("synthetic")
    for line in plans:
        pieces = line["tranches"]
        assert line["id"] == pieces[0]["order_id"]
        assert len({piece["order_id"] for piece in pieces}) == len(pieces)
        for piece in pieces:
            added = told.added[int(piece["order_id"])]
            assert (piece["ts_event"], piece["price"], piece["size"]) == (
                str(added.ts_event), added.price / 1e9, added.size)
            if piece["filled_ts"]:
                assert piece["filled_ts"] == str(told.gone[added.order_id])
        assert line["filled"] == sum(f.filled for p in pieces for _, f in told.fills[int(p["order_id"])])
        assert sum(piece["size"] for piece in pieces) <= line["total"]
        assert (line["outcome"] == "executed") == (line["filled"] == line["total"])
    assert len(plans) > 50
    assert {line["outcome"] for line in plans} >= {"executed", "cancelled"}


def test_the_patterns_are_what_their_names_say(told: Told) -> None:
    for line in told.of("synthetic"):
        sizes = [piece["size"] for piece in line["tranches"]]
        if line["pattern"] != "jittered":
            assert set(sizes[:-1]) <= {line["clip"]}
            assert sizes[-1] <= line["clip"]
        if line["pattern"] != "pegged":
            assert {piece["price"] for piece in line["tranches"]} == {line["price"]}
    assert any(len({p["price"] for p in line["tranches"]}) > 1 for line in told.of("synthetic"))


# ---- episodes


def test_absorbed_volume_is_what_traded_at_the_price_and_nothing_went_through(told: Told) -> None:
    found = told.of("absorption")
    assert len(found) >= 3
    for line in found:
        start, end = int(line["start"]), int(line["end"])
        inside = [r for event in told.events if start <= event[0].ts_event <= end for r in event if r.action == b"T"]
        at = [r for r in inside if r.price / 1e9 == line["price"] and r.side.decode() != line["side"]]
        sign = 1 if line["side"] == "B" else -1
        assert all((r.price / 1e9 - line["price"]) * sign >= -1e-9 for r in inside)
        assert line["volume"] == pytest.approx(sum(r.size for r in at), rel=0.1)
        assert line["volume"] > 100


def test_a_sweep_trades_at_three_prices_within_fifty_milliseconds(told: Told) -> None:
    found = told.of("sweep")
    assert len(found) > 5
    for line in found:
        start, end = int(line["start"]), int(line["end"])
        assert 0 <= end - start <= 50_000_000
        prices = [r.price / 1e9 for event in told.events if start <= event[0].ts_event <= end
                  for r in event if r.action == b"T" and r.side.decode() == line["side"]]
        assert {line["from"], line["to"]} <= set(prices)
        assert 3 <= line["levels"] <= len(set(prices))
    assert any(line["aggressors"] > 1 for line in found)


def test_stops_are_the_later_aggressors_of_one_event(told: Told) -> None:
    later = set()
    for event in told.events[1:]:
        trades = [r for r in event if r.action == b"T"]
        if len({r.order_id for r in trades}) > 1:
            later.add((str(event[0].ts_event), sum(r.size for r in trades if r.order_id != trades[0].order_id)))
    found = {(line["ts_event"], line["size"]) for line in told.of("stop_cascade")}
    assert found == later
    assert any(line["stops"] > 1 for line in told.of("stop_cascade"))


# ---- decoys


def test_requotes_have_the_size_of_one_that_was_just_cancelled_or_filled_a_quarter_within_a_millisecond(
    told: Told,
) -> None:
    gone: dict[tuple[bytes, int], list[int]] = defaultdict(list)
    lasts: list[int] = []
    requotes = {int(line["order_id"]) for line in told.decoys("requote")}
    for event in told.events[1:]:
        for record in event:
            if record.action == b"C":
                gone[record.side, record.size].append(record.ts_event)
            elif record.action == b"A" and record.order_id in requotes:
                lasts.append(record.ts_event - gone[record.side, record.size][-1])
    assert len(lasts) == len(requotes) > 3000
    assert max(lasts) < 500_000_000
    assert 0.2 < sum(last < 1_000_000 for last in lasts) / len(lasts) < 0.45


def test_decoys_are_what_they_are_called(told: Told) -> None:
    for line in told.decoys("size_up"):
        (record,) = told.at[int(line["ts_event"])]
        assert record.action == b"M"
    for line in told.decoys("cancel_readd"):
        old, new = told.at[int(line["ts_event"])]
        assert (old.action, new.action, old.side, old.price, old.size) == (b"C", b"A", new.side, new.price, new.size)
        assert old.order_id != new.order_id
    for line in told.decoys("implied"):
        event = told.at[int(line["ts_event"])]
        assert sum(r.size for r in event if r.action == b"T") > sum(r.size for r in event if r.action == b"F")
    for line in told.decoys("several_fills"):
        event = told.at[int(line["ts_event"])]
        assert sum(r.action == b"F" and r.order_id == int(line["order_id"]) for r in event) > 1
    for line in told.decoys("several_trades"):
        assert sum(r.action == b"T" for r in told.at[int(line["ts_event"])]) > 1


def test_a_stream_of_decoys_alone_has_no_iceberg_and_the_detector_is_silent(tmp_path: Path) -> None:
    options: dict[str, Any] = {"seed": 3, "records": 120_000, "decoys_only": True}
    only = tell(tmp_path, **options, gaps=0)
    kinds = Counter(line["kind"] for line in only.lines)
    assert kinds["native"] == kinds["synthetic"] == 0
    assert not only.decoys("reprice") + only.decoys("single_hit")
    assert {line["decoy"] for line in only.of("decoy")} == {
        "requote", "equal_orders", "implied", "modify_cross", "several_fills", "several_trades", "size_up",
        "cancel_readd", "snapshot",
    }
    source = simulate(SimOptions(**options, gaps=30))
    packets = [json.loads(p.encode()) for batch in routed(Router(RouteOptions()), source) for p in batch]
    assert not any(packet["inputs"]["orders"]["icebergs"] for packet in packets if packet["inputs"]["orders"])


# ---- the reader, on its own


def test_the_reader_finds_every_iceberg_that_can_be_seen_and_no_other(tmp_path: Path) -> None:
    """Also across gaps and snapshots; outside them not a lot of the volume is unexplained."""
    path = tmp_path / "truth.ndjson"
    options = SimOptions(seed=8, records=150_000, icebergs=0.004, gaps=10, truth=str(path))
    found: dict[str, str] = {}
    remainder = 0
    for batch in routed(Router(RouteOptions()), simulate(options)):
        for packet in map(json.loads, (p.encode() for p in batch)):
            remainder = packet["health"]["remainder"]
            for fact in (packet["inputs"]["orders"] or {}).get("icebergs", []):
                if fact["kind"] in ("refresh", "removal"):
                    found.setdefault(fact["order_id"], fact["ts_event"])
    lines = map(json.loads, path.read_text().splitlines())
    natives = {line["id"]: line["first_evidence"] for line in lines if line["kind"] == "native"}
    assert found == {key: ts for key, ts in natives.items() if ts}
    assert len(found) > 100
    assert remainder < 30


# ---- the file


def test_the_truth_does_not_change_the_stream(tmp_path: Path) -> None:
    with_truth = SimOptions(seed=2, records=20_000, truth=str(tmp_path / "t"))
    assert data(with_truth) == data(SimOptions(seed=2, records=20_000))


def test_the_file_has_its_name_when_the_stream_ends_or_nobody_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "truth.ndjson"
    blocks = simulate(SimOptions(records=20_000, truth=str(path)))
    next(blocks)
    assert [p.name for p in tmp_path.iterdir()] == ["truth.ndjson.part"]
    blocks.close()  # type: ignore[attr-defined]
    assert [p.name for p in tmp_path.iterdir()] == ["truth.ndjson"]


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the truth"):
        next(simulate(SimOptions(truth=str(tmp_path / "nowhere" / "t"))))
