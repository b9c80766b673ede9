"""Bars that end when they are full: against plain loops over the same trades; and imbalance bars stay in bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import sqrt
from random import Random
from statistics import mean, median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.bars.filled import FilledBars, Imbalance
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, Second, TradesInput
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from . import handmade
from .engine_oracles import SECOND, TICK, Trade, price, records_of, run, tape
from .support import START, definition, mapping, ohlcv, trade

KINDS = {"tick": 7.0, "volume": 60.0, "dollar": 9e6, "range": 4.0, "imbalance": 5.0}
POINT_VALUE = 100
LENGTHS = ["50ms", "1s", "7s", "1m", "1h"]

slow = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def kind_run(records: Sequence[bytes], kind: str, every: str = "1s", size: float | None = None) -> list[Packet]:
    return run(records, every, ("bars",), bars={"kind": kind, "size": KINDS[kind] if size is None else size})


def told(packets: list[Packet]) -> list[Any]:
    """Every bar that closed, and the open one."""
    forming = packets[-1].slots["bars"].forming
    return [bar for one in packets for bar in one.slots["bars"].closed] + ([forming] if forming else [])


# ---- a plain loop over whole seconds


Chunk = list[Trade]


def chunks(trades: list[Trade], is_full: Callable[[list[Chunk]], bool]) -> list[Chunk]:
    """Whole seconds put together until they are full; the rest at the end."""
    found, now = [], list[Chunk]()
    for _, second in groupby(trades, lambda one: one.ts // SECOND):
        now.append(list(second))
        if is_full(now):
            found.append([one for part in now for one in part])
            now = []
    return [*found, [one for part in now for one in part]] if now else found


def money(now: list[Chunk]) -> float:
    return sum(price(part[-1].ticks) * sum(one.size for one in part) * POINT_VALUE for part in now)


def flat(now: list[Chunk]) -> list[Trade]:
    return [one for part in now for one in part]


FULL: dict[str, Callable[[list[Chunk]], bool]] = {
    "tick": lambda now: len(flat(now)) >= 7,
    "volume": lambda now: sum(one.size for one in flat(now)) >= 60,
    "dollar": lambda now: money(now) >= 9e6,
    "range": lambda now: max(one.ticks for one in flat(now)) - min(one.ticks for one in flat(now)) >= 4,
}


def net(trades: Iterable[Trade]) -> int:
    return sum({"B": one.size, "A": -one.size, "N": 0}[one.side] for one in trades)


class Thresholds:
    """The guarded rule on trades, one by one; its numbers change where a second ends."""

    def __init__(self, size: float) -> None:
        self.size, self.usual, self.lean = size, 0.0, 0.0
        self.mean_length: float | None = None
        self.level = 0.0

    def is_full(self, now: list[Chunk]) -> bool:
        trades = flat(now)
        if len(now) == 1:
            self.level = self.fresh_level()
        if self.mean_length is None:
            if len(trades) < self.size:
                return False
            self.mean_length = len(trades)
            self.usual, self.lean = sum(one.size for one in trades) / len(trades), net(trades) / len(trades)
            return True
        for _ in now[-1]:  # all trades of a second count as its mean trade
            self.usual += 2 / (10 * self.size + 1) * (sum(one.size for one in now[-1]) / len(now[-1]) - self.usual)
            self.lean += 2 / (10 * self.size + 1) * (net(now[-1]) / len(now[-1]) - self.lean)
        if abs(net(trades)) < self.level:
            return False
        self.mean_length += 2 / 21 * (len(trades) - self.mean_length)
        return True

    def fresh_level(self) -> float:
        length = sqrt(self.size * (self.mean_length or 0.0))
        length = sorted([self.size / 4, length, self.size * 4])[1]
        least, most = sqrt(length) * self.usual, length * self.usual / 2
        return least if least > most else sorted([least, length * abs(self.lean), most])[1]


def facts(bar: Any) -> tuple[float, ...]:
    start = int(bar.start) // SECOND
    return (start, start + bar.interval, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades,
            bar.buy - bar.sell)


@given(st.binary(min_size=300, max_size=1500), st.sampled_from(LENGTHS), st.sampled_from(list(KINDS)))
@slow
def test_bars_are_what_a_plain_loop_over_seconds_makes_of_the_trades(data: bytes, every: str, kind: str) -> None:
    trades = tape(data)
    is_full = Thresholds(KINDS[kind]).is_full if kind == "imbalance" else FULL[kind]
    assert [facts(bar) for bar in told(kind_run(records_of(trades), kind, every))] == [
        (part[0].ts // SECOND, part[-1].ts // SECOND + 1, price(part[0].ticks), price(max(one.ticks for one in part)),
         price(min(one.ticks for one in part)), price(part[-1].ticks), sum(one.size for one in part), len(part),
         net(part)) for part in chunks(trades, is_full)]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(min_size=300, max_size=1500))
@settings(slow, max_examples=8)
def test_no_kind_of_bar_depends_on_the_length_of_the_frame(kind: str, data: bytes) -> None:
    one, other = (told(kind_run(records_of(tape(data)), kind, every)) for every in ("50ms", "1m"))
    assert one == other


# ---- when they close


def ten_a_second(*seconds: int, size: int = 10) -> list[bytes]:
    return records_of([Trade(START + second * SECOND, "B", 20_000, size) for second in seconds])


def test_a_bar_that_is_full_closes_when_its_second_is_over() -> None:
    at = START, START + SECOND // 2, START + SECOND
    records = records_of([Trade(ts, "B", 20_000, size) for ts, size in zip(at, (10, 7, 1), strict=True)])
    packets = kind_run(records, "volume", "500ms", 10)
    first = [one.slots["bars"] for one in packets]
    assert [len(reading.closed) for reading in first] == [0, 1, 0]
    assert (first[0].forming.volume, first[1].bar.volume, first[2].forming.volume) == (10, 17, 1)


def test_the_open_bar_is_marked_and_never_counted() -> None:
    reading = kind_run(ten_a_second(0, 1, 2, 600), "volume", "1s", 25)[-1].slots["bars"]
    assert (reading.count, reading.bar.volume, reading.forming.volume) == (1, 30, 10)
    assert (reading.kind, reading.size, reading.period) == ("volume", 25, None)


def test_a_silence_makes_no_bars() -> None:
    closed = [bar for one in kind_run(ten_a_second(0, 86_400, 2 * 86_400), "volume", "1s", 10)
              for bar in one.slots["bars"].closed]
    assert [bar.interval for bar in closed] == [1, 1]


def test_range_bars_count_whole_ticks() -> None:
    at = [1999.9, 2000.2, 2000.3]  # 2000.3 - 1999.9 is less than .4 in floats
    assert at[2] - at[0] < 0.4
    trades = [Trade(START + place * SECOND, "B", round(value / TICK), 1) for place, value in enumerate(at)]
    assert [bar.trades for bar in told(kind_run(records_of([*trades, Trade(START + 9 * SECOND, "B", 1, 1)]), "range"))
            ] == [3, 1]


# ---- what they need


@pytest.mark.parametrize("kind", ["tick", "imbalance"])
def test_ready_made_bars_make_no_bars_of_trades_or_sides_but_their_atr_is_known(kind: str) -> None:
    minutes = [ohlcv((2000.0, 2001.0, 1999.0, 2000.0), 5, ts_event=START + minute * 60 * SECOND, interval="1m")
               for minute in range(15 * 16 + 2)]
    packet = kind_run([mapping("GCJ6", "GCJ6"), *minutes], kind, "1m")[-1]
    assert packet.slots["bars"].atr == 2.0
    assert packet.slots["bars"].bar is None
    assert packet.missing["bars.bar"] == f"{kind} bars need trades, input is ohlcv"


@pytest.mark.parametrize(("kind", "size", "volumes"), [
    ("volume", 12.0, [15, 15]), ("dollar", 2_000_000.0, [10, 10, 10]), ("range", 35.0, [10, 10, 10])])
def test_ready_made_bars_make_bars_of_volume_money_and_range(kind: str, size: float, volumes: list[int]) -> None:
    minutes = [ohlcv((2000.0 + minute, 2001.5 + minute, 1999.0 + minute, 2000.0 + minute), 5,
                     ts_event=START + minute * 60 * SECOND, interval="1m") for minute in range(7)]
    packets = kind_run([mapping("GCJ6", "GCJ6"), *minutes], kind, "1s", size)
    closed = [bar for one in packets for bar in one.slots["bars"].closed]
    assert [bar.volume for bar in closed] == volumes
    assert [int(bar.start) for bar in closed] == [
        START + place * bar.interval * SECOND for place, bar in enumerate(closed)]
    assert all((bar.buy, bar.sell, bar.trades) == (None, None, None) for bar in closed)


@pytest.mark.parametrize(("kind", "words"), [
    ("range", "range bars need the contract's tick"), ("dollar", "dollar bars need the contract's point value")])
def test_what_must_be_known_of_the_contract_is_named(kind: str, words: str) -> None:
    records = [mapping("XQ.v.0", ""), trade("B", 2000.0, 1, ts_event=START, ts_recv=START)]
    packet = kind_run(records, kind)[-1]
    assert packet.missing["bars.bar"] == words
    assert packet.slots["bars"].count == 0


def test_range_bars_begin_where_the_tick_comes_to_be_known() -> None:
    records = [mapping("XQ.v.0", ""), trade("B", 2000.0, 1, ts_event=START, ts_recv=START),
               definition("XQ.v.0", TICK, ts_event=START + SECOND),
               trade("B", 2000.5, 2, ts_event=START + 2 * SECOND, ts_recv=START + 2 * SECOND)]
    packet = kind_run(records, "range")[-1]
    assert packet.slots["bars"].forming.volume == 2
    assert packet.missing["bars.bar"] == "no range bar of 4 has closed yet"


@pytest.mark.parametrize("wrong", [
    {"kind": "renko"}, {"kind": "tick"}, {"kind": "volume", "size": -1}, {"size": 5}, {"kind": "tick", "size": "nan"},
    {"kind": "tick", "size": "inf"}, {"period": "2d"},
])
def test_settings_that_fit_no_bar_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="bars"):
        Engines(("bars",), {"bars": wrong})


def test_the_scale_stays_that_of_quarters_whatever_the_kind() -> None:
    trades = [Trade(START + place * 60 * SECOND, "B", 20_000 + 7 * (place % 3), 10) for place in range(15 * 18)]
    quarters = run(records_of(trades), "1m", ("bars",))
    others = [kind_run(records_of(trades), "volume", "1m", 30),
              run(records_of(trades), "1m", ("bars",), bars={"period": "5m"})]
    scale = [(one.slots["bars"].atr, one.slots["bars"].atr_since) for one in quarters]
    assert scale[-1][0] == 1.4
    for packets in others:
        assert [(one.slots["bars"].atr, one.slots["bars"].atr_since) for one in packets] == scale
        assert packets[-1].slots["bars"].bar_atr is not None


def test_at_a_roll_a_bar_of_volume_goes_on_in_the_new_contracts_terms() -> None:
    old = records_of([Trade(START, "B", 20_000, 3), Trade(START + SECOND, "B", 20_004, 2)])
    new = [mapping("GCJ6", "GCM6", instrument=2), *(
        trade("A", 2100.0, 5, ts_event=START + second * SECOND, ts_recv=None, instrument=2) for second in (30, 40))]
    for every in ("50ms", "1s", "1m"):
        bar = told(kind_run(old + new, "volume", every, 10))[0]
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (2099.6, 2100.0, 2099.6, 2100.0, 10)


# ---- imbalance bars stay in bounds


class Unguarded:
    """The rule as it stands in the book, for comparison: exponential means over bars, nothing else."""

    def __init__(self, size: float) -> None:
        self.length, self.lean = size, 1 / sqrt(size)  # in trades of one contract: what chance leaves

    def lengths(self, flow: Iterable[int]) -> list[int]:
        found, total, count = [], 0, 0
        for signed in flow:
            total, count = total + signed, count + 1
            if abs(total) >= self.length * abs(self.lean):
                found.append(count)
                self.length += 0.1 * (count - self.length)
                self.lean += 0.1 * (total / count - self.lean)
                total = count = 0
        return found


def signed_flow(bought: float, seed: int, trades: int = 30_000) -> list[int]:
    """Trades of 1 to 5 contracts, this share of them bought."""
    dice = Random(seed)
    return [dice.randint(1, 5) * (1 if dice.random() < bought else -1) for _ in range(trades)]


def guarded(flow: list[int], size: float) -> tuple[list[int], list[float]]:
    """Trades in each bar after the first, and the thresholds. Three trades a second."""
    maker, lengths, levels = FilledBars("imbalance", size), list[int](), list[float]()
    rule: Any = maker.rule
    for second in range(len(flow) // 3):
        part = flow[3 * second:3 * second + 3]
        bought, sold = sum(one for one in part if one > 0), -sum(one for one in part if one < 0)
        row = Second(second, 1.0, 1.0, 1.0, 1.0, bought, sold, 0, 3)
        for bar in closed_by(maker, row):
            lengths.append(bar.trades)
            levels.append(rule.threshold)
    return lengths[1:], levels[1:]


def trades_of(row: Second) -> TradesInput:
    """The trades of one second, without what is not of the second."""
    return TradesInput(row.buy, row.sell, row.none, row.trades, [row], [], [], 0, [], 0)


def closed_by(maker: FilledBars, row: Second) -> list[Any]:
    packet = handmade.packet(ts=(row.second + 1) * SECOND, inputs=Inputs(trades_of(row), None, None, None))
    return maker.read(packet)


FLOWS = [("even", 0.5), ("trending", 0.8), ("falling", 0.3), ("one-sided", 1.0)]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("name", "bought"), FLOWS)
def test_the_threshold_of_imbalance_bars_neither_stands_still_nor_runs_away(
    name: str, bought: float, seed: int,
) -> None:
    size = 300.0
    lengths, levels = guarded(signed_flow(bought, seed), size)
    assert len(lengths) > 40
    assert len(set(levels)) > 0.9 * len(levels)                       # it moves
    assert size / 8 <= mean(lengths) <= 8 * size                       # bars are of the order that was asked for
    early, late = median(levels[:len(levels) // 2]), median(levels[len(levels) // 2:])
    assert 0.7 < late / early < 1.4                                    # without a drift
    assert max(levels) < 12 * min(levels)


def test_a_change_from_even_to_one_sided_flow_raises_the_threshold_and_back_lowers_it() -> None:
    flow = signed_flow(0.5, 1, 20_000) + signed_flow(0.85, 2, 20_000) + signed_flow(0.5, 3, 20_000)
    lengths, levels = guarded(flow, 300.0)
    ends = [sum(lengths[:place + 1]) for place in range(len(lengths))]
    even, leaning, again = (
        median([level for end, level in zip(ends, levels, strict=True) if low < end < low + 12_000])
        for low in (8_000, 28_000, 48_000))
    assert leaning > 2 * even
    assert 0.6 < again / even < 1.6


@pytest.mark.parametrize("seed", range(8))
def test_without_guards_bars_of_even_flow_run_away(seed: int) -> None:
    """What the guards are for: of 60,000 trades it makes thousands of bars, or bars of thousands of trades."""
    lengths = Unguarded(300.0).lengths(signed_flow(0.5, seed, 60_000))
    assert len(lengths) > 5_000 or max(lengths) > 5_000


def test_the_threshold_keeps_to_its_floor_and_its_cap() -> None:
    even = Imbalance(400.0, length=400.0, usual=2.0, lean=0.0)
    assert even.next_threshold() == 40.0            # sqrt(400) x 2
    one_sided = Imbalance(400.0, length=400.0, usual=2.0, lean=-2.0)
    assert one_sided.next_threshold() == 400.0      # half of 400 x 2
    leaning = Imbalance(400.0, length=400.0, usual=2.0, lean=0.5)
    assert leaning.next_threshold() == 200.0        # 400 x .5


@pytest.mark.parametrize(("length", "expected"), [(400.0, 400.0), (100.0, 200.0), (1.0, 100.0), (1e6, 1600.0)])
def test_the_expected_length_is_anchored_and_clamped(length: float, expected: float) -> None:
    assert Imbalance(400.0, length=length, usual=1.0, lean=0.5).next_threshold() == expected * 0.5
