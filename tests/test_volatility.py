"""Volatility: each estimator against numpy and pandas, by hand and on real gold; the yearly scale; the regime."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import e, log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.bars import Bar
from qmo_cli.engines.volatility import estimators
from qmo_cli.engines.volatility.engine import Volatility
from qmo_cli.engines.volatility.estimators import Moves, moves_of
from qmo_cli.engines.volatility.hours import open_seconds, year_before
from qmo_cli.errors import ConfigurationError
from qmo_cli.pipeline import Engines
from qmo_cli.sessions import session, trade_day_start
from qmo_cli.tray import Packet

from . import handmade
from .engine_oracles import SECOND, Trade, records_of, run, tape
from .support import SHARED, START, mapping, ohlcv, trade

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NAMES = ("bars", "volatility")
ESTIMATES = ("realized", "parkinson", "garman_klass", "yang_zhang", "ewma")
Prices = tuple[float, float, float, float]

slow = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def at(*text: int) -> int:
    """ns of a UTC time."""
    return int(datetime(*text, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[misc,arg-type]


def bars_run(
    bars: Iterable[tuple[int, Prices]], interval: str = "1h", every: str = "1s", period: str | None = None,
    **volatility: Any,
) -> list[Packet]:
    """The engine's packets on ready-made bars at these times."""
    records = [mapping("GCJ6", "GCJ6"), *(ohlcv(prices, 1, ts_event=ts, interval=interval) for ts, prices in bars)]
    return run(records, every, NAMES, bars={"period": period or interval}, volatility=volatility)


def hours(prices: Sequence[Prices], start: int = START) -> list[tuple[int, Prices]]:
    return [(start + hour * HOUR, one) for hour, one in enumerate(prices)]


def reading(packets: list[Packet]) -> Any:
    return packets[-1].slots["volatility"]


# ---- an independent answer


def table(prices: Sequence[Prices]) -> pd.DataFrame:
    return pd.DataFrame(prices, columns=["open", "high", "low", "close"], dtype=float)


def answers(prices: Sequence[Prices], window: int, decay: float = 0.94) -> dict[str, float]:
    """Standard deviations per bar as of the last bar, with pandas and numpy."""
    frame = table(prices)
    logs = np.log(frame)
    returns = logs.close.diff().dropna()
    jumps = (logs.open - logs.close.shift()).dropna()
    last = logs.tail(window)
    spread = last.high - last.low
    body = last.close - last.open
    satchell = ((last.high - last.close) * (last.high - last.open) + (last.low - last.close) * (last.low - last.open))
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    squares = returns.to_numpy() ** 2
    weights = decay ** np.arange(len(squares) - window)[::-1]
    ewma = np.sum((1 - decay) * weights * squares[window:]) + decay ** (len(squares) - window) * squares[:window].mean()
    return {
        "realized": sqrt(np.mean(returns.tail(window) ** 2)),
        "parkinson": sqrt(np.mean(spread ** 2) / (4 * np.log(2))),
        "garman_klass": sqrt(np.mean(0.5 * spread ** 2 - (2 * np.log(2) - 1) * body ** 2)),
        "yang_zhang": sqrt(jumps.tail(window).var(ddof=1) + k * body.var(ddof=1) + (1 - k) * satchell.mean()),
        "ewma": sqrt(ewma),
    }


def check_estimates(told: Any, wanted: dict[str, float]) -> None:
    found = {name: getattr(told, name).bar for name in ESTIMATES}
    assert found == pytest.approx(wanted, rel=1e-6, abs=2e-9)


steps = st.tuples(*[st.integers(0, 60)] * 4)


@given(st.lists(steps, min_size=12, max_size=60), st.sampled_from([2, 3, 8]))
@slow
def test_every_estimator_is_what_pandas_makes_of_the_same_bars(walk: list[tuple[int, ...]], window: int) -> None:
    prices, close = list[Prices](), 2000.0
    for jump, body, above, below in walk:
        start, close = close + (jump - 30) / 10, close + (jump - 30 + body - 30) / 10
        one = start, max(start, close) + above / 10, min(start, close) - below / 10, close
        prices.append(tuple(round(price, 1) for price in one))  # type: ignore[arg-type]
    packets = bars_run([*hours(prices), (START + 70 * HOUR, prices[-1])], window=window, history=10 * window)
    check_estimates(reading(packets), answers(prices, window))


