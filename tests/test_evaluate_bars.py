"""Bars measured: what is read and left out, flags against the engines' own code, chance, and p-values by hand."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.astro.trend import Trend
from qmo_cli.engines.cycle.counts import Counts, turn
from qmo_cli.engines.gann.study import Rules as GannRules
from qmo_cli.engines.gann.study import Study
from qmo_cli.engines.pivots import Pivots
from qmo_cli.errors import BadData, SourceUnavailable, UsageError
from qmo_cli.evaluation.barfile import read_bars
from qmo_cli.evaluation.barreport import rows, text
from qmo_cli.evaluation.bars import evaluate_bars, measures
from qmo_cli.evaluation.bartext import is_plain, moment
from qmo_cli.evaluation.cycleflags import cycle_flags
from qmo_cli.evaluation.flags import PILLARS, flags
from qmo_cli.evaluation.gannflags import gann
from qmo_cli.evaluation.looks import Flag, Look, Rules
from qmo_cli.evaluation.options import BarsOptions
from qmo_cli.evaluation.pvalues import holm, one_sided, two_sided
from qmo_cli.evaluation.series import Chance, Series, series_of, swings
from qmo_cli.evaluation.skyflags import trends, windows
from qmo_cli.ndjson import LineWriter

from .support import SHARED, START, blocks, mapping, ohlcv

DAY = 86_400 * 10**9
HEADER = "Date,open,high,low,close,volume\n"
GOOD = [f"2020-01-{day:02d},10,12,9,11,5" for day in (1, 2, 3, 6, 7, 8)]


def write(path: Path, *lines: str) -> str:
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return str(path)


# ---- reading


@pytest.mark.parametrize(("text", "ts"), [
    ("2006-03-20", 1142812800), ("20060320", 1142812800), ("20060320 00:00", 1142812800), ("2006.03.20 01:00",
    1142816400), ("2006/03/20", 1142812800), ("2006-03-20T00:00:00Z", 1142812800), ("1142812800", 1142812800),
    ("1142812800000", 1142812800), ("1142812800000000", 1142812800), ("1142812800000000000", 1142812800),
    ("2006-03-20T01:00:00+01:00", 1142812800),
])
def test_times_in_every_form(text: str, ts: int) -> None:
    assert moment(text) == ts * 10**9


@pytest.mark.parametrize(("head", "line", "prices", "volume"), [
    ("Date,Open,High,Low,Close,Volume", "2020-01-01,1,3,0.5,2,7", (1, 3, 0.5, 2), 7),
    ("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>", "2020.01.01\t10:00:00\t1\t3\t0.5\t2\t7",
     (1, 3, 0.5, 2), 7),
    ("close;low;high;open;time", "2;0.5;3;1;1577836800", (1, 3, 0.5, 2), None),
    ('"Date","Open","High","Low","Close"', '"2020-01-01","1","3","0.5","2"', (1, 3, 0.5, 2), None),
    (None, "20200101 00:00,1,3,0.5,2,0,9,9,9,9,0", (1, 3, 0.5, 2), None),
    (None, "2020-01-01,1,3,0.5,2,7", (1, 3, 0.5, 2), 7),
])
def test_tables_of_many_makers(
    tmp_path: Path, head: str | None, line: str, prices: tuple[float, ...], volume: float | None,
) -> None:
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(filter(None, [head, line])) + "\n")
    (row,) = read_bars([str(file)]).rows
    assert (row.prices, row.volume) == (prices, volume)


@pytest.mark.parametrize("pack", ["plain", "gz", "zip", "zst"])
def test_a_packed_file_is_read_as_the_plain_one(tmp_path: Path, pack: str) -> None:
    data = (HEADER + "\n".join(GOOD) + "\n").encode()
    if pack == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("bars.csv", data)
            archive.writestr("readme.txt", "nothing")
        data = packed.getvalue()
    elif pack == "gz":
        data = gzip.compress(data)
    elif pack == "zst":
        import zstandard

        data = zstandard.ZstdCompressor().compress(data)
    file = tmp_path / "bars"
    file.write_bytes(data)
    assert [row.prices for row in read_bars([str(file)]).rows] == [(10, 12, 9, 11)] * 6


def test_every_kind_of_dirt_is_told_with_its_line_and_left_out(tmp_path: Path) -> None:
    file = write(
        tmp_path / "bars.csv", GOOD[0], GOOD[0], "2020-01-02,10,9,12,11,5", "2020-01-02,10,12,9,13,5",
        "2020-01-02,nan,12,9,11,5", "2020-01-02,0,12,0,11,5", "2020-01-02,ten,12,9,11,5", "yesterday,10,12,9,11,5",
        "2019-12-31,10,12,9,11,5", "2020-01-02,10,12,9,11,-1", "2020-01-02,10,12,9", "2020-01-02,10,12,9,11,0",
        "", GOOD[2], "2020-01-20,10,12,9,11,5",
    )
    table = read_bars([file])
    assert table.faults == {
        "same time as the bar before": [3], "high below low": [4], "open or close outside the range": [5],
        "a price is not a number": [6], "a price is not above 0": [7],
        "a number is missing or cannot be read": [8, 12], "no time that can be read": [9],
        "older than the bar before": [10], "volume below 0": [11], "no volume": [13],
    }
    assert [row.line for row in table.rows] == [2, 15, 16]
    assert table.gaps == [16]


def test_where_no_bar_has_volume_none_is_missed(tmp_path: Path) -> None:
    file = write(tmp_path / "bars.csv", *(line[:-1] + "0" for line in GOOD))
    assert (len(read_bars([file]).rows), read_bars([file]).faults) == (6, {})


def test_prices_are_scaled(tmp_path: Path) -> None:
    table = read_bars([write(tmp_path / "bars.csv", "2020-01-01,154759,155384,154740,155295,1")], 0.01)
    assert table.rows[0].prices == pytest.approx((1547.59, 1553.84, 1547.4, 1552.95))


@pytest.mark.parametrize("encoding", ["dbn", "lines"])
def test_ohlcv_records_are_bars_of_the_contract_that_there_are_most_of(tmp_path: Path, encoding: str) -> None:
    records = [mapping("GCJ6", "GCJ6")]
    records += [ohlcv((10.0, 12.0, 9.0, 11.0 + minute / 10), 5, ts_event=START + minute * 60 * 10**9, interval="1m")
                for minute in range(4)]
    records += [ohlcv((1.0, 1.0, 1.0, 1.0), 5, ts_event=START, interval="1m", instrument=2),
                ohlcv((1.0, 1.0, 1.0, 1.0), 5, ts_event=START, interval="1h")]
    file = tmp_path / "records"
    file.write_bytes(b"".join(map(LineWriter().lines, blocks(records))) if encoding == "lines" else written(records))
    table = read_bars([str(file)])
    assert [row.prices[3] for row in table.rows] == [11.0, 11.1, 11.2, 11.3]
    assert {words: len(lines) for words, lines in table.faults.items()} == {
        "another contract": 1, "bars of another length": 1}


def written(records: list[bytes]) -> bytes:
    from qmo_cli.ndjson import DbnWriter

    return b"".join(map(DbnWriter().encode, blocks(records)))


@pytest.mark.parametrize("data", [b"", b"hello\nworld\n", b"Date,open\n2020-01-01,5\n", b"PK\x03\x04broken",
                                  b"\x1f\x8bbroken", HEADER.encode()])
def test_a_file_that_holds_no_bars_is_bad_data(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bars"
    file.write_bytes(data)
    with pytest.raises(BadData):
        read_bars([str(file)])


def test_a_missing_file_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        read_bars([str(tmp_path / "nothing.csv")])


CELLS = st.text(st.sampled_from('0123456789.,;-:T \t"abne+Z\x00é'), max_size=30)


@given(st.lists(st.one_of(st.sampled_from(GOOD), CELLS), max_size=30))
@settings(max_examples=50, deadline=None)
def test_no_text_stops_the_reader(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    file = tmp_path_factory.mktemp("dirt") / "bars.csv"
    file.write_text(HEADER + GOOD[0] + "\n" + "\n".join(lines))
    table = read_bars([str(file)])
    assert all(row.prices[1] >= row.prices[2] > 0 for row in table.rows)
    assert all(one.ts < other.ts for one, other in zip(table.rows, table.rows[1:], strict=False))


def test_records_of_the_vendor_are_not_taken_for_a_table_of_bars() -> None:
    assert not is_plain(b"ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n")
    assert not is_plain(b'{"open": 1}')


# ---- swings and flags, against the code of the engines


Steps = list[tuple[int, int, int]]


def series(steps: Steps, first: int = 20_000) -> Series:
    close, bars = first, []
    for step, up, down in steps:
        before, close = close, max(50, close + step)
        high, low = max(before, close) + up, max(1, min(before, close) - down)
        bars.append((float(before), float(high), float(low), float(close)))
    return series_of([DAY * index for index in range(len(bars))], bars, 1.0)


walks = st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 40), st.integers(0, 40)), min_size=30, max_size=250)


@given(walks, st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=40, deadline=None)
def test_swings_are_those_of_the_engines(steps: Steps, k: float) -> None:
    bars, one = series(steps), Pivots(k)
    found, atrs = [], []
    for high, low, close in zip(bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), strict=True):
        found += [(pivot.index, pivot.confirmed, pivot.ticks) for pivot in one.add(high, low, close)]
        atrs.append(np.nan if one.atr is None else one.atr)
    made = swings(bars, k)
    assert list(zip(made.index.tolist(), made.confirmed.tolist(), made.ticks.tolist(), strict=True)) == found
    assert np.array_equal(made.atr, np.array(atrs), equal_nan=True)


def check_gann(bars: Series, k: float, unit: float) -> int:
    """Every close as engine gann sees it; how many bars it says something of."""
    found, study, told = gann(bars, swings(bars, k), unit), Study(GannRules(unit, k=k)), 0
    for index, close in enumerate(bars.close.tolist()):
        view = study.view(close)
        held = study.broken.direction if study.broken else 0
        study.add(int(bars.high[index]), int(bars.low[index]), close)
        broke = study.broken.direction if study.broken and study.broken.bar == index else 0
        assert bool(found.known[index]) == (view is not None)
        assert found.broke[index] == broke
        if view is not None:
            told += 1
            assert (found.families[index], found.side[index], found.holding[index]) == (
                view.confluence, view.direction, held)
    return told


@given(walks, st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([1.0, 10.0, 100.0]))
@settings(max_examples=25, deadline=None)
def test_gann_flags_are_those_of_the_engine(steps: Steps, k: float, unit: float) -> None:
    check_gann(series(steps), k, unit)


@given(walks, st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=25, deadline=None)
def test_cycle_flags_are_those_of_the_engine(steps: Steps, k: float) -> None:
    bars, counts = series(steps), Counts(k)
    made = {flag.name: flag for flag in cycle_flags(Look(bars, swings(bars, k), Rules(k, 10.0)))}
    for index, close in enumerate(bars.close.tolist()):
        counts.add(int(bars.high[index]), int(bars.low[index]), close)
        for number, one in counts.due.items():
            flag = made[f"cycle {number}"]
            assert bool(flag.known[index]) == (not counts.why_not)
            if flag.known[index]:
                assert bool(flag.fired[index]) == (one is not None)
                assert flag.side[index] == (turn(close, one.pivot.ticks, counts.pivots.atr or 0) if one else 0)


def test_on_real_gold_every_flag_is_that_of_the_engine() -> None:
    file = SHARED / "data" / "gold" / "xauusd-daily.zip"
    if not file.exists():
        pytest.skip("the real files are not here")
    table = read_bars([str(file)])
    bars = series_of([row.ts for row in table.rows], [row.prices for row in table.rows], 0.1)
    assert check_gann(bars, 3.0, 10.0) > 3800
    lag = swings(bars, 3.0).lag
    assert np.median(lag) == 8  # as it was published


@given(walks)
@settings(max_examples=20, deadline=None)
def test_the_side_that_a_window_turns_against_is_that_of_the_engines_trend(steps: Steps) -> None:
    bars, trend = series(steps), Trend()
    for index, side in enumerate(trends(bars, daily=True).tolist()):
        trend.add(int(bars.high[index]), int(bars.low[index]), int(bars.close[index]))
        assert side == np.sign(trend.value or 0)


def test_within_a_day_the_trend_is_that_of_the_day_before() -> None:
    days = series([(5, 1, 1)] * 30)
    hours = Series(
        np.repeat(days.start, 4) + np.tile(np.arange(4) * DAY // 4, 30),
        *(np.repeat(column, 4) for column in (days.open, days.high, days.low, days.close)), 1.0)
    assert trends(hours, daily=False).tolist() == [0] * 80 + [1] * 40


def test_windows_are_open_when_the_sky_is_rare() -> None:
    """At 21:00 UTC: 2026-11-13 has confidence .990, 2026-08-12 .997, 2026-11-22 .145; nobody knows of 2060."""
    times = [int(datetime.fromisoformat(f"{day}T21:00Z").timestamp()) * 10**9
             for day in ("2026-11-13", "2026-08-12", "2026-11-22", "2060-01-01")]
    known, fired = windows(np.array(times, dtype=np.int64).tobytes())
    assert (known.tolist(), fired.tolist()) == ([True, True, True, False], [True, True, False, False])


def test_every_flag_of_every_pillar_has_a_name_of_its_own() -> None:
    bars = series([(5, 1, 1)] * 50)
    made = flags(Look(bars, swings(bars, 3.0), Rules(3.0, 10.0)))
    assert len({flag.name for flag in made}) == len(made) >= 8
    assert len(PILLARS) >= 2


# ---- chance


@given(walks, st.integers(1, 50))
@settings(max_examples=30, deadline=None)
def test_a_shuffle_has_the_same_bars_in_another_order(steps: Steps, block: int) -> None:
    bars = series(steps, first=2_000_000)
    chance = Chance(bars, block, 1)
    order = chance._order(len(bars) - 1)
    assert sorted(order) == list(range(len(bars) - 1))
    drawn = chance.draw()
    assert len(drawn) == len(bars)
    assert abs(int(drawn.close[-1]) - int(bars.close[-1])) <= 1  # the drift is the same
    assert (drawn.high >= np.maximum(drawn.open, drawn.close)).all()
    assert (drawn.low <= np.minimum(drawn.open, drawn.close)).all()
    assert drawn.close[0] == bars.close[0]


def test_blocks_stay_together() -> None:
    order = Chance(series([(1, 1, 1)] * 201), 10, 7)._order(200)
    broken = int((np.diff(order) != 1).sum())
    assert 15 <= broken <= 20


def test_the_same_seed_gives_the_same_shuffles_and_another_others() -> None:
    bars = series([(step % 7 - 3, 2, 2) for step in range(100)])
    one, same, other = (Chance(bars, 10, seed).draw() for seed in (1, 1, 2))
    assert (one.close == same.close).all()
    assert (one.close != other.close).any()


# ---- the numbers


def test_rate_and_moves_by_hand() -> None:
    bars = series([(10, 0, 0)] * 3 + [(-10, 0, 0)] * 3)
    found = swings(bars, 3.0)
    found = type(found)(np.full(6, 10.0), found.index, found.confirmed, found.ticks)
    fired = np.array([True, False, True, False, False, True])
    flag = Flag("up", np.array([True] * 5 + [False]), fired, np.ones(6, dtype=np.int64))
    ((rate, one, two),) = measures(bars, found, [flag], [1, 2])
    assert rate == 3 / 5
    assert one == (1 - 1) / 2     # up an ATR, and down one; the last bar has nothing after it
    assert two == (2 - 2) / 2


def test_p_values_by_hand() -> None:
    drawn = np.array([1.0, 2.0, 3.0, np.nan])
    assert one_sided(2.5, drawn) == (1 + 1) / 4
    assert one_sided(9.0, drawn) == 1 / 4
    assert one_sided(float("nan"), drawn) is None
    assert two_sided(2.5, drawn) == 1.0
    assert two_sided(9.0, drawn) == 0.5


def test_holms_correction_is_the_published_one() -> None:
    """Holm (1979): .01, .02, .03 and .04 of four become .04, .06, .06, .06."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == [0.06, 0.04, 0.06, 0.06]
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]


