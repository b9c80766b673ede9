"""Poorer schemas against a book kept as plainly as possible, and against what the vendor's own files look like."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qmo_cli.blocks import UNDEF_PRICE, Block
from qmo_cli.commands.sources import Asked, FeedOptions, read_blocks
from qmo_cli.errors import UsageError
from qmo_cli.feeds.derive import DERIVED, derive
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.ndjson import DbnWriter
from qmo_cli.pipeline import routed
from qmo_cli.records.layout import layout
from qmo_cli.router import RouteOptions, Router

from .sim_replay import LAST, Record, events

OPTIONS = SimOptions(seed=9, records=12_000, icebergs=0.003, gaps=40)
Levels = tuple[tuple[int, int, int, int, int, int], ...]


def derived(schema: str, options: SimOptions = OPTIONS) -> list[dict[str, Any]]:
    """The derived records of a simulation, by the layout of the schema."""
    kind, found = layout(schema), []
    for block in itertools.islice(derive(simulate(options), schema), 1, None):
        for at in range(0, len(block.data), kind.size):
            assert (block.data[at] * 4, block.data[at + 1]) == (kind.size, kind.rtype)
            head = int.from_bytes(block.data[at + 8 : at + 16], "little")
            found.append({"ts_event": str(head), **kind.unpack(block.data, at)})
    return found


@dataclass
class Seen:
    """One event as a reader of levels sees it, and which of its records are about levels in sight."""

    event: list[Record]
    before: Levels
    after: Levels
    touched: list[Record]
    sides: set[bytes]


def seen(depth: int) -> Iterator[Seen]:
    """Every event, from a dictionary of orders that is sorted anew for every record: slow, and hard to get wrong."""
    orders: dict[int, tuple[bytes, int, int]] = {}
    after = levels(orders, depth)
    for event in events(OPTIONS):
        before, touched, sides = after, [], set[bytes]()
        snapshot = event[0].action == b"R"
        for record in event:
            if record.action in b"ACMR":
                visible = prices(orders, depth) if not snapshot else set()
                places = apply(orders, record)
                if snapshot or places & (visible | prices(orders, depth)):
                    touched.append(record)
                    sides |= {b"A", b"B"} if snapshot else {record.side}
        if touched:
            after = levels(orders, depth)
        yield Seen(event, before, after, touched, sides)


def apply(orders: dict[int, tuple[bytes, int, int]], record: Record) -> set[tuple[bytes, int]]:
    """Change the book by one record; the side and price of every level it touches."""
    old = orders.get(record.order_id)
    places = {old[:2]} if old else set()
    if record.action == b"R":
        orders.clear()
    elif record.action in b"AM":
        orders[record.order_id] = (record.side, record.price, record.size)
        places |= {(record.side, record.price)}
    elif old is not None:
        orders[record.order_id] = (*old[:2], old[2] - record.size)
        if orders[record.order_id][2] <= 0:
            del orders[record.order_id]
    return places


def prices(orders: dict[int, tuple[bytes, int, int]], depth: int) -> set[tuple[bytes, int]]:
    """Side and price of the levels in sight."""
    bids = {price for side, price, _ in orders.values() if side == b"B"}
    asks = {price for side, price, _ in orders.values() if side == b"A"}
    return {(b"B", p) for p in sorted(bids)[-depth:]} | {(b"A", p) for p in sorted(asks)[:depth]}


def levels(orders: dict[int, tuple[bytes, int, int]], depth: int) -> Levels:
    """The best levels of a book."""
    sides: dict[bytes, dict[int, list[int]]] = {b"B": defaultdict(lambda: [0, 0]), b"A": defaultdict(lambda: [0, 0])}
    for side, price, size in orders.values():
        sides[side][price][0] += size
        sides[side][price][1] += 1
    nothing = (UNDEF_PRICE, 0, 0)
    bids = [(p, *sides[b"B"][p]) for p in sorted(sides[b"B"], reverse=True)[:depth]]
    asks = [(p, *sides[b"A"][p]) for p in sorted(sides[b"A"])[:depth]]
    pairs = itertools.islice(itertools.zip_longest(bids, asks, [nothing] * depth, fillvalue=nothing), depth)
    return tuple((b[0], a[0], b[1], a[1], b[2], a[2]) for b, a, _ in pairs)


def level_fields(record: dict[str, Any], depth: int) -> Levels:
    """The levels of a derived record, prices as integers."""
    names = ("bid_px", "ask_px", "bid_sz", "ask_sz", "bid_ct", "ask_ct")
    rows = [[record[f"{name}_{rank:02}"] for name in names] for rank in range(depth)]
    return tuple((*(UNDEF_PRICE if p is None else round(p * 1e9) for p in row[:2]), *row[2:]) for row in rows)


def told(record: Record) -> tuple[str, str, int, float, int, int]:
    """What a poorer record repeats of an order's."""
    return (str(record.ts_event), record.action.decode(), record.size, record.price / 1e9, record.ts_recv,
            record.sequence)