def gold_days() -> list[tuple[int, Prices]]:
    """Daily bid prices of spot gold."""
    path = SHARED / "data" / "gold" / "xauusd-daily.zip"
    if not path.exists():
        pytest.skip("the real files are not here")
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.reader(io.StringIO(archive.read("xauusd.csv").decode())))
    return [(int(datetime.strptime(row[0], "%Y%m%d %H:%M").replace(tzinfo=UTC).timestamp()) * SECOND,
             tuple(map(float, row[1:5]))) for row in rows]  # type: ignore[misc]


def gold_hours() -> list[tuple[int, Prices]]:
    path = SHARED / "data" / "gold" / "xauusd-hourly-x100.csv.gz"
    if not path.exists():
        pytest.skip("the real files are not here")
    with gzip.open(path, "rt", newline="") as file:
        rows = [row for _, row in zip(range(1500), csv.reader(file), strict=False)][1:]
    return [(int(datetime.fromisoformat(row[0]).replace(tzinfo=UTC).timestamp()) * SECOND,
             tuple(float(price) / 100 for price in row[1:5])) for row in rows]  # type: ignore[misc]


@pytest.mark.parametrize("window", [20, 60])
def test_estimates_of_real_gold_days_are_those_of_pandas(window: int) -> None:
    days = [(ts, prices) for ts, prices in gold_days()[:1200] if prices[1] >= prices[2]]
    packets = bars_run(days, "1d", "24h", "24h", window=window, history=10 * window)
    sound = reading(packets)
    rejected = packets[-1].slots["bars"].rejected
    kept = [one for _, one in days if one[2] <= min(one[0], one[3]) and max(one[0], one[3]) <= one[1]]
    assert len(days) - len(kept) == rejected
    check_estimates(sound, answers(kept[:-1] if packets[-1].slots["bars"].forming else kept, window))
    assert 0.05 < sound.yang_zhang.annual < 0.6


def test_estimates_and_percentiles_of_real_gold_hours_are_those_of_pandas() -> None:
    rows = gold_hours()
    packets = bars_run(rows, "1h", "1h", window=24, history=400)
    closed = [(int(bar.start), (bar.open, bar.high, bar.low, bar.close))
              for one in packets for bar in one.slots["bars"].closed]
    assert len(closed) > 1300
    check_estimates(reading(packets), answers([prices for _, prices in closed], 24))
    values = [one.slots["volatility"].yang_zhang.annual for one in packets
              if one.slots["bars"].closed and one.slots["volatility"].yang_zhang]
    wanted = pd.Series(values[-401:-1])
    rank = 100 * ((wanted < values[-1]).sum() + 0.5 * (wanted == values[-1]).sum()) / 400
    assert reading(packets).percentile == pytest.approx(rank, abs=0.01)


# ---- by hand


def bar(*prices: float) -> Bar:
    return Bar("0", 3600, *prices, 1, None, None, None)


def test_moves_are_logarithms_from_the_close_before_and_from_the_open() -> None:
    moves = moves_of(bar(2 * e, 8 * e, e, 4 * e), e)
    assert (moves.jump, moves.up, moves.down, moves.close) == pytest.approx((log(2), log(4), -log(2), log(2)))
    assert moves.whole == pytest.approx(log(4))


def test_the_range_of_one_bar_by_hand() -> None:
    one = [Moves(0.0, 0.6, -0.4, 0.5)]              # H/L = e, C/O = sqrt(e)
    assert estimators.parkinson(one) == pytest.approx(0.36067376)     # 1/(4 ln 2)
    assert estimators.garman_klass(one) == pytest.approx(0.40342641)  # .5 - .38629436 / 4
    assert estimators.rogers_satchell(one) == pytest.approx(0.42)     # .6 x .1 + .4 x .9
    assert estimators.realized(one) == 0.25


