"""News and the trader's own records in packets: in which frame, of which instruments. Answers by hand."""

from __future__ import annotations

import pytest

from qmo_cli.packets import AccountFact, FillFact, KillFact, NewsFact
from qmo_cli.records import Account, Fill, Kill, News, System, to_dbn
from qmo_cli.router import RouteOptions, Router
from qmo_cli.tray import Packet

from .streams import clock
from .support import START, blocks, mapping, mbo, trade

MS = 1_000_000
GOLD, SILVER = mapping("GC.v.0", "GCJ6"), mapping("SI.v.0", "SIK6", instrument=2)


def at(ms: float) -> str:
    return str(START + round(ms * MS))


def traded(ms: float, instrument: int = 1) -> bytes:
    ts = int(at(ms))
    return trade("B", 2000.0, 1, ts_event=ts, ts_recv=ts, instrument=instrument)


def order(ms: float, order_id: int, *, last: bool) -> bytes:
    ts = int(at(ms))
    return mbo("A", "B", 2000.0, 1, order_id, ts_event=ts, ts_recv=ts, flags=128 if last else 0)


def killed(ms: float, **whom: object) -> bytes:
    return to_dbn(Kill(ts_event=at(ms), **whom))  # type: ignore[arg-type]


def routed(records: list[bytes], every: str = "1s") -> list[Packet]:
    router = Router(RouteOptions(every=every))
    return [packet for block in blocks(records) for packet in router.read(block)] + router.finish()


def told(packets: list[Packet]) -> list[tuple[float, int, int]]:
    """Frame's end in ms, instrument, number of facts, of every packet."""
    return [((packet.ts - START) / MS, packet.instrument_id, len(packet.inputs.context or [])) for packet in packets]


def test_a_fact_never_lands_in_a_frame_that_ended_before_it() -> None:
    # the frame of 0-1 s is still open when the fact of 3.3 s comes: it closes without it, and 3-4 s exists
    assert told(routed([GOLD, traded(100), killed(3300), traded(5100)])) == [(1000, 1, 0), (4000, 1, 1), (6000, 1, 0)]


def test_a_fact_at_a_frames_end_belongs_to_the_next() -> None:
    assert told(routed([GOLD, traded(100), killed(1000), traded(1100)])) == [(1000, 1, 0), (2000, 1, 1)]


def test_a_fact_closes_the_frames_before_it_at_once() -> None:
    router = Router(RouteOptions())
    found = [len(router.read(block)) for block in blocks([GOLD, order(100, 1, last=True), killed(3300)], [1, 2])]
    assert found == [0, 0, 1]


def test_a_fact_after_the_last_record_is_told_at_the_end() -> None:
    found = routed([GOLD, order(100, 1, last=True), killed(7200)])
    assert told(found) == [(1000, 1, 0), (8000, 1, 1)]
    assert [packet.closed for packet in found] == [True, False]


def test_a_fact_waits_behind_a_frame_whose_event_is_not_complete() -> None:
    # an event of 0.9 s ends at 1.2 s, and so does its frame; the fact of 1.1 s is not in it
    records = [GOLD, order(900, 1, last=False), killed(1100), order(1200, 2, last=True), order(1300, 3, last=True)]
    assert told(routed(records)) == [(1000, 1, 0), (2000, 1, 1)]


def test_facts_of_several_frames_behind_such_a_frame_come_out_in_their_own() -> None:
    silver = [SILVER, traded(1050, 2), traded(1150, 2)]
    records = [GOLD, order(900, 1, last=False), *silver, killed(1100), killed(1300), killed(1700), order(
        1800, 2, last=True), clock(START + 2500 * MS), traded(2600, 2)]
    assert told(routed(records, "500ms"))[:6] == [
        (1000, 1, 0), (1500, 1, 2), (1500, 2, 2), (2000, 1, 1), (2000, 2, 1), (2500, 1, 0)]


@pytest.mark.parametrize("frame", ["trade", "2"])
def test_frames_by_trade_or_count_end_no_earlier_than_the_facts_they_tell(frame: str) -> None:
    records = [GOLD, traded(100), traded(200), killed(350), traded(400), traded(500), traded(600), killed(900)]
    found = routed(records, frame)
    for packet in found:
        assert all(int(fact.ts_event) <= packet.ts for fact in packet.inputs.context or [])
    assert sum(count for _, _, count in told(found)) == 2


