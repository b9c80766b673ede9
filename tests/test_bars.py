"""Bars: open, high, low, close and volume against pandas, ATR against Wilder's own formula."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qmo_cli.engines.bars.pieces import Pieces
from qmo_cli.errors import ConfigurationError, UsageError
from qmo_cli.packets import BarInput, Inputs
from qmo_cli.pipeline import Engines
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from . import engine_oracles as oracle
from . import handmade
from .engine_oracles import SECOND, Trade, price, records_of, run, tape
from .support import SHARED, START, bbo, blocks, mapping, ohlcv, read_dbn, trade

MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
MIDNIGHT = 1_381_104_000 * SECOND  # 2013-10-07 00:00 UTC

slow = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def bars_of(packets: list[Packet]) -> list[Any]:
    """Every bar that closed."""
    return [bar for packet in packets if packet.slots["bars"] is not None for bar in packet.slots["bars"].closed]


def last(packets: list[Packet]) -> Any:
    """The last reading of bars."""
    return packets[-1].slots["bars"]


def bar_run(records: list[bytes], every: str = "1s", period: str = "15m") -> list[Packet]:
    return run(records, every, ("bars",), bars={"period": period, "atr_period": period})


def at_minutes(*quotes: tuple[int, int]) -> list[Trade]:
    """Trades of one contract at (minute, ticks)."""
    return [Trade(START + minute * MINUTE, "B", ticks, 1) for minute, ticks in quotes]


# ---- against pandas and Wilder


@given(st.binary(min_size=300, max_size=1500), st.sampled_from(["1s", "50ms", "7s", "1m", "1h"]),
       st.sampled_from([60, 300, 900]))
@slow
def test_bars_are_what_pandas_makes_of_the_same_trades(data: bytes, every: str, seconds: int) -> None:
    trades = tape(data)
    packets = bar_run(records_of(trades), every, f"{seconds}s")
    wanted = oracle.bars(trades, seconds)
    found = bars_of(packets)
    forming = last(packets).forming
    whole = [*found, forming] if forming else found
    assert [(int(bar.start), bar.open, bar.high, bar.low, bar.close, bar.volume, bar.buy, bar.sell, bar.trades)
            for bar in whole] == [
        (start, price(row.open), price(row.high), price(row.low), price(row.close), row["size"], row.buy, row.sell,
         row.trades) for start, row in wanted.iterrows()]
    assert last(packets).count == len(found)


@given(st.binary(min_size=900, max_size=2000))
@slow
def test_atr_is_wilders_of_the_closed_bars(data: bytes) -> None:
    for packet in bar_run(records_of(tape(data)), "1m", "1m")[-3:]:
        table = oracle.bars(oracle.before(tape(data), packet.ts), 60)
        closed = table[table.index < packet.ts - (0 if packet.closed else MINUTE)]
        wanted = oracle.wilder(list(closed.high), list(closed.low), list(closed.close))
        reading = packet.slots["bars"]
        assert reading.atr == (None if wanted is None else pytest.approx(wanted * 0.1, abs=2e-6))
        assert ("bars.atr" in packet.missing) == (wanted is None)


def test_after_fourteen_true_ranges_of_one_point_a_range_of_fifteen_makes_an_atr_of_two() -> None:
    closes = [20_000 + 10 * (minute % 2) for minute in range(15)]  # each a point from the one before
    trades = at_minutes(*enumerate(closes), (15, closes[-1] + 150), (16, closes[-1] + 150))
    atrs = {packet.slots["bars"].count: packet.slots["bars"].atr for packet in bar_run(records_of(trades), "1m", "1m")}
    assert atrs[14] is None       # thirteen ranges: the first bar has no close before it
    assert atrs[15] == 1.0
    assert atrs[16] == 2.0        # (13 x 1 + 15) / 14


# ---- when a bar closes


def test_a_bar_closes_with_the_packet_that_ends_where_it_ends() -> None:
    packets = bar_run(records_of(at_minutes((0, 20_000), (1, 20_010), (2, 20_005))), "1m", "1m")
    assert [len(packet.slots["bars"].closed) for packet in packets] == [1, 1, 0]


def test_the_frame_that_the_input_breaks_off_closes_no_bar() -> None:
    packets = bar_run(records_of(at_minutes((0, 20_000))), "1h", "15m")
    assert packets[-1].closed is False
    assert (last(packets).bar, last(packets).count) == (None, 0)
    assert last(packets).forming.volume == 1
    assert packets[-1].missing["bars.bar"] == "no bar of 15m has closed yet"


def test_three_days_of_silence_make_no_bars_and_one_true_range_that_spans_them() -> None:
    three_days = 3 * 24 * 60
    quotes = [(minute, 20_000) for minute in range(14)] + [(three_days, 20_100), (three_days + 1, 20_100)]
    packets = bar_run(records_of(at_minutes(*quotes)), "1m", "1m")
    assert len(bars_of(packets)) == 15
    assert last(packets).atr == pytest.approx(10 / 14, abs=1e-6)  # 20,000 to 20,100 ticks is ten points


def test_a_trade_that_comes_after_its_bar_has_closed_counts_in_the_next() -> None:
    edge = START + MINUTE
    late = trade("B", 2001.0, 7, ts_event=edge - 5, ts_recv=edge - 5)
    records = [
        mapping("GCJ6", "GCJ6"), trade("B", 2000.0, 1, ts_event=START, ts_recv=START),
        *(bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=ts, ts_recv=ts) for ts in (edge, edge + SECOND // 5)), late,
        trade("B", 2000.0, 2, ts_event=edge + 2 * MINUTE, ts_recv=edge + 2 * MINUTE),
    ]
    found = bars_of(bar_run(records, "50ms", "1m"))
    assert [(int(bar.start), bar.volume) for bar in found] == [(START, 1), (edge, 7)]


def test_a_reading_that_nothing_changed_is_the_same_object() -> None:
    quotes = [bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=START + second * SECOND, ts_recv=START + second * SECOND)
              for second in range(1, 5)]
    first = trade("B", 2000.0, 1, ts_event=START, ts_recv=START)
    packets = bar_run([mapping("GCJ6", "GCJ6"), first, *quotes])
    assert len(packets) == 5
    assert all(packet.slots["bars"] is packets[0].slots["bars"] for packet in packets)


def rolled(first: int, *, before: int = 20) -> list[Packet]:
    """Minutes of one contract at 2000.0, then of another at this price, in ticks."""
    old = records_of(at_minutes(*[(minute, 20_000) for minute in range(before)]))
    new = [mapping("GCJ6", "GCM6", instrument=2),
           *(trade("B", price(first), 1, ts_event=START + minute * MINUTE, ts_recv=None, instrument=2)
             for minute in range(20, 23))]
    return bar_run(old + new, "1m", "1m")


def test_at_a_roll_prices_move_by_the_gap_so_that_no_range_spans_it() -> None:
    reading = last(rolled(21_000))
    assert (reading.count, reading.atr, reading.bar.low) == (22, 0.0, 2100.0)


def test_the_bar_before_a_roll_is_told_in_the_new_contracts_terms_once_these_are_known() -> None:
    packets = rolled(20_123)
    assert [packet.slots["bars"].bar.close for packet in packets[-5:-2]] == [2000.0, 2000.0, 2012.3]


def test_a_roll_within_a_bar_leaves_one_bar_of_both_contracts_less_the_gap() -> None:
    old = records_of([Trade(START, "B", 20_000, 3), Trade(START + SECOND, "B", 20_004, 2)])
    new = [mapping("GCJ6", "GCM6", instrument=2),
           *(trade("A", value, 1, ts_event=ts, ts_recv=None, instrument=2)
             for value, ts in ((2100.0, START + 30 * SECOND), (2099.8, START + 31 * SECOND), (2100.0, START + MINUTE)))]
    for every in ("1s", "50ms", "1m"):
        bar = last(bar_run(old + new, every, "1m")).bar
        assert (bar.open, bar.high, bar.low, bar.close) == (2099.6, 2100.0, 2099.6, 2099.8)
        assert (bar.volume, bar.buy, bar.sell, bar.trades) == (7, 5, 2, 4)


def test_another_contract_without_a_known_gap_starts_the_bars_anew() -> None:
    engines = Engines(("bars",), {"bars": {"period": "1m", "atr_period": "1m"}})
    for contract, (first, at) in enumerate(((0, 20_000), (20, 21_000)), 1):  # two inputs: the router tells no gap
        trades = at_minutes(*[(minute, at) for minute in range(first, first + 20 - 17 * (contract - 1))])
        packets = run(records_of(trades, instrument=contract), "1m", ())
        for one in packets:
            engines.update(one)
    reading = last(packets)
    assert (reading.count, reading.atr, reading.atr_since, reading.bar.low) == (2, None, None, 2100.0)


# ---- from ready-made bars


def minute_bar(minute: int, close: float, volume: int = 5, interval: str = "1m") -> bytes:
    return ohlcv((close, close + 0.5, close - 0.5, close), volume, ts_event=START + minute * MINUTE, interval=interval)


def test_minute_bars_make_quarters_without_sides_or_counts() -> None:
    packets = bar_run([mapping("GCJ6", "GCJ6"), *(minute_bar(minute, 2000.0 + minute) for minute in range(31))])
    first, second = bars_of(packets)
    assert (first.open, first.high, first.low, first.close, first.volume) == (2000.0, 2014.5, 1999.5, 2014.0, 75)
    assert (first.buy, first.sell, first.trades) == (None, None, None)
    assert (int(second.start), second.volume) == (START + QUARTER, 75)


@pytest.mark.parametrize("every", ["1s", "1m"])
def test_a_history_of_minutes_warms_up_the_bars_of_the_trades_that_follow(every: str) -> None:
    """Sixteen quarters of minutes, the last of them cut short; from its eleventh minute on it is made of trades."""
    history = [minute_bar(minute, 2000.0 + minute % 2) for minute in range(16 * 15 + 10)]
    begins = START + (16 * 15 + 10) * MINUTE
    trades = [trade("B", price, 1, ts_event=begins + second * SECOND, ts_recv=None)
              for second, price in ((1, 2003.0), (299, 2000.0), (300, 2002.0), (1300, 2002.0))]
    packets = run([mapping("GCJ6", "GCJ6"), *history, *trades], every, ("bars",))
    reading = last(packets)
    assert reading.count == 18
    assert [(bar.high, bar.volume, bar.buy) for bar in bars_of(packets)[-2:]] == [(2003.0, 52, None), (2002.0, 1, 1)]
    assert reading.atr is not None


def test_the_last_minute_counts_though_a_quote_ends_the_frame_before_it() -> None:
    """A minute's bar comes at its end, in the frame that begins there."""
    quote = bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=START + QUARTER - 1, ts_recv=START + QUARTER - 1)
    records = [minute_bar(minute, 2000.0) for minute in range(14)]
    packets = bar_run([mapping("GCJ6", "GCJ6"), *records, quote, *(minute_bar(minute, 2000.0) for minute in (14, 15))])
    assert [(int(bar.start), bar.volume) for bar in bars_of(packets)] == [(START, 75)]