def test_yang_zhang_of_three_bars_by_hand() -> None:
    three = [Moves(0.01, 0.02, -0.01, 0.01), Moves(-0.01, 0.01, -0.03, -0.02), Moves(0.03, 0.02, -0.02, 0.01)]
    # so^2 = (0^2 + .02^2 + .02^2)/2 = 4e-4, sc^2 = (.01^2 + .02^2 + .01^2)/2 = 3e-4
    # srs^2 = (2e-4 + 2e-4 + 3e-4 + 3e-4 + 2e-4 + 6e-4)/3 = 6e-4, k = .34/(1.34 + 4/2)
    k = 0.34 / 3.34
    assert estimators.yang_zhang(three) == pytest.approx(4e-4 + k * 3e-4 + (1 - k) * 6e-4)


def test_a_market_that_only_jumps_has_no_range_and_yang_zhang_sees_it_all_the_same() -> None:
    jumps = [Moves(jump, 0.0, 0.0, 0.0) for jump in (0.01, -0.01)]
    assert estimators.parkinson(jumps) == estimators.garman_klass(jumps) == 0
    assert estimators.yang_zhang(jumps) == pytest.approx(2e-4)
    assert estimators.realized(jumps) == pytest.approx(1e-4)


def test_a_steady_drift_is_no_volatility_to_yang_zhang() -> None:
    drift = [Moves(0.001, 0.01, 0.0, 0.01)] * 10
    assert estimators.yang_zhang(drift) == pytest.approx(0.0, abs=1e-18)
    assert estimators.realized(drift) == pytest.approx(0.011 ** 2)


def test_all_estimators_find_the_volatility_of_a_random_walk() -> None:
    """500 bars of 2,000 steps: sampled in steps a range is a little too short."""
    path = np.cumsum(np.random.default_rng(7).normal(0, 0.01 / sqrt(2000), 500 * 2000)).reshape(500, 2000)
    moves, before = list[Moves](), 0.0
    for one in path:
        start = before
        moves.append(Moves(0.0, max(0.0, max(one) - start), min(0.0, min(one) - start), one[-1] - start))
        before = one[-1]
    for estimator in (estimators.realized, estimators.parkinson, estimators.garman_klass, estimators.yang_zhang):
        assert sqrt(estimator(moves)) == pytest.approx(0.01, rel=0.06)


# ---- the yearly scale


def test_a_full_trade_date_is_23_hours_and_a_week_115() -> None:
    assert open_seconds(at(2026, 1, 26, 23), at(2026, 1, 27, 23)) == 23 * 3600
    assert open_seconds(at(2026, 1, 25), at(2026, 2, 1)) == 5 * 23 * 3600
    assert open_seconds(at(2026, 3, 8), at(2026, 3, 15)) == 5 * 23 * 3600     # clocks go forward


def test_open_time_is_what_counting_every_five_minutes_gives() -> None:
    start, end = at(2025, 11, 20, 7), at(2025, 12, 29, 3, 20)                 # Thanksgiving and Christmas
    counted = sum(300 for ts in range(start, end, 300 * SECOND) if session(ts).open)
    assert open_seconds(start, end) == counted
    assert counted < 115 * 3600 * 39 / 7


def test_time_in_which_the_exchange_is_closed_counts_nothing() -> None:
    saturday = at(2026, 1, 31)
    assert open_seconds(saturday, saturday + DAY) == 0
    assert open_seconds(saturday, saturday) == 0
    assert open_seconds(saturday + HOUR, saturday) == 0


def test_a_year_is_some_258_trade_dates_of_23_hours() -> None:
    year = year_before(trade_day_start(at(2026, 1, 27, 12)))
    assert 255 * 23 < year / 3600 < 261 * 23


def flat(count: int, spread: float = 2.0) -> list[Prices]:
    return [(2000.0, 2000.0 + spread, 2000.0 - spread, 2000.0)] * count


