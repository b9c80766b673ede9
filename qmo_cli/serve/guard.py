"""Who may ask, and what an answer may do in a browser: host, origin, token, size of a body, headers."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import LOCAL_NAMES, ServeOptions

PROTOCOL = "qmo.v1"                  # the WebSocket's
TOKEN_PROTOCOL = "qmo.token."        # noqa: S105  a prefix
LARGEST_BODY = 64 << 10              # bytes; none is ever needed
OPEN = frozenset({"/", "/healthz"})  # no data in them, nor in files of the page
CHART_STYLE = "sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY="   # the chart library writes one, for its logo
CONTENT_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' '{CHART_STYLE}'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"), (b"content-security-policy", CONTENT_POLICY.encode()),
)
PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST"), (b"access-control-allow-headers", b"authorization"),
    (b"access-control-max-age", b"600"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


CROWDED = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections; see --max-clients", ((b"retry-after", b"5"),))
UNCLEAR = Refusal(HTTPStatus.BAD_REQUEST, "a body with both content-length and transfer-encoding")
TOO_LONG = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"no body may be longer than {LARGEST_BODY} bytes")


@dataclass(slots=True)
class Crowd:
    """How many connections there are, and may be."""

    most: int
    connections: Sized = ()              # the server's, once there is one

    @property
    def full(self) -> bool:
        """Whether there are more than may be."""
        return len(self.connections) > self.most


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom a server answers."""

    token: str | None
    hosts: frozenset[str] | None         # names under which it may be reached; None: any, since a token is asked for
    origins: frozenset[str]              # of pages elsewhere that may ask

    @classmethod
    def of(cls, options: ServeOptions, token: str | None) -> Rules:
        """The rules that the options ask for.

        Without a token a page elsewhere could have its own name point at this machine and read everything (DNS
        rebinding), so that then the name must be one of ours.
        """
        names = frozenset(map(bracketed, (*LOCAL_NAMES, options.host, *options.allow_host)))
        return cls(token, None if token else names, frozenset(map(plain, options.allow_origin)))

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why this request may not be answered; None if it may."""
        headers = Headers(scope=scope)
        if self.hosts is not None and host_name(headers.get("host", "")) not in self.hosts:
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this server is not known by that name; see --allow-host")
        origin = headers.get("origin")
        if origin is not None and not self.known(origin, headers.get("host", "")):
            return Refusal(HTTPStatus.FORBIDDEN, "pages of that origin may not ask; see --allow-origin")
        free = self.token is None or _open(scope["path"]) or preflight(scope)
        if not free and not self._shown(scope, headers):
            return Refusal(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong",
                           ((b"www-authenticate", b'Bearer realm="qmo"'),))
        return None

    def known(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may ask: one that came from here, or one that was allowed."""
        return place_of(origin) == host.lower() != "" or plain(origin) in self.origins

    def sharing(self, scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
        """Headers that let a page elsewhere read the answer, if it may."""
        origin = Headers(scope=scope).get("origin")
        if origin is None or plain(origin) not in self.origins:
            return ()
        return (b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")

    def _shown(self, scope: Scope, headers: Headers) -> bool:
        if scope["type"] == "websocket":
            shown = [token for token in map(token_in, scope.get("subprotocols", ())) if token is not None]
            if shown:
                return self._equal(shown[0])
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._equal(token.strip())

    def _equal(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), (self.token or "").encode())


def _open(path: str) -> bool:
    return path in OPEN or path.startswith("/static/")


def plain(origin: str) -> str:
    """An origin as it is compared."""
    return origin.rstrip("/").lower()


def bracketed(name: str) -> str:
    """A name as it stands in a Host header.

    >>> bracketed("::1"), bracketed("Desk")
    ('[::1]', 'desk')
    """
    return f"[{name}]".lower() if ":" in name and not name.startswith("[") else name.lower()


def place_of(origin: str) -> str:
    """Host and port of an origin; nothing where it is none.

    >>> place_of("https://Desk.example:8443"), place_of("null"), place_of("http://[")
    ('desk.example:8443', '', '')
    """
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> host_name("localhost:8750"), host_name("[::1]:8750"), host_name("Desk")
    ('localhost', '[::1]', 'desk')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def token_in(protocol: str) -> str | None:
    """The token that a browser sends as a subprotocol, since it cannot set a header; None where it is none."""
    if not protocol.startswith(TOKEN_PROTOCOL):
        return None
    text = protocol.removeprefix(TOKEN_PROTOCOL)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def error_body(status: int, message: str) -> bytes:
    """What stands in every answer that is an error."""
    return msgspec.json.encode({"error": {"code": status, "message": message}})


class Guard:
    """ASGI middleware: refuses what the rules do, and gives every answer the headers that a browser heeds."""

    def __init__(self, app: ASGIApp, rules: Rules, crowd: Crowd) -> None:
        self.app, self.rules, self.crowd = app, rules, crowd

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "http" and not await drained(scope, receive):
            refusal = refusal or TOO_LONG
        last = refusal in (CROWDED, UNCLEAR, TOO_LONG)
        send = guarded(send, (*HEADERS, *self.rules.sharing(scope)), last=last)
        if refusal is not None:
            await refuse(scope, receive, send, refusal)
        elif preflight(scope):
            await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        if self.crowd.full:
            return CROWDED
        return UNCLEAR if len(lengths(scope)) > 1 else self.rules.refusal(scope)


def lengths(scope: Scope) -> list[bytes]:
    """The headers that say that a body comes with the request; where there are two, they may mean two lengths."""
    return [name for name, _ in scope["headers"] if name in (b"content-length", b"transfer-encoding")]


async def drained(scope: Scope, receive: Receive) -> bool:
    """Read the body, so that the answer is not lost in a connection that ends while it comes; whether it is whole.

    What is too long is left where it is: then the connection must end.
    """
    if not lengths(scope):
        return True
    length, left = Headers(scope=scope).get("content-length", "0"), LARGEST_BODY
    if len(length) > 9 or not length.isdecimal() or int(length) > left:
        return False
    while left >= 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return left >= 0
    return False


def preflight(scope: Scope) -> bool:
    """Whether a browser asks for leave before it lets a page ask; only pages that may come this far."""
    return scope["type"] == "http" and scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"])


def guarded(send: Send, headers: Iterable[tuple[bytes, bytes]], *, last: bool) -> Send:
    """Add headers to whatever begins an answer; after the last one the connection ends."""
    added = (*headers, (b"connection", b"close")) if last else tuple(headers)

    async def call(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return call


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer with an error; a WebSocket before it is one."""
    body = error_body(refusal.status, refusal.message)
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    if scope["type"] == "websocket":
        await receive()     # the connect
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *refusal.headers]
    await send({"type": f"{kind}.start", "status": int(refusal.status), "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
