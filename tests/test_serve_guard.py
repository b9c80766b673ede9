"""Whom the server answers, and what its answers let a browser do: asked over real connections."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as websocket

from qmo_cli.board import Board
from qmo_cli.errors import ConfigurationError, NotEntitled, UsageError
from qmo_cli.serve.guard import Rules, bracketed, host_name, place_of, token_in
from qmo_cli.serve.handshake import PromptServer
from qmo_cli.serve.options import TOKEN_VARIABLE, ServeOptions, token_of
from qmo_cli.serve.server import Serving, make_room

from .serving import LIMIT, PROTOCOLS, TOKEN, Answer, ask, board, connect, exchange, head, parsed, place, serving

BEARER = f"Bearer {TOKEN}"
DATA = ("/api/v1/signal", "/api/v1/frame", "/api/v1/packet", "/api/v1/zones", "/api/v1/history", "/metrics",
        "/api/v1/openapi.json")


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.fixture(scope="module", params=PROTOCOLS)
def server(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """One without a token."""
    with serving(request.param, allow_host=("Desk.Lan",), allow_origin=("https://desk.example/",)) as found:
        yield found


@pytest.fixture(scope="module", params=PROTOCOLS)
def locked(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """One with a token."""
    with serving(request.param, token=TOKEN, allow_origin=("https://desk.example",)) as found:
        yield found


def told(answer: Answer) -> Any:
    """The error in an answer, which every error has."""
    error = json.loads(answer.body)["error"]
    assert error["code"] == answer.status
    return error["message"]


def subprotocol(token: str) -> str:
    """A token as a browser sends it."""
    return "qmo.token." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def stream(server: Serving, *protocols: str, **headers: str) -> Any:
    """A WebSocket to the stream."""
    host, port = place(server)
    return websocket(f"ws://{host}:{port}/api/v1/stream", subprotocols=protocols or None, compression=None,  # type: ignore[arg-type]
                     open_timeout=LIMIT, additional_headers=headers, proxy=None)


def refused(server: Serving, *protocols: str, **headers: str) -> Answer:
    """How a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as caught:
        stream(server, *protocols, **headers)
    response = caught.value.response
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.raw_items()},
                  bytes(response.body))


@pytest.mark.parametrize(("path", "status"), [
    ("/healthz", 200), ("/api/v1/frame", 200), ("/api/v1/nothing", 404), ("/metrics", 200),
    ("/api/v1/frame?series=none", 404), ("/api/v1/history?step=7", 400), ("/static/none.js", 404),
])
def test_every_answer_has_the_headers_that_a_browser_heeds(server: Serving, path: str, status: int) -> None:
    answer = ask(server, path)
    assert answer.status == status
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in answer.headers
    assert status == 200 or told(answer)


def test_a_failure_of_ours_is_an_error_like_any_other(
    server: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError("of a test")

    with monkeypatch.context() as patch:
        patch.setattr(Board, "history", fail)
        answer = ask(server, "/api/v1/history")
    assert answer.status == 500
    assert "of a test" not in told(answer)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "ArithmeticError: of a test" in caplog.text
    assert ask(server, "/api/v1/history").status == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8750", "127.0.0.1:1", "[::1]:8750", "desk.lan", "DESK.LAN:1"])
def test_the_names_of_this_machine_and_those_allowed_are_answered(server: Serving, host: str) -> None:
    assert ask(server, "/api/v1/signal", host=host).status == 200


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8750", "localhost.evil.example", "localhost:8750.evil.example", "127.0.0.1.nip.io",
    "0.0.0.0", "[::]", "localhost@evil.example", "",
])
def test_a_name_that_was_made_to_point_here_is_refused(server: Serving, host: str) -> None:
    """DNS rebinding: the page is its own origin, so that only the name tells it."""
    answer = ask(server, "/api/v1/signal", host=host)
    assert answer.status in (400, 421)   # 400: a parser wants a host
    assert b"signal" not in answer.body


def test_a_stream_by_a_name_that_was_made_to_point_here_is_refused(server: Serving) -> None:
    with closing(connect(server)) as client:
        client.sendall(head("/api/v1/stream", host="evil.example", upgrade="websocket", connection="upgrade",
                            sec_websocket_version="13", sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
                            origin="http://evil.example"))
        assert parsed(client.recv(4096)).status == 421


@pytest.mark.parametrize("origin", [
    "https://evil.example", "null", "http://localhost:1", "http://[::1]:8750", "http://[", "localhost",
    "http://localhost.evil.example", "http://localhost@evil.example", "https://desk.example.evil", "http://desk.example",
    "\xe9://localhost:1",
])
def test_pages_of_another_origin_are_refused(server: Serving, origin: str) -> None:
    answer = ask(server, "/api/v1/signal", origin=origin)
    assert answer.status == 403
    assert "origin" in told(answer)
    assert "access-control-allow-origin" not in answer.headers
    if origin.isascii():
        assert refused(server, Origin=origin).status == 403


