"""Liquidity on the market's own records: a naive book beside the reader's, real sweeps read by hand, any frame."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import msgspec
import pytest

from qmo_cli.blocks import MAPPING, SECOND
from qmo_cli.packets import Sweep
from qmo_cli.pipeline import Engines
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .reference_records import Record, decode
from .scripts import Script, added, cancelled, cleared, filled, modified, traded
from .support import SHARED, START, blocks, mapping, read_dbn

FILE = SHARED / "data" / "mbo" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
TICK = 250_000_000    # 1e-9
REACH = 5             # ticks
MS = 1_000_000

real = pytest.mark.skipif(not FILE.is_file(), reason="needs the real market data beside the repository")


# ---- a naive book


Levels = dict[tuple[str, int], int]  # side and price: size displayed


class NaiveBook:
    """Orders and levels in dictionaries; copied whole before each event. Slow on purpose."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.levels: Levels = {}

    def take(self, records: list[Record]) -> None:
        for one in records:
            if one.action == "R":
                self.orders, self.levels = {}, {}
            elif one.action in "AM":
                self.remove(one.order_id)
                self.put(one.order_id, one.side, one.price or 0, one.size)
            elif one.action == "C":
                side, price, size = self.remove(one.order_id)
                self.put(one.order_id, side, price, size - one.size)

    def put(self, order_id: int, side: str, price: int, size: int) -> None:
        if size > 0:
            self.orders[order_id] = side, price, size
            self.levels[side, price] = self.levels.get((side, price), 0) + size

    def remove(self, order_id: int) -> tuple[str, int, int]:
        side, price, size = self.orders.pop(order_id, ("B", 0, 0))
        if size:
            self.levels[side, price] -= size
            if not self.levels[side, price]:
                del self.levels[side, price]
        return side, price, size


def ten(levels: Levels, side: str) -> int:
    """Size at the best ten levels."""
    prices = sorted((price for its, price in levels if its == side), reverse=side == "B")
    return sum(levels[side, price] for price in prices[:10])


def displayed_fills(orders: dict[int, tuple[str, int, int]], records: list[Record]) -> Levels:
    """By level: what the passive orders filled in an event displayed of it."""
    filled_in: dict[int, int] = defaultdict(int)
    aggressors = {one.order_id for one in records if one.action == "T"}
    for one in records:
        if one.action == "F" and one.order_id not in aggressors:
            filled_in[one.order_id] += one.size
    found: Levels = defaultdict(int)
    for order_id, size in filled_in.items():
        if order_id not in orders:
            continue  # a market order in the opening auction: it never rested
        side, price, shown = orders[order_id]
        found[side, price] += min(size, shown)
    return found


def near(levels: Levels) -> list[tuple[str, int]]:
    """From five ticks behind the touch of each side to a hundred points before it."""
    found = []
    for side, sign in (("B", 1), ("A", -1)):
        touch = max(sign * price for its, price in levels if its == side)
        found += [(side, sign * (touch + step * TICK)) for step in range(-REACH, 400)]
    return found


def moves(book: NaiveBook, records: list[Record]) -> tuple[int, int, int, int]:
    """Added and removed within reach of the touch without trading, bids and asks."""
    keys = near(book.levels)
    before, shown = {key: book.levels.get(key, 0) for key in keys}, displayed_fills(book.orders, records)
    book.take(records)
    found = []
    for side in "BA":
        changes = [book.levels.get(key, 0) - before[key] + shown.get(key, 0) for key in keys if key[0] == side]
        found += [sum(change for change in changes if change > 0), -sum(change for change in changes if change < 0)]
    return found[0], found[1], found[2], found[3]


@cache
def records() -> list[bytes]:
    return read_dbn(FILE)


@cache
def routed(every: str, count: int | None = None) -> list[Packet]:
    """The real file through the router, or its first records."""
    router = Router(RouteOptions(every=every))
    return [packet for block in blocks([mapping("ESH4", "ESH4", instrument=17077), *records()[:count]])
            for packet in router.read(block)]


def events(count: int) -> list[list[Record]]:
    """The events among the first records; the snapshot is one."""
    found: list[list[Record]] = [[]]
    for data in records()[:count]:
        record = decode(data, None) if data[1] != MAPPING else None
        if record is None or record.schema != "mbo":
            continue
        if found[-1] and (found[-1][-1].last or found[-1][-1].snapshot != record.snapshot):
            found.append([])
        found[-1].append(record)
    return found


@real
def test_seconds_of_the_real_book_are_those_of_a_naive_one() -> None:
    count, book, wanted, last = 13_500, NaiveBook(), dict[int, tuple[int, ...]](), 0
    total = [0, 0, 0, 0]
    for event in events(count)[:-1]:
        second = event[0].time // SECOND
        if last and second != last:
            wanted[last] = (*total, ten(book.levels, "B"), ten(book.levels, "A"))
            total = [0, 0, 0, 0]
        last = second
        if event[0].snapshot or event[0].action == "R":
            book.take(event)
        else:
            total = [one + other for one, other in zip(total, moves(book, event), strict=True)]
    for every in ("1s", "15s"):
        rows = [row for packet in routed(every, count) if packet.inputs.depth for row in packet.inputs.depth.book]
        found = {row.second: (row.added_bid, row.removed_bid, row.added_ask, row.removed_ask, row.bids, row.asks)
                 for row in rows}
        whole = [second for second in wanted if second in found]
        assert len(whole) > 30
        assert len(whole) >= len(wanted) - 15  # the last frame is not closed
        assert [found[one] for one in whole] == [wanted[one] for one in whole]


