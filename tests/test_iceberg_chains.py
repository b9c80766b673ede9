"""Synthetic icebergs: chains from hand-made refills, the tree's choices, the null, and what zones make of them."""

from __future__ import annotations

from typing import Any

import pytest

from qmo_cli.engines.iceberg.chain import SHIFTS, Link
from qmo_cli.engines.iceberg.chains import ENOUGH, Chains, Search
from qmo_cli.engines.iceberg.facts import adds_of
from qmo_cli.packets import RefillEnd, RefillLink
from qmo_cli.tray import Packet

from .engine_oracles import run
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .support import SHARED, START, mapping, read_dbn

SECOND = 10**9
MS = 10**6
HOUR = 3600 * SECOND
NAMES = ("bars", "iceberg")


class Refilled(Script):
    """Buy orders at one price that are filled and refilled."""

    def begin(self) -> Refilled:
        self.raw(mapping("GCJ6", "GCJ6")).event(cleared())
        return self

    def add(self, order: int, size: int, price: float = 2000.0) -> Refilled:
        self.event(added(order, "B", price, size))
        return self

    def fill(self, order: int, size: int, price: float = 2000.0) -> Refilled:
        self.event(traded("A", price, size, 900), filled(order, "B", price, size), cancelled(order, "B", price, size))
        return self

    def chain(self, *sizes: int, first: int = 10, price: float = 2000.0) -> Refilled:
        """Each order is added after the one before it was filled; the last one rests."""
        self.add(first, sizes[0], price)
        for number, size in enumerate(sizes[1:], 1):
            self.fill(first + number - 1, sizes[number - 1], price).add(first + number, size, price)
        return self


def told(script: Script, every: str = "1s", **settings: Any) -> list[Any]:
    return [event for packet in read(script, every, **settings) for event in packet.slots["iceberg"].events]


def read(script: Script, every: str = "1s", **settings: Any) -> list[Packet]:
    return run(script.records, every, NAMES, **settings)


def steps(events: list[Any]) -> list[tuple[str, str, list[str]]]:
    return [(event.kind, event.order_id, event.members) for event in events]


def later(script: Script, seconds: int = 5) -> Script:
    """Some other order, later."""
    return script.wait(seconds * SECOND).event(added(1, "A", 2010.0, 1)).wait(SECOND).event(added(2, "A", 2010.0, 1))


# ---- a chain's life


def test_the_third_tranche_makes_a_chain_and_each_further_one_reloads_it() -> None:
    events = told(Refilled().begin().chain(5, 5, 5, 5))
    assert steps(events) == [("detected", "12", ["10", "11", "12"]), ("reloaded", "13", ["13"])]
    first, second = events
    assert (first.source, first.evidence, first.peak, first.peak_exact) == ("synthetic", "refill", 5, True)
    assert (first.filled, first.total_filled, first.hidden_traded, first.shown) == (5, 10, 5, 5)
    assert (second.total_filled, second.hidden_traded, second.chain) == (15, 10, first.chain)
    assert (first.pattern, second.pattern) == ("fixed_clip", "wall")


def test_two_tranches_or_single_lots_are_no_chain() -> None:
    assert told(Refilled().begin().chain(5, 5)) == []
    assert told(Refilled().begin().chain(1, 1, 1, 1, 1)) == []
    assert told(Refilled().begin().chain(9, 5, 3, 2)) == []


def test_a_refill_that_comes_too_late_or_elsewhere_is_none() -> None:
    late = Refilled().begin().chain(5, 5).fill(11, 5)
    assert told(late.wait(60 * MS).add(12, 5)) == []
    assert told(Refilled().begin().chain(5, 5).fill(11, 5).add(12, 5, price=2000.1)) == []


def test_the_last_tranche_may_be_smaller_and_nothing_follows_it() -> None:
    events = told(Refilled().begin().chain(5, 5, 5, 3, 3, 3))
    assert steps(events)[:2] == [("detected", "12", ["10", "11", "12"]), ("reloaded", "13", ["13"])]
    assert events[1].peak_exact
    assert all("14" not in event.members or event.chain != events[0].chain for event in events)


def test_a_chain_is_executed_when_some_seconds_have_passed_since_its_last_fill() -> None:
    script = later(Refilled().begin().chain(5, 5, 5).fill(12, 5))
    last = told(script)[-1]
    assert (last.kind, last.order_id, last.total_filled, last.hidden_traded) == ("executed", "12", 15, 10)
    assert (last.members, last.estimate, last.shown) == ([], None, 0)
    assert int(last.ts_event) < int(read(script)[-1].ts) - 5 * SECOND