@pytest.mark.parametrize("origin", ["http://localhost", "HTTP://LOCALHOST"])
def test_a_page_that_came_from_here_may_ask(server: Serving, origin: str) -> None:
    answer = ask(server, "/api/v1/signal", origin=origin)
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers
    host, port = place(server)
    with stream(server, "qmo.v1", Origin=f"http://{host}:{port}") as socket:
        assert json.loads(socket.recv(LIMIT))["schema"] == "frame"


def test_a_page_of_an_allowed_origin_may_ask_and_read(server: Serving, locked: Serving) -> None:
    origin = "https://desk.example"
    answer = ask(server, "/api/v1/signal", origin=origin)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert answer.headers["vary"] == "Origin"
    with stream(server, Origin=origin) as socket:
        assert socket.recv(LIMIT)
    leave = ask(locked, "/api/v1/signal", "OPTIONS", origin=origin, access_control_request_method="GET",
                access_control_request_headers="authorization")
    assert (leave.status, leave.headers["access-control-allow-headers"]) == (204, "authorization")
    assert leave.headers["access-control-allow-origin"] == origin
    assert ask(locked, "/api/v1/signal", origin=origin).status == 401
    assert ask(locked, "/api/v1/signal", origin=origin, authorization=BEARER).status == 200
    leave = ask(locked, "/api/v1/signal", "OPTIONS", origin="https://evil.example", access_control_request_method="GET")
    assert leave.status == 403


@pytest.mark.parametrize("path", DATA)
def test_nothing_that_holds_data_is_answered_without_the_token(locked: Serving, path: str) -> None:
    answer = ask(locked, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "token" in told(answer)
    assert ask(locked, path, authorization=BEARER).status == 200
    assert ask(locked, path + "?token=" + TOKEN).status == 401


@pytest.mark.parametrize("shown", [
    "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}", TOKEN,
    "Bearer \xe9\xff", f"Bearer {TOKEN} {TOKEN}", "Bearer " + "x" * 9000,
])
def test_a_wrong_token_is_refused(locked: Serving, shown: str) -> None:
    assert ask(locked, "/api/v1/signal", authorization=shown).status == 401
    if shown.isascii():
        assert refused(locked, Authorization=shown.strip()).status == (401 if len(shown) < 8000 else 400)


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/none.js"])
def test_the_page_needs_no_token(locked: Serving, path: str) -> None:
    assert ask(locked, path).status in (200, 404)


@pytest.mark.parametrize("path", [
    "/static/../api/v1/signal", "/static/..%2fapi%2fv1%2fsignal", "/healthz/../api/v1/signal", "//api/v1/signal",
    "/api/v1/signal/", "/API/v1/signal", "/%61pi/v1/signal", "/static%2f../api/v1/signal", "/healthzz",
])
def test_no_other_spelling_of_a_path_goes_around_the_token(locked: Serving, path: str) -> None:
    answer = ask(locked, path)
    assert answer.status in (401, 404)
    assert "location" not in answer.headers


def test_a_stream_takes_the_token_as_a_header_or_as_a_subprotocol(locked: Serving) -> None:
    with stream(locked, "qmo.v1", Authorization=BEARER) as socket:
        assert socket.recv(LIMIT)
    for protocols in (("qmo.v1", subprotocol(TOKEN)), (subprotocol(TOKEN), "qmo.v1")):
        with stream(locked, *protocols) as socket:
            assert socket.subprotocol == "qmo.v1"
            assert socket.recv(LIMIT)


@pytest.mark.parametrize("offered", [
    "qmo.token.", "qmo.token.!!!", subprotocol(TOKEN) + "!", "qmo.token.A", "qmo.token._w", subprotocol(TOKEN[:-1]),
    subprotocol("\u00e9" * 20), "qmo.v1",
])
def test_a_stream_with_a_token_that_is_none_is_refused_before_it_begins(locked: Serving, offered: str) -> None:
    answer = refused(locked, "qmo.v1", offered)
    assert answer.status == 401
    assert "token" in told(answer)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, locked: Serving) -> None:
    seen: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def spy(first: bytes, second: bytes) -> bool:
        seen.append((first, second))
        return compare(first, second)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    ask(locked, "/api/v1/signal", authorization="Bearer guess")
    ask(locked, "/api/v1/signal", authorization=BEARER)
    assert seen == [(b"guess", TOKEN.encode()), (TOKEN.encode(), TOKEN.encode())]


def test_the_token_stands_in_no_answer_and_no_log(locked: Serving, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("uvicorn.error", "uvicorn.access"):
        caplog.set_level(logging.INFO, logger)
    found = b"".join(ask(locked, path, authorization=BEARER).body for path in (*DATA, "/healthz", "/", "/nothing"))
    found += exchange(locked, b"GET / HTTP/9\r\nauthorization: " + BEARER.encode() + b"\r\n\r\n")
    with stream(locked, "qmo.v1", subprotocol(TOKEN)) as socket:
        found += socket.recv(LIMIT).encode() + repr(socket.response).encode()
    refused(locked, "qmo.v1", subprotocol(TOKEN + "x"))
    for secret in (TOKEN, subprotocol(TOKEN)):
        assert secret.encode() not in found
        assert not [record for record in caplog.records
                    if secret in record.getMessage() and not record.name.startswith("websockets.client")]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "desk.example", ""])
