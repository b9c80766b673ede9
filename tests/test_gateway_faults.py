"""Faults: how they are written, and what each of them does to a stream."""

from __future__ import annotations

import time

import pytest

from qmo_cli.errors import UsageError
from qmo_cli.gateway import Fault, parse_fault
from qmo_cli.gateway.faults import ARGUMENTS, Schedule
from qmo_cli.gateway.tamper import Tamper

from .gatewaying import Client, market, of_market, serving, session, told
from .samples import mbo

WANT = market()


def tampered(*faults: str, number: int = 10, size: int = 10) -> list[int | str]:
    """What becomes of numbered records that pass in pieces: their numbers, and the faults of the stream."""
    tamper = Tamper(Schedule([parse_fault(fault) for fault in faults]))
    data = [mbo(index, sequence=index) for index in range(1, number + 1)]
    out: list[int | str] = [str(fault) for fault in tamper.stops()]
    for batch in (data[at:at + size] for at in range(0, len(data), size)):
        for piece in tamper.pieces(b"".join(batch)):
            out += [str(piece)] if isinstance(piece, Fault) else _numbers(piece)
    return out + _numbers(tamper.rest())


def _numbers(data: bytes) -> list[int | str]:
    return [int.from_bytes(data[at + 52:at + 56], "little") for at in range(0, len(data), 56)]


