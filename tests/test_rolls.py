"""From one contract to the next: by how much stored prices move, and when."""

from __future__ import annotations

from msgspec.structs import replace

from qmo_cli.engines.ranges import AverageRange
from qmo_cli.engines.rolls import STAY, Contract, gap_of, moved
from qmo_cli.packets import Notice
from qmo_cli.tray import Packet

from . import handmade

LEFT = Notice("roll", "1", "GC.v.0 left instrument 1 for 2", None, None)


def seen(instrument: int, *notices: Notice, traded: bool = True) -> Packet:
    """A packet of this contract, with or without a trade."""
    at = replace(handmade.market(), open=2000.0 if traded else None)
    packet = handmade.packet(at=at, system=list(notices))
    packet.instrument_id = instrument
    return packet


def told(gap: float) -> Notice:
    return Notice("roll", "2", "first trade of the new contract", None, gap)


def test_nothing_moves_while_the_contract_is_the_same() -> None:
    contract = Contract()
    assert [contract.follow(seen(1)) for _ in range(3)] == [STAY, STAY, STAY]


def test_prices_move_with_the_packet_in_which_the_new_contract_first_trades() -> None:
    contract = Contract()
    contract.follow(seen(1))
    assert contract.follow(seen(2, LEFT, traded=False)) == STAY
    assert contract.awaits
    assert contract.follow(seen(2, traded=False)) == STAY
    assert contract.follow(seen(2, told(12.3))) == 12.3
    assert not contract.awaits
    assert contract.follow(seen(2)) == STAY


def test_a_roll_whose_first_packet_trades_moves_prices_at_once() -> None:
    contract = Contract()
    contract.follow(seen(1))
    assert contract.follow(seen(2, LEFT, told(-4.0))) == -4.0


def test_prices_are_forgotten_where_another_contract_trades_and_no_gap_is_told() -> None:
    contract = Contract()
    contract.follow(seen(1))
    assert contract.follow(seen(2, LEFT)) is None
    assert contract.follow(seen(2)) == STAY


def test_a_contract_that_never_traded_between_two_others_changes_nothing() -> None:
    contract = Contract()
    contract.follow(seen(1))
    contract.follow(seen(2, LEFT, traded=False))
    assert contract.follow(seen(3, LEFT, told(5.0))) == 5.0


def test_notices_of_other_kinds_tell_no_gap() -> None:
    assert gap_of([Notice("gap", "1", "lost", 3, 7.0), LEFT]) is None
    assert gap_of([LEFT, told(0.0)]) == 0.0


def test_a_moved_price_is_a_price_again_and_not_what_floats_make_of_it() -> None:
    assert 2000.1 + 17.8 != 2017.9
    assert moved(2000.1, 17.8) == 2017.9


def test_an_average_range_stays_over_a_roll_and_its_close_moves() -> None:
    average = AverageRange()
    for _ in range(15):
        average.add(2001.0, 1999.0, 2000.0)
    average.move(100.0)
    assert (average.atr, average.close) == (2.0, 2100.0)
    assert average.add(2101.0, 2099.0, 2100.0) == 2.0
    average.move(None)
    assert (average.atr, average.close, average.why_not) == (None, None, "0 of 14 true ranges")
