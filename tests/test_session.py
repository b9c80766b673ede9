"""The session engine: by hand on made-up days, and against pandas on random days around holidays."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pandas_market_calendars as calendars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.session.levels import Levels
from qmo_cli.packets import BarInput
from qmo_cli.pipeline import Engines
from qmo_cli.tray import Packet

from .engine_oracles import SECOND, Trade, price, records_of, run
from .streams import clock, gap
from .support import bbo, mapping, ohlcv, system

MINUTE = 60 * SECOND
LEVELS = (
    "day_open", "day_high", "day_low", "prior_day_high", "prior_day_low", "prior_day_close", "overnight_high",
    "overnight_low",
)
few = settings(max_examples=12, deadline=None)


def at(text: str) -> int:
    """ns since 1970 of a Chicago time."""
    return pd.Timestamp(text, tz="America/Chicago").value


def sold(when: str, ticks: int) -> Trade:
    """One contract sold at a Chicago time."""
    return Trade(at(when), "A", ticks, 1)


def chain(records: list[bytes], every: str = "1s", quiet: str = "24h") -> list[Packet]:
    """Packets with the engine's readings; by default days of a few trades count as whole."""
    return run(records, every, ("session",), session={"quiet": quiet})


def readings(trades: list[Trade], every: str = "1s", quiet: str = "24h") -> list[Packet]:
    return chain(records_of(trades, "GCZ6"), every, quiet)


def levels(packet: Packet) -> tuple[float | None, ...]:
    """The levels of a packet's reading."""
    return tuple(getattr(packet.slots["session"], name) for name in LEVELS)


def why(packet: Packet, name: str) -> str:
    return packet.missing[f"session.{name}"]


# Two regular days in October, seen from the open to the close.
MONDAY = [
    sold("2026-10-04 17:00:02", 20_000), sold("2026-10-05 01:00", 20_050), sold("2026-10-05 07:19:59", 19_990),
    sold("2026-10-05 07:20", 20_100), sold("2026-10-05 12:30", 19_900), sold("2026-10-05 15:59:59", 20_010),
]
TUESDAY = [sold("2026-10-05 17:00:30", 20_020), sold("2026-10-06 03:00", 20_040), sold("2026-10-06 09:00", 20_300)]


# ---- the clock


def test_the_example_of_the_afternoon_in_london_is_new_york() -> None:
    ts = pd.Timestamp("2026-01-27T15:30:45Z").value
    reading = chain(records_of([Trade(ts, "A", 20_000, 1)], "GCG6"))[0].slots["session"]
    assert (reading.name, reading.trade_date, reading.open) == ("new york", "2026-01-27", True)
    assert (reading.minutes_to_close, reading.minutes_to_settlement) == (389, 179)  # 09:30:46 in Chicago
    assert (reading.first_15, reading.last_15, reading.early_close) == (False, False, False)
    assert (reading.closes, reading.opens) == ("2026-01-27T22:00:00Z", "2026-01-27T23:00:00Z")
    assert reading.days_to_first_notice == 3  # Friday, 30 January
    assert reading.notes == []


def test_an_early_close_is_told_and_counted_down_to() -> None:
    reading = readings([sold("2026-11-27 13:31:10", 20_000)])[0].slots["session"]
    assert (reading.early_close, reading.closes) == (True, "2026-11-27T19:45:00Z")
    assert (reading.minutes_to_close, reading.last_15) == (13, True)
    assert reading.opens == "2026-11-29T23:00:00Z"


def test_on_a_holiday_the_settlement_is_the_next_business_days() -> None:
    reading = readings([sold("2026-11-26 12:29:59", 20_000)])[0].slots["session"]
    assert (reading.trade_date, reading.minutes_to_settlement) == ("2026-11-27", 24 * 60)


def test_after_the_settlement_and_after_the_close_there_is_nothing_to_count() -> None:
    settled, closed = readings([sold("2026-10-06 12:30", 20_000), sold("2026-10-06 16:00", 20_000)])
    assert (settled.slots["session"].minutes_to_settlement, why(settled, "minutes_to_settlement")) == (None, "settled")
    assert (closed.slots["session"].minutes_to_close, why(closed, "minutes_to_close")) == (None, "the market is closed")


