"""Hidden size without order ids: mbp-10 against what the same market's orders prove, and the hint of tbbo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from qmo_cli.blocks import MAPPING
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .engine_oracles import run
from .reference_records import Record, decode
from .support import START, Quote, blocks, mapping, mbp10, split, tbbo, trade

SECOND = 10**9
MS = 10**6
NAMES = ("bars", "iceberg")
OTHER = {"B": "A", "A": "B"}


# ---- a naive book of the simulator's orders, and the depth that it shows


class NaiveBook:
    """Orders by id, levels summed up anew whenever one asks."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.sizes: dict[str, dict[int, list[int]]] = {"B": {}, "A": {}}  # price -> contracts, orders

    def take(self, record: Record) -> None:
        if record.action == "R":
            self.__init__()  # type: ignore[misc]
        elif record.action in "AMC":
            was = self.orders.pop(record.order_id, None)
            if was:
                self._count(*was, -1)
            left = record.size if record.action != "C" else (was[2] if was else 0) - record.size
            if left > 0:
                price = record.price if record.action != "C" else (was[1] if was else 0)
                self.orders[record.order_id] = (record.side, price or 0, left)
                self._count(record.side, price or 0, left, 1)

    def _count(self, side: str, price: int, size: int, sign: int) -> None:
        level = self.sizes[side].setdefault(price, [0, 0])
        level[0] += sign * size
        level[1] += sign
        if not level[1]:
            del self.sizes[side][price]

    def top(self, side: str) -> list[Quote]:
        rows = sorted(self.sizes[side].items(), reverse=side == "B")[:10]
        return [(price / 1e9, size, count) for price, (size, count) in rows]


def exchange_events(records: Iterable[Record]) -> Iterable[list[Record]]:
    event: list[Record] = []
    for record in records:
        event.append(record)
        if record.last:
            yield event
            event = []


Place = tuple[int, str, float]  # ts_event, resting side, price


def depth_and_truth(seed: int, number: int) -> tuple[list[bytes], set[Place], set[Place]]:
    """(mbp-10 records, places where some order refreshed, places where liquidity was implied)."""
    data = b"".join(block.data for block in simulate(SimOptions(seed=seed, records=number, rate=200.0)))
    records = [record for raw in split(data) if raw[1] != MAPPING and (record := decode(raw, None))]
    book, depth, truth, implied = NaiveBook(), [mapping("GCJ6", "GCJ6")], set(), set()
    for event in exchange_events(records):
        first, last = event[0], event[-1]
        before = book.top("B"), book.top("A")
        fills: dict[int, int] = defaultdict(int)
        for record in event:
            if record.action == "F":
                fills[record.order_id] += record.size
            was = book.orders.get(record.order_id)
            stays = record.action == "M" and was and fills[record.order_id] and record.price == was[1]
            if was and stays and record.size > was[2] - fills[record.order_id]:
                truth.add((first.ts_event, was[0], was[1] / 1e9))
            book.take(record)
        trades = [record for record in event if record.action == "T" and record.side != "N"]
        if sum(record.size for record in trades) > sum(fills.values()):
            implied |= {(first.ts_event, OTHER[record.side], (record.price or 0) / 1e9) for record in trades}
        times = {"ts_event": first.ts_event, "ts_recv": max(last.time, first.ts_event)}
        depth += [mbp10("T", one.side, (one.price or 0) / 1e9, one.size, *before, **times) for one in trades]
        after = book.top("B"), book.top("A")
        if after != before:
            depth.append(mbp10("M", "B", after[0][0][0] if after[0] else 1.0, 1, *after, flags=128, **times))
    return depth, truth, implied


def routed(records: Sequence[bytes], every: str = "1s", schema: str | None = None, access: str = "l3") -> list[Packet]:
    router = Router(RouteOptions(every=every, access=access))
    packets = [packet for block in blocks(records, (), schema) for packet in router.read(block)]
    return packets + router.finish()


def facts(packets: Iterable[Packet]) -> list[Any]:
    return [fact for packet in packets if packet.inputs.levels for fact in packet.inputs.levels.facts]


@pytest.mark.parametrize("seed", [3, 11])
def test_depth_finds_the_refreshes_that_orders_prove(seed: int) -> None:
    """Published on real markets: precision 1.00, recall 0.98 to 1.00. Implied fills at the same place are left out."""
    records, truth, implied = depth_and_truth(seed, 60_000)
    found = {(int(fact.ts_event), fact.side, fact.price) for fact in facts(routed(records)) if fact.kind == "refresh"}
    found, truth = found - implied, truth - implied
    assert len(truth) > 30
    assert len(found & truth) / len(found) >= 0.99
    assert len(found & truth) / len(truth) >= 0.97


# ---- by hand


def book(size: int, price: float = 2000.0) -> list[list[Quote]]:
    return [[(price, size, 1)] if size else [(price - 0.1, 9, 1)], [(price + 0.1, 9, 1)]]


def hit(traded: int, before: int, after: int, ms: int = 10) -> list[bytes]:
    """A seller takes from the bid at 2000.0, told as depth tells it."""
    at = {"ts_event": START + ms * MS, "ts_recv": START + ms * MS + 9}
    return [
        mapping("GCJ6", "GCJ6"), mbp10("A", "B", 2000.0, before, *book(before), ts_event=START, ts_recv=START + 9),
        mbp10("T", "A", 2000.0, traded, *book(before), **at), mbp10("M", "B", 2000.0, after, *book(after), **at)]


