"""What reference and router must say about single orders: events by hand, answers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .dice import Dice
from .reference_scripts import MS, Frame, bought, frames, offered, only
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .support import START


def icebergs(script: Script) -> list[Frame]:
    return list(only(script)["inputs"]["orders"]["icebergs"])


def brief(script: Script, *names: str) -> list[tuple[Any, ...]]:
    """The named fields of each iceberg row."""
    return [tuple(row[name] for name in names) for row in icebergs(script)]


# Native icebergs


def test_a_new_peak_after_a_fill_is_a_refresh() -> None:
    script = bought(offered(5), 5, modified(1, "A", 2000.0, 5))
    assert icebergs(script) == [{
        "ts_event": str(START + 3 * MS), "kind": "refresh", "order_id": "1", "side": "A", "price": 2000.0, "first": 5,
        "before": 5, "filled": 5, "after": 5, "total": 5, "revealed": 5, "hidden_filled": 0, "hidden_traded": 0,
        "seen_added": True,
    }]


def test_several_peaks_in_one_event_trade_beyond_the_display() -> None:
    # shows 5, twelve are taken in two fills: two peaks and two of the third, of which 3 are left
    script = offered(5).event(
        traded("B", 2000.0, 7, 77), filled(1, "A", 2000.0, 7), traded("B", 2000.0, 5, 77), filled(1, "A", 2000.0, 5),
        modified(1, "A", 2000.0, 3))
    names = ("kind", "before", "filled", "after", "revealed", "hidden_filled", "hidden_traded")
    assert brief(script, *names) == [("refresh", 5, 12, 3, 10, 7, 7)]


def test_nineteen_exact_refreshes_hide_nothing_at_the_moment_but_all_since_the_first_display() -> None:
    script = offered(1)
    for _ in range(19):
        bought(script, 1, modified(1, "A", 2000.0, 1))
    bought(script, 1, cancelled(1, "A", 2000.0, 1))
    rows = icebergs(script)
    assert [row["kind"] for row in rows] == ["refresh"] * 19 + ["executed"]
    assert sum(row["hidden_filled"] for row in rows) == 0
    assert rows[-1]["hidden_traded"] == 19


def test_a_fill_larger_than_the_display_reveals_hidden_size_on_removal() -> None:
    script = bought(offered(5), 8, cancelled(1, "A", 2000.0, 5))
    assert brief(script, "kind", "before", "filled", "after", "revealed", "hidden_filled", "hidden_traded") == [
        ("removal", 5, 8, 0, 0, 3, 3)]


def test_an_order_never_seen_added_shows_its_size_when_it_is_removed() -> None:
    script = Script().event(cleared()).event(
        traded("B", 2000.0, 6, 77), filled(1, "A", 2000.0, 6), cancelled(1, "A", 2000.0, 4))
    assert brief(script, "kind", "before", "filled", "hidden_filled", "seen_added") == [("removal", 4, 6, 2, False)]
    assert only(script)["health"]["unknown"] == 1


def test_an_order_known_from_its_modify_alone_can_refresh() -> None:
    script = Script().event(cleared()).event(modified(1, "A", 2000.0, 4))
    bought(script, 4, modified(1, "A", 2000.0, 4))
    assert brief(script, "kind", "first", "before", "revealed", "seen_added") == [("refresh", 4, 4, 4, False)]


def test_a_partial_fill_is_no_iceberg() -> None:
    assert icebergs(bought(offered(5), 2, modified(1, "A", 2000.0, 3))) == []


def test_a_full_fill_is_no_iceberg() -> None:
    assert icebergs(bought(offered(5), 5, cancelled(1, "A", 2000.0, 5))) == []


def test_a_larger_size_without_a_fill_is_the_users_change() -> None:
    assert icebergs(offered(5).event(modified(1, "A", 2000.0, 9))) == []


def test_an_aggressor_modified_to_cross_is_not_passive() -> None:
    # order 1 offers at 2000.0 and is moved down into the bid of order 2: its own F comes first
    script = Script().event(cleared()).event(added(1, "A", 2000.0, 4)).event(added(2, "B", 1999.0, 3)).event(
        traded("A", 1999.0, 3, 1), filled(1, "A", 1999.0, 3), filled(2, "B", 1999.0, 3), cancelled(2, "B", 1999.0, 3),
        modified(1, "A", 1999.0, 1))
    frame = only(script)
    assert frame["inputs"]["orders"]["icebergs"] == []
    assert frame["inputs"]["orders"]["implied"] == 0
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (3, 0)


def test_a_fill_away_from_the_resting_price_is_left_out_and_counted() -> None:
    script = offered(5).event(
        traded("B", 2000.1, 5, 77), filled(1, "A", 2000.1, 5), modified(1, "A", 2000.0, 5))
    frame = only(script)
    assert frame["inputs"]["orders"]["icebergs"] == []
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (5, 5)


def test_an_iceberg_that_reprices_stays_the_same_iceberg() -> None:
    script = bought(offered(5), 5, modified(1, "A", 2000.0, 5)).event(modified(1, "A", 2001.0, 4))
    script.event(traded("B", 2001.0, 4, 78), filled(1, "A", 2001.0, 4), modified(1, "A", 2001.0, 5))
    assert brief(script, "kind", "price", "before", "after", "total", "hidden_traded") == [
        ("refresh", 2000.0, 5, 5, 5, 0), ("reprice", 2001.0, 5, 4, 5, 0), ("refresh", 2001.0, 4, 5, 9, 4)]


def test_a_known_iceberg_ends_executed_when_its_last_peak_is_filled() -> None:
    script = bought(bought(offered(5), 5, modified(1, "A", 2000.0, 2)), 2, cancelled(1, "A", 2000.0, 2))
    assert brief(script, "kind", "filled", "after", "total", "hidden_traded") == [
        ("refresh", 5, 2, 5, 0), ("executed", 2, 0, 7, 2)]  # the last tranche is smaller than the peak


def test_a_known_iceberg_ends_cancelled_without_a_fill() -> None:
    script = bought(offered(5), 5, modified(1, "A", 2000.0, 5)).event(cancelled(1, "A", 2000.0, 5))
    assert brief(script, "kind", "filled", "total") == [("refresh", 5, 5), ("cancelled", 0, 5)]


def test_a_part_of_a_known_icebergs_peak_is_a_fill() -> None:
    script = bought(bought(offered(5), 5, modified(1, "A", 2000.0, 5)), 2, modified(1, "A", 2000.0, 3))
    assert brief(script, "kind", "before", "filled", "after") == [("refresh", 5, 5, 5), ("fill", 5, 2, 3)]


@pytest.mark.parametrize("doubt", ["clear", "snapshot", "uncross", "flag"])
def test_doubt_makes_known_icebergs_unknown(doubt: str) -> None:
    script = bought(offered(5), 5, modified(1, "A", 2000.0, 5))
    if doubt == "clear":
        script.event(cleared())
    elif doubt == "snapshot":
        script.snapshot(added(1, "A", 2000.0, 5), last=True)
    elif doubt == "uncross":
        script.event(
            traded("N", 1995.0, 1), filled(9, "N", 1995.0, 1), filled(8, "N", 1995.0, 1), cancelled(9, "B", 1990.0, 1))
    else:
        script.event(modified(9, "B", 1990.0, 2), flags=4)
    assert brief(script, "kind", "filled", "after") == [
        ("refresh", 5, 5), ("unknown", 0, 5)]


def test_a_refresh_inside_a_doubtful_event_says_nothing() -> None:
    script = offered(5).event(
        traded("B", 2000.0, 5, 77), filled(1, "A", 2000.0, 5), modified(1, "A", 2000.0, 5), flags=4)
    frame = only(script)
    assert frame["inputs"]["orders"]["icebergs"] == []
    assert frame["health"]["flags"] == ["maybe_bad_book"]
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (5, 0)


def test_an_ordinary_trade_without_a_side_proves_nothing_and_forgets_nothing() -> None:
    script = bought(offered(5), 5, modified(1, "A", 2000.0, 5))
    script.event(traded("N", 2000.0, 5), filled(1, "N", 2000.0, 5), modified(1, "A", 2000.0, 5))
    bought(script, 5, cancelled(1, "A", 2000.0, 5))
    # of the second five it is not told what they revealed; the last five are the third that were taken
    assert brief(script, "kind", "filled", "revealed", "total", "hidden_traded") == [
        ("refresh", 5, 5, 5, 0), ("fill", 5, 0, 10, 5), ("executed", 5, 0, 15, 10)]


def test_auction_fills_are_left_out_of_the_reconciliation() -> None:
    script = offered(5).event(
        traded("N", 1995.0, 3), filled(1, "N", 1995.0, 3), filled(9, "N", 1995.0, 1), filled(77, "N", 1995.0, 2),
        modified(1, "A", 2000.0, 2), cancelled(9, "B", 1990.0, 1))
    frame = only(script)
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (0, 0)
    assert frame["inputs"]["orders"]["implied"] == 0
    assert (frame["inputs"]["depth"]["removed_ask"], frame["inputs"]["depth"]["removed_bid"]) == (0, 0)


def test_a_fill_without_a_change_of_the_book_is_explained_as_far_as_it_was_displayed() -> None:
    frame = only(bought(offered(5), 8))
    assert frame["inputs"]["orders"]["icebergs"] == []
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (8, 3)


# Other order facts


def test_volume_beyond_all_fills_is_implied() -> None:
    script = offered(5).event(traded("B", 2000.0, 9, 77), filled(1, "A", 2000.0, 5), cancelled(1, "A", 2000.0, 5))
    assert only(script)["inputs"]["orders"]["implied"] == 4


def test_a_second_aggressor_in_one_event_is_a_stop() -> None:
    script = offered(5).event(
        traded("B", 2000.0, 2, 77), filled(1, "A", 2000.0, 2), traded("B", 2000.0, 1, 78), filled(1, "A", 2000.0, 1),
        traded("B", 2000.0, 1, 78), filled(1, "A", 2000.0, 1), modified(1, "A", 2000.0, 1))
    assert only(script)["inputs"]["orders"]["stops"] == [
        {"ts_event": str(START + 3 * MS), "side": "B", "price": 2000.0, "size": 2, "order_id": "78"}]


def test_an_add_soon_after_a_complete_fill_links_to_every_order_that_died_there_once_another_follows_it() -> None:
    script = offered(5).event(added(2, "A", 2000.0, 3)).event(
        traded("B", 2000.0, 8, 77), filled(1, "A", 2000.0, 5), filled(2, "A", 2000.0, 3), cancelled(1, "A", 2000.0, 5),
        cancelled(2, "A", 2000.0, 3))
    script.wait(49 * MS).event(added(3, "A", 2000.0, 3)).event(added(4, "A", 2000.0, 3)).event(added(5, "A", 2000.1, 3))
    assert only(script)["inputs"]["orders"]["links"] == []
    take(script, 3, 3).event(added(6, "A", 2000.0, 3))
    orders = only(script)["inputs"]["orders"]
    assert [(link["order_id"], link["filled_id"], link["filled_size"], link["delay"]) for link in orders["links"]] == [
        ("3", "2", 3, 50 * MS), ("3", "1", 5, 50 * MS),  # the five matches under shift 1
        ("6", "3", 3, 1 * MS)]
    assert orders["links"][2]["shifted"] == [5, 3, 3, 3, 3]  # what 2 found before it, and its own
    assert orders["ends"] == []


def take(script: Script, order_id: int, size: int) -> Script:
    """Somebody buys all of an order at 2000.0."""
    return script.event(
        traded("B", 2000.0, size, 77), filled(order_id, "A", 2000.0, size), cancelled(order_id, "A", 2000.0, size))


def chain(script: Script, first: int, *sizes: int) -> Script:
    """Offers at 2000.0, each a millisecond after the one before it was filled; they rest for 60 ms."""
    script.event(added(first, "A", 2000.0, sizes[0]))
    for number, size in enumerate(sizes[1:], first + 1):
        take(script.wait(60 * MS), number - 1, sizes[number - first - 1]).event(added(number, "A", 2000.0, size))
    return script.wait(60 * MS)


def told(script: Script) -> list[tuple[str, str]]:
    """Each link: the order, and the one before it."""
    return [(link["filled_id"], link["order_id"])
            for frame in frames(script.records, "50ms") for link in frame["inputs"]["orders"]["links"]]


def begun() -> Script:
    return Script().event(cleared()).event(added(9, "B", 1990.0, 1))


def after(*sizes: int) -> Script:
    """Offers at 2000.0 that stay there."""
    script = begun()
    for order_id, size in enumerate(sizes, 20):
        script.event(added(order_id, "A", 2000.0, size))
    return script


def test_links_wait_for_a_third_tranche() -> None:
    assert told(chain(begun(), 11, 4, 4)) == []
    assert told(chain(begun(), 11, 4, 4, 4)) == [("11", "12"), ("12", "13")]
    assert told(chain(begun(), 11, 4, 4, 4, 4)) == [("11", "12"), ("12", "13"), ("13", "14")]


def test_a_smaller_order_is_a_last_tranche_after_three_only() -> None:
    assert told(chain(after(1, 1, 1, 1, 1), 11, 4, 4, 1)) == []
    assert told(chain(after(1, 1, 1, 1, 1), 11, 4, 4, 4, 1)) == [("11", "12"), ("12", "13"), ("13", "14")]
    assert told(chain(after(1, 1, 1, 1, 1), 11, 4, 4, 4, 1, 1)) == [("11", "12"), ("12", "13"), ("13", "14")]


def test_links_that_wait_are_gone_with_a_cleared_book() -> None:
    script = chain(begun(), 11, 4, 4).event(cleared()).event(added(9, "B", 1990.0, 1))
    script.event(added(12, "A", 2000.0, 4))  # an id that was used before
    assert told(take(script, 12, 4).event(added(13, "A", 2000.0, 4))) == []


def test_the_end_of_a_third_tranche_is_told_and_that_of_a_second_is_not() -> None:
    orders = only(take(chain(begun(), 11, 4, 4, 4), 13, 4))["inputs"]["orders"]
    assert [(end["order_id"], end["kind"], end["filled"], end["after"]) for end in orders["ends"]] == [
        ("13", "executed", 4, 2)]


def test_a_chain_does_not_lend_its_own_tranches_their_size() -> None:
    """Each carries the sizes from before the chain, moved on by one place."""
    links = only(chain(after(1, 2, 3, 7, 9), 11, 4, 4, 4))["inputs"]["orders"]["links"]
    assert [link["filled_shifted"] for link in links] == [[9, 7, 3, 2, 1], [7, 3, 2, 1, 9]]
    assert [link["shifted"] for link in links] == [[7, 3, 2, 1, 9], [3, 2, 1, 9, 7]]


def test_other_orders_have_the_sizes_of_a_chains_first_two_tranches_only() -> None:
    """Order 40 comes after four tranches of 4, and before these came five orders and one of 8."""
    script = chain(after(1, 2, 3, 7, 9).event(added(30, "A", 2000.0, 8)), 11, 4, 4, 4, 4)
    script.event(added(40, "A", 2000.0, 8))
    for order_id in (40, 41):
        take(script.wait(60 * MS), order_id, 8).event(added(order_id + 1, "A", 2000.0, 8))
    links = [link for frame in frames(script.records, "1m") for link in frame["inputs"]["orders"]["links"]]
    assert [link["filled_shifted"] for link in links if link["filled_id"] == "40"] == [[4, 4, 8, 9, 7]]


@given(data=st.binary(max_size=600))
def test_reader_and_reference_agree_on_orders_that_follow_each_other(data: bytes) -> None:
    dice, script, resting, order_id = Dice(data), begun(), dict[int, int](), 100
    while not dice.empty:
        script.step = (50_000, 250_000, MS, 30 * MS, 60 * MS)[dice.below(5)]
        if resting and dice.chance(50):
            gone = sorted(resting)[dice.below(len(resting))]
            take(script, gone, resting.pop(gone))
        else:
            order_id, size = order_id + 1, (1, 2, 2, 3, 5, 6, 3000)[dice.below(7)]
            resting[order_id] = size
            script.event(added(order_id, "A", 2000.0, size))
    frames(script.records, "50ms")  # asserts that they agree


@pytest.mark.parametrize(("delay", "links"), [
    (0, []), (199_999, []), (200_000, [("11", "12"), ("12", "13")]), (50 * MS, [("11", "12"), ("12", "13")]),
    (50 * MS + 1, [])])
def test_an_order_is_no_refill_that_comes_before_anybody_can_answer_a_fill_or_long_after(
    delay: int, links: list[tuple[str, str]],
) -> None:
    script = chain(begun(), 11, 4, 4)
    script.step = delay
    take(script, 12, 4)
    script.step = MS
    assert told(script.event(added(13, "A", 2000.0, 4))) == links


def test_an_order_added_in_the_event_that_filled_another_does_not_refill_it() -> None:
    script = bought(offered(5), 5, cancelled(1, "A", 2000.0, 5), added(2, "A", 2000.0, 5))
    assert told(take(script, 2, 5).event(added(3, "A", 2000.0, 5))) == []


def test_an_add_that_comes_a_second_late_still_finds_the_order_that_died() -> None:
    script = bought(offered(5), 5, cancelled(1, "A", 2000.0, 5)).wait(900 * MS).event(added(3, "A", 2001.0, 1))
    script.event(added(4, "A", 2000.0, 5), late=880 * MS)  # 23 ms after the fill
    links = only(take(script, 4, 5).event(added(5, "A", 2000.0, 5)))["inputs"]["orders"]["links"]
    assert [(link["order_id"], link["delay"]) for link in links] == [("4", 22 * MS), ("5", MS)]


def test_an_add_before_the_fill_by_exchange_time_is_no_refill() -> None:
    script = bought(offered(5), 5, cancelled(1, "A", 2000.0, 5)).event(added(4, "A", 2000.0, 5), late=2 * MS)
    assert told(take(script, 4, 5).event(added(5, "A", 2000.0, 5))) == []


def test_an_aggressor_that_stays_in_the_book_has_hidden_nothing() -> None:
    # order 1 offers 4, is moved into a bid of 3 and rests with the last one, which is then taken with one more
    script = Script().event(cleared()).event(added(1, "A", 2000.0, 4)).event(added(2, "B", 1999.0, 3)).event(
        traded("A", 1999.0, 3, 1), filled(1, "A", 1999.0, 3), filled(2, "B", 1999.0, 3), cancelled(2, "B", 1999.0, 3),
        modified(1, "A", 1999.0, 1))
    script.event(traded("B", 1999.0, 2, 77), filled(1, "A", 1999.0, 2), cancelled(1, "A", 1999.0, 1))
    assert brief(script, "kind", "first", "total", "hidden_traded") == [("removal", 1, 2, 1)]


def test_a_fill_taken_off_by_a_cancel_is_not_its_owners_change() -> None:
    script = offered(5).event(traded("B", 2000.0, 2, 77), filled(1, "A", 2000.0, 2), cancelled(1, "A", 2000.0, 2))
    bought(script, 3, modified(1, "A", 2000.0, 5))
    assert brief(script, "kind", "first", "before", "total", "hidden_traded") == [("refresh", 5, 3, 5, 0)]


def test_a_fill_beyond_the_display_of_an_order_that_moves_on_is_not_explained() -> None:
    frame = only(bought(offered(5), 8, modified(1, "A", 2001.0, 1)))
    assert (frame["health"]["filled"], frame["health"]["remainder"]) == (8, 3)


def test_a_cleared_book_can_be_trusted_at_once() -> None:
    script = offered(5).event(modified(9, "B", 1990.0, 2), flags=4)
    script.event(
        cleared(), added(1, "A", 2000.0, 5), traded("B", 2000.0, 5, 77), filled(1, "A", 2000.0, 5),
        modified(1, "A", 2000.0, 5))
    assert brief(script, "kind", "revealed") == [("refresh", 5)]


def test_a_late_add_finds_its_order_among_hundreds_that_died_since() -> None:
    script = bought(offered(5), 5, cancelled(1, "A", 2000.0, 5)).wait(900 * MS)
    for order_id in range(100, 400):
        script.step = 0
        script.event(added(order_id, "A", 2000.5, 1)).event(
            traded("B", 2000.5, 1, 77), filled(order_id, "A", 2000.5, 1), cancelled(order_id, "A", 2000.5, 1))
    script.step = MS
    take(script.event(added(4, "A", 2000.0, 5), late=880 * MS), 4, 5).event(added(5, "A", 2000.0, 5))
    links = [link for frame in frames(script.records, "50ms") for link in frame["inputs"]["orders"]["links"]]
    assert [link["delay"] for link in links if link["order_id"] == "4"] == [21 * MS]