def test_the_reading_is_the_same_object_until_the_minute_or_a_level_changes() -> None:
    trades = [sold(f"2026-10-04 17:0{minute}:{second:02}", ticks) for minute, second, ticks in (
        (0, 0, 20_000), (0, 10, 20_000), (0, 20, 20_000), (0, 30, 20_001), (0, 40, 20_000), (1, 5, 20_000))]
    found = [packet.slots["session"] for packet in readings(trades)]
    assert [one is other for one, other in pairwise(found)] == [True, True, False, True, False]
    assert [one.minutes_to_close for one in found] == [1379] * 5 + [1378]


def test_a_year_without_known_holidays_says_so() -> None:
    packet = readings([sold("2037-12-25 09:00", 20_000)])[0]
    assert packet.slots["session"].early_close is None
    assert why(packet, "early_close") == "the holidays of 2037 are not known: regular hours are assumed"


def test_a_contract_that_is_not_gold_has_golds_hours_and_no_settlement() -> None:
    packet = chain(records_of(MONDAY, "ESZ6"))[-1]
    assert packet.slots["session"].notes == ["hours and holidays are those of CME gold"]
    assert why(packet, "minutes_to_settlement") == "the settlement time is known for gold only"
    assert why(packet, "days_to_first_notice") == "known for delivered gold with a raw symbol only"


# ---- levels by hand


def test_the_levels_of_two_whole_days() -> None:
    found = [levels(packet) for packet in readings([*MONDAY, *TUESDAY])]
    no_prior = (None, None, None)
    assert found == [
        (2000.0, 2000.0, 2000.0, *no_prior, 2000.0, 2000.0),
        (2000.0, 2005.0, 2000.0, *no_prior, 2005.0, 2000.0),
        (2000.0, 2005.0, 1999.0, *no_prior, 2005.0, 1999.0),
        (2000.0, 2010.0, 1999.0, *no_prior, 2005.0, 1999.0),   # 07:20 is no longer the night
        (2000.0, 2010.0, 1990.0, *no_prior, 2005.0, 1999.0),
        (2000.0, 2010.0, 1990.0, *no_prior, 2005.0, 1999.0),
        (2002.0, 2002.0, 2002.0, 2010.0, 1990.0, 2001.0, 2002.0, 2002.0),
        (2002.0, 2004.0, 2002.0, 2010.0, 1990.0, 2001.0, 2004.0, 2002.0),
        (2002.0, 2030.0, 2002.0, 2010.0, 1990.0, 2001.0, 2004.0, 2002.0),
    ]


def test_before_the_first_trade_of_a_trade_date_only_the_prior_day_is_known() -> None:
    evening = clock(at("2026-10-05 17:00:05"))
    packet = chain([*records_of(MONDAY, "GCZ6"), evening])[-1]
    assert packet.slots["session"].trade_date == "2026-10-06"
    assert levels(packet) == (None, None, None, 2010.0, 1990.0, 2001.0, None, None)
    assert why(packet, "day_high") == "no trade on trade date 2026-10-06 yet"
    assert why(packet, "overnight_high") == "no overnight trade yet"


def test_an_input_that_began_within_the_day_does_not_know_its_levels_and_says_since_when() -> None:
    found = readings([*MONDAY[1:], *TUESDAY])
    assert levels(found[4])[:3] == (None, None, None)
    assert why(found[4], "day_low") == why(found[0], "overnight_low") == "the input began at 2026-10-05T06:00:00Z"
    assert levels(found[5]) == (2002.0, 2002.0, 2002.0, None, None, 2001.0, 2002.0, 2002.0)  # its close was seen
    assert why(found[5], "prior_day_high") == "the input began at 2026-10-05T06:00:00Z"


def test_a_first_trade_long_after_the_open_counts_when_the_close_before_was_seen() -> None:
    late = [*MONDAY, sold("2026-10-05 19:00", 20_020)]
    assert levels(readings(late, quiet="24h")[-1])[:3] == (2002.0, 2002.0, 2002.0)
    packet = readings(late, quiet="110m")[-1]
    assert levels(packet)[:3] == (None, None, None)
    assert why(packet, "day_open") == "the input has no trades from 2026-10-05T21:00:00Z to 2026-10-06T00:00:00Z"


