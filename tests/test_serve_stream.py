"""The stream to WebSocket clients: newest frames only, whatever a client's pace."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket

from qmo_cli.board import Board
from qmo_cli.serve.listener import Listener
from qmo_cli.serve.server import Serving
from qmo_cli.serve.stream import Channel, Publisher, nothing, on_wire

from .bench_listeners import Crowd, measured
from .serving import LIMIT, board, place, run, serving, wait_until


@dataclass
class Pipe:
    """An outlet of which a test says when it is ready."""

    ready: bool = True
    got: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.freed: Callable[[], None] = nothing

    def put(self, data: bytes) -> None:
        self.got.append(data)

    def free(self) -> None:
        """What was written is on its way."""
        self.ready = True
        self.freed()


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as found:
        yield found


@contextmanager
def stream(server: Serving, query: str = "") -> Iterator[ClientConnection]:
    """An honest listener."""
    url = "ws://{}:{}/api/v1/stream".format(*place(server))
    with websocket(url + query, compression=None, open_timeout=LIMIT, proxy=None) as found:
        yield found


def frames(client: ClientConnection, number: int) -> list[dict[str, Any]]:
    """The next so many."""
    return [json.loads(client.recv(LIMIT)) for _ in range(number)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_text_on_the_wire_is_what_another_library_makes_of_it(size: int) -> None:
    text = b"x" * size
    assert on_wire(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_a_client_that_is_not_ready_gets_the_newest_frame_once_it_is() -> None:
    channel, fast, slow = Channel(), Pipe(), Pipe()
    channel.publish(b"0")
    with channel.tapped(fast), channel.tapped(slow):
        slow.ready = False
        for text in (b"1", b"2", b"3"):
            channel.publish(text)
        assert slow.got == [on_wire(b"0")]
        slow.free()
        slow.free()
    channel.publish(b"4")
    assert slow.got == [on_wire(b"0"), on_wire(b"3")]
    assert fast.got == [on_wire(text) for text in (b"0", b"1", b"2", b"3")]
    assert (channel.sent, channel.skipped) == (6, 2)
    assert not channel.taps
    assert slow.freed is nothing


def test_a_client_is_sent_a_frame_when_it_comes_and_one_a_second_though_nothing_changes(server: Serving) -> None:
    with stream(server) as client:
        begun = time.monotonic()
        first, second = frames(client, 2)
        assert 0.3 < time.monotonic() - begun < 3
    assert first["schema"] == "frame"
    assert first["seq"] == second["seq"] == len(run())
    assert first["feed"]["served"] < second["feed"]["served"]


def test_what_is_put_is_sent_at_once_and_no_more_often_than_the_rate(server: Serving) -> None:
    with stream(server) as client:
        before = frames(client, 1)[0]["seq"]
        for _ in range(200):
            server.board.put(run()[-1:])
            time.sleep(0.001)
        found: list[int] = []
        begun = time.monotonic()
        while not found or found[-1] < before + 200:
            found += [frame["seq"] for frame in frames(client, 1)]
        assert time.monotonic() - begun < 2
    assert len(found) < 25
    assert all(earlier < later for earlier, later in pairwise(found))


@pytest.mark.parametrize(("every", "rate"), [(0.001, 20.0), (0.05, 20.0), (0.2, 5.0)])
def test_frames_are_made_as_often_as_packets_come_up_to_the_rate(every: float, rate: float) -> None:
    source = board()
    made = Publisher(source, 20.0)

    async def feed() -> None:
        loop = asyncio.get_running_loop()
        made.listen(loop)
        task = asyncio.create_task(made.run())
        with made.channel(None) as channel:
            begun, first = loop.time(), channel.number
            while loop.time() - begun < 1:
                source.heard()
                await asyncio.sleep(every)
            count.append(channel.number - first)
            took.append(loop.time() - begun)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    count: list[int] = []
    took: list[float] = []
    asyncio.run(feed())
    assert 2 <= count[0] <= rate * took[0] + 2       # fewer where the machine is busy


def test_a_client_that_wants_fewer_frames_gets_fewer_and_the_newest(server: Serving) -> None:
    with stream(server, "?rate=5") as client:
        frames(client, 1)
        times = [time.monotonic()]
        while len(times) < 4:
            server.board.put(run()[-1:])
            try:
                client.recv(0.01)
                times.append(time.monotonic())
            except TimeoutError:
                continue
        assert times[-1] - times[0] > 0.5
        channel = next(iter(publisher(server).channels.values()))
        assert not channel.taps
        assert channel.skipped


def publisher(server: Serving) -> Publisher:
    """The server's, found where the board wakes it."""
    found: Publisher = next(cell.cell_contents for cell in server.board.heard.__closure__ or ()
                            if isinstance(cell.cell_contents, Publisher))
    return found


