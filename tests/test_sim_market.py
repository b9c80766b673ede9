"""Whether the simulated market has the numbers that it was set: its book, orders, trades, hours and hidden volume.

The bounds are those given for gold, widened by what two hours of one seed may differ.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import pytest

from qmo_cli.feeds.sim import SimOptions

from .sim_replay import Record, Replay, events

TENTH = 100_000_000  # 0.10 in 1e-9
MILLISECOND = 1_000_000
HOUR = 3600 * 10**9
OPENING = 1_791_237_600_000_000_000  # Monday 2026-10-05 17:00 in Chicago


@dataclass
class Market:
    """What two hours of a stream were like, told by its records alone, and the lines of its truth."""

    replay: Replay = field(default_factory=Replay)
    spreads: Counter[int] = field(default_factory=Counter)
    touches: list[int] = field(default_factory=list)
    adds: Counter[str] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    born: dict[int, int] = field(default_factory=dict)
    lives: list[int] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    trades: list[Record] = field(default_factory=list)
    implied: int = 0
    delays: list[int] = field(default_factory=list)
    milliseconds: Counter[int] = field(default_factory=Counter)
    truth: list[dict[str, Any]] = field(default_factory=list)

    def take(self, event: list[Record]) -> None:
        """Note what an event shows, before and while it is applied."""
        bid, ask = self.replay.best()
        self.spreads[(ask - bid) // TENTH] += 1
        if event[0].sequence % 50 == 0:
            self.touches += [self.lots(b"B", bid), self.lots(b"A", ask)]
        self.delays.append(event[0].ts_recv - event[0].ts_event)
        self.milliseconds[event[0].ts_event // MILLISECOND] += len(event)
        trades = [r for r in event if r.action == b"T"]
        self.trades += trades
        aggressors = {r.order_id for r in trades}
        filled = [r for r in event if r.action == b"F" and r.order_id not in aggressors]
        self.implied += sum(r.size for r in trades) - sum(r.size for r in filled)
        for record in event:
            self.note(record, bid if record.side == b"B" else ask, {r.order_id for r in filled} | aggressors)
        self.replay.take(event)

    def note(self, record: Record, touch: int, traded: set[int]) -> None:
        """Note an order's beginning or end."""
        if record.action == b"A":
            inside = (record.price - touch) * (1 if record.side == b"B" else -1)
            self.adds["at" if inside == 0 else "improving" if inside > 0 else "behind"] += 1
            self.sizes[record.size] += 1
            self.born[record.order_id] = record.ts_event
        elif record.action == b"C" and record.size == self.replay.sizes.get(record.order_id):
            self.ends["filled" if record.order_id in traded else "cancelled"] += 1
            if record.order_id in self.born:
                self.lives.append(record.ts_event - self.born.pop(record.order_id))

    def lots(self, side: bytes, price: int) -> int:
        return sum(self.replay.sizes[order_id] for order_id in self.replay.queues[side, price])

    def planted(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.truth if line["kind"] == kind]


