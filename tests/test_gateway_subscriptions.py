"""What a client may ask of the gateway, and what comes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from qmo_cli.blocks import MAPPING, MBO, SYSTEM, Block
from qmo_cli.feeds.derive import derive
from qmo_cli.gateway.symbols import belongs, root_of
from qmo_cli.records.layout import mapping_bytes

from .gatewaying import HOUR, SECOND, Client, at, blocks_of, instruments, market, of_market, serving, session, sim, told
from .samples import START, mbo

WANT = market()


@pytest.mark.parametrize(("symbols", "stype"), [
    ("GC.v.0", "continuous"), ("GC.c.0", "continuous"), ("GCZ6", "raw_symbol"), ("42026", "instrument_id"),
    ("GC.FUT", "parent"), ("ALL_SYMBOLS", "raw_symbol"), ("gc.V.0", "continuous"),
])
def test_an_instrument_is_found_by_every_kind_of_symbol(symbols: str, stype: str) -> None:
    def plain() -> Iterator[Block]:
        yield Block(mapping_bytes(42_026, symbols if symbols == "GC.v.0" else "GCZ6", "GCZ6", START), "made")
        yield from itertools.islice(sim(), 3)

    with serving(source=sim if symbols.upper() == "GC.V.0" else plain) as gateway:
        found = session(gateway, symbols=symbols, stype=stype)
    assert of_market(found)[:500] == WANT[:500]
    assert instruments(found)[0] == (42_026, "GCZ6" if symbols == "ALL_SYMBOLS" else symbols, "GCZ6")


def test_an_unknown_symbol_is_an_error_and_the_session_goes_on_with_the_others() -> None:
    with serving() as gateway:
        found = session(gateway, symbols="XX.v.0,GC.v.0,YY.v.0")
    assert told(found)[1:] == [(-4, "Failed to resolve symbol 'XX.v.0' in continuous"),
                               (-4, "Failed to resolve symbol 'YY.v.0' in continuous")]
    assert of_market(found) == WANT


def test_only_the_instruments_asked_for_come_and_those_of_a_parent_as_they_turn_up() -> None:
    names = [mapping_bytes(1, "GCZ6", "GCZ6", START), mapping_bytes(2, "SIZ6", "SIZ6", START)]
    later = mapping_bytes(3, "GCG7", "GCG7", START + 5_000)
    data = [mbo(index, instrument_id=1 + index % 2) for index in range(6)]
    rest = [mbo(index, instrument_id=1 + index % 3) for index in range(6, 12)]
    source = blocks_of(b"".join([*names, *data]), b"".join([later, *rest]))
    with serving(source=source) as gateway:
        raw = session(gateway, symbols="GCZ6", stype="raw_symbol")
        family = session(gateway, symbols="GC.FUT", stype="parent", start=0)
        everything = session(gateway, symbols="ALL_SYMBOLS", stype="raw_symbol", start=0)
    number = {1: [record for record in data + rest if record[4] == 1], 3: [r for r in data + rest if r[4] in (1, 3)]}
    assert of_market(raw) == number[1]
    assert of_market(family) == number[3]
    assert instruments(family) == [(1, "GC.FUT", "GCZ6"), (3, "GC.FUT", "GCG7")]
    assert of_market(everything) == data + rest
    named = next(index for index, record in enumerate(family) if record[1] == MAPPING and record[4] == 3)
    assert named < next(index for index, record in enumerate(family) if record[1] == MBO and record[4] == 3)


def test_a_roll_in_the_source_does_not_change_a_running_session_but_the_next_one() -> None:
    def source() -> Iterator[Block]:
        yield Block(mapping_bytes(1, "GC.v.0", "GCZ6", START) + b"".join(mbo(i, instrument_id=1) for i in range(5)), "")
        yield Block(mapping_bytes(2, "GC.v.0", "GCG7", START + 5_000), "")
        yield Block(b"".join(mbo(i, instrument_id=1 + i % 2) for i in range(5, 15)), "")

    with serving("fin@8", source=source) as gateway:
        first, second = session(gateway), session(gateway)
    assert {record[4] for record in of_market(first)} == {1}
    assert instruments(second) == [(2, "GC.v.0", "GCG7")]
    assert {record[4] for record in of_market(second)} == {2}


def test_a_replay_has_everything_from_its_start_by_ts_event_and_says_when_it_has_caught_up() -> None:
    start = at(WANT[1500], 8)
    with serving("fin@2000") as gateway:
        session(gateway)
        found = session(gateway, start=start)
    reached = at(WANT[1999], 40)
    head = [record for record in WANT if at(record, 8) >= start and at(record, 40) <= reached]
    assert of_market(found) == head + [record for record in WANT if at(record, 40) > reached]
    done = [index for index, record in enumerate(found) if record[1] == SYSTEM][-1]
    assert told(found[done:done + 1]) == [(3, "Finished mbo replay")]
    assert of_market(found[:done]) == head


def test_a_bbo_replay_is_cut_by_its_ts_recv() -> None:
    bbo = market(derive(sim(), "bbo-1s"))
    with serving("fin@20") as gateway:
        session(gateway, "bbo-1s")
        found = of_market(session(gateway, "bbo-1s", start=at(bbo[10], 32)))
    assert found == bbo[10:]


def test_a_replay_from_before_the_limit_ends_the_session_and_zero_gives_what_there_is() -> None:
    with serving("fin@2000", replay_limit=0.002) as gateway:      # 7.2 seconds
        session(gateway)
        reached = at(WANT[1999], 40)
        refused = session(gateway, start=reached - 8 * SECOND)
        full = of_market(session(gateway, start=0))
    assert [code for code, _ in told(refused)] == [-8]
    assert full[0] == next(record for record in WANT if at(record, 8) >= reached - 7_200_000_000)


def test_a_day_can_be_replayed_and_of_mbo_the_week() -> None:
    data = [mbo(), mbo(1, ts_event=START + 100 * HOUR, ts_recv=START + 100 * HOUR), mbo(2, ts_recv=START + 100 * HOUR)]
    with serving("fin@2", source=blocks_of(*data)) as gateway:
        session(gateway, symbols="ALL_SYMBOLS", stype="raw_symbol")
        trades = session(gateway, "trades", symbols="ALL_SYMBOLS", stype="raw_symbol", start=START)
        orders = session(gateway, symbols="ALL_SYMBOLS", stype="raw_symbol", start=START)
    assert [code for code, _ in told(trades)] == [-8]
    assert of_market(orders) == data


@pytest.mark.parametrize(("more", "text"), [
    ({"schema": "mbo2"}, "Unknown schema 'mbo2'"), ({"stype": "isin"}, "Invalid stype_in 'isin'"),
    ({"symbols": ","}, "No symbols"), ({"start": "noon"}, "Invalid start"), ({"start": 2**64}, "Invalid start"),
    ({"schema": "trades", "snapshot": 1}, "Snapshot is not supported for trades schema"),
    ({"snapshot": 1, "start": 5}, "Snapshot and start cannot be combined"),
])
def test_a_subscription_that_makes_no_sense_ends_the_session_with_a_reason(more: dict[str, Any], text: str) -> None:
    with serving() as gateway:
        (code, reason), = told(session(gateway, **more))
        assert (code, reason.startswith(text)) == (-5, True)
        assert of_market(session(gateway)) == WANT


def test_a_schema_without_entitlement_is_refused_so_that_a_client_can_step_down() -> None:
    with serving(unentitled=("mbo", "mbp-10")) as gateway:
        assert told(session(gateway, "mbo")) == [(-5, "Not authorized for mbo schema")]
        assert told(session(gateway, "mbp-10")) == [(-5, "Not authorized for mbp-10 schema")]
        assert of_market(session(gateway, "tbbo")) == market(derive(sim(), "tbbo"))


def test_a_schema_that_cannot_be_had_from_the_source_is_refused_in_the_same_way() -> None:
    trades = b"".join(market(derive(sim(), "trades")))
    with serving(source=blocks_of(mapping_bytes(42_026, "GC.v.0", "GCZ6"), trades)) as gateway:
        assert told(session(gateway, "mbo")) == [(-5, "Not authorized for mbo schema")]
        assert b"".join(of_market(session(gateway, "trades"))) == trades
        assert told(session(gateway, "status"))[0][0] == 1


def test_tbbo_and_mbp_1_are_told_apart_by_the_source() -> None:
    data = b"".join(market(derive(sim(), "tbbo")))
    with serving(source=blocks_of(mapping_bytes(42_026, "GC.v.0", "GCZ6"), data, schema="tbbo")) as gateway:
        assert told(session(gateway, "mbp-1")) == [(-5, "Not authorized for mbp-1 schema")]
        assert b"".join(of_market(session(gateway, "tbbo"))) == data


def test_a_list_of_symbols_in_several_lines_is_one_subscription() -> None:
    with serving() as gateway, Client(gateway.port) as client:
        client.login()
        client.ask(symbols="AA.v.0,BB.v.0", is_last=0)
        client.ask(symbols="GC.v.0", is_last=1)
        client.say("start_session=0")
        found = client.read()
    assert [code for code, _ in told(found)] == [1, -4, -4]
    assert of_market(found) == WANT


def test_a_subscription_may_come_while_records_flow_but_without_a_replay() -> None:
    with serving(end="wait", heartbeat=0.1) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask("trades")
        client.say("start_session=0")
        client.read(lambda found: told(found)[-1:] == [(0, "Heartbeat")])
        client.ask("tbbo")
        found = client.read(lambda found: any(code == 1 for code, _ in told(found)))
        assert (1, "Subscription request 7 for tbbo data succeeded") in told(found)
        client.ask("mbo", start=1)
        assert (-5, "Intraday replay is not available once the session has started") in told(client.read())


def test_the_roots_of_symbols_tell_which_parent_they_have() -> None:
    assert [root_of(name) for name in ("ESH4", "6EZ25", "GC.n.2", "gc.fut", "MGCZ6")] == ["ES", "6E", "GC", "GC", "MGC"]
    assert belongs(("GCZ6-GCG7", "GCZ6-GCG7"), "GC.FUT")
    assert not belongs(("MGCZ6", "MGCZ6"), "GC.FUT")