def test_of_bars_in_two_lengths_only_the_shorter_count() -> None:
    records: list[bytes] = [mapping("GCJ6", "GCJ6")]
    for minute in range(121):
        records.append(minute_bar(minute, 2000.0))
        if minute in (59, 119):
            records.append(minute_bar(minute - 59, 2000.0, 300, "1h"))
    found = bars_of(bar_run(records))
    assert [bar.volume for bar in found] == [75] * 8


def test_quarters_cannot_be_made_of_hours() -> None:
    packets = bar_run([mapping("GCJ6", "GCJ6"), *(minute_bar(60 * hour, 2000.0, interval="1h") for hour in range(3))])
    assert all(packet.slots["bars"] is None for packet in packets)
    assert packets[-1].missing["bars"] == "bars of 15m cannot be made of bars of 3600 s"


def test_hours_can_be_made_of_hours() -> None:
    records = [mapping("GCJ6", "GCJ6"), *(minute_bar(60 * hour, 2000.0, interval="1h") for hour in range(3))]
    assert [bar.volume for bar in bars_of(bar_run(records, "1s", "1h"))] == [5, 5]


def test_quotes_alone_make_no_bars_and_say_so() -> None:
    packets = bar_run([mapping("GCJ6", "GCJ6"), bbo((2000.0, 1, 1), (2000.1, 1, 1), ts_event=START, ts_recv=START)])
    assert packets[-1].slots["bars"] is None
    assert packets[-1].missing["bars"] == "needs trades or ohlcv, input is bbo"