def test_an_open_market_without_a_trade_for_more_than_an_hour_leaves_the_day_in_doubt() -> None:
    evening = [sold("2026-10-04 17:00:02", 20_000), sold("2026-10-04 17:50", 20_010)]
    late = [sold("2026-10-05 07:00", 20_020), sold("2026-10-05 07:30", 20_030)]
    packet = readings([*evening, *late], quiet="1h")[-1]
    assert levels(packet) == (None,) * 8
    assert why(packet, "day_high") == why(packet, "overnight_high") == (
        "the input has no trades from 2026-10-04T22:50:01Z to 2026-10-05T12:00:00Z")
    assert levels(readings(evening, quiet="1h")[-1])[:3] == (2000.0, 2001.0, 2000.0)


def test_an_hour_without_a_trade_after_the_night_says_nothing_against_the_night() -> None:
    night = [Trade(at("2026-10-04 17:00:02") + hour * 55 * MINUTE, "A", 20_000 + hour, 1) for hour in range(17)]
    packet = readings([*night, sold("2026-10-05 10:00", 20_500)], quiet="1h")[-1]
    assert levels(packet)[:3] == (None, None, None)
    assert levels(packet)[6:] == (2001.5, 2000.0)  # its last trade was at 06:45, another came at 07:40


def test_a_day_whose_close_the_input_did_not_see_is_no_prior_day() -> None:
    packet = readings([*MONDAY[:-1], *TUESDAY])[-1]
    assert levels(packet)[3:6] == (None, None, None)
    assert why(packet, "prior_day_close") == (
        "the input has no trades of trade date 2026-10-05 after 2026-10-05T17:30:01Z")


def test_a_day_that_the_input_lacks_makes_no_older_day_the_prior_one() -> None:
    packet = readings([*MONDAY, sold("2026-10-06 17:00:10", 20_000)])[-1]
    assert levels(packet) == (2000.0, 2000.0, 2000.0, None, None, None, 2000.0, 2000.0)
    assert why(packet, "prior_day_low") == "no trades of trade date 2026-10-06 in the input"


def test_both_half_sessions_of_thanksgiving_make_one_day_with_a_night_of_its_own_each() -> None:
    found = readings([
        sold("2026-11-24 17:00:01", 19_000), sold("2026-11-25 15:55", 19_100),  # Wednesday
        sold("2026-11-25 17:00:20", 20_000), sold("2026-11-26 09:00", 20_400), sold("2026-11-26 13:29", 20_000),
        sold("2026-11-26 17:00:20", 20_010), sold("2026-11-27 05:00", 20_005), sold("2026-11-27 13:44", 20_200),
        sold("2026-11-29 17:00:20", 21_000),
    ])
    assert levels(found[4]) == (2000.0, 2040.0, 2000.0, 1910.0, 1900.0, 1910.0, 2000.0, 2000.0)
    assert levels(found[6]) == (2000.0, 2040.0, 2000.0, 1910.0, 1900.0, 1910.0, 2001.0, 2000.5)
    assert levels(found[8]) == (2100.0, 2100.0, 2100.0, 2040.0, 2000.0, 2020.0, 2100.0, 2100.0)


def test_a_bar_that_comes_after_its_day_has_ended_still_counts_there() -> None:
    """As that of the hour to 16:15 did until 2015: it comes at 17:00, when the next day may have begun."""
    known = Levels(24 * 60 * MINUTE)
    for when, high in (("2014-10-05 17:00", 2000.0), ("2014-10-06 15:00", 2010.0), ("2014-10-06 17:00", 1990.0),
                       ("2014-10-06 16:00", 2020.0), ("2014-10-03 12:00", 3000.0)):
        begins = at(when)
        known.take(BarInput(str(begins), 3600, high, high, high, high, 1), begins, begins + 60 * MINUTE)
    assert known.told("", "", {})[:6] == (1990.0, 1990.0, 1990.0, 2020.0, 2000.0, 2020.0)