@pytest.fixture(scope="module", params=[3, 4])
def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Two hours at default settings."""
    path = tmp_path_factory.mktemp("truth") / "truth.ndjson"
    found = Market()
    for number, event in enumerate(events(SimOptions(seed=request.param, minutes=120, gaps=0, truth=str(path)))):
        if number:
            found.take(event)
        else:
            found.replay.take(event)
    found.truth = [json.loads(line) for line in path.read_text().splitlines()]
    return found


def share(counts: Counter[Any], key: Any) -> float:
    return counts[key] / counts.total()


def test_the_spread_is_one_tick_seven_times_in_ten_and_two_a_quarter(market: Market) -> None:
    assert 0.62 < share(market.spreads, 1) < 0.78
    assert 0.18 < share(market.spreads, 2) < 0.32


def test_the_touch_shows_four_to_fifteen_lots(market: Market) -> None:
    low, middle, high = quantiles(market.touches, n=4)
    assert 3 <= low < middle < high <= 18
    assert 7 <= middle <= 12


def test_orders_are_small_and_placed_at_the_touch(market: Market) -> None:
    assert 0.69 < share(market.sizes, 1) < 0.75
    assert 9 <= sorted(market.sizes.elements())[int(0.99 * market.sizes.total())] <= 16
    assert 0.50 < share(market.adds, "at") < 0.58
    assert 0.025 < share(market.adds, "improving") < 0.055


def test_most_orders_end_cancelled_many_of_them_at_once(market: Market) -> None:
    assert 0.75 < share(market.ends, "cancelled") < 0.85
    assert 0.14 < mean(life < 10 * MILLISECOND for life in market.lives) < 0.21
    assert 0.8e9 < median(market.lives) < 5e9


def test_trades_are_of_two_lots_with_some_implied_and_few_without_a_side(market: Market) -> None:
    assert 1.8 < mean(trade.size for trade in market.trades) < 2.3
    assert 12 < market.milliseconds.total() / len(market.trades) < 26
    assert 0.02 < market.implied / sum(trade.size for trade in market.trades) < 0.06
    assert 0.002 < mean(trade.side == b"N" for trade in market.trades) < 0.008


def test_capture_takes_two_tenths_of_a_millisecond_and_bursts_crowd_a_millisecond(market: Market) -> None:
    """Capture times never go back, so in a burst an event waits for a slower one before it."""
    assert 100_000 <= min(market.delays) <= max(market.delays) < 300_000
    assert 195_000 < median(market.delays) < 240_000
    assert 200 < max(market.milliseconds.values()) < 800


def volume_and_hidden(seed: int, path: Path) -> tuple[int, int]:
    """Lots traded in two hours, and those of them by native icebergs."""
    options = SimOptions(seed=seed, minutes=120, truth=str(path))
    volume = sum(r.size for event in events(options) for r in event if r.action == b"T")
    lines = map(json.loads, path.read_text().splitlines())
    return volume, sum(line["filled"] for line in lines if line["kind"] == "native")


def test_native_icebergs_are_a_few_per_cent_of_the_volume_of_many_hours(tmp_path: Path) -> None:
    """Three to five, give or take what eight hours differ: a single large one is more than a per cent of two hours."""
    found = [volume_and_hidden(seed, tmp_path / "truth.ndjson") for seed in range(31, 35)]
    assert 0.02 < sum(hidden for _, hidden in found) / sum(volume for volume, _ in found) < 0.065


def test_native_icebergs_are_small_and_often_cancelled_in_part(market: Market) -> None:
    natives = market.planted("native")
    assert 6 <= median(line["total"] for line in natives) <= 30
    assert 0.40 < mean(line["peak"] == 1 for line in natives) < 0.68
    assert 0.2 < mean(line["outcome"] == "cancelled" and line["filled"] > 0 for line in natives) < 0.5


def test_synthetic_icebergs_are_a_few_per_cent_of_the_volume_and_refill_in_milliseconds(market: Market) -> None:
    plans = market.planted("synthetic")
    volume = sum(trade.size for trade in market.trades)
    assert 0.03 < sum(line["filled"] for line in plans) / volume < 0.10
    assert 6 <= median(line["total"] for line in plans) <= 30
    assert mean(line["clip"] >= 2 for line in plans) > 0.8
    assert {line["pattern"] for line in plans} == {"fixed_clip", "jittered", "pegged"}
    latencies = [
        int(later["ts_event"]) - int(piece["filled_ts"])
        for line in plans for piece, later in zip(line["tranches"], line["tranches"][1:], strict=False)
    ]
    assert 3.5 < median(latencies) / MILLISECOND < 8
    assert min(latencies) >= 0.5 * MILLISECOND


def test_an_hour_has_several_episodes_of_each_kind(market: Market) -> None:
    kinds = Counter(line["kind"] for line in market.truth)
    assert kinds["absorption"] >= 4
    assert kinds["sweep"] >= 10
    assert kinds["stop_cascade"] >= 20


def test_every_decoy_of_an_ordinary_hour_is_there(market: Market) -> None:
    found = Counter(line["decoy"] for line in market.planted("decoy"))
    assert set(found) == {
        "requote", "equal_orders", "implied", "modify_cross", "several_fills", "several_trades", "size_up",
        "cancel_readd", "snapshot", "reprice", "single_hit",
    }


# ---- the day


def test_the_hours_have_their_shape_and_the_day_its_mean_rate() -> None:
    """New York's morning has several times the records of Asia's evening, and the whole day those asked for."""
    hours: dict[int, int] = defaultdict(int)
    options = SimOptions(minutes=23 * 60, rate=4, start=OPENING, seed=2)
    for event in events(options):
        hours[(event[0].ts_recv - OPENING) // HOUR] += len(event)
    assert sum(hours.values()) == pytest.approx(4 * 23 * 3600, rel=0.05)
    assert sorted(hours) == list(range(23))
    evening, morning = mean(hours[n] for n in range(1, 9)), mean(hours[n] for n in range(15, 18))
    assert 2 < morning / evening < 5


def test_a_closed_market_is_silent_until_it_opens() -> None:
    """From 15:30 in Chicago to 17:30: nothing between 16:00 and 17:00."""
    options = SimOptions(minutes=120, rate=5, start=OPENING - 3 * HOUR // 2)
    times = [event[0].ts_event for event in events(options)][1:]
    assert not any(OPENING - HOUR <= ts < OPENING for ts in times)
    assert any(ts < OPENING - HOUR for ts in times)
    assert any(ts >= OPENING for ts in times)


def test_the_market_opens_with_an_auction_of_orders_nobody_saw() -> None:
    """As in real files: one T and its F's without a side; both sides are filled; C only of those that rested."""
    options = SimOptions(minutes=90, rate=5, start=OPENING - HOUR)
    replay = Replay()
    for event in events(options):
        if event[0].action == b"T" and event[0].side == b"N" and len(event) > 4:
            fills = [r for r in event if r.action == b"F"]
            assert {r.side for r in fills} == {b"N"}
            assert {r.price for r in fills} == {event[0].price}
            assert sum(r.size for r in fills) == 2 * event[0].size
            assert any(r.order_id not in replay.sizes for r in fills)
            assert event[0].ts_event - OPENING < HOUR
            return
        replay.take(event)
    pytest.fail("there was no auction")