def test_a_chain_whose_newest_tranche_is_cancelled_is_cancelled() -> None:
    script = Refilled().begin().chain(5, 5, 5)
    script.event(traded("A", 2000.0, 2, 900), filled(12, "B", 2000.0, 2), modified(12, "B", 2000.0, 3))
    last = told(script.event(cancelled(12, "B", 2000.0, 3)))[-1]
    assert (last.kind, last.total_filled) == ("cancelled", 12)


def test_what_becomes_of_a_chain_over_a_cleared_book_is_unknown() -> None:
    assert [event.kind for event in told(Refilled().begin().chain(5, 5, 5).event(cleared()))] == ["detected", "unknown"]


def test_a_tranche_that_hides_size_itself_ends_the_chain_and_is_a_native_iceberg() -> None:
    script = Refilled().begin().chain(5, 5, 5)
    script.event(traded("A", 2000.0, 5, 900), filled(12, "B", 2000.0, 5), modified(12, "B", 2000.0, 5))
    assert [(event.source, event.kind) for event in told(script)] == [
        ("synthetic", "detected"), ("native", "detected"), ("synthetic", "unknown")]


def test_a_known_native_iceberg_starts_no_chain() -> None:
    script = Refilled().begin().add(10, 5)
    script.event(traded("A", 2000.0, 5, 900), filled(10, "B", 2000.0, 5), modified(10, "B", 2000.0, 5))
    script.fill(10, 5).add(11, 5).fill(11, 5).add(12, 5)
    assert {event.source for event in told(script)} == {"native"}


def test_clips_within_a_fifth_of_each_other_are_jittered_and_a_moved_chain_is_pegged() -> None:
    assert told(Refilled().begin().chain(10, 9, 10))[0].pattern == "jittered"
    assert told(Refilled().begin().chain(10, 8, 6)) == []
    script = Refilled().begin().chain(5, 5).event(modified(11, "B", 1999.9, 5)).fill(11, 5, 1999.9).add(12, 5, 1999.9)
    event, = told(script)
    assert (event.pattern, event.price, event.members) == ("pegged", 1999.9, ["10", "11", "12"])


def test_a_tranche_filled_in_parts_counts_with_all_that_was_filled() -> None:
    script = Refilled().begin().chain(5, 5)
    script.event(traded("A", 2000.0, 2, 900), filled(11, "B", 2000.0, 2), modified(11, "B", 2000.0, 3))
    assert steps(told(script.fill(11, 3).add(12, 5))) == [("detected", "12", ["10", "11", "12"])]


def test_a_chain_that_rests_stands_among_the_icebergs() -> None:
    reading = read(Refilled().begin().chain(5, 5, 5))[-1].slots["iceberg"]
    iceberg, = reading.icebergs
    assert (iceberg.source, iceberg.order_id, iceberg.reloads, iceberg.shown) == ("synthetic", "12", 2, 5)
    assert (iceberg.estimate.cases, iceberg.estimate.mean) == (0, None)


def test_a_chain_whose_newest_tranche_was_filled_shows_nothing_until_the_next_one() -> None:
    script = Refilled().begin().chain(5, 5, 5)
    later(script, 1)
    later(script.fill(12, 5).add(13, 5), 1)
    shown = [(iceberg.order_id, iceberg.shown, iceberg.total_filled)
             for packet in read(script, "1ms") for iceberg in packet.slots["iceberg"].icebergs]
    assert list(dict.fromkeys(shown)) == [("12", 5, 10), ("12", 0, 10), ("13", 5, 15)]


# ---- the tree


def link(order: int, dead: int, size: int, there: int, *, ms: float, delay: float, others: int = 1) -> RefillLink:
    ts, rare = str(START + round(ms * MS)), [others] * SHIFTS
    return RefillLink(ts, "B", 2000.0, size, str(order), str(dead), there, round(delay * MS), rare, rare)


def search(*links: RefillLink) -> list[Any]:
    found = Search(0, "GCJ6", HOUR)
    return [found.take([Link(one) for one in group], int(group[0].ts_event)) for group in adds_of(list(links))]


