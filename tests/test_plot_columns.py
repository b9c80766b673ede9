"""Columns of pixels lose no extreme, and the time axis tells the truth about silences."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.plot.columns import held, line, squeezed, steps, sums
from qmo_cli.plot.labels import apart
from qmo_cli.plot.timescale import LEFT_OF_IT, TimeScale

UTC, CHICAGO = ZoneInfo("UTC"), ZoneInfo("America/Chicago")
NAN = float("nan")
OPEN = datetime(2024, 7, 1, 13, 0, tzinfo=UTC).timestamp()

prices = st.one_of(st.integers(-50, 50).map(float), st.just(NAN))
tapes = st.lists(st.tuples(st.integers(0, 1000), prices, st.integers(0, 9), st.integers(0, 9)), max_size=60)


def bars(tape: list[tuple[int, float, int, int]]) -> tuple[np.ndarray, ...]:
    """Ascending times, and open, high, low and close at each."""
    rows = sorted(tape, key=lambda row: row[0])
    x, middle, up, down = (np.array([row[place] for row in rows], float) for place in range(4))
    return x, middle, middle + up, middle - down, middle + up / 2


@given(tapes, st.integers(1, 40))
def test_every_column_has_the_first_highest_lowest_and_last_of_its_rows(
    tape: list[tuple[int, float, int, int]], count: int,
) -> None:
    x, *ohlc = bars(tape)
    columns = squeezed(x, tuple(ohlc), 0.0, 1000.0, count)  # type: ignore[arg-type]
    groups: dict[int, list[int]] = {}
    for index, place in enumerate(x):
        groups.setdefault(min(int(place * (count / 1000.0)), count - 1), []).append(index)
    assert len(columns.x) == len(groups) <= count
    for column, rows in enumerate(groups.values()):
        highs, lows = ([value for value in ohlc[of][rows] if value == value] for of in (1, 2))  # noqa: PLR0124  not NaN
        assert columns.x[column] == x[rows[0]]
        np.testing.assert_equal(columns.open[column], ohlc[0][rows[0]])
        np.testing.assert_equal(columns.high[column], max(highs, default=NAN))
        np.testing.assert_equal(columns.low[column], min(lows, default=NAN))
        np.testing.assert_equal(columns.close[column], ohlc[3][rows[-1]])


@given(tapes.filter(lambda tape: any(row[1] == row[1] for row in tape)), st.integers(1, 40))
def test_the_path_of_the_price_touches_the_highest_and_the_lowest(
    tape: list[tuple[int, float, int, int]], count: int,
) -> None:
    x, *ohlc = bars(tape)
    _, path = steps(squeezed(x, tuple(ohlc), 0.0, 1000.0, count), 1e9)  # type: ignore[arg-type]
    assert (np.nanmax(path), np.nanmin(path)) == (np.nanmax(ohlc[1]), np.nanmin(ohlc[2]))


def test_a_spike_of_one_second_in_a_day_is_drawn() -> None:
    x, y = np.arange(82_800.0), np.full(82_800, 4000.0)
    y[54_321] = 4123.4
    at, drawn = line(x, y, 0.0, 82_800.0, 1_200)
    assert drawn.max() == 4123.4
    assert abs(at[drawn.argmax()] - 54_321) < 82_800 / 1_200
    assert len(drawn) == 4 * 1_200


def test_a_price_stays_where_it_was_until_it_moves() -> None:
    first, high, low, last = (np.array(pair) for pair in ([1.0, 3.0], [2.0, 4.0], [0.5, 3.0], [1.5, 3.5]))
    columns = squeezed(np.array([0.0, 10.0]), (first, high, low, last), 0.0, 100.0, 100)
    x, y = steps(columns, 60.0)
    assert list(x) == [0.0] * 5 + [10.0] * 5
    np.testing.assert_equal(list(y), [NAN, 1.0, 0.5, 2.0, 1.5, 1.5, 3.0, 3.0, 4.0, 3.5])


def test_a_path_and_a_line_break_where_nothing_came_for_too_long() -> None:
    one = np.array([1.0, 2.0, 3.0])
    _, y = steps(squeezed(np.array([0.0, 60.0, 121.0]), (one, one, one, one), 0.0, 200.0, 200), 60.0)
    assert [bool(np.isnan(y[place])) for place in (0, 5, 10)] == [True, False, True]
    at, values = held(np.array([0.0, 60.0, 121.0]), one, 60.0)
    np.testing.assert_equal([*zip(at, values, strict=True)], [(0.0, 1.0), (60.0, 2.0), (60.0, NAN), (121.0, 3.0)])


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(-9, 9)), max_size=60), st.integers(1, 60))
def test_sums_over_spans_lose_no_contract(rows: list[tuple[int, int]], width: int) -> None:
    rows.sort()
    begins, total = sums(np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], float), width)
    expected: dict[int, int] = {}
    for second, contracts in rows:
        expected[second // width * width] = expected.get(second // width * width, 0) + contracts
    assert dict(zip(begins.tolist(), total.tolist(), strict=True)) == expected


# ---- the time axis


def test_without_a_long_silence_the_axis_is_event_time() -> None:
    scale = TimeScale.over(OPEN + np.arange(0.0, 3600.0, 10.0), OPEN, OPEN + 3600)
    assert scale.silences == ()
    assert scale.length == 3600.0
    assert scale.at(OPEN + np.array([0.0, 900.0, 3600.0])).tolist() == [0.0, 900.0, 3600.0]


def with_a_night() -> TimeScale:
    """An hour of trading, sixteen hours of nothing, another hour."""
    times = OPEN + np.r_[np.arange(0.0, 3601.0), np.arange(61_200.0, 64_801.0)]
    return TimeScale.over(times, OPEN, OPEN + 64_800)


def test_a_long_silence_takes_little_room_and_what_trades_takes_the_rest() -> None:
    scale = with_a_night()
    assert [(gap.since - OPEN, gap.until - OPEN) for gap in scale.silences] == [(3600.0, 61_200.0)]
    rest = LEFT_OF_IT * 7200
    np.testing.assert_allclose(scale.at(OPEN + np.array([1800.0, 3600.0, 61_200.0, 63_000.0])),
                               [1800.0, 3600.0, 3600.0 + rest, 5400.0 + rest])
    assert scale.length == pytest.approx(7200 + rest)


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=30), st.integers(1, 200_000))
def test_later_never_stands_left_of_earlier(seconds: list[int], span: int) -> None:
    scale = TimeScale.over(np.sort(np.array(seconds, float)), 0.0, float(max(*seconds, span)))
    places = scale.at(np.linspace(-100.0, max(*seconds, span) + 100.0, 500))
    assert (np.diff(places) > 0).all()


@pytest.mark.parametrize(("spacing", "bar"), [(3600.0, 1.0), (86_400.0, 86_400.0)])
def test_frames_or_bars_that_are_long_themselves_are_no_silence(spacing: float, bar: float) -> None:
    times = OPEN + spacing * np.arange(1.0, 6.0)
    assert TimeScale.over(times, OPEN, float(times[-1]), bar).silences == ()


def test_no_time_is_written_into_a_silence() -> None:
    scale = with_a_night()
    places, words = scale.ticks(12, UTC)
    assert len(places) == len(words) > 6
    (gap,) = scale.silences
    left, right = scale.at(np.array(gap))
    assert not any(left < place < right for place in places)


@pytest.mark.parametrize(("zone", "first", "words"), [
    (UTC, OPEN, ["13:00", "13:30", "14:00", "14:30", "15:00"]),
    (CHICAGO, OPEN, ["08:00", "08:30", "09:00", "09:30", "10:00"]),
    (ZoneInfo("Asia/Kolkata"), OPEN, ["18:30", "19:00", "19:30", "20:00", "20:30"]),
    (UTC, OPEN + 600, ["13:30", "14:00", "14:30", "15:00"]),
])
def test_times_are_round_in_the_zone_of_the_axis(zone: ZoneInfo, first: float, words: list[str]) -> None:
    scale = TimeScale.over(np.arange(first, OPEN + 7201.0), first, OPEN + 7200)
    places, shown = scale.ticks(5, zone)
    assert shown == words
    assert places[0] == (0.0 if first == OPEN else 1200.0)


def test_a_date_stands_below_the_first_time_of_each_day() -> None:
    night = datetime(2024, 7, 1, 22, 0, tzinfo=UTC).timestamp()
    _, words = TimeScale.over(np.arange(night, night + 14_401.0), night, night + 14_400).ticks(5, UTC)
    assert words == ["22:00\nJul 01", "23:00", "00:00\nJul 02", "01:00", "02:00"]


def test_seconds_are_written_where_they_matter() -> None:
    _, words = TimeScale.over(np.arange(OPEN, OPEN + 31.0), OPEN, OPEN + 30).ticks(3, UTC)
    assert words == ["13:00:00", "13:00:10", "13:00:20", "13:00:30"][:len(words)]
    assert len(words) >= 3


# ---- labels


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8).map(sorted))
def test_labels_never_overlap_and_keep_their_order(wanted: list[int]) -> None:
    places = apart([float(place) for place in wanted], 5.0)
    assert all(after - before >= 5.0 - 1e-9 for before, after in pairwise(places))
    assert sum(places) == pytest.approx(sum(wanted))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8, unique=True).map(sorted))
def test_labels_with_room_stay_where_they_belong(wanted: list[int]) -> None:
    assert apart([6.0 * place for place in wanted], 5.0) == [6.0 * place for place in wanted]