def test_where_records_are_missing_the_levels_of_that_day_are_not_known() -> None:
    monday, tuesday = records_of(MONDAY, "GCZ6"), records_of(TUESDAY, "GCZ6")[1:]
    night = chain([*monday, tuesday[0], gap(at("2026-10-05 20:00")), *tuesday[1:]])[-1]
    assert levels(night) == (None, None, None, 2010.0, 1990.0, 2001.0, None, None)
    assert why(night, "overnight_high") == "trades may be missing: gap at 2026-10-06T01:00:00Z"
    closed = chain([*monday, gap(at("2026-10-05 16:30")), *tuesday])[-1]
    assert levels(closed) == levels(readings([*MONDAY, *TUESDAY])[-1])  # nothing can be missing of a closed market


# ---- rolls


def front(symbol: str, instrument: int) -> bytes:
    return mapping("GC.v.0", symbol, instrument=instrument)


def traded(trades: list[Trade], instrument: int) -> list[bytes]:
    return records_of(trades, instrument=instrument)[1:]


def test_a_roll_moves_every_level_by_the_gap_and_hides_them_until_it_is_known() -> None:
    quote = bbo((2030.0, 1, 1), (2030.1, 1, 1), ts_event=at("2026-10-06 09:30"), ts_recv=at("2026-10-06 09:30"),
                instrument=2)
    after = [sold("2026-10-06 10:00", 20_333), sold("2026-10-06 10:01", 20_400)]
    found = chain([front("GCV6", 1), *traded([*MONDAY, *TUESDAY], 1), front("GCZ6", 2), quote, *traded(after, 2)])
    assert levels(found[-3]) == (None,) * 8
    assert {why(found[-3], name) for name in LEVELS} == {"the contract changed, the gap to it is not known yet"}
    # 2033.3 after 2030.0: 3.3 points
    assert levels(found[-2]) == (2005.3, 2033.3, 2005.3, 2013.3, 1993.3, 2004.3, 2007.3, 2005.3)
    assert levels(found[-1]) == (2005.3, 2040.0, 2005.3, 2013.3, 1993.3, 2004.3, 2007.3, 2005.3)
    assert [packet.slots["session"].days_to_first_notice for packet in found[-4:]] == [-6, 55, 55, 55]


def test_a_contract_without_a_known_gap_begins_anew() -> None:
    one, other = readings([*MONDAY, *TUESDAY]), readings([sold("2026-10-06 10:00", 30_000)])
    other[0].instrument_id = 2
    packet = renewed([*one, *other])[-1]
    assert levels(packet) == (None,) * 8
    assert why(packet, "day_high") == "the contract changed by an unknown gap at 2026-10-06T15:00:00Z"


def renewed(packets: list[Packet]) -> list[Packet]:
    """The packets read again, as one stream."""
    engines = Engines(("session",), {"session": {"quiet": "24h"}})
    for packet in packets:
        packet.slots.pop("session")
        packet.missing = {name: words for name, words in packet.missing.items() if not name.startswith("session")}
        engines.update(packet)
    return packets


# ---- other sources