@real
@pytest.mark.parametrize("every", ["50ms", "15s"])
def test_real_readings_do_not_depend_on_the_length_of_the_frame(every: str) -> None:
    def readings(length: str) -> dict[int, Any]:
        engines, found = Engines(("bars", "iceberg", "orderflow", "liquidity")), {}
        for packet in routed(length, 30_000):
            engines.update(packet)
            if packet.closed and packet.slots["liquidity"] is not None:
                found[packet.ts] = {**msgspec.to_builtins(packet.slots["liquidity"]), "events": None}
        return found

    seconds, others = readings("1s"), readings(every)
    common = seconds.keys() & others.keys()
    assert len(common) > 30
    for ts in common:
        assert seconds[ts] == others[ts]


@real
def test_real_sweeps_are_those_read_off_the_records_by_hand() -> None:
    """Trades of the raw file: 4802.00 x 4, 4801.75 x 19, 4801.50 x 27 by one seller; 4807.25 x 12, 4807.50 x 23 by one
    buyer and 4807.75 x 5 and x 3 by two stops; 4808.75 x 12, 4809.00 x 30, 4809.25 x 8 by one buyer, seven stops of 11
    at 4809.25, and 1 at 4809.00 two ms later; the next print comes after 51 ms.
    """
    inputs = [packet.inputs.trades for packet in routed("1s")]
    found = {one.ts_event: one for trades in inputs if trades for one in trades.sweeps}
    assert len(found) == 10
    for sweep in (
        Sweep("1703545216569553279", "A", 4802.0, 4801.5, 3, 50, 1),
        Sweep("1703545313422642051", "B", 4807.25, 4807.75, 3, 43, 3),
        Sweep("1703545712365713137", "B", 4807.0, 4807.5, 3, 55, 4),
        Sweep("1703546562119433367", "B", 4808.75, 4809.25, 3, 62, 9),
    ):
        assert found[sweep.ts_event] == sweep


# ---- by hand


def packets(script: Script, every: str = "1s") -> list[Packet]:
    router = Router(RouteOptions(every=every))
    named = mapping("GCJ6", "GCJ6")
    return [packet for block in blocks([named, *script.records]) for packet in [*router.read(block), *router.finish()]]


def book(script: Script, every: str = "1s") -> list[list[Any]]:
    rows = [row for packet in packets(script, every) for row in packet.inputs.depth.book]  # type: ignore[union-attr]
    return [list(msgspec.structs.astuple(row)) for row in rows]


def quoted() -> Script:
    return Script().event(cleared()).event(added(1, "B", 2000.0, 5)).event(added(2, "A", 2000.1, 8))


def test_a_second_of_the_book_by_hand() -> None:
    script = quoted().event(added(3, "B", 1999.9, 4)).event(modified(2, "A", 2000.1, 6))
    script.event(traded("A", 2000.0, 2, 9), filled(1, "B", 2000.0, 2), modified(1, "B", 2000.0, 3))
    second = START // SECOND
    # bids: 5 and 4 came, 2 traded; asks: 8 came, 2 were pulled; 3 + 4 bid, 6 offered
    assert book(script) == [[second, 9, 0, 8, 2, 7, 6]]


def test_a_frame_that_ends_within_a_second_tells_its_part() -> None:
    script = quoted().wait(60 * MS).event(modified(1, "B", 2000.0, 2))
    second = START // SECOND
    assert book(script, "50ms") == [[second, 5, 0, 8, 0, 5, 8], [second, 0, 3, 0, 0, 2, 8]]
    assert book(script) == [[second, 5, 3, 8, 0, 2, 8]]


def test_a_second_in_which_nothing_happened_has_no_row() -> None:
    script = quoted().wait(3 * SECOND).event(modified(1, "B", 2000.0, 6))
    second = START // SECOND
    assert [row[0] - second for row in book(script, "15s")] == [0, 3]


def test_an_event_belongs_to_the_second_of_its_first_record() -> None:
    edge = START + SECOND
    script = quoted()
    script.now = edge - 200_000
    script.event(modified(1, "B", 2000.0, 6), modified(2, "A", 2000.1, 9), spread=400_000)
    for every in ("1s", "15s"):
        assert book(script, every) == [[START // SECOND, 6, 0, 9, 0, 6, 9]]


def test_stops_that_an_event_triggers_are_one_stop_run() -> None:
    script = quoted().event(added(3, "A", 2000.2, 5))
    script.event(
        traded("B", 2000.1, 8, 70), filled(2, "A", 2000.1, 8), cancelled(2, "A", 2000.1, 8),
        traded("B", 2000.2, 2, 71), traded("B", 2000.2, 1, 72), filled(3, "A", 2000.2, 3), modified(3, "A", 2000.2, 2))
    found = packets(script)
    engines = Engines(("liquidity",))
    for packet in found:
        engines.update(packet)
    reading = found[-1].slots["liquidity"]
    assert [(run.side, run.price, run.size, run.orders) for run in reading.stops] == [("B", 2000.2, 3, 2)]
    assert [(one.kind, one.size, one.orders) for one in reading.events] == [("stop_run", 3, 2)]