def as_told(record: dict[str, Any]) -> tuple[str, str, int, float, int, int]:
    return (record["ts_event"], record["action"], record["size"], record["price"], int(record["ts_recv"]),
            record["sequence"])


@pytest.mark.parametrize(("schema", "depth"), [("mbp-10", 10), ("mbp-1", 1)])
def test_levels_are_those_of_a_book_summed_up_anew_after_every_event(schema: str, depth: int) -> None:
    found, actions = iter(derived(schema)), Counter[str]()
    for story in seen(depth):
        for trade in (r for r in story.event if r.action == b"T"):
            record = next(found)
            assert as_told(record) == told(trade)
            assert level_fields(record, depth) == story.before
            assert (record["flags"], record["side"], record["depth"]) == (trade.flags, trade.side.decode(), 0)
        if story.touched:
            record, last = next(found), story.touched[-1]
            assert level_fields(record, depth) == story.after
            assert record["flags"] == story.event[-1].flags & ~LAST | LAST
            assert record["side"] == ("N" if len(story.sides) > 1 else last.side.decode())
            if story.event[0].action != b"R":
                assert as_told(record) == told(last)
            actions[record["action"]] += 1
    assert next(found, None) is None
    assert min(actions[action] for action in "ACM") > 100


def test_the_depth_of_a_change_is_the_number_of_better_prices() -> None:
    checked = 0
    for record in derived("mbp-10"):
        rows = level_fields(record, 10)
        if record["action"] == "A" and record["side"] in "AB" and record["flags"] & 32 == 0:
            column = 0 if record["side"] == "B" else 1
            assert rows[record["depth"]][column] == round(record["price"] * 1e9)
            checked += 1
    assert checked > 1000


def test_trades_are_every_t_and_tbbo_has_the_quote_before_it() -> None:
    stories = [(trade, story.before) for story in seen(1) for trade in story.event if trade.action == b"T"]
    trades, quotes = derived("trades"), derived("tbbo")
    assert [as_told(record) for record in trades] == [told(trade) for trade, _ in stories]
    assert [as_told(record) for record in quotes] == [told(trade) for trade, _ in stories]
    assert [level_fields(record, 1) for record in quotes] == [before for _, before in stories]
    assert len(trades) > 500