def bars_of(trades: list[Trade], seconds: int, interval: str) -> list[bytes]:
    """Ready-made bars of the trades, by pandas."""
    table = pd.DataFrame(trades, columns=["ts", "side", "ticks", "size"])
    groups = table.groupby(table.ts // (seconds * SECOND) * seconds * SECOND)
    rows = groups.ticks.agg(["first", "max", "min", "last"])
    return [mapping("GCZ6", "GCZ6"), *(
        ohlcv(tuple(map(price, row)), 1, ts_event=int(start), interval=interval)  # type: ignore[arg-type]
        for start, row in zip(rows.index, rows.to_numpy().tolist(), strict=True))]


@pytest.mark.parametrize(("seconds", "interval"), [(1, "1s"), (60, "1m")])
def test_ready_made_bars_give_the_levels_that_the_trades_give(seconds: int, interval: str) -> None:
    packet = chain(bars_of([*MONDAY, *TUESDAY], seconds, interval))[-1]
    assert levels(packet) == levels(readings([*MONDAY, *TUESDAY])[-1])


def test_hourly_bars_do_not_know_the_night_which_ends_within_an_hour() -> None:
    packet = chain(bars_of([*MONDAY, *TUESDAY], 3600, "1h"))[-1]
    assert levels(packet) == (2002.0, 2030.0, 2002.0, 2010.0, 1990.0, 2001.0, None, None)
    assert why(packet, "overnight_low") == "bars of 3600 s do not end at 7:20 in Chicago, where London does"


def test_daily_bars_span_two_trade_dates() -> None:
    packet = chain(bars_of([*MONDAY, *TUESDAY], 86_400, "1d"))[-1]
    assert levels(packet) == (None,) * 8
    assert why(packet, "prior_day_high") == "bars of 86400 s span two trade dates: needs bars of 1h or shorter"
    assert packet.slots["session"].trade_date == "2026-10-07"  # the bar of the 6th ended at 19:00 in Chicago


def test_quotes_alone_tell_the_time_but_no_level() -> None:
    quote = bbo((2030.0, 1, 1), (2030.1, 1, 1), ts_event=at("2026-10-06 09:30"), ts_recv=at("2026-10-06 09:30"))
    packet = chain([mapping("GCZ6", "GCZ6"), quote])[0]
    assert packet.slots["session"].minutes_to_settlement == 179  # the frame ended at 9:30:01
    assert levels(packet) == (None,) * 8
    assert why(packet, "day_open") == "needs trades or ohlcv, input is bbo"


def test_a_fallback_to_another_source_leaves_the_day_in_doubt() -> None:
    fallback = system({"schema": "system", "kind": "fallback", "detail": "to yahoo"}, ts_event=at("2026-10-06 08:00"))
    tuesday = records_of(TUESDAY, "GCZ6")[1:]
    packet = chain([*records_of(MONDAY, "GCZ6"), *tuesday[:2], fallback, tuesday[2]])[-1]
    assert why(packet, "day_high") == "trades may be missing: fallback at 2026-10-06T13:00:00Z"


# ---- against pandas


@cache
def parts() -> pd.DataFrame:
    """The parts of the trade days around Thanksgiving 2026, from the library: open, close, trade date."""
    span = "2026-11-20", "2026-12-04"
    hours = calendars.get_calendar("CMEGlobex_GC").schedule(*span)
    dates = calendars.get_calendar("CME_TradeDate").schedule(*span).index
    return pd.DataFrame({
        "opens": hours.market_open.dt.as_unit("ns").astype("int64").to_numpy(),
        "closes": hours.market_close.dt.as_unit("ns").astype("int64").to_numpy(),
        "date": dates[dates.searchsorted(hours.index)].strftime("%Y-%m-%d"),
    }).reset_index(drop=True)


def week(seed: int) -> list[Trade]:
    """Random trades of these parts; most parts are traded from their open to their close, some are left out."""
    dice, trades = np.random.default_rng(seed), []
    for row in parts().itertuples():
        if dice.random() < 0.12:
            continue
        times = list(dice.integers(row.opens, row.closes, dice.integers(1, 9)))
        if dice.random() < 0.85:
            times.append(row.opens + dice.integers(70 * SECOND))
        if dice.random() < 0.85:
            times.append(row.closes - dice.integers(1, 20 * MINUTE))
        trades += [Trade(int(ts), "A", int(dice.integers(19_900, 20_100)), 1) for ts in sorted(times)]
    return trades


def placed(trades: list[Trade]) -> pd.DataFrame:
    """The trades with part, trade date, and whether it was night."""
    table, rows = pd.DataFrame(trades), parts()
    table["part"] = rows.opens.searchsorted(table.ts, side="right") - 1
    table["date"] = rows.date.iloc[table.part].to_numpy()
    local = pd.to_datetime(table.ts, utc=True).dt.tz_convert("America/Chicago").dt.strftime("%H:%M")
    table["night"] = (local < "07:20") | (local >= "17:00")
    return table


class Oracle:
    """The levels at a time, worked out from the table of trades alone."""

    def __init__(self, table: pd.DataFrame, ts: int, quiet: int) -> None:
        self.table, self.rows, self.quiet = table[table.ts < ts], parts(), quiet
        rows = self.rows
        self.part = int(rows.opens.searchsorted(ts, side="right") - 1)
        self.date = rows.date[self.part]

    def seen_close(self, part: int) -> bool:
        """Whether something traded in the part's last 15 minutes; a trade counts to the end of its second."""
        times = self.table.ts[self.table.part == part]
        return len(times) > 0 and times.max() // SECOND * SECOND + SECOND >= self.rows.closes[part] - 15 * MINUTE

    def seen_open(self, part: int) -> bool:
        times = self.table.ts[self.table.part == part] // SECOND * SECOND
        wait = times.min() - self.rows.opens[part] if len(times) else self.quiet + 1
        return wait < MINUTE or (wait <= self.quiet and part > 0 and self.seen_close(part - 1))

    def busy(self, part: int, night: bool = False) -> bool:
        """Whether it was never quiet for too long between two trades of the part, or from one of its night on."""
        rows = self.table[self.table.part == part]
        times = rows.ts // SECOND * SECOND
        waits = times.diff().shift(-1) - SECOND
        return not (waits[rows.night] if night else waits).gt(self.quiet).any()

    def whole(self, date: str) -> bool:
        """Whether all parts of a day that traded did so from their beginning, the first part among them."""
        of_day = self.rows.index[self.rows.date == date]
        traded = [part for part in of_day if (self.table.part == part).any()]
        return bool(traded) and traded[0] == of_day[0] and all(
            self.seen_open(part) and self.busy(part) for part in traded)

    def prices(self, chosen: Any) -> list[float]:
        return [price(ticks) for ticks in self.table.ticks[chosen]]

    def levels(self) -> tuple[float | None, ...]:
        today = self.prices(self.table.date == self.date) if self.whole(self.date) else []
        earlier = self.rows.date[self.rows.date < self.date]
        before = earlier.iloc[-1]
        closed = self.seen_close(earlier.index[-1])
        prior = self.prices(self.table.date == before) if closed else []
        known = self.seen_open(self.part) and self.busy(self.part, night=True)
        night = self.prices((self.table.part == self.part) & self.table.night) if known else []
        high_low = prior if self.whole(before) else []
        return (
            *((today[0], max(today), min(today)) if today else (None,) * 3),
            *((max(high_low), min(high_low)) if high_low else (None,) * 2), prior[-1] if prior else None,
            *((max(night), min(night)) if night else (None,) * 2),
        )


@given(st.integers(0, 2**32 - 1), st.sampled_from(["1s", "50ms", "1m", "1h"]), st.sampled_from([6, 24]))
@few
def test_levels_are_what_pandas_finds_in_the_trades(seed: int, every: str, quiet: int) -> None:
    trades = week(seed)
    table = placed(trades)
    for packet in readings(trades, every, f"{quiet}h")[seed % 7::7]:
        if packet.ts > parts().opens[2]:  # the library's table begins there
            wanted = Oracle(table, packet.ts, quiet * 60 * MINUTE)
            assert packet.slots["session"].trade_date == wanted.date
            assert levels(packet) == wanted.levels()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["1s", "7s", "1m"]))
@few
def test_minutes_and_edges_are_those_of_the_librarys_schedule(seed: int, every: str) -> None:
    for packet in readings(week(seed), every):
        row = parts().iloc[int(parts().opens.searchsorted(packet.ts, side="right") - 1)]
        reading, left = packet.slots["session"], row.closes - packet.ts
        assert reading.open == (left > 0)
        assert reading.minutes_to_close == (left // MINUTE if left > 0 else None)
        settles = at(f"{row.date} 12:30")
        assert reading.minutes_to_settlement == ((settles - packet.ts) // MINUTE if packet.ts < settles else None)


def test_the_random_weeks_know_some_levels_and_not_others() -> None:
    """The comparison above would be worth nothing if all were null, or none."""
    found = [levels(packet) for seed in range(20) for packet in readings(week(seed))]
    for values in zip(*found, strict=True):
        known = sum(value is not None for value in values) / len(found)
        assert 0.2 < known < 0.95
