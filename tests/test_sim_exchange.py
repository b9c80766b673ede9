"""The simulated exchange against the exchange's protocol, and its icebergs against their algebra."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest

from qmo_cli.feeds.sim import SimOptions

from .sim_replay import LAST, Fills, Record, Replay, events, letters

TENTH = 100_000_000  # 0.10 in 1e-9
SNAPSHOT = 32        # F_SNAPSHOT
BUSY = SimOptions(seed=5, records=60_000, rate=1000, icebergs=0.01)


@pytest.fixture(scope="module")
def busy() -> list[list[Record]]:
    """Sixty thousand records with many icebergs, by event."""
    return list(events(BUSY))


@pytest.fixture(scope="module")
def fills(busy: list[list[Record]]) -> list[Fills]:
    """All fills of resting orders in ``busy``."""
    replay, found = Replay(), []
    for event in busy:
        found += replay.take(event)
    return found


def test_every_record_is_labelled_as_simulated(busy: list[list[Record]]) -> None:
    heads = {(r.length, r.rtype, r.publisher_id) for event in busy for r in event}
    assert heads == {(14, 160, 65_535)}


def test_the_snapshot_is_a_clear_and_adds_marked_as_snapshot(busy: list[list[Record]]) -> None:
    snapshot = busy[0]
    assert re.fullmatch("RA{200,}", letters(snapshot))
    assert {r.flags for r in snapshot[:-1]} == {SNAPSHOT}
    assert snapshot[-1].flags == SNAPSHOT | LAST
    assert all(r.ts_event <= r.ts_recv == BUSY.start for r in snapshot)
    assert not any(r.flags & SNAPSHOT for event in busy[1:] for r in event)


# ---- the exchange's grammar


def test_every_event_has_the_grammar_of_the_exchange(busy: list[list[Record]]) -> None:
    assert all(re.fullmatch("(TF*)+[ACM]*|[ACM]+", letters(event)) for event in busy[1:])


def test_every_kind_of_event_occurs(busy: list[list[Record]]) -> None:
    kinds = Counter(letters(event) for event in busy)
    assert {"A", "C", "M", "T", "TFC", "TFM", "CA", "TFFCC"} <= set(kinds)


def test_an_event_has_one_time_and_sequence_and_capture_time_go_forward(busy: list[list[Record]]) -> None:
    flat = [record for event in busy for record in event]
    assert all(len({(r.ts_event, r.ts_recv) for r in event}) == 1 for event in busy[1:])
    assert all(a.ts_recv <= b.ts_recv and a.sequence < b.sequence for a, b in pairwise(flat))
    assert all(a[0].ts_event < b[0].ts_event for a, b in pairwise(busy[1:]))


def test_capture_takes_a_tenth_to_three_tenths_of_a_millisecond(busy: list[list[Record]]) -> None:
    delays = [r.ts_recv - r.ts_event for event in busy[1:] for r in event]
    assert 100_000 <= min(delays) <= max(delays) < 300_000


def test_a_book_made_of_adds_modifies_and_cancels_knows_every_id_and_never_crosses(busy: list[list[Record]]) -> None:
    replay, seen = Replay(), set[int]()
    for event in busy:
        for record in event:
            replay.apply(record)
            assert record.action != b"A" or record.order_id not in seen
            seen |= {record.order_id} if record.action == b"A" else set()
        bid, ask = replay.best()
        assert bid < ask
        assert 100 < len(replay.sizes) < 3000


def test_prices_are_whole_ticks(busy: list[list[Record]]) -> None:
    assert {r.price % TENTH for event in busy for r in event if r.action != b"R"} == {0}


def trades_of(event: list[Record]) -> Iterator[tuple[Record, list[Record]]]:
    """Each T of an event with the F's that follow it."""
    for index, record in enumerate(event):
        if record.action == b"T":
            rest = [r.action for r in event[index + 1 :]]
            count = next((n for n, action in enumerate(rest) if action != b"F"), len(rest))
            yield record, event[index + 1 : index + 1 + count]


def test_fills_are_at_the_price_of_their_trade_and_on_the_other_side(busy: list[list[Record]]) -> None:
    other = {b"B": {b"A"}, b"A": {b"B"}, b"N": {b"A", b"B"}}
    for event in busy:
        for trade, filled in trades_of(event):
            passive = [f for f in filled if f.order_id != trade.order_id]
            assert all(f.price == trade.price for f in filled)
            assert all(f.side in other[trade.side] for f in passive)
            assert sum(f.size for f in passive) <= trade.size


