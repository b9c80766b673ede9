"""``qmo feed yahoo``: yfinance itself, unmodified, through a proxy that stands for Yahoo, and what becomes of it."""

from __future__ import annotations

import json
import struct
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from qmo_cli.cli import cli
from qmo_cli.engines.bars import Bars
from qmo_cli.errors import SourceUnavailable, UsageError
from qmo_cli.feeds.yahoo.bars import bars
from qmo_cli.ndjson import LineWriter
from qmo_cli.router import Router
from qmo_cli.times import SECOND, iso

from .yahoo_proxy import Row, Symbol, YahooProxy

NEW_YORK = ZoneInfo("America/New_York")
HOUR, DAY = 3600, 86_400       # s


def seconds(text: str) -> int:
    """s of a time in New York."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp())


def ns(text: str) -> int:
    """ns of a time in New York."""
    return seconds(text) * SECOND


def utc(text: str) -> int:
    """ns of a date's midnight UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def single(value: float) -> float:
    """The number that 32 bits make of it, as Yahoo sends it."""
    [kept] = struct.unpack("f", struct.pack("f", value))
    return float(kept)


def row(at: int, close: float, volume: int | None = 100) -> Row:
    """A bar that closes there, 5 points high."""
    return at, single(close - 1.3), single(close + 2.4), single(close - 2.6), single(close), volume


def days(first: str, last: str, without: tuple[str, ...] = ()) -> list[Row]:
    """A bar of each weekday, closing at 4000 + its day of the month; Yahoo's stand at midnight in New York."""
    found, day = list[Row](), date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        if day.weekday() < 5 and day.isoformat() not in without:
            found.append(row(seconds(day.isoformat()), 4000.1 + day.day))
        day += timedelta(1)
    return found


def hours(first: str, last: str) -> list[Row]:
    """A bar of each hour in which gold trades, from the one to before the other; the prices rise by a tenth."""
    found = list[Row]()
    for at in range(seconds(first), seconds(last), HOUR):
        when = datetime.fromtimestamp(at, NEW_YORK)
        evening = when.hour >= 18
        closed = {4: when.hour >= 17, 5: True, 6: not evening}.get(when.weekday(), when.hour == 17)
        if not closed:
            found.append(row(at, round(4000 + len(found) / 10, 1)))
    return found


@pytest.fixture
def yahoo(proxy: YahooProxy) -> YahooProxy:
    """The proxy with gold, its memory empty."""
    proxy.symbols, proxy.faults = {"GC=F": Symbol()}, {}
    proxy.zones["GC=F"] = "America/New_York"
    proxy.asked.clear()
    return proxy


def give(yahoo: YahooProxy, interval: str, rows: list[Row], traded: str, symbol: str = "GC=F") -> None:
    """Let the proxy have bars, and the last trade then."""
    yahoo.symbols[symbol] = Symbol({interval: rows}, time=seconds(traded))
    yahoo.zones[symbol] = "America/New_York"


def lines(**asked: Any) -> list[dict[str, Any]]:
    """The records of what is asked for."""
    writer = LineWriter()
    return [json.loads(line) for block in bars(**asked) for line in writer.lines(block).splitlines()]


def opens(found: list[dict[str, Any]]) -> list[str]:
    """The times of the bars among them."""
    return [iso(int(one["ts_event"])) for one in found if one["schema"] != "system"]


def said(found: list[dict[str, Any]], kind: str) -> list[tuple[str, str, int | None]]:
    """Time, words and number of the notices among them."""
    return [(iso(int(one["ts_event"])), one["detail"], one["count"])
            for one in found if one["schema"] == "system" and one["kind"] == kind]


