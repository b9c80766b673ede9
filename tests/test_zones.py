"""Zones: clustering, decay, and their life under scripted prices. Distances: 3 ticks wide, 10 away, 4 through."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmo_cli.engines.zonebook import ZoneBook, zone_id
from qmo_cli.engines.zones import Distances, LiveZone
from qmo_cli.packets import Second

from .engine_oracles import as_records, iceberg_events, run
from .support import START

SECOND = 10**9
MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
HALF_LIFE = 1800.0
FAR = Distances(width=0.3, leave=1.0, through=0.4, tick=0.1)
OTHER = {"B": "A", "A": "B"}


class Place:
    """A book of zones and the prices that trade, second by second."""

    def __init__(self, side: str = "B", far: Distances = FAR) -> None:
        self.book = ZoneBook("GCJ6", HALF_LIFE, QUARTER, far)
        self.side = side
        self.now = START
        self.orders = 0

    def evidence(
        self, price: float, weight: float = 40.0, order: str | None = None, side: str | None = None,
    ) -> LiveZone:
        self.orders += 1
        self.book.advance(self.now)
        return self.book.add(
            side or self.side, price, self.now, weight, 0.99, order or str(self.orders))  # type: ignore[arg-type]

    def wait(self, ns: int) -> Place:
        self.now += ns
        self.book.advance(self.now)
        return self

    def trade(self, *prices: float | tuple[float, float]) -> Place:
        """One second for each price, or for each range of prices."""
        for price in prices:
            low, high = price if isinstance(price, tuple) else (price, price)
            self.now = (self.now // SECOND + 1) * SECOND
            self.book.trade(Second(self.now // SECOND, low, high, low, high, 1, 0, 0, 1))
            self.book.advance(self.now + SECOND)
        self.now += SECOND
        return self


def support(side: str = "B") -> tuple[Place, LiveZone]:
    """A zone of buyers at 2000.0 (or of sellers)."""
    place = Place(side)
    zone = place.evidence(2000.0)
    return place, zone


def state(zone: LiveZone) -> tuple[str, int]:
    return zone.state, zone.defended


# ---- clustering


def test_evidence_within_three_ticks_joins_one_zone_and_beyond_them_makes_another() -> None:
    place = Place()
    first = place.evidence(2000.0)
    assert place.evidence(2000.3) is first
    assert (first.low, first.high, len(first.orders)) == (2000.0, 2000.3, 2)
    assert place.evidence(1999.9) is not first  # it would span four ticks


def test_three_hundredths_of_the_atr_widen_a_zone() -> None:
    """ATR 20: .03 x 20 = .6."""
    place = Place(far=Distances(width=max(0.3, 0.03 * 20), leave=1.0, through=0.4, tick=0.1))
    first = place.evidence(2000.0)
    assert place.evidence(2000.6) is first
    assert place.evidence(1999.9) is not first


def test_the_other_sides_evidence_at_the_same_price_is_another_zone() -> None:
    place = Place("B")
    assert place.evidence(2000.0) is not place.evidence(2000.0, side="A")


def test_evidence_joins_a_zone_that_was_seen_in_the_last_fifteen_minutes() -> None:
    place, zone = support()
    place.wait(QUARTER)
    assert place.evidence(2000.0) is zone
    place.wait(QUARTER + 1)
    assert place.evidence(2000.0) is not zone


def test_evidence_joins_the_nearest_zone_in_reach() -> None:
    place = Place()
    low, high = place.evidence(2000.0), place.evidence(2000.4)
    assert (place.evidence(2000.1), place.evidence(2000.3)) == (low, high)


def test_an_order_counts_once_in_a_zone() -> None:
    place = Place()
    zone = place.evidence(2000.0, order="7")
    place.evidence(2000.1, order="7")
    assert (len(zone.orders), zone.weight) == (1, 80.0)
    assert zone.confidence == pytest.approx(0.99)
    place.evidence(2000.1, order="8")
    assert (len(zone.orders), zone.confidence) == (2, 0.99)  # never above .99


def test_confidence_is_one_less_the_product_of_doubts() -> None:
    book = ZoneBook("GCJ6", HALF_LIFE, QUARTER, FAR)
    for order in ("1", "2"):
        zone = book.add("B", 2000.0, START, 5, 0.3, order)
    assert zone.confidence == pytest.approx(0.51)


def test_an_id_is_made_of_series_side_price_and_time_alone() -> None:
    names = {zone_id(*given) for given in (
        ("GCJ6", "B", 2000.0, START), ("GCM6", "B", 2000.0, START), ("GCJ6", "A", 2000.0, START),
        ("GCJ6", "B", 2000.1, START), ("GCJ6", "B", 2000.0, START + 1))}
    assert len(names) == 5
    assert zone_id("GCJ6", "B", 2000.0, START) in names


# ---- weight


def test_weight_halves_in_half_an_hour() -> None:
    place, zone = support()
    assert zone.weight_at(START + 1800 * SECOND, HALF_LIFE) == pytest.approx(20.0)
    place.wait(900 * SECOND)
    place.evidence(2000.0, 10.0)
    assert zone.weight == pytest.approx(40 * 2**-0.5 + 10)
    assert zone.last_seen == START + 900 * SECOND


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 900), st.integers(-40, 40)), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_median_heaviest_and_most_are_those_of_the_weights_at_any_time(evidence: list[tuple[int, int, int]]) -> None:
    place = Place()
    for weight, seconds, ticks in evidence:
        place.wait(seconds * SECOND)
        place.evidence(round(2000 + ticks / 10, 1), float(weight))
    now = place.wait(5 * MINUTE).now
    weights = {zone.id: zone.weight_at(now, HALF_LIFE) for zone in place.book.zones}
    assert all(weight > 0.5 for weight in weights.values())
    if weights:
        assert place.book.heaviest(now) == pytest.approx(max(weights.values()))
        assert place.book.usual(now, 30.0, 1) == pytest.approx(max(1.0, median(weights.values())))
    assert place.book.usual(now, 30.0, len(weights) + 1) == 30.0
    most = place.book.most(3)
    assert sorted((weights[zone.id] for zone in most), reverse=True) == pytest.approx(
        sorted(weights.values(), reverse=True)[:3])
    assert [zone.low for zone in most] == sorted(zone.low for zone in most)


def test_evidence_out_of_order_makes_no_weight_of_its_own() -> None:
    place, zone = support()
    place.now -= MINUTE
    place.evidence(2000.0, 1.0)
    assert (zone.weight, zone.last_seen) == (41.0, START)


def test_a_change_of_session_takes_three_tenths() -> None:
    """15:00 UTC is New York's morning; 18:30 UTC, 12:30 in Chicago, begins its afternoon."""
    place = Place()
    zone = place.evidence(2000.0, 1000.0)
    place.wait(210 * MINUTE - 1)
    assert zone.weight == 1000.0
    place.wait(1)
    assert zone.weight == pytest.approx(700.0)
    place.wait(10 * MINUTE)
    assert zone.weight == pytest.approx(700.0)