def test_an_order_that_is_modified_into_the_market_is_the_aggressor_and_leaves_its_old_price(
    busy: list[list[Record]],
) -> None:
    """As in real files: T and F of the same id at the trade's price; a C is at the price where the order rested."""
    replay, gone, moved = Replay(), 0, 0
    for event in busy:
        for trade, filled in trades_of(event):
            own = [f for f in filled if f.order_id == trade.order_id]
            if own:
                side, price = replay.where[trade.order_id]
                after = next(r for r in event if r.order_id == trade.order_id and r.action in (b"C", b"M"))
                assert [(f.side, f.size) for f in own] == [(trade.side, trade.size)]
                assert side == trade.side
                assert (trade.price - price) * (1 if side == b"B" else -1) > 0
                assert after.price == (price if after.action == b"C" else trade.price)
                gone += after.action == b"C"
                moved += after.action == b"M"
        replay.take(event)
    assert gone > 5
    assert moved > 0


def test_trades_without_side_or_with_implied_lots_or_two_aggressors_are_rare_but_there() -> None:
    trades, unsaid, implied, stops = 0, 0, 0, 0
    for event in events(SimOptions(seed=2, records=60_000)):
        found = list(trades_of(event))
        trades += len(found)
        unsaid += sum(trade.side == b"N" for trade, _ in found)
        implied += sum(trade.size > sum(f.size for f in filled if f.order_id != trade.order_id)
                       for trade, filled in found)
        stops += len({trade.order_id for trade, _ in found}) > 1
    assert 0 < unsaid < 0.02 * trades
    assert 0.02 * trades < implied < 0.08 * trades
    assert 0 < stops < 0.03 * trades


def test_fills_follow_the_order_of_the_queue(busy: list[list[Record]]) -> None:
    replay, checked = Replay(), 0
    for event in busy:
        aggressors = {r.order_id for r in event if r.action == b"T"}
        fills = [r for r in event if r.action == b"F" and r.order_id not in aggressors]
        filled = [r.order_id for r in fills]
        if len(set(filled)) == len(filled) and len({r.price for r in fills}) == 1:
            queue = replay.queues[fills[0].side, fills[0].price]
            assert filled == queue[: len(filled)]
            checked += 1
        replay.take(event)
    assert checked > 1000


# ---- icebergs


def test_without_icebergs_no_fill_exceeds_the_display_and_no_order_grows_back() -> None:
    replay = Replay()
    for event in events(SimOptions(seed=3, records=40_000, icebergs=0)):
        for fill in replay.take(event):
            assert fill.after == (fill.displayed - fill.filled or -fill.displayed)


def refreshes(fills: list[Fills]) -> dict[int, list[Fills]]:
    """By order id, the fills after which an order shows more than was left of it."""
    found = defaultdict(list)
    for fill in fills:
        if fill.grew:
            found[fill.order_id].append(fill)
    return found


def test_every_refresh_but_the_last_reveals_whole_peaks(fills: list[Fills]) -> None:
    """f - d + n is a multiple of the peak, and no display is larger than the peak."""
    found = refreshes(fills)
    assert len(found) > 50
    for order in found.values():
        multiples = [fill.filled - fill.displayed + fill.after for fill in order[:-1]]
        if multiples:
            peak = max(fill.after for fill in order)
            assert math.gcd(*multiples) % peak == 0 or math.gcd(*multiples) >= peak
            assert all(fill.after <= math.gcd(*multiples) for fill in order)


def test_a_refreshed_order_keeps_its_id_side_and_price(busy: list[list[Record]]) -> None:
    replay, count = Replay(), 0
    for event in busy:
        places = {r.order_id: (r.side, r.price) for r in event if r.action == b"F"}
        for fill in replay.take(event):
            if fill.grew:
                assert replay.where[fill.order_id] == places[fill.order_id]
                count += 1
    assert count > 200


def test_an_unfilled_remainder_never_hides_behind_a_refresh(fills: list[Fills]) -> None:
    """An iceberg reloads when its display is used up, not before."""
    assert all(f.filled >= f.displayed > 0 for order in refreshes(fills).values() for f in order)


def test_some_icebergs_are_consumed_through_several_peaks_in_one_event(fills: list[Fills]) -> None:
    assert any(f.filled > f.displayed and f.after > 0 for f in fills)
    assert any(f.filled > f.displayed and f.after == -f.displayed for f in fills)


def test_a_last_tranche_can_be_smaller_and_some_icebergs_are_cancelled(
    busy: list[list[Record]], fills: list[Fills]
) -> None:
    found = refreshes(fills)
    assert any(order[-1].after < order[-2].after for order in found.values() if len(order) > 1)
    alone = {event[0].order_id for event in busy if letters(event) == "C"}
    assert alone & set(found)