def test_a_day_stands_at_midnight_of_its_date_with_the_prices_that_were_paid(yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-18", "2026-11-20"), "2026-11-20T16:59:30")
    found = lines(now=ns("2026-11-21T12:00"), start=utc("2026-11-19"))
    assert found == [
        {"schema": "system", "series": "GC=F", "symbol": None, "instrument_id": 0, "ts_event": str(utc("2026-11-19")),
         "kind": "vendor", "count": None, "publisher_id": 0,
         "detail": "ohlcv-1d of GC=F from Yahoo: delayed, rolls are not marked, days may be missing"},
        *({"schema": "ohlcv-1d", "series": "GC=F", "symbol": None, "instrument_id": 0x95AD96CB,
           "ts_event": str(utc(f"2026-11-{day}")), "open": round(3998.8 + day, 1), "high": round(4002.5 + day, 1),
           "low": round(3997.5 + day, 1), "close": round(4000.1 + day, 1), "volume": "100", "publisher_id": 65_534}
          for day in (19, 20))]


@pytest.mark.parametrize(("now", "last"), [
    ("2026-11-24T10:00", "2026-11-23T00:00:00Z"),
    ("2026-11-24T23:59", "2026-11-23T00:00:00Z"),    # the market closed at 17:00, and what stands there is of the 25th
    ("2026-11-25T00:00", "2026-11-24T00:00:00Z"),
])
def test_the_day_that_is_not_over_in_new_york_is_left_out(now: str, last: str, yahoo: YahooProxy) -> None:
    live = row(seconds(now) - 600, 4024.9)           # Yahoo's row for the period still open stands at the last trade
    give(yahoo, "1d", [*days("2026-11-18", "2026-11-24"), live], "2026-11-24T09:50")
    found = lines(now=ns(now), start=utc("2026-11-18"))
    assert opens(found)[-1] == last
    assert said(found, "gap") == []


def test_trade_dates_without_a_bar_are_named_where_they_are_missing_and_never_filled(yahoo: YahooProxy) -> None:
    missing = ("2026-11-09", "2026-11-12", "2026-11-13", "2026-11-16", "2026-11-23")
    rows = days("2026-11-09", "2026-11-23", without=missing)
    give(yahoo, "1d", rows, "2026-11-24T09:50")
    found = lines(now=ns("2026-11-24T10:00"), start=utc("2026-11-09"), end=utc("2026-12-31"))
    assert said(found, "gap") == [
        ("2026-11-10T00:00:00Z", "GC=F: Yahoo has no bar of trade date 2026-11-09", 1),
        ("2026-11-17T00:00:00Z", "GC=F: Yahoo has no bar of 3 trade dates, 2026-11-12 to 2026-11-16", 3),
        ("2026-11-24T00:00:00Z", "GC=F: Yahoo has no bar of trade date 2026-11-23", 1)]
    assert [one["kind"] if "kind" in one else one["close"] for one in found] == [
        "vendor", "gap", 4010.1, 4011.1, "gap", 4017.1, 4018.1, 4019.1, 4020.1, "gap"]


def test_weekends_and_holidays_are_no_gaps(yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-23", "2026-12-28", without=("2026-11-26", "2026-12-25")), "2026-12-29T09:50")
    assert said(lines(now=ns("2026-12-29T10:00"), start=utc("2026-11-23")), "gap") == []


def test_of_a_market_whose_calendar_is_not_known_no_gaps_are_told(yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-09", "2026-11-20", without=("2026-11-12",)), "2026-11-20T16:00", "DX-Y.NYB")
    found = lines(symbols=["DX-Y.NYB"], now=ns("2026-11-21T10:00"), start=utc("2026-11-09"))
    assert (len(opens(found)), said(found, "gap")) == (9, [])


def test_rows_that_are_no_whole_bars_are_counted(yahoo: YahooProxy) -> None:
    half: Row = (seconds("2026-11-18"), None, 4020.0, 4010.0, 4015.0, 10)
    none: Row = (seconds("2026-11-19"), None, None, None, None, None)
    sunday = row(seconds("2026-11-15"), 4000.0)
    rows = [*days("2026-11-13", "2026-11-17"), sunday, half, none, *days("2026-11-20", "2026-11-20")]
    give(yahoo, "1d", rows, "2026-11-20T16:59")
    found = lines(now=ns("2026-11-21T10:00"), start=utc("2026-11-13"))
    assert said(found, "skipped") == [
        ("2026-11-21T00:00:00Z", "GC=F: bars of Yahoo without all prices, or dated on a weekend", 2)]
    assert said(found, "gap") == [
        ("2026-11-20T00:00:00Z", "GC=F: Yahoo has no bar of 2 trade dates, 2026-11-18 to 2026-11-19", 2)]
    assert [at[8:10] for at in opens(found)] == ["13", "16", "17", "20"]


def test_bars_without_a_volume_are_told_as_such(yahoo: YahooProxy) -> None:
    rows: list[Row] = [(*whole[:5], volume) for whole, volume in zip(
        days("2026-11-18", "2026-11-20"), (7, None, None), strict=True)]
    give(yahoo, "1d", rows, "2026-11-20T16:59")
    found = lines(now=ns("2026-11-21T10:00"), start=utc("2026-11-18"))
    assert said(found, "vendor")[0][1].endswith("days may be missing; 2 of 3 without a volume")
    assert [one["volume"] for one in found if "volume" in one] == ["7", "0", "0"]


@pytest.mark.parametrize(("now", "traded", "last"), [
    ("11:09", "10:59:58", "09:00"),        # ten minutes late: the hour to 11:00 is not whole yet
    ("11:11", "11:00:05", "10:00"),        # a trade after it: it is
    ("11:31", "10:59:58", "10:00"),        # no trade, but half an hour: it is
])
def test_an_hour_is_there_when_it_is_over_for_yahoo_too(now: str, traded: str, last: str, yahoo: YahooProxy) -> None:
    day = "2026-11-24T"
    give(yahoo, "1h", hours("2026-11-23T18:00", f"{day}12:00"), day + traded)
    found = lines(schema="ohlcv-1h", now=ns(day + now), start=ns("2026-11-23T18:00"))
    assert int(found[-1]["ts_event"]) == ns(day + last)


def test_the_row_of_the_last_trade_is_no_bar(yahoo: YahooProxy) -> None:
    friday = hours("2026-11-19T18:00", "2026-11-20T17:00")
    for at in ("2026-11-20T17:00:00", "2026-11-20T17:00:01"):    # in an hour of its own, on the hour or after
        give(yahoo, "1h", [*friday, row(seconds(at), 4030.0, 0)], at)
        found = lines(schema="ohlcv-1h", now=ns("2026-11-21T12:00"), start=ns("2026-11-19T18:00"))
        assert (len(opens(found)), int(found[-1]["ts_event"])) == (23, ns("2026-11-20T16:00"))


def test_a_trade_date_without_hours_is_named(yahoo: YahooProxy) -> None:
    rows = hours("2026-11-15T18:00", "2026-11-17T18:00") + hours("2026-11-18T18:00", "2026-11-20T17:00")
    give(yahoo, "1h", rows, "2026-11-20T16:59:58")
    found = lines(schema="ohlcv-1h", now=ns("2026-11-21T12:00"), start=ns("2026-11-15T12:00"))
    assert said(found, "gap") == [
        ("2026-11-18T22:00:00Z", "GC=F: Yahoo has no bar of trade date 2026-11-18", 1)]


def test_a_trade_date_that_was_asked_for_in_part_is_not_missed(yahoo: YahooProxy) -> None:
    give(yahoo, "1h", hours("2026-11-16T18:00", "2026-11-17T12:00"), "2026-11-20T16:59:58")
    found = lines(
        schema="ohlcv-1h", now=ns("2026-11-21T12:00"), start=ns("2026-11-16T10:00"), end=ns("2026-11-18T16:00"))
    assert said(found, "gap") == []


def minutes(first: str, last: str) -> list[Row]:
    """A bar of each minute from the one to before the other."""
    return [row(at, 4000.5) for at in range(seconds(first), seconds(last), 60)]


def test_minutes_are_asked_for_in_pieces_and_the_last_one_of_a_day_is_not_dropped(yahoo: YahooProxy) -> None:
    rows = minutes("2026-11-12T23:55", "2026-11-13T00:05") + minutes("2026-11-23T23:58", "2026-11-24T00:02")
    give(yahoo, "1m", rows, "2026-11-24T00:02:30")
    found = lines(schema="ohlcv-1m", now=ns("2026-11-24T00:20"), start=ns("2026-11-12T12:00"))
    assert [int(one["ts_event"]) for one in found if "close" in one] == [at * SECOND for at, *_ in rows]
    spans = [(int(query["period1"]), int(query["period2"])) for query in yahoo.asked]
    assert spans == [(seconds("2026-11-12T12:00"), seconds("2026-11-19T12:00")),
                     (seconds("2026-11-19T12:00"), seconds("2026-11-24T00:20"))]


def test_minutes_come_also_where_the_library_cannot_read_their_hours(yahoo: YahooProxy) -> None:
    give(yahoo, "1m", minutes("2026-11-23T10:00", "2026-11-23T10:05"), "2026-11-23T10:06")
    yahoo.symbols["GC=F"].odd = True
    found = lines(schema="ohlcv-1m", now=ns("2026-11-23T11:00"), start=ns("2026-11-23T09:00"))
    assert [len(opens(found)), *(query["includePrePost"] for query in yahoo.asked)] == [5, "true", "false"]


@pytest.mark.parametrize(("schema", "back", "words"), [
    ("ohlcv-1m", timedelta(30, 1), "yahoo keeps ohlcv-1m for 30 days only, and 2026-10-25T14:59:59Z lies before"),
    ("ohlcv-1h", timedelta(731), "yahoo keeps ohlcv-1h for 730 days only"),
    ("ohlcv-1d", timedelta(-1), "nothing lies between"),
])
def test_what_yahoo_does_not_keep_is_said_before_it_is_asked(
    schema: str, back: timedelta, words: str, yahoo: YahooProxy,
) -> None:
    now = ns("2026-11-24T10:00")
    with pytest.raises(UsageError, match=words):
        lines(schema=schema, now=now, start=now - int(back.total_seconds()) * SECOND)
    assert yahoo.asked == []


@pytest.mark.parametrize(("schema", "back"), [("ohlcv-1m", 7), ("ohlcv-1h", 730), ("ohlcv-1d", 365)])
def test_without_a_start_there_is_a_usual_one(schema: str, back: int, yahoo: YahooProxy) -> None:
    now, day = ns("2026-11-24T10:00"), "2026-11-23" if schema == "ohlcv-1d" else "2026-11-23T10:00"
    give(yahoo, schema.removeprefix("ohlcv-"), [row(seconds(day), 4000.5)], "2026-11-24T09:50")
    lines(schema=schema, now=now)
    [query] = yahoo.asked
    assert abs(int(query["period1"]) - (now // SECOND - back * DAY)) < DAY


def test_bars_of_several_symbols_come_in_the_order_in_which_they_ended(yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-18", "2026-11-20"), "2026-11-20T16:59")
    give(yahoo, "1d", days("2026-11-17", "2026-11-19"), "2026-11-20T16:59", "SI=F")
    found = lines(symbols=["GC=F", "SI=F", "GC=F"], now=ns("2026-11-21T12:00"), start=utc("2026-11-17"))
    assert [(one["series"], iso(int(one["ts_event"]))[8:10]) for one in found if "close" in one] == [
        ("SI=F", "17"), ("GC=F", "18"), ("SI=F", "18"), ("GC=F", "19"), ("SI=F", "19"), ("GC=F", "20")]
    assert [text[:18] for _, text, _ in said(found, "vendor")] == ["ohlcv-1d of SI=F f", "ohlcv-1d of GC=F f"]
    assert said(found, "gap") == [("2026-11-18T00:00:00Z", "GC=F: Yahoo has no bar of trade date 2026-11-17", 1)]


@pytest.mark.parametrize(("fault", "words"), [
    ("busy", "yahoo: bars of GC=F: too many requests"), ("html", "yahoo: bars of GC=F: its answer is no JSON"),
    ("empty", "yahoo: no bar of GC=F that is over between"), ("nothing", "yahoo: no bar of GC=F that is over between"),
])
def test_where_no_bars_come_it_is_said_in_one_line(fault: str, words: str, yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-18", "2026-11-20"), "2026-11-20T16:59")
    yahoo.faults = {"*": fault}
    with pytest.raises(SourceUnavailable) as caught:
        lines(now=ns("2026-11-21T12:00"), start=utc("2026-11-17"))
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def readings(engine: Bars, **asked: Any) -> tuple[list[Any], Any]:
    """The closed bars of an engine that reads what is asked for, and the last packet."""
    router, packets = Router(), list[Any]()
    for block in bars(**asked):
        packets += router.read(block)
    packets += router.finish()
    return [bar for packet in packets for bar in getattr(engine.update(packet), "closed", [])], packets[-1]


def test_a_day_of_yahoo_is_a_bar_of_24_hours_with_the_date_of_its_trade_date(yahoo: YahooProxy) -> None:
    give(yahoo, "1d", days("2026-11-12", "2026-11-24"), "2026-11-25T09:00")
    closed, packet = readings(Bars(period="24h"), now=ns("2026-11-25T10:00"), start=utc("2026-11-12"))
    assert [(iso(int(bar.start))[:10], bar.close) for bar in closed] == [
        (f"2026-11-{day}", round(4000.1 + day, 1)) for day in (12, 13, 16, 17, 18, 19, 20, 23)]
    assert (packet.market.source, packet.market.quality, packet.market.tick) == ("yahoo", "delayed", 0.1)


def test_hours_of_yahoo_make_trade_dates(yahoo: YahooProxy) -> None:
    rows = hours("2026-11-15T18:00", "2026-11-18T18:00")
    give(yahoo, "1h", rows, "2026-11-18T18:30")
    closed, _ = readings(
        Bars(period="1d"), schema="ohlcv-1h", now=ns("2026-11-18T18:40"), start=ns("2026-11-15T12:00"))
    assert [(int(bar.start), bar.volume, bar.close) for bar in closed] == [
        (ns("2026-11-15T18:00"), 2300, 4002.2), (ns("2026-11-16T18:00"), 2300, 4004.5)]


def test_a_real_process_feeds_bars_as_lines_and_as_dbn(
    proxy: YahooProxy, shell_environment: dict[str, str], tmp_path: Path,
) -> None:
    give(proxy, "1d", days("2025-11-10", "2025-11-28", without=("2025-11-27", "2025-11-19")), "2025-11-28T14:29:00")
    proxy.faults = {}
    environment = {**shell_environment, **proxy.environment, "PYTHONWARNINGS": "", "HOME": str(tmp_path)}
    script = ("asked='--start 2025-11-10 --end 2025-11-29'; qmo feed yahoo $asked > a.ndjson && "
              "qmo feed yahoo $asked --encoding dbn | qmo feed - > b.ndjson && cmp a.ndjson b.ndjson && "
              "qmo engine bars --set bars.period=24h < a.ndjson | tail -1; qmo feed yahoo --symbol NONE=F")
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.stderr == "qmo feed: yahoo: bars of NONE=F: Yahoo knows no such symbol\n"
    assert done.returncode == 69
    packet = json.loads(done.stdout)
    assert (packet["bars"]["count"], packet["market"]["source"]) == (12, "yahoo")
    records = [json.loads(line) for line in (tmp_path / "a.ndjson").read_text().splitlines()]
    assert said(records, "gap") == [("2025-11-20T00:00:00Z", "GC=F: Yahoo has no bar of trade date 2025-11-19", 1)]


@pytest.mark.parametrize(("arguments", "words"), [
    (["--schema", "trades"], "yahoo gives one of ohlcv-1m, ohlcv-1h, ohlcv-1d at a time"),
    (["--schema", "ohlcv-1h", "--schema", "ohlcv-1d"], "at a time"),
    (["--follow"], "--follow does not go with it"),
    (["more.dbn"], "its symbols are named by --symbol"),
    (["--schema", "ohlcv-1m", "--start", "-40d"], "yahoo keeps ohlcv-1m for 30 days only"),
])
def test_what_yahoo_cannot_give_is_refused(arguments: list[str], words: str, yahoo: YahooProxy) -> None:
    result = CliRunner().invoke(cli, ["feed", "yahoo", *arguments])
    assert (result.exit_code, yahoo.asked) == (2, [])
    assert words in result.stderr


@pytest.mark.parametrize(("options", "dates"), [
    ((), ["18", "19", "20"]), (("--limit", "1"), ["18"]), (("--end", "2025-11-20"), ["18", "19"]),
])
def test_times_are_those_of_the_bars_opens(
    options: tuple[str, ...], dates: list[str], yahoo: YahooProxy, capfd: pytest.CaptureFixture[str],
) -> None:
    give(yahoo, "1d", days("2025-11-17", "2025-11-20"), "2025-11-20T16:59")
    result = CliRunner().invoke(cli, ["feed", "yahoo", "--start", "2025-11-18", "--end", "2025-11-21", *options])
    assert result.exit_code == 0
    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [at[8:10] for at in opens(found)] == dates