def test_a_gap_ends_the_frame_of_a_fact_with_it() -> None:
    gap = to_dbn(System(ts_event=at(400), kind="gap"))
    assert told(routed([GOLD, traded(100), killed(300), gap, traded(600)])) == [(400, 1, 1), (1000, 1, 0)]


TWO = [GOLD, SILVER, traded(100), traded(110, 2)]


@pytest.mark.parametrize(("whom", "gold", "silver"), [
    ({}, 1, 1), ({"series": "SI.v.0"}, 0, 1), ({"symbol": "GCJ6"}, 1, 0), ({"symbol": "SI.v.0"}, 0, 1),
    ({"instrument_id": 2}, 0, 1), ({"series": "GC.v.0", "symbol": "SIK6"}, 1, 0), ({"symbol": "CLM6"}, 0, 0),
])
def test_a_record_goes_to_the_series_contract_or_id_that_it_names(
    whom: dict[str, object], gold: int, silver: int,
) -> None:
    found = routed([*TWO, killed(200, **whom), traded(300), traded(310, 2)])
    assert told(found) == [(1000, 1, gold), (1000, 2, silver)]


def test_a_fill_goes_to_every_series_and_only_says_which_contract_it_is_of() -> None:
    fills = [Fill(ts_event=at(200), side="B", price=1.0, size=1, symbol="MGCJ6"),
             Fill(ts_event=at(210), side="B", price=1.0, size=1, instrument_id=2),
             Fill(ts_event=at(220), side="B", price=1.0, size=1, instrument_id=9),
             Fill(ts_event=at(230), side="B", price=1.0, size=1, series="SI.v.0")]
    found = routed([*TWO, *map(to_dbn, fills), traded(300)])
    contracts = [[fact.symbol for fact in packet.inputs.context or [] if isinstance(fact, FillFact)]
                 for packet in found]
    assert contracts == [["MGCJ6", "SIK6", "9"], ["MGCJ6", "SIK6", "9", None]]


def test_a_series_that_comes_later_is_told_what_was_said_to_all_and_to_it() -> None:
    early = [killed(0), killed(1, series="SI.v.0"), killed(2, series="GC.v.0")]
    found = routed([*early, GOLD, traded(100), killed(1200, symbol="SIK6"), SILVER, traded(2100, 2), traded(2200)])
    assert told(found) == [(1000, 1, 2), (3000, 1, 0), (3000, 2, 3)]


def test_an_id_that_becomes_another_contract_of_its_series_loses_and_repeats_nothing() -> None:
    renamed = mapping("GC.v.0", "GCM6")
    found = routed([GOLD, traded(100), killed(200), renamed, killed(1300), traded(1400), traded(1500)])
    facts = [(packet.symbol, [fact.ts_event for fact in packet.inputs.context or []]) for packet in found]
    assert facts == [("GCJ6", [at(200)]), ("GCM6", [at(1300)])]


def test_every_kind_of_fact_carries_its_fields() -> None:
    own = [
        News(ts_event=at(200), headline="Rates held", impact="high", sentiment=-0.5, source="wire"),
        Account(ts_event=at(210), balance=5e4, equity=5.1e4, position=-2, currency="EUR"),
        Kill(ts_event=at(50), active=False, detail="go on"),
    ]
    facts = routed([GOLD, traded(100), *map(to_dbn, own), traded(300)])[0].inputs.context or []
    assert facts[0] == NewsFact(at(200), "Rates held", "high", -0.5, "wire", None)
    assert facts[2] == KillFact(at(50), active=False, detail="go on", late=at(210))
    assert facts[1] == AccountFact(at(210), 5e4, 5.1e4, -2, "EUR", None)


def test_a_record_without_a_time_has_that_of_the_stream() -> None:
    facts = routed([GOLD, traded(100), to_dbn(Kill(ts_event=None)), traded(300)])[0].inputs.context or []
    assert facts[0].ts_event == at(100)


def test_spreads_that_are_left_out_are_told_nothing() -> None:
    spread = mapping("GCJ6-GCM6", "GCJ6-GCM6", instrument=3)
    assert told(routed([GOLD, spread, traded(100), traded(110, 3), killed(200), traded(300)])) == [(1000, 1, 1)]