# ---- trade dates


CHICAGO = ZoneInfo("America/Chicago")


def chicago(text: str) -> int:
    """ns of a Chicago time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CHICAGO).timestamp()) * SECOND


def test_a_daily_bar_is_a_trade_date_from_17_00_to_17_00_in_chicago() -> None:
    times = ["2026-03-05T16:59:59", "2026-03-05T17:00", "2026-03-06T15:59:59",  # Friday's trade date
             "2026-03-08T17:00", "2026-03-09T12:00", "2026-03-09T17:00"]        # clocks went forward on Sunday
    trades = [Trade(chicago(text), "B", 20_000 + place, 1) for place, text in enumerate(times)]
    found = bars_of(bar_run(records_of(trades), "1s", "1d"))
    assert [(int(bar.start), bar.interval, bar.open, bar.close) for bar in found] == [
        (chicago("2026-03-04T17:00"), 86_400, 2000.0, 2000.0),
        (chicago("2026-03-05T17:00"), 3 * 86_400 - 3600, 2000.1, 2000.2),
        (chicago("2026-03-08T17:00"), 86_400, 2000.3, 2000.4)]


def test_hours_make_trade_dates() -> None:
    start = chicago("2026-03-09T17:00")
    hours = [ohlcv((2000.0, 2001.0 + hour, 1999.0, 2000.0), 1, ts_event=start + hour * 60 * MINUTE, interval="1h")
             for hour in range(49)]
    found = bars_of(bar_run([mapping("GCJ6", "GCJ6"), *hours], "1s", "1d"))
    assert [(bar.high, bar.volume) for bar in found] == [(2024.0, 24), (2048.0, 24)]


def days() -> list[bytes]:
    return [mapping("GCJ6", "GCJ6"), *(
        ohlcv((2000.0, 2001.0, 1999.0, 2000.0), 9, ts_event=MIDNIGHT + day * 1440 * MINUTE, interval="1d")
        for day in range(3))]


def test_a_trade_date_cannot_be_made_of_ready_made_days_for_these_are_of_utc() -> None:
    packets = bar_run(days(), "1s", "1d")
    assert packets[-1].slots["bars"] is None
    assert packets[-1].missing["bars"] == (
        "a trade date cannot be made of bars of 86400 s: those of a day cover UTC days; "
        "use ohlcv-1h or shorter, or bars of 24h")


def test_bars_of_24_hours_are_utc_days_and_can_be_made_of_ready_made_ones() -> None:
    assert [int(bar.start) for bar in bars_of(bar_run(days(), "1s", "24h"))] == [
        MIDNIGHT, MIDNIGHT + 1440 * MINUTE]


def test_the_vendors_day_opens_with_the_hour_from_midnight_utc() -> None:
    folder = SHARED / "data" / "databento"
    if not folder.is_dir():
        pytest.skip("the real files are not here")
    first = {interval: read_dbn(folder / f"test_data.ohlcv-{interval}.dbn.zst")[0] for interval in ("1d", "1h")}
    starts = {int.from_bytes(record[8:16], "little") % (86_400 * SECOND) for record in first.values()}
    opens = {record[16:24] for record in first.values()}
    assert (starts, len(opens)) == ({0}, 1)


# ---- bars that cannot be right


def test_ready_made_bars_that_cannot_be_right_are_left_out_and_counted() -> None:
    sound = [minute_bar(minute, 2000.0 + minute) for minute in range(6)]
    broken = [ohlcv((2002.0, 2001.0, 1999.0, 2000.0), 5, ts_event=START + 6 * MINUTE, interval="1m"),
              ohlcv((2000.0, 2001.0, 1999.0, 2000.0), 0, ts_event=START + 7 * MINUTE, interval="1m")]
    packets = bar_run([mapping("GCJ6", "GCJ6"), *sound, *broken], "1m", "1m")
    told = [(one.slots["bars"].rejected, one.slots["bars"].rejected_reason) for one in packets]
    assert told[-3:] == [(0, None), (1, "open or close outside low to high"), (2, "no volume")]
    assert [bar.close for bar in bars_of(packets)] == [2000.0 + minute for minute in range(6)]


def test_a_bar_whose_high_is_below_its_low_is_left_out() -> None:
    """The reader refuses such a record; another source of bars need not."""
    pieces = Pieces()
    assert pieces.of(bars_packet(BarInput(str(START), 60, 2.0, 1.0, 3.0, 2.0, 1))) == []
    assert (pieces.rejected, pieces.reason) == (1, "high below low")


@pytest.mark.parametrize(("second", "words"), [
    (60, "the same time twice"), (30, "begins before the bar before it ends"),
    (-60, "begins before the bar before it ends"),
])
def test_a_ready_made_bar_does_not_go_back_in_time(second: int, words: str) -> None:
    pieces, row = Pieces(), BarInput(str(START + 60 * SECOND), 60, 1.0, 1.0, 1.0, 1.0, 1)
    assert pieces.of(bars_packet(row)) == [row]
    assert pieces.of(bars_packet(replace(row, ts=str(START + second * SECOND)))) == []
    assert (pieces.rejected, pieces.reason) == (1, words)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [nan, inf, -inf, 9223372036.854775807])
def test_a_price_that_is_no_number_is_left_out(name: str, value: float) -> None:
    row = replace(BarInput(str(START), 60, 1.0, 1.0, 1.0, 1.0, 1), **{name: value})
    pieces = Pieces()
    assert pieces.of(bars_packet(row)) == []
    assert (pieces.rejected, pieces.reason) == (1, "a price is not a number")


def bars_packet(*rows: BarInput) -> Packet:
    """A packet with these ready-made bars."""
    return handmade.packet(inputs=Inputs(None, list(rows), None, None))


# ---- parameters


@pytest.mark.parametrize("period", ["1500ms", "0s"])
def test_a_bar_that_is_not_whole_seconds_long_is_refused(period: str) -> None:
    with pytest.raises(ConfigurationError, match="whole seconds"):
        Engines(("bars",), {"bars": {"period": period}})


def test_a_period_that_is_no_duration_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match="such as 50ms"):
        Engines(("bars",), {"bars": {"period": "quarter"}})


# ---- real data


@dataclass
class Lean:
    """One contract's day of gold: ticks and the minute bars that the publisher made of them."""

    ticks: list[tuple[int, float, int]]
    minutes: list[tuple[int, float, float, float, float, int]]