def test_the_longest_path_wins() -> None:
    """Order 3 may follow 1 (10 ms ago) or 2 (30 ms ago); only 2 had one before it."""
    *_, told_of = search(
        link(2, 0, 5, 5, ms=0, delay=1), link(3, 1, 5, 5, ms=50, delay=10), link(3, 2, 5, 5, ms=50, delay=30))
    assert [tranche.order_id for tranche in told_of.joined] == ["0", "2", "3"]


def test_of_equally_long_paths_the_likelier_wins() -> None:
    """Both candidates are roots' children; the one that came sooner after its fill is likelier."""
    *_, told_of = search(
        link(2, 0, 5, 5, ms=0, delay=1), link(3, 1, 5, 5, ms=1, delay=40),
        link(4, 3, 5, 5, ms=50, delay=5), link(4, 2, 5, 5, ms=50, delay=5))
    assert [tranche.order_id for tranche in told_of.joined] == ["0", "2", "4"]


def test_a_rare_size_is_better_evidence_than_a_usual_one() -> None:
    rare, usual = (search(link(2, 0, 5, 5, ms=0, delay=1, others=others))[0] for others in (1, 5))
    assert rare is usual is None
    first, second = Search(0, "GCJ6", HOUR), Search(0, "GCJ6", HOUR)
    first.take([Link(link(2, 0, 5, 5, ms=0, delay=1, others=1))], START)
    second.take([Link(link(2, 0, 5, 5, ms=0, delay=1, others=5))], START)
    assert first.tranches["2"].evidence > second.tranches["2"].evidence


def test_an_order_is_used_once_and_a_shorter_branch_tells_nothing() -> None:
    """1 > 2 > 3 is told; 4 and 5 branch off 1: as long as the chain, not longer. 6 makes that branch the longer one."""
    events = search(
        link(2, 1, 5, 5, ms=0, delay=1), link(3, 2, 5, 5, ms=10, delay=1), link(4, 1, 5, 5, ms=20, delay=21),
        link(5, 4, 5, 5, ms=30, delay=1), link(6, 5, 5, 5, ms=40, delay=1))
    assert [[tranche.order_id for tranche in one.joined] if one else None for one in events] == [
        None, ["1", "2", "3"], None, None, ["4", "5", "6"]]
    assert events[-1].chain is events[1].chain


def test_orders_are_forgotten_after_the_window() -> None:
    found = Search(0, "GCJ6", HOUR)
    found.take([Link(link(2, 1, 5, 5, ms=0, delay=1))], START)
    assert found.take([Link(link(3, 2, 5, 5, ms=0, delay=1))], START + HOUR + 1) is None
    assert set(found.tranches) == {"2", "3"}


# ---- the null


def chained(chains: Chains, number: int, others: list[int], at: int) -> None:
    """One chain of three fives; under the shifts its orders have these sizes."""
    for step in (1, 2):
        ts = at + step * MS
        order, dead = f"{number}.{step}", f"{number}.{step - 1}"
        chains.take([RefillLink(str(ts), "B", 2000.0, 5, order, dead, 5, MS, others, others)], ts)


def test_the_rate_is_the_mean_number_of_chains_under_a_shift_over_the_real_ones() -> None:
    """Ten chains; in four of them two of five shifts leave the orders alike: 8 in all, 1.6 a shift, 0.16."""
    chains = Chains("GCJ6", HOUR)
    for number in range(ENOUGH):
        others = [7, 7, 1, 1, 1] if number < 4 else [1] * SHIFTS
        assert chains.rate(START + number * SECOND) is None
        chained(chains, number, others, START + number * SECOND)
    now = START + ENOUGH * SECOND
    assert chains.counts(now) == (10, 1.6)
    assert chains.rate(now) == pytest.approx(0.16)
    assert chains.rate(START + HOUR + 4 * SECOND) is None  # some have left the window


def test_a_rate_is_never_more_than_one() -> None:
    chains = Chains("GCJ6", HOUR)
    for number in range(ENOUGH):
        chained(chains, number, [7] * SHIFTS, START + number * SECOND)
    assert chains.rate(START + HOUR) == 1.0


def test_an_end_of_an_order_that_is_in_no_chain_tells_nothing() -> None:
    assert Chains("GCJ6", HOUR).end(RefillEnd(str(START), "executed", "5", 3, 0), START) is None