def test_annual_is_per_bar_times_the_root_of_bars_in_a_year() -> None:
    monday = at(2026, 1, 26, 0)
    told = reading(bars_run(hours(flat(12), monday), window=10, history=100))
    assert told.bar_seconds == 3600
    assert told.year_hours == year_before(trade_day_start(monday)) / 3600
    assert told.parkinson.annual == pytest.approx(told.parkinson.bar * sqrt(told.year_hours), rel=1e-5)


def test_the_hour_in_which_the_exchange_is_closed_is_no_time_of_a_bar() -> None:
    monday = at(2026, 1, 26, 17)        # 22:00 to 23:00 UTC is 16:00 to 17:00 in Chicago
    rows = [one for one in hours(flat(13), monday) if one[0] != at(2026, 1, 26, 22)]
    told = reading(bars_run(rows, window=10, history=100))
    assert told.bar_seconds == 3600


def test_bars_of_a_weekend_have_no_yearly_scale_and_say_so() -> None:
    packets = bars_run(hours(flat(12), at(2026, 1, 31, 0)), window=10, history=100)
    told = reading(packets)
    assert told.parkinson.bar > 0
    assert (told.parkinson.annual, told.percentile, told.regime, told.bar_seconds) == (None, None, None, None)
    assert packets[-1].missing["volatility.parkinson.annual"] == "the exchange was closed in all of the window"
    assert packets[-1].missing["volatility.regime"] == "the exchange was closed in all of the window"


# ---- warm-up and regime


def test_until_the_window_is_full_estimates_are_null_and_say_how_far_it_is() -> None:
    packets = bars_run(hours(flat(12)), window=10, history=100)
    eighth = next(one for one in packets if one.slots["bars"].count == 8)
    assert eighth.slots["volatility"].yang_zhang is None
    assert eighth.missing["volatility.yang_zhang"] == "7 of 10 bars after another"
    assert eighth.missing["volatility.regime"] == "0 of 100 earlier windows"
    assert eighth.missing["volatility.atr"] == "7 of 14 true ranges of a bar of 1h"
    assert reading(packets).yang_zhang is not None


def regimes(spreads: Sequence[float], **settings: Any) -> list[Packet]:
    monday = at(2026, 1, 26, 0)
    rows = [(monday + place * MINUTE, flat(1, spread)[0]) for place, spread in enumerate(spreads)]
    return bars_run(rows, "1m", "1m", window=2, history=20, **settings)


def test_a_regime_is_low_normal_or_high_by_rank_among_earlier_windows() -> None:
    spreads = [1 + place % 10 for place in range(40)]
    calm = regimes([*spreads, 0.1, 0.1, 0.1])
    assert (reading(calm).percentile, reading(calm).regime) == (0.0, "low")
    usual = regimes([*spreads, 5.5, 5.5, 5.5])
    # of ten neighbours 1 2, 2 3, ... 10 1 four have a mean square below that of 5.5 5.5
    assert (reading(usual).percentile, reading(usual).regime) == (40.0, "normal")
    wild = regimes([*spreads, 50.0, 50.0, 50.0])
    assert (reading(wild).percentile, reading(wild).regime) == (100.0, "high")


def test_equal_windows_stand_in_the_middle_and_the_cuts_are_parameters() -> None:
    told = reading(regimes([3.0] * 40))
    assert (told.percentile, told.regime) == (50.0, "normal")
    assert reading(regimes([3.0] * 40, high=45.0)).regime == "high"
    assert reading(regimes([3.0] * 40, low=55.0)).regime == "low"


def test_the_percentile_needs_ten_windows_of_earlier_values() -> None:
    packets = regimes([3.0] * 40)
    known = [one.slots["bars"].count for one in packets if one.slots["volatility"].percentile is not None]
    assert known[0] == 2 + 20 + 1      # the first window is full with the third bar; twenty are before the one told
    assert packets[-1].missing.get("volatility.regime") is None


def test_between_closed_bars_the_reading_is_the_same_object() -> None:
    trades = [Trade(START + place * 20 * SECOND, "B", 20_000 + place, 1) for place in range(90)]
    packets = run(records_of(trades), "1s", NAMES, bars={"period": "1m"}, volatility={"window": 2, "history": 20})
    for one, other in pairwise(packets):
        same = one.slots["volatility"] is other.slots["volatility"]
        assert same == (not other.slots["bars"].closed)


