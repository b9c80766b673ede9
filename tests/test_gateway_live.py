"""The vendor's own live client, unmodified, against the gateway."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import databento
import pytest
from databento.common.error import BentoError

from qmo_cli.blocks import Block
from qmo_cli.feeds.derive import derive
from qmo_cli.feeds.sim import SimOptions, simulate
from qmo_cli.gateway import Gateway

from .gatewaying import KEY, PATIENCE, market, serving, sim

WANT = market()
VENDORS = (databento.ErrorMsg, databento.SystemMsg, databento.SymbolMappingMsg)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The client logs every fault, as it should."""
    caplog.set_level(logging.CRITICAL, "databento")


def live(gateway: Gateway, *schemas: str, ending: type[Exception] | None = None, **more: Any) -> list[Any]:
    """All that the client hands out in a session; ``ending``: what it raises at the end."""
    got: list[Any] = []
    client = databento.Live(key=KEY, gateway="127.0.0.1", port=gateway.port, heartbeat_interval_s=5,
                            slow_reader_behavior="warn", ts_out=more.pop("ts_out", False))
    client.add_callback(got.append, got.append)
    asked = {"symbols": "GC.v.0", "stype_in": "continuous", **more}
    for schema in schemas or ("mbo",):
        client.subscribe(dataset="GLBX.MDP3", schema=schema, **asked)
    client.start()
    if ending is None:
        client.block_for_close(timeout=PATIENCE)
    else:
        with pytest.raises(ending):
            client.block_for_close(timeout=PATIENCE)
    return got


def data(got: list[Any]) -> list[bytes]:
    """The market's records."""
    return [bytes(record) for record in got if not isinstance(record, VENDORS)]


def test_the_client_receives_the_sources_bytes_with_symbol_and_acknowledgement() -> None:
    with serving() as gateway:
        got = live(gateway)
    assert data(got) == WANT
    assert [(int(each.code), each.msg) for each in got if isinstance(each, databento.SystemMsg)] == [
        (1, "Subscription request 0 for mbo data succeeded")]
    (name,) = [each for each in got if isinstance(each, databento.SymbolMappingMsg)]
    assert (name.instrument_id, name.stype_in_symbol, name.stype_out_symbol) == (42_026, "GC.v.0", "GCZ6")


@pytest.mark.parametrize(("kind", "ending"), [("fin", None), ("torn", None), ("rst", BentoError)])
def test_a_client_that_starts_again_at_its_last_record_loses_and_repeats_nothing(
    kind: str, ending: type[Exception] | None,
) -> None:
    with serving(f"{kind}@800", f"{kind}@1600") as gateway:
        got = [each for each in live(gateway, ending=ending) if not isinstance(each, VENDORS)]
        for end in (ending, None):
            last = got[-1].ts_event
            more = [each for each in live(gateway, start=last, ending=end) if not isinstance(each, VENDORS)]
            got += more[sum(each.ts_event == last for each in got):]
    assert [bytes(each) for each in got] == WANT


def test_several_schemas_of_one_session_all_arrive_whole() -> None:
    with serving() as gateway:
        got = live(gateway, "mbo", "tbbo", "mbp-10", "ohlcv-1s", "bbo-1s")
    kinds = {"mbo": databento.MBOMsg, "tbbo": databento.MBP1Msg, "mbp-10": databento.MBP10Msg,
             "ohlcv-1s": databento.OHLCVMsg, "bbo-1s": databento.BBOMsg}
    for schema, kind in kinds.items():
        want = WANT if schema == "mbo" else market(derive(sim(), schema))
        assert [bytes(each) for each in got if isinstance(each, kind)] == want
    times = [each.ts_index for each in got if isinstance(each, (databento.MBOMsg, databento.MBP1Msg))]
    assert times == sorted(times)


def test_a_snapshot_comes_ahead_of_the_live_records() -> None:
    with serving(history=0.5) as gateway:
        got = [each for each in live(gateway, snapshot=True) if isinstance(each, databento.MBOMsg)]
    image = [each for each in got if int(each.flags) & 40 == 40]
    assert got[:len(image)] == image
    assert (str(image[0].action), int(image[-1].flags)) == ("R", 168)
    begin = int.from_bytes(WANT[0][40:48], "little") + 30_000_000_000
    assert data(got[len(image):]) == [each for each in WANT if int.from_bytes(each[40:48], "little") > begin]


def test_records_carry_the_time_at_which_they_were_sent() -> None:
    with serving() as gateway:
        got = [each for each in live(gateway, ts_out=True) if isinstance(each, databento.MBOMsg)]
    assert len(got) == len(WANT)
    assert all(each.ts_out > 1_700_000_000_000_000_000 for each in got)
    assert [each.order_id for each in got] == [int.from_bytes(record[16:24], "little") for record in WANT]


@pytest.mark.parametrize("code", [1, 2, 3, 5, 6, 8])
def test_a_fatal_error_ends_the_clients_session_with_its_text(code: int) -> None:
    with serving(f"error:{code}@50") as gateway:
        got = live(gateway, ending=BentoError)
    assert [int(each.code) for each in got if isinstance(each, databento.ErrorMsg)] == [code]
    assert data(got) == WANT[:50]


def test_a_refused_schema_reaches_the_client_as_the_vendors_error() -> None:
    with serving(unentitled=("mbo",)) as gateway:
        got = live(gateway, ending=BentoError)
        assert [(int(each.code), each.err) for each in got if isinstance(each, databento.ErrorMsg)] == [
            (5, "Not authorized for mbo schema")]
        assert data(live(gateway, "tbbo")) == market(derive(sim(), "tbbo"))


def test_a_rejected_key_fails_in_the_first_subscription() -> None:
    with serving("reject@0", key=KEY) as gateway:
        with pytest.raises(BentoError, match="Authentication failed"):
            live(gateway)
        assert data(live(gateway)) == WANT


def test_an_unknown_symbol_leaves_the_session_open_for_the_others() -> None:
    with serving() as gateway:
        got = live(gateway, symbols=["XX.v.0", "GC.v.0"], ending=BentoError)  # raised at the end of the session
    assert [int(each.code) for each in got if isinstance(each, databento.ErrorMsg)] == [4]
    assert data(got) == WANT


def test_more_symbols_than_a_line_holds_are_one_subscription() -> None:
    with serving() as gateway:
        got = live(gateway, symbols=[f"X{number}.v.0" for number in range(1200)] + ["GC.v.0"], ending=BentoError)
    assert sum(isinstance(each, databento.SystemMsg) for each in got) == 1
    assert sum(isinstance(each, databento.ErrorMsg) for each in got) == 1200
    assert data(got) == WANT


def test_a_long_market_passes_through_in_one_piece() -> None:
    options = SimOptions(seed=5, records=60_000, rate=2000)

    def source() -> Iterator[Block]:
        return simulate(options)

    with serving(source=source) as gateway:
        assert b"".join(data(live(gateway))) == b"".join(market(source()))
