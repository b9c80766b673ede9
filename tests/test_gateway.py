"""What a session of the gateway sends, byte by byte: against the source, and against what the vendor documents."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import databento_dbn as vendor
import pytest

from qmo_cli.blocks import MBO, SYSTEM, Block
from qmo_cli.errors import BadData
from qmo_cli.feeds.derive import DERIVED, derive
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.gateway import Gateway, GatewayOptions
from qmo_cli.records.layout import mapping_bytes

from .gatewaying import SECOND, Client, at, blocks_of, instruments, market, of_market, serving, session, sim, told
from .samples import START, mbo

WANT = market()


def test_a_session_has_the_sources_records_byte_for_byte_after_an_acknowledgement_and_the_symbol() -> None:
    with serving() as gateway:
        found = session(gateway)
        assert (gateway.sessions, gateway.sent) == (1, len(WANT))
    assert told(found[:1]) == [(1, "Subscription request 7 for mbo data succeeded")]
    assert instruments(found[1:2]) == [(42_026, "GC.v.0", "GCZ6")]
    assert found[2:] == WANT


def test_the_header_is_that_of_a_live_session() -> None:
    with serving() as gateway, Client(gateway.port) as client:
        client.login()
        client.ask()
        client.say("start_session=0")
        client.read()
    header = client.header
    assert (header.version, header.dataset, header.schema, header.stype_in) == (3, "QMO.SIM", None, None)
    assert (str(header.stype_out), header.limit, header.ts_out, header.symbols) == ("instrument_id", None, False, [])
    assert header.start == at(WANT[0], 40)


@pytest.mark.parametrize("schema", DERIVED)
def test_a_schema_that_the_source_lacks_is_derived_from_its_mbo(schema: str) -> None:
    with serving() as gateway:
        found = session(gateway, schema)
    assert of_market(found) == market(derive(sim(), schema))
    if schema.startswith(("ohlcv", "bbo")):
        ends = [text for code, text in told(found) if code == 4]
        assert ends == [f"End of interval for {schema}"] * len(ends)
        assert len(ends) == len(of_market(found))


def test_the_end_of_an_interval_is_told_after_its_records_with_the_time_of_its_end() -> None:
    with serving() as gateway:
        found = [record for record in session(gateway, "ohlcv-1s") if record[1] in (32, SYSTEM)][1:]
    assert [record[1] for record in found[:4]] == [32, SYSTEM, 32, SYSTEM]
    assert all(at(end, 8) == at(bar, 8) + SECOND for bar, end in zip(found[::2], found[1::2], strict=True))


def test_two_schemas_of_one_session_come_in_the_order_of_time() -> None:
    with serving() as gateway, Client(gateway.port) as client:
        client.login()
        client.ask("trades")
        client.ask("mbo")
        client.say("start_session=0")
        found = of_market(client.read())
    times = [at(record, 40 if record[1] == MBO else 32) for record in found]
    assert times == sorted(times)
    assert [record for record in found if record[1] == MBO] == WANT
    assert [record for record in found if record[1] == 0] == market(derive(sim(), "trades"))
    same = [(first[1], second[1]) for first, second in itertools.pairwise(found) if first[8:16] == second[8:16]]
    assert (0, MBO) in same


def test_the_order_of_several_schemas_does_not_depend_on_the_pace() -> None:
    found = []
    for speed in (0.0, 500.0):
        with serving(speed=speed) as gateway, Client(gateway.port) as client:
            client.login()
            for schema in ("ohlcv-1s", "trades", "bbo-1m", "mbo"):
                client.ask(schema)
            client.say("start_session=0")
            found.append(of_market(client.read()))
    assert found[0] == found[1]
    assert {record[1] for record in found[0]} == {32, 0, 196, MBO}


def test_a_schema_of_few_records_does_not_hold_up_the_others() -> None:
    long = SimOptions(seed=3, minutes=30)
    with serving(source=lambda: simulate(long), speed=1.0) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask("ohlcv-1h")
        client.ask()
        begun = time.monotonic()
        client.say("start_session=0")
        client.read(lambda found: len(of_market(found)) > 10)
        assert time.monotonic() - begun < 1.0
        (running,) = gateway._open
        assert running.sender is not None
        assert running.sender.lines[0].floor < gateway.clock.now() + 60 * SECOND


def test_records_say_when_they_were_sent_if_the_client_asks() -> None:
    before = time.time_ns()
    with serving() as gateway, Client(gateway.port) as client:
        client.login(more="|ts_out=1|compression=none")
        client.ask()
        client.say("start_session=0")
        found = client.read()
    assert client.header.ts_out
    assert all(before <= at(record, len(record) - 8) <= time.time_ns() for record in found)
    plain = [bytes([record[0] - 2]) + record[1:-8] for record in found]
    assert of_market(plain) == WANT
    assert [code for code, _ in told(plain)] == [1]


def test_a_silent_market_has_heartbeats_at_the_interval_asked_for() -> None:
    with serving(end="wait", source=blocks_of(mbo())) as gateway, Client(gateway.port) as client:
        client.login(more="|heartbeat_interval_s=1")
        client.ask(symbols="ALL_SYMBOLS", stype="raw_symbol")
        client.say("start_session=0")
        begun = time.monotonic()
        found = client.read(lambda found: len(told(found)) > 1)
        assert told(found)[1] == (0, "Heartbeat")
        assert 0.9 < time.monotonic() - begun < 3


def test_records_leave_when_their_time_has_come_at_the_speed_asked_for() -> None:
    data = b"".join(mbo(ts_event=START + step, ts_recv=START + step) for step in range(0, 3 * SECOND, SECOND // 2))
    with serving(source=blocks_of(data), speed=5.0) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask(symbols="ALL_SYMBOLS", stype="raw_symbol")
        client.say("start_session=0")
        times: list[float] = []
        while len(times) < 6:
            client.read(lambda found: len(of_market(found)) >= 1)
            times.append(time.monotonic())
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 0.49 < times[-1] - times[0] < 1.5
    assert min(steps) > 0.05


def test_a_later_session_joins_where_the_market_is() -> None:
    with serving(speed=20.0, source=lambda: simulate(SimOptions(seed=3, minutes=3))) as gateway:
        clients = [Client(gateway.port) for _ in range(2)]
        firsts = []
        for client in clients:
            client.login()
            client.ask()
            client.say("start_session=0")
            firsts.append(of_market(client.read(lambda found: len(of_market(found)) > 0))[0])
            time.sleep(0.3)
            client.socket.close()
    gap = (at(firsts[1], 40) - at(firsts[0], 40)) / SECOND / 20.0
    assert 0.3 < gap < 2.0


def test_a_rehearsal_looks_like_today_in_every_schema() -> None:
    before = time.time_ns()
    with serving(shift_to_now=True, speed=1000.0) as gateway:
        moved = of_market(session(gateway))
        after = time.time_ns()
        shift = at(moved[0], 40) - at(WANT[0], 40)
        bars = of_market(session(gateway, "ohlcv-1s", start=0))
    assert before <= at(moved[0], 40) <= after
    assert [record[:8] + record[16:40] + record[48:] for record in moved] == [
        record[:8] + record[16:40] + record[48:] for record in WANT]
    assert all(at(new, 8) - at(old, 8) == shift == at(new, 40) - at(old, 40)
               for new, old in zip(moved, WANT, strict=True))
    assert bars
    assert all(at(bar, 8) % SECOND == 0 for bar in bars)


def test_bars_of_a_source_are_moved_by_whole_intervals() -> None:
    bars = b"".join(market(derive(sim(), "ohlcv-1s")))
    with serving(source=blocks_of(mapping_bytes(42_026, "GC.v.0", "GCZ6"), bars), shift_to_now=True) as gateway:
        moved = of_market(session(gateway, "ohlcv-1s"))
    assert 0 <= time.time_ns() - at(moved[0], 8) < 10 * SECOND
    assert {at(bar, 8) % SECOND for bar in moved} == {0}


def test_history_lies_in_the_past_when_the_first_client_starts() -> None:
    with serving(history=0.5) as gateway:                        # half of the minute
        begin = at(WANT[0], 40) + 30 * SECOND
        live = of_market(session(gateway))
    with serving(history=0.5) as gateway:
        replayed = session(gateway, start=0)
    assert live == [record for record in WANT if at(record, 40) > begin]
    assert of_market(replayed) == WANT
    done = max(index for index, record in enumerate(replayed) if record[1] == SYSTEM)
    assert of_market(replayed[done:]) == live


def test_damage_in_the_source_is_an_internal_error_and_other_sessions_go_on() -> None:
    def source() -> Iterator[Block]:
        yield Block(b"".join(WANT[:100]), "made")
        raise BadData("made, record 101: damaged")

    with serving(source=source) as gateway:
        for _ in range(2):
            found = session(gateway, symbols="ALL_SYMBOLS", stype="raw_symbol", start=0)
            assert told(found)[-1] == (-6, "Internal error")
        assert any("record 101: damaged" in line for line in gateway.log)


def test_a_source_without_market_data_cannot_be_served() -> None:
    with pytest.raises(BadData, match="no market data"):
        Gateway(blocks_of(mapping_bytes(1, "GC.v.0", None)), GatewayOptions(port=0))


def test_the_gateway_ends_by_itself_when_told_so() -> None:
    begun = time.monotonic()
    Gateway(sim, GatewayOptions(port=0, seconds=0.2)).run()
    assert 0.2 <= time.monotonic() - begun < 5
    with serving(max_sessions=2) as gateway:
        session(gateway)
        session(gateway)
        assert gateway._thread is not None
        gateway._thread.join(5)
        assert not gateway._thread.is_alive()


def test_the_messages_decode_with_the_vendors_library() -> None:
    from qmo_cli.gateway.messages import error_message, system_message

    record = vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(error_message(8, "é" * 400, START))
    assert (int(record[0].code), record[0].ts_event, record[0].is_last) == (8, START, 1)
    record = vendor.DBNDecoder(has_metadata=False, input_version=3).write_and_decode(system_message(3, "x" * 400, 5))
    assert (int(record[0].code), record[0].msg, record[0].ts_event) == (3, "x" * 302, 5)