@pytest.mark.parametrize(("day", "expected"), [(0, 1), (5, 0)])
def test_there_is_a_snapshot_at_midnight_utc_from_monday_to_friday(day: int, expected: int) -> None:
    """A clear and every resting order with its place and age; after it the book is what it was before.

    The market is open at midnight UTC from Monday to Friday alone: on Saturday nothing happens at all.
    """
    start = (20_731 + day) * 24 * HOUR + 24 * HOUR - HOUR // 12
    replay, found = Replay(), 0
    for number, event in enumerate(events(SimOptions(minutes=10, rate=60, start=start, seed=5))):
        if number and event[0].action == b"R":
            before = {key: list(queue) for key, queue in replay.queues.items()}
            replay.take(event)
            assert {key: list(queue) for key, queue in replay.queues.items()} == before
            assert all(r.flags & 32 for r in event)
            assert all(r.ts_event <= event[0].ts_event for r in event)
            found += 1
        else:
            replay.take(event)
    assert found == expected


def test_a_gap_loses_sequence_numbers_and_all_is_doubtful_until_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "truth.ndjson"
    gaps, doubts, snapshots, last = 0, 0, 0, None
    for number, event in enumerate(events(SimOptions(records=60_000, gaps=100, seed=6, truth=str(path)))):
        if last is not None and event[0].sequence != last.sequence + 1:
            gaps += 1
            assert event[0].flags & 4
        if last is not None and last.flags & 4:
            assert event[0].flags & 4 or event[0].action == b"R"
        doubts += bool(event[0].flags & 4)
        snapshots += number > 0 and event[0].action == b"R"
        last = event[-1]
    told = sum('"gap"' in line for line in path.read_text().splitlines())
    assert gaps == told >= 2
    assert doubts > 50
    assert gaps - 1 <= snapshots <= gaps
