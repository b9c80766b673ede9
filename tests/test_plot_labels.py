"""The words of a picture: title, source, levels, legend, and the numbers on its axes."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("matplotlib")  # comes with the extras plot and dev

from qmo_cli.errors import UsageError
from qmo_cli.plot import PlotOptions
from qmo_cli.plot.bands import draw_zones
from qmo_cli.plot.canvas import Canvas, Drawn, canvas, round_numbers
from qmo_cli.plot.draw import entries, fill
from qmo_cli.plot.labels import facts, levels, ordered, shown, span
from qmo_cli.plot.marks import Flag

from .plotting import Json, collected, flow, line, place_of_sweeps, signal, sweep, walk, zone

NONE = Drawn(0, 0)
NOTHING = dict.fromkeys(("iceberg", "absorption", "sweep", "stop run", "grab", "signal"), NONE)


def sheet(given: list[Json], **options: Any) -> Canvas:
    """The sheet for these lines."""
    return canvas(collected(given), PlotOptions(**options))


def legend(given: list[Json], **counts: Drawn) -> list[str]:
    """What the legend says."""
    return [words for _, words in entries(sheet(given), {**NOTHING, **counts})]


# ---- title


@pytest.mark.parametrize(("zone_name", "words"), [
    ("UTC", "2026-01-27 15:30 to 15:40 UTC"),
    ("America/Chicago", "2026-01-27 09:30 to 09:40 CST"),
    ("Asia/Tokyo", "2026-01-28 00:30 to 00:40 JST"),
])
def test_the_title_says_from_when_to_when_in_the_zone_of_the_axis(zone_name: str, words: str) -> None:
    assert span(sheet(walk(600), timezone=zone_name)) == words


def test_seconds_and_a_second_date_stand_in_the_title_where_they_matter() -> None:
    assert span(sheet(walk(61))) == "2026-01-27 15:30:00 to 15:31:01 UTC"
    over_night = [line(1, trades=1), line(30_600, trades=1)]
    assert span(sheet(over_night)) == "2026-01-27 15:30 to 2026-01-28 00:00 UTC"


def test_the_facts_name_source_quality_access_and_how_much_there_was() -> None:
    given = walk(1500)
    given[3]["market"]["quality"] = "doubtful"
    assert facts(sheet(given)).split("   ·   ") == [
        "source test", "quality replay, doubtful", "mbo, book complete", "1,500 frames", "1,500 trades"]


def test_a_partial_book_is_named() -> None:
    assert "mbo, book partial" in facts(sheet([line(1, health={"book": "partial"})]))


def test_the_book_is_not_mentioned_below_the_third_level() -> None:
    assert "mbp-1   ·" in facts(sheet([line(1, health={"access": "mbp-1", "book": None})]))


def texts(given: list[Json]) -> list[str]:
    """Every text of the whole figure, outside the panels."""
    on = sheet(given)
    fill(on)
    return [text.get_text() for text in on.figure.texts]


def test_both_contracts_of_a_roll_stand_in_the_title_with_the_series() -> None:
    given = [line(1, trades=1), line(2, trades=1, symbol="GCJ6", instrument_id=9)]
    assert texts(given)[0].startswith("GCG6 → GCJ6 (GC.v.0)   2026-01-27")


@pytest.mark.parametrize(("qualities", "badge"), [
    (["replay"] * 4, None), (["real-time"] * 4, None),
    (["simulated"] * 4, "SIMULATED DATA"),
    (["replay", "replay", "doubtful", "replay"], "DOUBTFUL IN PART"),
    (["delayed", "delayed", "stale", "delayed"], "DELAYED DATA · STALE IN PART"),
])
def test_the_badge_tells_part_from_whole(qualities: list[str], badge: str | None) -> None:
    given = [line(second, trades=1, market={"quality": name}) for second, name in enumerate(qualities, 1)]
    assert texts(given)[2:] == ([badge] if badge else [])


# ---- levels


def test_levels_are_those_of_the_last_reading_and_the_last_trade() -> None:
    given = [line(1, 2500.0, trades=1, orderflow=flow(1, 2500.0, 2500.0, 2499.0, 2501.0)),
             line(2, 2500.4, trades=1, orderflow=flow(2, 2500.2, 2500.4, 2499.9, 2500.6))]
    assert [(name, price) for name, price, _ in levels(sheet(given))] == [
        ("last", 2500.4), ("POC", 2500.4), ("VAH", 2500.6), ("VAL", 2499.9), ("VWAP", 2500.2)]


def test_a_level_that_is_not_known_is_left_out() -> None:
    reading = {**flow(1, 2500.0, 2500.0, 2499.0, 2501.0), "poc": None, "vah": None, "val": None}
    assert [name for name, _, _ in levels(sheet([line(1, trades=1, orderflow=reading)]))] == ["last", "VWAP"]
    assert [name for name, _, _ in levels(sheet([line(1, trades=1)]))] == ["last"]


@pytest.mark.parametrize(("tick", "price", "words"), [
    (0.1, 2567.5, "2567.5"), (0.25, 4810.25, "4810.25"), (0.25, 4810.0, "4810.00"), (0.005, 24.315, "24.315"),
    (1.0, 39_000.0, "39000.0"), (None, 1.5, "1.50"),
])
def test_a_price_has_the_decimals_of_its_tick(tick: float | None, price: float, words: str) -> None:
    assert shown(sheet([line(1, price, trades=1, market={"tick": tick})]), price) == words


# ---- legend


def test_the_legend_names_only_what_is_there() -> None:
    quiet = [line(1, market={"bid": None, "ask": None})]
    assert legend(quiet) == ["price"]
    assert legend([line(1, trades=1)]) == ["trades", "bid to ask", "buys, supports", "sells, resists"]
    assert legend([line(1, trades=1, orderflow=flow(1, 2500.0, 2500.0, 2499.0, 2501.0))])[-1] == "VWAP"


def test_the_legend_counts_zones_and_events() -> None:
    words = legend(
        [line(1)], iceberg=Drawn(150, 400, frozenset({"created", "broken"})), absorption=Drawn(1, 1),
        sweep=Drawn(3, 3), signal=Drawn(1, 2),
    )
    assert words[2:] == ["150 of 400 iceberg zones", "1 absorption zone", "broken", "3 sweeps", "1 of 2 signals"]


def test_the_legend_reads_row_by_row() -> None:
    """matplotlib fills columns: of 5 entries in 3 columns the first has 2, the second 2, the third 1."""
    found = [(None, str(number)) for number in range(5)]
    assert [words for _, words in ordered(found, 3)] == ["0", "3", "1", "4", "2"]  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["480x320", "800x500", "1600x900", "3840x2160"])
def test_the_whole_legend_lies_between_title_and_price(size: str) -> None:
    given = walk(300)
    for second, one in enumerate(given, 1):
        one["iceberg"] = {"zones": [zone("a", "B", 2499.0, 2500.0, "created" if second < 99 else "broken", 9.0, 1, 1)]}
        one["absorption"] = {"zones": [zone("b", "A", 2501.0, 2501.5, "flipped", 9.0, 1, 1)]}
        one["signal"] = signal("BUY", "opened" if second == 9 else None, one["price"])
    given[7]["inputs"][place_of_sweeps()]["sweeps"] = [sweep(7.5, "B", 2499.0, 2500.0, 5)]
    on = canvas(collected(given), PlotOptions(size=size))
    fill(on)
    agg: Any = on.figure.canvas
    renderer = agg.get_renderer()
    box = on.figure.legends[0].get_window_extent(renderer)
    assert 0 <= box.x0 < box.x1 <= on.width
    assert box.y0 >= on.price.get_window_extent().y1
    assert box.y1 <= on.figure.texts[1].get_window_extent(renderer).y0


# ---- numbers


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-210.0, 95.0), (2499.93, 2500.71), (-1.0, 7e6)])
def test_an_axis_has_some_round_numbers_and_none_at_its_edges(limits: tuple[float, float]) -> None:
    on = sheet(walk(30))
    low, high = limits
    on.delta.set_ylim(low, high)
    round_numbers(on, on.delta, 3)
    places = on.delta.get_yticks()
    edge = 0.03 * (high - low)
    assert 2 <= len(places) <= 9
    assert low + edge < min(places)
    assert max(places) < high - edge


def test_a_zone_is_counted_once_whatever_became_of_it() -> None:
    given = walk(30)
    for second, state in ((5, "created"), (10, "broken"), (20, "flipped")):
        for one in given[second:]:
            one["iceberg"] = {"zones": [zone("a", "B", 2499.0, 2500.0, state, 9.0, 5, 5)]}
    on = sheet(given)
    assert draw_zones(on, on.series.icebergs) == Drawn(1, 1, frozenset({"created", "broken", "flipped"}))


def test_a_roll_tells_its_gap() -> None:
    from qmo_cli.plot.events import flag_words

    assert [flag_words(Flag(0, "roll", gap)) for gap in (3.5, -0.25)] == ["roll +3.5", "roll -0.25"]
    assert flag_words(Flag(0, "gap", None)) == "gap"


def test_of_a_roll_s_two_notices_the_one_with_the_gap_is_read() -> None:
    given = walk(300)
    for second, gap in ((150, None), (152, 3.5)):
        given[second]["system"] = [{"kind": "roll", "ts_event": None, "detail": "", "count": None, "gap": gap}]
    on = sheet(given)
    fill(on)
    assert [text.get_text() for text in on.price.texts if "roll" in text.get_text()] == ["roll +3.5"]


def test_very_many_notices_are_still_drawn() -> None:
    given = walk(300)
    notice = {"kind": "skipped", "ts_event": None, "detail": "", "count": 1, "gap": None}
    for one in given:
        one["system"] = [notice] * 100
    on = sheet(given)
    fill(on)
    assert len(on.series.flags) == 30_000
    assert sum("skipped" in text.get_text() for text in on.price.texts) > 5


# ---- options


@pytest.mark.parametrize(("out", "kind", "expected"), [
    ("-", None, "png"), ("a.svg", None, "svg"), ("a.b.PDF", None, "pdf"), ("-", "svg", "svg"), ("a.png", "pdf", "pdf"),
])
def test_a_given_format_wins_over_the_ending(out: str, kind: Any, expected: str) -> None:
    assert PlotOptions(out=out, format=kind).kind() == expected


@pytest.mark.parametrize("size", ["", "1600", "1600x", "x900", "1600*900", "-1x900", "479x320", "480x319", "480x10001"])
def test_a_size_that_cannot_be_drawn_is_refused(size: str) -> None:
    with pytest.raises(UsageError, match="size"):
        PlotOptions(size=size)
