"""Paper trading by hand: what an order becomes second by second."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from qmo_cli.errors import BadData, UsageError
from qmo_cli.paper import Paper, PaperOptions
from qmo_cli.records import Account, Fill, encode_record, to_dbn
from qmo_cli.tray import Packet

from .risking import last, traded
from .support import START

SECOND = 1_000_000_000
FIRST = START // SECOND
Row = tuple[int, float, float, float]  # second, open, high, low

# signal.md's example: price 2567.5, limit 2568, stop 2557.5, first target 2572.5, target 2587.5, 4 MGC
BUY: dict[str, Any] = {
    "signal": {"type": "BUY", "id": "a"},
    "entry": {"type": "limit", "limit_price": 2568.0, "target": 2587.5, "stop": 2557.5},
    "position": {"contract": "MGC", "contracts": 4, "first_target": 2572.5, "trail_distance": 10.0},
}
HOLD: dict[str, Any] = {"signal": {"type": "HOLD", "id": None}, "entry": None, "position": None}


def packet(end: float, rows: list[Row], signal: dict[str, Any], *, closed: bool = True, instrument: int = 1) -> Packet:
    """The packet of a frame that ends so many seconds after the start."""
    seconds = [[FIRST + second, opened, high, low, low, 1, 1, 0, 2] for second, opened, high, low in rows]
    slots = {"inputs": {"trades": {"seconds": seconds}}, "signal": signal}
    return Packet(
        ts=START + round(end * SECOND), series="GC.v.0", symbol="GCJ6", instrument_id=instrument, closed=closed,
        price=None, missing={}, slots={name: Raw(json.dumps(value).encode()) for name, value in slots.items()})


def run(rows: list[Row], signal: dict[str, Any] | None = None, *, costs: float = 0.0) -> list[Any]:
    """The records of a signal at 1 s and of the seconds after it, one packet each."""
    signal, desk = signal or BUY, Paper(PaperOptions(account=100_000.0, costs=costs))
    found = desk.update(packet(1, [(0, 2567.5, 2567.5, 2567.5)], signal))
    for row in rows:
        found += desk.update(packet(row[0] + 1, [row], signal))
    return found


def deals(records: list[Any]) -> list[tuple[int, str, int, float]]:
    """Second after the start, side, contracts, price of every fill."""
    return [(int(fill.ts_event or 0) // SECOND - FIRST, fill.side, fill.size, fill.price)
            for fill in records if isinstance(fill, Fill)]


def balance(records: list[Any]) -> float:
    return [record.balance for record in records if isinstance(record, Account)][-1]


def test_a_limit_that_is_not_touched_does_not_fill() -> None:
    assert deals(run([(1, 2570.0, 2571.0, 2568.1), (2, 2569.0, 2569.0, 2568.1)])) == []


def test_a_limit_fills_at_the_limit_when_its_second_is_over() -> None:
    assert deals(run([(1, 2567.0, 2567.5, 2566.0)])) == [(2, "B", 4, 2568.0)]


def test_the_stop_loses_what_the_signal_said() -> None:
    # 10.5 points x 4 MGC x $10 = $420
    records = run([(1, 2568.0, 2568.0, 2567.0), (2, 2560.0, 2560.0, 2557.5)])
    assert deals(records) == [(2, "B", 4, 2568.0), (3, "A", 4, 2557.5)]
    assert balance(records) == 99_580.0


def test_a_gap_through_the_stop_fills_where_it_opened() -> None:
    assert deals(run([(1, 2568.0, 2568.0, 2567.0), (2, 2550.0, 2551.0, 2549.0)]))[-1] == (3, "A", 4, 2550.0)


def test_half_goes_at_the_first_target_and_the_rest_trails() -> None:
    # the stop goes to 2568, then to 2580 - 10; 2 x 4.5 + 2 x 2 points x $10 = $130, less 4 x 5 costs
    rows = [(1, 2568.0, 2568.0, 2567.0), (2, 2570.0, 2573.0, 2570.0), (3, 2574.0, 2580.0, 2573.0),
            (4, 2575.0, 2575.0, 2569.0)]
    records = run(rows, costs=5.0)
    assert deals(records) == [(2, "B", 4, 2568.0), (3, "A", 2, 2572.5), (5, "A", 2, 2570.0)]
    assert balance(records) == 100_110.0


def test_the_target_ends_the_trade() -> None:
    rows = [(1, 2568.0, 2568.0, 2567.0), (2, 2572.0, 2572.5, 2571.0), (3, 2575.0, 2590.0, 2574.0)]
    assert deals(run(rows))[-1] == (4, "A", 2, 2587.5)


def test_a_stop_comes_before_a_target_of_the_same_second() -> None:
    entered = (1, 2568.0, 2568.0, 2567.0)
    assert deals(run([entered, (2, 2568.0, 2590.0, 2557.0)]))[1:] == [(3, "A", 4, 2557.5)]
    assert deals(run([entered, (2, 2569.0, 2590.0, 2568.0)]))[1:] == [(3, "A", 2, 2572.5), (3, "A", 2, 2568.0)]


def test_the_second_of_the_entry_may_hit_the_stop_but_no_target() -> None:
    assert deals(run([(1, 2568.0, 2590.0, 2567.0)])) == [(2, "B", 4, 2568.0)]
    assert deals(run([(1, 2568.0, 2568.0, 2550.0)])) == [(2, "B", 4, 2568.0), (2, "A", 4, 2557.5)]


def test_one_contract_is_not_halved_but_its_stop_moves() -> None:
    one = {**BUY, "position": {**BUY["position"], "contracts": 1}}
    rows = [(1, 2568.0, 2568.0, 2567.0), (2, 2572.0, 2573.0, 2571.0), (3, 2569.0, 2569.0, 2567.0)]
    assert deals(run(rows, one)) == [(2, "B", 1, 2568.0), (4, "A", 1, 2568.0)]


def test_a_market_order_takes_the_worst_price_of_the_next_second() -> None:
    market = {**BUY, "entry": {**BUY["entry"], "type": "market", "limit_price": None}}
    assert deals(run([(1, 2567.0, 2569.3, 2567.0)], market)) == [(2, "B", 4, 2569.3)]


def test_an_order_whose_episode_ends_is_withdrawn_and_an_episode_trades_once() -> None:
    desk = Paper()
    assert desk.update(packet(1, [], BUY)) == []
    desk.update(packet(2, [(1, 2570.0, 2570.0, 2570.0)], HOLD))
    assert desk.update(packet(3, [(2, 2560.0, 2560.0, 2560.0)], BUY)) == []
    assert desk.update(packet(4, [(3, 2560.0, 2560.0, 2560.0)], BUY)) == []


def test_an_order_does_not_see_the_second_in_which_it_was_made() -> None:
    desk = Paper()
    desk.update(packet(1.5, [(1, 2560.0, 2560.0, 2560.0)], BUY))
    assert desk.update(packet(2, [(1, 2560.0, 2560.0, 2560.0)], BUY)) == []
    assert deals(desk.update(packet(3, [(2, 2560.0, 2560.0, 2560.0)], BUY))) == [(3, "B", 4, 2568.0)]


def test_shorter_frames_make_no_other_fills() -> None:
    rows = [(1, 2568.0, 2568.0, 2567.0), (2, 2570.0, 2573.0, 2570.0), (3, 2574.0, 2580.0, 2573.0)]
    desk = Paper(PaperOptions(account=100_000.0))
    found = desk.update(packet(1, [(0, 2567.5, 2567.5, 2567.5)], BUY))
    for second, opened, high, low in rows:
        found += desk.update(packet(second + 0.5, [(second, opened, high, opened)], BUY))
        found += desk.update(packet(second + 1, [(second, low, low, low)], BUY))
    assert found == run(rows)


def test_another_contract_ends_the_trade_at_the_last_seconds_worst_price() -> None:
    desk = Paper()
    desk.update(packet(1, [], BUY))
    desk.update(packet(2, [(1, 2568.0, 2568.0, 2567.0)], BUY))
    desk.update(packet(2.5, [(2, 2570.0, 2571.0, 2569.5)], BUY))
    assert deals(desk.update(packet(4, [(3, 2600.0, 2600.0, 2600.0)], HOLD, instrument=2)))[-1] == (3, "A", 4, 2569.5)


def test_what_is_open_at_the_end_stays_open() -> None:
    desk = Paper()
    desk.update(packet(1, [], BUY))
    assert desk.update(packet(2, [(1, 2568.0, 2568.0, 2550.0)], BUY, closed=False)) == []


def mirrored(rows: list[Row]) -> list[Row]:
    return [(second, 5136 - opened, 5136 - low, 5136 - high) for second, opened, high, low in rows]


SELL: dict[str, Any] = {
    "signal": {"type": "SELL", "id": "a"},
    "entry": {"type": "limit", "limit_price": 2568.0, "target": 2548.5, "stop": 2578.5},
    "position": {"contract": "MGC", "contracts": 4, "first_target": 2563.5, "trail_distance": 10.0},
}
ticks = st.integers(25_450, 25_900)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(drawn=st.lists(st.tuples(ticks, ticks, ticks), max_size=30))
def test_a_sale_is_a_purchase_in_the_mirror(drawn: list[tuple[int, int, int]]) -> None:
    rows: list[Row] = [(1 + at, sorted(row)[1] / 10, max(row) / 10, min(row) / 10) for at, row in enumerate(drawn)]
    long, short = deals(run(rows)), deals(run(mirrored(rows), SELL))
    assert [(when, "BA"[side == "B"], size, round(5136 - price, 1)) for when, side, size, price in short] == long
    bought = sum(size if side == "B" else -size for _, side, size, _ in long)
    assert bought in (0, 2, 4)


def test_merged_into_a_run_the_fills_make_the_balance_that_paper_told() -> None:
    rows = [(1, 2568.0, 2568.0, 2567.0), (2, 2570.0, 2573.0, 2570.0), (3, 2568.0, 2568.0, 2560.0)]
    records = run(rows, costs=5.0)
    fills = [to_dbn(record) for record in records if isinstance(record, Fill)]
    reading = last([to_dbn(records[0]), traded(0.5, 2568.0), *fills, traded(9, 2568.0)])
    assert (reading.balance, reading.trades, reading.position) == (balance(records), 1, 0)


def test_packets_without_signals_are_refused_and_so_are_negative_costs() -> None:
    bare = packet(1, [], BUY)
    del bare.slots["signal"]
    with pytest.raises(BadData, match="qmo signal --full"):
        Paper().update(bare)
    with pytest.raises(UsageError):
        PaperOptions(costs=-1.0)


def test_the_command_prints_records(shell_environment: dict[str, str]) -> None:
    done = subprocess.run(
        "qmo run sim --minutes 1 --seed 7 --full | qmo paper --account 5000", shell=True, capture_output=True,
        env=shell_environment, check=True)
    account = Account(series="GC.v.0", ts_event="1791208801000000000", balance=5000.0, position=0)
    assert done.stdout == encode_record(account) + b"\n"
