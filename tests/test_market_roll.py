"""A series that leaves one contract for the next, and what happened to the stream: labels and notices of packets."""

from __future__ import annotations

from typing import Any

from qmo_cli.blocks import SECOND
from qmo_cli.packets import Notice
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .streams import clock, gap
from .support import START, blocks, mapping, mbp1, system, trade


def packets(*records: bytes, every: str = "1s") -> list[Packet]:
    router = Router(RouteOptions(every=every))
    return [packet for block in blocks(records) for packet in router.read(block)] + router.finish()


def sold(price: float, instrument: int, ms: int) -> bytes:
    ts = START + ms * 1_000_000
    return trade("A", price, 1, ts_event=ts, ts_recv=ts, instrument=instrument)


def front(symbol: str, instrument: int) -> bytes:
    """From here on this contract is the front month."""
    return mapping("GC.v.0", symbol, instrument=instrument)


def notices(found: list[Packet]) -> list[list[Notice]]:
    return [packet.slots["system"] for packet in found]


def briefly(found: list[Packet]) -> list[tuple[Any, ...]]:
    return [(packet.instrument_id, packet.symbol, packet.market.open, packet.market.close) for packet in found]


def rolled(old: int, new: int) -> list[Packet]:
    """Ids in either order: trades of both contracts in the second of the roll."""
    return packets(
        front("GCJ6", old), sold(2000.0, old, 0), sold(2001.0, old, 1100), sold(2002.0, old, 1200),
        front("GCM6", new), sold(2010.5, new, 1400), sold(2011.0, new, 2100))


def test_the_series_stays_and_the_symbol_changes_with_the_contract() -> None:
    for found in (rolled(10, 11), rolled(11, 10)):
        assert {packet.series for packet in found} == {"GC.v.0"}
        assert [packet.symbol for packet in found] == ["GCJ6", "GCJ6", "GCM6", "GCM6"]


def test_the_old_contract_ends_before_the_new_one_begins() -> None:
    for found in (rolled(10, 11), rolled(11, 10)):
        assert [pair[2:] for pair in briefly(found)] == [
            (2000.0, 2000.0), (2001.0, 2002.0), (2010.5, 2010.5), (2011.0, 2011.0)]
        assert [(packet.ts - START) // 1_000_000 for packet in found] == [1000, 1200, 2000, 3000]


def test_the_gap_is_the_first_trade_of_the_new_contract_less_the_last_of_the_old() -> None:
    for found in (rolled(10, 11), rolled(11, 10)):
        kinds = [[(one.kind, one.gap) for one in each] for each in notices(found)]
        assert kinds == [[], [], [("roll", None), ("roll", 8.5)], []]


def test_the_gap_waits_for_a_trade() -> None:
    quote = mbp1("A", "A", 2010.5, 1, (2010.4, 1, 1), (2010.5, 1, 1), ts_event=START + SECOND, ts_recv=START + SECOND,
                 instrument=11)
    found = packets(front("GCJ6", 10), sold(2000.0, 10, 0), front("GCM6", 11), quote)
    assert [[one.gap for one in each] for each in notices(found)] == [[], [None]]


def test_a_series_without_a_trade_has_no_gap() -> None:
    quote = mbp1("A", "A", 2010.5, 1, (2010.4, 1, 1), (2010.5, 1, 1), ts_event=START, ts_recv=START, instrument=10)
    found = packets(front("GCJ6", 10), quote, front("GCM6", 11), sold(2000.0, 11, 100))
    assert [[one.gap for one in each] for each in notices(found)] == [[], [None]]


def test_two_series_side_by_side_do_not_roll() -> None:
    names = front("GCJ6", 10), mapping("GC.v.1", "GCM6", instrument=11)
    found = packets(*names, sold(2000.0, 10, 0), sold(2010.0, 11, 1))
    assert [(packet.series, packet.slots["system"]) for packet in found] == [("GC.v.0", []), ("GC.v.1", [])]


def test_a_roll_back_is_a_roll() -> None:
    found = packets(
        front("GCJ6", 10), sold(2000.0, 10, 0), front("GCM6", 11), sold(2010.0, 11, 1000), front("GCJ6", 10),
        sold(2001.0, 10, 2000))
    assert [packet.symbol for packet in found] == ["GCJ6", "GCM6", "GCJ6"]
    assert [[one.gap for one in each] for each in notices(found)] == [[], [None, 10.0], [None, -9.0]]


def test_a_notice_is_in_the_packets_that_it_closes() -> None:
    found = packets(
        front("GCJ6", 10), mapping("MGCJ6", "MGCJ6", instrument=12), sold(2000.0, 10, 0), sold(2000.0, 12, 1),
        gap(START + 500_000_000), sold(2001.0, 10, 600))
    assert [(packet.instrument_id, packet.closed) for packet in found] == [(10, True), (12, True), (10, False)]
    assert [[one.kind for one in each] for each in notices(found)] == [["gap"], ["gap"], []]
    assert found[0].slots["system"] == [Notice("gap", str(START + 500_000_000), "lost 3 records", 3, None)]


def test_a_notice_waits_for_an_instrument_that_is_silent() -> None:
    silence = clock(START + SECOND), gap(START + SECOND + 1), clock(START + 2 * SECOND)
    found = packets(front("GCJ6", 10), sold(2000.0, 10, 0), *silence)
    assert [[one.kind for one in each] for each in notices(found)] == [[], ["gap"]]


def test_a_notice_ahead_of_all_records_goes_to_the_first_packet() -> None:
    found = packets(gap(START), front("GCJ6", 10), sold(2000.0, 10, 0), sold(2000.0, 10, 1500))
    assert [[one.kind for one in each] for each in notices(found)] == [["gap"], []]


def test_the_vendors_own_messages_are_notices() -> None:
    words = system("Subscription request 1 succeeded", ts_event=START, code=2)
    found = packets(front("GCJ6", 10), sold(2000.0, 10, 0), words)
    assert [(one.kind, one.detail) for one in notices(found)[0]] == [("vendor", "Subscription request 1 succeeded")]
