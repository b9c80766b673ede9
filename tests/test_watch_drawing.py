"""The parts of the picture: widths, text from outside, candles at their prices, bars, badges."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.watch import numbers
from qmo_cli.watch.chart import chart
from qmo_cli.watch.flow import arrows, flow, sparkline
from qmo_cli.watch.header import banner, header, warnings
from qmo_cli.watch.look import ASCII, UNICODE, Look, look_of
from qmo_cli.watch.pillars import bar, compact, pillars
from qmo_cli.watch.scale import Scale, extent, scale_of
from qmo_cli.watch.text import Line, Span, beside, clean, clip, line, rendered, spread, width, wrapped
from qmo_cli.watch.verdict import fitted, verdict

from .watching import (
    COLOUR,
    FLOW,
    MONO,
    PLAIN,
    TEXT,
    bare,
    feed,
    frame,
    health,
    history,
    mark,
    market,
    score,
    session,
    signal,
    zone,
)


def said(spans: Line) -> str:
    """A line without its styles."""
    return "".join(span.text for span in spans)


# ---- text


def test_every_glyph_is_one_column_wide_and_stays_as_it_is() -> None:
    for glyphs in (UNICODE, ASCII):
        texts = [part for part in glyphs if isinstance(part, str)]
        texts += [value for part in glyphs if not isinstance(part, str) for value in part.values()]
        for character in "".join(texts):
            assert unicodedata.east_asian_width(character) not in "WF"
            assert clean(character) == character
            if glyphs is ASCII:
                assert character.isascii()


@given(st.text(max_size=60))
def test_no_text_from_outside_reaches_the_terminal_as_a_command(text: str) -> None:
    for look in (TEXT, PLAIN, COLOUR, MONO):
        shown = rendered(line(Span(text, "bold")), 80, look)
        assert all(unicodedata.category(character)[0] not in "CM" for character in bare(shown))
        assert len(bare(shown)) <= 80


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9b2J", "a\x08b", "\r\n", "\u202egnp", "e\u0301", "\U0001f600"])
def test_controls_marks_and_wide_characters_are_question_marks_of_the_same_number(text: str) -> None:
    shown = clean(text)
    assert len(shown) == len(text)
    assert "?" in shown
    assert shown.isprintable()


@given(st.lists(st.tuples(st.text("ab", max_size=9), st.sampled_from(["", "bold", "buy"])), max_size=5),
       st.integers(0, 30))
def test_a_rendered_line_is_as_wide_as_it_should_be(parts: list[tuple[str, str]], columns: int) -> None:
    spans = tuple(Span(*part) for part in parts)
    assert len(bare(rendered(spans, columns, COLOUR))) == columns
    whole = said(spans)
    shown = whole if len(whole) <= columns else (whole[:columns - 1] + "…")[:columns]
    assert bare(rendered(spans, columns, COLOUR)).rstrip() == shown
    assert rendered(spans, columns, TEXT) == shown


def test_a_cut_shows_where_there_is_something_to_show_it_with() -> None:
    assert said(clip(line("abcdef"), 4, "…")) == "abc…"
    assert said(clip(line("abcd"), 4, "…")) == "abcd"


def test_of_two_margins_the_right_one_keeps_its_room() -> None:
    assert said(spread(line("abcdefgh"), line("XY"), 8)) == "abcde XY"
    assert said(spread(line("abcdefgh"), line("XY"), 2)) == "XY"


def test_blocks_beside_each_other_may_differ_in_length() -> None:
    rows = beside([line("a")], [line("x"), line("y")], 3)
    assert [said(row) for row in rows] == ["a    x", "     y"]


def test_sentences_share_rows_and_the_first_gets_what_is_left() -> None:
    sentences = [wrapped(text, 10, lead="- ") for text in ("one two three four", "five six seven", "eight")]
    assert [said(row) for row in fitted(sentences, 10, 3, TEXT)] == ["- one two…", "- five six…"[:9] + "…", "- eight"]
    assert [said(row) for row in fitted(sentences, 10, 4, TEXT)][:2] == ["- one two", "  three…"]
    assert fitted(sentences, 10, 0, TEXT) == []


# ---- what a terminal can show


@pytest.mark.parametrize(("environment", "look"), [
    ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, Look(True, 256, True)),
    ({"TERM": "xterm", "LANG": "en_US.UTF-8"}, Look(True, 16, True)),
    ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "de_DE.utf8@euro"}, Look(True, 256, True)),
    ({"TERM": "xterm-256color", "NO_COLOR": "1", "LANG": "C.UTF-8"}, Look(True, 0, True)),
    ({"TERM": "xterm-256color", "NO_COLOR": "", "LC_ALL": "C", "LANG": "C.UTF-8"}, Look(True, 256, False)),
    ({"TERM": "vt220", "LANG": "de_DE.ISO-8859-1"}, Look(True, 0, False)),
])
def test_the_environment_says_what_the_terminal_can_show(environment: dict[str, str], look: Look) -> None:
    assert look_of(environment, terminal=True) == look


def test_text_for_a_pipe_has_no_escapes_at_all() -> None:
    assert look_of({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, terminal=False) == TEXT
    assert look_of({"LANG": "C.UTF-8"}, terminal=False, plain=True) == PLAIN


# ---- prices and candles


@given(st.integers(-5000, 500_000), st.integers(0, 3000), st.integers(1, 40), st.sampled_from([0.1, 0.25, 1.0]))
def test_a_scale_shows_all_prices_and_is_of_whole_ticks(low: int, span: int, rows: int, tick: float) -> None:
    scale = scale_of(low * tick, (low + span) * tick, rows, tick)
    assert 0 <= scale.row((low + span) * tick) <= scale.row(low * tick) < rows
    assert scale.step / tick == pytest.approx(round(scale.step / tick))
    assert scale.top / scale.step == pytest.approx(round(scale.top / scale.step), abs=1e-3)


def test_a_scale_is_as_fine_as_the_rows_allow() -> None:
    assert scale_of(2566.3, 2567.9, 17, 0.1).step == pytest.approx(0.1)
    assert scale_of(2566.3, 2567.9, 16, 0.1).step == pytest.approx(0.2)
    assert scale_of(1.0, 1.0, 5, None).rows == 5


def halves(low: float, high: float, scale: Scale) -> set[int]:
    """The half rows that prices from one to the other touch, by the bands that they stand for, in exact arithmetic."""
    top, half = Fraction(scale.top).limit_denominator(1000), Fraction(scale.step).limit_denominator(1000) / 2
    found = set()
    for number in range(2 * scale.rows):
        above = top + half - number * half
        if Fraction(low).limit_denominator(1000) <= above and Fraction(high).limit_denominator(1000) > above - half:
            found.add(number)
    return found


PRICES = st.integers(25_600, 25_700).map(lambda ticks: ticks / 10)


@given(st.lists(PRICES, min_size=4, max_size=4), st.integers(1, 30))
def test_a_candle_stands_in_exactly_the_half_rows_of_its_prices(prices: list[float], rows: int) -> None:
    first, last, low, high = prices[0], prices[1], min(prices), max(prices)
    shown = history([(first, high, low, last)])
    drawn = chart(frame(market=market(price=last), signal=None, zones=[], flow=None), shown, 20, rows, TEXT)
    timed = rows >= 7
    scale = scale_of(low, high, rows - timed, 0.1)
    column = [said(row)[10] for row in drawn[:rows - timed]]        # 20 less a price of 6 and 3 around it
    glyphs = UNICODE.rising if last >= first else UNICODE.falling
    names: dict[str, set[str]] = {}
    for parts, glyph in glyphs.items():
        names.setdefault(glyph, set()).add(parts)
    wick, body = halves(low, high, scale), halves(min(first, last), max(first, last), scale)
    for row, glyph in enumerate(column):
        expected = "".join("#" if half in body else "|" if half in wick else " " for half in (2 * row, 2 * row + 1))
        assert expected in names[glyph], (row, glyph, expected)


def test_rising_and_falling_candles_differ_without_colour() -> None:
    for glyphs in (UNICODE, ASCII):
        assert not {glyphs.rising[part] for part in ("##", "# ")} & {glyphs.falling[part] for part in ("##", "# ")}


def chart_text(rows: int = 12, columns: int = 60, **changes: object) -> list[str]:
    marks = changes.pop("marks", [])
    return [said(row) for row in chart(frame(**changes), history(marks=marks), columns, rows, TEXT)]


def test_the_price_of_now_is_marked_at_its_row() -> None:
    rows = [row for row in chart_text(signal=None) if "◄" in row]
    assert len(rows) == 1
    assert "◄2567.5" in rows[0]


def test_a_zone_is_named_once_at_the_price_at_which_it_is_met() -> None:
    text = "\n".join(chart_text(zones=[zone("B", 2566.9, 2567.1), zone("A", 2567.8, 2567.9, "memory")], flow=None,
                                signal=None))
    assert text.count("B ice 2567.1 7") == 1
    assert text.count("A mem 2567.8") == 1


def test_the_line_of_a_zone_begins_with_the_candle_in_which_it_was_first_seen() -> None:
    late = zone("A", 2567.9, 2567.9, first_seen=str((1_772_463_600 - 90) * 10**9))
    row = next(row for row in chart_text(zones=[late], signal=None, flow=None) if "A ice" in row)
    assert row.partition("┤")[0].rstrip("╌") == row.partition("┤")[0][:-2]


def test_of_several_at_one_price_the_trade_is_named_and_the_others_counted() -> None:
    text = "\n".join(chart_text(zones=[zone("A", 2568.0, 2568.0), zone("A", 2568.0, 2568.1, "memory")]))
    assert "limit 2568.0 +2" in text


def test_a_mark_stands_over_or_under_its_own_candle() -> None:
    rows = chart_text(marks=[mark("signal", "B", 30), mark("signal", "A", 290), mark("iceberg", "B", 100)], zones=[],
                      signal=None)
    body = [row.partition("┤")[0] for row in rows]
    assert [row[-1] for row in body if row[-1:] == "▲"] == ["▲"]
    assert [row[-5] for row in body if len(row) > 5 and row[-5] == "▼"] == ["▼"]
    assert not any(row[-2:-1] == "▲" for row in body)


def test_the_times_stand_under_the_columns_of_their_candles() -> None:
    shown = history([(2567.0, 2567.1, 2566.9, 2567.0)] * 40)
    *_, times = chart(frame(), shown, 70, 12, TEXT)
    found = {match.start(): match[0] for match in re.finditer(r"\d\d:\d\d", said(times))}
    edge = said(chart(frame(), shown, 70, 12, TEXT)[0]).index("┤")
    assert len(found) >= 3
    for column, label in found.items():
        minutes = edge - column                     # the newest candle, beside the edge, began a minute ago
        assert label == f"14:{60 - minutes:02d}"


def test_without_a_trade_there_is_no_chart_and_it_says_so() -> None:
    empty = frame(market=market(price=None), signal=None)
    assert "nothing traded yet" in "\n".join(said(row) for row in chart(empty, None, 60, 9, TEXT))
    assert extent([], None) is None


def test_no_number_beside_the_chart_is_cut_to_another_one() -> None:
    crowd = [zone("A", 2567.9, 2567.9, kind, strength=10.0) for kind in ("iceberg", "absorption")]
    for columns in range(54, 80):
        for row in chart_text(columns=columns, zones=crowd, signal=None, flow=None):
            label = row.partition("┤")[2][8:].strip()
            assert label in ("", "A ice 2567.9 10 +1", "A ice 2567.9 +1")
    sums = frame(flow={**FLOW, "cvd": 123456, "heat": 21.4})
    for columns in range(30):
        text = said(flow(sums, history().candles, 5, 6 + columns, TEXT)[1])
        assert re.search(r" (CVD( \+123456( BUY( heat 21)?)?)?)?$", text)


# ---- delta and CVD


def test_a_sparkline_goes_from_the_least_to_the_greatest() -> None:
    assert sparkline([-5.0, 0.0, None, 5.0], TEXT) == "▁▅ █"
    assert sparkline([7.0, 7.0], TEXT) == "▁▁"
    assert sparkline([None], TEXT) == " "


def test_arrows_say_the_side_and_whether_it_is_strong() -> None:
    assert "".join(span.text for span in arrows([10, -6, 4, 0, None, -1], TEXT)) == "▲▼▴· ▾"
    assert [span.style for span in arrows([10, -6], TEXT)] == ["buy", "sell"]


# ---- pillars


@pytest.mark.parametrize(("value", "text"), [
    (0.5, "······│······"), (1.0, "······│██████"), (0.0, "██████│······"), (0.75, "······│███···"),
    (0.25, "···███│······"), (0.54, "······│······"),
])
def test_a_bar_grows_from_the_middle_to_the_side_that_it_speaks_for(value: float, text: str) -> None:
    assert said(bar(value, 13, TEXT)) == text


def test_a_pillar_that_is_not_known_says_why_and_has_no_bar() -> None:
    rows = [said(row) for row in pillars(frame(), 40, TEXT)]
    assert rows[2] == "gann  w.20 6 of 14 true ranges"
    assert rows[4] == "cycle w.15 no bar of 15m has closed yet"
    assert rows[0].endswith(".900 w.25 +0.100")
    assert rows[3].endswith(".500 w.15 silent")
    assert rows[5].endswith(".800 S<.25 B>.75")
    assert max(map(len, rows)) <= 40


def test_a_total_that_is_not_known_says_so() -> None:
    unknown = frame(score=score(total=None, missing={"total": "no pillar is known"}))
    assert "no pillar is known" in said(pillars(unknown, 60, TEXT)[-1])


def test_in_a_narrow_line_pillars_are_letters() -> None:
    assert said(compact(frame(), 40)) == "q.900 i.200 g- a.500 c- =.800"
    assert said(compact(frame(), 80)).startswith("qmo .900  imo .200  gann -  astro .500")


# ---- the top


@pytest.mark.parametrize(("changes", "words"), [
    ({}, []),
    ({"market": market(quality="simulated"), "feed": feed(quality="simulated")}, ["SIMULATED"]),
    ({"market": market(quality="delayed")}, ["DELAYED"]),
    ({"market": market(quality="warmup"), "feed": feed(quality="warmup")}, ["WARM-UP"]),
    ({"feed": feed("stale", detail="no packet for 12 s")}, ["STALE"]),
    ({"feed": feed("failed", detail="gone"), "market": market(quality="replay")}, ["FAILED", "REPLAY"]),
    ({"health": health(trading=False)}, ["HALTED"]),
])
def test_what_must_not_be_missed_is_a_badge_in_inverse_and_words_over_the_whole_width(
    changes: dict[str, object], words: list[str],
) -> None:
    shown = frame(**changes)
    assert [word for word, _ in warnings(shown)] == words
    first, second = header(shown, history(), 80, COLOUR)[0], banner(shown, 80, COLOUR)
    for word in words:
        assert Span(f" {word} ", "alarm") in first
        assert word in said(second)
    if words:
        assert {span.style for span in second} == {"alarm"}
        assert width(second) == 80
        assert f"[{words[0]}]" in said(header(shown, history(), 80, TEXT)[0])
        assert said(banner(shown, 80, TEXT)).startswith(f"*** {words[0]}")


def test_the_reason_of_the_worst_comes_before_the_meaning_of_the_others() -> None:
    shown = frame(feed=feed("failed", detail="the vendor said no"), market=market(quality="replay"))
    assert said(banner(shown, 60, TEXT)).rstrip() == "*** FAILED: the vendor said no; REPLAY ***"
    assert said(banner(shown, 30, TEXT)).rstrip() == "*** FAILED: the vendor sa… ***"


def test_the_arrow_says_how_the_price_stands_to_the_close_of_the_candle_before() -> None:
    assert "2567.5 ▲ +0.3" in said(header(frame(), history(), 80, TEXT)[0])
    lower = frame(market=market(price=2567.1))
    assert "2567.1 ▼ -0.1" in said(header(lower, history(), 80, TEXT)[0])
    assert "2567.5 ─ 0" in said(header(frame(), history([(2567.5,) * 4] * 2), 80, TEXT)[0])
    assert "2567.5  bid" in said(header(frame(), None, 80, TEXT)[0])


def test_an_old_packet_stands_out() -> None:
    second = header(frame(feed=feed(age=7.0)), None, 80, COLOUR)[1]
    assert Span("age 7.0 s", "alarm") in second
    assert Span("age 0.4 s", "dim") in header(frame(), None, 80, COLOUR)[1]


def test_the_header_says_the_session_and_what_is_wrong_with_the_book() -> None:
    text = said(header(frame(health=health(book="partial", crossed=True)), None, 100, TEXT)[1])
    assert "new york, closes in 7h00" in text
    assert "mbo book PARTIAL CROSSED" in text
    closed = frame(session=session(open=False))
    assert "market closed, opens 2026-03-02T23:00:00Z" in said(header(closed, None, 100, TEXT)[1])


# ---- the decision


def test_a_trade_is_said_with_all_that_is_needed_to_place_it() -> None:
    rows = [said(row) for row in verdict(frame(), 40, TEXT)]
    assert rows == ["[▲ BUY] ACTIVE confidence .800", "limit 2568.0 stop 2566.6 target 2569.0 ",
                    "4 MGC, risk 420+costs, first 2568.2"]


@pytest.mark.parametrize("status", ["stale", "blocked", "halted", "warming_up", "closed"])
def test_a_decision_that_is_not_to_be_acted_upon_does_not_look_like_one(status: str) -> None:
    shown = verdict(frame(signal=signal("SELL", status)), 80, COLOUR)[0]
    assert shown[0] == Span("(▼ SELL)", "bold sell")
    assert shown[1] == Span(f" {status.replace('_', ' ').upper()}", "alarm")


def test_what_there_is_no_room_for_is_left_out_whole() -> None:
    shown = frame(signal=signal("BUY", "warming_up"))
    assert said(verdict(shown, 80, TEXT)[0]) == "(▲ BUY) WARMING UP confidence .800 since 14:58:07"
    assert said(verdict(shown, 40, TEXT)[0]) == "(▲ BUY) WARMING UP confidence .800"
    assert said(verdict(shown, 20, TEXT)[0]) == "(▲ BUY) WARMING UP"


def test_no_signal_is_no_hold() -> None:
    shown = frame(signal=None, missing={"signal": "needs qmo signal"})
    assert said(verdict(shown, 80, TEXT)[0]) == "no signal: needs qmo signal"


# ---- numbers


@pytest.mark.parametrize(("value", "tick", "text"), [
    (2567.5, 0.1, "2567.5"), (2567.0, 0.1, "2567.0"), (4810.25, 0.25, "4810.25"), (4810.5, 0.25, "4810.50"),
    (2567.55, 0.1, "2567.55"), (-0.3, 0.1, "-0.3"), (None, 0.1, "-"), (17.0, None, "17"),
])
def test_a_price_has_the_decimals_of_its_tick(value: float | None, tick: float | None, text: str) -> None:
    assert numbers.price(value, tick) == text