def busy(number: int, noise: bool) -> Refilled:
    """Many chains at prices of their own; with noise single lots come between their orders, so that chance is rare."""
    script = Refilled().begin()
    for place in range(number):
        first, price = 1000 + 10 * place, 2000.0 - place
        if noise:
            for extra in range(6):
                script.add(50_000 + 100 * place + extra, 1, price)
        script.add(first, 5, price)
        for step in range(3):
            script.fill(first + step, 5, price)
            if noise:
                for extra in range(6):
                    script.add(60_000 + 100 * place + 10 * step + extra, 1, price)
            script.add(first + step + 1, 5, price)
        script.wait(SECOND)
    return script


def test_chains_that_chance_would_hardly_make_build_zones_with_their_confidence() -> None:
    packets = read(busy(14, noise=True))
    reading = packets[-1].slots["iceberg"]
    assert (reading.chains, reading.chance, reading.fdr) == (14, 0.0, 0.0)
    assert {zone.confidence for zone in reading.zones} == {0.99}
    assert len(reading.zones) == 14 - ENOUGH + 1  # the first nine were told before there was a rate


def test_chains_that_chance_makes_as_well_build_no_zone() -> None:
    """Alone at their prices, the orders have the same sizes under any shift: nothing tells chains from chance."""
    packets = read(busy(14, noise=False))
    reading = packets[-1].slots["iceberg"]
    assert (reading.chains, reading.chance, reading.fdr, reading.zones) == (14, 14.0, 1.0, [])
    assert {event.confidence for event in told(busy(14, noise=False))} == {0.0}


def test_below_ten_chains_there_is_no_rate_and_the_reason_is_told() -> None:
    packet = read(Refilled().begin().chain(5, 5, 5))[-1]
    assert (packet.slots["iceberg"].fdr, packet.slots["iceberg"].chains) == (None, 1)
    assert packet.missing["iceberg.fdr"] == "1 of 10 synthetic icebergs in 120 minutes"
    assert packet.slots["iceberg"].zones == []


@pytest.mark.parametrize("every", ["50ms", "1m"])
def test_what_is_told_of_chains_does_not_depend_on_the_length_of_the_frame(every: str) -> None:
    script = later(busy(12, noise=True))
    assert told(script, every) == told(script)
    assert told(script, every)


# ---- real data


@pytest.fixture(scope="module")
def christmas() -> list[Packet]:
    path = SHARED / "data" / "mbo" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    if not path.exists():
        pytest.skip("the real files are not here")
    return run([mapping("ESH4", "ESH4", instrument=17_077), *read_dbn(path)], "1s", NAMES)


def test_a_real_file_has_eighteen_chains_and_most_of_them_may_be_chance(christmas: list[Packet]) -> None:
    """Counted by others: 19 chains, of which chance makes 8 to 13; one of the 19 has a delay of 0.04 ms.

    Where each order of the file has the size of the 6th, 8th, 10th, 12th or 14th before it at its price, 15, 14, 8, 10
    and 8 chains are found, and chance is said to make 12.4, 10.4, 9.8, 12.8 and 11.6.
    """
    reading = christmas[-1].slots["iceberg"]
    assert (reading.chains, reading.chance, reading.fdr) == (18, 12.4, 0.688889)
    assert reading.links_dropped == 0


def test_a_real_chain_is_what_its_records_say(christmas: list[Packet]) -> None:
    """Three bids of 4 at 4810.5, added 41.7 and 10.7 ms after the fill of the one before; by hand from the records."""
    events = [event for packet in christmas for event in packet.slots["iceberg"].events
              if event.source == "synthetic" and "6412777284694" in event.members]
    event, = (event for event in events if event.kind == "detected")
    assert (event.members, event.side, event.price, event.peak, event.total_filled) == (
        ["6412777284639", "6412777284673", "6412777284694"], "B", 4810.5, 4, 8)


def test_a_real_order_that_comes_before_anybody_can_answer_is_no_refill(christmas: list[Packet]) -> None:
    """An offer of 4 at 4810.5 came 0.04 ms after the fill of one that had come 3.8 ms after the fill of another."""
    members = {member for packet in christmas for event in packet.slots["iceberg"].events for member in event.members}
    assert "6412777283097" not in members


def test_no_alarm_in_the_snapshot_and_the_pre_open(christmas: list[Packet]) -> None:
    opening = 1_703_545_200 * SECOND  # 2023-12-25 23:00 UTC
    early = [event for packet in christmas for event in packet.slots["iceberg"].events
             if int(event.ts_event) < opening]
    assert early == []