@pytest.mark.parametrize(("traded", "before", "after", "kind", "estimate"), [
    (5, 5, 5, "refresh", 5), (12, 5, 3, "refresh", 10), (5, 5, 0, None, 0), (2, 5, 3, None, 0), (2, 5, 2, None, 0),
    (8, 5, 0, "excess", 3), (2, 5, 9, "refresh", 6)])
def test_what_traded_and_did_not_leave_the_depth_was_hidden(
    traded: int, before: int, after: int, kind: str | None, estimate: int,
) -> None:
    found = facts(routed(hit(traded, before, after)))
    assert [(one.kind, one.estimate, one.traded, one.before, one.after) for one in found] == (
        [(kind, estimate, traded, before, after)] if kind else [])


def test_a_refreshed_level_is_told_weighs_and_is_lost_after_a_quarter_of_an_hour() -> None:
    records = [*hit(5, 5, 5), *hit(5, 5, 5, ms=20)[2:]]
    records += [*hit(1, 5, 4, ms=1_000_000)[2:], *hit(1, 4, 3, ms=1_005_000)[2:]]
    packets = run(records, "1s", NAMES)
    events = [event for packet in packets for event in packet.slots["iceberg"].events]
    assert [(event.kind, event.source, event.order_id, event.confidence, event.evidence) for event in events] == [
        ("detected", "mbp-10", None, 0.9, "depth"), ("reloaded", "mbp-10", None, 0.9, "depth"),
        ("unknown", "mbp-10", None, 0.9, None)]
    assert int(events[-1].ts_event) == START + 20 * MS + 900 * SECOND
    zone, = packets[0].slots["iceberg"].zones
    assert (zone.weight, zone.confidence, zone.orders) == (pytest.approx(10, abs=1e-4), 0.9, 1)
    assert packets[0].slots["iceberg"].icebergs[0].hidden_traded == 10
    assert packets[0].missing["iceberg.fdr"].startswith("needs mbo")


def test_depth_is_trusted_less_where_fills_are_implied() -> None:
    """Eleven levels vanished with more traded than they showed, none refreshed before: implied fills occur here."""
    records = hit(8, 5, 0)
    for number in range(1, 11):
        start = {"ts_event": START + (20 * number) * MS, "ts_recv": START + 20 * number * MS + 9}
        records += [mbp10("A", "B", 2000.0, 5, *book(5), **start), *hit(8, 5, 0, ms=20 * number + 10)[2:]]
    start = {"ts_event": START + 900 * MS, "ts_recv": START + 900 * MS + 9}
    records += [mbp10("A", "B", 2000.0, 5, *book(5), **start), *hit(5, 5, 5, ms=910)[2:]]
    event, = [event for packet in run(records, "1s", NAMES) for event in packet.slots["iceberg"].events]
    assert (event.kind, event.confidence) == ("detected", 0.5)


def quotes(traded: int, displayed: int, *, stays: bool) -> list[bytes]:
    later = (2000.0 if stays else 1999.9, 7, 1)
    return [
        mapping("GCJ6", "GCJ6"),
        tbbo("A", 2000.0, traded, (2000.0, displayed, 1), (2000.1, 9, 1), ts_event=START, ts_recv=START + 9),
        tbbo("B", 2000.1, 1, later, (2000.1, 9, 1), ts_event=START + MS, ts_recv=START + MS + 9)]


@pytest.mark.parametrize(("traded", "displayed", "stays", "found"), [
    (8, 5, True, [3]), (8, 5, False, []), (5, 5, True, []), (3, 5, True, [])])
def test_more_traded_than_displayed_while_the_quote_stays_is_a_hint(
    traded: int, displayed: int, stays: bool, found: list[int],
) -> None:
    packets = routed(quotes(traded, displayed, stays=stays), schema="tbbo")
    assert [(fact.kind, fact.estimate) for fact in facts(packets)] == [("unconfirmed", one) for one in found]


def test_a_hint_has_little_confidence() -> None:
    from qmo_cli.pipeline import Engines

    packets, engines = routed(quotes(8, 5, stays=True), schema="tbbo"), Engines(NAMES)
    for packet in packets:
        engines.update(packet)
    event, = [event for packet in packets for event in packet.slots["iceberg"].events]
    assert (event.source, event.evidence, event.confidence, event.hidden_filled) == ("tbbo", "unconfirmed", 0.3, 3)
    assert packets[-1].slots["iceberg"].confidence == 0.3


def test_bare_trades_give_nothing() -> None:
    packet = run([mapping("GCJ6", "GCJ6"), trade("B", 2000.0, 3, ts_event=START, ts_recv=START)], "1s", NAMES)[-1]
    assert packet.slots["iceberg"] is None
    assert packet.missing["iceberg"] == "needs mbo, input is trades"


def test_an_entitlement_below_depth_hides_the_levels() -> None:
    assert [packet.inputs.levels for packet in routed(hit(5, 5, 5), access="l1")] == [None]


def test_facts_of_levels_do_not_depend_on_the_length_of_the_frame() -> None:
    records, _, _ = depth_and_truth(5, 8_000)
    assert facts(routed(records, "50ms")) == facts(routed(records, "1m"))