def test_an_open_address_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="needs a token"):
        token_of(ServeOptions(host=host))


@pytest.mark.parametrize("token", [
    "", "short", "fifteen-letters", "two words of a token", "\u00e9" * 20, "tab\tin-a-token-of-20",
])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(ConfigurationError, match="16 plain characters") as caught:
        token_of(ServeOptions(host="0.0.0.0"))
    assert not token or token not in str(caught.value)


def test_a_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o640)
    with pytest.raises(NotEntitled, match="chmod 600"):
        token_of(ServeOptions(token_file=str(file)))
    file.chmod(0o600)
    assert token_of(ServeOptions(token_file=str(file))) == TOKEN


@pytest.mark.parametrize("origin", ["desk.example", "null", "*", ""])
def test_an_allowed_origin_that_no_browser_would_send_is_refused(origin: str) -> None:
    with pytest.raises(UsageError, match="--allow-origin"):
        ServeOptions(allow_origin=(origin,))


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, dict[str, Any]]:
    """An authority, and the options of a server with a certificate of it."""
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    return authority, {"tls_cert": str(folder / "chain.pem"), "tls_key": str(folder / "key.pem")}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_tls_connection_that_says_nothing_is_cut_off(
    protocol: str, certified: tuple[trustme.CA, dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PromptServer, "handshake", 0.3)
    with serving(protocol, **certified[1]) as server:
        begun = time.monotonic()
        assert exchange(server, b"") == b""
        assert 0.1 < time.monotonic() - begun < 5


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tls_serves_https_and_streams_and_cuts_off_plain_http(
    protocol: str, certified: tuple[trustme.CA, dict[str, Any]],
) -> None:
    authority, options = certified
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving(protocol, token=TOKEN, **options) as server:
        assert server.url.startswith("https://")
        assert exchange(server, head("/api/v1/signal", authorization=BEARER)) == b""     # plain
        with trusting.wrap_socket(connect(server), server_hostname="localhost") as client:
            client.sendall(head("/api/v1/signal", authorization=BEARER))
            assert parsed(client.recv(1 << 16)).status == 200
        with websocket(f"{server.url.replace('https', 'wss')}/api/v1/stream", ssl=trusting, proxy=None,
                       subprotocols=["qmo.v1", subprotocol(TOKEN)]) as stream:  # type: ignore[list-item]
            assert stream.recv(LIMIT)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(old)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with closing(connect(server)) as client, pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(client, server_hostname="localhost")


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("nothing")
    with pytest.raises(ConfigurationError, match="--tls-cert"):
        Serving(board(), ServeOptions(port=0, tls_cert=str(file), tls_key=str(file)))
    with pytest.raises(ConfigurationError, match="--tls-cert"):
        Serving(board(), ServeOptions(port=0, tls_cert=str(tmp_path / "gone"), tls_key=str(file)))


def test_what_a_header_says_is_read_with_care() -> None:
    assert [host_name(host) for host in ("a:1", "a:b", "", ":", "[::1]", "[::1]:5")] == [
        "a", "a:b", "", ":", "[::1]", "[::1]"]
    assert [place_of(origin) for origin in ("https://A:1/", "null", "http://[", "")] == ["a:1", "", "", ""]
    assert [bracketed(name) for name in ("::1", "[::1]", "Desk")] == ["[::1]", "[::1]", "desk"]
    assert [token_in(offered) for offered in ("qmo.v1", "qmo.token.YQ", "qmo.token.YQ==", "qmo.token.Y!Q")] == [
        None, "a", "a", ""]


def test_an_address_of_version_6_is_known_by_its_brackets() -> None:
    rules = Rules.of(ServeOptions(host="::1", allow_host=("fd00::1",)), None)
    assert rules.hosts is not None
    assert {"[::1]", "[fd00::1]", "localhost"} <= rules.hosts


def test_the_rate_of_frames_is_not_that_of_a_simulated_market() -> None:
    """An option that two stages have is one option for both."""
    from dataclasses import fields

    from qmo_cli.commands.serve import SERVE
    from qmo_cli.commands.sources import FEED, HISTORICAL, LIVING, POLL, SIM
    from qmo_cli.commands.stages import ROUTE, SCORE, SIGNAL

    own = {SERVE.name(item) for item in fields(ServeOptions)}
    others = {part.name(item) for part in (FEED, SIM, LIVING, HISTORICAL, POLL, ROUTE, SCORE, SIGNAL)
              for item in fields(part.kind)}
    assert not own & others


@pytest.mark.parametrize(("soft", "hard", "asked", "warned"), [
    (1024, 524_288, 2256, False), (1024, 2000, 2000, True), (4096, 4096, None, False), (1024, -1, 2256, False),
    (-1, -1, None, False),
])
def test_as_many_files_may_be_open_as_there_may_be_clients(
    soft: int, hard: int, asked: int | None, warned: bool, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """-1 is no limit."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: found.append(limits))
    make_room(2000)
    assert found == ([] if asked is None else [(asked, hard)])
    assert ("ulimit -n" in caplog.text) == warned
