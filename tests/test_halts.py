"""What the exchange says of trading: a halt counts from its own time on, and no signal is given in it."""

from __future__ import annotations

from typing import Any

import databento_dbn as vendor
import pytest
from msgspec import structs

from qmo_cli.signals import Signaler
from qmo_cli.tray import Packet

from .handmade import CLOSED, NEW_YORK, SECOND, at, health
from .support import START, mapping, trade
from .test_market_roll import packets

MS = 1_000_000
GOLD = mapping("GC.v.0", "GCJ6", instrument=10)


def status(trading: str, ms: int, instrument: int = 10) -> bytes:
    ts = START + ms * MS
    states = {"Y": vendor.TriState.YES, "N": vendor.TriState.NO, "~": vendor.TriState.NOT_AVAILABLE}
    return bytes(vendor.StatusMsg(1, instrument, ts, ts, is_trading=states[trading]))


def sold(ms: int, instrument: int = 10) -> bytes:
    ts = START + ms * MS
    return trade("A", 2000.0, 1, ts_event=ts, ts_recv=ts, instrument=instrument)


def told(found: list[Packet]) -> list[tuple[int, bool | None]]:
    """When each packet ends, in ms, and whether the venue lets trade."""
    return [((packet.ts - START) // MS, packet.health.trading) for packet in found]


def test_without_a_status_nobody_knows_whether_the_venue_lets_trade() -> None:
    assert told(packets(GOLD, sold(0))) == [(1000, None)]
    assert told(packets(GOLD, status("~", 0), sold(1))) == [(1000, None)]


def test_a_halt_closes_the_frame_before_it_and_holds_until_trading_resumes() -> None:
    found = packets(GOLD, sold(0), status("N", 300), sold(400), sold(1500), status("Y", 2200), sold(2300))
    assert told(found) == [(300, None), (1000, False), (2000, False), (3000, True)]


def test_to_be_told_that_all_goes_on_changes_no_frame() -> None:
    found = packets(GOLD, sold(0), status("Y", 300), sold(400), status("Y", 500), sold(1500))
    assert told(found) == [(1000, True), (2000, True)]


def test_a_halt_of_one_contract_is_not_one_of_another() -> None:
    other = mapping("SI.v.0", "SIK6", instrument=11)
    found = packets(GOLD, other, sold(0), sold(0, 11), status("N", 1100), sold(1200), sold(1300, 11))
    assert [(packet.series, packet.health.trading) for packet in found[2:]] == [("GC.v.0", False), ("SI.v.0", None)]


def stopped(one: Packet, *, trading: bool | None = False) -> Packet:
    one.slots["health"] = structs.replace(health(), trading=trading)
    return one


def test_no_signal_opens_in_a_halt() -> None:
    found = Signaler().update(stopped(at(0.9)))
    assert (found.status, found.signal.type, found.reasons) == (
        "halted", "HOLD", ["the exchange has halted trading"])


@pytest.mark.parametrize("trading", [True, None])
def test_a_venue_that_trades_or_does_not_say_changes_nothing(trading: bool | None) -> None:
    assert Signaler().update(stopped(at(0.9), trading=trading)).status == "active"


def test_a_halt_ends_the_episode_that_is_open() -> None:
    signaler = Signaler()
    lines: list[Any] = [
        signaler.update(stopped(at(0.9, NEW_YORK + second * SECOND), trading=trading))
        for second, trading in enumerate([True, False, True])]
    assert [line.change for line in lines] == ["opened", "closed", "opened"]
    assert lines[0].signal.id != lines[2].signal.id


def test_a_closed_market_is_closed_rather_than_halted() -> None:
    assert Signaler().update(stopped(at(0.9, CLOSED))).status == "closed"