def walked(seed: int, count: int, follow: float = 0.0) -> list[str]:
    """Daily bars that wander, or in which moves follow those before them."""
    dice, close, move, lines = np.random.RandomState(seed), 1500.0, 0.0, []
    for day in range(count):
        before, move = close, follow * move + dice.normal() * 10
        close += move
        high, low = max(before, close) + abs(dice.normal()) * 3, min(before, close) - abs(dice.normal()) * 3
        lines.append(f"{(day + 10000) * 86400},{before:.1f},{high:.1f},{low:.1f},{close:.1f},9")
    return lines


def momentum(look: Look) -> list[Flag]:
    """Claims that the next bar goes where this one went."""
    went = np.sign(np.diff(look.series.close, prepend=look.series.close[0]))
    return [Flag("momentum", ~np.isnan(look.swings.atr), went != 0, went)]


@pytest.mark.parametrize(("follow", "told"), [(0.4, True), (0.0, False), (-0.4, False)])
def test_a_pillar_that_is_right_is_told_from_chance_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follow: float, told: bool,
) -> None:
    monkeypatch.setattr("qmo_cli.evaluation.flags.PILLARS", (momentum,))
    file = write(tmp_path / "bars.csv", *walked(3, 500, follow))
    found = evaluate_bars([file], BarsOptions(shuffles=200, block=1, horizon=(1,)))
    (claim,) = found.directions
    assert claim.p is not None
    assert (claim.p < 0.01) is told
    assert claim.chance == pytest.approx(0, abs=0.05)
    if told:
        assert (claim.move or 0) > 0.1
        assert "momentum over 1" in text(found)


