"""One connection: what it raises when it cannot be made, and that nothing of it is left when it is closed."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path

import pytest

from qmo_cli.blocks import Block
from qmo_cli.errors import UsageError
from qmo_cli.feeds.live.request import NOT_LET_IN, Lost, Refused, Request, Subscription, address_of
from qmo_cli.feeds.live.session import Session
from qmo_cli.gateway import Gateway

from .live_harness import BEGIN, KEY, market, records, serve

SOON = 10.0
READ = 65_536       # bytes that the client reads at once


def request(gateway: Gateway) -> Request:
    return Request((Subscription("mbo", ("GC.v.0",), "continuous", BEGIN),), host="127.0.0.1", port=gateway.port)


def opened(gateway: Gateway, key: str = KEY) -> Session:
    """A session that was let in; closed where it was not."""
    session = Session(request(gateway), key, timeout=0.5)
    try:
        session.open()
    except BaseException:
        session.close()
        raise
    return session


def in_use() -> tuple[int, int]:
    """Threads and open files of this process."""
    gc.collect()
    files = Path("/proc/self/fd")
    return threading.active_count(), len(os.listdir(files)) if files.exists() else 0


def test_what_comes_are_whole_records_from_the_first_one_on() -> None:
    with serve() as gateway:
        session = opened(gateway)
        try:
            data = session.read(SOON)
        finally:
            session.close()
    assert 4 * data[0] <= len(data)
    assert session.silence < SOON


def test_a_reader_that_is_slow_holds_back_the_gateway_and_misses_nothing() -> None:
    source = records(market())
    with serve(speed=1000.0) as gateway:
        session = Session(request(gateway), KEY)
        session.inbox.limit = 10_000
        session.open()
        time.sleep(0.3)
        assert 10_000 < session.inbox._size < 10_000 + 2 * READ
        found, until = list[bytes](), time.monotonic() + SOON
        try:
            while len(found) < len(source) and time.monotonic() < until:
                found += records([Block(session.read(0.5), "live")])
        finally:
            session.close()
    assert found == source


@pytest.mark.parametrize("fault", ["", "early@0", "mute@0", "stall@0", "error:6@3", "torn@9", "corrupt@9"])
def test_a_closed_session_leaves_no_thread_and_no_file_open(fault: str) -> None:
    def once() -> None:
        with serve(*[fault] if fault else []) as gateway:
            try:
                session = opened(gateway)
            except Lost:
                return
            until = time.monotonic() + 0.1
            try:
                while time.monotonic() < until:
                    session.read(0.05)
            except Lost:
                pass
            finally:
                session.close()

    once()
    before = in_use()
    for _ in range(3):
        once()
    assert in_use() == before


def test_where_nobody_listens_it_is_said_and_nothing_is_left() -> None:
    with serve() as gateway:
        pass
    with pytest.raises(Lost, match=rf"cannot connect to 127\.0\.0\.1:{gateway.port}"):
        opened(gateway)
    before = in_use()
    for _ in range(5):
        with pytest.raises(Lost):
            opened(gateway)
    assert in_use() == before


@pytest.mark.parametrize(("fault", "words"), [
    ("early@0", "closed the connection before it let us in"), ("mute@0", r"did not let us in within 0\.5 s"),
])
def test_a_gateway_that_does_not_let_us_in_is_not_waited_for_longer_than_asked(fault: str, words: str) -> None:
    with serve(fault) as gateway:
        began = time.monotonic()
        with pytest.raises(Lost, match=words):
            opened(gateway)
        assert time.monotonic() - began < 2


def test_a_key_that_is_refused_is_named_by_the_gateways_words_and_not_shown() -> None:
    with serve(key=KEY) as gateway, pytest.raises(Refused) as refused:
        opened(gateway, "db-another-key-entirely")
    assert refused.value.code == NOT_LET_IN
    assert "db-another-key-entirely" not in str(refused.value)


def test_silence_counts_from_when_it_was_let_in() -> None:
    with serve("stall@0") as gateway:
        session = Session(request(gateway), KEY, timeout=2)
        session.inbox.heard -= 1000
        try:
            session.open()
            assert session.silence < 2
        finally:
            session.close()


def test_a_session_that_was_never_opened_is_closed() -> None:
    with serve() as gateway:
        Session(request(gateway), KEY).close()


@pytest.mark.parametrize(("text", "found"), [
    ("127.0.0.1:4000", ("127.0.0.1", 4000)), ("localhost", ("localhost", 13000)), ("[::1]", ("::1", 13000)),
])
def test_an_address_is_a_host_and_a_port(text: str, found: tuple[str, int]) -> None:
    assert address_of(text) == found


@pytest.mark.parametrize("text", ["", ":4000", "host:", "host:x", "host:0", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--gateway"):
        address_of(text)