@pytest.fixture(scope="module")
def gold() -> Lean:
    folder = SHARED / "data" / "gold"
    if not folder.is_dir():
        pytest.skip("the real files are not here")
    rows = {}
    for kind in ("tick", "minute"):
        with zipfile.ZipFile(folder / f"gc-20131007-{kind}-trades.zip") as archive:
            text = archive.read(f"20131007_gc_{kind}_trade_201312.csv").decode()
        rows[kind] = [line.split(",") for line in io.StringIO(text)]
    return Lean(
        [(int(row[0]), float(row[1]), int(row[2])) for row in rows["tick"]],
        [(int(row[0]), *map(float, row[1:5]), int(row[5])) for row in rows["minute"]],  # type: ignore[misc]
    )


def test_minutes_of_a_real_gold_day_are_those_that_its_publisher_made(gold: Lean) -> None:
    records = [mapping("GCZ3", "GCZ3")]
    records += [trade("N", at, size, ts_event=MIDNIGHT + ms * 1_000_000, ts_recv=None) for ms, at, size in gold.ticks]
    packets = run(records, "1m", ("bars",), bars={"period": "1m", "atr_period": "1m"})
    found = [((int(bar.start) - MIDNIGHT) // 1_000_000, bar.open, bar.high, bar.low, bar.close, bar.volume)
             for bar in bars_of(packets)]
    assert len(found) > 1000
    wanted = gold.minutes[:len(found)]
    assert found == wanted


def test_minutes_of_real_futures_trades_are_those_of_the_vendor() -> None:
    folder = SHARED / "data" / "mbp1"
    if not folder.is_dir():
        pytest.skip("the real files are not here")
    trades = read_dbn(folder / "esu4.trades.dbn.zst")
    instrument = int.from_bytes(trades[0][4:8], "little")
    router = Router(RouteOptions())
    engines = Engines(("bars",), {"bars": {"period": "1m"}})
    made: list[Any] = []
    for block in blocks(trades):
        for packet in [*router.read(block), *router.finish()]:
            engines.update(packet)
            made += packet.slots["bars"].closed
    vendor = bar_run([record for record in read_dbn(folder / "esu4.ohlcv-1m.dbn.zst")
                      if int.from_bytes(record[4:8], "little") == instrument], "1s", "1m")
    theirs = {bar.start: bar for bar in bars_of(vendor)}
    common = [bar for bar in made[1:] if bar.start in theirs]  # the first minute of the file is cut off
    assert len(common) >= 2
    for bar in common:
        other = theirs[bar.start]
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (
            other.open, other.high, other.low, other.close, other.volume)