def test_a_new_zone_does_not_pay_for_sessions_before_it() -> None:
    place, _ = support()
    place.wait(20 * 3600 * SECOND)
    assert place.book.zones == []
    zone = place.evidence(2000.0)
    place.wait(SECOND)
    assert zone.weight == 40.0


@pytest.mark.parametrize("steps", [(240,), (150, 90), (180, 30, 30)])
def test_the_hour_in_which_the_market_is_closed_is_no_session(steps: tuple[int, ...]) -> None:
    """From New York's afternoon (19:00 UTC) to Asia (23:00) is one change, seen in the hour between or not."""
    place = Place()
    place.now = START + 240 * MINUTE
    zone = place.evidence(2000.0, 1000.0)
    for step in steps:
        place.wait(step * MINUTE)
    assert zone.weight == pytest.approx(700.0)


def test_a_zone_expires_when_half_a_contract_is_left() -> None:
    book = ZoneBook("GCJ6", HALF_LIFE, QUARTER, FAR)
    zone = book.add("B", 2000.0, START, 2.0, 0.99, "1")
    assert book.advance(START + 3600 * SECOND - SECOND) == []
    gone, = book.advance(START + 3600 * SECOND)  # two half-lives
    assert (gone, gone.state, book.zones) == (zone, "expired", [])


# ---- the life of a zone


@pytest.mark.parametrize("side", ["B", "A"])
def test_a_zone_is_created_defended_broken_flipped_and_expires(side: str) -> None:
    """Prices as of a zone of buyers at 2000.0; for sellers turned upside down."""
    place, zone = support(side)

    def at(*offsets: float) -> tuple[str, int]:
        place.trade(*(2000.0 + (offset if side == "B" else -offset) for offset in offsets))
        return state(zone)

    assert at(0.0) == ("created", 0)
    assert at(0.9, 0.1, 0.9) == ("created", 0)       # nine ticks are not away
    assert at(1.0) == ("created", 0)
    assert at(0.2, 1.0) == ("created", 0)            # two ticks off is not back
    assert at(0.1) == ("created", 0)
    assert at(1.0) == ("defended", 1)                # back to a tick off, and away again
    assert at(0.0, 0.9) == ("defended", 1)
    assert at(1.1) == ("defended", 2)
    assert at(-0.3) == ("defended", 2)               # three ticks are not through
    assert at(-0.4) == ("broken", 2)
    assert at(-1.0) == ("broken", 2)                 # away on the other side
    assert at(-0.1, -0.9) == ("broken", 2)
    assert at(-1.0) == ("flipped", 3)                # held from there
    assert zone.good() == (-1 if side == "B" else 1)
    gone, = place.book.advance(START + 24 * 3600 * SECOND)
    assert gone.state == "expired"


def test_a_flipped_zone_that_breaks_again_works_for_its_own_side_again() -> None:
    place, zone = support()
    place.trade(1999.6, 1999.0, 1999.9, 1999.0)
    assert (zone.state, zone.good()) == ("flipped", -1)
    place.trade(2000.4)
    assert (zone.state, zone.good()) == ("broken", 1)
    place.trade(2001.0, 2000.1, 2001.0)
    assert (zone.state, zone.good()) == ("defended", 1)


