"""A board behind a server: what is seen of it is what is there, and a broken connection is said."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmo_cli.board import Board, History
from qmo_cli.board.frame import STEPS
from qmo_cli.errors import NotEntitled, SourceUnavailable, UsageError
from qmo_cli.serve.options import ServeOptions
from qmo_cli.tray import Packet
from qmo_cli.watch import remote as module
from qmo_cli.watch.remote import Remote, address_of, aged, find_token, refusal

from .plotting import line, simulated
from .watching import frame

pytest.importorskip("websockets")
pytest.importorskip("starlette")
PATIENCE = 20.0      # s, before something that should have happened counts as hanging
TOKEN = "a-token-of-32-characters-at-least"


LINES = [
    Packet.decode(json.dumps(line(1 + 7 * number, 2500.0 + number % 5, trades=1 + number % 3)).encode())
    for number in range(401)]


@contextmanager
def served(board: Board, **options: Any) -> Iterator[str]:
    """A server for a board, on a free port unless one is named."""
    from qmo_cli.serve.server import Serving

    server = Serving(board, ServeOptions(**{"port": 0, **options}))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def following(remote: Remote) -> Iterator[list[SourceUnavailable]]:
    """A thread that reads, and what ended it."""
    left = threading.Event()
    ended: list[SourceUnavailable] = []

    def run() -> None:
        try:
            for _ in remote.follow(left.is_set):
                pass
        except SourceUnavailable as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        left.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def packets() -> list[Packet]:
    """Three minutes of a simulated market."""
    return [Packet.decode(text.strip()) for text in simulated()]


@pytest.fixture
def board() -> Board:
    """Half of them on a board."""
    board = Board()
    board.put(packets()[:90])
    return board


def test_what_is_seen_is_what_is_on_the_board_from_the_first_frame_to_the_last(board: Board) -> None:
    with served(board) as url:
        remote = Remote(address_of(url), None)
        with following(remote):
            until(lambda: remote.frame(None).seq == 90)
            for packet in packets()[90:]:
                board.put([packet])
            until(lambda: remote.frame(None).seq == len(packets()))
    seen, there = remote.frame(None), board.frame()
    assert (seen.market, seen.zones, seen.marks, seen.score) == (there.market, there.zones, there.marks, there.score)
    for step in STEPS:
        history, expected = remote.history(None, step, 10_000), board.history(None, 10**6, step)
        assert history is not None
        assert expected is not None
        assert history.candles == expected.candles
        assert {mark.id for mark in history.marks} == {mark.id for mark in expected.marks}


@given(st.sets(st.integers(0, 400), min_size=1))
def test_candles_are_those_of_the_board_whatever_frames_are_left_out(shown: set[int]) -> None:
    board, asked = Board(), []

    class Asked(Remote):
        def _fetched(self, series: str, step: int) -> History | None:
            asked.append(step)
            return board.history(series, 10**6, step)

    remote = Asked(address_of("http://127.0.0.1:1"), None)
    for number in range(max(shown) + 1):
        board.put([LINES[number]])
        if number in shown:
            frame = board.frame()
            remote._extend(frame)
            remote._frames[None] = frame
    for step in STEPS:
        history, expected = remote.history(None, step, 10_000), board.history(None, 10**6, step)
        assert history is not None
        assert expected is not None
        assert history.candles == expected.candles
    assert len(asked) <= 3 * len(shown)


def test_another_series_is_seen_when_it_is_asked_for(board: Board) -> None:
    other = line(300, 25.5, trades=2) | {"series": "SI.v.0", "symbol": "SIH6"}
    board.put([Packet.decode(json.dumps(other).encode())])
    with served(board) as url:
        remote = Remote(address_of(url), None)
        with following(remote):
            until(lambda: remote.frame(None).series == "GC.v.0")
            assert remote.frame(None).all_series == ["GC.v.0", "SI.v.0"]
            assert remote.frame("SI.v.0").feed.state == "starting"
            until(lambda: remote.frame("SI.v.0").symbol == "SIH6")
            assert remote.history("SI.v.0", 60, 5) is not None


def test_a_server_that_goes_and_comes_again_is_stale_in_between(
    board: Board, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITS", (0.1,))
    with ExitStack() as servers:
        remote = Remote(address_of(servers.enter_context(served(board))), None)
        with following(remote) as ended:
            until(lambda: remote.frame(None).feed.state == "live")
            servers.close()
            until(lambda: remote.frame(None).feed.state == "stale")
            gone = remote.frame(None)
            assert "127.0.0.1" in (gone.feed.detail or "")
            assert gone.market is not None
            other = Board()
            other.put(packets()[:30])
            with served(other, port=remote.address.port):
                until(lambda: remote.frame(None).feed.state == "live")
    assert ended == []
    history, expected = remote.history(None, 15, 1000), other.history(None, 10**6, 15)
    assert history is not None
    assert expected is not None
    assert history.candles == expected.candles


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        remote = Remote(address_of(f"http://127.0.0.1:{taken.getsockname()[1]}"), None)
        with pytest.raises(SourceUnavailable, match="refused"):
            next(remote.follow(lambda: False))


def test_a_connection_that_says_nothing_counts_as_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from websockets.sync.server import serve

    monkeypatch.setattr(module, "SILENCE", 0.2)
    with serve(lambda _: time.sleep(0.5), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        remote = Remote(address_of(f"http://127.0.0.1:{server.socket.getsockname()[1]}"), None)
        with pytest.raises(SourceUnavailable, match="nothing heard"):
            next(remote.follow(lambda: False))
        server.shutdown()
        thread.join(PATIENCE)


# ---- the token


@pytest.mark.parametrize("token", [None, "another-token-of-32-characters"])
def test_a_wrong_token_is_refused_and_not_repeated(
    token: str | None, board: Board, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QMO_TOKEN", TOKEN)
    with served(board) as url, pytest.raises(NotEntitled) as error:
        next(Remote(address_of(url), token).follow(lambda: False))
    assert "QMO_TOKEN" in str(error.value)
    assert TOKEN not in str(error.value)
    assert token is None or token not in str(error.value)


def test_the_right_token_opens_stream_and_history(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QMO_TOKEN", TOKEN)
    with served(board) as url:
        remote = Remote(address_of(url), find_token(None))
        assert next(remote.follow(lambda: False)).series == "GC.v.0"
    history = remote.history(None, 60, 9)
    assert history is not None
    assert len(history.candles) > 1


def test_the_token_comes_from_a_file_that_nobody_else_reads_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("QMO_TOKEN", raising=False)
    assert find_token(None) is None
    monkeypatch.setenv("QMO_TOKEN", f" {TOKEN}\n")
    assert find_token(None) == TOKEN
    file = tmp_path / "token"
    file.write_text("from-the-file\n")
    file.chmod(0o600)
    assert find_token(str(file)) == "from-the-file"
    file.chmod(0o644)
    with pytest.raises(NotEntitled, match="chmod 600"):
        find_token(str(file))


def test_a_token_that_would_cross_a_network_in_clear_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Remote(address_of("http://127.0.0.1:1"), TOKEN)
    Remote(address_of("https://desk.example"), TOKEN)
    assert caplog.text == ""
    Remote(address_of("http://desk.example:8750"), TOKEN)
    assert "https" in caplog.text
    assert TOKEN not in caplog.text


# ---- addresses and answers


@pytest.mark.parametrize("url", [
    "http://user:secret@host:1", "http://host:1/?token=secret", "http://host:1/#token=secret", "http://", "http://h:x",
    "http://[::1",
])
def test_an_address_that_holds_a_secret_or_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError) as error:
        address_of(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("url", "series", "socket_url"), [
    ("http://127.0.0.1:8750", None, "ws://127.0.0.1:8750/api/v1/stream"),
    ("https://desk.example/qmo/", "GC.v.0", "wss://desk.example:443/qmo/api/v1/stream?series=GC.v.0"),
    ("http://[::1]:8750/", "A&B /", "ws://[::1]:8750/api/v1/stream?series=A%26B%20%2F"),
])
def test_the_stream_is_found_below_the_address(url: str, series: str | None, socket_url: str) -> None:
    assert address_of(url).socket(series) == socket_url


def test_a_refusal_is_said_in_the_server_s_own_words() -> None:
    address = address_of("http://h:1")
    assert str(refusal(address, 503, b'{"error": {"code": 503, "message": "too many"}}')) == "h:1 answers 503: too many"
    assert str(refusal(address, 502, b"<html>")) == "h:1 answers 502"


def test_a_frame_grows_old_and_then_stale_and_its_signal_is_no_advice_any_more() -> None:
    assert aged(frame(), 2.0, None).feed.age == pytest.approx(2.41)
    assert aged(frame(), 2.0, None).feed.state == "live"
    for old in (aged(frame(), 6.0, None), aged(frame(), 0.5, "the connection was closed")):
        assert old.feed.state == "stale"
        assert old.signal is not None
        assert (old.signal.status, old.signal.signal.type, old.signal.entry) == ("stale", "HOLD", None)