@pytest.mark.parametrize("size", [1, 3, 10])
@pytest.mark.parametrize(("fault", "want"), [
    ("duplicate@4", [1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10]),
    ("duplicate@1", [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("swap@4", [1, 2, 3, 5, 4, 6, 7, 8, 9, 10]),
    ("swap@10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("skip@4", [1, 2, 3, 5, 6, 7, 8, 9, 10]),
    ("skip:3@2", [1, 5, 6, 7, 8, 9, 10]),
    ("late:0.0000035@2", [1, 3, 4, 5, 2, 6, 7, 8, 9, 10]),    # a record comes every 1,000 ns
    ("late:60@2", [1, 3, 4, 5, 6, 7, 8, 9, 10, 2]),
    ("fin@4", [1, 2, 3, 4, "fin@4", 5, 6, 7, 8, 9, 10]),
    ("fin@0", ["fin@0", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("corrupt@10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "corrupt@10"]),
])
def test_a_fault_is_about_the_record_with_its_number_however_the_stream_is_cut(
    size: int, fault: str, want: list[int | str],
) -> None:
    assert tampered(fault, size=size) == want


def test_several_faults_happen_each_in_its_turn_whatever_the_order_they_are_given_in() -> None:
    assert tampered("rst@7", "duplicate@2", "torn@3", "skip@6") == [1, 2, 2, 3, "torn@3", 4, 5, 7, 8, "rst@7", 9, 10]


def test_a_thousand_faults_make_a_schedule() -> None:
    found = tampered(*(f"fin@{number}" for number in range(1, 1001)), number=1000)
    assert found == [item for number in range(1, 1001) for item in (number, f"fin@{number}")]


@pytest.mark.parametrize(("text", "why"), [
    ("fi@3", "there is no fault 'fi'"), ("fin@", "'' is not a number of records"), ("fin@-1", "'-1' is not"),
    ("fin:3@3", "fin takes no argument"), ("error@3", "error needs its code, as in error:5@3"),
    ("error:9@3", "error codes are 1 to 8"), ("error:x@3", "'x' is not a number"), ("down@3", "needs its seconds"),
    ("stall:-2@3", "must be above 0"), ("late:nan@3", "must be above 0"), ("skip:0@2", "must be above 0"),
    ("stall:inf@3", "must be above 0"), ("reject:a|b@0", "without |"), ("", "there is no fault ''"),
])
def test_a_fault_that_is_none_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r".*") as error:
        parse_fault(text)
    assert why in str(error.value)
    assert str(error.value).startswith(f"--fault {text}: ")


def test_every_kind_of_fault_can_be_written() -> None:
    samples = {"seconds": "2", "seconds?": "2", "text?": "no", "code": "5", "count?": "2", "": ""}
    for kind, argument in ARGUMENTS.items():
        value = samples[argument]
        assert parse_fault(f"{kind}:{value}@5" if value else f"{kind}@5").at == 5
    assert parse_fault("fin").at == 0


@pytest.mark.parametrize("kind", ["fin", "torn", "rst"])
def test_a_broken_session_resumes_without_losing_or_repeating_a_record(kind: str) -> None:
    with serving(f"{kind}@1000", f"{kind}@1700") as gateway:
        found: list[bytes] = []
        for _ in range(3):
            start = int.from_bytes(found[-1][8:16], "little") if found else None
            seen = sum(record[8:16] == found[-1][8:16] for record in found) if found else 0
            found += part(gateway.port, start)[seen:]
        assert gateway.sessions == 3
    assert found == WANT


def part(port: int, start: int | None) -> list[bytes]:
    """The market records of a session, however it ends."""
    with Client(port) as client:
        client.login()
        client.ask(**({} if start is None else {"start": start}))
        client.say("start_session=0")
        found: list[bytes] = []
        try:
            while piece := client.socket.recv(1 << 20):
                client.data += piece
                found += client._whole()
        except ConnectionResetError:
            pass
        return of_market(found)


def test_a_torn_record_is_the_first_half_of_the_next_one() -> None:
    with serving("torn@1000") as gateway, Client(gateway.port) as client:
        client.login()
        client.ask()
        client.say("start_session=0")
        assert of_market(client.read()) == WANT[:1000]
        assert client.data == WANT[1000][:28]


@pytest.mark.parametrize(("code", "ends"), [(1, True), (2, True), (3, True), (4, False), (5, True), (6, True),
                                            (7, False), (8, True)])
def test_error_messages_end_the_session_where_the_vendor_calls_them_fatal(code: int, ends: bool) -> None:
    with serving(f"error:{code}@100") as gateway:
        found = session(gateway)
    assert [number for number, _ in told(found) if number < 0] == [-code]
    assert of_market(found) == WANT[:100 if ends else None]


def test_corrupt_bytes_come_between_whole_records() -> None:
    with serving("corrupt@100") as gateway, Client(gateway.port) as client:
        client.login()
        client.ask()
        client.say("start_session=0")
        assert of_market(client.read(lambda found: len(of_market(found)) >= 100)) == WANT[:100]
        while len(client.data) < 120:
            client.data += client.socket.recv(65_536)
        assert client.data[:120] == bytes(64) + WANT[100]


def test_a_stalled_session_sends_nothing_not_even_a_heartbeat_and_then_goes_on() -> None:
    with serving("stall:0.4@100", heartbeat=0.05) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask()
        client.say("start_session=0")
        assert len(of_market(client.read(lambda found: len(of_market(found)) == 100))) == 100
        begun = time.monotonic()
        assert of_market(client.read()) == WANT[100:]
        assert 0.3 < time.monotonic() - begun < 5


def test_a_gateway_that_is_down_refuses_connections_and_comes_back_at_the_same_port() -> None:
    with serving("down:0.4@100") as gateway:
        assert part(gateway.port, None) == WANT[:100]
        with pytest.raises(ConnectionRefusedError):
            Client(gateway.port)
        for _ in range(100):
            try:
                Client(gateway.port).socket.close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        assert part(gateway.port, 0) == WANT


def test_faults_of_the_greeting_meet_one_connection_each() -> None:
    with serving("early@0", "mute@0", "reject:not today@0") as gateway:
        with Client(gateway.port) as client:
            assert client.line() == ""
        with Client(gateway.port) as client:
            client.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.line()
        with Client(gateway.port) as client:
            assert client.login() == "success=0|error=not today"
            assert client.line() == ""
        assert of_market(session(gateway)) == WANT
        assert gateway.sessions == 4


def test_faults_count_the_records_of_all_sessions_together() -> None:
    with serving("fin@100", f"fin@{len(WANT) + 50}") as gateway:
        assert of_market(session(gateway)) == WANT[:100]
        assert of_market(session(gateway, start=0))[:3] == WANT[:3]
        assert gateway.sent == len(WANT) + 50
