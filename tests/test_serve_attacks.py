"""Clients that wait, never end, never read or lie; an honest one is answered after each."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http import HTTPStatus

import pytest
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket

from qmo_cli.serve.listener import Listener
from qmo_cli.serve.patience import LARGEST_HEAD, MOST_PIPELINED
from qmo_cli.serve.server import Serving

from .serving import (
    LIMIT,
    PROTOCOLS,
    Answer,
    ask,
    board,
    connect,
    everything,
    exchange,
    head,
    parsed,
    place,
    run,
    serving,
    wait_until,
)

PATIENCE = 0.4          # s
CROWD = 200
UPGRADE = {"upgrade": "websocket", "connection": "upgrade", "sec_websocket_version": "13",
           "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture(scope="module", params=PROTOCOLS)
def running(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """A server whose patience is short."""
    with serving(request.param, patience=PATIENCE) as found:
        yield found


@pytest.fixture
def server(running: Serving) -> Iterator[Serving]:
    """The same, that must answer afterwards and have no connection left."""
    yield running
    assert ask(running).status == 200
    wait_until(lambda: not connections(running))


def connections(server: Serving) -> int:
    """How many the server has."""
    return len(server.server.server_state.connections)


@contextmanager
def stream(server: Serving) -> Iterator[ClientConnection]:
    """An honest listener."""
    host, port = place(server)
    with websocket(f"ws://{host}:{port}/api/v1/stream", compression=None, open_timeout=LIMIT, proxy=None) as found:
        yield found


def upgraded(server: Serving, size: int | None = None) -> socket.socket:
    """A WebSocket without anything that would read or answer."""
    client = socket.socket()
    if size is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    client.settimeout(LIMIT)
    client.connect(place(server))
    client.sendall(head("/api/v1/stream", **UPGRADE))
    assert client.recv(12) == b"HTTP/1.1 101"
    return client


def framed(opcode: int, data: bytes = b"", *, fin: bool = True, length: int | None = None) -> bytes:
    """A WebSocket frame of a client, with a mask of zeros; ``length`` is what it claims."""
    size = len(data) if length is None else length
    first = bytes([opcode | (0x80 if fin else 0)])
    if size < 126:
        return first + bytes([0x80 | size]) + bytes(4) + data
    if size < 1 << 16:
        return first + b"\xfe" + struct.pack("!H", size) + bytes(4) + data
    return first + b"\xff" + struct.pack("!Q", size) + bytes(4) + data


def dripped(client: socket.socket, piece: bytes, limit: float = LIMIT) -> float:
    """Send a piece every now and then until the server ends it; how long that took."""
    begun = time.monotonic()
    client.settimeout(0.02)
    while time.monotonic() < begun + limit:
        try:
            client.sendall(piece)
            if not client.recv(4096):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize(("begin", "piece"), [
    (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n"), (b"GET", b" "), (b"GET /", b"x"),
    (head("/healthz", "POST", content_length="60000"), b"."),
    (head("/healthz", "POST", transfer_encoding="chunked"), b"1\r\n.\r\n"),
    (head("/healthz")[:-2], b"x: y\r\n"),
], ids=["head", "method", "path", "body", "chunks", "last header"])
def test_a_request_that_drips_is_cut_off(server: Serving, begin: bytes, piece: bytes) -> None:
    with closing(connect(server)) as client:
        client.sendall(begin)
        assert PATIENCE / 2 < dripped(client, piece) < PATIENCE + 2


def test_a_connection_that_says_nothing_is_cut_off_also_after_an_answer(server: Serving) -> None:
    for opening in (b"", head()):
        with closing(connect(server)) as client:
            client.sendall(opening)
            begun = time.monotonic()
            assert bool(everything(client)) == bool(opening)
            assert time.monotonic() - begun < LIMIT


def test_two_hundred_that_wait_keep_nobody_from_being_answered(server: Serving) -> None:
    with ExitStack() as stack:
        for number in range(CROWD):
            client = stack.enter_context(closing(connect(server)))
            client.sendall((b"", b"GET /", head("/healthz", "POST", content_length="9"))[number % 3])
        for _ in range(5):
            begun = time.monotonic()
            assert ask(server, "/api/v1/signal").status == 200
            assert time.monotonic() - begun < 1
        wait_until(lambda: not connections(server))


def flood(server: Serving, begin: bytes, piece: bytes, most: int) -> tuple[int, bytes]:
    """Send pieces until the server stops it; how many bytes went, and what came back."""
    sent, found = 0, b""
    with closing(connect(server)) as client:
        try:
            client.sendall(begin)
            while sent < most:
                client.sendall(piece)
                sent += len(piece)
        except ConnectionError:
            pass
        found = everything(client)
    return sent, found


@pytest.mark.parametrize("piece", [b"x" * 8192, b"x: y\r\n" * 1000, b"x-%d: y\r\n" * 500], ids=["one", "many", "other"])
@pytest.mark.parametrize("begin", [head()[:-2] + b"x: ", b"GET /", b""], ids=["head", "path", "none"])
def test_a_head_that_never_ends_is_cut_off_before_it_fills_the_memory(
    server: Serving, begin: bytes, piece: bytes,
) -> None:
    sent, found = flood(server, begin, piece, 64 << 20)
    assert sent < 16 << 20      # what the system itself holds on the way
    assert not found or parsed(found).status in (400, 431)


def test_a_head_just_within_the_limit_is_answered(server: Serving) -> None:
    assert ask(server, x="y" * (LARGEST_HEAD // 2)).status == 200


def taken(client: socket.socket) -> Answer:
    """One answer of a connection that goes on."""
    found = parsed(client.recv(1 << 16))
    while len(found.body) < int(found.headers["content-length"]):
        found.body += client.recv(1 << 16)
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_is_read_and_ignored_and_the_connection_goes_on(server: Serving, method: str) -> None:
    with closing(connect(server)) as client:
        for _ in range(3):
            client.sendall(head("/api/v1/signal", method, content_length="1000"))
            time.sleep(0.01)    # as clients do: the body in a packet of its own
            client.sendall(b"." * 1000)
            answer = taken(client)
            assert answer.status == 200
            assert "connection" not in answer.headers
    chunks = exchange(server, head("/api/v1/signal", "POST", transfer_encoding="chunked", connection="close")
                      + b"3\r\nabc\r\n0\r\n\r\n")
    assert parsed(chunks).status == 200


def test_a_body_that_is_too_long_is_refused_by_what_it_claims(server: Serving) -> None:
    for length in ("65537", "999999999999", "9" * 18):
        answer = parsed(exchange(server, head("/api/v1/signal", "POST", content_length=length)))
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert json.loads(answer.body)["error"]["code"] == 413
    for length in ("-1", "1e3", "0x10", "9" * 5000, "+5"):
        assert parsed(exchange(server, head("/api/v1/signal", "POST", content_length=length))).status in (400, 413)


def test_a_body_that_never_ends_is_refused(server: Serving) -> None:
    chunk = b"1000\r\n" + b"." * 0x1000 + b"\r\n"
    sent, found = flood(server, head("/api/v1/signal", "POST", transfer_encoding="chunked"), chunk, 64 << 20)
    assert sent < 16 << 20
    assert not found or parsed(found).status == 413
    with closing(connect(server)) as client:     # not so fast that the answer is lost
        client.sendall(head("/api/v1/signal", "POST", transfer_encoding="chunked"))
        for _ in range(17):
            client.sendall(chunk)
        assert parsed(client.recv(4096)).status == 413


@pytest.mark.parametrize("data", [
    head(content_length="5", transfer_encoding="chunked") + b"0\r\n\r\n" + head("/api/v1/frame"),
    b"GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
    head(transfer_encoding="chunked, identity") + b"0\r\n\r\n", head(transfer_encoding="xchunked") + b"0\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: y\rcontent-length: 5\r\n\r\nabcde",
    head(transfer_encoding="chunked") + b"zz\r\n\r\n", b"GET /healthz\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00" * 20,
    b"GET  /healthz HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n", b"\x00" * 100, b"get /healthz HTTP/1.1\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\nhost: localhost\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nhost: localhost\r\n\r\n",
], ids=range(15))
def test_a_request_of_which_two_readers_might_think_differently_is_answered_once_at_most(
    server: Serving, data: bytes,
) -> None:
    found = exchange(server, data)
    assert found.count(b"HTTP/1.1 ") <= 1
    assert b'"schema":"frame"' not in found
    assert not found or parsed(found).status in (400, 404, 405, 413, 421)


@pytest.mark.parametrize("path", [
    "/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/app.py", "/static/..%2f..%2fapp.py", "/static//etc/passwd",
    "/static/%2fetc%2fpasswd", "/static/..%5c..%5capp.py", "/static/app.py", "/static/index.html%00.js", "/static/",
    "/static/%00", "/static/.", "/static/..", "/../etc/passwd", "/static/%c0%ae%c0%ae/app.py", "/%ff%fe", "/%",
    "/api/v1/\xff", "/static/" + "a" * 5000,
])
def test_no_path_leads_to_a_file_that_is_not_the_page_s(server: Serving, path: str) -> None:
    answer = ask(server, path)
    assert answer.status in (400, 404)
    assert b"root:" not in answer.body
    assert b"import" not in answer.body


@pytest.mark.parametrize("query", [
    "series=%ff%fe", "series=%ed%a0%80", "series=\xff", "series=%00", "series=", "series", "&&=&",
    "series=" + "x" * 9000, "series=a&series=b",
])
def test_a_query_that_is_no_text_is_a_series_that_is_not_there(server: Serving, query: str) -> None:
    answer = ask(server, "/api/v1/frame?" + query)
    assert answer.status in (200, 400, 404)
    assert answer.status == 400 or json.loads(answer.body)
    for words in ("minutes=0", "minutes=-1", "minutes=1e3", "minutes=" + "9" * 5000, "minutes=%d9%a1", "step=61"):
        assert ask(server, "/api/v1/history?" + words).status == 400


def test_headers_that_are_no_text_do_no_harm(server: Serving) -> None:
    for value in ("\xff\xfe", "\x7f", "\xe9", "a\tb"):
        assert ask(server, "/api/v1/signal", authorization=value, origin="", x=value).status in (200, 400)
    assert ask(server, "/api/v1/signal", host="\xff").status in (400, 421)
    assert parsed(exchange(server, head("/api/v1/stream?series=\xff", **UPGRADE))).status in (400, 404)
    assert parsed(exchange(server, head("/api/v1/stream", x="\xff" * 9000, **UPGRADE))).status == 400
    assert parsed(exchange(server, head("/api/v1/stream", sec_websocket_version="\xff"))).status in (400, 404)


@pytest.mark.parametrize(("method", "path", "status"), [
    ("HEAD", "/api/v1/signal", 200), ("HEAD", "/healthz", 200), ("OPTIONS", "/api/v1/signal", 405),
    ("PUT", "/api/v1/signal", 405), ("DELETE", "/api/v1/frame", 405), ("POST", "/api/v1/frame", 405),
    ("TRACE", "/api/v1/signal", 405), ("PATCH", "/nothing", 404), ("POST", "/api/v1/signal", 200),
    ("CONNECT", "localhost:1", 404),
])
def test_each_method_is_answered_as_it_should_be(server: Serving, method: str, path: str, status: int) -> None:
    answer = ask(server, path, method)
    assert answer.status in (status, 400 if method == "CONNECT" else status)
    if method == "HEAD":
        assert not answer.body
        assert int(answer.headers["content-length"]) > 20
    if status == 405:
        assert "GET" in answer.headers["allow"]


def test_old_clients_are_answered_and_the_connection_ends(server: Serving) -> None:
    assert parsed(exchange(server, head("/api/v1/signal", version="1.0"))).status == 200
    assert parsed(exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n")).status in (400, 421)


def test_requests_sent_at_once_are_answered_in_their_order_and_too_many_are_not(server: Serving) -> None:
    paths = ["/healthz", "/nothing", "/api/v1/signal", "/api/v1/history?step=1"]
    found = exchange(server, b"".join(map(head, paths)) + head(connection="close"))
    statuses = [int(part[:3]) for part in found.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 404, 200, 400, 200]
    thousands = exchange(server, head() * 4000)
    assert thousands.count(b"HTTP/1.1 200") <= MOST_PIPELINED + 1


def test_a_client_that_asks_and_never_reads_is_cut_off(server: Serving) -> None:
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0.2)
        client.connect(place(server))
        request = head("/api/v1/openapi.json")
        end = time.monotonic() + LIMIT
        try:
            while time.monotonic() < end:
                try:
                    client.sendall(request)
                except TimeoutError:
                    continue
                time.sleep(0.005)
        except ConnectionError:
            pass
        wait_until(lambda: not connections(server))
        assert time.monotonic() < end


@pytest.mark.parametrize("data", [
    framed(1, b"\xff\xfe"), framed(1, b"hello"), framed(2, bytes(4096)), framed(9, b"ping"), framed(10, b"pong"),
    framed(1, b"a", fin=False) + framed(0, b"b", fin=False) + framed(0, b"c"),
], ids=["no text", "text", "bytes", "ping", "pong", "pieces"])
def test_whatever_a_listener_says_is_ignored(server: Serving, data: bytes) -> None:
    with closing(upgraded(server)) as client:
        client.sendall(data * 50)
        server.board.put(run()[-1:])
        time.sleep(0.05)
        client.sendall(framed(8, struct.pack("!H", 1000)))
        assert everything(client).endswith(b"\x88\x02\x03\xe8")


@pytest.mark.parametrize("data", [
    framed(1, length=1 << 20), framed(2, length=1 << 62), framed(1, bytes(4097)), framed(9, bytes(126)),
    framed(3, b"x"), b"\xf1\x80\0\0\0\0", b"\x81\x05hello", framed(0, b"no begin"), framed(8, b"\x00"),
    framed(8, struct.pack("!H", 1)),
], ids=["large", "huge", "long", "ping", "opcode", "reserved", "no mask", "no begin", "short close", "close code"])
def test_a_frame_that_may_not_be_ends_the_connection(server: Serving, data: bytes) -> None:
    with closing(upgraded(server)) as client:
        client.sendall(data)
        assert b"\x88" in everything(client)


def test_a_message_in_endless_pieces_takes_no_memory(server: Serving) -> None:
    with closing(upgraded(server)) as client:
        client.sendall(framed(1, fin=False) + framed(0, fin=False) * 20_000)
        wait_until(lambda: connections(server) == 1)
        (listener,) = server.server.server_state.connections
        time.sleep(0.1)
        assert not listener.frames
        assert listener.queue.empty()
    with closing(upgraded(server)) as client:        # empty ones never end; of others a message holds so many
        client.sendall(framed(1, fin=False) + framed(0, bytes(1024), fin=False) * 5)
        assert b"\x88" in everything(client)


def test_a_listener_that_never_reads_costs_one_frame_and_goes_with_its_ping(
    server: Serving, monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = server.server.config
    monkeypatch.setattr(config, "ws_ping_interval", 0.3)
    monkeypatch.setattr(config, "ws_ping_timeout", 0.5)
    packet = run()[-1:]
    with closing(upgraded(server, 4096)), stream(server) as honest:
        wait_until(lambda: connections(server) == 2)
        listeners: set[Listener] = set(server.server.server_state.connections)
        most, seen, end = 0, 0, time.monotonic() + LIMIT
        while connections(server) == 2 and time.monotonic() < end:
            server.board.put(packet)
            seen += len(honest.recv(LIMIT)) > 1000
            most = max([most, *(one.transport.get_write_buffer_size() for one in listeners
                                if not one.transport.is_closing())])
        assert connections(server) == 1
        assert seen > 10
        assert most < 3 * len(honest.recv(LIMIT))


def test_pings_of_a_client_that_never_reads_do_not_pile_up(server: Serving) -> None:
    with closing(upgraded(server, 4096)) as client:
        client.settimeout(0.05)
        (listener,) = server.server.server_state.connections
        ping, end = framed(9, bytes(125)) * 100, time.monotonic() + 1
        while listener.writable.is_set() and time.monotonic() < end:
            with suppress(TimeoutError):
                client.sendall(ping)
        for _ in range(20):
            with suppress(TimeoutError):
                client.sendall(ping)
        assert listener.transport.get_write_buffer_size() < 1 << 20


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_more_connections_than_there_may_be_are_told_so_streams_too(protocol: str) -> None:
    with serving(protocol, max_clients=3) as server, ExitStack() as stack:
        honest = [stack.enter_context(stream(server)) for _ in range(2)]
        idle = stack.enter_context(closing(connect(server)))
        wait_until(lambda: connections(server) == 3)
        answer = ask(server, "/api/v1/signal")
        assert (answer.status, answer.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "5")
        assert "--max-clients" in json.loads(answer.body)["error"]["message"]
        refused = parsed(exchange(server, head("/api/v1/stream", **UPGRADE)))
        assert refused.status == 503
        assert all(client.recv(LIMIT) for client in honest)
        idle.close()
        wait_until(lambda: connections(server) == 2)
        assert ask(server, "/api/v1/signal").status == 200


def test_connections_beyond_all_bounds_are_cut_off_unheard() -> None:
    with serving(max_clients=1) as server, ExitStack() as stack:
        crowd = [stack.enter_context(closing(connect(server))) for _ in range(100)]
        crowd[-1].sendall(head())
        assert everything(crowd[-1]) == b""
        assert connections(server) <= 65
        for client in crowd:
            client.close()
        wait_until(lambda: not connections(server))
        assert ask(server).status == 200


def test_the_end_comes_soon_also_when_a_listener_never_reads() -> None:
    with serving(on=board()) as server, closing(upgraded(server, 4096)) as client, stream(server) as honest:
        (first, second) = server.server.server_state.connections
        end = time.monotonic() + LIMIT
        while first.writable.is_set() and second.writable.is_set() and time.monotonic() < end:
            server.board.put(run()[-1:])
            honest.recv(LIMIT)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 2
        assert client.fileno() > 0