def test_a_market_that_wanders_is_not_told_from_chance(tmp_path: Path) -> None:
    file = write(tmp_path / "bars.csv", *walked(4, 600))
    found = evaluate_bars([file], BarsOptions(shuffles=200))
    assert not [one for one in found.directions if one.holm is not None and one.holm < 0.05]
    assert not [one for one in found.frequencies if one.holm < 0.05]
    assert max(map(len, text(found).splitlines())) <= 80 + len(file)
    assert len(list(rows(found))) == 1 + len(found.dirt) + len(found.frequencies) + len(found.directions)


def test_too_few_bars_are_bad_data(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="6 good bars; 200 are needed"):
        evaluate_bars([write(tmp_path / "bars.csv", *GOOD)], BarsOptions())


@pytest.mark.parametrize("wrong", [
    {"shuffles": 199}, {"block": 0}, {"tick": 0.0}, {"scale": -1.0}, {"horizon": (0,)}, {"k": 0.0}, {"so9_unit": 0.0},
])
def test_an_option_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        BarsOptions(**wrong)


# ---- the command


def command(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "qmo_cli", "evaluate", *words], input=given, capture_output=True,
                          timeout=120, check=False)


def test_the_command_reads_standard_input_and_prints_lines() -> None:
    given = (HEADER + "\n".join(walked(5, 300))).encode()
    done = command("bars", "-", "--shuffles", "200", "--horizon", "3", "--format", "ndjson", given=given)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["schema"] == "evaluation-bars"
    assert {line["horizon"] for line in lines if line["schema"] == "evaluation-claim"} == {3}
    assert {line["schema"] for line in lines} == {"evaluation-bars", "evaluation-flag", "evaluation-claim"}


@pytest.mark.parametrize(("words", "code", "said"), [
    (("bars",), 2, b"name a FILE of bars"), (("sim", "bars.csv"), 2, b"sim makes its markets itself"),
    (("bars", "nothing.csv"), 69, b"no such file"), (("bars", __file__), 65, b""),
])
def test_the_command_says_what_is_wrong(words: tuple[str, ...], code: int, said: bytes) -> None:
    done = command(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert b"Traceback" not in done.stderr