@pytest.mark.parametrize("query", ["?series=none", "?rate=0", "?rate=nan", "?rate=x", "?rate=1e9"])
def test_a_stream_that_cannot_be_is_refused_before_it_begins(server: Serving, query: str) -> None:
    with pytest.raises(InvalidStatus) as caught, stream(server, query):
        pass
    assert caught.value.response.status_code == (404 if "series" in query else 400)
    assert json.loads(bytes(caught.value.response.body))["error"]["message"]


def test_before_the_first_packet_a_frame_says_that_there_is_none() -> None:
    with serving(on=Board()) as server, stream(server) as client:
        (empty,) = frames(client, 1)
        assert (empty["series"], empty["feed"]["state"]) == (None, "starting")
        server.board.put(run())
        assert frames(client, 1)[0]["series"] == run()[0].series


def test_frames_are_made_only_while_somebody_listens(server: Serving) -> None:
    wait_until(lambda: not publisher(server).clients)
    made = publisher(server).frames
    for _ in range(5):
        server.board.put(run()[-1:])
        time.sleep(0.02)
    assert publisher(server).frames == made
    with stream(server) as client:
        frames(client, 1)
        assert publisher(server).clients == 1
    wait_until(lambda: not publisher(server).clients)


def test_a_frame_that_cannot_be_made_does_not_end_the_stream(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("qmo_cli.serve.stream.REPEAT", 0.05)
    with serving() as server, stream(server) as client:
        frames(client, 1)
        with monkeypatch.context() as patch:
            patch.setattr(Publisher, "publish", lambda _: 1 / 0)
            wait_until(lambda: "a frame could not be made" in caplog.text)
        assert "ZeroDivisionError" in caplog.text
        assert frames(client, 2)[1]["series"]


def test_a_connection_that_ends_is_an_outlet_no_more(server: Serving) -> None:
    with stream(server) as client:
        frames(client, 1)
        (listener,) = server.server.server_state.connections
        assert isinstance(listener, Listener)
        assert listener.ready
    wait_until(lambda: not server.server.server_state.connections)
    assert not listener.ready
    assert listener.freed is nothing


def test_the_stream_runs_on_another_server_too() -> None:
    """One without outlets: here none at all, the application alone."""
    from qmo_cli.serve.app import Service, application
    from qmo_cli.serve.guard import Crowd, Rules
    from qmo_cli.serve.metrics import Metrics
    from qmo_cli.serve.options import ServeOptions

    source = board()
    made = Publisher(source, 1000.0)
    app = application(Service(source, made, Metrics(source, made, "")), Rules.of(ServeOptions(), None), Crowd(9))
    sent: list[Any] = []

    async def talk() -> None:
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        inbox.put_nowait({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) == 3:
                inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
            else:
                for channel in made.channels.values():
                    channel.publish(b"%d" % len(sent))

        scope = {"type": "websocket", "path": "/api/v1/stream", "query_string": b"",
                 "headers": [(b"host", b"localhost")], "subprotocols": ["other", "qmo.v1"]}
        async with asyncio.timeout(LIMIT):
            await app(scope, inbox.get, send)

    asyncio.run(talk())
    assert sent[0] == {"type": "websocket.accept", "subprotocol": "qmo.v1", "headers": []}
    assert [message["type"] for message in sent[1:]] == ["websocket.send"] * 2


def test_the_benchmark_s_crowd_reads_what_the_server_sends(server: Serving) -> None:
    crowd = Crowd()
    crowd.join(*place(server), 5)
    for _ in range(3):
        server.board.put(run()[-1:])
        crowd.listen(0.1)
    for client in crowd.clients.values():
        client.socket.close()
    assert len(crowd.spreads) >= 15
    assert min(crowd.spreads) == 0
    assert len(crowd.first) * 5 == len(crowd.spreads)
    assert crowd.bytes / len(crowd.spreads) > 1000


@pytest.mark.parametrize("size", [5, 200, 70_000])
def test_a_frame_that_is_cut_anywhere_is_not_whole(size: int) -> None:
    data = on_wire(bytes(size))
    assert measured(data) == (len(data) - size, len(data))
    assert measured(data + b"more") == measured(data)
    assert all(measured(data[:cut]) is None for cut in {0, 1, 2, 3, 9, 12, size // 2, len(data) - 1} if cut < len(data))
