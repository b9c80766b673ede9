"""Pictures read back: their size, what a thing drawn changes in them and where, and that they are always the same."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")  # comes with the extras plot and dev

from qmo_cli.plot import PlotOptions, Series
from qmo_cli.plot.canvas import Canvas, canvas, unit_of
from qmo_cli.plot.draw import counted, picture
from qmo_cli.plot.theme import THEMES

from .plotting import (
    SECOND,
    START,
    Json,
    changed,
    collected,
    decoded,
    flow,
    line,
    near,
    pixels,
    place_of_sweeps,
    signal,
    simulated,
    stop,
    sweep,
    walk,
    zone,
)

DARK = THEMES["dark"]
SMALL: dict[str, Any] = {"size": "800x500"}
Image = np.ndarray[Any, Any]


def market(**slots: Any) -> list[Json]:
    """Five minutes of a quiet price that rises from 2500 to 2503; ``slots`` stand in the last packet."""
    given = [line(second, round(2500 + second // 10 * 0.1, 1), trades=1) for second in range(1, 301)]
    given[-1] |= slots
    return given


def drawn(given: list[Json], **options: Any) -> Image:
    """The picture of these lines."""
    return pixels(collected(given), **{**SMALL, **options})


@cache
def plain() -> Image:
    """The picture of the market with nothing else in it."""
    return drawn(market())


def zoned(state: str = "created", weight: float = 20.0, side: str = "B", slot: str = "iceberg") -> list[Json]:
    """The market with one zone from 2500.5 to 2501.0, known after 60 s from evidence at 30 s, told until 240 s."""
    given = market()
    for one in given[59:240]:
        one[slot] = {"zones": [zone("z", side, 2500.5, 2501.0, state, weight, 30, 60)]}
    return given


def sheet(series: Series, **options: Any) -> Canvas:
    """The sheet that a picture of the series is drawn on."""
    return canvas(series, PlotOptions(**{**SMALL, **options}))


def inside(on: Canvas, image: Image) -> Image:
    """The pixels of the price panel."""
    box = on.price.get_window_extent()
    return image[round(on.height - box.y1):round(on.height - box.y0), round(box.x0):round(box.x1)]


def where(on: Canvas, one: Image, other: Image) -> tuple[float, float, float, float]:
    """From when to when (s after START) and from which to which price two pictures differ, within the price panel."""
    rows, columns = np.nonzero((inside(on, one) != inside(on, other)).any(axis=2))
    left, right = (np.interp(edge * on.seconds_per_pixel(), on.scale.places, on.scale.knots) - START / SECOND
                   for edge in (columns.min(), columns.max()))
    high, low = (on.high - (edge + 0.5) * on.price_per_pixel() for edge in (rows.min(), rows.max()))
    return left, right, low, high


# ---- the sheet


@pytest.mark.parametrize("size", ["480x320", "800x500", "1023x767", "1600x900", "2999x1001"])
def test_a_picture_has_the_size_that_was_asked_for(size: str) -> None:
    image = drawn(market(), size=size)
    assert f"{image.shape[1]}x{image.shape[0]}" == size


def test_type_grows_with_the_picture_within_limits() -> None:
    assert [round(unit_of(*size), 2) for size in ((480, 320), (1600, 900), (3200, 1800), (10_000, 10_000))] == [
        0.74, 1.0, 2.0, 2.5]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_theme_colours_the_ground_and_the_panels(theme: str) -> None:
    image, colours = drawn(market(), theme=theme), THEMES[theme]
    assert near(image, colours.ground, 0) > 0.2 * 400_000
    assert near(image, colours.panel, 0) > 0.3 * 400_000


def test_all_trades_lie_within_the_panel() -> None:
    given = market()
    given[150]["market"]["price"], given[150]["inputs"]["trades"]["seconds"] = 2517.0, [
        [START // SECOND + 150, 2501.5, 2517.0, 2466.0, 2501.5, 3, 3, 0, 2]]
    on = sheet(collected(given))
    assert on.low < 2466.0
    assert on.high > 2517.0
    assert (max(on.columns.high), min(on.columns.low)) == (2517.0, 2466.0)


def test_a_quote_far_away_does_not_flatten_the_price() -> None:
    given = market()
    given[100]["market"] |= {"bid": 1.0, "ask": 9999.0}
    on = sheet(collected(given))
    assert 2499 < on.low < on.high < 2504


@pytest.mark.parametrize("given", [
    [line(1, trades=1)], [line(1)], [line(1, None), line(2, 0.0, trades=1)], [line(1, -37.6, trades=-3)],
    [line(1, market={"tick": None}), line(2, 2500.3, trades=1, market={"tick": None})],
    [line(1, market={"bid": None, "ask": None})], [line(1, inputs={"trades": None, "depth": None, "orders": None})],
    walk(30, every=7),
], ids=["one trade", "one quote", "price of zero", "below zero", "no tick", "no quote", "bare price", "few trades"])
def test_little_is_enough_for_a_picture(given: list[Json]) -> None:
    assert drawn(given).shape == (500, 800, 3)


def test_a_line_break_of_the_trades_leaves_the_hole_empty() -> None:
    given = [one for one in market() if not START + 100 * SECOND < int(one["ts"]) < START + 200 * SECOND]
    on = sheet(collected(given))
    image = inside(on, pixels(collected(given), **SMALL))
    columns = (np.abs(image - 0xe8).max(axis=2) < 24).any(axis=0)  # about the colour of the price
    place = [round(on.scale.place(START + second * SECOND) / on.seconds_per_pixel()) for second in (110, 190)]
    assert columns[:place[0] - 30].mean() > 0.9
    assert not columns[place[0]:place[1]].any()


# ---- zones


def test_a_zone_is_drawn_over_its_life_and_at_its_prices() -> None:
    on = sheet(collected(market()))
    left, right, low, high = where(on, plain(), drawn(zoned()))
    assert left == pytest.approx(30, abs=1.5)
    assert right == pytest.approx(241, abs=1.5)
    assert low == pytest.approx(2500.45, abs=0.03)
    assert high == pytest.approx(2501.05, abs=0.03)


def tint(image: Image, on: Canvas) -> np.ndarray[Any, Any]:
    """The mean colour in the middle of the zone, away from price and quote."""
    part = inside(on, image)
    row = round((on.high - 2500.62) / on.price_per_pixel())
    column = round(on.scale.place(START + 180 * SECOND) / on.seconds_per_pixel())
    return np.asarray(part[row - 2:row + 3, column - 20:column + 20].reshape(-1, 3).mean(axis=0))


def test_a_zone_has_the_colour_of_the_side_it_works_for() -> None:
    on = sheet(collected(market()))
    for side, state, blue in (("B", "created", True), ("A", "defended", False), ("A", "flipped", True),
                              ("B", "flipped", False)):
        red, _, azure = tint(drawn(zoned(state, side=side)), on)
        assert (azure > red) == blue, (side, state)


def test_the_heavier_of_two_zones_is_the_more_solid() -> None:
    on = sheet(collected(market()))
    far = zone("y", "B", 2502.4, 2502.6, "created", 100.0, 30, 60)
    tints = []
    for weight in (1.0, 25.0, 100.0):
        given = zoned(weight=weight)
        for one in given[59:240]:
            one["iceberg"]["zones"].append(far)
        tints.append(tint(drawn(given), on)[2])
    assert tints[0] < tints[1] < tints[2]


def test_a_broken_zone_is_an_outline_and_a_flipped_one_is_framed() -> None:
    on = sheet(collected(market()))
    standing, broken, flipped = (inside(on, drawn(zoned(state))) for state in ("created", "broken", "flipped"))
    area = changed(standing, inside(on, plain()))
    assert changed(broken, inside(on, plain())) < 0.15 * area
    assert near(flipped, DARK.sell, 30) > 4 * near(standing, DARK.sell, 30) + 100


def test_absorption_is_hatched_and_icebergs_are_not() -> None:
    on = sheet(collected(market()))
    solid, hatched = (tint_spread(drawn(zoned(slot=slot)), on) for slot in ("iceberg", "absorption"))
    assert solid < 2
    assert hatched > 10


def tint_spread(image: Image, on: Canvas) -> float:
    """How much the colour varies within the zone."""
    part = inside(on, image)
    rows = [round((on.high - price) / on.price_per_pixel()) for price in (2500.8, 2500.6)]
    column = round(on.scale.place(START + 180 * SECOND) / on.seconds_per_pixel())
    return float(part[rows[0]:rows[1], column - 20:column + 20, 2].std())


def test_zones_beyond_the_prices_shown_are_neither_drawn_nor_counted() -> None:
    given = market()
    for one in given[59:240]:
        one["iceberg"] = {"zones": [zone("z", "B", 2400.0, 2400.5, "created", 20.0, 30, 60)]}
    assert changed(drawn(given), plain()) == 0


# ---- what happened


def test_a_sweep_is_a_stroke_through_its_prices() -> None:
    given = market()
    given[149]["inputs"][place_of_sweeps()]["sweeps"] = [sweep(149.5, "A", 2502.6, 2502.1, 50)]
    left, right, low, high = where(sheet(collected(market())), plain(), drawn(given))
    assert left < 149.5 < right
    assert right - left < 8
    assert low == pytest.approx(2502.1, abs=0.08)
    assert high == pytest.approx(2502.6, abs=0.05)


@pytest.mark.parametrize(("slots", "colour"), [
    ({"inputs": "stops"}, DARK.sell), ({"liquidity": {"events": [
        {"kind": "grab", "side": "B", "price": 2502.5, "ts_event": str(START + 200 * SECOND)}]}}, DARK.buy),
])
def test_stop_runs_and_grabs_are_marks_of_their_side(slots: Json, colour: str) -> None:
    given = market()
    if "inputs" in slots:
        given[-1]["inputs"]["orders"]["stops"] = [stop(200.0, "A", 2502.5, 9)]
    else:
        given[-1] |= slots
    on = sheet(collected(market()))
    left, right, low, high = where(on, plain(), drawn(given))
    assert left < 200 < right
    assert right - left < 8
    assert low < 2502.5 < high
    assert near(inside(on, drawn(given)), colour, 40) > near(inside(on, plain()), colour, 40)


def with_signals() -> list[Json]:
    """A buy from 100 s to 200 s, then a sell."""
    given = market()
    for second, one in enumerate(given, 1):
        kind, change = {100: ("BUY", "opened"), 200: ("SELL", "reversed")}.get(second, ("HOLD", None))
        one["signal"] = signal(kind, change, one["price"])
    return given


def test_signals_are_a_strip_over_their_time_and_arrows_at_the_opening() -> None:
    on = sheet(collected(market()))
    image = inside(on, drawn(with_signals()))
    foot = image[-4]
    buys, sells = (np.flatnonzero(np.abs(foot - value).max(axis=1) < 6) for value in (rgb(DARK.buy), rgb(DARK.sell)))
    seconds = [place * on.seconds_per_pixel() + on.scale.knots[0] - START / SECOND
               for place in (buys.min(), buys.max(), sells.min(), sells.max())]
    assert seconds == [pytest.approx(edge, abs=1.5) for edge in (100, 200, 200, 300)]
    assert near(image[:-20], DARK.buy) > 60
    assert near(image[:-20], DARK.sell) > 60


def rgb(colour: str) -> Image:
    """A colour as three numbers."""
    return np.array([int(colour[place:place + 2], 16) for place in (1, 3, 5)])


@pytest.mark.parametrize("kind", ["gap", "reconnect", "fallback", "roll", "skipped"])
def test_a_notice_about_the_stream_is_a_line_through_all_panels(kind: str) -> None:
    given = market()
    ts = str(START + 150 * SECOND)
    given[150]["system"] = [{"kind": kind, "ts_event": ts, "detail": "", "count": 2, "gap": None}]
    image = drawn(given)
    assert near(plain(), DARK.alarm, 40) == 0
    rows = np.flatnonzero((np.abs(image - rgb(DARK.alarm)).max(axis=2) < 40).any(axis=1))
    assert rows.min() < 100
    assert rows.max() > 420


@pytest.mark.parametrize("quality", ["simulated", "delayed", "cached", "stale", "warmup", "doubtful"])
def test_data_that_is_not_the_market_s_own_cannot_be_missed(quality: str) -> None:
    given = [{**one, "market": {**one["market"], "quality": quality}} for one in market()]
    image = drawn(given)
    on = sheet(collected(market()))
    assert near(image[:40], DARK.alarm) > 1000
    assert near(plain(), DARK.alarm, 40) == 0
    assert changed(inside(on, image), inside(on, plain())) > 1500


def test_a_doubtful_part_is_shaded_where_it_lies() -> None:
    given = market()
    for one in given[100:200]:
        one["market"]["quality"] = "doubtful"
    on = sheet(collected(market()))
    left, right, low, high = where(on, plain(), drawn(given))
    assert left == pytest.approx(100, abs=1.5)
    assert right == pytest.approx(200, abs=1.5)
    assert high - low > 0.99 * (on.high - on.low)


def test_a_night_without_records_is_left_out_and_hatched() -> None:
    evening, morning = market(), market()
    for one in morning:
        one["ts"] = str(int(one["ts"]) + 30_000 * SECOND)
        for row in one["inputs"]["trades"]["seconds"]:
            row[0] += 30_000
    on = sheet(collected([*evening, *morning]))
    assert [round(gap.until - gap.since) for gap in on.scale.silences] == [29_700]
    assert on.scale.length == pytest.approx(602 + 0.025 * 602, abs=5)


# ---- beside and below


def test_the_profile_is_as_long_as_the_volume() -> None:
    """One price with 90 bought and 30 sold, another with 60 sold: bars of 120 and 60."""
    given = [line(1, 2500.0, trades=90), line(2, 2500.0, trades=-30), line(3, 2500.8, trades=-60)]
    on, image = sheet(collected(given)), drawn(given)
    box = on.profile.get_window_extent()
    part = image[round(on.height - box.y1):round(on.height - box.y0), round(box.x0):round(box.x1)]
    lengths = {}
    for price in (2500.0, 2500.8):
        row = part[round((on.high - price) / on.price_per_pixel()) + 3]
        lengths[price] = [int((np.abs(row - blend(colour)).max(axis=1) < 12).sum()) for colour in (DARK.buy, DARK.sell)]
    assert lengths[2500.8][0] == 0
    bought, sold = lengths[2500.0]
    assert bought == pytest.approx(3 * sold, abs=3)
    assert lengths[2500.8][1] == pytest.approx(2 * sold, abs=3)


def blend(colour: str, alpha: float = 0.85) -> Image:
    """A colour that lets the panel shine through."""
    return np.round(alpha * rgb(colour) + (1 - alpha) * rgb(DARK.panel)).astype(int)


def test_levels_of_the_order_flow_are_named_at_the_right() -> None:
    reading = flow(12, 2501.23, 2500.5, 2500.2, 2502.0)
    on = sheet(collected(market()))
    left = round(on.profile.get_window_extent().x1) + 2
    bare, levels = plain()[:, left:], drawn(market(orderflow=reading))[:, left:]
    rows = np.flatnonzero((bare != levels).any(axis=(1, 2)))
    top, bottom = (on.height - on.price.transData.transform((0, price))[1] for price in (2502.0, 2500.2))
    assert rows.min() == pytest.approx(top, abs=10)
    assert rows.max() == pytest.approx(bottom, abs=10)
    assert near(levels, DARK.vwap, 60) > 10


def test_delta_is_drawn_upward_for_buyers_and_downward_for_sellers() -> None:
    given = [line(second, trades=5 if second <= 150 else -5) for second in range(1, 301)]
    on, image = sheet(collected(given)), drawn(given)
    box = on.delta.get_window_extent()
    part = image[round(on.height - box.y1):round(on.height - box.y0), round(box.x0):round(box.x1)]
    (blue_rows, blue), (orange_rows, orange) = (
        np.nonzero(np.abs(part - rgb(colour)).max(axis=2) < 6) for colour in (DARK.buy, DARK.sell))
    assert blue_rows.max() <= orange_rows.min()
    assert blue.max() <= orange.min()
    assert len(blue) == pytest.approx(len(orange), rel=0.1)


def test_volume_without_sides_is_grey_and_said_to_be_so() -> None:
    given = market()
    for one in given:
        one["inputs"]["trades"]["seconds"] = [[*row[:5], 0, 0, 4, 1] for row in one["inputs"]["trades"]["seconds"]]
    image = drawn(given)
    box = sheet(collected(given)).delta.get_window_extent()
    part = image[500 - round(box.y1):500 - round(box.y0), round(box.x0):round(box.x1)]
    assert near(part, DARK.faint) > 2000
    assert near(part, DARK.buy, 40) + near(part, DARK.sell, 40) == 0


# ---- always the same


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_input_gives_the_same_bytes(kind: str) -> None:
    options = PlotOptions(format=kind, **SMALL)  # type: ignore[arg-type]
    one, other = (picture(collected_lines(), options) for _ in range(2))
    assert one == other
    assert len(one) > 10_000


def collected_lines() -> Series:
    """The series of the simulated market."""
    from qmo_cli.plot import Collection
    from qmo_cli.tray import Packet

    collection = Collection()
    collection.read([[Packet.decode(one)] for one in simulated()])
    return collection.choose()


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_no_picture_says_when_it_was_made(kind: str) -> None:
    data = picture(collected(market()), PlotOptions(format=kind, **SMALL))  # type: ignore[arg-type]
    assert not re.search(rb"CreationDate|<dc:date>", data)


def test_settings_of_the_user_s_own_change_nothing() -> None:
    import matplotlib as mpl

    expected = plain()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20.0, "lines.linewidth": 9.0}):
        assert changed(drawn(market()), expected) == 0
        assert mpl.rcParams["font.size"] == 20.0


def test_words_of_the_legend_count_what_was_left_out() -> None:
    from qmo_cli.plot.canvas import Drawn

    assert [counted("sweep", Drawn(*pair)) for pair in ((1, 1), (3, 3), (60, 186))] == [
        "1 sweep", "3 sweeps", "60 of 186 sweeps"]


def test_a_line_of_another_program_s_slots_is_drawn_without_them() -> None:
    assert changed(drawn(market(weather={"rain": True})), plain()) == 0
    assert decoded(market(weather={"rain": True})[-1]).slots["weather"]
