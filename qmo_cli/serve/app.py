"""The server's routes: what is asked, and which answer it gets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..board import Board
from ..board.frame import STEPS
from .answers import MOST_MINUTES, Answers
from .caretaker import care
from .guard import PROTOCOL, Crowd, Guard, Rules, error_body
from .metrics import Metrics
from .openapi import document
from .static import PAGE, File, answer, files
from .stream import OUTLET, Channel, Publisher

JSON = "application/json"
NOW = {"cache-control": "no-store"}
METHODS = frozenset({"GET", "HEAD", "POST"})
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Service:
    """A board, and what is served of it."""

    board: Board
    publisher: Publisher
    metrics: Metrics
    answers: Answers = field(init=False)
    page: dict[str, File] = field(default_factory=files)

    def __post_init__(self) -> None:
        self.answers = Answers(self.board)

    def routes(self) -> list[Route | WebSocketRoute]:
        """Every path, what is asked for most first."""
        kept: dict[str, Callable[[str | None], bytes | None]] = {
            "frame": self.answers.frame, "packet": self.answers.packet, "zones": self.answers.zones,
        }
        return [
            Route("/api/v1/signal", self.newest(self.answers.signal), methods=["GET", "POST"]),
            *[Route(f"/api/v1/{name}", self.newest(make)) for name, make in kept.items()],
            Route("/api/v1/history", self.history), Route("/api/v1/openapi.json", self.openapi),
            WebSocketRoute("/api/v1/stream", self.stream), Route("/healthz", self.healthz),
            Route("/metrics", self.measure), Route("/", self.index), Route("/static/{name}", self.static),
        ]

    def newest(self, make: Callable[[str | None], bytes | None]) -> Endpoint:
        """An endpoint that answers with what is newest of a series."""

        async def endpoint(request: Request) -> Response:
            with known_series(self.board):
                return given(make(request.query_params.get("series")))

        return endpoint

    async def history(self, request: Request) -> Response:
        """Candles and marks of the last minutes."""
        query = request.query_params
        minutes = whole(query, "minutes", 120, range(1, MOST_MINUTES + 1))
        step = whole(query, "step", 60, STEPS)
        with known_series(self.board):
            return given(self.answers.history(query.get("series"), minutes, step))

    async def healthz(self, request: Request) -> Response:
        """200 while the feed is live."""
        good, body = self.answers.health()
        return Response(body, 200 if good else 503, media_type=JSON, headers=NOW)

    async def measure(self, request: Request) -> Response:
        """Counters."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4", headers=NOW)

    async def openapi(self, request: Request) -> Response:
        """The description of all this."""
        return Response(document(), media_type=JSON)

    async def index(self, request: Request) -> Response:
        """The page."""
        return self.file(request, PAGE)

    async def static(self, request: Request) -> Response:
        """One of the page's files."""
        return self.file(request, request.path_params["name"])

    def file(self, request: Request, name: str) -> Response:
        """A file by its name; 404 where there is none."""
        file = self.page.get(name)
        if file is None:
            raise HTTPException(404, "there is no such file")
        return answer(request, file)

    async def stream(self, socket: WebSocket) -> None:
        """Frames, until either side leaves."""
        query, offered = socket.query_params, socket.scope.get("subprotocols", ())
        try:
            with known_series(self.board), self.publisher.channel(query.get("series")) as channel:
                gap = 1 / positive(query, "rate", self.publisher.rate)
                await socket.accept(PROTOCOL if PROTOCOL in offered else None)
                outlet = socket.scope.get("extensions", {}).get(OUTLET, {}).get("outlet")
                if outlet is None or gap > self.publisher.gap:
                    await send_until_gone(socket, channel, gap if gap > self.publisher.gap else 0.0)
                else:
                    with channel.tapped(outlet):
                        await gone(socket)
        except HTTPException as error:
            await socket.send_denial_response(failure(error.status_code, error.detail))


async def send_until_gone(socket: WebSocket, channel: Channel, gap: float) -> None:
    """Send frames until the client leaves; whatever it says is read, so that leaving is noticed, and ignored."""
    tasks = {asyncio.create_task(send_frames(socket, channel, gap)), asyncio.create_task(gone(socket))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send_frames(socket: WebSocket, channel: Channel, gap: float) -> None:
    """Send the newest frame whenever there is one that this client has not had, ``gap`` s after the one before."""
    number = 0
    with contextlib.suppress(WebSocketDisconnect, OSError):
        while True:
            text, newest = await channel.after(number)
            channel.skipped += newest - number - 1 if number else 0
            number = newest
            await socket.send_text(text)
            channel.sent += 1
            if gap:
                await asyncio.sleep(gap)


async def gone(socket: WebSocket) -> None:
    """Until the client has left."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


@contextlib.contextmanager
def known_series(board: Board) -> Iterator[None]:
    """Answer 404 where a series is asked for that was not seen."""
    try:
        yield
    except KeyError as error:
        there = ", ".join(board.names()) or "none yet"
        raise HTTPException(404, f"no series {error.args[0]!r}; there are: {there}") from None


def given(body: bytes | None) -> Response:
    """The body as JSON; 503 where there is none yet."""
    if body is None:
        raise HTTPException(503, "nothing of that kind has come yet", {"retry-after": "1"})
    return Response(body, media_type=JSON, headers=NOW)


def whole(query: QueryParams, name: str, usual: int, allowed: Container[int]) -> int:
    """A parameter that is a whole number."""
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed):
        words = f"1 to {allowed[-1]}" if isinstance(allowed, range) else ", ".join(map(str, STEPS))
        raise HTTPException(400, f"{name} must be one of {words}")
    return int(text)


def positive(query: QueryParams, name: str, usual: float) -> float:
    """A parameter that is a number from a tenth to a thousand."""
    try:
        value = float(query.get(name, usual))
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1000:
        raise HTTPException(400, f"{name} must be a number from 0.1 to 1000")
    return value


def failure(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is an error."""
    return Response(error_body(status, words), status, headers=headers, media_type=JSON)


async def refused(request: Request, error: Exception) -> Response:
    """What was not answered, and why."""
    assert isinstance(error, HTTPException)
    return failure(error.status_code, error.detail, error.headers)


async def broken(request: Request, error: Exception) -> Response:
    """A failure that is ours; the server goes on."""
    return failure(500, "this is a bug in qmo; its log says more")


class Counted:
    """ASGI middleware: counts answers by method, route and status; of WebSockets those that were refused."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self.app, self.metrics, self.paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else "other"
        method = scope.get("method", "GET")
        method = method if method in METHODS else "other"

        async def counting(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self.metrics.answered[method, path, message["status"]] += 1
            await send(message)

        await self.app(scope, receive, counting)


def application(service: Service, rules: Rules, crowd: Crowd) -> ASGIApp:
    """The ASGI application. The guard stands before all of it, failures included."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.publisher.listen(asyncio.get_running_loop())
        tasks = [asyncio.create_task(work) for work in (service.publisher.run(), care(service.board))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    routes = service.routes()
    paths = frozenset(route.path for route in routes if "{" not in route.path)
    app = Starlette(routes=routes, exception_handlers={HTTPException: refused, Exception: broken}, lifespan=lifespan)
    app.router.redirect_slashes = False      # it would send a client to whatever host it named
    return Counted(Guard(app, rules, crowd), service.metrics, paths)
