"""Clients that make mistakes, are slow, or are up to no good: the gateway serves the others as before."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from qmo_cli.blocks import Block
from qmo_cli.feeds import open_source
from qmo_cli.gateway import connection, greeting, sender, server
from qmo_cli.gateway.messages import right, well_formed

from .gatewaying import KEY, Client, answer, market, of_market, serving, session, told
from .samples import START, header, mbo

WANT = market()
LIVELY = {"symbols": "ALL_SYMBOLS", "stype": "raw_symbol"}


def until(check: Callable[[], bool]) -> None:
    """Wait a while for something to come true."""
    for _ in range(500):
        if check():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


@pytest.mark.parametrize("line", [
    b"\n", b"hello\n", b"auth=|dataset=GLBX.MDP3\n", b"auth=abc-12345\n", b"\xff\xfe\xfd\n", b"auth=" + b"x" * 70_000,
    b"auth=" + b"x" * 300_000 + b"\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"schema=mbo\n", b"",
])
def test_a_bad_handshake_is_refused_and_the_next_client_is_served(line: bytes) -> None:
    with serving() as gateway:
        with Client(gateway.port) as client:
            client.line()
            client.socket.sendall(line)
            client.socket.shutdown(socket.SHUT_WR)
            try:
                rest = b"".join(iter(lambda: client.socket.recv(65_536), b""))
            except ConnectionResetError:
                rest = b""
            assert b"success=1" not in rest
        assert of_market(session(gateway)) == WANT


@pytest.mark.parametrize("line", [b"what=ever\n", b"\xff\xff\n", b"x" * 200_000, b"schema=mbo|symbols=\n"])
def test_nonsense_after_the_handshake_ends_that_session_only(line: bytes) -> None:
    with serving(end="wait") as gateway:
        for started in (False, True):
            with Client(gateway.port) as client:
                client.login()
                if started:
                    client.ask()
                    client.say("start_session=0")
                client.socket.sendall(line)
                try:
                    while client.socket.recv(1 << 20):
                        pass
                except ConnectionResetError:
                    pass
        until(lambda: not gateway._open)


def test_a_session_cannot_have_subscriptions_without_end() -> None:
    with serving(source=small) as gateway, Client(gateway.port) as client:
        client.login()
        for _ in range(300):
            client.ask(**LIVELY)
        client.say("start_session=0")
        found = told(client.read())
        assert [code for code, _ in found] == [1] * 200 + [-5]
        assert of_market(session(gateway, **LIVELY, start=0)) == [mbo()]


def small() -> Iterator[Block]:
    """One record."""
    return iter([Block(mbo(), "made")])


def test_a_client_that_does_not_answer_the_challenge_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "LIMIT", 0.3)
    with serving() as gateway, Client(gateway.port) as client:
        begun = time.monotonic()
        client.line()
        client.line()
        for letter in "auth":                       # a byte now and then does not help
            client.socket.sendall(letter.encode())
            time.sleep(0.05)
        assert client.line() == ""
        assert 0.2 < time.monotonic() - begun < 5
        assert any("no answer to the challenge" in line for line in gateway.log)


def test_one_connection_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_SESSIONS", 3)
    with serving() as gateway:
        clients = [Client(gateway.port) for _ in range(3)]
        assert all(client.line() for client in clients)
        with Client(gateway.port) as client:
            assert client.line() == "success=0|error=User has reached their open connection limit"
        clients[0].socket.close()
        until(lambda: len(gateway._open) < 3)
        assert of_market(session(gateway)) == WANT
        for client in clients[1:]:
            client.socket.close()


def test_clients_that_come_and_go_at_once_leave_nothing_behind() -> None:
    with serving() as gateway:
        for _ in range(100):
            socket.create_connection(("127.0.0.1", gateway.port)).close()
        come = (": connected", "too many, refused")          # more than 64 may be there at a time
        until(lambda: sum(line.endswith(come) for line in gateway.log) == 100 and not gateway._open)
        assert of_market(session(gateway)) == WANT


def test_sessions_leave_no_file_open(tmp_path: Path) -> None:
    file = tmp_path / "small.dbn"
    file.write_bytes(header(schema="mbo") + b"".join(mbo(index) for index in range(20_000)))
    with serving("fin@10000", *(f"fin@{number}" for number in range(20_000, 100_000, 10_000)),
                 source=lambda: open_source([str(file)])) as gateway:
        session(gateway, **LIVELY)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            session(gateway, **LIVELY, start=0)
        until(lambda: not gateway._open)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_twenty_clients_at_a_time_have_all_the_same_records() -> None:
    found: list[list[bytes]] = []
    with serving() as gateway:
        session(gateway)
        threads = [threading.Thread(target=lambda: found.append(session(gateway, start=0))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [of_market(each) for each in found] == [WANT] * 20


def test_any_well_formed_answer_is_good_unless_the_gateway_has_a_key() -> None:
    with serving() as gateway, Client(gateway.port) as client:
        assert client.login("whatever-it-is").startswith("success=1")
    with serving(key=KEY) as gateway:
        with Client(gateway.port) as client:
            assert client.login(KEY).startswith("success=1")
        with Client(gateway.port) as client:
            assert client.login(KEY[:-6] + "x" + KEY[-5:]) == "success=0|error=Authentication failed."
        assert not any(KEY in line or KEY[-5:] in line for line in gateway.log)
        assert KEY not in repr(gateway.options)


def test_an_answer_is_checked_against_a_hash_made_by_hand() -> None:
    digest = "106318ee3c4a1c1e4205a1577bced1a079720b483ecea62c846edb0f92f99537"  # printf 'abc|db-key' | sha256sum
    assert well_formed(f"{digest}-b-key")
    assert right(f"{digest}-b-key", "abc", "db-key")
    assert not right(answer("abd", "db-key"), "abc", "db-key")
    assert not any(map(well_formed, (digest, f"{digest[1:]}-b-key", f"{digest.upper()}-b-key", f"{digest}-key")))


@pytest.mark.parametrize("more", ["|compression=zstd", "|encoding=csv"])
def test_what_the_gateway_cannot_do_is_refused_at_the_handshake(more: str) -> None:
    with serving() as gateway, Client(gateway.port) as client:
        assert client.login(more=more).startswith("success=0|error=")


def slow_session(behaviour: str, schema: str, source: Callable[[], Iterator[Block]], speed: float) -> list[bytes]:
    """What a client gets that reads nothing for a while."""
    with serving(source=source, speed=speed) as gateway, Client(gateway.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.login(more=behaviour)
        client.ask(schema, **LIVELY)
        client.say("start_session=0")
        time.sleep(0.5)
        return client.read()


@cache
def blocks() -> list[Block]:
    """A thousand seconds with a hundred records each."""
    return [Block(b"".join(mbo(ts_recv=START + (block * 2000 + index) * 10**7) for index in range(2000)), "made")
            for block in range(50)]


def many() -> Iterator[Block]:
    """More than a client that does not read can be sent."""
    return iter(blocks())


def test_a_slow_client_is_warned_and_gets_every_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SLOW", 0.2)
    found = slow_session("|slow_reader_behavior=warn", "mbo", many, 0.0)
    assert len(of_market(found)) == 100_000
    assert (2, "Warning: slow reading, records are sent later than they happened") in told(found)


def test_a_slow_client_that_wants_to_skip_is_told_that_records_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SLOW", 0.2)
    found = slow_session("|slow_reader_behavior=skip", "mbo", many, 1000.0)
    assert len(of_market(found)) < 100_000
    assert any(code == -7 and text.startswith("Slow client detected for") for code, text in told(found))


def test_what_waits_for_a_slow_client_is_bounded() -> None:
    with serving(source=many) as gateway, Client(gateway.port) as client:
        client.login()
        client.ask(**LIVELY)
        client.say("start_session=0")
        time.sleep(0.3)
        first = gateway.sent
        time.sleep(0.3)
        assert gateway.sent == first < 100_000
        (running,) = gateway._open
        assert running.connection.writer.transport.get_write_buffer_size() < 4 * connection.BUFFER


def test_the_gateway_stops_while_clients_are_connected_and_their_connections_end() -> None:
    with serving(speed=1.0) as gateway:
        client = Client(gateway.port)
        client.login()
        client.ask()
        client.say("start_session=0")
        client.read(lambda found: len(found) > 10)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    with client:
        try:
            while client.socket.recv(65_536):
                pass
        except ConnectionResetError:
            pass
    assert sender.HEARTBEAT == 30.0
