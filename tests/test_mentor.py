"""The engine mentor: patterns by hand and against a look at all trades, and what each slot becomes in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines import ENGINES
from qmo_cli.engines.mentor.engine import Mentor
from qmo_cli.engines.mentor.reading import MentorReading
from qmo_cli.engines.mentor.slots import (
    AroundHere,
    BlackoutHere,
    EventHere,
    HeadlineHere,
    MemoryHere,
    NewsHere,
    SessionHere,
    ZoneRemembered,
)
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, Second, TradesInput
from qmo_cli.pipeline import parameters
from qmo_cli.tray import Packet
from qmo_cli.views import BarsView, RiskView

from .engine_oracles import Trade, delta, records_of, run, tape, volume
from .handmade import health, market, needless, unexplained
from .laws import ENCODINGS, Encoding, Setup, every, lines, packets, piped, unfinished
from .laws_streams import Case, noise, simulated, with_clocks
from .support import START
from .test_laws import assert_same

S = 10**9
AT = START // S
slow = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def bars_of(period: str) -> dict[str, str]:
    """Parameters with which bars, and the ATR that all go by, have this length."""
    return {name: period for name in ("period", "atr_period") if name in parameters(ENGINES["bars"])}


def packet(
    second: int, rows: Sequence[Second] = (), *, atr: float | None = 8.0, tick: float | None = 0.1,
    price: float | None = 2000.0, instrument: int = 1, trades: bool = True, missing: dict[str, str] | None = None,
    **slots: Any,
) -> Packet:
    traded = TradesInput(0, 0, 0, 0, list(rows), [], [], 0, [], 0) if trades else None
    reasons = {"bars.atr": "3 of 14 bars"} if atr is None else {}
    return Packet(
        ts=(AT + second) * S, series="GC.v.0", symbol="GCJ6", instrument_id=instrument, closed=True, price=price,
        missing={**reasons, **(missing or {})},
        slots={"market": market(tick=tick), "health": health("mbo" if trades else "bbo-1s"), "bars": BarsView(atr=atr),
               "inputs": Inputs(traded, None, None, None), **slots})


def reading(mentor: Mentor, one: Packet) -> MentorReading:
    """What it says; every null has a reason, nothing else has one."""
    found = mentor.update(one)
    assert isinstance(found, MentorReading)
    assert unexplained(found, mentor.reasons) == needless(found, mentor.reasons) == []
    return found


def row(second: int, price: float, buy: int = 0, sell: int = 0, *, high: float | None = None,
        low: float | None = None) -> Second:
    return Second(AT + second, price, high or price, low or price, price, buy, sell, 0, 1)


def old(*rows: Second) -> list[Second]:
    """Twenty minutes ago there was a trade."""
    return [row(-1200, 2000.0, 1), *rows]


def pattern(rows: Sequence[Second], **more: Any) -> tuple[str | None, list[str] | None]:
    found = reading(Mentor(), packet(300, rows, **more))
    return found.pattern, found.patterns


# ---- each pattern by hand: ATR 8, so that half is 4 points and a quarter 2; the window is the seconds 0 to 299


@pytest.mark.parametrize(("buy", "sell", "end", "expected"), [
    (60, 40, 2004.0, ["trend up"]),       # share 20 / 100 and 4 points
    (59, 41, 2004.0, []),                 # 18 / 100
    (60, 40, 2003.9, []),
    (60, 40, 1996.0, []),                 # the other way
    (40, 60, 1996.0, ["trend down"]),
])
def test_a_trend_has_a_fifth_of_the_volume_and_half_an_atr_the_same_way(
    buy: int, sell: int, end: float, expected: list[str],
) -> None:
    # volume lies in the middle, so that nobody is trapped
    rows = old(row(0, 2000.0), row(100, 2000.0 + (end - 2000.0) / 2, buy, sell), row(299, end))
    assert pattern(rows) == ((expected or ["none"])[0].split()[0], expected)


@pytest.mark.parametrize(("buy", "sell", "top", "expected"), [
    (54, 46, 2003.9, "balance"), (55, 45, 2003.9, "none"), (46, 54, 2003.9, "balance"), (54, 46, 2004.0, "none"),
])
def test_a_balance_has_less_than_a_tenth_of_the_volume_in_less_than_half_an_atr(
    buy: int, sell: int, top: float, expected: str,
) -> None:
    rows = old(row(0, 2000.0), row(100, 2002.0, buy, sell), row(200, top), row(299, 2002.0))
    assert pattern(rows)[0] == expected


def thrust(first: int, second: int, top: float = 2003.0, at: int = -100) -> list[Second]:
    """A high of 2002 on one delta, and one in the window on another; sellers keep the shares small."""
    return [row(-1200, 2000.0, 1), row(at - 299, 2000.0, 7, 7), row(at, 2002.0, 100 + first, 100), row(0, 2001.0),
            row(150, top, 100 + second, 100), row(299, top - 1.9)]


@pytest.mark.parametrize(("rows", "expected"), [
    (thrust(90, 44), True), (thrust(90, 45), False), (thrust(90, -44), True), (thrust(-90, 44), True),
    (thrust(90, 44, 2002.1), True), (thrust(90, 44, 2002.0), False),       # beyond, not at
    (thrust(90, 44, 2002.1, -599), True), (thrust(90, 44, 2000.5, -600), False),
])
def test_exhaustion_is_a_new_extreme_on_less_than_half_the_flow(rows: list[Second], expected: bool) -> None:
    assert ("exhaustion up" in (pattern(rows, atr=4.0)[1] or [])) is expected
    turned = [Second(one.second, 4000 - one.open, 4000 - one.low, 4000 - one.high, 4000 - one.close, one.sell, one.buy,
                     0, 1) for one in rows]
    assert ("exhaustion down" in (pattern(turned, atr=4.0)[1] or [])) is expected


def test_the_flow_of_the_last_extreme_is_that_of_the_five_minutes_that_ended_with_it() -> None:
    flows = [row(-1200, 2000.0, 1), row(-350, 2000.0, 500), row(-50, 2002.0, 90), row(0, 2001.0)]
    assert "exhaustion up" not in (pattern([*flows, row(150, 2003.0, 60), row(299, 2002.0)], atr=50.0)[1] or [])
    nearer = [row(-1200, 2000.0, 1), row(-349, 2000.0, 500), *flows[2:]]
    assert "exhaustion up" in (pattern([*nearer, row(150, 2003.0, 60), row(299, 2002.0)], atr=50.0)[1] or [])


@pytest.mark.parametrize(("rows", "expected"), [
    ([row(50, 2003.0, 5), row(100, 2002.7, 60), row(299, 2001.0)], ["trapped up"]),
    ([row(50, 2003.0, 5), row(100, 2002.6, 60), row(299, 2001.0)], []),                     # 4 ticks below the high
    ([row(50, 2003.0, 5), row(100, 2002.9, 60), row(299, 2001.1)], []),                     # not back yet
    ([row(50, 2003.0, 5), row(100, 2002.9, 60, low=2002.5), row(299, 2001.0)], []),         # some of it elsewhere
    ([row(50, 2003.0, 5), row(100, 2002.9, 60), row(200, 2002.0, 60), row(299, 2001.0)], []),  # as much elsewhere
    ([row(50, 2003.0, 5), row(100, 2002.9, 60), row(200, 2002.0, 59), row(299, 2001.0)], ["trapped up"]),
    ([row(50, 1999.0, 0, 5), row(100, 1999.3, 0, 60), row(299, 2001.0)], ["trapped down"]),
])
def test_trapped_is_the_heaviest_trading_at_an_extreme_that_price_has_left(
    rows: list[Second], expected: list[str],
) -> None:
    # 40 bought and 40 sold in the middle of the range keep the share between a tenth and a fifth, or the move small
    even = [row(0, 2001.5, 30, 30), row(20, 2001.5, 30, 30), row(40, 2001.5, 30, 30)]
    light = [Second(one.second, one.open, one.high, one.low, one.close, one.buy // 2, one.sell // 2, 0, 1)
             for one in even]
    assert pattern(old(*light, *rows))[1] == expected


def test_the_heaviest_seconds_hold_a_twentieth_of_the_volume_together() -> None:
    # 970 contracts: one second of 40 is not enough, so that those of 30 count too, and one of them was elsewhere
    quiet = [row(second, 2001.5, 4, 5) for second in range(100)]
    high = [row(110, 2003.0, 40)]
    assert pattern(old(*quiet, *high, row(120, 2002.9, 15, 15), row(299, 2001.0)))[1] == ["balance", "trapped up"]
    assert pattern(old(*quiet, *high, row(120, 2002.0, 15, 15), row(299, 2001.0)))[1] == ["balance"]
    assert pattern(old(*quiet, row(110, 2003.0, 52), row(120, 2002.0, 15, 15), row(299, 2001.0)))[1] == [
        "balance", "trapped up"]


# ---- what is not known


@pytest.mark.parametrize(("one", "reason"), [
    (packet(300, trades=False), "needs trades, input is bbo-1s"),
    (packet(300), "nothing traded in the last 300 s"),
    (packet(300, [row(0, 2000.0, 1)], atr=None), "needs ATR: 3 of 14 bars"),
    (packet(300, [row(1, 2000.0, 1)]), "4 of 5 minutes"),
    (packet(300, [row(-899, 2000.0, 1), row(10, 2004.0, 3, 2)]), "19 of 20 minutes"),
    (packet(300, old(row(10, 2004.0, 57, 43)), tick=None), "needs the contract's tick"),
])
def test_a_pattern_that_cannot_be_told_is_null_with_the_reason(one: Packet, reason: str) -> None:
    mentor = Mentor()
    found = reading(mentor, one)
    assert (found.pattern, found.patterns, mentor.reasons["pattern"]) == (None, None, reason)


def test_a_pattern_that_holds_is_told_though_others_cannot_be() -> None:
    rows = [row(0, 2000.0), row(100, 2002.0, 60, 40), row(299, 2004.0)]
    assert pattern(rows, tick=None)[0] == "trend"


def test_an_extreme_of_a_quarter_of_an_hour_needs_that_quarter() -> None:
    rows = thrust(90, 44)[1:]
    assert "exhaustion up" not in (pattern(rows, atr=4.0)[1] or [])


def test_another_contract_begins_another_tape() -> None:
    mentor = Mentor()
    reading(mentor, packet(300, old(row(0, 2000.0), row(100, 2002.0, 60, 40), row(299, 2004.0))))
    assert reading(mentor, packet(301, [row(300, 2050.0, 60, 40)], instrument=2)).pattern is None


def test_the_same_reading_comes_back_while_nothing_changes() -> None:
    mentor = Mentor()
    slots = {"session": NEW_YORK, "news": NewsHere(blackout=False), "risk": RiskView(allowed=True)}
    first = reading(mentor, packet(300, old(row(10, 2000.0), row(100, 2002.0, 60, 40), row(299, 2004.0)), **slots))
    assert reading(mentor, packet(301, [row(300, 2004.0, 1)], **slots)) is first
    assert reading(mentor, packet(311, **slots)) is not first


# ---- against a look at all trades, by pandas


def seconds_of(trades: Sequence[Trade]) -> pd.DataFrame:
    """Prices in ticks and volumes of each second that traded."""
    table = pd.DataFrame(trades, columns=["ts", "side", "ticks", "size"])
    table["second"] = table.ts // S
    groups = table.groupby("second")
    return groups.ticks.agg(high="max", low="min").join(groups["size"].sum())


def expected_patterns(trades: list[Trade], ts: int, atr: float) -> list[str] | None:
    """The patterns straight from their definitions; None where they are not known. Prices in ticks of 0.1."""
    now = (ts - 1) // S
    seen = [one for one in trades if one.ts < ts]
    window = [one for one in seen if one.ts // S > now - 300]
    began = seen[0].ts // S
    if not window or now - began + 1 < 300:
        return None
    prices = [one.ticks for one in window]
    high, low, move, share = max(prices), min(prices), prices[-1] - prices[0], delta(window) / volume(window)
    found, half = [], atr * 10 / 2 - 1e-9
    if abs(share) >= 0.2 and move * (1 if share > 0 else -1) >= half:
        found.append("trend up" if share > 0 else "trend down")
    if abs(share) < 0.1 and high - low < half:
        found.append("balance")
    if now - began + 1 >= 1200:
        found += expected_exhaustion(seen, window, now)
    table = seconds_of(window)
    volumes = sorted(table["size"], reverse=True)
    least = next(size for at, size in enumerate(volumes) if sum(volumes[:at + 1]) >= 0.05 * volume(window) - 1e-9)
    heavy = table[table["size"] >= least]
    if heavy.index[-1] < table.index[-1]:
        if heavy.low.min() >= high - 3 and high - prices[-1] >= half / 2:
            found.append("trapped up")
        if heavy.high.max() <= low + 3 and prices[-1] - low >= half / 2:
            found.append("trapped down")
    return found if found or now - began + 1 >= 1200 else None


def expected_exhaustion(seen: list[Trade], window: list[Trade], now: int) -> list[str]:
    """New extremes against those of the ten minutes before the window."""
    before = [one for one in seen if now - 900 < one.ts // S <= now - 300]
    found = []
    for way, word in ((1, "up"), (-1, "down")):
        if not before or max(one.ticks * way for one in window) <= max(one.ticks * way for one in before):
            continue
        last = max(before, key=lambda one: (one.ticks * way, one.ts)).ts // S
        flow = delta(one for one in seen if last - 300 < one.ts // S <= last)
        if abs(delta(window)) < abs(flow) / 2:
            found.append(f"exhaustion {word}")
    return found


def checked(trades: list[Trade], frame: str, period: str, step: int) -> list[str]:
    """The patterns that were told in one of so many packets, each compared with the definitions."""
    told: list[str] = []
    for one in run(records_of(trades), frame, ["bars", "memory", "mentor"], bars=bars_of(period))[::step]:
        found, atr = one.slots["mentor"], one.slots["bars"].atr
        if not one.closed or atr is None:
            assert one.closed is False or found.patterns is None
            continue
        expected = expected_patterns(trades, one.ts, atr)
        assert found.patterns == expected, one.ts
        assert found.pattern == (None if expected is None else "none" if not expected else expected[0].split()[0])
        told += expected or []
    return told


@slow
@given(data=st.binary(min_size=600, max_size=1500), frame=st.sampled_from(["5s", "1m", "50ms"]))
def test_patterns_are_those_that_a_look_at_all_trades_finds(data: bytes, frame: str) -> None:
    checked(tape(data, long_gaps=False), frame, "1m", 5)


def test_a_long_tape_shows_every_pattern() -> None:
    assert set(checked(tape(noise(11, 8000), long_gaps=False), "5s", "5m", 9)) == {
        "trend up", "trend down", "balance", "exhaustion up", "exhaustion down", "trapped up", "trapped down"}


# ---- session

NEW_YORK = SessionHere("new york", "2026-03-02", True, False, False, False)


@pytest.mark.parametrize(("here", "words", "note"), [
    (NEW_YORK, "new york", "Session new york; the trade date is 2026-03-02."),
    (SessionHere("asia", "2026-11-27", True, True, False, True), "asia, first 15 minutes, early close",
     "Session asia, first 15 minutes, early close; the trade date is 2026-11-27."),
    (SessionHere("london", "2026-03-02", True, False, True), "london, last 15 minutes",
     "Session london, last 15 minutes; the trade date is 2026-03-02."),
    (SessionHere("closed", "2026-03-02", False, False, False), "closed",
     "The market is closed; the trade date is 2026-03-02."),
])
def test_the_session_is_told_in_words(here: SessionHere, words: str, note: str) -> None:
    found = reading(Mentor(), packet(0, session=here))
    assert (found.session, found.notes) == (words, [note])


# ---- zones


def zone(name: str, low: float, high: float, side: Any = "B", retests: int = 3, holds: int = 2) -> ZoneRemembered:
    return ZoneRemembered(name, side, low, high, "defended", retests, holds)


def test_the_nearest_remembered_zones_above_here_and_below_are_named() -> None:
    zones = [zone("here", 1999.9, 2000.2), zone("up", 2000.5, 2000.8, "A", 0, 0), zone("up too", 2001.0, 2001.2),
             zone("down", 1995.0, 1996.0), zone("far", 1990.0, 1995.9)]
    found = reading(Mentor(), packet(0, memory=MemoryHere(zones)))
    assert [(one.id, one.place) for one in found.zones or []] == [("up", "above"), ("here", "here"), ("down", "below")]
    assert found.notes == [
        "Above the price: sellers hid size from 2000.5 to 2000.8 (defended); no retest was decided yet.",
        "At the price: buyers hid size from 1999.9 to 2000.2 (defended); it held 2 of 3 retests.",
        "Below the price: buyers hid size from 1995 to 1996 (defended); it held 2 of 3 retests."]


@pytest.mark.parametrize(("atr", "low", "near"), [
    (8.0, 2004.0, True), (8.0, 2004.1, False), (None, 2002.0, True), (None, 2002.1, False), (2.0, 2002.0, True)])
def test_near_is_within_20_ticks_or_half_an_atr(atr: float | None, low: float, near: bool) -> None:
    found = reading(Mentor(), packet(0, atr=atr, memory=MemoryHere([zone("x", low, low + 1)])))
    assert bool(found.zones) is near


def test_a_zone_changes_its_place_when_the_price_moves() -> None:
    mentor, memory = Mentor(), MemoryHere([zone("x", 2000.5, 2000.8)])
    places = [[one.place for one in reading(mentor, packet(0, memory=memory, price=price)).zones or []]
              for price in (2000.4, 2000.5, 2000.8, 2000.9)]
    assert places == [["above"], ["here"], ["here"], ["below"]]


# ---- news

EVENT = (AT + 600) * S
DURING = BlackoutHere("CPI", str(EVENT), str(EVENT + 900 * S))


@pytest.mark.parametrize(("second", "words"), [
    (300, "in 5 minutes"), (301, "in 4 minutes"), (540, "in 1 minute"), (599, "in 0 minutes"), (600, "0 minutes ago"),
    (659, "0 minutes ago"), (660, "1 minute ago"), (1400, "13 minutes ago"),
])
def test_a_blackout_is_a_veto_with_the_event_and_the_minutes(second: int, words: str) -> None:
    mentor, news = Mentor(), NewsHere(blackout=True, during=DURING)
    reading(mentor, packet(second - 1, news=news))
    found = reading(mentor, packet(second, news=news))
    assert found.blackout is True
    assert found.veto == f"news blackout until 2026-03-02T15:25:00Z: CPI {words}"


def test_what_comes_soon_what_it_did_before_and_headlines_are_notes() -> None:
    news = NewsHere(
        EventHere("CPI", str(EVENT), 10), False, None, ["Summit"],
        [HeadlineHere(str(AT * S), f"No {at}", "Reuters" if at else None) for at in range(5)],
        AroundHere("cpi", 4, 3.25, 1))
    found = reading(Mentor(), packet(0, news=news))
    assert found.veto is None
    assert found.notes == [
        "CPI comes in 10 minutes.",
        "After the last 4 of the kind 'cpi' in this input price moved 3.25 points in 15 minutes on average; it was "
        "higher after 1.",
        "Today, without a time: Summit.",
        "Headline of 2026-03-02T15:00:00Z: No 0", "Headline of 2026-03-02T15:00:00Z (Reuters): No 1",
        "Headline of 2026-03-02T15:00:00Z (Reuters): No 2"]


def test_an_event_whose_blackout_lasts_is_told_once_and_the_one_behind_it_is_a_note() -> None:
    news = NewsHere(EventHere("CPI", str(EVENT), 3), True, DURING)
    found = reading(Mentor(), packet(420, news=news))
    assert (found.notes, found.veto) == ([], "news blackout until 2026-03-02T15:25:00Z: CPI in 3 minutes")
    news = NewsHere(EventHere("Fed", str(EVENT + S), 3), True, DURING)
    assert reading(Mentor(), packet(420, news=news)).notes == ["Fed comes in 3 minutes."]


def test_an_event_that_is_far_away_is_no_note() -> None:
    news = NewsHere(EventHere("CPI", str(EVENT), 60), False, correlation=AroundHere("cpi", 4, 3.25, 1))
    assert reading(Mentor(), packet(0, news=news)).notes == []


def test_without_a_calendar_the_blackout_is_unknown_and_no_veto() -> None:
    mentor = Mentor()
    found = reading(mentor, packet(0, news=NewsHere(), missing={"news.blackout": "no calendar was given"}))
    assert (found.blackout, found.veto, mentor.reasons["blackout"]) == (None, None, "no calendar was given")


# ---- capital protection


@pytest.mark.parametrize(("risk", "allowed", "veto", "notes"), [
    (RiskView(allowed=True), True, None, []),
    (RiskView(allowed=True, size_factor=0.5), True, None, ["Capital protection leaves 50% of the risk per trade."]),
    (RiskView(allowed=False, reasons=["daily loss limit", "kill switch"]), False,
     "capital protection: daily loss limit; kill switch", []),
    (RiskView(), False, "capital protection: it allows no trade", []),
])
def test_the_capital_protection_vetoes_or_is_noted(
    risk: RiskView, allowed: bool, veto: str | None, notes: list[str],
) -> None:
    found = reading(Mentor(), packet(0, risk=risk))
    assert (found.allowed, found.veto, found.notes) == (allowed, veto, notes)


def test_two_vetoes_are_both_told() -> None:
    news = NewsHere(blackout=True, during=DURING)
    found = reading(Mentor(), packet(600, news=news, risk=RiskView(reasons=["kill switch"])))
    assert found.veto == ("news blackout until 2026-03-02T15:25:00Z: CPI 0 minutes ago; "
                          "capital protection: kill switch")


def test_of_slots_that_are_not_there_there_are_no_notes_but_reasons() -> None:
    mentor = Mentor()
    found = reading(mentor, packet(0, session=None, missing={"session": "no trade yet"}))
    assert (found.notes, found.veto) == ([], None)
    assert {name: mentor.reasons[name] for name in ("session", "zones", "blackout", "allowed")} == {
        "session": "no trade yet", "zones": "needs engine memory", "blackout": "needs engine news",
        "allowed": "needs engine risk"}


def test_a_reason_that_changes_is_told_anew() -> None:
    mentor = Mentor()
    for words in ("first", "second"):
        reading(mentor, packet(0, news=NewsHere(), missing={"news.blackout": words}))
        assert mentor.reasons["blackout"] == words


@pytest.mark.parametrize("wrong", [{"zone_ticks": -1.0}, {"zone_atr": float("nan")}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"mentor\.zone_"):
        Mentor(**wrong)


# ---- the laws, with news and mentor


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Setup]:
    """Half an hour of a simulated market with icebergs and an event."""
    case = simulated(minutes=32, rate=4, icebergs=0.05, seed=6)
    first = int.from_bytes(case.records[1][8:16], "little")
    file = tmp_path_factory.mktemp("mentor") / "calendar.ndjson"
    file.write_text("\n".join(json.dumps({"schema": "news", "ts_event": str(first + at * 60 * S), "headline": "CPI"})
                              for at in (15, 600)))
    return case, Setup(every="5s", settings={"news": {"calendar": str(file)}, "bars": bars_of("1m")})


def test_the_busy_market_has_everything(busy: tuple[Case, Setup]) -> None:
    found = [one.slots["mentor"] for one in packets(busy[0].blocks(), busy[1])]
    assert len({one.pattern for one in found}) > 3
    assert {one.veto is None for one in found} == {True, False}
    assert any(one.zones for one in found)


def test_the_laws_hold_with_news_and_mentor(busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    whole = lines(case.blocks(), setup)
    assert_same(lines(case.blocks(range(0, len(case.records), 37)), setup), whole)
    printed = unfinished(case.first(len(case.records) * 2 // 3).blocks(), setup)
    assert_same(printed, whole[:len(printed)])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_pipe_law_holds_with_news_and_mentor(encoding: Encoding, busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    assert_same(piped(case.blocks(), setup, encoding, cutter=every(60_000)), lines(case.blocks(), setup))


def test_the_length_of_the_frame_does_not_matter(busy: tuple[Case, Setup], tmp_path: Path) -> None:
    case, setup = busy
    timed = Case(with_clocks(case.records), None, case.simulated)
    longer, shorter = ({one.ts: one.slots["mentor"] for one in packets(timed.blocks(), setup.at(frame)) if one.closed}
                       for frame in ("5s", "1s"))
    assert len(longer) > 300
    assert {ts: shorter[ts] for ts in longer} == longer