def test_a_zone_can_break_without_a_retest() -> None:
    place, zone = support()
    assert state(zone) == ("created", 0)
    place.trade(1999.6)
    assert state(zone) == ("broken", 0)


def test_orders_that_rest_in_a_broken_zone_again_renew_it() -> None:
    place, zone = support()
    place.trade(1999.6)
    assert place.evidence(2000.0) is zone
    assert (zone.state, zone.good(), zone.away) == ("created", 1, False)


def test_orders_that_rest_in_a_flipped_zone_again_renew_it() -> None:
    place, zone = support()
    place.trade(1999.6, 1999.0, 1999.9, 1999.0)
    place.evidence(2000.0)
    assert (zone.state, zone.good()) == ("created", 1)


def test_trades_of_the_second_in_which_a_zone_began_do_not_test_it() -> None:
    """They may be older than it."""
    place = Place()
    place.now = START + SECOND // 2
    zone = place.evidence(2000.0)
    place.book.trade(Second(START // SECOND, 1999.0, 2000.0, 1999.0, 2000.0, 1, 0, 0, 1))
    place.book.advance(START + SECOND)
    assert state(zone) == ("created", 0)
    place.trade(1999.6)
    assert state(zone) == ("broken", 0)


def test_a_second_in_two_parts_is_one_second() -> None:
    place, zone = support()
    place.trade(2001.0)
    now = place.now // SECOND + 5
    for low in (2000.0, 1999.6):
        place.book.trade(Second(now, low, 2000.0, low, low, 1, 0, 0, 1))
    assert state(zone) == ("created", 0)  # the second is not over
    place.book.advance((now + 1) * SECOND)
    assert state(zone) == ("broken", 0)


def test_wider_distances_follow_the_atr() -> None:
    """ATR 8: away is 2 points, through .8."""
    place, zone = support()
    place.book.measure(place.now, Distances(width=0.3, leave=2.0, through=0.8, tick=0.1))
    place.trade(2001.9, 2000.0, 2001.9)
    assert state(zone) == ("created", 0)
    place.trade(2002.0, 2000.0, 2002.0)
    assert state(zone) == ("defended", 1)
    place.trade(1999.3)
    assert state(zone) == ("defended", 1)
    place.trade(1999.2)
    assert state(zone) == ("broken", 1)


@given(st.lists(st.tuples(st.integers(-25, 25), st.integers(0, 6)), max_size=80), st.lists(
    st.tuples(st.sampled_from("BA"), st.integers(-12, 12)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_watching_only_some_prices_misses_nothing(
    prices: list[tuple[int, int]], evidence: list[tuple[str, int]],
) -> None:
    """Against zones that meet every second that trades, and upside down."""
    place, mirror = Place(), Place()
    plain: list[LiveZone] = []
    for side, ticks in evidence:
        zone = place.evidence(round(2000 + ticks / 10, 1), side=side)
        mirror.evidence(round(2000 - ticks / 10, 1), side=OTHER[side])
        plain = [one for one in plain if one.id != zone.id]
        plain.append(LiveZone(zone.id, zone.side, zone.low, zone.high, START, START, START, weight=zone.weight))
    for low, span in prices:
        bottom, top = round(2000 + low / 10, 1), round(2000 + (low + span) / 10, 1)
        place.trade((bottom, top))
        mirror.trade((round(4000 - top, 1), round(4000 - bottom, 1)))
        for zone in plain:
            zone.meet(bottom, top, FAR)
    wanted = {zone.id: (*state(zone), zone.good(), zone.away, zone.inside) for zone in plain}
    found = {zone.id: (*state(zone), zone.good(), zone.away, zone.inside) for zone in place.book.zones}
    assert found == wanted
    assert [(*state(zone), -zone.good()) for zone in mirror.book.zones] == [
        (*state(zone), zone.good()) for zone in place.book.zones]


# ---- on random markets


@given(st.binary(min_size=400, max_size=2500))
@settings(max_examples=40, deadline=None)
def test_zones_of_a_market_keep_to_their_bounds(data: bytes) -> None:
    states: set[str] = set()
    seen: dict[str, Any] = {}
    for packet in run(as_records(iceberg_events(data)), "1s", ("bars", "iceberg")):
        reading = packet.slots["iceberg"]
        atr = packet.slots["bars"].atr or 0.0
        for zone in reading.zones:
            states.add(zone.state)
            first = seen.setdefault(zone.id, zone)
            assert (zone.side, zone.first_seen) == (first.side, first.first_seen)
            assert zone.high - zone.low <= max(0.3, 0.03 * atr) + 1e-6 or zone.last_seen != str(packet.ts)
            assert zone.weight > 0
            assert 0 < zone.strength <= 10
            assert zone.confidence == 0.99
        assert len({zone.id for zone in reading.zones}) == len(reading.zones)
    assert states <= {"created", "defended", "broken", "flipped"}