@pytest.mark.parametrize(("schema", "seconds"), [("ohlcv-1s", 1), ("ohlcv-1m", 60), ("ohlcv-1h", 3600)])
def test_bars_are_those_of_the_trades_and_there_is_none_without_a_trade(schema: str, seconds: int) -> None:
    expected: dict[int, list[Record]] = defaultdict(list)
    for trade in (r for event in events(OPTIONS) for r in event if r.action == b"T"):
        expected[trade.ts_event // (seconds * 10**9) * seconds * 10**9].append(trade)
    assert [(int(bar["ts_event"]), bar["open"], bar["high"], bar["low"], bar["close"], int(bar["volume"]))
            for bar in derived(schema)] == [
        (begin, some[0].price / 1e9, max(r.price for r in some) / 1e9, min(r.price for r in some) / 1e9,
         some[-1].price / 1e9, sum(r.size for r in some)) for begin, some in expected.items()]


def packets(blocks: Iterator[Block]) -> list[dict[str, Any]]:
    """What the router makes of records."""
    return [json.loads(packet.encode()) for batch in routed(Router(RouteOptions()), blocks) for packet in batch]


@pytest.mark.parametrize("schema", ["trades", "tbbo", "mbp-1", "mbp-10"])
def test_the_router_finds_the_same_trades_in_every_schema(schema: str) -> None:
    options = SimOptions(seed=4, records=15_000)
    whole = {p["ts"]: p["market"] for p in packets(simulate(options)) if p["market"]["volume"]}
    poor = {p["ts"]: p["market"] for p in packets(derive(simulate(options), schema)) if p["market"]["volume"]}
    for name in ("volume", "open", "high", "low", "close"):
        assert {ts: market[name] for ts, market in whole.items()} == {ts: market[name] for ts, market in poor.items()}


def test_ten_levels_give_the_router_the_depth_that_orders_give_it() -> None:
    options = SimOptions(seed=4, records=15_000)
    whole = {p["ts"]: p["inputs"]["depth"] for p in packets(simulate(options))}
    poor = {p["ts"]: p["inputs"]["depth"] for p in packets(derive(simulate(options), "mbp-10"))}
    same = sum(whole[ts]["bids"] == depth["bids"] and whole[ts]["asks"] == depth["asks"] for ts, depth in poor.items())
    assert same == len(poor) > 50


def test_blocks_may_be_cut_anywhere() -> None:
    (head, *_), data = list(simulate(OPTIONS)), b"".join(b.data for b in simulate(OPTIONS))[176:]
    pieces = [Block(head.data[:176], "sim"), *(Block(data[at : at + 56 * 7], "sim") for at in range(0, len(data), 392))]
    whole = b"".join(b.data for b in derive(simulate(OPTIONS), "mbp-1"))
    assert b"".join(b.data for b in derive(pieces, "mbp-1")) == whole


def test_what_cannot_be_derived_is_refused() -> None:
    with pytest.raises(UsageError, match="definition"):
        list(derive([], "definition"))


# ---- as the commands read their sources


MINUTE = SimOptions(minutes=1)


def read(*source: str, **feeding: Any) -> list[tuple[str | None, bytes]]:
    """What a command reads: the schema of each block, and its bytes."""
    asked = Asked(feeding=FeedOptions(**feeding), simulation=MINUTE)
    return [(b.schema, b.data) for b in read_blocks("feed", source, asked)]


@pytest.mark.parametrize("schema", DERIVED)
def test_the_simulator_gives_a_schema_by_either_option(schema: str) -> None:
    asked, made = read("sim", schema=(schema,)), read("sim", derive=schema)
    assert b"".join(data for _, data in asked) == b"".join(data for _, data in made)
    assert {name for name, _ in asked} == {schema}
    assert len(asked) > 1


def test_a_file_of_orders_gives_other_schemas_too(tmp_path: Path) -> None:
    path, writer = tmp_path / "orders.dbn", DbnWriter()
    path.write_bytes(b"".join(writer.encode(block) for block in simulate(MINUTE)))
    market = [data for _, data in read(str(path), derive="tbbo") if data[1] == 1]
    assert b"".join(market) == b"".join(data for _, data in read("sim", derive="tbbo") if data[1] == 1)
    assert not [data for _, data in read(str(path), schema=("tbbo",)) if data[1] == 1]


def test_two_schemas_of_the_simulator_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="one schema"):
        read("sim", schema=("trades", "mbo"))
    with pytest.raises(UsageError, match="'nonsense'"):
        read("sim", derive="nonsense")
