"""Engine astro: score and trend by hand and by pandas, what it says and when, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.commands import readings
from qmo_cli.engines.astro.almanac import END, FIRST
from qmo_cli.engines.astro.engine import Astro, score_of
from qmo_cli.engines.astro.reading import AstroReading
from qmo_cli.engines.astro.trend import Trend
from qmo_cli.pipeline import Engines, routed
from qmo_cli.router import RouteOptions, Router
from qmo_cli.times import moment
from qmo_cli.tray import Packet
from qmo_cli.views import AstroView

from . import engine_oracles as oracle
from .conftest import ROOT
from .engine_oracles import MINUTE, SECOND, Trade, price, records_of, run
from .handmade import packet
from .support import bbo, blocks, mapping, ohlcv

HOUR, DAY = 60 * MINUTE, 86_400 * SECOND
WINDOW = moment("2026-11-13T21:00Z", 0)      # Mercury and Venus turn
QUIET = moment("2026-11-22T21:00Z", 0)

slow = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def days_before(end: int, closes: Sequence[int], spread: int = 0) -> list[Trade]:
    """One trade date for each close, in ticks, the last on the weekday before ``end``: at 15:00 UTC, ``spread`` above
    and below on the way.
    """
    trades: list[Trade] = []
    day = end // DAY * DAY
    for close in reversed(closes):
        day -= DAY
        while pd.Timestamp(day).weekday() > 4:
            day -= DAY
        noon = day + 15 * HOUR
        way = (close + spread, close - spread, close) if spread else (close,)
        trades[:0] = [Trade(noon + step * SECOND, "B", ticks, 1) for step, ticks in enumerate(way)]
    return trades


def astro_run(trades: list[Trade], every: str = "1m") -> list[Packet]:
    return run(records_of(trades), every, ("astro",))


def reading_at(ts: int, trades: Sequence[Trade] = ()) -> Any:
    """What is said in the minute of a trade at this time, and the reasons."""
    last = astro_run([*trades, Trade(ts, "B", 20_000, 1)])[-1]
    return last.slots["astro"], last.missing


# ---- the score


def test_confidence_of_0_99_against_a_full_trend_scores_0_025() -> None:
    assert score_of(0.99, 1.0) == 0.025
    assert score_of(0.99, -1.0) == 0.975


def test_at_the_edge_of_a_window_and_without_a_trend_the_score_is_neutral() -> None:
    assert score_of(0.8, 1.0) == 0.5
    assert score_of(1.0, 0.0) == 0.5


def test_in_a_window_after_a_steady_rise_the_score_says_sell() -> None:
    """30 closes 1.0 apart, ranges of 2: C - SMA20 = 9.5, 2 ATR = 4, so t = 1 and all that is left is how rare it is."""
    reading, missing = reading_at(WINDOW + 30 * SECOND, days_before(WINDOW, range(20_000, 20_300, 10), spread=10))
    assert (reading.trend, reading.active, reading.reversal_window) == (1.0, True, True)
    assert reading.confidence == pytest.approx(0.990, abs=0.0005)
    assert reading.score == pytest.approx(0.5 - 0.5 * (reading.confidence - 0.8) / 0.2, abs=1e-6)
    assert missing == {path: why for path, why in missing.items() if not path.startswith("astro")}


def test_the_trend_is_how_far_the_close_is_from_its_mean_in_double_ranges() -> None:
    """19 closes at 2000 and one at 2003: the mean is 2000.15; ranges of 4, and 5 on the last day."""
    reading, _ = reading_at(WINDOW, days_before(WINDOW, [20_000] * 29 + [20_030], spread=20))
    atr = (13 * 4 + 5) / 14
    assert reading.trend == pytest.approx(2.85 / (2 * atr), abs=1e-6)


def prices(days: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-300, 300), min_size=days, max_size=days).map(
        lambda steps: [20_000 + sum(steps[:one + 1]) for one in range(days)])


@given(st.data(), st.integers(18, 30))
@slow
def test_trade_dates_and_trend_are_those_of_pandas(data: st.DataObject, days: int) -> None:
    """Two trades a day, before and after 17:00 Chicago, which is 22:00 UTC and from November on 23:00."""
    trades = []
    for day, (early, late) in enumerate(zip(data.draw(prices(days)), data.draw(prices(days)), strict=True)):
        midnight = moment("2026-10-12T00:00Z", 0) + day * DAY
        trades += [Trade(midnight + 20 * HOUR, "B", early, 1), Trade(midnight + 23 * HOUR + MINUTE, "A", late, 1)]
    trades = [one for one in trades if is_open(one.ts)]
    last = next(one for one in reversed(astro_run(trades, "1h")) if one.closed)
    assert last.slots["astro"].trend == trend_of(trades, last.ts)


def is_open(ts: int) -> bool:
    """Whether gold trades: not from Friday 16:00 to Sunday 17:00 Chicago."""
    clock = pd.Timestamp(ts, tz="UTC").tz_convert("America/Chicago")
    hours = clock.weekday() * 24 + clock.hour
    return not 4 * 24 + 16 <= hours < 6 * 24 + 17


def trend_of(trades: Sequence[Trade], ts: int) -> Any:
    """t of the trade dates that are over at a time, by pandas."""
    table = pd.DataFrame({"day": [oracle.trade_date(one.ts) for one in trades], "ticks": [one.ticks for one in trades]})
    days = table.groupby("day").ticks.agg(["max", "min", "last"])
    days = days[days.index < oracle.trade_date(ts)]
    if len(days) < 20:
        return None
    atr = oracle.wilder(list(days["max"]), list(days["min"]), list(days["last"]))
    away = days["last"].iloc[-1] - days["last"].iloc[-20:].mean()
    return pytest.approx(max(-1.0, min(1.0, away / (2 * atr))), abs=2e-6) if atr else None


def test_hours_of_ready_made_bars_make_the_same_trend_as_trades() -> None:
    trades = days_before(WINDOW, range(20_000, 20_250, 10), spread=15)
    closes = [one for one in trades if one.ts % HOUR == 2 * SECOND]
    hours = [ohlcv((price(one.ticks), price(one.ticks + 15), price(one.ticks - 15), price(one.ticks)), 3, interval="1h",
                   ts_event=one.ts // HOUR * HOUR) for one in closes]
    later = ohlcv((2000.0, 2000.0, 2000.0, 2000.0), 1, interval="1h", ts_event=WINDOW)
    last = run([mapping("GCZ6", "GCZ6"), *hours, later], "1h", ("astro",))[-1]
    assert last.slots["astro"].trend == reading_at(WINDOW, trades)[0].trend == 1.0


def test_a_roll_moves_the_closes_by_its_gap() -> None:
    """The gap is the new contract's first trade less the old one's last: without it the prices go on."""
    trades = days_before(WINDOW, [20_000 + 40 * (day % 3) for day in range(26)], spread=12)
    old, new = trades[:-27], [one._replace(ticks=one.ticks + 100) for one in trades[-27:]]
    gap = new[0].ticks - old[-1].ticks
    rolled = run([
        mapping("GC.v.0", "GCZ6", instrument=1), *records_of(old)[1:], mapping("GC.v.0", "GCG7", instrument=2),
        *records_of([*new, Trade(WINDOW, "B", 20_140, 1)], instrument=2)[1:]], "1m", ("astro",))[-1]
    straight, _ = reading_at(WINDOW, [*old, *(one._replace(ticks=one.ticks - gap) for one in new)])
    assert rolled.symbol == "GCG7"
    assert rolled.slots["astro"].trend == straight.trend
    assert 0 < abs(straight.trend) < 1


# ---- what is not known


def test_without_twenty_daily_bars_the_score_is_null_in_a_window_and_says_why() -> None:
    reading, missing = reading_at(WINDOW, days_before(WINDOW, range(20_000, 20_190, 10), spread=10))
    assert (reading.score, reading.trend, reading.active, reading.reversal_window) == (None, None, True, True)
    assert missing["astro.score"] == missing["astro.trend"] == "19 of 20 closed daily bars"


def test_outside_a_window_the_score_is_neutral_with_or_without_daily_bars() -> None:
    reading, missing = reading_at(QUIET)
    assert (reading.score, reading.active, reading.reversal_window, reading.window_start) == (0.5, False, False, None)
    assert missing["astro.trend"] == "0 of 20 closed daily bars"
    assert "astro.score" not in missing


def test_without_any_range_nothing_can_be_said_of_the_trend() -> None:
    reading, missing = reading_at(WINDOW, days_before(WINDOW, [20_000] * 25))
    assert (reading.score, missing["astro.score"]) == (None, "the daily bars have no range")


def test_quotes_alone_make_no_trend_but_the_sky_is_known() -> None:
    records = [mapping("GCZ6", "GCZ6"), bbo((2000.0, 3, 1), (2000.1, 3, 1), ts_event=WINDOW, ts_recv=WINDOW)]
    last = run(records, "1m", ("astro",))[-1]
    assert last.slots["astro"].confidence == pytest.approx(0.990, abs=0.0005)
    assert last.missing["astro.score"].startswith("needs trades or ohlcv")


@pytest.mark.parametrize("ts", [FIRST * SECOND - MINUTE, END * SECOND])
def test_outside_the_tables_confidence_is_0_and_the_reason_is_told(ts: int) -> None:
    engine = Astro()
    reading = engine.update(routed_packet(ts))
    assert reading == AstroReading(0.5, False, False, 0.0, None, None, None, None, [])
    assert engine.reasons["strength"] == "the tables of the sky cover 1990-2049"


@pytest.mark.parametrize("ts", [FIRST * SECOND, END * SECOND - 1])
def test_the_tables_cover_their_first_and_their_last_minute(ts: int) -> None:
    reading = Astro().update(routed_packet(ts))
    assert reading.strength is not None
    assert len([event for event in reading.events if event.contribution == 0]) == 3


def routed_packet(ts: int) -> Packet:
    """The packet of a trade, as of a given time."""
    one = run(records_of([Trade(WINDOW, "B", 20_000, 1)]), names=())[0]
    one.ts = ts
    return one


@pytest.mark.parametrize(("bar", "words"), [
    ((2000.0, 2001.0, 2000.5), "the last daily bar has its high below its low"),
    ((float("nan"), 2001.0, 2000.5), "the last daily bar has a price that is not a number"),
])
def test_a_bar_that_cannot_be_right_silences_the_trend_until_the_next(
    bar: tuple[float, float, float], words: str,
) -> None:
    trend = Trend()
    for _ in range(25):
        trend.add(2001.0, 1999.0, 2000.0)
    trend.add(*bar)
    assert (trend.value, trend.why_not) == (None, words)
    trend.add(2001.0, 1999.0, 2000.0)
    assert (trend.value, trend.why_not) == (0.0, "")


# ---- what it tells


def test_the_reading_of_two_stations() -> None:
    reading, _ = reading_at(WINDOW)
    assert (reading.window_start, reading.window_end) == ("2026-11-12T01:58:29Z", "2026-11-16T07:42:45Z")
    assert reading.strength == pytest.approx(3.762, abs=0.0005)
    assert [(one.time, one.name, one.kind, one.bodies, one.weight) for one in reading.events] == [
        ("2026-11-13T15:53:43Z", "Mercury direct", "station", ("Mercury",), 2.0),
        ("2026-11-14T00:27:02Z", "Venus direct", "station", ("Venus",), 2.0),
        ("2026-11-16T06:23:40Z", "Mars conjunct Jupiter", "aspect", ("Mars", "Jupiter"), 1.0),
        ("2026-11-18T09:38:38Z", "Sun square Jupiter", "aspect", ("Sun", "Jupiter"), 1.0),
        ("2026-11-19T17:49:05Z", "Sun square Mars", "aspect", ("Sun", "Mars"), 1.0),
    ]
    assert [one.contribution > 0 for one in reading.events] == [True, True, False, False, False]


@given(st.integers(FIRST, END - 1))
@slow
def test_contributions_add_up_to_strength_and_three_events_follow(second: int) -> None:
    reading = Astro().update(routed_packet(second * SECOND))
    shares = [event.contribution for event in reading.events]
    assert sum(shares) == pytest.approx(reading.strength, abs=1e-5)
    assert shares.count(0.0) >= 3
    assert [event.time for event in reading.events] == sorted(event.time for event in reading.events)
    assert reading.reversal_window == (reading.confidence >= 0.8) == (reading.window_start is not None)


def test_score_and_signal_see_the_window() -> None:
    view = packet(astro=msgspec.Raw(msgspec.json.encode(reading_at(WINDOW)[0]))).read("astro", AstroView)
    assert (view.score, view.active, view.reversal_window) == (None, True, True)


def test_its_events_are_not_lines_of_their_own() -> None:
    packets = astro_run([Trade(WINDOW, "B", 20_000, 1)])
    assert list(readings.event_lines([packets], ["astro"])) == [b""]


def test_it_says_what_the_evidence_is_where_it_is_listed() -> None:
    words = " ".join(readings.describe("astro").split())
    assert "none beat its null" in words
    assert "how rare the sky is, not how probable a reversal" in words


# ---- what it costs


def test_within_a_minute_the_reading_is_the_same_object() -> None:
    start = QUIET // MINUTE * MINUTE
    found = [one.slots["astro"] for one in astro_run(
        [Trade(start + step * SECOND, "B", 20_000 + step, 1) for step in range(1, 119)], "1s") if one.closed]
    assert len(found) == 117
    assert len({id(one) for one in found}) == 2  # frames end within two minutes


def test_it_starts_without_the_library_that_made_its_tables_and_reads_them_when_asked() -> None:
    code = (
        "import sys; from qmo_cli.pipeline import Engines; from qmo_cli.engines.astro.almanac import almanac; "
        "Engines(('all',)); assert almanac.cache_info().misses == 0; almanac(); assert 'ephem' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_two_series_have_trends_of_their_own() -> None:
    trades = days_before(WINDOW, range(20_000, 20_250, 10), spread=10)
    engines, router = Engines(("astro",)), Router(RouteOptions(every="1m"))
    mixed = [mapping("GCZ6", "GCZ6"), mapping("MGCZ6", "MGCZ6", instrument=2), *records_of(trades)[1:],
             *records_of([Trade(WINDOW, "B", 20_250, 1)])[1:],
             *records_of([Trade(WINDOW, "B", 20_250, 1)], instrument=2)[1:]]
    trends = {}
    for batch in routed(router, blocks(mixed)):
        for one in batch:
            engines.update(one)
            trends[one.series] = one.slots["astro"].trend
    assert trends == {"GCZ6": 1.0, "MGCZ6": None}
