"""The engine news: events ahead, blackouts, headlines, and what the market did around events of a kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qmo_cli.engines.news.around import kind_of
from qmo_cli.engines.news.engine import News
from qmo_cli.engines.news.reading import Around, Blackout, EventAhead, NewsReading
from qmo_cli.errors import ConfigurationError
from qmo_cli.packets import Inputs, KillFact, NewsFact, Second, TradesInput
from qmo_cli.tray import Packet
from qmo_cli.views import BarsView

from .engine_oracles import Trade, records_of, run, tape
from .handmade import health, market, needless, unexplained
from .laws import ENCODINGS, Encoding, Setup, every, lines, packets, piped, unfinished
from .laws_streams import Case, simulated, with_clocks
from .support import START
from .test_laws import assert_same

SECOND, MINUTE, HOUR = 10**9, 60 * 10**9, 3600 * 10**9
CPI = START + 2 * HOUR
slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def line(ts: int, headline: str = "CPI", impact: str | None = "high") -> str:
    return json.dumps({"schema": "news", "ts_event": str(ts), "headline": headline, "impact": impact})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calendar.ndjson"


def engine(file: Path, *rows: str, **parameters: Any) -> News:
    file.write_text("\n".join(rows))
    return News(calendar=str(file), **parameters)


def packet(
    ts: int, rows: Sequence[Second] = (), facts: Sequence[Any] | None = None, *, atr: float | None = None,
    instrument: int = 1, closed: bool = True,
) -> Packet:
    trades = TradesInput(0, 0, 0, 0, list(rows), [], [], 0, [], 0)
    context = None if facts is None else list(facts)
    return Packet(
        ts=ts, series="GC.v.0", symbol="GCJ6", instrument_id=instrument, closed=closed, price=2000.0, missing={},
        slots={"market": market(), "health": health(), "bars": BarsView(atr=atr), "system": [],
               "inputs": Inputs(trades, None, None, None, None, context)})


def reading(news: News, *where: Any, **more: Any) -> NewsReading:
    """What the engine says of a packet; every null of it has a reason, and nothing else has one."""
    found = news.update(packet(*where, **more))
    assert isinstance(found, NewsReading)
    assert unexplained(found, news.reasons) == needless(found, news.reasons) == []
    return found


# ---- what is not known


def test_without_a_calendar_nothing_scheduled_is_known_not_even_that_there_is_nothing() -> None:
    news = News()
    found = reading(news, START)
    assert (found.next, found.minutes_to_news, found.blackout, found.latest) == (None, None, None, [])
    assert set(news.reasons.values()) == {"no calendar was given"}
    assert reading(news, START + HOUR) is found


def test_after_its_last_event_a_calendar_tells_nothing_any_more(file: Path) -> None:
    news = engine(file, line(CPI))
    assert reading(news, CPI + 15 * MINUTE - 1).blackout is True
    assert reading(news, CPI + 15 * MINUTE).blackout is None
    assert news.reasons["blackout"] == (
        "the calendar ended at 2026-03-02T17:15:00Z: what came after is not in it")
    assert news.reasons["next"] == "no event of note is ahead in the calendar"


def test_more_than_a_week_before_its_first_event_a_calendar_tells_nothing_yet(file: Path) -> None:
    news = engine(file, line(CPI + 7 * 24 * HOUR))
    assert reading(news, CPI - 1).blackout is None
    assert "2026-03-09T17:00:00Z, is more than a week ahead" in news.reasons["blackout"]
    assert reading(news, CPI).blackout is False


# ---- events and blackouts


def test_minutes_are_whole_and_the_next_event_is_the_next_of_note(file: Path) -> None:
    news = engine(
        file, line(CPI), line(CPI - HOUR, "Speech", "medium"), line(CPI + HOUR, "Auction", None), impact="high")
    found = reading(news, CPI - 61 * MINUTE + 1)
    assert found.next == EventAhead("CPI", str(CPI), "high", 60)
    assert found.minutes_to_news == 60
    assert reading(news, CPI - 60 * MINUTE) is found
    assert reading(news, CPI - 60 * MINUTE + 1).minutes_to_news == 59
    assert reading(news, CPI - 1).minutes_to_news == 0
    assert reading(news, CPI).next == EventAhead("Auction", str(CPI + HOUR), None, 60)


@pytest.mark.parametrize(("away", "expected"), [
    (-5 * MINUTE - 1, False), (-5 * MINUTE, True), (-1, True), (0, True), (15 * MINUTE - 1, True), (15 * MINUTE, False),
])
def test_a_blackout_lasts_from_five_minutes_before_to_fifteen_after(away: int, expected: bool, file: Path) -> None:
    news = engine(file, line(CPI), line(CPI + 30 * 24 * HOUR))
    found = reading(news, CPI + away)
    assert found.blackout is expected
    during = Blackout("CPI", str(CPI), "high", str(CPI - 5 * MINUTE), str(CPI + 15 * MINUTE))
    assert found.during == (during if expected else None)


def test_windows_that_overlap_are_one_and_the_nearest_event_names_it(file: Path) -> None:
    events = [line(CPI), line(CPI + 20 * MINUTE, "Fed"), line(CPI + 45 * MINUTE, "Later"), line(CPI + 9 * HOUR, "Far")]
    news = engine(file, *events)
    early = reading(news, CPI - MINUTE).during
    assert early == Blackout("CPI", str(CPI), "high", str(CPI - 5 * MINUTE), str(CPI + 35 * MINUTE))
    late = reading(news, CPI + 16 * MINUTE).during
    assert late == Blackout("Fed", str(CPI + 20 * MINUTE), "high", str(CPI + 15 * MINUTE), str(CPI + 35 * MINUTE))
    assert reading(news, CPI + 36 * MINUTE).blackout is False


def test_an_event_without_a_time_is_named_on_its_trade_date_and_blacks_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    path.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Summit\nDTSTART;VALUE=DATE:20260303\nEND:VEVENT\n"
        "BEGIN:VEVENT\nSUMMARY:CPI\nDTSTART:20260312T123000Z\nEND:VEVENT\nEND:VCALENDAR\n")
    news = News(calendar=str(path))
    opens = START + 8 * HOUR                         # 17:00 in Chicago: trade date 3 March begins
    assert reading(news, opens - 1).all_day == []
    found = reading(news, opens)
    assert (found.all_day, found.blackout) == (["Summit"], False)
    assert reading(news, opens + 24 * HOUR).all_day == []


@pytest.mark.parametrize("parameters", [
    {"before": -1}, {"after": 1441}, {"impact": "huge"}, {"hours": -1}, {"most": -1}])
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        News(**parameters)


def test_a_sibling_for_another_series_does_not_read_the_calendar_again(file: Path) -> None:
    news = engine(file, line(CPI), before=7)
    file.unlink()
    other = news.sibling()
    assert reading(other, CPI - 6 * MINUTE).blackout is True
    assert other.calendar == str(file)
    assert reading(news.sibling(), CPI - 8 * MINUTE).blackout is False


# ---- headlines


def fact(ts: int, headline: str, **more: Any) -> NewsFact:
    return NewsFact(**{"ts_event": str(ts), "headline": headline, "impact": None, "sentiment": None, "source": "wire",
                       **more})


def test_headlines_are_shown_newest_first_each_once_for_some_hours() -> None:
    news = News(hours=2, most=2)
    one, two, three = (fact(START + at * MINUTE, f"No {at}") for at in (1, 2, 3))
    first = reading(news, START + 2 * MINUTE, facts=[two, KillFact(str(START), True, ""), one, one])
    assert [one.headline for one in first.latest] == ["No 2", "No 1"]
    assert reading(news, START + 2 * MINUTE + 1, facts=[one, two]) is first
    found = reading(news, START + 3 * MINUTE, facts=[three])
    assert ([one.headline for one in found.latest], found.dropped) == (["No 3", "No 2"], 1)
    assert reading(news, START + 121 * MINUTE - 1) is found
    assert reading(news, START + 121 * MINUTE).dropped == 0
    assert reading(news, START + 5 * HOUR).latest == []


def test_a_headline_keeps_what_its_source_said() -> None:
    found = reading(News(), START, facts=[fact(START, "Rates held", impact="high", sentiment=-0.5)])
    assert [(one.source, one.impact, one.sentiment) for one in found.latest] == [("wire", "high", -0.5)]


# ---- kinds


@pytest.mark.parametrize(("one", "other"), [
    ("CPI y/y (Mar 2026)", "CPI y/y (APR 2026)"), ("Fed Interest Rate Decision", "fed interest rate decision."),
    ("GDP Q1, 2nd estimate", "GDP Q2, 3rd estimate"), ("FOMC - 18 March", "FOMC (29 April)"),
])
def test_events_of_one_kind_differ_in_numbers_months_and_punctuation(one: str, other: str) -> None:
    assert kind_of(one) == kind_of(other)


def test_other_words_are_another_kind() -> None:
    assert len({kind_of(one) for one in ("CPI m/m", "CPI y/y", "Core CPI y/y", "Marchés", "2026", "1")}) == 6


# ---- what the market did


def rows(*made: tuple[int, float, int]) -> list[Second]:
    """Seconds by hand: (second, price, delta)."""
    return [Second(second, price, price, price, price, max(delta, 0), max(-delta, 0), 0, 1)
            for second, price, delta in made]


def test_the_quarters_of_an_hour_before_and_after_an_event_by_hand(file: Path) -> None:
    news = engine(file, line(CPI, "CPI (Mar)"), line(CPI + 3 * HOUR, "CPI (Apr)"))
    at = CPI // SECOND
    assert reading(news, CPI - 900 * SECOND, rows((at - 901, 2000.0, 5))).correlation is None
    assert news.reasons["correlation"] == (
        "no event of the kind 'cpi' has been seen with trades 15 minutes before and after")
    reading(news, CPI, rows((at - 900, 2001.0, 7), (at - 1, 2002.0, -3)))
    reading(news, CPI + 900 * SECOND, rows((at, 1999.0, -20), (at + 899, 1998.0, 1)))
    assert reading(news, CPI + 901 * SECOND - 1).correlation is None
    found = reading(news, CPI + 901 * SECOND, rows((at + 900, 2100.0, 99)), atr=8.0)
    assert found.correlation == Around("cpi", 1, 2.0, -4.0, 4.0, 0.5, 0, 4.0, -19.0)
    again = reading(news, CPI + 902 * SECOND, atr=16.0).correlation
    assert again is not None
    assert again.size_after_atr == 0.25


@pytest.mark.parametrize("gap", ["before", "after", "roll"])
def test_an_event_around_which_nothing_traded_or_the_contract_changed_does_not_count(gap: str, file: Path) -> None:
    news, at = engine(file, line(CPI), line(CPI + 3 * HOUR)), CPI // SECOND
    reading(news, CPI - 900 * SECOND, rows((at - 901, 2000.0, 5)))
    reading(news, CPI, rows((at - 5, 2001.0, 7)) if gap != "before" else ())
    reading(news, CPI + SECOND, rows((at, 2001.0, 7)) if gap != "after" else (), instrument=2 if gap == "roll" else 1)
    assert reading(news, CPI + HOUR, instrument=2 if gap == "roll" else 1).correlation is None


def expected_around(trades: list[Trade], events: list[int], now: int) -> tuple[Any, ...] | None:
    """The means straight from the definition, on trades of ns."""
    seen = []
    for event in events:
        if event + 901 * SECOND > now:
            continue
        earlier = [one for one in trades if one.ts < event - 900 * SECOND]
        before = [one for one in trades if event - 900 * SECOND <= one.ts < event]
        after = [one for one in trades if event <= one.ts < event + 900 * SECOND]
        if earlier and before and after:
            flow = [sum(one.size * {"B": 1, "A": -1, "N": 0}[one.side] for one in part) for part in (before, after)]
            moves = (before[-1].ticks - earlier[-1].ticks) / 10, (after[-1].ticks - before[-1].ticks) / 10
            seen.append((*moves, abs(moves[1]), moves[1] > 0, *flow))
    if not seen:
        return None
    columns = list(zip(*seen, strict=True))
    return (len(seen), *(pytest.approx(mean(map(float, columns[at])), abs=1e-6) for at in (0, 1, 2)),
            sum(columns[3]), *(pytest.approx(mean(columns[at]), abs=1e-6) for at in (4, 5)))


@slow
@given(noise=st.binary(min_size=600, max_size=1600), minutes=st.lists(st.integers(1, 240), min_size=1, max_size=4),
       frame=st.sampled_from(["1s", "5s", "1m"]))
def test_the_means_over_past_events_are_those_of_the_trades(
    noise: bytes, minutes: list[int], frame: str, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    trades = tape(noise, long_gaps=False)
    events = sorted({START + minute * MINUTE for minute in minutes})
    file = tmp_path_factory.mktemp("news") / "calendar.ndjson"
    file.write_text("\n".join(line(ts) for ts in [*events, START + 900 * HOUR]))
    found = run(records_of(trades), frame, ["bars", "news"], news={"calendar": str(file)})
    last = [one for one in found if one.closed][-1:]
    for one in last:
        around = one.slots["news"].correlation
        values = None if around is None else (
            around.n, around.move_before, around.move_after, around.size_after, around.up, around.delta_before,
            around.delta_after)
        assert values == expected_around([trade for trade in trades if trade.ts < one.ts], events, one.ts)


# ---- any calendar, against a look at all of it


@slow
@given(events=st.lists(st.tuples(st.integers(0, 7200), st.sampled_from(["low", "medium", "high", None])), min_size=1,
                       max_size=8),
       before=st.integers(0, 20), after=st.integers(0, 20), least=st.sampled_from(["low", "medium", "high"]),
       steps=st.lists(st.integers(1, 900 * SECOND), min_size=5, max_size=30))
def test_next_and_blackout_are_what_a_look_at_the_whole_calendar_says(
    events: list[tuple[int, str | None]], before: int, after: int, least: str, steps: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("news") / "calendar.ndjson"
    news = engine(file, *(line(START + second * SECOND, f"E{second}", impact) for second, impact in events),
                  before=before, after=after, impact=least)
    of_note = {"low": ("low", "medium", "high", None), "medium": ("medium", "high", None), "high": ("high", None)}
    noted = [START + second * SECOND for second, impact in events if impact in of_note[least]]
    ends, now = max(START + second * SECOND for second, _ in events) + after * MINUTE, START - HOUR
    for step in steps:
        now += step
        found = reading(news, now)
        ahead = [ts for ts in noted if ts > now]
        assert found.minutes_to_news == ((min(ahead) - now) // MINUTE if ahead else None)
        active = [ts for ts in noted if ts - before * MINUTE <= now < ts + after * MINUTE]
        assert found.blackout == (True if active else None if now >= ends else False)
        if found.during is not None:
            assert abs(int(found.during.ts_event) - now) == min(abs(ts - now) for ts in active)


# ---- the laws, with a calendar


def a_calendar(folder: Path, first: int) -> Path:
    """Events all over an hour, and one far away."""
    path = folder / "calendar.ndjson"
    kinds = ("CPI", "Claims", "CPI")
    path.write_text("\n".join(
        [*(line(first + (17 + 3 * at) * MINUTE + at, f"{kind} {at}") for at, kind in enumerate(kinds)),
         line(first + 50 * HOUR, "CPI")]))
    return path


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Setup]:
    """Forty minutes of a simulated market with events in it."""
    case = simulated(minutes=42, rate=3, seed=4)
    first = int.from_bytes(case.records[1][8:16], "little")
    path = a_calendar(tmp_path_factory.mktemp("laws"), first)
    return case, Setup(every="5s", settings={"news": {"calendar": str(path)}, "bars": {"period": "1m"}})


def test_the_busy_market_has_everything(busy: tuple[Case, Setup]) -> None:
    found = [one.slots["news"] for one in packets(busy[0].blocks(), busy[1])]
    assert {one.blackout for one in found} == {True, False}
    assert {one.correlation.n for one in found if one.correlation} >= {1, 2}


def test_the_split_law_holds_with_a_calendar(busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    assert_same(lines(case.blocks(range(0, len(case.records), 37)), setup), lines(case.blocks(), setup))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_pipe_law_holds_with_a_calendar(encoding: Encoding, busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    assert_same(piped(case.blocks(), setup, encoding, cutter=every(60_000)), lines(case.blocks(), setup))


def test_the_prefix_law_holds_with_a_calendar(busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    whole = lines(case.blocks(), setup)
    for share in (3, 2):
        printed = unfinished(case.first(len(case.records) * share // 4).blocks(), setup)
        assert_same(printed, whole[:len(printed)])


def at_ends(case: Case, setup: Setup) -> Iterator[tuple[int, NewsReading]]:
    yield from ((one.ts, one.slots["news"]) for one in packets(case.blocks(), setup) if one.closed)


def test_the_length_of_the_frame_does_not_matter_with_a_calendar(busy: tuple[Case, Setup]) -> None:
    case, setup = busy
    timed = Case(with_clocks(case.records), None, case.simulated)
    longer, shorter = dict(at_ends(timed, setup)), dict(at_ends(timed, setup.at("1s")))
    assert len(longer) > 300
    assert {ts: shorter[ts] for ts in longer} == longer