def test_atr_is_that_of_the_same_bars() -> None:
    packets = bars_run(hours(flat(20)), window=2, history=20)
    assert reading(packets).atr == packets[-1].slots["bars"].bar_atr == 4.0


# ---- rolls, and what cannot be known


def roll_packets(shift: float) -> list[Packet]:
    """Minutes of one contract, then of one that stands elsewhere; both move in the same way."""
    closes = [2000.0 + (minute % 3) for minute in range(12)]
    old = [trade("B", price, 1, ts_event=START + minute * MINUTE, ts_recv=None)
           for minute, price in enumerate(closes[:6])]
    new = [trade("B", round(price + shift, 1), 1, ts_event=START + minute * MINUTE, ts_recv=None, instrument=2)
           for minute, price in enumerate(closes[6:], 6)]
    records = [mapping("GCJ6", "GCJ6"), *old, mapping("GCJ6", "GCM6", instrument=2), *new]
    return run(records, "1m", NAMES, bars={"period": "1m"}, volatility={"window": 4, "history": 40})


def test_a_roll_is_no_return() -> None:
    for shift in (30.0, -25.5):
        told = [one.slots["volatility"].realized for one in roll_packets(shift) if one.slots["volatility"].realized]
        assert len(told) >= 5
        assert all(0 < estimate.bar < 0.0015 for estimate in told)  # 2 points of 2,000; the gap would be ten times that


def test_after_a_roll_without_a_known_gap_one_return_is_lost_and_nothing_else() -> None:
    engine = Volatility(window=2, history=20)
    engines = Engines(NAMES, {"bars": {"period": "1m"}})
    bars = engines.models[0]
    for contract, ticks in ((1, 20_000), (2, 25_000)):  # two inputs: the router tells no gap
        trades = [Trade(START + ((contract - 1) * 10 + minute) * MINUTE, "B", ticks + minute % 2, 1)
                  for minute in range(8)]
        for packet in run(records_of(trades, instrument=contract), "1m", ()):
            packet.slots["bars"] = bars.update(packet)
            told: Any = engine.update(packet)
    assert told.realized.bar == pytest.approx(log(2500.1 / 2500), rel=1e-4)


def test_a_price_of_nothing_has_no_logarithm_and_its_bars_are_left_out() -> None:
    prices = [*flat(4), (1.0, 1.0, -3.0, -2.0), *flat(5)]
    told = reading(bars_run(hours(prices), window=5, history=50))
    assert told.bars == 5
    assert told.realized.bar == 0.0


def test_without_bars_there_is_no_volatility_and_it_says_why() -> None:
    engine = Volatility()
    packet = handmade.packet(bars=None, missing={"bars": "needs trades or ohlcv, input is bbo"})
    assert engine.update(packet).reason == "needs trades or ohlcv, input is bbo"  # type: ignore[union-attr]
    alone = handmade.packet()
    del alone.slots["bars"]
    assert engine.update(alone).reason == "needs engine bars"  # type: ignore[union-attr]


@pytest.mark.parametrize("wrong", [
    {"window": 1}, {"decay": 1.0}, {"decay": 0.0}, {"low": 80.0, "high": 20.0}, {"low": 0.0}, {"high": 100.0},
    {"window": 20, "history": 199}, {"decay": float("nan")},
])
def test_parameters_that_make_no_estimate_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="volatility"):
        Engines(NAMES, {"volatility": wrong})


@given(st.binary(min_size=300, max_size=1500), st.sampled_from(["volume", "range"]))
@settings(slow, max_examples=10)
def test_bars_of_every_kind_have_a_volatility_that_no_frame_changes(data: bytes, kind: str) -> None:
    size = {"volume": 40.0, "range": 3.0}[kind]
    last = []
    for every in ("1s", "1m"):
        packets = run(records_of(tape(data)), every, NAMES, bars={"kind": kind, "size": size},
                      volatility={"window": 3, "history": 30})
        last.append([one.slots["volatility"] for one in packets if one.slots["bars"].closed][-1:])
    assert last[0] == last[1]
